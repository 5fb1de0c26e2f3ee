// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// buffers used up bit by bit: what one receive leaves of a buffer is for the next, so that few large buffers
// do for many small messages. BUF_MORE in a CQE says that its buffer is not finished.
//
// Needs IOU_PBUF_RING_INC (6.12, io_uring_register(2)). Before, the flag is unknown.

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "fixture/buffer_rings.h"
#include "seam/kernel_abi.h"

namespace {

using namespace conformance;

class BufferRingIncremental : public RingTest<8> {
 protected:
  static constexpr std::uint16_t group_id = 1;
  static constexpr std::uint32_t size = 64;

  std::array<std::byte, 2 * size> memory{};
  binding::BufferGroup group;
  SocketPair sockets;

  // A feature of the same release.
  bool kernel_has_it() const { return kernel_has(wire::feature::min_timeout); }
  std::string witness() {
    alignas(4096) static std::array<std::byte, 4096> entries;
    const wire::BufReg request{wire::address(entries.data()), 2, group_id, wire::pbuf_ring_inc, 0, {}};
    return registration_refused(
        "PBUF_RING with INC",
        [&] { return static_cast<int>(-do_register(wire::register_op::pbuf_ring, &request, 1)); },
        wire::feature::min_timeout);
  }
  void open_group(std::uint32_t buffers = 2, Site site = Site::here()) {
    const auto opened = group.init(ring, group_id, std::span(memory).first(std::size_t{buffers} * size), size,
                                   binding::Consumption::incremental);
    if (!opened.ok()) stop(site, "no group of buffers: " + testing::PrintToString(opened));
    EXPECT_EQ_AT(site, group.consumption(), binding::Consumption::incremental);
  }
  // A worker lets go of the ring's lock while it receives, and so has to take for itself as much of a buffer
  // as it asked for (io_ring_buffer_select in the kernel's io_uring/kbuf.c).
  static bool takes_all_of_it() { return configuration().begins_later(); }
  static wire::Cqe took(std::uint32_t id, std::int32_t bytes, std::uint32_t flags = 0) {
    return {.user_data = 1, .res = bytes, .flags = wire::cqe_buffer | id << 16 | flags};
  }
  wire::Cqe receive(Site site = Site::here()) {
    must(ring.recv_select(1, sockets.ours.get(), group_id, 0, 0), site);
    return without_nonempty(complete(site));
  }
  // Where in the memory the bytes of this CQE are, for the binding. It gives them back, too.
  std::ptrdiff_t place_of(const wire::Cqe& cqe, Site site = Site::here()) {
    const auto bytes = must(group.get(std::bit_cast<binding::Cqe>(cqe)), site);
    must(group.put(std::bit_cast<binding::Cqe>(cqe)), site);
    return bytes.data() - memory.data();
  }
  std::string text(std::size_t from, std::size_t length) const {
    return {reinterpret_cast<const char*>(&memory[from]), length};
  }
};

TEST_F(BufferRingIncremental, ContinuesInABuffer) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  open_group();
  sockets.send(std::string(40, 'a'));
  if (takes_all_of_it()) {
    EXPECT_EQ(receive(), took(0, 40));
    return;
  }
  wire::Cqe cqe = receive();
  ASSERT_EQ(cqe, took(0, 40, wire::cqe_buf_more));
  EXPECT_EQ(place_of(cqe), 0);

  sockets.send(std::string(40, 'b'));
  cqe = receive();
  EXPECT_EQ(cqe, took(0, 24));  // what is left of it
  EXPECT_EQ(place_of(cqe), 40);

  cqe = receive();
  EXPECT_EQ(cqe, took(1, 16, wire::cqe_buf_more));
  EXPECT_EQ(place_of(cqe), size);
  EXPECT_EQ(text(0, size + 16), std::string(40, 'a') + std::string(40, 'b'));
}

TEST_F(BufferRingIncremental, CarriesAMultishotReceive) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  open_group(1);
  must(ring.recv_multishot(1, sockets.ours.get(), group_id, 0));
  submit(1);
  sockets.send(std::string(40, 'a'));
  ASSERT_EQ(without_nonempty(wait_cqe()), took(0, 40, wire::cqe_buf_more | wire::cqe_more));
  sockets.send(std::string(40, 'b'));
  ASSERT_EQ(without_nonempty(wait_cqe()), took(0, 24, wire::cqe_more));
  EXPECT_EQ(without_nonempty(wait_cqe()), (wire::Cqe{.user_data = 1, .res = -ENOBUFS, .flags = 0}));
  EXPECT_EQ(text(0, size), std::string(40, 'a') + std::string(24, 'b'));
}

// The same with a file, which never waits.
TEST_F(BufferRingIncremental, ServesReadsOfAFile) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const TempDir dir;
  const Fd file = dir.create("file", O_RDWR);
  ASSERT_EQ(write(file.get(), "0123456789abcdefghij", 20), 20);
  open_group();
  must(ring.read_select(1, file.get(), group_id, 10, 0));
  EXPECT_EQ(complete(), took(0, 10, wire::cqe_buf_more));
  must(ring.read_select(1, file.get(), group_id, 10, 10));
  EXPECT_EQ(complete(), took(0, 10, wire::cqe_buf_more));
  EXPECT_EQ(text(0, 20), "0123456789abcdefghij");
}

// A buffer counts as handed out when it is finished.
TEST_F(BufferRingIncremental, CountsFinishedBuffers) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  open_group();
  sockets.send(std::string(40, 'a'));
  if (takes_all_of_it()) {
    EXPECT_EQ(receive(), took(0, 40));
    EXPECT_EQ(must(ring.buf_ring_head(group_id)), 1u);
    return;
  }
  EXPECT_EQ(receive(), took(0, 40, wire::cqe_buf_more));
  EXPECT_EQ(must(ring.buf_ring_head(group_id)), 0u);
  sockets.send(std::string(40, 'b'));
  EXPECT_EQ(receive(), took(0, 24));
  EXPECT_EQ(must(ring.buf_ring_head(group_id)), 1u);
}

// min_left (7.1; a reserved word before) says how little of a buffer is worth a receive: it means nothing
// without INC.
TEST_F(BufferRingIncremental, IsNeededForALeastRest) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  alignas(4096) static std::array<std::byte, 4096> entries;
  const wire::BufReg request{wire::address(entries.data()), 2, group_id, 0, 1, {}};
  EXPECT_EQ(do_register(wire::register_op::pbuf_ring, &request, 1), -EINVAL);
}

}  // namespace
