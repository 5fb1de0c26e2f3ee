// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Layer 2: the system calls of the binding, typed, returning what the kernel returned (a negative errno on
// failure). Everything above goes through `LinuxKernel`, and through nothing else: it is the one seam at
// which a test can put a kernel of its own that logs, fails on demand, or lies.
#ifndef URING_SYSCALL_H
#define URING_SYSCALL_H

#include "abi.h"

// 32-bit programs, x32 among them, are refused in result.h.
#if defined(__x86_64__)
#include "arch/x86_64.h"
#elif defined(__aarch64__)
#include "arch/aarch64.h"
#elif defined(__riscv)
#include "arch/riscv64.h"
#elif defined(__s390x__)
#include "arch/s390x.h"
#else
#error \
    "uring has no system calls for this architecture yet: add one file like arch/x86_64.h and name it here."
#endif

namespace uring {

// The same numbers on every architecture (include/uapi/asm-generic/unistd.h).
inline constexpr long nr_io_uring_setup = 425;     ///< io_uring_setup(2)
inline constexpr long nr_io_uring_enter = 426;     ///< io_uring_enter(2)
inline constexpr long nr_io_uring_register = 427;  ///< io_uring_register(2)

// mmap(2), as far as a ring needs it.
inline constexpr u32 prot_read = 1;          ///< PROT_READ
inline constexpr u32 prot_write = 2;         ///< PROT_WRITE
inline constexpr u32 map_shared = 0x01;      ///< MAP_SHARED
inline constexpr u32 map_private = 0x02;     ///< MAP_PRIVATE
inline constexpr u32 map_anon = 0x20;        ///< MAP_ANONYMOUS
inline constexpr u32 map_populate = 0x8000;  ///< MAP_POPULATE

/// Linux itself: the system calls that a ring needs. Has no state and takes no room in a ring. All of them
/// are async-signal-safe and touch no errno variable.
struct LinuxKernel {
  /// io_uring_setup(2), since Linux 5.1. Returns a descriptor (close-on-exec).
  ///   EFAULT  params is not readable and writable
  ///   EINVAL  a flag this kernel does not know, flags that exclude each other, entries 0 or over 32768, or a
  ///           non-zero reserved word
  ///   EMFILE  the process has no descriptor left: RLIMIT_NOFILE
  ///   ENFILE  the system has none left: fs.file-max
  ///   ENOMEM  no memory; up to 5.11 usually RLIMIT_MEMLOCK, which closed rings free only after a moment
  ///   ENOSYS  no io_uring: kernel before 5.1, built without CONFIG_IO_URING, or a seccomp policy
  ///   ENXIO   wq_fd (with setup_attach_wq) is not an open descriptor
  ///   EPERM   sysctl kernel.io_uring_disabled (6.6), a seccomp policy, or setup_sqpoll without the privilege
  ///           that kernels before 5.13 ask for
  static long setup(u32 entries, Params* params) noexcept {
    return arch::syscall6(nr_io_uring_setup, static_cast<long>(entries), reinterpret_cast<long>(params), 0, 0,
                          0, 0);
  }

  /// io_uring_enter(2), since Linux 5.1. Consumes up to to_submit SQEs, then waits for min_complete CQEs if
  /// flags has enter_getevents. arg is a signal set of arg_size bytes, or with enter_ext_arg (5.11) a
  /// GeteventsArg. Returns how many SQEs were consumed. An operation that fails says so in its CQE, never
  /// here.
  ///   EAGAIN     no memory for a request right now: reap completions, try again
  ///   EBADF      fd is not open
  ///   EBADFD     the ring is disabled (setup_r_disabled without RegisterOp::enable_rings)
  ///   EBADR      completions were lost for want of memory (5.19)
  ///   EBUSY      too many completions overflowed: reap, try again
  ///   EEXIST     setup_single_issuer, and this is another thread
  ///   EFAULT     arg is not readable
  ///   EINTR      a signal came while waiting; what was submitted stays submitted
  ///   EINVAL     a flag this kernel does not know, or a wrong arg_size
  ///   ENXIO      the ring is being torn down
  ///   EOPNOTSUPP fd is not a ring
  ///   EOWNERDEAD the SQPOLL thread is gone
  ///   ETIME      the timeout of a GeteventsArg expired (5.11)
  [[gnu::always_inline]] static long enter(int fd, u32 to_submit, u32 min_complete, u32 flags,
                                           const void* arg, std::size_t arg_size) noexcept {
    return arch::syscall6(nr_io_uring_enter, fd, static_cast<long>(to_submit),
                          static_cast<long>(min_complete), static_cast<long>(flags),
                          reinterpret_cast<long>(arg), static_cast<long>(arg_size));
  }

  /// io_uring_register(2), since Linux 5.1. Returns 0, or a count where the operation says so. The common
  /// errors:
  ///   EBADF   a descriptor in the argument is not open, or (5.4) is -1
  ///   EBUSY   something of this kind is registered already
  ///   EEXIST  setup_single_issuer, and this is another thread; or the group id is taken
  ///   EFAULT  arg is not readable or writable
  ///   EINVAL  an operation this kernel does not know, a wrong count, or a non-zero reserved word
  ///   EMFILE  more files than RLIMIT_NOFILE or the kernel's table allow
  ///   ENOMEM  no memory, or RLIMIT_MEMLOCK is too small for the buffers
  ///   ENXIO   nothing of this kind is registered, or the ring is being torn down
  ///   EOPNOTSUPP fd is not a ring
  static long do_register(int fd, RegisterOp op, const void* arg, u32 count) noexcept {
    return arch::syscall6(nr_io_uring_register, fd, static_cast<long>(op), reinterpret_cast<long>(arg),
                          static_cast<long>(count), 0, 0);
  }

  /// mmap(2) of ring memory: shared, readable, writable, populated. Returns its address.
  static long map_ring(int fd, std::size_t bytes, u64 offset) noexcept {
    return map(bytes, map_shared | map_populate, fd, static_cast<long>(offset));
  }

  /// mmap(2) of memory that belongs to no file: private, readable, writable, zero. Returns its address. For
  /// buffer rings.
  static long map_anonymous(std::size_t bytes) noexcept { return map(bytes, map_private | map_anon, -1, 0); }

  /// munmap(2).
  static long unmap(void* address, std::size_t bytes) noexcept {
    return arch::syscall6(arch::nr_munmap, reinterpret_cast<long>(address), static_cast<long>(bytes), 0, 0, 0,
                          0);
  }

  /// close(2). Never repeat it after EINTR: on Linux the descriptor is closed all the same.
  static long close(int fd) noexcept { return arch::syscall6(arch::nr_close, fd, 0, 0, 0, 0, 0); }

 private:
  static long map(std::size_t bytes, u32 flags, int fd, long offset) noexcept {
    const long length = static_cast<long>(bytes), protection = prot_read | prot_write;
    if constexpr (arch::mmap_takes_a_block) {
      const long block[6] = {0, length, protection, static_cast<long>(flags), fd, offset};
      return arch::syscall6(arch::nr_mmap, reinterpret_cast<long>(block), 0, 0, 0, 0, 0);
    } else {
      return arch::syscall6(arch::nr_mmap, 0, length, protection, static_cast<long>(flags), fd, offset);
    }
  }
};

}  // namespace uring

#endif
