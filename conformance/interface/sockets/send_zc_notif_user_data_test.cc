// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// user_data of a notification: the second CQE of a zero-copy send may have one of its own (addr3), so that a
// program finds the memory, rather than the request, that is free again.
//
// Needs a kernel that looks at addr3 of a SEND_ZC (7.1, io_uring_prep_send_zc(3)). Before, it must be 0.

#include <cerrno>

#include "fixture/sockets.h"

namespace {

using namespace conformance;

class SendZcNotifUserData : public AnySocketTest {
 protected:
  SendZcNotifUserData() : AnySocketTest(8, 0) {}

  std::string data = std::string(1000, 'a');
  iovec piece{data.data(), data.size()};
  msghdr message{};

  void SetUp() override {
    AnySocketTest::SetUp();
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
  }
  bool kernel_has_it() { return kernel_has(wire::immediate_timeout); }  // 7.1
  wire::Sqe wanted(int fd, std::uint64_t user_data) const {
    return {.opcode = wire::op::send_zc,
            .fd = fd,
            .addr = wire::address(data.data()),
            .len = 1000,
            .op_flags = MSG_NOSIGNAL,
            .user_data = 1,
            .addr3 = user_data};
  }
  binding::Result<binding::Sqe&> queue(int fd, std::uint64_t user_data) {
    return ring.send_zc(1, fd, std::as_bytes(std::span(data)), MSG_NOSIGNAL).with([=](binding::Sqe& sqe) {
      sqe.addr3 = user_data;
    });
  }
  std::string witness() {
    const Connection connection = connect();
    const int client = connection.client.get();
    return refused([&] { return queue(client, 55); }, wanted(client, 55),
                   [&] {
                     char byte;
                     return ::recv(connection.server.get(), &byte, 1, MSG_DONTWAIT) >= 0 ? "bytes arrived"
                                                                                         : "";
                   },
                   Modifier{.name = "the user_data of its notification", .proxy = wire::immediate_timeout});
  }
  static constexpr wire::Cqe sent{.user_data = 1, .res = 1000, .flags = wire::cqe_more};
  static wire::Cqe notification(std::uint64_t user_data) {
    return {.user_data = user_data, .res = 0, .flags = wire::cqe_notif};
  }
};

// All 64 bits of it. 0 is none: then both have that of the request.
TEST_F(SendZcNotifUserData, NamesTheNotification) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const Connection connection = connect();
  const int client = connection.client.get();
  for (const std::uint64_t user_data : {std::uint64_t{55}, std::uint64_t{0}, 0xfedc'ba98'7654'3210}) {
    EXPECT_EQ(wire_of(must(queue(client, user_data))), wanted(client, user_data));
    submit(1);
    ASSERT_EQ(wait_cqe(), sent);
    EXPECT_EQ(wait_cqe(), notification(user_data == 0 ? 1 : user_data));
  }
}

TEST_F(SendZcNotifUserData, NamesThatOfAMessage) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const Connection connection = connect();
  must(ring.sendmsg_zc(1, connection.client.get(), &message, MSG_NOSIGNAL)).addr3 = 55;
  submit(1);
  ASSERT_EQ(wait_cqe(), sent);
  EXPECT_EQ(wait_cqe(), notification(55));
}

// A send that fails is notified of under it, too.
TEST_F(SendZcNotifUserData, NamesThatOfAFailure) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const SocketPair sockets;  // a kind of socket that cannot
  must(queue(sockets.ours.get(), 55));
  submit(1);
  ASSERT_EQ(wait_cqe(), (wire::Cqe{.user_data = 1, .res = -EOPNOTSUPP, .flags = wire::cqe_more}));
  EXPECT_EQ(wait_cqe(), notification(55));
}

}  // namespace
