// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

#include "evidence/environment.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include "seam/traps.h"
#include "seam/wire.h"

namespace conformance {

Environment read_environment() {
  Environment environment;
  int disabled = 0;
  if (std::ifstream file("/proc/sys/kernel/io_uring_disabled"); file >> disabled) {
    environment.io_uring_disabled = disabled;
  }
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("Seccomp:")) continue;
    // With traps there is a filter of our own, which forbids nothing, and any other cannot be told from it.
    environment.seccomp = line.find_first_of("12") != std::string::npos && !traps_are_installed();
  }
  rlimit limit{};
  if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    environment.memlock_kib = limit.rlim_cur / 1024;
  }
  return environment;
}

std::optional<Blocked> why_blocked(int error, const Environment& environment) {
  const int disabled = environment.io_uring_disabled.value_or(0);
  if (error == EPERM && disabled != 0) {
    return Blocked{"sysctl",
                   "io_uring is disabled here: kernel.io_uring_disabled is " + std::to_string(disabled) +
                       (disabled == 1 ? " (privileged processes and kernel.io_uring_group only)" : "") +
                       "; `sysctl kernel.io_uring_disabled=0` allows it"};
  }
  if ((error == EPERM || error == ENOSYS) && environment.seccomp) {
    return Blocked{
        "seccomp",
        "io_uring_setup(2) failed with " + std::string(strerrorname_np(error)) +
            " in a process under a seccomp filter: the container's or service's policy forbids it"};
  }
  if (error == ENOSYS) {
    return Blocked{"kconfig",
                   "this kernel has no io_uring: it is older than 5.1 or built without CONFIG_IO_URING"};
  }
  if (error == ENOMEM && environment.memlock_kib.has_value()) {
    return Blocked{"rlimit", "no memory may be locked for a ring: RLIMIT_MEMLOCK is " +
                                 std::to_string(*environment.memlock_kib) +
                                 " KiB; raise it with `ulimit -l unlimited`"};
  }
  return std::nullopt;
}

int bare_setup(unsigned entries, unsigned setup_flags) {
  std::array<std::uint32_t, 30> params{};  // struct io_uring_params: 120 bytes, the flags are the third word
  params[2] = setup_flags;
  const long fd = syscall(SYS_io_uring_setup, entries, params.data());
  if (fd < 0) return errno;
  close(static_cast<int>(fd));
  return 0;
}

std::variant<Blocked, std::string> why_no_ring(unsigned entries, int bare_error,
                                               const std::string& binding_error,
                                               const Environment& environment) {
  const std::string ring = "a ring of " + std::to_string(entries);
  if (bare_error == 0) return "the kernel opens " + ring + ", the binding cannot: " + binding_error;
  if (auto blocked = why_blocked(bare_error, environment)) return *blocked;
  return ring + " cannot be opened: the kernel says " + wire::result_text(-bare_error) + ", the binding " +
         binding_error;
}

std::optional<Blocked> why_no_loopback() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return Blocked{"kconfig", std::string("no IPv4 sockets: ") + std::strerror(errno)};
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  const bool up = ioctl(fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) != 0;
  close(fd);
  if (up) return std::nullopt;
  return Blocked{"network", "the loopback interface is down: `ip link set lo up` brings it up"};
}

void stop_blocked(const Blocked& blocked) {
  current_observation().blocked = blocked;
  throw std::runtime_error("blocked by " + blocked.cause + ": " + blocked.text);
}

}  // namespace conformance
