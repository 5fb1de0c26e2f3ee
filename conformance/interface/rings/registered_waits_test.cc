// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// registered wait arguments, and regions: what a wait is told (a time, a signal mask) is in memory that the
// kernel knows already, and a call names its place. A busy event loop saves copying it each time.
//
// Needs IORING_REGISTER_MEM_REGION and IORING_ENTER_EXT_ARG_REG (6.13, io_uring_register(2)). Before, an
// unknown registration is refused, and an unknown flag. The tests open the ring anew, with R_DISABLED alone:
// waits are registered before a ring is enabled.

#include <signal.h>
#include <sys/mman.h>
#include <time.h>

#include <array>
#include <cerrno>

#include "fixture/ring_test.h"
#include "seam/kernel_abi.h"

namespace {

using namespace conformance;

std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

class RegisteredWaits : public RingTest<8> {
 protected:
  static constexpr std::size_t page = 4096, wait_size = 64, places = page / wait_size;
  static constexpr unsigned wait_flags =
      wire::enter_getevents | wire::enter_ext_arg | wire::enter_ext_arg_reg;
  static constexpr binding::RegWait soon{.ts = {.tv_sec = 0, .tv_nsec = 1'000'000},
                                         .min_wait_usec = 0,
                                         .flags = wire::reg_wait_ts,
                                         .sigmask = 0,
                                         .sigmask_sz = 0,
                                         .pad = {},
                                         .pad2 = {}};
  // Refused with EINVAL wherever it is read: so a wait that reads another place than it should is seen.
  static constexpr binding::RegWait wrong{
      .ts = {}, .min_wait_usec = 0, .flags = 1u << 31, .sigmask = 0, .sigmask_sz = 0, .pad = {}, .pad2 = {}};

  // A page of waits, which outlives the ring.
  alignas(page) static inline std::array<binding::RegWait, places> waits;

  void SetUp() override {
    RingTest::SetUp();
    waits.fill(wrong);
  }
  static bool kernel_has_it() { return kernel_has(wire::hybrid_iopoll); }  // 6.13
  template <class T>
  static int errno_of(const binding::Result<T>& result) {
    return binding::errno_of(result.error());
  }
  std::string witness() {
    EXPECT_EQ(errno_of(ring.submit_and_wait_registered(1, 0)), EINVAL);
    return registration_refused(
        "MEM_REGION",
        [&] {
          binding::Ring other;
          if (const auto opened = other.init(8, wire::setup_r_disabled); !opened.ok())
            return errno_of(opened);
          return errno_of(other.register_waits(waits));
        },
        wire::hybrid_iopoll);
  }
  // A ring with these waits.
  void open(Site site = Site::here()) {
    reopen(wire::setup_r_disabled, site);
    must(ring.register_waits(waits), site);
    must(ring.enable_rings(), site);
  }
  int wait(unsigned place) { return errno_of(ring.submit_and_wait_registered(1, place)); }
  // The same by the distance of its place from the beginning.
  int wait_at(std::uint64_t distance, std::size_t size = wait_size, unsigned flags = wait_flags) {
    return errno_of(ring.enter(0, 1, flags, reinterpret_cast<const void*>(distance), size));
  }
  long register_region(const wire::RegionDesc& region, std::uint64_t flags = 0) const {
    const wire::MemRegionReg request{.region_uptr = wire::address(&region), .flags = flags};
    return do_register(wire::register_op::mem_region, &request, 1);
  }
  static wire::RegionDesc ours() {
    return {.user_addr = wire::address(waits.data()), .size = page, .flags = wire::mem_region_type_user};
  }
};

TEST_F(RegisteredWaits, EndWhenTheTimeIsOver) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  waits[0] = waits[3] = soon;
  waits[0].ts.tv_nsec = 20'000'000;
  waits[2] = {};
  waits[3].min_wait_usec = 10;
  open();
  const std::int64_t start = now_ns();
  EXPECT_EQ(wait(0), ETIME);
  EXPECT_GE(now_ns() - start, 20'000'000);
  EXPECT_EQ(wire_log().lines().back(), "enter  submit=0 wait=1 flags=73 -> -62 ETIME");
  EXPECT_EQ(wait(3), ETIME);
  EXPECT_EQ(wait(1), EINVAL) << "a flag that no kernel has";

  // One without a time lasts until there is a CQE.
  must(ring.nop(1));
  EXPECT_EQ(ring.submit_and_wait_registered(1, 2), 1u);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 1, .res = 0, .flags = 0}));
}

// The memory is the program's: what it writes there holds for the next call.
TEST_F(RegisteredWaits, AreReadByEachCall) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  open();
  EXPECT_EQ(wait(1), EINVAL);
  waits[1] = soon;
  EXPECT_EQ(wait(1), ETIME);
  waits[1].ts.tv_nsec = -1;
  EXPECT_EQ(wait(1), ETIME) << "a time that is over";
}

