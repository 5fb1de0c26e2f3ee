// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// multishot poll: one POLL_ADD reports event after event, each with a CQE that says MORE, until it is
// removed.
//
// Needs IORING_POLL_ADD_MULTI (5.13, io_uring_prep_poll_multishot(3)). Before, a len that is not 0 is
// refused.

#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "fixture/files.h"
#include "fixture/ring_test.h"
#include "seam/kernel_abi.h"

namespace {

using namespace conformance;

class PollMultishot : public RingTest<8> {
 protected:
  Pipe pipe;

  binding::Result<binding::Sqe&> queue() { return ring.poll_multishot(1, pipe.reader.get(), POLLIN); }
  wire::Sqe wanted() const {
    return {.opcode = wire::op::poll_add,
            .fd = pipe.reader.get(),
            .len = wire::poll_add_multi,
            .op_flags = wire::poll_mask(POLLIN),
            .user_data = 1};
  }
  // A byte waits, so that a kernel which took the request for an ordinary poll would complete it.
  std::string witness() {
    pipe.write("a");
    return refused([&] { return queue(); }, wanted(), [] { return ""; },
                   Modifier{.name = "multishot", .proxy = wire::feature::rsrc_tags});
  }
  void arm(Site site = Site::here()) {
    expect_equal(site, "the POLL_ADD", wire_of(must(queue(), site)), wanted());
    submit(1, site);
  }
  void take_byte() const {
    char byte;
    ASSERT_EQ(read(pipe.reader.get(), &byte, 1), 1);
  }
  static constexpr wire::Cqe event{.user_data = 1, .res = POLLIN, .flags = wire::cqe_more};
};

TEST_F(PollMultishot, ReportsEachEvent) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  arm();
  EXPECT_EQ(ring.cq_ready(), 0u);
  pipe.write("a");
  EXPECT_EQ(wait_cqe(), event);
  pipe.write("b");  // one more, though the first byte is still there
  EXPECT_EQ(wait_cqe(), event);
  take_byte();
  take_byte();
  pipe.write("c");
  EXPECT_EQ(wait_cqe(), event);
  EXPECT_EQ(ring.cq_ready(), 0u);
}

// Armed on what is true already, it reports that once.
TEST_F(PollMultishot, ReportsWhatIsTrueAlready) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  pipe.write("a");
  arm();
  EXPECT_EQ(wait_cqe(), event);
  must(ring.nop(2));
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 2, .res = 0, .flags = 0}));
}

// Removing it gives its last CQE, which is the one without MORE.
TEST_F(PollMultishot, EndsWhenItIsRemoved) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  arm();
  pipe.write("a");
  EXPECT_EQ(wait_cqe(), event);
  must(ring.poll_remove(2, 1));
  submit(1);
  EXPECT_EQ(wait_cqes(2), (Cqes{{.user_data = 1, .res = -ECANCELED, .flags = 0},  //
                                {.user_data = 2, .res = 0, .flags = 0}}));
  pipe.write("b");
  must(ring.nop(3));
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 3, .res = 0, .flags = 0}));
}

// A hangup is an event like the others: it stays armed.
TEST_F(PollMultishot, StaysArmedAfterAHangup) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  arm();
  pipe.writer = Fd();
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 1, .res = POLLHUP, .flags = wire::cqe_more}));
  must(ring.poll_remove(2, 1));
  submit(1);
  EXPECT_EQ(wait_cqes(2), (Cqes{{.user_data = 1, .res = -ECANCELED, .flags = 0},  //
                                {.user_data = 2, .res = 0, .flags = 0}}));
}

// It must not be silent: there would be no way to tell that it has ended. CQE_SKIP_SUCCESS came with 5.17,
// and before that the flag is unknown.
TEST_F(PollMultishot, CannotSkipItsCqes) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  wire::Sqe silent = wanted();
  silent.flags = wire::cqe_skip_success;
  EXPECT_EQ(complete(silent), (wire::Cqe{.user_data = 1, .res = -EINVAL, .flags = 0}));
}

// When nobody reaps, the CQ fills up. From 5.19 on the request ends with the CQE that does not fit, which
// says that it is the last; kernels before keep it aside, and the request stays armed.
TEST_F(PollMultishot, EndsWhenItsCqeDoesNotFit) {
  if (!kernel_has(wire::feature::rsrc_tags)) GTEST_SKIP() << witness();
  arm();
  for (unsigned i = 1; i <= ring.cq_entries(); ++i) {
    pipe.write("a");
    must(ring.enter(0, i, wire::enter_getevents));
  }
  pipe.write("b");
  // The CQ must stay full until the poll has noticed: a thread that polls the SQ has by the second NOP, and a
  // ring that defers its task work when it is asked for events.
  for (const std::uint64_t nop : {2u, 3u}) {
    must(ring.nop(nop));
    submit(1);
  }
  must(ring.enter(0, 0, wire::enter_getevents));

  for (unsigned i = 0; i < ring.cq_entries(); ++i) EXPECT_EQ(wait_cqe(), event);
  const bool ends = kernel_has(wire::op::socket);  // 5.19
  EXPECT_EQ(wait_cqes(3), (Cqes{{.user_data = 1, .res = POLLIN, .flags = ends ? 0 : wire::cqe_more},
                                {.user_data = 2, .res = 0, .flags = 0},
                                {.user_data = 3, .res = 0, .flags = 0}}));
  must(ring.poll_remove(4, 1));
  submit(1);
  if (!ends) {
    EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 1, .res = -ECANCELED, .flags = 0}));
  }
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 4, .res = ends ? -ENOENT : 0, .flags = 0}));
}

}  // namespace
