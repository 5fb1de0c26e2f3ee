// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The life of one ring, with little more than NOPs: what must work before a row can mean anything.
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <ctime>
#include <optional>
#include <string>
#include <utility>

#include "adapters/abi/encodings.h"
#include "adapters/abi/layers.h"
#include "binding.h"
#include "evidence/environment.h"
#include "evidence/hygiene.h"
#include "evidence/observation.h"
#include "seam/wire_log.h"

namespace binding {
namespace {

namespace wire = conformance::wire;

// A descriptor that becomes readable after that time.
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

// Sends SIGUSR1 to this thread every few milliseconds, to a handler that does nothing.
class Interruptions {
 public:
  explicit Interruptions(long ms) {
    struct sigaction ignore {};
    ignore.sa_handler = [](int) {};  // without SA_RESTART
    sigaction(SIGUSR1, &ignore, &before_);
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = SIGUSR1;
    event._sigev_un._tid = gettid();
    timer_create(CLOCK_MONOTONIC, &event, &timer_);
    const timespec time{.tv_sec = 0, .tv_nsec = ms * 1'000'000};
    const itimerspec again{.it_interval = time, .it_value = time};
    timer_settime(timer_, 0, &again, nullptr);
  }
  Interruptions(const Interruptions&) = delete;
  Interruptions& operator=(const Interruptions&) = delete;
  ~Interruptions() {
    timer_delete(timer_);
    sigaction(SIGUSR1, &before_, nullptr);
  }

 private:
  timer_t timer_{};
  struct sigaction before_ {};
};

// The life of one ring with four entries. Ends at the first result that makes the rest meaningless.
class Mechanics {
 public:
  explicit Mechanics(Findings& found) : found_(found) {}

