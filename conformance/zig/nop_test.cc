// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// nop: the smallest round trip. One SQE in, one CQE out, every index moves by one. While this file is red, no
// other row of the table means anything.
//
// Needs NOP and READV (5.1), IOSQE_IO_DRAIN (5.2) and the single mapping (5.4).

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fixture/files.h"
#include "fixture/ring_test.h"

namespace {

using namespace conformance;
using binding::Indices;

// One entry: a wrong mask, or a head compared with the wrong tail, shows at once.
class Nop : public RingTest<1> {};

TEST_F(Nop, MovesEveryIndexByOne) {
  EXPECT_EQ(wire_of(must(ring.nop(0xaaaaaaaa))),
            (wire::Sqe{.opcode = wire::op::nop, .user_data = 0xaaaaaaaa}));
  // Queued but not published: the kernel must not see this tail yet.
  EXPECT_EQ(ring.indices(), (Indices{.sqe_head = 0, .sqe_tail = 1, .sq_tail = 0, .cq_head = 0}));
  EXPECT_EQ(ring.sq_ready(), 1u);
  EXPECT_EQ(ring.cq_ready(), 0u);

  submit(1);
  EXPECT_EQ(ring.indices(), (Indices{.sqe_head = 1, .sqe_tail = 1, .sq_tail = 1, .cq_head = 0}));
  EXPECT_EQ(ring.sq_ready(), 0u);
  // One call, which offers one SQE. The kernel consumes no more than there is, whatever it is offered.
  // (With SQPOLL only to wake the thread.)
  if (!configuration().consumes_later()) {
    EXPECT_EQ(enters(), (std::vector<std::string>{"submit=1 wait=0 flags=0 -> 1"}));
  }

  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0xaaaaaaaa, .res = 0, .flags = 0}));
  EXPECT_EQ(ring.indices(), (Indices{.sqe_head = 1, .sqe_tail = 1, .sq_tail = 1, .cq_head = 1}));
  EXPECT_EQ(ring.cq_ready(), 0u);

  // The same slot again, this time after a drain barrier with nothing to drain.
  must(ring.nop(0xbbbbbbbb)).flags |= wire::io_drain;
  submit(1);
  if (!configuration().consumes_later()) {
    EXPECT_EQ(enters().back(), "submit=1 wait=0 flags=0 -> 1");
  }
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0xbbbbbbbb, .res = 0, .flags = 0}));
  EXPECT_EQ(ring.indices(), (Indices{.sqe_head = 2, .sqe_tail = 2, .sq_tail = 2, .cq_head = 2}));

  ring.close();
  EXPECT_EQ(ring.fd(), -1);
}

// The control experiment that every refusal in this suite leans on: an opcode no kernel has is refused, once,
// and the ring still works.
TEST_F(Nop, SurvivesAnOpcodeNoKernelHas) {
  must(ring.nop(0xcccccccc)).opcode = binding::Op{wire::op::nobody};
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0xcccccccc, .res = -EINVAL, .flags = 0}));

  must(ring.nop(0xdddddddd));
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0xdddddddd, .res = 0, .flags = 0}));
  EXPECT_EQ(ring.cq_ready(), 0u);
}

// A slot is used again and again; nothing of its last request may survive into the next.
TEST_F(Nop, LeavesNoStaleBytesInAReusedSlot) {
  binding::Sqe& sqe = must(ring.nop(0));
  std::memset(static_cast<void*>(&sqe), 0xff, sizeof sqe);  // among others opcode 255, which no kernel has
  sqe.flags = 0;
  submit(1);
  EXPECT_EQ(wait_cqe().res, -EINVAL);
  EXPECT_EQ(wire_of(must(ring.nop(0xeeeeeeee))),
            (wire::Sqe{.opcode = wire::op::nop, .user_data = 0xeeeeeeee}));
}

// Four entries: with one, `& mask` and `& 0` are the same thing. Ten rounds wrap both queues.
class NopAtFour : public RingTest<4> {};

TEST_F(NopAtFour, WrapsBothQueuesInOrder) {
  std::uint64_t sent = 0, received = 0;
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 3; ++i) must(ring.nop(0x1000 + sent++));
    submit_and_wait(3, 3);
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x1000 + received++, .res = 0, .flags = 0}));
    }
  }
  EXPECT_EQ(ring.indices(), (Indices{.sqe_head = 30, .sqe_tail = 30, .sq_tail = 30, .cq_head = 30}));
}

// What the barrier is for: the NOP after it waits for the read before it, which waits for a byte.
TEST_F(NopAtFour, WaitsBehindADrainBarrier) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const Fd out(ends[0]), in(ends[1]);
  char byte = '?';
  const iovec whole{&byte, 1};
  must(ring.readv(0x1111, out.get(), {&whole, 1}, 0));
  must(ring.nop(0x2222)).flags |= wire::io_drain;
  submit(2);
  EXPECT_EQ(ring.cq_ready(), 0u);

  ASSERT_EQ(write(in.get(), "x", 1), 1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x1111, .res = 1, .flags = 0}));
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x2222, .res = 0, .flags = 0}));
  EXPECT_EQ(byte, 'x');
}

}  // namespace
