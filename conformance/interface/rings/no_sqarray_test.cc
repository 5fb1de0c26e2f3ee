// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// no index array: with IORING_SETUP_NO_SQARRAY the kernel takes the SQEs in the order of their places,
// without the array of indices that nearly every binding fills with 0, 1, 2 and so on.
//
// Needs IORING_SETUP_NO_SQARRAY (6.6, io_uring_setup(2)). Before, an unknown flag is refused. The tests open
// the ring anew, with this flag alone.

#include "evidence/environment.h"
#include "fixture/ring_test.h"

namespace {

using namespace conformance;

class NoSqarray : public RingTest<4> {
 protected:
  std::uint64_t queued = 0, completed = 0;

  static bool kernel_has_it() { return kernel_takes(4, wire::setup_no_sqarray); }
  std::string witness() {
    return ring_refused("NO_SQARRAY", wire::setup_no_sqarray, wire::op::read_multishot);
  }
  // Submits so many NOPs, numbered on and on.
  void submit_nops(unsigned count, Site site = Site::here()) {
    for (unsigned i = 0; i < count; ++i) must(ring.nop(++queued), site);
    EXPECT_EQ_AT(site, must(ring.submit(), site), count);
  }
  void expect_nops(unsigned count, Site site = Site::here()) {
    for (unsigned i = 0; i < count; ++i) {
      EXPECT_EQ_AT(site, wait_cqe(site), (wire::Cqe{.user_data = ++completed, .res = 0, .flags = 0}));
    }
  }
};

// Nothing tells where the array is, because there is none.
TEST_F(NoSqarray, HasNoArray) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(wire::setup_no_sqarray);
  EXPECT_EQ(wire_log().rings().at(ring.fd()).params.sq_off.array, 0u);
  EXPECT_EQ(ring.flags(), wire::setup_no_sqarray);
}

// The whole ring, and then on over its end: three at a time on a ring of four.
TEST_F(NoSqarray, TakesThemInOrder) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(wire::setup_no_sqarray);
  submit_nops(4);
  expect_nops(4);
  for (int round = 0; round < 3; ++round) {
    submit_nops(3);
    expect_nops(3);
  }
}

// With some still in the completion queue: each queue has a position of its own.
TEST_F(NoSqarray, TakesThemByTheirPlace) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(wire::setup_no_sqarray);
  submit_nops(3);
  expect_nops(1);
  submit_nops(2);
  expect_nops(1);
  submit_nops(3);
  expect_nops(6);
}

}  // namespace
