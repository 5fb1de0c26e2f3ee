// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// structs/offsets/entries: the ABI as the binding declares it, and the arguments it must refuse without
// asking the kernel. If a struct has the wrong size, every other row tests something else than it says.
//
// Needs no io_uring at all.

#include <gtest/gtest.h>

#include "binding.h"
#include "seam/wire_log.h"

namespace {

TEST(StructsOffsetsEntries, AreThoseOfTheKernel) {
  EXPECT_EQ(binding::params_size, 120u);
  EXPECT_EQ(binding::sqe_size, 64u);
  EXPECT_EQ(binding::cqe_size, 16u);

  EXPECT_EQ(binding::off_sq_ring, 0u);
  EXPECT_EQ(binding::off_cq_ring, 0x8000000u);
  EXPECT_EQ(binding::off_sqes, 0x10000000u);

  binding::Ring ring;
  EXPECT_EQ(ring.init(0), binding::Error::entries_zero);
  EXPECT_EQ(ring.init(3), binding::Error::entries_not_power_of_two);
}

// Decided in user space: where io_uring is forbidden, a programming mistake must still be called one.
TEST(StructsOffsetsEntries, WrongEntriesNeverReachTheKernel) {
  binding::Ring ring;
  static_cast<void>(ring.init(0));
  static_cast<void>(ring.init(3));
  EXPECT_EQ(conformance::wire_log().lines().size(), 0u);
  EXPECT_EQ(ring.fd(), -1);
}

// Every power of two that 16 bits hold is a size; one more or one less than any of them is not.
TEST(StructsOffsetsEntries, OnlyPowersOfTwoAreSizes) {
  for (unsigned entries = 2; entries <= 32768; entries *= 2) {
    binding::Ring ring;
    EXPECT_EQ(ring.init(entries + 1), binding::Error::entries_not_power_of_two) << entries + 1;
    if (entries > 2) {
      EXPECT_EQ(ring.init(entries - 1), binding::Error::entries_not_power_of_two) << entries - 1;
    }
  }
}

}  // namespace
