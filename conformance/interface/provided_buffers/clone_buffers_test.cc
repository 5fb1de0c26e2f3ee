// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// cloned buffers: the registered buffers of one ring are those of another as well, without being pinned
// again. A program with a ring for each thread registers its memory once.
//
// Needs IORING_REGISTER_CLONE_BUFFERS (6.12, io_uring_clone_buffers(3)); parts of a table and
// IORING_REGISTER_DST_REPLACE are 6.13. Before, an unknown registration is refused.

#include <fcntl.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>

#include "evidence/environment.h"
#include "fixture/memory_limit.h"
#include "fixture/ring_test.h"
#include "seam/kernel_abi.h"

namespace {

using namespace conformance;

class CloneBuffers : public RingTest<8> {
 protected:
  // The one that has buffers at first; `ring` has none. Both are of the kind that the row runs on, if the
  // kernel has it: otherwise the test is skipped.
  OpenRing source{8, configuration_flags()};
  // Three buffers of a page.
  alignas(4096) std::array<std::array<std::byte, 4096>, 3> memory{};
  Fd zero = open_file("/dev/zero", O_RDONLY);

  void SetUp() override {
    RingTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    const std::array<iovec, 3> buffers{{{&memory[0], 4096}, {&memory[1], 4096}, {&memory[2], 4096}}};
    must(when_there_is_room([&] { return source.register_buffers(buffers); }));
  }
  static int errno_of(const binding::Result<void>& result) { return binding::errno_of(result.error()); }

  // Which of the three is in this place of the ring: it is read into through it. -1 if none is.
  int in_place(binding::Ring& of, std::uint16_t place, Site site = Site::here()) {
    for (std::size_t i = 0; i < memory.size(); ++i) {
      must(of.read_fixed(1, zero.get(), std::span(memory[i]).first(8), 0, place), site);
      must(of.submit(), site);
      binding::Cqe cqe{};
      must(of.copy_cqe(cqe), site);
      if (wire_of(cqe) == wire::Cqe{.user_data = 1, .res = 8, .flags = 0}) return static_cast<int>(i);
      EXPECT_EQ_AT(site, wire_of(cqe), (wire::Cqe{.user_data = 1, .res = -EFAULT, .flags = 0}));
    }
    return -1;
  }
  std::vector<int> table_of(binding::Ring& of, Site site = Site::here()) {
    std::vector<int> table;
    for (std::uint16_t place = 0; place < 4; ++place) table.push_back(in_place(of, place, site));
    return table;
  }
  long clone(wire::CloneBuffers request) const {
    return do_register(wire::register_op::clone_buffers, &request, 1);
  }
  wire::CloneBuffers from(int fd) const { return {.src_fd = static_cast<std::uint32_t>(fd)}; }
  std::string witness() {
    return registration_refused(
        "CLONE_BUFFERS", [&] { return errno_of(ring.clone_buffers(source)); }, wire::feature::min_timeout);
  }
  // As 6.12 does: there it is an unknown flag.
  void expect_parts_refused(Site site = Site::here()) {
    EXPECT_EQ_AT(site, errno_of(ring.clone_buffers(source, wire::clone_dst_replace, 1, 0, 2)), EINVAL);
    EXPECT_EQ_AT(site, table_of(ring, site), (std::vector{-1, -1, -1, -1}));
  }

