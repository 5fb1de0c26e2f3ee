// A program that is started once and then forks a process for each entry that asks for it.
//
// Starting the conformance program is more work than most of its tests, which is noticeable when the
// processor is emulated. The protocol is conformance/program/fork_protocol.h; fork_server.h beside it is the
// program's side.

#pragma once

#include <sys/types.h>

#include <string>

#include "program/fork_protocol.h"

namespace runner {

using ForkRequest = conformance::fork_protocol::Request;

class ForkServer {
 public:
  ForkServer() = default;
  ~ForkServer() { stop(); }
  ForkServer(const ForkServer&) = delete;
  ForkServer& operator=(const ForkServer&) = delete;

  // Returns the process of an entry. Starts the program first if it is not the one of last time or has ended.
  // -1, with the reason in `error`, if nothing runs. A program that failed twice to get ready is given up.
  pid_t fork(const std::string& program, const ForkRequest& request, std::string& error);

  // The program's own process, which does not belong to an entry. -1: there is none.
  pid_t pid() const { return pid_; }

 private:
  std::string start(const std::string& program);
  void stop();

  std::string program_;
  int failed_starts_ = 0;  // of this program, in a row
  pid_t pid_ = -1;
  int socket_ = -1;
};

}  // namespace runner
