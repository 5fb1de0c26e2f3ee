// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// epoll_wait: EPOLL_WAIT waits for the events of an epoll set. So a program that has one can move to io_uring
// step by step, and wait for both in one place.
//
// Needs EPOLL_WAIT (6.15, io_uring_prep_epoll_wait(3)).

#include <fcntl.h>
#include <sys/epoll.h>

#include <array>
#include <cerrno>

#include "fixture/ring_test.h"

namespace {

using namespace conformance;

class EpollWait : public RingTest<8> {
 protected:
  EpollWait() : set(epoll_create1(EPOLL_CLOEXEC)) {
    if (set.get() < 0) stop_errno(Site::here(), "epoll_create1");
    events.fill(untouched);
    watch(one, 1);
    watch(two, 2);
  }
  static constexpr epoll_event untouched{.events = 0x5555, .data = {.u64 = 0x5555}};

  Fd set;
  Pipe one, two;
  std::array<epoll_event, 4> events;

  binding::Sqe& queue(std::uint64_t count, Site site = Site::here()) {
    binding::Sqe& sqe = must(ring.epoll_wait(1, set.get(), events.data(), count), site);
    expect_equal(site, "the EPOLL_WAIT", wire_of(sqe), wanted(count));
    return sqe;
  }
  wire::Sqe wanted(std::uint64_t count) const {
    return {.opcode = wire::op::epoll_wait,
            .fd = set.get(),
            .addr = wire::address(events.data()),
            .len = static_cast<std::uint32_t>(count),
            .user_data = 1};
  }
  // An event that is in the array: epoll_event is packed on some machines, so that its members are copied.
  static void expect_event(const epoll_event& event, std::uint32_t mask, std::uint64_t data,
                           Site site = Site::here()) {
    expect_equal(site, "its mask", std::uint32_t{event.events}, mask);
    expect_equal(site, "its data", std::uint64_t{event.data.u64}, data);
  }
  void expect_untouched(std::size_t from, Site site = Site::here()) const {
    for (std::size_t i = from; i < events.size(); ++i) {
      expect_event(events[i], untouched.events, untouched.data.u64, site);
    }
  }
  std::string witness() {
    one.write("a");
    return refused([&] { return ring.epoll_wait(1, set.get(), events.data(), 4); }, wanted(4),
                   [&] { return events[0].events == untouched.events ? "" : "an event was written"; });
  }
  static wire::Cqe done(std::int32_t res) { return {.user_data = 1, .res = res, .flags = 0}; }

 private:
  void watch(const Pipe& pipe, std::uint64_t data) {
    epoll_event event{.events = EPOLLIN, .data = {.u64 = data}};
    if (epoll_ctl(set.get(), EPOLL_CTL_ADD, pipe.reader.get(), &event) != 0)
      stop_errno(Site::here(), "epoll_ctl");
  }
};

TEST_F(EpollWait, WaitsForAnEvent) {
  if (!kernel_has(wire::op::epoll_wait)) GTEST_SKIP() << witness();
  queue(4);
  submit(1);
  EXPECT_EQ(ring.cq_ready(), 0u);
  one.write("a");
  EXPECT_EQ(wait_cqe(), done(1));
  expect_event(events[0], EPOLLIN, 1);
  expect_untouched(1);
}

// What is there already is reported at once; not more of it than there is room for, and the rest next time.
TEST_F(EpollWait, ReportsAsMuchAsFits) {
  if (!kernel_has(wire::op::epoll_wait)) GTEST_SKIP() << witness();
  one.write("a");
  two.write("a");
  for (int i = 0; i < 2; ++i) {
    queue(1);
    EXPECT_EQ(complete(), done(1));
    expect_one_of(Site::here(), "the file", std::uint64_t{events[0].data.u64}, {1, 2});
    expect_event(events[0], EPOLLIN, events[0].data.u64);
    expect_untouched(1);
  }
  queue(4);
  EXPECT_EQ(complete(), done(2));
  EXPECT_EQ(events[0].data.u64 + events[1].data.u64, 3u) << "each of them once";
  expect_untouched(2);
}

TEST_F(EpollWait, IsCancelled) {
  if (!kernel_has(wire::op::epoll_wait)) GTEST_SKIP() << witness();
  queue(4);
  submit(1);
  must(ring.cancel(2, 1, 0));
  submit(1);
  EXPECT_EQ(wait_cqes(2), (Cqes{done(-ECANCELED), {.user_data = 2, .res = 0, .flags = 0}}));
  expect_untouched(0);
}

// It has no timeout of its own.
TEST_F(EpollWait, IsLimitedByALinkedTimeout) {
  if (!kernel_has(wire::op::epoll_wait)) GTEST_SKIP() << witness();
  const binding::Timespec soon{.tv_sec = 0, .tv_nsec = 20'000'000};
  queue(4).flags = wire::io_link;
  must(ring.link_timeout(2, &soon, 0));
  submit(2);
  EXPECT_EQ(wait_cqes(2), (Cqes{done(-ECANCELED), {.user_data = 2, .res = -ETIME, .flags = 0}}));
  expect_untouched(0);
}

TEST_F(EpollWait, RefusesWhatMeansNothing) {
  if (!kernel_has(wire::op::epoll_wait)) GTEST_SKIP() << witness();
  one.write("a");
  const wire::Sqe good = wanted(4);
  wire::Sqe none = wanted(0), not_a_set = good, off = good, flags = good, indexed = good, in = good;
  not_a_set.fd = one.reader.get();
  off.off = 1;
  flags.op_flags = 1;
  indexed.buf_index = 1;
  in.file_index = 1;
  for (const wire::Sqe& bad : {none, not_a_set, off, flags, indexed, in}) {
    EXPECT_EQ(complete(bad), done(-EINVAL)) << wire::to_string(bad);
  }
  expect_untouched(0);
}

}  // namespace
