// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// resizing the rings: IORING_REGISTER_RESIZE_RINGS gives a ring queues of other lengths, with what is in
// them. A program can begin with a small ring for each connection.
//
// Needs IORING_REGISTER_RESIZE_RINGS (6.13, io_uring_resize_rings(3)), on a ring with DEFER_TASKRUN (6.1).
// Before, the registration is unknown. The tests open the ring anew, with that flag and what it needs, and
// without an index array: where there is one, the kernel fills it only from 7.2 on.

#include <array>
#include <cerrno>
#include <thread>

#include "evidence/environment.h"
#include "fixture/ring_test.h"
#include "fixture/sockets.h"
#include "seam/kernel_abi.h"
#include "seam/ring_abi.h"

namespace {

using namespace conformance;

class ResizeRings : public RingTest<4> {
 protected:
  static constexpr unsigned flags =
      wire::setup_single_issuer | wire::setup_defer_taskrun | wire::setup_no_sqarray;

  static int errno_of(const binding::Result<void>& result) { return binding::errno_of(result.error()); }
  static wire::Cqe done(std::uint64_t user_data) { return {.user_data = user_data, .res = 0, .flags = 0}; }
  bool kernel_has_it() const { return kernel_has(wire::hybrid_iopoll); }  // 6.13
  // Asked for by a call of our own, because it maps nothing anew.
  long resize(wire::Params wanted) const { return do_register(wire::register_op::resize_rings, &wanted, 1); }
  static wire::Params sizes(unsigned sq, unsigned cq, unsigned more_flags = 0) {
    wire::Params params{};
    params.sq_entries = sq;
    params.cq_entries = cq;
    params.flags = wire::setup_cqsize | more_flags;
    return params;
  }
  // On a ring of the kind that could be resized, if the kernel has it (6.6). Otherwise the binding itself
  // says no, and we ask.
  std::string witness() {
    const bool kernel_has_such_rings = kernel_takes(4, flags);
    if (kernel_has_such_rings) reopen(flags);
    return registration_refused(
        "RESIZE_RINGS",
        [&] {
          return kernel_has_such_rings ? errno_of(ring.resize(8, 64))
                                       : static_cast<int>(-resize(sizes(8, 64)));
        },
        wire::hybrid_iopoll);
  }
  void complete_nops(std::uint64_t first, std::uint64_t last, Site site = Site::here()) {
    for (std::uint64_t user_data = first; user_data <= last; ++user_data) {
      must(ring.nop(user_data), site);
      EXPECT_EQ_AT(site, must(ring.submit(), site), 1u);
    }
  }
  void expect_cqes(std::uint64_t first, std::uint64_t last, Site site = Site::here()) {
    for (std::uint64_t user_data = first; user_data <= last; ++user_data) {
      EXPECT_EQ_AT(site, wait_cqe(site), done(user_data));
    }
    EXPECT_EQ_AT(site, ring.cq_ready(), 0u);
  }
  void expect_lengths(unsigned sq, unsigned cq, Site site = Site::here()) {
    EXPECT_EQ_AT(site, ring.sq_entries(), sq);
    EXPECT_EQ_AT(site, ring.cq_entries(), cq);
  }
};

// Completions that were not taken, and a request that was not submitted, are in the new queues, at the
// positions that they had.
TEST_F(ResizeRings, MovesWhatIsInThem) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(flags);
  complete_nops(1, 3);
  must(ring.nop(4));
  ring.flush_sq();
  must(ring.resize(8, 64));
  expect_lengths(8, 64);
  EXPECT_EQ(ring.indices(), (binding::Indices{.sqe_head = 4, .sqe_tail = 4, .sq_tail = 4, .cq_head = 0}));
  EXPECT_EQ(ring.cq_ready(), 3u);
  EXPECT_EQ(ring.sq_ready(), 1u);
  EXPECT_EQ(must(ring.submit()), 1u);
  EXPECT_EQ(ring.sq_ready(), 0u);
  expect_cqes(1, 4);
}

