// The real kernel, below the observed one: uring::LinuxKernel once more, with every system call made by one
// function whose place in memory is known. The traps (traps.h) catch these calls wherever they come from but
// there.
#ifndef CONFORMANCE_SEAM_BARE_KERNEL_H
#define CONFORMANCE_SEAM_BARE_KERNEL_H

#include <uring/uring.h>

#include <array>
#include <cstddef>
#include <cstdint>

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
  static long setup(uring::u32 entries, uring::Params* params) noexcept;
  static long enter(int fd, uring::u32 to_submit, uring::u32 min_complete, uring::u32 flags, const void* arg,
                    std::size_t arg_size) noexcept;
  static long do_register(int fd, uring::RegisterOp op, const void* arg, uring::u32 count) noexcept;
  static long map_ring(int fd, std::size_t bytes, uring::u64 offset) noexcept;
  static long map_anonymous(std::size_t bytes) noexcept;
  static long unmap(void* address, std::size_t bytes) noexcept;
  static long close(int fd) noexcept;
};

}  // namespace conformance

#endif
