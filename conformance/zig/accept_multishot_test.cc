// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// accept multishot: one request accepts four connections, with a completion each, and stays armed.
//
// Needs multishot accept (5.19, io_uring_prep_accept(3)). Before, the bit in ioprio is refused.

#include "fixture/sockets.h"

namespace {

using namespace conformance;

class AcceptMultishot : public SocketTest {
 protected:
  Fd listener = tcp_listener();
  sockaddr_in peer{};
  std::uint32_t peer_size = sizeof peer;

  binding::Result<binding::Sqe&> queue() {
    return ring.accept_multishot(0xaaaaaaaa, listener.get(), generic(peer), &peer_size, 0);
  }
  wire::Sqe wanted() const {
    return {.opcode = wire::op::accept,
            .ioprio = wire::accept_multishot,
            .fd = listener.get(),
            .off = wire::address(&peer_size),
            .addr = wire::address(&peer),
            .user_data = 0xaaaaaaaa};
  }
  // A client waits, so that a kernel which took the request for an ordinary accept would complete it.
  std::string witness(Site site = Site::here()) {
    const Fd client = tcp_client(listener.get(), site);
    return refused([&] { return queue(); }, wanted(), [] { return ""; },
                   Modifier{.name = "multishot", .proxy = wire::op::socket}, site);
  }
};

TEST_P(AcceptMultishot, AcceptsFourConnections) {
  if (!kernel_has(wire::op::socket)) GTEST_SKIP() << witness();  // of the same release
  EXPECT_EQ(wire_of(must(queue())), wanted());
  submit(1);
  for (int i = 0; i < 4; ++i) {
    const Fd client = tcp_client(listener.get());
    const wire::Cqe cqe = wait_cqe();
    const Fd server =
        accepted_socket(without_nonempty(cqe), {.user_data = 0xaaaaaaaa, .flags = wire::cqe_more},
                        listener.get(), port_of(client.get()));
    // It is this client that was accepted.
    ASSERT_EQ(send(client.get(), &i, sizeof i, 0), static_cast<ssize_t>(sizeof i));
    int got = -1;
    ASSERT_EQ(recv(server.get(), &got, sizeof got, 0), static_cast<ssize_t>(sizeof got));
    EXPECT_EQ(got, i);
  }
  EXPECT_EQ(ring.cq_ready(), 0u);
}

INSTANTIATE_TEST_SUITE_P(, AcceptMultishot, testing::Values(16, 1), ring_size_name);

}  // namespace
