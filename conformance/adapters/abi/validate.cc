// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// --validate, for authors of adapters: checks layer by layer, each useful before the next one works. Correct
// results are counted, wrong ones are printed.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include "adapters/abi/encodings.h"
#include "adapters/abi/findings.h"
#include "adapters/abi/layers.h"
#include "binding.h"
#include "evidence/environment.h"
#include "evidence/hygiene.h"
#include "evidence/observation.h"
#include "seam/traps.h"
#include "seam/wire_log.h"

namespace binding {
namespace {

using conformance::Encoding;
namespace wire = conformance::wire;

// Ends the process from a signal handler, so nothing here allocates.
[[noreturn]] void end_with(std::string_view problem) {
  conformance::expect_end();
  for (const std::string_view text :
       {std::string_view("\n"), problem, std::string_view(now_at), std::string_view("\n")}) {
    static_cast<void>(!write(STDERR_FILENO, text.data(), text.size()));
  }
  std::_Exit(1);
}

extern "C" void on_crash(int signal) {
  std::array<char, 64> text;
  std::snprintf(text.data(), text.size(), "crashed (signal %d) while looking at: ", signal);
  end_with(text.data());
}

// A layer that takes longer hangs; --timeout-s can make it shorter. The rows have the suite's watchdog.
unsigned layer_s = 20;

// Allocates, as the suite's watchdog does: nearly always the binding is stuck inside a system call.
extern "C" void on_hang(int) {
  for (const std::string& line : conformance::wire_log().lines()) std::printf("  %s\n", line.c_str());
  std::fflush(stdout);
  std::array<char, 64> text;
  std::snprintf(text.data(), text.size(), "still not back after %u s from: ", layer_s);
  end_with(text.data());
}

// On a stack of its own, because the ordinary stack may have overflowed.
void hear_crashes() {
  alignas(16) static std::array<char, 64 * 1024> stack;
  const stack_t other{.ss_sp = stack.data(), .ss_flags = 0, .ss_size = stack.size()};
  sigaltstack(&other, nullptr);
  struct sigaction action {};
  action.sa_handler = on_crash;
  action.sa_flags = SA_ONSTACK;
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) sigaction(signal, &action, nullptr);
}

bool has(std::uint64_t capability) { return (table.capabilities & capability) != 0; }

// Whether the table can be read at all.
bool fits() {
  return &table == uring_binding() && table.version == URING_BINDING_VERSION && table.size == sizeof table;
}

// --- handshake: the table itself
// -------------------------------------------------------------------------------

void handshake(Findings& found) {
  found.check(&table == uring_binding(), "uring_binding() returned null");
  found.equal("version", table.version, u32{URING_BINDING_VERSION});
  found.check(table.size == sizeof table, "size is " + std::to_string(table.size) +
                                              ", and this suite reads " + std::to_string(sizeof table) +
                                              " bytes of the table");
  if (!fits()) return;

  const std::string_view name = table.name != nullptr ? table.name : "";
  found.check(!name.empty() && name.find_first_of(" \t\n/") == name.npos,
              "name is \"" + std::string(name) + "\", want a word without spaces");
  found.check(table.binding_version != nullptr && *table.binding_version != '\0', "binding_version is empty");
  found.equal("sqe_size", table.sqe_size, sizeof(wire::Sqe));
  found.equal("cqe_size", table.cqe_size, sizeof(wire::Cqe));

  const auto must_be_there = [&found](const char* function, bool is_there) {
    found.check(is_there, std::string(function) + " is null, and every adapter has it");
  };
  must_be_there("create", table.create != nullptr);
  must_be_there("destroy", table.destroy != nullptr);
  must_be_there("describe", table.describe != nullptr);
  must_be_there("get_sqe", table.get_sqe != nullptr);
  must_be_there("prepare", table.prepare != nullptr);
  must_be_there("submit", table.submit != nullptr);
  must_be_there("submit_and_wait", table.submit_and_wait != nullptr);
  must_be_there("enter", table.enter != nullptr);
  must_be_there("sq_ready", table.sq_ready != nullptr);
  must_be_there("cq_ready", table.cq_ready != nullptr);
  must_be_there("copy_cqes", table.copy_cqes != nullptr);
  must_be_there("do_register", table.do_register != nullptr);

  const auto goes_with = [&found](const char* function, bool is_there, bool is_announced) {
    found.check(is_there == is_announced, std::string(function) +
                                              (is_there ? " is there, and" : " is null, but") +
                                              " the capability that goes with it says otherwise");
  };
  goes_with("indices", table.indices != nullptr, has(URING_BINDING_SHOWS_INDICES));
  goes_with("group_create", table.group_create != nullptr, has(URING_BINDING_BUFFER_GROUPS));
  goes_with("group_destroy", table.group_destroy != nullptr, has(URING_BINDING_BUFFER_GROUPS));
  goes_with("group_get", table.group_get != nullptr, has(URING_BINDING_BUFFER_GROUPS));
  goes_with("group_put", table.group_put != nullptr, has(URING_BINDING_BUFFER_GROUPS));
}

// --- capabilities: what the binding can express
// ----------------------------------------------------------------

void capabilities(Findings& found) {
  constexpr std::uint64_t known = URING_BINDING_CHECKS_ENTRIES | URING_BINDING_SHOWS_INDICES |
                                  URING_BINDING_BUFFER_GROUPS | URING_BINDING_INCREMENTAL_GROUPS;
  found.check((table.capabilities & ~known) == 0, "there are bits that this suite does not know");
  found.check(has(URING_BINDING_BUFFER_GROUPS) || !has(URING_BINDING_INCREMENTAL_GROUPS),
              "incremental consumption without groups of buffers");
  const auto optional = [&found](std::uint64_t capability, const char* what, const char* otherwise) {
    has(capability) ? found.check(true, "") : found.not_expressible(what, otherwise);
  };
  optional(URING_BINDING_CHECKS_ENTRIES, "refusing a wrong number of entries",
           "the binding leaves it to the kernel");
  optional(URING_BINDING_SHOWS_INDICES, "its own two indices", "the suite compares the kernel's two alone");
  optional(URING_BINDING_BUFFER_GROUPS, "groups of buffers", "the adapter has no group_ functions");
  optional(URING_BINDING_INCREMENTAL_GROUPS, "incremental consumption", "the adapter does not announce it");
  for (const Encoding& encoding : conformance::encodings()) {
    now_at = std::string("prepare of ") + encoding.name;
    wire::Sqe sqe;
    const char* reason = nullptr;
    const int result = table.prepare(&sqe, encoding.operation, &encoding.arguments, &reason);
    if (result == URING_BINDING_NOT_EXPRESSIBLE) {
      found.not_expressible(encoding.name, reason);
    } else {
      found.check(result == 0,
                  std::string(encoding.name) + ": prepare returned " + wire::result_text(result));
    }
  }
  const char* reason = nullptr;
  wire::Sqe sqe;
  now_at = "prepare of an operation that this suite does not have";
  const uring_binding_arguments nothing{};
  found.check(
      table.prepare(&sqe, 0xffff, &nothing, &reason) == URING_BINDING_NOT_EXPRESSIBLE && reason != nullptr,
      "an operation that the adapter cannot know (65535) must be not expressible, with a reason");
}

// --- encodings: 64 bytes each, without a kernel
// ------------------------------------------------------------------

void encodings(Findings& found) {
  for (const Encoding& encoding : conformance::encodings()) {
    now_at = std::string("the encoding of ") + encoding.name;
    wire::Sqe sqe;
    const char* reason = nullptr;
    const int result = table.prepare(&sqe, encoding.operation, &encoding.arguments, &reason);
    if (result == URING_BINDING_NOT_EXPRESSIBLE) {
      found.not_expressible(encoding.name, reason);
      continue;
    }
    std::string fields = result != 0 ? "prepare returned " + wire::result_text(result) : "";
    for (const std::string& difference :
         conformance::differences(conformance::without_unread_fields(sqe), encoding.wanted)) {
      fields += (fields.empty() ? "" : "; ") + difference;
    }
    found.check(fields.empty(), std::string(encoding.name) + ": " + fields);
  }
}

// --- operations: the rows of the table
// ---------------------------------------------------------------------------

// The message of the first part of this kind that GoogleTest recorded for a test.
std::string first_part(const testing::TestResult& result,
                       bool (testing::TestPartResult::*is_wanted)() const) {
  for (int i = 0; i < result.total_part_count(); ++i) {
    if ((result.GetTestPartResult(i).*is_wanted)()) return result.GetTestPartResult(i).message();
  }
  return "";
}

void judge(const testing::TestInfo& info, Findings& found) {
  const testing::TestResult& result = *info.result();
  const std::string name = std::string(info.test_suite_name()) + "." + info.name();
  const std::string skip = first_part(result, &testing::TestPartResult::skipped);
  if (result.Failed()) {
    found.check(false, name + ":\n" + first_part(result, &testing::TestPartResult::failed));
  } else if (skip.find(not_expressible_words) != skip.npos) {
    found.not_expressible(name, skip.substr(0, skip.find('\n')).c_str());
  } else {
    found.check(true, "");  // passed, or refused by this kernel with a witness
  }
}

// Prints what was found in a test as soon as all listeners are done with it, which is when the next one
// starts. So a test that crashes or hangs does not lose the findings before it.
class Judge : public testing::EmptyTestEventListener {
 public:
  explicit Judge(Findings& found) : found_(found) {}
  void OnTestStart(const testing::TestInfo& info) override {
    judge_last();
    last_ = &info;
    now_at = std::string(info.test_suite_name()) + "." + info.name();
  }
  void judge_last() {
    if (last_ == nullptr) return;
    judge(*last_, found_);
    ++judged_;
    last_ = nullptr;
  }
  int judged() const { return judged_; }

