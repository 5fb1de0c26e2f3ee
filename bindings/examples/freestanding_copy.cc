// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// freestanding_copy FROM TO: copies a file through a ring, in a program without a C library. Opens, reads,
// writes and closes are all requests; the only plain system call is the one that ends the process. Exit code:
// 0, or the errno of what failed.
//
// Build: c++ -std=c++20 -ffreestanding -fno-exceptions -fno-rtti -nostdlib -static
// Needs OPENAT, READ, WRITE and CLOSE (5.6).
#include <uring/uring.h>

namespace {

using uring::i32, uring::u32, uring::u64;

constexpr i32 at_fdcwd = -100;
constexpr u32 o_wronly_creat_trunc = 01 | 0100 | 01000;
#if defined(__x86_64__)
constexpr long nr_exit_group = 231;
#elif defined(__aarch64__) || defined(__riscv)
constexpr long nr_exit_group = 94;
#elif defined(__s390x__)
constexpr long nr_exit_group = 248;
#endif

std::byte buffer[64 * 1024];

// Submits the request and waits. Returns what its CQE says: a value or a negative errno.
i32 complete(uring::Ring& ring, uring::Queued request) {
  if (!request) return -static_cast<i32>(request.error());
  if (const auto submitted = ring.submit_and_wait(1); !submitted.ok())
    return -static_cast<i32>(submitted.error());
  uring::Cqe cqe;
  if (const auto taken = ring.copy_cqe(cqe); !taken.ok()) return -static_cast<i32>(taken.error());
  return cqe.res;
}

i32 copy(uring::Ring& ring, i32 from, i32 to) {
  for (u64 offset = 0;;) {
    const i32 got = complete(ring, ring.read(1, from, buffer, offset));
    if (got <= 0) return got;
    for (i32 done = 0; done < got;) {
      const auto rest = std::span(buffer).subspan(static_cast<u32>(done), static_cast<u32>(got - done));
      const i32 wrote = complete(ring, ring.write(2, to, rest, offset));
      if (wrote < 0) return wrote;
      done += wrote;
      offset += static_cast<u64>(wrote);
    }
  }
}

i32 run(const char* from_path, const char* to_path) {
  uring::Ring ring;
  if (const auto opened = ring.init(1); !opened.ok()) return -static_cast<i32>(opened.error());
  const i32 from = complete(ring, ring.openat(1, at_fdcwd, from_path, 0, 0));
  if (from < 0) return from;
  const i32 to = complete(ring, ring.openat(2, at_fdcwd, to_path, o_wronly_creat_trunc, 0644));
  if (to < 0) return to;
  const i32 copied = copy(ring, from, to);
  const i32 closed_from = complete(ring, ring.close(3, from));
  const i32 closed_to = complete(ring, ring.close(4, to));
  return copied < 0 ? copied : closed_from < 0 ? closed_from : closed_to;
}

}  // namespace

// The stack as the kernel leaves it: argc, then argv.
extern "C" [[noreturn]] void start(const long* stack) {
  const auto argv = reinterpret_cast<const char* const*>(stack + 1);
  constexpr i32 einval = 22;
  const i32 result = stack[0] == 3 ? run(argv[1], argv[2]) : -einval;
  for (;;) uring::arch::syscall6(nr_exit_group, -result, 0, 0, 0, 0, 0);
}

// The kernel starts us with a stack that a compiled function must not take as its own: pass it on, and
// realign.
#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n call start\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n_start:\n mov x29, #0\n mov x0, sp\n and sp, x0, #-16\n b start\n");
#elif defined(__riscv)
__asm__(
    ".globl _start\n_start:\n .option push\n .option norelax\n la gp, __global_pointer$\n .option pop\n"
    " mv a0, sp\n andi sp, sp, -16\n tail start\n");
#elif defined(__s390x__)
__asm__(".globl _start\n_start:\n lgr %r2, %r15\n aghi %r15, -160\n jg start\n");
#endif
