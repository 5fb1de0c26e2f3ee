// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// futex: a ring waits for a lock without a thread of its own, and wakes those who wait, in futex(2) as well.
//
// Needs FUTEX_WAIT, FUTEX_WAKE and FUTEX_WAITV (6.7, io_uring_prep_futex_wait(3)).

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <thread>

#include "fixture/ring_test.h"

namespace {

using namespace conformance;

class Futex : public RingTest<8> {
 protected:
  static constexpr std::uint32_t ours = wire::futex2_size_u32 | wire::futex2_private;
  static constexpr std::uint64_t any = ~0u;  // the mask of all wakers
  std::array<std::uint32_t, 3> words{7, 8, 9};

  binding::Result<binding::Sqe&> queue_wait(std::uint64_t user_data, std::uint64_t mask = any) {
    return ring.futex_wait(user_data, &words[0], 7, mask, ours);
  }
  wire::Sqe wait_wanted(std::uint64_t user_data, std::uint64_t mask = any) const {
    return {.opcode = wire::op::futex_wait,
            .fd = ours,
            .off = 7,
            .addr = wire::address(&words[0]),
            .user_data = user_data,
            .addr3 = mask};
  }
  void start_wait(std::uint64_t user_data, std::uint64_t mask = any, Site site = Site::here()) {
    EXPECT_EQ_AT(site, wire_of(must(queue_wait(user_data, mask), site)), wait_wanted(user_data, mask));
    submit(1, site);
  }
  // Wakes waiters of a word; what follows from it may complete before or after.
  void wake(std::uint64_t count, std::uint64_t mask = any, std::uint32_t flags = ours, std::size_t word = 0,
            Site site = Site::here()) {
    EXPECT_EQ_AT(site, wire_of(must(ring.futex_wake(9, &words[word], count, mask, flags), site)),
                 (wire::Sqe{.opcode = wire::op::futex_wake,
                            .fd = static_cast<std::int32_t>(flags),
                            .off = count,
                            .addr = wire::address(&words[word]),
                            .user_data = 9,
                            .addr3 = mask}));
    submit(1, site);
  }
  static wire::Cqe done(std::uint64_t user_data, std::int32_t res = 0) {
    return {.user_data = user_data, .res = res, .flags = 0};
  }
  void start_waitv(Site site = Site::here()) {
    std::array<binding::FutexWaitv, 3> waiters{};
    for (std::size_t i = 0; i < 3; ++i) waiters[i] = std::bit_cast<binding::FutexWaitv>(one_of_three(i));
    EXPECT_EQ_AT(site, wire_of(must(ring.futex_waitv(1, waiters), site)),
                 (wire::Sqe{.opcode = wire::op::futex_waitv,
                            .addr = wire::address(waiters.data()),
                            .len = 3,
                            .user_data = 1}));
    submit(1, site);
  }
  wire::FutexWaitv one_of_three(std::size_t i) const {
    return {.val = 7 + i, .uaddr = wire::address(&words[i]), .flags = ours};
  }
  std::string witness() {
    return refused([&] { return queue_wait(1); }, wait_wanted(1), [] { return ""; });
  }
};

// As many as are asked for.
TEST_F(Futex, WakesAsManyAsItIsAskedFor) {
  if (!kernel_has(wire::op::futex_wait)) GTEST_SKIP() << witness();
  start_wait(1);
  start_wait(2);
  EXPECT_EQ(cqes_before_nop(3), (Cqes{done(3)}));
  wake(1);
  const Cqes first = wait_cqes(2);
  EXPECT_TRUE(first == (Cqes{done(1), done(9, 1)}) || first == (Cqes{done(2), done(9, 1)}))
      << testing::PrintToString(first);
  wake(0);
  EXPECT_EQ(cqes_before_nop(3), (Cqes{done(3), done(9)}));
  wake(8);
  EXPECT_EQ(wait_cqes(2), (Cqes{done(first[0].user_data == 1 ? 2 : 1), done(9, 1)}));
  wake(8);
  EXPECT_EQ(wait_cqe(), done(9));
}

TEST_F(Futex, DoesNotWaitIfTheValueIsAnother) {
  if (!kernel_has(wire::op::futex_wait)) GTEST_SKIP() << witness();
  words[0] = 6;
  must(queue_wait(1));
  EXPECT_EQ(complete(), done(1, -EAGAIN));
}

// One queue for both: futex(2) wakes a request, and a request wakes a thread in futex(2).
TEST_F(Futex, MeetsTheSystemCall) {
  if (!kernel_has(wire::op::futex_wait)) GTEST_SKIP() << witness();
  start_wait(1);
  EXPECT_EQ(cqes_before_nop(3), (Cqes{done(3)}));
  EXPECT_EQ(syscall(SYS_futex, &words[0], FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0), 1);
  EXPECT_EQ(wait_cqe(), done(1));

  long woken = -1;
  std::thread thread(
      [&] { woken = syscall(SYS_futex, &words[0], FUTEX_WAIT_PRIVATE, 7, nullptr, nullptr, 0); });
  // Until it has begun to wait.
  using namespace std::chrono_literals;
  wire::Cqe cqe;
  for (wake(1); (cqe = wait_cqe()) == done(9, 0); wake(1)) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(cqe, done(9, 1));
  thread.join();
  EXPECT_EQ(woken, 0);
}

// Waiter and waker meet if their masks have a bit in common, and if both are private or none is.
TEST_F(Futex, MeetsThroughTheMask) {
  if (!kernel_has(wire::op::futex_wait)) GTEST_SKIP() << witness();
  start_wait(1, 2);
  wake(1, 1);
  EXPECT_EQ(cqes_before_nop(10), (Cqes{done(9), done(10)}));
  wake(1, any, wire::futex2_size_u32);
  EXPECT_EQ(cqes_before_nop(10), (Cqes{done(9), done(10)}));
  wake(1, 6);
  EXPECT_EQ(wait_cqes(2), (Cqes{done(1), done(9, 1)}));
}

// Of several futexes, it says which one.
TEST_F(Futex, WaitsForAnyOfThree) {
  if (!kernel_has(wire::op::futex_wait)) GTEST_SKIP() << witness();
  start_waitv();
  EXPECT_EQ(cqes_before_nop(3), (Cqes{done(3)}));
  wake(1, any, ours, 2);
  EXPECT_EQ(wait_cqes(2), (Cqes{done(1, 2), done(9, 1)}));
  words[1] = 0;
  start_waitv();
  EXPECT_EQ(wait_cqe(), done(1, -EAGAIN));
}

// io_uring_prep_cancel(3) says that the cancel completes with 0; with 1 it does on 6.12 to 7.3.
TEST_F(Futex, CanBeCancelled) {
  if (!kernel_has(wire::op::futex_wait)) GTEST_SKIP() << witness();
  for (const bool several : {false, true}) {
    several ? start_waitv() : start_wait(1);
    must(ring.cancel(2, 1, 0));
    submit(1);
    const Cqes cqes = wait_cqes(2);
    EXPECT_EQ(cqes[0], done(1, -ECANCELED));
    EXPECT_GE(cqes[1].res, 0);
    EXPECT_EQ(cqes[1], done(2, cqes[1].res));
    wake(8);
    EXPECT_EQ(wait_cqe(), done(9)) << "nobody waits any more";
  }
}

TEST_F(Futex, RefusesWhatIsNoFutex) {
  if (!kernel_has(wire::op::futex_wait)) GTEST_SKIP() << witness();
  const wire::Sqe good = wait_wanted(1);
  wire::Sqe u8 = good, u16 = good, u64 = good, flag = good, nobody = good, length = good, wide = good,
            unmapped = good;
  u8.fd = wire::futex2_size_u8 | wire::futex2_private;
  u16.fd = wire::futex2_size_u16 | wire::futex2_private;
  u64.fd = wire::futex2_size_u64 | wire::futex2_private;
  flag.fd |= 16;
  nobody.addr3 = 0;
  length.len = 1;
  wide.off |= 1ull << 32;
  unmapped.addr = 4096;
  for (const wire::Sqe& sqe : {u8, u16, u64, flag, nobody, length, wide}) {
    EXPECT_EQ(complete(sqe), done(1, -EINVAL)) << wire::to_string(sqe);
  }
  EXPECT_EQ(complete(unmapped), done(1, -EFAULT));
  const std::vector<wire::FutexWaitv> many(129, one_of_three(0));
  for (const std::uint32_t count : {0u, 129u}) {
    EXPECT_EQ(complete(wire::Sqe{.opcode = wire::op::futex_waitv,
                                 .addr = wire::address(many.data()),
                                 .len = count,
                                 .user_data = 1}),
              done(1, -EINVAL))
        << count;
  }
}

}  // namespace
