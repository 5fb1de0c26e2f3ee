// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// zero-copy receive without a device: data arrives in memory that was registered for it, CQEs say where, and
// what was read is given back through a queue of its own. A device would write it there itself; without one
// the kernel copies, and everything else is the same.
//
// Needs ZCRX_REG_NODEV (7.1, include/uapi/linux/io_uring/zcrx.h), and CAP_NET_ADMIN. RECV_ZC and the
// registration are 6.15: until 7.0 a registration without a device is refused. The tests open rings of their
// own, since only those with DEFER_TASKRUN and CQEs of 32 bytes can do it.

#include <net/if.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>

#include "fixture/zero_copy.h"
#include "seam/bare_kernel.h"

namespace {

using namespace conformance;

class Zcrx : public ZeroCopyTest {
 protected:
  // In a ring of this type, the whole story.
  template <class Ring, std::uint32_t flags>
  void tell_story() {
    const Connection connection = connect();
    const int server = connection.server.get();
    Receiving<Ring, flags> with(area(memory));
    auto& [ring, receiver] = with;
    EXPECT_EQ(receiver.buffer_size(), 4096u);
    with.recv(1, server);
    send(connection, "hello");
    const binding::Cqe32 first = with.data(1, 5);
    EXPECT_EQ(text_of(must(receiver.get(first))), "hello");
    // While one page is held, the next data takes the other, and then none is left.
    send(connection, "second");
    const binding::Cqe32 second = with.data(1, 6);
    EXPECT_EQ(text_of(must(receiver.get(second))), "second");
    EXPECT_EQ(text_of(must(receiver.get(first))), "hello") << "it was overwritten";
    send(connection, "third");
    EXPECT_EQ(ring.wait_cqe().cqe, (wire::Cqe{.user_data = 1, .res = -ENOMEM, .flags = 0}));
    must(receiver.put(first));
    must(receiver.put(second));
    must(receiver.flush());
    with.recv(2, server);
    EXPECT_EQ(text_of(must(receiver.get(with.data(2, 5)))), "third");
    // The end of the stream is the end of the request.
    EXPECT_EQ(shutdown(connection.client.get(), SHUT_WR), 0);
    EXPECT_EQ(ring.wait_cqe().cqe, (wire::Cqe{.user_data = 2, .res = 0, .flags = 0}));
  }
};

TEST_F(Zcrx, DeliversIntoItsMemory) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  need_admin(errno_without_device());
  tell_story<binding::Ring32, 0>();
}

TEST_F(Zcrx, DeliversOnARingOfTwoSizes) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  need_admin(errno_without_device());
  tell_story<binding::MixedCqesRing, wire::cqe_32>();
}

// The area is what it has: a message is cut into pieces of a page at most, and none is lost or out of order.
TEST_F(Zcrx, CutsWhatIsLongerThanAPage) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  need_admin(errno_without_device());
  const Connection connection = connect();
  Receiving<binding::Ring32, 0> with(area(memory));
  std::string sent;
  for (int i = 0; sent.size() < 20'000; ++i) sent += std::to_string(i) + ",";
  send(connection, sent);
  EXPECT_EQ(shutdown(connection.client.get(), SHUT_WR), 0);
  std::string received;
  for (std::uint64_t user_data = 1;; ++user_data) {
    with.recv(user_data, connection.server.get());
    wire::Cqe32 cqe = with.ring.wait_cqe();
    for (; (cqe.cqe.flags & wire::cqe_more) != 0; cqe = with.ring.wait_cqe()) {
      const auto data = must(with.receiver.get(std::bit_cast<binding::Cqe32>(cqe)));
      EXPECT_LE(data.size(), 4096u);
      received += text_of(data);
      must(with.receiver.put(std::bit_cast<binding::Cqe32>(cqe)));
    }
    if (cqe.cqe.res == 0) break;
    // Out of memory: what was given back is there for the next request.
    ASSERT_EQ(cqe.cqe.res, -ENOMEM);
    must(with.receiver.flush());
  }
  EXPECT_EQ(received, sent);
}

// Another ring may receive into the same memory, by way of a descriptor.
TEST_F(Zcrx, IsSharedWithAnotherRing) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  need_admin(errno_without_device());
  const Connection connection = connect();
  Receiving<binding::Ring32, 0> owner(area(memory));
  wire::ZcrxCtrl exporting{.zcrx_id = owner.receiver.id(), .op = wire::zcrx_ctrl_export};
  ASSERT_EQ(BareKernel::do_register(owner.ring.fd(), wire::register_op::zcrx_ctrl, &exporting, 0), 0);
  const Fd shared(static_cast<int>(exporting.word));
  EXPECT_TRUE(is_open(shared.get()));

  LargeRing<binding::Ring32> other(8, zero_copy_setup);
  wire::ZcrxIfqReg importing{.if_idx = static_cast<std::uint32_t>(shared.get()),
                             .flags = wire::zcrx_reg_import};
  ASSERT_EQ(BareKernel::do_register(other.fd(), wire::register_op::zcrx_ifq, &importing, 1), 0);
  must(other.recv_zc(1, connection.server.get(), importing.zcrx_id, 0));
  other.submit_all(1);
  send(connection, "shared");
  const wire::Cqe32 cqe = other.wait_cqe();
  EXPECT_EQ(cqe.cqe, (wire::Cqe{.user_data = 1, .res = 6, .flags = wire::cqe_more}));
  EXPECT_EQ(text_of(must(owner.receiver.get(std::bit_cast<binding::Cqe32>(cqe)))), "shared");
}

