// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The conformance program: GoogleTest's options, and
//   --binding=NAME         name of the binding under test; must match this program.
//                          "lie:NAME" puts a kernel that lies under it: see seam/lies.h
//   --configuration=NAME   the kind of ring that the tests run on: see catalogue/configurations.toml
//   --list-lies            print the lies, each with what it says, and end
//   --validate[=LAYER]     foreign bindings only: look at the adapter layer by layer; see adapters/README.md
//   --own-machine          nothing else runs on this machine: tests may change settings of its kernel
//   --timeout-s=N          end a test that takes longer, default 60 seconds
//   --skip-code=N          end with N if nothing failed and something was not expressible or refused by this
//                          kernel; for CTest, which would otherwise show that as passed
//   --fork-server=N        serve forks over descriptor N: see program/fork_server.h
//   URING_RECORDS_FD=N     (environment) write result records to this descriptor: see evidence/records.h
// Exit code: GoogleTest's (0 or 1); 2 when it was called wrongly; 124 when the watchdog ended it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "binding.h"
#include "evidence/hygiene.h"
#include "evidence/records.h"
#include "fixture/configuration.h"
#include "fixture/own_machine.h"
#include "program/fork_protocol.h"
#include "program/fork_server.h"
#include "seam/lies.h"
#include "seam/traps.h"

namespace {

[[noreturn]] void usage(const std::string& problem) {
  std::fprintf(stderr, "conformance: %s\n", problem.c_str());
  std::exit(2);
}

int number(std::string_view what, std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0 || value > 1'000'000) {
    usage(std::string(what) + " wants a number, not \"" + std::string(text) + '"');
  }
  return value;
}

const conformance::Lie& lie_named(std::string_view name) {
  if (const conformance::Lie* lie = conformance::find_lie(name)) return *lie;
  usage("there is no lie \"" + std::string(name) + "\"; the nearest is \"" +
        std::string(conformance::nearest_lie(name).name) + "\", and --list-lies shows all");
}

[[noreturn]] void list_lies() {
  for (const conformance::Lie& lie : conformance::lies()) {
    std::printf("%-26s %s\n", std::string(lie.name).c_str(), std::string(lie.says).c_str());
  }
  std::exit(std::fflush(stdout) == 0 ? 0 : 2);
}

std::string configuration_names() {
  std::string names = "there are";
  for (const conformance::Configuration& one : conformance::configurations())
    names += " " + std::string(one.name);
  return names;
}

[[noreturn]] void print_help() {
  std::puts(
      "\nAnd of this program:\n"
      "  --binding=NAME        name of the binding under test; must match this program;\n"
      "                        lie:NAME puts a kernel that lies under it\n"
      "  --configuration=NAME  the kind of ring: see conformance/catalogue/configurations.toml (default: "
      "plain)\n"
      "  --list-lies           the lies, each with what it says\n"
      "  --validate[=LAYER]    of an adapter: look at it layer by layer, or at one of handshake, "
      "capabilities,\n"
      "                        encodings, lengths, mechanics, reuse, operations; see "
      "conformance/adapters/README.md\n"
      "  --own-machine         nothing else runs on this machine: tests may change settings of its kernel\n"
      "  --timeout-s=N         end a test that takes longer (default: 60)\n"
      "  --skip-code=N         end with N if nothing failed and something was not expressible or refused\n"
      "Exit code: 0, 1 if a test failed, 2 when called wrongly, 124 when a test took too long.");
  std::exit(std::fflush(stdout) == 0 ? 0 : 2);
}

struct Options {
  unsigned timeout_s = 60;
  int skip_code = 0;
  int records_fd = -1;
  std::optional<std::string> validate;  // a layer, or "" for all
};

