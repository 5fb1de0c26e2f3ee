// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// link timeouts in chains, and changing them: a LINK_TIMEOUT limits the request before it and no other; the
// chain continues after it. A limit can be moved while the request waits.
//
// Needs IORING_LINK_TIMEOUT_UPDATE (5.15, io_uring_enter(2); LINK_TIMEOUT itself is 5.5). Before, the flag is
// refused. No probe tells 5.15 from 5.13 where stable kernels have it too (5.10.162), so RSRC_TAGS is asked
// for.

#include <array>
#include <cerrno>

#include "fixture/sockets.h"

namespace {

using namespace conformance;

class LinkTimeoutChain : public RingTest<8> {
 protected:
  SocketPair pair;
  std::array<std::byte, 8> received{};
  binding::Timespec never{.tv_sec = 3600, .tv_nsec = 0}, soon{.tv_sec = 0, .tv_nsec = 20'000'000};

  // A receive that nobody answers, linked to what is queued next.
  void queue_recv(std::uint64_t user_data, Site site = Site::here()) {
    must(ring.recv(user_data, pair.ours.get(), received, 0), site).flags = wire::io_link;
  }
  binding::Sqe& queue_limit(std::uint64_t user_data, const binding::Timespec& time,
                            Site site = Site::here()) {
    binding::Sqe& sqe = must(ring.link_timeout(user_data, &time, 0), site);
    expect_equal(site, "the LINK_TIMEOUT", wire_of(sqe), wanted_limit(user_data, time));
    return sqe;
  }
  static wire::Sqe wanted_limit(std::uint64_t user_data, const binding::Timespec& time) {
    return {.opcode = wire::op::link_timeout,
            .fd = -1,
            .addr = wire::address(&time),
            .len = 1,
            .user_data = user_data};
  }
  // Up to 5.15 a worker waits inside of the operation, and is interrupted.
  bool waits_inside() const { return configuration().begins_later() && !kernel_has(wire::feature::cqe_skip); }
  std::int32_t ended() const { return waits_inside() ? -EINTR : -ECANCELED; }
  std::int32_t expired() const { return waits_inside() ? -EALREADY : -ETIME; }
  // Moves limit 2.
  binding::Result<binding::Sqe&> queue_update(std::uint32_t flags) {
    return ring.timeout_update(9, 2, &soon, flags);
  }
  wire::Sqe wanted_update(std::uint32_t flags) const {
    return {.opcode = wire::op::timeout_remove,
            .fd = -1,
            .off = wire::address(&soon),
            .addr = 2,
            .op_flags = flags,
            .user_data = 9};
  }
  std::string witness() {
    return refused([&] { return queue_update(wire::link_timeout_update); },
                   wanted_update(wire::timeout_update | wire::link_timeout_update), [] { return ""; },
                   Modifier{.name = "an update of a link timeout", .proxy = wire::feature::rsrc_tags});
  }
};

// The request that takes too long is cancelled, and with it what is linked after its limit.
TEST_F(LinkTimeoutChain, EndsWithTheRequestThatItLimits) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  queue_recv(1);
  queue_limit(2, soon).flags = wire::io_link;
  must(ring.nop(3));
  submit(3);
  EXPECT_EQ(wait_cqes(3), (Cqes{{.user_data = 1, .res = ended(), .flags = 0},
                                {.user_data = 2, .res = expired(), .flags = 0},
                                {.user_data = 3, .res = -ECANCELED, .flags = 0}}));
}

// A limit that was not reached is cancelled, which does not break the chain.
TEST_F(LinkTimeoutChain, ContinuesAfterALimitThatWasNotReached) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  must(ring.nop(1)).flags = wire::io_link;
  queue_limit(2, never).flags = wire::io_link;
  must(ring.nop(3));
  submit(3);
  EXPECT_EQ(wait_cqes(3), (Cqes{{.user_data = 1, .res = 0, .flags = 0},
                                {.user_data = 2, .res = -ECANCELED, .flags = 0},
                                {.user_data = 3, .res = 0, .flags = 0}}));
}

// The same for a request that had to wait.
TEST_F(LinkTimeoutChain, ContinuesAfterARequestThatWaited) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  queue_recv(1);
  queue_limit(2, never).flags = wire::io_link;
  must(ring.nop(3));
  submit(3);
  EXPECT_EQ(ring.cq_ready(), 0u);
  pair.send("abcd");
  EXPECT_EQ(wait_cqes(3), (Cqes{{.user_data = 1, .res = 4, .flags = 0},
                                {.user_data = 2, .res = -ECANCELED, .flags = 0},
                                {.user_data = 3, .res = 0, .flags = 0}}));
}

TEST_F(LinkTimeoutChain, TakesAnotherTime) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  queue_recv(1);
  queue_limit(2, never);
  submit(2);
  EXPECT_EQ(wire_of(must(queue_update(wire::link_timeout_update))),
            wanted_update(wire::timeout_update | wire::link_timeout_update));
  submit(1);
  EXPECT_EQ(wait_cqes(3), (Cqes{{.user_data = 1, .res = ended(), .flags = 0},
                                {.user_data = 2, .res = expired(), .flags = 0},
                                {.user_data = 9, .res = 0, .flags = 0}}));
}

// An update looks either among the timeouts or among those that are linked, and a removal only among the
// first.
TEST_F(LinkTimeoutChain, IsNotFoundAsAnOrdinaryTimeout) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  queue_recv(1);
  queue_limit(2, never);
  submit(2);
  for (const std::uint32_t flags : {wire::timeout_update, wire::link_timeout_update}) {
    ASSERT_EQ(complete(wanted_update(flags)), (wire::Cqe{.user_data = 9, .res = -ENOENT, .flags = 0}))
        << flags;
  }
  pair.send("abcd");
  EXPECT_EQ(wait_cqes(2),
            (Cqes{{.user_data = 1, .res = 4, .flags = 0}, {.user_data = 2, .res = -ECANCELED, .flags = 0}}));
}

// A limit cannot be limited. What it was to limit does not run then.
TEST_F(LinkTimeoutChain, CannotBeLimited) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  queue_recv(1);
  queue_limit(2, never).flags = wire::io_link;
  queue_limit(3, never);
  submit(3);
  EXPECT_EQ(cqes_before_nop(4), (Cqes{{.user_data = 1, .res = -ECANCELED, .flags = 0},
                                      {.user_data = 2, .res = -ECANCELED, .flags = 0},
                                      {.user_data = 3, .res = -EINVAL, .flags = 0},
                                      {.user_data = 4, .res = 0, .flags = 0}}));
}

TEST_F(LinkTimeoutChain, RefusesWhatMeansNothing) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  // Nothing before it that it could limit.
  EXPECT_EQ(complete(wanted_limit(2, soon)), (wire::Cqe{.user_data = 2, .res = -EINVAL, .flags = 0}));
  // It does not count completions.
  wire::Sqe counts = wanted_limit(2, soon);
  counts.off = 1;
  queue_recv(1);
  must(ring.nop(0)) = std::bit_cast<binding::Sqe>(counts);
  submit(2);
  EXPECT_EQ(cqes_before_nop(4), (Cqes{{.user_data = 1, .res = -ECANCELED, .flags = 0},
                                      {.user_data = 2, .res = -EINVAL, .flags = 0},
                                      {.user_data = 4, .res = 0, .flags = 0}}));
}

}  // namespace
