// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// renameat: gives a file another name through the ring. Two descriptors and two paths, in four fields.
//
// Needs RENAMEAT (5.11, and stable 5.10.162).

#include <fcntl.h>
#include <unistd.h>

#include "fixture/files.h"
#include "fixture/ring_test.h"

namespace {

using namespace conformance;

class Renameat : public SizedRingTest {
 protected:
  TempDir dir;
  const char* old_path = "test_io_uring_renameat_old";
  const char* new_path = "test_io_uring_renameat_new";

  Renameat() { create(old_path, "hello"); }

  void create(const char* name, const std::string& content, Site site = Site::here()) {
    const Fd file = dir.create(name, O_WRONLY);
    EXPECT_EQ_AT(site, ::write(file.get(), content.data(), content.size()),
                 static_cast<ssize_t>(content.size()));
  }
  static std::string content_of(const TempDir& where, const char* name) {
    const Fd file(openat(where.fd(), name, O_RDONLY | O_CLOEXEC));
    std::string content(32, '?');
    const ssize_t size = ::read(file.get(), content.data(), content.size());
    content.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return content;
  }
  binding::Result<binding::Sqe&> queue(std::int32_t new_dir, std::uint32_t flags) {
    return ring.renameat(0x12121212, dir.fd(), old_path, new_dir, new_path, flags);
  }
  wire::Sqe wanted(std::int32_t new_dir, std::uint32_t flags) const {
    return {.opcode = wire::op::renameat,
            .fd = dir.fd(),
            .off = wire::address(new_path),
            .addr = wire::address(old_path),
            .len = static_cast<std::uint32_t>(new_dir),
            .op_flags = flags,
            .user_data = 0x12121212};
  }
  std::string witness(Site site = Site::here()) {
    return refused([&] { return queue(dir.fd(), 0); }, wanted(dir.fd(), 0),
                   [&] { return dir.has(old_path) && !dir.has(new_path) ? "" : "the file was renamed"; },
                   std::nullopt, site);
  }
};

TEST_P(Renameat, GivesTheFileItsNewName) {
  if (!kernel_has(wire::op::renameat)) GTEST_SKIP() << witness();
  EXPECT_EQ(wire_of(must(queue(dir.fd(), 0))), wanted(dir.fd(), 0));
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x12121212, .res = 0, .flags = 0}));
  EXPECT_FALSE(dir.has(old_path));
  EXPECT_EQ(content_of(dir, new_path), "hello");
}

// Within one directory the two descriptors are the same number.
TEST_P(Renameat, MovesTheFileToAnotherDirectory) {
  if (!kernel_has(wire::op::renameat)) GTEST_SKIP() << witness();
  const TempDir other;
  EXPECT_EQ(wire_of(must(queue(other.fd(), 0))), wanted(other.fd(), 0));
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x12121212, .res = 0, .flags = 0}));
  EXPECT_FALSE(dir.has(old_path));
  EXPECT_FALSE(dir.has(new_path));
  EXPECT_EQ(content_of(other, new_path), "hello");
}

// Without the flag, the file that has the name already would be gone.
TEST_P(Renameat, HeedsTheFlags) {
  if (!kernel_has(wire::op::renameat)) GTEST_SKIP() << witness();
  create(new_path, "was here before");
  EXPECT_EQ(wire_of(must(queue(dir.fd(), RENAME_NOREPLACE))), wanted(dir.fd(), RENAME_NOREPLACE));
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x12121212, .res = -EEXIST, .flags = 0}));
  EXPECT_EQ(content_of(dir, old_path), "hello");
  EXPECT_EQ(content_of(dir, new_path), "was here before");
}

INSTANTIATE_TEST_SUITE_P(, Renameat, testing::Values(1, 8), ring_size_name);

}  // namespace
