// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// advice: MADVISE and FADVISE tell the kernel how memory or a file will be used, and give memory back.
//
// Needs MADVISE and FADVISE (5.6, io_uring_prep_madvise(3), io_uring_prep_fadvise(3)). Lengths of 64
// bits: 6.10.

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "fixture/ring_test.h"

namespace {

using namespace conformance;

constexpr std::size_t page = 4096, four_gib = std::size_t{1} << 32;

// Private memory in which nothing is yet.
class Memory {
 public:
  explicit Memory(std::size_t size, Site site = Site::here())
      : size_(size),
        address_(
            mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {
    if (address_ == MAP_FAILED) stop_errno(site, "mmap");
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() { munmap(address_, size_); }
  void* address() const { return address_; }
  unsigned char& operator[](std::size_t at) const { return static_cast<unsigned char*>(address_)[at]; }

 private:
  std::size_t size_;
  void* address_;
};

class Advise : public RingTest<8> {
 protected:
  TempDir dir;
  Fd file = dir.create("file", O_RDWR);

  wire::Sqe madvise_wanted(const void* address, std::uint32_t len, std::uint64_t off) const {
    return {.opcode = wire::op::madvise,
            .fd = -1,
            .off = off,
            .addr = wire::address(address),
            .len = len,
            .op_flags = MADV_DONTNEED,
            .user_data = 1};
  }
  wire::Sqe fadvise_wanted(std::uint64_t addr, std::uint32_t len, std::uint32_t advice) const {
    return {.opcode = wire::op::fadvise,
            .fd = file.get(),
            .off = 0,
            .addr = addr,
            .len = len,
            .op_flags = advice,
            .user_data = 1};
  }
  std::string witness() {
    return refused([&] { return ring.fadvise(1, file.get(), 0, 5, POSIX_FADV_SEQUENTIAL); },
                   fadvise_wanted(0, 5, POSIX_FADV_SEQUENTIAL), [] { return ""; });
  }
  static wire::Cqe done(std::int32_t res) { return {.user_data = 1, .res = res, .flags = 0}; }
};

// MADV_DONTNEED shows: what is given back reads as zeros afterwards, and its neighbour as before.
TEST_F(Advise, GivesMemoryBack) {
  if (!kernel_has(wire::op::madvise)) GTEST_SKIP() << witness();
  const Memory memory(3 * page);
  for (std::size_t i = 0; i < 3; ++i) memory[i * page] = 5;
  void* const second = &memory[page];
  EXPECT_EQ(wire_of(must(ring.madvise(1, second, page, MADV_DONTNEED))), madvise_wanted(second, page, 0));
  EXPECT_EQ(complete(), done(0));
  EXPECT_EQ(memory[0], 5);
  EXPECT_EQ(memory[page], 0);
  EXPECT_EQ(memory[2 * page], 5);
}

// A length that needs more than 32 bits travels in `off`: with only the lower half, the first page alone
// would be given back.
TEST_F(Advise, GivesMuchMemoryBack) {
  if (!kernel_has(wire::op::madvise)) GTEST_SKIP() << witness();
  const Memory memory(four_gib + page);
  memory[0] = memory[four_gib] = 5;
  const wire::Sqe wanted = madvise_wanted(memory.address(), 0, four_gib + page);
  EXPECT_EQ(wire_of(must(ring.madvise(1, memory.address(), four_gib + page, MADV_DONTNEED))), wanted);
  if (!kernel_has(wire::feature::recvsend_bundle)) {
    EXPECT_EQ(complete(), done(-EINVAL)) << "before 6.10";
    EXPECT_EQ(memory[0], 5);
    return;
  }
  EXPECT_EQ(complete(), done(0));
  EXPECT_EQ(memory[0], 0);
  EXPECT_EQ(memory[four_gib], 0);
  // A short one may travel there as well.
  memory[0] = memory[page] = 5;
  EXPECT_EQ(complete(madvise_wanted(memory.address(), 0, page)), done(0));
  EXPECT_EQ(memory[0], 0);
  EXPECT_EQ(memory[page], 5);
}

// Advice about a file: what comes of it cannot be seen.
TEST_F(Advise, TakesAdviceAboutAFile) {
  if (!kernel_has(wire::op::fadvise)) GTEST_SKIP() << witness();
  ASSERT_EQ(write(file.get(), "abcde", 5), 5);
  for (const int known : {POSIX_FADV_SEQUENTIAL, POSIX_FADV_NOREUSE, POSIX_FADV_DONTNEED}) {
    const auto advice = static_cast<std::uint32_t>(known);
    EXPECT_EQ(wire_of(must(ring.fadvise(1, file.get(), 0, 5, advice))), fadvise_wanted(0, 5, advice));
    EXPECT_EQ(complete(), done(0)) << known;
  }
  EXPECT_EQ(complete(fadvise_wanted(0, 5, 100)), done(-EINVAL));
}

TEST_F(Advise, TakesAdviceAboutMuchOfAFile) {
  if (!kernel_has(wire::op::fadvise)) GTEST_SKIP() << witness();
  const wire::Sqe wanted = fadvise_wanted(four_gib, 0, POSIX_FADV_SEQUENTIAL);
  EXPECT_EQ(wire_of(must(ring.fadvise(1, file.get(), 0, four_gib, POSIX_FADV_SEQUENTIAL))), wanted);
  if (!kernel_has(wire::feature::recvsend_bundle)) {
    EXPECT_EQ(complete(), done(-EINVAL)) << "before 6.10";
    return;
  }
  EXPECT_EQ(complete(), done(0));
}

TEST_F(Advise, RefusesWhatCannotBeAdvised) {
  if (!kernel_has(wire::op::madvise)) GTEST_SKIP() << witness();
  const Pipe pipe;
  wire::Sqe on_a_pipe = fadvise_wanted(0, 5, POSIX_FADV_SEQUENTIAL);
  on_a_pipe.fd = pipe.reader.get();
  EXPECT_EQ(complete(on_a_pipe), done(-ESPIPE));
  const void* const gone = [] { return Memory(page).address(); }();
  EXPECT_EQ(complete(madvise_wanted(gone, page, 0)), done(-ENOMEM));
}

}  // namespace
