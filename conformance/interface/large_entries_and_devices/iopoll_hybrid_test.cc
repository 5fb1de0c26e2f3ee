// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// hybrid polled I/O: as polled I/O, but who asks for a completion sleeps for about half of the time that such
// requests take, before it begins to ask. It costs less of the processor.
//
// Needs IORING_SETUP_HYBRID_IOPOLL (6.13, io_uring_setup(2)), and an NVMe drive with a queue for it
// (nvme.poll_queues). Before, an unknown flag is refused. The tests open the ring anew, with the flags that
// they name. How long the sleep is they do not ask.

#include <array>
#include <cerrno>

#include "evidence/environment.h"
#include "fixture/polled_ring.h"
#include "seam/kernel_abi.h"

namespace {

using namespace conformance;

constexpr unsigned hybrid = wire::setup_iopoll | wire::setup_hybrid_iopoll,
                   deferred = hybrid | wire::setup_single_issuer | wire::setup_defer_taskrun;

class IopollHybrid : public PolledRingTest {
 protected:
  static constexpr std::uint64_t offset = 2 << 20;

  static bool kernel_has_it() { return kernel_has(wire::hybrid_iopoll); }
  std::string witness(unsigned flags = hybrid) {
    return ring_refused("HYBRID_IOPOLL", flags, wire::feature::rw_attr);  // 6.14
  }
};

TEST_F(IopollHybrid, CompletesWhenAsked) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(hybrid);
  expect_written_and_read('a', offset);
}

TEST_F(IopollHybrid, CompletesWhenAskedWithDeferredTaskWork) {
  if (!kernel_has_it()) GTEST_SKIP() << witness(deferred);
  reopen(deferred);
  expect_written_and_read('b', offset);
}

// One after the other: the sleep adapts to what the requests before took.
TEST_F(IopollHybrid, CompletesEightInARow) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(hybrid);
  for (int i = 0; i < 8; ++i) drive.write(page_of('a' + i), offset + i * page);
  for (int i = 0; i < 8; ++i) {
    const std::uint64_t user_data = 10 + i;
    EXPECT_EQ(wire_of(must(ring.read(user_data, file.get(), buffer, offset + i * page))),
              wanted(wire::op::read, user_data, buffer.data(), page, offset + i * page));
    EXPECT_EQ(complete(), done(user_data, page));
    EXPECT_EQ(buffer, page_of('a' + i));
  }
}

// Several at once, of which each call asks for one.
TEST_F(IopollHybrid, CompletesEightTogether) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(hybrid);
  std::array<DirectPage, 8> pages{};
  for (int i = 0; i < 8; ++i) drive.write(page_of('A' + i), offset + i * page);
  for (int i = 0; i < 8; ++i) must(ring.read(i, file.get(), pages[i], offset + i * page));
  submit_unasked(ring, 8);
  const Cqes cqes = wait_cqes(8);
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(cqes[i], done(i, page));
    EXPECT_EQ(pages[i], page_of('A' + i));
  }
}

// It is a way of polling, and needs that.
TEST_F(IopollHybrid, NeedsIopoll) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  expect_no_ring(wire::setup_hybrid_iopoll);
}

}  // namespace
