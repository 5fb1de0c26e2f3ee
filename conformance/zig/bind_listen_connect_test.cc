// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// bind/listen/connect: a whole TCP conversation without one plain socket call: made, configured, bound,
// listened on, connected, used in both directions and shut down through the ring.
//
// Needs BIND and LISTEN (6.11), socket commands (6.7), SOCKET (5.19) and SHUTDOWN (5.11).

#include "fixture/ring_test.h"
#include "fixture/sockets.h"

namespace {

using namespace conformance;

class BindListenConnect : public SocketTest {
 protected:
  // A TCP socket made by the ring.
  Fd ring_socket(std::uint64_t user_data, Site site = Site::here()) {
    EXPECT_EQ_AT(
        site,
        wire_of(must(ring.socket(user_data, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP, 0), site)),
        socket_wanted(user_data));
    return new_descriptor(complete(site), {.user_data = user_data}, S_IFSOCK, site);
  }
  std::string listen_refused(Site site = Site::here()) {
    const Fd plain = tcp_socket(site);
    return refused([&] { return ring.listen(5, plain.get(), 1, 0); }, listen_wanted(plain.get(), 1),
                   [&] { return listens(plain.get()) ? "the socket listens" : ""; }, std::nullopt, site);
  }
  std::string bind_refused(Site site = Site::here()) {
    const Fd plain = tcp_socket(site);
    sockaddr_in address = loopback();
    return refused([&] { return ring.bind(4, plain.get(), generic(address), sizeof address, 0); },
                   bind_wanted(plain.get(), address),
                   [&] { return port_of(plain.get()) != 0 ? "the socket is bound" : ""; }, std::nullopt,
                   site);
  }

  static wire::Sqe socket_wanted(std::uint64_t user_data) {
    return {.opcode = wire::op::socket,
            .fd = AF_INET,
            .off = SOCK_STREAM | SOCK_CLOEXEC,
            .len = IPPROTO_TCP,
            .user_data = user_data};
  }
  static wire::Sqe listen_wanted(int fd, std::uint32_t backlog) {
    return {.opcode = wire::op::listen, .fd = fd, .len = backlog, .user_data = 5};
  }
  static wire::Sqe bind_wanted(int fd, const sockaddr_in& address) {
    return {.opcode = wire::op::bind,
            .fd = fd,
            .off = sizeof address,
            .addr = wire::address(&address),
            .user_data = 4};
  }
  // level in the low and the option in the high half of addr: two 32-bit fields in memory order.
  static wire::Sqe option_wanted(std::uint64_t command, int fd, std::uint64_t option, const int& value,
                                 std::uint64_t user_data) {
    return {.opcode = wire::op::uring_cmd,
            .fd = fd,
            .off = command,
            .addr = option << 32 | SOL_SOCKET,
            .user_data = user_data,
            .file_index = sizeof value,
            .addr3 = wire::address(&value)};
  }
  static wire::Sqe accept_wanted(int fd) { return {.opcode = wire::op::accept, .fd = fd, .user_data = 7}; }
  static wire::Sqe connect_wanted(int fd, const sockaddr_in& address) {
    return {.opcode = wire::op::connect,
            .fd = fd,
            .off = sizeof address,
            .addr = wire::address(&address),
            .user_data = 8};
  }
  static wire::Sqe send_wanted(std::uint64_t user_data, int fd, std::span<const std::byte> data) {
    return {.opcode = wire::op::send,
            .fd = fd,
            .addr = wire::address(data.data()),
            .len = static_cast<std::uint32_t>(data.size()),
            .op_flags = MSG_WAITALL,
            .user_data = user_data};
  }
  static wire::Sqe recv_wanted(int fd, std::span<const std::byte> room) {
    return {.opcode = wire::op::recv,
            .fd = fd,
            .addr = wire::address(room.data()),
            .len = static_cast<std::uint32_t>(room.size()),
            .user_data = 3};
  }
  static wire::Sqe shutdown_wanted(int fd) {
    return {.opcode = wire::op::shutdown, .fd = fd, .len = SHUT_RDWR, .user_data = 9};
  }
  static wire::Sqe close_wanted(int fd) { return {.opcode = wire::op::close, .fd = fd, .user_data = 10}; }

