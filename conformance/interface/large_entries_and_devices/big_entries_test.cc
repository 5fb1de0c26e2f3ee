// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// entries of double size: SQEs of 128 bytes carry the commands of drivers, CQEs of 32 their results. With
// them every entry of a queue is so large.
//
// Needs IORING_SETUP_SQE128 and IORING_SETUP_CQE32 (5.19, io_uring_setup(2)). Before, an unknown flag is
// refused. The tests open rings of their own, with these flags alone.

#include <algorithm>
#include <cerrno>

#include "fixture/large_entries.h"
#include "fixture/ring_test.h"

namespace {

using namespace conformance;

class BigEntries : public RingTest<4> {
 protected:
  bool kernel_has_them() const { return kernel_has(wire::op::uring_cmd); }  // 5.19
  std::string witness() {
    EXPECT_EQ(errno_without<binding::Ring128>(4), EINVAL);
    EXPECT_EQ(errno_without<binding::Ring32>(4), EINVAL);
    return ring_refused(
        "SQE128|CQE32", [] { return errno_without<binding::Ring128x32>(4); }, wire::op::uring_cmd);
  }
};

// Three times five CQEs, around a queue of eight: each is at twice the distance. What else is in one of a NOP
// is 0, because nobody has written there.
TEST_F(BigEntries, MakeCqesOf32Bytes) {
  if (!kernel_has_them()) GTEST_SKIP() << witness();
  LargeRing<binding::Ring32> large(4);
  EXPECT_EQ(large.flags() & (wire::setup_cqe32 | wire::setup_sqe128), wire::setup_cqe32);
  EXPECT_EQ(large.cq_entries(), 8u);
  std::uint64_t queued = 0, completed = 0;
  for (int round = 0; round < 3; ++round) {
    for (const unsigned batch : {4u, 1u}) {
      for (unsigned i = 0; i < batch; ++i) must(large.nop(++queued));
      large.submit_all(batch);
    }
    EXPECT_EQ(large.cq_ready(), 5u);
    for (int i = 0; i < 5; ++i) {
      EXPECT_EQ(large.wait_cqe(), small_cqe(++completed));
    }
  }
}

// Of an operation that does not know them, the second 64 bytes mean nothing: what would be a request there is
// none.
TEST_F(BigEntries, MakeSqesOf128Bytes) {
  if (!kernel_has_them()) GTEST_SKIP() << witness();
  LargeRing<binding::Ring128> large(4);
  EXPECT_EQ(large.flags() & (wire::setup_cqe32 | wire::setup_sqe128), wire::setup_sqe128);
  std::uint64_t queued = 0, completed = 0;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 3; ++i) {
      binding::Sqe128& sqe = must(large.nop(++queued));
      EXPECT_EQ(wire_of(sqe), (wire::Sqe{.opcode = wire::op::nop, .user_data = queued}));
      EXPECT_TRUE(std::ranges::all_of(sqe.more, [](std::uint64_t word) { return word == 0; }));
      std::ranges::fill(sqe.more, i == 0 ? ~std::uint64_t{0} : 0);
    }
    large.submit_all(3);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(large.wait_cqe(), small_cqe(++completed));
    EXPECT_EQ(large.cq_ready(), 0u);
  }
}

// Both, and more CQEs than there is room for: those that waited in the kernel bring their words, too. A NOP
// sets them from 6.18 on; before, it is an unknown flag.
TEST_F(BigEntries, KeepTheirWordsInAnOverflow) {
  if (!kernel_has_them()) GTEST_SKIP() << witness();
  LargeRing<binding::Ring128x32> large(2);
  EXPECT_EQ(large.flags() & (wire::setup_cqe32 | wire::setup_sqe128), wire::setup_cqe32 | wire::setup_sqe128);
  if (!kernel_has(wire::cqe_mixed)) {
    queue(large, nop_with_words(1, 2, 3));
    large.submit_all(1);
    EXPECT_EQ(large.wait_cqe(), small_cqe(1, -EINVAL));
    return;
  }
  for (std::uint64_t i = 0; i < 6; ++i) {
    queue(large, nop_with_words(i, ~i, 7 * i));
    large.submit_all(1);
  }
  EXPECT_EQ(large.cq_ready(), 4u);
  EXPECT_TRUE(large.cq_ring_needs_flush());
  for (std::uint64_t i = 0; i < 6; ++i) EXPECT_EQ(large.wait_cqe(), large_cqe(i, ~i, 7 * i, 0));
  EXPECT_FALSE(large.cq_ring_needs_flush());
}

}  // namespace
