// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// completion queue overflow: CQEs that find no room wait in the kernel, a flag says so, and nothing is lost.
// A server that is slower than its network meets this.
//
// Needs IORING_FEAT_NODROP (5.5) and IORING_SQ_CQ_OVERFLOW (5.8, io_uring_setup(2)). Older kernels count such
// CQEs as lost; there is nothing that they could refuse.

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "fixture/ring_test.h"

namespace {

using namespace conformance;

// Two SQEs, four CQEs.
class CqOverflow : public RingTest<2> {
 protected:
  bool overflows() const { return (sq_flags() & wire::sq_cq_overflow) != 0; }

  // Completes NOPs in pairs, and takes none of their CQEs.
  void fill(unsigned pairs, Site site = Site::here()) {
    for (std::uint64_t i = 0; i < pairs; ++i) {
      must(ring.nop(2 * i), site);
      must(ring.nop(2 * i + 1), site);
      submit(2, site);
    }
    using namespace std::chrono_literals;
    // With SQPOLL the thread may still be at it.
    const auto is_done = [&] { return pairs > 2 ? overflows() : ring.cq_ready() == 2 * pairs; };
    while (configuration().consumes_later() && !is_done()) {
      std::this_thread::sleep_for(1ms);
    }
  }
  // Waits for so many CQEs. Workers complete requests in any order; elsewhere, NOPs keep theirs.
  void take(unsigned count, Site site = Site::here()) {
    for (unsigned i = 0; i < count; ++i) taken.push_back(wait_cqe(site));
    if (configuration().begins_later()) std::ranges::sort(taken, {}, &wire::Cqe::user_data);
  }
  static Cqes done(std::uint64_t count) {
    Cqes nops;
    for (std::uint64_t i = 0; i < count; ++i) nops.push_back({.user_data = i, .res = 0, .flags = 0});
    return nops;
  }
  Cqes taken;
};

TEST_F(CqOverflow, LosesNothing) {
  fill(3);
  EXPECT_EQ(ring.cq_ready(), 4u);
  EXPECT_TRUE(overflows());
  EXPECT_EQ(ring.cq_overflow(), 0u) << "what was lost";
  pollfd ready{.fd = ring.fd(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(poll(&ready, 1, 0), 1);
  EXPECT_EQ(ready.revents, POLLIN);

  // Reading does not bring them: the kernel must be entered.
  const std::size_t entered = enters().size();
  take(4);
  EXPECT_EQ(enters().size(), entered);
  EXPECT_EQ(ring.cq_ready(), 0u);
  EXPECT_TRUE(overflows());
  EXPECT_EQ(ring.enter(0, 0, wire::enter_getevents), 0u);
  EXPECT_EQ(ring.cq_ready(), 2u);
  EXPECT_FALSE(overflows());
  take(2);
  EXPECT_EQ(taken, done(6));
}

// The binding's ordinary way of waiting finds them by itself.
TEST_F(CqOverflow, IsNothingThatAReaderMustKnow) {
  fill(3);
  take(6);
  EXPECT_EQ(taken, done(6));
  EXPECT_FALSE(overflows());
}

// A full queue does not keep requests from being submitted, nor a wait from ending.
TEST_F(CqOverflow, DoesNotStopSubmission) {
  fill(2);
  EXPECT_EQ(ring.cq_ready(), 4u);
  EXPECT_FALSE(overflows());
  must(ring.nop(4));
  submit_and_wait(1, 1);
  take(5);
  EXPECT_EQ(taken, done(5));
}

// Waiting for more CQEs than there is room for ends when the queue is full.
TEST_F(CqOverflow, IsAsFarAsAWaitGoes) {
  fill(1);
  must(ring.nop(2));
  must(ring.nop(3));
  submit_and_wait(2, 1000);
  EXPECT_EQ(ring.cq_ready(), 4u);
}

}  // namespace
