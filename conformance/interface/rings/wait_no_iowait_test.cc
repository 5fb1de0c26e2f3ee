// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// waiting without iowait: a task that waits in io_uring_enter(2) counts as one that waits for a disk. With
// IORING_ENTER_NO_IOWAIT it does not, and nothing else is different.
//
// Needs IORING_ENTER_NO_IOWAIT (6.15, IORING_FEAT_NO_IOWAIT in io_uring_setup(2)). Before, an unknown flag is
// refused. What it is for, a number in /proc/stat, depends on the machine: no test asks for it.

#include <time.h>

#include <cerrno>

#include "fixture/ring_test.h"
#include "seam/kernel_abi.h"
#include "seam/ring_abi.h"

namespace {

using namespace conformance;

class WaitNoIowait : public RingTest<8> {
 protected:
  static std::int64_t now_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1'000'000'000 + now.tv_nsec;
  }
  // Waits for one CQE, 20 ms.
  int wait(unsigned flags) {
    constexpr binding::Timespec soon{.tv_sec = 0, .tv_nsec = 20'000'000};
    return binding::errno_of(ring.submit_and_wait_timeout(1, soon, 0, flags).error());
  }
  // The feature bit says whether the flag is there.
  bool kernel_has_it() const { return kernel_has(wire::feature::no_iowait); }
  std::string witness() {
    EXPECT_EQ(binding::errno_of(ring.enter(0, 0, wire::enter_no_iowait).error()), EINVAL);
    return registration_refused(
        "a wait with NO_IOWAIT", [&] { return wait(wire::enter_no_iowait); }, wire::op::epoll_wait);
  }
};

TEST_F(WaitNoIowait, EndsWhenTheTimeIsOver) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  for (const unsigned flags : {0u, wire::enter_no_iowait}) {
    const std::int64_t start = now_ns();
    EXPECT_EQ(wait(flags), ETIME);
    EXPECT_GE(now_ns() - start, 20'000'000);
  }
}

TEST_F(WaitNoIowait, EndsWithACompletion) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  for (const unsigned flags : {0u, wire::enter_no_iowait}) {
    must(ring.nop(flags));
    submit(1);
    EXPECT_EQ(must(ring.enter(0, 1, wire::enter_getevents | flags)), 0u);
    EXPECT_EQ(ring.cq_ready(), 1u);
    EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = flags, .res = 0, .flags = 0}));
  }
}

// It may come with requests, and without a wait.
TEST_F(WaitNoIowait, IsGoodForEachCall) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  EXPECT_EQ(must(ring.enter(0, 0, wire::enter_no_iowait)), 0u);
  constexpr binding::Timespec far_away{.tv_sec = 3600, .tv_nsec = 0};
  must(ring.nop(1));
  EXPECT_GE(must(ring.submit_and_wait_timeout(1, far_away, 0, wire::enter_no_iowait)), 1u);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 1, .res = 0, .flags = 0}));
}

}  // namespace
