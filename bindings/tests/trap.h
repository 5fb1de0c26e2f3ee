// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// How a program ends that violated a precondition: what compilers make of __builtin_trap differs between
// architectures.
#ifndef URING_TESTS_TRAP_H
#define URING_TESTS_TRAP_H

#include <sys/wait.h>

#include <csignal>

// For EXPECT_EXIT.
inline bool trapped(int status) {
  if (!WIFSIGNALED(status)) return false;
  const int signal = WTERMSIG(status);
#if defined(__x86_64__)
  return signal == SIGILL;
#elif defined(__s390x__)
  return signal == SIGILL || signal == SIGFPE;  // GCC merges a comparison and the trap after it into one
#else
  return signal == SIGTRAP;
#endif
}

#endif
