// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// registered ring descriptors: a task may register its rings, and enter them through an index, which saves
// the kernel looking up the descriptor each time.
//
// Needs IORING_REGISTER_RING_FDS and IORING_ENTER_REGISTERED_RING (5.18, io_uring_register(2)). Before, the
// registration is unknown, and so is the flag. io_uring_register(2) through an index is 6.3
// (IORING_FEAT_REG_REG_RING). The tests open the ring anew, without flags and not registered.

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ranges>
#include <thread>

#include "fixture/ring_test.h"
#include "seam/bare_kernel.h"
#include "seam/kernel_abi.h"
#include "seam/ring_abi.h"

namespace {

using namespace conformance;

constexpr std::uint32_t any = ~0u;  // as an index: whichever is free

class RegisteredRingFds : public RingTest<4> {
 protected:
  Fd null = open_file("/dev/null", O_RDWR);

  wire::RsrcUpdate of_ring(std::uint32_t offset = any) const {
    return {.offset = offset, .resv = 0, .data = static_cast<std::uint64_t>(ring.fd())};
  }
  long add(wire::RsrcUpdate& first, unsigned count = 1) const {
    return ObservedKernel::do_register(ring.fd(), wire::register_op::ring_fds, &first, count);
  }
  long remove(std::uint32_t index, std::uint64_t data = 0) const {
    const wire::RsrcUpdate update{.offset = index, .resv = 0, .data = data};
    return ObservedKernel::do_register(ring.fd(), wire::register_op::unregister_ring_fds, &update, 1);
  }
  // By calls of our own, which threads and children may make.
  static long enter(std::uint32_t index) {
    return BareKernel::enter(static_cast<int>(index), 0, 0, wire::enter_registered_ring, nullptr, 0);
  }
  static std::string last_call() {
    for (const std::string& line : wire_log().lines() | std::views::reverse) {
      if (line.starts_with("enter")) return line;
    }
    return "";
  }
  bool kernel_has_it() const { return kernel_has(wire::op::msg_ring); }  // 5.18
  std::string witness() {
    EXPECT_EQ(enter(0), -EINVAL);
    return registration_refused(
        "RING_FDS", [&] { return binding::errno_of(ring.register_ring_fd().error()); }, wire::op::msg_ring);
  }
  void expect_nop(std::uint64_t user_data, Site site = Site::here()) {
    must(ring.nop(user_data), site);
    EXPECT_EQ_AT(site, must(ring.submit(), site), 1u);
    EXPECT_EQ_AT(site, wait_cqe(site), (wire::Cqe{.user_data = user_data, .res = 0, .flags = 0}));
  }
  // What a child of this process gets from `call`, which says no to something: an errno.
  template <class Call>
  static int in_a_child(const Call& call, Site site = Site::here()) {
    const pid_t child = fork();
    if (child < 0) stop_errno(site, "fork");
    if (child == 0) _exit(static_cast<int>(-call()));
    int status = 0;
    if (waitpid(child, &status, 0) != child) stop_errno(site, "waitpid");
    if (!WIFEXITED(status)) stop(site, "the child died of signal " + std::to_string(WTERMSIG(status)));
    return WEXITSTATUS(status);
  }
};

TEST_F(RegisteredRingFds, EnterTheRing) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(0);
  must(ring.register_ring_fd());
  const int index = ring.registered_index();
  EXPECT_GE(index, 0);
  EXPECT_LT(index, static_cast<int>(wire::max_registered_rings));
  expect_nop(1);
  EXPECT_EQ(last_call(), "enter  submit=1 wait=0 flags=16 -> 1");

  must(ring.unregister_ring_fd());
  EXPECT_EQ(ring.registered_index(), -1);
  EXPECT_EQ(enter(static_cast<std::uint32_t>(index)), -EBADF);
  expect_nop(2);
  EXPECT_EQ(last_call(), "enter  submit=1 wait=0 flags=0 -> 1");
}

// The call tells the index that it chose, and how many it registered.
TEST_F(RegisteredRingFds, TellTheirIndex) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(0);
  wire::RsrcUpdate update = of_ring();
  EXPECT_EQ(add(update), 1);
  ASSERT_LT(update.offset, wire::max_registered_rings);
  EXPECT_EQ(update.data, static_cast<std::uint64_t>(ring.fd()));
  must(ring.nop(1));
  ring.flush_sq();
  EXPECT_EQ(
      ObservedKernel::enter(static_cast<int>(update.offset), 1, 0, wire::enter_registered_ring, nullptr, 0),
      1);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 1, .res = 0, .flags = 0}));
  EXPECT_EQ(remove(update.offset), 1);
  EXPECT_EQ(enter(update.offset), -EBADF);
}

// A ring lives as long as one of the two: here its descriptor is closed, and something else has that number.
TEST_F(RegisteredRingFds, KeepTheRing) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(0);
  OpenRing other(4, 0);
  must(ring.register_ring_fd());
  const auto index = static_cast<std::uint32_t>(ring.registered_index());
  ASSERT_EQ(dup3(null.get(), ring.fd(), O_CLOEXEC), ring.fd());
  EXPECT_EQ(BareKernel::enter(ring.fd(), 0, 0, 0, nullptr, 0), -EOPNOTSUPP);
  expect_nop(1);
  expect_nop(2);
  // The indices are the task's, so any ring can let go of one.
  const wire::RsrcUpdate update{.offset = index, .resv = 0, .data = 0};
  EXPECT_EQ(BareKernel::do_register(other.fd(), wire::register_op::unregister_ring_fds, &update, 1), 1);
  EXPECT_EQ(enter(index), -EBADF);
}

