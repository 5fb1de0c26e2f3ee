// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// What in the kernel's surroundings can block a test, and how to tell it from a finding. xfstests' triage
// is the model: without a witness in the environment an error is an error.
#ifndef CONFORMANCE_EVIDENCE_ENVIRONMENT_H
#define CONFORMANCE_EVIDENCE_ENVIRONMENT_H

#include <cstddef>
#include <optional>
#include <string>
#include <variant>

#include "evidence/observation.h"
#include "seam/wire_log.h"

namespace conformance {

// The facts that explain why a call may be forbidden.
struct Environment {
  std::optional<int> io_uring_disabled;      // sysctl kernel.io_uring_disabled, since 6.6
  bool seccomp = false;                      // this process runs under a seccomp filter that is not ours
  std::optional<unsigned long> memlock_kib;  // RLIMIT_MEMLOCK; nothing: unlimited, or it does not bind us
  std::string lsm = {};                      // the security modules that may deny a call: "selinux,bpf"
};
Environment read_environment();

// Why io_uring_setup(2) failed with `error`, if the environment explains it. Nothing: it is a finding.
std::optional<Blocked> why_blocked(int error, const Environment& environment);

// The same for any call of the binding, or request, that was denied after its ring was open. An errno alone
// is no witness, not even under a limit or a filter: the binding may have asked for the wrong thing. A call
// of our own must be denied in the same way now, where nothing but the environment could deny it.
struct Witnesses {
  int (*enter)();                   // errno of io_uring_enter(2) on a descriptor that is not open: EBADF
  int (*do_register)();             // the same of io_uring_register(2)
  int (*lock_memory)(std::size_t);  // errno of registering that much memory of our own on our own ring
};
extern const Witnesses bare_witnesses;  // asks the kernel
std::optional<Blocked> why_denied(const Denial& denial, const Environment& environment,
                                  const Witnesses& ask = bare_witnesses);

// The errno of io_uring_setup(2) when we call it ourselves, or 0: then the ring opened, and is closed again.
int bare_setup(unsigned entries, unsigned setup_flags);

// False if the kernel lacks one of these flags of io_uring_setup(2), which it says with EINVAL. An error of
// another kind, such as ENOMEM, says nothing of the flags.
bool kernel_takes(unsigned entries, unsigned setup_flags);

// Who is to blame that the binding, which says `binding_error`, opened no ring of `entries`: the environment,
// or a sentence for the failure. A binding that calls the wrong number gets ENOSYS too, so only the errno of
// our own call, `bare_error`, is a witness.
std::variant<Blocked, std::string> why_no_ring(unsigned entries, int bare_error,
                                               const std::string& binding_error,
                                               const Environment& environment);

// Blocked if 127.0.0.1 cannot be used because the loopback interface is down.
std::optional<Blocked> why_no_loopback();

// Ends the running test: writes down the cause and throws.
[[noreturn]] void stop_blocked(const Blocked& blocked);

}  // namespace conformance

#endif
