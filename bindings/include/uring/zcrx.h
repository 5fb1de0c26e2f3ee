// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Zero-copy receive (6.15): a queue of a network device puts what it receives into memory of the program, and
// CQEs say where. Which connections use that queue is set up with the device (ethtool(8)), and needs one that
// splits headers from data; what comes another way is copied into the same memory. From 7.1 on there need not
// be a device, and everything is copied: for tests.
//
//   uring::Ring32 ring;  // CQEs of 32 bytes, or both sizes
//   ring.init(64, uring::setup_single_issuer | uring::setup_defer_taskrun).value();
//   uring::ZeroCopyReceiver<uring::Ring32> receiver;
//   if (auto made = receiver.init(ring, memory, {.interface_index = 2, .queue = 5}); !made) return made.error();
//   receiver.recv(7, socket).value();
//   ...
//   std::span<std::byte> data = receiver.get(cqe).value();
//   ... use it ...
//   receiver.put(cqe).value();
#ifndef URING_ZCRX_H
#define URING_ZCRX_H

#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>

#include "abi_register.h"
#include "abi_zcrx.h"
#include "attachment.h"
#include "entries.h"
#include "prep_rw.h"
#include "result.h"
#include "shared.h"
#include "syscall.h"
#include "zero.h"

namespace uring {

/// The most entries of a refill queue.
inline constexpr u32 max_refill_entries = 32768;

/// What a ZeroCopyReceiver receives from, and how. (For memory of a device, or of another ring, there is
/// Ring::register_zcrx_ifq.)
struct ZeroCopySource {
  u32 interface_index = 0;  ///< as from if_nametoindex(3)
  u32 queue = 0;            ///< which of its receive queues
  u32 flags = 0;            ///< zcrx_reg_nodev: no device (7.1)
  u32 buffer_size = 0;      ///< bytes that arrive in one piece, 0: a page; another size needs Linux 7.0
  u32 refill_entries = 0;   ///< of the refill queue, 0: one for each 4 KiB of the memory; at most 32768
  const ZcrxEventDesc* events = nullptr;  ///< what is to be told of (7.2)
};

/// Memory that data arrives in without being copied, and the queue in which it is given back. Like a
/// BufferGroup it can be moved, not copied, its ring may be moved too, and both may end in any order. The
/// registration ends with the ring: there is no other way. A receiver belongs to the thread of its ring.
///
/// The memory must be there until the ring is closed, and its last request has ended (cancel_all).
template <class Ring>
class ZeroCopyReceiver {
 public:
  ZeroCopyReceiver() noexcept = default;
  ZeroCopyReceiver(const ZeroCopyReceiver&) = delete;
  ZeroCopyReceiver& operator=(const ZeroCopyReceiver&) = delete;

  /// Takes everything over; `other` is closed afterwards.
  ZeroCopyReceiver(ZeroCopyReceiver&& other) noexcept { take(other); }

  /// Closes this one first.
  ZeroCopyReceiver& operator=(ZeroCopyReceiver&& other) noexcept {
    if (this != &other) {
      close();
      take(other);
    }
    return *this;
  }
  ~ZeroCopyReceiver() { close(); }

  /// Registers `memory` (whole pages, page aligned) as the place where data from `source` arrives. Needs
  /// CAP_NET_ADMIN, and a ring with setup_defer_taskrun (and setup_single_issuer) and large CQEs: EPERM,
  /// EINVAL. ENODEV: no such interface; EOPNOTSUPP: its driver cannot do this, or not with this buffer_size;
  /// EBUSY: something else uses the queue; ENOMEM: RLIMIT_MEMLOCK. entries_not_in_range: too many
  /// refill_entries. ring_layout_invalid: the kernel's answer contradicts itself. After an error nothing is
  /// left mapped. Since Linux 6.15.
  Result<void> init(Ring& ring, std::span<std::byte> memory, const ZeroCopySource& source) noexcept;

  /// Unmaps the refill queue. Nothing can be received any more; the registration, and with it the queue of
  /// the device, is released when the ring is closed. Closing twice does nothing.
  void close() noexcept;

