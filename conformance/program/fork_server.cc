#include "program/fork_server.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace conformance {
namespace {

struct Request {
  std::string directory;
  std::vector<std::string> environment;
  std::vector<std::string> argv;
  int output = -1;
  int records = -1;
};

// False: nobody can ask any more.
bool receive(int socket, Request& request) {
  static std::array<char, 64 * 1024> text;
  std::array descriptors{-1, -1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof descriptors)> control{};
  iovec vector{.iov_base = text.data(), .iov_len = text.size()};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t size = 0;
  do {
    size = recvmsg(socket, &message, 0);
  } while (size < 0 && errno == EINTR);
  if (size <= 0) return false;
  if (const cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr && header->cmsg_type == SCM_RIGHTS) {
    std::memcpy(descriptors.data(), CMSG_DATA(header), sizeof descriptors);
  }
  request = {.output = descriptors[0], .records = descriptors[1]};
  std::vector<std::string>* into = nullptr;
  for (std::string_view rest(text.data(), static_cast<std::size_t>(size)); !rest.empty();) {
    const std::string word(rest.substr(0, rest.find('\0')));
    rest.remove_prefix(word.size() + 1);
    if (into == nullptr) {
      request.directory = word;
      into = &request.environment;
    } else if (word.empty() && into == &request.environment) {
      into = &request.argv;
    } else {
      into->push_back(word);
    }
  }
  return true;
}

// What the runner does in a process that it starts itself.
void become_entry(int socket, const Request& request) {
  close(socket);
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(request.output, STDOUT_FILENO);
  dup2(request.output, STDERR_FILENO);
  close(request.output);
  clearenv();
  for (const std::string& variable : request.environment) {
    const auto equals = variable.find('=');
    setenv(variable.substr(0, equals).c_str(), variable.substr(equals + 1).c_str(), 1);
  }
  setenv("URING_RECORDS_FD", std::to_string(request.records).c_str(), 1);
  if (chdir(request.directory.c_str()) != 0) {
    std::fprintf(stderr, "cannot work in %s: %s\n", request.directory.c_str(), strerrorname_np(errno));
    std::_Exit(127);
  }
}

}  // namespace

std::vector<std::string> serve_forks(int socket) {
  constexpr std::string_view greeting = "ready";
  if (send(socket, greeting.data(), greeting.size(), MSG_NOSIGNAL) < 0) std::_Exit(2);
  for (Request request; receive(socket, request);) {
    // Our sibling, not our child: who asked watches it, kills it and waits for it as for any other.
    const long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
    if (pid == 0) {
      become_entry(socket, request);
      return request.argv;
    }
    const int answer = pid > 0 ? static_cast<int>(pid) : -errno;
    close(request.output);
    close(request.records);
    if (send(socket, &answer, sizeof answer, MSG_NOSIGNAL) < 0) break;
  }
  std::_Exit(0);
}

}  // namespace conformance
