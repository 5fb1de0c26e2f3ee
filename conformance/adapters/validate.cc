// The validating mode, for authors of adapters: layer by layer, each useful before the next one works. What
// is right is counted, what is wrong is said.
#include <gtest/gtest.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include "adapters/encodings.h"
#include "binding.h"
#include "support/environment.h"
#include "support/hygiene.h"
#include "support/observation.h"
#include "support/traps.h"

namespace binding {
namespace {

using conformance::BindingAtWork;
using conformance::Encoding;
namespace wire = conformance::wire;

// What is being looked at, for the message of a crash.
std::string now_at = "the adapter";

// The end, from a signal handler: nothing here allocates.
[[noreturn]] void end_with(std::string_view problem) {
  for (const std::string_view text :
       {std::string_view("\n"), problem, std::string_view(now_at), std::string_view("\n")}) {
    static_cast<void>(!write(STDERR_FILENO, text.data(), text.size()));
  }
  std::_Exit(1);
}

extern "C" void on_crash(int signal) {
  std::array<char, 64> text;
  std::snprintf(text.data(), text.size(), "crashed (signal %d) while looking at: ", signal);
  end_with(text.data());
}

// A layer that takes longer hangs. The rows have the suite's watchdog.
constexpr unsigned layer_s = 20;

extern "C" void on_hang(int) {
  std::array<char, 64> text;
  std::snprintf(text.data(), text.size(), "still not back after %u s from: ", layer_s);
  end_with(text.data());
}

// A stack that has overflowed is no place to say so.
void hear_crashes() {
  alignas(16) static std::array<char, 64 * 1024> stack;
  const stack_t other{.ss_sp = stack.data(), .ss_flags = 0, .ss_size = stack.size()};
  sigaltstack(&other, nullptr);
  struct sigaction action {};
  action.sa_handler = on_crash;
  action.sa_flags = SA_ONSTACK;
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) sigaction(signal, &action, nullptr);
}

bool anything_not_expressible = false;

// Counts and says what was found in one layer.
class Findings {
 public:
  explicit Findings(const char* layer) : layer_(layer) { std::printf("%s\n", layer); }

  void check(bool right, const std::string& wrong) {
    ++(right ? right_ : wrong_);
    if (!right) std::printf("  wrong: %s\n", wrong.c_str());
  }
  template <class T, class U>
  void equal(const char* what, const T& got, const U& want) {
    check(got == want, std::string(what) + " is " + testing::PrintToString(got) + ", want " +
                           testing::PrintToString(want));
  }
  void not_expressible(const std::string& what, const char* reason) {
    ++not_expressible_;
    std::printf("  not expressible: %s: %s\n", what.c_str(), reason != nullptr ? reason : "no reason given");
    if (reason == nullptr) check(false, "the adapter gives no reason for that");
    anything_not_expressible = true;
  }
  void left_out(const char* what, const char* why) { std::printf("  left out: %s: %s\n", what, why); }
  bool conclude() const {
    std::printf("  %s: %d right, %d not expressible, %d wrong\n", layer_, right_, not_expressible_, wrong_);
    std::fflush(stdout);
    return wrong_ == 0;
  }

