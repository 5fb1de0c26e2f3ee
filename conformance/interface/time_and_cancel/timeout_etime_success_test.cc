// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// expired is success: with IORING_TIMEOUT_ETIME_SUCCESS a timeout that expires is no failure, so that a chain
// continues after it. So a pause becomes a part of a chain.
//
// Needs IORING_TIMEOUT_ETIME_SUCCESS (5.16, io_uring_enter(2)). Before, a flag is refused. The feature
// of 5.17 stands for 5.16, which has none.

#include <cerrno>
#include <chrono>

#include "fixture/ring_test.h"

namespace {

using namespace conformance;
using Clock = std::chrono::steady_clock;

class TimeoutEtimeSuccess : public RingTest<8> {
 protected:
  static constexpr binding::Timespec soon{.tv_sec = 0, .tv_nsec = 10'000'000};

  void queue(std::uint64_t user_data, std::uint32_t flags, std::uint8_t sqe_flags, Site site = Site::here()) {
    binding::Sqe& sqe = must(ring.timeout(user_data, &soon, 0, flags), site);
    sqe.flags = sqe_flags;
    expect_equal(site, "the TIMEOUT", wire_of(sqe), wanted(user_data, flags, sqe_flags));
  }
  static wire::Sqe wanted(std::uint64_t user_data, std::uint32_t flags, std::uint8_t sqe_flags) {
    return {.opcode = wire::op::timeout,
            .flags = sqe_flags,
            .fd = -1,
            .addr = wire::address(&soon),
            .len = 1,
            .op_flags = flags,
            .user_data = user_data};
  }
  std::string witness() {
    return refused([&] { return ring.timeout(1, &soon, 0, wire::timeout_etime_success); },
                   wanted(1, wire::timeout_etime_success, 0), [] { return ""; },
                   Modifier{.name = "an expiry that is success", .proxy = wire::feature::cqe_skip});
  }
  static wire::Cqe done(std::uint64_t user_data, std::int32_t res) {
    return {.user_data = user_data, .res = res, .flags = 0};
  }
};

TEST_F(TimeoutEtimeSuccess, DoesNotEndTheChain) {
  if (!kernel_has(wire::feature::cqe_skip)) GTEST_SKIP() << witness();
  queue(1, 0, wire::io_link);
  must(ring.nop(2));
  submit(2);
  EXPECT_EQ(wait_cqes(2), (Cqes{done(1, -ETIME), done(2, -ECANCELED)}));
  queue(1, wire::timeout_etime_success, wire::io_link);
  must(ring.nop(2));
  submit(2);
  EXPECT_EQ(wait_cqe(), done(1, -ETIME));
  EXPECT_EQ(wait_cqe(), done(2, 0));
}

// Under IOSQE_CQE_SKIP_SUCCESS (5.17) such a success has no CQE; the failure has.
TEST_F(TimeoutEtimeSuccess, IsSilentLikeASuccess) {
  if (!kernel_has(wire::feature::cqe_skip)) GTEST_SKIP() << witness();
  queue(1, wire::timeout_etime_success, wire::io_link | wire::cqe_skip_success);
  must(ring.nop(2));
  submit(2);
  EXPECT_EQ(wait_cqe(), done(2, 0));
  queue(1, 0, wire::cqe_skip_success);
  submit(1);
  EXPECT_EQ(wait_cqe(), done(1, -ETIME));
}

// In a chain one timeout starts when that before it has expired.
TEST_F(TimeoutEtimeSuccess, AddsUpInAChain) {
  if (!kernel_has(wire::feature::cqe_skip)) GTEST_SKIP() << witness();
  const Clock::time_point start = Clock::now();
  queue(1, wire::timeout_etime_success, wire::io_link);
  queue(2, wire::timeout_etime_success, 0);
  submit(2);
  EXPECT_EQ(wait_cqe(), done(1, -ETIME));
  EXPECT_GE(Clock::now() - start, std::chrono::milliseconds(10));
  EXPECT_EQ(wait_cqe(), done(2, -ETIME));
  EXPECT_GE(Clock::now() - start, std::chrono::milliseconds(20));
}

}  // namespace