// The new queues are as long as that: more requests at once, and more completions, than went into the old.
TEST_F(ResizeRings, MakesRoom) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(flags);
  must(ring.resize(8, 64));
  std::uint64_t queued = 0;
  for (int batch = 0; batch < 8; ++batch) {
    for (int i = 0; i < 8; ++i) must(ring.nop(++queued));
    EXPECT_EQ(ring.nop(99).error(), binding::Error::submission_queue_full);
    EXPECT_EQ(must(ring.submit()), 8u);
  }
  EXPECT_EQ(ring.cq_ready(), 64u);
  EXPECT_EQ(sq_flags() & wire::sq_cq_overflow, 0u);
  expect_cqes(1, 64);
}

// As io_uring_setup(2) does it.
TEST_F(ResizeRings, RoundsUp) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(flags);
  must(ring.resize(5, 9));
  expect_lengths(8, 16);
  complete_nops(1, 16);
  expect_cqes(1, 16);
}

// Where there is no room for what waits nothing is changed.
TEST_F(ResizeRings, LosesNothing) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(flags);
  complete_nops(1, 4);
  EXPECT_EQ(errno_of(ring.resize(2, 2)), EOVERFLOW);
  expect_lengths(4, 8);
  EXPECT_EQ(ring.cq_ready(), 4u);
  for (std::uint64_t user_data = 5; user_data <= 8; ++user_data) must(ring.nop(user_data));
  EXPECT_EQ(errno_of(ring.resize(2, 8)), EOVERFLOW) << "four wait to be submitted";
  EXPECT_EQ(must(ring.submit()), 4u);
  EXPECT_EQ(ring.cq_ready(), 8u);
  expect_cqes(1, 8);
}

// Down to two and two, and around both of them more than twice.
TEST_F(ResizeRings, Shrinks) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(flags);
  complete_nops(1, 3);
  expect_cqes(1, 3);
  must(ring.resize(2, 2));
  expect_lengths(2, 2);
  for (std::uint64_t user_data = 4; user_data < 14; user_data += 2) {
    must(ring.nop(user_data));
    must(ring.nop(user_data + 1));
    EXPECT_EQ(ring.nop(99).error(), binding::Error::submission_queue_full);
    EXPECT_EQ(must(ring.submit()), 2u);
    expect_cqes(user_data, user_data + 1);
  }
}

// A request that is in flight meanwhile completes into the new queue.
TEST_F(ResizeRings, KeepsWhatIsInFlight) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(flags);
  const SocketPair sockets;
  std::array<std::byte, 8> buffer{};
  must(ring.recv(1, sockets.ours.get(), buffer, 0));
  EXPECT_EQ(must(ring.submit()), 1u);
  must(ring.resize(16, 32));
  sockets.send("abc");
  EXPECT_EQ(without_nonempty(wait_cqe()), (wire::Cqe{.user_data = 1, .res = 3, .flags = 0}));
}

TEST_F(ResizeRings, RefusesOtherRequests) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(wire::setup_no_sqarray);
  EXPECT_EQ(errno_of(ring.resize(8, 64)), EINVAL) << "a ring without DEFER_TASKRUN";
  reopen(flags);
  EXPECT_EQ(resize(sizes(8, 64, wire::setup_sqpoll)), -EINVAL);
  EXPECT_EQ(resize(sizes(0, 8)), -EINVAL);
  EXPECT_EQ(resize(sizes(8, 4)), -EINVAL) << "fewer CQEs than SQEs";
  EXPECT_EQ(resize(sizes(wire::max_entries + 1, wire::max_cq_entries)), -EINVAL);
  EXPECT_EQ(do_register(wire::register_op::resize_rings, nullptr, 1), -EINVAL);
  const wire::Params good = sizes(8, 64);
  EXPECT_EQ(do_register(wire::register_op::resize_rings, &good, 0), -EINVAL);
  int elsewhere = 0;
  std::thread([&] { elsewhere = errno_of(ring.resize(8, 64)); }).join();
  EXPECT_EQ(elsewhere, EEXIST);
  expect_lengths(4, 8);
  complete_nops(1, 4);
  expect_cqes(1, 4);
}

}  // namespace
