// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The binding in programs that use the standard library: std::error_code, streams, and where the library has
// them, std::format and std::expected. Not part of uring.h, because nothing of it is freestanding.
//
//   throw std::system_error(opened.error(), "opening the ring");
//   if (code == std::errc::no_such_file_or_directory) ...
//   std::cerr << cqe.error();                      // No such file or directory (ENOENT)
//   std::format("{:>40}", cqe.error());            // __cpp_lib_format: GCC 13, Clang 17 with libc++
//   uring::to_expected(ring.submit()).and_then(f)  // __cpp_lib_expected, C++23: GCC 12, Clang 19
#ifndef URING_STD_H
#define URING_STD_H

#include <functional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <version>

#ifdef __cpp_lib_expected
#include <expected>
#endif
#ifdef __cpp_lib_format
#include <format>
#endif

#include "error.h"
#include "result.h"

namespace uring {

/// The sentence and the name: "No such file or directory (ENOENT)".
inline std::string to_string(Error error) {
  return std::string(what(error).c_str()) + " (" + name(error).c_str() + ")";
}

/// Writes to_string(error).
inline std::ostream& operator<<(std::ostream& out, Error error) { return out << to_string(error); }

/// The category "uring": the kernel's errors and the binding's. The kernel's are equivalent to std::errc.
inline const std::error_category& error_category() noexcept {
  struct Category : std::error_category {
    const char* name() const noexcept override { return "uring"; }
    std::string message(int number) const override { return to_string(static_cast<Error>(number)); }
    std::error_condition default_error_condition(int number) const noexcept override {
      if (number == 0 || is_errno(static_cast<Error>(number))) return {number, std::generic_category()};
      return {number, *this};
    }
  };
  static const Category category;
  return category;
}

/// For std::error_code: an Error is one.
inline std::error_code make_error_code(Error error) noexcept {
  return {static_cast<int>(error), error_category()};
}

#ifdef __cpp_lib_expected
/// A Result as a std::expected. A reference becomes a std::reference_wrapper, as std::expected has none.
template <class T>
constexpr auto to_expected(const Result<T>& result) noexcept {
  using Value =
      std::conditional_t<std::is_reference_v<T>, std::reference_wrapper<std::remove_reference_t<T>>, T>;
  using Expected = std::expected<Value, Error>;
  if (!result.ok()) return Expected(std::unexpect, result.error());
  if constexpr (std::is_void_v<T>) {
    return Expected();
  } else {
    return Expected(result.value());
  }
}
#endif

}  // namespace uring

// Doxygen 1.9 does not find the scope of this one.
/// \cond
// An Error converts to std::error_code.
template <>
struct std::is_error_code_enum<uring::Error> : std::true_type {};
/// \endcond

#ifdef __cpp_lib_format
/// Takes what a string takes: fill, alignment, width, precision.
template <>
struct std::formatter<uring::Error> : std::formatter<std::string_view> {
  template <class Context>
  auto format(uring::Error error, Context& context) const {
    return std::formatter<std::string_view>::format(uring::to_string(error), context);
  }
};
#endif

#endif
