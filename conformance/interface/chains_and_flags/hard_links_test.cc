// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// hard links: requests that run one after the other, whatever the result of the one before. For what has to
// be done in any case, such as closing.
//
// Needs IOSQE_IO_HARDLINK (5.5, io_uring_enter(2)) and RECV (5.6), which fails when it is issued and not
// before on every kernel.

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "fixture/sockets.h"

namespace {

using namespace conformance;

class HardLinks : public RingTest<8> {
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
  // On the file it fails when it is issued; on the socket it waits.
  void queue_recv(std::uint64_t user_data, int fd, std::uint8_t flags, Site site = Site::here()) {
    binding::Sqe& sqe = must(ring.recv(user_data, fd, received, 0), site);
    sqe.flags = flags;
    expect_equal(site, "the RECV", wire_of(sqe), wanted_recv(user_data, fd, flags));
  }
  wire::Sqe wanted_recv(std::uint64_t user_data, int fd, std::uint8_t flags) const {
    return {.opcode = wire::op::recv,
            .flags = flags,
            .fd = fd,
            .addr = wire::address(received.data()),
            .len = 8,
            .user_data = user_data};
  }
  std::string witness() {
    return refused([&] { return ring.recv(1, pair.ours.get(), received, 0); },
                   wanted_recv(1, pair.ours.get(), 0), [] { return ""; });
  }
  // Within a chain the order is guaranteed.
  void expect_in_order(const Cqes& wanted, Site site = Site::here()) {
    for (const wire::Cqe& cqe : wanted) expect_equal(site, "the next CQE", wait_cqe(site), cqe);
  }
  static wire::Cqe done(std::uint64_t user_data) { return {.user_data = user_data, .res = 0, .flags = 0}; }
  static wire::Cqe failed(std::uint64_t user_data, int error) {
    return {.user_data = user_data, .res = -error, .flags = 0};
  }
};

TEST_F(HardLinks, ContinuesAfterAFailure) {
  if (!kernel_has(wire::op::recv)) GTEST_SKIP() << witness();
  queue_nop(1, wire::io_hardlink);
  queue_recv(2, file.get(), wire::io_hardlink);
  queue_nop(3, wire::io_hardlink);
  queue_nop(4);
  submit(4);
  expect_in_order({done(1), failed(2, ENOTSOCK), done(3), done(4)});
}

// It is a link all the same: what comes after a request that waits, waits too.
TEST_F(HardLinks, WaitsForTheOneBefore) {
  if (!kernel_has(wire::op::recv)) GTEST_SKIP() << witness();
  queue_recv(1, pair.ours.get(), wire::io_hardlink);
  queue_nop(2);
  submit(2);
  ASSERT_EQ(cqes_before_nop(3), (Cqes{done(3)}));
  pair.send("abcd");
  expect_in_order({{.user_data = 1, .res = 4, .flags = 0}, done(2)});
}

// A short READ, which ends a chain of ordinary links, does not matter either.
TEST_F(HardLinks, ContinuesAfterAShortRead) {
  if (!kernel_has(wire::op::recv)) GTEST_SKIP() << witness();
  ASSERT_EQ(pwrite(file.get(), "abcd", 4, 0), 4);
  must(ring.read(1, file.get(), received, 0)).flags = wire::io_hardlink;
  queue_nop(2);
  submit(2);
  expect_in_order({{.user_data = 1, .res = 4, .flags = 0}, done(2)});
}

// In a chain of both kinds each link is judged by the request that has it.
TEST_F(HardLinks, EndsAtAnOrdinaryLink) {
  if (!kernel_has(wire::op::recv)) GTEST_SKIP() << witness();
  queue_recv(1, file.get(), wire::io_hardlink);
  queue_recv(2, file.get(), wire::io_link);
  queue_nop(3);
  submit(3);
  expect_in_order({failed(1, ENOTSOCK), failed(2, ENOTSOCK), failed(3, ECANCELED)});
}

// A request that is refused before anything is issued takes the whole chain with it, as with ordinary links.
TEST_F(HardLinks, DoesNotBeginWithARefusedRequest) {
  if (!kernel_has(wire::op::recv)) GTEST_SKIP() << witness();
  const wire::Sqe unknown{.opcode = wire::op::nobody, .flags = wire::io_hardlink, .user_data = 2};
  queue_nop(1, wire::io_hardlink);
  must(ring.nop(0)) = std::bit_cast<binding::Sqe>(unknown);
  queue_nop(3);
  submit(3);
  EXPECT_EQ(wait_cqes(3), (Cqes{failed(1, ECANCELED), failed(2, EINVAL), failed(3, ECANCELED)}));
}

}  // namespace
