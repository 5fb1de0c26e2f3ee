// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// a link uses what the one before it opened: the file of a request is looked up when the request starts, so
// that a chain can open a file into a slot, use it and close it, in one submit.
//
// Needs IORING_FEAT_LINKED_FILE (5.18; io_uring_setup(2) says 5.17). Older kernels look a file up when the
// request is submitted: the slot is empty then, and the chain ends with EBADF before it began.

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "fixture/files.h"
#include "fixture/ring_test.h"

namespace {

using namespace conformance;

class LinkedFile : public RingTest<8> {
 protected:
  static constexpr binding::Slot slot{1};
  TempDir dir;
  std::array<std::byte, 4> buffer{std::byte{1}, std::byte{1}, std::byte{1}, std::byte{1}};

  void SetUp() override {
    RingTest::SetUp();
    if (!IsSkipped() && !HasFatalFailure()) register_empty_slots(6);
  }
  void fill_slot(int fd, Site site = Site::here()) {
    EXPECT_EQ_AT(site, must(ring.register_files_update(binding::Slot{1}, std::array{fd}), site), 1u);
  }
  // A chain, so far: opens the file into slot 1.
  void queue_open(const char* path, int flags, Site site = Site::here()) {
    const auto open_flags = static_cast<std::uint32_t>(flags);
    binding::Sqe& sqe = must(ring.openat_direct(1, dir.fd(), path, open_flags, 0666, slot), site);
    sqe.flags |= wire::io_link;
    EXPECT_EQ_AT(site, wire_of(sqe),
                 (wire::Sqe{.opcode = wire::op::openat,
                            .flags = wire::io_link,
                            .fd = dir.fd(),
                            .addr = wire::address(path),
                            .len = 0666,
                            .op_flags = open_flags,
                            .user_data = 1,
                            .file_index = 2}));
  }
  // The end of the chain: reads 4 bytes from slot 1.
  void queue_read(std::uint64_t user_data, Site site = Site::here()) {
    binding::Sqe& sqe = must(ring.read(user_data, 1, buffer, 0), site);
    sqe.flags |= wire::fixed_file;
    EXPECT_EQ_AT(site, wire_of(sqe),
                 (wire::Sqe{.opcode = wire::op::read,
                            .flags = wire::fixed_file,
                            .fd = 1,
                            .addr = wire::address(buffer.data()),
                            .len = 4,
                            .user_data = user_data}));
  }
  static wire::Cqe done(std::uint64_t user_data, std::int32_t res) {
    return {.user_data = user_data, .res = res, .flags = 0};
  }

  std::string witness() {
    return answered_instead(
        "READ of a slot that a link fills", -EBADF,
        [&] {
          queue_open("/dev/zero", O_RDONLY);
          queue_read(2);
          submit(2);
          const Cqes cqes = wait_cqes(2);
          EXPECT_EQ(cqes[0], done(1, -ECANCELED));
          return cqes[1];
        },
        [&]() -> std::string {
          queue_read(3);
          if (complete() != done(3, -EBADF)) return "a file is in the slot";
          return buffer[0] == std::byte{1} ? "" : "the buffer changed";
        },
        wire::feature::linked_file);
  }
};

TEST_F(LinkedFile, ReadsWhatTheOneBeforeItOpened) {
  if (!kernel_has(wire::feature::linked_file)) GTEST_SKIP() << witness();
  queue_open("/dev/zero", O_RDONLY);
  queue_read(2);
  submit(2);
  EXPECT_EQ(wait_cqe(), done(1, 0));
  EXPECT_EQ(wait_cqe(), done(2, 4));
  EXPECT_EQ(buffer, (std::array<std::byte, 4>{}));
}

// The slot was not empty when the chain was submitted: the old file is not what is read, and it is let go.
TEST_F(LinkedFile, ReadsWhatReplacedAnotherFile) {
  if (!kernel_has(wire::feature::linked_file)) GTEST_SKIP() << witness();
  Pipe pipe;
  fill_slot(pipe.reader.get());
  pipe.reader = Fd();
  pipe.write("old!");
  queue_open("/dev/zero", O_RDONLY);
  queue_read(2);
  submit(2);
  EXPECT_EQ(wait_cqe(), done(1, 0));
  EXPECT_EQ(wait_cqe(), done(2, 4));
  EXPECT_EQ(buffer, (std::array<std::byte, 4>{}));
  // The slot held the last reader. Without it a poll of the other end reports POLLERR at some time: kernels
  // up to 6.12 let a file go a while after its slot was filled.
  must(ring.poll_add(3, pipe.writer.get(), 0));
  submit(1);
  EXPECT_EQ(wait_cqe(), done(3, POLLERR));
}

// The whole life of a file in one chain. What follows the CLOSE finds the slot empty.
TEST_F(LinkedFile, WritesAndCloses) {
  if (!kernel_has(wire::feature::linked_file)) GTEST_SKIP() << witness();
  queue_open("file", O_WRONLY | O_CREAT);
  must(ring.write(2, 1, std::as_bytes(std::span("abcd", 4)), 0)).flags |= wire::fixed_file | wire::io_link;
  must(ring.close_direct(3, slot)).flags |= wire::io_link;
  queue_read(4);
  submit(4);
  EXPECT_EQ(wait_cqe(), done(1, 0));
  EXPECT_EQ(wait_cqe(), done(2, 4));
  EXPECT_EQ(wait_cqe(), done(3, 0));
  EXPECT_EQ(wait_cqe(), done(4, -EBADF));
  const Fd file(openat(dir.fd(), "file", O_RDONLY | O_CLOEXEC));
  std::array<char, 8> content{};
  EXPECT_EQ(read(file.get(), content.data(), content.size()), 4);
  EXPECT_STREQ(content.data(), "abcd");
}

}  // namespace
