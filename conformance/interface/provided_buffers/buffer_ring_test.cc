// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// buffer ring: memory that a group of buffers is handed to the kernel through, without a request for each. A
// read takes the next one when it has something to put into it, and its CQE says which.
//
// Needs IORING_REGISTER_PBUF_RING (5.19, io_uring_register(2)). IORING_REGISTER_PBUF_STATUS is of 6.8.

#include <fcntl.h>
#include <sys/uio.h>

#include <cerrno>

#include "fixture/buffer_rings.h"
#include "fixture/files.h"
#include "fixture/ring_test.h"
#include "seam/kernel_abi.h"

namespace {

using namespace conformance;

class BufferRing : public RingTest<8> {
 protected:
  static constexpr std::uint16_t group_id = 1;
  static constexpr std::uint32_t count = 8, size = 16;

  std::array<std::byte, count * size> memory{};
  binding::BufferGroup group;
  Fd zero = open_file("/dev/zero", O_RDONLY);

  bool kernel_has_buffer_rings() const { return kernel_has(wire::op::socket); }      // 5.19
  bool kernel_has_status() const { return kernel_has(wire::op::fixed_fd_install); }  // 6.8
  binding::Result<void> try_to_open() {
    return group.init(ring, group_id, memory, size, binding::Consumption::whole);
  }
  std::string witness() {
    const auto attempt = [&] {
      const binding::Result<void> opened = try_to_open();
      group.close();
      return binding::errno_of(opened.error());
    };
    return registration_refused("REGISTER_PBUF_RING", attempt, wire::op::socket);
  }
  void open_group(Site site = Site::here()) {
    const binding::Result<void> opened = try_to_open();
    if (!opened.ok()) stop(site, "no group of buffers: " + testing::PrintToString(opened));
  }
  static wire::Cqe took(std::uint32_t id, std::int32_t bytes = size) {
    return {.user_data = 1, .res = bytes, .flags = wire::cqe_buffer | id << 16};
  }
  static constexpr wire::Cqe no_buffers{.user_data = 1, .res = -ENOBUFS, .flags = 0};
  wire::Cqe read(Site site = Site::here()) {
    EXPECT_EQ_AT(site, wire_of(must(ring.read_select(1, zero.get(), group_id, size, 0), site)),
                 (wire::Sqe{.opcode = wire::op::read,
                            .flags = wire::buffer_select,
                            .fd = zero.get(),
                            .len = size,
                            .user_data = 1,
                            .buf_index = group_id}));
    return complete(site);
  }
};

TEST_F(BufferRing, HandsOutItsBuffers) {
  if (!kernel_has_buffer_rings()) GTEST_SKIP() << witness();
  open_group();
  memory.fill(std::byte{1});
  EXPECT_EQ(read(), took(0));
  std::array<std::byte, count * size> want{};
  std::fill(want.begin() + size, want.end(), std::byte{1});
  EXPECT_EQ(memory, want);
  EXPECT_EQ(read(), took(1));
  for (std::uint32_t id = 2; id < count; ++id) EXPECT_EQ(read(), took(id));
  EXPECT_EQ(read(), no_buffers);
}

// How many it has handed out.
TEST_F(BufferRing, SaysHowFarItIs) {
  if (!kernel_has_status()) {
    GTEST_SKIP() << registration_refused(
        "REGISTER_PBUF_STATUS", [&] { return binding::errno_of(ring.buf_ring_head(group_id).error()); },
        wire::op::fixed_fd_install);
  }
  open_group();
  EXPECT_EQ(must(ring.buf_ring_head(group_id)), 0u);
  EXPECT_EQ(read(), took(0));
  EXPECT_EQ(must(ring.buf_ring_head(group_id)), 1u);
  group.close();
  EXPECT_EQ(binding::errno_of(ring.buf_ring_head(group_id).error()), ENOENT);
}

// Each request that takes a buffer. The iovec of READV and RECVMSG says how much of it to use.
TEST_F(BufferRing, ServesEachKindOfRead) {
  if (!kernel_has_buffer_rings()) GTEST_SKIP() << witness();
  open_group();
  const SocketPair sockets;
  sockets.send("abcdefghijklm");
  EXPECT_EQ(read(), took(0));
  must(ring.recv_select(1, sockets.ours.get(), group_id, 5, 0));
  EXPECT_EQ(without_nonempty(complete()), took(1, 5));
  const iovec three{nullptr, 3};
  EXPECT_EQ(complete({.opcode = wire::op::readv,
                      .flags = wire::buffer_select,
                      .fd = sockets.ours.get(),
                      .addr = wire::address(&three),
                      .len = 1,
                      .user_data = 1,
                      .buf_index = group_id}),
            took(2, 3));
  iovec four{nullptr, 4};
  const msghdr message{.msg_name = nullptr,
                       .msg_namelen = 0,
                       .msg_iov = &four,
                       .msg_iovlen = 1,
                       .msg_control = nullptr,
                       .msg_controllen = 0,
                       .msg_flags = 0};
  EXPECT_EQ(without_nonempty(complete({.opcode = wire::op::recvmsg,
                                       .flags = wire::buffer_select,
                                       .fd = sockets.ours.get(),
                                       .addr = wire::address(&message),
                                       .len = 1,
                                       .user_data = 1,
                                       .buf_index = group_id})),
            took(3, 4));
  std::string got;
  for (const std::size_t id : {1u, 2u, 3u}) got += reinterpret_cast<const char*>(&memory[id * size]);
  EXPECT_EQ(got, "abcdefghijkl");
}

// The positions go on and on, and a mask finds the entry. (65536 of them, where the 16 bits of the tail end,
// would take too long.)
TEST_F(BufferRing, GoesAround) {
  if (!kernel_has_buffer_rings()) GTEST_SKIP() << witness();
  open_group();
  for (std::uint32_t i = 0; i < 3 * count; ++i) {
    const wire::Cqe cqe = read();
    EXPECT_EQ(cqe, took(i % count));
    must(group.put(std::bit_cast<binding::Cqe>(cqe)));
  }
}

// Afterwards there is no such group, until it is made again.
TEST_F(BufferRing, IsUnregistered) {
  if (!kernel_has_buffer_rings()) GTEST_SKIP() << witness();
  open_group();
  EXPECT_EQ(read(), took(0));
  group.close();
  EXPECT_EQ(read(), no_buffers);
  open_group();
  EXPECT_EQ(read(), took(0));
}

class BufferRingAtRefusals : public BufferRing {
 protected:
  alignas(4096) std::array<std::byte, 4096> entries{};

