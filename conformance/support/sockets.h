// Sockets on the loopback interface.
#ifndef CONFORMANCE_SUPPORT_SOCKETS_H
#define CONFORMANCE_SUPPORT_SOCKETS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "support/files.h"

namespace conformance {

// 127.0.0.1 and a port; 0 lets the kernel choose.
sockaddr_in loopback(std::uint16_t port = 0);

// The address of `in` as the socket calls take it.
inline sockaddr* generic(sockaddr_in& in) { return reinterpret_cast<sockaddr*>(&in); }

// The port a socket is bound to; 0 if it is not.
std::uint16_t port_of(int socket);

// True if the socket listens.
bool listens(int socket);

// A TCP socket, close-on-exec. Ends the test as blocked when the loopback interface is down.
Fd tcp_socket();

}  // namespace conformance

#endif
