// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// What rings of every shape have in common: what their operations return, reserve, buffer groups and
// cancel_all. On a fake kernel; cancel_all also on this one.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <tuple>
#include <type_traits>
#include <vector>

#include <uring/uring.h>

#include "played_kernel.h"
#include "this_kernel.h"

namespace {

using uring::BasicQueued, uring::Cqe32, uring::Error, uring::MixedCqes, uring::MixedSqes, uring::Sqe,
    uring::Sqe128, uring::i32, uring::u16;

constexpr u32 sq_rewind = 0x110000;          // SQ_REWIND and NO_SQARRAY
constexpr u64 last = 0xffff'ffff'0000'0063;  // the user_data of cancel_all's NOP: its res is 99
constexpr uring::Timespec at_once{.tv_sec = 0, .tv_nsec = 0}, ten_seconds{.tv_sec = 10, .tv_nsec = 0};

template <class Sqes, class Cqes>
using RingOf = uring::BasicRing<PlayedKernel, Sqes, Cqes>;

template <class Type>
class EveryShape : public testing::Test {
 protected:
  using Entry = typename Type::SqEntry;
  Played kernel;
  Type ring{PlayedKernel{&kernel}};
  std::array<std::byte, 64> memory{};

  void TearDown() override {
    ring.close();
    EXPECT_EQ(kernel.open, 0) << "the descriptor was left open";
    EXPECT_TRUE(kernel.mappings.empty()) << "a mapping was left";
  }
};
using Shapes =
    testing::Types<RingOf<Sqe, Cqe>, RingOf<Sqe128, Cqe>, RingOf<Sqe, Cqe32>, RingOf<Sqe128, Cqe32>,
                   RingOf<Sqe, MixedCqes>, RingOf<MixedSqes, Cqe>, RingOf<MixedSqes, MixedCqes>>;
TYPED_TEST_SUITE(EveryShape, Shapes);

TYPED_TEST(EveryShape, OperationsReturnItsEntriesAndTakeFlags) {
  auto [kernel, ring] = std::tie(this->kernel, this->ring);
  using Entry = typename TypeParam::SqEntry;
  static_assert(std::is_same_v<decltype(ring.nop(1)), BasicQueued<Entry>>);
  static_assert(std::is_same_v<decltype(ring.uring_cmd(1, 2, 3)), BasicQueued<Entry>>);
  ASSERT_TRUE(ring.init(4).ok());
  const u64 payload = 0x1122'3344'5566'7788;
  const u64 cmd_op =
      std::endian::native == std::endian::little ? 3 : u64{3} << 32;  // the first 32 bits of off
  const auto queued =
      ring.uring_cmd(7, 5, 3, payload).link().async().with([](Entry& sqe) { sqe.ioprio = 6; });
  EXPECT_EQ(static_cast<Sqe&>(queued.value()), (Sqe{.opcode = uring::Op{46},
                                                    .flags = 4 | 16,
                                                    .ioprio = 6,
                                                    .fd = 5,
                                                    .off = cmd_op,
                                                    .user_data = 7,
                                                    .addr3 = payload}));

  for (int i = 0; i < 3; ++i) EXPECT_TRUE(ring.nop(1).ok());
  EXPECT_EQ(ring.nop(1).link().with([](Entry&) { ADD_FAILURE() << "of nothing"; }),
            Error::submission_queue_full);
  EXPECT_EQ(ring.uring_cmd(7, 5, 3, payload).link(), Error::submission_queue_full);
}

TYPED_TEST(EveryShape, ReservesWhatIsFree) {
  auto [kernel, ring] = std::tie(this->kernel, this->ring);
  for (const u32 flags : {0u, sq_rewind}) {
    ASSERT_TRUE(ring.init(4, flags).ok());
    for (u32 round = 0; round < 9; ++round) {
      const u32 before = ring.sq_ready();
      ASSERT_EQ(ring.sq_space_left(), 4 - before);
      EXPECT_EQ(ring.reserve(5 - before), Error::submission_queue_full);
      ASSERT_TRUE(ring.reserve(4 - before).ok());
      for (u32 i = before; i < 4; ++i) EXPECT_TRUE(ring.nop(i).ok());
      EXPECT_EQ(ring.sq_space_left(), 0u);
      EXPECT_EQ(ring.reserve(1), Error::submission_queue_full);
      kernel.consume_at_most = round % 4;
      EXPECT_EQ(ring.submit(), round % 4);
      EXPECT_EQ(ring.sq_space_left(), round % 4) << "what was left over is not free";
      ring.cq_advance(ring.cq_ready());
    }
    kernel.consume_at_most = ~0u;
    ASSERT_TRUE(ring.submit().ok());
    ring.close();
    for (const u32 position : {Played::sq_head, Played::sq_tail, Played::cq_head, Played::cq_tail}) {
      kernel.word(position) = 0;
    }
  }
}

TYPED_TEST(EveryShape, GroupsFollowARingAndOutliveIt) {
  auto [kernel, ring] = std::tie(this->kernel, this->ring);
  ASSERT_TRUE(ring.init(4).ok());
  uring::BufferGroup<TypeParam> first, second, third;
  u16 id = 0;
  for (auto* group : {&first, &second, &third}) {
    ASSERT_TRUE(group->init(ring, ++id, this->memory, 16).ok());
  }
  TypeParam moved = std::move(ring);
  static_assert(std::is_same_v<decltype(first.recv(1, 5, 0)), decltype(moved.nop(1))>);
  EXPECT_TRUE(first.recv(1, 5, 0).ok());
  EXPECT_TRUE(second.recv_multishot(1, 5, 0).link().ok());
  EXPECT_EQ(moved.sq_ready(), 2u);
  first.close();
  EXPECT_EQ(kernel.buf_rings.size(), 2u);
  ring = std::move(moved);
  EXPECT_TRUE(third.recv(1, 5, 0).ok());
  EXPECT_EQ(ring.sq_ready(), 3u);
  const std::size_t asked = kernel.registered.size();
  ring.close();
  second.close();
  EXPECT_EQ(kernel.anonymous.size(), 1u) << "the memory of the third";
  third.close();
  EXPECT_EQ(kernel.registered.size(), asked) << "the kernel has forgotten them with the ring";
}

// The CQE of a request that was there before: of the large ones, with all of it.
template <class Ring>
typename Ring::CqEntry post_one(Played& kernel) {
  typename Ring::CqEntry cqe{};
  cqe.user_data = 5, cqe.res = -125;
  if constexpr (std::is_same_v<typename Ring::CqEntry, Cqe32>) cqe.extra1 = 6, cqe.extra2 = 7;
  if constexpr (std::is_same_v<Ring, RingOf<Sqe, MixedCqes>> ||
                std::is_same_v<Ring, RingOf<MixedSqes, MixedCqes>>) {
    kernel.post_two(cqe);
    cqe.flags |= 0x8000;
  } else {
    kernel.post(cqe);
  }
  return cqe;
}

TYPED_TEST(EveryShape, CancelAllHandsOverItsEntries) {
  auto [kernel, ring] = std::tie(this->kernel, this->ring);
  for (const u32 flags : {0u, sq_rewind}) {
    ASSERT_TRUE(ring.init(4, flags).ok());
    const auto posted = post_one<TypeParam>(kernel);
    ASSERT_TRUE(ring.nop(8).ok());
    std::vector<u64> seen;
    const auto visit = [&](const auto& cqe) {
      static_assert(std::is_same_v<decltype(cqe), const typename TypeParam::CqEntry&>);
      seen.push_back(cqe.user_data);
      if (cqe.user_data == 5) {
        EXPECT_TRUE(cqe == posted);
      }
    };
    EXPECT_TRUE(ring.cancel_all(last, at_once, visit).ok());
    EXPECT_EQ(seen, (std::vector<u64>{5, 8}));
    EXPECT_EQ(ring.sq_ready(), 0u);
    EXPECT_EQ(ring.cq_ready(), 0u);
    ring.close();
    for (const u32 position : {Played::sq_head, Played::sq_tail, Played::cq_head, Played::cq_tail}) {
      kernel.word(position) = 0;
    }
  }
}

// --- operations of 128 bytes -------------------------------------------------------------------------------

using MixedSq = RingOf<MixedSqes, Cqe>;

TEST(LargeOperations, TakeFlagsToo) {
  Played kernel;
  MixedSq ring{PlayedKernel{&kernel}};
  ASSERT_TRUE(ring.init(4).ok());
  static_assert(std::is_same_v<decltype(ring.nop128(1)), uring::Queued128>);
  const std::array<u64, 10> payload{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  const auto queued = ring.uring_cmd128(7, 5, 3, payload).hard_link().with([](Sqe128& sqe) {
    EXPECT_EQ(sqe.more[7], 10u);
    sqe.more[7] = 11;
  });
  ASSERT_TRUE(queued.ok());
  EXPECT_EQ(queued->flags, 8);
  EXPECT_EQ(queued->more[7], 11u);
  EXPECT_TRUE(ring.nop128(1).link().skip_success().ok());
  EXPECT_EQ(ring.nop128(1).link(), Error::submission_queue_full);
  EXPECT_EQ(ring.uring_cmd128(7, 5, 3, payload).link().with([](Sqe128&) { ADD_FAILURE() << "of nothing"; }),
            Error::submission_queue_full);
}

// Whatever the order of small and large ones, and wherever they begin: two entries for each large one, and
// one more for all of them. In a queue of 8.
TEST(LargeOperations, FindWhatWasReserved) {
  u32 kept = 0;
  for (u32 start = 0; start < 8; ++start) {
    for (u32 pending = 0; pending < 8; ++pending) {
      for (u32 kinds = 2; kinds < 128; ++kinds) {  // below the highest bit: 1 is a large one
        Played kernel;
        MixedSq ring{PlayedKernel{&kernel}};
        kernel.sq_count = kernel.sq_size = 8;
        kernel.ring_bytes += 4 * 4u;
        kernel.word(Played::sq_head) = kernel.word(Played::sq_tail) = start;
        ASSERT_TRUE(ring.init(8).ok());
        for (u32 i = 0; i < pending; ++i) ASSERT_TRUE(ring.nop(1).ok());
        u32 wanted = 0, large = 0;
        for (u32 rest = kinds; rest > 1; rest >>= 1) wanted += 1 + (rest & 1), large |= rest & 1;
        wanted += large;
        ASSERT_EQ(ring.reserve(wanted).ok(), wanted <= 8 - pending);
        if (wanted > 8 - pending) continue;
        for (u32 rest = kinds; rest > 1; rest >>= 1, ++kept) {
          const bool ok = (rest & 1) != 0 ? ring.nop128(1).ok() : ring.nop(1).ok();
          ASSERT_TRUE(ok) << "from " << start << " with " << pending << " pending: " << kinds;
        }
      }
    }
  }
  EXPECT_GT(kept, 1000u);
}

// Why there is one more.
TEST(LargeOperations, NeedThreeEntriesAtTheEnd) {
  Played kernel;
  MixedSq ring{PlayedKernel{&kernel}};
  ASSERT_TRUE(ring.init(4).ok());
  ASSERT_TRUE(ring.nop(1).ok());
  ASSERT_TRUE(ring.submit().ok());
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(ring.nop(1).ok());
  EXPECT_TRUE(ring.reserve(2).ok());
  EXPECT_EQ(ring.nop128(1), Error::submission_queue_full);
  EXPECT_EQ(ring.reserve(3), Error::submission_queue_full);
  ASSERT_TRUE(ring.submit().ok());
  EXPECT_TRUE(ring.reserve(3).ok());
  EXPECT_TRUE(ring.nop128(1).ok());
}

// Without an end to lie around, only as many as they take.
TEST(LargeOperations, FillAQueueThatRewinds) {
  Played kernel;
  MixedSq ring{PlayedKernel{&kernel}};
  ASSERT_TRUE(ring.init(4, sq_rewind).ok());
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(ring.reserve(4).ok());
    for (int i = 0; i < 2; ++i) EXPECT_TRUE(ring.nop128(1).ok());
    EXPECT_EQ(ring.sq_space_left(), 0u);
    EXPECT_EQ(ring.submit(), 4);
  }
}

// --- this kernel -------------------------------------------------------------------------------------------

// A read that never ends by itself.
template <class Ring>
void expect_to_cancel(Ring& ring, Error end = Error::none) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  std::array<std::byte, 4> memory{};
  EXPECT_TRUE(ring.read(1, pipe[0], memory, 0).ok());
  EXPECT_TRUE(ring.submit().ok());
  std::vector<std::pair<u64, i32>> seen;
  EXPECT_EQ(
      ring.cancel_all(last, ten_seconds,
                      [&](const typename Ring::CqEntry& cqe) { seen.emplace_back(cqe.user_data, cqe.res); }),
      end);
  EXPECT_EQ(seen, (std::vector<std::pair<u64, i32>>{{1, -ECANCELED}}));
  ::close(pipe[0]);
  ::close(pipe[1]);
}

