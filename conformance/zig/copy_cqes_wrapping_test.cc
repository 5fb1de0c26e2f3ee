// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// copy_cqes with wrapping sq.cqes buffer: the CQ has four slots, and every batch of four starts in the middle
// of it, so that copying it out takes two pieces. 4094 timeouts, each with a number of its own.
//
// Needs TIMEOUT (5.4).

#include <algorithm>
#include <vector>

#include "fixture/ring_test.h"

namespace {

using namespace conformance;

// Two entries: the CQ then has four, and every batch wraps.
class CopyCqesWrapping : public RingTest<2> {
 protected:
  // What no CQE of this file looks like: what copy_cqes did not write.
  static constexpr wire::Cqe untouched{.user_data = 0xfefefefefefefefe, .res = 4711, .flags = 0xfefefefe};

  std::array<binding::Cqe, 8> cqes;
  binding::Timespec ten_us{.tv_sec = 0,
                           .tv_nsec = 10'000};  // the kernel reads it when the timeout is submitted

  // Calls copy_cqes with room for `room`, and returns what it copied. The rest of the array stays as it was.
  std::vector<wire::Cqe> copy(std::uint32_t wait_for, std::size_t room = 8, Site site = Site::here()) {
    cqes.fill(std::bit_cast<binding::Cqe>(untouched));
    const std::uint32_t count = must(ring.copy_cqes(std::span(cqes).first(room), wait_for), site);
    if (count > room) stop(Site::here(), "copied more than there is room for");
    std::vector<wire::Cqe> copied;
    for (std::size_t i = 0; i < cqes.size(); ++i) {
      if (i < count) {
        copied.push_back(wire_of(cqes[i]));
      } else {
        EXPECT_EQ(wire_of(cqes[i]), untouched) << "after the " << count << " that were copied";
      }
    }
    return copied;
  }

  // Starts `count` timeouts, numbered on from `started`, and copies their CQEs out.
  void run_timeouts(std::uint32_t count, Site site = Site::here()) {
    const std::uint64_t first = started;
    for (std::uint32_t i = 0; i < count; ++i) {
      EXPECT_EQ_AT(site, wire_of(must(ring.timeout(started, &ten_us, 0, 0), site)),
                   (wire::Sqe{.opcode = wire::op::timeout,
                              .fd = -1,
                              .addr = wire::address(&ten_us),
                              .len = 1,
                              .user_data = started}));
      ++started;
      submit(1, site);
    }
    // Any timeout may end the wait, whatever number was waited for (as 5.4 does): fewer may come, even none.
    std::uint32_t n = 0;
    std::uint64_t seen = 0;  // a bit for each
    while (n < count) {
      for (const wire::Cqe& cqe : copy(count - n)) {
        // In no order: they fire as they like.
        EXPECT_EQ_AT(site, cqe, (wire::Cqe{.user_data = cqe.user_data, .res = -ETIME, .flags = 0}));
        if (cqe.user_data - first < count) seen |= 1ull << (cqe.user_data - first);
        ++n;
      }
    }
    EXPECT_EQ_AT(site, n, count);
    EXPECT_EQ(seen, (1ull << count) - 1) << "each of the " << count << " from " << first << " on, once";
  }
  std::uint64_t started = 0;
};

TEST_F(CopyCqesWrapping, CopiesEveryBatchInTwoPieces) {
  EXPECT_EQ(ring.sq_entries(), 2u);
  EXPECT_EQ(ring.cq_entries(), 4u);
  run_timeouts(2);
  EXPECT_EQ(ring.indices().cq_head, 2u);
  // Where a thread takes the SQEs and there is one processor, each submission is a turn of the scheduler.
  const std::uint32_t batches = configuration().consumes_later() ? 64 : 1024;
  for (std::uint32_t i = 1; i < batches; ++i) {
    run_timeouts(4);
    ASSERT_EQ(ring.indices().cq_head, 2 + 4 * i);
    if (HasFailure()) return;  // stop at the first failure; 1,000 copies of it help no one
  }
  EXPECT_EQ(started, 4 * batches - 2);
}

// Timeouts fire one by one, and a copy above may get one CQE each time and never wrap. Here all four are
// there before the first copy: from each slot of the CQ on, with room for fewer, for just as many, and for
// more.
TEST_F(CopyCqesWrapping, CopiesInOrderFromEverySlot) {
  std::uint64_t sent = 0, received = 0;
  for (std::uint32_t slot = 0; slot < 4; ++slot) {
    for (const std::size_t room : {1u, 2u, 3u, 4u, 8u}) {
      while (ring.indices().cq_head % 4 != slot) {
        must(ring.nop(sent++));
        submit_and_wait(1, 1);
        EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = received++, .res = 0, .flags = 0}));
      }
      for (const std::uint32_t there : {2u, 4u}) {
        must(ring.nop(sent++));
        const bool in_any_order = configuration().begins_later();  // together, that is
        if (in_any_order) submit(1);
        must(ring.nop(sent++));
        submit_and_wait(in_any_order ? 1 : 2, there);
      }
      ASSERT_EQ(ring.cq_ready(), 4u);

      std::size_t left = 4;
      while (left > 0) {
        const std::vector<wire::Cqe> copied = copy(0, room);
        ASSERT_EQ(copied.size(), std::min(room, left)) << "from slot " << slot << ", room for " << room;
        for (const wire::Cqe& cqe : copied) {
          EXPECT_EQ(cqe, (wire::Cqe{.user_data = received++, .res = 0, .flags = 0}));
        }
        left -= copied.size();
        EXPECT_EQ(ring.cq_ready(), left);
      }
    }
  }
}

// What is there is returned at once, whatever is waited for; and without waiting, nothing is nothing. Either
// mistake is a wait that never ends.
TEST_F(CopyCqesWrapping, DoesNotWaitForWhatItWasNotAskedFor) {
  EXPECT_EQ(copy(0).size(), 0u);
  EXPECT_EQ(enters(), std::vector<std::string>{})
      << "nothing overflowed: there is nothing to ask the kernel for";
  must(ring.nop(1));
  submit_and_wait(1, 1);
  EXPECT_EQ(copy(2), (std::vector{wire::Cqe{.user_data = 1, .res = 0, .flags = 0}}));
  EXPECT_EQ(copy(0).size(), 0u);
}

// It waits for as many as it was asked to, and not until there is no room left: a program that waits for one
// of eight would wait for ever. Where both have fired before the copy there is nothing to wait for: once
// more.
TEST_F(CopyCqesWrapping, WaitsForAsManyAsItWasAskedTo) {
  const binding::Timespec later{.tv_sec = 0, .tv_nsec = 20'000'000};
  std::string waited;
  while (waited.empty()) {
    for (const std::uint64_t user_data : {1, 2}) must(ring.timeout(user_data, &later, 0, 0));
    submit(2);
    const std::size_t before = enters().size();
    std::size_t copied = copy(2).size();
    if (enters().size() > before) waited = enters()[before];
    while (copied < 2) copied += copy(static_cast<std::uint32_t>(2 - copied)).size();
  }
  EXPECT_NE(waited.find(" wait=2 "), std::string::npos) << waited;
}

}  // namespace
