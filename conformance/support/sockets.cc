#include "support/sockets.h"

#include <arpa/inet.h>

#include <cerrno>
#include <system_error>

#include "support/environment.h"

namespace conformance {
namespace {

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

}  // namespace

sockaddr_in loopback(std::uint16_t port) {
  return {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
}

std::uint16_t port_of(int socket) {
  sockaddr_in name{};
  socklen_t size = sizeof name;
  if (getsockname(socket, generic(name), &size) != 0) fail("getsockname");
  return ntohs(name.sin_port);
}

bool listens(int socket) {
  int value = 0;
  socklen_t size = sizeof value;
  if (getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) != 0) fail("getsockopt SO_ACCEPTCONN");
  return value != 0;
}

Fd tcp_socket() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
  if (fd < 0) fail("socket");
  return Fd(fd);
}

Fd tcp_listener() {
  Fd listener = tcp_socket();
  const int on = 1;
  sockaddr_in address = loopback();
  if (setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
    fail("setsockopt SO_REUSEADDR");
  if (bind(listener.get(), generic(address), sizeof address) != 0) fail("bind");
  if (listen(listener.get(), 1) != 0) fail("listen");
  return listener;
}

Fd tcp_client(int listener) {
  Fd client = tcp_socket();
  sockaddr_in address = loopback(port_of(listener));
  if (connect(client.get(), generic(address), sizeof address) != 0) fail("connect");
  return client;
}

void AnySocketTest::SetUp() {
  if (auto blocked = why_no_loopback()) stop_blocked(*blocked);
  AnyRingTest::SetUp();
}

wire::Cqe AnySocketTest::complete() {
  EXPECT_EQ(ring.submit(), 1);
  return wait_cqe();
}

Connection AnySocketTest::connect() {
  Fd listener = tcp_listener(), client = tcp_socket();
  sockaddr_in address = loopback(port_of(listener.get())), peer{};
  std::uint32_t peer_size = sizeof peer;
  EXPECT_EQ(wire_of(must(ring.accept(0xaaaaaaaa, listener.get(), generic(peer), &peer_size, 0))),
            (wire::Sqe{.opcode = wire::op::accept,
                       .fd = listener.get(),
                       .off = wire::address(&peer_size),
                       .addr = wire::address(&peer),
                       .user_data = 0xaaaaaaaa}));
  EXPECT_EQ(wire_of(must(ring.connect(0xcccccccc, client.get(), generic(address), sizeof address))),
            (wire::Sqe{.opcode = wire::op::connect,
                       .fd = client.get(),
                       .off = sizeof address,
                       .addr = wire::address(&address),
                       .user_data = 0xcccccccc}));
  EXPECT_EQ(ring.submit(), 2);

  // The two may complete in either order.
  wire::Cqe accepted = wait_cqe(), connected = wait_cqe();
  if (accepted.user_data == 0xcccccccc) std::swap(accepted, connected);
  EXPECT_EQ(connected, (wire::Cqe{.user_data = 0xcccccccc, .res = 0, .flags = 0}));
  // One client and no other: from 6.10 on, a further one would show as a flag.
  EXPECT_EQ(accepted, (wire::Cqe{.user_data = 0xaaaaaaaa, .res = accepted.res, .flags = 0}));
  if (accepted.res <= 0) throw std::runtime_error("no connection: " + wire::to_string(accepted));
  Fd server(accepted.res);
  EXPECT_EQ(peer.sin_port, htons(port_of(client.get())));
  return {std::move(listener), std::move(server), std::move(client)};
}

}  // namespace conformance
