// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The real kernel, below the observed one, with every system call made by one function whose place in memory
// is known. The traps (traps.h) catch these calls wherever they come from but
// there.
#ifndef CONFORMANCE_SEAM_BARE_KERNEL_H
#define CONFORMANCE_SEAM_BARE_KERNEL_H

#include <array>
#include <cstddef>
#include <cstdint>

#include "seam/kernel_abi.h"

namespace conformance {

using SystemCall = std::array<long, 6>;  // its arguments

// Makes the call; its result or a negative errno.
long bare_call(long number, const SystemCall& arguments) noexcept;

// Where the instruction that makes it lies: first and last address of its function.
struct CodeRange {
  std::uint64_t first, last;
};
CodeRange bare_call_range() noexcept;

struct BareKernel {
  static long setup(std::uint32_t entries, wire::Params* params) noexcept;
  static long enter(int fd, std::uint32_t to_submit, std::uint32_t min_complete, std::uint32_t flags,
                    const void* arg, std::size_t arg_size) noexcept;
  static long do_register(int fd, std::uint32_t op, const void* arg, std::uint32_t count) noexcept;
  static long map_ring(int fd, std::size_t bytes, std::uint64_t offset) noexcept;
  static long map_anonymous(std::size_t bytes) noexcept;
  static long unmap(void* address, std::size_t bytes) noexcept;
  static long close(int fd) noexcept;
};

}  // namespace conformance

#endif
