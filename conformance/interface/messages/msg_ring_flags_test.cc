// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// message with flags: with IORING_MSG_RING_FLAGS_PASS the sender chooses the flags of the CQE on the other
// ring as well.
//
// Needs IORING_MSG_RING_FLAGS_PASS (6.3, io_uring_prep_msg_ring_cqe_flags(3)).

#include <cerrno>

#include "evidence/environment.h"
#include "fixture/ring_test.h"

namespace {

using namespace conformance;

class MsgRingFlags : public RingTest<8> {
 protected:
  OpenRing target{4, configuration_flags()};

  binding::Result<binding::Sqe&> queue(std::uint32_t cqe_flags) {
    return ring.msg_ring_cqe_flags(1, target.fd(), 33, 77, cqe_flags);
  }
  wire::Sqe wanted(std::uint32_t cqe_flags) const {
    return {.opcode = wire::op::msg_ring,
            .fd = target.fd(),
            .off = 77,
            .len = 33,
            .op_flags = wire::msg_ring_flags_pass,
            .user_data = 1,
            .file_index = cqe_flags};
  }
  wire::Cqe send(std::uint32_t cqe_flags, Site site = Site::here()) {
    EXPECT_EQ_AT(site, wire_of(must(queue(cqe_flags), site)), wanted(cqe_flags));
    return complete(site);
  }
  wire::Cqe arrival(Site site = Site::here()) {
    binding::Cqe cqe{};
    must(target.copy_cqe(cqe), site);
    return wire_of(cqe);
  }
  // What did not arrive: this message comes first.
  void expect_nothing_arrived(Site site = Site::here()) {
    must(ring.msg_ring(2, target.fd(), 5, 6, 0), site);
    EXPECT_EQ_AT(site, complete(site), (wire::Cqe{.user_data = 2, .res = 0, .flags = 0}));
    EXPECT_EQ_AT(site, arrival(site), (wire::Cqe{.user_data = 6, .res = 5, .flags = 0}));
  }
  std::string witness() {
    return refused([&] { return queue(0x50001); }, wanted(0x50001),
                   [&] { return target.cq_ready() == 0 ? "" : "the target has a CQE"; },
                   Modifier{.name = "FLAGS_PASS", .proxy = wire::feature::reg_reg_ring});
  }
  static constexpr wire::Cqe sent{.user_data = 1, .res = 0, .flags = 0},
      failed{.user_data = 1, .res = -EINVAL, .flags = 0};

 private:
  // The target is of the kind that the row runs on, if the kernel has it: otherwise the test is skipped.
  static unsigned configuration_flags() {
    return kernel_takes(4, configuration().setup) ? configuration().setup : 0;
  }
};

// As they are: here the id of a buffer, and other flags that mean nothing to the kernel.
TEST_F(MsgRingFlags, DeliversTheFlags) {
  if (!kernel_has(wire::feature::reg_reg_ring)) GTEST_SKIP() << witness();
  for (const std::uint32_t flags : {0x50001u, 0u, 0xffff'7fffu}) {
    EXPECT_EQ(send(flags), sent);
    EXPECT_EQ(arrival(), (wire::Cqe{.user_data = 77, .res = 33, .flags = flags}));
  }
}

TEST_F(MsgRingFlags, TakesThemOnlyIfAsked) {
  if (!kernel_has(wire::feature::reg_reg_ring)) GTEST_SKIP() << witness();
  wire::Sqe sqe = wanted(0x50001);
  sqe.op_flags = 0;
  EXPECT_EQ(complete(sqe), failed);
  sqe.op_flags = wire::msg_ring_flags_pass | 1u << 31;
  EXPECT_EQ(complete(sqe), failed);
  expect_nothing_arrived();
}

// IORING_CQE_F_32 would announce a CQE of twice the size, which this ring does not have: 7.2 refuses it.
// Before, it was passed on like the others. Either it is refused and nothing arrives, or it is sent and
// arrives.
TEST_F(MsgRingFlags, DoesNotMakeACqeLarger) {
  if (!kernel_has(wire::feature::reg_reg_ring)) GTEST_SKIP() << witness();
  const wire::Cqe cqe = send(wire::cqe_32);
  if (cqe == sent) {
    EXPECT_EQ(arrival(), (wire::Cqe{.user_data = 77, .res = 33, .flags = wire::cqe_32}));
  } else {
    EXPECT_EQ(cqe, failed);
  }
  expect_nothing_arrived();
}

}  // namespace
