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

using uring::Cqe32, uring::Error, uring::Indices, uring::Sqe, uring::Sqe128;

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

}  // namespace
