// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// timeout (after a relative time): a request that completes, with ETIME, when ten milliseconds have passed.
// Every deadline of a program hangs on the time being read right: seconds before nanoseconds, in two 64-bit
// words.
//
// Needs TIMEOUT (5.4).

#include <cerrno>
#include <chrono>

#include "fixture/ring_test.h"

namespace {

using namespace conformance;
using namespace std::chrono_literals;

class TimeoutRelative : public SizedRingTest {
 protected:
  binding::Timespec time{.tv_sec = 0, .tv_nsec = 10'000'000};

  binding::Result<binding::Sqe&> queue() { return ring.timeout(0x55555555, &time, 0, 0); }
};

TEST_P(TimeoutRelative, FiresAfterTenMilliseconds) {
  EXPECT_EQ(wire_of(must(queue())), (wire::Sqe{.opcode = wire::op::timeout,
                                               .fd = -1,
                                               .addr = wire::address(&time),
                                               .len = 1,
                                               .user_data = 0x55555555}));
  // A lower bound only, on the clock the kernel uses: a slow machine may be late, never early.
  const auto start = std::chrono::steady_clock::now();
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x55555555, .res = -ETIME, .flags = 0}));
  EXPECT_GE(std::chrono::steady_clock::now() - start, 10ms);
  EXPECT_EQ(ring.cq_ready(), 0u);
}

// No time at all is a time too: it fires at once, and must not be taken for "wait for ever".
TEST_P(TimeoutRelative, FiresAtOnceWithoutTime) {
  time.tv_nsec = 0;
  must(queue());
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x55555555, .res = -ETIME, .flags = 0}));
}

// The kernel has read the time when submit() returns. A binding that only publishes there, and enters later,
// would wait for an hour.
TEST_P(TimeoutRelative, HasReadTheTimeWhenSubmitted) {
  must(queue());
  submit(1);
  time = {.tv_sec = 3600, .tv_nsec = 0};
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x55555555, .res = -ETIME, .flags = 0}));
}

INSTANTIATE_TEST_SUITE_P(, TimeoutRelative, testing::Values(1, 8), ring_size_name);

}  // namespace
