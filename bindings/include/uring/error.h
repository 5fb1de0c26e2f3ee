// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// A name and a sentence for every error, the kernel's and the binding's, without a C library:
//
//   std::fprintf(stderr, "open: %s (%s)\n", uring::what(error).c_str(), uring::name(error).c_str());
//   // open: No such file or directory (ENOENT)
//
// The texts are in a program only if it uses them. See std.h for std::error_code, streams and std::format.
#ifndef URING_ERROR_H
#define URING_ERROR_H

#include "result.h"

namespace uring {

namespace detail {

struct ErrorDescription {
  const char* name = nullptr;
  const char* what = nullptr;
};

// clang-format off

// The binding's own.
constexpr ErrorDescription describe_own(Error error) noexcept {
  switch (error) {
    case Error::none: return {"none", "No error"};
    case Error::entries_zero:
      return {"entries_zero", "A ring needs at least one entry: ask for a power of two"};
    case Error::entries_not_power_of_two:
      return {"entries_not_power_of_two", "The number of entries is not a power of two: round it up"};
    case Error::flags_not_supported:
      return {"flags_not_supported", "These flags are for another type of ring, or another function: see ring.h"};
    case Error::system_outdated:
      return {"system_outdated", "The kernel is too old for the binding: use Linux 5.4 or newer"};
    case Error::ring_layout_invalid:
      return {"ring_layout_invalid", "The kernel contradicts itself about the ring: report this kernel"};
    case Error::submission_queue_full:
      return {"submission_queue_full", "The submission queue is full: submit, then try again"};
    case Error::no_buffer_selected:
      return {"no_buffer_selected", "The kernel took no buffer for this completion: look at its res first"};
    case Error::buffer_out_of_range:
      return {"buffer_out_of_range", "The group has no such buffer: is this a completion of another group?"};
    case Error::entries_not_in_range:
      return {"entries_not_in_range", "A buffer ring or refill queue has 1 to 32768 entries: ask for a number in this range"};
    case Error::length_too_large:
      return {"length_too_large", "The length does not fit into the request's 32 bits: split it"};
    case Error::entries_too_few:
      return {"entries_too_few", "A ring of mixed SQEs needs at least four entries: ask for more"};
    case Error::memory_too_small:
      return {"memory_too_small", "The memory is too small for this ring: ask Ring::memory_size how much it needs"};
    case Error::refill_queue_full:
      return {"refill_queue_full", "The refill queue is full: flush, then try again"};
    case Error::message_too_short:
      return {"message_too_short", "The bytes end before the message: pass the sizes that the request had"};
    default: return {};
  }
}

// The kernel's: the numbers of its asm-generic/errno.h, which x86_64, aarch64, riscv64 and s390x share, with
// the sentences of the C library; and those of its internal linux/errno.h that some releases returned by
// mistake.
constexpr ErrorDescription describe_errno(int number) noexcept {
  switch (number) {
    case 1: return {"EPERM", "Operation not permitted"};
    case 2: return {"ENOENT", "No such file or directory"};
    case 3: return {"ESRCH", "No such process"};
    case 4: return {"EINTR", "Interrupted system call"};
    case 5: return {"EIO", "Input/output error"};
    case 6: return {"ENXIO", "No such device or address"};
    case 7: return {"E2BIG", "Argument list too long"};
    case 8: return {"ENOEXEC", "Exec format error"};
    case 9: return {"EBADF", "Bad file descriptor"};
    case 10: return {"ECHILD", "No child processes"};
    case 11: return {"EAGAIN", "Resource temporarily unavailable"};
    case 12: return {"ENOMEM", "Cannot allocate memory"};
    case 13: return {"EACCES", "Permission denied"};
    case 14: return {"EFAULT", "Bad address"};
    case 15: return {"ENOTBLK", "Block device required"};
    case 16: return {"EBUSY", "Device or resource busy"};
    case 17: return {"EEXIST", "File exists"};
    case 18: return {"EXDEV", "Invalid cross-device link"};
    case 19: return {"ENODEV", "No such device"};
    case 20: return {"ENOTDIR", "Not a directory"};
    case 21: return {"EISDIR", "Is a directory"};
    case 22: return {"EINVAL", "Invalid argument"};
    case 23: return {"ENFILE", "Too many open files in system"};
    case 24: return {"EMFILE", "Too many open files"};
    case 25: return {"ENOTTY", "Inappropriate ioctl for device"};
    case 26: return {"ETXTBSY", "Text file busy"};
    case 27: return {"EFBIG", "File too large"};
    case 28: return {"ENOSPC", "No space left on device"};
    case 29: return {"ESPIPE", "Illegal seek"};
    case 30: return {"EROFS", "Read-only file system"};
    case 31: return {"EMLINK", "Too many links"};
    case 32: return {"EPIPE", "Broken pipe"};
    case 33: return {"EDOM", "Numerical argument out of domain"};
    case 34: return {"ERANGE", "Numerical result out of range"};
    case 35: return {"EDEADLK", "Resource deadlock avoided"};
    case 36: return {"ENAMETOOLONG", "File name too long"};
    case 37: return {"ENOLCK", "No locks available"};
    case 38: return {"ENOSYS", "Function not implemented"};
    case 39: return {"ENOTEMPTY", "Directory not empty"};
    case 40: return {"ELOOP", "Too many levels of symbolic links"};
    case 42: return {"ENOMSG", "No message of desired type"};
    case 43: return {"EIDRM", "Identifier removed"};
    case 44: return {"ECHRNG", "Channel number out of range"};
    case 45: return {"EL2NSYNC", "Level 2 not synchronized"};
    case 46: return {"EL3HLT", "Level 3 halted"};
    case 47: return {"EL3RST", "Level 3 reset"};
    case 48: return {"ELNRNG", "Link number out of range"};
    case 49: return {"EUNATCH", "Protocol driver not attached"};
    case 50: return {"ENOCSI", "No CSI structure available"};
    case 51: return {"EL2HLT", "Level 2 halted"};
    case 52: return {"EBADE", "Invalid exchange"};
    case 53: return {"EBADR", "Invalid request descriptor"};
    case 54: return {"EXFULL", "Exchange full"};
    case 55: return {"ENOANO", "No anode"};
    case 56: return {"EBADRQC", "Invalid request code"};
    case 57: return {"EBADSLT", "Invalid slot"};
    case 59: return {"EBFONT", "Bad font file format"};
    case 60: return {"ENOSTR", "Device not a stream"};
    case 61: return {"ENODATA", "No data available"};
    case 62: return {"ETIME", "Timer expired"};
    case 63: return {"ENOSR", "Out of streams resources"};
    case 64: return {"ENONET", "Machine is not on the network"};
    case 65: return {"ENOPKG", "Package not installed"};
    case 66: return {"EREMOTE", "Object is remote"};
    case 67: return {"ENOLINK", "Link has been severed"};
    case 68: return {"EADV", "Advertise error"};
    case 69: return {"ESRMNT", "Srmount error"};
    case 70: return {"ECOMM", "Communication error on send"};
    case 71: return {"EPROTO", "Protocol error"};
    case 72: return {"EMULTIHOP", "Multihop attempted"};
    case 73: return {"EDOTDOT", "RFS specific error"};
    case 74: return {"EBADMSG", "Bad message"};
    case 75: return {"EOVERFLOW", "Value too large for defined data type"};
    case 76: return {"ENOTUNIQ", "Name not unique on network"};
    case 77: return {"EBADFD", "File descriptor in bad state"};
    case 78: return {"EREMCHG", "Remote address changed"};
    case 79: return {"ELIBACC", "Can not access a needed shared library"};
    case 80: return {"ELIBBAD", "Accessing a corrupted shared library"};
    case 81: return {"ELIBSCN", ".lib section in a.out corrupted"};
    case 82: return {"ELIBMAX", "Attempting to link in too many shared libraries"};
    case 83: return {"ELIBEXEC", "Cannot exec a shared library directly"};
    case 84: return {"EILSEQ", "Invalid or incomplete multibyte or wide character"};
    case 85: return {"ERESTART", "Interrupted system call should be restarted"};
    case 86: return {"ESTRPIPE", "Streams pipe error"};
    case 87: return {"EUSERS", "Too many users"};
    case 88: return {"ENOTSOCK", "Socket operation on non-socket"};
    case 89: return {"EDESTADDRREQ", "Destination address required"};
    case 90: return {"EMSGSIZE", "Message too long"};
    case 91: return {"EPROTOTYPE", "Protocol wrong type for socket"};
    case 92: return {"ENOPROTOOPT", "Protocol not available"};
    case 93: return {"EPROTONOSUPPORT", "Protocol not supported"};
    case 94: return {"ESOCKTNOSUPPORT", "Socket type not supported"};
    case 95: return {"EOPNOTSUPP", "Operation not supported"};
    case 96: return {"EPFNOSUPPORT", "Protocol family not supported"};
    case 97: return {"EAFNOSUPPORT", "Address family not supported by protocol"};
    case 98: return {"EADDRINUSE", "Address already in use"};
    case 99: return {"EADDRNOTAVAIL", "Cannot assign requested address"};
    case 100: return {"ENETDOWN", "Network is down"};
    case 101: return {"ENETUNREACH", "Network is unreachable"};
    case 102: return {"ENETRESET", "Network dropped connection on reset"};
    case 103: return {"ECONNABORTED", "Software caused connection abort"};
    case 104: return {"ECONNRESET", "Connection reset by peer"};
    case 105: return {"ENOBUFS", "No buffer space available"};
    case 106: return {"EISCONN", "Transport endpoint is already connected"};
    case 107: return {"ENOTCONN", "Transport endpoint is not connected"};
    case 108: return {"ESHUTDOWN", "Cannot send after transport endpoint shutdown"};
    case 109: return {"ETOOMANYREFS", "Too many references: cannot splice"};
    case 110: return {"ETIMEDOUT", "Connection timed out"};
    case 111: return {"ECONNREFUSED", "Connection refused"};
    case 112: return {"EHOSTDOWN", "Host is down"};
    case 113: return {"EHOSTUNREACH", "No route to host"};
    case 114: return {"EALREADY", "Operation already in progress"};
    case 115: return {"EINPROGRESS", "Operation now in progress"};
    case 116: return {"ESTALE", "Stale file handle"};
    case 117: return {"EUCLEAN", "Structure needs cleaning"};
    case 118: return {"ENOTNAM", "Not a XENIX named type file"};
    case 119: return {"ENAVAIL", "No XENIX semaphores available"};
    case 120: return {"EISNAM", "Is a named type file"};
    case 121: return {"EREMOTEIO", "Remote I/O error"};
    case 122: return {"EDQUOT", "Disk quota exceeded"};
    case 123: return {"ENOMEDIUM", "No medium found"};
    case 124: return {"EMEDIUMTYPE", "Wrong medium type"};
    case 125: return {"ECANCELED", "Operation canceled"};
    case 126: return {"ENOKEY", "Required key not available"};
    case 127: return {"EKEYEXPIRED", "Key has expired"};
    case 128: return {"EKEYREVOKED", "Key has been revoked"};
    case 129: return {"EKEYREJECTED", "Key was rejected by service"};
    case 130: return {"EOWNERDEAD", "Owner died"};
    case 131: return {"ENOTRECOVERABLE", "State not recoverable"};
    case 132: return {"ERFKILL", "Operation not possible due to RF-kill"};
    case 133: return {"EHWPOISON", "Memory page has hardware error"};
    case 512: return {"ERESTARTSYS", "Interrupted; the kernel should have made this EINTR"};
    case 513: return {"ERESTARTNOINTR", "Interrupted; the kernel should have made this EINTR"};
    case 514: return {"ERESTARTNOHAND", "Interrupted; the kernel should have made this EINTR"};
    case 516: return {"ERESTART_RESTARTBLOCK", "Interrupted; the kernel should have made this EINTR"};
    case 524: return {"ENOTSUPP", "Operation not supported; the kernel should have made this EOPNOTSUPP"};
    default: return {};
  }
}
// clang-format on

constexpr ErrorDescription describe(Error error) noexcept {
  return is_errno(error) ? describe_errno(static_cast<int>(error)) : describe_own(error);
}

}  // namespace detail

/// The text that belongs to an error: one from the tables above, or one made for a number that is not there.
class ErrorText {
 public:
  /// Ends with a null character. Valid as long as this object.
  constexpr const char* c_str() const noexcept { return known_ != nullptr ? known_ : made_; }

