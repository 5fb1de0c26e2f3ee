// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <utility>

#include "adapters/abi/encodings.h"
#include "binding.h"
#include "evidence/observation.h"
#include "seam/traps.h"

namespace binding {
namespace {

using conformance::BindingAtWork;
using conformance::NotExpressible;

// Makes the running test one that the binding cannot express, unless it fails. This is the only way to skip
// without a refusal; the listeners accept it from foreign bindings only.
std::string skip(const NotExpressible& lacking) {
  conformance::current_observation().not_expressible = lacking;
  const std::string text = lacking.what + std::string(not_expressible_words) + lacking.reason;
  // Outside of a test (mechanics.cc), it would keep all tests from running.
  if (testing::UnitTest::GetInstance()->current_test_info() != nullptr) {
    GTEST_MESSAGE_(text.c_str(), testing::TestPartResult::kSkip);
  }
  return text;
}

// The same, and ends it.
[[noreturn]] void stop(const NotExpressible& lacking) {
  const std::string text = skip(lacking);
  // The exception that GoogleTest throws for its own assertions, and does not report again.
  throw testing::AssertionException(
      testing::TestPartResult(testing::TestPartResult::kSkip, __FILE__, __LINE__, text.c_str()));
}

std::string in_words(const char* reason) {
  return reason != nullptr ? reason
                           : std::string(name) + " says so without a reason, which is the adapter's fault";
}

[[noreturn]] void means_nothing(const char* function, const std::string& what) {
  throw std::runtime_error("the adapter's " + std::string(function) + ' ' + what + ": see uring_binding.h");
}

std::size_t calls = 0;               // of functions of the table, in the running test
std::size_t events_before_call = 0;  // in the wire log, when the last of them was called

// Whether a system call that it made has failed.
bool a_system_call_failed() {
  const auto lines = conformance::wire_log().lines();
  const std::size_t made = std::min(conformance::wire_log().events() - events_before_call, lines.size());
  return std::any_of(lines.end() - static_cast<std::ptrdiff_t>(made), lines.end(),
                     [](const std::string& line) { return line.find("-> -") != line.npos; });
}

// The error that a negative result of an adapter's function means.
Error error_of(const char* function, int result) {
  if (result == URING_BINDING_ERRNO_LOST) {
    if (!a_system_call_failed())
      means_nothing(function, "says that an errno was lost, and no system call failed");
    stop({std::string("the errno of ") + function, std::string(name) + " does not pass it on"});
  }
  switch (result) {
    case URING_BINDING_ENTRIES_ZERO: return Error::entries_zero;
    case URING_BINDING_ENTRIES_NOT_POWER_OF_TWO: return Error::entries_not_power_of_two;
    case URING_BINDING_NO_BUFFER_SELECTED: return Error::no_buffer_selected;
    case URING_BINDING_REFUSED: return refused;
  }
  if (result < -uring::max_errno) {
    const bool not_expressible = result == URING_BINDING_NOT_EXPRESSIBLE;
    means_nothing(function,
                  "returned " + std::to_string(result) +
                      (not_expressible ? " (not expressible), which this function may not return" : ""));
  }
  return static_cast<Error>(-result);
}

// The result of a function that returns 0 or a negative number; anything else is the adapter's mistake.
Result<void> success_of(const char* function, int result) {
  if (result > 0) means_nothing(function, "returned " + std::to_string(result) + ", and 0 is success");
  return result < 0 ? Result<void>(error_of(function, result)) : Result<void>();
}
Result<u32> value_of(const char* function, int result) {
  return result < 0 ? Result<u32>(error_of(function, result)) : static_cast<u32>(result);
}

bool offers(std::uint64_t capability) { return (table.capabilities & capability) != 0; }

// The ring from outside.
const conformance::RingView& seen(int fd) {
  const auto& rings = conformance::wire_log().rings();
  const auto found = rings.find(fd);
  if (found == rings.end()) {
    means_nothing("describe",
                  "names descriptor " + std::to_string(fd) + ", which is not that of a ring that was opened");
  }
  return found->second;
}

// A word of the ring's shared memory, which no binding can keep to itself.
u32 shared_word(const conformance::RingView& ring, u32 offset) {
  if (ring.rings == nullptr)
    throw std::runtime_error("the suite did not see where the binding mapped the ring");
  return __atomic_load_n(reinterpret_cast<const u32*>(ring.rings + offset), __ATOMIC_ACQUIRE);
}

// Calls a function of the table while the traps attribute system calls to the binding.
template <class Function, class... Arguments>
auto call(Function function, Arguments... arguments) {
  ++calls;
  events_before_call = conformance::wire_log().events();
  const BindingAtWork at_work;
  return function(arguments...);
}

// Calls one that may answer that the binding cannot express the request.
template <class Function, class... Arguments>
int ask(const char* name_of_function, Function function, Arguments... arguments) {
  const int result = call(function, arguments...);
  if (result == URING_BINDING_NOT_EXPRESSIBLE && conformance::wire_log().events() != events_before_call) {
    means_nothing(name_of_function, "asked the kernel, and says that this cannot be expressed");
  }
  return result;
}

}  // namespace

const uring_binding_v1& adapters_table() {
  static const uring_binding_v1 nothing{};
  const uring_binding_v1* const found = uring_binding();
  return found != nullptr ? *found : nothing;
}

void start() {
  if (table.version != URING_BINDING_VERSION || table.size != sizeof table) {
    throw std::runtime_error(
        "the adapter was made for another version of uring_binding.h: compile it again, and see --validate");
  }
  conformance::install_traps();
}

void note(Unseen unseen) {
  if (conformance::current_observation().not_expressible) return;
  skip({unseen.what, "an adapter does not pass it on, and the suite sees only its effect"});
}

namespace {

// A test that asks nothing of the binding has not tested it, whatever it compared.
class CallCounter : public testing::EmptyTestEventListener {
  void OnTestStart(const testing::TestInfo&) override { calls = 0; }
  void OnTestEnd(const testing::TestInfo& info) override {
    const std::string suite = info.test_suite_name();
    const bool is_about_the_harness = suite.starts_with("DISABLED_Smoke");  // program/smoke_test.cc
    if (calls > 0 || is_about_the_harness || info.result()->Failed() || info.result()->Skipped()) return;
    skip({suite + "." + info.name(), "it asks nothing of the binding"});
  }
};

}  // namespace

void watch_tests() { testing::UnitTest::GetInstance()->listeners().Append(new CallCounter); }

void PrintTo(PrivateWord word, std::ostream* out) { *out << word.text(); }
void PrintTo(const Indices& i, std::ostream* out) {
  *out << "Indices{.sqe_head=" << i.sqe_head.text() << ", .sqe_tail=" << i.sqe_tail.text()
       << ", .sq_tail=" << i.sq_tail << ", .cq_head=" << i.cq_head << "}";
}

conformance::wire::Sqe bytes_of(const Sqe& sqe) {
  return conformance::without_unread_fields(std::bit_cast<conformance::wire::Sqe>(sqe));
}

// --- the ring
// --------------------------------------------------------------------------------------------------

Result<void> Ring::init(u32 entries, u32 flags) {
  const bool is_power_of_two = entries != 0 && (entries & (entries - 1)) == 0;
  if (!is_power_of_two && !offers(URING_BINDING_CHECKS_ENTRIES)) {
    stop({"refusing " + std::to_string(entries) + " entries",
          std::string(name) + " leaves that to the kernel, which rounds up and refuses 0 itself"});
  }
  const char* reason = nullptr;
  const int result = ask("create", table.create, entries, flags, &ring_, &reason);
  if (result == URING_BINDING_NOT_EXPRESSIBLE)
    stop({"a ring of " + std::to_string(entries) + " entries" +
              (flags == 0 ? "" : " with setup flags " + std::to_string(flags)),
          in_words(reason)});
  if (result != 0) {
    ring_ = nullptr;
    return success_of("create", result);
  }
  if (ring_ == nullptr) means_nothing("create", "returned 0 and no ring");
  call(table.describe, ring_, &facts_);
  return {};
}

void Ring::close() {
  if (ring_ != nullptr) call(table.destroy, ring_);
  ring_ = nullptr;
}

Indices Ring::indices() const {
  Indices found{};
  if (table.indices != nullptr) {
    uring_binding_indices shown{};
    call(table.indices, ring_, &shown);
    found.sqe_head = shown.sqe_head;
    found.sqe_tail = shown.sqe_tail;
  }
  const conformance::RingView& ring = seen(fd());
  found.sq_tail = shared_word(ring, ring.params.sq_off.tail);
  found.cq_head = shared_word(ring, ring.params.cq_off.head);
  return found;
}

u32 Ring::features() const { return seen(fd()).params.features; }

Result<u32> Ring::submit() { return value_of("submit", call(table.submit, ring_)); }
Result<u32> Ring::submit_and_wait(u32 wait_nr) {
  return value_of("submit_and_wait", call(table.submit_and_wait, ring_, wait_nr));
}
Result<u32> Ring::enter(u32 to_submit, u32 min_complete, u32 flags) {
  const int result = ask("enter", table.enter, ring_, to_submit, min_complete, flags);
  if (result == URING_BINDING_NOT_EXPRESSIBLE) {
    stop({"io_uring_enter(2) with arguments of one's own", std::string(name) + " has no such function"});
  }
  return value_of("enter", result);
}
Result<void> Ring::register_ring_fd() {
  stop({"a ring that is entered through a registered index", "the adapter ABI has no function for it"});
}
Result<void> init_mem(Ring&, u32, u32, std::span<std::byte>) {
  stop({"a ring in the caller's memory", "the adapter ABI has no function for it"});
}
u32 Ring::sq_ready() const { return call(table.sq_ready, ring_); }
u32 Ring::cq_ready() const { return call(table.cq_ready, ring_); }

Result<u32> Ring::copy_cqes(std::span<Cqe> destination, u32 wait_nr) {
  static_assert(sizeof(Cqe) == sizeof(uring_binding_cqe));
  auto* const cqes = reinterpret_cast<uring_binding_cqe*>(destination.data());
  const int result = call(table.copy_cqes, ring_, cqes, static_cast<u32>(destination.size()), wait_nr);
  if (result > 0 && static_cast<std::size_t>(result) > destination.size()) {
    const std::string room = std::to_string(destination.size());
    means_nothing("copy_cqes", "returned " + std::to_string(result) + " with room for " + room);
  }
  return value_of("copy_cqes", result);
}

Result<void> Ring::copy_cqe(Cqe& cqe) {
  constexpr int patience = 100;  // a wait may end early now and then, but not every time
  for (int i = 0; i < patience; ++i) {
    const Result<u32> copied = copy_cqes(std::span(&cqe, 1), 1);
    if (!copied.ok()) return copied.error();
    if (copied.value() == 1) return {};
  }
  means_nothing("copy_cqes", "does not wait: " + std::to_string(patience) + " times it returned 0");
}

Result<Sqe&> Requests::queue(uring_binding_operation operation, const uring_binding_arguments& arguments) {
  void* const sqe = call(table.get_sqe, ring_);
  if (sqe == nullptr) return Error::submission_queue_full;
  const char* reason = nullptr;
  const int result = call(table.prepare, sqe, operation, &arguments, &reason);
  if (result == URING_BINDING_NOT_EXPRESSIBLE)
    stop({conformance::operation_name(operation), in_words(reason)});
  if (const Result<void> prepared = success_of("prepare", result); !prepared.ok()) return prepared.error();
  return *static_cast<Sqe*>(sqe);
}

// --- registrations
// ---------------------------------------------------------------------------------------------

namespace {

// For what the kernel answers with 0.
Result<void> done(Result<u32> answer) {
  if (!answer.ok()) return answer.error();
  return {};
}

}  // namespace

Result<u32> Ring::do_register(const char* what, uring_binding_registration registration, const void* argument,
                              std::size_t count, u32 first) {
  const char* reason = nullptr;
  const int result = ask("do_register", table.do_register, ring_, registration, any(argument),
                         static_cast<u32>(count), first, &reason);
  if (result == URING_BINDING_NOT_EXPRESSIBLE) stop({what, in_words(reason)});
  return value_of("do_register", result);
}

Result<void> Ring::register_files(std::span<const i32> fds) {
  return done(do_register("registering files", URING_BINDING_REGISTER_FILES, fds.data(), fds.size()));
}
Result<u32> Ring::register_files_update(Slot first, std::span<const i32> fds) {
  return do_register("updating registered files", URING_BINDING_REGISTER_FILES_UPDATE, fds.data(), fds.size(),
                     static_cast<u32>(first));
}
Result<void> Ring::unregister_files() {
  return done(do_register("unregistering files", URING_BINDING_UNREGISTER_FILES, nullptr, 0));
}
Result<void> Ring::register_buffers(std::span<const iovec> buffers) {
  return done(
      do_register("registering buffers", URING_BINDING_REGISTER_BUFFERS, buffers.data(), buffers.size()));
}
Result<void> Ring::unregister_buffers() {
  return done(do_register("unregistering buffers", URING_BINDING_UNREGISTER_BUFFERS, nullptr, 0));
}
Result<void> Ring::get_probe(Probe& probe) {
  return done(do_register("probing", URING_BINDING_PROBE, probe.supported_.data(), probe.supported_.size()));
}

// --- groups of buffers
// -----------------------------------------------------------------------------------------

namespace {

// The number of buffer rings that are registered with this ring.
int buffer_rings(int fd) {
  const auto& rings = conformance::wire_log().rings();
  const auto found = rings.find(fd);
  return found != rings.end() ? found->second.buffer_rings : 0;
}

}  // namespace

Result<void> BufferGroup::create(Ring& ring, std::span<std::byte> memory, u32 buffer_size,
                                 Consumption consumption) {
  const bool incremental = consumption == Consumption::incremental;
  const std::string what =
      incremental ? "a group of buffers with incremental consumption" : "a group of buffers";
  if (!offers(URING_BINDING_BUFFER_GROUPS)) stop({what, std::string(name) + " has no ring of buffers"});
  if (incremental && !offers(URING_BINDING_INCREMENTAL_GROUPS)) {
    stop({what, std::string(name) + " cannot ask the kernel for it"});
  }
  const char* reason = nullptr;
  const auto count = static_cast<u32>(memory.size() / buffer_size);
  const u32 wanted = incremental ? URING_BINDING_INCREMENTAL : URING_BINDING_WHOLE;
  const int result = ask("group_create", table.group_create, ring.ring_, id_,
                         static_cast<void*>(memory.data()), count, buffer_size, wanted, &group_, &reason);
  if (result == URING_BINDING_NOT_EXPRESSIBLE) stop({what, in_words(reason)});
  if (result != 0) {
    group_ = nullptr;
    return success_of("group_create", result);
  }
  if (group_ == nullptr) means_nothing("group_create", "returned 0 and no group");
  ring_ = &ring;
  memory_ = memory;
  // What the kernel accepted: a binding may have asked again by itself.
  consumption_ =
      seen(ring.fd()).is_last_buffer_ring_incremental ? Consumption::incremental : Consumption::whole;
  return {};
}

Result<void> BufferGroup::init(Ring& ring, u16 group, std::span<std::byte> memory, u32 buffer_size,
                               Consumption wanted) {
  id_ = group;
  const Result<void> created = create(ring, memory, buffer_size, wanted);
  if (wanted == Consumption::whole || created != Error::inval) return created;
  return create(ring, memory, buffer_size, Consumption::whole);
}

void BufferGroup::close() {
  if (group_ == nullptr) return;
  const int before = buffer_rings(ring_->fd());
  call(table.group_destroy, ring_->ring_, std::exchange(group_, nullptr));
  if (buffer_rings(ring_->fd()) != before - 1) {
    ADD_FAILURE() << "the adapter's group_destroy left the ring of buffers registered: see uring_binding.h";
  }
}

Result<std::span<std::byte>> BufferGroup::get(const Cqe& cqe) const {
  const uring_binding_cqe plain{cqe.user_data, cqe.res, cqe.flags};
  void* data = nullptr;
  const int result = call(table.group_get, group_, &plain, &data);
  if (const Result<void> got = success_of("group_get", result); !got.ok()) return got.error();
  const std::span found(static_cast<std::byte*>(data), static_cast<std::size_t>(cqe.res > 0 ? cqe.res : 0));
  if (std::less{}(found.data(), memory_.data()) ||
      std::less{}(memory_.data() + memory_.size(), found.data() + found.size())) {
    means_nothing("group_get", "returned 0 and bytes that are not the group's");
  }
  return found;
}

Result<void> BufferGroup::put(const Cqe& cqe) {
  const uring_binding_cqe plain{cqe.user_data, cqe.res, cqe.flags};
  return success_of("group_put", call(table.group_put, group_, &plain));
}

}  // namespace binding