  // 2 x 150 bytes from one socket to the other.
  void transfer(int from, int to, Site site = Site::here());
  void shut_down_and_close(Fd socket, Site site = Site::here());
};

void BindListenConnect::transfer(int from, int to, Site site) {
  std::string half;
  for (int i = 0; i < 10; ++i) half += "0123456789abcdf";
  const auto payload = std::as_bytes(std::span(half));
  // Both sends complete inline into an empty socket buffer, but only a link would promise their order.
  for (const std::uint64_t user_data : {1u, 2u}) {
    EXPECT_EQ(wire_of(must(ring.send(user_data, from, payload, MSG_WAITALL))),
              send_wanted(user_data, from, payload));
  }
  submit(2, site);
  wire::Cqe first = wait_cqe(site), second = wait_cqe(site);
  if (first.user_data == 2) std::swap(first, second);
  EXPECT_EQ(first, (wire::Cqe{.user_data = 1, .res = 150, .flags = 0}));
  EXPECT_EQ(second, (wire::Cqe{.user_data = 2, .res = 150, .flags = 0}));

  std::string received(300, '?');
  std::size_t have = 0;
  while (have < received.size()) {
    const auto rest = std::as_writable_bytes(std::span(received)).subspan(have);
    EXPECT_EQ(wire_of(must(ring.recv(3, to, rest, 0))), recv_wanted(to, rest));
    const wire::Cqe cqe = complete();
    // The kernel may give less than was asked for, but something, and not more.
    const bool is_length = cqe.res > 0 && static_cast<std::size_t>(cqe.res) <= rest.size();
    if (!is_length)
      stop(site, "the receive should bring 1 to " + std::to_string(rest.size()) +
                     " bytes: " + wire::to_string(cqe));
    expect_equal(site, "the user_data of the RECV", cqe.user_data, 3u);
    expect_equal(site, "the flags of the RECV", without_nonempty(cqe).flags, 0u);
    have += static_cast<std::size_t>(cqe.res);
  }
  EXPECT_EQ(received, half + half);
}

void BindListenConnect::shut_down_and_close(Fd socket, Site site) {
  binding::Sqe& shutdown = must(ring.shutdown(9, socket.get(), SHUT_RDWR));
  EXPECT_EQ(wire_of(shutdown), shutdown_wanted(socket.get()));
  shutdown.flags |= wire::io_link;
  EXPECT_EQ(wire_of(must(ring.close(10, socket.get()))), close_wanted(socket.get()));
  submit(2, site);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 9, .res = 0, .flags = 0}));
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 10, .res = 0, .flags = 0}));
  EXPECT_FALSE(is_open(socket.get()));
  static_cast<void>(socket.release());
}

