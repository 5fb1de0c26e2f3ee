// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// tee, and splice from a slot: TEE copies what is in one pipe to another and leaves it there; with
// SPLICE_F_FD_IN_FIXED the input of TEE and SPLICE is a registered file. The output is the file of the SQE.
//
// Needs TEE (5.8, io_uring_prep_tee(3)).

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "fixture/ring_test.h"

namespace {

using namespace conformance;

constexpr std::uint64_t no_offset = ~std::uint64_t{0};  // of a pipe

class TeeSpliceFixed : public RingTest<8> {
 protected:
  Pipe a, b;

  wire::Sqe tee_wanted(int in, int out, std::uint32_t bytes, std::uint32_t flags) const {
    return {.opcode = wire::op::tee,
            .fd = out,
            .len = bytes,
            .op_flags = flags,
            .user_data = 1,
            .file_index = static_cast<std::uint32_t>(in)};
  }
  wire::Cqe tee(int in, int out, std::uint32_t bytes, std::uint32_t flags, std::uint8_t sqe_flags = 0,
                Site site = Site::here()) {
    binding::Sqe& sqe = must(ring.tee(1, in, out, bytes, flags), site);
    EXPECT_EQ_AT(site, wire_of(sqe), tee_wanted(in, out, bytes, flags));
    sqe.flags |= sqe_flags;
    return complete(site);
  }
  wire::Cqe splice(int in, int out, std::uint32_t bytes, std::uint32_t flags, Site site = Site::here()) {
    wire::Sqe wanted = tee_wanted(in, out, bytes, flags);
    wanted.opcode = wire::op::splice;
    wanted.off = wanted.addr = no_offset;
    EXPECT_EQ_AT(site, wire_of(must(ring.splice(1, in, no_offset, out, no_offset, bytes, flags), site)),
                 wanted);
    return complete(site);
  }
  // Takes all that is in the pipe.
  static std::string content(const Pipe& pipe, Site site = Site::here()) {
    int bytes = 0;
    if (ioctl(pipe.reader.get(), FIONREAD, &bytes) != 0) stop_errno(site, "FIONREAD");
    std::string text(static_cast<std::size_t>(bytes), '-');
    if (bytes > 0 && read(pipe.reader.get(), text.data(), text.size()) != bytes) stop_errno(site, "read");
    return text;
  }
  std::string witness() {
    a.write("abcdef");
    return refused([&] { return ring.tee(1, a.reader.get(), b.writer.get(), 3, 0); },
                   tee_wanted(a.reader.get(), b.writer.get(), 3, 0),
                   [&] { return content(b).empty() ? "" : "it was copied"; });
  }
  static wire::Cqe done(std::int32_t res) { return {.user_data = 1, .res = res, .flags = 0}; }
};

TEST_F(TeeSpliceFixed, CopiesAndLeavesItThere) {
  if (!kernel_has(wire::op::tee)) GTEST_SKIP() << witness();
  a.write("abcdef");
  EXPECT_EQ(tee(a.reader.get(), b.writer.get(), 3, 0), done(3));
  EXPECT_EQ(content(b), "abc");
  EXPECT_EQ(tee(a.reader.get(), b.writer.get(), 100, 0), done(6));
  EXPECT_EQ(content(b), "abcdef");
  EXPECT_EQ(content(a), "abcdef");
}

// The slots are not what these numbers are as descriptors.
TEST_F(TeeSpliceFixed, TakesItsInputFromASlot) {
  if (!kernel_has(wire::op::tee)) GTEST_SKIP() << witness();
  must(ring.register_files(std::array{-1, a.reader.get()}));
  a.write("ab");
  EXPECT_EQ(tee(1, b.writer.get(), 2, wire::splice_f_fd_in_fixed), done(2));
  EXPECT_EQ(splice(1, b.writer.get(), 2, wire::splice_f_fd_in_fixed), done(2));
  EXPECT_EQ(content(b), "abab");
  EXPECT_EQ(content(a), "");
  EXPECT_EQ(tee(0, b.writer.get(), 2, wire::splice_f_fd_in_fixed), done(-EBADF)) << "an empty slot";
}

// The flag of the SQE is about the output alone.
TEST_F(TeeSpliceFixed, WritesToASlot) {
  if (!kernel_has(wire::op::tee)) GTEST_SKIP() << witness();
  must(ring.register_files(std::array{-1, b.writer.get(), a.reader.get()}));
  a.write("ab");
  EXPECT_EQ(tee(a.reader.get(), 1, 2, 0, wire::fixed_file), done(2));
  EXPECT_EQ(tee(2, 1, 1, wire::splice_f_fd_in_fixed, wire::fixed_file), done(1));
  EXPECT_EQ(content(b), "aba");
  EXPECT_EQ(content(a), "ab");
}

TEST_F(TeeSpliceFixed, RefusesWhatItCannotCopy) {
  if (!kernel_has(wire::op::tee)) GTEST_SKIP() << witness();
  const TempDir dir;
  const Fd file = dir.create("file", O_RDWR);
  a.write("ab");
  wire::Sqe in_offset = tee_wanted(a.reader.get(), b.writer.get(), 2, 0), out_offset = in_offset,
            unknown = in_offset;
  in_offset.addr = 1;
  out_offset.off = 1;
  unknown.op_flags = 1u << 30;
  for (const wire::Sqe& sqe : {in_offset, out_offset, unknown}) {
    EXPECT_EQ(complete(sqe), done(-EINVAL)) << wire::to_string(sqe);
  }
  EXPECT_EQ(tee(file.get(), b.writer.get(), 2, 0), done(-EINVAL));
  EXPECT_EQ(tee(a.reader.get(), file.get(), 2, 0), done(-EINVAL));
  EXPECT_EQ(content(b), "");
  EXPECT_EQ(content(a), "ab");
}

}  // namespace
