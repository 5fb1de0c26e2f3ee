// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// vectored send: SEND takes an array of pieces of memory, as SENDMSG does, without a message around it.
//
// Needs IORING_SEND_VECTORIZED (6.17, io_uring_prep_send(3)). Before, an unknown flag is refused.

#include <sys/uio.h>

#include <array>
#include <cerrno>

#include "fixture/sockets.h"

namespace {

using namespace conformance;

class SendVectorized : public AnySocketTest {
 protected:
  SendVectorized() : AnySocketTest(8, 0) {}

  std::string first = std::string(10, 'a'), second = std::string(20, 'b');
  std::array<iovec, 2> pieces{{{first.data(), 10}, {second.data(), 20}}};

  bool kernel_has_it() { return kernel_has(wire::nop_with_tw); }  // 6.17
  wire::Sqe wanted(int fd, std::uint8_t opcode = wire::op::send) const {
    return {.opcode = opcode,
            .ioprio = wire::send_vectorized,
            .fd = fd,
            .addr = wire::address(pieces.data()),
            .len = 2,
            .op_flags = MSG_NOSIGNAL,
            .user_data = 1};
  }
  // The binding has words for a send of one piece; what it points to and how long it is mean something else.
  binding::Result<binding::Sqe&> queue(int fd) {
    const std::span array(reinterpret_cast<const std::byte*>(pieces.data()), pieces.size());
    return ring.send(1, fd, array, MSG_NOSIGNAL).with([](binding::Sqe& sqe) {
      sqe.ioprio = wire::send_vectorized;
    });
  }
  binding::Result<binding::Sqe&> queue_zc(int fd) {
    const std::span array(reinterpret_cast<const std::byte*>(pieces.data()), pieces.size());
    return ring.send_zc(1, fd, array, MSG_NOSIGNAL, binding::RecvSend{wire::send_vectorized});
  }
  static wire::Cqe done(std::int32_t res, std::uint32_t flags = 0) {
    return {.user_data = 1, .res = res, .flags = flags};
  }
  // A zero-copy send announces a notification even if it is refused, from 6.10 on.
  void expect_zc_refused(int fd, Site site = Site::here()) {
    if (!kernel_has(wire::op::send_zc)) return;
    must(queue_zc(fd), site);
    wire::Cqe cqe = complete(site);
    if ((cqe.flags & wire::cqe_more) != 0) {
      EXPECT_EQ_AT(site, wait_cqe(site), done(0, wire::cqe_notif));
      cqe.flags = 0;
    }
    EXPECT_EQ_AT(site, cqe, done(-EINVAL));
  }
  std::string witness() {
    const Connection connection = connect();
    const int client = connection.client.get();
    expect_zc_refused(client);
    return refused([&] { return queue(client); }, wanted(client),
                   [&] {
                     char byte;
                     return ::recv(connection.server.get(), &byte, 1, MSG_DONTWAIT) >= 0 ? "bytes arrived"
                                                                                         : "";
                   },
                   Modifier{.name = "VECTORIZED", .proxy = wire::nop_with_tw});
  }
  void expect_arrived(int fd, Site site = Site::here()) {
    std::string got(30, '-');
    if (::recv(fd, got.data(), got.size(), MSG_WAITALL) < 0) stop_errno(site, "recv");
    EXPECT_EQ_AT(site, got, first + second);
  }
};

TEST_F(SendVectorized, SendsPiecesInOrder) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const Connection connection = connect();
  const int client = connection.client.get();
  EXPECT_EQ(wire_of(must(queue(client))), wanted(client));
  EXPECT_EQ(complete(), done(30));
  expect_arrived(connection.server.get());
}

TEST_F(SendVectorized, SendsThemWithoutACopy) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const Connection connection = connect();
  const int client = connection.client.get();
  EXPECT_EQ(wire_of(must(queue_zc(client))), wanted(client, wire::op::send_zc));
  submit(1);
  ASSERT_EQ(wait_cqe(), done(30, wire::cqe_more));
  EXPECT_EQ(wait_cqe(), done(0, wire::cqe_notif));
  expect_arrived(connection.server.get());
}

// The array has been read when the request was submitted: here one waits for another of its chain.
TEST_F(SendVectorized, KeepsTheArray) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const Connection connection = connect();
  const SocketPair sockets;
  std::array<std::byte, 1> byte{};
  must(ring.recv(2, sockets.ours.get(), byte, 0)).flags |= wire::io_link;
  must(queue(connection.client.get()));
  submit(2);
  pieces = {};
  sockets.send("x");
  EXPECT_EQ(without_nonempty(wait_cqe()), (wire::Cqe{.user_data = 2, .res = 1, .flags = 0}));
  EXPECT_EQ(wait_cqe(), done(30));
  expect_arrived(connection.server.get());
}

// No more than IOV_MAX pieces.
TEST_F(SendVectorized, RefusesWhatItCannotRead) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const Connection connection = connect();
  const std::vector<iovec> many(1025, iovec{first.data(), 1});
  wire::Sqe unreadable = wanted(connection.client.get()), too_many = unreadable, nowhere = unreadable;
  unreadable.addr = 8;
  too_many.addr = wire::address(many.data());
  too_many.len = 1025;
  const iovec unmapped{reinterpret_cast<void*>(8), 16};
  nowhere.addr = wire::address(&unmapped);
  nowhere.len = 1;
  EXPECT_EQ(complete(unreadable), done(-EFAULT));
  EXPECT_EQ(complete(too_many), done(-EINVAL));
  EXPECT_EQ(complete(nowhere), done(-EFAULT));
  too_many.len = 1024;
  EXPECT_EQ(complete(too_many), done(1024));
}

}  // namespace
