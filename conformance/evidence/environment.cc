// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

#include "evidence/environment.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string_view>

#include "seam/traps.h"
#include "seam/wire.h"

namespace conformance {

namespace {

// The value of a line "Name:  value" of /proc/self/status; empty if there is none.
std::string status_value(std::string_view name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with(name) || line.size() <= name.size() || line[name.size()] != ':') continue;
    const std::size_t from = line.find_first_not_of(" \t", name.size() + 1);
    return from == std::string::npos ? "" : line.substr(from);
  }
  return "";
}

// CAP_IPC_LOCK as the kernel asks for it: in the first user namespace, so not that of a rootless container.
bool may_lock_memory() {
  constexpr unsigned cap_ipc_lock = 14;
  const std::string effective = status_value("CapEff");
  std::uint64_t capabilities = 0;
  std::from_chars(effective.data(), effective.data() + effective.size(), capabilities, 16);
  std::uint64_t inside = 1, outside = 1, count = 0;
  std::ifstream("/proc/self/uid_map") >> inside >> outside >> count;
  const bool first_namespace = inside == 0 && outside == 0 && count == UINT32_MAX;
  return first_namespace && (capabilities >> cap_ipc_lock & 1) != 0;
}

bool is_filtered() {
  if (!traps_are_installed()) return status_value("Seccomp").find_first_of("12") == 0;
  // One filter is ours and forbids nothing. Kernels before 5.9 do not say how many there are.
  const std::string filters = status_value("Seccomp_filters");
  return !filters.empty() && filters != "0" && filters != "1";
}

std::string security_modules() {
  std::string modules, context;
  std::ifstream("/sys/kernel/security/lsm") >> modules;
  // Without securityfs, the label that a module gave this process tells that there is one.
  if (modules.empty() && std::ifstream("/proc/self/attr/current") >> context && context != "unconfined") {
    return "that labels this process " + context;
  }
  std::string able;
  for (const char* name : {"selinux", "apparmor", "smack", "tomoyo", "bpf"}) {
    if (modules.find(name) != std::string::npos) able += (able.empty() ? "" : ", ") + std::string(name);
  }
  return able;
}

// The numbers of system calls below do not tell a policy from a filter, the errno and the facts do.
std::optional<Blocked> forbidden(const std::string& call, int error, const Environment& environment) {
  const std::string failed = call + " failed with " + std::string(strerrorname_np(error));
  if ((error == EPERM || error == ENOSYS || error == EACCES) && environment.seccomp) {
    return Blocked{"seccomp",
                   failed +
                       " in a process under a seccomp filter: the container's or service's policy "
                       "forbids it; allow io_uring_setup, io_uring_enter and io_uring_register in it "
                       "(docker: `--security-opt seccomp=unconfined`)"};
  }
  if ((error == EPERM || error == EACCES) && !environment.lsm.empty()) {
    return Blocked{"lsm",
                   failed + " under a security module (" + environment.lsm +
                       ") whose policy may deny io_uring: allow it in the policy; its log names the rule"};
  }
  return std::nullopt;
}

Blocked limited(const Environment& environment, const std::string& what) {
  return {"rlimit", "no memory may be locked for " + what + ": RLIMIT_MEMLOCK is " +
                        std::to_string(*environment.memlock_kib) +
                        " KiB; raise it with `ulimit -l unlimited`"};
}

}  // namespace

Environment read_environment() {
  Environment environment;
  int disabled = 0;
  if (std::ifstream file("/proc/sys/kernel/io_uring_disabled"); file >> disabled) {
    environment.io_uring_disabled = disabled;
  }
  environment.seccomp = is_filtered();
  environment.lsm = security_modules();
  rlimit limit{};
  if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && !may_lock_memory()) {
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
  if (auto blocked = forbidden("io_uring_setup(2)", error, environment)) return blocked;
  if (error == ENOSYS) {
    return Blocked{"kconfig",
                   "this kernel has no io_uring: it is older than 5.1 or built without CONFIG_IO_URING"};
  }
  if (error == ENOMEM && environment.memlock_kib.has_value()) return limited(environment, "a ring");
  return std::nullopt;
}

std::optional<Blocked> why_denied(const Denial& denial, const Environment& environment,
                                  const Witnesses& ask) {
  // Programs of one user share a limit, and closed rings give their memory back a moment later. Below this
  // one, which a few rows at once may reach, there may be room again before a call of our own is refused.
  constexpr std::uint64_t scarce_kib = 1024;
  const bool is_scarce = environment.memlock_kib && *environment.memlock_kib < scarce_kib;
  if (denial.call == Denial::Call::setup) {  // of the fixture's ring why_no_ring() asks
    if (denial.error == ENOMEM && is_scarce) return limited(environment, "a ring of the test's own");
    return std::nullopt;
  }
  if (denial.error == ENOMEM) {
    // No row locks as much as this at once. A binding that asks for it has a wrong length.
    constexpr std::size_t most = 4 << 20;
    if (!environment.memlock_kib || denial.bytes > most) return std::nullopt;
    if (!is_scarce && ask.lock_memory(denial.bytes) != ENOMEM) return std::nullopt;
    return limited(environment, "what this test registers or sends (" +
                                    std::to_string((denial.bytes + 1023) / 1024) + " KiB more" +
                                    (is_scarce ? "" : "; a registration of our own is refused, too") + ")");
  }
  if (denial.call == Denial::Call::enter && ask.enter() == denial.error) {
    return forbidden("io_uring_enter(2)", denial.error, environment);
  }
  if (denial.call == Denial::Call::do_register && ask.do_register() == denial.error) {
    return forbidden("io_uring_register(2)", denial.error, environment);
  }
  return std::nullopt;
}

namespace {

constexpr int not_open = 0x7ffffff;  // above any limit of descriptors

int bare_enter() { return syscall(SYS_io_uring_enter, not_open, 0, 0, 0, nullptr, 0) < 0 ? errno : 0; }

int bare_register() {
  return syscall(SYS_io_uring_register, not_open, wire::register_op::unregister_files, nullptr, 0) < 0 ? errno
                                                                                                       : 0;
}

// Up to 5.11 the ring itself may be what cannot be had, which says the same.
int bare_lock(std::size_t bytes) {
  const std::size_t room = std::max(bytes, std::size_t{1});
  std::array<std::uint32_t, 30> params{};
  const long ring = syscall(SYS_io_uring_setup, 1, params.data());
  if (ring < 0) return errno;
  void* memory = mmap(nullptr, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  int error = 0;
  if (memory != MAP_FAILED) {
    const iovec vector{.iov_base = memory, .iov_len = room};
    if (syscall(SYS_io_uring_register, ring, wire::register_op::buffers, &vector, 1) < 0) error = errno;
    munmap(memory, room);
  }
  close(static_cast<int>(ring));
  return error;
}

}  // namespace

const Witnesses bare_witnesses{.enter = bare_enter, .do_register = bare_register, .lock_memory = bare_lock};

int bare_setup(unsigned entries, unsigned setup_flags) {
  std::array<std::uint32_t, 30> params{};  // struct io_uring_params: 120 bytes, the flags are the third word
  params[2] = setup_flags;
  const long fd = syscall(SYS_io_uring_setup, entries, params.data());
  if (fd < 0) return errno;
  close(static_cast<int>(fd));
  return 0;
}

bool kernel_takes(unsigned entries, unsigned setup_flags) {
  return bare_setup(entries, setup_flags) != EINVAL;
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
  if (fd < 0) return Blocked{"kconfig", std::string("no IPv4 sockets: ") + strerrorname_np(errno)};
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
