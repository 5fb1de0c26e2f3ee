// The suite's own smoke run: the harness runs these three in each machine before it believes anything else. One must pass, one must fail,
// one must be refused with a witness. They are disabled, so nobody runs them by accident.

#include <gtest/gtest.h>

#include "support/ring_test.h"

namespace {

using namespace conformance;

class DISABLED_SmokePass : public RingTest<1> {};
class DISABLED_SmokeFail : public RingTest<1> {};
class DISABLED_SmokeRefused : public RingTest<1> {};

TEST_F(DISABLED_SmokePass, ANopCompletes) {
  must(ring.nop(1));
  ASSERT_EQ(ring.submit(), 1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 1, .res = 0, .flags = 0}));
}

TEST_F(DISABLED_SmokeFail, ANopIsWrongWhenTheTestSaysSo) {
  must(ring.nop(1));
  ASSERT_EQ(ring.submit(), 1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 2, .res = 0, .flags = 0})) << "this failure is wanted";
}

// An opcode that no kernel has stands in for one that this kernel lacks. (254: the control in refused() is 255.)
TEST_F(DISABLED_SmokeRefused, AnOpcodeNoKernelHas) {
  const wire::Sqe wanted{.opcode = 254, .user_data = 1};
  GTEST_SKIP() << refused(
      [&]() -> binding::Result<binding::Sqe&> {
        binding::Sqe& sqe = must(ring.nop(1));
        sqe.opcode = binding::Op{254};
        return sqe;
      },
      wanted, [] { return ""; });
}

}  // namespace
