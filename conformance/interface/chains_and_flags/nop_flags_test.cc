// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// NOP that does what it is told: with flags it completes with any result, looks up a file or a buffer, or
// completes by task work. Tests and benchmarks of a program's own code are made of it.
//
// Needs IORING_NOP_INJECT_RESULT (6.10); _FILE, _FIXED_FILE and _FIXED_BUFFER are 6.13, _TW is 6.17
// (include/uapi/linux/io_uring.h). Before, a flag is refused.

#include <fcntl.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>

#include "evidence/environment.h"
#include "fixture/ring_test.h"
#include "seam/kernel_abi.h"

namespace {

using namespace conformance;

class NopFlags : public RingTest<8> {
 protected:
  Fd null = open_file("/dev/null", O_RDONLY);

  // No binding has words for these.
  static wire::Sqe nop(std::uint64_t user_data, std::uint32_t flags) {
    return {.opcode = wire::op::nop, .op_flags = flags, .user_data = user_data};
  }
  static wire::Sqe inject(std::uint64_t user_data, std::int32_t res, std::uint8_t flags = 0) {
    return {.opcode = wire::op::nop,
            .flags = flags,
            .len = static_cast<std::uint32_t>(res),
            .op_flags = wire::nop_inject_result,
            .user_data = user_data};
  }
  static wire::Sqe with_file(std::int32_t fd, std::uint32_t more = 0) {
    wire::Sqe sqe = nop(1, wire::nop_file | more);
    sqe.fd = fd;
    return sqe;
  }
  static wire::Sqe with_buffer(std::uint16_t index) {
    wire::Sqe sqe = nop(1, wire::nop_fixed_buffer);
    sqe.buf_index = index;
    return sqe;
  }
  binding::Result<binding::Sqe&> queue(const wire::Sqe& sqe) {
    binding::Result<binding::Sqe&> queued = ring.nop(0);
    must(queued) = std::bit_cast<binding::Sqe>(sqe);
    return queued;
  }
  std::string witness() {
    return refused([&] { return queue(inject(1, -E2BIG)); }, inject(1, -E2BIG), [] { return ""; },
                   Modifier{.name = "a result", .proxy = wire::feature::recvsend_bundle});
  }
  static wire::Cqe done(std::uint64_t user_data, std::int32_t res) {
    return {.user_data = user_data, .res = res, .flags = 0};
  }
  // As 6.10 to 6.12 do: there the flags are unknown.
  void expect_lookups_refused(Site site = Site::here()) {
    for (const wire::Sqe& sqe : {with_file(null.get()), with_file(0, wire::nop_fixed_file), with_buffer(0)}) {
      EXPECT_EQ_AT(site, complete(sqe), done(1, -EINVAL));
    }
  }
};

TEST_F(NopFlags, CompletesWithAnyResult) {
  if (!kernel_has(wire::feature::recvsend_bundle)) GTEST_SKIP() << witness();
  for (const std::int32_t res : {-E2BIG, 77, 0}) EXPECT_EQ(complete(inject(1, res)), done(1, res));
}

// An error is a failure, which ends a chain; a positive result is none.
TEST_F(NopFlags, FailsOrNot) {
  if (!kernel_has(wire::feature::recvsend_bundle)) GTEST_SKIP() << witness();
  must(queue(inject(1, -E2BIG, wire::io_link)));
  must(ring.nop(2));
  submit(2);
  EXPECT_EQ(wait_cqes(2), (Cqes{done(1, -E2BIG), done(2, -ECANCELED)}));
  must(queue(inject(1, 7, wire::io_link)));
  must(ring.nop(2));
  submit(2);
  EXPECT_EQ(wait_cqes(2), (Cqes{done(1, 7), done(2, 0)}));

  must(queue(inject(1, -E2BIG, wire::cqe_skip_success)));
  submit(1);
  EXPECT_EQ(cqes_before_nop(3), (Cqes{done(1, -E2BIG), done(3, 0)}));
  must(queue(inject(1, 7, wire::cqe_skip_success)));
  submit(1);
  EXPECT_EQ(cqes_before_nop(3), (Cqes{done(3, 0)}));
}

TEST_F(NopFlags, LooksUpAFileOrABuffer) {
  if (!kernel_has(wire::feature::recvsend_bundle)) GTEST_SKIP() << witness();
  if (!kernel_has(wire::hybrid_iopoll)) return expect_lookups_refused();
  EXPECT_EQ(complete(with_file(null.get())), done(1, 0));
  must(ring.register_files(std::array{-1, null.get()}));
  EXPECT_EQ(complete(with_file(1, wire::nop_fixed_file)), done(1, 0));
  std::array<std::byte, 8> memory{};
  const iovec buffer{.iov_base = memory.data(), .iov_len = memory.size()};
  must(ring.register_buffers({&buffer, 1}));
  EXPECT_EQ(complete(with_buffer(0)), done(1, 0));
}

// And says so when there is none.
TEST_F(NopFlags, MissesAFileOrABuffer) {
  if (!kernel_has(wire::feature::recvsend_bundle)) GTEST_SKIP() << witness();
  if (!kernel_has(wire::hybrid_iopoll)) return expect_lookups_refused();
  EXPECT_EQ(complete(with_file(not_open)), done(1, -EBADF));
  EXPECT_EQ(complete(with_file(1, wire::nop_fixed_file)), done(1, -EBADF));
  EXPECT_EQ(complete(with_buffer(0)), done(1, -EFAULT));
}

// On a ring with DEFER_TASKRUN task work waits until it is asked for. A kernel that takes CQE_MIXED (6.18)
// has the flag; for 6.17 itself there is nothing to ask.
TEST_F(NopFlags, CompletesByTaskWork) {
  if (!kernel_has(wire::feature::recvsend_bundle)) GTEST_SKIP() << witness();
  const bool must_have_it = kernel_takes(8, wire::setup_cqe_mixed);
  const wire::Cqe answer = complete(nop(1, wire::nop_tw));
  if (!must_have_it && answer == done(1, -EINVAL)) return;
  ASSERT_EQ(answer, done(1, 0));
  reopen(wire::setup_single_issuer | wire::setup_defer_taskrun);
  must(queue(nop(1, wire::nop_tw)));
  EXPECT_EQ(ring.submit(), 1u);
  EXPECT_EQ(ready_by_itself(), 0u);
  EXPECT_EQ(ring.enter(0, 0, wire::enter_getevents), 0u);
  EXPECT_EQ(ready_by_itself(), 1u);
  EXPECT_EQ(wait_cqe(), done(1, 0));
}

// Without a flag for it, fd means nothing. A large CQE does not fit into a ring of ordinary ones.
TEST_F(NopFlags, RefusesWhatMeansNothing) {
  if (!kernel_has(wire::feature::recvsend_bundle)) GTEST_SKIP() << witness();
  EXPECT_EQ(complete(nop(1, wire::nop_nobody)), done(1, -EINVAL));
  EXPECT_EQ(complete(nop(1, wire::nop_cqe32)), done(1, -EINVAL));
  wire::Sqe closed = nop(1, 0);
  closed.fd = not_open;
  EXPECT_EQ(complete(closed), done(1, 0));
}

}  // namespace
