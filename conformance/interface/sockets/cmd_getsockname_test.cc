// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// getsockname command: the address of a socket, or of its peer, as a request. So a server that has only slots
// (direct descriptors) learns them.
//
// Needs SOCKET_URING_OP_GETSOCKNAME (6.19, io_uring_prep_cmd_getsockname(3)). Before, it is an unknown
// command, which a socket refuses with EOPNOTSUPP.

#include <fcntl.h>

#include <cerrno>
#include <cstring>

#include "fixture/files.h"
#include "fixture/sockets.h"

namespace {

using namespace conformance;

class CmdGetsockname : public AnySocketTest {
 protected:
  CmdGetsockname() : AnySocketTest(8, 0) {}

  sockaddr_in address{};
  std::int32_t size = sizeof address;

  bool kernel_has_it() const { return kernel_has(wire::op::nop128); }  // 6.19
  wire::Sqe wanted(int fd, std::uint32_t peer = 0,
                   std::uint32_t command = wire::socket_op_getsockname) const {
    return {.opcode = wire::op::uring_cmd,
            .fd = fd,
            .off = wire::halves(command, 0),
            .addr = wire::address(&address),
            .user_data = 1,
            .file_index = peer,
            .addr3 = wire::address(&size)};
  }
  // A command of the binding's has a level and an option where this one has an address.
  binding::Result<binding::Sqe&> queue(int fd, std::uint32_t peer) {
    return ring.cmd_sock(1, wire::socket_op_getsockname, fd, 0, 0, wire::address(&size), peer)
        .with([&](binding::Sqe& sqe) { sqe.addr = wire::address(&address); });
  }
  std::string witness() {
    const Fd socket = udp_socket();
    const int fd = socket.get();
    return refused([&] { return queue(fd, 0); }, wanted(fd),
                   [&] { return address.sin_port != 0 ? "there is an address" : ""; },
                   Modifier{.name = "GETSOCKNAME",
                            .proxy = wire::op::nop128,
                            .unsupported = wanted(fd, 0, wire::socket_op_nobody)});
  }
  static wire::Cqe done(std::int32_t res) { return {.user_data = 1, .res = res, .flags = 0}; }
  // Asks for the address of a socket or its peer: it is what this system call says.
  template <class Call>
  void expect_address(int fd, std::uint32_t peer, const Call& call, Site site = Site::here()) {
    address = {};
    size = sizeof address;
    EXPECT_EQ_AT(site, wire_of(must(queue(fd, peer), site)), wanted(fd, peer));
    EXPECT_EQ_AT(site, complete(site), done(0));
    sockaddr_in want{};
    socklen_t want_size = sizeof want;
    if (call(fd, generic(want), &want_size) != 0) stop_errno(site, "the system call");
    EXPECT_EQ_AT(site, size, static_cast<std::int32_t>(want_size));
    EXPECT_EQ_AT(site, std::memcmp(&address, &want, sizeof want), 0);
  }
};

TEST_F(CmdGetsockname, TellsTheAddress) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const Connection connection = connect();
  expect_address(connection.client.get(), 0, getsockname);
  expect_address(connection.server.get(), 0, getsockname);
  EXPECT_EQ(ntohs(address.sin_port), port_of(connection.listener.get()));
}

TEST_F(CmdGetsockname, TellsThatOfThePeer) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const Connection connection = connect();
  expect_address(connection.client.get(), 1, getpeername);
  EXPECT_EQ(ntohs(address.sin_port), port_of(connection.listener.get()));
  expect_address(connection.server.get(), 1, getpeername);
  EXPECT_EQ(ntohs(address.sin_port), port_of(connection.client.get()));
  EXPECT_EQ(complete(wanted(connection.listener.get(), 1)), done(-ENOTCONN));
}

// As much of it as there is room for, and how long it is.
TEST_F(CmdGetsockname, CutsItOff) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const Fd socket = udp_socket();
  std::memset(&address, 0xff, sizeof address);
  size = 4;
  must(queue(socket.get(), 0));
  EXPECT_EQ(complete(), done(0));
  EXPECT_EQ(size, static_cast<std::int32_t>(sizeof address));
  EXPECT_EQ(address.sin_family, AF_INET);
  EXPECT_EQ(ntohs(address.sin_port), port_of(socket.get()));
  EXPECT_EQ(address.sin_addr.s_addr, 0xffff'ffff) << "beyond four bytes";
}

TEST_F(CmdGetsockname, RefusesWhatMeansNothing) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const Fd socket = udp_socket();
  wire::Sqe no_size = wanted(socket.get()), nowhere = no_size;
  no_size.addr3 = 8;  // not mapped
  nowhere.addr = 8;
  EXPECT_EQ(complete(wanted(socket.get(), 2)), done(-EINVAL));
  EXPECT_EQ(complete(no_size), done(-EFAULT));
  EXPECT_EQ(complete(nowhere), done(-EFAULT));
  size = -1;
  EXPECT_EQ(complete(wanted(socket.get())), done(-EINVAL));
  const Fd null = open_file("/dev/zero", O_RDONLY);
  EXPECT_EQ(complete(wanted(null.get())), done(-EOPNOTSUPP));
  EXPECT_EQ(address.sin_port, 0);
}

}  // namespace