  ErrorText(const ErrorText&) = delete;  ///< Clang without optimisation would call memcpy
  ErrorText& operator=(const ErrorText&) = delete;

 private:
  friend constexpr ErrorText name(Error error) noexcept;
  friend constexpr ErrorText what(Error error) noexcept;

  // Without initialising made_, for which Clang without optimisation would call memset.
  constexpr ErrorText(const char* known, Error error, const char* before, const char* after) noexcept
      : known_(known) {
    if (known != nullptr) return;
    char* end = append(made_, before);
    unsigned divisor = 10'000, number = static_cast<unsigned>(error);
    while (divisor > number) divisor /= 10;
    for (; divisor > 0; divisor /= 10) *end++ = static_cast<char>('0' + number / divisor % 10);
    *append(end, after) = '\0';
  }

  static constexpr char* append(char* end, const char* text) noexcept {
    while (*text != '\0') *end++ = *text++;
    return end;
  }

  const char* known_;
  char made_[80];
};

/// The name: "ENOENT", "submission_queue_full". For a number without one: "errno_999", "error_9999".
constexpr ErrorText name(Error error) noexcept {
  return ErrorText(detail::describe(error).name, error, is_errno(error) ? "errno_" : "error_", "");
}

/// The sentence: "No such file or directory", "The submission queue is full: submit, then try again". Without
/// a full stop, as strerror(3) has it.
constexpr ErrorText what(Error error) noexcept {
  const char* const known = detail::describe(error).what;
  if (is_errno(error))
    return ErrorText(known, error, "The kernel returned ", ", an errno that Linux 7.3 has no name for");
  return ErrorText(known, error, "", " is not an error of this version of the binding");
}

}  // namespace uring

#endif
