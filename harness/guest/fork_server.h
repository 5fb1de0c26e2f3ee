// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

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

  struct Forked {
    pid_t pid = -1;  // the process of the entry, a child of ours; -1: nothing runs, for one of these reasons
    std::string error;       // it could not be started
    std::string misbehaved;  // the program said something that is not true
  };

  // Starts the program first if it is not the one of last time or has ended. A program that failed twice to
  // get ready is given up.
  Forked fork(const std::string& program, const ForkRequest& request);

  // Ends the program if it has started processes of its own, which would outlive the entry.
  void end_if_it_has_children();

  // Ends the program. What it leaves behind is ours.
  void stop();

  // The program's own process, which does not belong to an entry. -1: there is none.
  pid_t pid() const { return pid_; }

 private:
  std::string start(const std::string& program);
  std::string objection(pid_t pid) const;

  std::string program_;
  int failed_starts_ = 0;  // of this program, in a row
  pid_t pid_ = -1;
  int socket_ = -1;
};

}  // namespace runner
