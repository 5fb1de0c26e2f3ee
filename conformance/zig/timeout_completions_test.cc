// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// timeout (after a number of completions): a timeout that ends with 0 as soon as one other request has
// completed, long before its time. It is how a program waits for "n events or a deadline" in one request.
//
// Needs TIMEOUT with a count (5.4).

#include <cerrno>

#include "fixture/ring_test.h"

namespace {

using namespace conformance;

class TimeoutCompletions : public SizedRingTest {
 protected:
  // Zig waits for 3 s. A time that never comes says the same, and no stall of the machine can reach it.
  binding::Timespec time{.tv_sec = 3600, .tv_nsec = 0};

  binding::Result<binding::Sqe&> queue(std::uint32_t count) {
    return ring.timeout(0x66666666, &time, count, 0);
  }
};

TEST_P(TimeoutCompletions, IsSatisfiedByOneCompletion) {
  EXPECT_EQ(wire_of(must(queue(1))), (wire::Sqe{.opcode = wire::op::timeout,
                                                .fd = -1,
                                                .off = 1,
                                                .addr = wire::address(&time),
                                                .len = 1,
                                                .user_data = 0x66666666}));
  EXPECT_EQ(wire_of(must(ring.nop(0x77777777))),
            (wire::Sqe{.opcode = wire::op::nop, .user_data = 0x77777777}));
  submit(2);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x77777777, .res = 0, .flags = 0}));
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x66666666, .res = 0, .flags = 0}));
}

// The number counts: one completion does not satisfy a timeout that wants two.
TEST_P(TimeoutCompletions, WaitsForTheSecondCompletion) {
  must(queue(2));
  must(ring.nop(0x77777777));
  submit(2);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x77777777, .res = 0, .flags = 0}));
  EXPECT_EQ(ring.cq_ready(), 0u);

  must(ring.nop(0x78787878));
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x78787878, .res = 0, .flags = 0}));
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x66666666, .res = 0, .flags = 0}));
}

// Whatever comes first: with a count, the time still ends it.
TEST_P(TimeoutCompletions, StillHasATime) {
  time = {.tv_sec = 0, .tv_nsec = 1'000'000};
  must(queue(1));
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x66666666, .res = -ETIME, .flags = 0}));
}

INSTANTIATE_TEST_SUITE_P(, TimeoutCompletions, testing::Values(2, 8), ring_size_name);

}  // namespace
