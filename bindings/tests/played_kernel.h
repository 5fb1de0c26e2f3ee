// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// A fake kernel for tests: it answers as told, records what it was asked, refuses what a kernel refuses (a
// descriptor that is closed, an index that is not registered), and checks that everything it handed out comes
// back, in an order that loses nothing. Memory that was unmapped is gone.
#ifndef URING_TESTS_PLAYED_KERNEL_H
#define URING_TESTS_PLAYED_KERNEL_H

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <map>
#include <new>
#include <set>
#include <utility>
#include <vector>

#include <uring/uring.h>

#include "shared_memory.h"

namespace {

using uring::Cqe, uring::u32, uring::u64;

// A kernel in a few hundred bytes: four SQEs, eight CQEs, completes what it consumes with res = user_data.
struct Played {
  static inline int fd = 1000;
  // Each shared word has a block of its own, so that accesses to it can be told apart.
  SharedMemory rings{{"sq_head", "sq_tail", "sq_mask", "sq_entries", "sq_flags", "sq_dropped", "cq_head",
                      "cq_tail", "cq_mask", "cq_entries", "cq_overflow", "cqes", "array"}};
  SharedMemory sqes{{"sqes"}};

  // The answers.
  u32 features = uring::feat_single_mmap;
  long setup_error = 0, ring_map_error = 0, sqe_map_error = 0, anonymous_map_error = 0, enter_error = 0;
  std::function<long(uring::RegisterOp, void* arg, u32 count)> on_register;  // unset: 0
  std::function<void()> on_enter;                                            // before it consumes, or fails
  u32 consume_at_most = ~0u;
  u32 sq_count = 4, cq_count = 8;              // other numbers are lies, but in agreement with each other
  u32 sq_mask_lie = 0, cq_entries_lie = 0;     // these are not
  std::size_t sqe_bytes = 64, cqe_bytes = 16;  // set by setup, as its flags ask for

  // What the binding asked for.
  int open = 0;
  uring::Params setup_params{};
  std::map<void*, std::size_t> mappings;
  std::set<void*> anonymous;  // the mappings that are not a ring's
  std::vector<u32> enter_flags, enter_wait, enter_submit;
  int enter_fd = 0, register_fd = 0;
  uring::GeteventsArg enter_arg{};
  const void* enter_arg_at = nullptr;
  std::size_t enter_arg_size = 0;
  std::vector<uring::RegisterOp> registered;
  std::map<uring::u16, u64> buf_rings;  // those registered, by group: their addresses
  static constexpr u32 no_index = ~0u;
  u32 index = no_index;  // of register_ring_fd

  // The indices of registered rings that this thread uses. Closing a descriptor frees none.
  static inline std::set<u32> indices;

  // Offsets; odd on purpose.
  enum : u32 {
    sq_head = 64,
    sq_tail = block_bytes + 68,
    sq_mask = 2 * block_bytes + 72,
    sq_entries = 3 * block_bytes + 76,
    sq_flags = 4 * block_bytes + 80,
    sq_dropped = 5 * block_bytes + 84,
    cq_head = 6 * block_bytes + 128,
    cq_tail = 7 * block_bytes + 132,
    cq_mask = 8 * block_bytes + 136,
    cq_entries = 9 * block_bytes + 140,
    cq_overflow = 10 * block_bytes + 144,
    cqes = 11 * block_bytes + 256,
    array = 12 * block_bytes + 1024
  };
  u32& word(u32 offset) { return *reinterpret_cast<u32*>(rings.kernel_side() + offset); }
  Cqe& cqe(u32 position) {
    return *reinterpret_cast<Cqe*>(rings.kernel_side() + cqes + (position & 7) * cqe_bytes);
  }
  // An SQE as the kernel sees it, and where the binding has it.
  uring::Sqe& sqe(u32 slot) { return *reinterpret_cast<uring::Sqe*>(sqes.kernel_side() + slot * sqe_bytes); }
  uring::Sqe* user_sqe(u32 slot) { return reinterpret_cast<uring::Sqe*>(sqes.user_side()) + slot; }
  void post(Cqe cqe_to_post) { cqe(word(cq_tail)++) = cqe_to_post; }
  void post(uring::Cqe32 large) { static_cast<uring::Cqe32&>(cqe(word(cq_tail)++)) = large; }

  // On a ring with CQEs of both sizes: two entries, not around the end.
  void post_two(uring::Cqe32 large) {
    if ((word(cq_tail) & 7) == 7) post({.user_data = 0, .res = 0, .flags = 0x20});
    large.flags |= 0x8000;
    std::memcpy(static_cast<void*>(&cqe(word(cq_tail))), &large, sizeof large);
    word(cq_tail) += 2;
  }

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

  void complete(u32 slot) {
    const u64 user_data = sqe(slot).user_data;
    post({.user_data = user_data, .res = static_cast<uring::i32>(user_data), .flags = 0});
  }
  bool has(u32 flag) const { return (setup_params.flags & flag) != 0; }

  u32 consume(u32 count) {
    u32 done = 0;
    if (has(uring::setup_sq_rewind)) {
      for (; done < count && done < consume_at_most && done < 4; ++done) complete(done);
      return done;
    }
    while (done < count && done < consume_at_most && word(sq_head) != word(sq_tail)) {
      const u32 slot = word(array + 4 * (word(sq_head) & 3));
      EXPECT_LT(slot, 4u);
      const auto opcode = static_cast<u32>(sqe(slot & 3).opcode);
      const bool large = has(uring::setup_sqe_mixed) && (opcode == 63 || opcode == 64);
      if (large && slot == 3) ADD_FAILURE() << "a large SQE around the end";
      const bool silent = has(uring::setup_sqe_mixed) && (sqe(slot & 3).flags & 0x40) != 0;
      if (!silent) complete(slot & 3);
      word(sq_head) += large ? 2 : 1;
      done += large ? 2 : 1;
    }
    return done;
  }