  void run() {
    if (!opens()) return;
    if (!fills_up() || !completes_in_order()) return;
    wraps();
    submits_what_the_kernel_takes();
    as_far_as_expressible("enter", &Mechanics::enters_with_all_arguments);
    as_far_as_expressible("waiting for two", &Mechanics::waits_in_one_sleep);
    as_far_as_expressible("create with setup flags", &Mechanics::opens_with_flags);
    as_far_as_expressible("create of a ring that no kernel has", &Mechanics::is_told_why_not);
    gets_what_overflowed();
    as_far_as_expressible("copy_cqes whose wait is interrupted by a signal",
                          &Mechanics::keeps_what_it_did_not_get);
    closes();
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
    const conformance::RingView view = seen_from_outside(ring_);
    const bool seen = view.rings != nullptr && view.sqes != nullptr;
    found_.check(seen, "the suite did not see how this ring was mapped: is fd the ring's descriptor?");
    uring_binding_facts facts{};
    table.describe(ring_.adapters_ring(), &facts);
    found_.check((facts.features & ~ring_.features()) == 0,
                 "describe: there are features that this kernel does not have");
    return seen;
  }
  // Empty if the suite did not see it.
  static conformance::RingView seen_from_outside(const Ring& ring) {
    const auto& rings = conformance::wire_log().rings();
    const auto found = rings.find(ring.fd());
    return found != rings.end() ? found->second : conformance::RingView{};
  }
  // One step, after which the others make sense even if the binding has no words for this one.
  void as_far_as_expressible(const char* what, void (Mechanics::*step)()) {
    now_at = what;
    try {
      (this->*step)();
    } catch (const testing::AssertionException&) {
      const auto lacking = std::exchange(conformance::current_observation().not_expressible, std::nullopt);
      if (!lacking) throw;
      found_.not_expressible(lacking->what, lacking->reason.c_str());
    }
  }
  void opens_with_flags() {
    constexpr u32 iopoll = 1;  // every kernel has it
    Ring other;
    const Result<void> opened = other.init(4, iopoll);
    found_.check(opened.ok(), "create(4, IORING_SETUP_IOPOLL) fails: " + testing::PrintToString(opened));
    if (!opened.ok()) return;
    const u32 flags = seen_from_outside(other).params.flags;
    found_.check((flags & iopoll) != 0,
                 "create(4, IORING_SETUP_IOPOLL) asks the kernel for a ring without it");
  }
  void is_told_why_not() {
    Ring other;
    const Result<void> opened = other.init(1u << 16);  // the kernel's limit is half of that
    const bool is_clamped = opened.ok() && other.sq_entries() == 1u << 15;
    found_.check(is_clamped || opened == Error::inval || (!opened.ok() && !uring::is_errno(opened.error())),
                 "create(65536) returns " + testing::PrintToString(opened) + "; the kernel says " +
                     wire::result_text(-conformance::bare_setup(1u << 16, 0)) + " to the bare system call");
  }
  // What is queued must be what was asked for: a flag that is left from an earlier request would keep a
  // completion away, and something else would be blamed for it. Whatever it is, the kernel gets it right.
  bool queue(const Result<Sqe&>& queued, const wire::Sqe& wanted) {
    if (!queued.ok()) return false;
    const auto wrong = conformance::differences(bytes_of(queued.value()), wanted);
    if (!wrong.empty() && !said_that_entries_are_wrong_) {
      found_.check(false,
                   "a " + wire::op_name(wanted.opcode) + " while looking at " + now_at + ": " + wrong[0]);
    }
    said_that_entries_are_wrong_ = said_that_entries_are_wrong_ || !wrong.empty();
    std::memcpy(&queued.value(), &wanted, sizeof wanted);
    return true;
  }
  bool queue_nop(u64 user_data) {
    return queue(ring_.nop(user_data), {.opcode = wire::op::nop, .user_data = user_data});
  }
  bool queue_nop() {
    const bool is_queued = queue_nop(sent_);
    if (is_queued) ++sent_;
    return is_queued;
  }
  bool queue_read(const Timer& timer, std::array<std::byte, 8>& expirations) {
    return queue(ring_.read(unordered, timer.fd, expirations, 0), {.opcode = wire::op::read,
                                                                   .fd = timer.fd,
                                                                   .addr = wire::address(expirations.data()),
                                                                   .len = sizeof expirations,
                                                                   .user_data = unordered});
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
  // Takes up to `room` CQEs, which must come in order; returns their number.
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
  void enters_with_all_arguments() {
    constexpr u32 getevents = 1, no_flag = 1u << 31;
    enters(0, 0, getevents, 0, "enter  submit=0 wait=0 flags=1 -> 0");
    // More than the queue holds: the kernel submits nothing, and then does not wait either.
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
  // If this machine slept past the end of the wait, the next attempt waits longer.
  void waits_in_one_sleep() {
    if (!can_read("a wait for two READs")) return;
    for (const auto look : {&Mechanics::wrong_with_copy_cqes, &Mechanics::wrong_with_submit_and_wait}) {
      std::string problem;
      for (const long ms : {50, 400, 2000}) {
        problem = (this->*look)(ms);
        if (problem.empty()) break;
      }
      found_.check(problem.empty(), problem);
    }
  }
  // Before get_sqe: an entry that was handed out must be filled with something.
  bool can_read(const char* what) {
    wire::Sqe scratch;
    const uring_binding_arguments nothing{};
    const char* reason = nullptr;
    if (table.prepare(&scratch, URING_BINDING_READ, &nothing, &reason) != URING_BINDING_NOT_EXPRESSIBLE)
      return true;
    found_.not_expressible(what, reason);
    return false;
  }
  // Reads complete when their timers expire. (A TIMEOUT request would end every wait.)
  std::string wrong_with_copy_cqes(long ms) {
    const Timer first(ms), second(2 * ms);
    std::array<std::array<std::byte, 8>, 2> expirations{};
    queue_read(first, expirations[0]);
    queue_read(second, expirations[1]);
    ring_.submit().ok();
    queue_nop(unordered);  // is handed out and never submitted
    const u32 published = ring_.indices().sq_tail;
    conformance::wire_log().clear();
    std::array<Cqe, 4> cqes;
    const Result<u32> copied = ring_.copy_cqes(cqes, 2);
    const std::size_t calls = count_enters();
    const bool published_more = ring_.indices().sq_tail != published;
    ring_.submit().ok();
    drain(3 - (copied.ok() ? copied.value() : 0));
    if (published_more) return "copy_cqes publishes an entry that was handed out, and not submitted";
    if (copied != 2u) return "copy_cqes that waits for two returns " + testing::PrintToString(copied);
    return wrong_with_calls("copy_cqes", calls);
  }
  std::string wrong_with_submit_and_wait(long ms) {
    const Timer first(ms), second(2 * ms);
    std::array<std::array<std::byte, 8>, 2> expirations{};
    queue_read(first, expirations[0]);
    queue_read(second, expirations[1]);
    conformance::wire_log().clear();
    const Result<u32> submitted = ring_.submit_and_wait(2);
    const std::size_t calls = count_enters();
    const u32 ready = ring_.cq_ready();
    drain(2);
    if (submitted != 2u || ready != 2) {
      return "submit_and_wait of two, for two, returns " + testing::PrintToString(submitted) + " when " +
             std::to_string(ready) + " have completed";
    }
    return wrong_with_calls("submit_and_wait", calls);
  }
  static std::string wrong_with_calls(const char* function, std::size_t calls) {
    if (calls == 1) return "";
    return std::string(function) + " that waits for two makes " + std::to_string(calls) +
           " calls of io_uring_enter, want one";
  }
  // Takes the CQEs that are still to come, whatever happened, so that the next check finds empty queues.
  void drain(u32 left) {
    std::array<Cqe, 4> cqes;
    for (int patience = 100; left > 0 && patience > 0; --patience) {
      const Result<u32> copied = ring_.copy_cqes(cqes, 1);
      left -= copied.ok() ? std::min(copied.value(), left) : 0;
    }
  }
  // The kernel stops at the first, and submit must return the kernel's number, not the binding's.
  void submits_what_the_kernel_takes() {
    now_at = "submit of three, of which no kernel has the first";
    const Result<Sqe&> refused = ring_.nop(unordered);
    if (refused.ok()) {
      const wire::Sqe nobodys{.opcode = wire::op::nobody, .user_data = unordered};
      std::memcpy(&refused.value(), &nobodys, sizeof nobodys);
    }
    queue_nop(unordered);
    queue_nop(unordered);
    conformance::wire_log().clear();
    const Result<u32> submitted = ring_.submit();
    const std::string taken = result_of_enter();
    found_.check(submitted.ok() && std::to_string(submitted.value()) == taken,
                 now_at + " is " + testing::PrintToString(submitted) + ", and the kernel says " + taken);
    found_.equal("sq_ready then", std::to_string(ring_.sq_ready() + (submitted.ok() ? submitted.value() : 0)),
                 std::string("3"));
    ring_.submit().ok();
    drain(3);
    found_.equal("sq_ready after another submit", ring_.sq_ready(), 0u);
  }
  static std::string result_of_enter() {
    const auto lines = conformance::wire_log().lines();
    for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
      if (line->starts_with("enter ")) return line->substr(line->rfind("-> ") + 3);
    }
    return "nothing, it was not asked";
  }
  static std::size_t count_enters() {
    const auto lines = conformance::wire_log().lines();
    return static_cast<std::size_t>(std::count_if(
        lines.begin(), lines.end(), [](const std::string& line) { return line.starts_with("enter "); }));
  }
  // Twelve completions in a queue of eight: since Linux 5.5 the kernel keeps the rest until it is asked. Up
  // to 5.13 it takes nothing new meanwhile, so the last four overflow together.
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

  // A binding that takes a failed wait for a completion gives back an entry that nobody has read.
  void keeps_what_it_did_not_get() {
    if (!can_read("a wait that is interrupted")) return;
    const Timer timer(300);
    std::array<std::byte, 8> expirations{};
    queue_read(timer, expirations);
    ring_.submit().ok();
    const u32 head = ring_.indices().cq_head;
    std::array<Cqe, 4> cqes;
    Result<u32> copied = 0u;
    {
      const Interruptions interruptions(20);
      copied = ring_.copy_cqes(cqes, 1);
    }
    const u32 given_back = ring_.indices().cq_head - head;
    const u32 wanted = copied.ok() ? copied.value() : 0;
    found_.check(given_back == wanted, now_at + ": it returns " + testing::PrintToString(copied) +
                                           " and gives back " + std::to_string(given_back) + " CQEs");
    if (given_back == wanted) drain(1 - std::min(wanted, 1u));
  }
  // In the right order: what fails was done too late.
  void closes() {
    now_at = "destroy";
    conformance::wire_log().clear();
    ring_.close();
    for (const std::string& line : conformance::wire_log().lines()) {
      found_.check(line.find("-> -") == line.npos, "destroy makes a system call that fails: \"" + line + '"');
    }
    for (const std::string& loss : conformance::wire_log().losses()) found_.check(false, loss);
  }

  static constexpr u64 unordered = 1'000'000;  // of requests that are not in the sequence of the NOPs
  Findings& found_;
  Ring ring_;
  u64 sent_ = 0, received_ = 0;
  bool said_that_entries_are_wrong_ = false;  // once: the rest is the layer "reuse"
};

}  // namespace

void mechanics(Findings& found) {
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
}

}  // namespace binding
