// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// cancel: all, any: ASYNC_CANCEL ends one request of those with its user_data; with a flag all of them, or
// all that there are. A program that stops does it with one request.
//
// Needs IORING_ASYNC_CANCEL_ALL and _ANY (5.19, io_uring_prep_cancel(3)). Before, a flag is refused.

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "fixture/sockets.h"

namespace {

using namespace conformance;

class CancelAll : public RingTest<8> {
 protected:
  SocketPair pair;
  std::array<std::byte, 8> received{};

  void start_recv(std::uint64_t user_data, Site site = Site::here()) {
    must(ring.recv(user_data, pair.ours.get(), received, 0), site);
    submit(1, site);
  }
  binding::Result<binding::Sqe&> queue(std::uint64_t target, std::uint32_t flags) {
    return ring.cancel(9, target, flags);
  }
  static wire::Sqe wanted(std::uint64_t target, std::uint32_t flags) {
    return {.opcode = wire::op::async_cancel, .fd = -1, .addr = target, .op_flags = flags, .user_data = 9};
  }
  void cancel(std::uint64_t target, std::uint32_t flags, Site site = Site::here()) {
    expect_equal(site, "the ASYNC_CANCEL", wire_of(must(queue(target, flags), site)), wanted(target, flags));
    submit(1, site);
  }
  void cancel_any(std::uint32_t flags, Site site = Site::here()) {
    expect_equal(site, "the ASYNC_CANCEL", wire_of(must(ring.cancel_any(9, flags), site)),
                 wanted(0, wire::cancel_any | flags));
    submit(1, site);
  }
  std::string witness() {
    return refused([&] { return queue(7, wire::cancel_all); }, wanted(7, wire::cancel_all), [] { return ""; },
                   Modifier{.name = "a flag", .proxy = wire::op::socket});
  }
  static wire::Cqe cancelled(std::uint64_t user_data) {
    return {.user_data = user_data, .res = -ECANCELED, .flags = 0};
  }
  static wire::Cqe count(std::int32_t requests) { return {.user_data = 9, .res = requests, .flags = 0}; }
  static constexpr wire::Cqe nop{.user_data = 10, .res = 0, .flags = 0};
};

// Without a flag it ends one, and says so with 0; which one is not said.
TEST_F(CancelAll, EndsAllWithThisUserData) {
  if (!kernel_has(wire::op::socket)) GTEST_SKIP() << witness();
  for (const std::uint64_t user_data : {7, 7, 7, 8}) start_recv(user_data);
  cancel(7, 0);
  ASSERT_EQ(cqes_before_nop(10), (Cqes{cancelled(7), count(0), nop}));
  cancel(7, wire::cancel_all);
  ASSERT_EQ(cqes_before_nop(10), (Cqes{cancelled(7), cancelled(7), count(2), nop}));
  // The other one still waits.
  pair.send("a");
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 8, .res = 1, .flags = 0}));
}

// The number that were cancelled is 0 then, and that is no error.
TEST_F(CancelAll, CountsNothing) {
  if (!kernel_has(wire::op::socket)) GTEST_SKIP() << witness();
  start_recv(8);
  cancel(7, wire::cancel_all);
  ASSERT_EQ(cqes_before_nop(10), (Cqes{count(0), nop}));
  pair.send("a");
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 8, .res = 1, .flags = 0}));
}

// Whatever waits, by whatever means. (io_uring_cancelation(7) says that ANY without ALL ends a single one;
// every kernel ends all.)
TEST_F(CancelAll, EndsWhatThereIs) {
  if (!kernel_has(wire::op::socket)) GTEST_SKIP() << witness();
  const binding::Timespec never{.tv_sec = 3600, .tv_nsec = 0};
  for (const std::uint32_t flags : {wire::cancel_all, 0u}) {
    start_recv(1);
    must(ring.poll_add(2, pair.ours.get(), POLLIN));
    must(ring.timeout(3, &never, 0, 0));
    submit(2);
    cancel_any(flags);
    ASSERT_EQ(cqes_before_nop(10), (Cqes{cancelled(1), cancelled(2), cancelled(3), count(3), nop})) << flags;
  }
}

// The rest of a chain goes with its head. What waits for its turn in a chain is not found.
TEST_F(CancelAll, EndsAChainByItsHead) {
  if (!kernel_has(wire::op::socket)) GTEST_SKIP() << witness();
  must(ring.recv(1, pair.ours.get(), received, 0)).flags = wire::io_link;
  must(ring.nop(2));
  submit(2);
  cancel(2, 0);
  ASSERT_EQ(cqes_before_nop(10), (Cqes{{.user_data = 9, .res = -ENOENT, .flags = 0}, nop}));
  cancel(1, 0);
  Cqes cqes = wait_cqes(3);  // the rest completes in its own time: with SQPOLL, after a later NOP (6.12)
  std::ranges::sort(cqes, {}, &wire::Cqe::user_data);
  ASSERT_EQ(cqes, (Cqes{cancelled(1), cancelled(2), count(0)}));
  ASSERT_EQ(cqes_before_nop(10), (Cqes{nop}));
}

TEST_F(CancelAll, RefusesWhatMeansNothing) {
  if (!kernel_has(wire::op::socket)) GTEST_SKIP() << witness();
  start_recv(7);
  wire::Sqe flag = wanted(7, wire::cancel_all), off = flag, splice_fd = flag;
  flag.op_flags |= 1u << 31;
  off.off = 1;
  splice_fd.file_index = 1;
  for (const wire::Sqe& bad : {flag, off, splice_fd}) {
    ASSERT_EQ(complete(bad), (wire::Cqe{.user_data = 9, .res = -EINVAL, .flags = 0})) << wire::to_string(bad);
  }
  pair.send("a");
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 7, .res = 1, .flags = 0}));
}

}  // namespace