// --- refusals ------------------------------------------------------------------------------------------------

class ZcrxAtRefusals : public ZeroCopyTest {
 protected:
  wire::ZcrxAreaReg area_reg{.addr = wire::address(memory), .len = sizeof memory};
  wire::RegionDesc region_desc{
      .user_addr = wire::address(region), .size = sizeof region, .flags = wire::mem_region_type_user};

  wire::ZcrxIfqReg good(std::uint32_t flags = wire::zcrx_reg_nodev) const {
    return {.rq_entries = 2,
            .flags = flags,
            .area_ptr = wire::address(&area_reg),
            .region_ptr = wire::address(&region_desc)};
  }
  static long do_zcrx(int fd, wire::ZcrxIfqReg request) {
    return BareKernel::do_register(fd, wire::register_op::zcrx_ifq, &request, 1);
  }
  static long control(int fd, wire::ZcrxCtrl request) {
    return BareKernel::do_register(fd, wire::register_op::zcrx_ctrl, &request, 0);
  }
};

TEST_F(ZcrxAtRefusals, OfRegistrations) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  need_admin(errno_without_device());
  LargeRing<binding::Ring32> large(8, zero_copy_setup), not_deferred(8);
  EXPECT_EQ(do_zcrx(ring.fd(), good()), -EINVAL) << "CQEs of 16 bytes";
  EXPECT_EQ(do_zcrx(not_deferred.fd(), good()), -EINVAL);
  wire::ZcrxIfqReg with_interface = good(), on_loopback = good(0), on_none = good(0), empty = good(),
                   flag = good();
  with_interface.if_idx = 1;
  on_loopback.if_idx = if_nametoindex("lo");
  on_none.if_idx = 1 << 30;
  empty.rq_entries = 0;
  flag.flags |= 1u << 31;
  EXPECT_EQ(do_zcrx(large.fd(), with_interface), -EINVAL) << "no device, and one";
  EXPECT_EQ(do_zcrx(large.fd(), on_loopback), -EOPNOTSUPP);
  EXPECT_EQ(do_zcrx(large.fd(), on_none), -ENODEV);
  EXPECT_EQ(do_zcrx(large.fd(), empty), -EINVAL);
  EXPECT_EQ(do_zcrx(large.fd(), flag), -EINVAL);
  area_reg.addr += 8;
  EXPECT_EQ(do_zcrx(large.fd(), good()), -EINVAL) << "not page aligned";
  area_reg.addr -= 8;
  EXPECT_EQ(do_zcrx(large.fd(), good()), 0);
}

TEST_F(ZcrxAtRefusals, OfControls) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  need_admin(errno_without_device());
  Receiving<binding::Ring32, 0> with(area(memory));
  const std::uint32_t id = with.receiver.id();
  const int fd = with.ring.fd();
  EXPECT_EQ(control(fd, {.zcrx_id = id + 1, .op = wire::zcrx_ctrl_flush_rq}), -ENXIO);
  EXPECT_EQ(control(fd, {.zcrx_id = id, .op = wire::zcrx_ctrl_nobody}), -EOPNOTSUPP);
  EXPECT_EQ(control(fd, {.zcrx_id = id, .op = wire::zcrx_ctrl_flush_rq}), 0) << "nothing to take is no error";
}

TEST_F(ZcrxAtRefusals, OfRequests) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  need_admin(errno_without_device());
  const Connection connection = connect();
  Receiving<binding::Ring32, 0> with(area(memory));
  const wire::Sqe good{.opcode = wire::op::recv_zc,
                       .ioprio = wire::recv_multishot,
                       .fd = connection.server.get(),
                       .user_data = 1,
                       .file_index = with.receiver.id()};
  wire::Sqe once = good, of_another = good, address = good;
  once.ioprio = 0;
  of_another.file_index += 1;
  address.addr = 1;
  for (const wire::Sqe& sqe : {once, of_another, address}) {
    queue(with.ring, sqe);
    with.ring.submit_all(1);
    EXPECT_EQ(with.ring.wait_cqe().cqe, (wire::Cqe{.user_data = 1, .res = -EINVAL, .flags = 0}))
        << wire::to_string(sqe);
  }
}

}  // namespace