  // What a kernel answers when it was not told what to.
  long usual_answer(uring::RegisterOp op, void* arg) const {
    if (op == uring::RegisterOp::ring_fds) {
      u32 free = 0;
      while (indices.contains(free)) ++free;
      if (free == 16) return -EBUSY;
      static_cast<uring::RsrcUpdate*>(arg)->offset = free;
      return 1;
    }
    if (op == uring::RegisterOp::unregister_ring_fds) {
      return static_cast<uring::RsrcUpdate*>(arg)->offset == index ? 1 : -EINVAL;
    }
    return 0;
  }

  // What a registration that succeeded changes.
  void remember(uring::RegisterOp op, const void* arg) {
    if (op == uring::RegisterOp::ring_fds) {
      index = static_cast<const uring::RsrcUpdate*>(arg)->offset;
      EXPECT_TRUE(indices.insert(index).second);
    } else if (op == uring::RegisterOp::unregister_ring_fds) {
      indices.erase(std::exchange(index, no_index));
    } else if (op == uring::RegisterOp::pbuf_ring) {
      const auto& buf_ring = *static_cast<const uring::BufReg*>(arg);
      buf_rings[buf_ring.bgid] = buf_ring.ring_addr;
    } else if (op == uring::RegisterOp::unregister_pbuf_ring) {
      buf_rings.erase(static_cast<const uring::BufReg*>(arg)->bgid);
    }
  }
};

struct PlayedKernel {
  Played* p = nullptr;

  long setup(u32, uring::Params* params) noexcept {
    if (p->setup_error != 0) return -p->setup_error;
    ++p->open;
    p->setup_params = *params;
    p->sqe_bytes = (params->flags & uring::setup_sqe128) != 0 ? 128 : 64;
    p->cqe_bytes = (params->flags & uring::setup_cqe32) != 0 ? 32 : 16;
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
    p->enter_arg_at = arg;
    p->enter_arg_size = arg_size;
    if (arg_size == sizeof p->enter_arg) std::memcpy(&p->enter_arg, arg, arg_size);
    p->enter_submit.push_back(to_submit);
    p->enter_wait.push_back(min_complete);
    p->enter_flags.push_back(flags);
    const bool by_index = (flags & uring::enter_registered_ring) != 0;
    if (by_index ? static_cast<u32>(fd) != p->index : !is_open(fd)) {
      return ADD_FAILURE() << "entered through what is not open", by_index ? -EINVAL : -EBADF;
    }
    if (p->on_enter) p->on_enter();
    if (p->enter_error != 0) return -p->enter_error;
    return p->consume(to_submit);
  }
  long do_register(int fd, uring::RegisterOp op, const void* arg, u32 count) noexcept {
    p->register_fd = fd;
    p->registered.push_back(op);
    if (fd != -1 && !is_open(fd)) return ADD_FAILURE() << "registered with what is not open", -EBADF;
    void* const argument = const_cast<void*>(arg);
    const long answer = p->on_register ? p->on_register(op, argument, count) : p->usual_answer(op, argument);
    if (answer >= 0) p->remember(op, arg);
    return answer;
  }
  long map_ring(int fd, std::size_t bytes, u64 offset) noexcept {
    if (!is_open(fd)) return ADD_FAILURE() << "mapped what is not open", -EBADF;
    if (offset == uring::off_sqes) {
      if (p->sqe_map_error != 0) return -p->sqe_map_error;
      EXPECT_EQ(bytes, p->sq_size * p->sqe_bytes);
      return p->map(p->sqes.map(), bytes);
    }
    if ((offset & 0xf8000000) == 0x80000000) {
      const auto group = static_cast<uring::u16>(offset >> 16 & 0x7fff);
      EXPECT_EQ(offset, 0x80000000 | u64{group} << 16);
      const auto registered = p->buf_rings.find(group);
      if (registered == p->buf_rings.end()) return ADD_FAILURE() << "no buffer ring " << group, -EINVAL;
      const long address = map_anonymous(bytes);
      if (address > 0) registered->second = static_cast<u64>(address);
      return address;
    }
    EXPECT_EQ(offset, uring::off_sq_ring);
    if (p->ring_map_error != 0) return -p->ring_map_error;
    EXPECT_EQ(bytes, p->ring_bytes);
    return p->map(p->rings.map(), bytes);
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
    for (const auto& [group, at] : p->buf_rings) {
      EXPECT_NE(at, reinterpret_cast<u64>(address)) << "unmapped while registered as buffer ring " << group;
    }
    if (address == p->rings.user_side()) p->rings.unmap();
    if (address == p->sqes.user_side()) p->sqes.unmap();
    if (p->anonymous.erase(address) == 1) ::operator delete (address, std::align_val_t{4096});
    return 0;
  }
  long close(int fd) noexcept {
    if (!is_open(fd)) return ADD_FAILURE() << "closed what is not open", -EBADF;
    p->buf_rings.clear();  // a ring takes its buffer rings along, but not its index
    return --p->open, 0;
  }

 private:
  bool is_open(int fd) const { return p->open > 0 && fd == Played::fd; }
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
    EXPECT_TRUE(Played::indices.empty()) << "an index of a registered ring was left";
    Played::indices.clear();
  }
};

}  // namespace

#endif