// What GoogleTest left of the command line, and the environment. From a fork server the arguments come after
// GoogleTest has looked: these are those of its options that are asked for there.
Options read_options(const std::vector<std::string>& arguments) {
  Options options;
  for (const std::string_view argument : arguments) {
    const std::string_view value = argument.substr(std::min(argument.size(), argument.find('=') + 1));
    if (argument.starts_with("--gtest_filter=")) {
      GTEST_FLAG_SET(filter, std::string(value));
    } else if (argument == "--gtest_also_run_disabled_tests") {
      GTEST_FLAG_SET(also_run_disabled_tests, true);
    } else if (argument.starts_with("--binding=")) {
      if (value.starts_with(conformance::lie_prefix)) {
        conformance::active_lie() = &lie_named(value.substr(conformance::lie_prefix.size()));
      } else if (value != binding::name) {
        usage("this program tests the binding \"" + std::string(binding::name) + "\", not \"" +
              std::string(value) + '"');
      }
    } else if (argument.starts_with("--configuration=")) {
      if (!conformance::select_configuration(value))
        usage("there is no configuration \"" + std::string(value) + "\"; " + configuration_names());
    } else if (argument == "--help" || argument == "-h") {
      print_help();  // after GoogleTest's
    } else if (argument == "--list-lies") {
      list_lies();
    } else if (argument == "--validate" || argument.starts_with("--validate=")) {
      if (!binding::is_foreign)
        usage("--validate is for adapters of other bindings: see conformance/adapters");
      options.validate = argument == "--validate" ? "" : value;
    } else if (argument == "--own-machine") {
      conformance::own_this_machine();
    } else if (argument.starts_with("--timeout-s=")) {
      options.timeout_s = static_cast<unsigned>(number("--timeout-s", value));
    } else if (argument.starts_with("--skip-code=")) {
      options.skip_code = number("--skip-code", value);
    } else {
      usage("unknown option " + std::string(argument));
    }
  }
  if (const char* fd = std::getenv(conformance::fork_protocol::records_variable)) {
    options.records_fd = number("URING_RECORDS_FD", fd);
    if (fcntl(options.records_fd, F_SETFD, FD_CLOEXEC) != 0) {
      usage("URING_RECORDS_FD names descriptor " + std::string(fd) + ", which is not open");
    }
  }
  return options;
}

// Tests expect new descriptors above 2, and an init may start us with none.
void open_standard_descriptors() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) {
      std::fprintf(stderr, "descriptor %d is closed and /dev/null cannot be opened in its place\n", fd);
      std::exit(2);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  constexpr std::string_view fork_server = conformance::fork_protocol::option;
  const bool is_forked = argc == 2 && std::string_view(argv[1]).starts_with(fork_server);
  // The runner reads the records, and what is printed about failures. No one reads which tests begin and
  // pass, and each of these lines would wake the runner.
  if (is_forked) GTEST_FLAG_SET(brief, true);
  testing::InitGoogleTest(&argc, argv);
  std::vector<std::string> arguments(argv + 1, argv + argc);
  if (is_forked) {
    const std::vector<std::string> words = conformance::serve_forks(
        number(fork_server, std::string_view(arguments[0]).substr(fork_server.size())));
    if (words.empty()) usage("a fork was asked for without a command line");
    arguments.assign(words.begin() + 1, words.end());
  }
  const Options options = read_options(arguments);
  open_standard_descriptors();
  // Ring memory up to 5.11 and registered buffers count against it. Where the hard limit is low a test will
  // say so.
  rlimit memlock{};
  if (getrlimit(RLIMIT_MEMLOCK, &memlock) == 0) {
    memlock.rlim_cur = memlock.rlim_max;
    setrlimit(RLIMIT_MEMLOCK, &memlock);
  }
  signal(SIGPIPE, SIG_IGN);

  try {
    if (!options.validate) binding::start();
  } catch (const std::exception& problem) {
    usage(problem.what());
  }
  testing::TestEventListeners& listeners = testing::UnitTest::GetInstance()->listeners();
  if (options.records_fd >= 0) {
    listeners.Append(new conformance::RecordListener(
        options.records_fd, conformance::announced_name(binding::name), binding::version));
  } else {
    listeners.Append(new conformance::WireListener);
  }
  listeners.Append(new conformance::WatchdogListener(options.timeout_s, options.records_fd));
  listeners.Append(new conformance::HygieneListener(binding::is_foreign));
  binding::watch_tests();

  if (options.validate) return binding::validate(*options.validate, options.timeout_s, options.skip_code);

  const int result = RUN_ALL_TESTS();
  conformance::expect_end();
  if (testing::UnitTest::GetInstance()->test_to_run_count() == 0) {
    usage("no test was run: the filter matches nothing");
  }
  const bool is_skipped = result == 0 && testing::UnitTest::GetInstance()->skipped_test_count() > 0;
  const int code = is_skipped ? options.skip_code : result;
  if (is_forked && std::fflush(nullptr) == 0)
    std::_Exit(code);  // cleaning up would copy most pages of the server
  return code;
}
