// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Buffers that belong to the kernel until data comes: a ring of them, registered under a group id (5.19). A
// request with sqe_buffer_select and that id takes the next one when it needs it, and its CQE says which
// (Cqe::buffer_id).
//
//   alignas(64) static std::byte memory[16 * 4096];
//   uring::BufferGroup<uring::Ring> group;
//   if (auto made = group.init(ring, 1, memory, 4096); !made) return made.error();
//   group.recv_multishot(7, socket, 0).value();
//   ...
//   std::span<std::byte> data = group.get(cqe).value();
//   ... use it ...
//   group.put(cqe).value();
//
// For buffers of several sizes, or in another order, there is buf_ring.h.
#ifndef URING_BUFFER_GROUP_H
#define URING_BUFFER_GROUP_H

#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

#include "abi_register.h"
#include "attachment.h"
#include "buf_ring.h"
#include "result.h"
#include "ring.h"

namespace uring {

/// How a request uses up the buffer it takes.
enum class Consumption {
  whole,        ///< a buffer belongs to one CQE, however few bytes came (5.19)
  incremental,  ///< the next CQE continues where the last one ended, until the buffer is full (6.12)
};

/// A group of buffers of equal size in the caller's memory. Owns the buffer ring: it can be moved, not
/// copied, and unregisters when it goes out of scope. The ring may be moved too, and group and ring may end
/// in any order: closing a ring ends the registration of its groups. Such a group has no ring any more; get
/// still returns the bytes of CQEs that came before, and close unmaps its entries. A group belongs to the
/// thread that its ring belongs to.
///
/// With bundles (recv_bundle) a CQE has the bytes of several buffers, and for_each_piece and put_bundle take
/// the place of get and put.
///
/// The memory must be there until the last request that may take a buffer has its CQE. Closing the ring or
/// the group does not wait for them: cancel them first (cancel, cancel_all) if they may be in flight.
///
/// The ring's entries, and the position inside each buffer that incremental consumption needs (32 bits each),
/// are in one mapping that the group makes: the caller provides only the buffers themselves.
template <class Ring>
class BufferGroup {
 public:
  BufferGroup() noexcept = default;
  BufferGroup(const BufferGroup&) = delete;
  BufferGroup& operator=(const BufferGroup&) = delete;

  /// Takes everything over; `other` is closed afterwards.
  BufferGroup(BufferGroup&& other) noexcept { take(other); }

  /// Closes this group first.
  BufferGroup& operator=(BufferGroup&& other) noexcept {
    if (this != &other) {
      close();
      take(other);
    }
    return *this;
  }
  ~BufferGroup() { close(); }

  /// Cuts `memory` into buffers of `buffer_size` bytes (it must be a multiple), numbers them from 0, and
  /// hands all of them to the kernel as `group`. If the kernel does not support incremental consumption, it
  /// is asked again for whole buffers: consumption() returns which it is. length_too_large: a buffer larger
  /// than one transfer (max_transfer). The errors of setup_buf_ring, about memory.size() / buffer_size
  /// entries. Since Linux 5.19.
  Result<void> init(Ring& ring, u16 group, std::span<std::byte> memory, u64 buffer_size,
                    Consumption wanted = Consumption::incremental) noexcept;

  /// Unregisters the group and unmaps its ring. A request that wants a buffer of it afterwards ends with
  /// -ENOBUFS. Closing twice does nothing.
  void close() noexcept;

  /// Its number, in Sqe::buf_index.
  u16 id() const noexcept { return group_; }

  /// How many buffers it has; 0: closed.
  u32 count() const noexcept { return count_; }

  /// The bytes of each.
  u32 buffer_size() const noexcept { return static_cast<u32>(buffer_size_); }

  /// How requests use them up, which an older kernel may have decided: see init.
  Consumption consumption() const noexcept { return consumption_; }

  /// Queues a receive of as much as one buffer holds. The zero length that it is queued with has this meaning
  /// since Linux 6.0. Traps if there is no ring.
  typename Ring::Queued recv(u64 user_data, i32 fd, u32 flags) noexcept {
    return ring().recv_select(user_data, fd, group_, 0, flags);
  }

  /// Queues a multishot receive: see prep_recv_multishot. Traps if there is no ring. Since Linux 6.0.
  typename Ring::Queued recv_multishot(u64 user_data, i32 fd, u32 flags) noexcept {
    return ring().recv_multishot(user_data, fd, group_, flags);
  }

  /// Queues a receive into as many buffers as there is data for: see prep_recv_bundle, for_each_piece and
  /// put_bundle. Traps if there is no ring. Since Linux 6.10 (feat_recvsend_bundle).
  typename Ring::Queued recv_bundle(u64 user_data, i32 fd, u32 flags) noexcept {
    return ring().recv_bundle(user_data, fd, group_, 0, flags);
  }

  /// Queues a multishot receive of this kind: see prep_recv_multishot_bundle. Traps if there is no ring.
  /// Since Linux 6.10.
  typename Ring::Queued recv_multishot_bundle(u64 user_data, i32 fd, u32 flags) noexcept {
    return ring().recv_multishot_bundle(user_data, fd, group_, flags);
  }

