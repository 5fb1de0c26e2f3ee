// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// A fake kernel for tests: it answers as told, records what it was asked, and checks that everything it
// handed out comes back.
#ifndef URING_TESTS_PLAYED_KERNEL_H
#define URING_TESTS_PLAYED_KERNEL_H

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <functional>
#include <map>
#include <new>
#include <set>
#include <utility>
#include <vector>

#include <uring/uring.h>

namespace {

using uring::Cqe, uring::u32, uring::u64;

// A kernel in a few hundred bytes: four SQEs, eight CQEs, completes what it consumes with res = user_data.
struct Played {
  static inline int fd = 1000;
  alignas(64) std::array<std::byte, 4096> rings{};
  alignas(64) std::array<uring::Sqe, 4> sqes{};

  // The answers.
  u32 features = uring::feat_single_mmap;
  long setup_error = 0, ring_map_error = 0, sqe_map_error = 0, anonymous_map_error = 0, enter_error = 0;
  std::function<long(uring::RegisterOp, void* arg, u32 count)> on_register;  // unset: 0
  std::function<void()> on_enter;                                            // before it consumes
  u32 consume_at_most = ~0u;
  u32 sq_count = 4, cq_count = 8;           // other numbers are lies, but in agreement with each other
  u32 sq_mask_lie = 0, cq_entries_lie = 0;  // these are not

  // What the binding asked for.
  int open = 0;
  uring::Params setup_params{};
  std::map<void*, std::size_t> mappings;
  std::set<void*> anonymous;  // the mappings that are not a ring's
  std::vector<u32> enter_flags, enter_wait, enter_submit;
  int enter_fd = 0, register_fd = 0;
  uring::GeteventsArg enter_arg{};
  std::size_t enter_arg_size = 0;
  std::vector<uring::RegisterOp> registered;

  // Offsets; odd on purpose.
  enum : u32 {
    sq_head = 64,
    sq_tail = 68,
    sq_mask = 72,
    sq_entries = 76,
    sq_flags = 80,
    sq_dropped = 84,
    cq_head = 128,
    cq_tail = 132,
    cq_mask = 136,
    cq_entries = 140,
    cq_overflow = 144,
    cqes = 256,
    array = 1024
  };
  u32& word(u32 offset) { return *reinterpret_cast<u32*>(rings.data() + offset); }
  Cqe& cqe(u32 position) { return reinterpret_cast<Cqe*>(rings.data() + cqes)[position & 7]; }
  void post(Cqe cqe_to_post) { cqe(word(cq_tail)++) = cqe_to_post; }

  u32 sq_size = 4;
  // The larger of the two ends: the index array comes after the CQEs.
  std::size_t ring_bytes = array + 4 * 4u;
  long map(void* address, std::size_t bytes) {
    EXPECT_TRUE(mappings.emplace(address, bytes).second) << "mapped twice";
    return reinterpret_cast<long>(address);
  }

  // Two SQEs and four CQEs from now on: what a resize answers. (In the same memory; the binding cannot know.)
  void shrink(uring::Params& params) {
    sq_size = params.sq_entries = 2;
    params.cq_entries = 4;
    ring_bytes = cqes + 4 * 16u;  // no index array
    params.sq_off = {sq_head, sq_tail, sq_mask, sq_entries, sq_flags, sq_dropped, 0, 0, 0};
    params.cq_off = {cq_head, cq_tail, cq_mask, cq_entries, cq_overflow, cqes, 0, 0, 0};
    word(sq_mask) = 1;
    word(sq_entries) = 2;
    word(cq_mask) = 3;
    word(cq_entries) = 4;
  }

  u32 consume(u32 count) {
    u32 done = 0;
    for (; done < count && done < consume_at_most && word(sq_head) != word(sq_tail); ++done) {
      const u32 index = word(array + 4 * (word(sq_head)++ & 3));
      const u64 user_data = sqes.at(index).user_data;
      post({.user_data = user_data, .res = static_cast<uring::i32>(user_data), .flags = 0});
    }
    return done;
  }
};

struct PlayedKernel {
  Played* p = nullptr;

