// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

#include "pid_namespace.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "process.h"

namespace runner {
namespace {

// A fork() into new namespaces.
pid_t fork_into(unsigned long namespaces) {
#if defined(__s390x__)  // where the first two arguments are the other way round
  return static_cast<pid_t>(syscall(SYS_clone, nullptr, namespaces | SIGCHLD, nullptr, nullptr, nullptr));
#else
  return static_cast<pid_t>(syscall(SYS_clone, namespaces | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
#endif
}

// Our mounts are ours alone, so that the machine keeps its /proc.
bool mount_own_proc() {
  return mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) == 0;
}

[[noreturn]] void become_first_process(int ready, const std::function<int()>& work) {
  (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
  // If the parent died before that, the write fails, too.
  if (!mount_own_proc() || write(ready, "r", 1) != 1) _exit(1);
  close(ready);
  _exit(work());
}

// Waits for the process to end; passes on the signals that we hear meanwhile.
int supervise(pid_t first) {
  const sigset_t heard = heard_signals();
  int stopped_by = 0, status = 0;
  while (waitpid(first, &status, WNOHANG) == 0) {
    int signal = 0;
    (void)sigwait(&heard, &signal);
    if (signal == SIGCHLD) continue;
    stopped_by = signal;
    (void)kill(first, signal);
  }
  // It cannot die of these itself: the first process of a namespace only dies of what comes from outside.
  if (stopped_by != 0) (void)raise(stopped_by);
  if (WIFSIGNALED(status)) (void)raise(WTERMSIG(status));
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

}  // namespace

std::optional<int> in_pid_namespace(const std::function<int()>& work) {
  int ready[2];
  if (pipe2(ready, O_CLOEXEC) < 0) return std::nullopt;
  const pid_t first = fork_into(CLONE_NEWPID | CLONE_NEWNS);
  if (first == 0) {
    close(ready[0]);
    become_first_process(ready[1], work);
  }
  close(ready[1]);
  char byte = 0;
  ssize_t n = -1;
  do {
    n = first > 0 ? read(ready[0], &byte, 1) : 0;
  } while (n < 0 && errno == EINTR);
  close(ready[0]);
  if (n == 1) return supervise(first);
  if (first > 0) (void)waitpid(first, nullptr, 0);
  return std::nullopt;
}

}  // namespace runner
