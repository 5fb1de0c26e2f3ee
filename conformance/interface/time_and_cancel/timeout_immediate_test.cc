// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// timeout without a struct: with IORING_TIMEOUT_IMMEDIATE_ARG the SQE holds the time itself, in nanoseconds,
// instead of the address of one. Nothing has to live until the SQE is taken.
//
// Needs IORING_TIMEOUT_IMMEDIATE_ARG (7.1, include/uapi/linux/io_uring.h). Before, a flag is refused, and
// that is how it is asked for: nothing else of 7.1 tells.

#include <array>
#include <cerrno>
#include <chrono>

#include "fixture/sockets.h"

namespace {

using namespace conformance;
using Clock = std::chrono::steady_clock;

class TimeoutImmediate : public RingTest<8> {
 protected:
  static constexpr std::uint64_t soon = 10'000'000;
  static constexpr auto least = std::chrono::milliseconds(10);
  const binding::Timespec never{.tv_sec = 3600, .tv_nsec = 0};

  static wire::Sqe timeout(std::uint64_t nanoseconds) {
    return {.opcode = wire::op::timeout,
            .fd = -1,
            .addr = nanoseconds,
            .len = 1,
            .op_flags = wire::timeout_immediate_arg,
            .user_data = 1};
  }
  static wire::Sqe update(std::uint64_t nanoseconds) {
    return {.opcode = wire::op::timeout_remove,
            .fd = -1,
            .off = nanoseconds,
            .addr = 1,
            .op_flags = wire::timeout_update | wire::timeout_immediate_arg,
            .user_data = 9};
  }
  // No binding has words for these.
  binding::Result<binding::Sqe&> queue(const wire::Sqe& sqe) {
    binding::Result<binding::Sqe&> queued = ring.nop(0);
    must(queued) = std::bit_cast<binding::Sqe>(sqe);
    return queued;
  }
  // A time of 0 has expired at once.
  bool kernel_has_it() { return complete(timeout(0)).res != -EINVAL; }
  std::string witness() {
    return refused([&] { return queue(timeout(soon)); }, timeout(soon), [] { return ""; },
                   Modifier{.name = "the time itself", .proxy = wire::op::nobody});
  }
  static wire::Cqe done(std::uint64_t user_data, std::int32_t res) {
    return {.user_data = user_data, .res = res, .flags = 0};
  }
};

TEST_F(TimeoutImmediate, ExpiresAfterTheTimeInTheSqe) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const Clock::time_point start = Clock::now();
  EXPECT_EQ(complete(timeout(soon)), done(1, -ETIME));
  EXPECT_GE(Clock::now() - start, least);
}

TEST_F(TimeoutImmediate, ChangesATimeout) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  must(ring.timeout(1, &never, 0, 0));
  submit(1);
  const Clock::time_point start = Clock::now();
  must(queue(update(soon)));
  submit(1);
  EXPECT_EQ(wait_cqes(2), (Cqes{done(1, -ETIME), done(9, 0)}));
  EXPECT_GE(Clock::now() - start, least);
}

TEST_F(TimeoutImmediate, LimitsARequest) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  SocketPair pair;
  std::array<std::byte, 8> received{};
  must(ring.recv(2, pair.ours.get(), received, 0)).flags = wire::io_link;
  wire::Sqe limit = timeout(soon);
  limit.opcode = wire::op::link_timeout;
  must(queue(limit));
  submit(2);
  EXPECT_EQ(wait_cqes(2), (Cqes{done(1, -ETIME), done(2, -ECANCELED)}));
}

// A time is not negative.
TEST_F(TimeoutImmediate, RefusesANegativeTime) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  EXPECT_EQ(complete(timeout(1ull << 63)), done(1, -EINVAL));
  EXPECT_EQ(complete(update(1ull << 63)), done(9, -EINVAL));
}

}  // namespace
