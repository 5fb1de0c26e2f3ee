// One entry of the plan: a process of its own, watched until nothing of it is left.

#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "channel.h"
#include "fork_server.h"
#include "kernel_log.h"

namespace runner {

struct Entry {
  std::string name;
  std::chrono::milliseconds timeout{};
  bool forks = false;  // the program serves as a ForkServer; else it is started anew
  std::vector<std::string> argv;
};

enum class Next {
  go_on,
  stop,     // somebody asked us to (a signal), or nobody listens any more
  give_up,  // a process survived SIGKILL: this machine can no longer be trusted with further tests
};

// Blocks the signals that the runner wants to hear about. Once, before the first entry.
void block_signals();

// Lets the signals through again. If one of them made us stop we die of it here, so that our parent sees that
// somebody stopped us.
void unblock_signals();

// Runs the entry and says everything about it: start, its records, end (unless a signal stopped us in it).
Next run(const Entry& entry, Stream& stream, KernelLog& log, ForkServer& server);

}  // namespace runner