 private:
  Findings& found_;
  const testing::TestInfo* last_ = nullptr;
  int judged_ = 0;
};

void operations(Findings& found) {
  try {
    start();
  } catch (const std::exception& problem) {
    return found.check(false, problem.what());
  }
  auto* const every_test = new Judge(found);
  testing::UnitTest::GetInstance()->listeners().Append(every_test);  // owns it
  const int result = RUN_ALL_TESTS();
  every_test->judge_last();
  const testing::UnitTest& program = *testing::UnitTest::GetInstance();
  found.check(program.test_to_run_count() > 0, "no test was run: the filter matches nothing");
  found.equal("the number of tests that were run", every_test->judged(), program.test_to_run_count());
  found.check(result == 0 || program.failed_test_count() > 0, "something failed outside of the tests");
}

struct Layer {
  std::string_view name;
  void (*look)(Findings&);
  bool is_needed_by_the_next = true;
};
constexpr std::array layers{Layer{"handshake", handshake},  Layer{"capabilities", capabilities},
                            Layer{"encodings", encodings},  Layer{"lengths", lengths, false},
                            Layer{"mechanics", mechanics},  Layer{"reuse", reuse},
                            Layer{"operations", operations}};

}  // namespace

namespace {

// Returns the exit code.
int look_at_layers(std::string_view only, int skip_code) {
  bool known = only.empty(), lacks_words = false, is_right = true;
  for (const Layer& layer : layers) {
    if (!only.empty() && layer.name != only) continue;
    known = true;
    Findings found(layer.name.data());
    const bool is_last = layer.look == operations;
    const auto watchdog = is_last ? SIG_ERR : std::signal(SIGALRM, on_hang);
    if (!is_last) alarm(layer_s);
    if (layer.look == handshake || fits()) {
      layer.look(found);
    } else {
      found.check(false, "the table cannot be read: see --validate=handshake");
    }
    if (!is_last) {
      alarm(0);
      std::signal(SIGALRM, watchdog);
    }
    const bool layer_is_right = found.conclude();
    if (!layer_is_right && layer.is_needed_by_the_next) return 1;
    is_right = is_right && layer_is_right;
    lacks_words = lacks_words || found.lacks_words();
  }
  if (known) return !is_right ? 1 : lacks_words ? skip_code : 0;
  std::fprintf(stderr, "conformance: there is no layer \"%s\"; the layers are", std::string(only).c_str());
  for (const Layer& layer : layers) std::fprintf(stderr, " %s", std::string(layer.name).c_str());
  std::fprintf(stderr, "\n");
  return 2;
}

}  // namespace

int validate(std::string_view only, unsigned timeout_s, int skip_code) {
  layer_s = std::min(layer_s, timeout_s);
  hear_crashes();
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // findings are out before a crash
  testing::TestEventListeners& listeners = testing::UnitTest::GetInstance()->listeners();
  delete listeners.Release(listeners.default_result_printer());  // we print everything ourselves
  try {
    conformance::install_traps();  // even if only prepare is called: the suite chooses the exit code
  } catch (const std::exception& problem) {
    std::printf("wrong: %s\n", problem.what());
    return 1;
  }
  const int code = look_at_layers(only, skip_code);
  conformance::expect_end();
  return code;
}

}  // namespace binding
