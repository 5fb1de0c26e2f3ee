// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// The harness's smoke run: in each machine, before it believes anything else, it runs these three and wants
// them passed, failed and refused. They check the way from a test to its record, not the kernel or the
// binding, and so they use neither. Disabled, so that they never run by accident.
//
// And one for each kind of ring, which asks both: if it is refused, the rows need not be run on such a ring.

#include <gtest/gtest.h>

#include "evidence/observation.h"
#include "fixture/ring_test.h"
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

class DISABLED_SmokeRing : public RingTest<4> {};

TEST_F(DISABLED_SmokeRing, Works) {
  must(ring.nop(1));
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 1, .res = 0, .flags = 0}));
}

}  // namespace
