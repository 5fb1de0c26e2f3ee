// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// Tests of where a helper's failures are reported: in the test that called it, with its file and line.
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <vector>

#include "fixture/ring_test.h"
#include "fixture/site.h"
#include "fixture/sockets.h"

namespace conformance {
namespace {

// What is called reports its failures at `line` of this file and nowhere else; they are not this test's.
std::vector<testing::TestPartResult> failures_at(int line, const std::function<void()>& call) {
  testing::TestPartResultArray failures;
  {
    testing::ScopedFakeTestPartResultReporter reporter(
        testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &failures);
    try {
      call();
    } catch (const testing::AssertionException&) {
    }
  }
  EXPECT_GT(failures.size(), 0);
  std::vector<testing::TestPartResult> found;
  for (int i = 0; i < failures.size(); ++i) {
    found.push_back(failures.GetTestPartResult(i));
    EXPECT_STREQ(found.back().file_name(), __FILE__);
    EXPECT_EQ(found.back().line_number(), line) << found.back().message();
  }
  return found;
}

// GoogleTest 1.13 and newer end a message with a line end.
std::string said(const testing::TestPartResult& failure) {
  std::string text = failure.message();
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

TEST(CallSiteOfAValue, IsWhereTheTestEnds) {
  bool went_on = false;
  const binding::Result<std::uint32_t> error(binding::Error::badf);
  const auto failures = failures_at(__LINE__, [&] { must(error), went_on = true; });
  EXPECT_FALSE(went_on);
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_TRUE(failures[0].fatally_failed());
  EXPECT_EQ(said(failures[0]), "Failed\ncannot go on: error -9 EBADF");
}

class CallSite : public AnySocketTest {
 protected:
  CallSite() : AnySocketTest(2, 0) {}
  static constexpr wire::Sqe another{.opcode = wire::op::nop, .user_data = 2};
};

TEST_F(CallSite, OfAnEncoding) {
  const auto failures = failures_at(__LINE__, [&] { expect_encoding(ring.nop(1), another); });
  ASSERT_FALSE(failures.empty());
  EXPECT_EQ(said(failures[0]),
            "Failed\nthe SQE that was queued\n  is   Sqe{.opcode=NOP, .user_data=0x1}\n"
            "  want Sqe{.opcode=NOP, .user_data=0x2}");
}

TEST_F(CallSite, OfARefusal) {
  const auto nothing = [] { return ""; };
  const auto success = [] { return 0; };
  failures_at(__LINE__, [&] { refused([&] { return ring.nop(1); }, another, nothing); });
  failures_at(__LINE__, [&] { registration_refused("NOTHING", success, wire::op::nop); });
  current_observation() = {};
}

TEST_F(CallSite, OfACount) {
  failures_at(__LINE__, [&] { submit(1); });
  must(ring.nop(1)), must(ring.nop(2));
  failures_at(__LINE__, [&] { complete(); });
}

// Without its descriptor a ring cannot do anything, and each helper says for which line.
TEST_F(CallSite, OfAWait) {
  ASSERT_EQ(::close(ring.fd()), 0);
  failures_at(__LINE__, [&] { wait_cqe(); });
  failures_at(__LINE__, [&] { connect(); });
  failures_at(__LINE__, [&] { kernel_has(wire::op::nop); });
}

}  // namespace
}  // namespace conformance
