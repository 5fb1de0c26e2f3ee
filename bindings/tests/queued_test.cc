// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// What operations return, and room for several of them, on a fake kernel.
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <vector>

#include "played_kernel.h"

namespace {

using uring::Error, uring::Queued, uring::Result, uring::Sqe, uring::u16;

// All that was written for a Result<Sqe&> can be done with it, in the same word.
static_assert(std::is_base_of_v<Result<Sqe&>, Queued> && sizeof(Queued) == sizeof(void*));
static_assert(std::is_convertible_v<Queued, Result<Sqe&>> && !std::is_convertible_v<Queued, bool>);

class Queueing : public RingOnAPlayedKernel {
 protected:
  void SetUp() override { ASSERT_TRUE(ring.init(4).ok()); }

  // What `set` makes of a prepared NOP.
  Sqe changed(const std::function<Queued(Queued)>& set) {
    std::memset(static_cast<void*>(&kernel.sqe(kernel.word(Played::sq_tail) & 3)), 0xff, 64);
    const Queued queued = set(ring.nop(7));
    EXPECT_EQ(&queued.value(), kernel.user_sqe(kernel.word(Played::sq_tail) & 3)) << "another SQE";
    const Sqe sqe = *queued;
    EXPECT_EQ(ring.submit(), 1);
    ring.cq_advance(1);
    return sqe;
  }
};

TEST_F(Queueing, SetsWhatItsNameSays) {
  const auto flags = [](uring::u8 bits) { return Sqe{.flags = bits, .user_data = 7}; };
  EXPECT_EQ(changed([](Queued queued) { return queued; }), flags(0));
  EXPECT_EQ(changed([](Queued queued) { return queued.fixed_file(); }), flags(1));
  EXPECT_EQ(changed([](Queued queued) { return queued.drain(); }), flags(2));
  EXPECT_EQ(changed([](Queued queued) { return queued.link(); }), flags(4));
  EXPECT_EQ(changed([](Queued queued) { return queued.hard_link(); }), flags(8));
  EXPECT_EQ(changed([](Queued queued) { return queued.async(); }), flags(16));
  EXPECT_EQ(changed([](Queued queued) { return queued.skip_success(); }), flags(64));
  EXPECT_EQ(changed([](Queued queued) { return queued.select_buffer(0xabcd); }),
            (Sqe{.flags = 32, .user_data = 7, .buf_index = 0xabcd}));
  EXPECT_EQ(changed([](Queued queued) { return queued.set_personality(0xabcd); }),
            (Sqe{.user_data = 7, .personality = 0xabcd}));
  EXPECT_EQ(changed([](Queued queued) { return queued.with([](Sqe& sqe) { sqe.ioprio = 3; }); }),
            (Sqe{.ioprio = 3, .user_data = 7}));
  const auto* const address = reinterpret_cast<const sockaddr*>(&kernel);
  EXPECT_EQ(changed([&](Queued queued) { return queued.set_destination(address, 28); }),
            (Sqe{.off = reinterpret_cast<u64>(address), .user_data = 7, .file_index = [] {
                   Sqe sqe{};
                   uring::set_destination(sqe, nullptr, 28);
                   return sqe.file_index;
                 }()}));
}

// None takes away what another has set.
TEST_F(Queueing, SetsSeveralThings) {
  EXPECT_EQ(changed([](Queued queued) {
              return queued.link().hard_link().drain().async().fixed_file().skip_success();
            }),
            (Sqe{.flags = 1 | 2 | 4 | 8 | 16 | 64, .user_data = 7}));
  EXPECT_EQ(changed([](Queued queued) { return queued.link().select_buffer(5).set_personality(6).async(); }),
            (Sqe{.flags = 4 | 16 | 32, .user_data = 7, .buf_index = 5, .personality = 6}));
}

// This was a SIGILL: ring.nop(1).value().flags |= sqe_io_link.
TEST_F(Queueing, AFullQueueIsAnErrorAtTheEndOfTheChain) {
  for (u64 i = 0; i < 4; ++i) ASSERT_TRUE(ring.nop(i).ok());
  std::array<Sqe, 4> before;
  for (u32 i = 0; i < 4; ++i) before[i] = kernel.sqe(i);
  const Queued queued = ring.nop(5)
                            .link()
                            .hard_link()
                            .drain()
                            .async()
                            .fixed_file()
                            .skip_success()
                            .select_buffer(1)
                            .set_personality(2)
                            .set_destination(nullptr, 28)
                            .with([](Sqe&) { ADD_FAILURE() << "there is nothing to change"; });
  EXPECT_FALSE(queued);
  EXPECT_EQ(queued, Error::submission_queue_full);
  EXPECT_EQ(queued.error(), Error::submission_queue_full);
  for (u32 i = 0; i < 4; ++i) EXPECT_EQ(kernel.sqe(i), before[i]) << "SQE " << i;
  EXPECT_EQ(ring.sq_ready(), 4u);
}

TEST_F(Queueing, IsAResult) {
  const Queued queued = ring.nop(7);
  EXPECT_TRUE(queued);
  EXPECT_EQ(queued->user_data, 7u);
  EXPECT_EQ((*queued).user_data, 7u);
  const Result<Sqe&> result = queued;
  EXPECT_EQ(&result.value(), &queued.value());
  EXPECT_EQ(result, queued);
  EXPECT_EQ(queued.error(), Error::none);
  const Queued none = Error::length_too_large;
  EXPECT_EQ(none, Error::length_too_large);
  Sqe sqe{};
  EXPECT_EQ(&Queued(sqe).link().value(), &sqe);
}

// Before and after the end of the array and of 32 bits, whatever the kernel has left over: n SQEs are
// promised if and only if there are n, and what was promised is kept.
TEST_F(Queueing, ReservesWhatIsFree) {
  ring.close();
  for (u32 start = ~0u - 5; start != 4; ++start) {
    for (const u32 counter : {Played::sq_head, Played::sq_tail, Played::cq_head, Played::cq_tail}) {
      kernel.word(counter) = start;
    }
    ASSERT_TRUE(ring.init(4).ok());
    EXPECT_EQ(ring.sq_space_left(), 4u);
    for (u32 step = 0; step < 64; ++step) {
      const u32 free = 4 - ring.sq_ready(), wanted = step % 5;
      ASSERT_EQ(ring.sq_space_left(), free);
      for (const u32 more : {5u, 1u << 31, ~0u}) ASSERT_EQ(ring.reserve(more), Error::submission_queue_full);
      const Result<void> reserved = ring.reserve(wanted);
      ASSERT_EQ(reserved, wanted <= free ? Error::none : Error::submission_queue_full);
      ASSERT_EQ(ring.sq_space_left(), free) << "asking takes nothing";
      if (reserved.ok()) {
        for (u32 i = 0; i < wanted; ++i) ASSERT_TRUE(ring.nop(i).ok());
        ASSERT_EQ(ring.sq_space_left(), free - wanted);
      }
      kernel.consume_at_most = step * 7 % 4;
      ASSERT_TRUE(ring.submit().ok());
      ring.cq_advance(ring.cq_ready());
    }
    kernel.consume_at_most = ~0u;
    ring.close();
  }
}

// With a poller, publishing frees nothing: an SQE is free when the thread has consumed it, without a call.
TEST_F(Queueing, ReservesWhatAnSqpollThreadHasConsumed) {
  ring.close();
  ASSERT_TRUE(ring.init(4, uring::setup_sqpoll).ok());
  for (u64 i = 0; i < 4; ++i) ASSERT_TRUE(ring.nop(i).ok());
  EXPECT_EQ(ring.submit(), 4);
  EXPECT_EQ(ring.sq_space_left(), 0u);
  EXPECT_EQ(ring.reserve(1), Error::submission_queue_full);
  kernel.consume(3);
  EXPECT_EQ(ring.sq_space_left(), 3u);
  EXPECT_EQ(ring.reserve(4), Error::submission_queue_full);
  ASSERT_TRUE(ring.reserve(3).ok());
  for (u64 i = 0; i < 3; ++i) EXPECT_TRUE(ring.nop(i).link().ok());
  EXPECT_EQ(ring.nop(3).link(), Error::submission_queue_full);
  EXPECT_TRUE(kernel.enter_flags.empty());
}

TEST_F(Queueing, ReservesInTheQueueOfAnotherSize) {
  ring.close();
  ASSERT_TRUE(ring.init(4, uring::setup_no_sqarray).ok());
  kernel.on_register = [this](uring::RegisterOp, void* arg, u32) -> long {
    kernel.shrink(*static_cast<uring::Params*>(arg));
    return 0;
  };
  ASSERT_TRUE(ring.resize(2, 4).ok());
  EXPECT_EQ(ring.sq_space_left(), 2u);
  EXPECT_TRUE(ring.reserve(2).ok());
  EXPECT_EQ(ring.reserve(3), Error::submission_queue_full);
}

// What reserve says to do when the queue of a poller is full.
TEST(QueueingOnThisKernel, ASqpollThreadFreesWhatItConsumes) {
  uring::Ring ring;
  ASSERT_TRUE(ring.init(4, uring::setup_sqpoll).ok()) << "no ring with a poller here";
  for (u64 round = 0; round < 100; ++round) {
    while (ring.nop(round).ok()) continue;
    ASSERT_TRUE(ring.submit().ok());
    while (!ring.reserve(1)) ASSERT_TRUE(ring.enter(0, 0, uring::enter_sq_wait).ok()) << round;
    ring.cq_advance(ring.cq_ready());
  }
}

}  // namespace
