// Sockets on the loopback interface.
#ifndef CONFORMANCE_SUPPORT_SOCKETS_H
#define CONFORMANCE_SUPPORT_SOCKETS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "support/files.h"
#include "support/ring_test.h"

namespace conformance {

// 127.0.0.1 and a port; 0 lets the kernel choose.
sockaddr_in loopback(std::uint16_t port = 0);

// The address of `in` as the socket calls take it.
inline sockaddr* generic(sockaddr_in& in) { return reinterpret_cast<sockaddr*>(&in); }

// The port a socket is bound to; 0 if it is not.
std::uint16_t port_of(int socket);

// True if the socket listens.
bool listens(int socket);

// A TCP socket, close-on-exec.
Fd tcp_socket();

// A TCP socket that listens on a port of its own with a backlog of 1.
Fd tcp_listener();

// A TCP socket connected to a listener, with the plain system call: it waits in the listener's backlog.
Fd tcp_client(int listener);

// Three sockets: `server` is what accepting `client` on `listener` gave.
struct Connection {
  Fd listener, server, client;
};

// A test that needs the loopback interface; it is blocked where that is down.
class AnySocketTest : public AnyRingTest {
 protected:
  using AnyRingTest::AnyRingTest;
  void SetUp() override;

  // Connects through the ring, which must be idle and have room for two. Needs ACCEPT and CONNECT (5.5).
  Connection connect();

  // Submits the one request that is queued, and takes its CQE.
  wire::Cqe complete();
};

// The same on rings of several sizes, as SizedRingTest.
class SocketTest : public AnySocketTest, public testing::WithParamInterface<unsigned> {
 protected:
  SocketTest() : AnySocketTest(GetParam(), 0) {}
};

}  // namespace conformance

#endif
