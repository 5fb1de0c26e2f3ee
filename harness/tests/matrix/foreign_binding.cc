// A miniature conformance program, as a user might bring it. It has the interface that the harness and the
// runner expect (options, fork server, records), drives no ring, and does with a row what the row's name asks
// for, so that a test can see what becomes of a foreign binding's pass, inexpressible operation, failure,
// crash and hang.
//
// Its name is the file's name without "conformance-", its version is 7.

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "program/fork_protocol.h"
#include "program/fork_server.h"

namespace {

int records = STDOUT_FILENO;

void say(const std::string& line) {
  const std::string whole = line + "\n";
  if (write(records, whole.data(), whole.size()) != static_cast<ssize_t>(whole.size())) _exit(3);
}

void test(const std::string& name, const std::string& state, const std::string& more = "") {
  say(R"({"kind":"test","name":")" + name + R"(","state":")" + state + R"(","ms":1,"wire":[])" + more + "}");
}

constexpr const char* witness =
    R"(,"failures":[],"refusal":{"what":"NOTHING","res":-22,"again":-22,"nobody":-22,"nop_before":0,"nop_after":0,)"
    R"("cqe_flags":0,"extra_cqes":0,"user_data_came_back":true,"probed":"NOTHING","probe":false,"happened":"",)"
    R"("shape":"right","objections":[]})";
constexpr const char* failure = R"(,"failures":[{"file":"x_test.cc","line":1,"text":"it is wrong"}])";
constexpr const char* lack =
    R"(,"failures":[],"not_expressible":{"what":"WAITID","reason":"it came with version 8"})";

// The exit code for a suite, which the filter names.
int run(const std::string& suite) {
  if (suite == "Nop") {
    abort();
  } else if (suite == "Readv") {
    for (;;) pause();
  } else if (suite == "Waitid") {
    test(suite + ".One", "passed");
    test(suite + ".Two", "not_expressible", lack);
  } else if (suite == "WriteRead" || suite == "DISABLED_SmokeFailed") {
    test(suite + ".One", "failed", failure);
    return 1;
  } else if (suite == "DISABLED_SmokeRefused") {
    test(suite + ".One", "refused", witness);
  } else {
    test(suite + ".One", "passed");
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string program = argv[0];
  std::vector<std::string> words(argv + 1, argv + argc);
  constexpr std::string_view serve = conformance::fork_protocol::option;
  if (words.size() == 1 && words[0].starts_with(serve)) {
    words = conformance::serve_forks(std::atoi(words[0].c_str() + serve.size()));
    words.erase(words.begin());
  }
  if (const char* descriptor = getenv("URING_RECORDS_FD")) records = std::atoi(descriptor);
  std::string suite;
  for (const std::string_view word : words) {
    constexpr std::string_view filter = "--gtest_filter=";
    if (word.starts_with(filter)) suite = word.substr(filter.size(), word.find('.') - filter.size());
  }
  const std::string name = program.substr(program.rfind("conformance-") + 12);
  const bool two = suite == "Waitid";
  say(R"({"kind":"header","schema":1,"binding":{"name":")" + name + R"(","version":"7"},"plan":[")" + suite +
      ".One\"" + (two ? ",\"" + suite + ".Two\"" : "") + "]}");
  const int code = run(suite);
  say(R"({"kind":"footer","ran":)" + std::string(two ? "2" : "1") + "}");
  return code;
}
