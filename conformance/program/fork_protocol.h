// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The protocol between a fork server and its client. The server is a program that has started once and forks
// a process for each run (fork_server.h); the client is the runner (harness/guest/fork_server.h). Both sides
// include this file, and the protocol is written down nowhere else.
//
// They talk over a socket of whole messages (SOCK_SEQPACKET), whose descriptor the program gets as
// --fork-server=N:
//
//   program -> runner   "ready", once
//   runner -> program   a Request
//   program -> runner   an Answer
//
// The process is a child of the runner like any other: it is watched, killed and waited for alike.
#ifndef CONFORMANCE_PROGRAM_FORK_PROTOCOL_H
#define CONFORMANCE_PROGRAM_FORK_PROTOCOL_H

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace conformance::fork_protocol {

inline constexpr std::string_view option = "--fork-server=";
inline constexpr std::string_view greeting = "ready";
// In the process, the descriptor that records are written to: evidence/records.h.
inline constexpr const char* records_variable = "URING_RECORDS_FD";

// What the process is to be. The two descriptors travel beside the message; the receiver owns what it
// received.
struct Request {
  std::string directory;                 // to work in
  std::vector<std::string> environment;  // NAME=VALUE, all of it
  std::vector<std::string> argv;
  int output = -1;   // becomes descriptors 1 and 2
  int records = -1;  // named by records_variable
};

// The process's number, or a negative errno. The process must be a child of the runner that has not been
// waited for; any other number is a failure of the entry (see harness/guest/children.h).
using Answer = int;

// The longest request, in bytes; a command line and an environment are far shorter.
inline constexpr std::size_t max_request = 64 * 1024;

// Each string with its zero byte: the directory, the environment, an empty string, the arguments.
inline std::string text_of(const Request& request) {
  std::string text = request.directory + '\0';
  for (const std::string& variable : request.environment) text += variable + '\0';
  text += '\0';
  for (const std::string& argument : request.argv) text += argument + '\0';
  return text;
}

inline Request request_of(std::string_view text) {
  Request request;
  std::vector<std::string>* into = nullptr;
  while (!text.empty()) {
    const std::string word(text.substr(0, text.find('\0')));
    text.remove_prefix(word.size() + 1);
    if (into == nullptr) {
      request.directory = word;
      into = &request.environment;
    } else if (word.empty() && into == &request.environment) {
      into = &request.argv;
    } else {
      into->push_back(word);
    }
  }
  return request;
}

// A message with room for the two descriptors beside it.
struct Message {
  std::array<int, 2> descriptors{-1, -1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof descriptors)> control{};
  iovec vector{};
  msghdr header{};

  Message(char* text, std::size_t size) : vector{.iov_base = text, .iov_len = size} {
    header.msg_iov = &vector;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
  }
  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;
};

// False, with errno: it was not sent.
inline bool send_request(int socket, const Request& request) {
  std::string text = text_of(request);
  if (text.size() > max_request) {
    errno = E2BIG;
    return false;
  }
  Message message(text.data(), text.size());
  message.descriptors = {request.output, request.records};
  cmsghdr* control = CMSG_FIRSTHDR(&message.header);
  control->cmsg_level = SOL_SOCKET;
  control->cmsg_type = SCM_RIGHTS;
  control->cmsg_len = CMSG_LEN(sizeof message.descriptors);
  std::memcpy(CMSG_DATA(control), message.descriptors.data(), sizeof message.descriptors);
  return sendmsg(socket, &message.header, MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

// False: the other side has closed the socket.
inline bool receive_request(int socket, Request& request) {
  static std::array<char, max_request> text;
  Message message(text.data(), text.size());
  ssize_t size = 0;
  do {
    size = recvmsg(socket, &message.header, 0);
  } while (size < 0 && errno == EINTR);
  if (size <= 0) return false;
  request = request_of({text.data(), static_cast<std::size_t>(size)});
  const cmsghdr* control = CMSG_FIRSTHDR(&message.header);
  if (control != nullptr && control->cmsg_type == SCM_RIGHTS) {
    std::memcpy(message.descriptors.data(), CMSG_DATA(control), sizeof message.descriptors);
  }
  request.output = message.descriptors[0];
  request.records = message.descriptors[1];
  return true;
}

}  // namespace conformance::fork_protocol

#endif
