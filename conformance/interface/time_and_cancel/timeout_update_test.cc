// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// changing a timeout: TIMEOUT_REMOVE with an update flag gives a timeout another time, without a moment in
// which there is none. A connection that was used again keeps its one timeout.
//
// Needs IORING_TIMEOUT_UPDATE (5.11, io_uring_enter(2)). Before, a flag is refused.

#include <time.h>

#include <cerrno>
#include <chrono>

#include "fixture/ring_test.h"

namespace {

using namespace conformance;
using namespace std::chrono_literals;

class TimeoutUpdate : public RingTest<8> {
 protected:
  binding::Timespec never{.tv_sec = 3600, .tv_nsec = 0}, time{.tv_sec = 0, .tv_nsec = 0};

  // Updates timeout 1 to `to`.
  binding::Result<binding::Sqe&> queue(const binding::Timespec& to, std::uint32_t flags) {
    return ring.timeout_update(9, 1, &to, flags);
  }
  wire::Sqe wanted(const binding::Timespec& to, std::uint32_t flags) const {
    return {.opcode = wire::op::timeout_remove,
            .fd = -1,
            .off = wire::address(&to),
            .addr = 1,
            .op_flags = wire::timeout_update | flags,
            .user_data = 9};
  }
  void queue_checked(const binding::Timespec& to, std::uint32_t flags = 0, Site site = Site::here()) {
    expect_equal(site, "the TIMEOUT_REMOVE", wire_of(must(queue(to, flags), site)), wanted(to, flags));
  }
  void arm(const binding::Timespec& at, std::uint32_t count, Site site = Site::here()) {
    must(ring.timeout(1, &at, count, 0), site);
    submit(1, site);
  }
  void expect_expired(Site site = Site::here()) {
    expect_equal(site, "the CQEs", wait_cqes(2, site),
                 Cqes{{.user_data = 1, .res = -ETIME, .flags = 0},  //
                      {.user_data = 9, .res = 0, .flags = 0}});
  }
  std::string witness() {
    return refused([&] { return queue(time, 0); }, wanted(time, 0), [] { return ""; },
                   Modifier{.name = "an update", .proxy = wire::op::shutdown});
  }
};

TEST_F(TimeoutUpdate, MakesItFireSooner) {
  if (!kernel_has(wire::op::shutdown)) GTEST_SKIP() << witness();
  arm(never, 0);
  time = {.tv_sec = 0, .tv_nsec = 10'000'000};
  queue_checked(time);
  const auto start = std::chrono::steady_clock::now();
  submit(1);
  expect_expired();
  EXPECT_GE(std::chrono::steady_clock::now() - start, 10ms);
}

// Another timeout is armed after it with the time that it had: that one fires, and this one is still there.
TEST_F(TimeoutUpdate, MakesItFireLater) {
  if (!kernel_has(wire::op::shutdown)) GTEST_SKIP() << witness();
  time = {.tv_sec = 0, .tv_nsec = 200'000'000};  // no stall between two requests of one submit is as long
  must(ring.timeout(1, &time, 0, 0));
  queue_checked(never);
  must(ring.timeout(2, &time, 0, 0));
  submit(3);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 9, .res = 0, .flags = 0}));
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 2, .res = -ETIME, .flags = 0}));
  must(ring.timeout_remove(3, 1, 0));
  submit(1);
  EXPECT_EQ(cqes_before_nop(4), (Cqes{{.user_data = 1, .res = -ECANCELED, .flags = 0},
                                      {.user_data = 3, .res = 0, .flags = 0},
                                      {.user_data = 4, .res = 0, .flags = 0}}));
}

// With IORING_TIMEOUT_ABS the new time is a moment. The present has come.
TEST_F(TimeoutUpdate, TakesAMoment) {
  if (!kernel_has(wire::op::shutdown)) GTEST_SKIP() << witness();
  arm(never, 0);
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  time = {.tv_sec = now.tv_sec, .tv_nsec = now.tv_nsec};
  queue_checked(time, wire::timeout_abs);
  submit(1);
  expect_expired();
}

// One that would have ended with one completion counts no more: it has a time and nothing else.
TEST_F(TimeoutUpdate, EndsItsCounting) {
  if (!kernel_has(wire::op::shutdown)) GTEST_SKIP() << witness();
  arm(never, 1);
  queue_checked(never);
  submit(1);
  ASSERT_EQ(cqes_before_nop(10), (Cqes{{.user_data = 9, .res = 0, .flags = 0},  //
                                       {.user_data = 10, .res = 0, .flags = 0}}));
  ASSERT_EQ(cqes_before_nop(11), (Cqes{{.user_data = 11, .res = 0, .flags = 0}}));
  queue_checked(time);
  submit(1);
  expect_expired();
}

TEST_F(TimeoutUpdate, FindsNothing) {
  if (!kernel_has(wire::op::shutdown)) GTEST_SKIP() << witness();
  queue_checked(time);
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 9, .res = -ENOENT, .flags = 0}));
}

// A refused update leaves the timeout as it is.
TEST_F(TimeoutUpdate, RefusesWhatMeansNothing) {
  if (!kernel_has(wire::op::shutdown)) GTEST_SKIP() << witness();
  arm(never, 0);
  wire::Sqe no_update = wanted(time, wire::timeout_abs), no_time = wanted(time, 0);
  no_update.op_flags = wire::timeout_abs;
  no_time.off = 8;  // never mapped
  ASSERT_EQ(complete(no_update), (wire::Cqe{.user_data = 9, .res = -EINVAL, .flags = 0}));
  ASSERT_EQ(complete(no_time), (wire::Cqe{.user_data = 9, .res = -EFAULT, .flags = 0}));
  queue_checked(time);
  submit(1);
  expect_expired();
}

}  // namespace
