// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// cancel and wait for it: IORING_REGISTER_SYNC_CANCEL cancels like ASYNC_CANCEL, and returns when the
// requests have ended. For a program that is about to free what they write to.
//
// Needs IORING_REGISTER_SYNC_CANCEL (6.0, io_uring_register_sync_cancel(3)).

#include <array>
#include <cerrno>

#include "evidence/environment.h"
#include "fixture/sockets.h"
#include "seam/kernel_abi.h"

namespace {

using namespace conformance;

class SyncCancel : public RingTest<8> {
 protected:
  SocketPair one, other;
  std::array<std::byte, 8> received{};

  void start_recv(std::uint64_t user_data, const SocketPair& pair, Site site = Site::here()) {
    must(ring.recv(user_data, pair.ours.get(), received, 0), site);
    submit(1, site);
  }
  // The number that the binding returns, or a negative errno.
  int cancel(const wire::SyncCancelReg& reg) {
    const auto result = ring.sync_cancel(std::bit_cast<binding::SyncCancelReg>(reg));
    return result.ok() ? static_cast<int>(result.value()) : -binding::errno_of(result.error());
  }
  static wire::SyncCancelReg by_user_data(std::uint64_t user_data) { return {.addr = user_data}; }
  std::string witness() {
    return registration_refused(
        "REGISTER_SYNC_CANCEL", [&] { return -cancel(by_user_data(1)); }, wire::op::send_zc);
  }
  static wire::Cqe cancelled(std::uint64_t user_data) {
    return {.user_data = user_data, .res = -ECANCELED, .flags = 0};
  }
  static constexpr wire::Cqe nop{.user_data = 10, .res = 0, .flags = 0};
};

TEST_F(SyncCancel, EndsARequest) {
  if (!kernel_has(wire::op::send_zc)) GTEST_SKIP() << witness();
  start_recv(1, one);
  start_recv(2, one);
  ASSERT_EQ(cancel(by_user_data(1)), 0);
  EXPECT_EQ(wait_cqe(), cancelled(1));
  EXPECT_EQ(cancel(by_user_data(1)), -ENOENT);
  // Time is no reason to give up on what ends at once.
  ASSERT_EQ(cancel({.addr = 2, .timeout = {.tv_sec = 3600, .tv_nsec = 0}}), 0);
  EXPECT_EQ(wait_cqe(), cancelled(2));
  EXPECT_EQ(cqes_before_nop(10), (Cqes{nop}));
}

TEST_F(SyncCancel, CountsAllThatItEnds) {
  if (!kernel_has(wire::op::send_zc)) GTEST_SKIP() << witness();
  start_recv(1, one);
  start_recv(2, one);
  start_recv(3, other);
  ASSERT_EQ(cancel({.fd = one.ours.get(), .flags = wire::cancel_fd | wire::cancel_all}), 2);
  EXPECT_EQ(wait_cqes(2), (Cqes{cancelled(1), cancelled(2)}));
  ASSERT_EQ(cancel({.flags = wire::cancel_any | wire::cancel_all}), 1);
  EXPECT_EQ(wait_cqe(), cancelled(3));
  EXPECT_EQ(cancel({.flags = wire::cancel_any | wire::cancel_all}), 0);
}

// By operation since 6.6 (as NO_SQARRAY); before, the flag is unknown.
TEST_F(SyncCancel, FindsAnOperation) {
  if (!kernel_has(wire::op::send_zc)) GTEST_SKIP() << witness();
  start_recv(1, one);
  if (!kernel_takes(8, wire::setup_no_sqarray)) {
    EXPECT_EQ(cancel({.flags = wire::cancel_op, .opcode = wire::op::recv}), -EINVAL);
    one.send("a");
    EXPECT_EQ(without_nonempty(wait_cqe()), (wire::Cqe{.user_data = 1, .res = 1, .flags = 0}));
    return;
  }
  EXPECT_EQ(cancel({.flags = wire::cancel_op, .opcode = wire::op::poll_add}), -ENOENT);
  ASSERT_EQ(cancel({.flags = wire::cancel_op, .opcode = wire::op::recv}), 0);
  EXPECT_EQ(wait_cqe(), cancelled(1));
}

TEST_F(SyncCancel, RefusesWhatMeansNothing) {
  if (!kernel_has(wire::op::send_zc)) GTEST_SKIP() << witness();
  start_recv(1, one);
  const wire::SyncCancelReg good = by_user_data(1);
  wire::SyncCancelReg flag = good, pad = good, pad2 = good;
  flag.flags = 1u << 31;
  pad.pad[6] = 1;
  pad2.pad2[2] = 1;
  for (const wire::SyncCancelReg& bad : {flag, pad, pad2}) EXPECT_EQ(cancel(bad), -EINVAL);
  EXPECT_EQ(cancel({.fd = not_open, .flags = wire::cancel_fd}), -EBADF);
  for (const unsigned count : {0u, 2u}) {
    EXPECT_EQ(do_register(wire::register_op::sync_cancel, &good, count), -EINVAL) << count;
  }
  EXPECT_EQ(do_register(wire::register_op::sync_cancel, nullptr, 1), -EINVAL);
  one.send("a");
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 1, .res = 1, .flags = 0}));
}

}  // namespace
