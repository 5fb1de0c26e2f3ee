// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// One NOP, in a program without a C library: how small a program with a ring can be. Exit code: 0, the errno
// of what failed, or 255 when the wait brought no completion.
#include <uring/uring.h>

namespace {

constexpr int no_completion = 255;

int run() {
  uring::Ring ring;
  if (const auto opened = ring.init(1); !opened) return static_cast<int>(opened.error());
  ring.nop(1).value();
  if (const auto submitted = ring.submit_and_wait(1); !submitted) return static_cast<int>(submitted.error());
  int result = no_completion;
  ring.for_each_cqe([&](const uring::Cqe& cqe) { result = -cqe.res; });
  return result;
}

#if defined(__x86_64__)
constexpr long nr_exit_group = 231;
#elif defined(__aarch64__) || defined(__riscv)
constexpr long nr_exit_group = 94;
#elif defined(__s390x__)
constexpr long nr_exit_group = 248;
#endif

}  // namespace

extern "C" [[noreturn]] void start() {
  const int result = run();
  for (;;) uring::arch::syscall6(nr_exit_group, result, 0, 0, 0, 0, 0);
}

// The kernel starts us with a stack that a compiled function must not take as its own: realign it.
#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n xor %ebp, %ebp\n and $-16, %rsp\n call start\n");
#elif defined(__aarch64__)
__asm__(".globl _start\n_start:\n mov x29, #0\n and sp, sp, #-16\n b start\n");
#elif defined(__riscv)
__asm__(
    ".globl _start\n_start:\n .option push\n .option norelax\n la gp, __global_pointer$\n .option pop\n"
    " andi sp, sp, -16\n tail start\n");
#elif defined(__s390x__)
__asm__(".globl _start\n_start:\n aghi %r15, -160\n jg start\n");
#endif
