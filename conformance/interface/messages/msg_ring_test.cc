// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// message to a ring: MSG_RING posts a CQE on another ring, with the res and the user_data that the sender
// chooses. So threads with a ring each wake one another.
//
// Needs MSG_RING (5.18, io_uring_prep_msg_ring(3)).

#include <fcntl.h>

#include <cerrno>
#include <thread>

#include "evidence/environment.h"
#include "fixture/ring_test.h"
#include "seam/bare_kernel.h"

namespace {

using namespace conformance;

class MsgRing : public RingTest<8> {
 protected:
  OpenRing target{4, configuration_flags()};

  binding::Result<binding::Sqe&> queue(std::int32_t res, std::uint64_t data, const binding::Ring& to) {
    return ring.msg_ring(1, to.fd(), static_cast<std::uint32_t>(res), data, 0);
  }
  static wire::Sqe wanted(std::int32_t res, std::uint64_t data, const binding::Ring& to) {
    return {.opcode = wire::op::msg_ring,
            .fd = to.fd(),
            .off = data,
            .len = static_cast<std::uint32_t>(res),
            .user_data = 1};
  }
  // Sends a message, and takes the sender's CQE.
  void send(std::int32_t res, std::uint64_t data, const binding::Ring& to, Site site = Site::here()) {
    EXPECT_EQ_AT(site, wire_of(must(queue(res, data, to), site)), wanted(res, data, to));
    EXPECT_EQ_AT(site, complete(site), sent);
  }
  // Waits for the next CQE of the target.
  static wire::Cqe arrival(binding::Ring& at, Site site = Site::here()) {
    binding::Cqe cqe{};
    must(at.copy_cqe(cqe), site);
    return wire_of(cqe);
  }
  std::string witness() {
    return refused([&] { return queue(33, 77, target); }, wanted(33, 77, target),
                   [&] { return target.cq_ready() == 0 ? "" : "the target has a CQE"; });
  }
  static constexpr wire::Cqe sent{.user_data = 1, .res = 0, .flags = 0};

