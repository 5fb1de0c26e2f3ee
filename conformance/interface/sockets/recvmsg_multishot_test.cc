// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// multishot receive of messages: one RECVMSG receives datagram after datagram. Each buffer begins with a
// header, then room for the sender's name and for control data, then the payload.
//
// Needs IORING_RECV_MULTISHOT (6.0, io_uring_prep_recvmsg_multishot(3)). Before, an ioprio of 2 is refused.

#include <unistd.h>

#include <cerrno>

#include "fixture/buffer_rings.h"
#include "seam/kernel_abi.h"

namespace {

using namespace conformance;

class RecvmsgMultishot : public AnySocketTest {
 protected:
  static constexpr std::uint16_t group_id = 1;
  static constexpr std::size_t header = sizeof(wire::RecvmsgOut), name = sizeof(sockaddr_in);

  RecvmsgMultishot() : AnySocketTest(8, 0) {}

  std::array<std::byte, 1024> memory{};
  binding::BufferGroup group;
  std::uint32_t size = 64;
  Fd receiver, sender;
  sockaddr_in address{};
  msghdr message{};

  void SetUp() override {
    AnySocketTest::SetUp();
    if (IsSkipped()) return;
    receiver = udp_socket();
    sender = udp_socket();
    address = loopback(port_of(receiver.get()));
    message.msg_namelen = name;  // how much room to leave for it
  }
  binding::Result<binding::Sqe&> queue() {
    return ring.recvmsg_multishot(1, receiver.get(), &message, group_id, 0);
  }
  wire::Sqe wanted() const {
    return {.opcode = wire::op::recvmsg,
            .flags = wire::buffer_select,
            .ioprio = wire::recv_multishot,
            .fd = receiver.get(),
            .addr = wire::address(&message),
            .len = 1,
            .user_data = 1,
            .buf_index = group_id};
  }
  bool kernel_has_it() const { return kernel_has(wire::op::send_zc); }  // 6.0
  std::string witness() {
    send("abcde");
    return refused([&] { return queue(); }, wanted(), [] { return ""; },
                   Modifier{.name = "multishot", .proxy = wire::op::send_zc});
  }
  void send(std::string_view text, Site site = Site::here()) {
    if (sendto(sender.get(), text.data(), text.size(), 0, generic(address), sizeof address) < 0)
      stop_errno(site, "sendto");
  }
  void open_group(std::uint32_t buffers, std::uint32_t bytes_each, Site site = Site::here()) {
    size = bytes_each;
    const auto opened = group.init(ring, group_id, std::span(memory).first(std::size_t{buffers} * size), size,
                                   binding::Consumption::whole);
    if (!opened.ok()) stop(site, "no group of buffers: " + testing::PrintToString(opened));
  }
  void arm(Site site = Site::here()) {
    EXPECT_EQ_AT(site, wire_of(must(queue(), site)), wanted());
    submit(1, site);
  }
  static wire::Cqe took(std::uint32_t id, std::size_t bytes, std::uint32_t more = wire::cqe_more) {
    return {
        .user_data = 1, .res = static_cast<std::int32_t>(bytes), .flags = wire::cqe_buffer | more | id << 16};
  }
  template <class T>
  T at(std::uint32_t id, std::size_t offset) const {
    T value;
    std::memcpy(&value, &memory[id * size + offset], sizeof value);
    return value;
  }
  std::string text(std::uint32_t id, std::size_t offset, std::size_t length) const {
    return {reinterpret_cast<const char*>(&memory[id * size + offset]), length};
  }
  void expect_ended(Site site = Site::here()) {
    send("more", site);
    EXPECT_EQ_AT(site, cqes_before_nop(2, site), (Cqes{{.user_data = 2, .res = 0, .flags = 0}}));
  }
};

TEST_F(RecvmsgMultishot, ReceivesEachMessage) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  open_group(4, 64);
  arm();
  for (const std::uint32_t id : {0u, 1u}) {
    send(id == 0 ? "abcde" : "fghij");
    ASSERT_EQ(wait_cqe(), took(id, header + name + 5));
    EXPECT_EQ(at<wire::RecvmsgOut>(id, 0),
              (wire::RecvmsgOut{.namelen = name, .controllen = 0, .payloadlen = 5, .flags = 0}));
    const sockaddr_in from = at<sockaddr_in>(id, header), want = loopback(port_of(sender.get()));
    EXPECT_EQ(std::memcmp(&from, &want, sizeof want), 0) << "from port " << ntohs(from.sin_port);
    EXPECT_EQ(text(id, header + name, 5), id == 0 ? "abcde" : "fghij");
  }
}

