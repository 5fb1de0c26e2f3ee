// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// zero-copy send: the kernel sends from the memory of the program, which must stay as it is until a second
// CQE, the notification, gives it back. MORE in the first one announces that.
//
// Needs SEND_ZC (6.0, io_uring_prep_send_zc(3)).

#include <cerrno>
#include <vector>

#include "fixture/memory_limit.h"
#include "fixture/sockets.h"

namespace {

using namespace conformance;

class SendZc : public AnySocketTest {
 protected:
  SendZc() : AnySocketTest(8, 0) {}

  std::string data = std::string(1000, 'a');

  std::span<const std::byte> bytes() const { return std::as_bytes(std::span(data)); }
  binding::Result<binding::Sqe&> queue(int fd) { return ring.send_zc(1, fd, bytes(), MSG_NOSIGNAL); }
  wire::Sqe wanted(int fd) const {
    return {.opcode = wire::op::send_zc,
            .fd = fd,
            .addr = wire::address(data.data()),
            .len = 1000,
            .op_flags = MSG_NOSIGNAL,
            .user_data = 1};
  }
  std::string witness() {
    const Connection connection = connect();
    const int client = connection.client.get();
    return refused([&] { return queue(client); }, wanted(client),
                   [&] {
                     char byte;
                     return ::recv(connection.server.get(), &byte, 1, MSG_DONTWAIT) >= 0 ? "bytes arrived"
                                                                                         : "";
                   });
  }
  void send(int fd, Site site = Site::here()) {
    EXPECT_EQ_AT(site, wire_of(must(queue(fd), site)), wanted(fd));
    submit(1, site);
  }
  static constexpr wire::Cqe notification{.user_data = 1, .res = 0, .flags = wire::cqe_notif};
  static wire::Cqe sent(std::int32_t res) { return {.user_data = 1, .res = res, .flags = wire::cqe_more}; }