  /// Queues a multishot recvmsg: see prep_recvmsg_multishot, and ReceivedMessage for reading what came. Traps
  /// if there is no ring. Since Linux 6.0.
  typename Ring::Queued recvmsg_multishot(u64 user_data, i32 fd, ::msghdr* message, u32 flags) noexcept {
    return ring().recvmsg_multishot(user_data, fd, message, group_, flags);
  }

  /// The bytes this CQE delivered: Cqe::res of them. They belong to the caller until put. With incremental
  /// consumption, take the CQEs of one buffer in order, each with get and then put. no_buffer_selected: the
  /// CQE has no buffer (-ENOBUFS in res says that the group was empty). buffer_out_of_range: this group has
  /// no such buffer, or not so many bytes in it.
  Result<std::span<std::byte>> get(const Cqe& cqe) const noexcept {
    const u32 head = head_of(cqe);
    const Result<u16> id = checked_id(cqe, head);
    if (!id.ok()) return id.error();
    return std::span<std::byte>(buffer(id.value()) + head, bytes_of(cqe));
  }

  /// The same for the CQE of a bundle, whose bytes lie in several buffers: calls visit(std::span<std::byte>)
  /// for each piece, in order; if there is an error, for none. Take the CQEs of bundles in the order in which
  /// they come, each with this and then put_bundle. It has to look for the first of the buffers in the ring,
  /// from the end that was filled last: for a few hundred buffers that is a fraction of a microsecond.
  template <class Visitor>
  Result<void> for_each_piece(const Cqe& cqe, Visitor&& visit) const noexcept {
    return walk(
        cqe, [&](u16 id, u32 begin, u32 bytes) { visit(std::span<std::byte>(buffer(id) + begin, bytes)); });
  }

  /// Gives the bytes of a bundle's CQE back. As put, but for all of its buffers. The errors of get; then none
  /// was given back.
  Result<void> put_bundle(const Cqe& cqe) noexcept {
    const bool continues = (cqe.flags & cqe_f_buf_more) != 0 && consumption_ == Consumption::incremental;
    u32 left = bytes_of(cqe);
    return walk(cqe, [&, this](u16 id, u32 begin, u32 bytes) {
      left -= bytes;
      if (consumption_ == Consumption::incremental) heads()[id] = 0;
      if (left == 0 && continues) {
        heads()[id] = begin + bytes;
      } else {
        add(id);
      }
    });
  }

  /// Gives the bytes of this CQE back. A buffer that the kernel will continue to use (cqe_f_buf_more) stays
  /// with it; any other is handed to it again, whole. Call once for each CQE. The errors of get.
  Result<void> put(const Cqe& cqe) noexcept {
    const u32 id = cqe.flags >> cqe_buffer_shift;
    const bool has_buffer = (cqe.flags & cqe_f_buffer) != 0;
    if (!has_buffer || id >= whole_count_ || cqe.res > static_cast<i32>(buffer_size_)) [[unlikely]]
      return put_part(cqe.res, cqe.flags);
    add(id);
    return {};
  }

 private:
  using Kernel = std::remove_reference_t<decltype(std::declval<Ring&>().kernel())>;

  Ring& ring() const noexcept {
    Ring* const ring = attachment_.ring();
    URING_ASSERT(ring != nullptr);
    return *ring;
  }
  Buf& entry_of(u32 position) const noexcept { return buf_ring_[position & mask_]; }
  std::byte* buffer(u32 id) const noexcept { return memory_ + std::size_t{id} * buffer_size_; }
  u32* heads() const noexcept { return reinterpret_cast<u32*>(buf_ring_ + count_); }
  static std::size_t mapping_bytes(u32 count) noexcept { return count * (sizeof(Buf) + sizeof(u32)); }
  static u32 bytes_of(const Cqe& cqe) noexcept { return cqe.res > 0 ? static_cast<u32>(cqe.res) : 0; }

  // How much of the CQE's buffer is used up. 0 for whole buffers, which needs no memory access.
  u32 head_of(const Cqe& cqe) const noexcept {
    const u32 id = cqe.flags >> cqe_buffer_shift;
    return consumption_ == Consumption::incremental && id < count_ ? heads()[id] : 0;
  }

  Result<u16> checked_id(const Cqe& cqe, u32 head) const noexcept {
    const Result<u16> id = cqe.buffer_id();
    if (!id.ok()) return id;
    // An error is a negative number of bytes, and fits everywhere.
    if (id.value() >= count_ || cqe.res > static_cast<i64>(buffer_size_ - head))
      return Error::buffer_out_of_range;
    return id;
  }

