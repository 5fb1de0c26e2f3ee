// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

#include "evidence/records.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "evidence/json.h"
#include "evidence/observation.h"
#include "seam/traps.h"
#include "seam/wire.h"
#include "seam/wire_log.h"

namespace conformance {
namespace {

std::string full_name(const testing::TestInfo& info) {
  return std::string(info.test_suite_name()) + "." + info.name();
}

json::Object refusal_json(const Refusal& r) {
  const std::vector<std::string> found = objections(r);
  return json::Object()
      .text("what", r.what)
      .number("res", r.res)
      .number("again", r.again)
      .number("nobody", r.nobody)
      .number("nop_before", r.nop_before)
      .number("nop_after", r.nop_after)
      .number("cqe_flags", r.cqe_flags)
      .number("extra_cqes", r.extra_cqes)
      .flag("user_data_came_back", r.user_data_came_back)
      .text("probed", r.probed)
      .flag("may_be_ignored", r.may_be_ignored)
      .flag("probe", r.probe)
      .text("happened", r.happened)
      .text("shape", found.empty() ? "right" : "wrong")
      .list("objections", found);
}

json::Object failure_json(std::string_view file, int line, std::string_view text) {
  return json::Object().text("file", file).number("line", line).text("text", text);
}

// Failures of the test, without the ones that only repeat the refusal's objections.
std::vector<json::Object> failures_of(const testing::TestResult& result) {
  std::vector<json::Object> failures;
  for (int i = 0; i < result.total_part_count(); ++i) {
    const testing::TestPartResult& part = result.GetTestPartResult(i);
    if (!part.failed()) continue;
    if (std::string_view(part.summary()).find("no witness: ") != std::string_view::npos) continue;
    failures.push_back(failure_json(part.file_name() != nullptr ? part.file_name() : "", part.line_number(),
                                    part.message()));
  }
  return failures;
}

// The lines as the log has them, in a container that JSON lists are made of.
std::vector<std::string> wire_lines() {
  const auto lines = wire_log().lines();
  return {lines.begin(), lines.end()};
}

}  // namespace

std::string test_record(const testing::TestInfo& info) {
  const testing::TestResult& result = *info.result();
  const Observation& observed = current_observation();
  const std::vector<json::Object> failures = failures_of(result);

  const char* state = "passed";
  if (observed.blocked) {
    state = "blocked";
  } else if (!failures.empty()) {
    state = "failed";
  } else if (observed.not_expressible) {
    state = "not_expressible";
  } else if (observed.refusal) {
    state = "refused";
  }

  json::Object record("test");
  record.text("name", full_name(info)).text("state", state).number("ms", result.elapsed_time());
  if (!failures.empty()) record.list("failures", failures);
  if (observed.refusal) record.object("refusal", refusal_json(*observed.refusal));
  if (observed.blocked) {
    record.object("blocked",
                  json::Object().text("cause", observed.blocked->cause).text("text", observed.blocked->text));
  }
  if (observed.not_expressible) {
    record.object("not_expressible", json::Object()
                                         .text("what", observed.not_expressible->what)
                                         .text("reason", observed.not_expressible->reason));
  }
  if (result.Failed()) record.list("wire", wire_lines());
  return record.line();
}

std::string timeout_record(const std::string& test, long seconds, const std::string& ring_states) {
  const std::string text = "the test did not end within " + std::to_string(seconds) + " s; " + ring_states;
  return json::Object("test")
      .text("name", test)
      .text("state", "timeout")
      .number("ms", seconds * 1000)
      .list("failures", std::vector{failure_json("", 0, text)})
      .list("wire", wire_lines())
      .line();
}

void RecordListener::OnTestProgramStart(const testing::UnitTest& unit_test) {
  std::vector<std::string> plan;
  for (int s = 0; s < unit_test.total_test_suite_count(); ++s) {
    const testing::TestSuite& suite = *unit_test.GetTestSuite(s);
    for (int t = 0; t < suite.total_test_count(); ++t) {
      if (suite.GetTestInfo(t)->should_run()) plan.push_back(full_name(*suite.GetTestInfo(t)));
    }
  }
  write_line(fd_, json::Object("header")
                      .number("schema", record_schema)
                      .object("binding", json::Object().text("name", binding_).text("version", version_))
                      .list("plan", plan)
                      .line());
}

void RecordListener::OnTestEnd(const testing::TestInfo& info) { write_line(fd_, test_record(info)); }

void RecordListener::OnTestProgramEnd(const testing::UnitTest& unit_test) {
  write_line(fd_, json::Object("footer").number("ran", unit_test.test_to_run_count()).line());
}

void RecordListener::write_line(int fd, const std::string& bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = write(fd, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      std::fprintf(stderr, "a result record cannot be written to descriptor %d: %s\n", fd,
                   strerrorname_np(errno));
      expect_end();
      std::_Exit(3);
    }
    done += static_cast<std::size_t>(n);
  }
}

}  // namespace conformance
