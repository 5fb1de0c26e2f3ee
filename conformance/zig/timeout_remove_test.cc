// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// timeout_remove: ends a timeout before its time. The removal completes with 0 and the timeout with
// ECANCELED, in either order: up to 5.17 the timeout comes first.
//
// Needs TIMEOUT_REMOVE (5.5).

#include <cerrno>

#include "fixture/ring_test.h"

namespace {

using namespace conformance;

class TimeoutRemove : public SizedRingTest {
 protected:
  // Zig waits for 3 s. A time that never comes says the same, and no stall of the machine can reach it.
  binding::Timespec time{.tv_sec = 3600, .tv_nsec = 0};

  binding::Result<binding::Sqe&> queue(std::uint64_t target) {
    return ring.timeout_remove(0x99999999, target, 0);
  }
  wire::Sqe wanted(std::uint64_t target) const {
    return {.opcode = wire::op::timeout_remove, .fd = -1, .addr = target, .user_data = 0x99999999};
  }
  std::string witness(Site site = Site::here()) {
    return refused([&] { return queue(0x88888888); }, wanted(0x88888888), [] { return ""; }, std::nullopt,
                   site);
  }
  // Takes the CQEs of the removal and of the timeout it hit: one of each.
  void expect_removed(std::uint64_t target, Site site = Site::here()) {
    wire::Cqe timeout = wait_cqe(site), removal = wait_cqe(site);
    if (timeout.user_data == 0x99999999) std::swap(timeout, removal);
    EXPECT_EQ_AT(site, timeout, (wire::Cqe{.user_data = target, .res = -ECANCELED, .flags = 0}));
    EXPECT_EQ_AT(site, removal, (wire::Cqe{.user_data = 0x99999999, .res = 0, .flags = 0}));
  }
};

TEST_P(TimeoutRemove, EndsTheTimeout) {
  if (!kernel_has(wire::op::timeout_remove)) GTEST_SKIP() << witness();
  EXPECT_EQ(wire_of(must(ring.timeout(0x88888888, &time, 0, 0))), (wire::Sqe{.opcode = wire::op::timeout,
                                                                             .fd = -1,
                                                                             .addr = wire::address(&time),
                                                                             .len = 1,
                                                                             .user_data = 0x88888888}));
  EXPECT_EQ(wire_of(must(queue(0x88888888))), wanted(0x88888888));
  submit(2);
  expect_removed(0x88888888);
}

// The target is all 64 bits: of two timeouts that differ in the upper half only, the right one goes.
TEST_P(TimeoutRemove, EndsTheOneThatItNames) {
  if (!kernel_has(wire::op::timeout_remove)) GTEST_SKIP() << witness();
  for (const std::uint64_t user_data : {0x88888888ull, 0x1'88888888ull}) {
    must(ring.timeout(user_data, &time, 0, 0));
    submit(1);
  }
  for (const std::uint64_t target : {0x1'88888888ull, 0x88888888ull}) {
    EXPECT_EQ(wire_of(must(queue(target))), wanted(target));
    submit(1);
    expect_removed(target);
    EXPECT_EQ(ring.cq_ready(), 0u);
  }
}

// What is not there cannot be removed: a timeout ends once.
TEST_P(TimeoutRemove, ReportsATimeoutThatIsGone) {
  if (!kernel_has(wire::op::timeout_remove)) GTEST_SKIP() << witness();
  must(ring.timeout(0x88888888, &time, 0, 0));
  must(queue(0x88888888));
  submit(2);
  expect_removed(0x88888888);
  must(queue(0x88888888));
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x99999999, .res = -ENOENT, .flags = 0}));
}

INSTANTIATE_TEST_SUITE_P(, TimeoutRemove, testing::Values(2, 8), ring_size_name);

}  // namespace
