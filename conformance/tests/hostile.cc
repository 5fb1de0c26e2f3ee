// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// A fork server that lies to the runner, in the way that its entry's argument asks for, or the name of the
// binding that it is run as. harness/tests/machines/test_hostile.py runs it, only in a PID namespace.
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <climits>
#include <string>
#include <string_view>

#include "program/fork_protocol.h"

namespace {

namespace fork_protocol = conformance::fork_protocol;

int server = -1;  // the socket

void answer(fork_protocol::Answer pid) { (void)!send(server, &pid, sizeof pid, MSG_NOSIGNAL); }

// A child of the runner, as fork_server.cc makes it.
pid_t sibling() {
  return static_cast<pid_t>(syscall(SYS_clone, CLONE_PARENT | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
}

[[noreturn]] void stay() {
  for (;;) pause();
}

// Leaves the session and the parent, and stays.
void become_daemon() {
  if (fork() != 0) _exit(0);
  setsid();
  if (fork() != 0) _exit(0);
  stay();
}

void serve(const fork_protocol::Request& request) {
  constexpr std::string_view binding = "--binding=";
  std::string_view what = request.argv.at(1);
  if (what.starts_with(binding)) what.remove_prefix(binding.size());
  if (what == "nothing") return answer(0);
  if (what == "nonsense") return answer(INT_MIN);
  if (what == "everybody") return answer(-1);
  if (what == "itself") return answer(getpid());
  if (what == "runner") return answer(getppid());
  if (what == "init") return answer(1);
  if (what == "bystander") return answer(atoi(request.argv.at(2).c_str()));
  if (what == "hides") {  // names another process than the one that it makes
    if (sibling() == 0) stay();
    return answer(getppid());
  }
  if (what == "group") {  // a child of the runner in the group of the server
    const pid_t pid = sibling();
    if (pid == 0) stay();
    return answer(pid);
  }
  if (what == "helper" && fork() == 0) stay();
  if (what == "daemon") {
    if (fork() == 0) become_daemon();
    wait(nullptr);
  }
  if (what == "adopts") {  // its orphans do not become the runner's
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (fork() == 0) become_daemon();
    wait(nullptr);
  }
  const pid_t pid = sibling();
  if (pid == 0) {
    setsid();
    if (what == "signals") kill(0, SIGKILL);
    _exit(0);
  }
  answer(pid);
  if (what == "twice") answer(1);
  if (what == "shouts") kill(0, SIGKILL);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view option = argc == 2 ? argv[1] : "";
  if (!option.starts_with(fork_protocol::option)) return 0;  // asked for its name
  server = atoi(argv[1] + fork_protocol::option.size());
  (void)!send(server, fork_protocol::greeting.data(), fork_protocol::greeting.size(), MSG_NOSIGNAL);
  for (fork_protocol::Request request; fork_protocol::receive_request(server, request);) {
    serve(request);
    close(request.output);
    close(request.records);
  }
}
