// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// What a multishot recvmsg leaves in a buffer, and what the second CQE of a zero-copy send says.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>

#include <uring/uring.h>

namespace {

using uring::Cqe, uring::Error, uring::ReceivedMessage, uring::i32, uring::u32, uring::u64;

// A buffer that is not aligned: header, 4 bytes of room for a name, 6 for control data, 5 of message.
struct Received {
  std::array<std::byte, 1 + 16 + 4 + 6 + 5> all;
  explicit Received(std::array<u32, 4> header) {
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::byte>(i);
    std::memcpy(&all[1], header.data(), sizeof header);
  }
  std::span<std::byte> bytes() { return std::span(all).subspan(1); }
  std::size_t place(std::span<std::byte> part) { return static_cast<std::size_t>(part.data() - &all[1]); }
};

TEST(MultishotRecvmsg, IsTakenApart) {
  Received buffer({3, 2, 5, 0x40});
  ReceivedMessage message;
  ASSERT_TRUE(message.parse(buffer.bytes(), 4, 6).ok());
  EXPECT_EQ(buffer.place(message.name()), 16u);
  EXPECT_EQ(message.name().size(), 3u);
  EXPECT_EQ(buffer.place(message.control()), 20u);
  EXPECT_EQ(message.control().size(), 2u);
  EXPECT_EQ(buffer.place(message.payload()), 26u);
  EXPECT_EQ(message.payload().size(), 5u);
  EXPECT_EQ(message.payload_size(), 5u);
  EXPECT_EQ(message.flags(), 0x40u);
}

TEST(MultishotRecvmsg, IsEmptyBeforehand) {
  const ReceivedMessage message;
  EXPECT_TRUE(message.name().empty() && message.control().empty() && message.payload().empty());
  EXPECT_EQ(message.payload_size(), 0u);
  EXPECT_EQ(message.flags(), 0u);
}

// The kernel says how much there was, also where there was no room for it.
TEST(MultishotRecvmsg, IsCutOffAtTheRoomThereWas) {
  Received buffer({5, 7, 900, 0x20});
  ReceivedMessage message;
  ASSERT_TRUE(message.parse(buffer.bytes(), 4, 6).ok());
  EXPECT_EQ(message.name().size(), 4u);
  EXPECT_EQ(message.control().size(), 6u);
  EXPECT_EQ(message.payload().size(), 5u);
  EXPECT_EQ(message.payload_size(), 900u);
  ASSERT_TRUE(message.parse(buffer.bytes().first(26), 4, 6).ok());
  EXPECT_EQ(message.payload().size(), 0u);
}

TEST(MultishotRecvmsg, ThatIsTooShortIsRefused) {
  Received buffer({0, 0, 0, 0});
  ReceivedMessage message;
  EXPECT_EQ(message.parse({}, 0, 0), Error::message_too_short);
  EXPECT_EQ(message.parse(buffer.bytes().first(15), 0, 0), Error::message_too_short);
  EXPECT_TRUE(message.parse(buffer.bytes().first(16), 0, 0).ok());
  EXPECT_EQ(message.parse(buffer.bytes().first(25), 4, 6), Error::message_too_short);
  EXPECT_EQ(message.parse(buffer.bytes(), ~u64{0}, 6), Error::message_too_short);
  EXPECT_EQ(message.parse(buffer.bytes(), 4, ~u64{0}), Error::message_too_short);
}

TEST(Completion, SaysWhetherMoreWillCome) {
  for (const u32 bit : {1u, 4u, 8u, 16u})
    EXPECT_FALSE((Cqe{.user_data = 0, .res = 0, .flags = bit}).has_more());
  EXPECT_TRUE((Cqe{.user_data = 0, .res = 0, .flags = 2}).has_more());
}

TEST(Completion, OfAZeroCopySendSaysHowItWent) {
  for (const u32 bit : {1u, 2u, 4u, 16u}) {
    const Cqe cqe{.user_data = 0, .res = i32{-0x7fffffff - 1}, .flags = bit};
    EXPECT_FALSE(cqe.is_notification());
    EXPECT_FALSE(cqe.was_copied());
  }
  const Cqe copied{.user_data = 0, .res = i32{-0x7fffffff - 1}, .flags = 8};
  EXPECT_TRUE(copied.is_notification());
  EXPECT_TRUE(copied.was_copied());
  EXPECT_EQ(copied.error(), Error::none);
  const Cqe sent{.user_data = 0, .res = 0x7fffffff, .flags = 8};
  EXPECT_TRUE(sent.is_notification());
  EXPECT_FALSE(sent.was_copied());
}

TEST(Completion, GivesAPointerBack) {
  int there = 5;
  const Cqe cqe{.user_data = uring::user_data_of(&there), .res = 0, .flags = 0};
  EXPECT_EQ(cqe.user_data, reinterpret_cast<u64>(&there));
  EXPECT_EQ(cqe.user_pointer<int>(), &there);
}

// --- this machine's kernel ---------------------------------------------------------------------------------

// Two UDP sockets, the second connected to the first.
class UdpOnThisKernel : public testing::Test {
 protected:
  uring::Ring ring;
  int receiver = socket(AF_INET, SOCK_DGRAM, 0), sender = socket(AF_INET, SOCK_DGRAM, 0);
  sockaddr_in from{};

