// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// setup refusals: flags that exclude each other, reserved words, and what else io_uring_setup(2) refuses. A
// program that asks for the newest flags first, and then for fewer, tells by these answers what to try next.
//
// Needs the single mapping (5.4). A kernel that lacks one of two flags refuses it with the same EINVAL: this
// row says nothing of whether a kernel has them. The refused rings have flags of their own, whatever kind
// of ring the row runs on. That none of them leaves a descriptor open is looked at when a test has ended.

#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>

#include "fixture/ring_test.h"
#include "seam/bare_kernel.h"
#include "seam/kernel_abi.h"
#include "seam/ring_abi.h"

namespace {

using namespace conformance;

// Lowers the number of descriptors that this process may have, to those that it has.
class NoDescriptorLeft {
 public:
  NoDescriptorLeft() {
    const Fd next(dup(STDERR_FILENO));
    if (next.get() < 0 || getrlimit(RLIMIT_NOFILE, &saved_) != 0) stop_errno(Site::here(), "RLIMIT_NOFILE");
    const rlimit none{.rlim_cur = static_cast<rlim_t>(next.get()), .rlim_max = saved_.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &none) != 0) stop_errno(Site::here(), "setrlimit");
  }
  ~NoDescriptorLeft() { setrlimit(RLIMIT_NOFILE, &saved_); }
  NoDescriptorLeft(const NoDescriptorLeft&) = delete;
  NoDescriptorLeft& operator=(const NoDescriptorLeft&) = delete;

 private:
  rlimit saved_{};
};

class SetupRefusals : public RingTest<4> {
 protected:
  // By a call of our own: a binding may refuse by itself.
  static long set_up(wire::Params params) {
    const long result = ObservedKernel::setup(4, &params);
    if (result >= 0) ObservedKernel::close(static_cast<int>(result));
    return result;
  }
  static long set_up(unsigned flags) {
    wire::Params params{};
    params.flags = flags;
    return set_up(params);
  }
  static int open_through_the_binding(unsigned flags, Site site = Site::here()) {
    binding::Ring other;
    const auto opened = other.init(4, flags);
    if (opened.ok()) stop(site, "opened");
    return binding::errno_of(opened.error());
  }
  void expect_that_rings_open(Site site = Site::here()) {
    reopen(0, site);
    must(ring.nop(1), site);
    EXPECT_EQ_AT(site, must(ring.submit(), site), 1u);
    EXPECT_EQ_AT(site, wait_cqe(site), (wire::Cqe{.user_data = 1, .res = 0, .flags = 0}));
  }
};

struct Excluded {
  const char* what;
  unsigned flags;
};
// io_uring_setup(2); io_uring_sanitise_params() of 7.3.
constexpr Excluded excluded[] = {
    {"SQ_AFF without SQPOLL", wire::setup_sq_aff},
    {"SQPOLL with COOP_TASKRUN", wire::setup_sqpoll | wire::setup_coop_taskrun},
    {"SQPOLL with TASKRUN_FLAG", wire::setup_sqpoll | wire::setup_taskrun_flag},
    {"SQPOLL with DEFER_TASKRUN", wire::setup_sqpoll | wire::setup_single_issuer | wire::setup_defer_taskrun},
    {"TASKRUN_FLAG alone", wire::setup_taskrun_flag},
    {"DEFER_TASKRUN without SINGLE_ISSUER", wire::setup_defer_taskrun},
    {"HYBRID_IOPOLL without IOPOLL", wire::setup_hybrid_iopoll},
    {"SQ_REWIND without NO_SQARRAY", wire::setup_sq_rewind},
    {"SQ_REWIND with SQPOLL", wire::setup_sqpoll | wire::setup_no_sqarray | wire::setup_sq_rewind},
    {"a flag that no kernel has", wire::setup_nobody},
};
// Of these our binding lets no kernel know: they belong to rings of another type, or to another function.
constexpr Excluded excluded_shapes[] = {
    {"CQE32 with CQE_MIXED", wire::setup_cqe32 | wire::setup_cqe_mixed},
    {"SQE128 with SQE_MIXED", wire::setup_sqe128 | wire::setup_sqe_mixed},
    {"REGISTERED_FD_ONLY without NO_MMAP", wire::setup_registered_fd_only},
};

TEST_F(SetupRefusals, KnowsWhichFlagsExcludeEachOther) {
  for (const auto& [what, flags] : excluded) {
    EXPECT_EQ(set_up(flags), -EINVAL) << what;
    EXPECT_EQ(open_through_the_binding(flags), EINVAL) << what;
  }
  for (const auto& [what, flags] : excluded_shapes) {
    EXPECT_EQ(set_up(flags), -EINVAL) << what;
    open_through_the_binding(flags);
  }
  expect_that_rings_open();
}

TEST_F(SetupRefusals, LooksAtReservedWords) {
  for (const int i : {0, 1, 2}) {
    wire::Params params{};
    params.resv[i] = 1;
    EXPECT_EQ(set_up(params), -EINVAL) << i;
  }
  EXPECT_GE(set_up(wire::Params{}), 0);
}

TEST_F(SetupRefusals, NeedsItsArgument) {
  for (const std::uintptr_t nowhere : {std::uintptr_t{8}, ~std::uintptr_t{4095}}) {
    EXPECT_EQ(BareKernel::setup(4, reinterpret_cast<wire::Params*>(nowhere)), -EFAULT) << nowhere;
  }
  expect_that_rings_open();
}

TEST_F(SetupRefusals, NeedsADescriptor) {
  {
    const NoDescriptorLeft none_left;
    EXPECT_EQ(open_through_the_binding(0), EMFILE);
  }
  expect_that_rings_open();
}

}  // namespace
