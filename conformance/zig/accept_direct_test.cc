// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// accept_direct: connections that never become descriptors of the process. They go into a slot of the
// registered table, of the kernel's choice, until none is free.
//
// Needs a slot of the kernel's choice (5.19). 5.15 to 5.18 take the all-ones value for a slot out of range:
// they accept the connection, find no place for it and close it, with EINVAL (seen on Debian's 5.10.262,
// whose io_uring is 5.15's). Older kernels do not read the field and return an ordinary descriptor.

#include <algorithm>
#include <cerrno>

#include "fixture/sockets.h"

namespace {

using namespace conformance;

constexpr binding::Slot any_slot{wire::file_index_alloc};
constexpr std::size_t slots = 2;

class AcceptDirect : public SocketTest {
 protected:
  Fd listener = tcp_listener();

  binding::Result<binding::Sqe&> queue(binding::Slot slot = any_slot) {
    return ring.accept_direct(0xaaaaaaaa, listener.get(), nullptr, nullptr, 0, slot);
  }
  wire::Sqe wanted(std::uint32_t file_index = wire::file_index_alloc) const {
    return {
        .opcode = wire::op::accept, .fd = listener.get(), .user_data = 0xaaaaaaaa, .file_index = file_index};
  }
  // With a table, so that a kernel which has slots but does not choose refuses the slot. Each request brings
  // a client: these kernels refuse only when they have accepted one, and one that ignores the slot completes.
  std::string witness(Site site = Site::here()) {
    register_empty_slots(slots, site);
    std::vector<Fd> clients;
    return refused(
        [&] {
          clients.push_back(tcp_client(listener.get(), site));
          return queue();
        },
        wanted(), [] { return ""; },
        Modifier{.name = "a slot of the kernel's choice", .proxy = wire::op::socket, .in_file_index = true},
        site);
  }
  // Receives up to 16 bytes from the socket in `slot`.
  wire::Cqe receive(std::int32_t slot, std::span<unsigned char> buffer, Site site = Site::here()) {
    binding::Sqe& recv = must(ring.recv(0xbbbbbbbb, slot, std::as_writable_bytes(buffer), 0), site);
    recv.flags |= wire::fixed_file;
    EXPECT_EQ_AT(site, wire_of(recv),
                 (wire::Sqe{.opcode = wire::op::recv,
                            .flags = wire::fixed_file,
                            .fd = slot,
                            .addr = wire::address(buffer.data()),
                            .len = static_cast<std::uint32_t>(buffer.size()),
                            .user_data = 0xbbbbbbbb}));
    return complete(site);
  }
};

TEST_P(AcceptDirect, FillsTheTable) {
  if (!kernel_has(wire::op::socket)) GTEST_SKIP() << witness();  // of the same release
  register_empty_slots(slots);
  const std::array<unsigned char, 15> data{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
  for (int round = 0; round < 2; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    // Either slot first, then the other.
    std::vector<wire::Cqe> free{{.user_data = 0xaaaaaaaa, .res = 0}, {.user_data = 0xaaaaaaaa, .res = 1}};
    for (const std::int32_t bytes : {15, 14}) {
      EXPECT_EQ(wire_of(must(queue())), wanted());
      submit(1);
      const Fd client = tcp_client(listener.get());
      const wire::Cqe accepted = wait_cqe();
      if (!expect_one_of(Site::here(), "the CQE of the ACCEPT", accepted, free)) return;
      std::erase(free, accepted);

      ASSERT_EQ(send(client.get(), data.data(), static_cast<std::size_t>(bytes), 0), bytes);
      std::array<unsigned char, 16> received{}, want{};
      std::copy_n(data.begin(), bytes, want.begin());
      EXPECT_EQ(receive(accepted.res, received),
                (wire::Cqe{.user_data = 0xbbbbbbbb, .res = bytes, .flags = 0}));
      EXPECT_EQ(received, want);
    }
    // The table is full.
    EXPECT_EQ(wire_of(must(queue())), wanted());
    submit(1);
    const Fd client = tcp_client(listener.get());
    EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0xaaaaaaaa, .res = -ENFILE, .flags = 0}));
    empty_slots(slots);
  }
}

// A slot that the program chose is written as slot + 1 and reported as 0. It is this one that is filled, and
// no other.
TEST_P(AcceptDirect, FillsTheSlotThatWasChosen) {
  if (!kernel_has(wire::op::socket)) GTEST_SKIP() << witness();
  register_empty_slots(slots);
  const Fd client = tcp_client(listener.get());
  EXPECT_EQ(wire_of(must(queue(binding::Slot{1}))), wanted(2));
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 0xaaaaaaaa, .res = 0, .flags = 0}));

  std::array<unsigned char, 1> received{};
  ASSERT_EQ(send(client.get(), "x", 1, 0), 1);
  EXPECT_EQ(receive(0, received), (wire::Cqe{.user_data = 0xbbbbbbbb, .res = -EBADF, .flags = 0}));
  EXPECT_EQ(receive(1, received), (wire::Cqe{.user_data = 0xbbbbbbbb, .res = 1, .flags = 0}));
  EXPECT_EQ(received[0], 'x');
}

// Emptying the table closes the connections: nothing else holds them.
TEST_P(AcceptDirect, ClosesWhatTheTableLetsGo) {
  if (!kernel_has(wire::op::socket)) GTEST_SKIP() << witness();
  register_empty_slots(slots);
  const Fd client = tcp_client(listener.get());
  must(queue());
  const wire::Cqe accepted = complete();
  ASSERT_GE(accepted.res, 0) << wire::to_string(accepted);
  empty_slots(slots);
  char byte = '?';
  EXPECT_EQ(recv(client.get(), &byte, 1, 0), 0) << "the end of the stream";
}

INSTANTIATE_TEST_SUITE_P(, AcceptDirect, testing::Values(1, 8), ring_size_name);

}  // namespace
