// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// fallocate: gives a file its space through the ring. Its fields are not where one would expect them: the
// length in `addr`, the mode in `len`.
//
// Needs FALLOCATE (5.6), and a file system that has fallocate(2).

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture/files.h"
#include "fixture/ring_test.h"

namespace {

using namespace conformance;

constexpr std::uint64_t gib = 1ull << 30;

class Fallocate : public SizedRingTest {
 protected:
  TempDir dir;
  Fd file = dir.create("test_io_uring_fallocate", O_WRONLY);

  binding::Result<binding::Sqe&> queue(std::uint32_t mode, std::uint64_t offset, std::uint64_t bytes) {
    return ring.fallocate(0xaaaaaaaa, file.get(), mode, offset, bytes);
  }
  wire::Sqe wanted(std::uint32_t mode, std::uint64_t offset, std::uint64_t bytes) const {
    return {.opcode = wire::op::fallocate,
            .fd = file.get(),
            .off = offset,
            .addr = bytes,
            .len = mode,
            .user_data = 0xaaaaaaaa};
  }
  struct stat state() const {
    struct stat found {};
    EXPECT_EQ(fstat(file.get(), &found), 0);
    return found;
  }
  std::string witness(Site site = Site::here()) {
    return refused([&] { return queue(0, 0, 65536); }, wanted(0, 0, 65536),
                   [&] { return state().st_size != 0 ? "the file grew" : ""; }, std::nullopt, site);
  }
};

TEST_P(Fallocate, MakesTheFileGrow) {
  ASSERT_EQ(state().st_size, 0);
  if (!kernel_has(wire::op::fallocate)) GTEST_SKIP() << witness();
  EXPECT_EQ(wire_of(must(queue(0, 0, 65536))), wanted(0, 0, 65536));
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0xaaaaaaaa, .res = 0, .flags = 0}));
  EXPECT_EQ(state().st_size, 65536);
}

// A mode that shows: the space is there, and the size is as before. Offset and length differ.
TEST_P(Fallocate, HeedsTheMode) {
  if (!kernel_has(wire::op::fallocate)) GTEST_SKIP() << witness();
  must(queue(FALLOC_FL_KEEP_SIZE, 4096, 65536));
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0xaaaaaaaa, .res = 0, .flags = 0}));
  EXPECT_EQ(state().st_size, 0);
  EXPECT_GE(state().st_blocks * 512, 65536);

  must(queue(0, 4096, 1000));
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0xaaaaaaaa, .res = 0, .flags = 0}));
  EXPECT_EQ(state().st_size, 4096 + 1000);
}

// A hole from 4 to 10 GiB in a sparse file takes the page at 9 GiB with it and leaves the one at 1 MiB alone.
// Cut to 32 bits, the offset is 0 and the length 2 GiB, and it is the other way round.
TEST_P(Fallocate, TakesOffsetAndLengthOf64Bits) {
  if (!kernel_has(wire::op::fallocate)) GTEST_SKIP() << witness();
  constexpr off_t low = 1 << 20, high = 9 * gib;
  ASSERT_EQ(pwrite(file.get(), "low", 3, low), 3);
  ASSERT_EQ(pwrite(file.get(), "high", 4, high), 4);
  must(queue(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4 * gib, 6 * gib));
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0xaaaaaaaa, .res = 0, .flags = 0}));
  EXPECT_EQ(state().st_size, high + 4);

  const Fd reader(openat(dir.fd(), "test_io_uring_fallocate", O_RDONLY | O_CLOEXEC));
  std::string found(4, '?');
  ASSERT_EQ(pread(reader.get(), found.data(), 3, low), 3);
  EXPECT_EQ(found, "low?");
  ASSERT_EQ(pread(reader.get(), found.data(), 4, high), 4);
  EXPECT_EQ(found, std::string(4, '\0'));
}

INSTANTIATE_TEST_SUITE_P(, Fallocate, testing::Values(1, 8), ring_size_name);

}  // namespace
