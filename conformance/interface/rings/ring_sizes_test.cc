// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// ring sizes: how many entries a ring has when so many are asked for, and which numbers are refused. Programs
// that count what is in flight, or map a ring themselves, rely on it.
//
// Needs IORING_SETUP_CLAMP (5.6, io_uring_setup(2); CQSIZE is 5.5, IORING_SQ_CQ_OVERFLOW 5.8). Before, an
// unknown flag is refused. The sizes belong to no kind of ring: the tests open rings of their own, with these
// flags alone.

#include <cerrno>

#include "fixture/memory_limit.h"
#include "fixture/ring_test.h"
#include "seam/kernel_abi.h"
#include "seam/ring_abi.h"

namespace {

using namespace conformance;

struct Sizes {
  unsigned sq, cq;

  friend bool operator==(const Sizes&, const Sizes&) = default;
  friend void PrintTo(const Sizes& sizes, std::ostream* out) {
    *out << sizes.sq << " SQEs, " << sizes.cq << " CQEs";
  }
};

class RingSizes : public RingTest<4> {
 protected:
  // The sizes that io_uring_setup(2) tells. By a call of our own, because a binding may refuse numbers by
  // itself. Whatever happens, the descriptors of this process are looked at when the test has ended.
  static binding::Result<void> set_up(unsigned entries, unsigned flags, unsigned cq_entries, Sizes& told) {
    return when_there_is_room([&]() -> binding::Result<void> {
      wire::Params params{};
      params.cq_entries = cq_entries;
      params.flags = flags;
      const long fd = ObservedKernel::setup(entries, &params);
      if (fd >= 0) ObservedKernel::close(static_cast<int>(fd));
      told = {params.sq_entries, params.cq_entries};
      return binding::Result<std::uint32_t>::from_kernel(fd).error();
    });
  }
  static Sizes sizes(unsigned entries, unsigned flags = 0, unsigned cq_entries = 0,
                     Site site = Site::here()) {
    Sizes told{};
    must(set_up(entries, flags, cq_entries, told), site);
    return told;
  }
  static int error(unsigned entries, unsigned flags = 0, unsigned cq_entries = 0) {
    Sizes told{};
    return binding::errno_of(set_up(entries, flags, cq_entries, told).error());
  }
  // Opens the ring of the test through the binding.
  void open(unsigned entries, unsigned flags, unsigned cq_entries, Site site = Site::here()) {
    wire_log().add_sqe_flags(0);  // as reopen() does
    ring.close();
    must(when_there_is_room([&] {
           binding::Params params{};
           params.flags = flags;
           params.cq_entries = cq_entries;
           return ring.init_params(entries, params);
         }),
         site);
  }
  std::uint32_t word(std::uint32_t offset) const {
    return *reinterpret_cast<const std::uint32_t*>(wire_log().rings().at(ring.fd()).rings + offset);
  }
};

TEST_F(RingSizes, AreRoundedUp) {
  EXPECT_EQ(sizes(3), (Sizes{4, 8}));
  EXPECT_EQ(sizes(1), (Sizes{1, 2}));
  EXPECT_EQ(sizes(wire::max_entries), (Sizes{wire::max_entries, wire::max_cq_entries}));
  EXPECT_EQ(sizes(3, wire::setup_cqsize, 9), (Sizes{4, 16}));
  // (io_uring_setup(2) says that it must be more than the SQEs.)
  EXPECT_EQ(sizes(4, wire::setup_cqsize, 4), (Sizes{4, 4}));
}

TEST_F(RingSizes, HaveLimits) {
  EXPECT_EQ(error(0), EINVAL);
  EXPECT_EQ(error(wire::max_entries + 1), EINVAL);
  EXPECT_EQ(error(4, wire::setup_cqsize, 0), EINVAL);
  EXPECT_EQ(error(4, wire::setup_cqsize, 2), EINVAL) << "fewer than there are SQEs";
  EXPECT_EQ(error(4, wire::setup_cqsize, wire::max_cq_entries + 1), EINVAL);
}

// IORING_SETUP_CLAMP asks for as many as there may be. None at all is still a mistake.
TEST_F(RingSizes, AreClamped) {
  EXPECT_EQ(sizes(40000, wire::setup_clamp), (Sizes{wire::max_entries, wire::max_cq_entries}));
  EXPECT_EQ(sizes(4, wire::setup_clamp | wire::setup_cqsize, 70000), (Sizes{4, wire::max_cq_entries}));
  EXPECT_EQ(error(0, wire::setup_clamp), EINVAL);
  EXPECT_EQ(error(4, wire::setup_clamp | wire::setup_cqsize, 0), EINVAL);
}

// The words in the ring's memory say the same, and both queues are as long as that.
TEST_F(RingSizes, AreThoseOfTheQueues) {
  open(4, wire::setup_cqsize, 9);
  EXPECT_EQ(ring.sq_entries(), 4u);
  EXPECT_EQ(ring.cq_entries(), 16u);
  const wire::Params& params = wire_log().rings().at(ring.fd()).params;
  EXPECT_EQ(word(params.sq_off.ring_entries), 4u);
  EXPECT_EQ(word(params.sq_off.ring_mask), 3u);
  EXPECT_EQ(word(params.cq_off.ring_entries), 16u);
  EXPECT_EQ(word(params.cq_off.ring_mask), 15u);

  std::uint64_t user_data = 0;
  for (int batch = 0; batch < 4; ++batch) {
    for (int i = 0; i < 4; ++i) must(ring.nop(user_data++));
    EXPECT_EQ(ring.nop(99).error(), binding::Error::submission_queue_full);
    EXPECT_EQ(must(ring.submit()), 4u);
  }
  EXPECT_EQ(ring.cq_ready(), 16u);
  EXPECT_EQ(sq_flags() & wire::sq_cq_overflow, 0u);
  must(ring.nop(user_data++));
  EXPECT_EQ(must(ring.submit()), 1u);
  EXPECT_EQ(ring.cq_ready(), 16u);
  EXPECT_EQ(sq_flags() & wire::sq_cq_overflow, wire::sq_cq_overflow);
  for (std::uint64_t i = 0; i < user_data; ++i) {
    EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = i, .res = 0, .flags = 0}));
  }
}

// The longest ring, through the binding: its last SQE is as good as its first.
TEST_F(RingSizes, GoUpToTheLongestRing) {
  open(2 * wire::max_entries, wire::setup_clamp, 0);
  EXPECT_EQ(ring.sq_entries(), wire::max_entries);
  EXPECT_EQ(ring.cq_entries(), wire::max_cq_entries);
  for (std::uint64_t i = 0; i < wire::max_entries; ++i) must(ring.nop(i));
  EXPECT_EQ(ring.nop(0).error(), binding::Error::submission_queue_full);
  EXPECT_EQ(must(ring.submit()), wire::max_entries);
  EXPECT_EQ(ring.cq_ready(), wire::max_entries);
  std::uint64_t in_order = 0;
  ring.for_each_cqe([&](const binding::Cqe& cqe) {
    in_order += wire_of(cqe) == wire::Cqe{.user_data = in_order, .res = 0, .flags = 0};
  });
  EXPECT_EQ(in_order, wire::max_entries);
}

}  // namespace