  // The two CQEs of a send. A failed one is notified, too.
  void expect_both(std::int32_t res, Site site = Site::here()) {
    const wire::Cqe cqe = wait_cqe(site);
    if (cqe != sent(res)) stop(site, wire::to_string(cqe) + ", want " + wire::to_string(sent(res)));
    EXPECT_EQ_AT(site, wait_cqe(site), notification);
  }
  void expect_arrived(int fd, const std::string& want, Site site = Site::here()) {
    std::string got(want.size(), '-');
    if (::recv(fd, got.data(), got.size(), MSG_WAITALL) < 0) stop_errno(site, "recv");
    EXPECT_EQ_AT(site, got, want);
  }
};

TEST_F(SendZc, IsNotifiedAfterItsResult) {
  if (!kernel_has(wire::op::send_zc)) GTEST_SKIP() << witness();
  const Connection connection = connect();
  send(connection.client.get());
  expect_both(1000);
  expect_arrived(connection.server.get(), data);
  EXPECT_EQ(ring.cq_ready(), 0u);
}

// From a registered buffer, and not from beyond its end.
TEST_F(SendZc, SendsFromARegisteredBuffer) {
  if (!kernel_has(wire::op::send_zc)) GTEST_SKIP() << witness();
  const Connection connection = connect();
  const int client = connection.client.get();
  const iovec buffer{data.data(), data.size()};
  must(when_there_is_room([&] { return ring.register_buffers({&buffer, 1}); }));
  wire::Sqe want = wanted(client);
  want.ioprio = wire::recvsend_fixed_buf;
  EXPECT_EQ(wire_of(must(ring.send_zc_fixed(1, client, bytes(), MSG_NOSIGNAL, {}, 0))), want);
  submit(1);
  expect_both(1000);
  expect_arrived(connection.server.get(), data);
  must(ring.send_zc_fixed(1, client, std::span(bytes().data() + 1, 1000), MSG_NOSIGNAL, {}, 0));
  submit(1);
  expect_both(-EFAULT);
  must(ring.unregister_buffers());
}

TEST_F(SendZc, IsNotifiedOfFailures) {
  if (!kernel_has(wire::op::send_zc)) GTEST_SKIP() << witness();
  const Connection connection = connect();
  must(
      ring.send_zc(1, connection.client.get(), std::span(static_cast<const std::byte*>(nullptr) + 8, 16), 0));
  submit(1);
  expect_both(-EFAULT);
  const SocketPair sockets;  // a kind of socket that cannot
  must(queue(sockets.ours.get()));
  submit(1);
  expect_both(-EOPNOTSUPP);
}

// The first send to a peer that is gone may still succeed; the peer's answer ends the next. No signal comes.
TEST_F(SendZc, EndsWhenThePeerIsGone) {
  if (!kernel_has(wire::op::send_zc)) GTEST_SKIP() << witness();
  Connection connection = connect();
  connection.server = Fd();
  std::int32_t res = 1000;
  while (res == 1000) {
    send(connection.client.get());
    const wire::Cqe cqe = wait_cqe();
    res = cqe.res;
    ASSERT_EQ(cqe, sent(res));
    EXPECT_EQ(wait_cqe(), notification);
  }
  expect_one_of(Site::here(), "the result", res, std::vector<std::int32_t>{-ECONNRESET, -EPIPE});
}

TEST_F(SendZc, SendsToAnAddress) {
  if (!kernel_has(wire::op::send_zc)) GTEST_SKIP() << witness();
  const Fd receiver = udp_socket(), sender = udp_socket();
  const sockaddr_in address = loopback(port_of(receiver.get()));
  // The size of the address is the first half of file_index, in either byte order.
  wire::Sqe request = wanted(sender.get());
  request.off = wire::address(&address);
  request.file_index = std::endian::native == std::endian::little ? sizeof address : sizeof address << 16;
  ASSERT_EQ(complete(request), sent(1000));
  EXPECT_EQ(wait_cqe(), notification);
  expect_arrived(receiver.get(), data);
}

// In a chain, the next request waits for the result, and not for the notification.
TEST_F(SendZc, IsFollowedInAChain) {
  if (!kernel_has(wire::op::send_zc)) GTEST_SKIP() << witness();
  const Connection connection = connect();
  must(queue(connection.client.get())).flags |= wire::io_link;
  must(ring.nop(2));
  submit(2);
  ASSERT_EQ(wait_cqe(), sent(1000));
  EXPECT_EQ(wait_cqes(2), (Cqes{notification, {.user_data = 2, .res = 0, .flags = 0}}));
}

// Its first CQE cannot be left out. This is refused before anything is sent, and there is nothing to notify
// of.
TEST_F(SendZc, CannotSkipItsCqes) {
  if (!kernel_has(wire::op::send_zc)) GTEST_SKIP() << witness();
  const Connection connection = connect();
  must(queue(connection.client.get())).flags |= wire::cqe_skip_success;
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 1, .res = -EINVAL, .flags = 0}));
  must(ring.nop(2));
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 2, .res = 0, .flags = 0}));
}

// The memory is pinned meanwhile, and that counts against RLIMIT_MEMLOCK.
TEST_F(SendZc, PinsNoMoreThanTheLimit) {
  if (!kernel_has(wire::op::send_zc)) GTEST_SKIP() << witness();
  const Connection connection = connect();
  constexpr std::size_t limit = 64 * 1024, too_much = 1024 * 1024;
  const std::vector<std::byte> large(too_much);
  const int outcome = in_a_limited_child(limit, [&](binding::Ring& own) {
    binding::Cqe cqe{};
    if (!own.send_zc(1, connection.client.get(), large, MSG_NOSIGNAL).ok() || own.submit() != 1) return 1;
    if (!own.copy_cqe(cqe).ok()) return 1;
    return cqe.res == -ENOMEM ? 0 : 2;
  });
  EXPECT_EQ(outcome, 0) << "1: no request, 2: not -ENOMEM";
}

}  // namespace
