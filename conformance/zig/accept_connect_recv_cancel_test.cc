// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// accept/connect/recv/cancel: a receive that waits, and a request that cancels it by its user_data. Order of
// the two completions is free.
//
// Needs ASYNC_CANCEL, ACCEPT and CONNECT (5.5), RECV (5.6) and poll-driven waits (5.7): before these the
// receive blocks in a worker thread, out of reach.

#include <cerrno>

#include "fixture/sockets.h"

namespace {

using namespace conformance;

class AcceptConnectRecvCancel : public SocketTest {
 protected:
  std::array<unsigned char, 5> received{};

  binding::Result<binding::Sqe&> queue_recv(int fd, std::uint64_t user_data) {
    return ring.recv(user_data, fd, std::as_writable_bytes(std::span(received)), 0);
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
    return refused([&] { return queue_recv(socket.get(), 0xffffffff); }, recv_wanted(socket.get()),
                   [] { return ""; }, std::nullopt, site);
  }
  void submit_cancel(std::uint64_t target, Site site = Site::here()) {
    EXPECT_EQ_AT(
        site, wire_of(must(ring.cancel(0x99999999, target, 0), site)),
        (wire::Sqe{.opcode = wire::op::async_cancel, .fd = -1, .addr = target, .user_data = 0x99999999}));
    submit(1, site);
  }
  // Takes the CQEs of the cancel and of the receive it hit: one of each.
  void expect_cancelled(std::uint64_t target, Site site = Site::here()) {
    wire::Cqe recv = wait_cqe(site), cancel = wait_cqe(site);
    if (recv.user_data == 0x99999999) std::swap(recv, cancel);
    // Up to 5.15 a worker waits inside of the operation, and is interrupted.
    const bool inside = configuration().begins_later() && !kernel_has(wire::feature::cqe_skip);
    EXPECT_EQ_AT(site, recv,
                 (wire::Cqe{.user_data = target, .res = inside ? -EINTR : -ECANCELED, .flags = 0}));
    EXPECT_EQ_AT(site, cancel,
                 (wire::Cqe{.user_data = 0x99999999, .res = inside ? -EALREADY : 0, .flags = 0}));
  }
};

TEST_P(AcceptConnectRecvCancel, EndsTheReceive) {
  if (!kernel_has(wire::op::recv)) GTEST_SKIP() << witness();
  const Connection connection = connect();
  EXPECT_EQ(wire_of(must(queue_recv(connection.server.get(), 0xffffffff))),
            recv_wanted(connection.server.get()));
  submit(1);
  EXPECT_EQ(ring.cq_ready(), 0u);
  submit_cancel(0xffffffff);
  expect_cancelled(0xffffffff);
}

// The target is all 64 bits: of two receives that differ in the upper half only, the right one goes, and the
// bytes that come later belong to the other.
TEST_P(AcceptConnectRecvCancel, EndsTheOneThatItNames) {
  if (!kernel_has(wire::op::recv)) GTEST_SKIP() << witness();
  const Connection connection = connect();
  for (const std::uint64_t user_data : {0xffffffffull, 0x1'ffffffffull}) {
    must(queue_recv(connection.server.get(), user_data));
    submit(1);
  }
  submit_cancel(0x1'ffffffff);
  expect_cancelled(0x1'ffffffff);
  ASSERT_EQ(::send(connection.client.get(), "later", 5, 0), 5);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0xffffffff, .res = 5, .flags = 0}));
  EXPECT_EQ(std::string(received.begin(), received.end()), "later");
}

// What is not there cannot be cancelled.
TEST_P(AcceptConnectRecvCancel, ReportsARequestThatIsNotThere) {
  if (!kernel_has(wire::op::recv)) GTEST_SKIP() << witness();
  submit_cancel(0xffffffff);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x99999999, .res = -ENOENT, .flags = 0}));
}

INSTANTIATE_TEST_SUITE_P(, AcceptConnectRecvCancel, testing::Values(16, 2), ring_size_name);

}  // namespace