 private:
  // The target is of the kind that the row runs on, if the kernel has it: otherwise the test is skipped.
  static unsigned configuration_flags() {
    return kernel_takes(4, configuration().setup) ? configuration().setup : 0;
  }
};

TEST_F(MsgRing, DeliversResAndUserData) {
  if (!kernel_has(wire::op::msg_ring)) GTEST_SKIP() << witness();
  send(33, 77, target);
  EXPECT_EQ(arrival(target), (wire::Cqe{.user_data = 77, .res = 33, .flags = 0}));
  send(-5, 0xfedcba98'76543210, target);
  EXPECT_EQ(arrival(target), (wire::Cqe{.user_data = 0xfedcba98'76543210, .res = -5, .flags = 0}));
  EXPECT_EQ(target.cq_ready(), 0u);
}

// To oneself: the message is there before the news that it was sent. (With DEFER_TASKRUN the order is free.)
TEST_F(MsgRing, MayBeSentToItsOwnRing) {
  if (!kernel_has(wire::op::msg_ring)) GTEST_SKIP() << witness();
  EXPECT_EQ(wire_of(must(queue(33, 0, ring))), wanted(33, 0, ring));
  submit(1);
  const wire::Cqe message{.user_data = 0, .res = 33, .flags = 0};
  if (configuration().has(wire::setup_defer_taskrun)) {
    EXPECT_EQ(wait_cqes(2), (Cqes{message, sent}));
  } else {
    EXPECT_EQ(wait_cqe(), message);
    EXPECT_EQ(wait_cqe(), sent);
  }
}

// The sender need not hear of it: the message is no CQE of the request, and comes all the same.
TEST_F(MsgRing, MayBeSentSilently) {
  if (!kernel_has(wire::op::msg_ring)) GTEST_SKIP() << witness();
  must(queue(33, 77, target)).flags |= wire::cqe_skip_success;
  submit(1);
  EXPECT_EQ(arrival(target), (wire::Cqe{.user_data = 77, .res = 33, .flags = 0}));
  EXPECT_EQ(cqes_before_nop(2), (Cqes{{.user_data = 2, .res = 0, .flags = 0}}));
}

// It wakes who waits there. (An ordinary ring, since one with an owner has no other thread waiting.)
TEST_F(MsgRing, WakesAThread) {
  if (!kernel_has(wire::op::msg_ring)) GTEST_SKIP() << witness();
  OpenRing waited_on{4, 0};
  long woken = -1;
  // By a system call of our own: the wire log is for one thread.
  std::thread thread(
      [&] { woken = BareKernel::enter(waited_on.fd(), 0, 1, wire::enter_getevents, nullptr, 0); });
  send(33, 77, waited_on);
  thread.join();
  EXPECT_EQ(woken, 0);
  EXPECT_EQ(arrival(waited_on), (wire::Cqe{.user_data = 77, .res = 33, .flags = 0}));
}

// Into a ring whose completions wait for its owner (6.1): they are there when that asks.
TEST_F(MsgRing, WaitsForTheOwnerOfADeferredRing) {
  if (!kernel_has(wire::op::msg_ring)) GTEST_SKIP() << witness();
  constexpr unsigned flags = wire::setup_single_issuer | wire::setup_defer_taskrun;
  if (!kernel_has(wire::op::sendmsg_zc)) return expect_no_ring(flags);
  OpenRing deferred{4, flags};
  send(33, 77, deferred);
  EXPECT_EQ(arrival(deferred), (wire::Cqe{.user_data = 77, .res = 33, .flags = 0}));
}

// More than the target has room for.
TEST_F(MsgRing, IsNotLostWhenTheTargetIsFull) {
  if (!kernel_has(wire::op::msg_ring)) GTEST_SKIP() << witness();
  OpenRing small{1, configuration().setup};
  for (const std::uint64_t data : {1, 2, 3, 4}) send(33, data, small);
  for (const std::uint64_t data : {1, 2, 3, 4}) {
    EXPECT_EQ(arrival(small), (wire::Cqe{.user_data = data, .res = 33, .flags = 0}));
  }
}

TEST_F(MsgRing, RefusesWhatItCannotSend) {
  if (!kernel_has(wire::op::msg_ring)) GTEST_SKIP() << witness();
  const Fd file = open_file("/dev/null", O_RDONLY);
  const OpenRing disabled{4, wire::setup_r_disabled};
  const wire::Sqe good = wanted(33, 77, target);
  wire::Sqe to_a_file = good, to_a_disabled_ring = good, command = good, flag = good, buffer = good,
            slot = good, unheard = good;
  to_a_file.fd = file.get();
  to_a_disabled_ring.fd = disabled.fd();
  command.addr = 9;
  flag.op_flags = 1u << 31;
  buffer.buf_index = 1;
  slot.file_index = 1;                         // the flags of the CQE, with FLAGS_PASS (6.3)
  unheard.op_flags = wire::msg_ring_cqe_skip;  // of a descriptor
  for (const wire::Sqe& sqe : {to_a_file, to_a_disabled_ring}) {
    EXPECT_EQ(complete(sqe), (wire::Cqe{.user_data = 1, .res = -EBADFD, .flags = 0})) << wire::to_string(sqe);
  }
  for (const wire::Sqe& sqe : {command, flag, buffer, slot, unheard}) {
    EXPECT_EQ(complete(sqe), (wire::Cqe{.user_data = 1, .res = -EINVAL, .flags = 0})) << wire::to_string(sqe);
  }
  // None of it arrived: this is the first.
  send(5, 6, target);
  EXPECT_EQ(arrival(target), (wire::Cqe{.user_data = 6, .res = 5, .flags = 0}));
}

}  // namespace
