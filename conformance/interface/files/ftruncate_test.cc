// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// ftruncate: makes an open file shorter or longer, through the ring.
//
// Needs FTRUNCATE (6.9, io_uring_prep_ftruncate(3)).

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "fixture/ring_test.h"

namespace {

using namespace conformance;

class Ftruncate : public RingTest<8> {
 protected:
  TempDir dir;
  Fd file = dir.create("file", O_RDWR);

  Ftruncate() { EXPECT_EQ(write(file.get(), "abcde", 5), 5); }

  wire::Sqe wanted(std::uint64_t bytes) const {
    return {.opcode = wire::op::ftruncate, .fd = file.get(), .off = bytes, .user_data = 1};
  }
  void expect_truncates(std::uint64_t bytes, Site site = Site::here()) {
    EXPECT_EQ_AT(site, wire_of(must(ring.ftruncate(1, file.get(), bytes), site)), wanted(bytes));
    EXPECT_EQ_AT(site, complete(site), done(0));
    EXPECT_EQ_AT(site, size(), static_cast<off_t>(bytes));
  }
  off_t size() const {
    struct stat status {};
    EXPECT_EQ(fstat(file.get(), &status), 0);
    return status.st_size;
  }
  std::string witness() {
    return refused([&] { return ring.ftruncate(1, file.get(), 3); }, wanted(3),
                   [&] { return size() == 5 ? "" : "the size changed"; });
  }
  static wire::Cqe done(std::int32_t res) { return {.user_data = 1, .res = res, .flags = 0}; }
};

TEST_F(Ftruncate, MakesAFileShorterAndLonger) {
  if (!kernel_has(wire::op::ftruncate)) GTEST_SKIP() << witness();
  expect_truncates(3);
  expect_truncates(6);
  std::array<char, 8> content{};
  ASSERT_EQ(pread(file.get(), content.data(), content.size(), 0), 6);
  EXPECT_EQ(std::string(content.data(), 6), std::string("abc\0\0\0", 6));
  expect_truncates(0);
}

// All 64 bits of the size count: half of it would be 1.
TEST_F(Ftruncate, TakesASizeOf64Bits) {
  if (!kernel_has(wire::op::ftruncate)) GTEST_SKIP() << witness();
  expect_truncates((1ull << 32) + 1);
}

TEST_F(Ftruncate, WorksOnASlot) {
  if (!kernel_has(wire::op::ftruncate)) GTEST_SKIP() << witness();
  must(ring.register_files(std::array{-1, file.get()}));
  must(ring.ftruncate(1, 1, 2)).flags |= wire::fixed_file;
  EXPECT_EQ(complete(), done(0));
  EXPECT_EQ(size(), 2);
}

TEST_F(Ftruncate, RefusesWhatItCannotDo) {
  if (!kernel_has(wire::op::ftruncate)) GTEST_SKIP() << witness();
  const Fd read_only(openat(dir.fd(), "file", O_RDONLY | O_CLOEXEC));
  wire::Sqe negative = wanted(~std::uint64_t{0}), not_to_write = wanted(3), closed = wanted(3);
  not_to_write.fd = read_only.get();
  closed.fd = -1;
  EXPECT_EQ(complete(negative), done(-EINVAL));
  EXPECT_EQ(complete(not_to_write), done(-EINVAL));
  EXPECT_EQ(complete(closed), done(-EBADF));
  // It has no other arguments.
  wire::Sqe len = wanted(3), addr = wanted(3), flags = wanted(3), buffer = wanted(3);
  len.len = 1;
  addr.addr = 1;
  flags.op_flags = 1;
  buffer.buf_index = 1;
  for (const wire::Sqe& sqe : {len, addr, flags, buffer}) {
    EXPECT_EQ(complete(sqe), done(-EINVAL)) << wire::to_string(sqe);
  }
  EXPECT_EQ(size(), 5);
}

}  // namespace