  long setup(u32, uring::Params* params) noexcept {
    if (p->setup_error != 0) return -p->setup_error;
    ++p->open;
    p->setup_params = *params;
    params->sq_entries = p->sq_count;
    params->cq_entries = p->cq_count;
    params->features = p->features;
    // clang-format off
    params->sq_off = {Played::sq_head, Played::sq_tail, Played::sq_mask, Played::sq_entries, Played::sq_flags,
                      Played::sq_dropped, Played::array, 0, 0};
    params->cq_off = {Played::cq_head, Played::cq_tail, Played::cq_mask, Played::cq_entries,
                      Played::cq_overflow, Played::cqes, 0, 0, 0};
    // clang-format on
    p->word(Played::sq_mask) = (p->sq_count - 1) ^ p->sq_mask_lie;
    p->word(Played::sq_entries) = p->sq_count;
    p->word(Played::cq_mask) = p->cq_count - 1;
    p->word(Played::cq_entries) = p->cq_count + p->cq_entries_lie;
    return Played::fd;
  }
  long enter(int fd, u32 to_submit, u32 min_complete, u32 flags, const void* arg,
             std::size_t arg_size) noexcept {
    p->enter_fd = fd;
    p->enter_arg_size = arg_size;
    if (arg_size == sizeof p->enter_arg) std::memcpy(&p->enter_arg, arg, arg_size);
    p->enter_submit.push_back(to_submit);
    p->enter_wait.push_back(min_complete);
    p->enter_flags.push_back(flags);
    if (p->enter_error != 0) return -p->enter_error;
    if (p->on_enter) p->on_enter();
    return p->consume(to_submit);
  }
  long do_register(int fd, uring::RegisterOp op, const void* arg, u32 count) noexcept {
    p->register_fd = fd;
    p->registered.push_back(op);
    return p->on_register ? p->on_register(op, const_cast<void*>(arg), count) : 0;
  }
  long map_ring(int fd, std::size_t bytes, u64 offset) noexcept {
    EXPECT_EQ(fd, Played::fd);
    if (offset == uring::off_sqes) {
      if (p->sqe_map_error != 0) return -p->sqe_map_error;
      EXPECT_EQ(bytes, p->sq_size * 64u);
      return p->map(p->sqes.data(), bytes);
    }
    EXPECT_EQ(offset, uring::off_sq_ring);
    if (p->ring_map_error != 0) return -p->ring_map_error;
    EXPECT_EQ(bytes, p->ring_bytes);
    return p->map(p->rings.data(), bytes);
  }
  long map_anonymous(std::size_t bytes) noexcept {
    if (p->anonymous_map_error != 0) return -p->anonymous_map_error;
    // Exactly as large as asked for, so that AddressSanitizer sees accesses beyond the end; zeroed, as by the
    // kernel.
    void* address = ::operator new (bytes, std::align_val_t{4096});
    std::memset(address, 0, bytes);
    p->anonymous.insert(address);
    return p->map(address, bytes);
  }
  long unmap(void* address, std::size_t bytes) noexcept {
    const auto found = p->mappings.find(address);
    if (found == p->mappings.end()) return ADD_FAILURE() << "unmapped what was not mapped", 0;
    EXPECT_EQ(found->second, bytes) << "unmapped in another size than mapped";
    p->mappings.erase(found);
    if (p->anonymous.erase(address) == 1) ::operator delete (address, std::align_val_t{4096});
    return 0;
  }
  long close(int fd) noexcept {
    EXPECT_EQ(fd, Played::fd);
    return --p->open, 0;
  }
};
using Ring = uring::BasicRing<PlayedKernel>;

class RingOnAPlayedKernel : public testing::Test {
 protected:
  Played kernel;
  Ring ring{PlayedKernel{&kernel}};

  void TearDown() override {
    ring.close();
    EXPECT_EQ(kernel.open, 0) << "the descriptor was left open";
    EXPECT_TRUE(kernel.mappings.empty()) << "a mapping was left";
  }
};

}  // namespace

#endif
