// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// deferred task running: the kernel completes requests only when the program asks it for events, so the
// program decides when that happens. What has happened meanwhile waits, and a flag says so.
//
// Needs IORING_SETUP_DEFER_TASKRUN (6.1, io_uring_setup(2)), which wants SINGLE_ISSUER. Before, setup refuses
// it.

#include <poll.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "fixture/ring_test.h"
#include "fixture/sockets.h"
#include "seam/kernel_abi.h"

namespace {

using namespace conformance;

class DeferTaskrun : public RingTest<8> {
 protected:
  static constexpr unsigned flags =
      wire::setup_single_issuer | wire::setup_defer_taskrun | wire::setup_taskrun_flag;
  static constexpr wire::Cqe received{.user_data = 1, .res = 3, .flags = 0};

  SocketPair sockets;
  std::array<char, 8> buffer{};

  bool kernel_has_it() const { return kernel_has(wire::op::sendmsg_zc); }  // 6.1
  std::string witness() {
    return ring_refused("SINGLE_ISSUER|DEFER_TASKRUN|TASKRUN_FLAG", flags, wire::op::sendmsg_zc);
  }
  // A receive whose bytes have come, on a ring of this kind.
  void receive(Site site = Site::here()) {
    reopen(flags, site);
    must(ring.recv(1, sockets.ours.get(), std::as_writable_bytes(std::span(buffer)), 0), site);
    submit(1, site);
    EXPECT_EQ_AT(site, ring.cq_ring_needs_flush(), false);
    sockets.send("abc", site);
  }
  void expect_waiting(Site site = Site::here()) {
    EXPECT_EQ_AT(site, ready_by_itself(), 0u);
    EXPECT_EQ_AT(site, ring.cq_ring_needs_flush(), true);
  }
};

TEST_F(DeferTaskrun, WaitsUntilItIsAskedForEvents) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  receive();
  expect_waiting();
  syscall(SYS_getppid);
  sched_yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  expect_waiting();
  EXPECT_EQ(must(ring.enter(0, 0, 0)), 0u);
  expect_waiting();

  // A submission does not ask for events; what needs no task work completes by it.
  must(ring.nop(2));
  submit(1);
  EXPECT_EQ(ring.cq_ready(), 1u);
  EXPECT_TRUE(ring.cq_ring_needs_flush());

  EXPECT_EQ(must(ring.enter(0, 0, wire::enter_getevents)), 0u);
  EXPECT_EQ(ring.cq_ready(), 2u);
  EXPECT_FALSE(ring.cq_ring_needs_flush());
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 2, .res = 0, .flags = 0}));
  EXPECT_EQ(wait_cqe(), received);
}

// To wait for the ring's descriptor is not to wait in vain.
TEST_F(DeferTaskrun, IsReadableWhileWorkWaits) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(flags);
  pollfd readable{.fd = ring.fd(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(poll(&readable, 1, 0), 0);
  receive();
  readable.fd = ring.fd();
  EXPECT_EQ(poll(&readable, 1, 0), 1);
  EXPECT_EQ(readable.revents, POLLIN);
  expect_waiting();
  EXPECT_EQ(wait_cqe(), received);
}

// To take what is there, and no more, must find it too: the flag is what tells the binding to ask.
TEST_F(DeferTaskrun, IsAskedByWhoTakesWhatIsThere) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  receive();
  expect_waiting();
  std::array<binding::Cqe, 2> cqes{};
  ASSERT_EQ(must(ring.copy_cqes(cqes, 0)), 1u);
  EXPECT_EQ(wire_of(cqes[0]), received);
}

// Only the one who submits may ask.
TEST_F(DeferTaskrun, RefusesAnotherThread) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  receive();
  binding::Result<std::uint32_t> entered = 0u;
  std::thread([&] { entered = ring.enter(0, 0, wire::enter_getevents); }).join();
  EXPECT_EQ(binding::errno_of(entered.error()), EEXIST);
  expect_waiting();
  EXPECT_EQ(wait_cqe(), received);
}

}  // namespace
