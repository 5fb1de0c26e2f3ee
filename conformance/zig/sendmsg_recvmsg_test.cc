// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// sendmsg/recvmsg: a datagram of 128 bytes from one socket to another, with message headers, the receive
// linked to the send. A header is where a program says whom to send to, and learns who sent.
//
// Needs SENDMSG, RECVMSG and IOSQE_IO_LINK (5.3).

#include "fixture/sockets.h"

namespace {

using namespace conformance;

class SendmsgRecvmsg : public SocketTest {
 protected:
  // A message header over iovecs, with room for an address. The kernel needs all of it until the CQE came.
  struct Message {
    explicit Message(std::initializer_list<iovec> parts, sockaddr_in address = {.sin_family = AF_INET,
                                                                                .sin_port = 0,
                                                                                .sin_addr = {},
                                                                                .sin_zero = {}})
        : name(address), iovecs(parts) {
      header.msg_name = &name;
      header.msg_namelen = sizeof name;
      header.msg_iov = iovecs.data();
      header.msg_iovlen = iovecs.size();
    }
    Message(const Message&) = delete;
    Message& operator=(const Message&) = delete;
    sockaddr_in name;
    std::vector<iovec> iovecs;
    msghdr header{};
  };

  Fd server = udp_socket(), client = udp_socket();
  sockaddr_in address{};  // of the server

  void SetUp() override {
    SocketTest::SetUp();
    const int on = 1;
    address = loopback();
    ASSERT_EQ(setsockopt(server.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on), 0);
    ASSERT_EQ(setsockopt(server.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    ASSERT_EQ(bind(server.get(), generic(address), sizeof address), 0);
    address = loopback(port_of(server.get()));
  }
  static Fd udp_socket() {
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) stop(Site::here(), "no UDP socket");
    return Fd(fd);
  }
  // Queues the send and, linked to it, the receive.
  void queue(const Message& out, Message& in, Site site = Site::here()) {
    binding::Sqe& send = must(ring.sendmsg(0x11111111, client.get(), &out.header, 0), site);
    EXPECT_EQ_AT(site, wire_of(send),
                 (wire::Sqe{.opcode = wire::op::sendmsg,
                            .fd = client.get(),
                            .addr = wire::address(&out.header),
                            .len = 1,
                            .user_data = 0x11111111}));
    send.flags |= wire::io_link;
    EXPECT_EQ_AT(site, wire_of(must(ring.recvmsg(0x22222222, server.get(), &in.header, 0), site)),
                 (wire::Sqe{.opcode = wire::op::recvmsg,
                            .fd = server.get(),
                            .addr = wire::address(&in.header),
                            .len = 1,
                            .user_data = 0x22222222}));
  }
  // Takes both CQEs; the link makes the order.
  void expect_both(std::int32_t sent, std::int32_t received, Site site = Site::here()) {
    EXPECT_EQ_AT(site, wait_cqe(site), (wire::Cqe{.user_data = 0x11111111, .res = sent, .flags = 0}));
    EXPECT_EQ_AT(site, without_nonempty(wait_cqe(site)),
                 (wire::Cqe{.user_data = 0x22222222, .res = received, .flags = 0}));
  }
};

TEST_P(SendmsgRecvmsg, DeliversADatagram) {
  std::array<unsigned char, 128> sent, received{};
  sent.fill(42);
  const Message out({{sent.data(), sent.size()}}, address);
  Message in({{received.data(), received.size()}});
  queue(out, in);
  EXPECT_EQ(ring.sq_ready(), 2u);
  submit_and_wait(2, 2);
  EXPECT_EQ(ring.sq_ready(), 0u);
  EXPECT_EQ(ring.cq_ready(), 2u);
  expect_both(128, 128);
  EXPECT_EQ(received, sent);
  // The header was written back: it says who sent.
  EXPECT_EQ(in.header.msg_namelen, sizeof in.name);
  EXPECT_EQ(in.name.sin_family, AF_INET);
  EXPECT_EQ(in.name.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
  EXPECT_NE(in.name.sin_port, 0);
  EXPECT_EQ(ntohs(in.name.sin_port), port_of(client.get()));
}

// `len` is 1 whatever the header holds: the iovecs are counted there, and cut as each side likes.
TEST_P(SendmsgRecvmsg, GathersAndScatters) {
  std::string hello = "hel", world = "lo ring", first(4, '?'), second(6, '?');
  const Message out({{hello.data(), 3}, {world.data(), 7}}, address);
  Message in({{first.data(), 4}, {second.data(), 6}});
  queue(out, in);
  submit(2);
  expect_both(10, 10);
  EXPECT_EQ(first, "hell");
  EXPECT_EQ(second, "o ring");
}

// A datagram that does not fit is cut, and only the header tells.
TEST_P(SendmsgRecvmsg, SaysThatItWasCut) {
  std::string sent = "0123456789", received(4, '?');
  const Message out({{sent.data(), 10}}, address);
  Message in({{received.data(), 4}});
  queue(out, in);
  submit(2);
  expect_both(10, 4);
  EXPECT_EQ(received, "0123");
  EXPECT_EQ(in.header.msg_flags, MSG_TRUNC);
}

INSTANTIATE_TEST_SUITE_P(, SendmsgRecvmsg, testing::Values(2, 8), ring_size_name);

}  // namespace
