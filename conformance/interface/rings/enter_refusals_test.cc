// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// enter and register refusals: what io_uring_enter(2) and io_uring_register(2) say of a descriptor that is
// not a ring, and of what they do not know; and that nothing has happened then. What is no refusal: flags
// about a thread that a ring does not have.
//
// Needs IORING_ENTER_SQ_WAIT (5.10, io_uring_enter(2); all else is 5.1). The tests open the ring anew,
// without flags and not registered.

#include <fcntl.h>

#include <cerrno>

#include "fixture/ring_test.h"
#include "seam/bare_kernel.h"
#include "seam/kernel_abi.h"
#include "seam/ring_abi.h"

namespace {

using namespace conformance;

class EnterRefusals : public RingTest<4> {
 protected:
  Fd null = open_file("/dev/null", O_RDWR);

  // Two requests that are published, and that the kernel has not been asked to take.
  void publish_two(Site site = Site::here()) {
    reopen(0, site);
    must(ring.nop(1), site);
    must(ring.nop(2), site);
    ring.flush_sq();
  }
  void expect_nothing_taken(Site site = Site::here()) {
    EXPECT_EQ_AT(site, ring.sq_ready(), 2u);
    EXPECT_EQ_AT(site, ring.cq_ready(), 0u);
  }
  void expect_both_go_through(Site site = Site::here()) {
    EXPECT_EQ_AT(site, must(ring.submit(), site), 2u);
    EXPECT_EQ_AT(site, wait_cqe(site), (wire::Cqe{.user_data = 1, .res = 0, .flags = 0}));
    EXPECT_EQ_AT(site, wait_cqe(site), (wire::Cqe{.user_data = 2, .res = 0, .flags = 0}));
  }
};

TEST_F(EnterRefusals, NeedARing) {
  publish_two();
  EXPECT_EQ(BareKernel::enter(not_open, 2, 0, 0, nullptr, 0), -EBADF);
  EXPECT_EQ(BareKernel::enter(-1, 2, 0, 0, nullptr, 0), -EBADF);
  EXPECT_EQ(BareKernel::enter(null.get(), 2, 0, 0, nullptr, 0), -EOPNOTSUPP);
  constexpr std::uint32_t op = wire::register_op::unregister_buffers;
  EXPECT_EQ(BareKernel::do_register(not_open, op, nullptr, 0), -EBADF);
  EXPECT_EQ(BareKernel::do_register(null.get(), op, nullptr, 0), -EOPNOTSUPP);
  expect_nothing_taken();
  expect_both_go_through();
}

TEST_F(EnterRefusals, KnowTheirFlagsAndNumbers) {
  publish_two();
  for (const unsigned flags : {wire::enter_nobody, wire::enter_nobody | wire::enter_getevents}) {
    EXPECT_EQ(binding::errno_of(ring.enter(2, 0, flags).error()), EINVAL) << flags;
  }
  EXPECT_EQ(do_register(wire::register_op::nobody, nullptr, 0), -EINVAL);
  EXPECT_EQ(do_register(wire::register_op::unregister_buffers, nullptr, 0), -ENXIO) << "there are none";
  EXPECT_EQ(do_register(wire::register_op::unregister_buffers, &null, 0), -EINVAL) << "it takes no argument";
  EXPECT_EQ(do_register(wire::register_op::unregister_buffers, nullptr, 1), -EINVAL);
  expect_nothing_taken();
  expect_both_go_through();
}

// There is no thread to wake or to wait for, and nobody asked for events.
TEST_F(EnterRefusals, AreNotForWhatHasNoEffect) {
  publish_two();
  EXPECT_EQ(must(ring.enter(0, 0, wire::enter_sq_wakeup)), 0u);
  EXPECT_EQ(must(ring.enter(0, 0, wire::enter_sq_wait)), 0u);
  EXPECT_EQ(must(ring.enter(0, 4, 0)), 0u) << "a minimum, without waiting";
  expect_nothing_taken();
  EXPECT_EQ(must(ring.enter(1, 4, 0)), 1u);
  EXPECT_EQ(ring.sq_ready(), 1u);
  EXPECT_EQ(must(ring.enter(1, 1, wire::enter_getevents | wire::enter_sq_wakeup | wire::enter_sq_wait)), 1u);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 1, .res = 0, .flags = 0}));
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 2, .res = 0, .flags = 0}));
}

}  // namespace
