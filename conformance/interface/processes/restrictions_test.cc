// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// restrictions: what a ring may do, decided before it is enabled and for good. A program that gives a ring to
// code which it does not trust rests on them.
//
// Needs IORING_REGISTER_RESTRICTIONS (5.10, io_uring_register(2)). Before, R_DISABLED is an unknown flag and
// is refused. The tests open the ring anew, with that flag alone.

#include <fcntl.h>

#include <array>
#include <cerrno>

#include "evidence/environment.h"
#include "fixture/files.h"
#include "fixture/ring_test.h"

namespace {

using namespace conformance;

class Restrictions : public RingTest<8> {
 protected:
  Fd zero = open_file("/dev/zero", O_RDONLY);
  std::array<std::byte, 4> buffer{std::byte{1}};
  wire::Probe probe{};

  // NOPs, with ASYNC and no other flag; and the probe.
  static constexpr std::array<wire::Restriction, 4> only_nops{{
      {.opcode = wire::restriction_sqe_op, .operand = wire::op::nop},
      {.opcode = wire::restriction_sqe_flags_allowed, .operand = wire::io_async},
      {.opcode = wire::restriction_sqe_flags_required, .operand = wire::io_async},
      {.opcode = wire::restriction_register_op, .operand = wire::register_op::probe},
  }};

  static bool kernel_has_it() { return kernel_takes(8, wire::setup_r_disabled); }
  std::string witness() { return ring_refused("R_DISABLED", wire::setup_r_disabled, wire::op::shutdown); }

  // Through the binding.
  int restrict_to(std::span<const wire::Restriction> restrictions) {
    std::vector<binding::Restriction> theirs;
    for (const wire::Restriction& one : restrictions)
      theirs.push_back(std::bit_cast<binding::Restriction>(one));
    return binding::errno_of(ring.register_restrictions(theirs).error());
  }
  wire::Cqe nop(std::uint8_t flags) {
    must(ring.nop(1)).flags = flags;
    return complete();
  }
  wire::Cqe read(std::uint8_t flags) {
    must(ring.read(1, zero.get(), buffer, 0)).flags = flags;
    return complete();
  }
  long ask_probe() { return do_register(wire::register_op::probe, &probe, 256); }
  int unregister_buffers() { return binding::errno_of(ring.unregister_buffers().error()); }
  static wire::Cqe done(std::int32_t res) { return {.user_data = 1, .res = res, .flags = 0}; }
};

TEST_F(Restrictions, AllowWhatTheyListOnly) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(wire::setup_r_disabled);
  EXPECT_EQ(restrict_to(only_nops), 0);
  EXPECT_TRUE(ring.enable_rings().ok());
  EXPECT_EQ(nop(wire::io_async), done(0));
  EXPECT_EQ(nop(0), done(-EACCES)) << "a flag that is required";
  EXPECT_EQ(nop(wire::io_async | wire::io_drain), done(-EACCES)) << "a flag that is not allowed";
  EXPECT_EQ(read(wire::io_async), done(-EACCES)) << "an operation that is not allowed";
  EXPECT_EQ(buffer[0], std::byte{1});
  EXPECT_EQ(ask_probe(), 0);
  EXPECT_EQ(unregister_buffers(), EACCES);
  EXPECT_EQ(nop(wire::io_async), done(0));
}

// They are in force from the moment the ring is enabled.
TEST_F(Restrictions, WaitUntilTheRingIsEnabled) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(wire::setup_r_disabled);
  EXPECT_EQ(restrict_to(only_nops), 0);
  EXPECT_EQ(unregister_buffers(), ENXIO);
  EXPECT_TRUE(ring.enable_rings().ok());
  EXPECT_EQ(unregister_buffers(), EACCES);
}

// A list of nothing allows nothing.
TEST_F(Restrictions, MayAllowNothing) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(wire::setup_r_disabled);
  EXPECT_EQ(do_register(wire::register_op::restrictions, only_nops.data(), 0), 0);
  EXPECT_TRUE(ring.enable_rings().ok());
  EXPECT_EQ(nop(0), done(-EACCES));
  EXPECT_EQ(nop(wire::io_async), done(-EACCES));
  EXPECT_EQ(ask_probe(), -EACCES);
}

// Once, before the ring is enabled, and each of a kind that the kernel knows.
TEST_F(Restrictions, AreRefusedOtherwise) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  EXPECT_EQ(restrict_to(only_nops), EBADFD);
  reopen(wire::setup_r_disabled);
  constexpr std::array<wire::Restriction, 1> unknown{{{.opcode = 1000}}};
  EXPECT_EQ(restrict_to(unknown), EINVAL);
  EXPECT_EQ(do_register(wire::register_op::restrictions, nullptr, 1), -EINVAL);
  const std::vector<wire::Restriction> many(1000, only_nops[0]);
  EXPECT_EQ(restrict_to(many), EINVAL);
  EXPECT_EQ(restrict_to(only_nops), 0);
  EXPECT_EQ(restrict_to(only_nops), EBUSY);
}

}  // namespace
