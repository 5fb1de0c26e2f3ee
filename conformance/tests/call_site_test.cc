// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// Tests of where a helper's failures are reported: in the test that called it, with its file and line.
#include <fcntl.h>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>
#include <string>
#include <vector>

#include "fixture/files.h"
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

// What is accepted must be a socket, of this listener and from this client: each is seen to be missed.
TEST_F(CallSite, OfAnAcceptedSocket) {
  const wire::Cqe wanted{.user_data = 1};
  const Connection one = connect();
  const auto accept = [&](std::int32_t res, std::uint64_t user_data = 1, std::uint16_t peer = 0) {
    const Site site = Site::here();
    const wire::Cqe cqe{.user_data = user_data, .res = res};
    const auto failures =
        failures_at(site.line, [&] { accepted_socket(cqe, wanted, one.listener.get(), peer, site); });
    return failures.empty() ? "" : said(failures[0]);
  };
  EXPECT_EQ(accept(0), "Failed\nno descriptor of a connection: Cqe{.user_data=0x1, .res=0, .flags=0}");
  EXPECT_EQ(accept(-13),
            "Failed\nno descriptor of a connection: Cqe{.user_data=0x1, .res=-13 EACCES, .flags=0}");
  const int file = open_file("/dev/null", O_RDONLY).release();
  EXPECT_EQ(accept(file),
            "Failed\nnot a socket: Cqe{.user_data=0x1, .res=" + std::to_string(file) + ", .flags=0}");
  EXPECT_TRUE(
      accept(tcp_client(one.listener.get()).release()).starts_with("Failed\nthe port that was accepted on"));
  EXPECT_TRUE(
      accept(tcp_socket().release()).starts_with("Failed\nthe port that was accepted on\n  is   0\n"));
  EXPECT_TRUE(accept(dup(one.server.get())).starts_with("Failed\nthe port of the peer"));
  EXPECT_TRUE(accept(dup(one.server.get()), 2).starts_with("Failed\nthe CQE of an ACCEPT"));
}

TEST_F(CallSite, OfAChoice) {
  const std::vector<wire::Cqe> wanted{{.user_data = 1, .res = 0}, {.user_data = 1, .res = 4}};
  EXPECT_TRUE(expect_one_of(Site::here(), "it", wire::Cqe{.user_data = 1, .res = 4}, wanted));
  const wire::Cqe other{.user_data = 1, .res = 3};
  const auto failures = failures_at(__LINE__, [&] { expect_one_of(Site::here(), "it", other, wanted); });
  ASSERT_EQ(failures.size(), 1u);
  EXPECT_EQ(said(failures[0]),
            "Failed\nit\n  is          Cqe{.user_data=0x1, .res=3, .flags=0}\n  want one of { "
            "Cqe{.user_data=0x1, .res=0, .flags=0}, Cqe{.user_data=0x1, .res=4, .flags=0} }");
}

// The table and its emptying are calls of our own: no table, and it says so here.
TEST_F(CallSite, OfATableOfSlots) {
  failures_at(__LINE__, [&] { empty_slots(1); });
  register_empty_slots(2);
  empty_slots(2);
  failures_at(__LINE__, [&] { register_empty_slots(1); });
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