  wire::BufReg good() const { return {wire::address(entries.data()), 8, group_id, 0, 0, {}}; }
  long do_register_ring(const wire::BufReg& request) const {
    return do_register(wire::register_op::pbuf_ring, &request, 1);
  }
  long unregister(std::uint16_t id) const {
    const wire::BufReg request{0, 0, id, 0, 0, {}};
    return do_register(wire::register_op::unregister_pbuf_ring, &request, 1);
  }
  long ask_status(std::uint16_t id) const {
    const wire::BufStatus status{id, 0, {}};
    return do_register(wire::register_op::pbuf_status, &status, 1);
  }
  // Makes a group in the old way, with PROVIDE_BUFFERS, of one buffer.
  wire::Cqe provide(std::uint16_t id, Site site = Site::here()) {
    must(ring.provide_buffers(1, memory.data(), size, 1, id, 0), site);
    return complete(site);
  }
};

TEST_F(BufferRingAtRefusals, OfTheRegistration) {
  if (!kernel_has_buffer_rings()) GTEST_SKIP() << witness();
  for (const std::uint32_t number : {0u, 3u, 65536u}) {
    wire::BufReg bad = good();
    bad.ring_entries = number;
    EXPECT_EQ(do_register_ring(bad), -EINVAL) << number;
  }
  wire::BufReg unaligned = good(), unknown = good(), resv = good(), null = good();
  unaligned.ring_addr += 64;
  unknown.flags = 0x8000;
  resv.resv[4] = 1;
  null.ring_addr = 0;
  EXPECT_EQ(do_register_ring(unaligned), -EINVAL);
  EXPECT_EQ(do_register_ring(unknown), -EINVAL);
  EXPECT_EQ(do_register_ring(resv), -EINVAL);
  EXPECT_EQ(do_register_ring(null), -EFAULT);
  // None of them made a group.
  EXPECT_EQ(do_register_ring(good()), 0);
  EXPECT_EQ(do_register_ring(good()), -EEXIST);
  EXPECT_EQ(unregister(group_id), 0);
}

// A ring has at most 32768 entries.
TEST_F(BufferRingAtRefusals, OfMoreThanTheLimit) {
  if (!kernel_has_buffer_rings()) GTEST_SKIP() << witness();
  constexpr std::uint32_t most = 32768, bytes_each = 16;
  const std::vector<std::byte> memory(std::size_t{most} * bytes_each + 4096);
  wire::BufReg request = good();
  request.ring_addr = (wire::address(memory.data()) + 4095) & ~std::uint64_t{4095};
  request.ring_entries = most;
  EXPECT_EQ(do_register_ring(request), 0);
  EXPECT_EQ(unregister(group_id), 0);
}

// A group is one or the other: a ring, or buffers provided one by one.
TEST_F(BufferRingAtRefusals, OfMixedGroups) {
  if (!kernel_has_buffer_rings()) GTEST_SKIP() << witness();
  constexpr std::uint16_t classic = 2;
  EXPECT_EQ(provide(classic), (wire::Cqe{.user_data = 1, .res = 0, .flags = 0}));
  wire::BufReg over = good();
  over.bgid = classic;
  EXPECT_EQ(do_register_ring(over), -EEXIST);
  EXPECT_EQ(unregister(classic), -EINVAL);
  open_group();
  EXPECT_EQ(provide(group_id), (wire::Cqe{.user_data = 1, .res = -EINVAL, .flags = 0}));
  if (kernel_has_status()) {
    EXPECT_EQ(ask_status(classic), -EINVAL);
  }
  // They are alike in what they give, and when they have nothing to give.
  must(ring.read_select(1, zero.get(), classic, size, 0));
  EXPECT_EQ(complete(), took(0));
  must(ring.read_select(1, zero.get(), classic, size, 0));
  EXPECT_EQ(complete(), no_buffers);
}

// Group 100, because kernels before 6.9 keep a table of the first 64, and answer EINVAL for each of these.
TEST_F(BufferRingAtRefusals, OfUnknownGroups) {
  if (!kernel_has_buffer_rings()) GTEST_SKIP() << witness();
  EXPECT_EQ(unregister(100), -ENOENT);
  if (kernel_has_status()) {
    EXPECT_EQ(ask_status(100), -ENOENT);
  }
  EXPECT_EQ(read(), no_buffers);
}

}  // namespace