 private:
  const char* layer_;
  int right_ = 0, wrong_ = 0, not_expressible_ = 0;
};

bool has(std::uint64_t capability) { return (table.capabilities & capability) != 0; }

// Otherwise nothing in the table can be read.
bool fits() {
  return &table == uring_binding() && table.version == URING_BINDING_VERSION && table.size == sizeof table;
}

// --- handshake: the table itself
// -------------------------------------------------------------------------------

bool handshake() {
  Findings found("handshake");
  found.check(&table == uring_binding(), "uring_binding() returned null");
  found.equal("version", table.version, u32{URING_BINDING_VERSION});
  found.check(table.size == sizeof table, "size is " + std::to_string(table.size) +
                                              ", and this suite reads " + std::to_string(sizeof table) +
                                              " bytes of the table");
  if (!fits()) return found.conclude();

  const std::string_view name = table.name != nullptr ? table.name : "";
  found.check(!name.empty() && name.find_first_of(" \t\n/") == name.npos,
              "name is \"" + std::string(name) + "\", want a word without spaces");
  found.check(table.binding_version != nullptr && *table.binding_version != '\0', "binding_version is empty");
  found.equal("sqe_size", table.sqe_size, sizeof(wire::Sqe));
  found.equal("cqe_size", table.cqe_size, sizeof(wire::Cqe));

  const auto must_be_there = [&found](const char* function, bool is_there) {
    found.check(is_there, std::string(function) + " is null, and every adapter has it");
  };
  must_be_there("create", table.create != nullptr);
  must_be_there("destroy", table.destroy != nullptr);
  must_be_there("describe", table.describe != nullptr);
  must_be_there("get_sqe", table.get_sqe != nullptr);
  must_be_there("prepare", table.prepare != nullptr);
  must_be_there("submit", table.submit != nullptr);
  must_be_there("submit_and_wait", table.submit_and_wait != nullptr);
  must_be_there("enter", table.enter != nullptr);
  must_be_there("sq_ready", table.sq_ready != nullptr);
  must_be_there("cq_ready", table.cq_ready != nullptr);
  must_be_there("copy_cqes", table.copy_cqes != nullptr);
  must_be_there("do_register", table.do_register != nullptr);

  const auto goes_with = [&found](const char* function, bool is_there, bool is_announced) {
    found.check(is_there == is_announced, std::string(function) +
                                              (is_there ? " is there, and" : " is null, but") +
                                              " the capability that goes with it says otherwise");
  };
  goes_with("indices", table.indices != nullptr, has(URING_BINDING_SHOWS_INDICES));
  goes_with("group_create", table.group_create != nullptr, has(URING_BINDING_BUFFER_GROUPS));
  goes_with("group_destroy", table.group_destroy != nullptr, has(URING_BINDING_BUFFER_GROUPS));
  goes_with("group_get", table.group_get != nullptr, has(URING_BINDING_BUFFER_GROUPS));
  goes_with("group_put", table.group_put != nullptr, has(URING_BINDING_BUFFER_GROUPS));
  return found.conclude();
}

// --- capabilities: what the binding has words for
// ----------------------------------------------------------------

bool capabilities() {
  Findings found("capabilities");
  constexpr std::uint64_t known = URING_BINDING_CHECKS_ENTRIES | URING_BINDING_SHOWS_INDICES |
                                  URING_BINDING_BUFFER_GROUPS | URING_BINDING_INCREMENTAL_GROUPS;
  found.check((table.capabilities & ~known) == 0, "there are bits that this suite does not know");
  found.check(has(URING_BINDING_BUFFER_GROUPS) || !has(URING_BINDING_INCREMENTAL_GROUPS),
              "incremental consumption without groups of buffers");
  const auto optional = [&found](std::uint64_t capability, const char* what, const char* otherwise) {
    has(capability) ? found.check(true, "") : found.not_expressible(what, otherwise);
  };
  optional(URING_BINDING_CHECKS_ENTRIES, "refusing a wrong number of entries",
           "the binding leaves it to the kernel");
  optional(URING_BINDING_SHOWS_INDICES, "its own two indices", "the suite compares the kernel's two alone");
  optional(URING_BINDING_BUFFER_GROUPS, "groups of buffers", "the adapter has no group_ functions");
  optional(URING_BINDING_INCREMENTAL_GROUPS, "incremental consumption", "the adapter does not announce it");
  for (const Encoding& encoding : conformance::encodings()) {
    now_at = std::string("prepare of ") + encoding.name;
    wire::Sqe sqe;
    const char* reason = nullptr;
    const int result = table.prepare(&sqe, encoding.operation, &encoding.arguments, &reason);
    if (result == URING_BINDING_NOT_EXPRESSIBLE) {
      found.not_expressible(encoding.name, reason);
    } else {
      found.check(result == 0,
                  std::string(encoding.name) + ": prepare returned " + wire::result_text(result));
    }
  }
  const char* reason = nullptr;
  wire::Sqe sqe;
  now_at = "prepare of an operation that this suite does not have";
  const uring_binding_arguments nothing{};
  found.check(
      table.prepare(&sqe, 0xffff, &nothing, &reason) == URING_BINDING_NOT_EXPRESSIBLE && reason != nullptr,
      "an operation that the adapter cannot know (65535) must be not expressible, with a reason");
  return found.conclude();
}

// --- encodings: 64 bytes each, without a kernel
// ------------------------------------------------------------------

bool encodings() {
  Findings found("encodings");
  for (const Encoding& encoding : conformance::encodings()) {
    now_at = std::string("the encoding of ") + encoding.name;
    wire::Sqe sqe;
    const char* reason = nullptr;
    const int result = table.prepare(&sqe, encoding.operation, &encoding.arguments, &reason);
    if (result == URING_BINDING_NOT_EXPRESSIBLE) {
      found.not_expressible(encoding.name, reason);
      continue;
    }
    std::string fields = result != 0 ? "prepare returned " + wire::result_text(result) : "";
    for (const std::string& difference :
         conformance::differences(conformance::without_unread_fields(sqe), encoding.wanted)) {
      fields += (fields.empty() ? "" : "; ") + difference;
    }
    found.check(fields.empty(), std::string(encoding.name) + ": " + fields);
  }
  return found.conclude();
}

// --- mechanics: two queues, with NOPs alone
// ----------------------------------------------------------------------

// Becomes readable after that time.
struct Timer {
  explicit Timer(long ms) : fd(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)) {
    const itimerspec once{.it_interval = {},
                          .it_value = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1'000'000}};
    timerfd_settime(fd, 0, &once, nullptr);
  }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { ::close(fd); }
  const int fd;
};

