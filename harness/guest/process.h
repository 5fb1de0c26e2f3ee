// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// One entry of the plan: a process of its own, watched until nothing of it is left.

#pragma once

#include <signal.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "channel.h"
#include "fork_server.h"
#include "kernel_log.h"

namespace runner {

struct Entry {
  std::string name;
  std::chrono::milliseconds timeout{};
  bool forks = false;  // forked from a ForkServer; otherwise the program is started with exec
  std::string unless;  // an earlier entry: if it exited with `refused`, this one is not run
  std::vector<std::string> argv;
};

// The exit code of an entry after which others need not run.
constexpr int refused = 77;

enum class Next {
  go_on,
  stop,     // a signal told us to, or the reader is gone
  give_up,  // a process survived SIGKILL: this machine can no longer be trusted with further tests
};

// SIGCHLD, and the signals that tell us to stop.
sigset_t heard_signals();

// Blocks the signals that the runner wants to hear about. Once, before the first entry.
void block_signals();

// Unblocks the signals. If one of them made us stop, it kills us here, so that our parent sees why we ended.
void unblock_signals();

struct Ended {
  Next next;
  std::optional<std::int64_t> exit;  // its exit code, if it exited
};

// Runs the entry and reports it: start, its records, end (unless a signal stops us before).
Ended run(const Entry& entry, Stream& stream, KernelLog& log, ForkServer& server);

}  // namespace runner
