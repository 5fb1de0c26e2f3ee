// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// shutdown: ends one direction of a socket through the ring. First of one that listens, which it stops, then
// of one that was never connected, which is an error.
//
// Needs SHUTDOWN (5.11, and stable 5.10.162).

#include <cerrno>

#include "fixture/sockets.h"

namespace {

using namespace conformance;

class Shutdown : public SocketTest {
 protected:
  // More than 32 bits, so that a user_data cut in half shows.
  static constexpr std::uint64_t user_data = 0x445445445;

  binding::Result<binding::Sqe&> queue(int fd, std::uint32_t how) {
    return ring.shutdown(user_data, fd, how);
  }
  static wire::Sqe wanted(int fd, std::uint32_t how) {
    return {.opcode = wire::op::shutdown, .fd = fd, .len = how, .user_data = user_data};
  }
  std::string witness(Site site = Site::here()) {
    const Fd listener = tcp_listener(site);
    return refused([&] { return queue(listener.get(), SHUT_RD); }, wanted(listener.get(), SHUT_RD),
                   [&] { return listens(listener.get()) ? "" : "the socket stopped listening"; },
                   std::nullopt, site);
  }
};

TEST_P(Shutdown, StopsAListener) {
  if (!kernel_has(wire::op::shutdown)) GTEST_SKIP() << witness();
  {
    const Fd listener = tcp_listener();
    EXPECT_EQ(wire_of(must(queue(listener.get(), SHUT_RD))), wanted(listener.get(), SHUT_RD));
    EXPECT_EQ(complete(), (wire::Cqe{.user_data = user_data, .res = 0, .flags = 0}));
    EXPECT_FALSE(listens(listener.get()));
  }
  const Fd fresh = tcp_socket();
  EXPECT_EQ(wire_of(must(queue(fresh.get(), SHUT_RD))), wanted(fresh.get(), SHUT_RD));
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = user_data, .res = -ENOTCONN, .flags = 0}));
}

// SHUT_RD is 0 and would look right in a field of zeros. SHUT_WR is not: the peer reads the end, and the
// other direction stays open.
TEST_P(Shutdown, EndsOneDirection) {
  if (!kernel_has(wire::op::shutdown)) GTEST_SKIP() << witness();
  const Fd listener = tcp_listener(), client = tcp_client(listener.get());
  const Fd server(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  EXPECT_EQ(wire_of(must(queue(client.get(), SHUT_WR))), wanted(client.get(), SHUT_WR));
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = user_data, .res = 0, .flags = 0}));

  char byte = '?';
  EXPECT_EQ(recv(server.get(), &byte, 1, 0), 0);
  ASSERT_EQ(send(server.get(), "x", 1, 0), 1);
  EXPECT_EQ(recv(client.get(), &byte, 1, 0), 1);
  EXPECT_EQ(byte, 'x');
  EXPECT_EQ(send(client.get(), "y", 1, MSG_NOSIGNAL), -1);
  EXPECT_EQ(errno, EPIPE);
}

// A way that does not exist is refused by shutdown(2) itself: what came in `len` arrived there.
TEST_P(Shutdown, RefusesAWayThatDoesNotExist) {
  if (!kernel_has(wire::op::shutdown)) GTEST_SKIP() << witness();
  const Fd listener = tcp_listener();
  must(queue(listener.get(), SHUT_RDWR + 1));
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = user_data, .res = -EINVAL, .flags = 0}));
  EXPECT_TRUE(listens(listener.get()));
}

INSTANTIATE_TEST_SUITE_P(, Shutdown, testing::Values(16, 1), ring_size_name);

}  // namespace
