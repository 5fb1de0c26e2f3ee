// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// receive modifiers: what RECV and SEND are told beside the memory. POLL_FIRST waits before it tries, the
// MSG_ flags mean what recv(2) says, and a CQE says when more is in the socket.
//
// Needs IORING_RECVSEND_POLL_FIRST and IORING_CQE_F_SOCK_NONEMPTY (5.19, io_uring_prep_recv(3)). Before,
// an ioprio that is not 0 is refused. A SEND has a destination from 6.1 on.

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "fixture/files.h"
#include "fixture/sockets.h"

namespace {

using namespace conformance;

class RecvFlags : public AnySocketTest {
 protected:
  RecvFlags() : AnySocketTest(8, 0) {}

  std::array<char, 16> buffer{};

  bool kernel_has_them() const { return kernel_has(wire::op::socket); }  // 5.19
  wire::Sqe wanted(int fd, std::uint32_t length, std::uint32_t flags, std::uint16_t ioprio = 0) const {
    return {.opcode = wire::op::recv,
            .ioprio = ioprio,
            .fd = fd,
            .addr = wire::address(buffer.data()),
            .len = length,
            .op_flags = flags,
            .user_data = 1};
  }
  binding::Result<binding::Sqe&> queue_poll_first(int fd) {
    auto queued = recv(fd, 5, 0);
    if (queued.ok()) queued.value().ioprio |= wire::recvsend_poll_first;
    return queued;
  }
  std::string witness() {
    const SocketPair sockets;
    sockets.send("abcdefghijklmno");  // what a receive would take, each time
    const int fd = sockets.ours.get();
    return refused([&] { return queue_poll_first(fd); }, wanted(fd, 5, 0, wire::recvsend_poll_first),
                   [] { return ""; }, Modifier{.name = "POLL_FIRST", .proxy = wire::op::socket});
  }
  binding::Result<binding::Sqe&> recv(int fd, std::size_t length, std::uint32_t flags) {
    return ring.recv(1, fd, std::as_writable_bytes(std::span(buffer)).first(length), flags);
  }
  void queue(int fd, std::uint32_t length, std::uint32_t flags, Site site = Site::here()) {
    EXPECT_EQ_AT(site, wire_of(must(recv(fd, length, flags), site)), wanted(fd, length, flags));
  }
  static wire::Cqe done(std::int32_t res, std::uint32_t flags = 0) {
    return {.user_data = 1, .res = res, .flags = flags};
  }
  static void send_text(int fd, std::string_view text, Site site = Site::here()) {
    if (::send(fd, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size()))
      stop_errno(site, "send");
  }
};

TEST_F(RecvFlags, WaitsBeforeItTries) {
  if (!kernel_has_them()) GTEST_SKIP() << witness();
  const SocketPair sockets;
  const int fd = sockets.ours.get();
  EXPECT_EQ(wire_of(must(queue_poll_first(fd))), wanted(fd, 5, 0, wire::recvsend_poll_first));
  submit(1);
  EXPECT_EQ(ring.cq_ready(), 0u);
  sockets.send("abcde");
  EXPECT_EQ(wait_cqe(), done(5));
  // What is there already comes, too.
  sockets.send("fghij");
  must(queue_poll_first(fd));
  EXPECT_EQ(complete(), done(5));
  EXPECT_STREQ(buffer.data(), "fghij");
}

// Of five bytes that wait it takes two: the CQE says that more is there. Of a TCP socket, because others
// cannot tell.
TEST_F(RecvFlags, SaysThatThereIsMore) {
  if (!kernel_has_them()) GTEST_SKIP() << witness();
  const Connection connection = connect();
  const int server = connection.server.get();
  send_text(connection.client.get(), "abcde");
  wait_for_bytes(server, 5);
  queue(server, 2, 0);
  EXPECT_EQ(complete(), done(2, wire::cqe_sock_nonempty));
  queue(server, 3, 0);
  EXPECT_EQ(complete(), done(3));
}

// MSG_WAITALL is content with no less than all of it.
TEST_F(RecvFlags, WaitsForAll) {
  if (!kernel_has_them()) GTEST_SKIP() << witness();
  const SocketPair sockets;
  sockets.send("abcde");
  queue(sockets.ours.get(), 10, MSG_WAITALL);
  submit(1);
  EXPECT_EQ(cqes_before_nop(2), (Cqes{{.user_data = 2, .res = 0, .flags = 0}}));
  sockets.send("fghij");
  EXPECT_EQ(without_nonempty(wait_cqe()), done(10));
  EXPECT_STREQ(buffer.data(), "abcdefghij");
}

// MSG_PEEK leaves the bytes, and MSG_TRUNC tells how long a datagram was of which a part fits.
TEST_F(RecvFlags, PeeksAndTruncates) {
  if (!kernel_has_them()) GTEST_SKIP() << witness();
  const Fd receiver = udp_socket(), sender = udp_socket();
  sockaddr_in address = loopback(port_of(receiver.get()));
  ASSERT_EQ(sendto(sender.get(), "abcdefghij", 10, 0, generic(address), sizeof address), 10);
  queue(receiver.get(), 4, MSG_PEEK);
  EXPECT_EQ(without_nonempty(complete()), done(4));
  buffer.fill('-');
  queue(receiver.get(), 4, MSG_TRUNC);
  EXPECT_EQ(without_nonempty(complete()), done(10));
  EXPECT_EQ(std::string(buffer.data(), 6), "abcd--");
}

TEST_F(RecvFlags, DoesNotWaitIfToldNotTo) {
  if (!kernel_has_them()) GTEST_SKIP() << witness();
  const SocketPair sockets;
  queue(sockets.ours.get(), 4, MSG_DONTWAIT);
  EXPECT_EQ(complete(), done(-EAGAIN));
}

// Sends take POLL_FIRST, too.
TEST_F(RecvFlags, SendsAfterItWaited) {
  if (!kernel_has_them()) GTEST_SKIP() << witness();
  const SocketPair sockets;
  const std::string text = "abcde";
  must(ring.send(1, sockets.ours.get(), std::as_bytes(std::span(text)), 0)).ioprio =
      wire::recvsend_poll_first;
  EXPECT_EQ(complete(), done(5));
  iovec part{const_cast<char*>(text.data()), 3};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  must(ring.sendmsg(1, sockets.ours.get(), &message, 0)).ioprio = wire::recvsend_poll_first;
  EXPECT_EQ(complete(), done(3));
  ASSERT_EQ(read(sockets.peer.get(), buffer.data(), buffer.size()), 8);
  EXPECT_STREQ(buffer.data(), "abcdeabc");
}

// sendto(2): a destination for this datagram.
TEST_F(RecvFlags, SendsToAnAddress) {
  const Fd receiver = udp_socket(), sender = udp_socket();
  sockaddr_in address = loopback(port_of(receiver.get()));
  const std::string text = "abcde";
  const auto send = [&] {
    return ring.sendto(1, sender.get(), std::as_bytes(std::span(text)), 0, generic(address), sizeof address);
  };
  // The size of the address is the first half of file_index, in either byte order.
  const std::uint32_t size =
      std::endian::native == std::endian::little ? sizeof address : sizeof address << 16;
  const wire::Sqe want{.opcode = wire::op::send,
                       .fd = sender.get(),
                       .off = wire::address(&address),
                       .addr = wire::address(text.data()),
                       .len = 5,
                       .user_data = 1,
                       .file_index = size};
  if (!kernel_has(wire::op::sendmsg_zc)) {  // 6.1
    GTEST_SKIP() << refused(
        send, want,
        [&] {
          return ::recv(receiver.get(), buffer.data(), buffer.size(), MSG_DONTWAIT) >= 0
                     ? "a datagram arrived"
                     : "";
        },
        Modifier{.name = "a destination", .proxy = wire::op::sendmsg_zc});
  }
  EXPECT_EQ(wire_of(must(send())), want);
  EXPECT_EQ(complete(), done(5));
  sockaddr_in from{};
  socklen_t from_size = sizeof from;
  ASSERT_EQ(recvfrom(receiver.get(), buffer.data(), buffer.size(), 0, generic(from), &from_size), 5);
  EXPECT_STREQ(buffer.data(), "abcde");
  EXPECT_EQ(ntohs(from.sin_port), port_of(sender.get()));
}

// Peers that fail.
class RecvFlagsAtFailingPeers : public RecvFlags {};

// Nobody listens on a port that is merely bound. A second attempt on the same socket is answered alike.
TEST_F(RecvFlagsAtFailingPeers, RefuseAConnection) {
  const Fd bound = tcp_socket(), client = tcp_socket();
  sockaddr_in address = loopback();
  ASSERT_EQ(bind(bound.get(), generic(address), sizeof address), 0) << strerrorname_np(errno);
  address = loopback(port_of(bound.get()));
  for (int attempt = 1; attempt <= 2; ++attempt) {
    must(ring.connect(1, client.get(), generic(address), sizeof address));
    EXPECT_EQ(complete(), done(-ECONNREFUSED)) << "attempt " << attempt;
  }
}

// A connection that the peer resets, while a receive waits. It is reported once; then there is the end.
TEST_F(RecvFlagsAtFailingPeers, ResetAConnection) {
  Connection connection = connect();
  queue(connection.server.get(), 4, 0);
  submit(1);
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ASSERT_EQ(setsockopt(connection.client.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
  connection.client = Fd();
  EXPECT_EQ(wait_cqe(), done(-ECONNRESET));
  queue(connection.server.get(), 4, 0);
  EXPECT_EQ(without_nonempty(complete()), done(0));
}

// Nobody reads any more: -EPIPE, and no signal.
TEST_F(RecvFlagsAtFailingPeers, AreGone) {
  SocketPair sockets;
  sockets.peer = Fd();
  must(ring.send(1, sockets.ours.get(), std::as_bytes(std::span(buffer)), MSG_NOSIGNAL));
  EXPECT_EQ(complete(), done(-EPIPE));
}

TEST_F(RecvFlags, RefusesWhatMeansNothing) {
  if (!kernel_has_them()) GTEST_SKIP() << witness();
  const SocketPair sockets;
  sockets.send("abcde");
  const wire::Sqe good = wanted(sockets.ours.get(), 5, 0);
  wire::Sqe address = good, unknown = good, no_group = good, wait_all = good, send = good;
  address.off = wire::address(buffer.data());
  unknown.ioprio = wire::recvsend_nobody;
  no_group.ioprio = wire::recv_multishot;
  wait_all.ioprio = wire::recv_multishot;
  wait_all.flags = wire::buffer_select;
  wait_all.len = 0;
  wait_all.op_flags = MSG_WAITALL;
  send.opcode = wire::op::send;
  send.ioprio = wire::recvsend_nobody;
  for (const wire::Sqe& bad : {address, unknown, no_group, wait_all, send}) {
    EXPECT_EQ(complete(bad), done(-EINVAL)) << wire::to_string(bad);
  }
  const TempDir dir;
  const Fd file = dir.create("file", O_RDWR);
  must(ring.send(1, file.get(), std::as_bytes(std::span(buffer)), 0));
  EXPECT_EQ(complete(), done(-ENOTSOCK));
}

}  // namespace
