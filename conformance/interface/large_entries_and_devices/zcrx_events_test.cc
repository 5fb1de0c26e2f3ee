// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// zero-copy receive: events and areas. CQEs tell a program that data had to be copied after all, or that its
// memory is used up, and memory can be added while the receiver runs.
//
// Needs ZcrxIfqReg::event_desc (7.2, include/uapi/linux/io_uring/zcrx.h), a word that is reserved before, and
// CAP_NET_ADMIN; ZCRX_CTRL_ADD_AREA is 7.3. Without a device everything is copied, so that events can be had.

#include <cerrno>
#include <cstring>

#include "fixture/zero_copy.h"
#include "seam/bare_kernel.h"

namespace {

using namespace conformance;

class ZcrxEvents : public ZeroCopyTest {
 protected:
  static constexpr std::uint64_t told = 0xee;
  static constexpr wire::Cqe copied{.user_data = told, .res = wire::zcrx_event_copy, .flags = 0};

  bool kernel_has_it() { return kernel_has(wire::four_queries); }
  static binding::ZcrxEventDesc events(std::uint32_t types) {
    return std::bit_cast<binding::ZcrxEventDesc>(wire::ZcrxEventDesc{.user_data = told, .type_mask = types});
  }
  static constexpr std::uint32_t bit(std::uint32_t event) { return 1u << event; }

  // Which no kernel before 7.1 would open without events either.
  int errno_with_events() {
    binding::Ring32 large;
    const auto copies = events(bit(wire::zcrx_event_copy));
    if (!when_there_is_room([&] { return large.init(4, zero_copy_setup); }).ok()) {
      wire::ZcrxIfqReg request{
          .rq_entries = 2, .flags = wire::zcrx_reg_nodev, .event_desc = wire::address(&copies)};
      return static_cast<int>(-do_register(wire::register_op::zcrx_ifq, &request, 1));
    }
    binding::ZeroCopyReceiver<binding::Ring32> receiver;
    const auto made = receiver.init(large, area(memory), {.flags = wire::zcrx_reg_nodev, .events = &copies});
    need_admin(binding::errno_of(made.error()));
    return binding::errno_of(made.error());
  }
  std::string witness() {
    return registration_refused(
        "ZcrxIfqReg::event_desc", [&] { return errno_with_events(); }, wire::four_queries);
  }
  static long arm(int fd, std::uint32_t id, std::uint32_t event) {
    const wire::ZcrxCtrl control{.zcrx_id = id, .op = wire::zcrx_ctrl_arm_event, .word = event};
    return BareKernel::do_register(fd, wire::register_op::zcrx_ctrl, &control, 0);
  }

  // Registers an area of two pages whose refill queue and statistics are in our own region. What it is called
  // is in `request`.
  wire::ZcrxIfqReg request{.rq_entries = 2, .flags = wire::zcrx_reg_nodev};
  long do_register_with(int fd, const wire::ZcrxEventDesc& desc) {
    wire::ZcrxAreaReg area_reg{.addr = wire::address(memory), .len = sizeof memory};
    wire::RegionDesc region_desc{
        .user_addr = wire::address(region), .size = sizeof region, .flags = wire::mem_region_type_user};
    request.area_ptr = wire::address(&area_reg);
    request.region_ptr = wire::address(&region_desc);
    request.event_desc = wire::address(&desc);
    return BareKernel::do_register(fd, wire::register_op::zcrx_ifq, &request, 1);
  }
};

// A copy is told once, until the event is armed again.
TEST_F(ZcrxEvents, TellOfACopyOnce) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  need_admin(errno_with_events());
  const Connection connection = connect();
  const auto both = events(bit(wire::zcrx_event_copy) | bit(wire::zcrx_event_alloc_fail));
  Receiving<binding::Ring32, 0> with(area(memory), &both);
  // The event and the data come in no order that is promised.
  const auto expect_told = [&](std::uint64_t user_data, std::int32_t bytes, bool event) {
    Cqes cqes;
    for (int i = 0; i < (event ? 2 : 1); ++i) {
      const wire::Cqe32 cqe = with.ring.wait_cqe();
      cqes.push_back(cqe.cqe);
      if (cqe.cqe.user_data == user_data) must(with.receiver.put(std::bit_cast<binding::Cqe32>(cqe)));
    }
    std::ranges::sort(cqes, {}, &wire::Cqe::user_data);
    Cqes wanted{{.user_data = user_data, .res = bytes, .flags = wire::cqe_more}};
    if (event) wanted.push_back(copied);
    EXPECT_EQ(cqes, wanted);
    must(with.receiver.flush());
  };
  with.recv(1, connection.server.get());
  send(connection, "hello");
  expect_told(1, 5, true);
  send(connection, "again");
  expect_told(1, 5, false);
  EXPECT_EQ(arm(with.ring.fd(), with.receiver.id(), wire::zcrx_event_copy), 0);
  send(connection, "armed");
  expect_told(1, 5, true);
}

