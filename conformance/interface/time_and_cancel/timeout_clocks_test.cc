// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// absolute timeouts and clocks: a timeout that names a moment instead of a duration, on the clock that its
// flags name. Deadlines are kept so: a duration would have to be computed anew for each request.
//
// Needs IORING_TIMEOUT_BOOTTIME and _REALTIME (5.15, io_uring_enter(2); IORING_TIMEOUT_ABS alone is 5.5).
// Before, a flag that is unknown is refused. No probe tells 5.15 from 5.13 where stable kernels have it too
// (5.10.162), so RSRC_TAGS is asked for.

#include <time.h>

#include <cerrno>

#include "fixture/ring_test.h"

namespace {

using namespace conformance;

struct Clock {
  const char* name;
  clockid_t id;
  std::uint32_t flag;
};
constexpr Clock monotonic{"CLOCK_MONOTONIC", CLOCK_MONOTONIC, 0};
constexpr Clock boottime{"CLOCK_BOOTTIME", CLOCK_BOOTTIME, wire::timeout_boottime};
constexpr Clock realtime{"CLOCK_REALTIME", CLOCK_REALTIME, wire::timeout_realtime};

// Nanoseconds since the clock's zero.
std::int64_t present_ns(const Clock& clock) {
  timespec now{};
  clock_gettime(clock.id, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

class TimeoutClocks : public RingTest<8> {
 protected:
  binding::Timespec time{};

  void set_time(std::int64_t ns) { time = {.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000}; }
  binding::Result<binding::Sqe&> queue(std::uint32_t count, std::uint32_t flags) {
    return ring.timeout(1, &time, count, flags);
  }
  wire::Sqe wanted(std::uint32_t count, std::uint32_t flags) const {
    return {.opcode = wire::op::timeout,
            .fd = -1,
            .off = count,
            .addr = wire::address(&time),
            .len = 1,
            .op_flags = flags,
            .user_data = 1};
  }
  void arm(std::uint32_t count, const Clock& clock, Site site = Site::here()) {
    const std::uint32_t flags = wire::timeout_abs | clock.flag;
    expect_equal(site, "the TIMEOUT", wire_of(must(queue(count, flags), site)), wanted(count, flags));
    submit(1, site);
  }
  // The moment has come, so that a kernel which ignored the clock would complete it too.
  std::string witness() {
    constexpr std::uint32_t flags = wire::timeout_abs | wire::timeout_boottime;
    set_time(present_ns(boottime));
    return refused([&] { return queue(0, flags); }, wanted(0, flags), [] { return ""; },
                   Modifier{.name = "a clock", .proxy = wire::feature::rsrc_tags});
  }
  static constexpr wire::Cqe expired{.user_data = 1, .res = -ETIME, .flags = 0};
};

TEST_F(TimeoutClocks, FiresWhenTheMomentHasCome) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  for (const Clock& clock : {monotonic, boottime, realtime}) {
    set_time(present_ns(clock));
    arm(0, clock);
    EXPECT_EQ(wait_cqe(), expired) << clock.name;
  }
}

// A moment to come is waited for: a lower bound, on the clock that was named.
TEST_F(TimeoutClocks, WaitsForTheMoment) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  for (const Clock& clock : {monotonic, boottime, realtime}) {
    const std::int64_t moment = present_ns(clock) + 20'000'000;
    set_time(moment);
    arm(0, clock);
    EXPECT_EQ(wait_cqe(), expired) << clock.name;
    EXPECT_GE(present_ns(clock), moment) << clock.name;
  }
}

// The present of CLOCK_MONOTONIC, the time since boot, is long past on CLOCK_REALTIME, and the other way
// round it is decades ahead.
TEST_F(TimeoutClocks, AsksTheClockThatIsNamed) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  set_time(present_ns(monotonic));
  arm(0, realtime);
  EXPECT_EQ(wait_cqe(), expired);

  for (const Clock& clock : {monotonic, boottime}) {
    set_time(present_ns(realtime));
    arm(0, clock);
    EXPECT_EQ(cqes_before_nop(2), (Cqes{{.user_data = 2, .res = 0, .flags = 0}})) << clock.name;
    must(ring.timeout_remove(3, 1, 0));
    submit(1);
    EXPECT_EQ(cqes_before_nop(4), (Cqes{{.user_data = 1, .res = -ECANCELED, .flags = 0},
                                        {.user_data = 3, .res = 0, .flags = 0},
                                        {.user_data = 4, .res = 0, .flags = 0}}))
        << clock.name;
  }
}

// It counts completions like any timeout: one is enough, long before the moment.
TEST_F(TimeoutClocks, StillCountsCompletions) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  set_time(present_ns(realtime) + 3'600'000'000'000);
  arm(1, realtime);
  must(ring.nop(2));
  submit(1);
  EXPECT_EQ(cqes_before_nop(3), (Cqes{{.user_data = 1, .res = 0, .flags = 0},
                                      {.user_data = 2, .res = 0, .flags = 0},
                                      {.user_data = 3, .res = 0, .flags = 0}}));
}

TEST_F(TimeoutClocks, RefusesWhatMeansNothing) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  set_time(present_ns(realtime));
  const wire::Sqe good = wanted(0, wire::timeout_abs | wire::timeout_realtime);
  wire::Sqe two_clocks = good, two_times = good, no_time = good;
  two_clocks.op_flags |= wire::timeout_boottime;
  two_times.len = 2;
  no_time.addr = 8;  // never mapped
  for (const wire::Sqe& bad : {two_clocks, two_times}) {
    EXPECT_EQ(complete(bad), (wire::Cqe{.user_data = 1, .res = -EINVAL, .flags = 0})) << wire::to_string(bad);
  }
  EXPECT_EQ(complete(no_time), (wire::Cqe{.user_data = 1, .res = -EFAULT, .flags = 0}));
}

// Older kernels (5.10, but not 6.1) wait for a moment before the epoch, as if it were far ahead, or say that
// it has come.
TEST_F(TimeoutClocks, RefusesNegativeTime) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  time = {.tv_sec = -1, .tv_nsec = 0};
  arm(0, realtime);
  must(ring.timeout_remove(2, 1, 0));
  submit(1);
  const Cqes all = cqes_before_nop(3);
  ASSERT_EQ(all.size(), 3u);
  if (kernel_has(wire::op::sendmsg_zc)) {  // 6.1
    EXPECT_EQ(all[0], (wire::Cqe{.user_data = 1, .res = -EINVAL, .flags = 0}));
  } else {
    expect_one_of(Site::here(), "the TIMEOUT", all[0].res, {-EINVAL, -ECANCELED, -ETIME});
  }
}

}  // namespace
