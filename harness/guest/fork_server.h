// A program that has started once and then forks a process for each entry that wants it.
//
// Starting the conformance program is more work than most of its tests, which shows where a processor is
// emulated. The protocol is conformance/program/fork_protocol.h; the program's side is fork_server.h beside it.

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

  // The process of an entry; starts the program first, if it is another than last time or has ended. -1, with
  // the reason in `error`: nothing runs. A program that twice did not get ready is not waited for again.
  pid_t fork(const std::string& program, const ForkRequest& request, std::string& error);

  // The program's own process, which is no entry's. -1: there is none.
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
