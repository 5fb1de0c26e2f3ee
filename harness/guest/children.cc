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
#include <string_view>
#include <vector>

#include "system.h"

namespace runner {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

// Calls visit(name) for each number in a directory of /proc, until it returns true. Returns whether it did.
template <typename Visit>
bool any_number_in(const std::string& path, Visit visit) {
  DIR* directory = opendir(path.c_str());
  bool found = false;
  while (const dirent* entry = directory != nullptr && !found ? readdir(directory) : nullptr) {
    found = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && visit(std::string_view(entry->d_name));
  }
  if (directory != nullptr) closedir(directory);
  return found;
}

pid_t number(std::string_view text) {
  pid_t pid = 0;
  std::from_chars(text.data(), text.data() + text.size(), pid);
  return pid;
}

// Parent of a process; 0 if it is gone.
pid_t parent_of(std::string_view pid) {
  const std::string stat = read_proc("/proc/" + std::string(pid) + "/stat").value_or("");
  // "pid (name) state parent ...": the name may hold spaces and parentheses.
  const auto after_name = stat.rfind(") ");
  if (after_name == stat.npos) return 0;
  return number(std::string_view(stat).substr(std::min(after_name + 4, stat.size())));
}

// "71 72 "
std::vector<pid_t> numbers(std::string_view text) {
  std::vector<pid_t> found;
  for (std::size_t space; (space = text.find(' ')) != text.npos; text.remove_prefix(space + 1)) {
    found.push_back(number(text.substr(0, space)));
  }
  return found;  // without a last number that has no space after it: read_proc() may have cut it off
}

// The children of a process; usually there are none. Not all of them if there are hundreds: more come next
// time. The kernel lists them for each thread, if it was built to (CONFIG_PROC_CHILDREN).
std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> found;
  bool listed = false;
  const std::string tasks = "/proc/" + std::to_string(parent) + "/task";
  any_number_in(tasks, [&](std::string_view task) {
    if (const auto told = read_proc(tasks + '/' + std::string(task) + "/children")) {
      listed = true;
      const std::vector<pid_t> more = numbers(*told);
      found.insert(found.end(), more.begin(), more.end());
    }
    return false;
  });
  if (listed) return found;
  any_number_in("/proc", [&](std::string_view pid) {
    if (parent_of(pid) == parent) found.push_back(number(pid));
    return false;
  });
  return found;
}

}  // namespace

bool is_child(pid_t pid) {
  siginfo_t info{};
  const int look_only = WEXITED | WNOHANG | WNOWAIT;
  return pid > 0 && waitid(P_PID, static_cast<id_t>(pid), &info, look_only) == 0;
}

void kill_child(pid_t pid) {
  if (is_child(pid)) (void)kill(pid, SIGKILL);
}

void kill_group_of(pid_t pid) {
  if (is_child(pid) && getpgid(pid) == pid) (void)kill(-pid, SIGKILL);
}

bool has_children(pid_t pid) { return !children_of(pid).empty(); }

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
    for (const pid_t child : children_of(getpid())) {
      if (child == server || waitpid(child, nullptr, WNOHANG) == child) continue;
      alone = false;
      kill_child(child);
    }
    if (alone && server >= 0) return true;
    (void)poll(nullptr, 0, static_cast<int>(pause.count()));
  }
  return false;
}

}  // namespace runner
