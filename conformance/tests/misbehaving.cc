// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Tests that must turn red although each of their assertions holds. misbehaving_test.cmake runs them one by
// one and demands a failure with the right words and the right record.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture/files.h"
#include "fixture/ring_test.h"

namespace {

using namespace conformance;

TEST(Misbehaving, LeaksADescriptor) { static_cast<void>(open_file("/dev/zero", O_RDONLY).release()); }

TEST(Misbehaving, LeaksARing) {
  auto* ring = new binding::Ring;
  must(ring->init(4));
}

TEST(Misbehaving, LeavesAChild) {
  if (fork() == 0) _exit(0);
  siginfo_t info{};
  ASSERT_EQ(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
}

TEST(Misbehaving, ClosesWhatIsNotItsOwn) {
  const Fd zero = open_file("/dev/zero", O_RDONLY);
  close(zero.get());
}

TEST(Misbehaving, PutsAnotherDescriptorInItsPlace) {
  const Fd zero = open_file("/dev/zero", O_RDONLY);
  ASSERT_EQ(dup2(zero.get(), STDIN_FILENO), STDIN_FILENO);
}

TEST(Misbehaving, SkipsWithoutAWitness) { GTEST_SKIP() << "this kernel surely cannot do that"; }

// What only a foreign binding may say.
TEST(Misbehaving, SaysThatItHasNoWords) {
  current_observation().not_expressible = NotExpressible{.what = "NOP", .reason = "it is too much"};
  GTEST_SKIP() << "NOP is not expressible";
}

// The binding takes powers of two only; the kernel takes any number.
class OnARingOfThree : public RingTest<3> {};

TEST_F(OnARingOfThree, IsNotBlocked) {}

class OnARing : public RingTest<4> {};

TEST_F(OnARing, WaitsForever) { wait_cqe(); }

// A "refusal" of something that the kernel has and does.
TEST_F(OnARing, TakesASuccessForARefusal) {
  GTEST_SKIP() << refused([&] { return ring.nop(7); }, wire::Sqe{.opcode = wire::op::nop, .user_data = 7},
                          [] { return "a NOP was done"; });
}

// A refusal by an encoding of the binding's own making: the probe knows better.
TEST_F(OnARing, TakesAWrongEncodingForARefusal) {
  const wire::Sqe wrong{.opcode = wire::op::close, .fd = -1, .off = 1, .user_data = 7};
  GTEST_SKIP() << refused(
      [&]() -> binding::Result<binding::Sqe&> {
        binding::Sqe& sqe = must(ring.close(7, -1));
        sqe.off = 1;
        return sqe;
      },
      wrong, [] { return ""; });
}

TEST_F(OnARing, CannotGoOn) {
  for (int i = 0; i < 5; ++i) must(ring.nop(1));
}

}  // namespace
