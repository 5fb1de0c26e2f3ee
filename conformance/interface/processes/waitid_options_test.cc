// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// waitid options: WAITID waits for whatever waitid(2) waits for: children that stop and continue, any child,
// a group, the process of a pidfd. Or it does not wait at all.
//
// Needs WAITID (6.7, io_uring_prep_waitid(3)).

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "fixture/ring_test.h"

namespace {

using namespace conformance;

// A child that waits for signals, in a process group of its own. It is reaped here at the latest.
class Child {
 public:
  explicit Child(Site site = Site::here()) : pid_(fork()) {
    if (pid_ < 0) stop_errno(site, "fork");
    // It inherits the ring, and must do nothing.
    while (pid_ == 0) pause();
    if (setpgid(pid_, pid_) != 0) stop_errno(site, "setpgid");
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (!can_be_waited_for()) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  pid_t pid() const { return pid_; }
  void signal(int number) const { EXPECT_EQ(kill(pid_, number), 0); }
  // Looks without taking. True also if the child is still running.
  bool can_be_waited_for() const {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0;
  }

 private:
  pid_t pid_;
};

class WaitidOptions : public RingTest<8> {
 protected:
  siginfo_t info{};

  wire::Sqe wanted(std::uint32_t type, std::int32_t id, std::uint32_t options, const siginfo_t* to) const {
    return {.opcode = wire::op::waitid,
            .fd = id,
            .off = wire::address(to),
            .len = type,
            .user_data = 1,
            .file_index = options};
  }
  // Queues and submits it.
  void wait_for(std::uint32_t type, std::int32_t id, std::uint32_t options, siginfo_t* to,
                Site site = Site::here()) {
    EXPECT_EQ_AT(site, wire_of(must(ring.waitid(1, type, id, to, options, 0), site)),
                 wanted(type, id, options, to));
    submit(1, site);
  }
  void expect_told(const Child& child, int code, int status, Site site = Site::here()) const {
    EXPECT_EQ_AT(site, info.si_signo, SIGCHLD);
    EXPECT_EQ_AT(site, info.si_pid, child.pid());
    EXPECT_EQ_AT(site, info.si_code, code);
    EXPECT_EQ_AT(site, info.si_status, status);
  }
  std::string witness() {
    const Child child;
    return refused([&] { return ring.waitid(1, P_PID, child.pid(), &info, WEXITED | WNOHANG, 0); },
                   wanted(P_PID, child.pid(), WEXITED | WNOHANG, &info),
                   [&] { return child.can_be_waited_for() ? "" : "the child was reaped"; });
  }
  static wire::Cqe done(std::int32_t res) { return {.user_data = 1, .res = res, .flags = 0}; }
};

TEST_F(WaitidOptions, LooksWithoutWaiting) {
  if (!kernel_has(wire::op::waitid)) GTEST_SKIP() << witness();
  const Child child;
  info.si_pid = info.si_signo = 7;
  wait_for(P_PID, child.pid(), WEXITED | WNOHANG, &info);
  EXPECT_EQ(wait_cqe(), done(0));
  EXPECT_EQ(info.si_pid, 0);
  EXPECT_EQ(info.si_signo, 0);
  EXPECT_TRUE(child.can_be_waited_for());
}

// The child lives on, and is not reaped by that.
TEST_F(WaitidOptions, WaitsForAChildToStopAndContinue) {
  if (!kernel_has(wire::op::waitid)) GTEST_SKIP() << witness();
  const Child child;
  wait_for(P_PID, child.pid(), WSTOPPED, &info);
  child.signal(SIGSTOP);
  EXPECT_EQ(wait_cqe(), done(0));
  expect_told(child, CLD_STOPPED, SIGSTOP);
  wait_for(P_PID, child.pid(), WCONTINUED, &info);
  child.signal(SIGCONT);
  EXPECT_EQ(wait_cqe(), done(0));
  expect_told(child, CLD_CONTINUED, SIGCONT);
  EXPECT_TRUE(child.can_be_waited_for());
}

// Any child, and nothing is to be told about it.
TEST_F(WaitidOptions, WaitsForAnyChild) {
  if (!kernel_has(wire::op::waitid)) GTEST_SKIP() << witness();
  const Child child;
  wait_for(P_ALL, 0, WEXITED, nullptr);
  child.signal(SIGKILL);
  EXPECT_EQ(wait_cqe(), done(0));
  EXPECT_FALSE(child.can_be_waited_for());
}

TEST_F(WaitidOptions, WaitsForAProcessGroup) {
  if (!kernel_has(wire::op::waitid)) GTEST_SKIP() << witness();
  const Child other, child;
  wait_for(P_PGID, child.pid(), WEXITED, &info);
  other.signal(SIGKILL);
  child.signal(SIGTERM);
  EXPECT_EQ(wait_cqe(), done(0));
  expect_told(child, CLD_KILLED, SIGTERM);
  EXPECT_TRUE(other.can_be_waited_for());
}

TEST_F(WaitidOptions, WaitsForTheProcessOfADescriptor) {
  if (!kernel_has(wire::op::waitid)) GTEST_SKIP() << witness();
  const Child child;
  const Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, child.pid(), 0)));
  ASSERT_GE(pidfd.get(), 0) << strerrorname_np(errno);
  wait_for(P_PIDFD, pidfd.get(), WEXITED, &info);
  child.signal(SIGTERM);
  EXPECT_EQ(wait_cqe(), done(0));
  expect_told(child, CLD_KILLED, SIGTERM);
}

// One that waits can be cancelled, and leaves the child. The cancel counts it as it counts several:
// prep_cancel(3) says 0, and all kernels from 6.12 on say 1.
TEST_F(WaitidOptions, CanBeCancelled) {
  if (!kernel_has(wire::op::waitid)) GTEST_SKIP() << witness();
  const Child child;
  wait_for(P_PID, child.pid(), WEXITED, &info);
  ASSERT_EQ(cqes_before_nop(3), (Cqes{{.user_data = 3, .res = 0, .flags = 0}}));
  must(ring.cancel(2, 1, 0));
  submit(1);
  const Cqes cqes = wait_cqes(2);
  EXPECT_EQ(cqes[0], done(-ECANCELED));
  EXPECT_EQ(cqes[1].user_data, 2u);
  EXPECT_GE(cqes[1].res, 0);
  EXPECT_EQ(cqes[1].flags, 0u);
  EXPECT_TRUE(child.can_be_waited_for());
  child.signal(SIGTERM);
  siginfo_t plain{};
  EXPECT_EQ(::waitid(P_PID, static_cast<id_t>(child.pid()), &plain, WEXITED), 0);
  EXPECT_EQ(plain.si_status, SIGTERM);
}

TEST_F(WaitidOptions, RefusesWhatCannotBeWaitedFor) {
  if (!kernel_has(wire::op::waitid)) GTEST_SKIP() << witness();
  wait_for(P_ALL, 0, WEXITED, &info);
  EXPECT_EQ(wait_cqe(), done(-ECHILD));
  const Child child;
  const wire::Sqe good = wanted(P_PID, child.pid(), WEXITED | WNOHANG, &info);
  wire::Sqe nothing = good, unknown = good, type = good, addr = good, flags = good;
  nothing.file_index = WNOHANG;  // what to wait for
  unknown.file_index |= 1u << 16;
  type.len = 9;
  addr.addr = 1;
  flags.op_flags = 1;
  for (const wire::Sqe& sqe : {nothing, unknown, type, addr, flags}) {
    EXPECT_EQ(complete(sqe), done(-EINVAL)) << wire::to_string(sqe);
  }
}

}  // namespace
