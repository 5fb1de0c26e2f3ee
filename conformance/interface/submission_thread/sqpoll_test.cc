// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// SQ thread: with IORING_SETUP_SQPOLL a thread of the kernel takes the SQEs, so that a busy program submits
// without a system call. When nothing comes it falls asleep, says so, and must be woken.
//
// Needs IORING_FEAT_SQPOLL_NONFIXED (5.11, io_uring_setup(2); SQPOLL itself is 5.1). Before, the thread knows
// registered files only. The tests open the ring anew, with this flag alone: the binding asks for a thread
// that falls asleep after a second.

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <thread>

#include "evidence/environment.h"
#include "fixture/ring_test.h"
#include "seam/kernel_abi.h"

namespace {

using namespace conformance;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class Sqpoll : public RingTest<4> {
 protected:
  Fd zero = open_file("/dev/zero", O_RDONLY);
  std::array<std::byte, 8> buffer{};

  bool kernel_has_it() const { return kernel_has(wire::feature::sqpoll_nonfixed); }
  std::string witness() {
    return answered_instead(
        "READ on a ring with SQPOLL", -EBADF,
        [&] {
          reopen(wire::setup_sqpoll);
          must(ring.read(1, zero.get(), buffer, 0));
          must(ring.submit());
          return wait_cqe();
        },
        [] { return ""; }, wire::feature::sqpoll_nonfixed);
  }
  // Like enters(), which wants to see the index of a ring that is registered: this one never is.
  static std::vector<std::string> calls() {
    constexpr std::string_view enter = "enter  ";
    std::vector<std::string> found;
    for (const std::string& line : wire_log().lines()) {
      if (line.starts_with(enter)) found.push_back(line.substr(enter.size()));
    }
    return found;
  }
  bool is_asleep() const { return (sq_flags() & wire::sq_need_wakeup) != 0; }
  // The watchdog ends these if the thread never does it.
  void wait_until_asleep() const {
    while (!is_asleep()) std::this_thread::sleep_for(5ms);
  }
  // Without a system call of io_uring.
  wire::Cqe see_cqe() {
    while (ready_by_itself() == 0) std::this_thread::sleep_for(1ms);
    return wait_cqe();
  }
  static wire::Cqe done(std::uint64_t user_data, std::int32_t res = 0) {
    return {.user_data = user_data, .res = res, .flags = 0};
  }
  // The thread stays awake at least so long after it has had something to do: a second, less a tick or two.
  static constexpr auto patience = 900ms;
};

// Right after one request the thread is awake, and finds the next one by itself. On a slow machine it may
// have fallen asleep by then: then it is woken for another try.
TEST_F(Sqpoll, TakesWhatIsPublishedWithoutACall) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(wire::setup_sqpoll);
  bool by_itself = false;
  for (int tries = 0; !by_itself && tries < 10; ++tries) {
    must(ring.nop(1));
    must(ring.submit());
    ASSERT_EQ(see_cqe(), done(1));
    const std::size_t called = calls().size();
    must(ring.nop(2));
    EXPECT_GE(ring.flush_sq(), 1u);
    while (ready_by_itself() == 0 && !is_asleep()) std::this_thread::sleep_for(1ms);
    by_itself = ready_by_itself() == 1;
    EXPECT_EQ(calls().size(), called);
    if (!by_itself) must(ring.enter(0, 0, wire::enter_sq_wakeup));
    ASSERT_EQ(see_cqe(), done(2));
  }
  EXPECT_TRUE(by_itself);
}

// Before 5.11 it knew registered files only.
TEST_F(Sqpoll, KnowsOrdinaryDescriptors) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(wire::setup_sqpoll);
  buffer.fill(std::byte{1});
  must(ring.read(1, zero.get(), buffer, 0));
  EXPECT_EQ(ring.submit(), 1u);
  EXPECT_EQ(see_cqe(), done(1, 8));
  EXPECT_EQ(buffer, (std::array<std::byte, 8>{}));
}

