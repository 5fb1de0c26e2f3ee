// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// <uring/std.h>: errors and results in the standard library's terms. Built once for each version of the
// language that the compiler has, since std::format and std::expected depend on it.
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <span>
#include <sstream>
#include <system_error>

#include <uring/std.h>

namespace {

using uring::Error, uring::Result;

TEST(StdErrorCode, IsMadeFromAnError) {
  const std::error_code code = Error::noent;
  EXPECT_EQ(code.value(), ENOENT);
  EXPECT_STREQ(code.category().name(), "uring");
  EXPECT_EQ(code.message(), "No such file or directory (ENOENT)");
  EXPECT_TRUE(code);
  EXPECT_FALSE(std::error_code(Error::none));
  EXPECT_EQ(code, Error::noent);
  EXPECT_NE(code, Error::busy);
}

TEST(StdErrorCode, IsComparableWithErrc) {
  EXPECT_EQ(std::error_code(Error::noent), std::errc::no_such_file_or_directory);
  EXPECT_EQ(std::error_code(Error::canceled), std::errc::operation_canceled);
  EXPECT_NE(std::error_code(Error::noent), std::errc::io_error);
  EXPECT_EQ(std::error_code(Error::none), std::errc());
  // Ours are equivalent to nothing but themselves.
  const std::error_code full = Error::submission_queue_full;
  EXPECT_EQ(full.default_error_condition().category(), uring::error_category());
  EXPECT_EQ(full.message(), "The submission queue is full: submit, then try again (submission_queue_full)");
}

TEST(StdErrorCode, CanBeThrown) {
  try {
    throw std::system_error(Error::system_outdated, "init");
  } catch (const std::system_error& thrown) {
    EXPECT_EQ(thrown.code(), Error::system_outdated);
    EXPECT_STREQ(thrown.what(),
                 "init: The kernel is too old for the binding: use Linux 5.4 or newer (system_outdated)");
  }
}

TEST(StdStream, PrintsAnError) {
  std::ostringstream out;
  out << Error::time << '\n' << Error{9999};
  EXPECT_EQ(out.str(),
            "Timer expired (ETIME)\n9999 is not an error of this version of the binding (error_9999)");
}

#ifdef __cpp_lib_format
TEST(StdFormat, FormatsAnErrorAsAString) {
  EXPECT_EQ(std::format("{}", Error::noent), "No such file or directory (ENOENT)");
  EXPECT_EQ(std::format("[{:>24}]", Error::time), "[   Timer expired (ETIME)]");
  EXPECT_EQ(std::format("{:.5}", Error::time), "Timer");
}
#endif

#ifdef __cpp_lib_expected
TEST(StdExpected, HoldsTheValueOrTheError) {
  const std::expected<unsigned, Error> value = uring::to_expected(Result<unsigned>(5u));
  EXPECT_EQ(value, 5u);
  const auto error = uring::to_expected(Result<unsigned>(Error::busy));
  EXPECT_FALSE(error);
  EXPECT_EQ(error.error(), Error::busy);
}

TEST(StdExpected, HoldsNothingReferencesAndViews) {
  const std::expected<void, Error> nothing = uring::to_expected(Result<void>());
  EXPECT_TRUE(nothing);
  EXPECT_EQ(uring::to_expected(Result<void>(Error::time)).error(), Error::time);
  int object = 1;
  const std::expected<std::reference_wrapper<int>, Error> reference =
      uring::to_expected(Result<int&>(object));
  EXPECT_EQ(&reference->get(), &object);
  std::array<std::byte, 3> bytes{};
  const auto view = uring::to_expected(Result<std::span<std::byte>>(std::span<std::byte>(bytes)));
  EXPECT_EQ(view->data(), bytes.data());
}
#endif

// What each version of the language must have: a macro that is misspelt above would leave out everything.
#if defined(__GLIBCXX__) && __cplusplus > 202002L
#if defined(__GNUC__) && !defined(__clang__)
static_assert(__cpp_lib_expected >= 202202L);
#endif
#endif
#if defined(_GLIBCXX_RELEASE) && _GLIBCXX_RELEASE >= 13
static_assert(__cpp_lib_format >= 201907L);
#endif

}  // namespace
