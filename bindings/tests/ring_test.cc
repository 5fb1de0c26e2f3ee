// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The ring on a fake kernel: what no real kernel does on demand. Errors at each step of opening, answers that
// contradict each other, short submits, counters about to wrap, a sleeping SQPOLL thread.
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "played_kernel.h"
#include "trap.h"

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
  // The same object can be opened again afterwards.
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
  for (const u32 offset : {Played::sq_head, Played::sq_tail, Played::cq_head, Played::cq_tail,
                           Played::sq_dropped, Played::cq_overflow}) {
    kernel.word(offset) = 1;
    EXPECT_EQ(ring.init(4), Error::ring_layout_invalid) << "a new ring with 1 in its word at " << offset;
    kernel.word(offset) = 0;
  }
}

// Numbers that agree with each other but that no kernel returns.
TEST_F(Opening, RefusesQueuesThatCannotBe) {
  const std::size_t usual = std::exchange(kernel.ring_bytes, Played::array);
  kernel.sq_count = kernel.sq_size = 0;
  EXPECT_EQ(ring.init(4), Error::ring_layout_invalid);
  kernel.sq_count = kernel.sq_size = 4;
  kernel.ring_bytes = usual;
  kernel.cq_count = 2;
  EXPECT_EQ(ring.init(4), Error::ring_layout_invalid) << "fewer CQEs than SQEs";
  kernel.cq_count = 4;
  EXPECT_TRUE(ring.init(4).ok()) << "as many is what setup_cqsize may ask for";
}

TEST_F(Opening, StartsWhereTheKernelStands) {
  for (const u32 start : {7u, ~0u}) {
    for (const u32 counter : {Played::sq_head, Played::sq_tail, Played::cq_head, Played::cq_tail}) {
      kernel.word(counter) = start;
    }
    ASSERT_TRUE(ring.init(4).ok());
    EXPECT_EQ(ring.indices(), (Indices{start, start, start, start}));
    EXPECT_EQ(ring.sq_unflushed(), 0u);
    ring.close();
  }
}

