// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// sync_file_range and fdatasync: write a part of a file to its disk, or all of it without its times. That it
// is there then cannot be seen; that it is refused where that cannot be, can.
//
// Needs SYNC_FILE_RANGE (5.2, io_uring_enter(2)) and the single mapping of the rings (5.4).

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "fixture/ring_test.h"

namespace {

using namespace conformance;

constexpr std::uint32_t all_flags =
    SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;

class SyncFileRange : public RingTest<8> {
 protected:
  TempDir dir;
  Fd file = dir.create("file", O_RDWR);

  SyncFileRange() { EXPECT_EQ(write(file.get(), "abcdefgh", 8), 8); }

  wire::Sqe wanted(std::uint64_t offset, std::uint32_t bytes, std::uint32_t flags) const {
    return {.opcode = wire::op::sync_file_range,
            .fd = file.get(),
            .off = offset,
            .len = bytes,
            .op_flags = flags,
            .user_data = 1};
  }
  wire::Sqe fsync_wanted(std::uint32_t flags) const {
    return {.opcode = wire::op::fsync, .fd = file.get(), .op_flags = flags, .user_data = 1};
  }
  void expect_unchanged(Site site = Site::here()) const {
    std::array<char, 16> content{};
    if (pread(file.get(), content.data(), content.size() - 1, 0) < 0) stop_errno(site, "pread");
    EXPECT_EQ_AT(site, std::string(content.data()), "abcdefgh");
  }
  static wire::Cqe done(std::int32_t res) { return {.user_data = 1, .res = res, .flags = 0}; }
};

TEST_F(SyncFileRange, SyncsAPartOfAFile) {
  EXPECT_EQ(wire_of(must(ring.sync_file_range(1, file.get(), 2, 4, all_flags))), wanted(2, 4, all_flags));
  EXPECT_EQ(complete(), done(0));
  EXPECT_EQ(wire_of(must(ring.sync_file_range(1, file.get(), 1ull << 33, 0, SYNC_FILE_RANGE_WRITE))),
            wanted(1ull << 33, 0, SYNC_FILE_RANGE_WRITE));
  EXPECT_EQ(complete(), done(0));
  expect_unchanged();
}

TEST_F(SyncFileRange, RefusesWhatCannotBeSynced) {
  const Pipe pipe;
  wire::Sqe on_a_pipe = wanted(0, 0, all_flags), negative = wanted(~std::uint64_t{0}, 1, all_flags),
            addr = wanted(0, 8, all_flags);
  on_a_pipe.fd = pipe.reader.get();
  addr.addr = 1;
  EXPECT_EQ(complete(on_a_pipe), done(-ESPIPE));
  EXPECT_EQ(complete(negative), done(-EINVAL));
  EXPECT_EQ(complete(addr), done(-EINVAL));
  EXPECT_EQ(complete(wanted(0, 8, 8)), done(-EINVAL)) << "a flag that there is not";
}

// FSYNC knows of fdatasync(2), and of a part of a file, too.
TEST_F(SyncFileRange, IsNotNeededForAllOfAFile) {
  EXPECT_EQ(wire_of(must(ring.fsync(1, file.get(), wire::fsync_datasync))),
            fsync_wanted(wire::fsync_datasync));
  EXPECT_EQ(complete(), done(0));
  wire::Sqe part = fsync_wanted(wire::fsync_datasync);
  part.off = 2;
  part.len = 4;
  EXPECT_EQ(complete(part), done(0));
  EXPECT_EQ(complete(fsync_wanted(wire::fsync_datasync | 2)), done(-EINVAL));
  expect_unchanged();
}

}  // namespace
