// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Names and sentences. errors_are_complete.cmake compares their tables with the kernel's header and the enum.
#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <string>
#include <string_view>

#include <uring/error.h>

namespace {

using uring::Error;

std::string name_of(Error error) { return uring::name(error).c_str(); }
std::string what_of(Error error) { return uring::what(error).c_str(); }

// What the compiler can do, needs no memory and no library.
static_assert(std::string_view(uring::name(Error::noent).c_str()) == "ENOENT");
static_assert(std::string_view(uring::what(Error{4000}).c_str()).starts_with("The kernel returned 4000, "));

TEST(ErrorText, SaysTheKernelsAsTheCLibraryDoes) {
  EXPECT_EQ(name_of(Error::noent), "ENOENT");
  EXPECT_EQ(what_of(Error::noent), "No such file or directory");
#ifdef __GLIBC__
  for (int number = 1; number <= 133; ++number) {
    if (number == 41 || number == 58) continue;  // never assigned
    EXPECT_EQ(what_of(static_cast<Error>(number)), strerror(number)) << number;
  }
#endif
}

TEST(ErrorText, SaysWhatToDoAboutOurs) {
  EXPECT_EQ(name_of(Error::submission_queue_full), "submission_queue_full");
  EXPECT_EQ(what_of(Error::submission_queue_full), "The submission queue is full: submit, then try again");
  EXPECT_EQ(name_of(Error::none), "none");
  EXPECT_EQ(what_of(Error::none), "No error");
}

TEST(ErrorText, SaysTheNumberWhereThereIsNoName) {
  EXPECT_EQ(name_of(Error{41}), "errno_41");
  EXPECT_EQ(what_of(Error{41}), "The kernel returned 41, an errno that Linux 7.3 has no name for");
  EXPECT_EQ(name_of(Error{4095}), "errno_4095");
  EXPECT_EQ(name_of(Error{9999}), "error_9999");
  EXPECT_EQ(what_of(Error{10'000}), "10000 is not an error of this version of the binding");
  EXPECT_EQ(what_of(Error{65535}), "65535 is not an error of this version of the binding");
}

// Numbers that only the kernel's own code should see have been returned all the same.
TEST(ErrorText, KnowsTheKernelsInternalNumbers) {
  EXPECT_EQ(name_of(Error{512}), "ERESTARTSYS");
  EXPECT_EQ(name_of(Error{513}), "ERESTARTNOINTR");
  EXPECT_EQ(name_of(Error{514}), "ERESTARTNOHAND");
  EXPECT_EQ(name_of(Error{516}), "ERESTART_RESTARTBLOCK");
  EXPECT_EQ(name_of(Error{524}), "ENOTSUPP");
}

TEST(ErrorText, IsDifferentForEveryNumber) {
  std::set<std::string> names;
  for (unsigned number = 0; number <= 0xffff; ++number) {
    names.insert(name_of(static_cast<Error>(number)));
    ASSERT_NE(what_of(static_cast<Error>(number)), "");
  }
  EXPECT_EQ(names.size(), 0x10000u);
}

}  // namespace
