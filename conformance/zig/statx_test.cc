// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// statx: asks for the size of a file through the ring. Flags and mask are both small numbers, and the result
// travels in `off`.
//
// Needs STATX (5.6).

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture/files.h"
#include "fixture/ring_test.h"

namespace {

using namespace conformance;

class Statx : public SizedRingTest {
 protected:
  TempDir dir;
  const char* path = "test_io_uring_statx";
  Fd file = dir.create(path, O_WRONLY);
  struct statx result;

  // Not zeros: a result that was never written must not look like one.
  Statx() { std::memset(&result, 0xa5, sizeof result); }

  binding::Result<binding::Sqe&> queue(const char* name, std::uint32_t flags, std::uint32_t mask) {
    return ring.statx(0xaaaaaaaa, dir.fd(), name, flags, mask, &result);
  }
  wire::Sqe wanted(const char* name, std::uint32_t flags, std::uint32_t mask) const {
    return {.opcode = wire::op::statx,
            .fd = dir.fd(),
            .off = wire::address(&result),
            .addr = wire::address(name),
            .len = mask,
            .op_flags = flags,
            .user_data = 0xaaaaaaaa};
  }
  bool is_untouched() const {
    struct statx pattern;
    std::memset(&pattern, 0xa5, sizeof pattern);
    return std::memcmp(&result, &pattern, sizeof result) == 0;
  }
  std::string witness(Site site = Site::here()) {
    return refused([&] { return queue(path, 0, STATX_SIZE); }, wanted(path, 0, STATX_SIZE),
                   [&] { return is_untouched() ? "" : "there is a result"; }, std::nullopt, site);
  }
};

TEST_P(Statx, TellsTheSize) {
  ASSERT_EQ(::write(file.get(), "foobar", 6), 6);
  if (!kernel_has(wire::op::statx)) GTEST_SKIP() << witness();
  EXPECT_EQ(wire_of(must(queue(path, 0, STATX_SIZE))), wanted(path, 0, STATX_SIZE));
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0xaaaaaaaa, .res = 0, .flags = 0}));
  EXPECT_EQ(result.stx_mask & STATX_SIZE, STATX_SIZE);
  EXPECT_EQ(result.stx_size, 6u);
}

// Flags and mask at once, neither of them 0: the link itself, or what it leads to.
TEST_P(Statx, TellsALinkFromItsTarget) {
  if (!kernel_has(wire::op::statx)) GTEST_SKIP() << witness();
  const char* link = "test_io_uring_statx_link";
  ASSERT_EQ(::symlinkat(path, dir.fd(), link), 0);
  for (const auto& [flags, type] : {std::pair{AT_SYMLINK_NOFOLLOW, S_IFLNK}, std::pair{0, S_IFREG}}) {
    const auto flags_in_sqe = static_cast<std::uint32_t>(flags);
    EXPECT_EQ(wire_of(must(queue(link, flags_in_sqe, STATX_TYPE))), wanted(link, flags_in_sqe, STATX_TYPE));
    submit(1);
    EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0xaaaaaaaa, .res = 0, .flags = 0}));
    EXPECT_EQ(result.stx_mask & STATX_TYPE, STATX_TYPE);
    EXPECT_EQ(result.stx_mode & S_IFMT, type);
  }
}

// With the operation's own errno, and without a word in the result.
TEST_P(Statx, ReportsAMissingFile) {
  if (!kernel_has(wire::op::statx)) GTEST_SKIP() << witness();
  must(queue("test_io_uring_statx_missing", 0, STATX_SIZE));
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0xaaaaaaaa, .res = -ENOENT, .flags = 0}));
  EXPECT_TRUE(is_untouched());
}

INSTANTIATE_TEST_SUITE_P(, Statx, testing::Values(1, 8), ring_size_name);

}  // namespace
