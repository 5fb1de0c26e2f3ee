// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// readv: one vectored read through a registered file, on a ring with room for one request. Shows that the SQ
// knows when it is full and that a fixed file reaches the kernel as such.
//
// Needs READV, IORING_REGISTER_FILES and IOSQE_FIXED_FILE (5.1).

#include <fcntl.h>
#include <sys/uio.h>

#include "fixture/files.h"
#include "fixture/ring_test.h"

namespace {

using namespace conformance;

class Readv : public RingTest<1> {};

TEST_F(Readv, ReadsThroughARegisteredFile) {
  const Fd zero = open_file("/dev/zero", O_RDONLY);
  const std::array<std::int32_t, 1> table{zero.get()};
  ASSERT_TRUE(ring.register_files(table).ok());

  std::array<unsigned char, 128> buffer;
  buffer.fill(42);
  const iovec whole{buffer.data(), buffer.size()};
  constexpr int slot = 0;
  binding::Sqe& sqe = must(ring.readv(0xcccccccc, slot, {&whole, 1}, 0));
  EXPECT_EQ(wire_of(sqe), (wire::Sqe{.opcode = wire::op::readv,
                                     .fd = slot,
                                     .addr = wire::address(&whole),
                                     .len = 1,
                                     .user_data = 0xcccccccc}));
  sqe.flags |= wire::fixed_file;
  const wire::Sqe queued = wire_of(sqe);

  // The one slot is taken; the attempt must not touch what is in it.
  EXPECT_EQ(ring.nop(0), binding::Error::submission_queue_full);
  EXPECT_EQ(wire_of(sqe), queued);
  EXPECT_EQ(ring.sq_ready(), 1u);

  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0xcccccccc, .res = 128, .flags = 0}));
  EXPECT_EQ(buffer, (std::array<unsigned char, 128>{}));
  EXPECT_TRUE(ring.unregister_files().ok());
}

// Without the flag, 0 is a descriptor like any other, and once the table is gone so is the file: both show
// that it was the table that answered above.
TEST_F(Readv, FindsNoFileOnceUnregistered) {
  const Fd zero = open_file("/dev/zero", O_RDONLY);
  const std::array<std::int32_t, 1> table{zero.get()};
  ASSERT_TRUE(ring.register_files(table).ok());
  ASSERT_TRUE(ring.unregister_files().ok());
  EXPECT_EQ(binding::errno_of(ring.unregister_files().error()), ENXIO);

  unsigned char byte = 42;
  const iovec whole{&byte, 1};
  must(ring.readv(0xcccccccc, 0, {&whole, 1}, 0)).flags |= wire::fixed_file;
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0xcccccccc, .res = -EBADF, .flags = 0}));
  EXPECT_EQ(byte, 42);
}

// Two iovecs of different sizes: a count that does not reach the kernel fills only the first.
TEST_F(Readv, FillsEveryIovec) {
  const Fd zero = open_file("/dev/zero", O_RDONLY);
  std::array<unsigned char, 8> buffer;
  buffer.fill(42);
  const std::array<iovec, 2> parts{iovec{buffer.data(), 3}, iovec{buffer.data() + 4, 2}};
  must(ring.readv(0xdddddddd, zero.get(), parts, 0));
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0xdddddddd, .res = 5, .flags = 0}));
  EXPECT_EQ(buffer, (std::array<unsigned char, 8>{0, 0, 0, 42, 0, 0, 42, 42}));
}

}  // namespace
