// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The parts of a buffer group, for programs that want buffers of several sizes or in another order than
// BufferGroup (buffer_group.h) has them: a ring of buffers in memory that the kernel reads.
#ifndef URING_BUF_RING_H
#define URING_BUF_RING_H

#include <cstddef>
#include <span>

#include "abi_register.h"
#include "prep_rw.h"
#include "result.h"
#include "shared.h"
#include "zero.h"

namespace uring {

/// The most entries a buffer ring may have.
inline constexpr u32 max_buf_ring_entries = 32768;

namespace detail {

inline Result<void> check_buf_ring(u32 entries) noexcept {
  if (entries == 0 || entries > max_buf_ring_entries) return Error::entries_not_in_range;
  if ((entries & (entries - 1)) != 0) return Error::entries_not_power_of_two;
  return {};
}

// Maps `bytes` and registers their beginning as a buffer ring.
template <class Ring>
Result<Buf*> map_buf_ring(Ring& ring, std::size_t bytes, u32 entries, u16 group, u16 flags) noexcept {
  if (const Result<void> valid = check_buf_ring(entries); !valid.ok()) return valid.error();
  const long address = ring.kernel().map_anonymous(bytes);
  const Result<Buf*> memory = Result<Buf*>::from_kernel(address);
  if (!memory.ok()) return memory;

  BufReg buf_ring;
  zero(buf_ring);
  buf_ring.ring_addr = address_of(memory.value());
  buf_ring.ring_entries = entries;
  buf_ring.bgid = group;
  buf_ring.flags = flags;
  if (const Result<void> registered = ring.register_buf_ring(buf_ring); !registered.ok()) {
    static_cast<void>(ring.kernel().unmap(memory.value(), bytes));
    return registered.error();
  }
  return memory;
}

}  // namespace detail

/// Maps memory for a buffer ring and registers it. Follow with buf_ring_init. entries_not_in_range,
/// entries_not_power_of_two, the errors of mmap(2) and of Ring::register_buf_ring; after an error nothing is
/// left mapped. Since Linux 5.19.
template <class Ring>
Result<Buf*> setup_buf_ring(Ring& ring, u32 entries, u16 group, u16 flags = 0) noexcept {
  return detail::map_buf_ring(ring, entries * sizeof(Buf), entries, group, flags);
}

/// The same in memory that the kernel allocates (pbuf_ring_mmap). EINVAL: a group over 2047, for which there
/// is no offset to map; EBADF: the ring has no descriptor (setup_registered_fd_only). Since Linux 6.4.
template <class Ring>
Result<Buf*> setup_buf_ring_mmap(Ring& ring, u32 entries, u16 group, u16 flags = 0) noexcept {
  if (const Result<void> valid = detail::check_buf_ring(entries); !valid.ok()) return valid.error();
  const u64 offset = u64{group} << off_pbuf_shift;
  if ((offset & off_mmap_mask) != 0) return Error::inval;
  BufReg buf_ring;
  zero(buf_ring);
  buf_ring.ring_entries = entries;
  buf_ring.bgid = group;
  buf_ring.flags = static_cast<u16>(flags | pbuf_ring_mmap);
  if (const auto registered = ring.register_buf_ring(buf_ring); !registered.ok()) return registered.error();
  const long address = ring.kernel().map_ring(ring.fd(), entries * sizeof(Buf), off_pbuf_ring | offset);
  const Result<Buf*> memory = Result<Buf*>::from_kernel(address);
  if (!memory.ok()) static_cast<void>(ring.unregister_buf_ring(group));
  return memory;
}

/// Unregisters and unmaps what setup_buf_ring or setup_buf_ring_mmap made.
template <class Ring>
void free_buf_ring(Ring& ring, Buf* buf_ring, u32 entries, u16 group) noexcept {
  // A closed ring has released its groups. Errors are not reported: the memory is unmapped in any case.
  if (ring.is_open()) static_cast<void>(ring.unregister_buf_ring(group));
  static_cast<void>(ring.kernel().unmap(buf_ring, entries * sizeof(Buf)));
}

/// The tail: how many buffers were ever added, modulo 2^16. It lies in the last 16 bits of entry 0.
inline SharedU16 buf_ring_tail(Buf* buf_ring) noexcept { return SharedU16(&buf_ring[0].resv); }

/// Makes the ring empty.
inline void buf_ring_init(Buf* buf_ring) noexcept { buf_ring_tail(buf_ring).store_release(0); }

/// What a position is masked with to find its entry.
constexpr u16 buf_ring_mask(u32 entries) noexcept { return static_cast<u16>(entries - 1); }

/// Writes a buffer into the k-th entry after the tail. The kernel sees it after buf_ring_advance by more than
/// k. Of a buffer larger than one transfer, the first max_transfer bytes are used.
inline void buf_ring_add(Buf* buf_ring, std::span<std::byte> buffer, u16 id, u16 mask, u16 k) noexcept {
  const u16 position = static_cast<u16>(buf_ring_tail(buf_ring).load_relaxed() + k);
  Buf& entry = buf_ring[position & mask];
  // Field by field: the last 16 bits of entry 0 are the tail, and assigning the whole entry would reset it.
  entry.addr = reinterpret_cast<u64>(buffer.data());
  entry.len = transfer_length(buffer.size());
  entry.bid = id;
}

/// Hands `count` added buffers to the kernel.
inline void buf_ring_advance(Buf* buf_ring, u16 count) noexcept {
  const SharedU16 tail = buf_ring_tail(buf_ring);
  tail.store_release(static_cast<u16>(tail.load_relaxed() + count));
}

}  // namespace uring

#endif
