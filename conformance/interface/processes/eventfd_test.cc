// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// eventfd: a ring tells an eventfd when it has posted a CQE, and so belongs to an event loop that knows only
// descriptors.
//
// Needs IORING_CQ_EVENTFD_DISABLED (5.8, io_uring_register_eventfd(3); IORING_REGISTER_EVENTFD is 5.2,
// IORING_REGISTER_EVENTFD_ASYNC 5.6). Older kernels do not look at the word; there is nothing that they could
// refuse.
//
// The signal may come a moment after the CQE, and once too often (io_uring_register_eventfd(3)).

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "fixture/sockets.h"

namespace {

using namespace conformance;

class Eventfd : public RingTest<8> {
 protected:
  Fd event{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  SocketPair pair;
  std::array<std::byte, 4> buffer{};

  // True if the eventfd is signalled within `ms`; -1: whenever that is. It is not signalled any more.
  bool signalled(int ms, Site site = Site::here()) {
    pollfd wait{.fd = event.get(), .events = POLLIN, .revents = 0};
    if (poll(&wait, 1, ms) == 0) return false;
    std::uint64_t count = 0;
    if (read(event.get(), &count, sizeof count) != sizeof count) stop_errno(site, "read of the eventfd");
    return count > 0;
  }
  bool will_be_signalled() { return signalled(-1); }
  bool stays_silent() { return !signalled(50); }

  void complete_nop(std::uint8_t flags = 0, Site site = Site::here()) {
    must(ring.nop(1), site).flags = flags;
    submit(1, site);
    EXPECT_EQ_AT(site, wait_cqe(site), (wire::Cqe{.user_data = 1, .res = 0, .flags = 0}));
  }
  // A receive that waits until the peer sends.
  void queue_recv(Site site = Site::here()) {
    must(ring.recv(2, pair.ours.get(), buffer, 0), site);
    submit(1, site);
  }
  // The flags word of the completion queue, which the program writes.
  void set_cq_flags(std::uint32_t flags) {
    const RingView& view = wire_log().rings().at(ring.fd());
    auto* word = reinterpret_cast<std::uint32_t*>(view.rings + view.params.cq_off.flags);
    __atomic_store_n(word, flags, __ATOMIC_RELEASE);
  }
  static constexpr wire::Cqe received{.user_data = 2, .res = 4, .flags = 0};
};

TEST_F(Eventfd, IsSignalledByACompletion) {
  EXPECT_TRUE(ring.register_eventfd(event.get()).ok());
  EXPECT_TRUE(stays_silent());
  complete_nop();
  EXPECT_TRUE(will_be_signalled());
  for (const std::uint64_t user_data : {1, 2, 3}) must(ring.nop(user_data));
  submit(3);
  EXPECT_TRUE(will_be_signalled());
  EXPECT_EQ(wait_cqes(3).size(), 3u);
}

TEST_F(Eventfd, IsSignalledByAReceiveThatWaited) {
  EXPECT_TRUE(ring.register_eventfd(event.get()).ok());
  queue_recv();
  EXPECT_TRUE(stays_silent());
  pair.send("abcd");
  EXPECT_TRUE(will_be_signalled());
  EXPECT_EQ(wait_cqe(), received);
}

// A program that reads the queue anyway switches it off, with a word of the ring.
TEST_F(Eventfd, CanBeSwitchedOff) {
  EXPECT_TRUE(ring.register_eventfd(event.get()).ok());
  set_cq_flags(wire::cq_eventfd_disabled);
  complete_nop();
  EXPECT_TRUE(stays_silent());
  set_cq_flags(0);
  complete_nop();
  EXPECT_TRUE(will_be_signalled());
}

TEST_F(Eventfd, CanBeTakenAway) {
  EXPECT_TRUE(ring.register_eventfd(event.get()).ok());
  complete_nop();
  EXPECT_TRUE(will_be_signalled());
  EXPECT_TRUE(ring.unregister_eventfd().ok());
  signalled(50);  // once too often, at most
  complete_nop();
  EXPECT_TRUE(stays_silent());
}

// Only for what did not complete at once: a NOP does, and one that a worker carries out does not.
TEST_F(Eventfd, MayBeForAsynchronousRequestsOnly) {
  EXPECT_TRUE(ring.register_eventfd_async(event.get()).ok());
  complete_nop();
  // With ASYNC in every SQE there is no other request.
  EXPECT_TRUE(configuration().begins_later() ? will_be_signalled() : stays_silent());
  complete_nop(wire::io_async);
  EXPECT_TRUE(will_be_signalled());
}

// On a ring whose completions wait for its thread (6.1) it says that there is something to ask for.
TEST_F(Eventfd, ComesBeforeADeferredCompletion) {
  constexpr unsigned deferred = wire::setup_single_issuer | wire::setup_defer_taskrun;
  if (!kernel_has(wire::op::sendmsg_zc)) return expect_no_ring(deferred);
  reopen(deferred);
  EXPECT_TRUE(ring.register_eventfd(event.get()).ok());
  queue_recv();
  EXPECT_TRUE(stays_silent());
  pair.send("abcd");
  EXPECT_TRUE(will_be_signalled());
  EXPECT_EQ(ring.cq_ready(), 0u);
  EXPECT_EQ(wait_cqe(), received);
}

TEST_F(Eventfd, IsOneAndAnEventfd) {
  const auto errno_of = [](const auto& result) { return binding::errno_of(result.error()); };
  EXPECT_EQ(errno_of(ring.unregister_eventfd()), ENXIO);
  const std::array<std::int32_t, 2> two{event.get(), event.get()};
  EXPECT_EQ(do_register(wire::register_op::eventfd, two.data(), 2), -EINVAL);
  EXPECT_EQ(errno_of(ring.register_eventfd(pair.ours.get())), EINVAL);
  EXPECT_EQ(errno_of(ring.register_eventfd(not_open)), EBADF);
  EXPECT_TRUE(ring.register_eventfd(event.get()).ok());
  EXPECT_EQ(errno_of(ring.register_eventfd(event.get())), EBUSY);
  EXPECT_EQ(errno_of(ring.register_eventfd_async(event.get())), EBUSY);
  EXPECT_TRUE(ring.unregister_eventfd().ok());
  EXPECT_EQ(errno_of(ring.unregister_eventfd()), ENXIO);
}

}  // namespace
