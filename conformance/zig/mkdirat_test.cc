// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// mkdirat: makes a directory through the ring.
//
// Needs MKDIRAT (5.15). The io_uring of 5.15 that stable 5.10.162 carries stops just before it.

#include <fcntl.h>
#include <sys/stat.h>

#include "fixture/files.h"
#include "fixture/ring_test.h"

namespace {

using namespace conformance;

class Mkdirat : public SizedRingTest {
 protected:
  TempDir dir;
  const char* path = "test_io_uring_mkdirat";

  binding::Result<binding::Sqe&> queue() { return ring.mkdirat(0x12121212, dir.fd(), path, 0755); }
  wire::Sqe wanted() const {
    return {.opcode = wire::op::mkdirat,
            .fd = dir.fd(),
            .addr = wire::address(path),
            .len = 0755,
            .user_data = 0x12121212};
  }
  std::string witness(Site site = Site::here()) {
    return refused([&] { return queue(); }, wanted(),
                   [&] { return dir.has(path) ? "the directory exists" : ""; }, std::nullopt, site);
  }
};

TEST_P(Mkdirat, MakesADirectory) {
  if (!kernel_has(wire::op::mkdirat)) GTEST_SKIP() << witness();
  EXPECT_EQ(wire_of(must(queue())), wanted());
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x12121212, .res = 0, .flags = 0}));
  const Fd made(openat(dir.fd(), path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  EXPECT_GE(made.get(), 0) << strerrorname_np(errno);
}

// A mode that no default gives: it travelled in `len`, and the umask did the rest.
TEST_P(Mkdirat, GivesItTheMode) {
  if (!kernel_has(wire::op::mkdirat)) GTEST_SKIP() << witness();
  const mode_t before = umask(0027);
  must(ring.mkdirat(0x12121212, dir.fd(), path, 0751));
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x12121212, .res = 0, .flags = 0}));
  umask(before);
  struct stat made {};
  ASSERT_EQ(fstatat(dir.fd(), path, &made, 0), 0);
  EXPECT_EQ(made.st_mode & 07777, 0751u & ~0027u);
}

TEST_P(Mkdirat, ReportsOneThatExists) {
  if (!kernel_has(wire::op::mkdirat)) GTEST_SKIP() << witness();
  for (const int res : {0, -EEXIST}) {
    must(queue());
    submit(1);
    EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x12121212, .res = res, .flags = 0}));
  }
}

INSTANTIATE_TEST_SUITE_P(, Mkdirat, testing::Values(1, 8), ring_size_name);

}  // namespace
