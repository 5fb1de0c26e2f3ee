// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// socket: makes a socket through the ring. Domain, type and protocol travel in fd, off and len.
//
// Needs SOCKET (5.19).

#include <fcntl.h>

#include <cerrno>

#include "fixture/sockets.h"

namespace {

using namespace conformance;

class Socket : public SocketTest {
 protected:
  binding::Result<binding::Sqe&> queue() { return ring.socket(0, AF_INET, SOCK_STREAM, 0, 0); }
  static wire::Sqe wanted() { return {.opcode = wire::op::socket, .fd = AF_INET, .off = SOCK_STREAM}; }
  std::string witness(Site site = Site::here()) {
    return refused([&] { return queue(); }, wanted(), [] { return ""; }, std::nullopt, site);
  }
  // An option of level SOL_SOCKET.
  static int option(const Fd& fd, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    if (getsockopt(fd.get(), SOL_SOCKET, name, &value, &size) != 0) stop(Site::here(), "no such option");
    return value;
  }
};

TEST_P(Socket, MakesATcpSocket) {
  if (!kernel_has(wire::op::socket)) GTEST_SKIP() << witness();
  EXPECT_EQ(wire_of(must(queue())), wanted());
  const Fd made = new_descriptor(complete(), {.user_data = 0}, S_IFSOCK);
  EXPECT_EQ(option(made, SO_DOMAIN), AF_INET);
  EXPECT_EQ(option(made, SO_TYPE), SOCK_STREAM);
  EXPECT_EQ(option(made, SO_PROTOCOL), IPPROTO_TCP);
  EXPECT_EQ(fcntl(made.get(), F_GETFD), 0) << "close-on-exec was not asked for";
}

// Other values in all three fields, no two alike, and a flag beside the type.
TEST_P(Socket, MakesTheSocketThatWasAskedFor) {
  if (!kernel_has(wire::op::socket)) GTEST_SKIP() << witness();
  EXPECT_EQ(wire_of(must(ring.socket(0x5'50c4e700, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP, 0))),
            (wire::Sqe{.opcode = wire::op::socket,
                       .fd = AF_INET,
                       .off = SOCK_DGRAM | SOCK_CLOEXEC,
                       .len = IPPROTO_UDP,
                       .user_data = 0x5'50c4e700}));
  const Fd made = new_descriptor(complete(), {.user_data = 0x5'50c4e700}, S_IFSOCK);
  EXPECT_EQ(option(made, SO_TYPE), SOCK_DGRAM);
  EXPECT_EQ(option(made, SO_PROTOCOL), IPPROTO_UDP);
  EXPECT_EQ(fcntl(made.get(), F_GETFD), FD_CLOEXEC);
}

// Shows that the domain is read where we wrote it: no domain has this number.
TEST_P(Socket, ReportsAnUnknownDomain) {
  if (!kernel_has(wire::op::socket)) GTEST_SKIP() << witness();
  must(ring.socket(0, 255, SOCK_STREAM, 0, 0));
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 0, .res = -EAFNOSUPPORT, .flags = 0}));
}

INSTANTIATE_TEST_SUITE_P(, Socket, testing::Values(1, 8), ring_size_name);

}  // namespace
