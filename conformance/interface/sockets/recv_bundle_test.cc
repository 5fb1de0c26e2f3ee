// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// receive bundles: one RECV fills as many buffers of a group as there is data for. Its CQE names the first;
// the others follow it in the ring.
//
// Needs IORING_RECVSEND_BUNDLE (6.10, io_uring_prep_recv(3)). Before, an ioprio that is unknown is refused.

#include <unistd.h>

#include <cerrno>

#include "fixture/buffer_rings.h"

namespace {

using namespace conformance;

class RecvBundle : public AnySocketTest {
 protected:
  static constexpr std::uint16_t group_id = 1;
  static constexpr std::uint32_t count = 4, size = 64;

  RecvBundle() : AnySocketTest(8, 0) {}

  std::array<unsigned char, count * size> memory{};
  binding::BufferGroup group;

  binding::Result<binding::Sqe&> queue(int fd, std::uint32_t bytes) {
    return ring.recv_bundle(1, fd, group_id, bytes, 0);
  }
  static wire::Sqe wanted(int fd, std::uint32_t bytes) {
    return {.opcode = wire::op::recv,
            .flags = wire::buffer_select,
            .ioprio = wire::recvsend_bundle,
            .fd = fd,
            .len = bytes,
            .user_data = 1,
            .buf_index = group_id};
  }
  bool kernel_has_it() const { return kernel_has(wire::feature::recvsend_bundle); }
  std::string witness() {
    const SocketPair sockets;
    sockets.send("abcde");
    const int fd = sockets.ours.get();
    return refused([&] { return queue(fd, 0); }, wanted(fd, 0), [] { return ""; },
                   Modifier{.name = "BUNDLE", .proxy = wire::feature::recvsend_bundle});
  }
  void open_group(Site site = Site::here()) {
    const auto opened = group.init(ring, group_id, std::as_writable_bytes(std::span(memory)), size,
                                   binding::Consumption::whole);
    if (!opened.ok()) stop(site, "no group of buffers: " + testing::PrintToString(opened));
  }
  // So many bytes that count up wait in the server's socket.
  static void send(const Connection& connection, std::size_t bytes, Site site = Site::here()) {
    const Bytes data = counting_bytes(bytes);
    if (::send(connection.client.get(), data.data(), bytes, MSG_NOSIGNAL) != static_cast<ssize_t>(bytes))
      stop_errno(site, "send");
    wait_for_bytes(connection.server.get(), bytes, site);
  }
  // The first `bytes` of the memory hold what was sent: the buffers are used one after the other.
  void expect_received(std::size_t bytes, Site site = Site::here()) const {
    EXPECT_EQ_AT(site, Bytes(memory.begin(), memory.begin() + static_cast<std::ptrdiff_t>(bytes)),
                 counting_bytes(bytes));
  }
  static std::uint32_t buffers_for(std::int32_t bytes) {
    return (static_cast<std::uint32_t>(bytes) + size - 1) / size;
  }
  // Collects the CQEs of a multishot bundle up to `bytes`, or to the end: how many came. Each begins with
  // the buffer behind the one that the bundle before it ended with.
  std::uint32_t collect(std::uint32_t bytes, wire::Cqe& last, Site site = Site::here()) {
    std::uint32_t sum = 0, next = 0;
    do {
      last = wait_cqe(site);
      if (last.res <= 0) break;
      const std::uint32_t flags = wire::cqe_buffer | (last.flags & wire::cqe_more) | next << 16;
      EXPECT_EQ_AT(site, without_nonempty(last),
                   (wire::Cqe{.user_data = 1, .res = last.res, .flags = flags}));
      sum += static_cast<std::uint32_t>(last.res);
      next += buffers_for(last.res);
    } while (sum < bytes && (last.flags & wire::cqe_more) != 0);
    return sum;
  }
};

TEST_F(RecvBundle, FillsSeveralBuffers) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const Connection connection = connect();
  open_group();
  send(connection, 100);
  EXPECT_EQ(wire_of(must(queue(connection.server.get(), 0))), wanted(connection.server.get(), 0));
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 1, .res = 100, .flags = wire::cqe_buffer}));
  expect_received(100);
  EXPECT_EQ(must(ring.buf_ring_head(group_id)), 2u);
}

// Of 300 bytes that wait, at most 130: how much less is free, and whether the last buffer is filled.
TEST_F(RecvBundle, KeepsToItsLength) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const Connection connection = connect();
  open_group();
  send(connection, 300);
  EXPECT_EQ(wire_of(must(queue(connection.server.get(), 130))), wanted(connection.server.get(), 130));
  const wire::Cqe cqe = without_nonempty(complete());
  EXPECT_EQ(cqe, (wire::Cqe{.user_data = 1, .res = cqe.res, .flags = wire::cqe_buffer}));
  ASSERT_GE(cqe.res, 1);
  EXPECT_LE(buffers_for(cqe.res), buffers_for(130));
  expect_received(static_cast<std::size_t>(cqe.res));
  EXPECT_EQ(must(ring.buf_ring_head(group_id)), buffers_for(cqe.res));
}

// A multishot one gives bundle after bundle.
TEST_F(RecvBundle, Repeats) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const Connection connection = connect();
  open_group();
  send(connection, 200);
  must(queue(connection.server.get(), 0)).ioprio |= wire::recv_multishot;
  submit(1);
  wire::Cqe last;
  EXPECT_EQ(collect(200, last), 200u);
  expect_received(200);
}

// When all buffers are used, it ends: with the CQE of the last, or with one that says that there is none.
TEST_F(RecvBundle, EndsWithTheBuffers) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const Connection connection = connect();
  open_group();
  send(connection, 300);
  must(queue(connection.server.get(), 0)).ioprio |= wire::recv_multishot;
  submit(1);
  wire::Cqe last;
  EXPECT_EQ(collect(300, last), count * size);
  EXPECT_EQ(last.flags & wire::cqe_more, 0u) << wire::to_string(last);
  if (last.res <= 0) {
    EXPECT_EQ(without_nonempty(last), (wire::Cqe{.user_data = 1, .res = -ENOBUFS, .flags = 0}));
  }
  expect_received(count * size);
}

// A message has one buffer.
TEST_F(RecvBundle, IsNotForMessages) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const SocketPair sockets;
  open_group();
  msghdr message{};
  wire::Sqe request = wanted(sockets.ours.get(), 1);
  request.opcode = wire::op::recvmsg;
  request.addr = wire::address(&message);
  EXPECT_EQ(complete(request), (wire::Cqe{.user_data = 1, .res = -EINVAL, .flags = 0}));
}

}  // namespace
