// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Errors and results: the kernel's number, unchanged, in one machine word.
//
// Nothing here throws and there is no errno variable. A Result is what the kernel returned: a value, or
// an error number. The few conditions that the binding itself detects (before or instead of a system
// call) have numbers of their own above the kernel's range, so they can never be mistaken for an errno.
#ifndef URING_RESULT_H
#define URING_RESULT_H

// Here, because every other header includes this one. A Result is one machine word that holds every 32-bit
// value besides the errors, and an SQE holds addresses in 64 bits.
#ifndef __LP64__
#error "uring is for 64-bit programs (x86_64, aarch64, riscv64, s390x): leave out -m32, -mx32 or -mabi=ilp32."
#endif

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

// A violated precondition stops the program on the spot, in every build: there is no message to print without
// a libc, and a ring used wrongly corrupts memory that the kernel writes to.
#define URING_ASSERT(condition)         \
  do {                                  \
    if (!(condition)) __builtin_trap(); \
  } while (false)

// A reference in a Result refers to something that outlives the Result. GCC 14 and newer guess otherwise
// (-Wdangling-reference), unless they are told.
#if defined(__has_cpp_attribute) && __has_cpp_attribute(gnu::no_dangling)
#define URING_NO_DANGLING [[gnu::no_dangling]]
#else
#define URING_NO_DANGLING
#endif

/// The binding: see uring.h for its layers, and README.md for how it is used.
namespace uring {

/// The largest error number of the kernel (MAX_ERRNO in include/linux/err.h).
inline constexpr long max_errno = 4095;

/// An error number. The names are those of errno(3) in lower case, as far as a ring and the usual requests
/// return them; any other errno of the kernel is a valid value too, and keeps its number.
enum class Error : std::uint16_t {
  none = 0,

  perm = 1,           ///< EPERM
  noent = 2,          ///< ENOENT
  intr = 4,           ///< EINTR
  io = 5,             ///< EIO
  nxio = 6,           ///< ENXIO
  badf = 9,           ///< EBADF
  again = 11,         ///< EAGAIN
  nomem = 12,         ///< ENOMEM
  acces = 13,         ///< EACCES
  fault = 14,         ///< EFAULT
  busy = 16,          ///< EBUSY
  exist = 17,         ///< EEXIST
  notdir = 20,        ///< ENOTDIR
  isdir = 21,         ///< EISDIR
  inval = 22,         ///< EINVAL
  nfile = 23,         ///< ENFILE
  mfile = 24,         ///< EMFILE
  nospc = 28,         ///< ENOSPC
  pipe = 32,          ///< EPIPE
  nosys = 38,         ///< ENOSYS
  badr = 53,          ///< EBADR
  time = 62,          ///< ETIME
  overflow = 75,      ///< EOVERFLOW
  badfd = 77,         ///< EBADFD
  notsock = 88,       ///< ENOTSOCK
  opnotsupp = 95,     ///< EOPNOTSUPP
  addrinuse = 98,     ///< EADDRINUSE
  connreset = 104,    ///< ECONNRESET
  nobufs = 105,       ///< ENOBUFS
  timedout = 110,     ///< ETIMEDOUT
  connrefused = 111,  ///< ECONNREFUSED
  already = 114,      ///< EALREADY
  canceled = 125,     ///< ECANCELED
  ownerdead = 130,    ///< EOWNERDEAD

  /// The binding's own. No system call has these numbers.
  entries_zero = 4096,       ///< init: a ring needs at least one entry
  entries_not_power_of_two,  ///< init: the kernel would silently round up
  flags_not_supported,       ///< init: a setup flag for another type of ring or another function; resize
  system_outdated,           ///< init: kernel before 5.4 (no IORING_FEAT_SINGLE_MMAP)
  ring_layout_invalid,       ///< init: the kernel's answer contradicts itself
  submission_queue_full,     ///< get_sqe and every operation: submit first, then try again
  no_buffer_selected,        ///< Cqe::buffer_id, BufferGroup: the kernel took no buffer for this CQE
  buffer_out_of_range,       ///< BufferGroup: no such buffer or bytes in this group; a CQE of another group?
  entries_not_in_range,      ///< buffer rings, refill queues: 1 to 32768 entries
  length_too_large,          ///< sync_file_range, provide_buffers, BufferGroup: it does not fit into 32 bits
  entries_too_few,           ///< init: a ring with MixedSqes needs four
  memory_too_small,          ///< init_mem: fewer bytes than Ring::memory_size
  refill_queue_full,         ///< ZeroCopyReceiver::put: flush first, then try again
  message_too_short,         ///< ReceivedMessage: less than what comes before the message
};

/// True for the kernel's own numbers, false for `none` and for the binding's.
constexpr bool is_errno(Error error) noexcept {
  return error != Error::none && static_cast<long>(error) <= max_errno;
}

/// A value of type T or an Error, in one machine word. T is void, an unsigned integer of at most 32 bits, a
/// signed one whose values are never negative (it traps otherwise), a pointer, or a reference.
template <class T>
class [[nodiscard]] URING_NO_DANGLING Result {
  static constexpr bool is_reference = std::is_lvalue_reference_v<T>;
  static constexpr bool is_pointer = std::is_pointer_v<T>;
  static constexpr bool is_small_integer = [] {
    if constexpr (std::is_integral_v<T>) return sizeof(T) <= sizeof(std::uint32_t);
    return false;
  }();
  static_assert(std::is_void_v<T> || is_reference || is_pointer || is_small_integer);
  using Pointer = std::add_pointer_t<T>;  // of the referred-to type when T is a reference

