// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Bundles: CQEs whose bytes lie in several buffers of a group, on a fake kernel and on this machine's.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "played_kernel.h"

namespace {

using uring::Buf, uring::Consumption, uring::Error, uring::i32, uring::u16;
using Group = uring::BufferGroup<Ring>;
using Piece = std::pair<std::size_t, std::size_t>;  // where in the memory, and how long

// Four buffers of 16 bytes.
class Bundles : public RingOnAPlayedKernel, public testing::WithParamInterface<Consumption> {
 protected:
  alignas(64) std::array<std::byte, 64> memory{};
  Group group;

  void SetUp() override {
    ASSERT_TRUE(ring.init(4).ok());
    ASSERT_TRUE(group.init(ring, 7, memory, 16, GetParam()).ok());
  }
  void TearDown() override {
    group.close();
    RingOnAPlayedKernel::TearDown();
  }
  Buf* entries() { return reinterpret_cast<Buf*>(kernel.buf_rings.at(7)); }
  u16 tail() { return entries()[0].resv; }
  u16 id_at(u16 position) { return entries()[position % 4].bid; }

  // The CQE of a bundle that begins with this buffer.
  static Cqe from(u16 id, i32 bytes, u32 more_flags = 0) {
    return {.user_data = 0, .res = bytes, .flags = u32{id} << 16 | 1 | more_flags};
  }
  std::vector<Piece> pieces(const Cqe& cqe) {
    std::vector<Piece> result;
    EXPECT_TRUE(group
                    .for_each_piece(cqe,
                                    [&](std::span<std::byte> piece) {
                                      result.emplace_back(piece.data() - memory.data(), piece.size());
                                    })
                    .ok());
    return result;
  }
  void expect_none(const Cqe& cqe, Error error) {
    EXPECT_EQ(group.for_each_piece(cqe, [](std::span<std::byte>) { ADD_FAILURE() << "visited"; }), error);
    EXPECT_EQ(group.put_bundle(cqe), error);
    EXPECT_EQ(tail(), 4) << "given back";
  }
};
INSTANTIATE_TEST_SUITE_P(Both, Bundles, testing::Values(Consumption::whole, Consumption::incremental),
                         [](const auto& info) {
                           return info.param == Consumption::whole ? "whole" : "incremental";
                         });

TEST_P(Bundles, AreReadInTheOrderOfTheRing) {
  EXPECT_EQ(pieces(from(0, 40)), (std::vector<Piece>{{0, 16}, {16, 16}, {32, 8}}));
  EXPECT_EQ(pieces(from(1, 16)), (std::vector<Piece>{{16, 16}})) << "no more than it filled";
  EXPECT_EQ(pieces(from(1, 17)), (std::vector<Piece>{{16, 16}, {32, 1}}));
  EXPECT_EQ(pieces(from(0, 64)), (std::vector<Piece>{{0, 16}, {16, 16}, {32, 16}, {48, 16}}));
  EXPECT_EQ(pieces(from(3, 16)), (std::vector<Piece>{{48, 16}}));
  EXPECT_EQ(pieces(from(2, 0)), (std::vector<Piece>{{32, 0}})) << "a buffer, and nothing in it";
}

TEST_P(Bundles, ThatCannotBeAreRefused) {
  expect_none({.user_data = 0, .res = 5, .flags = 0}, Error::no_buffer_selected);
  expect_none(from(4, 5), Error::buffer_out_of_range);
  expect_none(from(0, 65), Error::buffer_out_of_range);
  expect_none(from(3, 17), Error::buffer_out_of_range);
}

// Whole bundles are given back in the order in which they came; the next one is found where it is now.
TEST_P(Bundles, AreGivenBackAndComeAgain) {
  ASSERT_TRUE(group.put_bundle(from(0, 20)).ok());
  EXPECT_EQ(tail(), 6);
  EXPECT_EQ(id_at(4), 0);
  EXPECT_EQ(id_at(5), 1);
  EXPECT_EQ(entries()[1].addr, reinterpret_cast<u64>(memory.data() + 16));
  EXPECT_EQ(entries()[1].len, 16u);
  // 2, 3, and around the end 0.
  EXPECT_EQ(pieces(from(2, 33)), (std::vector<Piece>{{32, 16}, {48, 16}, {0, 1}}));
  ASSERT_TRUE(group.put_bundle(from(2, 33)).ok());
  EXPECT_EQ(tail(), 9);
  EXPECT_EQ(id_at(5), 1) << "the one that is still there";
  EXPECT_EQ(id_at(6), 2);
  EXPECT_EQ(id_at(7), 3);
  EXPECT_EQ(id_at(8), 0);
  // All four at once, from 1 on.
  EXPECT_EQ(pieces(from(1, 64)), (std::vector<Piece>{{16, 16}, {32, 16}, {48, 16}, {0, 16}}));
  ASSERT_TRUE(group.put_bundle(from(1, 64)).ok());
  EXPECT_EQ(tail(), 13);
  for (u16 k = 0; k < 4; ++k) EXPECT_EQ(id_at(static_cast<u16>(9 + k)), (1 + k) % 4);
}

// An entry that was used up keeps its number until it is overwritten: where it was added last is what counts.
TEST_P(Bundles, AreFoundWhereTheyWereAddedLast) {
  ASSERT_TRUE(group.put(from(2, 16)).ok());  // at position 4; 0, 1, 3 are not back yet
  EXPECT_EQ(pieces(from(2, 10)), (std::vector<Piece>{{32, 10}}));
  EXPECT_EQ(group.for_each_piece(from(2, 17), [](std::span<std::byte>) {}), Error::buffer_out_of_range)
      << "nothing was added after it";
}

// Positions are 16 bits.
TEST_P(Bundles, AreFoundAcrossTheWrapOf16Bits) {
  for (u32 i = 0; i < 65534 / 2; ++i) {
    const u16 first_id = static_cast<u16>(2 * i % 4);
    ASSERT_TRUE(group.put_bundle(from(first_id, 32)).ok());
  }
  EXPECT_EQ(tail(), static_cast<u16>(4 + 65534));
  const u16 oldest = id_at(static_cast<u16>(tail() - 4));
  EXPECT_EQ(pieces(from(oldest, 64)).size(), 4u);
}

// More buffers than a buffer has bytes.
TEST_P(Bundles, AreFoundAmongMany) {
  Group many;
  ASSERT_TRUE(many.init(ring, 8, memory, 4, GetParam()).ok());
  std::size_t found = 0;
  const auto count = [&](std::span<std::byte> piece) { found += piece.size(); };
  EXPECT_TRUE(many.for_each_piece(from(0, 64), count).ok());
  EXPECT_EQ(found, 64u);
  EXPECT_EQ(many.for_each_piece(from(16, 1), count), Error::buffer_out_of_range);
}

using IncrementalBundles = Bundles;
INSTANTIATE_TEST_SUITE_P(Only, IncrementalBundles, testing::Values(Consumption::incremental),
                         [](const auto&) { return "incremental"; });
constexpr u32 buf_more = 16;

// The last buffer may have room left: then the next bundle begins in it.
TEST_P(IncrementalBundles, ContinueInTheLastBuffer) {
  const Cqe first_cqe = from(0, 20, buf_more);
  EXPECT_EQ(pieces(first_cqe), (std::vector<Piece>{{0, 16}, {16, 4}}));
  ASSERT_TRUE(group.put_bundle(first_cqe).ok());
  EXPECT_EQ(tail(), 5) << "buffer 0 only";
  EXPECT_EQ(id_at(4), 0);
  const Cqe second_cqe = from(1, 14, buf_more);
  EXPECT_EQ(pieces(second_cqe), (std::vector<Piece>{{20, 12}, {32, 2}}));
  ASSERT_TRUE(group.put_bundle(second_cqe).ok());
  EXPECT_EQ(tail(), 6);
  EXPECT_EQ(id_at(5), 1);
  // Within one buffer, twice, and to its end.
  EXPECT_EQ(pieces(from(2, 3, buf_more)), (std::vector<Piece>{{34, 3}}));
  ASSERT_TRUE(group.put_bundle(from(2, 3, buf_more)).ok());
  EXPECT_EQ(tail(), 6);
  EXPECT_EQ(pieces(from(2, 11)), (std::vector<Piece>{{37, 11}}));
  ASSERT_TRUE(group.put_bundle(from(2, 11)).ok());
  EXPECT_EQ(tail(), 7);
  EXPECT_EQ(id_at(6), 2);
  EXPECT_EQ(pieces(from(2, 16)), (std::vector<Piece>{{32, 16}})) << "from its beginning again";
}

TEST_P(IncrementalBundles, HaveNoMoreThanIsLeft) {
  ASSERT_TRUE(group.put_bundle(from(0, 4, buf_more)).ok());
  EXPECT_EQ(pieces(from(0, 60)).front(), (Piece{4, 12}));
  expect_none(from(0, 61), Error::buffer_out_of_range);
}

// With whole buffers there is no such thing, whatever the flags say.
using WholeBundles = Bundles;
INSTANTIATE_TEST_SUITE_P(Only, WholeBundles, testing::Values(Consumption::whole),
                         [](const auto&) { return "whole"; });

TEST_P(WholeBundles, EndWithTheirCqe) {
  ASSERT_TRUE(group.put_bundle(from(0, 20, buf_more)).ok());
  EXPECT_EQ(tail(), 6);
}

TEST_P(Bundles, AreAskedForWithTheGroup) {
  const auto plain = group.recv_bundle(1, 5, 0x20);
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(*plain, (uring::Sqe{.opcode = uring::Op{27},
                                .flags = 32,
                                .ioprio = 16,
                                .fd = 5,
                                .op_flags = 0x20,
                                .user_data = 1,
                                .buf_index = 7}));
  const auto repeated = group.recv_multishot_bundle(2, 5, 0x20);
  ASSERT_TRUE(repeated.ok());
  EXPECT_EQ(*repeated, (uring::Sqe{.opcode = uring::Op{27},
                                   .flags = 32,
                                   .ioprio = 18,
                                   .fd = 5,
                                   .op_flags = 0x20,
                                   .user_data = 2,
                                   .buf_index = 7}));
  const auto message = group.recvmsg_multishot(3, 5, nullptr, 0x20);
  ASSERT_TRUE(message.ok());
  EXPECT_EQ(*message, (uring::Sqe{.opcode = uring::Op{10},
                                  .flags = 32,
                                  .ioprio = 2,
                                  .fd = 5,
                                  .len = 1,
                                  .op_flags = 0x20,
                                  .user_data = 3,
                                  .buf_index = 7}));
  ring.submit().value();
}

// --- this machine's kernel ---------------------------------------------------------------------------------

class BundlesOnThisKernel : public testing::TestWithParam<Consumption> {};
INSTANTIATE_TEST_SUITE_P(Both, BundlesOnThisKernel,
                         testing::Values(Consumption::whole, Consumption::incremental), [](const auto& info) {
                           return info.param == Consumption::whole ? "whole" : "incremental";
                         });

TEST_P(BundlesOnThisKernel, DeliverEveryByteInOrder) {
  uring::Ring ring;
  ASSERT_TRUE(ring.init(8).ok());
  static std::array<std::byte, 8 * 16> memory;
  uring::BufferGroup<uring::Ring> group;
  const auto made = group.init(ring, 3, memory, 16, GetParam());
  if (made == Error::inval || (ring.features() & uring::feat_recvsend_bundle) == 0)
    GTEST_SKIP() << "this kernel lacks bundles (6.10)";
  ASSERT_TRUE(made.ok());
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  ASSERT_TRUE(group.recv_multishot_bundle(1, ends[0], 0).ok());
  ASSERT_EQ(ring.submit(), 1);
  std::string sent, received;
  std::size_t in_several = 0;
  for (int round = 0; round < 100; ++round) {
    std::string text;
    for (int i = 0; i < 1 + round * 7 % 97; ++i) text += static_cast<char>('a' + (round + i) % 26);
    ASSERT_EQ(write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
    sent += text;
    while (received.size() < sent.size()) {
      uring::Cqe cqe{};
      ASSERT_TRUE(ring.copy_cqe(cqe).ok());
      ASSERT_GT(cqe.res, 0) << uring::name(cqe.error()).c_str();
      std::size_t pieces = 0;
      ASSERT_TRUE(group
                      .for_each_piece(cqe,
                                      [&](std::span<std::byte> piece) {
                                        ++pieces;
                                        received.append(reinterpret_cast<char*>(piece.data()), piece.size());
                                      })
                      .ok());
      in_several += pieces > 1;
      ASSERT_TRUE(group.put_bundle(cqe).ok());
      if (!cqe.has_more()) {
        ASSERT_TRUE(group.recv_multishot_bundle(1, ends[0], 0).ok());
        ASSERT_EQ(ring.submit(), 1);
      }
    }
    ASSERT_EQ(received, sent) << "after round " << round;
  }
  EXPECT_GT(in_several, 20u) << "hardly a bundle among them";
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
