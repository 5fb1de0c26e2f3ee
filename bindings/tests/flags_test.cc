// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The words of flags that have types of their own.
#include <gtest/gtest.h>

#include <uring/uring.h>

namespace {

using uring::PollFlags, uring::RecvSend;

TEST(Flags, AreAddedUp) {
  EXPECT_EQ(static_cast<uring::u32>(PollFlags::add_multi | PollFlags::update_events), 3u);
  EXPECT_EQ(PollFlags::update_events | PollFlags::update_events, PollFlags::update_events);
  EXPECT_EQ(static_cast<uring::u16>(RecvSend::poll_first | RecvSend::bundle), 0x11u);
  EXPECT_EQ(RecvSend::multishot | RecvSend::multishot, RecvSend::multishot);
}

TEST(Flags, OfAQueuedRequestAreAddedToThoseItHas) {
  uring::Sqe sqe;
  uring::prep_recv_multishot(sqe, 1, 5, 7, 0);
  EXPECT_TRUE(uring::Queued(sqe).poll_first().ok());
  EXPECT_EQ(sqe.ioprio, 3u);
  EXPECT_EQ(uring::Queued(uring::Error::submission_queue_full).poll_first(),
            uring::Error::submission_queue_full);
}

}  // namespace
