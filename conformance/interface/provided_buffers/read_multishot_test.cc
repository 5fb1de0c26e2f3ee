// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// multishot read: one request reads whenever there is something to read, each time into another buffer of a
// group.
//
// Needs READ_MULTISHOT (6.7, io_uring_prep_read_multishot(3)).

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "fixture/buffer_rings.h"
#include "fixture/files.h"

namespace {

using namespace conformance;

class ReadMultishot : public RingTest<8> {
 protected:
  static constexpr std::uint16_t group_id = 1;
  static constexpr std::uint32_t size = 64;

  std::array<std::byte, 4 * size> memory{};
  binding::BufferGroup group;
  Pipe pipe;

  binding::Result<binding::Sqe&> queue(int fd) {
    return ring.read_multishot(1, fd, group_id, whence_current);
  }
  static wire::Sqe wanted(int fd) {
    return {.opcode = wire::op::read_multishot,
            .flags = wire::buffer_select,
            .fd = fd,
            .off = whence_current,
            .user_data = 1,
            .buf_index = group_id};
  }
  std::string witness() {
    pipe.write("a");  // what a read would take
    return refused([&] { return queue(pipe.reader.get()); }, wanted(pipe.reader.get()), [] { return ""; });
  }
  void open_group(std::uint32_t buffers, Site site = Site::here()) {
    const auto opened = group.init(ring, group_id, std::span(memory).first(std::size_t{buffers} * size), size,
                                   binding::Consumption::whole);
    if (!opened.ok()) stop(site, "no group of buffers: " + testing::PrintToString(opened));
  }
  void arm(int fd, Site site = Site::here()) {
    EXPECT_EQ_AT(site, wire_of(must(queue(fd), site)), wanted(fd));
    submit(1, site);
  }
  static wire::Cqe took(std::uint32_t id, std::int32_t bytes) {
    return {.user_data = 1, .res = bytes, .flags = wire::cqe_buffer | wire::cqe_more | id << 16};
  }
  std::string text(std::uint32_t id, std::size_t length) const {
    return {reinterpret_cast<const char*>(&memory[id * size]), length};
  }

  static constexpr std::uint64_t whence_current = ~std::uint64_t{0};  // where the file is
};

TEST_F(ReadMultishot, ReadsWhateverComes) {
  if (!kernel_has(wire::op::read_multishot)) GTEST_SKIP() << witness();
  open_group(4);
  arm(pipe.reader.get());
  EXPECT_EQ(ring.cq_ready(), 0u);
  pipe.write("ab");
  ASSERT_EQ(wait_cqe(), took(0, 2));
  pipe.write("cd");
  ASSERT_EQ(wait_cqe(), took(1, 2));
  EXPECT_EQ(text(0, 2) + text(1, 2), "abcd");
  pipe.writer = Fd();
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 1, .res = 0, .flags = 0}));  // the end, and no buffer
  EXPECT_EQ(ring.cq_ready(), 0u);
}

// Without a buffer it ends, and takes nothing.
TEST_F(ReadMultishot, EndsWithoutABuffer) {
  if (!kernel_has(wire::op::read_multishot)) GTEST_SKIP() << witness();
  open_group(2);
  arm(pipe.reader.get());
  for (const std::uint32_t id : {0u, 1u}) {
    pipe.write("ab");
    ASSERT_EQ(wait_cqe(), took(id, 2));
  }
  pipe.write("cd");
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 1, .res = -ENOBUFS, .flags = 0}));
  std::array<char, 3> left{};
  EXPECT_EQ(read(pipe.reader.get(), left.data(), left.size()), 2);
  EXPECT_STREQ(left.data(), "cd");
}

// An eventfd gives 8 bytes each time.
TEST_F(ReadMultishot, ReadsAnEventfd) {
  if (!kernel_has(wire::op::read_multishot)) GTEST_SKIP() << witness();
  const Fd event(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  ASSERT_GE(event.get(), 0) << strerrorname_np(errno);
  open_group(4);
  arm(event.get());
  for (const std::uint32_t id : {0u, 1u}) {
    const std::uint64_t add = id + 1;
    ASSERT_EQ(write(event.get(), &add, sizeof add), static_cast<ssize_t>(sizeof add));
    ASSERT_EQ(wait_cqe(), took(id, sizeof add));
    std::uint64_t counted = 0;
    std::memcpy(&counted, &memory[id * size], sizeof counted);
    EXPECT_EQ(counted, add);
  }
  must(ring.cancel(2, 1, 0));
  submit(1);
  EXPECT_EQ(wait_cqes(2), (Cqes{{.user_data = 1, .res = -ECANCELED, .flags = 0},  //
                                {.user_data = 2, .res = 0, .flags = 0}}));
}

TEST_F(ReadMultishot, EndsWhenItIsCancelled) {
  if (!kernel_has(wire::op::read_multishot)) GTEST_SKIP() << witness();
  open_group(4);
  arm(pipe.reader.get());
  pipe.write("ab");
  ASSERT_EQ(wait_cqe(), took(0, 2));
  must(ring.cancel(2, 1, 0));
  submit(1);
  EXPECT_EQ(wait_cqes(2), (Cqes{{.user_data = 1, .res = -ECANCELED, .flags = 0},  //
                                {.user_data = 2, .res = 0, .flags = 0}}));
  pipe.write("cd");
  must(ring.nop(3));
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 3, .res = 0, .flags = 0}));
}

// Where to read to is the group's business, and how much; and the file must be one that can be waited for.
TEST_F(ReadMultishot, RefusesWhatItCannotDo) {
  if (!kernel_has(wire::op::read_multishot)) GTEST_SKIP() << witness();
  open_group(4);
  pipe.write("ab");
  const wire::Sqe good = wanted(pipe.reader.get());
  wire::Sqe no_group = good, address = good, length = good;
  no_group.flags = 0;
  address.addr = wire::address(memory.data());
  length.len = size;
  for (const wire::Sqe& bad : {no_group, address, length}) {
    EXPECT_EQ(complete(bad), (wire::Cqe{.user_data = 1, .res = -EINVAL, .flags = 0})) << wire::to_string(bad);
  }
  const TempDir dir;
  const Fd file = dir.create("file", O_RDWR);
  EXPECT_EQ(complete(wanted(file.get())), (wire::Cqe{.user_data = 1, .res = -EBADFD, .flags = 0}));
}

}  // namespace
