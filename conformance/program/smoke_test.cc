// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// The harness's smoke run: in each machine, before it believes anything else, it runs these three and wants
// them passed, failed and refused. They check the way from a test to its record, not the kernel or the
// binding, and so they use neither. Disabled, so that they never run by accident.

#include <gtest/gtest.h>

#include "evidence/observation.h"
#include "seam/wire.h"

namespace {

using namespace conformance;

TEST(DISABLED_SmokePassed, Passes) { SUCCEED(); }

TEST(DISABLED_SmokeFailed, Fails) { FAIL() << "this failure is wanted"; }

TEST(DISABLED_SmokeRefused, IsRefused) {
  const Refusal good{
      .what = "opcode 254", .res = -22, .again = -22, .nobody = -22, .probed = "opcode 254", .probe = false};
  current_observation().refusal = good;
  GTEST_SKIP() << describe(good);
}

}  // namespace
