// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// socket_direct/socket_direct_alloc/close_direct: sockets that live in slots of the registered table only:
// made there, connected there, closed there. A slot that the program names completes with 0, one that the
// kernel chooses with its number.
//
// Needs SOCKET and a slot of the kernel's choice (5.19), direct close (5.15).

#include <cerrno>

#include "fixture/sockets.h"

namespace {

using namespace conformance;

constexpr std::size_t slots = 3;

class SocketDirectAllocCloseDirect : public SocketTest {
 protected:
  Fd listener = tcp_listener();
  sockaddr_in address = loopback(port_of(listener.get()));

  binding::Result<binding::Sqe&> queue(std::uint32_t slot) {
    return ring.socket_direct(0, AF_INET, SOCK_STREAM, 0, 0, binding::Slot{slot});
  }
  binding::Result<binding::Sqe&> queue_alloc() {
    return ring.socket_direct_alloc(0, AF_INET, SOCK_STREAM, 0, 0);
  }
  static wire::Sqe wanted(std::uint32_t file_index) {
    return {.opcode = wire::op::socket, .fd = AF_INET, .off = SOCK_STREAM, .file_index = file_index};
  }
  std::string witness(Site site = Site::here()) {
    // What the kernel cannot be asked for without the row is judged by its bytes.
    expect_encoding(queue(0), wanted(1), site);
    expect_encoding(ring.close_direct(0xcccccccc, binding::Slot{1}),
                    {.opcode = wire::op::close, .user_data = 0xcccccccc, .file_index = 2}, site);
    return refused([&] { return queue_alloc(); }, wanted(wire::file_index_alloc), [] { return ""; },
                   std::nullopt, site);
  }
  binding::Sqe& queue_connect(std::int32_t slot, Site site = Site::here()) {
    binding::Sqe& sqe = must(ring.connect(0xbbbbbbbb, slot, generic(address), sizeof address), site);
    sqe.flags |= wire::fixed_file;
    return sqe;
  }
  wire::Cqe close_slot(std::uint32_t slot, Site site = Site::here()) {
    EXPECT_EQ_AT(site, wire_of(must(ring.close_direct(0xcccccccc, binding::Slot{slot}), site)),
                 (wire::Sqe{.opcode = wire::op::close, .user_data = 0xcccccccc, .file_index = slot + 1}));
    return complete(site);
  }
};

TEST_P(SocketDirectAllocCloseDirect, LivesInTheTable) {
  if (!kernel_has(wire::op::socket)) GTEST_SKIP() << witness();
  register_empty_slots(slots);
  EXPECT_EQ(wire_of(must(queue(0))), wanted(1));
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 0, .res = 0, .flags = 0}));
  EXPECT_EQ(wire_of(must(queue(1))), wanted(2));
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 0, .res = 0, .flags = 0}));
  EXPECT_EQ(wire_of(must(queue_alloc())), wanted(wire::file_index_alloc));
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 0, .res = 2, .flags = 0})) << "the only free slot";

  for (std::int32_t slot = 0; slot < 3; ++slot) {
    SCOPED_TRACE("slot " + std::to_string(slot));
    EXPECT_EQ(wire_of(must(ring.accept(0xaaaaaaaa, listener.get(), nullptr, nullptr, 0))),
              (wire::Sqe{.opcode = wire::op::accept, .fd = listener.get(), .user_data = 0xaaaaaaaa}));
    EXPECT_EQ(wire_of(queue_connect(slot)), (wire::Sqe{.opcode = wire::op::connect,
                                                       .flags = wire::fixed_file,
                                                       .fd = slot,
                                                       .off = sizeof address,
                                                       .addr = wire::address(&address),
                                                       .user_data = 0xbbbbbbbb}));
    submit(2);
    wire::Cqe connected = wait_cqe(), accepted = wait_cqe();
    if (connected.user_data == 0xaaaaaaaa) std::swap(connected, accepted);
    EXPECT_EQ(connected, (wire::Cqe{.user_data = 0xbbbbbbbb, .res = 0, .flags = 0}));
    const Fd server = accepted_socket(accepted, {.user_data = 0xaaaaaaaa}, listener.get());

    EXPECT_EQ(close_slot(static_cast<std::uint32_t>(slot)),
              (wire::Cqe{.user_data = 0xcccccccc, .res = 0, .flags = 0}));
    // The slot held the only reference: the peer reads the end.
    char byte = '?';
    EXPECT_EQ(recv(server.get(), &byte, 1, 0), 0);
  }
}

// The slot that is closed is the one that was named: it is empty then, cannot be closed twice, and the kernel
// chooses it next. Its neighbour stays.
TEST_P(SocketDirectAllocCloseDirect, ClosesTheSlotThatItNames) {
  if (!kernel_has(wire::op::socket)) GTEST_SKIP() << witness();
  register_empty_slots(slots);
  for (std::uint32_t slot = 0; slot < 3; ++slot) {
    must(queue(slot));
    EXPECT_EQ(complete(), (wire::Cqe{.user_data = 0, .res = 0, .flags = 0}));
  }
  EXPECT_EQ(close_slot(1), (wire::Cqe{.user_data = 0xcccccccc, .res = 0, .flags = 0}));
  queue_connect(1);
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 0xbbbbbbbb, .res = -EBADF, .flags = 0}));
  EXPECT_EQ(close_slot(1), (wire::Cqe{.user_data = 0xcccccccc, .res = -EBADF, .flags = 0}));
  for (const std::int32_t slot : {0, 2}) {
    queue_connect(slot);
    EXPECT_EQ(complete(), (wire::Cqe{.user_data = 0xbbbbbbbb, .res = 0, .flags = 0}));
  }
  must(queue_alloc());
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 0, .res = 1, .flags = 0}));
}

// The two ways in which a slot cannot be had.
TEST_P(SocketDirectAllocCloseDirect, ReportsASlotThatCannotBeHad) {
  if (!kernel_has(wire::op::socket)) GTEST_SKIP() << witness();
  register_empty_slots(1);
  must(queue(1));
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 0, .res = -EINVAL, .flags = 0})) << "beyond the table";
  must(queue_alloc());
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 0, .res = 0, .flags = 0}));
  must(queue_alloc());
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 0, .res = -ENFILE, .flags = 0})) << "no slot is free";
}

INSTANTIATE_TEST_SUITE_P(, SocketDirectAllocCloseDirect, testing::Values(2, 8), ring_size_name);

}  // namespace
