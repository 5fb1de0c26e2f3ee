// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The result stream: one NDJSON record per test, between a header with the plan and a footer. A reader that
// sees no footer, or a planned test without a record, knows that the process died on the way.
#ifndef CONFORMANCE_EVIDENCE_RECORDS_H
#define CONFORMANCE_EVIDENCE_RECORDS_H

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace conformance {

inline constexpr int record_schema = 1;

// One line: the record of a finished test. `result` is GoogleTest's, the rest is the current observation and
// the wire log.
std::string test_record(const testing::TestInfo& info);

// The record of a test that the watchdog ended.
std::string timeout_record(const std::string& test, long seconds, const std::string& ring_states);

// Writes the records to a descriptor. A record that cannot be written ends the process: a run whose results
// are lost must not look like a run.
class RecordListener : public testing::EmptyTestEventListener {
 public:
  // `binding` and `version` say what is tested: the binding itself, or a lie under it.
  RecordListener(int fd, std::string binding, std::string version)
      : fd_(fd), binding_(std::move(binding)), version_(std::move(version)) {}
  void OnTestProgramStart(const testing::UnitTest& unit_test) override;
  void OnTestEnd(const testing::TestInfo& info) override;
  void OnTestProgramEnd(const testing::UnitTest& unit_test) override;

  // Also called by the watchdog.
  static void write_line(int fd, const std::string& line);

 private:
  int fd_;
  std::string binding_, version_;
};

}  // namespace conformance

#endif
