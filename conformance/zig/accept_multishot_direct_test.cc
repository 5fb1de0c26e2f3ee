// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// accept_multishot_direct: one request accepts connection after connection into slots of the kernel's choice.
// When the table is full it ends, and says so by a completion without MORE: a program that does not arm it
// again waits for ever.
//
// Needs multishot accept and a slot of the kernel's choice (5.19).

#include <cerrno>

#include "fixture/sockets.h"

namespace {

using namespace conformance;

constexpr std::size_t slots = 2;

class AcceptMultishotDirect : public SocketTest {
 protected:
  Fd listener = tcp_listener();

  binding::Result<binding::Sqe&> queue(std::uint64_t user_data = 0xaaaaaaaa) {
    return ring.accept_multishot_direct(user_data, listener.get(), nullptr, nullptr, 0);
  }
  wire::Sqe wanted(std::uint64_t user_data = 0xaaaaaaaa) const {
    return {.opcode = wire::op::accept,
            .ioprio = wire::accept_multishot,
            .fd = listener.get(),
            .user_data = user_data,
            .file_index = wire::file_index_alloc};
  }
  // The bit in ioprio is refused by every kernel that does not know it. Each request finds a client waiting,
  // so that one which is carried out as an ordinary accept completes.
  std::string witness(Site site = Site::here()) {
    register_empty_slots(slots, site);
    std::vector<Fd> clients;
    return refused(
        [&] {
          clients.push_back(tcp_client(listener.get(), site));
          return queue();
        },
        wanted(), [] { return ""; },
        Modifier{.name = "multishot and a slot of the kernel's choice", .proxy = wire::op::socket}, site);
  }
};

TEST_P(AcceptMultishotDirect, EndsWhenTheTableIsFull) {
  if (!kernel_has(wire::op::socket)) GTEST_SKIP() << witness();  // of the same release
  register_empty_slots(slots);
  for (int round = 0; round < 2; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    EXPECT_EQ(wire_of(must(queue())), wanted());
    submit(1);
    // Either slot first, then the other.
    std::vector<wire::Cqe> free{{.user_data = 0xaaaaaaaa, .res = 0, .flags = wire::cqe_more},
                                {.user_data = 0xaaaaaaaa, .res = 1, .flags = wire::cqe_more}};
    for (int i = 0; i < 2; ++i) {
      const Fd client = tcp_client(listener.get());
      const wire::Cqe cqe = wait_cqe();
      if (!expect_one_of(Site::here(), "the CQE of the ACCEPT", cqe, free)) return;
      std::erase(free, cqe);
    }

    const Fd client = tcp_client(listener.get());
    EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0xaaaaaaaa, .res = -ENFILE, .flags = 0}));
    empty_slots(slots);
  }
}

// A request that has ended stays ended, also when there is room again: the next client waits until a new one
// is armed, and that one has its own user_data.
TEST_P(AcceptMultishotDirect, AcceptsAgainWhenArmedAgain) {
  if (!kernel_has(wire::op::socket)) GTEST_SKIP() << witness();
  register_empty_slots(1);
  must(queue());
  submit(1);
  const Fd first = tcp_client(listener.get());
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0xaaaaaaaa, .res = 0, .flags = wire::cqe_more}));
  const Fd second = tcp_client(listener.get());
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0xaaaaaaaa, .res = -ENFILE, .flags = 0}));
  empty_slots(1);

  const Fd third = tcp_client(listener.get());
  must(ring.nop(0xcccccccc));
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 0xcccccccc, .res = 0, .flags = 0}));
  EXPECT_EQ(ring.cq_ready(), 0u);

  EXPECT_EQ(wire_of(must(queue(0xabababab))), wanted(0xabababab));
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 0xabababab, .res = 0, .flags = wire::cqe_more}));
  // It is this client that was accepted.
  ASSERT_EQ(send(third.get(), "x", 1, 0), 1);
  std::array<std::byte, 1> received{};
  must(ring.recv(0xbbbbbbbb, 0, received, 0)).flags |= wire::fixed_file;
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 0xbbbbbbbb, .res = 1, .flags = 0}));
  EXPECT_EQ(received[0], std::byte{'x'});
}

INSTANTIATE_TEST_SUITE_P(, AcceptMultishotDirect, testing::Values(1, 8), ring_size_name);

}  // namespace
