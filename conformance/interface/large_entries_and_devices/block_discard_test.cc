// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// discard command of block devices: tells a drive that a range of it holds nothing any more, as ioctl(2) with
// BLKDISCARD does, which blocks.
//
// Needs BLOCK_URING_CMD_DISCARD (6.12, linux/blkdev.h), and a drive. Before, block devices have no commands
// and refuse them with EOPNOTSUPP.

#include <fcntl.h>

#include <cerrno>

#include "fixture/nvme_drive.h"
#include "fixture/ring_test.h"
#include "seam/device_abi.h"
#include "seam/kernel_abi.h"

namespace {

using namespace conformance;

class BlockDiscard : public RingTest<8> {
 protected:
  static constexpr std::uint64_t offset = 4 << 20;
  static constexpr std::uint32_t length = sizeof(DirectPage);

  NvmeDrive drive;
  Fd file = drive.open_block(O_RDWR);

  BlockDiscard() {
    for (int i = 0; i < 4; ++i) drive.write(page_of('a' + i), offset + i * length);
  }
  bool kernel_has_it() const { return kernel_has(wire::feature::min_timeout); }  // 6.12
  wire::Sqe wanted(int fd, std::uint64_t from = offset, std::uint64_t bytes = length,
                   std::uint32_t command = wire::block_uring_cmd_discard) const {
    return {.opcode = wire::op::uring_cmd,
            .fd = fd,
            .off = wire::halves(command, 0),
            .addr = from,
            .user_data = 1,
            .addr3 = bytes};
  }
  // The binding has words for a command with a payload; that this one has an address too, only the driver
  // knows.
  binding::Result<binding::Sqe&> queue(int fd, std::uint64_t from = offset, std::uint64_t bytes = length) {
    return ring.uring_cmd(1, fd, wire::block_uring_cmd_discard, bytes).with([=](binding::Sqe& sqe) {
      sqe.addr = from;
    });
  }
  // Which of the four pages are not what they were, "0 2".
  std::string changed() const {
    std::string pages;
    for (int i = 0; i < 4; ++i) {
      if (drive.read(offset + i * length) != page_of('a' + i)) pages += " " + std::to_string(i);
    }
    return pages;
  }
  std::string witness() {
    const int fd = file.get();
    return refused([&] { return queue(fd); }, wanted(fd),
                   [&] { return changed().empty() ? "" : "changed pages:" + changed(); },
                   Modifier{.name = "DISCARD",
                            .proxy = wire::feature::min_timeout,
                            .unsupported = wanted(fd, offset, length, wire::block_uring_cmd_nobody)});
  }
  static wire::Cqe done(std::int32_t res) { return {.user_data = 1, .res = res, .flags = 0}; }
};

// This drive has zeros there afterwards.
TEST_F(BlockDiscard, EmptiesARange) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  EXPECT_EQ(wire_of(must(queue(file.get(), offset + length, 2 * length))),
            wanted(file.get(), offset + length, 2 * length));
  EXPECT_EQ(complete(), done(0));
  EXPECT_EQ(drive.read(offset), page_of('a'));
  EXPECT_EQ(drive.read(offset + length), DirectPage{});
  EXPECT_EQ(drive.read(offset + 2 * length), DirectPage{});
  EXPECT_EQ(drive.read(offset + 3 * length), page_of('d'));
}

// What the page cache holds of it is out of date, and goes. For that a worker carries the discard out, which
// on 6.12 reads the SQE once more in the queue, where by then something else may be: it does it or refuses it
// ("io_uring/uring_cmd: switch sqe to async_data on EAGAIN"; right on 6.16, not looked for in between).
TEST_F(BlockDiscard, EmptiesThePageCache) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const bool keeps_the_sqe = kernel_has(wire::op::pipe);  // 6.16
  DirectPage cached{};
  ASSERT_EQ(pread(file.get(), cached.data(), length, offset), static_cast<ssize_t>(length));
  ASSERT_EQ(cached, page_of('a'));
  must(queue(file.get()));
  const wire::Cqe cqe = complete();
  // Before, a command that would block is read again from its slot, which a program may use anew as soon as
  // it was consumed; the suite writes 0xff there. So it is right, or refused with nothing done.
  if (!keeps_the_sqe && cqe == done(-EINVAL)) {
    EXPECT_EQ(changed(), "");
    return;
  }
  EXPECT_EQ(cqe, done(0));
  ASSERT_EQ(pread(file.get(), cached.data(), length, offset), static_cast<ssize_t>(length));
  EXPECT_EQ(cached, DirectPage{});
}

// Whole blocks, on the drive.
TEST_F(BlockDiscard, RefusesRangesThatAreNone) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const int fd = file.get();
  EXPECT_EQ(complete(wanted(fd, offset + 1)), done(-EINVAL));
  EXPECT_EQ(complete(wanted(fd, offset, length - 1)), done(-EINVAL));
  EXPECT_EQ(complete(wanted(fd, offset, 0)), done(-EINVAL));
  EXPECT_EQ(complete(wanted(fd, NvmeDrive::bytes, length)), done(-EINVAL));
  EXPECT_EQ(complete(wanted(fd, offset, ~std::uint64_t{0} - length + 1)), done(-EINVAL)) << "around the end";
  EXPECT_EQ(changed(), "");
}

TEST_F(BlockDiscard, RefusesWhoMayNotWrite) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const Fd reader = drive.open_block(O_RDONLY);
  must(queue(reader.get()));
  EXPECT_EQ(complete(), done(-EBADF));
  EXPECT_EQ(changed(), "");
}

TEST_F(BlockDiscard, RefusesWhatMeansNothing) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  wire::Sqe length_set = wanted(file.get()), priority = length_set, flags = length_set, slot = length_set;
  length_set.len = 1;
  priority.ioprio = 1;
  flags.op_flags = wire::uring_cmd_mask + 1;
  slot.file_index = 1;
  EXPECT_EQ(complete(length_set), done(-EINVAL));
  EXPECT_EQ(complete(priority), done(-EINVAL));
  EXPECT_EQ(complete(flags), done(-EINVAL));
  EXPECT_EQ(complete(slot), done(-EINVAL));
  EXPECT_EQ(complete(wanted(file.get(), offset, length, wire::block_uring_cmd_nobody)), done(-EINVAL))
      << "no such command";
  EXPECT_EQ(changed(), "");
}

}  // namespace
