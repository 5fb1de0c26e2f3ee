// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// waitid: waits for a child through the ring.
//
// Needs WAITID (6.7 by io_uring_prep_waitid(3); io_uring_enter(2) says 6.5 and is wrong).

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture/ring_test.h"

namespace {

using namespace conformance;

// A child that the test must wait for; what the ring did not reap is reaped here.
class Child {
 public:
  // The child inherits the ring: it must do nothing but leave. With `held`, only a moment after let_go(): by
  // then the parent waits for it, unless the machine is very busy.
  explicit Child(int status, bool held = false) {
    if (pipe2(gate_.data(), O_CLOEXEC) != 0) stop(Site::here(), "pipe2 failed");
    pid_ = fork();
    if (pid_ < 0) stop(Site::here(), "fork failed");
    if (pid_ == 0) {
      char ignored;
      ::close(gate_[1]);
      if (held) {
        static_cast<void>(!::read(gate_[0], &ignored, 1));  // until the parent closes its end
        usleep(20'000);
      }
      _exit(status);
    }
    ::close(gate_[0]);
  }
  ~Child() {
    let_go();
    if (!was_reaped_) waitpid(pid_, nullptr, 0);
  }
  pid_t pid() const { return pid_; }
  void let_go() {
    if (gate_[1] >= 0) ::close(std::exchange(gate_[1], -1));
  }
  // Looks without taking. True also if the child is still running.
  bool can_be_waited_for() {
    siginfo_t info{};
    const bool there = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0;
    was_reaped_ = !there && errno == ECHILD;
    return there;
  }

 private:
  std::array<int, 2> gate_{-1, -1};
  pid_t pid_ = -1;
  bool was_reaped_ = false;
};

class Waitid : public SizedRingTest {
 protected:
  siginfo_t info{};

  // The specification has user_data 0 here. With that, a lost user_data would go unnoticed.
  static constexpr std::uint64_t user_data = 0x77777777;

  binding::Result<binding::Sqe&> queue(const Child& child) {
    return ring.waitid(user_data, P_PID, child.pid(), &info, WEXITED, 0);
  }
  wire::Sqe wanted(const Child& child) const {
    return {.opcode = wire::op::waitid,
            .fd = child.pid(),
            .off = wire::address(&info),
            .len = P_PID,
            .user_data = user_data,
            .file_index = WEXITED};
  }
  std::string witness(Child& child, Site site = Site::here()) {
    return refused([&] { return queue(child); }, wanted(child),
                   [&] { return child.can_be_waited_for() ? "" : "the child was reaped"; }, std::nullopt,
                   site);
  }
};

TEST_P(Waitid, ReapsTheChild) {
  Child child(7);
  if (!kernel_has(wire::op::waitid)) GTEST_SKIP() << witness(child);
  EXPECT_EQ(wire_of(must(queue(child))), wanted(child));
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = user_data, .res = 0, .flags = 0}));
  EXPECT_EQ(info.si_pid, child.pid());
  EXPECT_EQ(info.si_status, 7);
  EXPECT_EQ(info.si_code, CLD_EXITED);
  EXPECT_EQ(info.si_signo, SIGCHLD);
  EXPECT_FALSE(child.can_be_waited_for());
}

// A child that runs until the request was submitted: now the completion comes from elsewhere, later.
TEST_P(Waitid, WaitsForAChildThatStillRuns) {
  Child child(0, true);
  if (!kernel_has(wire::op::waitid)) GTEST_SKIP() << witness(child);
  must(queue(child));
  submit(1);
  EXPECT_EQ(ring.cq_ready(), 0u);
  child.let_go();
  const std::size_t before = enters().size();
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = user_data, .res = 0, .flags = 0}));
  // It slept in one call, where a wait that does not ask for events returns again and again. No call at all
  // if the completion was quicker.
  const std::vector<std::string> calls = enters();
  ASSERT_LE(calls.size(), before + 1) << "and not one that slept: " << calls.back();
  if (calls.size() > before) {
    EXPECT_EQ(calls.back(), "submit=0 wait=1 flags=1 -> 0");
  }
  EXPECT_EQ(info.si_pid, child.pid());
  EXPECT_FALSE(child.can_be_waited_for());
}

// The options travel in a field of their own: with WNOWAIT the child stays.
TEST_P(Waitid, LeavesTheChildWithWnowait) {
  Child child(3);
  if (!kernel_has(wire::op::waitid)) GTEST_SKIP() << witness(child);
  must(ring.waitid(user_data, P_PID, child.pid(), &info, WEXITED | WNOWAIT, 0));
  submit(1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = user_data, .res = 0, .flags = 0}));
  EXPECT_EQ(info.si_status, 3);
  EXPECT_TRUE(child.can_be_waited_for());
}

INSTANTIATE_TEST_SUITE_P(, Waitid, testing::Values(16, 2), ring_size_name);

}  // namespace
