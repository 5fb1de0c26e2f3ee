// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The program as a fork server: it starts once, and each run of it is a child that finds everything set up.
// The protocol is fork_protocol.h, the other side harness/guest/fork_server.h.
#ifndef CONFORMANCE_PROGRAM_FORK_SERVER_H
#define CONFORMANCE_PROGRAM_FORK_SERVER_H

#include <string>
#include <vector>

namespace conformance {

// Answers requests until the other side closes the socket, then ends the process. Returns in each child only,
// with the arguments that the request named. The child belongs to the process that asked, not to this one. No
// ring may have been set up before.
std::vector<std::string> serve_forks(int socket);

}  // namespace conformance

#endif
