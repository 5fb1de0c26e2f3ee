// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// order and holes of the index array: the kernel takes the SQEs in the order in which the array names them,
// and skips an index that is none. Nearly every binding fills the array with 0, 1, 2 and so on and never
// looks at it again; those that do not rely on this.
//
// Needs the single mapping (5.4; the array is 5.1, io_uring_enter(2)), and a binding that fills the array
// itself. The tests open the ring anew, without flags, so that there is one, and write it in the binding's
// place.

#include <array>
#include <cerrno>
#include <utility>

#include "fixture/ring_test.h"
#include "seam/kernel_abi.h"

namespace {

using namespace conformance;

class SqArrayOrder : public RingTest<4> {
 protected:
  void SetUp() override {
    RingTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    reopen(0);
    first_ = view().head();  // 0, unless the kernel likes others
  }
  std::uint32_t& word(std::uint32_t offset) const {
    return *reinterpret_cast<std::uint32_t*>(view().rings + offset);
  }
  // In which order the SQEs that were queued go out; a number over 3 is no SQE.
  void write_array(std::array<std::uint32_t, 4> order) const {
    for (std::uint32_t i = 0; i < 4; ++i) {
      word(view().params.sq_off.array + 4 * slot(i)) = order[i] < 4 ? slot(order[i]) : order[i];
    }
  }
  // How many entries the kernel has taken.
  std::uint32_t taken() const { return view().head() - first_; }
  // What the kernel skipped. No request of a program is ever lost so: it is for us to forget.
  std::uint32_t take_dropped() const {
    EXPECT_EQ(ring.sq_dropped(), word(view().params.sq_off.dropped));
    return std::exchange(word(view().params.sq_off.dropped), 0);
  }
  void queue(std::uint64_t count, Site site = Site::here()) {
    for (std::uint64_t user_data = 0; user_data < count; ++user_data) must(ring.nop(user_data), site);
    ring.flush_sq();
  }
  void expect_done(std::uint64_t user_data, Site site = Site::here()) {
    EXPECT_EQ_AT(site, wait_cqe(site), (wire::Cqe{.user_data = user_data, .res = 0, .flags = 0}));
  }

 private:
  const RingView& view() const { return wire_log().rings().at(ring.fd()); }
  std::uint32_t slot(std::uint32_t nth) const { return (first_ + nth) & 3; }

  std::uint32_t first_ = 0;
};

// NOPs complete one after another.
TEST_F(SqArrayOrder, IsTheOrderOfSubmission) {
  queue(4);
  write_array({2, 0, 3, 1});
  EXPECT_EQ(must(ring.submit()), 4u);
  for (const std::uint64_t user_data : {2, 0, 3, 1}) expect_done(user_data);
}

// One SQE may be named twice.
TEST_F(SqArrayOrder, MayNameOneTwice) {
  queue(2);
  write_array({1, 1, 2, 3});
  EXPECT_EQ(must(ring.submit()), 2u);
  expect_done(1);
  expect_done(1);
  EXPECT_EQ(take_dropped(), 0u);
}

// An index that is none is skipped and counted, and is no request.
TEST_F(SqArrayOrder, MayHaveAHole) {
  queue(1);
  write_array({77, 1, 2, 3});
  EXPECT_EQ(must(ring.submit()), 0u);
  EXPECT_EQ(taken(), 1u);
  EXPECT_EQ(ring.cq_ready(), 0u);
  EXPECT_EQ(ring.sq_dropped(), 1u);
  must(ring.nop(5));
  EXPECT_EQ(must(ring.submit()), 1u);
  expect_done(5);
  EXPECT_EQ(take_dropped(), 1u);
}

// A request that the kernel refuses is not dropped: it has a CQE.
TEST_F(SqArrayOrder, LosesNoRequest) {
  EXPECT_EQ(complete(wire::Sqe{.opcode = wire::op::nobody, .user_data = 9}),
            (wire::Cqe{.user_data = 9, .res = -EINVAL, .flags = 0}));
  EXPECT_EQ(taken(), 1u);
  EXPECT_EQ(take_dropped(), 0u);
}

// io_uring_enter(2) takes what there is, if it is asked for more.
TEST_F(SqArrayOrder, IsAsLongAsTheTailSays) {
  queue(2);
  EXPECT_EQ(must(ring.enter(0, 0, 0)), 0u);
  EXPECT_EQ(taken(), 0u);
  EXPECT_EQ(must(ring.enter(7, 0, 0)), 2u);
  expect_done(0);
  expect_done(1);
  EXPECT_EQ(must(ring.enter(7, 0, 0)), 0u);
  EXPECT_EQ(taken(), 2u);
}

}  // namespace
