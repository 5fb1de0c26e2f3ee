// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// accept/connect/recv/link_timeout: a receive for which no byte ever comes, and a timeout linked to it that
// ends it after a millisecond. Order of the two completions is free.
//
// Needs RECV (5.6), LINK_TIMEOUT, ACCEPT and CONNECT (5.5). Until poll-driven waits (5.7) the receive is
// interrupted in a worker thread instead of cancelled.

#include <cerrno>
#include <chrono>

#include "fixture/sockets.h"

namespace {

using namespace conformance;
using namespace std::chrono_literals;

class AcceptConnectRecvLinkTimeout : public SocketTest {
 protected:
  std::array<unsigned char, 5> received{};
  binding::Timespec time{.tv_sec = 0, .tv_nsec = 1'000'000};

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
    return refused([&] { return queue_recv(socket.get()); }, recv_wanted(socket.get()), [] { return ""; },
                   std::nullopt, site);
  }
  // The receive, followed by its timeout.
  void submit_both(int fd, Site site = Site::here()) {
    binding::Sqe& recv = must(queue_recv(fd), site);
    EXPECT_EQ_AT(site, wire_of(recv), recv_wanted(fd));
    recv.flags |= wire::io_link;
    EXPECT_EQ_AT(site, wire_of(must(ring.link_timeout(0x22222222, &time, 0), site)),
                 (wire::Sqe{.opcode = wire::op::link_timeout,
                            .fd = -1,
                            .addr = wire::address(&time),
                            .len = 1,
                            .user_data = 0x22222222}));
    submit(2, site);
  }
  // Takes the two CQEs, one of each.
  void expect_both(std::int32_t recv_res, std::int32_t timeout_res, Site site = Site::here()) {
    wire::Cqe recv = wait_cqe(site), timeout = wait_cqe(site);
    if (timeout.user_data == 0xffffffff) std::swap(recv, timeout);
    EXPECT_EQ_AT(site, recv, (wire::Cqe{.user_data = 0xffffffff, .res = recv_res, .flags = 0}));
    EXPECT_EQ_AT(site, timeout, (wire::Cqe{.user_data = 0x22222222, .res = timeout_res, .flags = 0}));
  }
  void expect_both_timed_out() {
    // Up to 5.15 a worker does not poll either.
    const bool polls = !configuration().begins_later() || kernel_has(wire::feature::cqe_skip);
    if (polls && (ring.features() & wire::feat_fast_poll) != 0) {
      expect_both(-ECANCELED, -ETIME);
    } else {
      expect_both(-EINTR, -EALREADY);
    }
  }
};

TEST_P(AcceptConnectRecvLinkTimeout, EndsTheReceive) {
  if (!kernel_has(wire::op::recv)) GTEST_SKIP() << witness();
  const Connection connection = connect();
  const auto start = std::chrono::steady_clock::now();
  submit_both(connection.server.get());
  expect_both_timed_out();
  EXPECT_GE(std::chrono::steady_clock::now() - start, 1ms);
}

// The receive that timed out is gone: bytes that come later belong to the next one.
TEST_P(AcceptConnectRecvLinkTimeout, LeavesLaterBytesToTheNextReceive) {
  if (!kernel_has(wire::op::recv)) GTEST_SKIP() << witness();
  const Connection connection = connect();
  submit_both(connection.server.get());
  expect_both_timed_out();
  ASSERT_EQ(::send(connection.client.get(), "later", 5, 0), 5);
  must(queue_recv(connection.server.get()));
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 0xffffffff, .res = 5, .flags = 0}));
  EXPECT_EQ(std::string(received.begin(), received.end()), "later");
}

// Data is there: the receive has it, and ends its timeout.
TEST_P(AcceptConnectRecvLinkTimeout, IsEndedByTheReceive) {
  if (!kernel_has(wire::op::recv)) GTEST_SKIP() << witness();
  const Connection connection = connect();
  time = {.tv_sec = 3600, .tv_nsec = 0};
  ASSERT_EQ(::send(connection.client.get(), "there", 5, 0), 5);
  submit_both(connection.server.get());
  expect_both(5, -ECANCELED);
  EXPECT_EQ(std::string(received.begin(), received.end()), "there");
}

INSTANTIATE_TEST_SUITE_P(, AcceptConnectRecvLinkTimeout, testing::Values(16, 2), ring_size_name);

}  // namespace
