// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// splice/read: moves bytes from one file into another through a pipe, and reads them there: three links of
// one chain. The request with the most fields that can be confused: two descriptors, two offsets, and an
// offset of all ones where there is none.
//
// Needs SPLICE (5.7), READ (5.6) and IOSQE_IO_LINK (5.3), and a file system that can splice.

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture/files.h"
#include "fixture/ring_test.h"

namespace {

using namespace conformance;

constexpr std::uint64_t no_offset = ~std::uint64_t{0};

class SpliceRead : public SizedRingTest {
 protected:
  TempDir dir;
  Fd source = dir.create("test_io_uring_splice_src", O_RDWR);
  Fd destination = dir.create("test_io_uring_splice_dst", O_RDWR);
  Fd pipe_out, pipe_in;

  SpliceRead() {
    std::array<int, 2> ends;
    if (pipe2(ends.data(), O_CLOEXEC) != 0) stop(Site::here(), "pipe2 failed");
    pipe_out = Fd(ends[0]);
    pipe_in = Fd(ends[1]);
  }

  // An ordinary write: it moves the position of the source to its end.
  void fill_source(const std::string& bytes, Site site = Site::here()) {
    const ssize_t written = ::write(source.get(), bytes.data(), bytes.size());
    if (written != static_cast<ssize_t>(bytes.size())) stop(site, "write: " + std::to_string(written));
  }
  binding::Result<binding::Sqe&> into_pipe(std::uint64_t offset, std::uint32_t bytes) {
    return ring.splice(0x11111111, source.get(), offset, pipe_in.get(), no_offset, bytes, 0);
  }
  binding::Result<binding::Sqe&> out_of_pipe(std::uint64_t offset, std::uint32_t bytes) {
    return ring.splice(0x22222222, pipe_out.get(), no_offset, destination.get(), offset, bytes, 0);
  }
  wire::Sqe into_pipe_wanted(std::uint64_t offset, std::uint32_t bytes) const {
    return {.opcode = wire::op::splice,
            .fd = pipe_in.get(),
            .off = no_offset,
            .addr = offset,
            .len = bytes,
            .user_data = 0x11111111,
            .file_index = static_cast<std::uint32_t>(source.get())};
  }
  wire::Sqe out_of_pipe_wanted(std::uint64_t offset, std::uint32_t bytes) const {
    return {.opcode = wire::op::splice,
            .fd = destination.get(),
            .off = offset,
            .addr = no_offset,
            .len = bytes,
            .user_data = 0x22222222,
            .file_index = static_cast<std::uint32_t>(pipe_out.get())};
  }
  std::string witness(Site site = Site::here()) {
    return refused(
        [&] { return into_pipe(0, 20); }, into_pipe_wanted(0, 20),
        [&] {
          int waiting = 0;
          return ioctl(pipe_out.get(), FIONREAD, &waiting) != 0 || waiting > 0 ? "bytes are in the pipe" : "";
        },
        std::nullopt, site);
  }
};

TEST_P(SpliceRead, MovesBytesThroughAPipe) {
  fill_source(std::string(20, 'a'));
  if (!kernel_has(wire::op::splice)) GTEST_SKIP() << witness();
  std::array<unsigned char, 20> read;
  read.fill('b');

  binding::Sqe& first = must(into_pipe(0, 20));
  EXPECT_EQ(wire_of(first), into_pipe_wanted(0, 20));
  first.flags |= wire::io_link;
  binding::Sqe& second = must(out_of_pipe(10, 20));
  EXPECT_EQ(wire_of(second), out_of_pipe_wanted(10, 20));
  second.flags |= wire::io_link;
  EXPECT_EQ(
      wire_of(must(ring.read(0x33333333, destination.get(), std::as_writable_bytes(std::span(read)), 10))),
      (wire::Sqe{.opcode = wire::op::read,
                 .fd = destination.get(),
                 .off = 10,
                 .addr = wire::address(read.data()),
                 .len = 20,
                 .user_data = 0x33333333}));

  submit(3);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x11111111, .res = 20, .flags = 0}));
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x22222222, .res = 20, .flags = 0}));
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x33333333, .res = 20, .flags = 0}));
  std::array<unsigned char, 20> wanted;
  wanted.fill('a');
  EXPECT_EQ(read, wanted);
}

// Twenty equal bytes look right at any offset. These do not, and no two of the numbers are the same.
TEST_P(SpliceRead, KeepsTheTwoOffsetsApart) {
  fill_source("abcdefghijklmnopqrst");
  if (!kernel_has(wire::op::splice)) GTEST_SKIP() << witness();
  must(into_pipe(3, 11));
  submit(1);
  // An empty pipe would keep the next request waiting.
  ASSERT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x11111111, .res = 11, .flags = 0}));
  must(out_of_pipe(7, 11));
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x22222222, .res = 11, .flags = 0}));

  std::string content(40, '?');
  const ssize_t size = pread(destination.get(), content.data(), content.size(), 0);
  ASSERT_GE(size, 0);
  content.resize(static_cast<std::size_t>(size));
  EXPECT_EQ(content, std::string(7, '\0') + "defghijklmn");
  // Offsets that are given leave the positions of the files alone.
  EXPECT_EQ(lseek(source.get(), 0, SEEK_CUR), 20);
  EXPECT_EQ(lseek(destination.get(), 0, SEEK_CUR), 0);
}

// All ones, and all 64 of them, mean the position of a file: cut to 32 bits it is an offset at 4 GiB, where
// there is nothing. The source ends before the 20 bytes are together, and the splice says so.
TEST_P(SpliceRead, TakesAllOnesForTheFilePosition) {
  fill_source("abcdefghijklmnopqrst");
  if (!kernel_has(wire::op::splice)) GTEST_SKIP() << witness();
  ASSERT_EQ(lseek(source.get(), 5, SEEK_SET), 5);
  EXPECT_EQ(wire_of(must(into_pipe(no_offset, 20))), into_pipe_wanted(no_offset, 20));
  submit(1);
  ASSERT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x11111111, .res = 15, .flags = 0}));
  EXPECT_EQ(lseek(source.get(), 0, SEEK_CUR), 20);

  // From the pipe to the position of the destination.
  ASSERT_EQ(lseek(destination.get(), 2, SEEK_SET), 2);
  must(out_of_pipe(no_offset, 15));
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x22222222, .res = 15, .flags = 0}));
  EXPECT_EQ(lseek(destination.get(), 0, SEEK_CUR), 17);
  std::string content(15, '?');
  ASSERT_EQ(pread(destination.get(), content.data(), content.size(), 2), 15);
  EXPECT_EQ(content, "fghijklmnopqrst");
}

INSTANTIATE_TEST_SUITE_P(, SpliceRead, testing::Values(4, 16), ring_size_name);

}  // namespace