  void SetUp() override {
    ASSERT_TRUE(ring.init(8).ok());
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    ASSERT_EQ(bind(receiver, generic, size), 0);
    ASSERT_EQ(getsockname(receiver, generic, &size), 0);
    ASSERT_EQ(connect(sender, generic, size), 0);
    size = sizeof from;
    ASSERT_EQ(getsockname(sender, reinterpret_cast<sockaddr*>(&from), &size), 0);
  }
  void TearDown() override {
    close(receiver);
    close(sender);
  }
};

TEST_F(UdpOnThisKernel, TellsSenderAndLength) {
  static std::array<std::byte, 4 * 64> memory;
  uring::BufferGroup<uring::Ring> group;
  const auto made = group.init(ring, 1, memory, 64, uring::Consumption::whole);
  if (made == Error::inval) GTEST_SKIP() << "this kernel lacks buffer rings (5.19)";
  ASSERT_TRUE(made.ok());
  msghdr request{};
  request.msg_namelen = sizeof(sockaddr_in);
  request.msg_controllen = 8;
  ASSERT_TRUE(group.recvmsg_multishot(1, receiver, &request, 0).ok());
  ASSERT_EQ(ring.submit(), 1);
  for (const std::string text : {"hello", "a message that is longer than the rest of the buffer"}) {
    ASSERT_EQ(send(sender, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    Cqe cqe{};
    ASSERT_TRUE(ring.copy_cqe(cqe).ok());
    if (cqe.error() == Error::inval) GTEST_SKIP() << "this kernel lacks multishot recvmsg (6.0)";
    const auto bytes = group.get(cqe);
    ASSERT_TRUE(bytes.ok());
    ReceivedMessage message;
    ASSERT_TRUE(message.parse(*bytes, request.msg_namelen, request.msg_controllen).ok());
    ASSERT_EQ(message.name().size(), sizeof from);
    EXPECT_EQ(std::memcmp(message.name().data(), &from, sizeof from), 0);
    EXPECT_EQ(message.control().size(), 0u);
    const std::size_t room = 64 - 16 - sizeof from - 8, came = text.size() < room ? text.size() : room;
    ASSERT_EQ(message.payload().size(), came);
    EXPECT_EQ(std::memcmp(message.payload().data(), text.data(), came), 0);
    EXPECT_EQ((message.flags() & MSG_TRUNC) != 0, text.size() > room);
    EXPECT_TRUE(group.put(cqe).ok());
    EXPECT_TRUE(cqe.has_more());
  }
}

TEST_F(UdpOnThisKernel, AZeroCopySendOnThisMachineCopies) {
  static constexpr std::array<std::byte, 4> data{};
  ASSERT_TRUE(ring.send_zc(1, sender, data, 0, uring::RecvSend::report_usage).ok());
  ASSERT_EQ(ring.submit(), 1);
  Cqe cqe{};
  ASSERT_TRUE(ring.copy_cqe(cqe).ok());
  if (cqe.error() == Error::inval) GTEST_SKIP() << "this kernel does not say (6.2)";
  EXPECT_EQ(cqe.res, 4);
  ASSERT_TRUE(cqe.has_more());
  EXPECT_FALSE(cqe.is_notification());
  static std::array<std::byte, 4> taken;
  ASSERT_EQ(recv(receiver, taken.data(), taken.size(), 0), 4);
  ASSERT_TRUE(ring.copy_cqe(cqe).ok());
  EXPECT_FALSE(cqe.has_more());
  EXPECT_TRUE(cqe.is_notification());
  EXPECT_TRUE(cqe.was_copied()) << "on the loopback device";
}

}  // namespace
