// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// submitting goes on after a failure: a request that is refused ends the submit, and what follows waits for
// the next one. With IORING_SETUP_SUBMIT_ALL it does not.
//
// Needs IORING_SETUP_SUBMIT_ALL (5.18, io_uring_setup(2)). Before, an unknown flag is refused. The tests open
// the ring anew, with this flag or none.

#include <array>
#include <cerrno>

#include "fixture/ring_test.h"

namespace {

using namespace conformance;

class SubmitAll : public RingTest<8> {
 protected:
  std::array<std::byte, 8> buffer{};

  // Fails while it is prepared: the kernel does not know the opcode.
  void queue_refused(std::uint64_t user_data, Site site = Site::here()) {
    const wire::Sqe unknown{.opcode = wire::op::nobody, .user_data = user_data};
    must(ring.nop(0), site) = std::bit_cast<binding::Sqe>(unknown);
  }
  // Fails when it is issued: there is no such file.
  void queue_failing(std::uint64_t user_data, Site site = Site::here()) {
    must(ring.read(user_data, -1, buffer, 0), site);
  }
  std::string witness() { return ring_refused("SUBMIT_ALL", wire::setup_submit_all, wire::op::msg_ring); }
  static wire::Cqe done(std::uint64_t user_data, std::int32_t res = 0) {
    return {.user_data = user_data, .res = res, .flags = 0};
  }
};

TEST_F(SubmitAll, SubmitsAll) {
  if (!kernel_has(wire::op::msg_ring)) GTEST_SKIP() << witness();
  reopen(wire::setup_submit_all);
  queue_refused(1);
  must(ring.nop(2));
  queue_failing(3);
  must(ring.nop(4));
  EXPECT_EQ(ring.submit(), 4u);
  EXPECT_EQ(wait_cqes(4), (Cqes{done(1, -EINVAL), done(2), done(3, -EBADF), done(4)}));
}

// The same on an ordinary ring. What was refused counts as submitted; the rest is neither lost nor done.
TEST_F(SubmitAll, IsNotWhatAnOrdinaryRingDoes) {
  if (!kernel_has(wire::op::msg_ring)) GTEST_SKIP() << witness();
  reopen(0);
  queue_refused(1);
  must(ring.nop(2));
  queue_failing(3);
  must(ring.nop(4));
  EXPECT_EQ(ring.submit(), 1u);
  EXPECT_EQ(ring.sq_ready(), 3u);
  EXPECT_EQ(wait_cqe(), done(1, -EINVAL));
  EXPECT_EQ(ring.cq_ready(), 0u);
  EXPECT_EQ(ring.submit(), 3u);
  EXPECT_EQ(wait_cqes(3), (Cqes{done(2), done(3, -EBADF), done(4)}));
}

// A failure when a request is issued stops nothing anyway.
TEST_F(SubmitAll, IsNotNeededWhereARequestFailsLater) {
  if (!kernel_has(wire::op::msg_ring)) GTEST_SKIP() << witness();
  reopen(0);
  queue_failing(1);
  must(ring.nop(2));
  EXPECT_EQ(ring.submit(), 2u);
  EXPECT_EQ(wait_cqes(2), (Cqes{done(1, -EBADF), done(2)}));
}

}  // namespace
