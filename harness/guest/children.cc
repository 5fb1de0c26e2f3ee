// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

#include "children.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>
#include <vector>

#include "system.h"

namespace runner {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

// Parent of a process; 0 if it is gone.
pid_t parent_of(const char* pid) {
  const std::string stat = read_proc(std::string("/proc/") + pid + "/stat").value_or("");
  // "pid (name) state parent ...": the name may hold spaces and parentheses.
  const auto after_name = stat.rfind(") ");
  if (after_name == stat.npos) return 0;
  pid_t parent = 0;
  std::from_chars(stat.data() + std::min(after_name + 4, stat.size()), stat.data() + stat.size(), parent);
  return parent;
}

// Our children; usually there are none. The kernel lists them if it was built to (CONFIG_PROC_CHILDREN).
std::vector<pid_t> children() {
  std::vector<pid_t> found;
  const std::string self = std::to_string(getpid());
  if (const auto told =
          read_proc("/proc/self/task/" + self + "/children")) {  // "71 72 "; more come next time
    for (const char *at = told->data(), *end = at + told->size(); at < end; ++at) {
      pid_t pid = 0;
      at = std::from_chars(at, end, pid).ptr;
      if (pid > 0) found.push_back(pid);
    }
    return found;
  }
  DIR* proc = opendir("/proc");
  while (const dirent* entry = proc != nullptr ? readdir(proc) : nullptr) {
    pid_t pid = 0;
    std::from_chars(entry->d_name, entry->d_name + std::strlen(entry->d_name), pid);
    if (pid > 0 && parent_of(entry->d_name) == getpid()) found.push_back(pid);
  }
  if (proc != nullptr) closedir(proc);
  return found;
}

}  // namespace

bool sweep(pid_t server) {
  const auto deadline = Clock::now() + death_deadline;
  for (auto pause = 0ms; Clock::now() < deadline; pause = std::min(pause + 1ms, 20ms)) {
    pid_t reaped = 0;
    if (server < 0) {  // the kernel's answer is enough
      while ((reaped = waitpid(-1, nullptr, WNOHANG)) > 0) {
      }
      if (reaped < 0) return true;
    }
    bool alone = true;
    for (const pid_t child : children()) {
      if (child == server || waitpid(child, nullptr, WNOHANG) == child) continue;
      alone = false;
      (void)kill(child, SIGKILL);
    }
    if (alone && server >= 0) return true;
    (void)poll(nullptr, 0, static_cast<int>(pause.count()));
  }
  return false;
}

}  // namespace runner
