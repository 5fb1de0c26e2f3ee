// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

#include "fork_server.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <string_view>
#include <utility>

#include "children.h"
#include "process.h"
#include "system.h"

namespace runner {
namespace {

namespace fork_protocol = conformance::fork_protocol;
using namespace std::chrono_literals;

constexpr auto start_deadline = 20s, fork_deadline = 10s;
constexpr int max_failed_starts = 2;
constexpr int max_errno = 4095;  // the kernel's, too

// Receives one message into the buffer and returns its size; 0 at the end, or if none comes in time, with the
// reason in errno.
std::size_t receive(int socket, void* buffer, std::size_t size, std::chrono::milliseconds deadline) {
  pollfd ready{.fd = socket, .events = POLLIN, .revents = 0};
  int polled = 0;
  do {
    polled = poll(&ready, 1, static_cast<int>(deadline.count()));
  } while (polled < 0 && errno == EINTR);
  if (polled == 0) errno = ETIMEDOUT;
  if (polled <= 0) return 0;
  const ssize_t n = recv(socket, buffer, size, 0);
  if (n == 0) errno = ECONNRESET;
  return n > 0 ? static_cast<std::size_t>(n) : 0;
}

[[noreturn]] void become_server(const std::string& program, int socket) {
  (void)setsid();  // a signal to its own process group must not reach us
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
  unblock_signals();
  (void)signal(SIGPIPE, SIG_DFL);
  const int null = open("/dev/null", O_RDWR);
  for (int fd = 0; fd <= 2; ++fd) (void)dup2(null, fd);
  if (null > 2) close(null);
  (void)fcntl(socket, F_SETFD, 0);
  std::string option = std::string(fork_protocol::option) + std::to_string(socket);
  std::array<char*, 3> argv{const_cast<char*>(program.c_str()), option.data(), nullptr};
  std::array<char*, 1> environment{nullptr};  // each entry brings its own
  (void)execve(argv[0], argv.data(), environment.data());
  _exit(127);
}

}  // namespace

std::string ForkServer::start(const std::string& program) {
  stop();
  if (program != std::exchange(program_, program)) failed_starts_ = 0;
  if (failed_starts_ == max_failed_starts) return program + " failed twice to get ready to fork";
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0) {
    return because("cannot make a socket", errno);
  }
  pid_ = ::fork();
  const int fork_error = errno;
  if (pid_ == 0) become_server(program, sockets[1]);
  close(sockets[1]);
  socket_ = sockets[0];
  if (pid_ < 0) return because("cannot fork", fork_error);
  std::array<char, 16> word;
  const std::size_t size = receive(socket_, word.data(), word.size(), start_deadline);
  if (std::string_view(word.data(), size) == fork_protocol::greeting) {
    failed_starts_ = 0;
    return {};
  }
  ++failed_starts_;
  std::string problem =
      size > 0 ? program + " says something else than \"" + std::string(fork_protocol::greeting) + '"'
               : because(program + " does not get ready to fork", errno);
  stop();
  return problem;
}

void ForkServer::stop() {
  if (socket_ >= 0) close(std::exchange(socket_, -1));
  kill_child(pid_);
  if (pid_ > 0) (void)waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void ForkServer::end_if_it_has_children() {
  if (pid_ > 0 && has_children(pid_)) stop();
}

// Why this is not the process that we asked for; empty if it is. The program is under test, so it may name
// any process. No child of ours but the server is left from earlier entries, so another one is this entry's.
std::string ForkServer::objection(pid_t pid) const {
  const std::string named = program_ + " answers that it forked process " + std::to_string(pid);
  if (pid == pid_) return named + ", which is the fork server itself; nothing was sent to it";
  if (!is_child(pid)) return named + ", which is not a child of the runner; nothing was sent to it";
  return {};
}

ForkServer::Forked ForkServer::fork(const std::string& program, const ForkRequest& request) {
  const bool ended = pid_ > 0 && waitpid(pid_, nullptr, WNOHANG) != 0;
  if (ended) pid_ = -1;
  fork_protocol::Answer pid = -1;
  // An answer that nobody asked for would be taken for the next one.
  const bool talks = pid_ > 0 && recv(socket_, &pid, sizeof pid, MSG_DONTWAIT) >= 0;
  if (pid_ < 0 || talks || program != program_) {
    if (std::string error = start(program); !error.empty()) return {.error = std::move(error)};
  }
  Forked forked;
  if (!fork_protocol::send_request(socket_, request)) {
    forked.error = because("cannot ask " + program + " to fork", errno);
  } else if (receive(socket_, &pid, sizeof pid, fork_deadline) != sizeof pid) {
    forked.error = because(program + " does not fork", errno);
  } else if (pid < 0 && pid >= -max_errno) {
    forked.error = because(program + " cannot fork", -pid);
  } else if (forked.misbehaved = objection(pid); forked.misbehaved.empty()) {
    forked.pid = pid;
    return forked;
  }
  stop();
  return forked;
}

}  // namespace runner
