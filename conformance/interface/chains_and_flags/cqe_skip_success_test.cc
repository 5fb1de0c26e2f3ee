// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// completions only on failure: with IOSQE_CQE_SKIP_SUCCESS a request that succeeds posts no CQE. Of a chain,
// only the last member or the one that failed is heard of.
//
// Needs IOSQE_CQE_SKIP_SUCCESS (5.17, io_uring_enter(2)). Before, a flag that is unknown is refused.

#include <fcntl.h>

#include <array>
#include <cerrno>

#include "fixture/sockets.h"

namespace {

using namespace conformance;

class CqeSkipSuccess : public RingTest<8> {
 protected:
  static constexpr std::uint8_t skip = wire::cqe_skip_success;

  TempDir dir;
  Fd file = dir.create("file", O_RDWR);
  SocketPair pair;
  std::array<std::byte, 12> memory{};

  binding::Result<binding::Sqe&> queue(std::uint64_t user_data, std::uint8_t flags) {
    const binding::Result<binding::Sqe&> nop = ring.nop(user_data);
    if (nop.ok()) nop.value().flags = flags;
    return nop;
  }
  static wire::Sqe wanted(std::uint64_t user_data, std::uint8_t flags) {
    return {.opcode = wire::op::nop, .flags = flags, .user_data = user_data};
  }
  void queue_nop(std::uint64_t user_data, std::uint8_t flags, Site site = Site::here()) {
    expect_equal(site, "the NOP", wire_of(must(queue(user_data, flags), site)), wanted(user_data, flags));
  }
  // Fails when it is issued: the file is not a socket.
  void queue_failure(std::uint64_t user_data, std::uint8_t flags, Site site = Site::here()) {
    must(ring.recv(user_data, file.get(), memory, 0), site).flags = flags;
  }
  std::string witness() {
    return refused([&] { return queue(1, skip); }, wanted(1, skip), [] { return ""; },
                   Modifier{.name = "CQE_SKIP_SUCCESS", .proxy = wire::feature::cqe_skip});
  }
  static wire::Cqe done(std::uint64_t user_data) { return {.user_data = user_data, .res = 0, .flags = 0}; }
  static wire::Cqe failed(std::uint64_t user_data, int error) {
    return {.user_data = user_data, .res = -error, .flags = 0};
  }
};

TEST_F(CqeSkipSuccess, PostsNothingForASuccess) {
  if (!kernel_has(wire::feature::cqe_skip)) GTEST_SKIP() << witness();
  queue_nop(1, skip);
  submit(1);
  EXPECT_EQ(cqes_before_nop(2), (Cqes{done(2)}));
}

TEST_F(CqeSkipSuccess, PostsAFailure) {
  if (!kernel_has(wire::feature::cqe_skip)) GTEST_SKIP() << witness();
  queue_failure(1, skip);
  EXPECT_EQ(complete(), failed(1, ENOTSOCK));
}

// The last member of a chain tells that all of it is done.
TEST_F(CqeSkipSuccess, LeavesTheLastOfAChain) {
  if (!kernel_has(wire::feature::cqe_skip)) GTEST_SKIP() << witness();
  queue_nop(1, wire::io_link | skip);
  queue_nop(2, wire::io_link | skip);
  queue_nop(3, 0);
  submit(3);
  EXPECT_EQ(cqes_before_nop(4), (Cqes{done(3), done(4)}));
}

// The failure of a member that has the flag is all that is heard of its chain: what is cancelled because of
// it is silent, even the last member, which does not have it.
TEST_F(CqeSkipSuccess, LeavesTheFailureOfAChain) {
  if (!kernel_has(wire::feature::cqe_skip)) GTEST_SKIP() << witness();
  queue_nop(1, wire::io_link | skip);
  queue_failure(2, wire::io_link | skip);
  queue_nop(3, wire::io_link | skip);
  queue_nop(4, 0);
  submit(4);
  EXPECT_EQ(cqes_before_nop(5), (Cqes{failed(2, ENOTSOCK), done(5)}));
}

// If the member that failed does not have the flag, what is cancelled posts a CQE, even where it has it:
// that is no success.
TEST_F(CqeSkipSuccess, LeavesWhatIsCancelled) {
  if (!kernel_has(wire::feature::cqe_skip)) GTEST_SKIP() << witness();
  queue_nop(1, wire::io_link | skip);
  queue_failure(2, wire::io_link);
  queue_nop(3, wire::io_link | skip);
  queue_nop(4, 0);
  submit(4);
  EXPECT_EQ(cqes_before_nop(5),
            (Cqes{failed(2, ENOTSOCK), failed(3, ECANCELED), failed(4, ECANCELED), done(5)}));
}

// Draining counts CQEs, and cannot be combined with requests that have none: neither in one request nor
// later on the same ring.
TEST_F(CqeSkipSuccess, CannotBeDrained) {
  if (!kernel_has(wire::feature::cqe_skip)) GTEST_SKIP() << witness();
  queue_nop(1, wire::io_drain | skip);
  submit(1);
  EXPECT_EQ(cqes_before_nop(9), (Cqes{failed(1, EOPNOTSUPP), done(9)}));
  queue_nop(2, skip);
  submit(1);
  queue_nop(3, wire::io_drain);
  EXPECT_EQ(complete(), failed(3, EOPNOTSUPP));
}

// After a drained request that has completed, the flag is fine. The two are linked because draining may still
// hold requests back a moment after its CQE: unlinked, their order would be free.
TEST_F(CqeSkipSuccess, FollowsADrainThatIsOver) {
  if (!kernel_has(wire::feature::cqe_skip)) GTEST_SKIP() << witness();
  queue_nop(1, wire::io_drain);
  EXPECT_EQ(complete(), done(1));
  queue_nop(2, wire::io_link | skip);
  queue_nop(3, 0);
  submit(2);
  EXPECT_EQ(wait_cqe(), done(3));
}

// A time that has expired is a failure, unless the request says otherwise.
TEST_F(CqeSkipSuccess, TakesAnExpiredTimeForAFailure) {
  if (!kernel_has(wire::feature::cqe_skip)) GTEST_SKIP() << witness();
  const binding::Timespec now{.tv_sec = 0, .tv_nsec = 0}, later{.tv_sec = 0, .tv_nsec = 1'000'000};
  must(ring.timeout(1, &now, 0, 0)).flags = skip;
  EXPECT_EQ(complete(), failed(1, ETIME));
  must(ring.timeout(2, &now, 0, wire::timeout_etime_success)).flags = skip;
  must(ring.timeout(3, &later, 0, 0));  // expires after it
  submit(2);
  EXPECT_EQ(wait_cqe(), failed(3, ETIME));
}

// The CQEs with MORE of a multishot request come nevertheless: they hold what was received.
TEST_F(CqeSkipSuccess, DoesNotSilenceAMultishotReceive) {
  if (!kernel_has(wire::feature::cqe_skip)) GTEST_SKIP() << witness();
  must(ring.provide_buffers(1, memory.data(), 4, 3, 7, 0));  // one more than it needs: it does not run out
  EXPECT_EQ(complete(), done(1));
  must(ring.recv_multishot(2, pair.ours.get(), 7, 0)).flags |= skip;
  submit(1);
  if (!kernel_has(wire::op::send_zc)) {  // 6.0, as the multishot receive
    // An unknown flag in ioprio; 5.17 does not look there, receives once, and is silent about it.
    pair.send("abcd");
    expect_one_of(Site::here(), "what comes before the NOP", cqes_before_nop(3),
                  {Cqes{failed(2, EINVAL), done(3)}, Cqes{done(3)}});
    return;
  }
  for (const std::uint32_t buffer : {0, 1}) {
    pair.send("abcd");
    EXPECT_EQ(
        wait_cqe(),
        (wire::Cqe{.user_data = 2, .res = 4, .flags = wire::cqe_more | wire::cqe_buffer | buffer << 16}));
  }
  must(ring.cancel(3, 2, 0));
  submit(1);
  EXPECT_EQ(wait_cqes(2), (Cqes{failed(2, ECANCELED), done(3)}));
}

// A zero-copy send has two CQEs that belong together. (Before 6.0 it is an unknown opcode, with the same
// answer.)
TEST_F(CqeSkipSuccess, CannotSilenceAZeroCopySend) {
  if (!kernel_has(wire::feature::cqe_skip)) GTEST_SKIP() << witness();
  const wire::Sqe silent{.opcode = wire::op::send_zc,
                         .flags = skip,
                         .fd = pair.ours.get(),
                         .addr = wire::address(memory.data()),
                         .len = 12,
                         .user_data = 1};
  EXPECT_EQ(complete(silent), failed(1, EINVAL));
}

}  // namespace
