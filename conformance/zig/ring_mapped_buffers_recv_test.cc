// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// ring mapped buffers recv: fifteen bytes through two buffers of four, round after round: receive, run out of
// buffers, give them back, receive the rest.
//
// Needs a ring of buffers (5.19) and receives of length 0 (6.0); incremental consumption where the kernel has
// it (6.12).

#include "fixture/buffer_rings.h"

namespace {

using namespace conformance;

class RingMappedBuffersRecv : public BufferRingTest<2, 4> {};

TEST_P(RingMappedBuffersRecv, DeliversEverythingInPieces) {
  if (!kernel_has_buffer_rings()) GTEST_SKIP() << witness();
  SCOPED_TRACE(random_user_data.seed());
  open_group();
  const Connection connection = connect();
  const int server = connection.server.get();
  const Bytes data = counting_bytes(15);

  // The mask is 1 and the tail starts at 2: every buffer given back is at a wrapped position. Used up
  // incrementally, a round leaves a rest of a buffer to the next, so no two rounds are alike.
  for (int round = 0; round < 4; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    send(random_user_data(), connection.client.get(), data);
    std::size_t position = 0;
    const auto receive_next = [&] {
      const wire::Cqe cqe = receive(random_user_data(), server, data.size() - position);
      EXPECT_GT(cqe.res, 0);
      const Bytes bytes = bytes_of(cqe);
      EXPECT_EQ(bytes, slice(data, position, bytes.size()));
      position += bytes.size();
      return cqe;
    };
    const wire::Cqe first = receive_next(), second = receive_next();

    const std::uint64_t user_data = random_user_data();
    const wire::Cqe third = receive(user_data, server, data.size() - position);
    EXPECT_EQ(third, (wire::Cqe{.user_data = user_data, .res = -ENOBUFS, .flags = 0}));
    expect_no_buffer(third);

    put(first);
    put(second);
    while (position < data.size()) put(receive_next());
  }
}

// Buffers are taken in the order they were given back, whatever their numbers. What was received stays
// untouched in the meantime.
TEST_P(RingMappedBuffersRecv, TakesBuffersInTheOrderTheyCameBack) {
  if (!kernel_has_buffer_rings()) GTEST_SKIP() << witness();
  open_group();
  const Connection connection = connect();
  const Bytes data = counting_bytes(8);
  std::vector<std::uint32_t> ids;
  for (int round = 0; round < 3; ++round) {
    send(1, connection.client.get(), data);
    const wire::Cqe first = receive(2, connection.server.get(), 8);
    const wire::Cqe second = receive(3, connection.server.get(), 4);
    EXPECT_EQ(bytes_of(first), slice(data, 0, 4));
    EXPECT_EQ(bytes_of(second), slice(data, 4, 4));
    ids.insert(ids.end(), {first.flags >> 16, second.flags >> 16});
    put(second);
    put(first);
  }
  EXPECT_EQ(ids, (std::vector<std::uint32_t>{0, 1, 1, 0, 0, 1}));
}

INSTANTIATE_TEST_SUITE_P(, RingMappedBuffersRecv, both_consumptions(), consumption_name);

}  // namespace
