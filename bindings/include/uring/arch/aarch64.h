// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Layer 1 for aarch64: one instruction, seven registers.
//
//   number    x8           result    x0 (negative errno in [-4095, -1])
//   1st arg   x0           4th arg   x3
//   2nd arg   x1           5th arg   x4
//   3rd arg   x2           6th arg   x5
//   lost      x0; with SVE also the predicates, and of the vectors what is above their first 128 bits
//
// Source: syscall(2), and the kernel's Documentation/arch/arm64/sve.rst for SVE. Numbers: the kernel's
// generic table (include/uapi/asm-generic/unistd.h).
#ifndef URING_ARCH_AARCH64_H
#define URING_ARCH_AARCH64_H

#include <cstddef>

#ifdef __ARM_FEATURE_SVE
#define URING_LOST                                                                                          \
  "memory", "cc", "ffr", "p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9", "p10", "p11", "p12",   \
      "p13", "p14", "p15", "z0", "z1", "z2", "z3", "z4", "z5", "z6", "z7", "z8", "z9", "z10", "z11", "z12", \
      "z13", "z14", "z15", "z16", "z17", "z18", "z19", "z20", "z21", "z22", "z23", "z24", "z25", "z26",     \
      "z27", "z28", "z29", "z30", "z31"
#else
#define URING_LOST "memory", "cc"
#endif

namespace uring::arch {

inline constexpr long nr_close = 57;
inline constexpr long nr_munmap = 215;
inline constexpr long nr_mmap = 222;
inline constexpr bool mmap_takes_a_block = false;
inline constexpr std::size_t largest_page = 65536;  // bytes; the kernel may be built for 4, 16 or 64 KiB

[[gnu::always_inline]] inline long syscall6(long number, long a1, long a2, long a3, long a4, long a5,
                                            long a6) noexcept {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a1;
  register long x1 __asm__("x1") = a2;
  register long x2 __asm__("x2") = a3;
  register long x3 __asm__("x3") = a4;
  register long x4 __asm__("x4") = a5;
  register long x5 __asm__("x5") = a6;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : URING_LOST);
  return x0;
}

}  // namespace uring::arch

#undef URING_LOST

#endif