TEST(ThisKernelShapes, LargeEntriesAreCancelled) {
  uring::Ring128x32 ring;
  NEEDS(ring.init(4), 0xc00, "SQE128 and CQE32 (5.19)");
  expect_to_cancel(ring);
}

TEST(ThisKernelShapes, MixedCompletionsAreCancelled) {
  uring::BasicRing<uring::LinuxKernel, Sqe, MixedCqes> ring;
  NEEDS(ring.init(4), 0x40000, "CQE_MIXED (6.18)");
  for (int i = 0; i < 5; ++i) expect_to_cancel(ring);
}

TEST(ThisKernelShapes, RewindingRingsAreCancelled) {
  uring::Ring ring;
  NEEDS(ring.init(4, sq_rewind), sq_rewind, "SQ_REWIND (7.0)");
  expect_to_cancel(ring);
}

// Until a NOP has filled the end of the queue: from then on the kernel refuses to drain.
TEST(ThisKernelShapes, MixedSubmissionsAreCancelled) {
  uring::MixedRing ring;
  NEEDS(ring.init(4), 0xc0000, "CQE_MIXED (6.18) or SQE_MIXED (6.19)");
  expect_to_cancel(ring);
  while (ring.sq_ready() < 3) {
    const u32 before = ring.sq_ready();
    ASSERT_TRUE(ring.nop128(1).ok());
    if (ring.sq_ready() == before + 3) break;
    ASSERT_TRUE(ring.nop(1).ok());
    ASSERT_TRUE(ring.submit().ok());
  }
  ASSERT_TRUE(ring.submit().ok());
  ring.for_each_cqe([](const Cqe32&) {});
  expect_to_cancel(ring, Error::opnotsupp);
}

}  // namespace
