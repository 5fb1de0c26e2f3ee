// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Rings in the caller's memory, with a descriptor or without: on a fake kernel, which sees what it is given
// and what is given back, and on this one.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include <uring/uring.h>

#include "this_kernel.h"
#include "trap.h"

namespace {

using uring::Cqe, uring::Cqe32, uring::Error, uring::RegisterOp, uring::Sqe, uring::Sqe128, uring::u32,
    uring::u64;

constexpr u32 no_mmap = 0x4000, registered_fd_only = 0x8000, no_sqarray = 0x10000;
constexpr u32 use_registered_ring = 0x8000'0000;

// A kernel that works in the memory it is given, laid out as Linux 6.18 does on x86_64.
struct Kernel {
  uring::Params params{};
  std::byte* rings = nullptr;
  std::byte* sqes = nullptr;
  u32 move_cqes = 0;  // how far behind their place they are
  int open = 0;
  std::vector<std::pair<int, u32>> registered;  // descriptor or index, operation
  std::vector<std::pair<int, u32>> entered;     // descriptor or index, flags

  u32& word(u32 offset) { return *reinterpret_cast<u32*>(rings + offset); }
};
struct OwnMemoryKernel {
  Kernel* k = nullptr;

  long setup(u32 entries, uring::Params* params) noexcept {
    k->sqes = reinterpret_cast<std::byte*>(params->sq_off.user_addr);
    k->rings = reinterpret_cast<std::byte*>(params->cq_off.user_addr);
    params->sq_entries = entries;
    if (params->cq_entries == 0) params->cq_entries = 2 * entries;
    params->features = uring::feat_single_mmap;
    const u32 cqe_bytes = (params->flags & 0x800) != 0 ? 32 : 16;
    const u32 array = (params->flags & no_sqarray) != 0 ? 0 : 64 + params->cq_entries * cqe_bytes;
    params->sq_off = {0, 4, 16, 24, 36, 32, array, 0, params->sq_off.user_addr};
    params->cq_off = {8, 12, 20, 28, 44, 64 + k->move_cqes, 40, 0, params->cq_off.user_addr};
    k->word(16) = entries - 1;
    k->word(20) = params->cq_entries - 1;
    k->word(24) = entries;
    k->word(28) = params->cq_entries;
    k->params = *params;
    ++k->open;
    return 7;
  }
  long enter(int fd, u32 to_submit, u32, u32 flags, const void*, std::size_t) noexcept {
    k->entered.emplace_back(fd, flags);
    for (u32 i = 0; i < to_submit; ++i) {
      const u32 sqe_bytes = (k->params.flags & 0x400) != 0 ? 128 : 64;
      const u32 cqe_bytes = (k->params.flags & 0x800) != 0 ? 32 : 16;
      const u32 slot = k->word(0)++ & k->word(16), target = k->word(12)++ & k->word(20);
      const auto& sqe = *reinterpret_cast<const Sqe*>(k->sqes + slot * sqe_bytes);
      *reinterpret_cast<Cqe*>(k->rings + 64 + target * cqe_bytes) = {sqe.user_data, 0, 0};
    }
    return to_submit;
  }
  long do_register(int fd, RegisterOp op, const void*, u32) noexcept {
    k->registered.emplace_back(fd, static_cast<u32>(op));
    if (static_cast<u32>(op) == (use_registered_ring | 21)) --k->open;  // UNREGISTER_RING_FDS
    return 1;
  }
  long map_ring(int, std::size_t, u64) noexcept { return ADD_FAILURE() << "mapped", -ENODEV; }
  long map_anonymous(std::size_t) noexcept { return ADD_FAILURE() << "mapped", -ENODEV; }
  long unmap(void*, std::size_t) noexcept { return ADD_FAILURE() << "unmapped", 0; }
  long close(int fd) noexcept {
    EXPECT_EQ(fd, 7);
    return --k->open, 0;
  }
};

template <class Sqes = Sqe, class Cqes = Cqe>
using RingOf = uring::BasicRing<OwnMemoryKernel, Sqes, Cqes>;

uring::Params with(u32 flags, u32 cq_entries = 0) {
  uring::Params params{};
  params.flags = flags;
  params.cq_entries = cq_entries;
  return params;
}

constexpr std::size_t page = uring::arch::largest_page;

// Pages that held something else, and one more after them.
class Memory {
 public:
  explicit Memory(std::size_t bytes) : bytes_(bytes), all_(bytes + page) {
    begin_ = static_cast<std::byte*>(
        ::mmap(nullptr, all_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0));
    if (begin_ == MAP_FAILED) std::abort();
    std::memset(begin_, 0x5a, all_);
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() { ::munmap(begin_, all_); }

  std::span<std::byte> all() const { return {begin_, bytes_}; }
  bool is_intact_behind() const {
    for (std::size_t i = bytes_; i != all_; ++i) {
      if (begin_[i] != std::byte{0x5a}) return false;
    }
    return true;
  }

 private:
  std::size_t bytes_, all_;
  std::byte* begin_;
};

// The SQEs in pages of their own; then at most 256 bytes, the CQEs, and 4 bytes for each SQE.
TEST(OwnMemory, IsAsLargeAsTheEntriesNeed) {
  constexpr std::size_t array_pages = page == 4096 ? 5 : 1;  // with what comes before it
  EXPECT_EQ((RingOf<>::memory_size(1, with(0))), 2 * page);
  EXPECT_EQ((RingOf<>::memory_size(4096, with(0))), 4096u * 64 + 8192u * 16 + page * array_pages);
  EXPECT_EQ((RingOf<Sqe128>::memory_size(4096, with(0))), 4096u * 128 + 8192u * 16 + page * array_pages);
  EXPECT_EQ((RingOf<Sqe, Cqe32>::memory_size(4096, with(no_sqarray))), 4096u * 64 + 8192u * 32 + page);
  EXPECT_EQ((RingOf<>::memory_size(4096, with(8, 5000))), (RingOf<>::memory_size(4096, with(8, 8192))));
  EXPECT_EQ((RingOf<>::memory_size(4096, with(8, 8192))), (RingOf<>::memory_size(4096, with(0))));
  EXPECT_EQ((RingOf<>::memory_size(4096, with(8 | no_sqarray, 4096))), 4096u * 64 + 4096u * 16 + page);
  // What setup_clamp makes of more.
  EXPECT_EQ((RingOf<>::memory_size(1u << 31, with(0x10))), (RingOf<>::memory_size(32768, with(0))));
  EXPECT_EQ((RingOf<>::memory_size(8, with(0x18, ~0u))), (RingOf<>::memory_size(8, with(0x18, 65536))));
}

template <class Ring>
void expect_to_work(u32 flags) {
  Kernel kernel;
  Ring ring{OwnMemoryKernel{&kernel}};
  constexpr bool large_sqe = std::is_same_v<typename Ring::SqEntry, Sqe128>;
  constexpr bool large_cqe = std::is_same_v<typename Ring::CqEntry, Cqe32>;
  uring::Params params = with(flags);
  const Memory memory(Ring::memory_size(64, params));
  ASSERT_TRUE(ring.init_mem(64, params, memory.all()).ok());
  EXPECT_EQ(params.flags, flags | no_mmap | (large_sqe ? 0x400 : 0) | (large_cqe ? 0x800 : 0));
  EXPECT_EQ(kernel.sqes, memory.all().data());
  EXPECT_EQ(static_cast<u64>(kernel.rings - kernel.sqes) % page, 0u);
  EXPECT_GE(kernel.rings, kernel.sqes + 64 * sizeof(typename Ring::SqEntry));
  for (u64 i = 1; i <= 64; ++i) ring.nop(i).value();
  EXPECT_EQ(ring.submit(), 64);
  u64 seen = 0;
  ring.for_each_cqe([&](const auto& cqe) { EXPECT_EQ(cqe.user_data, ++seen); });
  EXPECT_EQ(seen, 64u);
  Ring moved = std::move(ring);
  moved.close();
  EXPECT_EQ(kernel.open, 0);
  EXPECT_TRUE(memory.is_intact_behind());
}

TEST(OwnMemory, HoldsRingsOfEveryType) {
  for (const u32 flags : {0u, no_sqarray}) {
    expect_to_work<RingOf<>>(flags);
    expect_to_work<RingOf<Sqe128>>(flags);
    expect_to_work<RingOf<Sqe, Cqe32>>(flags);
    expect_to_work<RingOf<Sqe128, Cqe32>>(flags);
  }
}

TEST(OwnMemory, MustBeLargeEnough) {
  Kernel kernel;
  RingOf<> ring{OwnMemoryKernel{&kernel}};
  uring::Params params = with(0);
  const Memory memory(RingOf<>::memory_size(8, params));
  EXPECT_EQ(ring.init_mem(8, params, memory.all().first(memory.all().size() - 1)), Error::memory_too_small);
  EXPECT_EQ(ring.init_mem(8, params, {}), Error::memory_too_small);
  EXPECT_EQ(kernel.sqes, nullptr) << "the kernel was asked";
  EXPECT_EQ(ring.init_mem(0, params, memory.all()), Error::entries_zero);
  EXPECT_EQ(ring.init_mem(7, params, memory.all()), Error::entries_not_power_of_two);
  params.flags = uring::setup_cqe32;
  EXPECT_EQ(ring.init_mem(8, params, memory.all()), Error::flags_not_supported);
}

// A kernel that puts more in front of the CQEs than there is room for must not make the ring go beyond the
// memory's end.
TEST(OwnMemory, IsAllThatIsUsed) {
  Kernel kernel;
  RingOf<> ring{OwnMemoryKernel{&kernel}};
  uring::Params params = with(no_sqarray);
  const Memory memory(RingOf<>::memory_size(8, params));
  kernel.move_cqes = page - 64 - 16 * 16;
  ASSERT_TRUE(ring.init_mem(8, params, memory.all()).ok());
  ring.close();
  kernel.move_cqes += 16;
  params = with(no_sqarray);
  EXPECT_EQ(ring.init_mem(8, params, memory.all()), Error::ring_layout_invalid);
  EXPECT_EQ(kernel.open, 0);
}

TEST(OwnMemory, IsForInitMemOnly) {
  Kernel kernel;
  RingOf<> ring{OwnMemoryKernel{&kernel}};
  EXPECT_EQ(ring.init(4, no_mmap), Error::flags_not_supported);
  EXPECT_EQ(ring.init(4, registered_fd_only), Error::flags_not_supported);
  EXPECT_EQ(kernel.rings, nullptr) << "the kernel was asked";
}

TEST(OwnMemory, IsNotResized) {
  Kernel kernel;
  RingOf<> ring{OwnMemoryKernel{&kernel}};
  uring::Params params = with(no_sqarray);
  const Memory memory(RingOf<>::memory_size(8, params));
  ASSERT_TRUE(ring.init_mem(8, params, memory.all()).ok());
  EXPECT_EQ(ring.resize(4, 8), Error::flags_not_supported);
  EXPECT_TRUE(kernel.registered.empty());
}

TEST(OwnMemory, IsOpenedOnce) {
  Kernel kernel;
  RingOf<> ring{OwnMemoryKernel{&kernel}};
  uring::Params params = with(registered_fd_only);
  const Memory memory(RingOf<>::memory_size(8, params));
  ASSERT_TRUE(ring.init_mem(8, params, memory.all()).ok());
  params = with(0);
  EXPECT_EXIT(static_cast<void>(ring.init_mem(8, params, memory.all())), trapped, "");
  EXPECT_EXIT(static_cast<void>(ring.init(8)), trapped, "");
}

// Entered through its index, registered with through its index, and gone when that is unregistered.
TEST(WithoutDescriptor, EverythingGoesThroughTheIndex) {
  Kernel kernel;
  RingOf<> ring{OwnMemoryKernel{&kernel}};
  uring::Params params = with(registered_fd_only);
  const Memory memory(RingOf<>::memory_size(8, params));
  EXPECT_FALSE(ring.is_open());
  ASSERT_TRUE(ring.init_mem(8, params, memory.all()).ok());
  EXPECT_TRUE(ring.is_open());
  EXPECT_EQ(ring.fd(), -1);
  EXPECT_EQ(ring.registered_index(), 7);
  ring.nop(1).value();
  EXPECT_EQ(ring.submit(), 1);
  EXPECT_EQ(kernel.entered, (std::vector<std::pair<int, u32>>{{7, 16}}));
  EXPECT_TRUE(ring.register_ring_fd().ok()) << "it is registered";
  EXPECT_EQ(ring.unregister_ring_fd(), Error::flags_not_supported) << "nothing would be left of it";
  EXPECT_TRUE(kernel.registered.empty());
  EXPECT_TRUE(ring.enable_rings().ok());
  EXPECT_EQ(kernel.registered.back(), std::pair(7, use_registered_ring | 12));
  RingOf<> moved = std::move(ring);
  EXPECT_FALSE(ring.is_open());
  ring.close();
  EXPECT_EQ(kernel.open, 1);
  moved.close();
  EXPECT_EQ(kernel.registered.back(), std::pair(7, use_registered_ring | 21));
  EXPECT_EQ(kernel.registered.size(), 2u);
  EXPECT_EQ(kernel.open, 0);
  EXPECT_EQ(moved.registered_index(), -1);
}

// Its groups are registered and unregistered through the index too, and go with it.
TEST(WithoutDescriptor, HasGroups) {
  struct WithBuffers : OwnMemoryKernel {
    long map_anonymous(std::size_t bytes) noexcept { return uring::LinuxKernel{}.map_anonymous(bytes); }
    long unmap(void* address, std::size_t bytes) noexcept {
      return uring::LinuxKernel{}.unmap(address, bytes);
    }
  };
  using Ring = uring::BasicRing<WithBuffers>;
  using Registered = std::vector<std::pair<int, u32>>;
  Kernel kernel;
  WithBuffers calls;
  calls.k = &kernel;
  Ring ring{calls};
  uring::Params params = with(registered_fd_only);
  const Memory memory(Ring::memory_size(8, params));
  ASSERT_TRUE(ring.init_mem(8, params, memory.all()).ok());
  std::array<std::byte, 64> buffers{};
  uring::BufferGroup<Ring> first, second;
  ASSERT_TRUE(first.init(ring, 1, buffers, 16).ok());
  ASSERT_TRUE(second.init(ring, 2, buffers, 16).ok());
  Ring moved = std::move(ring);
  EXPECT_TRUE(first.recv(1, 5, 0).ok());
  EXPECT_EQ(moved.sq_ready(), 1u);
  first.close();
  moved.close();
  second.close();
  constexpr u32 by_index = use_registered_ring;
  EXPECT_EQ(kernel.registered,
            (Registered{{7, by_index | 22}, {7, by_index | 22}, {7, by_index | 23}, {7, by_index | 21}}))
      << "two groups, the end of one, the end of the ring";
  uring::Buf* entries = nullptr;
  ring.close();
  kernel.registered.clear();
  params = with(registered_fd_only);
  ASSERT_TRUE(ring.init_mem(8, params, memory.all()).ok());
  entries = uring::setup_buf_ring(ring, 4, 3).value();
  uring::free_buf_ring(ring, entries, 4, 3);
  EXPECT_EQ(kernel.registered, (Registered{{7, by_index | 22}, {7, by_index | 23}}));
}

// The buffers of such a ring are named by its index.
TEST(WithoutDescriptor, CanBeTheSourceOfBuffers) {
  struct Observer : OwnMemoryKernel {
    uring::CloneBuffers* seen = nullptr;
    long do_register(int fd, RegisterOp op, const void* arg, u32 count) noexcept {
      if ((static_cast<u32>(op) & 0xff) == 30) *seen = *static_cast<const uring::CloneBuffers*>(arg);
      return OwnMemoryKernel::do_register(fd, op, arg, count);
    }
  };
  using Ring = uring::BasicRing<Observer>;
  Kernel kernel;
  uring::CloneBuffers seen{};
  Observer observer;
  observer.k = &kernel;
  observer.seen = &seen;
  Ring ring{observer}, other{observer};
  uring::Params params = with(registered_fd_only);
  const Memory memory(Ring::memory_size(8, params)), more(Ring::memory_size(8, params));
  ASSERT_TRUE(ring.init_mem(8, params, memory.all()).ok());
  params = with(0);
  ASSERT_TRUE(other.init_mem(8, params, more.all()).ok());
  EXPECT_TRUE(other.clone_buffers(ring, 2).ok());
  EXPECT_EQ(seen.src_fd, 7u);
  EXPECT_EQ(seen.flags, 3u);
  EXPECT_TRUE(ring.clone_buffers(other, 2).ok());
  EXPECT_EQ(seen.flags, 2u);
}

// --- this kernel -------------------------------------------------------------------------------------------

template <class Ring>
void expect_to_run(Ring& ring) {
  u64 seen = 0;
  for (u64 round = 0; round < 5; ++round) {
    for (u64 i = 1; i <= 3; ++i) ring.nop(round * 3 + i).value();
    ASSERT_EQ(ring.submit_and_wait(3), 3);
    EXPECT_EQ(ring.for_each_cqe([&](const auto& cqe) {
      EXPECT_EQ(cqe.user_data, ++seen);
      EXPECT_EQ(cqe.res, 0);
    }),
              3u);
  }
}

TEST(ThisKernelOwnMemory, HoldsARing) {
  for (const u32 flags : {0u, no_sqarray}) {
    uring::Params params = with(flags);
    const Memory memory(uring::Ring::memory_size(4, params));
    uring::Ring ring;
    NEEDS(ring.init_mem(4, params, memory.all()), no_mmap | flags, "NO_MMAP (6.5) or NO_SQARRAY (6.6)");
    EXPECT_GE(ring.fd(), 0);
    expect_to_run(ring);
    EXPECT_TRUE(memory.is_intact_behind());
  }
}

TEST(ThisKernelOwnMemory, HoldsLargeEntries) {
  uring::Params params = with(no_sqarray);
  const Memory memory(uring::Ring128x32::memory_size(4, params));
  uring::Ring128x32 ring;
  NEEDS(ring.init_mem(4, params, memory.all()), no_mmap | no_sqarray, "NO_MMAP (6.5) or NO_SQARRAY (6.6)");
  expect_to_run(ring);
}

// As large as it gets, in one huge page where this machine has one, else in small pages.
TEST(ThisKernelOwnMemory, HoldsALargeRing) {
  constexpr std::size_t huge = 2 << 20;
  uring::Params params = with(no_sqarray);
  ASSERT_LE(uring::Ring::memory_size(8192, params), huge);
  void* made = ::mmap(nullptr, huge, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
  const bool is_huge = made != MAP_FAILED;
  if (!is_huge) made = ::mmap(nullptr, huge, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(made, MAP_FAILED);
  uring::Ring ring;
  const auto opened = ring.init_mem(8192, params, {static_cast<std::byte*>(made), huge});
  if (opened.ok()) {
    EXPECT_EQ(ring.sq_entries(), 8192u);
    for (u64 i = 1; i <= 8192; ++i) ring.nop(i).value();
    EXPECT_EQ(ring.submit(), 8192);
    u64 seen = 0;
    ring.for_each_cqe([&](const Cqe& cqe) { EXPECT_EQ(cqe.user_data, ++seen); });
    EXPECT_EQ(seen, 8192u);
    ring.close();
  }
  ::munmap(made, huge);
  NEEDS(opened, no_mmap | no_sqarray, "NO_MMAP (6.5) or NO_SQARRAY (6.6)");
}

TEST(ThisKernelOwnMemory, WithoutADescriptor) {
  uring::Params params = with(registered_fd_only);
  const Memory memory(uring::Ring::memory_size(4, params));
  const int before = ::dup(0);  // the descriptor that would be next
  ::close(before);
  for (int i = 0; i < 20; ++i) {  // more than a thread has indices, so each must be given back
    params = with(registered_fd_only);
    uring::Ring ring;
    NEEDS(ring.init_mem(4, params, memory.all()), no_mmap | registered_fd_only, "REGISTERED_FD_ONLY (6.5)");
    EXPECT_EQ(ring.fd(), -1);
    EXPECT_GE(ring.registered_index(), 0);
    expect_to_run(ring);
    const std::array<int, 2> files{0, -1};
    EXPECT_TRUE(ring.register_files(files).ok());
    EXPECT_EQ(ring.unregister_buffers(), Error::nxio) << "reached, and has none";
  }
  const int after = ::dup(0);
  ::close(after);
  EXPECT_EQ(after, before) << "a descriptor was left open";
}

// A buffer group of such a ring is unregistered before its memory goes.
TEST(ThisKernelOwnMemory, WithoutADescriptorButWithBuffers) {
  uring::Params params = with(registered_fd_only);
  const Memory memory(uring::Ring::memory_size(4, params));
  uring::Ring ring;
  NEEDS(ring.init_mem(4, params, memory.all()), no_mmap | registered_fd_only, "REGISTERED_FD_ONLY (6.5)");
  alignas(64) static std::array<std::byte, 256> buffers;
  for (int i = 0; i < 2; ++i) {
    uring::BufferGroup<uring::Ring> group;
    EXPECT_TRUE(group.init(ring, 3, buffers, 64).ok()) << "the group of before is still there";
  }
}

// The other way round: the ring ends first, and its requests before it.
TEST(ThisKernelOwnMemory, WithoutADescriptorEndsBeforeItsBuffers) {
  alignas(64) static std::array<std::byte, 256> buffers;
  for (int i = 0; i < 20; ++i) {
    uring::Params params = with(registered_fd_only);
    const Memory memory(uring::Ring::memory_size(4, params));
    uring::BufferGroup<uring::Ring> group;
    uring::Ring ring;
    NEEDS(ring.init_mem(4, params, memory.all()), no_mmap | registered_fd_only, "REGISTERED_FD_ONLY (6.5)");
    ASSERT_TRUE(group.init(ring, 3, buffers, 64).ok());
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    EXPECT_TRUE(ring.read_select(1, pipe[0], 3, 0, 0).ok());
    u64 ended = 0;
    EXPECT_TRUE(ring.cancel_all(99, {1, 0}, [&](const Cqe& cqe) { ended = cqe.user_data; }).ok());
    EXPECT_EQ(ended, 1u);
    ring.close();
    group.close();
    ::close(pipe[0]);
    ::close(pipe[1]);
  }
}

}  // namespace
