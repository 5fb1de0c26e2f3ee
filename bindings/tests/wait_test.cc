// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// What a wait can be told: a time, signals, a wait registered before. On a fake kernel, which sees the
// arguments, and on this machine's.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "played_kernel.h"
#include "this_kernel.h"

namespace {

using uring::Error, uring::SignalSet, uring::Timespec;

static_assert(uring::signal_set({}) == 0);
static_assert(uring::signal_set({1, 2, 64}) == 0x8000'0000'0000'0003);

class Waiting : public RingOnAPlayedKernel {
 protected:
  void SetUp() override { ASSERT_TRUE(ring.init(4).ok()); }
};

TEST_F(Waiting, PassesOnAllOptions) {
  static constexpr Timespec time{.tv_sec = 1, .tv_nsec = 2};
  static constexpr SignalSet blocked = 0x202;
  ASSERT_TRUE(ring.nop(9).ok());
  EXPECT_EQ(ring.submit_and_wait(
                3, {.timeout = &time, .blocked_signals = &blocked, .min_wait_us = 4, .flags = 0x20}),
            1);
  EXPECT_EQ(kernel.enter_fd, Played::fd);
  EXPECT_EQ(kernel.enter_submit.back(), 1u);
  EXPECT_EQ(kernel.enter_wait.back(), 3u);
  EXPECT_EQ(kernel.enter_flags.back(), 0x29u);
  ASSERT_EQ(kernel.enter_arg_size, 24u);
  EXPECT_EQ(kernel.enter_arg.sigmask, reinterpret_cast<u64>(&blocked));
  EXPECT_EQ(kernel.enter_arg.sigmask_sz, 8u);
  EXPECT_EQ(kernel.enter_arg.min_wait_usec, 4u);
  EXPECT_EQ(kernel.enter_arg.ts, reinterpret_cast<u64>(&time));
}

TEST_F(Waiting, AsksForNothingThatWasNotSaid) {
  EXPECT_EQ(ring.submit_and_wait(3, uring::WaitOptions{}), 0);
  EXPECT_EQ(kernel.enter_flags.back(), 9u);
  ASSERT_EQ(kernel.enter_arg_size, 24u);
  EXPECT_EQ(kernel.enter_arg.sigmask, 0u);
  EXPECT_EQ(kernel.enter_arg.sigmask_sz, 0u);
  EXPECT_EQ(kernel.enter_arg.min_wait_usec, 0u);
  EXPECT_EQ(kernel.enter_arg.ts, 0u);
  kernel.enter_error = ETIME;
  EXPECT_EQ(ring.submit_and_wait(3, uring::WaitOptions{}), Error::time);
}

// In place of an argument its place in the region, and its size.
TEST_F(Waiting, NamesARegisteredWaitByItsPlace) {
  ASSERT_TRUE(ring.nop(9).ok());
  EXPECT_EQ(ring.submit_and_wait_registered(2, 0), 1);
  EXPECT_EQ(kernel.enter_submit.back(), 1u);
  EXPECT_EQ(kernel.enter_wait.back(), 2u);
  EXPECT_EQ(kernel.enter_flags.back(), 0x49u);
  EXPECT_EQ(kernel.enter_arg_at, nullptr);
  EXPECT_EQ(kernel.enter_arg_size, 64u);
  EXPECT_EQ(ring.submit_and_wait_registered(2, 0xffff'ffff, 0x80), 0);
  EXPECT_EQ(kernel.enter_flags.back(), 0xc9u);
  EXPECT_EQ(reinterpret_cast<u64>(kernel.enter_arg_at), 64 * 0xffff'ffffull);
  kernel.enter_error = EFAULT;
  EXPECT_EQ(ring.submit_and_wait_registered(2, 1), Error::fault);
}

// With a thread that polls, each of them also wakes it.
TEST_F(Waiting, WakesAThreadThatPolls) {
  ring.close();
  ASSERT_TRUE(ring.init(4, uring::setup_sqpoll).ok());
  kernel.word(Played::sq_flags) = 1;
  ASSERT_TRUE(ring.submit_and_wait(1, uring::WaitOptions{}).ok());
  EXPECT_EQ(kernel.enter_flags.back(), 0xbu);
  EXPECT_EQ(kernel.enter_arg_size, 24u);
  ASSERT_TRUE(ring.submit_and_wait_registered(1, 5).ok());
  EXPECT_EQ(kernel.enter_flags.back(), 0x4bu);
  EXPECT_EQ(kernel.enter_arg_at, reinterpret_cast<void*>(5 * 64));
  EXPECT_EQ(kernel.enter_arg_size, 64u);
}

// --- this machine's kernel ---------------------------------------------------------------------------------

// A signal that is pending, and a handler that counts.
class ASignalOnThisKernel : public testing::Test {
 protected:
  static inline int handled = 0;
  static constexpr Timespec a_moment{.tv_sec = 0, .tv_nsec = 1'000'000};
  static constexpr SignalSet none = 0, usr1 = uring::signal_set({SIGUSR1});
  uring::Ring ring;
  sigset_t before{};
  struct sigaction action_before {};

  void SetUp() override {
    ASSERT_TRUE(ring.init(4).ok());
    handled = 0;
    struct sigaction count {};
    count.sa_handler = [](int) { ++handled; };
    ASSERT_EQ(sigaction(SIGUSR1, &count, &action_before), 0);
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    ASSERT_EQ(pthread_sigmask(SIG_BLOCK, &blocked, &before), 0);
    ASSERT_EQ(pthread_kill(pthread_self(), SIGUSR1), 0);
  }
  void TearDown() override {
    EXPECT_EQ(pthread_sigmask(SIG_SETMASK, &before, nullptr), 0);
    EXPECT_EQ(handled, 1);
    EXPECT_EQ(sigaction(SIGUSR1, &action_before, nullptr), 0);
  }
};

TEST_F(ASignalOnThisKernel, AWaitEndsIfItIsNotBlockedMeanwhile) {
  if ((ring.features() & uring::feat_ext_arg) == 0) {
    EXPECT_EQ(ring.submit_and_wait(1, {.timeout = &a_moment}), Error::inval);
    return;
  }
  EXPECT_EQ(ring.submit_and_wait(1, {.timeout = &a_moment}), Error::time);
  EXPECT_EQ(ring.submit_and_wait(1, {.timeout = &a_moment, .blocked_signals = &usr1}), Error::time);
  EXPECT_EQ(handled, 0);
  EXPECT_EQ(ring.submit_and_wait(1, {.blocked_signals = &none}), Error::intr);
  EXPECT_EQ(handled, 1);
}

TEST(RegisteredWaitsOnThisKernel, EndAfterTheirTime) {
  alignas(65536) static std::array<uring::RegWait, 1024> waits{};  // whole pages on every architecture
  uring::Ring ring;
  const auto opened = ring.init(4, uring::setup_r_disabled);
  NEEDS(opened, uring::setup_r_disabled, "SETUP_R_DISABLED (5.10)");
  if (const auto registered = ring.register_waits(waits); !registered.ok()) {
    EXPECT_EQ(registered, Error::inval);
    GTEST_SKIP() << "this kernel lacks registered waits (6.13)";
  }
  EXPECT_EQ(ring.register_waits(waits), Error::busy);
  ASSERT_TRUE(ring.enable_rings().ok());
  waits[1022] = {.ts = {.tv_sec = 0, .tv_nsec = 1'000'000}, .flags = uring::reg_wait_ts};
  EXPECT_EQ(ring.submit_and_wait_registered(1, 1022), Error::time);
  EXPECT_EQ(ring.submit_and_wait_registered(1, 1024), Error::fault);
  ASSERT_TRUE(ring.nop(7).ok());
  EXPECT_EQ(ring.submit_and_wait_registered(1, 1022), 1);
  uring::Cqe cqe{};
  ASSERT_TRUE(ring.copy_cqe(cqe).ok());
  EXPECT_EQ(cqe, (uring::Cqe{.user_data = 7, .res = 0, .flags = 0}));
}

}  // namespace
