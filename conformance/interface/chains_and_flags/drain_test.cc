// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// draining: a request that does not begin before all that were submitted before it have completed. A barrier
// without a list of what it waits for.
//
// Needs IOSQE_IO_DRAIN (5.2, io_uring_enter(2)). The requests that it waits for here are RECVs (5.6). Whether
// later requests wait too is another row, drain_holds_back: nothing here depends on it.

#include <poll.h>

#include <array>
#include <cerrno>

#include "fixture/sockets.h"
#include "seam/bare_kernel.h"
#include "seam/kernel_abi.h"

namespace {

using namespace conformance;

class Drain : public RingTest<8> {
 protected:
  SocketPair pair;
  std::array<std::byte, 8> received{};

  binding::Result<binding::Sqe&> queue_recv() { return ring.recv(1, pair.ours.get(), received, 0); }
  wire::Sqe wanted_recv() const {
    return {.opcode = wire::op::recv,
            .fd = pair.ours.get(),
            .addr = wire::address(received.data()),
            .len = 8,
            .user_data = 1};
  }
  void queue_nop(std::uint64_t user_data, std::uint8_t flags, Site site = Site::here()) {
    binding::Sqe& sqe = must(ring.nop(user_data), site);
    sqe.flags = flags;
    expect_equal(site, "the NOP", wire_of(sqe),
                 wire::Sqe{.opcode = wire::op::nop, .flags = flags, .user_data = user_data});
  }
  std::string witness() {
    return refused([&] { return queue_recv(); }, wanted_recv(), [] { return ""; });
  }
  // The errno of cancelling a request by its user_data, by a system call: a tool here, and not what is
  // tested.
  int sync_cancel(std::uint64_t target) const {
    const wire::SyncCancelReg reg{.addr = target};
    return static_cast<int>(-BareKernel::do_register(ring.fd(), wire::register_op::sync_cancel, &reg, 1));
  }
  // The order of these is guaranteed.
  void expect_recv_then(std::initializer_list<std::uint64_t> nops, Site site = Site::here()) {
    pair.send("abcd");
    expect_equal(site, "the CQE of the RECV", wait_cqe(site),
                 wire::Cqe{.user_data = 1, .res = 4, .flags = 0});
    for (const std::uint64_t user_data : nops) {
      expect_equal(site, "the next CQE", wait_cqe(site),
                   wire::Cqe{.user_data = user_data, .res = 0, .flags = 0});
    }
  }
};

// What is submitted before the drained request runs without regard to it.
TEST_F(Drain, WaitsForAllBeforeIt) {
  if (!kernel_has(wire::op::recv)) GTEST_SKIP() << witness();
  must(queue_recv());
  queue_nop(2, 0);
  queue_nop(3, wire::io_drain);
  submit(3);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 2, .res = 0, .flags = 0}));
  ASSERT_EQ(ring.cq_ready(), 0u);
  expect_recv_then({3});
}

TEST_F(Drain, WaitsForWhatWasSubmittedEarlier) {
  if (!kernel_has(wire::op::recv)) GTEST_SKIP() << witness();
  must(queue_recv());
  submit(1);
  queue_nop(2, wire::io_drain);
  submit(1);
  ASSERT_EQ(ring.cq_ready(), 0u);
  expect_recv_then({2});
}

// With nothing before it, it just runs.
TEST_F(Drain, WaitsForNothing) {
  if (!kernel_has(wire::op::recv)) GTEST_SKIP() << witness();
  queue_nop(1, wire::io_drain);
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 1, .res = 0, .flags = 0}));
}

// One drained member holds the whole chain back, also what precedes it there.
TEST_F(Drain, HoldsAChainBack) {
  if (!kernel_has(wire::op::recv)) GTEST_SKIP() << witness();
  for (const std::uint64_t drained : {2, 3}) {
    SCOPED_TRACE(drained);
    must(queue_recv());
    queue_nop(2, wire::io_link | (drained == 2 ? wire::io_drain : 0));
    queue_nop(3, drained == 3 ? wire::io_drain : 0);
    submit(3);
    ASSERT_EQ(ring.cq_ready(), 0u);
    expect_recv_then({2, 3});
  }
}

// A multishot request has completed when it ends, not with its first CQE. What would end it through this
// queue could be held back itself, so that it must be ended from outside: SYNC_CANCEL is not a request.
TEST_F(Drain, WaitsForTheEndOfAMultishotPoll) {
  if (!kernel_has(wire::op::recv)) GTEST_SKIP() << witness();
  if (!kernel_has(wire::op::send_zc)) {  // 6.0, as SYNC_CANCEL: before, nothing can end it
    EXPECT_EQ(sync_cancel(1), EINVAL);
    return;
  }
  const wire::Cqe event{.user_data = 1, .res = POLLIN, .flags = wire::cqe_more};
  must(ring.poll_multishot(1, pair.ours.get(), POLLIN));
  queue_nop(2, wire::io_drain);
  submit(2);
  for (int i = 0; i < 2; ++i) {
    pair.send("a");
    ASSERT_EQ(wait_cqe(), event) << i;
  }
  ASSERT_EQ(sync_cancel(1), 0);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 1, .res = -ECANCELED, .flags = 0}));
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 2, .res = 0, .flags = 0}));
}

}  // namespace
