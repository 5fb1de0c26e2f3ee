// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

#include "seam/bare_kernel.h"

#include <sys/mman.h>
#include <sys/syscall.h>

// The linker's names for the two ends of the section below.
extern "C" const char __start_conformance_bare_call[], __stop_conformance_bare_call[];

namespace conformance {
namespace {

// The suite's own instruction, not the binding's. Inlined, so that it is inside of bare_call's section.
#if defined(__x86_64__)
[[gnu::always_inline]] inline long make_call(long number, const SystemCall& a) noexcept {
  register long r10 __asm__("r10") = a[3];
  register long r8 __asm__("r8") = a[4];
  register long r9 __asm__("r9") = a[5];
  long result = number;
  __asm__ volatile("syscall"
                   : "+a"(result)
                   : "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
// With SVE the kernel also clears what a function call may lose anyway.
[[gnu::always_inline]] inline long make_call(long number, const SystemCall& a) noexcept {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a[0];
  register long x1 __asm__("x1") = a[1];
  register long x2 __asm__("x2") = a[2];
  register long x3 __asm__("x3") = a[3];
  register long x4 __asm__("x4") = a[4];
  register long x5 __asm__("x5") = a[5];
  __asm__ volatile("svc #0"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                   : "memory", "cc");
  return x0;
}
#else
#error \
    "no system call for this architecture yet: say here how one is made, and in traps.cc where its arguments are"
#endif

}  // namespace

[[gnu::section("conformance_bare_call"), gnu::noinline]] long bare_call(long number,
                                                                        const SystemCall& a) noexcept {
  return make_call(number, a);
}

CodeRange bare_call_range() noexcept {
  return {reinterpret_cast<std::uintptr_t>(__start_conformance_bare_call),
          reinterpret_cast<std::uintptr_t>(__stop_conformance_bare_call)};
}

namespace {
long word(const void* pointer) { return reinterpret_cast<long>(pointer); }
}  // namespace

long BareKernel::setup(std::uint32_t entries, wire::Params* params) noexcept {
  return bare_call(SYS_io_uring_setup, {long{entries}, word(params)});
}

long BareKernel::enter(int fd, std::uint32_t to_submit, std::uint32_t min_complete, std::uint32_t flags,
                       const void* arg, std::size_t arg_size) noexcept {
  return bare_call(SYS_io_uring_enter, {fd, long{to_submit}, long{min_complete}, long{flags}, word(arg),
                                        static_cast<long>(arg_size)});
}

long BareKernel::do_register(int fd, std::uint32_t op, const void* arg, std::uint32_t count) noexcept {
  return bare_call(SYS_io_uring_register, {fd, long{op}, word(arg), long{count}});
}

long BareKernel::map_ring(int fd, std::size_t bytes, std::uint64_t offset) noexcept {
  return bare_call(SYS_mmap, {0, static_cast<long>(bytes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                              fd, static_cast<long>(offset)});
}

long BareKernel::map_anonymous(std::size_t bytes) noexcept {
  return bare_call(SYS_mmap,
                   {0, static_cast<long>(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0});
}

long BareKernel::unmap(void* address, std::size_t bytes) noexcept {
  return bare_call(SYS_munmap, {word(address), static_cast<long>(bytes)});
}

long BareKernel::close(int fd) noexcept { return bare_call(SYS_close, {fd}); }

}  // namespace conformance
