// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// socket commands: what ioctl(2), getsockopt(2) and setsockopt(2) do, as a request.
//
// Needs the commands of URING_CMD for sockets (6.7, io_uring_prep_cmd_sock(3)). A kernel that has the opcode
// (5.19) and not the commands refuses these with EOPNOTSUPP.

#include <fcntl.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "fixture/files.h"
#include "fixture/sockets.h"

namespace {

using namespace conformance;

class CmdSock : public AnySocketTest {
 protected:
  CmdSock() : AnySocketTest(8, 0) {}

  static wire::Sqe wanted(int fd, std::uint32_t command) {
    return {.opcode = wire::op::uring_cmd, .fd = fd, .off = wire::halves(command, 0), .user_data = 1};
  }
  static wire::Sqe option_wanted(int fd, std::uint64_t command, int level, int option, const int& value) {
    wire::Sqe sqe = wanted(fd, static_cast<std::uint32_t>(command));
    sqe.addr = wire::halves(static_cast<std::uint32_t>(level), static_cast<std::uint32_t>(option));
    sqe.file_index = sizeof value;
    sqe.addr3 = wire::address(&value);
    return sqe;
  }
  binding::Result<binding::Sqe&> queue(int fd, std::uint32_t command) {
    return ring.cmd_sock(1, command, fd, 0, 0, 0, 0);
  }
  bool kernel_has_them() const { return kernel_has(wire::op::waitid); }  // 6.7
  std::string witness() {
    const Fd socket = udp_socket();
    const int fd = socket.get();
    return refused(
        [&] { return queue(fd, wire::socket_op_siocinq); }, wanted(fd, wire::socket_op_siocinq),
        [] { return ""; },
        Modifier{
            .name = "SIOCINQ", .proxy = wire::op::waitid, .unsupported = wanted(fd, wire::socket_op_nobody)});
  }
  static wire::Cqe done(std::int32_t res) { return {.user_data = 1, .res = res, .flags = 0}; }
  wire::Cqe ask(int fd, std::uint32_t command, Site site = Site::here()) {
    EXPECT_EQ_AT(site, wire_of(must(queue(fd, command), site)), wanted(fd, command));
    return complete(site);
  }
};

// How much waits on either side. What was sent counts there until the peer has acknowledged it.
TEST_F(CmdSock, CountsWhatWaits) {
  if (!kernel_has_them()) GTEST_SKIP() << witness();
  const Connection connection = connect();
  const int client = connection.client.get(), server = connection.server.get();
  EXPECT_EQ(ask(server, wire::socket_op_siocinq), done(0));
  ASSERT_EQ(send(client, "abcde", 5, MSG_NOSIGNAL), 5);
  wait_for_bytes(server, 5);
  EXPECT_EQ(ask(server, wire::socket_op_siocinq), done(5));
  wire::Cqe unacknowledged;
  while ((unacknowledged = ask(client, wire::socket_op_siocoutq)).res > 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(unacknowledged, done(0));
}

TEST_F(CmdSock, ReadsAnOption) {
  if (!kernel_has_them()) GTEST_SKIP() << witness();
  const Fd socket = tcp_socket();
  int value = -1;
  const auto bytes = std::as_writable_bytes(std::span(&value, 1));
  EXPECT_EQ(wire_of(must(ring.getsockopt(1, socket.get(), SOL_SOCKET, SO_TYPE, bytes))),
            option_wanted(socket.get(), wire::socket_op_getsockopt, SOL_SOCKET, SO_TYPE, value));
  EXPECT_EQ(complete(), done(sizeof value));
  EXPECT_EQ(value, SOCK_STREAM);
}

TEST_F(CmdSock, SetsAnOption) {
  if (!kernel_has_them()) GTEST_SKIP() << witness();
  const Fd socket = tcp_socket();
  const int on = 1;
  EXPECT_EQ(wire_of(must(ring.setsockopt(1, socket.get(), IPPROTO_TCP, TCP_NODELAY,
                                         std::as_bytes(std::span(&on, 1))))),
            option_wanted(socket.get(), wire::socket_op_setsockopt, IPPROTO_TCP, TCP_NODELAY, on));
  EXPECT_EQ(complete(), done(0));
  int value = -1;
  socklen_t size = sizeof value;
  ASSERT_EQ(getsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &value, &size), 0) << strerrorname_np(errno);
  EXPECT_EQ(value, 1);
}

// Options are read of SOL_SOCKET only.
TEST_F(CmdSock, RefusesOtherOptions) {
  if (!kernel_has_them()) GTEST_SKIP() << witness();
  const Fd socket = tcp_socket();
  int value = -1;
  const auto get = wire::socket_op_getsockopt;
  EXPECT_EQ(complete(option_wanted(socket.get(), get, IPPROTO_TCP, TCP_NODELAY, value)), done(-EOPNOTSUPP));
  EXPECT_EQ(complete(option_wanted(socket.get(), get, SOL_SOCKET, 0x7fff, value)), done(-ENOPROTOOPT));
  EXPECT_EQ(complete(option_wanted(socket.get(), wire::socket_op_setsockopt, SOL_SOCKET, 0x7fff, value)),
            done(-ENOPROTOOPT));
  EXPECT_EQ(value, -1);
}

// A command is for a kind of file, and each kind has its own.
TEST_F(CmdSock, RefusesOtherFiles) {
  if (!kernel_has_them()) GTEST_SKIP() << witness();
  const TempDir dir;
  const Fd file = dir.create("file", O_RDWR);
  EXPECT_EQ(ask(file.get(), wire::socket_op_siocinq), done(-EOPNOTSUPP));
  const SocketPair sockets;
  EXPECT_EQ(ask(sockets.ours.get(), wire::socket_op_siocinq), done(-EOPNOTSUPP));
  const Fd listener = tcp_listener(), socket = udp_socket();
  EXPECT_EQ(ask(listener.get(), wire::socket_op_siocinq), done(-EINVAL));
  EXPECT_EQ(ask(socket.get(), wire::socket_op_nobody), done(-EOPNOTSUPP));
}

TEST_F(CmdSock, RefusesWhatMeansNothing) {
  if (!kernel_has_them()) GTEST_SKIP() << witness();
  const Fd socket = udp_socket();
  EXPECT_EQ(complete(wanted(socket.get(), wire::socket_op_siocinq)), done(0));
  EXPECT_EQ(complete(wanted(socket.get(), wire::socket_op_siocoutq)), done(0));
  wire::Sqe second_half = wanted(socket.get(), wire::socket_op_siocinq), unknown = second_half;
  second_half.off = wire::halves(wire::socket_op_siocinq, 1);
  unknown.op_flags = 1u << 20;
  EXPECT_EQ(complete(second_half), done(-EINVAL));
  EXPECT_EQ(complete(unknown), done(-EINVAL));
}

}  // namespace
