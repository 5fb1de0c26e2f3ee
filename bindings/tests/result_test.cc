// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Results: one word, the kernel's number unchanged, no value mistaken for an error.
#include <gtest/gtest.h>

#include <cerrno>

#include <uring/uring.h>

#include "trap.h"

namespace {

using uring::Error, uring::Result, uring::u32;

TEST(Result, KeepsEveryErrnoOfTheKernel) {
  for (long number = 1; number <= 4095; ++number) {
    const auto result = Result<u32>::from_kernel(-number);
    ASSERT_FALSE(result.ok());
    ASSERT_EQ(static_cast<long>(result.error()), number);
    ASSERT_TRUE(uring::is_errno(result.error()));
  }
}

TEST(Result, KeepsEveryValue) {
  for (const u32 value : {0u, 1u, 4095u, 0x7fffffffu, 0x80000000u, 0xfffff001u, 0xffffffffu}) {
    const Result<u32> result = value;
    ASSERT_TRUE(result.ok()) << value;
    EXPECT_EQ(result.value(), value);
    EXPECT_EQ(result.error(), Error::none);
  }
}

TEST(Result, CarriesReferencesAndNothing) {
  uring::Sqe sqe{};
  const Result<uring::Sqe&> reference = sqe;
  ASSERT_TRUE(reference.ok());
  EXPECT_EQ(&reference.value(), &sqe);
  EXPECT_EQ(&*reference, &sqe);
  EXPECT_EQ(&reference->user_data, &sqe.user_data);
  EXPECT_TRUE(Result<void>().ok());
  EXPECT_FALSE(Result<void>(Error::inval).ok());
  EXPECT_EQ(Result<void>(), Result<void>::from_kernel(0));
}

TEST(Result, IsEqualToItsOwnKindOnly) {
  const Result<u32> one = 1u, two = 2u, none = Error::inval;
  EXPECT_TRUE(one == Result<u32>(1u));
  EXPECT_FALSE(one == two);
  EXPECT_FALSE(two == one);
  EXPECT_FALSE(one == none);
  EXPECT_FALSE(none == Error::busy);
  EXPECT_FALSE(one == Error::inval);
}

// Words in the last pages of the address space are errors, not addresses; the last addresses before them are
// not errors.
TEST(Result, TellsPointersFromErrors) {
  const auto at = [](long word) { return Result<char*>::from_kernel(word); };
  EXPECT_TRUE(at(-8192).ok());
  EXPECT_FALSE(at(-8191).ok());
  EXPECT_FALSE(at(-4096).ok());
  EXPECT_FALSE(at(-1).ok());
  EXPECT_TRUE(at(0).ok()) << "null is a value";
  EXPECT_TRUE(at(1).ok());
}

TEST(Result, CarriesAViewOfMemory) {
  std::byte memory[3];
  const Result<std::span<std::byte>> view = std::span<std::byte>(memory);
  ASSERT_TRUE(view.ok());
  EXPECT_TRUE(view);
  EXPECT_EQ(view.error(), Error::none);
  EXPECT_EQ(view.value().data(), memory);
  EXPECT_EQ((*view).size(), 3u);
  const Result<std::span<std::byte>> empty = std::span<std::byte>();
  EXPECT_TRUE(empty.ok()) << "an empty view is a value";
  const Result<std::span<std::byte>> none = Error::no_buffer_selected;
  EXPECT_FALSE(none.ok());
  EXPECT_FALSE(none);
  EXPECT_EQ(none, Error::no_buffer_selected);
  EXPECT_DEATH(static_cast<void>(none.value()), "");
}

TEST(Result, TheBindingsOwnErrorsAreNoErrno) {
  for (const Error error : {Error::entries_zero, Error::entries_not_power_of_two, Error::flags_not_supported,
                            Error::system_outdated, Error::ring_layout_invalid, Error::submission_queue_full,
                            Error::no_buffer_selected, Error::buffer_out_of_range,
                            Error::entries_not_in_range, Error::length_too_large}) {
    EXPECT_FALSE(uring::is_errno(error));
    EXPECT_EQ(Result<u32>(error), error);
  }
  EXPECT_FALSE(uring::is_errno(Error::none));
  EXPECT_TRUE(uring::is_errno(Error{4095}));
  EXPECT_FALSE(uring::is_errno(Error{4096}));
}

TEST(Result, NamesHaveTheNumbersOfErrno) {
  const std::pair<Error, int> pairs[] = {
      {Error::perm, EPERM},
      {Error::noent, ENOENT},
      {Error::intr, EINTR},
      {Error::io, EIO},
      {Error::nxio, ENXIO},
      {Error::badf, EBADF},
      {Error::again, EAGAIN},
      {Error::nomem, ENOMEM},
      {Error::acces, EACCES},
      {Error::fault, EFAULT},
      {Error::busy, EBUSY},
      {Error::exist, EEXIST},
      {Error::notdir, ENOTDIR},
      {Error::isdir, EISDIR},
      {Error::inval, EINVAL},
      {Error::nfile, ENFILE},
      {Error::mfile, EMFILE},
      {Error::nospc, ENOSPC},
      {Error::pipe, EPIPE},
      {Error::nosys, ENOSYS},
      {Error::badr, EBADR},
      {Error::time, ETIME},
      {Error::overflow, EOVERFLOW},
      {Error::badfd, EBADFD},
      {Error::notsock, ENOTSOCK},
      {Error::opnotsupp, EOPNOTSUPP},
      {Error::addrinuse, EADDRINUSE},
      {Error::connreset, ECONNRESET},
      {Error::nobufs, ENOBUFS},
      {Error::timedout, ETIMEDOUT},
      {Error::connrefused, ECONNREFUSED},
      {Error::already, EALREADY},
      {Error::canceled, ECANCELED},
      {Error::ownerdead, EOWNERDEAD},
  };
  for (const auto& [ours, theirs] : pairs) EXPECT_EQ(static_cast<int>(ours), theirs);
}

// A negative number is never a value, even below the kernel's errors and ours.
TEST(ResultDeathTest, AnIntegerIsNeverNegative) {
  EXPECT_FALSE(Result<u32>::from_kernel(-8192).ok());
  EXPECT_FALSE(Result<int>::from_kernel(-10'000).ok());
  const int far_below = -10'000;
  EXPECT_EXIT(static_cast<void>(Result<int>(far_below)), trapped, "");
}

TEST(ResultDeathTest, TakingAValueThatIsNotThereTraps) {
  EXPECT_DEATH(static_cast<void>(Result<u32>(Error::inval).value()), "");
  EXPECT_DEATH(Result<void>(Error::inval).value(), "");
}

// A negative number would be mistaken for an error.
TEST(ResultDeathTest, ASignedValueIsNeverNegative) {
  const int five = 5, minus_one = -1;
  EXPECT_EQ(Result<int>(five).value(), 5);
  EXPECT_EXIT(static_cast<void>(Result<int>(minus_one)), trapped, "");
}

}  // namespace
