// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Layer 1 for riscv64: one instruction, seven registers.
//
//   number    a7           result    a0 (negative errno in [-4095, -1])
//   1st arg   a0           4th arg   a3
//   2nd arg   a1           5th arg   a4
//   3rd arg   a2           6th arg   a5
//   lost      a0; with V also all vector registers and the vector configuration
//
// Source: syscall(2), and the kernel's Documentation/arch/riscv/vector.rst for V. Numbers: the kernel's
// generic table (include/uapi/asm-generic/unistd.h).
#ifndef URING_ARCH_RISCV64_H
#define URING_ARCH_RISCV64_H

#include <cstddef>

// Compilers set the configuration anew after every asm. GCC 12 has no names for vector registers, and no use
// for them.
#if defined(__riscv_vector) && (defined(__clang__) || __GNUC__ >= 13)
#define URING_LOST                                                                                         \
  "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", \
      "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28",    \
      "v29", "v30", "v31"
#else
#define URING_LOST "memory"
#endif

namespace uring::arch {

inline constexpr long nr_close = 57;
inline constexpr long nr_munmap = 215;
inline constexpr long nr_mmap = 222;
inline constexpr bool mmap_takes_a_block = false;
inline constexpr std::size_t largest_page = 4096;  // bytes

[[gnu::always_inline]] inline long syscall6(long number, long a1, long a2, long a3, long a4, long a5,
                                            long a6) noexcept {
  register long a7_ __asm__("a7") = number;
  register long a0_ __asm__("a0") = a1;
  register long a1_ __asm__("a1") = a2;
  register long a2_ __asm__("a2") = a3;
  register long a3_ __asm__("a3") = a4;
  register long a4_ __asm__("a4") = a5;
  register long a5_ __asm__("a5") = a6;
  __asm__ volatile("ecall"
                   : "+r"(a0_)
                   : "r"(a7_), "r"(a1_), "r"(a2_), "r"(a3_), "r"(a4_), "r"(a5_)
                   : URING_LOST);
  return a0_;
}

}  // namespace uring::arch

#undef URING_LOST

#endif
