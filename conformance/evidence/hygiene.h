// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// What every test must satisfy beyond its own assertions: it leaks nothing, it does not skip without
// evidence (a witness), it ends.
#ifndef CONFORMANCE_EVIDENCE_HYGIENE_H
#define CONFORMANCE_EVIDENCE_HYGIENE_H

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace conformance {

// What a process holds that a test could leak.
struct Belongings {
  std::map<int, std::string> descriptors;  // and what they are, from /proc/self/fd
  int ring_mappings = 0;                   // lines of /proc/self/maps that name io_uring
  int anonymous_mappings = 0;              // of the binding: memory of buffer rings
  long pinned_kib = 0;                     // VmPin: registered buffers
  int children = 0;                        // 1 if there is a child that was not waited for
};
Belongings look_around();

// What `after` has that `before` had not, and the other way round, as sentences; empty: nothing.
std::vector<std::string> leaks(const Belongings& before, const Belongings& after);

// Starts each test with an empty observation and an empty wire log; fails it afterwards if it leaked, if its
// rings count requests or completions as lost, or if it skipped without a witness. Of a foreign binding, a
// skip may also say what it has no words for. Must be appended after RecordListener: GoogleTest calls
// OnTestEnd in reverse order.
class HygieneListener : public testing::EmptyTestEventListener {
 public:
  explicit HygieneListener(bool foreign_binding) : foreign_binding_(foreign_binding) {}
  void OnTestStart(const testing::TestInfo& info) override;
  // At the first failure of a test, while its ring is still open: was a call before it denied by the
  // environment? Then the test is blocked, and ends here, because what follows from that says nothing and may
  // wait for ever. A failure that came before the denial stays one.
  void OnTestPartResult(const testing::TestPartResult& part) override;
  void OnTestEnd(const testing::TestInfo& info) override;

 private:
  bool foreign_binding_;
  bool has_failed_ = false;           // in this test
  std::optional<Belongings> before_;  // what there was when the last test ended
};

// Prints after a failed test what went over the wire, for people: records have it anyway. Must be appended
// before HygieneListener, as RecordListener.
class WireListener : public testing::EmptyTestEventListener {
 public:
  void OnTestEnd(const testing::TestInfo& info) override;
};

// Ends the process when a test takes longer than `seconds`, with a record (to `record_fd` unless -1) and a
// message that name the test and the state of its rings. Nearly every failure of a binding is a wait that
// never ends.
class WatchdogListener : public testing::EmptyTestEventListener {
 public:
  WatchdogListener(unsigned seconds, int record_fd);
  void OnTestStart(const testing::TestInfo& info) override;
  void OnTestEnd(const testing::TestInfo& info) override;

  static constexpr int exit_code = 124;  // as timeout(1)
};

}  // namespace conformance

#endif