 private:
  static unsigned configuration_flags() {
    return kernel_takes(8, configuration().setup) ? configuration().setup : 0;
  }
};

// The buffers belong to both: each outlives the other.
TEST_F(CloneBuffers, SharesTheBuffersOfAnotherRing) {
  if (!kernel_has(wire::feature::min_timeout)) GTEST_SKIP() << witness();
  EXPECT_EQ(table_of(ring), (std::vector{-1, -1, -1, -1}));
  must(ring.clone_buffers(source));
  EXPECT_EQ(table_of(ring), (std::vector{0, 1, 2, -1}));
  must(source.unregister_buffers());
  EXPECT_EQ(table_of(source), (std::vector{-1, -1, -1, -1}));
  EXPECT_EQ(table_of(ring), (std::vector{0, 1, 2, -1}));
  must(ring.unregister_buffers());
}

// A part, into places of a table that is there already; it grows if need be. What overlaps with the part is
// replaced (io_uring_clone_buffers(3)), so what precedes and what follows it stays: kernels lost what follows
// until 525916ce4966 (io_uring/rsrc: fix lost entries after cloned range, 6.19).
TEST_F(CloneBuffers, ReplacesPlacesOfATable) {
  if (!kernel_has(wire::feature::min_timeout)) GTEST_SKIP() << witness();
  if (!kernel_has(wire::hybrid_iopoll)) return expect_parts_refused();
  must(ring.clone_buffers(source));
  must(ring.clone_buffers(source, wire::clone_dst_replace, 1, 0, 2));
  EXPECT_EQ(table_of(ring), (std::vector{1, 2, 2, -1}));
  must(ring.clone_buffers(source, wire::clone_dst_replace, 0, 3, 1));
  EXPECT_EQ(table_of(ring), (std::vector{1, 2, 2, 0}));
  EXPECT_EQ(table_of(source), (std::vector{0, 1, 2, -1}));
}

// The source may be named by its index in the table of registered rings.
TEST_F(CloneBuffers, TakesARegisteredRing) {
  if (!kernel_has(wire::feature::min_timeout)) GTEST_SKIP() << witness();
  wire::RsrcUpdate entry{.offset = ~0u, .resv = 0, .data = static_cast<std::uint64_t>(source.fd())};
  ASSERT_EQ(do_register(wire::register_op::ring_fds, &entry, 1), 1);
  wire::CloneBuffers request{.src_fd = entry.offset, .flags = wire::clone_src_registered};
  EXPECT_EQ(clone(request), 0);
  EXPECT_EQ(table_of(ring), (std::vector{0, 1, 2, -1}));
  entry.data = 0;
  EXPECT_EQ(do_register(wire::register_op::unregister_ring_fds, &entry, 1), 1);
  must(ring.unregister_buffers());
  EXPECT_EQ(clone(request), -EBADF) << "an index of no ring";
}

TEST_F(CloneBuffers, RefusesAnotherSource) {
  if (!kernel_has(wire::feature::min_timeout)) GTEST_SKIP() << witness();
  OpenRing empty{8, configuration().setup};
  EXPECT_EQ(clone(from(zero.get())), -EOPNOTSUPP);
  EXPECT_EQ(clone(from(-1)), -EBADF);
  EXPECT_EQ(errno_of(ring.clone_buffers(empty)), ENXIO);
  wire::CloneBuffers unknown = from(source.fd());
  unknown.flags = 1u << 31;
  EXPECT_EQ(clone(unknown), -EINVAL);
  EXPECT_EQ(table_of(ring), (std::vector{-1, -1, -1, -1}));
  must(ring.clone_buffers(source));
  EXPECT_EQ(errno_of(ring.clone_buffers(source)), EBUSY) << "the table is not empty";
  EXPECT_EQ(errno_of(ring.clone_buffers(ring)), EBUSY);
}

TEST_F(CloneBuffers, RefusesAnotherPart) {
  if (!kernel_has(wire::feature::min_timeout)) GTEST_SKIP() << witness();
  if (!kernel_has(wire::hybrid_iopoll)) return expect_parts_refused();
  wire::CloneBuffers without_nr = from(source.fd()), too_many = without_nr, too_far = without_nr;
  without_nr.src_off = 1;
  too_many.nr = 4;
  too_far.src_off = 2;
  too_far.nr = 2;
  EXPECT_EQ(clone(without_nr), -EINVAL);
  EXPECT_EQ(clone(too_many), -EINVAL);
  EXPECT_EQ(clone(too_far), -EOVERFLOW);
  EXPECT_EQ(table_of(ring), (std::vector{-1, -1, -1, -1}));
}

}  // namespace
