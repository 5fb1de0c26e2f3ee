// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

#include "program/fork_server.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "program/fork_protocol.h"

namespace conformance {
namespace {

// What the runner does in a process that it starts itself.
void become_entry(int socket, const fork_protocol::Request& request) {
  close(socket);
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(request.output, STDOUT_FILENO);
  dup2(request.output, STDERR_FILENO);
  close(request.output);
  clearenv();
  for (const std::string& variable : request.environment) {
    const auto equals = variable.find('=');
    setenv(variable.substr(0, equals).c_str(), variable.substr(equals + 1).c_str(), 1);
  }
  setenv(fork_protocol::records_variable, std::to_string(request.records).c_str(), 1);
  if (chdir(request.directory.c_str()) != 0) {
    std::fprintf(stderr, "cannot work in %s: %s\n", request.directory.c_str(), strerrorname_np(errno));
    std::_Exit(127);
  }
}

}  // namespace

std::vector<std::string> serve_forks(int socket) {
  const std::string_view ready = fork_protocol::greeting;
  if (send(socket, ready.data(), ready.size(), MSG_NOSIGNAL) < 0) std::_Exit(2);
  for (fork_protocol::Request request; fork_protocol::receive_request(socket, request);) {
    // Our sibling, not our child: the runner watches it, kills it and waits for it as for any other.
    const long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
    if (pid == 0) {
      become_entry(socket, request);
      return request.argv;
    }
    const fork_protocol::Answer answer = pid > 0 ? static_cast<int>(pid) : -errno;
    close(request.output);
    close(request.records);
    if (send(socket, &answer, sizeof answer, MSG_NOSIGNAL) < 0) break;
  }
  std::_Exit(0);
}

}  // namespace conformance