// While it sleeps, nothing is taken. The call that wakes it returns the number that it was asked to submit,
// without looking whether there is so much.
TEST_F(Sqpoll, SleepsUntilItIsWoken) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(wire::setup_sqpoll);
  wait_until_asleep();
  must(ring.nop(1));
  EXPECT_EQ(ring.flush_sq(), 1u);
  std::this_thread::sleep_for(100ms);
  EXPECT_EQ(ready_by_itself(), 0u);
  EXPECT_EQ(ring.sq_ready(), 1u);
  EXPECT_TRUE(is_asleep());

  const auto woken = Clock::now();
  EXPECT_EQ(ring.enter(7, 0, wire::enter_sq_wakeup), 7u);
  EXPECT_EQ(see_cqe(), done(1));
  const bool sleeps = is_asleep();
  EXPECT_FALSE(sleeps && Clock::now() - woken < patience);
}

// The binding calls only when it must.
TEST_F(Sqpoll, IsNotCalledWhileItIsAwake) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(wire::setup_sqpoll);
  wait_until_asleep();
  const auto woken = Clock::now();
  must(ring.nop(1));
  EXPECT_EQ(ring.submit(), 1u);
  EXPECT_EQ(see_cqe(), done(1));
  const std::size_t entered = calls().size();
  EXPECT_EQ(calls().back(), "submit=1 wait=0 flags=2 -> 1");
  must(ring.nop(2));
  EXPECT_GE(must(ring.submit()), 1u);
  if (Clock::now() - woken < patience) {
    EXPECT_EQ(calls().size(), entered);
  }
  EXPECT_EQ(see_cqe(), done(2));
}

// A program whose queue is full waits for room with IORING_ENTER_SQ_WAIT (5.10).
TEST_F(Sqpoll, IsWaitedForUntilThereIsRoom) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(wire::setup_sqpoll);
  wait_until_asleep();
  for (const std::uint64_t user_data : {1, 2, 3, 4}) must(ring.nop(user_data));
  EXPECT_EQ(ring.flush_sq(), 4u);
  EXPECT_FALSE(ring.nop(5).ok()) << "there was room";
  // The first of these may be cut short by work that waits for this thread, as any wait is.
  for (int tries = 0; tries < 5 && ring.sq_ready() == 4; ++tries) {
    EXPECT_EQ(ring.enter(4, 0, wire::enter_sq_wait | wire::enter_sq_wakeup), 4u);
  }
  EXPECT_LT(ring.sq_ready(), 4u);
  for (const std::uint64_t user_data : {1, 2, 3, 4}) EXPECT_EQ(see_cqe(), done(user_data));
}

// To submit and to wait can be one call, as on any ring.
TEST_F(Sqpoll, CompletesWhatACallWaitsFor) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(wire::setup_sqpoll);
  wait_until_asleep();
  must(ring.nop(1));
  EXPECT_EQ(ring.flush_sq(), 1u);
  EXPECT_EQ(ring.enter(1, 1, wire::enter_getevents | wire::enter_sq_wakeup), 1u);
  EXPECT_EQ(ready_by_itself(), 1u);
  EXPECT_EQ(wait_cqe(), done(1));
}

// Since 5.13 a program needs no privilege for it: here a child that has none. Before, it is told so.
TEST_F(Sqpoll, NeedsNoPrivilege) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  constexpr uid_t nobody = 65534;
  const pid_t child = fork();
  ASSERT_GE(child, 0) << strerrorname_np(errno);
  if (child == 0) {
    if (geteuid() == 0 && setresuid(nobody, nobody, nobody) != 0) _exit(254);
    binding::Ring other;
    _exit(binding::errno_of(other.init(4, wire::setup_sqpoll).error()));
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  const int error = WEXITSTATUS(status);
  if (!kernel_has(wire::feature::rsrc_tags)) {
    EXPECT_EQ(error, EPERM);
    return;
  }
  if (error != 0) {
    if (const auto blocked = why_blocked(error, read_environment())) stop_blocked(*blocked);
  }
  EXPECT_EQ(error, 0);
}

// No count tells that a request was refused, only its CQE does. It does not stop the thread.
TEST_F(Sqpoll, TellsOfErrorsInCqes) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(wire::setup_sqpoll);
  wait_until_asleep();
  const wire::Sqe unknown{.opcode = wire::op::nobody, .user_data = 1};
  must(ring.nop(0)) = std::bit_cast<binding::Sqe>(unknown);
  must(ring.read(2, -1, buffer, 0));
  must(ring.nop(3));
  EXPECT_EQ(ring.submit(), 3u);
  EXPECT_EQ(wait_cqes(3), (Cqes{done(1, -EINVAL), done(2, -EBADF), done(3)}));
}

}  // namespace
