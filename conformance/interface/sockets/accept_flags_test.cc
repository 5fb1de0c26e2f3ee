// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// accept modifiers: ACCEPT that does not wait, ACCEPT that waits before it tries, and a CQE that says whether
// there is another connection.
//
// Needs IORING_ACCEPT_DONTWAIT and IORING_ACCEPT_POLL_FIRST (6.10, io_uring_prep_accept(3)). Before, an
// ioprio that is unknown is refused.

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "fixture/sockets.h"

namespace {

using namespace conformance;

class AcceptFlags : public AnySocketTest {
 protected:
  AcceptFlags() : AnySocketTest(8, 0) {}

  Fd listener;

  void SetUp() override {
    AnySocketTest::SetUp();
    if (IsSkipped()) return;
    listener = tcp_listener();
    ASSERT_EQ(listen(listener.get(), 8), 0) << strerrorname_np(errno);
  }
  binding::Result<binding::Sqe&> queue(std::uint16_t ioprio, std::uint32_t flags = 0) {
    auto queued = ring.accept(1, listener.get(), nullptr, nullptr, flags);
    if (queued.ok()) queued.value().ioprio |= ioprio;
    return queued;
  }
  wire::Sqe wanted(std::uint16_t ioprio, std::uint32_t flags = 0) const {
    return {.opcode = wire::op::accept,
            .ioprio = ioprio,
            .fd = listener.get(),
            .op_flags = flags,
            .user_data = 1};
  }
  bool kernel_has_them() const { return kernel_has(wire::feature::recvsend_bundle); }  // 6.10
  std::string witness() {
    const Fd client = tcp_client(listener.get());
    return refused([&] { return queue(wire::accept_dontwait); }, wanted(wire::accept_dontwait),
                   [] { return ""; }, Modifier{.name = "DONTWAIT", .proxy = wire::feature::recvsend_bundle});
  }
  Fd accepted(const Fd& client, std::uint32_t flags = 0, Site site = Site::here()) {
    return accepted_socket(wait_cqe(site), {.user_data = 1, .flags = flags}, listener.get(),
                           port_of(client.get(), site), site);
  }
};

TEST_F(AcceptFlags, DoesNotWait) {
  if (!kernel_has_them()) GTEST_SKIP() << witness();
  EXPECT_EQ(wire_of(must(queue(wire::accept_dontwait))), wanted(wire::accept_dontwait));
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 1, .res = -EAGAIN, .flags = 0}));
  const Fd client = tcp_client(listener.get());
  must(queue(wire::accept_dontwait));
  submit(1);
  const Fd server = accepted(client);
}

// It waits first, and finds whoever waits already as well as who comes later.
TEST_F(AcceptFlags, WaitsBeforeItTries) {
  if (!kernel_has_them()) GTEST_SKIP() << witness();
  const Fd early = tcp_client(listener.get());
  EXPECT_EQ(wire_of(must(queue(wire::accept_poll_first))), wanted(wire::accept_poll_first));
  submit(1);
  const Fd first = accepted(early);
  must(queue(wire::accept_poll_first));
  submit(1);
  EXPECT_EQ(ring.cq_ready(), 0u);
  const Fd late = tcp_client(listener.get());
  const Fd second = accepted(late);
}

// Three connections wait.
TEST_F(AcceptFlags, SaysThatThereIsAnother) {
  if (!kernel_has_them()) GTEST_SKIP() << witness();
  std::vector<Fd> clients, servers;
  for (int i = 0; i < 3; ++i) clients.push_back(tcp_client(listener.get()));
  must(queue(0));
  submit(1);
  servers.push_back(accepted(clients[0], wire::cqe_sock_nonempty));
  must(ring.accept_multishot(1, listener.get(), nullptr, nullptr, 0));
  submit(1);
  servers.push_back(accepted(clients[1], wire::cqe_more | wire::cqe_sock_nonempty));
  servers.push_back(accepted(clients[2], wire::cqe_more));
  must(ring.cancel(2, 1, 0));
  submit(1);
  EXPECT_EQ(wait_cqes(2), (Cqes{{.user_data = 1, .res = -ECANCELED, .flags = 0},  //
                                {.user_data = 2, .res = 0, .flags = 0}}));
}

// The flags of accept4(2) arrive at the descriptor, and no others are known.
TEST_F(AcceptFlags, SetsTheFlagsOfTheDescriptor) {
  if (!kernel_has_them()) GTEST_SKIP() << witness();
  for (const std::uint32_t flags : {0u, unsigned{SOCK_CLOEXEC}, unsigned{SOCK_NONBLOCK}}) {
    const Fd client = tcp_client(listener.get());
    EXPECT_EQ(wire_of(must(queue(0, flags))), wanted(0, flags));
    submit(1);
    const Fd server = accepted(client);
    EXPECT_EQ(fcntl(server.get(), F_GETFD), flags == SOCK_CLOEXEC ? FD_CLOEXEC : 0);
    EXPECT_EQ(fcntl(server.get(), F_GETFL) & O_NONBLOCK, flags == SOCK_NONBLOCK ? O_NONBLOCK : 0);
  }
  EXPECT_EQ(complete(wanted(0, 1)), (wire::Cqe{.user_data = 1, .res = -EINVAL, .flags = 0}));
}

TEST_F(AcceptFlags, RefusesAnUnknownModifier) {
  if (!kernel_has_them()) GTEST_SKIP() << witness();
  EXPECT_EQ(complete(wanted(0x8000)), (wire::Cqe{.user_data = 1, .res = -EINVAL, .flags = 0}));
}

}  // namespace
