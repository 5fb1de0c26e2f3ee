// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// cancel by opcode or by both keys: ASYNC_CANCEL finds requests by their operation, and with several keys
// those that match all of them. So one of the requests of a file is found although its user_data is used
// elsewhere, too.
//
// Needs IORING_ASYNC_CANCEL_OP and _USERDATA (6.6, io_uring_prep_cancel(3)); the opcode of 6.7 stands
// for 6.6, which has none. Before, a flag is refused. 6.1.192 accepts these two (they came to the stable
// series with a fix), and does not find by them what waits for a file.

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "fixture/sockets.h"

namespace {

using namespace conformance;

class CancelKeys : public RingTest<8> {
 protected:
  SocketPair one, other;
  std::array<std::byte, 8> received{};

  static constexpr wire::Cqe nop{.user_data = 10, .res = 0, .flags = 0};
  static wire::Cqe cancelled(std::uint64_t user_data) {
    return {.user_data = user_data, .res = -ECANCELED, .flags = 0};
  }
  static wire::Cqe done(std::int32_t res) { return {.user_data = 9, .res = res, .flags = 0}; }

  void start_recv(std::uint64_t user_data, const SocketPair& pair, Site site = Site::here()) {
    must(ring.recv(user_data, pair.ours.get(), received, 0), site);
    submit(1, site);
  }
  void start_poll(std::uint64_t user_data, const SocketPair& pair, Site site = Site::here()) {
    must(ring.poll_add(user_data, pair.ours.get(), POLLIN), site);
    submit(1, site);
  }
  static wire::Sqe wanted_op(std::uint8_t op, std::uint32_t flags = 0) {
    return {.opcode = wire::op::async_cancel,
            .fd = -1,
            .len = op,
            .op_flags = wire::cancel_op | flags,
            .user_data = 9};
  }
  binding::Result<binding::Sqe&> queue_op(std::uint8_t op, std::uint32_t flags = 0) {
    return ring.cancel_op(9, static_cast<binding::Op>(op), flags);
  }
  void cancel_op(std::uint8_t op, std::uint32_t flags = 0, Site site = Site::here()) {
    expect_equal(site, "the ASYNC_CANCEL", wire_of(must(queue_op(op, flags), site)), wanted_op(op, flags));
    submit(1, site);
  }
  // With keys that our binding has no words for.
  void cancel(const wire::Sqe& sqe, Site site = Site::here()) {
    must(ring.nop(0), site) = std::bit_cast<binding::Sqe>(sqe);
    submit(1, site);
  }
  // A receive that is answered after all.
  void expect_pending(std::uint64_t user_data, const SocketPair& pair, Site site = Site::here()) {
    pair.send("a", site);
    expect_equal(site, "the CQE of what was left alone", wait_cqe(site),
                 wire::Cqe{.user_data = user_data, .res = 1, .flags = 0});
  }
  bool kernel_has_it() const { return kernel_has(wire::op::read_multishot); }
  std::string witness() {
    if (complete(wanted_op(wire::op::recv)).res == -EINVAL) {
      return refused([&] { return queue_op(wire::op::recv); }, wanted_op(wire::op::recv), [] { return ""; },
                     Modifier{.name = "an opcode", .proxy = wire::op::read_multishot});
    }
    start_recv(1, one);
    std::string seen = answered_instead(
        "ASYNC_CANCEL with an opcode", -ENOENT,
        [&] {
          cancel_op(wire::op::recv);
          return wait_cqe();
        },
        [] { return ""; }, wire::op::read_multishot);
    expect_pending(1, one);
    return seen;
  }
};

TEST_F(CancelKeys, FindsAnOperation) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  start_recv(1, one);
  start_poll(2, one);
  cancel_op(wire::op::poll_add);
  ASSERT_EQ(cqes_before_nop(10), (Cqes{cancelled(2), done(0), nop}));
  cancel_op(wire::op::poll_add);
  ASSERT_EQ(cqes_before_nop(10), (Cqes{done(-ENOENT), nop}));
  expect_pending(1, one);
}

// A timeout is found by its operation as well, which is no file's business.
TEST_F(CancelKeys, FindsATimeout) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const binding::Timespec never{.tv_sec = 3600, .tv_nsec = 0};
  start_recv(1, one);
  must(ring.timeout(2, &never, 0, 0));
  submit(1);
  cancel_op(wire::op::timeout);
  ASSERT_EQ(cqes_before_nop(10), (Cqes{cancelled(2), done(0), nop}));
  expect_pending(1, one);
}

TEST_F(CancelKeys, FindsAllOfAnOperation) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  start_recv(1, one);
  start_recv(2, other);
  start_poll(3, one);
  cancel_op(wire::op::recv, wire::cancel_all);
  ASSERT_EQ(cqes_before_nop(10), (Cqes{cancelled(1), cancelled(2), done(2), nop}));
  one.send("a");
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 3, .res = POLLIN, .flags = 0}));
}

// Only what has this operation and this user_data.
TEST_F(CancelKeys, FindsAnOperationByItsUserData) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  start_recv(1, one);
  start_recv(2, one);
  start_poll(2, other);
  wire::Sqe both = wanted_op(wire::op::recv, wire::cancel_userdata);
  both.addr = 2;
  cancel(both);
  ASSERT_EQ(cqes_before_nop(10), (Cqes{cancelled(2), done(0), nop}));
  cancel(both);
  ASSERT_EQ(cqes_before_nop(10), (Cqes{done(-ENOENT), nop}));
  other.send("a");
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 2, .res = POLLIN, .flags = 0}));
  expect_pending(1, one);
}

// Only what waits on this file and has this user_data.
TEST_F(CancelKeys, FindsARequestOfAFileByItsUserData) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  for (const std::uint64_t user_data : {1, 2, 3}) start_recv(user_data, one);
  start_recv(2, other);
  const wire::Sqe both{.opcode = wire::op::async_cancel,
                       .fd = one.ours.get(),
                       .addr = 2,
                       .op_flags = wire::cancel_fd | wire::cancel_userdata,
                       .user_data = 9};
  cancel(both);
  ASSERT_EQ(cqes_before_nop(10), (Cqes{cancelled(2), done(0), nop}));
  cancel(both);
  ASSERT_EQ(cqes_before_nop(10), (Cqes{done(-ENOENT), nop}));
  expect_pending(2, other);
  Cqes left;
  for (int i = 0; i < 2; ++i) {
    one.send("a");
    left.push_back(wait_cqe());
  }
  std::ranges::sort(left, {}, &wire::Cqe::user_data);
  EXPECT_EQ(left, (Cqes{{.user_data = 1, .res = 1, .flags = 0}, {.user_data = 3, .res = 1, .flags = 0}}));
}

// Any request, or one of this operation: both is a contradiction. An opcode that no kernel has is found
// nowhere (up to 7.0), or refused.
TEST_F(CancelKeys, RefusesWhatMeansNothing) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  EXPECT_EQ(complete(wanted_op(wire::op::recv, wire::cancel_any)), done(-EINVAL));
  expect_one_of(Site::here(), "the answer to an unknown opcode", complete(wanted_op(wire::op::nobody)),
                {done(-ENOENT), done(-EINVAL)});
}

}  // namespace
