// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Layer 1 for s390x: one instruction, seven registers. Big-endian.
//
//   number    r1           result    r2 (negative errno in [-4095, -1])
//   1st arg   r2           4th arg   r5
//   2nd arg   r3           5th arg   r6
//   3rd arg   r4           6th arg   r7
//   lost      r2, and the condition code
//
// mmap(2) is the exception: its one argument is the address of a block with the six.
//
// Source: syscall(2), mmap(2), and the kernel's arch/s390/kernel/syscall.c. Numbers: the kernel's
// arch/s390/kernel/syscalls/syscall.tbl.
#ifndef URING_ARCH_S390X_H
#define URING_ARCH_S390X_H

#include <cstddef>

namespace uring::arch {

// io_uring's own numbers (425 to 427) are the same everywhere: see syscall.h.
inline constexpr long nr_close = 6;
inline constexpr long nr_mmap = 90;
inline constexpr long nr_munmap = 91;
inline constexpr bool mmap_takes_a_block = true;
inline constexpr std::size_t largest_page = 4096;  // bytes

[[gnu::always_inline]] inline long syscall6(long number, long a1, long a2, long a3, long a4, long a5,
                                            long a6) noexcept {
  register long r1 __asm__("r1") = number;
  register long r2 __asm__("r2") = a1;
  register long r3 __asm__("r3") = a2;
  register long r4 __asm__("r4") = a3;
  register long r5 __asm__("r5") = a4;
  register long r6 __asm__("r6") = a5;
  register long r7 __asm__("r7") = a6;
  __asm__ volatile("svc 0"
                   : "+d"(r2)
                   : "d"(r1), "d"(r3), "d"(r4), "d"(r5), "d"(r6), "d"(r7)
                   : "cc", "memory");
  return r2;
}

}  // namespace uring::arch

#endif
