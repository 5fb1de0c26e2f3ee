// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// epoll_ctl: EPOLL_CTL changes an epoll set as epoll_ctl(2) does. For event loops that keep their epoll set,
// and want no system call for each change of it.
//
// Needs EPOLL_CTL (5.6, io_uring_prep_epoll_ctl(3)).

#include <fcntl.h>
#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <optional>

#include "fixture/ring_test.h"

namespace {

using namespace conformance;

class EpollCtl : public RingTest<8> {
 protected:
  EpollCtl() : set_(epoll_create1(EPOLL_CLOEXEC)) {
    if (set_.get() < 0) stop_errno(Site::here(), "epoll_create1");
  }
  Pipe pipe;

  binding::Result<binding::Sqe&> queue(int operation, int fd, std::uint32_t events, std::uint64_t data) {
    event_ = {.events = events, .data = {.u64 = data}};
    return ring.epoll_ctl(1, set_.get(), fd, static_cast<std::uint32_t>(operation), &event_);
  }
  wire::Sqe wanted(int operation, int fd) const {
    return {.opcode = wire::op::epoll_ctl,
            .fd = set_.get(),
            .off = static_cast<std::uint64_t>(fd),
            .addr = wire::address(&event_),
            .len = static_cast<std::uint32_t>(operation),
            .user_data = 1};
  }
  // The result of a change.
  int change(int operation, int fd, std::uint32_t events = 0, std::uint64_t data = 0,
             Site site = Site::here()) {
    expect_equal(site, "the EPOLL_CTL", wire_of(must(queue(operation, fd, events, data), site)),
                 wanted(operation, fd));
    const wire::Cqe cqe = complete(site);
    expect_equal(site, "its CQE", cqe, wire::Cqe{.user_data = 1, .res = cqe.res, .flags = 0});
    return cqe.res;
  }
  // What epoll_wait(2) reports now, if it is one event.
  struct Event {
    std::uint32_t events;
    std::uint64_t data;
    friend bool operator==(const Event&, const Event&) = default;
    friend void PrintTo(const Event& event, std::ostream* out) {
      *out << event.events << " of " << event.data;
    }
  };
  std::vector<Event> reported() const {
    std::array<epoll_event, 4> events{};
    const int count = epoll_wait(set_.get(), events.data(), 4, 0);
    std::vector<Event> found;
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      found.push_back({event.events, event.data.u64});
    }
    return found;
  }
  std::string witness() {
    return refused(
        [&] { return queue(EPOLL_CTL_ADD, pipe.reader.get(), EPOLLIN, 42); },
        wanted(EPOLL_CTL_ADD, pipe.reader.get()),
        [&] {
          return epoll_ctl(set_.get(), EPOLL_CTL_DEL, pipe.reader.get(), nullptr) == 0 ? "it was added" : "";
        });
  }

 private:
  Fd set_;
  epoll_event event_{};
};

TEST_F(EpollCtl, AddsAFile) {
  if (!kernel_has(wire::op::epoll_ctl)) GTEST_SKIP() << witness();
  EXPECT_EQ(change(EPOLL_CTL_ADD, pipe.reader.get(), EPOLLIN, 42), 0);
  EXPECT_EQ(reported(), std::vector<Event>());
  pipe.write("a");
  EXPECT_EQ(reported(), (std::vector<Event>{{EPOLLIN, 42}}));
  EXPECT_EQ(change(EPOLL_CTL_ADD, pipe.reader.get(), EPOLLIN, 43), -EEXIST);
  EXPECT_EQ(reported(), (std::vector<Event>{{EPOLLIN, 42}}));
}

TEST_F(EpollCtl, ChangesAndRemovesIt) {
  if (!kernel_has(wire::op::epoll_ctl)) GTEST_SKIP() << witness();
  const int fd = pipe.writer.get();
  EXPECT_EQ(change(EPOLL_CTL_MOD, fd, EPOLLOUT, 1), -ENOENT);
  EXPECT_EQ(change(EPOLL_CTL_ADD, fd, EPOLLPRI, 1), 0);
  EXPECT_EQ(reported(), std::vector<Event>());
  EXPECT_EQ(change(EPOLL_CTL_MOD, fd, EPOLLOUT, 2), 0);
  EXPECT_EQ(reported(), (std::vector<Event>{{EPOLLOUT, 2}}));
  EXPECT_EQ(change(EPOLL_CTL_DEL, fd), 0);
  EXPECT_EQ(reported(), std::vector<Event>());
  EXPECT_EQ(change(EPOLL_CTL_DEL, fd), -ENOENT);
}

// A ring is a file that is readable while it has a CQE.
TEST_F(EpollCtl, AddsAnotherRing) {
  if (!kernel_has(wire::op::epoll_ctl)) GTEST_SKIP() << witness();
  OpenRing other{2, 0};
  EXPECT_EQ(change(EPOLL_CTL_ADD, other.fd(), EPOLLIN, 42), 0);
  EXPECT_EQ(reported(), std::vector<Event>());
  must(other.nop(7));
  ASSERT_EQ(other.submit_and_wait(1), 1);
  EXPECT_EQ(reported(), (std::vector<Event>{{EPOLLIN, 42}}));
}

TEST_F(EpollCtl, RefusesWhatIsNotPossible) {
  if (!kernel_has(wire::op::epoll_ctl)) GTEST_SKIP() << witness();
  const TempDir dir;
  const Fd file = dir.create("file", O_RDWR);
  EXPECT_EQ(change(EPOLL_CTL_ADD, file.get(), EPOLLIN, 1), -EPERM) << "a file that is always ready";
  wire::Sqe indexed = wanted(EPOLL_CTL_ADD, pipe.reader.get());
  indexed.buf_index = 1;
  EXPECT_EQ(complete(indexed), (wire::Cqe{.user_data = 1, .res = -EINVAL, .flags = 0}));
  wire::Sqe unreadable = wanted(EPOLL_CTL_ADD, pipe.reader.get());
  unreadable.addr = 1;
  EXPECT_EQ(complete(unreadable), (wire::Cqe{.user_data = 1, .res = -EFAULT, .flags = 0}));
}

}  // namespace
