// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// multishot timeout: one TIMEOUT that fires again and again, as often as its count says or until it is
// removed. A program's tick, without arming a timeout for each.
//
// Needs IORING_TIMEOUT_MULTISHOT (6.4, io_uring_prep_timeout(3)). Before, the flag is refused. Nothing that a
// kernel can be asked for is as young; REG_REG_RING is of 6.3.

#include <cerrno>
#include <chrono>

#include "fixture/ring_test.h"

namespace {

using namespace conformance;
using namespace std::chrono_literals;

class TimeoutMultishot : public RingTest<8> {
 protected:
  binding::Timespec never{.tv_sec = 3600, .tv_nsec = 0}, tick{.tv_sec = 0, .tv_nsec = 10'000'000};

  binding::Result<binding::Sqe&> queue(const binding::Timespec& time, std::uint32_t count) {
    return ring.timeout(1, &time, count, wire::timeout_multishot);
  }
  static wire::Sqe wanted(const binding::Timespec& time, std::uint32_t count) {
    return {.opcode = wire::op::timeout,
            .fd = -1,
            .off = count,
            .addr = wire::address(&time),
            .len = 1,
            .op_flags = wire::timeout_multishot,
            .user_data = 1};
  }
  void arm(const binding::Timespec& time, std::uint32_t count, Site site = Site::here()) {
    expect_equal(site, "the TIMEOUT", wire_of(must(queue(time, count), site)), wanted(time, count));
    submit(1, site);
  }
  std::string witness() {
    return refused([&] { return queue(tick, 3); }, wanted(tick, 3), [] { return ""; },
                   Modifier{.name = "multishot", .proxy = wire::feature::reg_reg_ring});
  }
  // Removes it with request 2, and returns the CQEs that came up to a NOP with user_data 3, without the ticks
  // before the end. A tick that is just being delivered hides the timeout from the removal, which says so.
  Cqes remove(Site site = Site::here()) {
    Cqes cqes;
    do {
      must(ring.timeout_remove(2, 1, 0), site);
      submit(1, site);
      cqes = cqes_before_nop(3, site);
      while (cqes.front() == ticked) cqes.erase(cqes.begin());
    } while (cqes.front() == hidden || cqes.front() == firing);
    return cqes;
  }
  static constexpr wire::Cqe hidden{.user_data = 2, .res = -ENOENT, .flags = 0};
  static constexpr wire::Cqe firing{.user_data = 2, .res = -EALREADY, .flags = 0};
  static constexpr wire::Cqe ticked{.user_data = 1, .res = -ETIME, .flags = wire::cqe_more};
};

// Each CQE but the last says that there will be more.
TEST_F(TimeoutMultishot, FiresAsOftenAsItsCountSays) {
  if (!kernel_has(wire::feature::reg_reg_ring)) GTEST_SKIP() << witness();
  const auto start = std::chrono::steady_clock::now();
  arm(tick, 3);
  ASSERT_EQ(wait_cqe(), ticked);
  ASSERT_EQ(wait_cqe(), ticked);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 1, .res = -ETIME, .flags = 0}));
  EXPECT_GE(std::chrono::steady_clock::now() - start, 30ms);
  must(ring.timeout_remove(2, 1, 0));
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 2, .res = -ENOENT, .flags = 0}));
}

TEST_F(TimeoutMultishot, FiresUntilItIsRemoved) {
  if (!kernel_has(wire::feature::reg_reg_ring)) GTEST_SKIP() << witness();
  arm(tick, 0);
  for (int i = 0; i < 4; ++i) ASSERT_EQ(wait_cqe(), ticked) << i;
  EXPECT_EQ(remove(), (Cqes{{.user_data = 1, .res = -ECANCELED, .flags = 0},
                            {.user_data = 2, .res = 0, .flags = 0},
                            {.user_data = 3, .res = 0, .flags = 0}}));
}

// Another time for one that has not fired yet: it ticks with that.
TEST_F(TimeoutMultishot, TakesAnotherTime) {
  if (!kernel_has(wire::feature::reg_reg_ring)) GTEST_SKIP() << witness();
  arm(never, 0);
  must(ring.timeout_update(9, 1, &tick, 0));
  submit(1);
  ASSERT_EQ(wait_cqe(), (wire::Cqe{.user_data = 9, .res = 0, .flags = 0}));
  ASSERT_EQ(wait_cqe(), ticked);
  ASSERT_EQ(wait_cqe(), ticked);
  EXPECT_EQ(remove(), (Cqes{{.user_data = 1, .res = -ECANCELED, .flags = 0},
                            {.user_data = 2, .res = 0, .flags = 0},
                            {.user_data = 3, .res = 0, .flags = 0}}));
}

// A moment comes once.
TEST_F(TimeoutMultishot, IsNoMoment) {
  if (!kernel_has(wire::feature::reg_reg_ring)) GTEST_SKIP() << witness();
  wire::Sqe moment = wanted(tick, 3);
  moment.op_flags |= wire::timeout_abs;
  EXPECT_EQ(complete(moment), (wire::Cqe{.user_data = 1, .res = -EINVAL, .flags = 0}));
}

}  // namespace
