// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// links: requests that run one after the other, each only if the one before it succeeded. What else a program
// would have to wait for in between.
//
// Needs IOSQE_IO_LINK (5.3, io_uring_enter(2)) and RECV (5.6), which fails when it is issued and not before
// on every kernel.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "fixture/sockets.h"

namespace {

using namespace conformance;

class Links : public RingTest<8> {
 protected:
  TempDir dir;
  Fd file = dir.create("file", O_RDWR);
  SocketPair pair;
  std::array<std::byte, 8> received{};

  void queue_nop(std::uint64_t user_data, std::uint8_t flags = 0, Site site = Site::here()) {
    binding::Sqe& sqe = must(ring.nop(user_data), site);
    sqe.flags = flags;
    expect_equal(site, "the NOP", wire_of(sqe),
                 wire::Sqe{.opcode = wire::op::nop, .flags = flags, .user_data = user_data});
  }
  void queue_recv(std::uint64_t user_data, int fd, std::uint32_t recv_flags = 0, Site site = Site::here()) {
    binding::Sqe& sqe = must(ring.recv(user_data, fd, received, recv_flags), site);
    sqe.flags = wire::io_link;
    wire::Sqe wanted = wanted_recv(user_data, fd);
    wanted.op_flags = recv_flags;
    expect_equal(site, "the RECV", wire_of(sqe), wanted);
  }
  wire::Sqe wanted_recv(std::uint64_t user_data, int fd) const {
    return {.opcode = wire::op::recv,
            .flags = wire::io_link,
            .fd = fd,
            .addr = wire::address(received.data()),
            .len = 8,
            .user_data = user_data};
  }
  // Completes with EINVAL before anything of its chain is issued.
  void queue_unknown(std::uint64_t user_data, Site site = Site::here()) {
    const wire::Sqe unknown{.opcode = wire::op::nobody, .flags = wire::io_link, .user_data = user_data};
    must(ring.nop(0), site) = std::bit_cast<binding::Sqe>(unknown);
  }
  // The next `count` CQEs as they come, but that of the request outside the chain last: it may complete at
  // any time.
  Cqes wait_for_chain(unsigned count, std::uint64_t outside, Site site = Site::here()) {
    Cqes cqes;
    while (cqes.size() < count) cqes.push_back(wait_cqe(site));
    std::ranges::stable_partition(cqes, [outside](const wire::Cqe& cqe) { return cqe.user_data != outside; });
    return cqes;
  }
  std::string witness() {
    wire::Sqe wanted = wanted_recv(1, pair.ours.get());
    wanted.flags = 0;
    return refused([&] { return ring.recv(1, pair.ours.get(), received, 0); }, wanted, [] { return ""; });
  }
  static wire::Cqe done(std::uint64_t user_data) { return {.user_data = user_data, .res = 0, .flags = 0}; }
  static wire::Cqe failed(std::uint64_t user_data, int error) {
    return {.user_data = user_data, .res = -error, .flags = 0};
  }
};

TEST_F(Links, RunsInOrder) {
  if (!kernel_has(wire::op::recv)) GTEST_SKIP() << witness();
  queue_nop(1, wire::io_link);
  queue_nop(2, wire::io_link);
  queue_nop(3);
  submit(3);
  for (const std::uint64_t user_data : {1, 2, 3}) EXPECT_EQ(wait_cqe(), done(user_data));
}

// A request that has to wait holds the rest of its chain back, and nothing else. RECV is content with less
// than it could take, so the chain continues.
TEST_F(Links, WaitsForTheOneBefore) {
  if (!kernel_has(wire::op::recv)) GTEST_SKIP() << witness();
  queue_recv(1, pair.ours.get());
  queue_nop(2, wire::io_link);
  queue_nop(3);
  submit(3);
  ASSERT_EQ(cqes_before_nop(4), (Cqes{done(4)}));
  pair.send("abcd");
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 1, .res = 4, .flags = 0}));
  EXPECT_EQ(wait_cqe(), done(2));
  EXPECT_EQ(wait_cqe(), done(3));
}

// What comes after a failure is cancelled, and what is outside the chain is not.
TEST_F(Links, EndsWithAFailure) {
  if (!kernel_has(wire::op::recv)) GTEST_SKIP() << witness();
  queue_nop(1, wire::io_link);
  queue_recv(2, file.get());
  queue_nop(3, wire::io_link);
  queue_nop(4);
  queue_nop(5);
  submit(5);
  EXPECT_EQ(wait_for_chain(5, 5),
            (Cqes{done(1), failed(2, ENOTSOCK), failed(3, ECANCELED), failed(4, ECANCELED), done(5)}));
}

// A request that is refused takes its whole chain with it: nothing of it has run. All of it counts as
// submitted, and the request after it is submitted too.
TEST_F(Links, DoesNotBeginWithARefusedRequest) {
  if (!kernel_has(wire::op::recv)) GTEST_SKIP() << witness();
  for (const std::uint64_t refused : {1, 2}) {
    for (const std::uint64_t user_data : {1, 2, 3}) {
      user_data == refused ? queue_unknown(user_data) : queue_nop(user_data, wire::io_link);
    }
    queue_nop(4);
    queue_nop(5);
    submit(5);
    EXPECT_EQ(wait_cqes(5), (Cqes{failed(1, refused == 1 ? EINVAL : ECANCELED),
                                  failed(2, refused == 2 ? EINVAL : ECANCELED), failed(3, ECANCELED),
                                  failed(4, ECANCELED), done(5)}))
        << refused;
  }
}

// A READ that meets the end of the file too early is a failure for its chain, although its result is not.
TEST_F(Links, EndsWithAShortRead) {
  if (!kernel_has(wire::op::recv)) GTEST_SKIP() << witness();
  ASSERT_EQ(pwrite(file.get(), "abcd", 4, 0), 4);
  must(ring.read(1, file.get(), received, 0)).flags = wire::io_link;
  queue_nop(2);
  submit(2);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 1, .res = 4, .flags = 0}));
  EXPECT_EQ(wait_cqe(), failed(2, ECANCELED));
}

// So is a RECV that was to wait for all bytes. (SOCK_NONEMPTY, 5.19, counts the end of the stream as
// something to read.)
TEST_F(Links, EndsWithAShortWaitall) {
  if (!kernel_has(wire::op::recv)) GTEST_SKIP() << witness();
  queue_recv(1, pair.ours.get(), MSG_WAITALL);
  queue_nop(2);
  submit(2);
  pair.send("abcd");
  ASSERT_EQ(shutdown(pair.peer.get(), SHUT_WR), 0);
  wire::Cqe short_recv = wait_cqe();
  short_recv.flags &= ~wire::cqe_sock_nonempty;
  EXPECT_EQ(short_recv, (wire::Cqe{.user_data = 1, .res = 4, .flags = 0}));
  EXPECT_EQ(wait_cqe(), failed(2, ECANCELED));
}

// A chain ends with what is submitted at once: the flag on the last request links it to nothing.
TEST_F(Links, EndsWithTheSubmit) {
  if (!kernel_has(wire::op::recv)) GTEST_SKIP() << witness();
  queue_recv(1, pair.ours.get());
  submit(1);
  queue_nop(2);
  submit(1);
  ASSERT_EQ(cqes_before_nop(3), (Cqes{done(2), done(3)}));
  pair.send("abcd");
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 1, .res = 4, .flags = 0}));
}

}  // namespace
