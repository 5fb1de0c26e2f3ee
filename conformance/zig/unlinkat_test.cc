// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// unlinkat: removes a name through the ring.
//
// Needs UNLINKAT (5.11, and stable 5.10.162).

#include <fcntl.h>
#include <sys/stat.h>

#include "fixture/files.h"
#include "fixture/ring_test.h"

namespace {

using namespace conformance;

class Unlinkat : public SizedRingTest {
 protected:
  TempDir dir;
  const char* path = "test_io_uring_unlinkat";
  Fd file = dir.create(path, O_WRONLY);

  binding::Result<binding::Sqe&> queue(const char* name, std::uint32_t flags) {
    return ring.unlinkat(0x12121212, dir.fd(), name, flags);
  }
  wire::Sqe wanted(const char* name, std::uint32_t flags) const {
    return {.opcode = wire::op::unlinkat,
            .fd = dir.fd(),
            .addr = wire::address(name),
            .op_flags = flags,
            .user_data = 0x12121212};
  }
  std::string witness(Site site = Site::here()) {
    return refused([&] { return queue(path, 0); }, wanted(path, 0),
                   [&] { return dir.has(path) ? "" : "the file is gone"; }, std::nullopt, site);
  }
};

TEST_P(Unlinkat, RemovesTheFile) {
  if (!kernel_has(wire::op::unlinkat)) GTEST_SKIP() << witness();
  EXPECT_EQ(wire_of(must(queue(path, 0))), wanted(path, 0));
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x12121212, .res = 0, .flags = 0}));
  // Who only looks for another error than ENOENT takes a file that is still there for success.
  EXPECT_FALSE(dir.has(path));
  struct stat state {};
  ASSERT_EQ(fstat(file.get(), &state), 0);
  EXPECT_EQ(state.st_nlink, 0u);
}

// Whether a directory goes depends on nothing but the flag.
TEST_P(Unlinkat, HeedsTheFlags) {
  if (!kernel_has(wire::op::unlinkat)) GTEST_SKIP() << witness();
  const char* directory = "test_io_uring_unlinkat_dir";
  ASSERT_EQ(::mkdirat(dir.fd(), directory, 0755), 0);
  must(queue(directory, 0));
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x12121212, .res = -EISDIR, .flags = 0}));
  EXPECT_TRUE(dir.has(directory));

  EXPECT_EQ(wire_of(must(queue(directory, AT_REMOVEDIR))), wanted(directory, AT_REMOVEDIR));
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x12121212, .res = 0, .flags = 0}));
  EXPECT_FALSE(dir.has(directory));
  EXPECT_TRUE(dir.has(path));
}

TEST_P(Unlinkat, ReportsOneThatIsGone) {
  if (!kernel_has(wire::op::unlinkat)) GTEST_SKIP() << witness();
  for (const int res : {0, -ENOENT}) {
    must(queue(path, 0));
    submit(1);
    EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x12121212, .res = res, .flags = 0}));
  }
}

INSTANTIATE_TEST_SUITE_P(, Unlinkat, testing::Values(1, 8), ring_size_name);

}  // namespace
