// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// changing a poll: POLL_REMOVE with update flags in len changes the events or the user_data of a poll that
// waits, without a moment in which nobody waits.
//
// Needs IORING_POLL_UPDATE_EVENTS and _USER_DATA (5.13, io_uring_prep_poll_update(3)). Before, a len that is
// not 0 is refused.

#include <poll.h>

#include <cerrno>

#include "fixture/files.h"
#include "fixture/ring_test.h"

namespace {

using namespace conformance;

class PollUpdate : public RingTest<8> {
 protected:
  Pipe pipe;

  // Updates poll 1.
  binding::Result<binding::Sqe&> queue(std::uint64_t new_user_data, std::uint32_t mask, std::uint32_t flags) {
    return ring.poll_update(9, 1, new_user_data, mask, binding::PollFlags{flags});
  }
  static wire::Sqe wanted(std::uint64_t new_user_data, std::uint32_t mask, std::uint32_t flags) {
    return {.opcode = wire::op::poll_remove,
            .fd = -1,
            .off = new_user_data,
            .addr = 1,
            .len = flags,
            .op_flags = wire::poll_mask(mask),
            .user_data = 9};
  }
  void update(std::uint64_t new_user_data, std::uint32_t mask, std::uint32_t flags,
              Site site = Site::here()) {
    expect_equal(site, "the POLL_REMOVE", wire_of(must(queue(new_user_data, mask, flags), site)),
                 wanted(new_user_data, mask, flags));
    submit(1, site);
  }
  std::string witness() {
    return refused([&] { return queue(0, POLLIN, wire::poll_update_events); },
                   wanted(0, POLLIN, wire::poll_update_events), [] { return ""; },
                   Modifier{.name = "an update", .proxy = wire::feature::rsrc_tags});
  }
};

// It completes under its new user_data, and only under that.
TEST_F(PollUpdate, GivesItAnotherUserData) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  must(ring.poll_add(1, pipe.reader.get(), POLLIN));
  submit(1);
  update(2, 0, wire::poll_update_user_data);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 9, .res = 0, .flags = 0}));
  pipe.write("a");
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 2, .res = POLLIN, .flags = 0}));
  EXPECT_EQ(ring.cq_ready(), 0u);
}

// The new event is true already: it completes now.
TEST_F(PollUpdate, GivesItOtherEvents) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  must(ring.poll_add(1, pipe.writer.get(), POLLPRI));
  submit(1);
  EXPECT_EQ(ring.cq_ready(), 0u);
  update(0, POLLOUT, wire::poll_update_events);
  EXPECT_EQ(cqes_before_nop(10), (Cqes{{.user_data = 1, .res = POLLOUT, .flags = 0},
                                       {.user_data = 9, .res = 0, .flags = 0},
                                       {.user_data = 10, .res = 0, .flags = 0}}));
}

// Both at once, on a multishot poll, which stays one.
TEST_F(PollUpdate, ChangesAMultishotPoll) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  must(ring.poll_multishot(1, pipe.reader.get(), POLLPRI));
  submit(1);
  update(2, POLLIN, wire::poll_update_events | wire::poll_update_user_data | wire::poll_add_multi);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 9, .res = 0, .flags = 0}));
  for (const char* byte : {"a", "b"}) {
    pipe.write(byte);
    EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 2, .res = POLLIN, .flags = wire::cqe_more})) << byte;
  }
}

TEST_F(PollUpdate, FindsNothing) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  update(2, 0, wire::poll_update_user_data);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 9, .res = -ENOENT, .flags = 0}));
}

// What is not to be changed must be 0.
TEST_F(PollUpdate, RefusesWhatItsFlagsDoNotName) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  must(ring.poll_add(1, pipe.reader.get(), POLLIN));
  submit(1);
  const wire::Sqe user_data = wanted(2, POLLIN, wire::poll_update_events),
                  events = wanted(2, POLLIN, wire::poll_update_user_data);
  for (const wire::Sqe& bad : {user_data, events}) {
    EXPECT_EQ(complete(bad), (wire::Cqe{.user_data = 9, .res = -EINVAL, .flags = 0})) << wire::to_string(bad);
  }
  pipe.write("a");
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 1, .res = POLLIN, .flags = 0}));
}

}  // namespace
