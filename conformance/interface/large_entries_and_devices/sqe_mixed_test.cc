// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// submissions of two sizes: SQEs of 64 bytes, and of 128 for the operations that say so by their opcode.
// Those take two places, which must not lie around the end of the queue.
//
// Needs IORING_SETUP_SQE_MIXED and NOP128 (6.19, io_uring_setup(2)). Before, an unknown flag is refused. The
// tests open rings of their own, with this flag alone.

#include <array>
#include <bit>
#include <cerrno>

#include "evidence/environment.h"
#include "fixture/large_entries.h"
#include "fixture/ring_test.h"

namespace {

using namespace conformance;

class SqeMixed : public RingTest<4> {
 protected:
  bool kernel_has_it() const { return kernel_has(wire::op::nop128); }
  std::string witness() {
    EXPECT_EQ(complete(nop128(1)).res, -EINVAL);
    return ring_refused(
        "SQE_MIXED", [] { return errno_without<binding::MixedSqesRing>(4); }, wire::op::nop128);
  }
  using Mixed = LargeRing<binding::MixedSqesRing>;

  static wire::Sqe nop128(std::uint64_t user_data) {
    return {.opcode = wire::op::nop128, .user_data = user_data};
  }
  // Both halves of an SQE: the second one is 0, and would be a NOP.
  static std::array<wire::Sqe, 2> halves_of(const binding::Sqe128& sqe) {
    return std::bit_cast<std::array<wire::Sqe, 2>>(sqe);
  }
};

TEST_F(SqeMixed, HasBothSizes) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  Mixed mixed(4);
  EXPECT_EQ(halves_of(must(mixed.nop128(3))), (std::array{nop128(3), wire::Sqe{}}));
  must(mixed.nop(4));
  mixed.submit_all(3);
  EXPECT_EQ(mixed.wait_cqe(), small_cqe(3));
  EXPECT_EQ(mixed.wait_cqe(), small_cqe(4));
  EXPECT_EQ(mixed.cq_ready(), 0u) << "the second half is no request";
  EXPECT_EQ(mixed.sq_ready(), 0u);
}

// In the last place there is no room for it.
TEST_F(SqeMixed, RefusesOneAroundTheEnd) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  Mixed mixed(4);
  for (const std::uint64_t user_data : {1, 2, 3}) must(mixed.nop(user_data));
  queue(mixed, nop128(4));
  mixed.submit_all(4);
  for (const std::uint64_t user_data : {1, 2, 3}) EXPECT_EQ(mixed.wait_cqe(), small_cqe(user_data));
  EXPECT_EQ(mixed.wait_cqe(), small_cqe(4, -EINVAL));
  must(mixed.nop(5));
  mixed.submit_all(1);
  EXPECT_EQ(mixed.wait_cqe(), small_cqe(5)) << "one place was used up";
}

// So a NOP fills it, which the binding does by itself. That one has no CQE.
TEST_F(SqeMixed, BeginsAnewBehindAFiller) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  Mixed mixed(4);
  for (const std::uint64_t user_data : {1, 2, 3}) must(mixed.nop(user_data));
  mixed.submit_all(3);
  for (const std::uint64_t user_data : {1, 2, 3}) EXPECT_EQ(mixed.wait_cqe(), small_cqe(user_data));
  EXPECT_EQ(halves_of(must(mixed.nop128(4))), (std::array{nop128(4), wire::Sqe{}}));
  mixed.submit_all(3);
  EXPECT_EQ(mixed.wait_cqe(), small_cqe(4));
  EXPECT_EQ(mixed.cq_ready(), 0u);
}

// Where all SQEs are large it is a NOP as any other; where all are small it is refused.
TEST_F(SqeMixed, IsNotWhatOtherRingsDo) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  LargeRing<binding::Ring128> large(4);
  queue(large, nop128(1));
  must(large.nop(2));
  large.submit_all(2);
  EXPECT_EQ(large.wait_cqe(), small_cqe(1));
  EXPECT_EQ(large.wait_cqe(), small_cqe(2));
  EXPECT_EQ(complete(nop128(3)), (wire::Cqe{.user_data = 3, .res = -EINVAL, .flags = 0}));
}

TEST_F(SqeMixed, DoesNotGoWithSqe128) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  EXPECT_EQ(bare_setup(4, wire::setup_sqe_mixed | wire::setup_sqe128), EINVAL);
}

}  // namespace
