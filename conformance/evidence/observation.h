// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// What the running test has to say beyond passed and failed: a refusal with its witness, or a blocked
// environment. The test observes; nothing here knows which kernel should have what.
#ifndef CONFORMANCE_EVIDENCE_OBSERVATION_H
#define CONFORMANCE_EVIDENCE_OBSERVATION_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace conformance {

// The witness of one refused request. Collected on the ring of the test itself, in this order.
struct Refusal {
  std::string what;                 // "MKDIRAT", "ACCEPT with multishot", "REGISTER_PBUF_RING"
  std::int32_t nop_before = 0;      // res of a NOP: the ring works
  std::int32_t res = 0;             // res of the request
  std::int32_t again = 0;           // res of the same request once more
  std::int32_t nobody = 0;          // res of the same with an opcode that no kernel has
  std::int32_t nop_after = 0;       // res of a NOP: the ring still works
  std::uint32_t cqe_flags = 0;      // of the refusing CQEs, or-ed
  bool user_data_came_back = true;  // in every one of these CQEs
  std::uint32_t extra_cqes = 0;     // beyond one CQE each
  std::string probed;               // what the kernel was asked for: this opcode, or something of its release
  std::optional<bool> probe;  // whether it says that it has it; nothing where it cannot be asked (before 5.6)
  bool before_5_5 = false;    // no IORING_FEAT_SUBMIT_STABLE: descriptors are looked at before opcodes
  bool may_be_ignored = false;      // a modifier in a field that a kernel this old does not look at
  bool may_be_unsupported = false;  // some requests have it: those that do not may answer EOPNOTSUPP
  std::string happened;             // what the request did all the same; empty: nothing
  // What a kernel without it answers, where that is documented to be something else than a refusal.
  std::optional<std::int32_t> instead;
};

// Why this is not the refusal of a kernel that simply lacks the operation; empty when it is. Each entry is a
// sentence.
std::vector<std::string> objections(const Refusal& refusal);

// What was tried and what came back, in one line for a person.
std::string describe(const Refusal& refusal);

// Something around the kernel forbids what the test needs.
struct Blocked {
  std::string cause;  // one of: sysctl, seccomp, lsm, kconfig, rlimit, privilege, network, machine, device
  std::string text;   // a sentence, with what to do
};

// Something that the binding under test has no words for. Only a foreign binding may say so: ours has all
// that the tests use.
struct NotExpressible {
  std::string what;    // "WAITID"
  std::string reason;  // a sentence, the adapter's
};

// Of the test that is running now; emptied when the next one starts.
struct Observation {
  std::optional<Refusal> refusal;
  std::optional<Blocked> blocked;
  std::optional<NotExpressible> not_expressible;
};
Observation& current_observation();

}  // namespace conformance

#endif