// Neither a thread nor a child has the indices of its parent; one that has rings of its own has others.
TEST_F(RegisteredRingFds, BelongToTheTask) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(0);
  wire::RsrcUpdate update = of_ring();
  ASSERT_EQ(add(update), 1);
  const std::uint32_t index = update.offset;
  long entered = 0, with_a_ring = 0;
  std::thread([&] {
    entered = enter(index);
    BareKernel::enter(ring.fd(), 0, 0, 0, nullptr, 0);
    with_a_ring = enter(index);
  }).join();
  EXPECT_EQ(entered, -EINVAL);
  expect_one_of<long>(Site::here(), "a thread that has entered a ring", with_a_ring, {-EINVAL, -EBADF});
  EXPECT_EQ(in_a_child([&] { return enter(index); }), EINVAL);
  EXPECT_EQ(in_a_child([&] {
              wire::Params params{};
              const long opened = BareKernel::setup(4, &params);
              return opened < 0 ? opened : enter(index);
            }),
            EBADF);
  EXPECT_EQ(enter(index), 0);
  EXPECT_EQ(remove(index), 1);
}

// Through an index io_uring_register(2) finds the ring as well (6.3). Before, that is an unknown number.
TEST_F(RegisteredRingFds, AreGoodForRegistering) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(0);
  wire::RsrcUpdate update = of_ring();
  ASSERT_EQ(add(update), 1);
  const auto through_index = [&](std::uint32_t index, std::uint32_t op) {
    return BareKernel::do_register(static_cast<int>(index), op | wire::register_op::use_registered_ring,
                                   nullptr, 0);
  };
  if (kernel_has(wire::feature::reg_reg_ring)) {
    EXPECT_EQ(through_index(update.offset, wire::register_op::unregister_buffers), -ENXIO);
    EXPECT_EQ(through_index(update.offset + 1, wire::register_op::unregister_buffers), -EBADF);
    EXPECT_EQ(through_index(16, wire::register_op::unregister_buffers), -EINVAL);
  } else {
    EXPECT_EQ(through_index(update.offset, wire::register_op::unregister_buffers), -EINVAL);
  }
  EXPECT_EQ(remove(update.offset), 1);
}

TEST_F(RegisteredRingFds, AreSixteen) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(0);
  std::array<wire::RsrcUpdate, wire::max_registered_rings> all;
  all.fill(of_ring());
  EXPECT_EQ(add(all[0], all.size()), 16);
  for (std::uint32_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i].offset, i);
  wire::RsrcUpdate one_more = of_ring();
  EXPECT_EQ(add(one_more), -EBUSY);
  EXPECT_EQ(remove(5), 1);
  EXPECT_EQ(remove(5), 1) << "of a slot that is empty already";
  EXPECT_EQ(enter(5), -EBADF);
  EXPECT_EQ(add(one_more), 1);
  EXPECT_EQ(one_more.offset, 5u);
  for (wire::RsrcUpdate& update : all) update.data = 0;
  EXPECT_EQ(do_register(wire::register_op::unregister_ring_fds, all.data(), all.size()), 16);
  for (std::uint32_t i = 0; i < all.size(); ++i) EXPECT_EQ(enter(i), -EBADF) << i;
}

// A call that cannot do all of it tells how many it did.
TEST_F(RegisteredRingFds, AreCounted) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(0);
  std::array<wire::RsrcUpdate, 3> updates{of_ring(), of_ring(), of_ring()};
  updates[1].data = static_cast<std::uint64_t>(null.get());
  EXPECT_EQ(add(updates[0], updates.size()), 1);
  EXPECT_EQ(updates[2].offset, any);
  EXPECT_EQ(remove(updates[0].offset), 1);
}

TEST_F(RegisteredRingFds, RefuseWhatTheyCannotBe) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(0);
  wire::RsrcUpdate good = of_ring(3);
  EXPECT_EQ(add(good, 0), -EINVAL);
  EXPECT_EQ(add(good, 17), -EINVAL);
  wire::RsrcUpdate reserved = good, beyond = of_ring(16), closed = good, file = good;
  reserved.resv = 1;
  closed.data = static_cast<std::uint64_t>(not_open);
  file.data = static_cast<std::uint64_t>(null.get());
  EXPECT_EQ(add(reserved), -EINVAL);
  EXPECT_EQ(add(beyond), -EINVAL);
  EXPECT_EQ(add(closed), -EBADF);
  EXPECT_EQ(add(file), -EOPNOTSUPP);
  EXPECT_EQ(enter(3), -EBADF);
  EXPECT_EQ(add(good), 1);
  EXPECT_EQ(good.offset, 3u);
  EXPECT_EQ(add(good), -EBUSY);
  EXPECT_EQ(enter(16), -EINVAL);
  EXPECT_EQ(remove(3, 1), -EINVAL);
  EXPECT_EQ(remove(16), -EINVAL);
  EXPECT_EQ(enter(3), 0);
  EXPECT_EQ(remove(3), 1);
}

}  // namespace
