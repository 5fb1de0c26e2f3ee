// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// buffer ring in the kernel's memory: with IOU_PBUF_RING_MMAP the kernel makes the ring of buffers, and the
// program maps it like the other rings.
//
// Needs IOU_PBUF_RING_MMAP (6.4, io_uring_register_buf_ring(3)). Before, an unknown flag is refused. Nothing
// that a kernel can be asked for is as young; REG_REG_RING is of 6.3.

#include <sys/mman.h>

#include <atomic>
#include <cerrno>

#include "fixture/sockets.h"
#include "seam/kernel_abi.h"

namespace {

using namespace conformance;

class BufferRingMmap : public RingTest<8> {
 protected:
  static constexpr std::uint16_t group = 3, id = 42;
  static constexpr std::uint32_t entries = 8;
  SocketPair pair;
  std::array<char, 16> memory{};

  long do_register_group() const {
    const wire::BufReg request{.ring_addr = 0,
                               .ring_entries = entries,
                               .bgid = group,
                               .flags = wire::pbuf_ring_mmap,
                               .min_left = 0,
                               .resv = {}};
    return do_register(wire::register_op::pbuf_ring, &request, 1);
  }
  long unregister_group() const {
    const wire::BufReg request{
        .ring_addr = 0, .ring_entries = 0, .bgid = group, .flags = 0, .min_left = 0, .resv = {}};
    return do_register(wire::register_op::unregister_pbuf_ring, &request, 1);
  }
  // Maps the entries of a group.
  struct Entries {
    Entries(int ring_fd, std::uint16_t group)
        : address(
              mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring_fd,
                   static_cast<off_t>(wire::off_pbuf_ring | std::uint64_t{group} << wire::off_pbuf_shift))),
          error(address == MAP_FAILED ? errno : 0) {}
    Entries(const Entries&) = delete;
    Entries& operator=(const Entries&) = delete;
    ~Entries() {
      if (error == 0) munmap(address, size);
    }
    wire::Buf* operator->() const { return static_cast<wire::Buf*>(address); }
    // Adds one to the first entry. The tail says that it is there.
    void add_first(void* buffer, std::uint32_t bytes) const {
      (*this)->addr = wire::address(buffer);
      (*this)->len = bytes;
      (*this)->bid = id;
      std::atomic_ref((*this)->tail).store(1, std::memory_order_release);
    }
    static constexpr std::size_t size = entries * sizeof(wire::Buf);
    void* address;
    int error;
  };
  wire::Cqe receive(Site site = Site::here()) {
    must(ring.recv_select(1, pair.ours.get(), group, memory.size(), 0), site);
    return without_nonempty(complete(site));
  }
  std::string witness() {
    return registration_refused(
        "PBUF_RING with MMAP", [&] { return static_cast<int>(-do_register_group()); },
        wire::feature::reg_reg_ring);
  }
};

TEST_F(BufferRingMmap, IsMappedAndUsed) {
  if (!kernel_has(wire::feature::reg_reg_ring)) GTEST_SKIP() << witness();
  EXPECT_EQ(do_register_group(), 0);
  const Entries mapped(ring.fd(), group);
  ASSERT_EQ(mapped.error, 0) << strerrorname_np(mapped.error);
  // The fresh entries are zeros, and no buffers.
  pair.send("abcd");
  EXPECT_EQ(receive(), (wire::Cqe{.user_data = 1, .res = -ENOBUFS, .flags = 0}));
  mapped.add_first(memory.data(), 16);
  EXPECT_EQ(receive(), (wire::Cqe{.user_data = 1, .res = 4, .flags = id << 16 | wire::cqe_buffer}));
  EXPECT_STREQ(memory.data(), "abcd");
  pair.send("e");
  EXPECT_EQ(receive(), (wire::Cqe{.user_data = 1, .res = -ENOBUFS, .flags = 0})) << "there was one";
  EXPECT_EQ(unregister_group(), 0);
}

// The mapping keeps its memory when the group is gone.
TEST_F(BufferRingMmap, StaysMapped) {
  if (!kernel_has(wire::feature::reg_reg_ring)) GTEST_SKIP() << witness();
  EXPECT_EQ(do_register_group(), 0);
  const Entries mapped(ring.fd(), group);
  ASSERT_EQ(mapped.error, 0) << strerrorname_np(mapped.error);
  mapped.add_first(memory.data(), 7);
  EXPECT_EQ(unregister_group(), 0);
  EXPECT_EQ(mapped->addr, wire::address(memory.data()));
  EXPECT_EQ(mapped->len, 7u);
  pair.send("abcd");
  EXPECT_EQ(receive(), (wire::Cqe{.user_data = 1, .res = -ENOBUFS, .flags = 0}));
}

// What is not there cannot be mapped: EINVAL, or ENOMEM up to 7.1. Nor can a ring in the program's own
// memory.
TEST_F(BufferRingMmap, IsMappedOnlyIfItIsThere) {
  if (!kernel_has(wire::feature::reg_reg_ring)) GTEST_SKIP() << witness();
  EXPECT_EQ(do_register_group(), 0);
  EXPECT_EQ(do_register_group(), -EEXIST);
  const int error = Entries(ring.fd(), group + 1).error;
  EXPECT_TRUE(error == EINVAL || error == ENOMEM) << error;
  EXPECT_EQ(unregister_group(), 0);
  alignas(4096) static std::array<std::byte, 4096> own;
  const wire::BufReg request{.ring_addr = wire::address(own.data()),
                             .ring_entries = entries,
                             .bgid = group,
                             .flags = 0,
                             .min_left = 0,
                             .resv = {}};
  EXPECT_EQ(do_register(wire::register_op::pbuf_ring, &request, 1), 0);
  EXPECT_NE(Entries(ring.fd(), group).error, 0);
  // Memory of one's own is not asked for then: refused at first, and not looked at from 6.13 on.
  wire::BufReg both = request;
  both.bgid = group + 1;
  both.flags = wire::pbuf_ring_mmap;
  expect_one_of(Site::here(), "MMAP with memory", do_register(wire::register_op::pbuf_ring, &both, 1),
                std::vector<long>{0, -EINVAL});
}

}  // namespace
