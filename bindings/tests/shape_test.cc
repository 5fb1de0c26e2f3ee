// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Rings of other shapes than the usual one, on a fake kernel and on this one: entries of other sizes. The
// numbers are the suite's own.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <ostream>
#include <vector>

#include <uring/uring.h>

#include "played_kernel.h"
#include "this_kernel.h"

namespace uring {
void PrintTo(const Cqe32& c, std::ostream* out) {
  *out << "Cqe32{user_data " << c.user_data << ", res " << c.res << ", flags " << c.flags << ", extra1 "
       << c.extra1 << ", extra2 " << c.extra2 << "}";
}
}  // namespace uring

namespace {

using uring::Cqe32, uring::Error, uring::Indices, uring::MixedCqes, uring::MixedSqes, uring::Sqe,
    uring::Sqe128;

template <class Sqes, class Cqes>
using RingOf = uring::BasicRing<PlayedKernel, Sqes, Cqes>;

// A ring of a given type on a kernel of its own.
template <class Ring>
struct OnAPlayedKernel {
  Played kernel;
  Ring ring{PlayedKernel{&kernel}};

  ~OnAPlayedKernel() {
    ring.close();
    EXPECT_EQ(kernel.open, 0) << "the descriptor was left open";
    EXPECT_TRUE(kernel.mappings.empty()) << "a mapping was left";
  }
};

// --- large entries -----------------------------------------------------------------------------------------

constexpr u32 every_size = 0xc0c00;  // SQE128, CQE32, CQE_MIXED, SQE_MIXED

template <class Ring>
void expect_flags(u32 wanted) {
  OnAPlayedKernel<Ring> played;
  for (u32 flag = 0x400; flag <= 0x80000; flag <<= 1) {
    if ((flag & every_size) == 0 || (flag & wanted) != 0) continue;
    played.kernel.setup_error = EIO;  // would be seen
    EXPECT_EQ(played.ring.init(4, flag), Error::flags_not_supported) << flag;
  }
  played.kernel.setup_error = 0;
  for (const u32 flags : {0u, wanted}) {
    ASSERT_TRUE(played.ring.init(4, flags | 0x10).ok()) << "its own flags are not needed, and do no harm";
    EXPECT_EQ(played.kernel.setup_params.flags, wanted | 0x10) << "CLAMP and what the type is about";
    EXPECT_EQ(played.ring.flags(), wanted | 0x10);
    played.ring.close();
  }
}

TEST(Shapes, HaveTheirFlagsAndNoOthers) {
  expect_flags<RingOf<Sqe, Cqe>>(0);
  expect_flags<RingOf<Sqe128, Cqe>>(0x400);
  expect_flags<RingOf<Sqe, Cqe32>>(0x800);
  expect_flags<RingOf<Sqe128, Cqe32>>(0xc00);
  expect_flags<RingOf<Sqe, MixedCqes>>(0x40000);
  expect_flags<RingOf<MixedSqes, Cqe>>(0x80000);
  expect_flags<RingOf<MixedSqes, MixedCqes>>(0xc0000);
}

// The stride of both queues, around their ends; and the second half of an SQE that held another request.
TEST(Shapes, OfLargeEntriesKeepTheirDistance) {
  OnAPlayedKernel<RingOf<Sqe128, Cqe32>> played;
  auto& [kernel, ring] = played;
  ASSERT_TRUE(ring.init(4).ok());
  std::memset(kernel.sqes.kernel_side(), 0xff, 4 * 128);
  u64 expected = 0;
  for (u32 round = 0; round < 5; ++round) {
    for (u32 i = 0; i < 3; ++i) {
      const u32 slot = (round * 3 + i) & 3;
      const u64 user_data = round * 3 + i + 1;
      ring.nop(user_data).value();
      Sqe128 wanted{};
      wanted.user_data = user_data;
      EXPECT_EQ(std::memcmp(kernel.sqes.kernel_side() + slot * 128, &wanted, 128), 0) << user_data;
    }
    EXPECT_EQ(ring.submit(), 3);
    std::array<Cqe32, 3> cqes{};
    ASSERT_EQ(ring.copy_cqes(cqes, 0), 3);
    for (const Cqe32& cqe : cqes) EXPECT_EQ(cqe.user_data, ++expected);
  }
  EXPECT_EQ(ring.indices(), (Indices{15, 15, 15, 15}));
}

TEST(Shapes, OfLargeCqesCopyAllOfIt) {
  OnAPlayedKernel<RingOf<Sqe, Cqe32>> played;
  auto& [kernel, ring] = played;
  ASSERT_TRUE(ring.init(4).ok());
  u64 posted = 0, seen = 0;
  const auto nth = [](u64 n) {
    Cqe32 cqe{};
    cqe.user_data = n, cqe.res = -2, cqe.flags = 3, cqe.extra1 = n << 40, cqe.extra2 = ~n;
    return cqe;
  };
  for (u32 round = 0; round < 7; ++round) {
    for (u32 i = 0; i < 5; ++i) kernel.post(nth(++posted));
    Cqe32 one{};
    ASSERT_TRUE(ring.copy_cqe(one).ok());
    EXPECT_EQ(one, nth(++seen));
    EXPECT_EQ(ring.for_each_cqe([&](const Cqe32& cqe) { EXPECT_EQ(cqe, nth(++seen)); }), 4u);
  }
}

// --- commands ----------------------------------------------------------------------------------------------

struct Words {
  u32 words[3] = {0x01020304, 0x05060708, 0x090a0b0c};
};
struct Longs {
  u64 longs[9] = {1, 2, 3, 4, 5, 6, 7, 8, 0x1122334455667788};
};

// The kernel's view: the payload from byte 48 on, 0 after it.
template <class Payload>
std::vector<unsigned char> wanted_command(const Payload& payload, std::size_t sqe_bytes) {
  std::vector<unsigned char> bytes(sqe_bytes, 0);
  Sqe sqe{};
  sqe.opcode = uring::Op{46};
  sqe.fd = 5;
  sqe.user_data = 7;
  std::memcpy(bytes.data(), &sqe, sizeof sqe);
  const u32 command = 0x8765'4321;
  std::memcpy(bytes.data() + 8, &command, sizeof command);
  std::memcpy(bytes.data() + 48, &payload, sizeof payload);
  return bytes;
}

template <class Ring, class Payload>
void expect_command(const Payload& payload, std::size_t sqe_bytes) {
  OnAPlayedKernel<Ring> played;
  ASSERT_TRUE(played.ring.init(4).ok());
  std::memset(played.kernel.sqes.kernel_side(), 0xff, 4 * sqe_bytes);
  ASSERT_TRUE(played.ring.uring_cmd(7, 5, 0x8765'4321, payload).ok());
  const auto* const bytes = reinterpret_cast<const unsigned char*>(played.kernel.sqes.kernel_side());
  EXPECT_EQ(std::vector<unsigned char>(bytes, bytes + sqe_bytes), wanted_command(payload, sqe_bytes));
  EXPECT_EQ(bytes[sqe_bytes], 0xff) << "written behind the SQE";
}

TEST(Commands, CarryTheirPayloadAndNothingElse) {
  const std::array<char, 7> chars{'p', 'a', 'y', 'l', 'o', 'a', 'd'};
  const std::array<u64, 2> all_of_16{1, 2};
  std::array<unsigned char, 80> all_of_80{};
  for (unsigned char i = 0; i < 80; ++i) all_of_80.at(i) = static_cast<unsigned char>(i + 1);
  expect_command<RingOf<Sqe, Cqe>>(Words{}, 64);
  expect_command<RingOf<Sqe, Cqe>>(chars, 64);
  expect_command<RingOf<Sqe, Cqe>>(all_of_16, 64);
  expect_command<RingOf<Sqe128, Cqe>>(Words{}, 128);
  expect_command<RingOf<Sqe128, Cqe>>(chars, 128);
  expect_command<RingOf<Sqe128, Cqe>>(Longs{}, 128);
  expect_command<RingOf<Sqe128, Cqe32>>(all_of_80, 128);
}

// In a slot that held another, larger command.
TEST(Commands, ReplaceThePayloadBefore) {
  Sqe128 sqe;
  std::memset(static_cast<void*>(&sqe), 0xff, sizeof sqe);
  uring::prep_uring_cmd(sqe, 7, 5, 0x8765'4321);
  uring::set_command(sqe, Longs{});
  uring::set_command(sqe, Words{});
  EXPECT_EQ(std::memcmp(&sqe, wanted_command(Words{}, 128).data(), 128), 0);
}

TEST(Commands, AreRefusedByAFullQueue) {
  OnAPlayedKernel<RingOf<Sqe128, Cqe32>> played;
  ASSERT_TRUE(played.ring.init(4).ok());
  for (int i = 0; i < 4; ++i) played.ring.nop(1).value();
  EXPECT_EQ(played.ring.uring_cmd(7, 5, 1, Longs{}), Error::submission_queue_full);
}

// --- entries of both sizes ---------------------------------------------------------------------------------

using MixedSq = RingOf<MixedSqes, Cqe>;

Sqe filler(u32 flags) { return Sqe{.flags = static_cast<uring::u8>(flags)}; }

// From each place in the array: two entries side by side, after a NOP that fills the last one, or nothing.
TEST(MixedSubmissions, NeverLieAroundTheEnd) {
  for (u32 before = 0; before < 4; ++before) {
    for (u32 pending = 0; pending < 4; ++pending) {
      OnAPlayedKernel<MixedSq> played;
      auto& [kernel, ring] = played;
      ASSERT_TRUE(ring.init(4).ok());
      for (u32 i = 0; i < before; ++i) ring.nop(1).value();
      ASSERT_TRUE(ring.submit().ok());
      for (u32 i = 0; i < pending; ++i) ring.nop(2).value();
      std::memset(kernel.sqes.kernel_side() + (before + pending) % 4 * 64, 0xff, 64);

      const u32 at = (before + pending) % 4;
      const bool at_end = at == 3, fits = 4 - pending >= (at_end ? 3u : 2u);
      const auto queued = ring.nop128(7);
      ASSERT_EQ(queued.ok(), fits) << at << " " << pending;
      if (!fits) {
        EXPECT_EQ(queued, Error::submission_queue_full);
        EXPECT_EQ(ring.sq_ready(), pending) << "something was queued all the same";
        EXPECT_EQ(ring.submit(), pending);
        EXPECT_TRUE(ring.nop128(7).ok()) << "submit, then try again";
        continue;
      }
      EXPECT_EQ(static_cast<Sqe*>(&queued.value()), kernel.user_sqe(at_end ? 0 : at));
      if (at_end) {
        EXPECT_EQ(kernel.sqe(3), filler(0x40));
      }
      EXPECT_EQ(ring.sq_ready(), pending + (at_end ? 3 : 2));
      ring.cq_advance(ring.cq_ready());
      EXPECT_EQ(ring.submit(), pending + (at_end ? 3 : 2));
      EXPECT_EQ(ring.cq_ready(), pending + 1) << "the NOP in between is silent";
    }
  }
}

// A chain that has begun goes on behind the NOP, and none begins there.
TEST(MixedSubmissions, StayLinked) {
  for (const u32 link : {0u, 4u, 8u}) {
    for (const bool large : {false, true}) {
      OnAPlayedKernel<MixedSq> played;
      auto& [kernel, ring] = played;
      kernel.sq_count = kernel.sq_size = 8;
      kernel.ring_bytes += 4 * 4u;
      kernel.word(Played::sq_head) = kernel.word(Played::sq_tail) = large ? 5 : 6;
      ASSERT_TRUE(ring.init(8).ok());
      Sqe& before = large ? ring.nop128(2).value() : ring.nop(2).value();
      before.flags |= static_cast<uring::u8>(link | 0x10);  // ASYNC is not a link
      MixedSq moved = std::move(ring);
      EXPECT_EQ(&moved.nop128(3).value(), kernel.user_sqe(0));
      EXPECT_EQ(kernel.sqe(7), filler(0x40 | link));
      ring = std::move(moved);
    }
  }
}

TEST(MixedSubmissions, NeedRoomForThree) {
  OnAPlayedKernel<MixedSq> played;
  EXPECT_EQ(played.ring.init(1), Error::entries_too_few);
  EXPECT_EQ(played.ring.init(2), Error::entries_too_few);
  EXPECT_EQ(played.kernel.open, 0);
}

TEST(MixedSubmissions, CarryLargeCommands) {
  OnAPlayedKernel<MixedSq> played;
  auto& [kernel, ring] = played;
  ASSERT_TRUE(ring.init(4).ok());
  std::memset(kernel.sqes.kernel_side(), 0xff, 4 * 64);
  ASSERT_TRUE(ring.uring_cmd128(7, 5, 0x8765'4321, Longs{}).ok());
  auto wanted = wanted_command(Longs{}, 128);
  wanted[0] = 64;
  EXPECT_EQ(std::memcmp(kernel.sqes.kernel_side(), wanted.data(), 128), 0);
  ASSERT_TRUE(ring.uring_cmd(7, 5, 0x8765'4321, Words{}).ok());
  EXPECT_EQ(std::memcmp(kernel.sqes.kernel_side() + 128, wanted_command(Words{}, 64).data(), 64), 0);
  EXPECT_EQ(ring.uring_cmd128(7, 5, 1, Longs{}), Error::submission_queue_full);
}

// SQE128 rings know the two operations, too.
TEST(MixedSubmissions, AreLargeSqesOfARingThatHasNoOthers) {
  OnAPlayedKernel<RingOf<Sqe128, Cqe>> played;
  ASSERT_TRUE(played.ring.init(4).ok());
  Sqe128& sqe = played.ring.nop128(7).value();
  EXPECT_EQ(static_cast<int>(sqe.opcode), 63);
  EXPECT_EQ(played.ring.sq_ready(), 1u);
}

Cqe32 completion(u64 n, bool large) {
  Cqe32 cqe{};
  cqe.user_data = n, cqe.res = -2, cqe.flags = large ? 0x8001 : 1;
  if (large) cqe.extra1 = n << 40, cqe.extra2 = ~n;
  return cqe;
}

// From each place in the array, in each order of sizes: every CQE once, and nothing that is none.
TEST(MixedCompletions, ComeInTheirSizes) {
  for (u32 start = 0; start < 8; ++start) {
    for (u32 sizes = 0; sizes < 8; ++sizes) {
      OnAPlayedKernel<RingOf<Sqe, MixedCqes>> played;
      auto& [kernel, ring] = played;
      ASSERT_TRUE(ring.init(4).ok());
      for (u32 i = 0; i < start; ++i) kernel.post({.user_data = 0, .res = 0, .flags = 0});
      EXPECT_EQ(ring.for_each_cqe([](const Cqe32& cqe) { EXPECT_EQ(cqe, Cqe32{}); }), start);
      for (u64 i = 0; i < 3; ++i) {
        const bool large = (sizes >> i & 1) != 0;
        if (large) {
          kernel.post_two(completion(i, true));
        } else {
          kernel.post(static_cast<const Cqe&>(completion(i, false)));
        }
      }
      std::array<Cqe32, 3> cqes{};
      ASSERT_EQ(ring.copy_cqes(std::span(cqes).first(2), 1), 2);
      EXPECT_EQ(cqes[2], Cqe32{}) << "written behind the destination";
      ASSERT_TRUE(ring.copy_cqe(cqes[2]).ok());
      for (u64 i = 0; i < 3; ++i)
        EXPECT_EQ(cqes.at(i), completion(i, (sizes >> i & 1) != 0)) << start << " " << sizes;
      EXPECT_EQ(ring.cq_ready(), 0u);
      EXPECT_EQ(kernel.word(Played::cq_head), kernel.word(Played::cq_tail));
      EXPECT_TRUE(kernel.enter_flags.empty());
    }
  }
}

// The kernel may have filled the end and have no room for what follows: there is no CQE yet, so the ring
// waits.
TEST(MixedCompletions, AFillerIsNone) {
  OnAPlayedKernel<RingOf<Sqe, MixedCqes>> played;
  auto& [kernel, ring] = played;
  ASSERT_TRUE(ring.init(4).ok());
  kernel.post({.user_data = 0, .res = 0, .flags = 0x20});
  kernel.on_enter = [&kernel = kernel] { kernel.post_two(completion(1, true)); };
  Cqe32 cqe{};
  ASSERT_TRUE(ring.copy_cqe(cqe).ok());
  EXPECT_EQ(cqe, completion(1, true));
  EXPECT_EQ(kernel.enter_flags.size(), 1u);
}

// Half a CQE is none: its second entry was not announced.
TEST(MixedCompletions, AreNotReadBeyondTheTail) {
  OnAPlayedKernel<RingOf<Sqe, MixedCqes>> played;
  auto& [kernel, ring] = played;
  ASSERT_TRUE(ring.init(4).ok());
  kernel.post_two(completion(1, true));
  --kernel.word(Played::cq_tail);
  EXPECT_EQ(ring.for_each_cqe([](const Cqe32&) { ADD_FAILURE(); }), 0u);
  EXPECT_EQ(ring.cq_ready(), 1u);
}

TEST(Mixed, IsNotResized) {
  OnAPlayedKernel<RingOf<Sqe, MixedCqes>> completions;
  ASSERT_TRUE(completions.ring.init(4, 0x10000).ok());
  EXPECT_EQ(completions.ring.resize(2, 4), Error::flags_not_supported);
  OnAPlayedKernel<MixedSq> submissions;
  ASSERT_TRUE(submissions.ring.init(4, 0x10000).ok());
  EXPECT_EQ(submissions.ring.resize(2, 4), Error::flags_not_supported);
  EXPECT_TRUE(submissions.kernel.registered.empty() && completions.kernel.registered.empty());
}

// --- a queue that always starts at 0 -----------------------------------------------------------------------

constexpr u32 sq_rewind = 0x110000;  // SQ_REWIND and NO_SQARRAY

template <class Ring>
std::vector<u64> taken(Ring& ring) {
  std::vector<u64> seen;
  ring.for_each_cqe([&](const Cqe& cqe) { seen.push_back(cqe.user_data); });
  return seen;
}

TEST(Rewinding, EachSubmitStartsAtTheBeginning) {
  OnAPlayedKernel<RingOf<Sqe, Cqe>> played;
  auto& [kernel, ring] = played;
  ASSERT_TRUE(ring.init(4, sq_rewind).ok());
  for (u64 round = 1; round < 6; ++round) {
    EXPECT_EQ(&ring.nop(round * 10).value(), kernel.user_sqe(0));
    EXPECT_EQ(&ring.nop(round * 10 + 1).value(), kernel.user_sqe(1));
    EXPECT_EQ(ring.sq_ready(), 2u);
    EXPECT_EQ(round % 2 == 0 ? ring.submit() : ring.submit_and_wait_timeout(1, {}), 2);
    EXPECT_EQ(ring.sq_ready(), 0u);
    EXPECT_EQ(ring.sq_unflushed(), 0u);
    EXPECT_EQ(taken(ring), (std::vector<u64>{round * 10, round * 10 + 1}));
  }
  for (u64 i = 0; i < 4; ++i) ring.nop(i).value();
  EXPECT_EQ(ring.nop(4), Error::submission_queue_full);
  RingOf<Sqe, Cqe> moved = std::move(ring);
  EXPECT_EQ(moved.submit_and_wait(2), 4);
  EXPECT_EQ(kernel.enter_flags.back(), 1u);
  EXPECT_EQ(moved.sq_ready(), 0u);
  ring = std::move(moved);
}

// What the kernel did not take stays, in its order, and comes first.
template <class Sqes>
void expect_the_rest_to_stay() {
  OnAPlayedKernel<RingOf<Sqes, Cqe>> played;
  auto& [kernel, ring] = played;
  ASSERT_TRUE(ring.init(4, sq_rewind).ok());
  for (u64 i = 1; i <= 4; ++i) ring.nop(i).value();
  kernel.enter_error = EBUSY;
  EXPECT_EQ(ring.submit(), Error::busy);
  EXPECT_EQ(ring.sq_ready(), 4u);
  kernel.enter_error = 0;
  kernel.consume_at_most = 0;
  EXPECT_EQ(ring.submit(), 0);
  EXPECT_EQ(ring.sq_ready(), 4u);
  kernel.consume_at_most = 1;
  EXPECT_EQ(ring.submit(), 1);
  EXPECT_EQ(ring.sq_ready(), 3u);
  EXPECT_EQ(ring.sq_unflushed(), 0u);
  EXPECT_TRUE(ring.nop(5).ok());
  EXPECT_EQ(ring.nop(6), Error::submission_queue_full);
  kernel.consume_at_most = 2;
  EXPECT_EQ(ring.submit_and_wait_timeout(0, {}), 2);
  kernel.consume_at_most = ~0u;
  EXPECT_EQ(ring.submit(), 2);
  EXPECT_EQ(taken(ring), (std::vector<u64>{1, 2, 3, 4, 5}));
  EXPECT_EQ(kernel.enter_submit, (std::vector<u32>{4, 4, 4, 4, 2}));
}
TEST(Rewinding, WhatIsLeftOverStays) {
  expect_the_rest_to_stay<Sqe>();
  expect_the_rest_to_stay<Sqe128>();
}

TEST(Rewinding, IsNotResized) {
  OnAPlayedKernel<RingOf<Sqe, Cqe>> played;
  ASSERT_TRUE(played.ring.init(4, sq_rewind).ok());
  EXPECT_EQ(played.ring.resize(2, 4), Error::flags_not_supported);
  EXPECT_TRUE(played.kernel.registered.empty());
}

// --- this kernel -------------------------------------------------------------------------------------------

TEST(ThisKernelShapes, LargeEntries) {
  uring::Ring128x32 ring;
  NEEDS(ring.init(4), 0xc00, "SQE128 and CQE32 (5.19)");
  u64 expected = 0;
  for (u32 round = 0; round < 5; ++round) {
    for (u64 i = 1; i <= 3; ++i) ring.nop(round * 3 + i).value();
    ASSERT_EQ(ring.submit_and_wait(3), 3);
    std::array<Cqe32, 4> cqes{};
    ASSERT_EQ(ring.copy_cqes(cqes, 3), 3);
    for (u32 i = 0; i < 3; ++i) {
      EXPECT_EQ(cqes.at(i).user_data, ++expected);
      EXPECT_EQ(cqes.at(i).res, 0);
    }
  }
}

TEST(ThisKernelShapes, LargeSqesAlone) {
  uring::Ring128 ring;
  NEEDS(ring.init(4), 0x400, "SQE128 (5.19)");
  for (u64 i = 1; i <= 4; ++i) ring.nop(i).value();
  ASSERT_EQ(ring.submit_and_wait(4), 4);
  u64 expected = 0;
  ring.for_each_cqe(
      [&](const Cqe& cqe) { EXPECT_EQ(cqe, (Cqe{.user_data = ++expected, .res = 0, .flags = 0})); });
  EXPECT_EQ(expected, 4u);
}

// The words of a NOP that is told to bring some (6.18).
TEST(ThisKernelShapes, LargeCqesBringTheirWords) {
  uring::Ring32 ring;
  NEEDS(ring.init(4), 0x800, "CQE32 (5.19)");
  Sqe& nop = ring.nop(1).value();
  nop.op_flags = 0x20;  // NOP_CQE32
  nop.off = 0x1111'0000'2222;
  nop.addr = 0x3333'0000'4444;
  ASSERT_EQ(ring.submit_and_wait(1), 1);
  Cqe32 cqe{};
  ASSERT_TRUE(ring.copy_cqe(cqe).ok());
  if (cqe.res == -EINVAL) GTEST_SKIP() << "this kernel lacks NOP_CQE32 (6.18)";
  Cqe32 wanted{};
  wanted.user_data = 1, wanted.extra1 = 0x1111'0000'2222, wanted.extra2 = 0x3333'0000'4444;
  EXPECT_EQ(cqe, wanted);
}

// A file that has no commands, in each size: the request is understood and refused.
TEST(ThisKernelShapes, CommandsReachTheFile) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  uring::Ring128x32 ring;
  const uring::Result<void> opened = ring.init(4);
  if (opened.ok()) {
    ring.uring_cmd(1, pipe[0], 1, Longs{}).value();
    ASSERT_EQ(ring.submit_and_wait(1), 1);
    Cqe32 cqe{};
    ASSERT_TRUE(ring.copy_cqe(cqe).ok());
    EXPECT_EQ(cqe.error(), Error::opnotsupp);
  }
  ::close(pipe[0]);
  ::close(pipe[1]);
  NEEDS(opened, 0xc00, "SQE128 and CQE32 (5.19)");
}

TEST(ThisKernelShapes, CompletionsOfBothSizes) {
  uring::BasicRing<uring::LinuxKernel, Sqe, MixedCqes> ring;
  NEEDS(ring.init(4), 0x40000, "CQE_MIXED (6.18)");
  for (u64 n = 1; n < 40; ++n) {
    const bool large = n % 3 != 0;  // around the end of the CQ in every way
    Sqe& nop = ring.nop(n).value();
    if (large) nop.op_flags = 0x20, nop.off = n << 40, nop.addr = ~n;  // NOP_CQE32
    ASSERT_EQ(ring.submit_and_wait(1), 1);
    Cqe32 cqe{}, wanted = completion(n, large);
    ASSERT_TRUE(ring.copy_cqe(cqe).ok());
    wanted.res = 0, wanted.flags &= 0x8000;
    EXPECT_EQ(cqe, wanted);
  }
  EXPECT_EQ(ring.cq_ready(), 0u);
}

TEST(ThisKernelShapes, SubmissionsOfBothSizes) {
  uring::MixedRing ring;
  NEEDS(ring.init(4), 0xc0000, "CQE_MIXED (6.18) or SQE_MIXED (6.19)");
  for (u64 n = 1; n < 40; ++n) {
    const u64 small = n % 3;
    for (u64 i = 0; i < small; ++i) ring.nop(0).value();
    if (!ring.nop128(n).ok()) {
      ASSERT_TRUE(ring.submit().ok());
      ring.nop128(n).value();
    }
    ASSERT_TRUE(ring.submit_and_wait(static_cast<u32>(small) + 1).ok());
    u64 seen = 0;
    EXPECT_EQ(ring.for_each_cqe([&](const Cqe32& cqe) {
      EXPECT_EQ(cqe.res, 0);
      seen = cqe.user_data;
    }),
              small + 1);
    EXPECT_EQ(seen, n) << "the last one";
  }
}

TEST(ThisKernelShapes, Rewinding) {
  uring::Ring ring;
  NEEDS(ring.init(4, sq_rewind), sq_rewind, "SQ_REWIND (7.0)");
  for (u64 n = 0; n < 9; ++n) {
    ring.nop(2 * n).value();
    ring.nop(2 * n + 1).value();
    ASSERT_EQ(ring.submit_and_wait(2), 2);
    EXPECT_EQ(taken(ring), (std::vector<u64>{2 * n, 2 * n + 1}));
  }
  // The kernel stops after a request that it refuses.
  ring.nop(1).value().opcode = uring::Op{255};
  ring.nop(2).value();
  ASSERT_EQ(ring.submit(), 1);
  ASSERT_EQ(ring.submit_and_wait(2), 1);
  EXPECT_EQ(taken(ring), (std::vector<u64>{1, 2}));
}

TEST(ThisKernelShapes, AQueueOfItsOwnLengthAndAnotherRingsWorkers) {
  uring::Ring first, second;
  uring::Params params{};
  params.flags = 8;  // CQSIZE
  params.cq_entries = 64;
  NEEDS(first.init_params(4, params), 8, "CQSIZE (5.5)");
  EXPECT_EQ(first.cq_entries(), 64u);
  params = {};
  params.flags = 0x20;  // ATTACH_WQ
  params.wq_fd = static_cast<u32>(first.fd());
  NEEDS(second.init_params(4, params), 0x20, "ATTACH_WQ (5.6)");
  second.nop(1).value().flags |= uring::sqe_async;
  ASSERT_EQ(second.submit_and_wait(1), 1);
  EXPECT_EQ(taken(second), (std::vector<u64>{1}));
}

TEST(ThisKernelShapes, DisabledUntilEnabled) {
  uring::Ring ring;
  NEEDS(ring.init(4, 0x40), 0x40, "R_DISABLED (5.10)");
  ring.nop(1).value();
  EXPECT_EQ(ring.submit(), Error::badfd);
  EXPECT_TRUE(ring.enable_rings().ok());
  EXPECT_EQ(ring.submit_and_wait(1), 1);
  EXPECT_EQ(taken(ring), (std::vector<u64>{1}));
}

TEST(ThisKernelShapes, HybridPolling) {
  uring::Ring ring;
  NEEDS(ring.init(4, 0x20001), 0x20001, "HYBRID_IOPOLL (6.13)");
  ring.nop(1).value();
  EXPECT_EQ(ring.submit_and_wait(1), 1);
  EXPECT_EQ(taken(ring), (std::vector<u64>{1}));
  uring::Ring without;
  EXPECT_EQ(without.init(4, 0x20000), Error::inval) << "it is a kind of IOPOLL";
}

}  // namespace