// What was copied is counted where the program can read it.
TEST_F(ZcrxEvents, CountCopies) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  need_admin(errno_with_events());
  const Connection connection = connect();
  LargeRing<binding::Ring32> large(8, zero_copy_setup);
  const wire::ZcrxEventDesc desc{
      .user_data = told, .flags = wire::zcrx_event_desc_flag_stats, .stats_offset = 4096};
  ASSERT_EQ(do_register_with(large.fd(), desc), 0);
  must(large.recv_zc(1, connection.server.get(), request.zcrx_id, 0));
  large.submit_all(1);
  for (const std::string_view text : {"hello", "second"}) {
    send(connection, text);
    EXPECT_EQ(
        large.wait_cqe().cqe,
        (wire::Cqe{.user_data = 1, .res = static_cast<std::int32_t>(text.size()), .flags = wire::cqe_more}));
  }
  wire::ZcrxStats stats;
  std::memcpy(&stats, region[1].bytes, sizeof stats);
  EXPECT_EQ(stats, (wire::ZcrxStats{.copy_count = 2, .copy_bytes = 11}));
}

TEST_F(ZcrxEvents, RefuseWhatMeansNothing) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  need_admin(errno_with_events());
  LargeRing<binding::Ring32> large(8, zero_copy_setup);
  wire::ZcrxEventDesc unknown{.type_mask = 1u << 31}, flag{.flags = 1u << 31},
      unaligned{.flags = wire::zcrx_event_desc_flag_stats, .stats_offset = 4097};
  for (const wire::ZcrxEventDesc& desc : {unknown, flag, unaligned}) {
    EXPECT_EQ(do_register_with(large.fd(), desc), -EINVAL);
  }
  EXPECT_EQ(do_register_with(large.fd(), {.user_data = told, .type_mask = bit(wire::zcrx_event_alloc_fail)}),
            0);
  EXPECT_EQ(arm(large.fd(), request.zcrx_id, 31), -EINVAL);
}

// 7.3: its offsets say which area they are in. Before, the operation is unknown.
TEST_F(ZcrxEvents, MoreMemoryCanBeAdded) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  need_admin(errno_with_events());
  Receiving<binding::Ring32, 0> with(area(memory));
  wire::ZcrxAreaReg more{.addr = wire::address(region), .len = sizeof region};
  const wire::ZcrxCtrlAddArea add{.zcrx_id = with.receiver.id(), .area_ptr = wire::address(&more)};
  const long added = BareKernel::do_register(with.ring.fd(), wire::register_op::zcrx_ctrl, &add, 0);
  wire::QueryZcrx answer{};
  wire::QueryHdr question{
      .query_data = wire::address(&answer), .query_op = wire::query_of_zcrx, .size = sizeof answer};
  ASSERT_EQ(do_register(wire::register_op::query, &question, 0), 0);
  if (answer.nr_ctrl_opcodes <= wire::zcrx_ctrl_add_area) {
    EXPECT_EQ(added, -EOPNOTSUPP);
    return;
  }
  EXPECT_EQ(added, 0);
  EXPECT_EQ(more.rq_area_token, std::uint64_t{1} << wire::zcrx_area_shift);
}

}  // namespace
