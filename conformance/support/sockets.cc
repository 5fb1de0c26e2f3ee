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
  if (auto blocked = why_no_loopback()) stop_blocked(*blocked);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
  if (fd < 0) fail("socket");
  return Fd(fd);
}

}  // namespace conformance
