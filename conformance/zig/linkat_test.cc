// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// linkat: gives a file a second name through the ring.
//
// Needs LINKAT (5.15), and a file system with hard links. The io_uring of 5.15 that stable 5.10.162 carries
// stops just before it.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture/files.h"
#include "fixture/ring_test.h"

namespace {

using namespace conformance;

class Linkat : public SizedRingTest {
 protected:
  TempDir dir;
  const char* first = "test_io_uring_linkat_first";
  const char* second = "test_io_uring_linkat_second";

  Linkat() {
    const Fd file = dir.create(first, O_WRONLY);
    EXPECT_EQ(::write(file.get(), "hello", 5), 5);
  }
  binding::Result<binding::Sqe&> queue(const char* from, std::int32_t new_dir, std::uint32_t flags) {
    return ring.linkat(0x12121212, dir.fd(), from, new_dir, second, flags);
  }
  wire::Sqe wanted(const char* from, std::int32_t new_dir, std::uint32_t flags) const {
    return {.opcode = wire::op::linkat,
            .fd = dir.fd(),
            .off = wire::address(second),
            .addr = wire::address(from),
            .len = static_cast<std::uint32_t>(new_dir),
            .op_flags = flags,
            .user_data = 0x12121212};
  }
  // What a name refers to, without following a link.
  static struct stat state_of(const TempDir& where, const char* name) {
    struct stat found {};
    EXPECT_EQ(fstatat(where.fd(), name, &found, AT_SYMLINK_NOFOLLOW), 0) << name;
    return found;
  }
  std::string witness(Site site = Site::here()) {
    return refused([&] { return queue(first, dir.fd(), 0); }, wanted(first, dir.fd(), 0),
                   [&] { return dir.has(second) ? "the second name exists" : ""; }, std::nullopt, site);
  }
};

TEST_P(Linkat, GivesTheFileASecondName) {
  if (!kernel_has(wire::op::linkat)) GTEST_SKIP() << witness();
  EXPECT_EQ(wire_of(must(queue(first, dir.fd(), 0))), wanted(first, dir.fd(), 0));
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x12121212, .res = 0, .flags = 0}));

  const Fd file(openat(dir.fd(), second, O_RDONLY | O_CLOEXEC));
  std::string content(32, '?');
  ASSERT_EQ(::read(file.get(), content.data(), content.size()), 5);
  EXPECT_EQ(content.substr(0, 5), "hello");
  // The same file, not a copy of it.
  EXPECT_EQ(state_of(dir, second).st_ino, state_of(dir, first).st_ino);
  EXPECT_EQ(state_of(dir, first).st_nlink, 2u);
}

// Within one directory the two descriptors are the same number.
TEST_P(Linkat, PutsTheNameIntoAnotherDirectory) {
  if (!kernel_has(wire::op::linkat)) GTEST_SKIP() << witness();
  const TempDir other;
  EXPECT_EQ(wire_of(must(queue(first, other.fd(), 0))), wanted(first, other.fd(), 0));
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x12121212, .res = 0, .flags = 0}));
  EXPECT_FALSE(dir.has(second));
  EXPECT_EQ(state_of(other, second).st_ino, state_of(dir, first).st_ino);
}

// A link to a symbolic link is another name of that, or with the flag of what it leads to.
TEST_P(Linkat, HeedsTheFlags) {
  if (!kernel_has(wire::op::linkat)) GTEST_SKIP() << witness();
  const char* symbolic = "test_io_uring_linkat_symbolic";
  ASSERT_EQ(::symlinkat(first, dir.fd(), symbolic), 0);
  for (const auto& [flags, meant] : {std::pair{0, symbolic}, std::pair{AT_SYMLINK_FOLLOW, first}}) {
    const auto flags_in_sqe = static_cast<std::uint32_t>(flags);
    EXPECT_EQ(wire_of(must(queue(symbolic, dir.fd(), flags_in_sqe))),
              wanted(symbolic, dir.fd(), flags_in_sqe));
    submit(1);
    EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x12121212, .res = 0, .flags = 0}));
    EXPECT_EQ(state_of(dir, second).st_ino, state_of(dir, meant).st_ino)
        << "wanted another name of " << meant;
    ASSERT_EQ(::unlinkat(dir.fd(), second, 0), 0);
  }
}

INSTANTIATE_TEST_SUITE_P(, Linkat, testing::Values(1, 8), ring_size_name);

}  // namespace
