// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// writev/fsync/readv: a chain of three linked requests, submitted and waited for in one call. The chain fixes
// the order, so every count can be checked after every step.
//
// Needs READV, WRITEV, FSYNC (5.1) and IOSQE_IO_LINK (5.3).

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>

#include "fixture/files.h"
#include "fixture/ring_test.h"

namespace {

using namespace conformance;

class WritevFsyncReadv : public SizedRingTest {};

TEST_P(WritevFsyncReadv, RunsInOrderAndWaitsForAll) {
  const TempDir dir;
  const Fd file = dir.create("test_io_uring_writev_fsync_readv", O_RDWR);
  std::array<unsigned char, 128> written, read{};
  written.fill(42);
  const iovec from{written.data(), written.size()}, to{read.data(), read.size()};

  binding::Sqe& writev = must(ring.writev(0xdddddddd, file.get(), {&from, 1}, 17));
  EXPECT_EQ(wire_of(writev), (wire::Sqe{.opcode = wire::op::writev,
                                        .fd = file.get(),
                                        .off = 17,
                                        .addr = wire::address(&from),
                                        .len = 1,
                                        .user_data = 0xdddddddd}));
  writev.flags |= wire::io_link;

  binding::Sqe& fsync = must(ring.fsync(0xeeeeeeee, file.get(), 0));
  EXPECT_EQ(wire_of(fsync),
            (wire::Sqe{.opcode = wire::op::fsync, .fd = file.get(), .user_data = 0xeeeeeeee}));
  fsync.flags |= wire::io_link;

  EXPECT_EQ(wire_of(must(ring.readv(0xffffffff, file.get(), {&to, 1}, 17))),
            (wire::Sqe{.opcode = wire::op::readv,
                       .fd = file.get(),
                       .off = 17,
                       .addr = wire::address(&to),
                       .len = 1,
                       .user_data = 0xffffffff}));

  EXPECT_EQ(ring.sq_ready(), 3u);
  submit_and_wait(3, 3);
  EXPECT_EQ(ring.sq_ready(), 0u);
  EXPECT_EQ(ring.cq_ready(), 3u);

  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0xdddddddd, .res = 128, .flags = 0}));
  EXPECT_EQ(ring.cq_ready(), 2u);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0xeeeeeeee, .res = 0, .flags = 0}));
  EXPECT_EQ(ring.cq_ready(), 1u);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0xffffffff, .res = 128, .flags = 0}));
  EXPECT_EQ(ring.cq_ready(), 0u);
  EXPECT_EQ(read, written);
}

// The ring's own read might make the same mistake as its write: ask the file through another door.
TEST_P(WritevFsyncReadv, PutsTheBytesAtTheOffset) {
  const TempDir dir;
  const Fd file = dir.create("test_io_uring_writev_fsync_readv", O_RDWR);
  const std::array<unsigned char, 3> bytes{1, 2, 3};
  const iovec from{const_cast<unsigned char*>(bytes.data()), bytes.size()};
  must(ring.writev(0xdddddddd, file.get(), {&from, 1}, 17));
  submit_and_wait(1, 1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0xdddddddd, .res = 3, .flags = 0}));

  std::array<unsigned char, 32> content{};
  ASSERT_EQ(pread(file.get(), content.data(), content.size(), 0), 20);
  std::array<unsigned char, 32> wanted{};
  std::copy(bytes.begin(), bytes.end(), wanted.begin() + 17);
  EXPECT_EQ(content, wanted);
}

// What the link is for: when one fails, those after it do not run. The write goes to a read-only descriptor.
TEST_P(WritevFsyncReadv, CancelsWhatIsLinkedBehindAFailure) {
  const Fd zero = open_file("/dev/zero", O_RDONLY);
  std::array<unsigned char, 4> bytes{9, 9, 9, 9};
  const iovec whole{bytes.data(), bytes.size()};
  must(ring.writev(1, zero.get(), {&whole, 1}, 0)).flags |= wire::io_link;
  must(ring.readv(2, zero.get(), {&whole, 1}, 0));
  submit_and_wait(2, 2);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 1, .res = -EBADF, .flags = 0}));
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 2, .res = -ECANCELED, .flags = 0}));
  EXPECT_EQ(bytes, (std::array<unsigned char, 4>{9, 9, 9, 9}));
}

INSTANTIATE_TEST_SUITE_P(, WritevFsyncReadv, testing::Values(4, 16), ring_size_name);

}  // namespace
