// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// limits of a multishot receive: how much it takes at once (len), and how much in all (optlen), after which
// it ends by itself. A program that knows the length of a message need not take more.
//
// Needs a length of a multishot RECV (6.17, io_uring_prep_recv(3); optlen is in no page). Before, it must be
// 0.

#include <array>
#include <cerrno>

#include "fixture/buffer_rings.h"
#include "fixture/sockets.h"

namespace {

using namespace conformance;

class RecvMultishotLimits : public RingTest<8> {
 protected:
  static constexpr std::uint16_t group_id = 1;
  static constexpr std::uint32_t size = 64;

  SocketPair sockets;
  std::array<std::byte, 4 * size> memory{};
  binding::BufferGroup group;

  bool kernel_has_them() { return kernel_has(wire::nop_with_tw); }  // 6.17
  wire::Sqe wanted(std::uint32_t at_once, std::uint32_t in_all) const {
    return {.opcode = wire::op::recv,
            .flags = wire::buffer_select,
            .ioprio = wire::recv_multishot,
            .fd = sockets.ours.get(),
            .len = at_once,
            .user_data = 1,
            .buf_index = group_id,
            .file_index = in_all};  // optlen
  }
  // The binding has words for a multishot receive without limits.
  binding::Result<binding::Sqe&> queue(std::uint32_t at_once, std::uint32_t in_all) {
    return ring.recv_multishot(1, sockets.ours.get(), group_id, 0).with([&](binding::Sqe& sqe) {
      sqe.len = at_once;
      sqe.file_index = in_all;
    });
  }
  std::string witness() {
    sockets.send(std::string(100, 'a'));
    return refused([&] { return queue(10, 0); }, wanted(10, 0), [] { return ""; },
                   Modifier{.name = "multishot and a length", .proxy = wire::nop_with_tw});
  }
  // A hundred bytes that count, and four buffers.
  void prepare(Site site = Site::here()) {
    must(group.init(ring, group_id, memory, size, binding::Consumption::whole), site);
    sockets.send(counting(100), site);
  }
  static std::string counting(char count) {
    std::string text;
    for (char c = 0; c < count; ++c) text += c;
    return text;
  }
  static wire::Cqe took(std::uint32_t id, std::int32_t bytes, std::uint32_t more) {
    return {.user_data = 1, .res = bytes, .flags = id << 16 | wire::cqe_buffer | more};
  }
  // The next CQE is this one, and delivers the bytes from `first` on.
  void expect_took(std::uint32_t id, std::int32_t bytes, std::uint32_t more, unsigned first,
                   Site site = Site::here()) {
    const wire::Cqe cqe = without_nonempty(wait_cqe(site));
    if (cqe != took(id, bytes, more)) stop(site, "came " + wire::to_string(cqe));
    std::vector<unsigned> got, want;
    for (const std::byte byte : must(group.get(std::bit_cast<binding::Cqe>(cqe)), site)) {
      got.push_back(std::to_integer<unsigned>(byte));
      want.push_back(first++);
    }
    EXPECT_EQ_AT(site, got, want);
  }
  // What a plain receive finds.
  std::int32_t rest(Site site = Site::here()) {
    std::array<std::byte, 128> left{};
    must(ring.recv(2, sockets.ours.get(), left, MSG_DONTWAIT), site);
    return complete(site).res;
  }
};

// Ten at once: each takes a buffer of 64, and then there is none.
TEST_F(RecvMultishotLimits, TakesSoMuchAtOnce) {
  if (!kernel_has_them()) GTEST_SKIP() << witness();
  prepare();
  EXPECT_EQ(wire_of(must(queue(10, 0))), wanted(10, 0));
  submit(1);
  for (std::uint32_t i = 0; i < 4; ++i) expect_took(i, 10, wire::cqe_more, 10 * i);
  EXPECT_EQ(without_nonempty(wait_cqe()), (wire::Cqe{.user_data = 1, .res = -ENOBUFS, .flags = 0}));
  EXPECT_EQ(rest(), 60);
}

// Twenty at once and forty in all: the second one is the last.
TEST_F(RecvMultishotLimits, TakesSoMuchInAll) {
  if (!kernel_has_them()) GTEST_SKIP() << witness();
  prepare();
  EXPECT_EQ(wire_of(must(queue(20, 40))), wanted(20, 40));
  submit(1);
  expect_took(0, 20, wire::cqe_more, 0);
  expect_took(1, 20, 0, 20);
  EXPECT_EQ(cqes_before_nop(3), (Cqes{{.user_data = 3, .res = 0, .flags = 0}}));
  EXPECT_EQ(rest(), 60);
}

// Whatever comes when: here in pieces.
TEST_F(RecvMultishotLimits, CountsWhatCameBefore) {
  if (!kernel_has_them()) GTEST_SKIP() << witness();
  must(group.init(ring, group_id, memory, size, binding::Consumption::whole));
  must(queue(20, 27));
  submit(1);
  const std::string text = counting(32);
  sockets.send(text.substr(0, 7));
  expect_took(0, 7, wire::cqe_more, 0);
  sockets.send(text.substr(7));
  expect_took(1, 20, 0, 7);
  EXPECT_EQ(rest(), 5);
}

// What reaches the limit ends it. Whether it also keeps to it is said nowhere: kernels do not cut off what
// they take at once.
TEST_F(RecvMultishotLimits, EndsWithWhatReachesTheLimit) {
  if (!kernel_has_them()) GTEST_SKIP() << witness();
  prepare();
  must(queue(20, 30));
  submit(1);
  expect_took(0, 20, wire::cqe_more, 0);
  const wire::Cqe last = without_nonempty(wait_cqe());
  expect_one_of(Site::here(), "the last CQE", last, {took(1, 10, 0), took(1, 20, 0)});
  EXPECT_EQ(rest(), 80 - last.res);
}

// A limit in all is for multishot receives only, and not of messages.
TEST_F(RecvMultishotLimits, RefusesALimitInAllElsewhere) {
  if (!kernel_has_them()) GTEST_SKIP() << witness();
  prepare();
  const msghdr message{};
  wire::Sqe once = wanted(10, 20), of_messages = once;
  once.ioprio = 0;
  of_messages.opcode = wire::op::recvmsg;
  of_messages.addr = wire::address(&message);
  of_messages.len = 1;
  for (const wire::Sqe& bad : {once, of_messages}) {
    EXPECT_EQ(complete(bad), (wire::Cqe{.user_data = 1, .res = -EINVAL, .flags = 0})) << wire::to_string(bad);
  }
  EXPECT_EQ(rest(), 100);
}

}  // namespace