  /// Its number, for prep_recv_zc and ZcrxCtrl.
  u32 id() const noexcept { return id_; }

  /// The bytes of a buffer, which the kernel may have chosen; 0 before Linux 7.0, when they are a page.
  u32 buffer_size() const noexcept { return buffer_size_; }

  /// Queues a multishot receive of at most `bytes` in all (0: no limit). Each CQE with cqe_f_more has data;
  /// the last has none, and in res how it ended: 0 the end of the stream, -ENOMEM no memory is left (give
  /// some back, flush, and start again), -ECANCELED. Traps if there is no ring. Since Linux 6.15.
  typename Ring::Queued recv(u64 user_data, i32 fd, u32 bytes = 0) noexcept {
    return ring().recv_zc(user_data, fd, id_, bytes);
  }

  /// The bytes this CQE delivered. They belong to the caller until put. no_buffer_selected: it has none.
  /// buffer_out_of_range: they are not in this memory.
  Result<std::span<std::byte>> get(const Cqe32& cqe) const noexcept {
    if (cqe.res <= 0) return Error::no_buffer_selected;
    const u64 begin = cqe.extra1 & ~zcrx_area_mask, bytes = static_cast<u64>(cqe.res);
    if ((cqe.extra1 & zcrx_area_mask) != token_ || begin > bytes_ || bytes > bytes_ - begin) {
      return Error::buffer_out_of_range;
    }
    return std::span<std::byte>(memory_ + begin, static_cast<std::size_t>(bytes));
  }

  /// Gives them back. Call once for each CQE that has data. refill_queue_full: flush first. The errors of
  /// get.
  Result<void> put(const Cqe32& cqe) noexcept {
    if (const auto data = get(cqe); !data.ok()) return data.error();
    if (tail_ - head_.load_acquire() == entries_) return Error::refill_queue_full;
    ZcrxRqe& entry = rqes_[tail_ & (entries_ - 1)];
    entry.off = cqe.extra1;
    entry.len = static_cast<u32>(cqe.res);
    entry.pad = 0;
    tail_word_.store_release(++tail_);
    return {};
  }

  /// Lets the kernel take what was given back, which it otherwise does when it needs memory. Traps if there
  /// is no ring. Since Linux 6.19.
  Result<void> flush() noexcept {
    ZcrxCtrl control;
    zero(control);
    control.zcrx_id = id_;
    control.op = zcrx_ctrl_flush_rq;
    return ring().zcrx_ctrl(control);
  }

 private:
  using Kernel = std::remove_reference_t<decltype(std::declval<Ring&>().kernel())>;
  static_assert(std::is_base_of_v<Cqe32, typename Ring::CqEntry>, "zero-copy receive needs CQEs of 32 bytes");

  // Whole pages, with room for what precedes the entries: 64 bytes up to Linux 7.2, 128 in 7.3.
  static constexpr std::size_t region_bytes(u32 entries) noexcept {
    const std::size_t bytes = entries * sizeof(ZcrxRqe) + 4096;
    return (bytes + arch::largest_page - 1) / arch::largest_page * arch::largest_page;
  }
  static constexpr u32 power_of_two_from(u64 count) noexcept {
    u32 result = 1;
    while (result < count && result < max_refill_entries) result *= 2;
    return result;
  }

  Ring& ring() const noexcept {
    Ring* const ring = attachment_.ring();
    URING_ASSERT(ring != nullptr);
    return *ring;
  }
  u32* word(u32 offset) const noexcept { return reinterpret_cast<u32*>(region_ + offset); }

  // Whether the parts of the refill queue lie where the kernel says, in its region.
  static bool fits(const ZcrxIfqReg& answer, u32 entries) noexcept {
    const std::size_t bytes = region_bytes(entries);
    const ZcrxOffsets& at = answer.offsets;
    return answer.rq_entries == entries && at.head <= bytes - sizeof(u32) && at.tail <= bytes - sizeof(u32) &&
           at.rqes <= bytes - entries * sizeof(ZcrxRqe) && at.head % alignof(u32) == 0 &&
           at.tail % alignof(u32) == 0 && at.rqes % alignof(ZcrxRqe) == 0;
  }

