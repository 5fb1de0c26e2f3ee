// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// draining holds back what follows: a drained request is a barrier in both directions. What is submitted
// after it does not begin before it has completed (io_uring_enter(2), IOSQE_IO_DRAIN).
//
// True since 6.16 (measured; 6.13 to 6.15 were not). Before, what follows waits only as long as the drained
// request itself has not begun, and says nothing.

#include <poll.h>

#include <array>
#include <cerrno>

#include "fixture/sockets.h"

namespace {

using namespace conformance;

class DrainHoldsBack : public RingTest<8> {
 protected:
  SocketPair before, drained;
  std::array<std::byte, 8> received{};

  void queue_recv(std::uint64_t user_data, const SocketPair& pair, std::uint8_t flags,
                  Site site = Site::here()) {
    binding::Sqe& sqe = must(ring.recv(user_data, pair.ours.get(), received, 0), site);
    sqe.flags = flags;
    expect_equal(site, "the RECV", wire_of(sqe),
                 wire::Sqe{.opcode = wire::op::recv,
                           .flags = flags,
                           .fd = pair.ours.get(),
                           .addr = wire::address(received.data()),
                           .len = 8,
                           .user_data = user_data});
  }
  static wire::Cqe done(std::uint64_t user_data, std::int32_t res) {
    return {.user_data = user_data, .res = res, .flags = 0};
  }
  // A receive 1, a drained receive 2 after it, and a NOP 3 after that. The first has completed.
  void start(Site site = Site::here()) {
    queue_recv(1, before, 0, site);
    queue_recv(2, drained, wire::io_drain, site);
    must(ring.nop(3), site);
    submit(3, site);
    before.send("a", site);
    expect_equal(site, "the CQE before the drained request", wait_cqe(site), done(1, 1));
  }
  // Nothing completes for a while, although events are asked for.
  void expect_held_back(Site site = Site::here()) {
    pollfd readable{.fd = ring.fd(), .events = POLLIN, .revents = 0};
    must(ring.enter(0, 0, wire::enter_getevents), site);
    poll(&readable, 1, 50);
    must(ring.enter(0, 0, wire::enter_getevents), site);
    expect_equal(site, "the number of CQEs before the drained request has completed", ring.cq_ready(), 0u);
  }
  std::string witness() {
    return answered_instead(
        "a NOP after a drained request", 0,
        [&] {
          start();
          pollfd readable{.fd = ring.fd(), .events = POLLIN, .revents = 0};
          if (poll(&readable, 1, 10'000) != 1) stop(Site::here(), "the NOP is held back all the same");
          const wire::Cqe nop = wait_cqe();
          EXPECT_EQ(nop.user_data, 3u);
          drained.send("a");
          EXPECT_EQ(wait_cqe(), done(2, 1));
          return nop;
        },
        [] { return ""; }, wire::op::pipe);
  }
};

TEST_F(DrainHoldsBack, UntilItHasCompleted) {
  if (!kernel_has(wire::op::pipe)) GTEST_SKIP() << witness();
  start();
  expect_held_back();
  drained.send("bb");
  EXPECT_EQ(wait_cqe(), done(2, 2));
  EXPECT_EQ(wait_cqe(), done(3, 0));
}

// Also what is submitted by a later call, as long as it has not completed.
TEST_F(DrainHoldsBack, HoldsBackWhatIsSubmittedLater) {
  if (!kernel_has(wire::op::pipe)) GTEST_SKIP() << witness();
  start();
  must(ring.nop(4));
  submit(1);
  expect_held_back();
  drained.send("bb");
  EXPECT_EQ(wait_cqe(), done(2, 2));
  EXPECT_EQ(wait_cqes(2), (Cqes{done(3, 0), done(4, 0)}));
  // Then everything is as before.
  must(ring.nop(5));
  EXPECT_EQ(complete(), done(5, 0));
}

}  // namespace
