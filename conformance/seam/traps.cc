// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

#include "seam/traps.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>

#include "seam/bare_kernel.h"
#include "seam/wire_log.h"

namespace conformance {
namespace {

// Of this thread: threads that a binding starts are let through, and touch nothing of ours.
thread_local volatile std::sig_atomic_t at_work = 0;
bool installed = false;
volatile pid_t observed = 0;  // the process that must not end yet: this one, but not a child that it forks

// --- the processor: where a call's number, arguments and result are ---------------------------------------

#if defined(__x86_64__)
constexpr std::uint32_t audit_architecture = AUDIT_ARCH_X86_64;

SystemCall arguments_of(const ucontext_t& context) {
  const auto& registers = context.uc_mcontext.gregs;
  return {registers[REG_RDI], registers[REG_RSI], registers[REG_RDX],
          registers[REG_R10], registers[REG_R8],  registers[REG_R9]};
}
void set_result(ucontext_t& context, long result) { context.uc_mcontext.gregs[REG_RAX] = result; }
#elif defined(__aarch64__)
constexpr std::uint32_t audit_architecture = AUDIT_ARCH_AARCH64;

SystemCall arguments_of(const ucontext_t& context) {
  const auto& registers = context.uc_mcontext.regs;
  SystemCall arguments;
  for (std::size_t i = 0; i < arguments.size(); ++i) arguments[i] = static_cast<long>(registers[i]);
  return arguments;
}
void set_result(ucontext_t& context, long result) {
  context.uc_mcontext.regs[0] = static_cast<unsigned long>(result);
}
#else
#error "no traps for this architecture yet: say here where a system call has its arguments"
#endif

// --- the handler ------------------------------------------------------------------------------------------

template <class T = void>
T* pointer(long word) {
  return reinterpret_cast<T*>(word);
}

// A binding may map a ring in other ways than ours, or each half of it by itself; where it lies is seen all
// the same.
long map(const SystemCall& a) {
  constexpr long usual_protection = PROT_READ | PROT_WRITE, usual_flags = MAP_SHARED | MAP_POPULATE;
  const int fd = static_cast<int>(a[4]);
  const auto offset = static_cast<std::uint64_t>(a[5]);
  const auto ring = wire_log().rings().find(fd);
  if (ring == wire_log().rings().end()) return bare_call(SYS_mmap, a);
  if (a[0] == 0 && a[2] == usual_protection && a[3] == usual_flags) {
    return ObservedKernel::map_ring(fd, static_cast<std::size_t>(a[1]), offset);
  }
  const long address = bare_call(SYS_mmap, a);
  wire_log().add("mmap   offset=" + std::to_string(offset) + " protection=" + std::to_string(a[2]) +
                 " flags=" + std::to_string(a[3]) + " -> " +
                 (address < 0 ? wire::result_text(address) : "memory"));
  if (address < 0) return address;
  ++ring->second.mappings;
  ring->second.found(offset, pointer<std::byte>(address));
  return address;
}

// munmap(2) and close(2) also come from inside malloc and stdio. What belongs to no ring is passed on before
// anything here could call them again.
bool is_ring_memory(const void* address) {
  for (const auto& [fd, ring] : wire_log().rings()) {
    if (ring.rings == address || ring.sqes == address) return true;
  }
  return false;
}

long close(int fd, const SystemCall& a) {
  if (wire_log().rings().contains(fd)) return ObservedKernel::close(fd);
  const long result = bare_call(SYS_close, a);
  if (result == -EBADF && fd >= 0) {  // in a program with threads it would have closed a stranger's
    wire_log().losses().push_back("the binding closed descriptor " + std::to_string(fd) +
                                  ", which was not open");
  }
  return result;
}

// A binding that ends the process would end all tests that are still to come, with an exit code of its
// choice.
[[noreturn]] void end_instead_of_the_binding() {
  constexpr std::string_view text =
      "\nthe binding ended the process: exit(3) or _exit(2) before the suite was done\n";
  static_cast<void>(!write(STDERR_FILENO, text.data(), text.size()));
  const SystemCall failure{1};
  bare_call(SYS_exit_group, failure);
  __builtin_unreachable();
}

long carry_out(long number, const SystemCall& a) {
  const int fd = static_cast<int>(a[0]);
  const auto u32 = [&a](std::size_t i) { return static_cast<std::uint32_t>(a[i]); };
  switch (number) {
    case SYS_io_uring_setup: return ObservedKernel::setup(u32(0), pointer<wire::Params>(a[1]));
    case SYS_io_uring_enter:
      return ObservedKernel::enter(fd, u32(1), u32(2), u32(3), pointer(a[4]), static_cast<std::size_t>(a[5]));
    case SYS_io_uring_register: return ObservedKernel::do_register(fd, u32(1), pointer(a[2]), u32(3));
    case SYS_mmap: return map(a);
    case SYS_munmap:
      if (!is_ring_memory(pointer(a[0]))) return bare_call(number, a);
      return ObservedKernel::unmap(pointer(a[0]), static_cast<std::size_t>(a[1]));
    case SYS_close: return close(fd, a);
  }
  return bare_call(number, a);
}

extern "C" void on_trap(int, siginfo_t* info, void* context) {
  auto& interrupted = *static_cast<ucontext_t*>(context);
  const int saved_errno = errno;
  const std::sig_atomic_t was_at_work = at_work;
  const SystemCall arguments = arguments_of(interrupted);
  if (info->si_syscall == SYS_exit_group && getpid() == observed) end_instead_of_the_binding();
  if (was_at_work == 0) {
    set_result(interrupted, bare_call(info->si_syscall, arguments));
  } else {
    at_work = 0;  // what happens in here is ours
    set_result(interrupted, carry_out(info->si_syscall, arguments));
    at_work = was_at_work;
  }
  errno = saved_errno;
}

// --- the filter -------------------------------------------------------------------------------------------

// Lets everything through but the calls of a ring that are not made by bare_call. The program is small enough
// to be written by hand: each test says how many of the lines after it are skipped.
void install_filter() {
  const CodeRange own = bare_call_range();
  if (own.first >> 32 != own.last >> 32) throw std::runtime_error("bare_call crosses a border of 4 GiB");
  const auto high = static_cast<std::uint32_t>(own.first >> 32);
  const auto low = static_cast<std::uint32_t>(own.first), end = static_cast<std::uint32_t>(own.last);
  constexpr std::uint32_t at_architecture = offsetof(seccomp_data, arch),
                          at_number = offsetof(seccomp_data, nr),
                          at_instruction = offsetof(seccomp_data, instruction_pointer),
                          at_mmap_flags = offsetof(seccomp_data, args) + 3 * sizeof(std::uint64_t);
  std::array program{
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at_architecture),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, audit_architecture, 0, 16),
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at_number),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 8, 0),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_enter, 7, 0),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_register, 6, 0),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_munmap, 5, 0),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close, 4, 0),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 3, 0),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 8),
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at_mmap_flags),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, MAP_ANONYMOUS, 6, 0),
      // The address after the instruction that made the call: is it in bare_call?
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at_instruction + 4),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, high, 0, 3),
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at_instruction),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, low, 0, 1),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, end, 0, 1),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{.len = program.size(), .filter = program.data()};
  // Root may filter as it is; others promise first never to gain privileges by execve(2).
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0) return;
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0) return;
  throw std::runtime_error(
      "the binding's system calls cannot be observed: a seccomp filter is refused with " +
      std::string(strerrorname_np(errno)) + "; this kernel needs CONFIG_SECCOMP_FILTER");
}

}  // namespace

void install_traps() {
  observed = getpid();
  if (installed) return;
  struct sigaction action {};
  action.sa_sigaction = on_trap;
  // Not blocked while the handler runs: what the handler does may be trapped in its turn, and every other
  // signal must interrupt a wait in there as it would outside.
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  if (sigaction(SIGSYS, &action, nullptr) != 0) throw std::runtime_error("no handler for SIGSYS");
  install_filter();
  installed = true;
}

bool traps_are_installed() { return installed; }

// LeakSanitizer asks this at exit. Its tracer blocks all signals, and a trap there would end it for good,
// and everything would wait for it. hygiene.cc finds what a test leaks of a ring.
extern "C" int __lsan_is_turned_off() { return installed ? 1 : 0; }

void expect_end() { observed = 0; }

BindingAtWork::BindingAtWork() : before_(at_work) { at_work = 1; }
BindingAtWork::~BindingAtWork() { at_work = before_; }

}  // namespace conformance