// Of a datagram for which the buffer is too small, a part; the flags say so.
TEST_F(RecvmsgMultishot, TruncatesWhatDoesNotFit) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  open_group(4, 64);
  arm();
  send(std::string(200, 'a'));
  ASSERT_EQ(wait_cqe(), took(0, 64));
  EXPECT_EQ(at<wire::RecvmsgOut>(0, 0),
            (wire::RecvmsgOut{.namelen = name, .controllen = 0, .payloadlen = 32, .flags = MSG_TRUNC}));
  EXPECT_EQ(text(0, header + name, 32), std::string(32, 'a'));
  EXPECT_EQ(at<char>(1, 0), '\0') << "beyond the buffer";
}

// Control data has its own room, which is left whether it is filled or not.
TEST_F(RecvmsgMultishot, DeliversControlData) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  constexpr std::size_t control = 64;
  const int on = 1;
  ASSERT_EQ(setsockopt(receiver.get(), SOL_SOCKET, SO_TIMESTAMP, &on, sizeof on), 0)
      << strerrorname_np(errno);
  message.msg_controllen = control;
  open_group(4, 128);
  arm();
  send("abcde");
  ASSERT_EQ(wait_cqe(), took(0, header + name + control + 5));
  const std::uint32_t filled = CMSG_SPACE(sizeof(timeval));
  EXPECT_EQ(at<wire::RecvmsgOut>(0, 0),
            (wire::RecvmsgOut{.namelen = name, .controllen = filled, .payloadlen = 5, .flags = 0}));
  const cmsghdr first = at<cmsghdr>(0, header + name);
  EXPECT_EQ(first.cmsg_level, SOL_SOCKET);
  EXPECT_EQ(first.cmsg_type, SCM_TIMESTAMP);
  EXPECT_EQ(first.cmsg_len, CMSG_LEN(sizeof(timeval)));
  EXPECT_EQ(text(0, header + name + control, 5), "abcde");
}

// A datagram of no bytes looks like the end of a stream, and it is taken for that.
TEST_F(RecvmsgMultishot, EndsWithAnEmptyMessage) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  open_group(4, 64);
  arm();
  send("");
  ASSERT_EQ(without_nonempty(wait_cqe()), took(0, header + name, 0));
  EXPECT_EQ(at<wire::RecvmsgOut>(0, 0),
            (wire::RecvmsgOut{.namelen = name, .controllen = 0, .payloadlen = 0, .flags = 0}));
  expect_ended();
}

TEST_F(RecvmsgMultishot, EndsWithoutABuffer) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  open_group(1, 64);
  arm();
  send("abcde");
  ASSERT_EQ(wait_cqe(), took(0, header + name + 5));
  send("fghij");
  EXPECT_EQ(without_nonempty(wait_cqe()), (wire::Cqe{.user_data = 1, .res = -ENOBUFS, .flags = 0}));
  expect_ended();
}

// No room for the header and the name.
TEST_F(RecvmsgMultishot, EndsWithABufferThatIsTooSmall) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  open_group(4, 16);
  arm();
  send("abcde");
  const wire::Cqe cqe = wait_cqe();
  EXPECT_EQ(cqe, (wire::Cqe{.user_data = 1, .res = -EFAULT, .flags = cqe.flags}));
  EXPECT_EQ(cqe.flags & wire::cqe_more, 0u);
  expect_ended();
}

TEST_F(RecvmsgMultishot, FindsNoBufferInAnUnknownGroup) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  arm();
  send("abcde");
  EXPECT_EQ(without_nonempty(wait_cqe()), (wire::Cqe{.user_data = 1, .res = -ENOBUFS, .flags = 0}));
}

// RECV does the same with a stream, and without a header.
TEST_F(RecvmsgMultishot, ReceivesAStream) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  Connection connection = connect();
  open_group(4, 64);
  must(ring.recv_multishot(1, connection.server.get(), group_id, 0));
  submit(1);
  for (const std::uint32_t id : {0u, 1u}) {
    ASSERT_EQ(::send(connection.client.get(), "abcde", 5, MSG_NOSIGNAL), 5);
    ASSERT_EQ(without_nonempty(wait_cqe()), took(id, 5));
    EXPECT_EQ(text(id, 0, 5), "abcde");
  }
  connection.client = Fd();
  // The end: no buffer. (NONEMPTY, because an end can be read.)
  EXPECT_EQ(without_nonempty(wait_cqe()), (wire::Cqe{.user_data = 1, .res = 0, .flags = 0}));
}

}  // namespace
