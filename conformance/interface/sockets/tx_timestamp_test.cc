// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// transmit timestamps: when what was sent left the machine, one CQE for each send, instead of messages in the
// socket's error queue. Programs that measure a network, or keep time over it, need them.
//
// Needs SOCKET_URING_OP_TX_TIMESTAMP (6.17, include/uapi/linux/io_uring.h). Before, it is an unknown command,
// which a socket refuses with EOPNOTSUPP. The tests open rings of their own, with large CQEs.

#include <time.h>
// These need what <time.h> declares.
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>

#include <cerrno>

#include "fixture/large_entries.h"
#include "fixture/sockets.h"

namespace {

using namespace conformance;

std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

class TxTimestamp : public AnySocketTest {
 protected:
  TxTimestamp() : AnySocketTest(8, 0) {}

  bool kernel_has_it() { return kernel_has(wire::nop_with_tw); }  // 6.17
  static wire::Sqe wanted(int fd, std::uint32_t command = wire::socket_op_tx_timestamp) {
    return {.opcode = wire::op::uring_cmd, .fd = fd, .off = wire::halves(command, 0), .user_data = 43};
  }
  std::string witness() {
    const Fd socket = udp_socket();
    const int fd = socket.get();
    return refused([&] { return ring.cmd_sock(43, wire::socket_op_tx_timestamp, fd, 0, 0, 0, 0); },
                   wanted(fd), [] { return ""; },
                   Modifier{.name = "TX_TIMESTAMP",
                            .proxy = wire::nop_with_tw,
                            .unsupported = wanted(fd, wire::socket_op_nobody)});
  }
  // Asks for timestamps of these kinds, without a copy of what was sent.
  static void ask_for(int fd, unsigned kinds, Site site = Site::here()) {
    const unsigned options = SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_CMSG | SOF_TIMESTAMPING_OPT_ID |
                             SOF_TIMESTAMPING_OPT_TSONLY | kinds;
    if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &options, sizeof options) != 0) {
      stop_errno(site, "SO_TIMESTAMPING");
    }
  }
  static void send_ten(int fd, Site site = Site::here()) {
    if (::send(fd, "0123456789", 10, MSG_NOSIGNAL) != 10) stop_errno(site, "send");
  }
  // The next CQE is a timestamp of this kind and key, of now.
  template <class Ring>
  static void expect_timestamp(LargeRing<Ring>& large, std::int32_t key, std::uint32_t flags,
                               std::int64_t since, Site site = Site::here()) {
    const wire::Cqe32 cqe = large.wait_cqe(site);
    EXPECT_EQ_AT(site, cqe.cqe, (wire::Cqe{.user_data = 43, .res = key, .flags = wire::cqe_more | flags}));
    const auto at =
        static_cast<std::int64_t>(cqe.extra1) * 1'000'000'000 + static_cast<std::int64_t>(cqe.extra2);
    EXPECT_EQ_AT(site, at >= since && at <= now_ns(), true);
    EXPECT_EQ_AT(site, cqe.extra2 < 1'000'000'000, true);
  }
  static std::uint32_t kind(std::uint32_t number) { return number << wire::timestamp_type_shift; }
  template <class Ring>
  static void arm(LargeRing<Ring>& large, int fd, Site site = Site::here()) {
    EXPECT_EQ_AT(site, wire_of(must(large.cmd_sock(43, wire::socket_op_tx_timestamp, fd, 0, 0, 0, 0), site)),
                 wanted(fd));
    large.submit_all(1, site);
    EXPECT_EQ_AT(site, large.cq_ready(), 0u);
  }
  // Ends it. The two CQEs come in either order.
  template <class Ring>
  static void cancel(LargeRing<Ring>& large, Site site = Site::here()) {
    must(large.cancel(1, 43, 0), site);
    large.submit_all(1, site);
    const std::array<wire::Cqe32, 2> cqes{large.wait_cqe(site), large.wait_cqe(site)};
    for (const wire::Cqe32& cqe : cqes) {
      const std::int32_t res = cqe.cqe.user_data == 43 ? -ECANCELED : 0;
      EXPECT_EQ_AT(site, cqe.cqe, (wire::Cqe{.user_data = cqe.cqe.user_data, .res = res, .flags = 0}));
    }
    EXPECT_EQ_AT(site, cqes[0].cqe.user_data + cqes[1].cqe.user_data, 44u);
  }
};

// The key counts bytes: that of the last one of each send. No hardware has stamped it.
TEST_F(TxTimestamp, TellsWhenItWasSent) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const Connection connection = connect();
  const int client = connection.client.get();
  LargeRing<binding::Ring32> large(8);
  ask_for(client, SOF_TIMESTAMPING_TX_SOFTWARE);
  arm(large, client);
  for (const std::int32_t key : {9, 19}) {
    const std::int64_t since = now_ns();
    send_ten(client);
    expect_timestamp(large, key, kind(SCM_TSTAMP_SND), since);
  }
  cancel(large);
}

// Each CQE says which kind it is: here also when it was queued.
TEST_F(TxTimestamp, TellsItsKind) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const Connection connection = connect();
  const int client = connection.client.get();
  LargeRing<binding::Ring32> large(8);
  ask_for(client, SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_TX_SCHED);
  arm(large, client);
  const std::int64_t since = now_ns();
  send_ten(client);
  expect_timestamp(large, 9, kind(SCM_TSTAMP_SCHED), since);
  expect_timestamp(large, 9, kind(SCM_TSTAMP_SND), since);
  cancel(large);
}

// What was sent before it was asked for is told, too.
TEST_F(TxTimestamp, TellsOfWhatWasSentBefore) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const Connection connection = connect();
  const int client = connection.client.get();
  LargeRing<binding::Ring32> large(8);
  ask_for(client, SOF_TIMESTAMPING_TX_SOFTWARE);
  const std::int64_t since = now_ns();
  send_ten(client);
  must(large.cmd_sock(43, wire::socket_op_tx_timestamp, client, 0, 0, 0, 0));
  large.submit_all(1);
  expect_timestamp(large, 9, kind(SCM_TSTAMP_SND), since);
  cancel(large);
}

// On a ring with CQEs of both sizes (6.18) these are large ones. Before, there is no such ring.
TEST_F(TxTimestamp, HasLargeCqesWhereThereAreTwoSizes) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  if (!kernel_has(wire::cqe_mixed)) {
    EXPECT_EQ(errno_without<binding::MixedCqesRing>(8), EINVAL);
    return;
  }
  const Connection connection = connect();
  const int client = connection.client.get();
  LargeRing<binding::MixedCqesRing> mixed(8);
  ask_for(client, SOF_TIMESTAMPING_TX_SOFTWARE);
  arm(mixed, client);
  const std::int64_t since = now_ns();
  send_ten(client);
  expect_timestamp(mixed, 9, kind(SCM_TSTAMP_SND) | wire::cqe_32, since);
  cancel(mixed);
}

// A ring with small CQEs has no room for it.
TEST_F(TxTimestamp, NeedsLargeCqes) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const Connection connection = connect();
  EXPECT_EQ(complete(wanted(connection.client.get())),
            (wire::Cqe{.user_data = 43, .res = -EINVAL, .flags = 0}));
}

}  // namespace
