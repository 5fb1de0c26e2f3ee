// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// NAPI: a task that waits asks the network devices itself, for so many microseconds, before it sleeps. The
// settings of a ring say whether, for how long, and which devices. (That it asks cannot be seen without a
// device. That nothing else changes can.)
//
// Needs IORING_REGISTER_NAPI (6.9, io_uring_register(2), which wants an IOPOLL ring for it: on such a ring it
// is refused). Before, the registrations are unknown. Which devices is 6.13: the words for it were reserved,
// and had to be 0. The time has a limit since 7.2. The tests open the ring anew, without flags.

#include <time.h>

#include <cerrno>
#include <fstream>
#include <ostream>
#include <string>
#include <vector>

#include "evidence/environment.h"
#include "fixture/sockets.h"
#include "seam/kernel_abi.h"
#include "seam/ring_abi.h"

namespace conformance::wire {

inline void PrintTo(const Napi& n, std::ostream* out) {
  *out << "Napi{.busy_poll_to=" << n.busy_poll_to << ", .prefer_busy_poll=" << int{n.prefer_busy_poll}
       << ", .opcode=" << int{n.opcode} << ", .pad={" << int{n.pad[0]} << "," << int{n.pad[1]}
       << "}, .op_param=" << n.op_param << ", .resv=" << n.resv << "}";
}

}  // namespace conformance::wire

namespace {

using namespace conformance;

class Napi : public AnySocketTest {
 protected:
  Napi() : AnySocketTest(8, 0) {}

  void SetUp() override {
    AnySocketTest::SetUp();
    if (!IsSkipped()) reopen(0);
  }

  bool kernel_has_it() { return kernel_has(wire::op::ftruncate); }
  bool kernel_has_tracking() { return kernel_has(wire::hybrid_iopoll); }
  std::string witness() {
    return registration_refused(
        "REGISTER_NAPI",
        [&] {
          EXPECT_EQ(unregister(nullptr), -EINVAL);
          binding::Napi settings{};
          return binding::errno_of(ring.register_napi(settings).error());
        },
        wire::op::ftruncate);
  }
  // A new ring has the time that the administrator set for select(2) and poll(2).
  wire::Napi first_settings() {
    std::ifstream file("/proc/sys/net/core/busy_poll");
    wire::Napi settings{.op_param = kernel_has_tracking() ? wire::napi_tracking_inactive : 0};
    if (file >> settings.busy_poll_to) return settings;
    stop_blocked({"kconfig", "this kernel has no busy polling: it is built without CONFIG_NET_RX_BUSY_POLL"});
  }

  // What was in force before, through the binding.
  wire::Napi set(const wire::Napi& settings, Site site = Site::here()) {
    auto theirs = std::bit_cast<binding::Napi>(settings);
    must(ring.register_napi(theirs), site);
    return std::bit_cast<wire::Napi>(theirs);
  }
  wire::Napi unset(Site site = Site::here()) {
    binding::Napi before{};
    must(ring.unregister_napi(before), site);
    return std::bit_cast<wire::Napi>(before);
  }
  // By a system call of our own.
  long try_to_set(wire::Napi settings, unsigned count = 1) {
    return do_register(wire::register_op::napi, &settings, count);
  }
  long unregister(wire::Napi* settings, unsigned count = 1) {
    return do_register(wire::register_op::unregister_napi, settings, count);
  }

  // What the kernel tells of the ring; "" if nothing.
  std::string told(const std::string& name) const {
    std::ifstream file("/proc/self/fdinfo/" + std::to_string(ring.fd()));
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with(name + ":\t")) return line.substr(name.size() + 2);
    }
    return "";
  }
};

TEST_F(Napi, GivesTheSettingsThatWereInForce) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  EXPECT_EQ(set({.busy_poll_to = 50, .prefer_busy_poll = 1}), first_settings());
  EXPECT_EQ(told("NAPI"), "enabled");
  EXPECT_EQ(set({.busy_poll_to = 70}), (wire::Napi{.busy_poll_to = 50, .prefer_busy_poll = 1}));
  EXPECT_EQ(set({}), (wire::Napi{.busy_poll_to = 70}));
  EXPECT_EQ(set({.busy_poll_to = 9999, .prefer_busy_poll = 1}), wire::Napi{});
  EXPECT_EQ(unset(), (wire::Napi{.busy_poll_to = 9999, .prefer_busy_poll = 1}));
  EXPECT_EQ(told("NAPI"), "disabled");
  wire::Napi none = first_settings();
  none.busy_poll_to = 0;
  EXPECT_EQ(set({.busy_poll_to = 50}), none);
  EXPECT_EQ(unregister(nullptr), 0) << "nobody has to want them";
  EXPECT_EQ(set({}), none);
}