// The story of one ring of four. Ends at the first result that makes the rest meaningless.
class Mechanics {
 public:
  explicit Mechanics(Findings& found) : found_(found) {}

  void run() {
    if (!opens()) return;
    if (!fills_up() || !completes_in_order()) return;
    wraps();
    forgets_the_last_request();
    enters_as_told();
    waits_in_one_sleep();
    opens_with_flags();
    gets_what_overflowed();
    now_at = "destroy";
    ring_.close();
  }

 private:
  bool opens() {
    now_at = "create";
    const Result<void> opened = ring_.init(4);
    found_.check(opened.ok(), "create(4) fails: " + testing::PrintToString(opened) + "; the kernel says " +
                                  wire::result_text(-conformance::bare_setup(4, 0)) +
                                  " to the bare system call");
    if (!opened.ok()) return false;
    found_.check(ring_.fd() >= 0, "describe: fd is " + std::to_string(ring_.fd()));
    found_.equal("describe: sq_entries", ring_.sq_entries(), 4u);
    found_.equal("describe: cq_entries", ring_.cq_entries(), 8u);
    const auto& rings = conformance::wire_log().rings();
    const auto ring = rings.find(ring_.fd());
    const bool seen = ring != rings.end() && ring->second.rings != nullptr && ring->second.sqes != nullptr;
    found_.check(seen, "the suite did not see how this ring was mapped: is fd the ring's descriptor?");
    uring_binding_facts facts{};
    table.describe(ring_.adapters_ring(), &facts);
    found_.check((facts.features & ~ring_.features()) == 0,
                 "describe: there are features that this kernel does not have");
    return seen;
  }
  void opens_with_flags() {
    now_at = "create with setup flags";
    constexpr u32 iopoll = 1;  // which every kernel has
    Ring other;
    try {
      const Result<void> opened = other.init(4, iopoll);
      found_.check(opened.ok(), "create(4, IORING_SETUP_IOPOLL) fails: " + testing::PrintToString(opened));
      if (!opened.ok()) return;
      const u32 flags = conformance::wire_log().rings()[other.fd()].params.flags;
      found_.check((flags & iopoll) != 0,
                   "create(4, IORING_SETUP_IOPOLL) asks the kernel for a ring without it");
    } catch (const testing::AssertionException&) {
      say_not_expressible();
    }
  }
  void say_not_expressible() {
    const auto& lacking = conformance::current_observation().not_expressible;
    if (!lacking) throw;
    found_.not_expressible(lacking->what, lacking->reason.c_str());
  }
  bool queue_nop() {
    const Result<Sqe&> queued = ring_.nop(sent_);
    if (queued.ok()) ++sent_;
    return queued.ok();
  }
  bool fills_up() {
    now_at = "get_sqe until the queue is full";
    for (int i = 0; i < 4; ++i) {
      if (!queue_nop()) found_.check(false, "get_sqe is null after " + std::to_string(i) + " of 4 entries");
    }
    found_.check(!queue_nop(), "get_sqe hands out a fifth entry of four");
    found_.equal("sq_ready with four queued", ring_.sq_ready(), 4u);
    found_.equal("indices before submit", ring_.indices(),
                 (Indices{.sqe_head = 0, .sqe_tail = 4, .sq_tail = 0, .cq_head = 0}));
    now_at = "submit";
    const Result<u32> submitted = ring_.submit();
    found_.equal("submit of four", submitted, 4u);
    found_.equal("sq_ready after submit", ring_.sq_ready(), 0u);
    return submitted == 4u;
  }
  // Takes up to `room`; what came, in order.
  u32 take(u32 room, u32 wait_nr) {
    std::array<Cqe, 16> cqes;
    const Result<u32> copied = ring_.copy_cqes(std::span(cqes).first(room), wait_nr);
    if (!copied.ok()) {
      found_.check(false, "copy_cqes fails: " + testing::PrintToString(copied));
      return 0;
    }
    for (u32 i = 0; i < std::min(copied.value(), room); ++i) {
      const wire::Cqe got{cqes[i].user_data, cqes[i].res, cqes[i].flags};
      found_.equal("the next CQE", got, (wire::Cqe{.user_data = received_, .res = 0, .flags = 0}));
      ++received_;
    }
    return copied.value();
  }
  bool completes_in_order() {
    now_at = "copy_cqes";
    found_.equal("cq_ready after four NOPs", ring_.cq_ready(), 4u);
    found_.equal("copy_cqes with room for three", take(3, 0), 3u);
    found_.equal("copy_cqes of what is left, though more is waited for", take(16, 2), 1u);
    found_.equal("copy_cqes of nothing, without waiting", take(16, 0), 0u);
    found_.equal("cq_ready when all was taken", ring_.cq_ready(), 0u);
    return received_ == 4;
  }
  void wraps() {
    now_at = "ten rounds of three through queues of four";
    for (int round = 0; round < 10; ++round) {
      for (int i = 0; i < 3; ++i) queue_nop();
      found_.equal("submit_and_wait of three", ring_.submit_and_wait(3), 3u);
      found_.equal("copy_cqes of three", take(16, 3), 3u);
    }
    found_.equal("indices at the end", ring_.indices(),
                 (Indices{.sqe_head = 34, .sqe_tail = 34, .sq_tail = 34, .cq_head = 34}));
  }
  void forgets_the_last_request() {
    now_at = "entries that are used again";
    for (int i = 0; i < 8; ++i) {
      const Result<Sqe&> queued = ring_.nop(sent_++);
      if (!queued.ok()) return found_.check(false, "get_sqe is null on an idle ring");
      found_.equal("a NOP in a used entry", bytes_of(queued.value()),
                   (wire::Sqe{.opcode = wire::op::nop, .user_data = sent_ - 1}));
      if (i < 4) {  // a request that no kernel has, in all its bytes; then a NOP again
        std::memset(static_cast<void*>(&queued.value()), 0xff, sizeof(Sqe));
        queued.value().flags = 0;
      }
      ring_.submit_and_wait(1).ok();
      Cqe ignored;
      if (i >= 4) found_.equal("copy_cqes", take(1, 1), 1u);
      if (i < 4 && ring_.copy_cqe(ignored).ok()) ++received_;
    }
  }
  void enters_as_told() {
    now_at = "enter";
    constexpr u32 getevents = 1, no_flag = 1u << 31;
    enters(0, 0, getevents, 0, "enter  submit=0 wait=0 flags=1 -> 0");
    // More than there is to submit: the kernel submits nothing, and then does not wait either.
    enters(3, 1, getevents, 0, "enter  submit=3 wait=1 flags=1 -> 0");
    enters(0, 0, no_flag, Error::inval, "enter  submit=0 wait=0 flags=2147483648 -> -22 EINVAL");
  }
  void enters(u32 to_submit, u32 min_complete, u32 flags, const Result<u32>& wanted,
              const std::string& line) {
    conformance::wire_log().clear();
    const Result<u32> entered = ring_.enter(to_submit, min_complete, flags);
    found_.check(entered.ok() ? entered == wanted.value() : !wanted.ok() && entered == wanted.error(),
                 "enter returns " + testing::PrintToString(entered) + " after the kernel's \"" + line + '"');
    const auto lines = conformance::wire_log().lines();
    found_.check(lines.size() == 1 && lines[0] == line,
                 "enter makes " + (lines.empty() ? "no system call" : '"' + lines[0] + '"') + ", want \"" +
                     line + '"');
  }
  // Two reads of timers, of which the second is waited for. (A request TIMEOUT ends every wait.) Where this
  // machine slept over the first, it is longer next time.
  void waits_in_one_sleep() {
    now_at = "copy_cqes that has to wait for two";
    try {
      std::string problem;
      for (const long ms : {50, 400, 2000}) {
        problem = what_is_wrong_with_a_wait(ms);
        if (problem.empty()) break;
      }
      found_.check(problem.empty(), problem);
    } catch (const testing::AssertionException&) {
      say_not_expressible();
    }
  }
  std::string what_is_wrong_with_a_wait(long ms) {
    constexpr u64 id = 1'000'000;  // not in the sequence of the NOPs
    const std::array<Timer, 2> timers{Timer(ms), Timer(2 * ms)};
    std::array<std::array<std::byte, 8>, 2> expirations;
    for (int i = 0; i < 2; ++i) ring_.read(id, timers[i].fd, expirations[i], 0).ok();
    ring_.submit().ok();
    conformance::wire_log().clear();
    std::array<Cqe, 4> cqes;
    const Result<u32> copied = ring_.copy_cqes(cqes, 2);
    u32 received = copied.ok() ? copied.value() : 0;
    const std::size_t calls = count_enters();
    for (int i = 0; received < 2 && i < 10; ++i) {  // whatever happened, the next look finds an empty queue
      const Result<u32> rest =
          ring_.enter(0, 2 - received, 1).ok() ? ring_.copy_cqes(cqes, 0) : Result<u32>(Error::io);
      received += rest.ok() ? rest.value() : 0;
    }
    if (copied != 2u) return "copy_cqes that waits for two returns " + testing::PrintToString(copied);
    if (calls != 1)
      return "copy_cqes that waits for two makes " + std::to_string(calls) +
             " calls of io_uring_enter, want one";
    return "";
  }
  static std::size_t count_enters() {
    const auto lines = conformance::wire_log().lines();
    return static_cast<std::size_t>(std::count_if(
        lines.begin(), lines.end(), [](const std::string& line) { return line.starts_with("enter "); }));
  }
  // Twelve completions in a queue of eight: the kernel keeps the rest until it is asked (5.5). Up to 5.13 it
  // takes nothing new meanwhile, so the last four overflow together.
  void gets_what_overflowed() {
    if ((ring_.features() & wire::feat_nodrop) == 0) {
      return found_.left_out("completions that overflow", "this kernel drops them (before 5.5)");
    }
    now_at = "a completion queue that overflows";
    for (int i = 0; i < 3; ++i) {
      for (int k = 0; k < 4; ++k) queue_nop();
      found_.equal("submit of four", ring_.submit(), 4u);
    }
    u32 taken = 0;
    for (int i = 0; i < 12 && taken < 12; ++i) taken += take(4, 0);
    found_.equal("completions of twelve NOPs through a queue of eight", taken, 12u);
  }

