// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// send from provided buffers, and bundles: a SEND takes its data from a group, in the order in which the
// buffers were put there, whatever order the requests run in. A bundle sends all that is there.
//
// Needs IORING_RECVSEND_BUNDLE (6.10, io_uring_prep_send(3)). Before, a SEND that is to take its data from a
// group is refused with EOPNOTSUPP.

#include <unistd.h>

#include <cerrno>

#include "fixture/buffer_rings.h"

namespace {

using namespace conformance;

class SendBundle : public RingTest<8> {
 protected:
  static constexpr std::uint16_t group_id = 1;
  static constexpr std::uint32_t count = 4, size = 64;

  std::array<unsigned char, count * size> memory{};
  binding::BufferGroup group;
  SocketPair sockets;

  SendBundle() {
    const Bytes data = counting_bytes(memory.size());
    std::copy(data.begin(), data.end(), memory.begin());
  }
  binding::Result<binding::Sqe&> queue() {
    return ring.send_bundle(1, sockets.ours.get(), group_id, 0, MSG_NOSIGNAL);
  }
  wire::Sqe wanted() const {
    return {.opcode = wire::op::send,
            .flags = wire::buffer_select,
            .ioprio = wire::recvsend_bundle,
            .fd = sockets.ours.get(),
            .op_flags = MSG_NOSIGNAL,
            .user_data = 1,
            .buf_index = group_id};
  }
  // One buffer, or a part of it. Not a bundle.
  wire::Sqe one(std::uint64_t user_data, std::uint32_t length) const {
    wire::Sqe sqe = wanted();
    sqe.ioprio = 0;
    sqe.len = length;
    sqe.user_data = user_data;
    return sqe;
  }
  bool kernel_has_it() const { return kernel_has(wire::feature::recvsend_bundle); }
  std::string witness() {
    wire::Sqe write = one(1, size);  // takes no buffer of a group on any kernel
    write.opcode = wire::op::write;
    return refused([&] { return queue(); }, wanted(),
                   [&] {
                     char byte;
                     return recv(sockets.peer.get(), &byte, 1, MSG_DONTWAIT) >= 0 ? "bytes arrived" : "";
                   },
                   Modifier{.name = "BUNDLE", .proxy = wire::feature::recvsend_bundle, .unsupported = write});
  }
  void open_group(Site site = Site::here()) {
    const auto opened = group.init(ring, group_id, std::as_writable_bytes(std::span(memory)), size,
                                   binding::Consumption::whole);
    if (!opened.ok()) stop(site, "no group of buffers: " + testing::PrintToString(opened));
  }
  void expect_arrived(const Bytes& want, Site site = Site::here()) const {
    Bytes got(want.size());
    if (recv(sockets.peer.get(), got.data(), got.size(), MSG_WAITALL) < 0) stop_errno(site, "recv");
    EXPECT_EQ_AT(site, got, want);
  }
  static wire::Cqe sent(std::uint64_t user_data, std::int32_t bytes, std::uint32_t id) {
    return {.user_data = user_data, .res = bytes, .flags = wire::cqe_buffer | id << 16};
  }
};

// More than one CQE is possible; each begins with the buffer behind the one that the CQE before ended with.
TEST_F(SendBundle, SendsAllThatIsThere) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  open_group();
  EXPECT_EQ(wire_of(must(queue())), wanted());
  submit(1);
  std::uint32_t sum = 0, next = 0;
  wire::Cqe cqe;
  do {
    cqe = wait_cqe();
    ASSERT_GT(cqe.res, 0);
    ASSERT_EQ(cqe, (wire::Cqe{.user_data = 1,
                              .res = cqe.res,
                              .flags = wire::cqe_buffer | (cqe.flags & wire::cqe_more) | next << 16}));
    sum += static_cast<std::uint32_t>(cqe.res);
    next = sum / size;
  } while ((cqe.flags & wire::cqe_more) != 0);
  ASSERT_EQ(sum, count * size);
  expect_arrived(counting_bytes(count * size));
}

// Without a bundle: one buffer, all of it or as much as was asked for.
TEST_F(SendBundle, SendsOneBuffer) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  open_group();
  ASSERT_EQ(complete(one(1, 0)), sent(1, size, 0));
  ASSERT_EQ(complete(one(1, 10)), sent(1, 10, 1));
  expect_arrived(slice(counting_bytes(count * size), 0, size + 10));
}

TEST_F(SendBundle, SendsInTheOrderOfTheGroup) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  open_group();
  if (configuration().begins_later()) {  // workers take what was submitted together in any order
    ASSERT_EQ(complete(one(1, 0)), sent(1, size, 0));
    ASSERT_EQ(complete(one(2, 0)), sent(2, size, 1));
  } else {
    must(ring.nop(0)) = std::bit_cast<binding::Sqe>(one(1, 0));
    must(ring.nop(0)) = std::bit_cast<binding::Sqe>(one(2, 0));
    submit(2);
    ASSERT_EQ(wait_cqes(2), (Cqes{sent(1, size, 0), sent(2, size, 1)}));
  }
  expect_arrived(slice(counting_bytes(count * size), 0, 2 * size));
}

TEST_F(SendBundle, FindsNoBufferInAnEmptyGroup) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  open_group();
  must(queue());
  submit(1);
  while ((wait_cqe().flags & wire::cqe_more) != 0) {
  }
  must(queue());
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 1, .res = -ENOBUFS, .flags = 0}));
}

// Messages have memory of their own.
TEST_F(SendBundle, IsNotForMessages) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  open_group();
  msghdr message{};
  wire::Sqe select = one(1, 1), bundle = wanted();
  select.opcode = bundle.opcode = wire::op::sendmsg;
  select.addr = bundle.addr = wire::address(&message);
  bundle.flags = 0;
  bundle.len = 1;
  EXPECT_EQ(complete(select), (wire::Cqe{.user_data = 1, .res = -EOPNOTSUPP, .flags = 0}));
  EXPECT_EQ(complete(bundle), (wire::Cqe{.user_data = 1, .res = -EINVAL, .flags = 0}));
}

}  // namespace
