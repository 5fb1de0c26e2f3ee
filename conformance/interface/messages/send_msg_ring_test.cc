// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// message without a ring: IORING_REGISTER_SEND_MSG_RING sends the message of a MSG_RING by
// io_uring_register(2), for a thread that has no ring of its own. It takes -1 in place of a ring.
//
// Needs IORING_REGISTER_SEND_MSG_RING (6.13, io_uring_register(2)). Before, the registration is unknown, on
// -1 as on a ring.

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "evidence/environment.h"
#include "fixture/ring_test.h"
#include "seam/bare_kernel.h"
#include "seam/kernel_abi.h"

namespace {

using namespace conformance;

class SendMsgRing : public RingTest<8> {
 protected:
  wire::Sqe message(std::int32_t res, std::uint64_t data) const {
    return {
        .opcode = wire::op::msg_ring, .fd = ring.fd(), .off = data, .len = static_cast<std::uint32_t>(res)};
  }
  // By a system call of our own, which threads and children may make.
  static long send(const wire::Sqe& sqe, std::uint32_t count = 1) {
    return BareKernel::do_register(-1, wire::register_op::send_msg_ring, &sqe, count);
  }
  std::string witness() {
    // Not EBADF, though -1 is no descriptor: the number of the registration is looked at first, since 6.2
    // (343190841a1f, io_uring: check for valid register opcode earlier) and in the releases of 5.10, 5.15 and
    // 6.1 that took this over, which are those of 2023 and later.
    EXPECT_EQ(send(message(7, 99)), -EINVAL);
    const wire::Sqe sqe = message(7, 99);
    return registration_refused(
        "SEND_MSG_RING",
        [&] { return static_cast<int>(-do_register(wire::register_op::send_msg_ring, &sqe, 1)); },
        wire::hybrid_iopoll);
  }
  static wire::Cqe told(std::int32_t res, std::uint64_t data, std::uint32_t flags = 0) {
    return {.user_data = data, .res = res, .flags = flags};
  }
};

// What the binding would queue on a ring is the message, here as its 64 bytes.
TEST_F(SendMsgRing, DeliversResAndUserData) {
  if (!kernel_has(wire::hybrid_iopoll)) GTEST_SKIP() << witness();
  constexpr std::uint64_t wide = 0xfedcba98'76543210;
  expect_encoding(ring.msg_ring(0, ring.fd(), -5, wide, 0), message(-5, wide));
  EXPECT_EQ(send(message(7, 99)), 0);
  EXPECT_EQ(wait_cqe(), told(7, 99));
  EXPECT_EQ(send(message(-5, wide)), 0);
  EXPECT_EQ(wait_cqe(), told(-5, wide));
}

TEST_F(SendMsgRing, DeliversFlags) {
  if (!kernel_has(wire::hybrid_iopoll)) GTEST_SKIP() << witness();
  wire::Sqe sqe = message(7, 99);
  sqe.op_flags = wire::msg_ring_flags_pass;
  sqe.file_index = 0x50001;
  EXPECT_EQ(send(sqe), 0);
  EXPECT_EQ(wait_cqe(), told(7, 99, 0x50001));
}

// From a thread and from a process that inherited the target.
TEST_F(SendMsgRing, NeedsNoRing) {
  if (!kernel_has(wire::hybrid_iopoll)) GTEST_SKIP() << witness();
  long sent = -1;
  std::thread([&] { sent = send(message(7, 1)); }).join();
  EXPECT_EQ(sent, 0);
  EXPECT_EQ(wait_cqe(), told(7, 1));
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) _exit(static_cast<int>(-send(message(7, 2))));
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_EQ(wait_cqe(), told(7, 2));
}

TEST_F(SendMsgRing, RefusesOtherRequests) {
  if (!kernel_has(wire::hybrid_iopoll)) GTEST_SKIP() << witness();
  const Fd file = open_file("/dev/null", O_RDONLY);
  const wire::Sqe good = message(7, 99);
  wire::Sqe flags = good, nop = good, descriptor = good, to_a_file = good, to_nothing = good;
  flags.flags = wire::io_async;
  nop.opcode = wire::op::nop;
  descriptor.addr = wire::msg_send_fd;
  to_a_file.fd = file.get();
  to_nothing.fd = -1;
  EXPECT_EQ(send(flags), -EINVAL);
  EXPECT_EQ(send(nop), -EINVAL);
  EXPECT_EQ(send(descriptor), -EINVAL);
  EXPECT_EQ(send(to_a_file), -EBADFD);
  EXPECT_EQ(send(to_nothing), -EBADF);
  EXPECT_EQ(send(good, 0), -EINVAL);
  EXPECT_EQ(send(good, 2), -EINVAL);
  EXPECT_EQ(do_register(wire::register_op::send_msg_ring, &good, 1), -EINVAL) << "on a ring";
  EXPECT_EQ(cqes_before_nop(1), (Cqes{told(0, 1)})) << "none of it arrived";
}

}  // namespace
