// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// least rest of an incremental buffer: if less than this is left of a buffer, it is finished. So the next
// receive does not get a few bytes in which nothing fits.
//
// Needs min_left in struct io_uring_buf_reg (7.1, io_uring_register_buf_ring(3)). Before, the word is
// reserved and must be 0; stable releases took it over, so it is asked for by itself.

#include <array>
#include <atomic>
#include <cerrno>

#include "fixture/ring_test.h"
#include "fixture/sockets.h"
#include "seam/kernel_abi.h"

namespace {

using namespace conformance;

class BufferRingMinLeft : public RingTest<8> {
 protected:
  static constexpr std::uint16_t group_id = 1;
  static constexpr std::uint32_t size = 64;

  SocketPair sockets;
  std::array<char, 2 * size> memory{};

  // Two buffers, of which `least` is not too little. A kernel that refuses that returns -EINVAL.
  long register_group(std::uint32_t least) const {
    alignas(4096) static std::array<wire::Buf, 4096 / sizeof(wire::Buf)> entries;
    const wire::BufReg request{.ring_addr = wire::address(entries.data()),
                               .ring_entries = 2,
                               .bgid = group_id,
                               .flags = wire::pbuf_ring_inc,
                               .min_left = least,
                               .resv = {}};
    for (std::uint16_t id = 0; id < 2; ++id) {
      entries[id].addr = wire::address(&memory[std::size_t{id} * size]);
      entries[id].len = size;
      entries[id].bid = id;
    }
    std::atomic_ref(entries[0].tail).store(2, std::memory_order_release);
    return do_register(wire::register_op::pbuf_ring, &request, 1);
  }
  long unregister_group() const {
    const wire::BufReg request{
        .ring_addr = 0, .ring_entries = 0, .bgid = group_id, .flags = 0, .min_left = 0, .resv = {}};
    return do_register(wire::register_op::unregister_pbuf_ring, &request, 1);
  }
  bool kernel_has_it() const { return register_group(32) == 0 && unregister_group() == 0; }
  std::string witness() {
    return registration_refused(
        "PBUF_RING with min_left", [&] { return static_cast<int>(-register_group(32)); },
        wire::immediate_timeout);
  }
  static wire::Cqe took(std::uint32_t id, std::int32_t bytes, std::uint32_t flags) {
    return {.user_data = 1, .res = bytes, .flags = wire::cqe_buffer | id << 16 | flags};
  }
  wire::Cqe receive(Site site = Site::here()) {
    must(ring.recv_select(1, sockets.ours.get(), group_id, 0, 0), site);
    return without_nonempty(complete(site));
  }
  std::string text(std::size_t from, std::size_t length) const { return {&memory[from], length}; }
};

// 24 bytes are left after 40, which is less than 32.
TEST_F(BufferRingMinLeft, EndsABufferWithTooLittleLeft) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  ASSERT_EQ(register_group(32), 0);
  sockets.send(std::string(40, 'a'));
  EXPECT_EQ(receive(), took(0, 40, 0));
  sockets.send(std::string(40, 'b'));
  EXPECT_EQ(receive(), took(1, 40, 0));
  EXPECT_EQ(text(0, 64), std::string(40, 'a') + std::string(24, '\0'));
  EXPECT_EQ(text(64, 40), std::string(40, 'b'));
  sockets.send("c");
  EXPECT_EQ(receive(), (wire::Cqe{.user_data = 1, .res = -ENOBUFS, .flags = 0}));
}

// And not less than 24.
TEST_F(BufferRingMinLeft, ContinuesABufferWithEnoughLeft) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  ASSERT_EQ(register_group(24), 0);
  sockets.send(std::string(40, 'a'));
  if (configuration().begins_later()) {  // a worker takes all of it: see buffer_ring_incremental
    EXPECT_EQ(receive(), took(0, 40, 0));
    return;
  }
  EXPECT_EQ(receive(), took(0, 40, wire::cqe_buf_more));
  sockets.send(std::string(40, 'b'));
  EXPECT_EQ(receive(), took(0, 24, 0));
  EXPECT_EQ(text(0, 64), std::string(40, 'a') + std::string(24, 'b'));
  EXPECT_EQ(receive(), took(1, 16, wire::cqe_buf_more));
}

}  // namespace
