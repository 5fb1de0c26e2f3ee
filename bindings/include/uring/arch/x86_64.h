// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Layer 1 for x86_64: one instruction, seven registers.
//
//   number    rax          result    rax (negative errno in [-4095, -1])
//   1st arg   rdi          4th arg   r10  (not rcx as in a C call: the instruction itself uses rcx)
//   2nd arg   rsi          5th arg   r8
//   3rd arg   rdx          6th arg   r9
//   lost      rcx, r11     (the CPU keeps the return address and the flags there)
//
// Source: syscall(2), and the AMD64 manual's page on SYSCALL.
#ifndef URING_ARCH_X86_64_H
#define URING_ARCH_X86_64_H

#include <cstddef>

namespace uring::arch {

// io_uring's own numbers (425 to 427) are the same everywhere: see syscall.h.
inline constexpr long nr_close = 3;
inline constexpr long nr_mmap = 9;
inline constexpr long nr_munmap = 11;
inline constexpr bool mmap_takes_a_block = false;
inline constexpr std::size_t largest_page = 4096;  // bytes

[[gnu::always_inline]] inline long syscall6(long number, long a1, long a2, long a3, long a4, long a5,
                                            long a6) noexcept {
  register long r10 __asm__("r10") = a4;
  register long r8 __asm__("r8") = a5;
  register long r9 __asm__("r9") = a6;
  long result = number;
  __asm__ volatile("syscall"
                   : "+a"(result)
                   : "D"(a1), "S"(a2), "d"(a3), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

}  // namespace uring::arch

#endif
