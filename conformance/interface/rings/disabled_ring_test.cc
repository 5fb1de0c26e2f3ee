// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// disabled ring: opened with IORING_SETUP_R_DISABLED it can be prepared, and does nothing until it is
// enabled. So a program restricts a ring before it gives it away.
//
// Needs IORING_SETUP_R_DISABLED and IORING_REGISTER_ENABLE_RINGS (5.10, io_uring_setup(2)). Before, an
// unknown flag is refused. The tests open the ring anew, with these flags alone.

#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <thread>

#include "evidence/environment.h"
#include "fixture/ring_test.h"

namespace {

using namespace conformance;

class DisabledRing : public RingTest<8> {
 protected:
  static bool kernel_has_it() { return kernel_takes(8, wire::setup_r_disabled); }
  std::string witness() { return ring_refused("R_DISABLED", wire::setup_r_disabled, wire::op::shutdown); }

  template <class T>
  static int errno_of(const binding::Result<T>& result) {
    return binding::errno_of(result.error());
  }
  int enter(unsigned to_submit, unsigned min_complete, unsigned flags) {
    return errno_of(ring.enter(to_submit, min_complete, flags));
  }
};

// Whatever is asked for: an SQE that was published stays where it is, and is taken once the ring is enabled.
TEST_F(DisabledRing, TakesNothingBeforeItIsEnabled) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(wire::setup_r_disabled);
  EXPECT_EQ(enter(0, 0, 0), EBADFD);
  EXPECT_EQ(enter(0, 0, wire::enter_getevents), EBADFD);
  must(ring.nop(1));
  EXPECT_EQ(errno_of(ring.submit()), EBADFD);
  EXPECT_EQ(errno_of(ring.submit_and_wait(1)), EBADFD);
  EXPECT_EQ(ring.sq_ready(), 1u);
  EXPECT_EQ(ring.cq_ready(), 0u);

  EXPECT_TRUE(ring.enable_rings().ok());
  EXPECT_EQ(ring.cq_ready(), 0u);
  EXPECT_EQ(ring.submit(), 1u);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 1, .res = 0, .flags = 0}));
}

TEST_F(DisabledRing, IsEnabledOnce) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  EXPECT_EQ(errno_of(ring.enable_rings()), EBADFD) << "of a ring that never was disabled";
  reopen(wire::setup_r_disabled);
  EXPECT_EQ(do_register(wire::register_op::enable_rings, this, 0), -EINVAL);
  EXPECT_EQ(do_register(wire::register_op::enable_rings, nullptr, 1), -EINVAL);
  EXPECT_EQ(enter(0, 0, 0), EBADFD);
  EXPECT_TRUE(ring.enable_rings().ok());
  EXPECT_EQ(errno_of(ring.enable_rings()), EBADFD);
  EXPECT_EQ(enter(0, 0, 0), 0);
}

// What is registered meanwhile is there afterwards.
TEST_F(DisabledRing, CanBePrepared) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(wire::setup_r_disabled);
  EXPECT_EQ(errno_of(ring.unregister_buffers()), ENXIO);
  std::array<std::byte, 8> memory{};
  const iovec vector{.iov_base = memory.data(), .iov_len = memory.size()};
  EXPECT_TRUE(ring.register_buffers({&vector, 1}).ok());
  EXPECT_TRUE(ring.enable_rings().ok());
  EXPECT_EQ(errno_of(ring.register_buffers({&vector, 1})), EBUSY);
  EXPECT_TRUE(ring.unregister_buffers().ok());
}

// With IORING_SETUP_SINGLE_ISSUER (6.0) a ring has an owner: whoever enables it. Until then any thread may
// prepare it.
TEST_F(DisabledRing, BelongsToTheThreadThatEnablesIt) {
  constexpr unsigned flags = wire::setup_r_disabled | wire::setup_single_issuer;
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  if (!kernel_has(wire::op::send_zc)) return expect_no_ring(flags);  // 6.0
  reopen(flags);
  EXPECT_EQ(errno_of(ring.unregister_buffers()), ENXIO);
  std::thread([&] {
    EXPECT_EQ(errno_of(ring.unregister_buffers()), ENXIO) << "before it has an owner";
    EXPECT_TRUE(ring.enable_rings().ok());
  }).join();
  must(ring.nop(1));
  EXPECT_EQ(errno_of(ring.submit()), EEXIST);
  EXPECT_EQ(errno_of(ring.unregister_buffers()), EEXIST);
  EXPECT_EQ(ring.sq_ready(), 1u);

  reopen(flags);
  std::thread([&] {
    EXPECT_TRUE(ring.enable_rings().ok());
    must(ring.nop(1));
    EXPECT_EQ(ring.submit(), 1u);
    EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 1, .res = 0, .flags = 0}));
  }).join();
}

}  // namespace
