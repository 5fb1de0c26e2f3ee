// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Fields of the kernel's SQE that are narrower than ours of the same place, read at the kernel's offsets: on
// a big-endian machine a 16-bit field is not the low half of a 32-bit one. Run on s390x by cross_test.cmake.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <bit>
#include <cstring>

#include <uring/uring.h>

namespace {

using uring::Sqe, uring::u16, uring::u32, uring::u64;

// What the kernel reads: a field of this type at this offset (include/uapi/linux/io_uring.h).
template <class Field>
Field at(const Sqe& sqe, std::size_t offset) {
  Field field;
  std::memcpy(&field, reinterpret_cast<const std::byte*>(&sqe) + offset, sizeof field);
  return field;
}

TEST(ByteOrder, DestinationOfASend) {
  Sqe sqe{};
  const ::sockaddr address{};
  uring::set_destination(sqe, &address, 0x1234);
  EXPECT_EQ(at<u16>(sqe, 44), 0x1234) << "addr_len";
  EXPECT_EQ(at<u16>(sqe, 46), 0) << "__pad3";
  EXPECT_EQ(at<u64>(sqe, 8), uring::address_of(&address)) << "addr2";
}

TEST(ByteOrder, CommandsToSockets) {
  Sqe sqe{};
  const std::array<std::byte, 4> value{};
  uring::prep_setsockopt(sqe, 1, 5, 0x8765'4321, 0x1357'9bdf, value);
  EXPECT_EQ(at<u32>(sqe, 8), 3u) << "cmd_op";
  EXPECT_EQ(at<u32>(sqe, 12), 0u) << "__pad1";
  EXPECT_EQ(at<u32>(sqe, 16), 0x8765'4321) << "level";
  EXPECT_EQ(at<u32>(sqe, 20), 0x1357'9bdfu) << "optname";
  EXPECT_EQ(at<u32>(sqe, 44), 4u) << "optlen";
  EXPECT_EQ(at<u64>(sqe, 48), uring::address_of(value.data())) << "optval";
}

// The kernel exchanges the halves of poll32_events on big-endian machines, so that an old program, which
// wrote 16 bits here, is understood.
TEST(ByteOrder, EventsOfAPoll) {
  Sqe sqe{};
  for (const bool update : {false, true}) {
    if (update) {
      uring::prep_poll_update(sqe, 1, 2, 3, 0x8000'0041, uring::PollFlags{6});
    } else {
      uring::prep_poll_add(sqe, 1, 5, 0x8000'0041);
    }
    EXPECT_EQ(at<u16>(sqe, 28), 0x0041) << "poll_events";
    EXPECT_EQ(at<u16>(sqe, 30), 0x8000) << "the upper half of poll32_events";
  }
}

TEST(ByteOrder, BufferGroup) {
  Sqe sqe{};
  uring::prep_recv_multishot(sqe, 1, 5, 0x1234, 0);
  EXPECT_EQ(at<u16>(sqe, 40), 0x1234) << "buf_group";
  EXPECT_EQ(at<u16>(sqe, 2), 2) << "ioprio";
}

}  // namespace