// Whatever other flags are set, only setup_no_sqarray means that there is no index array.
TEST_F(Opening, FillsTheIndexArrayAndNothingBehindIt) {
  for (const u32 flags : {0u, u32{uring::setup_clamp}}) {
    for (u32 i = 0; i != 9; ++i) kernel.word(Played::array + 4 * i) = 0xffff'ffff;
    ASSERT_TRUE(ring.init(4, flags).ok());
    for (u32 i = 0; i != 4; ++i) EXPECT_EQ(kernel.word(Played::array + 4 * i), i);
    for (u32 i = 4; i != 9; ++i)
      EXPECT_EQ(kernel.word(Played::array + 4 * i), 0xffff'ffff) << "behind the array";
    ring.close();
  }
}

TEST_F(Opening, AsksForAPollerThatSleepsAfterASecond) {
  ASSERT_TRUE(ring.init(4, uring::setup_sqpoll).ok());
  EXPECT_EQ(kernel.setup_params.flags, uring::setup_sqpoll);
  EXPECT_EQ(kernel.setup_params.sq_thread_idle, 1000u);
  EXPECT_EQ(kernel.setup_params.sq_thread_cpu, 0u);
  EXPECT_EQ(ring.flags(), uring::setup_sqpoll);
  EXPECT_EQ(ring.features(), uring::feat_single_mmap);
}

// Only what the kernel reads may be set, and only with the flag that makes the kernel read it.
TEST_F(Opening, TrapsOnParametersThatTheKernelWouldNotRead) {
  const auto opening = [this](auto change) {
    uring::Params params{};
    change(params);
    return ring.init_params(4, params).ok();
  };
  EXPECT_EXIT(opening([](auto& params) { params.sq_entries = 1; }), trapped, "");
  EXPECT_EXIT(opening([](auto& params) { params.features = 1; }), trapped, "");
  for (const u32 flags :
       {0u, u32{uring::setup_clamp}}) {  // neither is the flag that makes the kernel read it
    EXPECT_EXIT(opening([flags](auto& params) { params.flags = flags, params.cq_entries = 8; }), trapped, "");
    EXPECT_EXIT(opening([flags](auto& params) { params.flags = flags, params.wq_fd = 3; }), trapped, "");
  }
  for (u32 i = 0; i < 3; ++i) {
    EXPECT_EXIT(opening([i](auto& params) { params.resv[i] = 1; }), trapped, "");
  }
  EXPECT_TRUE(opening([](auto& params) { params.flags = uring::setup_cqsize, params.cq_entries = 8; }));
  ring.close();
  EXPECT_TRUE(opening([](auto& params) { params.flags = uring::setup_attach_wq, params.wq_fd = 3; }));
  EXPECT_EQ(kernel.setup_params.wq_fd, 3u);
}

TEST_F(Opening, TrapsWhenTheRingIsOpen) {
  ASSERT_TRUE(ring.init(4).ok());
  EXPECT_EXIT(static_cast<void>(ring.init(4)), trapped, "");
}

TEST_F(Opening, AClosedRingIsAsANewOne) {
  const auto is_new = [](const Ring& closed) {
    EXPECT_EQ(closed.fd(), -1);
    EXPECT_EQ(closed.flags(), 0u);
    EXPECT_EQ(closed.features(), 0u);
    EXPECT_EQ(closed.sq_entries(), 0u);
    EXPECT_EQ(closed.cq_entries(), 0u);
  };
  is_new(ring);
  ASSERT_TRUE(ring.init(4, uring::setup_clamp).ok());
  ring.close();
  is_new(ring);
  EXPECT_EXIT(static_cast<void>(ring.enter(0, 0, 0)), trapped, "");
  EXPECT_EXIT(static_cast<void>(ring.enable_rings()), trapped, "");
  ASSERT_TRUE(ring.init(4, uring::setup_clamp).ok());
  Ring moved = std::move(ring);
  is_new(ring);
  EXPECT_EQ(moved.flags(), uring::setup_clamp);
  EXPECT_EQ(moved.features(), uring::feat_single_mmap);
  EXPECT_EXIT(static_cast<void>(ring.enter(0, 0, 0)), trapped, "");
  moved.close();
  ASSERT_TRUE(ring.init(4).ok());
  ASSERT_TRUE(ring.submit().ok());
  EXPECT_EQ(kernel.enter_flags.back(), 0u) << "moved from and opened again, it has no flags of before";
}

// Where standard input is closed the kernel gives a ring descriptor 0.
TEST_F(Opening, DescriptorZeroIsOne) {
  const int usual = std::exchange(Played::fd, 0);
  ASSERT_TRUE(ring.init(4).ok());
  ring.nop(1).value();
  EXPECT_EQ(ring.submit(), 1);
  EXPECT_TRUE(ring.enable_rings().ok());
  ring.close();
  EXPECT_EQ(kernel.open, 0);
  Played::fd = usual;
}

TEST_F(Opening, RefusesLayoutsItDoesNotSpeakWithoutAskingTheKernel) {
  kernel.setup_error = EIO;  // would be seen
  for (const u32 flag :
       {uring::setup_sqe128, uring::setup_cqe32, uring::setup_sqe_mixed, uring::setup_cqe_mixed,
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

// Two SQEs are free after the wrap: exactly those are free in the moved ring.
TEST_F(Opening, MovesTakeTheFreeSqesAlong) {
  ASSERT_TRUE(ring.init(4).ok());
  for (u64 i = 0; i < 6; ++i) {
    ring.nop(i).value();
    ASSERT_EQ(ring.submit(), 1);
    ring.cq_advance(1);
  }
  kernel.consume_at_most = 0;
  ring.nop(6).value();  // slots 2 and 3 were found free, and 2 is taken now
  Ring moved = std::move(ring);
  EXPECT_EQ(moved.indices(), (Indices{6, 7, 6, 6}));
  for (u32 position = 7; position < 10; ++position) {
    uring::Sqe* const sqe = moved.get_sqe();
    ASSERT_EQ(sqe, kernel.user_sqe(position & 3));
    uring::prep_nop(*sqe, position);
  }
  EXPECT_EQ(moved.get_sqe(), nullptr);
  kernel.consume_at_most = ~0u;
}

TEST_F(Opening, AssigningClosesWhatWasThereAndNotItself) {
  Played second_kernel;
  Ring second{PlayedKernel{&second_kernel}};
  ASSERT_TRUE(second.init(4).ok());
  ASSERT_TRUE(ring.init(4).ok());
  second = std::move(ring);
  EXPECT_EQ(second_kernel.open, 0);
  EXPECT_TRUE(second_kernel.mappings.empty());
  Ring& itself = second;
  second = std::move(itself);
  EXPECT_EQ(second.fd(), Played::fd);
  EXPECT_EQ(kernel.open, 1);
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

// The kernel stops a batch at a request it refuses. The next submit submits what it left, and nothing twice.
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

// The ring looks at the kernel's head only when the SQEs it knows to be free are used up, and they end where
// the array ends. Whatever the kernel leaves over, an SQE is handed out if and only if one is free, and it is
// the right one.
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
        ASSERT_EQ(sqe, tail - head < 4 ? kernel.user_sqe(tail & 3) : nullptr)
            << "head " << head << ", tail " << tail;
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
  EXPECT_EQ(kernel.enter_arg_size, 0u);
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
  ASSERT_TRUE(ring.submit_and_wait(7).ok());
  EXPECT_EQ(kernel.enter_flags.back(), uring::enter_sq_wakeup | uring::enter_getevents);
  EXPECT_EQ(kernel.enter_wait.back(), 7u);
}

TEST_F(Submitting, WaitsAlsoWhileAnSqpollThreadIsAwake) {
  ASSERT_TRUE(ring.init(4, uring::setup_sqpoll).ok());
  kernel.word(Played::sq_flags) = uring::sq_cq_overflow | uring::sq_taskrun;  // and not that it sleeps
  ring.nop(1).value();
  ASSERT_TRUE(ring.submit().ok());
  EXPECT_TRUE(kernel.enter_flags.empty());
  ASSERT_TRUE(ring.submit_and_wait(1).ok());
  EXPECT_EQ(kernel.enter_flags, (std::vector<u32>{uring::enter_getevents}));
  EXPECT_EQ(kernel.enter_wait, (std::vector<u32>{1}));
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

// Completions that did not fit, and completions that this thread must run first.
TEST_F(Completing, FetchesWhatWaitsInTheKernel) {
  ASSERT_TRUE(ring.init(4).ok());
  std::array<Cqe, 8> cqes{};
  for (const u32 reason : {uring::sq_cq_overflow, uring::sq_taskrun}) {
    kernel.word(Played::sq_flags) = reason;
    kernel.enter_flags.clear();
    EXPECT_TRUE(ring.cq_ring_needs_flush());
    EXPECT_EQ(ring.copy_cqes(cqes, 0), 0);
    EXPECT_EQ(kernel.enter_flags, (std::vector<u32>{uring::enter_getevents}));
  }
}

TEST_F(Completing, OnlyWhatWaitsIsFetched) {
  ASSERT_TRUE(
      ring.init(4, uring::setup_single_issuer | uring::setup_coop_taskrun | uring::setup_taskrun_flag).ok());
  kernel.word(Played::sq_flags) = ~(uring::sq_cq_overflow | uring::sq_taskrun);
  std::array<Cqe, 8> cqes{};
  EXPECT_FALSE(ring.cq_ring_needs_flush());
  EXPECT_EQ(ring.copy_cqes(cqes, 0), 0);
  EXPECT_TRUE(kernel.enter_flags.empty());
}

TEST_F(Completing, APolledRingIsAskedEachTime) {
  ASSERT_TRUE(ring.init(4, uring::setup_iopoll).ok());
  std::array<Cqe, 8> cqes{};
  EXPECT_EQ(ring.copy_cqes(cqes, 0), 0);
  EXPECT_EQ(kernel.enter_flags, (std::vector<u32>{uring::enter_getevents}));
  EXPECT_EQ(kernel.enter_wait, (std::vector<u32>{0}));
}

// What a wait brings is copied at once; and a wait that brings nothing, as on an old kernel, does not end
// copy_cqe.
TEST_F(Completing, CopiesWhatAWaitBrings) {
  ASSERT_TRUE(ring.init(4).ok());
  kernel.on_enter = [this] { kernel.post({.user_data = 1, .res = 2, .flags = 3}); };
  std::array<Cqe, 8> cqes{};
  EXPECT_EQ(ring.copy_cqes(cqes, 1), 1);
  EXPECT_EQ(cqes[0], (Cqe{.user_data = 1, .res = 2, .flags = 3}));

  kernel.on_enter = [this] {
    if (kernel.enter_flags.size() == 3) kernel.post({.user_data = 4, .res = 5, .flags = 6});
  };
  Cqe cqe{};
  EXPECT_TRUE(ring.copy_cqe(cqe).ok());
  EXPECT_EQ(kernel.enter_flags.size(), 3u);
  EXPECT_EQ(cqe, (Cqe{.user_data = 4, .res = 5, .flags = 6}));
}

TEST_F(Completing, TakesRoomForMoreThan32BitsCanCount) {
  ASSERT_TRUE(ring.init(4).ok());
  kernel.post({.user_data = 1, .res = 0, .flags = 0});
  std::array<Cqe, 8> cqes{};
  EXPECT_EQ(ring.copy_cqes(std::span(cqes.data(), std::size_t{1} << 32), 0), 1);
}

// A signal may come together with a completion. The caller learns only the error, so the CQE stays for later.
TEST_F(Completing, TakesNothingWhenAWaitFails) {
  ASSERT_TRUE(ring.init(4).ok());
  for (const int error : {EINTR, EBUSY, EBADR}) {
    kernel.enter_error = error;
    kernel.on_enter = [this] { kernel.post({.user_data = 1, .res = 2, .flags = 3}); };
    Cqe one{};
    std::array<Cqe, 8> several{};
    const u32 head = kernel.word(Played::cq_head);
    EXPECT_EQ(ring.copy_cqe(one), static_cast<Error>(error));
    EXPECT_EQ(one, Cqe{}) << "written to";
    EXPECT_EQ(kernel.word(Played::cq_head), head) << "given back by copy_cqe, and nobody has seen it";
    EXPECT_EQ(ring.copy_cqes(several, 1), 1) << "it was ready, so there was no wait";
    EXPECT_EQ(several[0], (Cqe{.user_data = 1, .res = 2, .flags = 3}));
    EXPECT_EQ(ring.copy_cqes(std::span(several).subspan(1), 1), static_cast<Error>(error));
    EXPECT_EQ(several[1], Cqe{}) << "written to";
    EXPECT_EQ(kernel.word(Played::cq_head), head + 1) << "given back by copy_cqes, and nobody has seen it";
    EXPECT_EQ(ring.cq_ready(), 1u);
    ring.cq_advance(1);
  }
}

TEST_F(Completing, VisitsInPlaceAndGivesBackOnce) {
  ASSERT_TRUE(ring.init(4).ok());
  for (u64 i = 0; i < 6; ++i) kernel.post({.user_data = i, .res = 0, .flags = 0});
  ring.cq_advance(6);
  for (u64 i = 6; i < 11; ++i)
    kernel.post({.user_data = i, .res = 0, .flags = 0});  // across the end of the array
  std::vector<u64> seen;
  EXPECT_EQ(ring.for_each_cqe([&](const Cqe& cqe) {
    EXPECT_EQ(kernel.word(Played::cq_head), 6u) << "given back while still in use";
    seen.push_back(cqe.user_data);
  }),
            5u);
  EXPECT_EQ(seen, (std::vector<u64>{6, 7, 8, 9, 10}));
  EXPECT_EQ(kernel.word(Played::cq_head), 11u);
}

// From each place in the array and for each count, up to a full queue: in order, each once, and nothing from
// outside the array.
TEST_F(Completing, VisitsAcrossTheEndOfTheArray) {
  ASSERT_TRUE(ring.init(4).ok());
  u64 posted = 0, taken = 0;
  for (u32 count = 0; count <= 8; ++count) {
    for (u32 start = 0; start < 8; ++start) {
      for (u32 i = 0; i < count; ++i) kernel.post({.user_data = ++posted, .res = 1, .flags = 2});
      EXPECT_EQ(ring.for_each_cqe([&](const Cqe& cqe) {
        EXPECT_EQ(cqe, (Cqe{.user_data = ++taken, .res = 1, .flags = 2}));
      }),
                count);
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
  EXPECT_EQ(ring.submit_and_wait_timeout(1, time), Error::time);
  EXPECT_EQ(kernel.enter_flags.back(), 9u);
  EXPECT_EQ(kernel.enter_arg.min_wait_usec, 0u);
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

  // Closing unregisters the index, which would keep the ring alive.
  kernel.on_register = [](uring::RegisterOp op, void* arg, u32 count) -> long {
    EXPECT_EQ(op, uring::RegisterOp::unregister_ring_fds);
    EXPECT_EQ(count, 1u);
    EXPECT_EQ(static_cast<uring::RsrcUpdate*>(arg)->offset, 3u);
    EXPECT_EQ(static_cast<uring::RsrcUpdate*>(arg)->resv, 0u);
    EXPECT_EQ(static_cast<uring::RsrcUpdate*>(arg)->data, 0u);
    return -EINVAL;  // as from another thread; closing continues
  };
  moved.close();
  EXPECT_EQ(kernel.registered.size(), 2u);
  EXPECT_EQ(std::exchange(Played::indices, {}), (std::set<u32>{3})) << "refused, so it is still in use";
  // Nothing of it is left.
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
  EXPECT_TRUE(kernel.registered.empty()) << "Linux frees an index that nobody has without complaint";
  kernel.on_register = [](uring::RegisterOp, void*, u32) -> long { return -EBUSY; };
  EXPECT_EQ(ring.register_ring_fd(), Error::busy);
  ASSERT_TRUE(ring.submit().ok());
  EXPECT_EQ(kernel.enter_fd, Played::fd);
  kernel.on_register = [](uring::RegisterOp, void* arg, u32) -> long {
    static_cast<uring::RsrcUpdate*>(arg)->offset = 3;
    return 1;
  };
  ASSERT_TRUE(ring.register_ring_fd().ok());
  kernel.on_register = nullptr;
  ASSERT_TRUE(ring.enable_rings().ok());
  EXPECT_EQ(kernel.register_fd, Played::fd) << "the index is for entering only";
  kernel.on_register = [](uring::RegisterOp, void*, u32) -> long { return -EBUSY; };
  EXPECT_EQ(ring.unregister_ring_fd(), Error::busy);
  ASSERT_TRUE(ring.submit().ok());
  EXPECT_EQ(kernel.enter_flags.back(), uring::enter_registered_ring) << "refused: it is registered still";
  kernel.on_register = nullptr;
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

// Five SQEs were there before: the next one is the sixth, in the second of two slots. Nothing is written
// where the index array would be if there were one, and the new memory is the descriptor's, not the index's.
TEST_F(Resizing, CountsOn) {
  ASSERT_TRUE(ring.init(4, uring::setup_no_sqarray).ok());
  for (u64 i = 0; i < 5; ++i) {
    ring.nop(i).value();
    ASSERT_EQ(ring.submit(), 1);
    ring.cq_advance(1);
  }
  kernel.on_register = [](uring::RegisterOp, void* arg, u32) -> long {
    static_cast<uring::RsrcUpdate*>(arg)->offset = 3;
    return 1;
  };
  ASSERT_TRUE(ring.register_ring_fd().ok());
  kernel.word(0) = kernel.word(4) = 0xcafe;
  kernel.on_register = [this](uring::RegisterOp, void* arg, u32) -> long {
    kernel.shrink(*static_cast<uring::Params*>(arg));
    return 0;
  };
  ASSERT_TRUE(ring.resize(2, 4).ok());
  EXPECT_EQ(kernel.word(0), 0xcafeu);
  EXPECT_EQ(kernel.word(4), 0xcafeu);
  EXPECT_EQ(ring.indices(), (Indices{5, 5, 5, 5}));
  EXPECT_EQ(ring.get_sqe(), kernel.user_sqe(1));
  EXPECT_EQ(ring.get_sqe(), kernel.user_sqe(0));
  EXPECT_EQ(ring.get_sqe(), nullptr);
  EXPECT_EQ(ring.indices(), (Indices{5, 7, 5, 5}));
  kernel.on_register = nullptr;
}

TEST_F(Resizing, ClosesARingWhoseNewMemoryContradictsTheKernel) {
  ASSERT_TRUE(ring.init(4, uring::setup_no_sqarray).ok());
  kernel.on_register = [this](uring::RegisterOp, void* arg, u32) -> long {
    kernel.shrink(*static_cast<uring::Params*>(arg));
    kernel.word(Played::sq_mask) = 3;
    return 0;
  };
  EXPECT_EQ(ring.resize(2, 4), Error::ring_layout_invalid);
  EXPECT_EQ(ring.fd(), -1);
  EXPECT_TRUE(kernel.mappings.empty());
}

TEST_F(Resizing, ClosesARingWhoseNewRingsCannotBeMapped) {
  ASSERT_TRUE(ring.init(4, uring::setup_no_sqarray).ok());
  kernel.on_register = [this](uring::RegisterOp, void* arg, u32) -> long {
    kernel.shrink(*static_cast<uring::Params*>(arg));
    kernel.ring_map_error = ENOMEM;
    return 0;
  };
  EXPECT_EQ(ring.resize(2, 4), Error::nomem);
  EXPECT_EQ(ring.fd(), -1);
  EXPECT_TRUE(kernel.mappings.empty());
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
  ASSERT_TRUE(ring.init(4, uring::setup_clamp).ok());
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
