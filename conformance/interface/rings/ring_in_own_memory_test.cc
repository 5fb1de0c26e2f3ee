// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// ring in memory of one's own, and without a descriptor: with IORING_SETUP_NO_MMAP the queues lie where the
// program wants them (in a huge page, say), and with IORING_SETUP_REGISTERED_FD_ONLY the ring has an index
// from the start, and no descriptor that could leak.
//
// Needs both flags (6.5, io_uring_setup(2)). Before, an unknown flag is refused. The tests open rings with
// these flags alone. io_uring_setup_flags(7) says that REGISTERED_FD_ONLY needs NO_SQARRAY; it needs NO_MMAP.

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>

#include "evidence/environment.h"
#include "evidence/hygiene.h"
#include "fixture/memory_limit.h"
#include "fixture/ring_test.h"
#include "seam/bare_kernel.h"
#include "seam/kernel_abi.h"
#include "seam/ring_abi.h"

namespace {

using namespace conformance;

// Memory for a ring, full of what somebody else left there. Mapped, not a member of the test: the kernel lets
// go of it some time after the ring was closed.
class Memory {
 public:
  explicit Memory(std::size_t size, Site site = Site::here()) : size_(size) {
    void* const mapped =
        mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (mapped == MAP_FAILED) stop_errno(site, "mmap");
    bytes_ = static_cast<std::byte*>(mapped);
    std::memset(bytes_, 0x5a, size);
  }
  ~Memory() { munmap(bytes_, size_); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  std::span<std::byte> bytes() const { return {bytes_, size_}; }
  bool contains(std::uint64_t address) const {
    return address >= wire::address(bytes_) && address < wire::address(bytes_) + size_;
  }

 private:
  std::size_t size_;
  std::byte* bytes_ = nullptr;
};

class RingInOwnMemory : public RingTest<4> {
 protected:
  Memory memory{binding::Ring::memory_size(4, binding::Params{})};
  binding::Params params{};
  binding::Ring own;

  // Probed with a ring of our own, which is refused for its address if not for its flag.
  static bool kernel_has_it() { return kernel_takes(4, wire::setup_no_mmap); }
  binding::Result<void> open(unsigned flags) {
    return when_there_is_room([&] {
      params = {};
      params.flags = flags;
      return own.init_mem(4, params, memory.bytes());
    });
  }
  std::string witness() {
    return registration_refused(
        "a ring with NO_MMAP", [&] { return binding::errno_of(open(0).error()); }, wire::no_sqarray);
  }
  // A request goes through that memory, there and back.
  void expect_that_it_works(std::uint64_t user_data, Site site = Site::here()) {
    must(own.nop(user_data), site);
    EXPECT_EQ_AT(site, must(own.submit_and_wait(1), site), 1u);
    binding::Cqe cqe{};
    must(own.copy_cqe(cqe), site);
    EXPECT_EQ_AT(site, wire_of(cqe), (wire::Cqe{.user_data = user_data, .res = 0, .flags = 0}));
  }
  // What is in the program's memory where the kernel said that the CQEs are.
  const wire::Cqe& first_cqe() const {
    const auto address = params.cq_off.user_addr + params.cq_off.cqes;
    return *reinterpret_cast<const wire::Cqe*>(static_cast<std::uintptr_t>(address));
  }
};

TEST_F(RingInOwnMemory, LiesWhereTheProgramWantsIt) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  must(open(0));
  EXPECT_EQ(params.flags, wire::setup_no_mmap);
  EXPECT_EQ(params.sq_off.user_addr, wire::address(memory.bytes().data()));
  ASSERT_TRUE(memory.contains(params.cq_off.user_addr));
  expect_that_it_works(0x1234);
  EXPECT_EQ(first_cqe(), (wire::Cqe{.user_data = 0x1234, .res = 0, .flags = 0}));
  // Around both queues, more often than they have entries.
  for (std::uint64_t i = 0; i < 9; ++i) expect_that_it_works(i);
  EXPECT_EQ(first_cqe(), (wire::Cqe{.user_data = 7, .res = 0, .flags = 0}));
}

// It is mapped already: there is nothing else to map. (ENOMEM up to 7.1, EINVAL from 7.2 on.)
TEST_F(RingInOwnMemory, CannotBeMapped) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  must(open(0));
  for (const std::uint64_t offset : {wire::off_sq_ring, wire::off_cq_ring, wire::off_sqes}) {
    const long mapped = BareKernel::map_ring(own.fd(), 4096, offset);
    expect_one_of<long>(Site::here(), "mmap", mapped, {-EINVAL, -ENOMEM});
  }
}

// Without an index array (IORING_SETUP_NO_SQARRAY, 6.6).
TEST_F(RingInOwnMemory, NeedsNoIndexArray) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const auto opened = open(wire::setup_no_sqarray);
  if (!kernel_has(wire::no_sqarray)) {
    EXPECT_EQ(binding::errno_of(opened.error()), EINVAL);
    return;
  }
  must(opened);
  EXPECT_EQ(params.sq_off.array, 0u);
  for (std::uint64_t i = 0; i < 9; ++i) expect_that_it_works(i);
}

// Its index does all that a descriptor does: entering, registering, and letting go of it.
TEST_F(RingInOwnMemory, NeedsNoDescriptor) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const auto before = look_around().descriptors;
  must(open(wire::setup_registered_fd_only));
  EXPECT_EQ(look_around().descriptors, before);
  EXPECT_EQ(own.fd(), -1);
  const int index = own.registered_index();
  EXPECT_GE(index, 0);
  EXPECT_LT(index, static_cast<int>(wire::max_registered_rings));
  expect_that_it_works(1);
  EXPECT_EQ(binding::errno_of(own.unregister_buffers().error()), ENXIO) << "the ring, and it has none";

  // Without the flag it is a number like any other.
  const long entered = BareKernel::enter(index, 0, 0, 0, nullptr, 0);
  expect_one_of<long>(Site::here(), "enter", entered, {-EBADF, -EOPNOTSUPP});
  own.close();
  EXPECT_EQ(BareKernel::enter(index, 0, 0, wire::enter_registered_ring, nullptr, 0), -EBADF);
}

// Each queue has a page of its own here, so that each address can be wrong alone.
TEST_F(RingInOwnMemory, RefusesOtherAddresses) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const Memory rings(4096);
  std::ranges::fill(rings.bytes(), std::byte{0});
  const std::uint64_t sqes = wire::address(memory.bytes().data()), cqes = wire::address(rings.bytes().data());
  const auto set_up = [](std::uint64_t sq, std::uint64_t cq) {
    wire::Params wanted{};
    wanted.flags = wire::setup_no_mmap;
    wanted.sq_off.user_addr = sq;
    wanted.cq_off.user_addr = cq;
    const long fd = ObservedKernel::setup(4, &wanted);
    return fd >= 0 ? ObservedKernel::close(static_cast<int>(fd)) : fd;
  };
  EXPECT_EQ(set_up(sqes, cqes), 0);
  EXPECT_EQ(set_up(0, cqes), -EFAULT);
  EXPECT_EQ(set_up(sqes, 0), -EFAULT);
  EXPECT_EQ(set_up(sqes + 64, cqes), -EINVAL);
  EXPECT_EQ(set_up(sqes, cqes + 64), -EINVAL);
}

}  // namespace
