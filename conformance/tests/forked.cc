// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// A program for the harness's own tests of fork servers: started either way, it tells what it finds around
// it, one line a record, then does what its argument says. harness/tests/machines/test_fork_server.py runs
// it.
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "program/fork_protocol.h"
#include "program/fork_server.h"

namespace {

void tell(int records, const std::string& line) { dprintf(records, "%s\n", line.c_str()); }

void tell_world(int records) {
  tell(records, "own session: " + std::to_string(getsid(0) == getpid()));
  tell(records,
       "works in its home: " + std::to_string(std::string(get_current_dir_name()) == getenv("HOME")));
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    tell(records, "variable: " + std::string(text.substr(0, text.find('='))));
  }
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("SigBlk") || line.starts_with("SigIgn")) tell(records, line);
  }
  DIR* directory = opendir("/proc/self/fd");
  while (const dirent* entry = readdir(directory)) {
    const int fd = atoi(entry->d_name);
    if (entry->d_name[0] == '.' || fd == dirfd(directory) || fd == records) continue;
    char target[256] = "";
    if (readlink(("/proc/self/fd/" + std::string(entry->d_name)).c_str(), target, sizeof target - 1) < 0)
      continue;
    tell(records, "descriptor " + std::to_string(fd) + ": " + std::string(target).substr(0, 6));
  }
  closedir(directory);
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> words(argv, argv + argc);
  constexpr std::string_view option = conformance::fork_protocol::option;
  const std::string server = std::to_string(getpid());
  if (argc == 2 && words[1].starts_with(option)) {
    words = conformance::serve_forks(atoi(argv[1] + option.size()));
  }
  const int records = atoi(getenv("URING_RECORDS_FD"));
  const std::string_view what = words.at(1);
  if (what == "world") tell_world(records);
  if (what == "parents") tell(records, std::to_string(getppid()) + " " + server);
  if (what == "crash") abort();
  if (what == "fail") {
    fprintf(stderr, "why\n");
    return 3;
  }
  if (what == "orphan" && fork() == 0) {
    setsid();
    for (;;) pause();
  }
  if (what == "hang") {
    for (;;) pause();
  }
  return 0;
}
