// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// ring mapped buffers multishot recv: one request receives piece after piece into two buffers of four, until
// none is left. It ends then; armed again, it takes the rest, waits for more, and is cancelled.
//
// Needs multishot receive (6.0) and a ring of buffers (5.19); incremental consumption where the kernel has it
// (6.12).

#include "fixture/buffer_rings.h"

namespace {

using namespace conformance;

class RingMappedBuffersMultishotRecv : public BufferRingTest<2, 4> {
 protected:
  void submit_multishot(std::uint64_t user_data, int fd, Site site = Site::here()) {
    EXPECT_EQ_AT(site, wire_of(must(group.recv_multishot(user_data, fd, 0), site)),
                 recv_multishot_wanted(user_data, fd));
    submit(1, site);
  }
  // Cancels a receive that waits, or has run out of buffers in the meantime. Either way it ends here.
  void cancel(std::uint64_t user_data, std::uint64_t target, Site site = Site::here()) {
    EXPECT_EQ_AT(
        site, wire_of(must(ring.cancel(user_data, target, 0), site)),
        (wire::Sqe{.opcode = wire::op::async_cancel, .fd = -1, .addr = target, .user_data = user_data}));
    submit(1, site);
    wire::Cqe cancelled = wait_cqe(site), ended = wait_cqe(site);
    if (cancelled.user_data == target) std::swap(cancelled, ended);
    // Up to 6.4 the receive tries once more after the last piece, and finds no buffer; from 6.5 on it sees
    // that the socket is empty, and waits.
    const bool had_ended = cancelled.res == -ENOENT;
    EXPECT_EQ_AT(site, cancelled,
                 (wire::Cqe{.user_data = user_data, .res = had_ended ? -ENOENT : 0, .flags = 0}));
    EXPECT_EQ_AT(site, ended,
                 (wire::Cqe{.user_data = target, .res = had_ended ? -ENOBUFS : -ECANCELED, .flags = 0}));
  }
};

TEST_P(RingMappedBuffersMultishotRecv, DeliversPieceAfterPiece) {
  if (!kernel_has_buffer_rings()) GTEST_SKIP() << witness();
  SCOPED_TRACE(random_user_data.seed());
  open_group();
  const Connection connection = connect();
  const int server = connection.server.get();
  // A piece that is cut short would shift all that follow, where buffers are used up incrementally.
  const Bytes data = counting_bytes(wanted_consumption() == binding::Consumption::incremental ? 16 : 15);

  for (int round = 0; round < 4; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    send(random_user_data(), connection.client.get(), data);
    const std::uint64_t first_receive = random_user_data();
    submit_multishot(first_receive, server);
    const wire::Cqe first = expect_received(first_receive, data.size(), wire::cqe_more);
    EXPECT_EQ(bytes_of(first), slice(data, 0, 4));
    const wire::Cqe second = expect_received(first_receive, data.size() - 4, wire::cqe_more);
    EXPECT_EQ(bytes_of(second), slice(data, 4, 4));
    // No buffer, and the end of this request.
    const wire::Cqe none = expect_received(first_receive, data.size() - 8);
    EXPECT_EQ(none, (wire::Cqe{.user_data = first_receive, .res = -ENOBUFS, .flags = 0}));
    expect_no_buffer(none);
    put(first);
    put(second);

    const std::uint64_t second_receive = random_user_data();
    submit_multishot(second_receive, server);
    const wire::Cqe third = expect_received(second_receive, data.size() - 8, wire::cqe_more);
    EXPECT_EQ(bytes_of(third), slice(data, 8, 4));
    put(third);
    const wire::Cqe last = expect_received(second_receive, data.size() - 12, wire::cqe_more);
    EXPECT_EQ(bytes_of(last), slice(data, 12, data.size() - 12));
    put(last);
    cancel(random_user_data(), second_receive);
  }
}

// It waits for what comes later, with a completion each time, and ends with the stream.
TEST_P(RingMappedBuffersMultishotRecv, WaitsForBytesThatComeLater) {
  if (!kernel_has_buffer_rings()) GTEST_SKIP() << witness();
  open_group();
  Connection connection = connect();
  submit_multishot(1, connection.server.get());
  for (const std::size_t size : {3u, 1u, 2u, 2u, 4u}) {
    EXPECT_EQ(ring.cq_ready(), 0u);
    const Bytes data = counting_bytes(size);
    ASSERT_EQ(::send(connection.client.get(), data.data(), size, 0), static_cast<ssize_t>(size));
    const wire::Cqe cqe = expect_received(1, size, wire::cqe_more);
    EXPECT_EQ(bytes_of(cqe), data);
    put(cqe);
  }
  ASSERT_EQ(::shutdown(connection.client.get(), SHUT_WR), 0);
  const wire::Cqe end = wait_cqe();
  EXPECT_EQ(without_nonempty(end), (wire::Cqe{.user_data = 1, .res = 0, .flags = 0}));
}

INSTANTIATE_TEST_SUITE_P(, RingMappedBuffersMultishotRecv, both_consumptions(), consumption_name);

}  // namespace
