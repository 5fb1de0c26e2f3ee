// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// openat: creates a file through the ring. The most complete comparison of an SQE beside nop's: every field
// has its place here.
//
// Needs OPENAT (5.6).

#include <fcntl.h>
#include <sys/stat.h>

#include "fixture/files.h"
#include "fixture/ring_test.h"

namespace {

using namespace conformance;

class Openat : public SizedRingTest {
 protected:
  TempDir dir;
  // Not on the stack of a helper: the kernel reads it when the request runs.
  const char* path = "test_io_uring_openat";
  std::uint32_t flags = O_CLOEXEC | O_RDWR | O_CREAT;

  binding::Result<binding::Sqe&> queue() { return ring.openat(0x33333333, dir.fd(), path, flags, 0666); }
  wire::Sqe wanted() const {
    return {.opcode = wire::op::openat,
            .flags = 0,
            .ioprio = 0,
            .fd = dir.fd(),
            .off = 0,
            .addr = wire::address(path),
            .len = 0666,
            .op_flags = flags,
            .user_data = 0x33333333,
            .buf_index = 0,
            .personality = 0,
            .file_index = 0,
            .addr3 = 0,
            .pad2 = 0};
  }
  std::string witness(Site site = Site::here()) {
    return refused([&] { return queue(); }, wanted(), [&] { return dir.has(path) ? "the file exists" : ""; },
                   std::nullopt, site);
  }
};

TEST_P(Openat, CreatesAFile) {
  if (!kernel_has(wire::op::openat)) GTEST_SKIP() << witness();
  EXPECT_EQ(wire_of(must(queue())), wanted());
  submit(1);
  const Fd opened = new_descriptor(wait_cqe(), {.user_data = 0x33333333}, S_IFREG);

  // The descriptor is of that file, and both sets of flags arrived: the access mode, and close-on-exec.
  EXPECT_TRUE(dir.has(path));
  EXPECT_EQ(fcntl(opened.get(), F_GETFL) & O_ACCMODE, O_RDWR);
  EXPECT_EQ(fcntl(opened.get(), F_GETFD), FD_CLOEXEC);
}

// Flags and mode are neighbours in the SQE, and with a umask of 022 a mode of 0666 looks like 0644 whatever
// went wrong.
TEST_P(Openat, GivesTheFileItsMode) {
  if (!kernel_has(wire::op::openat)) GTEST_SKIP() << witness();
  const mode_t before = umask(0);
  must(ring.openat(0x33333333, dir.fd(), path, flags, 0612));
  submit(1);
  const Fd opened(wait_cqe().res);
  umask(before);
  struct stat file {};
  ASSERT_EQ(fstat(opened.get(), &file), 0);
  EXPECT_EQ(file.st_mode & 07777, 0612u);
}

// An error of the operation arrives in its CQE with its own errno, and as such: not EINVAL, which would look
// like an old kernel.
TEST_P(Openat, ReportsAMissingFile) {
  if (!kernel_has(wire::op::openat)) GTEST_SKIP() << witness();
  must(ring.openat(0x33333333, dir.fd(), path, O_CLOEXEC | O_RDONLY, 0));
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x33333333, .res = -ENOENT, .flags = 0}));
}

INSTANTIATE_TEST_SUITE_P(, Openat, testing::Values(1, 8), ring_size_name);

}  // namespace
