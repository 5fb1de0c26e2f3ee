// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// For tests of setup flags on the kernel that runs them: a kernel may lack a flag, but must say so.
#ifndef URING_TESTS_THIS_KERNEL_H
#define URING_TESTS_THIS_KERNEL_H

#include <gtest/gtest.h>

#include <uring/uring.h>

namespace {

// Whether a ring with these flags could be opened. If not, it must be for want of one of them: EINVAL, and
// from 6.18 on the kernel says so itself, when asked.
inline bool this_kernel_has(const uring::Result<void>& opened, uring::u32 flags) {
  uring::QueryOpcode abilities;
  if (uring::query_abilities(abilities).ok()) {
    const bool has = (abilities.ring_setup_flags & flags) == flags;
    EXPECT_EQ(opened.ok(), has) << "asked for its abilities, the kernel " << (has ? "has" : "lacks")
                                << " them";
  }
  if (!opened.ok()) {
    EXPECT_EQ(opened, uring::Error::inval);
  }
  return opened.ok();
}

// Skips the rest of the test on such a kernel. `what` with its first release.
#define NEEDS(opened, flags, what) \
  if (!this_kernel_has(opened, flags)) GTEST_SKIP() << "this kernel lacks " what

}  // namespace

#endif
