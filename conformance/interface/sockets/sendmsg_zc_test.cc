// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// zero-copy sendmsg: as SEND_ZC, from several pieces of memory. The notification says, if it is asked to,
// whether the data was copied after all, as it is on the loopback interface.
//
// Needs SENDMSG_ZC (6.1, io_uring_prep_sendmsg_zc(3)); IORING_SEND_ZC_REPORT_USAGE (6.2, and some 6.1) and
// registered buffers (6.15) where the kernel has them.

#include <unistd.h>

#include <cerrno>

#include "fixture/memory_limit.h"
#include "fixture/sockets.h"

namespace {

using namespace conformance;

class SendmsgZc : public AnySocketTest {
 protected:
  SendmsgZc() : AnySocketTest(8, 0) {}

  std::string first = std::string(10, 'a'), second = std::string(20, 'b');
  std::array<iovec, 2> both{iovec{first.data(), first.size()}, iovec{second.data(), second.size()}};
  msghdr message{.msg_name = nullptr,
                 .msg_namelen = 0,
                 .msg_iov = both.data(),
                 .msg_iovlen = both.size(),
                 .msg_control = nullptr,
                 .msg_controllen = 0,
                 .msg_flags = 0};

  binding::Result<binding::Sqe&> queue(int fd) { return ring.sendmsg_zc(1, fd, &message, MSG_NOSIGNAL); }
  wire::Sqe wanted(int fd) const {
    return {.opcode = wire::op::sendmsg_zc,
            .fd = fd,
            .addr = wire::address(&message),
            .len = 1,
            .op_flags = MSG_NOSIGNAL,
            .user_data = 1};
  }
  static std::string arrived(int server) {
    char byte;
    return recv(server, &byte, 1, MSG_DONTWAIT) >= 0 ? "bytes arrived" : "";
  }
  std::string witness() {
    const Connection connection = connect();
    const int client = connection.client.get();
    return refused([&] { return queue(client); }, wanted(client),
                   [&] { return arrived(connection.server.get()); });
  }
  static wire::Cqe sent(std::int32_t res) { return {.user_data = 1, .res = res, .flags = wire::cqe_more}; }
  static wire::Cqe notification(std::int32_t usage = 0) {
    return {.user_data = 1, .res = usage, .flags = wire::cqe_notif};
  }
  void expect_arrived(int fd, std::string want, Site site = Site::here()) {
    std::string got(want.size(), '-');
    if (recv(fd, got.data(), got.size(), MSG_WAITALL) < 0) stop_errno(site, "recv");
    EXPECT_EQ_AT(site, got, want);
  }
  // A request that is refused when it is prepared: whether it is notified, too, differs (not on 6.1).
  void expect_refused(const wire::Sqe& request, Site site = Site::here()) {
    const wire::Cqe cqe = complete(request, site);
    EXPECT_EQ_AT(site, cqe, (wire::Cqe{.user_data = 1, .res = -EINVAL, .flags = cqe.flags & wire::cqe_more}));
    if (cqe.flags == wire::cqe_more) {
      EXPECT_EQ_AT(site, wait_cqe(site), notification());
    }
  }
};

TEST_F(SendmsgZc, SendsSeveralPieces) {
  if (!kernel_has(wire::op::sendmsg_zc)) GTEST_SKIP() << witness();
  const Connection connection = connect();
  EXPECT_EQ(wire_of(must(queue(connection.client.get()))), wanted(connection.client.get()));
  ASSERT_EQ(complete(), sent(30));
  EXPECT_EQ(wait_cqe(), notification());
  expect_arrived(connection.server.get(), first + second);
}

// Asked, because stable kernels of 6.1 may have it: they refuse it, or it is there.
TEST_F(SendmsgZc, ReportsThatItWasACopy) {
  if (!kernel_has(wire::op::sendmsg_zc)) GTEST_SKIP() << witness();
  const Connection connection = connect();
  const Fd receiver = udp_socket(), sender = udp_socket();
  sockaddr_in address = loopback(port_of(receiver.get()));
  ASSERT_EQ(::connect(sender.get(), generic(address), sizeof address), 0) << strerrorname_np(errno);
  const int client = connection.client.get();
  const auto send = [&](int fd) {
    return ring.send_zc(1, fd, std::as_bytes(std::span(first)), 0,
                        binding::RecvSend{wire::send_zc_report_usage});
  };
  wire::Sqe want{.opcode = wire::op::send_zc,
                 .ioprio = wire::send_zc_report_usage,
                 .fd = client,
                 .addr = wire::address(first.data()),
                 .len = 10,
                 .user_data = 1};
  EXPECT_EQ(wire_of(must(send(client))), want);
  const wire::Cqe cqe = complete();
  if (cqe == wire::Cqe{.user_data = 1, .res = -EINVAL, .flags = 0}) {
    GTEST_SKIP() << refused([&] { return send(client); }, want,
                            [&] { return arrived(connection.server.get()); },
                            Modifier{.name = "REPORT_USAGE", .proxy = wire::feature::reg_reg_ring});
  }
  ASSERT_EQ(cqe, sent(10));
  EXPECT_EQ(wait_cqe(), notification(wire::notif_usage_zc_copied));
  expect_arrived(connection.server.get(), first);
  must(send(sender.get()));
  ASSERT_EQ(complete(), sent(10));
  EXPECT_EQ(wait_cqe(), notification(wire::notif_usage_zc_copied));
  expect_arrived(receiver.get(), first);
}

// The pieces may be parts of a registered buffer, from 6.15 on (READV_FIXED).
TEST_F(SendmsgZc, SendsFromARegisteredBuffer) {
  if (!kernel_has(wire::op::sendmsg_zc)) GTEST_SKIP() << witness();
  const Connection connection = connect();
  const int client = connection.client.get();
  const iovec buffer{second.data(), second.size()};
  must(when_there_is_room([&] { return ring.register_buffers({&buffer, 1}); }));
  both = {iovec{second.data(), 5}, iovec{second.data() + 10, 5}};
  wire::Sqe want = wanted(client);
  want.ioprio = wire::recvsend_fixed_buf;
  if (kernel_has(wire::op::readv_fixed)) {
    EXPECT_EQ(wire_of(must(ring.sendmsg_zc_fixed(1, client, &message, MSG_NOSIGNAL, 0))), want);
    ASSERT_EQ(complete(), sent(10));
    EXPECT_EQ(wait_cqe(), notification());
    expect_arrived(connection.server.get(), second.substr(0, 10));
  } else {
    expect_encoding(ring.sendmsg_zc_fixed(1, client, &message, MSG_NOSIGNAL, 0), want);
    expect_refused(want);
    EXPECT_EQ(arrived(connection.server.get()), "");
  }
  must(ring.unregister_buffers());
}

// A message has its address inside.
TEST_F(SendmsgZc, RefusesAnAddressOfItsOwn) {
  if (!kernel_has(wire::op::sendmsg_zc)) GTEST_SKIP() << witness();
  const Connection connection = connect();
  wire::Sqe address = wanted(connection.client.get()), size = address;
  address.off = wire::address(&message);
  size.file_index = 16;
  expect_refused(address);
  expect_refused(size);
  EXPECT_EQ(arrived(connection.server.get()), "");
}

}  // namespace
