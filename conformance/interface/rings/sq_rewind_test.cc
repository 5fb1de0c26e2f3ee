// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// submission queue that always starts at 0: with IORING_SETUP_SQ_REWIND each call takes the first SQEs of the
// array, so that a program that submits few at a time writes the same cache lines again and again.
//
// Needs IORING_SETUP_SQ_REWIND (7.0, io_uring_setup_flags(7)), which wants NO_SQARRAY. Before, an unknown
// flag is refused. The tests open the ring anew, with these flags alone.

#include <cerrno>

#include "fixture/ring_test.h"
#include "seam/kernel_abi.h"
#include "seam/ring_abi.h"

namespace {

using namespace conformance;

class SqRewind : public RingTest<4> {
 protected:
  static constexpr unsigned flags = wire::setup_no_sqarray | wire::setup_sq_rewind;

  static bool kernel_has_it() { return kernel_has(wire::sq_rewind); }
  std::string witness() { return ring_refused("NO_SQARRAY|SQ_REWIND", flags, wire::sq_rewind); }
  void expect_done(std::uint64_t user_data, std::int32_t res = 0, Site site = Site::here()) {
    EXPECT_EQ_AT(site, wait_cqe(site), (wire::Cqe{.user_data = user_data, .res = res, .flags = 0}));
  }
  // The kernel's own position. It has none, and looks at no tail.
  std::uint32_t head() const { return wire_log().rings().at(ring.fd()).head(); }
  void queue_unknown(std::uint64_t user_data, Site site = Site::here()) {
    must(ring.nop(0), site) =
        std::bit_cast<binding::Sqe>(wire::Sqe{.opcode = wire::op::nobody, .user_data = user_data});
  }
};

TEST_F(SqRewind, StartsEachBatchAtTheFirst) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(flags);
  const auto* const sqes = reinterpret_cast<const wire::Sqe*>(wire_log().rings().at(ring.fd()).sqes);
  std::uint64_t queued = 0, completed = 0;
  for (const unsigned count : {2u, 2u, 4u, 1u, 3u}) {
    const std::uint64_t first = queued + 1;
    for (unsigned i = 0; i < count; ++i) must(ring.nop(++queued));
    EXPECT_EQ(sqes[0].user_data, first);
    EXPECT_EQ(must(ring.submit()), count);
    EXPECT_EQ(head(), 0u);
    while (completed < queued) expect_done(++completed);
    EXPECT_EQ(ring.cq_ready(), 0u);
  }
}

// The queue is as long as ever, and no longer.
TEST_F(SqRewind, TakesNoMoreThanThereIs) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(flags);
  for (const std::uint64_t user_data : {1, 2, 3, 4}) must(ring.nop(user_data));
  EXPECT_EQ(ring.nop(5).error(), binding::Error::submission_queue_full);
  ring.flush_sq();
  EXPECT_EQ(must(ring.enter(9, 0, 0)), 4u);
  for (const std::uint64_t user_data : {1, 2, 3, 4}) expect_done(user_data);
}

// The count is that of the call: the tail in shared memory is not what counts.
TEST_F(SqRewind, TakesAsManyAsItIsAskedFor) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(flags);
  for (const std::uint64_t user_data : {1, 2, 3}) must(ring.nop(user_data));
  EXPECT_EQ(must(ring.enter(2, 0, 0)), 2u) << "none of them published";
  expect_done(1);
  expect_done(2);
  EXPECT_EQ(must(ring.enter(1, 0, 0)), 1u);
  expect_done(1);
}

// A request that is refused ends its batch, and the next call begins with it again: a program must move what
// is left over to the front.
TEST_F(SqRewind, DoesNotContinueWhereItStopped) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(flags);
  queue_unknown(1);
  must(ring.nop(2));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(must(ring.enter(2, 0, 0)), 1u);
    expect_done(1, -EINVAL);
    EXPECT_EQ(ring.cq_ready(), 0u);
  }
}

// The binding does.
TEST_F(SqRewind, IsNothingThatAProgramMustKnow) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(flags);
  queue_unknown(1);
  must(ring.nop(2));
  must(ring.nop(3));
  EXPECT_EQ(must(ring.submit()), 1u);
  expect_done(1, -EINVAL);
  must(ring.nop(4));
  EXPECT_EQ(must(ring.submit()), 3u);
  for (const std::uint64_t user_data : {2, 3, 4}) expect_done(user_data);
}

}  // namespace
