// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The ring's slow paths: opening, mapping, closing, resizing and moving. What they promise is said at their
// declarations in ring.h, which includes this file.
#ifndef URING_RING_SETUP_H
#define URING_RING_SETUP_H

#include "ring.h"

namespace uring {

template <class Kernel, class Sqes, class Cqes>
Result<void> BasicRing<Kernel, Sqes, Cqes>::init(u32 entries, u32 flags) noexcept {
  Params params;
  zero(params);
  params.flags = flags;
  params.sq_thread_idle = 1000;  // milliseconds; looked at only with setup_sqpoll
  return init_mapped(entries, params);
}

template <class Kernel, class Sqes, class Cqes>
Result<void> BasicRing<Kernel, Sqes, Cqes>::init_params(u32 entries, Params& params) noexcept {
  expect_input_only(params);
  return init_mapped(entries, params);
}

template <class Kernel, class Sqes, class Cqes>
Result<void> BasicRing<Kernel, Sqes, Cqes>::init_mapped(u32 entries, Params& params) noexcept {
  URING_ASSERT(!is_open());
  Result<void> result = check(entries, params, setup_no_mmap | setup_registered_fd_only);
  if (result.ok()) result = create(entries, params);
  if (result.ok()) result = map(params);
  return begin(result, params);
}

template <class Kernel, class Sqes, class Cqes>
Result<void> BasicRing<Kernel, Sqes, Cqes>::init_mem(u32 entries, Params& params,
                                                     std::span<std::byte> memory) noexcept {
  URING_ASSERT(!is_open());
  expect_input_only(params);
  if (const Result<void> valid = check(entries, params, 0); !valid.ok()) return valid;
  if (memory.size() < memory_size(entries, params)) return Error::memory_too_small;
  std::byte* const rings = memory.data() + in_pages(sqes_bytes(entries));
  // Kernels before 6.17 continue from the positions that they find there.
  struct Header {
    u32 words[header_bytes / sizeof(u32)];
  };
  zero(*reinterpret_cast<Header*>(rings));
  params.flags |= setup_no_mmap;
  params.sq_off.user_addr = address_of(memory.data());
  params.cq_off.user_addr = address_of(rings);
  Result<void> result = create(entries, params);
  if (result.ok() && (flags_ & setup_registered_fd_only) != 0) {
    fd_ = -1;
    always_flags_ = enter_registered_ring;
  }
  if (result.ok() && !lay_out(params, memory)) result = Error::ring_layout_invalid;
  return begin(result, params);
}

template <class Kernel, class Sqes, class Cqes>
constexpr std::size_t BasicRing<Kernel, Sqes, Cqes>::memory_size(u32 entries, const Params& params) noexcept {
  constexpr u32 most = 32768;  // SQEs; the kernel refuses more, or clamps them
  const u32 sq = entries < most ? entries : most;
  u32 cq = 2 * sq;
  if ((params.flags & setup_cqsize) != 0) {
    cq = 1;
    while (cq < params.cq_entries && cq < 2 * most) cq *= 2;  // as the kernel rounds it
  }
  const std::size_t array = (params.flags & setup_no_sqarray) == 0 ? header_bytes + sq * sizeof(u32) : 0;
  return in_pages(sqes_bytes(sq)) + in_pages(header_bytes + cq * sizeof(CqSlot) + array);
}

/// What the kernel answers with is 0, and the rest is 0 unless its flag is set.
template <class Kernel, class Sqes, class Cqes>
void BasicRing<Kernel, Sqes, Cqes>::expect_input_only(const Params& params) noexcept {
  URING_ASSERT(params.sq_entries == 0 && params.features == 0);
  URING_ASSERT(params.cq_entries == 0 || (params.flags & setup_cqsize) != 0);
  URING_ASSERT(params.wq_fd == 0 || (params.flags & setup_attach_wq) != 0);
  URING_ASSERT(params.resv[0] == 0 && params.resv[1] == 0 && params.resv[2] == 0);
}

/// Refuses what the kernel would not refuse, or not by name, and sets the flags of the type.
template <class Kernel, class Sqes, class Cqes>
Result<void> BasicRing<Kernel, Sqes, Cqes>::check(u32 entries, Params& params, u32 not_supported) noexcept {
  if (entries == 0) return Error::entries_zero;
  if ((entries & (entries - 1)) != 0) return Error::entries_not_power_of_two;
  // An SQE of two entries may need a third, to fill the end of the queue.
  if (sqes_are_mixed && entries < 4) return Error::entries_too_few;
  // The sizes of the entries are the type's.
  constexpr u32 sizes = setup_sqe128 | setup_cqe32 | setup_sqe_mixed | setup_cqe_mixed;
  not_supported |= sizes & ~shape_flags;
  if ((params.flags & not_supported) != 0) return Error::flags_not_supported;
  params.flags |= shape_flags;
  return {};
}

template <class Kernel, class Sqes, class Cqes>
Result<void> BasicRing<Kernel, Sqes, Cqes>::create(u32 entries, Params& params) noexcept {
  const long created = kernel_.setup(entries, &params);
  if (created < 0) return Result<void>::from_kernel(created);
  fd_ = enter_fd_ = static_cast<int>(created);
  flags_ = params.flags;
  features_ = params.features;
  return {};
}

/// The last step: finds the queues. If this or an earlier one failed, nothing is left open.
template <class Kernel, class Sqes, class Cqes>
Result<void> BasicRing<Kernel, Sqes, Cqes>::begin(Result<void> result, const Params& params) noexcept {
  if (result.ok() && !attach(params)) result = Error::ring_layout_invalid;
  // Linux starts all counters at 0. The ring relies only on both queues being empty.
  if (result.ok()) {
    start_at(sq_.tail.load_relaxed());
    if (sq_ready() != 0 || cq_ready() != 0 || sq_dropped() != 0 || cq_overflow() != 0) {
      result = Error::ring_layout_invalid;
    }
  }
  if (!result.ok()) close();
  return result;
}

template <class Kernel, class Sqes, class Cqes>
Result<void> BasicRing<Kernel, Sqes, Cqes>::map(const Params& params) noexcept {
  if ((features_ & feat_single_mmap) == 0) return Error::system_outdated;
  const Result<void> rings = map_one(rings_, ring_bytes(params), off_sq_ring);
  if (!rings.ok()) return rings;
  return map_one(sqes_, sqes_bytes(params.sq_entries), off_sqes);
}

/// The parts of the caller's memory. False if the kernel's numbers do not fit into it.
template <class Kernel, class Sqes, class Cqes>
bool BasicRing<Kernel, Sqes, Cqes>::lay_out(const Params& params, std::span<std::byte> memory) noexcept {
  const u64 rings = params.cq_off.user_addr, begin = address_of(memory.data());
  if (rings < begin + sqes_bytes(params.sq_entries)) return false;
  if (rings + ring_bytes(params) > begin + memory.size()) return false;
  sqes_.address = memory.data();
  rings_.address = memory.data() + (rings - begin);
  return true;
}

template <class Kernel, class Sqes, class Cqes>
Result<void> BasicRing<Kernel, Sqes, Cqes>::map_one(Mapping& mapping, std::size_t bytes,
                                                    u64 offset) noexcept {
  const long address = kernel_.map_ring(fd_, bytes, offset);
  if (const Result<void> mapped = Result<void>::from_kernel(address); !mapped.ok()) return mapped;
  mapping.address = reinterpret_cast<void*>(address);
  mapping.bytes = bytes;
  return {};
}

/// Finds the shared words. False if the kernel's numbers contradict each other.
template <class Kernel, class Sqes, class Cqes>
bool BasicRing<Kernel, Sqes, Cqes>::attach(const Params& params) noexcept {
  const SqRingOffsets& sq = params.sq_off;
  const CqRingOffsets& cq = params.cq_off;
  const u32 sq_mask = *word_at(sq.ring_mask), cq_mask = *word_at(cq.ring_mask);
  if (*word_at(sq.ring_entries) != params.sq_entries || sq_mask != params.sq_entries - 1) return false;
  if (*word_at(cq.ring_entries) != params.cq_entries || cq_mask != params.cq_entries - 1) return false;
  if (params.sq_entries == 0 || params.cq_entries < params.sq_entries) return false;

  sq_.head = SharedU32(word_at(sq.head));
  sq_.tail = SharedU32(word_at(sq.tail));
  sq_.flags = SharedU32(word_at(sq.flags));
  sq_.dropped = SharedU32(word_at(sq.dropped));
  sq_.mask = sq_mask;
  sq_.entries = params.sq_entries;
  sq_.sqes = static_cast<SqEntry*>(sqes_.address);
  cq_.head = SharedU32(word_at(cq.head));
  cq_.tail = SharedU32(word_at(cq.tail));
  cq_.overflow = SharedU32(word_at(cq.overflow));
  cq_.mask = cq_mask;
  cq_.entries = params.cq_entries;
  cq_.cqes = reinterpret_cast<CqSlot*>(word_at(cq.cqes));
  cq_.end = cq_.cqes + params.cq_entries;

  // Slot i of the queue is always SQE i; see flush_sq. With setup_no_sqarray the kernel assumes the same.
  if ((flags_ & setup_no_sqarray) == 0) {
    u32* array = word_at(sq.array);
    for (u32 i = 0; i != params.sq_entries; ++i) array[i] = i;
  }
  return true;
}

template <class Kernel, class Sqes, class Cqes>
void BasicRing<Kernel, Sqes, Cqes>::close() noexcept {
  if (!is_open()) return;
  attachments_.detach_all();
  // Errors are not reported: the arguments are ours and known to be good, and a destructor cannot return
  // anything.
  if (always_flags_ != 0) static_cast<void>(unregister_index());  // the index would keep the ring alive
  unmap();
  if (fd_ >= 0) static_cast<void>(kernel_.close(fd_));
  sqe_next_ = sqe_stop_ = nullptr;
  sqe_origin_ = 0;
  last_ = {};
  sqe_head_ = 0;
  flags_ = features_ = always_flags_ = 0;
  fd_ = enter_fd_ = -1;
}

template <class Kernel, class Sqes, class Cqes>
void BasicRing<Kernel, Sqes, Cqes>::unmap() noexcept {
  if ((flags_ & setup_no_mmap) == 0) {
    if (sqes_.address != nullptr) static_cast<void>(kernel_.unmap(sqes_.address, sqes_.bytes));
    if (rings_.address != nullptr) static_cast<void>(kernel_.unmap(rings_.address, rings_.bytes));
  }
  sqes_ = {};
  rings_ = {};
  sq_ = {};
  cq_ = {};
}

template <class Kernel, class Sqes, class Cqes>
Result<void> BasicRing<Kernel, Sqes, Cqes>::register_ring_fd() noexcept {
  if (always_flags_ != 0) return {};
  RsrcUpdate update;
  update.offset = ~u32{0};  // any index
  update.resv = 0;
  update.data = static_cast<u64>(fd_);
  if (const Result<u32> done = do_register(RegisterOp::ring_fds, &update, 1); !done.ok()) return done.error();
  enter_fd_ = static_cast<int>(update.offset);
  always_flags_ = enter_registered_ring;
  return {};
}

template <class Kernel, class Sqes, class Cqes>
Result<void> BasicRing<Kernel, Sqes, Cqes>::unregister_ring_fd() noexcept {
  if (always_flags_ == 0) return Error::inval;
  if (fd_ < 0) return Error::flags_not_supported;
  if (const Result<void> done = unregister_index(); !done.ok()) return done;
  enter_fd_ = fd_;
  always_flags_ = 0;
  return {};
}

template <class Kernel, class Sqes, class Cqes>
Result<void> BasicRing<Kernel, Sqes, Cqes>::unregister_index() noexcept {
  RsrcUpdate update;
  update.offset = static_cast<u32>(enter_fd_);
  update.resv = 0;
  update.data = 0;
  const Result<u32> done = do_register(RegisterOp::unregister_ring_fds, &update, 1);
  return done.ok() ? Result<void>() : done.error();
}

template <class Kernel, class Sqes, class Cqes>
Result<void> BasicRing<Kernel, Sqes, Cqes>::resize(u32 sq_entries, u32 cq_entries) noexcept {
  // The kernel does not say where the index array of the new queue is: sq_off.array comes back as 0 (seen on
  // 6.18), and using it would overwrite the ring's head and tail with 0 and 1.
  if ((flags_ & (setup_no_sqarray | setup_no_mmap | setup_sq_rewind)) != setup_no_sqarray || sqes_are_mixed ||
      cqes_are_mixed) {
    return Error::flags_not_supported;  // with mixed sizes, an entry might lie around the new end
  }
  flush_sq();  // the kernel moves what it can see
  const u32 tail = sqe_tail();
  Params params;
  zero(params);
  params.sq_entries = sq_entries;
  params.cq_entries = cq_entries;
  params.flags = setup_cqsize;
  if (const Result<u32> done = do_register(RegisterOp::resize_rings, &params, 1); !done.ok())
    return done.error();
  unmap();
  Result<void> result = map(params);
  if (result.ok() && !attach(params)) result = Error::ring_layout_invalid;
  if (result.ok()) start_at(tail);
  if (!result.ok()) close();
  return result;
}

template <class Kernel, class Sqes, class Cqes>
template <class>
Sqe128* BasicRing<Kernel, Sqes, Cqes>::get_two() noexcept {
  if (sqe_stop_ - sqe_next_ < 2) {
    const u32 tail = sqe_tail();
    const u32 room = sq_.entries - (tail - sq_.head.load_acquire());
    const bool at_end = (tail & sq_.mask) == sq_.mask;
    if (room < (at_end ? 3 : 2)) return nullptr;
    if (at_end) {
      constexpr u8 links = sqe_io_link | sqe_io_hardlink;
      const u32 link = last_.sqe != nullptr ? last_.sqe->flags & links : 0u;
      prep_nop(*get_sqe(), 0).flags = static_cast<u8>(sqe_cqe_skip_success | link);
    }
    find_room();
  }
  Sqe* const sqe = sqe_next_;
  sqe_next_ += 2;
  last_.sqe = sqe;
  return reinterpret_cast<Sqe128*>(sqe);
}

/// Removes the first `count` SQEs: the others take their places. In a loop of volatile words: see zero.
template <class Kernel, class Sqes, class Cqes>
void BasicRing<Kernel, Sqes, Cqes>::drop(u32 count) noexcept {
  using Word [[gnu::may_alias]] = u64;
  constexpr std::size_t words = sizeof(SqEntry) / sizeof(Word);
  const u32 left = sqe_tail() - count;
  volatile Word* const to = reinterpret_cast<volatile Word*>(sq_.sqes);
  for (std::size_t i = 0; i != left * words; ++i) to[i] = to[i + count * words];
  start_at(left);
}

template <class Kernel, class Sqes, class Cqes>
void BasicRing<Kernel, Sqes, Cqes>::take(BasicRing& other) noexcept {
  sq_ = std::exchange(other.sq_, {});
  cq_ = std::exchange(other.cq_, {});
  rings_ = std::exchange(other.rings_, {});
  sqes_ = std::exchange(other.sqes_, {});
  sqe_next_ = std::exchange(other.sqe_next_, nullptr);
  sqe_stop_ = std::exchange(other.sqe_stop_, nullptr);
  sqe_origin_ = std::exchange(other.sqe_origin_, 0);
  last_ = std::exchange(other.last_, {});
  sqe_head_ = std::exchange(other.sqe_head_, 0);
  flags_ = std::exchange(other.flags_, 0);
  features_ = std::exchange(other.features_, 0);
  fd_ = std::exchange(other.fd_, -1);
  enter_fd_ = std::exchange(other.enter_fd_, -1);
  always_flags_ = std::exchange(other.always_flags_, 0);
  attachments_.take(other.attachments_, *this);
  kernel_ = std::move(other.kernel_);
}

}  // namespace uring

#endif
