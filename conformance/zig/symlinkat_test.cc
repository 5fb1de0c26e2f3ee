// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// symlinkat: makes a symbolic link through the ring. Its two paths are not alike: one is only text.
//
// Needs SYMLINKAT (5.15). The io_uring of 5.15 that stable 5.10.162 carries stops just before it.

#include <fcntl.h>
#include <unistd.h>

#include "fixture/files.h"
#include "fixture/ring_test.h"

namespace {

using namespace conformance;

class Symlinkat : public SizedRingTest {
 protected:
  TempDir dir;
  const char* target = "test_io_uring_symlinkat";
  const char* path = "test_io_uring_symlinkat_link";
  Fd file = dir.create(target, O_WRONLY);

  binding::Result<binding::Sqe&> queue(const char* text) {
    return ring.symlinkat(0x12121212, text, dir.fd(), path);
  }
  wire::Sqe wanted(const char* text) const {
    return {.opcode = wire::op::symlinkat,
            .fd = dir.fd(),
            .off = wire::address(path),
            .addr = wire::address(text),
            .user_data = 0x12121212};
  }
  std::string text_of_link() const {
    std::string text(64, '?');
    const ssize_t size = readlinkat(dir.fd(), path, text.data(), text.size());
    text.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return text;
  }
  std::string witness(Site site = Site::here()) {
    return refused([&] { return queue(target); }, wanted(target),
                   [&] { return dir.has(path) ? "the link exists" : ""; }, std::nullopt, site);
  }
};

TEST_P(Symlinkat, MakesALinkThatCanBeFollowed) {
  if (!kernel_has(wire::op::symlinkat)) GTEST_SKIP() << witness();
  EXPECT_EQ(wire_of(must(queue(target))), wanted(target));
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x12121212, .res = 0, .flags = 0}));
  const Fd followed(openat(dir.fd(), path, O_RDONLY | O_CLOEXEC));
  EXPECT_GE(followed.get(), 0) << strerrorname_np(errno);
  EXPECT_EQ(text_of_link(), target);
}

// The target is stored as it is and not looked up; the link name is looked up in the directory.
TEST_P(Symlinkat, StoresATargetThatDoesNotExist) {
  if (!kernel_has(wire::op::symlinkat)) GTEST_SKIP() << witness();
  must(queue("no/such/../directory//at all"));
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x12121212, .res = 0, .flags = 0}));
  EXPECT_EQ(text_of_link(), "no/such/../directory//at all");
}

TEST_P(Symlinkat, ReportsOneThatExists) {
  if (!kernel_has(wire::op::symlinkat)) GTEST_SKIP() << witness();
  for (const int res : {0, -EEXIST}) {
    must(queue(target));
    submit(1);
    EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x12121212, .res = res, .flags = 0}));
  }
}

INSTANTIATE_TEST_SUITE_P(, Symlinkat, testing::Values(1, 8), ring_size_name);

}  // namespace