  Findings& found_;
  Ring ring_;
  u64 sent_ = 0, received_ = 0;
};

bool mechanics() {
  Findings found("mechanics");
  const conformance::Belongings before = conformance::look_around();
  try {
    start();
    Mechanics(found).run();
  } catch (const std::exception& problem) {
    const auto& lacking = conformance::current_observation().not_expressible;
    if (lacking) found.not_expressible(lacking->what, lacking->reason.c_str());
    found.check(false, lacking ? "without it there is nothing to test" : problem.what());
  }
  for (const std::string& leak : conformance::leaks(before, conformance::look_around())) {
    found.check(false, "after destroy, " + leak);
  }
  return found.conclude();
}

// --- operations: the rows of the table
// ---------------------------------------------------------------------------

// What GoogleTest recorded of a test: the first part of this kind.
std::string first_part(const testing::TestResult& result,
                       bool (testing::TestPartResult::*is_wanted)() const) {
  for (int i = 0; i < result.total_part_count(); ++i) {
    if ((result.GetTestPartResult(i).*is_wanted)()) return result.GetTestPartResult(i).message();
  }
  return "";
}

void judge(const testing::TestInfo& info, Findings& found) {
  const testing::TestResult& result = *info.result();
  const std::string name = std::string(info.test_suite_name()) + "." + info.name();
  const std::string skip = first_part(result, &testing::TestPartResult::skipped);
  if (result.Failed()) {
    found.check(false, name + ":\n" + first_part(result, &testing::TestPartResult::failed));
  } else if (skip.find(not_expressible_words) != skip.npos) {
    found.not_expressible(name, skip.substr(0, skip.find('\n')).c_str());
  } else {
    found.check(true, "");  // passed, or refused by this kernel with a witness
  }
}

