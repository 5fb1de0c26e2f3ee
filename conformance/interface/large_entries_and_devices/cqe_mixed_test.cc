// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// completions of two sizes: CQEs of 16 bytes, and of 32 where a request has more to say. Those take two
// places next to each other; at the end of the queue the kernel fills the last one if it must.
//
// Needs IORING_SETUP_CQE_MIXED (6.18, io_uring_setup(2)). Before, an unknown flag is refused. The tests open
// rings of their own, with this flag alone.

#include <cerrno>

#include "evidence/environment.h"
#include "fixture/large_entries.h"
#include "fixture/ring_test.h"

namespace {

using namespace conformance;

class CqeMixed : public RingTest<4> {
 protected:
  static bool kernel_has_it() { return kernel_has(wire::cqe_mixed); }
  std::string witness() {
    return ring_refused(
        "CQE_MIXED", [] { return errno_without<binding::MixedCqesRing>(4); }, wire::a_query);
  }
  using Mixed = LargeRing<binding::MixedCqesRing>;

  // What is in a place of the queue.
  static wire::Cqe place(const Mixed& mixed, std::uint32_t index) {
    const RingView& view = mixed.view();
    return reinterpret_cast<const wire::Cqe*>(view.rings + view.params.cq_off.cqes)[index];
  }
  static constexpr wire::Cqe filler{.user_data = 0, .res = 0, .flags = wire::cqe_skip};
};

TEST_F(CqeMixed, HasBothSizes) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  Mixed mixed(4);
  ASSERT_EQ(mixed.cq_entries(), 8u);
  must(mixed.nop(1));
  queue(mixed, nop_with_words(2, 0x1111, 0x2222));
  mixed.submit_all(2);
  EXPECT_EQ(mixed.cq_ready(), 3u) << "places";
  EXPECT_EQ(place(mixed, 0), (wire::Cqe{.user_data = 1, .res = 0, .flags = 0}));
  EXPECT_EQ(place(mixed, 1), (wire::Cqe{.user_data = 2, .res = 0, .flags = wire::cqe_32}));
  EXPECT_EQ(mixed.wait_cqe(), small_cqe(1));
  EXPECT_EQ(mixed.wait_cqe(), large_cqe(2, 0x1111, 0x2222, wire::cqe_32));
  EXPECT_EQ(mixed.cq_ready(), 0u);
}

// A large one that would lie around the end begins anew, and what was left is filled.
TEST_F(CqeMixed, FillsTheEndOfTheQueue) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  Mixed mixed(4);
  std::uint64_t user_data = 0;
  for (const unsigned batch : {4u, 3u}) {
    for (unsigned i = 0; i < batch; ++i) must(mixed.nop(++user_data));
    mixed.submit_all(batch);
    for (unsigned i = batch; i-- > 0;) EXPECT_EQ(mixed.wait_cqe(), small_cqe(user_data - i));
  }
  queue(mixed, nop_with_words(8, 0x1111, 0x2222));
  mixed.submit_all(1);
  EXPECT_EQ(mixed.cq_ready(), 3u);
  EXPECT_EQ(place(mixed, 7), filler);
  EXPECT_EQ(place(mixed, 0), (wire::Cqe{.user_data = 8, .res = 0, .flags = wire::cqe_32}));
  EXPECT_EQ(mixed.wait_cqe(), large_cqe(8, 0x1111, 0x2222, wire::cqe_32));
  EXPECT_EQ(mixed.cq_ready(), 0u);
}

// Those that found no room keep their words.
TEST_F(CqeMixed, KeepsTheWordsInAnOverflow) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  Mixed mixed(4);
  for (std::uint64_t i = 0; i < 6; ++i) {
    queue(mixed, nop_with_words(i, ~i, 7 * i));
    mixed.submit_all(1);
  }
  EXPECT_EQ(mixed.cq_ready(), 8u);
  EXPECT_TRUE(mixed.cq_ring_needs_flush());
  for (std::uint64_t i = 0; i < 6; ++i) EXPECT_EQ(mixed.wait_cqe(), large_cqe(i, ~i, 7 * i, wire::cqe_32));
}

// On another ring a CQE has the size of all others, and no flag says so.
TEST_F(CqeMixed, IsNotWhatOtherRingsDo) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  EXPECT_EQ(complete(nop_with_words(1, 0x1111, 0x2222)),
            (wire::Cqe{.user_data = 1, .res = -EINVAL, .flags = 0}));
  LargeRing<binding::Ring32> large(4);
  queue(large, nop_with_words(1, 0x1111, 0x2222));
  large.submit_all(1);
  EXPECT_EQ(large.wait_cqe(), large_cqe(1, 0x1111, 0x2222, 0));
}

TEST_F(CqeMixed, DoesNotGoWithCqe32) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  EXPECT_EQ(bare_setup(4, wire::setup_cqe_mixed | wire::setup_cqe32), EINVAL);
}

}  // namespace
