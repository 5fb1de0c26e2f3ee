// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// BufferGroup: a ring of buffers shared with the kernel, which takes one when bytes come, not before. Here
// the smallest there is: one buffer, received into, read and given back.
//
// Needs a ring of buffers (5.19) and receives of length 0 (6.0); incremental consumption where the kernel has
// it (6.12).

#include "fixture/buffer_rings.h"

namespace {

using namespace conformance;

// One entry: every position is masked with 0, and the tail lies in the only entry.
class BufferGroup : public BufferRingTest<1, 128> {};

TEST_P(BufferGroup, ReceivesIntoItsBuffer) {
  if (!kernel_has_buffer_rings()) GTEST_SKIP() << witness();
  open_group();
  const Connection connection = connect();
  const Bytes data = counting_bytes(15);
  send(1, connection.client.get(), data);

  // 113 bytes remain: with incremental consumption the buffer stays with the kernel, which says so.
  const std::uint32_t more =
      group.consumption() == binding::Consumption::incremental ? wire::cqe_buf_more : 0;
  const wire::Cqe cqe = receive(2, connection.server.get(), 15);
  EXPECT_EQ(cqe, (wire::Cqe{.user_data = 2, .res = 15, .flags = wire::cqe_buffer | more}));
  EXPECT_EQ(bytes_of(cqe), data);
  put(cqe);
}

// Messages of 40 bytes through a buffer of 128. Whole: each at its beginning. Incrementally: at 0, 40 and 80,
// then 8 bytes that fill the buffer, then the other 32 at the beginning again.
TEST_P(BufferGroup, GoesOnWhereTheLastReceiveEnded) {
  if (!kernel_has_buffer_rings()) GTEST_SKIP() << witness();
  open_group();
  const Connection connection = connect();
  const bool incremental = group.consumption() == binding::Consumption::incremental;
  std::vector<std::ptrdiff_t> offsets;
  for (unsigned char message = 0; message < 4; ++message) {
    Bytes data = counting_bytes(40);
    for (unsigned char& byte : data) byte = static_cast<unsigned char>(byte + 40 * message);
    send(1, connection.client.get(), data);
    for (std::size_t position = 0; position < data.size();) {
      const wire::Cqe cqe = receive(2, connection.server.get(), data.size() - position);
      ASSERT_GT(cqe.res, 0) << wire::to_string(cqe);
      const auto bytes = static_cast<std::size_t>(cqe.res);
      EXPECT_EQ(bytes_of(cqe), slice(data, position, bytes));
      offsets.push_back(group.get(std::bit_cast<binding::Cqe>(cqe)).value().data() - memory.data());
      put(cqe);
      position += bytes;
    }
  }
  EXPECT_EQ(offsets, incremental ? (std::vector<std::ptrdiff_t>{0, 40, 80, 120, 0})
                                 : (std::vector<std::ptrdiff_t>{0, 0, 0, 0}));
}

// A full buffer is gone until it is put back, in both ways of consumption; then it holds all its bytes again.
TEST_P(BufferGroup, IsEmptyUntilTheBufferIsPutBack) {
  if (!kernel_has_buffer_rings()) GTEST_SKIP() << witness();
  open_group();
  const Connection connection = connect();
  const Bytes data = counting_bytes(128);
  for (int round = 0; round < 3; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    send(1, connection.client.get(), data);
    const wire::Cqe full = receive(2, connection.server.get(), 128);
    EXPECT_EQ(full, (wire::Cqe{.user_data = 2, .res = 128, .flags = wire::cqe_buffer}));
    EXPECT_EQ(bytes_of(full), data);
    const wire::Cqe none = receive(3, connection.server.get(), 0);
    EXPECT_EQ(none, (wire::Cqe{.user_data = 3, .res = -ENOBUFS, .flags = 0}));
    expect_no_buffer(none);
    put(full);
  }
}

INSTANTIATE_TEST_SUITE_P(, BufferGroup, both_consumptions(), consumption_name);

}  // namespace