// Says of each test what was found as soon as all listeners are done with it: when the next one starts. So a
// test that crashes or hangs takes nothing with it that came before.
class Judge : public testing::EmptyTestEventListener {
 public:
  explicit Judge(Findings& found) : found_(found) {}
  void OnTestStart(const testing::TestInfo& info) override {
    judge_last();
    last_ = &info;
    now_at = std::string(info.test_suite_name()) + "." + info.name();
  }
  void judge_last() {
    if (last_ != nullptr) judge(*last_, found_);
    last_ = nullptr;
  }

 private:
  Findings& found_;
  const testing::TestInfo* last_ = nullptr;
};

bool operations() {
  Findings found("operations");
  try {
    start();
  } catch (const std::exception& problem) {
    found.check(false, problem.what());
    return found.conclude();
  }
  auto* const every_test = new Judge(found);
  testing::UnitTest::GetInstance()->listeners().Append(every_test);  // owns it
  const int result = RUN_ALL_TESTS();
  every_test->judge_last();
  found.check(testing::UnitTest::GetInstance()->test_to_run_count() > 0,
              "no test was run: the filter matches nothing");
  return found.conclude() && result == 0;
}

struct Layer {
  std::string_view name;
  bool (*look)();
};
constexpr std::array layers{Layer{"handshake", handshake}, Layer{"capabilities", capabilities},
                            Layer{"encodings", encodings}, Layer{"mechanics", mechanics},
                            Layer{"operations", operations}};

}  // namespace

