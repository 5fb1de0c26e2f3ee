// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// send and receive with registered buffers: SEND and RECV use memory that is pinned already, as READ_FIXED
// and WRITE_FIXED do.
//
// Needs IORING_RECVSEND_FIXED_BUF of SEND and RECV (7.2, io_send_prep() and io_recv_prep() in io_uring/net.c;
// no page has it). Before, the flag is refused.

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "fixture/memory_limit.h"
#include "fixture/sockets.h"

namespace {

using namespace conformance;

class SendRecvFixed : public RingTest<8> {
 protected:
  SocketPair sockets;
  std::array<std::byte, 16> memory{};

  bool kernel_has_it() { return kernel_has(wire::four_queries); }  // 7.2
  wire::Sqe wanted(std::uint8_t opcode, std::size_t offset, std::uint32_t length) const {
    return {.opcode = opcode,
            .ioprio = wire::recvsend_fixed_buf,
            .fd = sockets.ours.get(),
            .addr = wire::address(memory.data() + offset),
            .len = length,
            .user_data = 1};
  }
  // The binding has words for both without the flag; the index of the buffer is 0.
  static void make_fixed(binding::Sqe& sqe) { sqe.ioprio = wire::recvsend_fixed_buf; }
  binding::Result<binding::Sqe&> queue_send(std::size_t offset, std::size_t length) {
    return ring.send(1, sockets.ours.get(), std::span(memory.data() + offset, length), 0).with(make_fixed);
  }
  binding::Result<binding::Sqe&> queue_recv(std::size_t offset, std::size_t length) {
    return ring.recv(1, sockets.ours.get(), std::span(memory.data() + offset, length), 0).with(make_fixed);
  }
  static wire::Cqe done(std::int32_t res) { return {.user_data = 1, .res = res, .flags = 0}; }
  std::string witness() {
    sockets.send("abcde");
    EXPECT_EQ(complete(wanted(wire::op::recv, 0, 5)), done(-EINVAL));
    return refused([&] { return queue_send(0, 10); }, wanted(wire::op::send, 0, 10),
                   [&] {
                     char byte;
                     return ::recv(sockets.peer.get(), &byte, 1, MSG_DONTWAIT) >= 0 ? "bytes arrived" : "";
                   },
                   Modifier{.name = "FIXED_BUF", .proxy = wire::four_queries});
  }
  void register_memory(Site site = Site::here()) {
    const iovec part{memory.data(), memory.size()};
    must(when_there_is_room([&] { return ring.register_buffers({&part, 1}); }), site);
  }
};

TEST_F(SendRecvFixed, MovesBytesOfARegisteredBuffer) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  register_memory();
  std::memcpy(memory.data(), "0123456789abcdef", 16);
  EXPECT_EQ(wire_of(must(queue_send(3, 10))), wanted(wire::op::send, 3, 10));
  EXPECT_EQ(complete(), done(10));
  std::string got(16, '-');
  ASSERT_EQ(read(sockets.peer.get(), got.data(), got.size()), 10);
  EXPECT_EQ(got.substr(0, 10), "3456789abc");

  sockets.send("vwxyz");
  EXPECT_EQ(wire_of(must(queue_recv(11, 5))), wanted(wire::op::recv, 11, 5));
  EXPECT_EQ(without_nonempty(complete()), done(5));
  EXPECT_EQ(std::memcmp(memory.data(), "0123456789avwxyz", 16), 0);
}

TEST_F(SendRecvFixed, KeepsToTheBuffer) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  sockets.send("abcdefghijklmnop");
  for (const std::uint8_t opcode : {wire::op::send, wire::op::recv}) {
    EXPECT_EQ(complete(wanted(opcode, 0, 8)), done(-EFAULT)) << "there is none";
  }
  register_memory();
  for (const std::uint8_t opcode : {wire::op::send, wire::op::recv}) {
    EXPECT_EQ(complete(wanted(opcode, 0, 17)), done(-EFAULT));
    EXPECT_EQ(complete(wanted(opcode, 16, 1)), done(-EFAULT));
    wire::Sqe other = wanted(opcode, 0, 8);
    other.buf_index = 1;
    EXPECT_EQ(complete(other), done(-EFAULT));
  }
  EXPECT_EQ(memory, (std::array<std::byte, 16>{}));
}

// It is another way to say where bytes are, and goes with no other.
TEST_F(SendRecvFixed, GoesWithNoOtherMemory) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  register_memory();
  sockets.send("abcde");
  const wire::Sqe send = wanted(wire::op::send, 0, 5), recv = wanted(wire::op::recv, 0, 5);
  wire::Sqe selected_send = send, selected_recv = recv, bundle_send = send, bundle_recv = recv,
            vectorized = send, multishot = recv;
  selected_send.flags = selected_recv.flags = wire::buffer_select;
  bundle_send.ioprio |= wire::recvsend_bundle;
  bundle_recv.ioprio |= wire::recvsend_bundle;
  vectorized.ioprio |= wire::send_vectorized;
  multishot.ioprio |= wire::recv_multishot;
  for (const wire::Sqe& bad :
       {selected_send, selected_recv, bundle_send, bundle_recv, vectorized, multishot}) {
    EXPECT_EQ(complete(bad), done(-EINVAL)) << wire::to_string(bad);
  }
}

}  // namespace
