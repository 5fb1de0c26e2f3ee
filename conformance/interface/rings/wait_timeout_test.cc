// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// waiting with a timeout and a signal mask: io_uring_enter(2) waits for a while, or until a signal comes, as
// ppoll(2) does. Every event loop with timers ends its round so.
//
// Needs IORING_ENTER_EXT_ARG (5.11, io_uring_enter(2); a mask alone is 5.1). Before, an unknown flag is
// refused.

#include <signal.h>
#include <time.h>

#include <atomic>
#include <cerrno>

#include "fixture/ring_test.h"

namespace {

using namespace conformance;

std::atomic<int> handled;  // runs of the handler below

// SIGUSR1 runs a handler while this lives.
class Handler {
 public:
  Handler() {
    handled = 0;
    struct sigaction action {};
    action.sa_handler = [](int) { ++handled; };
    sigaction(SIGUSR1, &action, &saved_);
  }
  ~Handler() { sigaction(SIGUSR1, &saved_, nullptr); }

 private:
  struct sigaction saved_ {};
};

// Sends SIGUSR1 to this process every 10 ms while it lives: one signal alone might come before the wait.
class Signals {
 public:
  Signals() {
    sigevent event{};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGUSR1;
    EXPECT_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer_), 0);
    const itimerspec every{.it_interval = {.tv_sec = 0, .tv_nsec = 10'000'000},
                           .it_value = {.tv_sec = 0, .tv_nsec = 10'000'000}};
    EXPECT_EQ(timer_settime(timer_, 0, &every, nullptr), 0);
  }
  ~Signals() { timer_delete(timer_); }

 private:
  timer_t timer_{};
};

std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

class WaitTimeout : public RingTest<8> {
 protected:
  static constexpr std::uint64_t sigusr1 = 1ull << (SIGUSR1 - 1);  // a mask as the kernel has it
  static constexpr unsigned wait_flags = wire::enter_getevents | wire::enter_ext_arg;

  // Waits for one CQE: an errno, or 0.
  int wait(std::int64_t timeout_ns, Site site = Site::here()) {
    const binding::Timespec timeout{.tv_sec = timeout_ns / 1'000'000'000,
                                    .tv_nsec = timeout_ns % 1'000'000'000};
    const auto waited = ring.submit_and_wait_timeout(1, timeout);
    if (waited.ok()) EXPECT_EQ_AT(site, waited.value(), 0u);
    return binding::errno_of(waited.error());
  }
  int enter(unsigned flags, const void* argument, std::size_t size) {
    const bool waits = (flags & wire::enter_getevents) != 0;
    return binding::errno_of(ring.enter(0, waits ? 1 : 0, flags, argument, size).error());
  }
  std::string witness() {
    return registration_refused(
        "a wait with EXT_ARG", [&] { return wait(0); }, wire::feature::ext_arg);
  }
};

TEST_F(WaitTimeout, EndsWhenTheTimeIsOver) {
  if (!kernel_has(wire::feature::ext_arg)) GTEST_SKIP() << witness();
  const std::int64_t start = now_ns();
  EXPECT_EQ(wait(20'000'000), ETIME);
  EXPECT_GE(now_ns() - start, 20'000'000);
}

// Without any time it looks, and does not wait.
TEST_F(WaitTimeout, LooksOnce) {
  if (!kernel_has(wire::feature::ext_arg)) GTEST_SKIP() << witness();
  EXPECT_EQ(wait(0), ETIME);
  must(ring.nop(1));
  submit_and_wait(1, 1);
  EXPECT_EQ(wait(0), 0);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 1, .res = 0, .flags = 0}));
}

// What was submitted is more important than that the time is over.
TEST_F(WaitTimeout, ReturnsTheCountOfWhatItSubmitted) {
  if (!kernel_has(wire::feature::ext_arg)) GTEST_SKIP() << witness();
  const binding::Timespec soon{.tv_sec = 0, .tv_nsec = 20'000'000};
  must(ring.nop(1));
  EXPECT_EQ(ring.submit_and_wait_timeout(2, soon), 1u);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 1, .res = 0, .flags = 0}));
}

// A time below 0 is over, not a mistake.
TEST_F(WaitTimeout, TakesANegativeTimeForOver) {
  if (!kernel_has(wire::feature::ext_arg)) GTEST_SKIP() << witness();
  for (const wire::Timespec time : {wire::Timespec{-1, 0}, wire::Timespec{0, -1}}) {
    const wire::GeteventsArg argument{.ts = wire::address(&time)};
    EXPECT_EQ(enter(wait_flags, &argument, sizeof argument), ETIME);
  }
}

TEST_F(WaitTimeout, EndsWithASignal) {
  if (!kernel_has(wire::feature::ext_arg)) GTEST_SKIP() << witness();
  const Handler handler;
  const Signals signals;
  EXPECT_EQ(wait(3'600'000'000'000), EINTR);
  EXPECT_GE(handled, 1);
}

// A signal that the argument masks waits for the end of the call.
TEST_F(WaitTimeout, IsNotEndedByASignalThatItMasks) {
  if (!kernel_has(wire::feature::ext_arg)) GTEST_SKIP() << witness();
  const Handler handler;
  const wire::Timespec time{0, 50'000'000};
  const wire::GeteventsArg argument{
      .sigmask = wire::address(&sigusr1), .sigmask_sz = sizeof sigusr1, .ts = wire::address(&time)};
  const Signals signals;
  const int before = handled;
  EXPECT_EQ(enter(wait_flags, &argument, sizeof argument), ETIME);
  EXPECT_GT(handled, before);
}

// The other way round, with the mask as the whole argument: a signal that is blocked and pending ends the
// call if the mask lets it through, and is blocked again afterwards.
TEST_F(WaitTimeout, LetsASignalThrough) {
  if (!kernel_has(wire::feature::ext_arg)) GTEST_SKIP() << witness();
  const Handler handler;
  sigset_t blocked{}, saved{}, afterwards{};
  sigaddset(&blocked, SIGUSR1);
  ASSERT_EQ(sigprocmask(SIG_BLOCK, &blocked, &saved), 0);
  raise(SIGUSR1);
  EXPECT_EQ(handled, 0);
  constexpr std::uint64_t none = 0;
  EXPECT_EQ(enter(wire::enter_getevents, &none, sizeof none), EINTR);
  EXPECT_EQ(handled, 1);
  ASSERT_EQ(sigprocmask(SIG_SETMASK, &saved, &afterwards), 0);
  EXPECT_EQ(sigismember(&afterwards, SIGUSR1), 1);
}

// Arguments are looked at only by a call that waits.
TEST_F(WaitTimeout, RefusesArgumentsThatItCannotRead) {
  if (!kernel_has(wire::feature::ext_arg)) GTEST_SKIP() << witness();
  const wire::GeteventsArg good{};
  const void* const unreadable = reinterpret_cast<const void*>(8);
  EXPECT_EQ(enter(wait_flags, &good, 16), EINVAL);
  EXPECT_EQ(enter(wait_flags, unreadable, sizeof good), EFAULT);
  EXPECT_EQ(enter(wire::enter_ext_arg, unreadable, sizeof good), 0);
  EXPECT_EQ(enter(wire::enter_getevents, &sigusr1, 4), EINVAL);
  EXPECT_EQ(enter(wire::enter_getevents, unreadable, 8), EFAULT);
  EXPECT_EQ(enter(0, unreadable, 8), 0);
}

}  // namespace