  void take(ZeroCopyReceiver& other) noexcept {
    attachment_.take(other.attachment_);
    region_ = std::exchange(other.region_, nullptr);
    memory_ = std::exchange(other.memory_, nullptr);
    bytes_ = std::exchange(other.bytes_, 0);
    rqes_ = other.rqes_;
    head_ = other.head_;
    tail_word_ = other.tail_word_;
    token_ = other.token_;
    tail_ = other.tail_;
    entries_ = other.entries_;
    id_ = other.id_;
    buffer_size_ = other.buffer_size_;
    kernel_ = other.kernel_;
  }

  detail::Attachment<Ring> attachment_;
  std::byte* region_ = nullptr;  // the mapping of the refill queue
  std::byte* memory_ = nullptr;
  u64 bytes_ = 0;  // of it; 0: closed, so that no CQE is of this receiver
  ZcrxRqe* rqes_ = nullptr;
  SharedU32 head_, tail_word_;
  u64 token_ = 0;
  u32 tail_ = 0;  // entries ever added
  u32 entries_ = 0;
  u32 id_ = 0;
  u32 buffer_size_ = 0;
  [[no_unique_address]] Kernel kernel_{};  // a copy of the ring's, for unmapping when there is no ring
};

template <class Ring>
Result<void> ZeroCopyReceiver<Ring>::init(Ring& ring, std::span<std::byte> memory,
                                          const ZeroCopySource& source) noexcept {
  URING_ASSERT(region_ == nullptr);
  if (source.refill_entries > max_refill_entries) return Error::entries_not_in_range;
  const u32 entries =
      power_of_two_from(source.refill_entries != 0 ? source.refill_entries : memory.size() / 4096);

  const auto mapped = Result<std::byte*>::from_kernel(ring.kernel().map_anonymous(region_bytes(entries)));
  if (!mapped.ok()) return mapped.error();
  ZcrxAreaReg area;
  RegionDesc region;
  ZcrxIfqReg request;
  zero(area);
  zero(region);
  zero(request);
  area.addr = address_of(memory.data());
  area.len = memory.size();
  region.user_addr = address_of(mapped.value());
  region.size = region_bytes(entries);
  region.flags = mem_region_type_user;
  request.if_idx = source.interface_index;
  request.if_rxq = source.queue;
  request.rq_entries = entries;
  request.flags = source.flags;
  request.area_ptr = address_of(&area);
  request.region_ptr = address_of(&region);
  request.rx_buf_len = source.buffer_size;
  request.event_desc = address_of(source.events);
  Result<void> registered = ring.register_zcrx_ifq(request);
  if (registered.ok() && !fits(request, entries)) registered = Error::ring_layout_invalid;
  if (!registered.ok()) {
    static_cast<void>(ring.kernel().unmap(mapped.value(), region_bytes(entries)));
    return registered;
  }

  ring.attach(attachment_);
  kernel_ = ring.kernel();
  region_ = mapped.value();
  memory_ = memory.data();
  bytes_ = memory.size();
  rqes_ = reinterpret_cast<ZcrxRqe*>(region_ + request.offsets.rqes);
  head_ = SharedU32(word(request.offsets.head));
  tail_word_ = SharedU32(word(request.offsets.tail));
  token_ = area.rq_area_token;
  tail_ = 0;
  entries_ = entries;
  id_ = request.zcrx_id;
  buffer_size_ = request.rx_buf_len;
  return {};
}

template <class Ring>
void ZeroCopyReceiver<Ring>::close() noexcept {
  if (region_ == nullptr) return;
  // Errors are not reported: the memory is unmapped in any case. The kernel has its own hold on the pages.
  static_cast<void>(kernel_.unmap(region_, region_bytes(entries_)));
  attachment_.detach();
  region_ = nullptr;
  bytes_ = 0;
}

}  // namespace uring

#endif
