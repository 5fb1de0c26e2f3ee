// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// Tests of what the program, the runner and the harness say to each other: JSON lines and requests to fork.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "evidence/json.h"
#include "fixture/files.h"
#include "program/fork_protocol.h"

namespace conformance {
namespace {

std::string json_string(std::string_view text) {
  std::string out;
  json::append_quoted(out, text);
  return out;
}

TEST(Json, QuotesWhateverAMessageHolds) {
  EXPECT_EQ(json_string("plain"), "\"plain\"");
  EXPECT_EQ(json_string("a\"b\\c\nd\te\r"), R"("a\"b\\c\nd\te\u000d")");
  EXPECT_EQ(json_string(std::string_view("\0\x1f", 2)), R"("\u0000\u001f")");
}

// The bounds are those of the Unicode standard, table 3-7.
TEST(Json, WritesUtf8AsItIsAndReplacesWhatIsNot) {
  const std::string valid = "\x7f \u00e9 \u20ac \U0001f600 \ud7ff \ue000 \U0010ffff";
  EXPECT_EQ(json_string(valid), '"' + valid + '"');
  const std::string bad = "\ufffd";
  EXPECT_EQ(json_string("a\xffz"), "\"a" + bad + "z\"");
  EXPECT_EQ(json_string("\xc3"), '"' + bad + '"');                                // cut off
  EXPECT_EQ(json_string("\xc0\xaf"), '"' + bad + bad + '"');                      // overlong
  EXPECT_EQ(json_string("\xed\xa0\x80"), '"' + bad + bad + bad + '"');            // a surrogate
  EXPECT_EQ(json_string("\xf4\x90\x80\x80"), '"' + bad + bad + bad + bad + '"');  // beyond U+10FFFF
}

TEST(Json, NestsObjectsAndLists) {
  const auto object = json::Object("k")
                          .number("n", -3)
                          .number("none", std::optional<std::int64_t>())
                          .flag("yes", true)
                          .flag("unknown", std::optional<bool>())
                          .list("words", std::vector<std::string>{"a", "b"})
                          .list("objects", std::vector{json::Object().text("a", "b"), json::Object()})
                          .object("inner", json::Object().pair("p", 1, 2));
  EXPECT_EQ(object.str(), R"({"kind":"k","n":-3,"none":null,"yes":true,"unknown":null,"words":["a","b"],)"
                          R"("objects":[{"a":"b"},{}],"inner":{"p":[1,2]}})");
  EXPECT_EQ(object.line(), object.str() + "\n");
}

// Both sides of a fork server use these two functions; what a program is asked for must arrive whole.
TEST(ForkProtocol, BringsARequestOver) {
  std::array<int, 2> ends{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
  const Fd asks(ends[0]), serves(ends[1]), zero = open_file("/dev/zero", O_RDONLY);
  const fork_protocol::Request sent{.directory = "/tmp",
                                    .environment = {"A=1", "EMPTY="},
                                    .argv = {"program", "", "--x=y z"},
                                    .output = zero.get(),
                                    .records = asks.get()};
  ASSERT_TRUE(fork_protocol::send_request(asks.get(), sent));
  fork_protocol::Request got;
  ASSERT_TRUE(fork_protocol::receive_request(serves.get(), got));
  const Fd output(got.output), records(got.records);
  EXPECT_EQ(got.directory, sent.directory);
  EXPECT_EQ(got.environment, sent.environment);
  EXPECT_EQ(got.argv, sent.argv);
  EXPECT_EQ(std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(output.get())), "/dev/zero");
}

TEST(ForkProtocol, RefusesWhatDoesNotFitIntoAMessage) {
  const fork_protocol::Request large{.directory = std::string(fork_protocol::max_request, 'x')};
  EXPECT_FALSE(fork_protocol::send_request(-1, large));
  EXPECT_EQ(errno, E2BIG);
}

}  // namespace
}  // namespace conformance
