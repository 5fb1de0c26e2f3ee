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

std::string refusal_json(const Refusal& r) {
  const std::vector<std::string> found = objections(r);
  return json::Object()
      .add_string("what", r.what)
      .add("res", r.res)
      .add("again", r.again)
      .add("nobody", r.nobody)
      .add("nop_before", r.nop_before)
      .add("nop_after", r.nop_after)
      .add("cqe_flags", r.cqe_flags)
      .add("extra_cqes", r.extra_cqes)
      .add("user_data_came_back", r.user_data_came_back ? "true" : "false")
      .add_string("probed", wire::op_name(r.probed))
      .add("may_be_ignored", r.may_be_ignored ? "true" : "false")
      .add("probe", !r.probe.has_value() ? "null"
                    : *r.probe           ? "true"
                                         : "false")
      .add_string("happened", r.happened)
      .add_string("shape", found.empty() ? "right" : "wrong")
      .add("objections", json::array_of_strings(found))
      .text();
}

// Failures of the test, without the ones that only repeat the refusal's objections.
struct Failures {
  std::string json = "[";
  int count = 0;
};

Failures failures_of(const testing::TestResult& result) {
  Failures failures;
  for (int i = 0; i < result.total_part_count(); ++i) {
    const testing::TestPartResult& part = result.GetTestPartResult(i);
    if (!part.failed()) continue;
    if (std::string_view(part.summary()).find("no witness: ") != std::string_view::npos) continue;
    failures.json += failures.count++ > 0 ? "," : "";
    failures.json += json::Object()
                         .add_string("file", part.file_name() != nullptr ? part.file_name() : "")
                         .add("line", part.line_number())
                         .add_string("text", part.message())
                         .text();
  }
  failures.json += "]";
  return failures;
}

}  // namespace

std::string test_record(const testing::TestInfo& info) {
  const testing::TestResult& result = *info.result();
  const Observation& observed = current_observation();
  const Failures failures = failures_of(result);

  const char* state = "passed";
  if (observed.blocked) {
    state = "blocked";
  } else if (failures.count > 0) {
    state = "failed";
  } else if (observed.not_expressible) {
    state = "not_expressible";
  } else if (observed.refusal) {
    state = "refused";
  }

  json::Object record;
  record.add_string("kind", "test").add_string("name", full_name(info)).add_string("state", state);
  record.add("ms", result.elapsed_time());
  if (failures.count > 0) record.add("failures", failures.json);
  if (observed.refusal) record.add("refusal", refusal_json(*observed.refusal));
  if (observed.blocked) {
    record.add("blocked", json::Object()
                              .add_string("cause", observed.blocked->cause)
                              .add_string("text", observed.blocked->text)
                              .text());
  }
  if (observed.not_expressible) {
    record.add("not_expressible", json::Object()
                                      .add_string("what", observed.not_expressible->what)
                                      .add_string("reason", observed.not_expressible->reason)
                                      .text());
  }
  if (result.Failed()) record.add("wire", json::array_of_strings(wire_log().lines()));
  return record.text();
}

std::string timeout_record(const std::string& test, long seconds, const std::string& ring_states) {
  const std::string text = "the test did not end within " + std::to_string(seconds) + " s; " + ring_states;
  return json::Object()
      .add_string("kind", "test")
      .add_string("name", test)
      .add_string("state", "timeout")
      .add("ms", seconds * 1000)
      .add("failures",
           "[" + json::Object().add_string("file", "").add("line", 0).add_string("text", text).text() + "]")
      .add("wire", json::array_of_strings(wire_log().lines()))
      .text();
}

void RecordListener::OnTestProgramStart(const testing::UnitTest& unit_test) {
  std::vector<std::string> plan;
  for (int s = 0; s < unit_test.total_test_suite_count(); ++s) {
    const testing::TestSuite& suite = *unit_test.GetTestSuite(s);
    for (int t = 0; t < suite.total_test_count(); ++t) {
      if (suite.GetTestInfo(t)->should_run()) plan.push_back(full_name(*suite.GetTestInfo(t)));
    }
  }
  write_line(fd_, json::Object()
                      .add_string("kind", "header")
                      .add("schema", record_schema)
                      .add("binding", json::Object()
                                          .add_string("name", binding_)
                                          .add_string("version", version_)
                                          .text())
                      .add("plan", json::array_of_strings(plan))
                      .text());
}

void RecordListener::OnTestEnd(const testing::TestInfo& info) { write_line(fd_, test_record(info)); }

void RecordListener::OnTestProgramEnd(const testing::UnitTest& unit_test) {
  write_line(fd_,
             json::Object().add_string("kind", "footer").add("ran", unit_test.test_to_run_count()).text());
}

void RecordListener::write_line(int fd, const std::string& line) {
  const std::string bytes = line + "\n";
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
