// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// probe: what IORING_REGISTER_PROBE says of the kernel's operations, and that it is true. Programs decide by
// it what they use.
//
// Needs IORING_REGISTER_PROBE (5.6, io_uring_register(2)). Before, an unknown registration is refused.

#include <sys/wait.h>

#include <cerrno>

#include "fixture/ring_test.h"

namespace {

using namespace conformance;

class Probe : public RingTest<8> {
 protected:
  wire::Probe answer{};

  long ask(unsigned count) { return do_register(wire::register_op::probe, &answer, count); }
  bool promises(std::uint8_t opcode) const {
    return opcode < answer.ops_len && (answer.ops[opcode].flags & wire::op_supported) != 0;
  }
  std::string witness() {
    return registration_refused(
        "REGISTER_PROBE",
        [&] {
          binding::Probe probe;
          return binding::errno_of(ring.get_probe(probe).error());
        },
        wire::op::read);
  }
};

// As many entries as there are operations, each with its number. Which they are is not for this row to say.
TEST_F(Probe, ListsTheOperations) {
  if (!kernel_has(wire::op::read)) GTEST_SKIP() << witness();
  binding::Probe probe;
  EXPECT_TRUE(ring.get_probe(probe).ok());
  answer = std::bit_cast<wire::Probe>(probe);
  EXPECT_EQ(answer.ops_len, answer.last_op + 1);
  EXPECT_TRUE(promises(wire::op::nop));
  for (unsigned i = 0; i < 256; ++i) {
    const wire::ProbeOp& op = answer.ops[i];
    EXPECT_EQ(op.op, i < answer.ops_len ? i : 0);
    EXPECT_EQ(op.flags & ~wire::op_supported, 0) << i;
    EXPECT_TRUE(i < answer.ops_len || op.flags == 0) << i;
  }
}

// An array of five entries is filled, and not more of it. Without an array there is still the number.
TEST_F(Probe, FillsAsMuchAsThereIs) {
  if (!kernel_has(wire::op::read)) GTEST_SKIP() << witness();
  ASSERT_EQ(ask(256), 0);
  const std::uint8_t last_op = answer.last_op;
  for (const std::uint8_t count : {std::uint8_t{5}, std::uint8_t{0}}) {
    answer = {};
    answer.ops[count].op = 0xff;
    EXPECT_EQ(ask(count), 0);
    EXPECT_EQ(answer.last_op, last_op);
    EXPECT_EQ(answer.ops_len, count);
    EXPECT_EQ(answer.ops[count].op, 0xff) << "beyond the array";
  }
}

TEST_F(Probe, RefusesWhatItCannotFill) {
  if (!kernel_has(wire::op::read)) GTEST_SKIP() << witness();
  EXPECT_EQ(do_register(wire::register_op::probe, nullptr, 1), -EINVAL);
  EXPECT_EQ(ask(257), -EINVAL);
  answer.ops[7].resv2 = 1;  // all of it is for the kernel to fill
  EXPECT_EQ(ask(256), -EINVAL);
  EXPECT_EQ(answer.last_op, 0);
  EXPECT_EQ(answer.ops_len, 0);
}

// What the probe denies, the ring refuses.
TEST_F(Probe, DeniesWhatTheRingRefuses) {
  if (!kernel_has(wire::op::read)) GTEST_SKIP() << witness();
  ASSERT_EQ(ask(256), 0);
  for (unsigned i = 0; i < 256; ++i) {
    const auto opcode = static_cast<std::uint8_t>(i);
    if (promises(opcode)) continue;
    EXPECT_EQ(complete(wire::Sqe{.opcode = opcode, .fd = -1, .user_data = i}),
              (wire::Cqe{.user_data = i, .res = -EINVAL, .flags = 0}));
  }
  EXPECT_EQ(complete(wire::Sqe{.user_data = 0x100}), (wire::Cqe{.user_data = 0x100, .res = 0, .flags = 0}));
}

// A request without effect, which the operation answers otherwise than with the EINVAL of an unknown opcode:
// it has no file, or an address that is not mapped.
wire::Sqe without_effect(std::uint8_t opcode) {
  constexpr std::uint64_t unmapped = 4096;  // mmap_min_addr is above it
  wire::Sqe sqe{.opcode = opcode, .fd = -1, .user_data = opcode};
  switch (opcode) {
    case wire::op::timeout:
    case wire::op::files_update:
    case wire::op::epoll_ctl:  // EPOLL_CTL_ADD
    case wire::op::epoll_wait: sqe.len = 1; break;
    case wire::op::statx: sqe.addr = unmapped; break;
    case wire::op::openat2: sqe.off = unmapped, sqe.len = 24; break;  // struct open_how
    case wire::op::splice:
    case wire::op::tee: sqe.file_index = ~0u; break;  // splice_fd_in
    case wire::op::remove_buffers: sqe.fd = 1; break;
    case wire::op::read_multishot: sqe.flags = wire::buffer_select; break;
    case wire::op::waitid: sqe.file_index = WEXITED; break;  // we have no child
    case wire::op::futex_wait:
    case wire::op::futex_wake:
      sqe.fd = wire::futex2_size_u32 | wire::futex2_private;
      sqe.addr = unmapped;
      sqe.addr3 = ~0u;
      break;
    case wire::op::futex_waitv: sqe.fd = 0, sqe.addr = unmapped, sqe.len = 1; break;
    case wire::op::fixed_fd_install: sqe.flags = wire::fixed_file; break;
    case wire::op::pipe: sqe.fd = 0, sqe.addr = unmapped; break;
  }
  return sqe;
}

// And the other way round. Of LINK_TIMEOUT (without a link), RECV_ZC (without a queue of a network device)
// and the two operations of 128 bytes (on this ring) EINVAL is the answer of the operation itself. Those that
// this suite does not know are left out, too.
TEST_F(Probe, PromisesWhatTheRingCarriesOut) {
  if (!kernel_has(wire::op::read)) GTEST_SKIP() << witness();
  ASSERT_EQ(ask(256), 0);
  constexpr std::uint8_t last_known = wire::op::pipe;
  for (std::uint8_t opcode = 0; opcode <= last_known; ++opcode) {
    if (!promises(opcode) || opcode == wire::op::link_timeout || opcode == wire::op::recv_zc) continue;
    const wire::Cqe cqe = complete(without_effect(opcode));
    EXPECT_EQ(cqe.user_data, opcode);
    EXPECT_NE(cqe.res, -EINVAL) << wire::op_name(opcode);
    // A zero-copy send that fails has its second CQE all the same.
    if ((cqe.flags & wire::cqe_more) != 0) {
      EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = opcode, .res = 0, .flags = wire::cqe_notif}));
    }
  }
}

}  // namespace
