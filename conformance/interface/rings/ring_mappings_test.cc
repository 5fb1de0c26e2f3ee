// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// ring mappings: what mmap(2) on a ring's descriptor gives, and what is where in it. Each binding maps a ring
// once and then trusts these words for as long as the ring lives.
//
// Needs the single mapping (5.4, IORING_FEAT_SINGLE_MMAP in io_uring_setup(2)). The tests open the ring anew,
// without flags, and map it a second time. Where the words are differs from kernel to kernel (64 bytes apart
// up to 6.1, one after another from 6.12 on): only io_uring_setup(2) tells.

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "fixture/ring_test.h"
#include "seam/bare_kernel.h"
#include "seam/kernel_abi.h"
#include "seam/ring_abi.h"

namespace {

using namespace conformance;

// A part of the ring, mapped by us and by nobody else.
class Mapped {
 public:
  Mapped(int fd, std::size_t bytes, std::uint64_t offset, Site site = Site::here()) : bytes_(bytes) {
    memory_ = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, static_cast<off_t>(offset));
    if (memory_ == MAP_FAILED) stop_errno(site, "mmap at " + std::to_string(offset));
  }
  ~Mapped() { munmap(memory_, bytes_); }
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;

  std::uint32_t& word(std::uint32_t offset) const { return *at<std::uint32_t>(offset); }
  template <class T>
  T* at(std::size_t offset) const {
    return reinterpret_cast<T*>(static_cast<std::byte*>(memory_) + offset);
  }

 private:
  std::size_t bytes_;
  void* memory_ = nullptr;
};

class RingMappings : public RingTest<4> {
 protected:
  // What io_uring_setup(2) answered.
  wire::Params params{};

  void SetUp() override {
    RingTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    reopen(0);
    params = wire_log().rings().at(ring.fd()).params;
  }
  std::size_t bytes() const {
    return std::max(params.sq_off.array + params.sq_entries * sizeof(std::uint32_t),
                    params.cq_off.cqes + params.cq_entries * sizeof(wire::Cqe));
  }
  // The errno of a call of mmap(2), or 0: then it is undone.
  int try_to_map(void* hint, std::size_t size, std::uint64_t offset) const {
    void* const memory =
        mmap(hint, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd(), static_cast<off_t>(offset));
    if (memory == MAP_FAILED) return errno;
    munmap(memory, size);
    return 0;
  }
};

// The two queues are one region, which either offset names (5.4): what is written through one mapping is
// there in the other. The word is the program's own, an index of the array.
TEST_F(RingMappings, AreOneRegionForBothQueues) {
  EXPECT_NE(ring.features() & wire::feat_single_mmap, 0u);
  const Mapped by_sq(ring.fd(), bytes(), wire::off_sq_ring), by_cq(ring.fd(), bytes(), wire::off_cq_ring);
  const std::uint32_t last = params.sq_off.array + 3 * sizeof(std::uint32_t);
  EXPECT_EQ(by_cq.word(last), by_sq.word(last));
  by_sq.word(last) = 0x5a5a5a5a;
  EXPECT_EQ(by_cq.word(last), 0x5a5a5a5au);
  by_cq.word(last) = 3;
  EXPECT_EQ(by_sq.word(last), 3u);
  EXPECT_EQ(by_cq.word(params.cq_off.ring_entries), 8u);
}

TEST_F(RingMappings, ShowANewRing) {
  const Mapped region(ring.fd(), bytes(), wire::off_sq_ring);
  const auto& [sq, cq] = std::pair(params.sq_off, params.cq_off);
  EXPECT_EQ(region.word(sq.ring_entries), 4u);
  EXPECT_EQ(region.word(sq.ring_mask), 3u);
  EXPECT_EQ(region.word(cq.ring_entries), 8u);
  EXPECT_EQ(region.word(cq.ring_mask), 7u);
  for (const std::uint32_t word : {sq.head, sq.tail, sq.flags, sq.dropped, cq.head, cq.tail, cq.overflow}) {
    EXPECT_EQ(region.word(word), 0u) << "at " << word;
  }
  EXPECT_TRUE(cq.flags == 0 || region.word(cq.flags) == 0);  // 5.8
  // What the binding made of them.
  EXPECT_EQ(ring.sq_entries(), 4u);
  EXPECT_EQ(ring.cq_entries(), 8u);
  EXPECT_EQ(ring.indices(), (binding::Indices{.sqe_head = 0, .sqe_tail = 0, .sq_tail = 0, .cq_head = 0}));
}

