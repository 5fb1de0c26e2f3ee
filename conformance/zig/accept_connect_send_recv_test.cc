// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// accept/connect/send/recv: ten bytes over a connection that the ring made, of which five are received. The
// send is linked to the receive, so its completion comes first.
//
// Needs SEND and RECV (5.6), ACCEPT and CONNECT (5.5) and IOSQE_IO_LINK (5.3).

#include "fixture/sockets.h"

namespace {

using namespace conformance;

class AcceptConnectSendRecv : public SocketTest {
 protected:
  std::array<unsigned char, 10> sent{1, 0, 1, 0, 1, 0, 1, 0, 1, 0};
  std::array<unsigned char, 5> received{0, 1, 0, 1, 0};

  binding::Result<binding::Sqe&> queue_recv(int fd) {
    return ring.recv(0xffffffff, fd, std::as_writable_bytes(std::span(received)), 0);
  }
  wire::Sqe recv_wanted(int fd) const {
    return {.opcode = wire::op::recv,
            .fd = fd,
            .addr = wire::address(received.data()),
            .len = 5,
            .user_data = 0xffffffff};
  }
  std::string witness(Site site = Site::here()) {
    const Fd socket = tcp_socket(site);
    return refused([&] { return queue_recv(socket.get()); }, recv_wanted(socket.get()),
                   [&] { return received[1] != 1 ? "the buffer changed" : ""; }, std::nullopt, site);
  }
};

TEST_P(AcceptConnectSendRecv, DeliversTheFirstFiveBytes) {
  if (!kernel_has(wire::op::recv)) GTEST_SKIP() << witness();
  const Connection connection = connect();
  const int client = connection.client.get(), server = connection.server.get();

  binding::Sqe& send = must(ring.send(0xeeeeeeee, client, std::as_bytes(std::span(sent)), 0));
  EXPECT_EQ(wire_of(send), (wire::Sqe{.opcode = wire::op::send,
                                      .fd = client,
                                      .addr = wire::address(sent.data()),
                                      .len = 10,
                                      .user_data = 0xeeeeeeee}));
  send.flags |= wire::io_link;
  EXPECT_EQ(wire_of(must(queue_recv(server))), recv_wanted(server));
  submit(2);

  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0xeeeeeeee, .res = 10, .flags = 0}));
  // Five bytes are left in the socket: kernels from 5.19 on say so.
  EXPECT_EQ(without_nonempty(wait_cqe()), (wire::Cqe{.user_data = 0xffffffff, .res = 5, .flags = 0}));
  EXPECT_EQ(received, (std::array<unsigned char, 5>{1, 0, 1, 0, 1}));
}

// Nothing is there yet: the receive must wait, and the bytes that come later must complete it.
TEST_P(AcceptConnectSendRecv, WaitsForBytesThatComeLater) {
  if (!kernel_has(wire::op::recv)) GTEST_SKIP() << witness();
  const Connection connection = connect();
  must(queue_recv(connection.server.get()));
  submit(1);
  EXPECT_EQ(ring.cq_ready(), 0u);
  ASSERT_EQ(::send(connection.client.get(), sent.data(), 3, 0), 3);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0xffffffff, .res = 3, .flags = 0}));
  EXPECT_EQ(received, (std::array<unsigned char, 5>{1, 0, 1, 1, 0}));
}

INSTANTIATE_TEST_SUITE_P(, AcceptConnectSendRecv, testing::Values(16, 2), ring_size_name);

}  // namespace
