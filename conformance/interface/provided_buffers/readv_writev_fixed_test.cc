// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// vectored fixed read and write: READV_FIXED and WRITEV_FIXED take several pieces, all of one registered
// buffer.
//
// Needs READV_FIXED and WRITEV_FIXED (6.15, io_uring_prep_readv(3)).

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "fixture/memory_limit.h"
#include "fixture/ring_test.h"

namespace {

using namespace conformance;

class ReadvWritevFixed : public RingTest<8> {
 protected:
  static constexpr std::uint16_t place = 1;
  TempDir dir;
  Fd file = dir.create("file", O_RDWR);
  alignas(4096) std::array<char, 8192> memory{};
  std::array<iovec, 2> pieces{};

  wire::Sqe wanted(std::uint8_t opcode, std::uint64_t offset) const {
    return {.opcode = opcode,
            .fd = file.get(),
            .off = offset,
            .addr = wire::address(pieces.data()),
            .len = 2,
            .user_data = 1,
            .buf_index = place};
  }
  binding::Result<binding::Sqe&> queue_readv(std::uint64_t offset) {
    return ring.readv_fixed(1, file.get(), pieces.data(), pieces.size(), offset, place);
  }
  void register_memory(Site site = Site::here()) {
    const std::array<iovec, 2> table{{{nullptr, 0}, {memory.data(), memory.size()}}};
    EXPECT_EQ_AT(site, must(when_there_is_room([&] { return ring.register_buffers(table.data(), 2); }), site),
                 0u);
  }
  iovec piece(std::size_t at, std::size_t size) { return {memory.data() + at, size}; }
  std::string witness() {
    register_memory();
    pieces = {piece(200, 8), piece(300, 8)};
    return refused([&] { return queue_readv(0); }, wanted(wire::op::readv_fixed, 0),
                   [&] { return memory[200] == 0 ? "" : "it was read"; });
  }
  static wire::Cqe done(std::int32_t res) { return {.user_data = 1, .res = res, .flags = 0}; }
};

TEST_F(ReadvWritevFixed, WritesAndReadsPieces) {
  if (!kernel_has(wire::op::readv_fixed)) GTEST_SKIP() << witness();
  register_memory();
  std::copy_n("abcdefgh", 8, memory.begin());
  std::copy_n("ijklmnop", 8, memory.begin() + 100);
  pieces = {piece(0, 8), piece(100, 8)};
  EXPECT_EQ(wire_of(must(ring.writev_fixed(1, file.get(), pieces.data(), 2, 4, place))),
            wanted(wire::op::writev_fixed, 4));
  EXPECT_EQ(complete(), done(16));
  std::array<char, 32> content{};
  ASSERT_EQ(pread(file.get(), content.data(), content.size(), 0), 20);
  EXPECT_EQ(std::string(content.data(), 20), std::string("\0\0\0\0abcdefghijklmnop", 20));

  // Back into other places, one of them across the end of a page.
  std::array<char, 8192> after = memory;
  std::copy_n("abcdefgh", 8, after.begin() + 4092);
  std::copy_n("ijklmnop", 8, after.begin() + 300);
  pieces = {piece(4092, 8), piece(300, 8)};
  EXPECT_EQ(wire_of(must(queue_readv(4))), wanted(wire::op::readv_fixed, 4));
  EXPECT_EQ(complete(), done(16));
  EXPECT_TRUE(memory == after) << "not the two pieces, or not only them";
}

// All pieces are of the buffer, or nothing is read.
TEST_F(ReadvWritevFixed, RefusesOtherMemory) {
  if (!kernel_has(wire::op::readv_fixed)) GTEST_SKIP() << witness();
  ASSERT_EQ(write(file.get(), "abcdefghijklmnop", 16), 16);
  pieces = {piece(0, 8), piece(memory.size() - 4, 8)};
  must(queue_readv(0));
  EXPECT_EQ(complete(), done(-EFAULT)) << "there is no table";
  register_memory();
  must(queue_readv(0));
  EXPECT_EQ(complete(), done(-EFAULT)) << "the second piece is four bytes too long";
  pieces[1] = piece(8, 8);
  for (const std::uint16_t index : {std::uint16_t{0}, std::uint16_t{2}}) {  // an empty place, and none
    wire::Sqe sqe = wanted(wire::op::readv_fixed, 0);
    sqe.buf_index = index;
    EXPECT_EQ(complete(sqe), done(-EFAULT)) << index;
  }
  EXPECT_EQ(std::ranges::count(memory, 0), static_cast<std::ptrdiff_t>(memory.size()));
}

}  // namespace