int validate(std::string_view only, int skip_code) {
  hear_crashes();
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // what was found is out when a crash comes
  testing::TestEventListeners& listeners = testing::UnitTest::GetInstance()->listeners();
  delete listeners.Release(listeners.default_result_printer());  // what there is to say is said here
  bool known = only.empty();
  for (const Layer& layer : layers) {
    if (!only.empty() && layer.name != only) continue;
    known = true;
    if (layer.look != handshake && !fits()) {
      std::printf("%s\n  wrong: the table cannot be read: see --validate=handshake\n", layer.name.data());
      return 1;
    }
    const bool is_last = layer.look == operations;
    const auto watchdog = is_last ? SIG_ERR : std::signal(SIGALRM, on_hang);
    if (!is_last) alarm(layer_s);
    const bool is_right = layer.look();
    if (!is_last) {
      alarm(0);
      std::signal(SIGALRM, watchdog);
    }
    if (!is_right) return 1;  // what comes next leans on this one
  }
  if (known) return anything_not_expressible ? skip_code : 0;
  std::fprintf(stderr, "conformance: there is no layer \"%s\"; the layers are", std::string(only).c_str());
  for (const Layer& layer : layers) std::fprintf(stderr, " %s", std::string(layer.name).c_str());
  std::fprintf(stderr, "\n");
  return 2;
}

}  // namespace binding