// Waits end as ever: with a completion, and when their time is over.
TEST_F(Napi, ChangesNoWait) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  set({.busy_poll_to = 50, .prefer_busy_poll = 1});
  const auto now_ns = [] {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1'000'000'000 + now.tv_nsec;
  };
  const Connection connection = connect();
  std::array<std::byte, 8> buffer{};
  must(ring.recv(1, connection.server.get(), buffer, 0));
  submit(1);
  const std::int64_t start = now_ns();
  const auto waited = ring.submit_and_wait_timeout(1, {.tv_sec = 0, .tv_nsec = 20'000'000}, 0, 0);
  EXPECT_EQ(binding::errno_of(waited.error()), ETIME);
  EXPECT_GE(now_ns() - start, 20'000'000);
  ASSERT_EQ(send(connection.client.get(), "abc", 3, 0), 3);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 1, .res = 3, .flags = 0}));
}

// 6.13: devices are those of the sockets that the ring is used with, or those that the program names.
TEST_F(Napi, IsToldWhichDevices) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  constexpr wire::Napi named{.busy_poll_to = 50, .op_param = wire::napi_tracking_static};
  constexpr wire::Napi of_sockets{.busy_poll_to = 60, .op_param = wire::napi_tracking_dynamic};
  if (!kernel_has_tracking()) {
    EXPECT_EQ(try_to_set(named), -EINVAL);
    EXPECT_EQ(set({}), first_settings());
    return;
  }
  EXPECT_EQ(set(named), first_settings());
  EXPECT_EQ(told("napi tracking"), "static");
  EXPECT_EQ(set(of_sockets), named);
  EXPECT_EQ(told("napi tracking"), "dynamic");
  EXPECT_EQ(set(named), of_sockets);
}

TEST_F(Napi, TakesNoDeviceThatIsNotThere) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  constexpr std::uint32_t id = 3;
  constexpr wire::Napi add{.opcode = wire::napi_static_add_id, .op_param = id};
  constexpr wire::Napi remove{.opcode = wire::napi_static_del_id, .op_param = id};
  if (!kernel_has_tracking()) {
    EXPECT_EQ(try_to_set(add), -EINVAL);
    EXPECT_EQ(try_to_set(remove), -EINVAL);
    return;
  }
  for (const std::uint32_t tracking : {wire::napi_tracking_dynamic, wire::napi_tracking_static}) {
    const wire::Napi settings{.busy_poll_to = 50, .op_param = tracking};
    set(settings);
    EXPECT_EQ(try_to_set(add), -EINVAL) << tracking;
    EXPECT_EQ(try_to_set(remove), -EINVAL) << tracking;
    EXPECT_EQ(set(settings), settings);
  }
}

// Nobody spins for more than 10 ms. That is 7.2, and in later releases of older kernels, so there both are
// right.
TEST_F(Napi, HasALimit) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  set({.busy_poll_to = 10'000});
  EXPECT_EQ(set({.busy_poll_to = 1'000'000}), (wire::Napi{.busy_poll_to = 10'000}));
  std::vector<wire::Napi> right{{.busy_poll_to = 10'000}};
  if (!kernel_has(wire::four_queries)) right.push_back({.busy_poll_to = 1'000'000});
  expect_one_of(Site::here(), "what was in force", set({}), right);
}

TEST_F(Napi, RefusesWhatMeansNothing) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  constexpr wire::Napi settings{.busy_poll_to = 50, .prefer_busy_poll = 1};
  set(settings);
  const auto expect_refused = [&](auto&& change, Site site = Site::here()) {
    wire::Napi bad{.busy_poll_to = 70};
    change(bad);
    EXPECT_EQ_AT(site, try_to_set(bad), -EINVAL);
  };
  expect_refused([](wire::Napi& bad) { bad.pad[0] = 1; });
  expect_refused([](wire::Napi& bad) { bad.pad[1] = 1; });
  expect_refused([](wire::Napi& bad) { bad.resv = 1; });
  expect_refused([](wire::Napi& bad) { bad.opcode = wire::napi_op_nobody; });
  expect_refused([](wire::Napi& bad) { bad.op_param = wire::napi_tracking_nobody; });
  expect_refused([](wire::Napi& bad) { bad.op_param = wire::napi_tracking_inactive; });
  EXPECT_EQ(try_to_set({}, 0), -EINVAL);
  EXPECT_EQ(try_to_set({}, 2), -EINVAL);
  EXPECT_EQ(do_register(wire::register_op::napi, nullptr, 1), -EINVAL);
  EXPECT_EQ(unregister(nullptr, 0), -EINVAL);
  EXPECT_EQ(unregister(nullptr, 2), -EINVAL);
  EXPECT_EQ(set({}), settings) << "one of them was accepted";
}

// Whoever waits on such a ring asks the devices of its files in any case.
TEST_F(Napi, IsNotForRingsThatPoll) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(wire::setup_iopoll);
  binding::Napi settings{};
  EXPECT_EQ(binding::errno_of(ring.register_napi(settings).error()), EINVAL);
}

}  // namespace