  // Calls step(id, begin, bytes) for each buffer of a CQE, in the order of the ring. `step` may add buffers:
  // what that overwrites in the ring was read before.
  template <class Step>
  Result<void> walk(const Cqe& cqe, Step&& step) const noexcept {
    const Result<u16> id = cqe.buffer_id();
    if (!id.ok()) return id.error();
    // Where it was added last; older entries with its number mean nothing any more.
    u32 added = 1;  // so many ago
    while (added <= count_ && entry_of(static_cast<u16>(tail_ - added)).bid != id.value()) ++added;
    u32 begin = head_of(cqe), left = bytes_of(cqe);
    if (added > count_ || left > added * buffer_size_ - begin) return Error::buffer_out_of_range;
    u32 position = static_cast<u16>(tail_ - added);
    do {
      const u32 room = buffer_size() - begin, bytes = left < room ? left : room;
      step(entry_of(position++).bid, begin, bytes);
      left -= bytes;
      begin = 0;
    } while (left > 0);
    return {};
  }

  // The rest of put: with incremental consumption, and what is an error. Out of line, and by value, because
  // whole buffers need less code, and no CQE in memory.
  [[gnu::noinline]] Result<void> put_part(i32 res, u32 flags) noexcept {
    const Cqe cqe{.user_data = 0, .res = res, .flags = flags};
    const Result<u16> id = checked_id(cqe, head_of(cqe));
    if (!id.ok()) return id.error();
    u32& head = heads()[id.value()];
    if ((cqe.flags & cqe_f_buf_more) != 0) {
      head += bytes_of(cqe);
      return {};
    }
    head = 0;
    add(id.value());
    return {};
  }

  // As buf_ring_add and buf_ring_advance, with a tail that need not be read back from shared memory.
  void add(u32 id) noexcept {
    Buf& entry = entry_of(tail_);
    entry.bid = static_cast<u16>(id);
    entry.len = static_cast<u32>(buffer_size_);
    entry.addr = address_of(buffer(id));
    buf_ring_tail(buf_ring_).store_release(++tail_);
  }

  void take(BufferGroup& other) noexcept {
    attachment_.take(other.attachment_);
    buf_ring_ = std::exchange(other.buf_ring_, nullptr);
    memory_ = std::exchange(other.memory_, nullptr);
    count_ = std::exchange(other.count_, 0);
    buffer_size_ = std::exchange(other.buffer_size_, 0);
    mask_ = other.mask_;
    whole_count_ = std::exchange(other.whole_count_, 0);
    group_ = other.group_;
    tail_ = other.tail_;
    consumption_ = other.consumption_;
    kernel_ = other.kernel_;
  }

  detail::Attachment<Ring> attachment_;
  Buf* buf_ring_ = nullptr;  // count_ entries, then count_ heads
  std::byte* memory_ = nullptr;
  u32 count_ = 0;
  u64 buffer_size_ = 0;
  u64 mask_ = 0;         // count_ - 1
  u32 whole_count_ = 0;  // count_ with whole buffers, else 0: see put
  u16 group_ = 0;
  u16 tail_ = 0;  // buffers ever added, modulo 2^16
  Consumption consumption_ = Consumption::whole;
  [[no_unique_address]] Kernel kernel_{};  // a copy of the ring's, for unmapping when there is no ring
};

template <class Ring>
Result<void> BufferGroup<Ring>::init(Ring& ring, u16 group, std::span<std::byte> memory, u64 buffer_size,
                                     Consumption wanted) noexcept {
  URING_ASSERT(buf_ring_ == nullptr);
  URING_ASSERT(buffer_size > 0 && memory.size() % buffer_size == 0);
  if (buffer_size > max_transfer) return Error::length_too_large;
  const std::size_t buffers = memory.size() / buffer_size;
  if (buffers > max_buf_ring_entries) return Error::entries_not_in_range;
  const u32 count = static_cast<u32>(buffers);

  const bool incremental = wanted == Consumption::incremental;
  Result<Buf*> made =
      detail::map_buf_ring(ring, mapping_bytes(count), count, group, incremental ? pbuf_ring_inc : 0);
  consumption_ = wanted;
  if (incremental && made == Error::inval) {
    made = detail::map_buf_ring(ring, mapping_bytes(count), count, group, 0);
    consumption_ = Consumption::whole;
  }
  if (!made.ok()) return made.error();

  ring.attach(attachment_);
  kernel_ = ring.kernel();
  buf_ring_ = made.value();  // fresh memory is zero, and so are the heads
  memory_ = memory.data();
  count_ = count;
  mask_ = u64{count} - 1;
  whole_count_ = consumption_ == Consumption::whole ? count : 0;
  buffer_size_ = buffer_size;
  group_ = group;
  tail_ = 0;
  buf_ring_init(buf_ring_);
  for (u32 i = 0; i != count; ++i) add(i);
  return {};
}

template <class Ring>
void BufferGroup<Ring>::close() noexcept {
  if (buf_ring_ == nullptr) return;
  // Errors are not reported: the memory is unmapped in any case.
  if (Ring* const ring = attachment_.ring(); ring != nullptr) {
    static_cast<void>(ring->unregister_buf_ring(group_));
  }
  static_cast<void>(kernel_.unmap(buf_ring_, mapping_bytes(count_)));
  attachment_.detach();
  buf_ring_ = nullptr;
  count_ = whole_count_ = 0;
}

}  // namespace uring

#endif