TEST_P(BindListenConnect, HoldsAConversation) {
  if (!kernel_has(wire::op::listen)) GTEST_SKIP() << listen_refused();
  sockaddr_in address = loopback();
  Fd listener = ring_socket(1);
  const int l = listener.get();

  // Configure, bind and listen in one chain.
  int on = 1;
  const auto on_bytes = std::as_bytes(std::span(&on, 1));
  binding::Sqe& reuse_addr = must(ring.setsockopt(2, l, SOL_SOCKET, SO_REUSEADDR, on_bytes));
  EXPECT_EQ(wire_of(reuse_addr), option_wanted(wire::socket_op_setsockopt, l, SO_REUSEADDR, on, 2));
  reuse_addr.flags |= wire::io_link;
  binding::Sqe& reuse_port = must(ring.setsockopt(3, l, SOL_SOCKET, SO_REUSEPORT, on_bytes));
  EXPECT_EQ(wire_of(reuse_port), option_wanted(wire::socket_op_setsockopt, l, SO_REUSEPORT, on, 3));
  reuse_port.flags |= wire::io_link;
  binding::Sqe& bind = must(ring.bind(4, l, generic(address), sizeof address, 0));
  EXPECT_EQ(wire_of(bind), bind_wanted(l, address));
  bind.flags |= wire::io_link;
  EXPECT_EQ(wire_of(must(ring.listen(5, l, 1, 0))), listen_wanted(l, 1));
  submit(4);
  for (const std::uint64_t user_data : {2u, 3u, 4u, 5u}) {
    EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = user_data, .res = 0, .flags = 0}));
  }
  EXPECT_TRUE(listens(l));

  // Read an option back.
  int read_back = 0;
  EXPECT_EQ(wire_of(must(ring.getsockopt(5, l, SOL_SOCKET, SO_REUSEADDR,
                                         std::as_writable_bytes(std::span(&read_back, 1))))),
            option_wanted(wire::socket_op_getsockopt, l, SO_REUSEADDR, read_back, 5));
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 5, .res = sizeof read_back, .flags = 0}));
  EXPECT_EQ(read_back, 1);

  // Connect; the two CQEs may come in either order.
  address = loopback(port_of(l));
  Fd client = ring_socket(6);
  const int c = client.get();
  EXPECT_NE(c, l);
  EXPECT_EQ(wire_of(must(ring.accept(7, l, nullptr, nullptr, 0))), accept_wanted(l));
  EXPECT_EQ(wire_of(must(ring.connect(8, c, generic(address), sizeof address))), connect_wanted(c, address));
  submit(2);
  wire::Cqe accepted = wait_cqe(), connected = wait_cqe();
  if (accepted.user_data == 8) std::swap(accepted, connected);
  EXPECT_EQ(connected, (wire::Cqe{.user_data = 8, .res = 0, .flags = 0}));
  Fd server = accepted_socket(accepted, {.user_data = 7}, l, port_of(c));
  EXPECT_NE(server.get(), l);
  EXPECT_NE(server.get(), c);

  transfer(c, server.get());
  transfer(server.get(), c);
  shut_down_and_close(std::move(client));
  shut_down_and_close(std::move(server));
  shut_down_and_close(std::move(listener));
}

// What the conversation queues, on every kernel: the kernels that lack LISTEN never get to hold it.
TEST_P(BindListenConnect, EncodesEveryRequest) {
  constexpr int fd = 33;  // never looked at
  sockaddr_in address = loopback(80);
  int option = 0;
  std::array<std::byte, 150> data{};
  const auto value = std::as_writable_bytes(std::span(&option, 1));
  expect_encoding(ring.socket(1, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP, 0), socket_wanted(1));
  expect_encoding(ring.setsockopt(2, fd, SOL_SOCKET, SO_REUSEADDR, value),
                  option_wanted(wire::socket_op_setsockopt, fd, SO_REUSEADDR, option, 2));
  expect_encoding(ring.bind(4, fd, generic(address), sizeof address, 0), bind_wanted(fd, address));
  expect_encoding(ring.listen(5, fd, 1, 0), listen_wanted(fd, 1));
  expect_encoding(ring.getsockopt(5, fd, SOL_SOCKET, SO_REUSEADDR, value),
                  option_wanted(wire::socket_op_getsockopt, fd, SO_REUSEADDR, option, 5));
  expect_encoding(ring.accept(7, fd, nullptr, nullptr, 0), accept_wanted(fd));
  expect_encoding(ring.connect(8, fd, generic(address), sizeof address), connect_wanted(fd, address));
  expect_encoding(ring.send(1, fd, data, MSG_WAITALL), send_wanted(1, fd, data));
  expect_encoding(ring.recv(3, fd, data, 0), recv_wanted(fd, data));
  expect_encoding(ring.shutdown(9, fd, SHUT_RDWR), shutdown_wanted(fd));
  expect_encoding(ring.close(10, fd), close_wanted(fd));
}

// BIND on its own, and with an errno of its own: a port that is taken.
TEST_P(BindListenConnect, ReportsAPortThatIsTaken) {
  if (!kernel_has(wire::op::bind)) GTEST_SKIP() << bind_refused();
  const Fd first = tcp_socket(), second = tcp_socket();
  sockaddr_in address = loopback();
  EXPECT_EQ(wire_of(must(ring.bind(4, first.get(), generic(address), sizeof address, 0))),
            bind_wanted(first.get(), address));
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 4, .res = 0, .flags = 0}));
  address = loopback(port_of(first.get()));
  EXPECT_NE(address.sin_port, 0);
  must(ring.bind(4, second.get(), generic(address), sizeof address, 0));
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 4, .res = -EADDRINUSE, .flags = 0}));
}

INSTANTIATE_TEST_SUITE_P(, BindListenConnect, testing::Values(4, 16), ring_size_name);

}  // namespace
