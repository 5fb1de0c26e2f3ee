// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// cancel by descriptor: ASYNC_CANCEL ends what waits on a file, whoever started it and under whatever
// user_data. It belongs before every close: a request keeps its file open.
//
// Needs IORING_ASYNC_CANCEL_FD (5.19) and _FD_FIXED (6.0, io_uring_prep_cancel(3)). Before, a flag is
// refused.

#include <array>
#include <cerrno>

#include "fixture/sockets.h"

namespace {

using namespace conformance;

class CancelFd : public AnySocketTest {
 protected:
  CancelFd() : AnySocketTest(8, 0) {}

  SocketPair one, other;
  std::array<std::byte, 8> received{};

  void start_recv(std::uint64_t user_data, const SocketPair& pair, Site site = Site::here()) {
    must(ring.recv(user_data, pair.ours.get(), received, 0), site);
    submit(1, site);
  }
  static wire::Sqe wanted(int fd, std::uint32_t flags) {
    return {.opcode = wire::op::async_cancel, .fd = fd, .op_flags = flags, .user_data = 9};
  }
  void queue(int fd, std::uint32_t flags, Site site = Site::here()) {
    expect_equal(site, "the ASYNC_CANCEL", wire_of(must(ring.cancel_fd(9, fd, flags), site)),
                 wanted(fd, wire::cancel_fd | flags));
  }
  static constexpr std::uint32_t in_slot = wire::cancel_fd | wire::cancel_fd_fixed;
  std::string witness() {
    return refused([&] { return ring.cancel_fixed(9, binding::Slot{0}, 0); }, wanted(0, in_slot),
                   [] { return ""; }, Modifier{.name = "a slot", .proxy = wire::op::send_zc});
  }
  static wire::Cqe cancelled(std::uint64_t user_data) {
    return {.user_data = user_data, .res = -ECANCELED, .flags = 0};
  }
  static wire::Cqe done(std::int32_t res) { return {.user_data = 9, .res = res, .flags = 0}; }
  static constexpr wire::Cqe nop{.user_data = 10, .res = 0, .flags = 0};
};

// One of those that wait on it; with IORING_ASYNC_CANCEL_ALL the rest. Other files are left alone.
TEST_F(CancelFd, EndsWhatWaitsOnTheFile) {
  if (!kernel_has(wire::op::send_zc)) GTEST_SKIP() << witness();
  for (int i = 0; i < 3; ++i) start_recv(1, one);
  start_recv(2, other);
  queue(one.ours.get(), 0);
  submit(1);
  ASSERT_EQ(cqes_before_nop(10), (Cqes{cancelled(1), done(0), nop}));
  queue(one.ours.get(), wire::cancel_all);
  submit(1);
  ASSERT_EQ(cqes_before_nop(10), (Cqes{cancelled(1), cancelled(1), done(2), nop}));
  queue(one.ours.get(), 0);
  submit(1);
  // A cancellation that a worker carries out is a request of this file, too, and finds itself.
  ASSERT_EQ(cqes_before_nop(10), (Cqes{done(configuration().begins_later() ? -EALREADY : -ENOENT), nop}));
  other.send("a");
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 2, .res = 1, .flags = 0}));
}

// Files are compared, not numbers: what was started through a slot is found through the slot, and through the
// descriptor.
TEST_F(CancelFd, FindsAFileBySlotAndByDescriptor) {
  if (!kernel_has(wire::op::send_zc)) GTEST_SKIP() << witness();
  const std::array slots{other.ours.get(), one.ours.get()};
  must(ring.register_files(slots));
  for (const bool by_slot : {true, false}) {
    start_recv(2, other);
    must(ring.recv(1, 1, received, 0)).flags = wire::fixed_file;
    submit(1);
    if (by_slot) {
      EXPECT_EQ(wire_of(must(ring.cancel_fixed(9, binding::Slot{1}, 0))), wanted(1, in_slot));
    } else {
      queue(one.ours.get(), 0);
    }
    submit(1);
    ASSERT_EQ(cqes_before_nop(10), (Cqes{cancelled(1), done(0), nop})) << by_slot;
    other.send("a");
    EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 2, .res = 1, .flags = 0})) << by_slot;
  }
}

// A multishot request ends with the CQE that has no MORE.
TEST_F(CancelFd, EndsAMultishotRequest) {
  if (!kernel_has(wire::op::send_zc)) GTEST_SKIP() << witness();
  const Fd listener = tcp_listener();
  must(ring.accept_multishot(1, listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  submit(1);
  const Fd client = tcp_client(listener.get());
  const wire::Cqe accepted = wait_cqe();
  const Fd server(accepted.res);
  ASSERT_GE(accepted.res, 0) << wire::to_string(accepted);
  EXPECT_EQ(accepted.flags, wire::cqe_more);
  queue(listener.get(), 0);
  submit(1);
  ASSERT_EQ(cqes_before_nop(10), (Cqes{cancelled(1), done(0), nop}));
}

// A timeout waits on no file.
TEST_F(CancelFd, DoesNotFindATimeout) {
  if (!kernel_has(wire::op::send_zc)) GTEST_SKIP() << witness();
  const binding::Timespec never{.tv_sec = 3600, .tv_nsec = 0};
  must(ring.timeout(1, &never, 0, 0));
  submit(1);
  queue(one.ours.get(), wire::cancel_all);
  submit(1);
  ASSERT_EQ(cqes_before_nop(10), (Cqes{done(0), nop}));
  must(ring.cancel(9, 1, 0));
  submit(1);
  EXPECT_EQ(cqes_before_nop(10), (Cqes{cancelled(1), done(0), nop}));
}

TEST_F(CancelFd, RefusesWhatIsNotThere) {
  if (!kernel_has(wire::op::send_zc)) GTEST_SKIP() << witness();
  EXPECT_EQ(complete(wanted(not_open, wire::cancel_fd)), done(-EBADF));
  EXPECT_EQ(complete(wanted(0, in_slot)), done(-EBADF));  // there is no table of files
  EXPECT_EQ(complete(wanted(one.ours.get(), wire::cancel_fd | wire::cancel_any)), done(-EINVAL));
}

}  // namespace