// A signal that is blocked and pending ends a call whose mask lets it through.
TEST_F(RegisteredWaits, MaskSignals) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  static int handled;
  handled = 0;
  struct sigaction action {
  }, before{};
  action.sa_handler = [](int) { ++handled; };
  ASSERT_EQ(sigaction(SIGUSR1, &action, &before), 0);
  sigset_t blocked{}, saved{};
  sigaddset(&blocked, SIGUSR1);
  ASSERT_EQ(sigprocmask(SIG_BLOCK, &blocked, &saved), 0);
  raise(SIGUSR1);
  constexpr std::uint64_t none = 0;
  waits[0] = waits[1] = soon;
  waits[1].sigmask = wire::address(&none);
  waits[1].sigmask_sz = sizeof none;
  open();
  EXPECT_EQ(wait(0), ETIME);
  EXPECT_EQ(handled, 0);
  EXPECT_EQ(wait(1), EINTR);
  EXPECT_EQ(handled, 1);
  ASSERT_EQ(sigprocmask(SIG_SETMASK, &saved, nullptr), 0);
  ASSERT_EQ(sigaction(SIGUSR1, &before, nullptr), 0);

  waits[1].sigmask_sz = 1;
  EXPECT_EQ(wait(1), EINVAL);
  waits[1].sigmask_sz = sizeof none;
  waits[1].sigmask = 8;  // not mapped
  EXPECT_EQ(wait(1), EFAULT);
}

// Any place does that is aligned as a long is, and within the region.
TEST_F(RegisteredWaits, AreFoundByTheirDistance) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  waits[places - 2] = soon;
  const auto between = reinterpret_cast<std::byte*>(&waits[2]) + sizeof(long);
  std::memcpy(between, &soon, sizeof soon);
  open();
  EXPECT_EQ(wait_at(2 * wait_size + sizeof(long)), ETIME);
  EXPECT_EQ(wait(places - 2), ETIME);
  EXPECT_EQ(wait_at(page - 2 * wait_size), ETIME);
  EXPECT_EQ(wait_at(1), EFAULT);
  EXPECT_EQ(wait_at(page - wait_size + sizeof(long)), EFAULT) << "it would reach beyond the region";
  EXPECT_EQ(wait(places), EFAULT);
  EXPECT_EQ(wait_at(~std::uint64_t{7}), EFAULT);
}

// Kernels read the first place instead of the last: array_index_nospec() is given the largest distance that
// is allowed, as if it were the first one that is not (29b95ac91792, io_uring: prevent reg-wait speculations,
// 6.14 and 6.13.2).
TEST_F(RegisteredWaits, AreFoundInTheLastPlaceToo) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  waits[places - 1] = soon;
  open();
  EXPECT_EQ(wait(places - 1), ETIME) << "EINVAL: it has read the first place";
}

TEST_F(RegisteredWaits, RefuseOtherCalls) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  EXPECT_EQ(wait(0), EFAULT) << "a ring without a region";
  waits[0] = soon;
  open();
  EXPECT_EQ(wait_at(0, 24), EINVAL) << "the size of what a call is told otherwise";
  // Without EXT_ARG it is a call without any argument.
  EXPECT_EQ(errno_of(ring.enter(0, 0, wire::enter_getevents | wire::enter_ext_arg_reg)), 0);
}

// Memory of the kernel's, for those who have none: it is mapped where the answer says.
TEST_F(RegisteredWaits, CanBeInMemoryOfTheKernels) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(wire::setup_r_disabled);
  binding::RegionDesc region{};
  region.size = page;
  EXPECT_TRUE(ring.register_mem_region(region, wire::mem_region_reg_wait_arg).ok());
  EXPECT_NE(region.mmap_offset, 0u);
  must(ring.enable_rings());
  void* const memory = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd(),
                            static_cast<off_t>(region.mmap_offset));
  ASSERT_NE(memory, MAP_FAILED) << strerrorname_np(errno);
  EXPECT_EQ(*static_cast<const std::uint64_t*>(memory), 0u);
  static_cast<binding::RegWait*>(memory)[1] = soon;
  EXPECT_EQ(wait(1), ETIME);
  EXPECT_EQ(munmap(memory, page), 0);
}

// A region that is not for waits may come at any time. There is one for each ring.
TEST_F(RegisteredWaits, AreOneUseOfARegion) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(0);
  EXPECT_EQ(register_region(ours(), wire::mem_region_reg_wait_arg), -EINVAL) << "the ring is enabled";
  EXPECT_EQ(register_region(ours()), 0);
  EXPECT_EQ(register_region(ours()), -EBUSY);
  EXPECT_EQ(wait(0), EFAULT) << "its region is not for waits";
}

TEST_F(RegisteredWaits, RefuseOtherRegions) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(wire::setup_r_disabled);
  wire::RegionDesc empty = ours(), part = ours(), unaligned = ours(), unknown = ours(), reserved = ours();
  empty.size = 0;
  part.size = page - 8;
  unaligned.user_addr += 8;
  unknown.flags = 1u << 31;
  reserved.resv[0] = 1;
  for (const wire::RegionDesc& bad : {empty, part, unaligned, unknown, reserved}) {
    EXPECT_EQ(register_region(bad), -EINVAL);
  }
  wire::RegionDesc not_ours = ours(), nowhere = ours();
  not_ours.flags = 0;
  nowhere.user_addr = 0;
  EXPECT_EQ(register_region(not_ours), -EFAULT);
  EXPECT_EQ(register_region(nowhere), -EFAULT);
  EXPECT_EQ(register_region(ours(), std::uint64_t{1} << 63), -EINVAL);
  EXPECT_EQ(do_register(wire::register_op::mem_region, nullptr, 1), -EINVAL);
  EXPECT_EQ(register_region(ours(), wire::mem_region_reg_wait_arg), 0) << "none of these was registered";
}

}  // namespace
