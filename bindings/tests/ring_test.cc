// The ring on a kernel that we play: what no real kernel does on demand. Errors at each step of opening, answers that contradict each
// other, short submits, counters about to wrap, a sleeping SQPOLL thread.
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <vector>

#include "played_kernel.h"

namespace {

using uring::Error, uring::Indices;

using Opening = RingOnAPlayedKernel;
using Submitting = RingOnAPlayedKernel;
using Completing = RingOnAPlayedKernel;
using Resizing = RingOnAPlayedKernel;
using RegisteredRing = RingOnAPlayedKernel;

TEST_F(Opening, ReportsTheErrnoOfEachStepAndLeavesNothing) {
  kernel.setup_error = ENFILE;
  EXPECT_EQ(ring.init(4), Error::nfile);
  kernel.setup_error = 0;
  kernel.ring_map_error = ENOMEM;
  EXPECT_EQ(ring.init(4), Error::nomem);
  kernel.ring_map_error = 0;
  kernel.sqe_map_error = EAGAIN;
  EXPECT_EQ(ring.init(4), Error::again);
  EXPECT_EQ(ring.fd(), -1);
  EXPECT_EQ(kernel.open, 0);
  EXPECT_TRUE(kernel.mappings.empty());
  // And it can be tried again on the same object.
  kernel.sqe_map_error = 0;
  EXPECT_TRUE(ring.init(4).ok());
}

TEST_F(Opening, RefusesAKernelWithoutTheSingleMapping) {
  kernel.features = uring::feat_nodrop;
  EXPECT_EQ(ring.init(4), Error::system_outdated);
}

TEST_F(Opening, RefusesAnswersThatContradictEachOther) {
  kernel.sq_mask_lie = 4;
  EXPECT_EQ(ring.init(4), Error::ring_layout_invalid);
  kernel.sq_mask_lie = 0;
  kernel.cq_entries_lie = 1;
  EXPECT_EQ(ring.init(4), Error::ring_layout_invalid);
  kernel.cq_entries_lie = 0;
  for (const u32 offset : {Played::sq_head, Played::sq_tail, Played::cq_head, Played::cq_tail, Played::sq_dropped,
                           Played::cq_overflow}) {
    kernel.word(offset) = 1;
    EXPECT_EQ(ring.init(4), Error::ring_layout_invalid) << "a new ring with 1 in its word at " << offset;
    kernel.word(offset) = 0;
  }
}

TEST_F(Opening, RefusesLayoutsItDoesNotSpeakWithoutAskingTheKernel) {
  kernel.setup_error = EIO;  // would be seen
  for (const u32 flag : {uring::setup_sqe128, uring::setup_cqe32, uring::setup_sqe_mixed, uring::setup_cqe_mixed,
                         uring::setup_no_mmap, uring::setup_registered_fd_only, uring::setup_sq_rewind}) {
    EXPECT_EQ(ring.init(4, flag), Error::flags_not_supported) << flag;
  }
}

TEST_F(Opening, MovesTakeEverythingAlong) {
  ASSERT_TRUE(ring.init(4).ok());
  ring.nop(7).value();
  Ring moved = std::move(ring);
  EXPECT_EQ(ring.fd(), -1);
  EXPECT_EQ(moved.sq_ready(), 1u);
  EXPECT_EQ(moved.submit(), 1);
  ring = std::move(moved);
  Cqe cqe{};
  EXPECT_TRUE(ring.copy_cqe(cqe).ok());
  EXPECT_EQ(cqe, (Cqe{.user_data = 7, .res = 7, .flags = 0}));
}

TEST_F(Submitting, PublishesOnlyWhenTold) {
  ASSERT_TRUE(ring.init(4).ok());
  ring.nop(1).value();
  ring.nop(2).value();
  EXPECT_EQ(kernel.word(Played::sq_tail), 0u);
  EXPECT_EQ(ring.sq_unflushed(), 2u);
  EXPECT_EQ(ring.flush_sq(), 2u);
  EXPECT_EQ(kernel.word(Played::sq_tail), 2u);
  EXPECT_EQ(ring.sq_unflushed(), 0u);
  EXPECT_EQ(ring.sq_ready(), 2u);
}

// The kernel stops a batch at a request it refuses. What it left is submitted by the next submit, and nothing twice.
TEST_F(Submitting, GoesOnAfterAShortSubmit) {
  ASSERT_TRUE(ring.init(4).ok());
  for (u64 i = 1; i <= 3; ++i) ring.nop(i).value();
  kernel.consume_at_most = 1;
  EXPECT_EQ(ring.submit(), 1);
  EXPECT_EQ(ring.sq_ready(), 2u);
  kernel.consume_at_most = ~0u;
  EXPECT_EQ(ring.submit(), 2);
  EXPECT_EQ(kernel.enter_submit, (std::vector<u32>{3, 2}));
  std::array<Cqe, 8> cqes{};
  ASSERT_EQ(ring.copy_cqes(cqes, 0), 3);
  for (u64 i = 0; i < 3; ++i) EXPECT_EQ(cqes[i].user_data, i + 1);
}

// Counters are 32 bits and wrap; here they start just below, at every distance from the end.
TEST_F(Submitting, KeepsCountingAcrossTheWrapOf32Bits) {
  for (u32 start = ~0u - 9; start != 1; ++start) {
    for (const u32 counter : {Played::sq_head, Played::sq_tail, Played::cq_head, Played::cq_tail}) {
      kernel.word(counter) = start;
    }
    ASSERT_TRUE(ring.init(4).ok()) << start;
    u64 expected = 0;
    for (u32 round = 0; round < 3; ++round) {
      for (int i = 0; i < 4; ++i) ring.nop(++expected).value();
      EXPECT_EQ(ring.nop(0), Error::submission_queue_full);
      EXPECT_EQ(ring.sq_ready(), 4u);
      EXPECT_EQ(ring.submit(), 4);
      EXPECT_EQ(ring.cq_ready(), 4u);
      std::array<Cqe, 3> part{};
      EXPECT_EQ(ring.copy_cqes(part, 0), 3);
      EXPECT_EQ(part[0].user_data, expected - 3);
      EXPECT_EQ(ring.copy_cqes(part, 0), 1);
      EXPECT_EQ(part[0].user_data, expected);
    }
    EXPECT_EQ(ring.indices(), (Indices{start + 12, start + 12, start + 12, start + 12}));
    ring.close();
  }
}

// The ring looks at the kernel's head only when the SQEs it knows to be free are used up, and they end where the array
// ends. Whatever the kernel leaves behind, an SQE is handed out exactly if one is free, and the right one.
TEST_F(Submitting, HandsOutExactlyWhatIsFree) {
  for (u32 start = ~0u - 5; start != 4; ++start) {
    for (const u32 counter : {Played::sq_head, Played::sq_tail, Played::cq_head, Played::cq_tail}) {
      kernel.word(counter) = start;
    }
    ASSERT_TRUE(ring.init(4).ok());
    u32 tail = start;
    for (u32 step = 0; step < 64; ++step) {
      for (u32 wanted = 0; wanted <= step % 5; ++wanted) {
        uring::Sqe* const sqe = ring.get_sqe();
        const u32 head = kernel.word(Played::sq_head);
        ASSERT_EQ(sqe, tail - head < 4 ? &kernel.sqes[tail & 3] : nullptr) << "head " << head << ", tail " << tail;
        if (sqe != nullptr) uring::prep_nop(*sqe, tail++);
        ASSERT_EQ(ring.sq_ready(), tail - head);
      }
      kernel.consume_at_most = step * 7 % 4;
      ASSERT_TRUE(ring.submit().ok());
      ring.cq_advance(ring.cq_ready());
    }
    kernel.consume_at_most = ~0u;
    ring.close();
  }
}

TEST_F(Submitting, ReportsTheErrnoOfEnter) {
  ASSERT_TRUE(ring.init(4).ok());
  ring.nop(1).value();
  kernel.enter_error = EBUSY;
  EXPECT_EQ(ring.submit(), Error::busy);
  EXPECT_EQ(ring.sq_ready(), 1u) << "nothing is lost: the next submit sends it";
  kernel.enter_error = 0;
  EXPECT_EQ(ring.submit(), 1);
}

TEST_F(Submitting, AsksForEventsOnlyWhenItWaits) {
  ASSERT_TRUE(ring.init(4).ok());
  ring.nop(1).value();
  ASSERT_TRUE(ring.submit().ok());
  ring.nop(2).value();
  ASSERT_TRUE(ring.submit_and_wait(1).ok());
  EXPECT_EQ(kernel.enter_flags, (std::vector<u32>{0, uring::enter_getevents}));
  EXPECT_EQ(kernel.enter_wait, (std::vector<u32>{0, 1}));
}

TEST_F(Submitting, APolledRingAlwaysAsksForEvents) {
  ASSERT_TRUE(ring.init(4, uring::setup_iopoll).ok());
  ring.nop(1).value();
  ASSERT_TRUE(ring.submit().ok());
  EXPECT_EQ(kernel.enter_flags, (std::vector<u32>{uring::enter_getevents}));
}

TEST_F(Submitting, EntersForAnSqpollThreadOnlyWhenItSleeps) {
  ASSERT_TRUE(ring.init(4, uring::setup_sqpoll).ok());
  ring.nop(1).value();
  EXPECT_EQ(ring.submit(), 1) << "published for the thread";
  EXPECT_TRUE(kernel.enter_flags.empty());
  kernel.word(Played::sq_flags) = uring::sq_need_wakeup;
  EXPECT_EQ(ring.submit(), 1);
  EXPECT_EQ(kernel.enter_flags, (std::vector<u32>{uring::enter_sq_wakeup}));
}

TEST_F(Completing, WaitsOnlyWhenNothingIsReady) {
  ASSERT_TRUE(ring.init(4).ok());
  std::array<Cqe, 8> cqes{};
  kernel.post({.user_data = 1, .res = 0, .flags = 0});
  EXPECT_EQ(ring.copy_cqes(cqes, 5), 1) << "one is ready: returned at once, whatever was asked for";
  EXPECT_TRUE(kernel.enter_flags.empty());
  EXPECT_EQ(ring.copy_cqes(cqes, 0), 0);
  EXPECT_TRUE(kernel.enter_flags.empty());
  EXPECT_EQ(ring.copy_cqes(cqes, 2), 0) << "the kernel may return without any";
  EXPECT_EQ(kernel.enter_flags, (std::vector<u32>{uring::enter_getevents}));
  EXPECT_EQ(kernel.enter_wait, (std::vector<u32>{2}));
}

TEST_F(Completing, FetchesWhatOverflowed) {
  ASSERT_TRUE(ring.init(4).ok());
  kernel.word(Played::sq_flags) = uring::sq_cq_overflow;
  std::array<Cqe, 8> cqes{};
  EXPECT_EQ(ring.copy_cqes(cqes, 0), 0);
  EXPECT_EQ(kernel.enter_flags, (std::vector<u32>{uring::enter_getevents}));
}

TEST_F(Completing, ReportsTheErrnoOfAWait) {
  ASSERT_TRUE(ring.init(4).ok());
  kernel.enter_error = EINTR;
  Cqe cqe{};
  EXPECT_EQ(ring.copy_cqe(cqe), Error::intr);
}

TEST_F(Completing, VisitsInPlaceAndGivesBackOnce) {
  ASSERT_TRUE(ring.init(4).ok());
  for (u64 i = 0; i < 6; ++i) kernel.post({.user_data = i, .res = 0, .flags = 0});
  ring.cq_advance(6);
  for (u64 i = 6; i < 11; ++i) kernel.post({.user_data = i, .res = 0, .flags = 0});  // across the end of the array
  std::vector<u64> seen;
  EXPECT_EQ(ring.for_each_cqe([&](const Cqe& cqe) {
    EXPECT_EQ(kernel.word(Played::cq_head), 6u) << "given back while still in use";
    seen.push_back(cqe.user_data);
  }), 5u);
  EXPECT_EQ(seen, (std::vector<u64>{6, 7, 8, 9, 10}));
  EXPECT_EQ(kernel.word(Played::cq_head), 11u);
}

// From each place in the array and for each count, up to a full queue: in order, each once, none from beside the array.
TEST_F(Completing, VisitsAcrossTheEndOfTheArray) {
  ASSERT_TRUE(ring.init(4).ok());
  u64 posted = 0, taken = 0;
  for (u32 count = 0; count <= 8; ++count) {
    for (u32 start = 0; start < 8; ++start) {
      for (u32 i = 0; i < count; ++i) kernel.post({.user_data = ++posted, .res = 1, .flags = 2});
      EXPECT_EQ(ring.for_each_cqe([&](const Cqe& cqe) {
        EXPECT_EQ(cqe, (Cqe{.user_data = ++taken, .res = 1, .flags = 2}));
      }), count);
      kernel.post({.user_data = ++posted, .res = 0, .flags = 0});  // the next start is one further
      ++taken;
      ring.cq_advance(1);
    }
  }
}

TEST_F(Completing, NeverWritesBehindTheDestination) {
  ASSERT_TRUE(ring.init(4).ok());
  for (u64 i = 0; i < 5; ++i) kernel.post({.user_data = i + 1, .res = 0, .flags = 0});
  std::array<Cqe, 4> cqes{};
  EXPECT_EQ(ring.copy_cqes(std::span(cqes).first(3), 0), 3);
  EXPECT_EQ(cqes[3], Cqe{});
  EXPECT_EQ(ring.copy_cqes({}, 1), 0) << "no room: nothing to wait for";
  EXPECT_EQ(ring.cq_ready(), 2u);
}

TEST_F(Submitting, WaitsUntilATimeout) {
  ASSERT_TRUE(ring.init(4).ok());
  ring.nop(1).value();
  const uring::Timespec time{.tv_sec = 1, .tv_nsec = 2};
  EXPECT_EQ(ring.submit_and_wait_timeout(3, time, 4), 1);
  EXPECT_EQ(kernel.enter_submit, (std::vector<u32>{1}));
  EXPECT_EQ(kernel.enter_wait, (std::vector<u32>{3}));
  EXPECT_EQ(kernel.enter_flags, (std::vector<u32>{9}));  // GETEVENTS, EXT_ARG
  EXPECT_EQ(kernel.enter_arg_size, 24u);
  EXPECT_EQ(kernel.enter_arg.sigmask, 0u);
  EXPECT_EQ(kernel.enter_arg.sigmask_sz, 0u);
  EXPECT_EQ(kernel.enter_arg.min_wait_usec, 4u);
  EXPECT_EQ(kernel.enter_arg.ts, reinterpret_cast<u64>(&time));

  kernel.enter_error = ETIME;
  EXPECT_EQ(ring.submit_and_wait_timeout(1, time, 0, uring::enter_abs_timer), Error::time);
  EXPECT_EQ(kernel.enter_flags.back(), 41u);
}

TEST_F(Submitting, ATimeoutWakesASleepingSqpollThreadToo) {
  ASSERT_TRUE(ring.init(4, uring::setup_sqpoll).ok());
  kernel.word(Played::sq_flags) = uring::sq_need_wakeup;
  ASSERT_TRUE(ring.submit_and_wait_timeout(1, {}).ok());
  EXPECT_EQ(kernel.enter_flags, (std::vector<u32>{11}));
}

TEST_F(RegisteredRing, EntersThroughItsIndex) {
  ASSERT_TRUE(ring.init(4).ok());
  kernel.on_register = [](uring::RegisterOp op, void* arg, u32 count) -> long {
    EXPECT_EQ(op, uring::RegisterOp::ring_fds);
    EXPECT_EQ(count, 1u);
    auto& update = *static_cast<uring::RsrcUpdate*>(arg);
    EXPECT_EQ(update.offset, 0xffff'ffffu);
    EXPECT_EQ(update.resv, 0u);
    EXPECT_EQ(update.data, static_cast<u64>(Played::fd));
    update.offset = 3;
    return 1;
  };
  ASSERT_TRUE(ring.register_ring_fd().ok());
  ASSERT_TRUE(ring.register_ring_fd().ok()) << "done already";
  EXPECT_EQ(kernel.registered.size(), 1u);
  Ring moved = std::move(ring);
  moved.nop(1).value();
  EXPECT_EQ(moved.submit(), 1);
  EXPECT_EQ(kernel.enter_fd, 3);
  EXPECT_EQ(kernel.enter_flags, (std::vector<u32>{16}));
  EXPECT_EQ(moved.fd(), Played::fd) << "everything else goes on with the descriptor";
  Cqe cqe{};
  EXPECT_TRUE(moved.copy_cqe(cqe).ok());

  // Closing lets the index go: it would keep the ring alive.
  kernel.on_register = [](uring::RegisterOp op, void* arg, u32 count) -> long {
    EXPECT_EQ(op, uring::RegisterOp::unregister_ring_fds);
    EXPECT_EQ(count, 1u);
    EXPECT_EQ(static_cast<uring::RsrcUpdate*>(arg)->offset, 3u);
    EXPECT_EQ(static_cast<uring::RsrcUpdate*>(arg)->data, 0u);
    return -EINVAL;  // as from another thread; closing goes on
  };
  moved.close();
  EXPECT_EQ(kernel.registered.size(), 2u);
  // And nothing of it stays.
  ring = std::move(moved);
  ASSERT_TRUE(ring.init(4).ok());
  ring.nop(1).value();
  EXPECT_EQ(ring.submit(), 1);
  EXPECT_EQ(kernel.enter_fd, Played::fd);
  EXPECT_EQ(kernel.enter_flags.back(), 0u);
}

TEST_F(RegisteredRing, GoesBackToItsDescriptor) {
  ASSERT_TRUE(ring.init(4).ok());
  EXPECT_EQ(ring.unregister_ring_fd(), Error::inval) << "it is not registered";
  kernel.on_register = [](uring::RegisterOp, void*, u32) -> long { return -EBUSY; };
  EXPECT_EQ(ring.register_ring_fd(), Error::busy);
  ASSERT_TRUE(ring.submit().ok());
  EXPECT_EQ(kernel.enter_fd, Played::fd);
  kernel.on_register = [](uring::RegisterOp, void*, u32) -> long { return 1; };
  ASSERT_TRUE(ring.register_ring_fd().ok());
  ASSERT_TRUE(ring.unregister_ring_fd().ok());
  ASSERT_TRUE(ring.submit().ok());
  EXPECT_EQ(kernel.enter_fd, Played::fd);
  EXPECT_EQ(kernel.enter_flags.back(), 0u);
}

TEST_F(Resizing, GoesOnInTheNewMemory) {
  ASSERT_TRUE(ring.init(4, uring::setup_no_sqarray).ok());
  ring.nop(1).value();
  ASSERT_TRUE(ring.submit().ok());
  ring.nop(2).value();  // not published: resize does that
  kernel.on_register = [&](uring::RegisterOp op, void* arg, u32 count) -> long {
    EXPECT_EQ(op, uring::RegisterOp::resize_rings);
    EXPECT_EQ(count, 1u);
    auto& params = *static_cast<uring::Params*>(arg);
    EXPECT_EQ(params.sq_entries, 2u);
    EXPECT_EQ(params.cq_entries, 4u);
    EXPECT_EQ(params.flags, 8u);  // CQSIZE
    EXPECT_EQ(params.sq_off.array, 0u);
    EXPECT_EQ(kernel.word(Played::sq_tail), 2u);
    kernel.shrink(params);
    return 0;
  };
  ASSERT_TRUE(ring.resize(2, 4).ok());
  EXPECT_EQ(kernel.mappings.size(), 2u);
  EXPECT_EQ(ring.sq_entries(), 2u);
  EXPECT_EQ(ring.cq_entries(), 4u);
  EXPECT_EQ(ring.sq_ready(), 1u);
  EXPECT_EQ(ring.cq_ready(), 1u);
  EXPECT_EQ(ring.indices(), (Indices{2, 2, 2, 0}));
  ASSERT_NE(ring.get_sqe(), nullptr);
  EXPECT_EQ(ring.get_sqe(), nullptr) << "of two entries one was taken";
}

TEST_F(Resizing, ChangesNothingWhenTheKernelRefuses) {
  ASSERT_TRUE(ring.init(4, uring::setup_no_sqarray).ok());
  kernel.on_register = [](uring::RegisterOp, void*, u32) -> long { return -EOVERFLOW; };
  EXPECT_EQ(ring.resize(2, 4), Error::overflow);
  EXPECT_EQ(kernel.mappings.size(), 2u);
  ring.nop(1).value();
  EXPECT_EQ(ring.submit(), 1);
}

TEST_F(Resizing, ClosesARingWhoseNewMemoryCannotBeMapped) {
  ASSERT_TRUE(ring.init(4, uring::setup_no_sqarray).ok());
  kernel.on_register = [&](uring::RegisterOp, void* arg, u32) -> long {
    kernel.shrink(*static_cast<uring::Params*>(arg));
    kernel.sqe_map_error = ENOMEM;
    return 0;
  };
  EXPECT_EQ(ring.resize(2, 4), Error::nomem);
  EXPECT_EQ(ring.fd(), -1);
  EXPECT_EQ(kernel.open, 0);
  EXPECT_TRUE(kernel.mappings.empty());
}

TEST_F(Resizing, IsRefusedWhereTheKernelDoesNotSayWhereTheIndexArrayIs) {
  ASSERT_TRUE(ring.init(4).ok());
  EXPECT_EQ(ring.resize(2, 4), Error::flags_not_supported);
  EXPECT_TRUE(kernel.registered.empty()) << "the kernel must not be asked: what it does cannot be undone";
}

using Misuse = RingOnAPlayedKernel;

TEST_F(Misuse, Traps) {
  EXPECT_DEATH(static_cast<void>(ring.enter(0, 0, 0)), "");
  ASSERT_TRUE(ring.init(4).ok());
  EXPECT_DEATH(static_cast<void>(ring.init(4)), "");
  static_assert(!std::is_copy_constructible_v<Ring> && !std::is_copy_assignable_v<Ring>);
}

}  // namespace
