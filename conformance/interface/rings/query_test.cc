// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// query: IORING_REGISTER_QUERY tells what the kernel has of io_uring, all of it at once and without a ring. A
// program need not find out by trying.
//
// Needs IORING_REGISTER_QUERY (6.18, include/uapi/linux/io_uring/query.h; io_uring_register_query(3) says
// 6.15). Before, the registration is unknown, on -1 as on a ring. The tests that look at a ring open it anew,
// without flags.

#include <sched.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <limits>

#include "evidence/environment.h"
#include "fixture/ring_test.h"
#include "seam/bare_kernel.h"
#include "seam/kernel_abi.h"
#include "seam/ring_abi.h"

namespace {

using namespace conformance;

class Query : public RingTest<4> {
 protected:
  using Answer = std::array<std::uint8_t, 64>;  // more than any answer has, up to 7.3

  static wire::QueryHdr question(std::uint32_t op, const void* answer, std::size_t size) {
    return {.query_data = wire::address(answer), .query_op = op, .size = static_cast<std::uint32_t>(size)};
  }
  // By a system call of our own, without a ring.
  static long ask(wire::QueryHdr& first, unsigned count = 0) {
    return BareKernel::do_register(-1, wire::register_op::query, &first, count);
  }
  static int errno_of(const binding::Result<void>& result) { return binding::errno_of(result.error()); }
  // The result of one question for which the call succeeds.
  static int result_of(wire::QueryHdr header, Site site = Site::here()) {
    EXPECT_EQ_AT(site, ask(header), 0);
    return header.result;
  }
  static wire::QueryOpcode abilities(Site site = Site::here()) {
    binding::QueryOpcode answer{};
    must(binding::query_abilities(answer), site);
    return std::bit_cast<wire::QueryOpcode>(answer);
  }
  std::string witness() {
    return registration_refused(
        "QUERY",
        [&] {
          binding::QueryOpcode answer{};
          wire::QueryHdr header = question(wire::query_opcodes, &answer, sizeof answer);
          EXPECT_EQ(do_register(wire::register_op::query, &header, 0), -EINVAL);
          return errno_of(binding::query_abilities(answer));
        },
        wire::cqe_mixed);
  }
};

// The heart: what it says is what the probe, a new ring and the flags of an SQE say.
TEST_F(Query, TellsWhatTheKernelHas) {
  if (!kernel_has(wire::cqe_mixed)) GTEST_SKIP() << witness();
  const wire::QueryOpcode answer = abilities();
  wire::Probe probe{};
  ASSERT_EQ(do_register(wire::register_op::probe, &probe, 256), 0);
  EXPECT_EQ(answer.nr_request_opcodes, probe.last_op + 1u);
  EXPECT_GT(answer.nr_register_opcodes, wire::register_op::query);
  EXPECT_EQ(answer.feature_flags, ring.features());
  EXPECT_EQ(answer.sqe_flags, 0x7fu);  // all up to CQE_SKIP_SUCCESS; there is no room for more than one
  EXPECT_GE(answer.nr_query_opcodes, 1u);
  EXPECT_EQ(answer.pad, 0u);
}

// A ring is asked the same.
TEST_F(Query, IsAnsweredByARingToo) {
  if (!kernel_has(wire::cqe_mixed)) GTEST_SKIP() << witness();
  wire::QueryOpcode answer{};
  wire::QueryHdr header = question(wire::query_opcodes, &answer, sizeof answer);
  EXPECT_EQ(do_register(wire::register_op::query, &header, 0), 0);
  EXPECT_EQ(header.result, 0);
  EXPECT_EQ(header.size, sizeof answer);
  EXPECT_EQ(answer, abilities());
}

// The first registration that is not there is refused, and one that needs a ring finds none.
TEST_F(Query, TellsHowManyRegistrationsThereAre) {
  if (!kernel_has(wire::cqe_mixed)) GTEST_SKIP() << witness();
  EXPECT_EQ(do_register(abilities().nr_register_opcodes, nullptr, 0), -EINVAL);
  EXPECT_EQ(BareKernel::do_register(-1, wire::register_op::unregister_buffers, nullptr, 0), -EINVAL);
}

// Each flag that it lists opens a ring, with what the flag needs, and the first that it does not list is
// refused. Of flags newer than this suite nothing is known.
TEST_F(Query, ListsTheFlagsOfSetup) {
  if (!kernel_has(wire::cqe_mixed)) GTEST_SKIP() << witness();
  reopen(0);
  const std::uint64_t listed = abilities().ring_setup_flags;
  alignas(65536) static std::array<std::array<std::byte, 65536>, 2> memory{};
  const auto opens = [&](unsigned bit) {
    wire::Params params{};
    params.flags = 1u << bit;
    if (params.flags == wire::setup_sq_aff) {
      params.flags |= wire::setup_sqpoll;
      params.sq_thread_cpu = static_cast<std::uint32_t>(sched_getcpu());
    }
    if (params.flags == wire::setup_taskrun_flag) params.flags |= wire::setup_coop_taskrun;
    if (params.flags == wire::setup_defer_taskrun) params.flags |= wire::setup_single_issuer;
    if (params.flags == wire::setup_hybrid_iopoll) params.flags |= wire::setup_iopoll;
    if (params.flags == wire::setup_sq_rewind) params.flags |= wire::setup_no_sqarray;
    if (params.flags == wire::setup_cqsize) params.cq_entries = 8;
    if (params.flags == wire::setup_attach_wq) params.wq_fd = static_cast<std::uint32_t>(ring.fd());
    if (params.flags == wire::setup_registered_fd_only) params.flags |= wire::setup_no_mmap;
    if ((params.flags & wire::setup_no_mmap) != 0) {
      params.sq_off.user_addr = wire::address(&memory[0]);
      params.cq_off.user_addr = wire::address(&memory[1]);
    }
    const long opened = BareKernel::setup(4, &params);
    if (opened < 0) return static_cast<int>(opened);
    if ((params.flags & wire::setup_registered_fd_only) != 0) {
      wire::RsrcUpdate index{.offset = static_cast<std::uint32_t>(opened), .resv = 0, .data = 0};
      EXPECT_EQ(do_register(wire::register_op::unregister_ring_fds, &index, 1), 1);
    } else {
      BareKernel::close(static_cast<int>(opened));
    }
    return 0;
  };
  unsigned first_unlisted = 0;
  while ((listed >> first_unlisted & 1) != 0) ++first_unlisted;
  EXPECT_EQ(listed >> first_unlisted, 0u) << "a gap";
  ASSERT_LT(first_unlisted, 32u);
  EXPECT_EQ(opens(first_unlisted), -EINVAL);
  constexpr unsigned last_known = std::countr_zero(wire::setup_sq_rewind);
  for (unsigned bit = 0; bit < first_unlisted && bit <= last_known; ++bit) {
    EXPECT_EQ(opens(bit), 0) << "flag 1 << " << bit;
  }
}

// Each flag that it lists is accepted by io_uring_enter(2), where there is nothing to do.
TEST_F(Query, ListsTheFlagsOfEnter) {
  if (!kernel_has(wire::cqe_mixed)) GTEST_SKIP() << witness();
  reopen(0);
  const std::uint64_t listed = abilities().enter_flags;
  wire::RsrcUpdate index{.offset = ~0u, .resv = 0, .data = static_cast<std::uint64_t>(ring.fd())};
  ASSERT_EQ(do_register(wire::register_op::ring_fds, &index, 1), 1);
  std::uint32_t flag = 1;
  for (; (listed & flag) != 0; flag <<= 1) {
    const int fd = flag == wire::enter_registered_ring ? static_cast<int>(index.offset) : ring.fd();
    EXPECT_EQ(BareKernel::enter(fd, 0, 0, flag, nullptr, 0), 0) << flag;
  }
  EXPECT_EQ(listed, flag - 1) << "a gap";
  EXPECT_GT(flag, wire::enter_no_iowait);
  EXPECT_EQ(BareKernel::enter(ring.fd(), 0, 0, flag, nullptr, 0), -EINVAL);
  index.data = 0;
  EXPECT_EQ(do_register(wire::register_op::unregister_ring_fds, &index, 1), 1);
}

// One that is not understood does not keep the others in its chain from being answered.
TEST_F(Query, TakesAChainOfQuestions) {
  if (!kernel_has(wire::cqe_mixed)) GTEST_SKIP() << witness();
  wire::QueryOpcode first{}, unknown{}, last{};
  std::array<wire::QueryHdr, 3> chain{question(wire::query_opcodes, &first, sizeof first),
                                      question(999, &unknown, sizeof unknown),
                                      question(wire::query_opcodes, &last, sizeof last)};
  chain[0].next_entry = wire::address(&chain[1]);
  chain[1].next_entry = wire::address(&chain[2]);
  EXPECT_EQ(ask(chain[0]), 0);
  EXPECT_EQ(chain[0].result, 0);
  EXPECT_EQ(chain[1].result, -EOPNOTSUPP);
  EXPECT_EQ(chain[1].size, 0u);
  EXPECT_EQ(chain[2].result, 0);
  EXPECT_EQ(first, abilities());
  EXPECT_EQ(last, first);

  chain[2].result = 0;
  chain[2].next_entry = wire::address(&chain[2]);
  EXPECT_EQ(ask(chain[2]), -ERANGE) << "a chain without an end";
}

// As many kinds of questions as it says, and no other.
TEST_F(Query, TellsWhichQuestionsThereAre) {
  if (!kernel_has(wire::cqe_mixed)) GTEST_SKIP() << witness();
  const std::uint32_t kinds = abilities().nr_query_opcodes;
  for (std::uint32_t op = 0; op < kinds + 4; ++op) {
    Answer answer{};
    EXPECT_EQ(result_of(question(op, &answer, sizeof answer)), op < kinds ? 0 : -EOPNOTSUPP) << op;
  }
}

// IO_URING_QUERY_SCQ (6.19) tells what comes before the CQEs: what a ring in a program's own memory needs.
TEST_F(Query, TellsOfARingsHeader) {
  if (!kernel_has(wire::cqe_mixed)) GTEST_SKIP() << witness();
  reopen(0);
  binding::QueryScq answer{};
  const auto asked = binding::query_ring_headers(answer);
  if (abilities().nr_query_opcodes <= wire::query_scq) {
    EXPECT_EQ(errno_of(asked), EOPNOTSUPP);
    return;
  }
  must(asked);
  const auto scq = std::bit_cast<wire::QueryScq>(answer);
  EXPECT_EQ(scq.hdr_size, wire_log().rings().at(ring.fd()).params.cq_off.cqes);
  EXPECT_TRUE(std::has_single_bit(scq.hdr_alignment));
  EXPECT_EQ(scq.hdr_size % scq.hdr_alignment, 0u);
}

// An answer is cut off where the program has no more room, and what is beyond its end is zero.
TEST_F(Query, FitsTheAnswerIntoItsPlace) {
  if (!kernel_has(wire::cqe_mixed)) GTEST_SKIP() << witness();
  const wire::QueryOpcode whole = abilities();
  Answer answer;
  answer.fill(0xff);
  wire::QueryHdr header = question(wire::query_opcodes, &answer, answer.size());
  EXPECT_EQ(ask(header), 0);
  EXPECT_EQ(header.result, 0);
  EXPECT_EQ(header.size, sizeof whole);
  EXPECT_EQ(std::memcmp(answer.data(), &whole, sizeof whole), 0);
  EXPECT_EQ(answer[sizeof whole], 0);
  EXPECT_EQ(answer.back(), 0);

  answer.fill(0xff);
  header = question(wire::query_opcodes, &answer, 16);
  EXPECT_EQ(ask(header), 0);
  EXPECT_EQ(header.result, 0);
  EXPECT_EQ(header.size, 16u);
  EXPECT_EQ(std::memcmp(answer.data(), &whole, 16), 0);
  EXPECT_EQ(answer[16], 0xff);
}

TEST_F(Query, RefusesOtherQuestions) {
  if (!kernel_has(wire::cqe_mixed)) GTEST_SKIP() << witness();
  Answer answer{};
  const wire::QueryHdr good = question(wire::query_opcodes, &answer, sizeof answer);
  wire::QueryHdr header = good;
  EXPECT_EQ(ask(header, 1), -EINVAL);
  EXPECT_EQ(BareKernel::do_register(-1, wire::register_op::query, reinterpret_cast<const void*>(8), 0),
            -EFAULT);
  header.query_data = 8;
  EXPECT_EQ(ask(header), -EFAULT) << "no place for the answer";
  // These are answers to a question of the chain, not to the call.
  for (const std::size_t word : {0u, 1u, 2u}) {
    header = good;
    header.resv[word] = 1;
    EXPECT_EQ(result_of(header), -EINVAL) << word;
  }
  header = good;
  header.result = 1;
  EXPECT_EQ(result_of(header), -EINVAL);
  EXPECT_EQ(result_of(question(wire::query_opcodes, &answer, 0)), -EINVAL);
}

}  // namespace
