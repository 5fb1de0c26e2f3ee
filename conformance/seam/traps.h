// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Traps: how the suite sees the system calls of a binding that it cannot put a kernel under. A seccomp filter
// turns the calls that a ring is made of into signals, wherever in the process they are made, and the handler
// of the signal carries them out through the observed kernel (wire_log.h): logged, and open to its lies.
//
// Works for any binding in any language, and needs nothing of it. What the suite itself asks the kernel is
// let through unseen: the binding is seen only while it is at work. To end the process is not its business,
// and becomes a failure with a message.
//
// Anonymous memory is not trapped, because malloc's own comes the same way: of a foreign binding, a buffer
// ring that is never unmapped goes unnoticed. So do memory and descriptors of threads that it starts.
#ifndef CONFORMANCE_SEAM_TRAPS_H
#define CONFORMANCE_SEAM_TRAPS_H

#include <csignal>

namespace conformance {

// For the rest of the process and its children; called again in a child, makes that the process that is
// observed. Throws if this kernel cannot (CONFIG_SECCOMP_FILTER).
void install_traps();
bool traps_are_installed();

// While one of these exists, the binding is at work: its calls are logged.
class BindingAtWork {
 public:
  BindingAtWork();
  ~BindingAtWork();
  BindingAtWork(const BindingAtWork&) = delete;
  BindingAtWork& operator=(const BindingAtWork&) = delete;

 private:
  std::sig_atomic_t before_;
};

// From here on it is the suite that ends the process. Until then, whoever does, in whatever thread, is the
// binding.
void expect_end();

}  // namespace conformance

#endif