 public:
  /// An error.
  constexpr Result(Error error) noexcept : word_(-static_cast<long>(error)) {}

  /// By hand, as clang-format 14 does not know where a requires clause ends.
  // clang-format off
  template <class U>
    requires(!std::is_void_v<T> && std::is_convertible_v<U, T> &&
             !std::is_same_v<std::remove_cvref_t<U>, Error> &&
             !std::is_same_v<std::remove_cvref_t<U>, Result>)
  // NOLINTNEXTLINE(bugprone-forwarding-reference-overload): clang-tidy 14 does not see what that rules out.
  constexpr Result(U&& value) noexcept : word_(to_word(value)) {
    if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
      URING_ASSERT(!is_error(word_));
    } else {
      // A value of this type is never an error. With this hint the compiler does not check again in value().
      if (is_error(word_)) __builtin_unreachable();
    }
  }

  constexpr Result() noexcept
    requires(std::is_void_v<T>)
      : word_(0) {}
  // clang-format on

  /// What a system call returned: a negative errno or the value.
  static constexpr Result from_kernel(long word) noexcept { return Result(Raw{word}); }

  /// True if there is a value.
  constexpr bool ok() const noexcept { return !is_error(word_); }

  /// The same.
  constexpr explicit operator bool() const noexcept { return ok(); }

  /// The error, or Error::none.
  constexpr Error error() const noexcept { return ok() ? Error::none : static_cast<Error>(-word_); }

  /// The value. Traps when there is none: look at ok() first.
  constexpr T value() const noexcept {
    URING_ASSERT(ok());
    if constexpr (is_reference) {
      return *reinterpret_cast<Pointer>(word_);
    } else if constexpr (is_pointer) {
      return reinterpret_cast<T>(word_);
    } else if constexpr (!std::is_void_v<T>) {
      return static_cast<T>(word_);
    }
  }

  /// The same as value().
  constexpr T operator*() const noexcept { return value(); }

  // clang-format off
  /// A member of what a reference refers to. Traps when there is none.
  constexpr Pointer operator->() const noexcept
    requires(is_reference)
  {
    return &value();
  }
  // clang-format on

  /// The same value or the same error.
  friend constexpr bool operator==(Result a, Result b) noexcept { return a.word_ == b.word_; }

  /// This error; Error::none equals every value.
  friend constexpr bool operator==(Result a, Error b) noexcept { return a.error() == b; }

 private:
  struct Raw {
    long word;
  };
  constexpr explicit Result(Raw raw) noexcept : word_(raw.word) {}

  // The last two pages of the address space belong to the kernel, so no pointer and no 32-bit value can be
  // mistaken for an error, either the kernel's (up to 4095) or ours (just above).
  static constexpr bool is_error(long word) noexcept {
    if constexpr (is_reference || is_pointer) return word < 0 && word >= -8191;
    return word < 0;
  }

  template <class U>
  static constexpr long to_word(U& value) noexcept {
    if constexpr (is_reference) {
      return reinterpret_cast<long>(&value);
    } else if constexpr (is_pointer) {
      return reinterpret_cast<long>(value);
    } else {
      return static_cast<long>(static_cast<T>(value));
    }
  }

  long word_;
};

/// A view of memory or an Error: the one Result of two words, which travels in two registers.
template <class T>
class [[nodiscard]] URING_NO_DANGLING Result<std::span<T>> {
 public:
  /// An error.
  constexpr Result(Error error) noexcept : first_(error), size_(0) {}

  /// A view.
  constexpr Result(std::span<T> value) noexcept : first_(value.data()), size_(value.size()) {}

  /// True if there is a view.
  constexpr bool ok() const noexcept { return first_.ok(); }

  /// The same.
  constexpr explicit operator bool() const noexcept { return ok(); }

  /// The error, or Error::none.
  constexpr Error error() const noexcept { return first_.error(); }

  /// The view. Traps when there is none: look at ok() first.
  constexpr std::span<T> value() const noexcept { return std::span<T>(first_.value(), size_); }

  /// The same as value().
  constexpr std::span<T> operator*() const noexcept { return value(); }

  /// This error; Error::none equals every view.
  friend constexpr bool operator==(Result a, Error b) noexcept { return a.error() == b; }

 private:
  Result<T*> first_;
  std::size_t size_;
};

static_assert(sizeof(Result<void>) == sizeof(long) && sizeof(Result<int&>) == sizeof(long));

}  // namespace uring

#undef URING_NO_DANGLING

#endif
