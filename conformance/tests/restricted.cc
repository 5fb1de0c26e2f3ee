// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Runs a program where something around the kernel forbids io_uring:
//   restricted memlock=KIB PROGRAM ...        as an ordinary user who may lock that much memory
//   restricted CALL=ACTION PROGRAM ...        under a seccomp filter: setup, enter or register; errno or kill
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace {

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "restricted: %s: %s\n", what, strerrorname_np(errno));
  std::exit(77);
}

void limit_memory(unsigned long kib) {
  const rlimit limit{.rlim_cur = kib * 1024, .rlim_max = kib * 1024};
  if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0) fail("setrlimit RLIMIT_MEMLOCK");
  constexpr uid_t nobody = 65534;
  if (geteuid() == 0 && setresuid(nobody, nobody, nobody) != 0) fail("setresuid");
}

void filter(long number, bool kill) {
  const std::uint32_t denied = kill ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_ERRNO | EPERM;
  std::array program{
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(number), 0, 1),
      sock_filter BPF_STMT(BPF_RET | BPF_K, denied),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{.len = program.size(), .filter = program.data()};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) fail("PR_SET_NO_NEW_PRIVS");
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) fail("PR_SET_SECCOMP");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 77;
  // Opened as who we are: an ordinary user need not reach the folder of the build.
  const int program = open(argv[2], O_PATH | O_CLOEXEC);
  if (program < 0) fail(argv[2]);
  const std::string_view what = argv[1];
  const std::string_view name = what.substr(0, what.find('=')), value = what.substr(name.size() + 1);
  if (name == "memlock") {
    limit_memory(std::strtoul(value.data(), nullptr, 10));
  } else {
    filter(name == "setup"   ? SYS_io_uring_setup
           : name == "enter" ? SYS_io_uring_enter
                             : SYS_io_uring_register,
           value == "kill");
  }
  fexecve(program, argv + 2, environ);
  fail(argv[2]);
}