// Each word has a place of its own, and so has each entry: nothing lies in anything else.
TEST_F(RingMappings, KeepTheirPartsApart) {
  const auto& [sq, cq] = std::pair(params.sq_off, params.cq_off);
  std::map<std::uint32_t, std::size_t> parts;  // its end, for each beginning
  for (const std::uint32_t word : {sq.head, sq.tail, sq.ring_mask, sq.ring_entries, sq.flags, sq.dropped,
                                   cq.head, cq.tail, cq.ring_mask, cq.ring_entries, cq.overflow}) {
    EXPECT_TRUE(parts.emplace(word, word + sizeof word).second) << "two words at " << word;
    EXPECT_EQ(word % sizeof word, 0u);
  }
  EXPECT_TRUE(cq.flags == 0 || parts.emplace(cq.flags, cq.flags + sizeof cq.flags).second);  // 5.8
  EXPECT_TRUE(parts.emplace(sq.array, sq.array + 4 * sizeof(std::uint32_t)).second);
  EXPECT_TRUE(parts.emplace(cq.cqes, cq.cqes + 8 * sizeof(wire::Cqe)).second);
  EXPECT_EQ(sq.array % sizeof(std::uint32_t), 0u);
  EXPECT_EQ(cq.cqes % sizeof(wire::Cqe), 0u);
  std::size_t end = 0;
  for (const auto& [from, to] : parts) {
    EXPECT_GE(from, end) << "inside of what is before it";
    end = to;
  }
  EXPECT_EQ(sq.user_addr, 0u);
  EXPECT_EQ(cq.user_addr, 0u);
}

// One NOP through the binding: both queues move by one, and its CQE is the first.
TEST_F(RingMappings, ShowARequestOnItsWay) {
  const Mapped region(ring.fd(), bytes(), wire::off_sq_ring);
  must(ring.nop(0x77));
  submit(1);
  EXPECT_EQ(region.word(params.sq_off.head), 1u);
  EXPECT_EQ(region.word(params.sq_off.tail), 1u);
  EXPECT_EQ(region.word(params.cq_off.tail), 1u);
  EXPECT_EQ(*region.at<wire::Cqe>(params.cq_off.cqes), (wire::Cqe{.user_data = 0x77, .res = 0, .flags = 0}));
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 0x77, .res = 0, .flags = 0}));
}

// The same by hand, on a ring that belongs to no binding: these mappings and one call are all that it takes.
TEST_F(RingMappings, AreAllThatARequestNeeds) {
  wire::Params own{};
  const Fd fd(static_cast<int>(BareKernel::setup(4, &own)));
  ASSERT_GE(fd.get(), 0);
  const Mapped rings(fd.get(), bytes(), wire::off_cq_ring);
  const Mapped sqes(fd.get(), 4 * sizeof(wire::Sqe), wire::off_sqes);
  *sqes.at<wire::Sqe>(3 * sizeof(wire::Sqe)) = {.opcode = wire::op::nop, .user_data = 0x78};
  rings.word(own.sq_off.array) = 3;
  __atomic_store_n(&rings.word(own.sq_off.tail), 1, __ATOMIC_RELEASE);
  EXPECT_EQ(BareKernel::enter(fd.get(), 1, 1, wire::enter_getevents, nullptr, 0), 1);
  EXPECT_EQ(rings.word(own.sq_off.head), 1u);
  EXPECT_EQ(__atomic_load_n(&rings.word(own.cq_off.tail), __ATOMIC_ACQUIRE), 1u);
  EXPECT_EQ(*rings.at<wire::Cqe>(own.cq_off.cqes), (wire::Cqe{.user_data = 0x78, .res = 0, .flags = 0}));
}

// EINVAL on 5.10 and from 7.2 on, ENOMEM from 6.1 to 7.1.
TEST_F(RingMappings, AreNotAnythingElse) {
  for (const std::uint64_t offset : {std::uint64_t{0x60000000}, wire::off_mmap_mask}) {
    expect_one_of(Site::here(), "mmap at " + std::to_string(offset), try_to_map(nullptr, 4096, offset),
                  {EINVAL, ENOMEM});
  }
}

// What kernels differ in, and nobody needs: a wish for an address is refused from 6.1 on, and a length beyond
// the region up to 5.10.
TEST_F(RingMappings, RefuseOnlyWhatOtherKernelsRefuse) {
  const Mapped somewhere(ring.fd(), 4096, wire::off_sq_ring);
  void* const wish = somewhere.at<std::byte>(std::size_t{1} << 24);
  expect_one_of(Site::here(), "with an address", try_to_map(wish, 4096, wire::off_sq_ring), {0, EINVAL});
  constexpr std::size_t long_one = 1 << 20;
  for (const std::uint64_t offset : {wire::off_sq_ring, wire::off_sqes}) {
    expect_one_of(Site::here(), "too long", try_to_map(nullptr, long_one, offset), {0, EINVAL});
  }
}

}  // namespace
