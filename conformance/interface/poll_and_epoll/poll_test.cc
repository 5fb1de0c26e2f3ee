// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// poll: POLL_ADD waits for an event on a file, reports it once, and is over. Event loops use it where no
// request of its own (RECV, ACCEPT) fits.
//
// Needs POLL_ADD and POLL_REMOVE (5.1, io_uring_enter(2)).

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>

#include "fixture/files.h"
#include "fixture/ring_test.h"

namespace {

using namespace conformance;

class Poll : public RingTest<8> {
 protected:
  Pipe pipe;

  void queue(std::uint64_t user_data, int fd, std::uint32_t mask, Site site = Site::here()) {
    expect_equal(site, "the POLL_ADD", wire_of(must(ring.poll_add(user_data, fd, mask), site)),
                 wanted(user_data, fd, mask));
  }
  static wire::Sqe wanted(std::uint64_t user_data, int fd, std::uint32_t mask) {
    return {
        .opcode = wire::op::poll_add, .fd = fd, .op_flags = wire::poll_mask(mask), .user_data = user_data};
  }
  void queue_remove(std::uint64_t target, Site site = Site::here()) {
    expect_equal(site, "the POLL_REMOVE", wire_of(must(ring.poll_remove(0x99, target), site)),
                 wanted_remove(target));
  }
  static wire::Sqe wanted_remove(std::uint64_t target) {
    return {.opcode = wire::op::poll_remove, .fd = -1, .addr = target, .user_data = 0x99};
  }
};

TEST_F(Poll, ReportsAnEventOnce) {
  queue(1, pipe.reader.get(), POLLIN);
  submit(1);
  EXPECT_EQ(ring.cq_ready(), 0u);
  pipe.write("a");
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 1, .res = POLLIN, .flags = 0}));
  // It is over: the next CQE is that of the NOP.
  pipe.write("b");
  must(ring.nop(2));
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 2, .res = 0, .flags = 0}));
  EXPECT_EQ(ring.cq_ready(), 0u);
}

// What is true already completes at once.
TEST_F(Poll, ReportsWhatIsTrueAlready) {
  queue(1, pipe.writer.get(), POLLOUT);
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 1, .res = POLLOUT, .flags = 0}));
  const TempDir dir;
  const Fd file = dir.create("file", O_RDWR);
  queue(2, file.get(), POLLIN);
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 2, .res = POLLIN, .flags = 0}));
}

// A hangup is reported whether it was asked for or not, as by poll(2).
TEST_F(Poll, ReportsAHangupUnasked) {
  queue(1, pipe.reader.get(), POLLIN);
  queue(2, pipe.reader.get(), 0);
  submit(2);
  EXPECT_EQ(ring.cq_ready(), 0u);
  pipe.writer = Fd();
  EXPECT_EQ(wait_cqes(2), (Cqes{{.user_data = 1, .res = POLLHUP, .flags = 0},  //
                                {.user_data = 2, .res = POLLHUP, .flags = 0}}));
}

TEST_F(Poll, IsRemoved) {
  queue(1, pipe.reader.get(), POLLIN);
  submit(1);
  queue_remove(1);
  submit(1);
  EXPECT_EQ(wait_cqes(2), (Cqes{{.user_data = 1, .res = -ECANCELED, .flags = 0},
                                {.user_data = 0x99, .res = 0, .flags = 0}}));
  queue_remove(1);
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 0x99, .res = -ENOENT, .flags = 0}));
}

// POLL_REMOVE finds polls and nothing else; ASYNC_CANCEL (5.5) finds polls too.
TEST_F(Poll, IsTheOnlyThingThatPollRemoveFinds) {
  const binding::Timespec never{.tv_sec = 3600, .tv_nsec = 0};
  must(ring.timeout(1, &never, 0, 0));
  submit(1);
  queue_remove(1);
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 0x99, .res = -ENOENT, .flags = 0}));
  EXPECT_EQ(ring.cq_ready(), 0u);
  if (!kernel_has(wire::op::async_cancel)) {
    must(ring.cancel(3, 2, 0));
    EXPECT_EQ(complete(), (wire::Cqe{.user_data = 3, .res = -EINVAL, .flags = 0}));
    return;
  }
  queue(2, pipe.reader.get(), POLLIN);
  submit(1);
  must(ring.cancel(3, 2, 0));
  submit(1);
  EXPECT_EQ(wait_cqes(2), (Cqes{{.user_data = 2, .res = -ECANCELED, .flags = 0},  //
                                {.user_data = 3, .res = 0, .flags = 0}}));
}

// Two polls wait for one byte: both see it. With EPOLLEXCLUSIVE (POLL_32BITS, 5.9) one wake-up ends one of
// them; before, the bit is cut off.
TEST_F(Poll, WakesBothUnlessExclusive) {
  const int fd = pipe.reader.get();
  queue(1, fd, POLLIN);
  queue(2, fd, POLLIN);
  submit(2);
  pipe.write("a");
  EXPECT_EQ(wait_cqes(2), (Cqes{{.user_data = 1, .res = POLLIN, .flags = 0},  //
                                {.user_data = 2, .res = POLLIN, .flags = 0}}));
  char byte;
  ASSERT_EQ(read(fd, &byte, 1), 1);
  queue(3, fd, POLLIN | EPOLLEXCLUSIVE);
  queue(4, fd, POLLIN | EPOLLEXCLUSIVE);
  submit(2);
  pipe.write("b");
  if (!kernel_has(wire::feature::poll_32bits)) {
    EXPECT_EQ(wait_cqes(2), (Cqes{{.user_data = 3, .res = POLLIN, .flags = 0},  //
                                  {.user_data = 4, .res = POLLIN, .flags = 0}}));
    return;
  }
  const wire::Cqe woken = wait_cqe();
  EXPECT_EQ(woken, (wire::Cqe{.user_data = woken.user_data == 3 ? 3u : 4u, .res = POLLIN, .flags = 0}));
  must(ring.nop(5));
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 5, .res = 0, .flags = 0}));
}

// A ring is a file that is readable while it has a CQE.
TEST_F(Poll, WatchesAnotherRing) {
  OpenRing other{2, 0};
  queue(1, other.fd(), POLLIN);
  submit(1);
  EXPECT_EQ(ring.cq_ready(), 0u);
  must(other.nop(7));
  ASSERT_EQ(other.submit(), 1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 1, .res = POLLIN, .flags = 0}));
}

// Fields that mean nothing for a poll must be 0. POLL_ADD_LEVEL is in the kernel's header since 6.0, and no
// kernel accepts it in POLL_ADD.
TEST_F(Poll, RefusesWhatMeansNothing) {
  const wire::Sqe good = wanted(1, pipe.reader.get(), POLLIN);
  wire::Sqe off = good, addr = good, buffer = good, level = good;
  off.off = 1;
  addr.addr = 1;
  buffer.buf_index = 1;
  level.len = wire::poll_add_level;
  for (const wire::Sqe& bad : {off, addr, buffer, level}) {
    EXPECT_EQ(complete(bad), (wire::Cqe{.user_data = 1, .res = -EINVAL, .flags = 0})) << wire::to_string(bad);
  }
  wire::Sqe new_user_data = wanted_remove(1), multi = wanted_remove(1);
  new_user_data.off = 2;             // without poll_update_user_data
  multi.len = wire::poll_add_multi;  // without an update
  for (const wire::Sqe& bad : {new_user_data, multi}) {
    EXPECT_EQ(complete(bad), (wire::Cqe{.user_data = 0x99, .res = -EINVAL, .flags = 0}))
        << wire::to_string(bad);
  }
}

}  // namespace
