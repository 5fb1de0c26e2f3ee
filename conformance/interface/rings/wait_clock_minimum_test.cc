// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// waiting for a minimum, and against a clock: a wait that is patient at first, so that more completions come
// at once (min_wait_usec); a timeout that is a time, not a duration (IORING_ENTER_ABS_TIMER); and whose time
// that is (IORING_REGISTER_CLOCK).
//
// Needs IORING_FEAT_MIN_TIMEOUT (6.12, io_uring_enter(2)); the other two are of the same release. Before, the
// place of min_wait_usec was reserved, the flag and the registration are unknown: EINVAL for each.

#include <time.h>

#include <cerrno>

#include "fixture/ring_test.h"
#include "seam/kernel_abi.h"
#include "seam/ring_abi.h"

namespace {

using namespace conformance;

constexpr std::int64_t ms = 1'000'000;

class WaitClockMinimum : public RingTest<8> {
 protected:
  static std::int64_t now_ns(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return now.tv_sec * 1'000'000'000 + now.tv_nsec;
  }
  static binding::Timespec timespec_of(std::int64_t ns) {
    return {.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000};
  }
  // Submits what is queued, and waits.
  binding::Result<std::uint32_t> wait(unsigned count, std::int64_t timeout_ns, unsigned min_wait_us = 0,
                                      unsigned flags = 0) {
    return ring.submit_and_wait_timeout(count, timespec_of(timeout_ns), min_wait_us, flags);
  }
  static int errno_of(const binding::Result<std::uint32_t>& result) {
    return binding::errno_of(result.error());
  }
  static int errno_of(const binding::Result<void>& result) { return binding::errno_of(result.error()); }
  bool kernel_has_it() const { return kernel_has(wire::feature::min_timeout); }

  std::string witness(const std::string& what, const std::function<int()>& attempt) {
    return registration_refused(what, attempt, wire::feature::min_timeout);
  }
  std::string minimum_witness() {
    return witness("a wait with min_wait_usec", [&] { return errno_of(wait(1, 10 * ms, 1000)); });
  }
  std::string time_witness() {
    return witness("a wait with ABS_TIMER",
                   [&] { return errno_of(wait(1, now_ns(CLOCK_MONOTONIC), 0, wire::enter_abs_timer)); });
  }
  std::string clock_witness() {
    return witness("REGISTER_CLOCK", [&] { return errno_of(ring.register_clock(CLOCK_BOOTTIME)); });
  }
  static wire::Cqe done(std::uint64_t user_data) { return {.user_data = user_data, .res = 0, .flags = 0}; }
  // The count that submit returns, which on a ring with SQPOLL says less: see configurations.toml.
  void expect_submitted(const binding::Result<std::uint32_t>& waited, unsigned count,
                        Site site = Site::here()) {
    if (!waited.ok() ||
        (configuration().consumes_later() ? waited.value() < count : waited.value() != count)) {
      stop(site, "the wait returned " + testing::PrintToString(waited));
    }
  }
};

// If nothing comes in the minimum, the first completion ends the wait; here there is none either.
TEST_F(WaitClockMinimum, IsPatientForAsLongAsItIsTold) {
  if (!kernel_has_it()) GTEST_SKIP() << minimum_witness();
  const std::int64_t start = now_ns(CLOCK_MONOTONIC);
  EXPECT_EQ(errno_of(wait(1, 60 * ms, 20'000)), ETIME);
  EXPECT_GE(now_ns(CLOCK_MONOTONIC) - start, 60 * ms);
}

// Once the minimum is over, fewer than were wanted are enough; before, they are not. (Without it, this would
// wait for an hour.)
TEST_F(WaitClockMinimum, IsContentWithFewerAfterTheMinimum) {
  if (!kernel_has_it()) GTEST_SKIP() << minimum_witness();
  const std::int64_t start = now_ns(CLOCK_MONOTONIC);
  must(ring.nop(1));
  expect_submitted(wait(4, 3'600'000 * ms, 30'000), 1);
  EXPECT_GE(now_ns(CLOCK_MONOTONIC) - start, 30 * ms);
  EXPECT_EQ(wait_cqe(), done(1));
  EXPECT_EQ(ring.cq_ready(), 0u);
}

// As many as were wanted end it at any time.
TEST_F(WaitClockMinimum, EndsWithAllThatWereWanted) {
  if (!kernel_has_it()) GTEST_SKIP() << minimum_witness();
  for (const std::uint64_t user_data : {1, 2, 3, 4}) must(ring.nop(user_data));
  expect_submitted(wait(4, 7'200'000 * ms, 3'600'000'000), 4);
  for (const std::uint64_t user_data : {1, 2, 3, 4}) EXPECT_EQ(wait_cqe(), done(user_data));
}

TEST_F(WaitClockMinimum, EndsAtATime) {
  if (!kernel_has_it()) GTEST_SKIP() << time_witness();
  EXPECT_EQ(errno_of(wait(1, now_ns(CLOCK_MONOTONIC), 0, wire::enter_abs_timer)), ETIME);
  const std::int64_t time = now_ns(CLOCK_MONOTONIC) + 20 * ms;
  EXPECT_EQ(errno_of(wait(1, time, 0, wire::enter_abs_timer)), ETIME);
  EXPECT_GE(now_ns(CLOCK_MONOTONIC), time);
  // Only a wait has a timeout.
  EXPECT_EQ(must(ring.enter(0, 0, wire::enter_abs_timer)), 0u);
}

// With another clock it is another time. (Whether they differ is up to the machine: CLOCK_BOOTTIME runs on
// while it sleeps.)
TEST_F(WaitClockMinimum, EndsAtATimeOfTheClockThatWasRegistered) {
  if (!kernel_has_it()) GTEST_SKIP() << clock_witness();
  for (const clockid_t clock : {CLOCK_BOOTTIME, CLOCK_MONOTONIC}) {
    must(ring.register_clock(static_cast<std::uint32_t>(clock)));
    EXPECT_EQ(errno_of(wait(1, now_ns(clock), 0, wire::enter_abs_timer)), ETIME);
    const std::int64_t time = now_ns(clock) + 20 * ms;
    EXPECT_EQ(errno_of(wait(1, time, 0, wire::enter_abs_timer)), ETIME);
    EXPECT_GE(now_ns(clock), time);
  }
}

TEST_F(WaitClockMinimum, RefusesOtherClocks) {
  if (!kernel_has_it()) GTEST_SKIP() << clock_witness();
  for (const clockid_t clock : {CLOCK_REALTIME, CLOCK_TAI, CLOCK_PROCESS_CPUTIME_ID}) {
    EXPECT_EQ(errno_of(ring.register_clock(static_cast<std::uint32_t>(clock))), EINVAL) << clock;
  }
  wire::ClockRegister clock{.clockid = CLOCK_MONOTONIC};
  EXPECT_EQ(do_register(wire::register_op::clock, &clock, 0), 0);
  EXPECT_EQ(do_register(wire::register_op::clock, &clock, 1), -EINVAL);
  EXPECT_EQ(do_register(wire::register_op::clock, nullptr, 0), -EINVAL);
  for (std::uint32_t& word : clock.resv) {
    word = 1;
    EXPECT_EQ(do_register(wire::register_op::clock, &clock, 0), -EINVAL);
    word = 0;
  }
}

}  // namespace
