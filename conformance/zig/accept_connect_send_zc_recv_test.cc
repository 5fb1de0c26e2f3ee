// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// accept/connect/send_zc/recv: a send without a copy, which completes twice: with the number of bytes, and
// later with the notice that its memory may be used again. Whoever takes the notice for a second result is
// wrong.
//
// Needs SEND_ZC (6.0).

#include <algorithm>

#include "fixture/sockets.h"

namespace {

using namespace conformance;

class AcceptConnectSendZcRecv : public SocketTest {
 protected:
  std::array<unsigned char, 15> sent{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};

  binding::Result<binding::Sqe&> queue_send(int fd, std::span<const unsigned char> data,
                                            std::uint64_t user_data) {
    return ring.send_zc(user_data, fd, std::as_bytes(data), 0);
  }
  wire::Sqe send_wanted(int fd) const {
    return {.opcode = wire::op::send_zc,
            .fd = fd,
            .addr = wire::address(sent.data()),
            .len = 15,
            .user_data = 0xeeeeeeee};
  }
  std::string witness(Site site = Site::here()) {
    const Connection connection = connect(site);
    const int client = connection.client.get();
    return refused([&] { return queue_send(client, sent, 0xeeeeeeee); }, send_wanted(client),
                   [&] {
                     char byte;
                     return recv(connection.server.get(), &byte, 1, MSG_DONTWAIT) >= 0 ? "bytes arrived" : "";
                   },
                   std::nullopt, site);
  }
};

TEST_P(AcceptConnectSendZcRecv, CompletesTwice) {
  if (!kernel_has(wire::op::send_zc)) GTEST_SKIP() << witness();
  const Connection connection = connect();
  const int client = connection.client.get(), server = connection.server.get();
  std::array<unsigned char, 10> received{};

  binding::Sqe& send = must(queue_send(client, sent, 0xeeeeeeee));
  EXPECT_EQ(wire_of(send), send_wanted(client));
  send.flags |= wire::io_link;
  EXPECT_EQ(wire_of(must(ring.recv(0xffffffff, server, std::as_writable_bytes(std::span(received)), 0))),
            (wire::Sqe{.opcode = wire::op::recv,
                       .fd = server,
                       .addr = wire::address(received.data()),
                       .len = 10,
                       .user_data = 0xffffffff}));
  submit(2);

  // MORE announces the notice.
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0xeeeeeeee, .res = 15, .flags = wire::cqe_more}));
  // The notice and the receive may come in either order.
  wire::Cqe notice = wait_cqe(), recv = wait_cqe();
  if (notice.user_data == 0xffffffff) std::swap(notice, recv);
  EXPECT_EQ(without_nonempty(recv), (wire::Cqe{.user_data = 0xffffffff, .res = 10, .flags = 0}));
  EXPECT_EQ(notice, (wire::Cqe{.user_data = 0xeeeeeeee, .res = 0, .flags = wire::cqe_notif}));
  EXPECT_TRUE(std::equal(received.begin(), received.end(), sent.begin())) << testing::PrintToString(received);
  EXPECT_EQ(ring.cq_ready(), 0u);
}

// What the notice is for: after it, the memory is ours again, and what was sent is safe.
TEST_P(AcceptConnectSendZcRecv, GivesTheMemoryBack) {
  if (!kernel_has(wire::op::send_zc)) GTEST_SKIP() << witness();
  const Connection connection = connect();
  must(queue_send(connection.client.get(), sent, 0xeeeeeeee));
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 0xeeeeeeee, .res = 15, .flags = wire::cqe_more}));
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0xeeeeeeee, .res = 0, .flags = wire::cqe_notif}));

  const std::array<unsigned char, 15> before = sent;
  std::array<unsigned char, 15> received{};
  sent.fill(0xff);
  ASSERT_EQ(::recv(connection.server.get(), received.data(), received.size(), MSG_WAITALL), 15);
  EXPECT_EQ(received, before);
}

// Two at a time: each has its own result, and its own notice after it.
TEST_P(AcceptConnectSendZcRecv, KeepsTwoApart) {
  if (!kernel_has(wire::op::send_zc)) GTEST_SKIP() << witness();
  const Connection connection = connect();
  const std::span<const unsigned char> data(sent);
  must(queue_send(connection.client.get(), data.first(5), 5));
  must(queue_send(connection.client.get(), data.last(10), 10));
  submit(2);

  std::map<std::uint64_t, std::vector<wire::Cqe>> by_user_data;
  for (int i = 0; i < 4; ++i) {
    const wire::Cqe cqe = wait_cqe();
    by_user_data[cqe.user_data].push_back(cqe);
  }
  for (const std::uint64_t user_data : {5u, 10u}) {
    const std::vector<wire::Cqe> wanted{
        {.user_data = user_data, .res = static_cast<std::int32_t>(user_data), .flags = wire::cqe_more},
        {.user_data = user_data, .res = 0, .flags = wire::cqe_notif}};
    EXPECT_EQ(by_user_data[user_data], wanted);
  }
  EXPECT_EQ(ring.cq_ready(), 0u);
}

INSTANTIATE_TEST_SUITE_P(, AcceptConnectSendZcRecv, testing::Values(16, 2), ring_size_name);

}  // namespace
