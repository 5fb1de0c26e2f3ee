// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// provide_buffers: accept/connect/send/recv: four buffers given to the kernel, which picks one for each
// receive. When all are taken the next receive fails at once, until one is given back.
//
// Needs PROVIDE_BUFFERS and IOSQE_BUFFER_SELECT (5.7), SEND and RECV (5.6), ACCEPT and CONNECT (5.5).

#include <algorithm>
#include <cerrno>

#include "fixture/sockets.h"

namespace {

using namespace conformance;

class ProvideBuffersAcceptConnectSendRecv : public SocketTest {
 protected:
  static constexpr std::uint16_t group = 1337;
  using Buffer = std::array<char, 128>;
  std::array<Buffer, 4> buffers{};

  static Buffer full_of(char letter) {
    Buffer buffer;
    buffer.fill(letter);
    return buffer;
  }
  binding::Result<binding::Sqe&> queue_provide(std::uint64_t user_data, std::uint16_t first,
                                               std::uint32_t count) {
    return ring.provide_buffers(user_data, buffers[first].data(), 128, count, group, first);
  }
  wire::Sqe provide_wanted(std::uint64_t user_data, std::uint16_t first, std::int32_t count) const {
    return {.opcode = wire::op::provide_buffers,
            .fd = count,
            .off = first,
            .addr = wire::address(buffers[first].data()),
            .len = 128,
            .user_data = user_data,
            .buf_index = group};
  }
  std::string witness(Site site = Site::here()) {
    return refused([&] { return queue_provide(0xcccccccc, 0, 4); }, provide_wanted(0xcccccccc, 0, 4),
                   [] { return ""; }, std::nullopt, site);
  }
  // Completes with 0, or on some kernels with the number of buffers.
  void provide(std::uint64_t user_data, std::uint16_t first, std::int32_t count, Site site = Site::here()) {
    const auto queued = queue_provide(user_data, first, static_cast<std::uint32_t>(count));
    expect_equal(site, "the PROVIDE_BUFFERS", wire_of(must(queued, site)),
                 provide_wanted(user_data, first, count));
    expect_one_of(site, "the CQE of PROVIDE_BUFFERS", complete(site),
                  {{.user_data = user_data, .res = 0}, {.user_data = user_data, .res = count}});
  }
  void submit_send(int fd, const Buffer& data, Site site = Site::here()) {
    EXPECT_EQ_AT(site, wire_of(must(ring.send(0xdeaddead, fd, std::as_bytes(std::span(data)), 0), site)),
                 (wire::Sqe{.opcode = wire::op::send,
                            .fd = fd,
                            .addr = wire::address(data.data()),
                            .len = 128,
                            .user_data = 0xdeaddead}));
    submit(1, site);
  }
  wire::Cqe receive(int fd, std::uint64_t user_data, Site site = Site::here()) {
    EXPECT_EQ_AT(site, wire_of(must(ring.recv_select(user_data, fd, group, 128, 0), site)),
                 (wire::Sqe{.opcode = wire::op::recv,
                            .flags = wire::buffer_select,
                            .fd = fd,
                            .len = 128,
                            .user_data = user_data,
                            .buf_index = group}));
    return complete(site);
  }
  // What a receive of `bytes` into buffer `id` completes with; more may wait in the socket.
  static wire::Cqe received(const wire::Cqe& cqe, std::uint64_t user_data, std::int32_t bytes,
                            std::uint32_t id) {
    return {.user_data = user_data,
            .res = bytes,
            .flags = id << 16 | wire::cqe_buffer | (cqe.flags & wire::cqe_sock_nonempty)};
  }
};

TEST_P(ProvideBuffersAcceptConnectSendRecv, PicksABufferForEachReceive) {
  if (!kernel_has(wire::op::provide_buffers)) GTEST_SKIP() << witness();
  provide(0xcccccccc, 0, 4);
  const Connection connection = connect();
  const int client = connection.client.get(), server = connection.server.get();

  const Buffer z = full_of('z'), w = full_of('w');
  for (int i = 0; i < 4; ++i) submit_send(server, z);
  std::array<binding::Cqe, 4> sends{};
  for (std::size_t n = 0; n < 4;) {
    n += must(ring.copy_cqes(std::span(sends).subspan(n), static_cast<std::uint32_t>(4 - n)));
  }
  for (const binding::Cqe& cqe : sends) {
    EXPECT_EQ(wire_of(cqe), (wire::Cqe{.user_data = 0xdeaddead, .res = 128, .flags = 0}));
  }

  buffers.fill(full_of(1));
  std::set<std::uint32_t> ids;
  for (int i = 0; i < 4; ++i) {
    const wire::Cqe cqe = receive(client, 0xdededede);
    const std::uint32_t id = cqe.flags >> 16;
    EXPECT_EQ(cqe, received(cqe, 0xdededede, 128, id));
    ASSERT_LT(id, 4u);
    EXPECT_TRUE(ids.insert(id).second) << "buffer " << id << " was taken";
    EXPECT_EQ(buffers[id], z);
  }

  EXPECT_EQ(receive(client, 0xdfdfdfdf), (wire::Cqe{.user_data = 0xdfdfdfdf, .res = -ENOBUFS, .flags = 0}));

  provide(0xabababab, 2, 1);
  submit_send(server, w);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0xdeaddead, .res = 128, .flags = 0}));
  buffers.fill(full_of(1));
  const wire::Cqe last = receive(client, 0xdfdfdfdf);
  EXPECT_EQ(last, received(last, 0xdfdfdfdf, 128, 2));
  EXPECT_EQ(buffers[2], w);
  for (const std::size_t other : {0u, 1u, 3u}) EXPECT_EQ(buffers[other], full_of(1));
}

// A short message takes a whole buffer, and touches no more of it than it needs.
TEST_P(ProvideBuffersAcceptConnectSendRecv, TakesABufferForAShortMessage) {
  if (!kernel_has(wire::op::provide_buffers)) GTEST_SKIP() << witness();
  provide(0xcccccccc, 3, 1);
  const Connection connection = connect();
  buffers.fill(full_of(1));
  ASSERT_EQ(::send(connection.server.get(), "short", 5, 0), 5);
  EXPECT_EQ(receive(connection.client.get(), 0xdededede),
            (wire::Cqe{.user_data = 0xdededede, .res = 5, .flags = 3 << 16 | wire::cqe_buffer}));
  Buffer want = full_of(1);
  std::copy_n("short", 5, want.begin());
  EXPECT_EQ(buffers[3], want);
  EXPECT_EQ(receive(connection.client.get(), 0xdfdfdfdf),
            (wire::Cqe{.user_data = 0xdfdfdfdf, .res = -ENOBUFS, .flags = 0}));
}

// The group is asked that the receive names: another one has no buffers to give.
TEST_P(ProvideBuffersAcceptConnectSendRecv, AsksTheGroupThatItNames) {
  if (!kernel_has(wire::op::provide_buffers)) GTEST_SKIP() << witness();
  provide(0xcccccccc, 0, 4);
  const Connection connection = connect();
  must(ring.recv_select(0xdfdfdfdf, connection.client.get(), group + 1, 128, 0));
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 0xdfdfdfdf, .res = -ENOBUFS, .flags = 0}));
}

INSTANTIATE_TEST_SUITE_P(, ProvideBuffersAcceptConnectSendRecv, testing::Values(16, 2), ring_size_name);

}  // namespace
