// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The ring: two queues shared with the kernel, and the calls that move entries through them.
//
//   uring::Ring ring;
//   if (auto opened = ring.init(8); !opened) return opened.error();
//   if (auto room = ring.reserve(2); !room) return room.error();  // both or neither
//   ring.write(1, fd, data, 0).link().value();
//   ring.fsync(2, fd, 0).value();
//   if (auto submitted = ring.submit_and_wait(2); !submitted) return submitted.error();
//   uring::Cqe cqe;
//   if (auto taken = ring.copy_cqe(cqe); !taken) return taken.error();
//
// A ring belongs to one thread at a time; hand it over with the synchronisation you would use for any object.
// It owns its descriptor and its mappings: it can be moved, not copied, and closes when it goes out of scope.
// Nothing here allocates, throws, or calls a C library.
//
// The sizes of its entries belong to a ring's type: Ring has 64-byte SQEs and 16-byte CQEs, Ring128, Ring32
// and Ring128x32 have larger ones, MixedRing has both (see entries.h). The type sets its flags itself; init
// refuses flags of another type with Error::flags_not_supported before it asks the kernel. Rings in the
// caller's memory, with a descriptor or without, are opened with init_mem.
#ifndef URING_RING_H
#define URING_RING_H

#include <cstdint>
#include <initializer_list>
#include <span>
#include <type_traits>
#include <utility>

#include "abi.h"
#include "attachment.h"
#include "cancel.h"
#include "entries.h"
#include "operations.h"
#include "registrations.h"
#include "result.h"
#include "shared.h"
#include "syscall.h"
#include "zero.h"

namespace uring {

/// The positions of both queues. All four count entries since the ring was opened, wrapping at 2^32.
struct Indices {
  u32 sqe_head;  ///< ours: SQEs published by flush_sq or submit
  u32 sqe_tail;  ///< ours: SQEs handed out by get_sqe
  u32 sq_tail;   ///< shared: what the kernel may consume
  u32 cq_head;   ///< shared: what we have consumed

  /// Equal in every position.
  friend bool operator==(const Indices&, const Indices&) noexcept = default;
};

/// Signals as the kernel has them in a set: bit n - 1 for signal n.
using SignalSet = u64;

/// The set of these signals.
constexpr SignalSet signal_set(std::initializer_list<int> signals) noexcept {
  SignalSet set = 0;
  for (const int signal : signals) set |= SignalSet{1} << (signal - 1);
  return set;
}

/// What submit_and_wait can be told. What the pointers point to must stay until it has returned.
struct WaitOptions {
  const Timespec* timeout = nullptr;           ///< how long to wait at most; null: as long as it takes
  const SignalSet* blocked_signals = nullptr;  ///< while waiting, as with ppoll(2); null: those that are
  u32 min_wait_us = 0;  ///< microseconds in which fewer CQEs than asked for do not end the wait (6.12)
  u32 flags = 0;        ///< enter_abs_timer (6.12): `timeout` is a time; enter_no_iowait (6.15)
};

/// `Kernel` is LinuxKernel, or in tests any class with the same functions; `Sqes` and `Cqes` are the sizes of
/// the entries, see entries.h. The queues are here; the methods for operations are in operations.h, those for
/// io_uring_register(2) in registrations.h, and cancel_all in cancel.h.
///
/// Requests in flight belong to the kernel's ring, not to this object. Moving it changes nothing for them:
/// the queues, and what SQEs point to, stay where they are. Closing it leaves them behind: the kernel cancels
/// them, but later and on its own, and nothing says when that is over. Until then they may read and write
/// their buffers, connections stay open, and writes that have begun are carried out; their CQEs, and those
/// that were not read, are lost. So before a ring closes, or goes out of scope, while anything may be in
/// flight, either wait for all its CQEs, or call cancel_all, which ends the requests and returns when they
/// have ended.
template <class Kernel = LinuxKernel, class Sqes = Sqe, class Cqes = Cqe>
class BasicRing : public Operations<BasicRing<Kernel, Sqes, Cqes>, typename detail::SqShape<Sqes>::Entry>,
                  public Registrations<BasicRing<Kernel, Sqes, Cqes>>,
                  public Cancellation<BasicRing<Kernel, Sqes, Cqes>> {
 public:
  using SqEntry = typename detail::SqShape<Sqes>::Entry;  ///< Sqe or Sqe128
  using CqEntry = typename detail::CqShape<Cqes>::Entry;  ///< Cqe or Cqe32
  /// Whether get_sqe128 exists.
  static constexpr bool has_sqe128 = !std::is_same_v<Sqes, Sqe>;

  /// A closed ring: fd() is -1. Only init, init_params, the destructor and moves may follow.
  BasicRing() noexcept = default;

  /// The same, with a kernel of your own: for tests.
  explicit BasicRing(Kernel kernel) noexcept : kernel_(std::move(kernel)) {}
  BasicRing(const BasicRing&) = delete;
  BasicRing& operator=(const BasicRing&) = delete;

  /// Takes everything over; `other` is closed afterwards. Requests in flight do not notice.
  BasicRing(BasicRing&& other) noexcept { take(other); }

  /// Closes this ring first.
  BasicRing& operator=(BasicRing&& other) noexcept {
    if (this != &other) {
      close();
      take(other);
    }
    return *this;
  }
  ~BasicRing() { close(); }

  /// Opens the ring with room for `entries` SQEs (a power of two) and twice as many CQEs. The errors of
  /// LinuxKernel::setup, of mmap(2) (ENOMEM), and those of the binding named init in result.h. Since Linux
  /// 5.4.
  Result<void> init(u32 entries, u32 flags = 0) noexcept;

  /// The same with every setup option; the kernel's answer is returned in `params`. Only the input fields may
  /// be set. If it fails, nothing is left open.
  Result<void> init_params(u32 entries, Params& params) noexcept;

  /// The same in the caller's memory (setup_no_mmap, which it sets): a huge page, for example, or a piece of
  /// one. `memory` begins at a page and has at least memory_size bytes, else memory_too_small. Its first
  /// bytes become the SQEs; what it held before does not matter. It must stay as it is until the ring is
  /// closed and its requests have ended: the kernel writes to it.
  ///
  /// With setup_registered_fd_only in params.flags the ring gets an index instead of a descriptor, as after
  /// register_ring_fd: fd() is -1, and only this thread can use it and close it.
  ///
  /// EINVAL: `memory` does not begin at a page; or an older kernel does not take pages that are not next to
  /// each other, as those of a huge page are. EFAULT: it is not writable. Since Linux 6.5; EINVAL before.
  Result<void> init_mem(u32 entries, Params& params, std::span<std::byte> memory) noexcept;

  /// The bytes that init_mem needs for these arguments (flags and cq_entries are looked at): whole pages, of
  /// the largest size that this architecture has.
  static constexpr std::size_t memory_size(u32 entries, const Params& params) noexcept;

  /// Unmaps and closes, and does not wait for requests in flight: see the class. SQEs not submitted are
  /// forgotten. Buffer groups stay, without a ring. Closing a closed ring does nothing.
  void close() noexcept;

  /// close(user_data, fd) is an operation like the others; this line keeps the close() above from hiding it.
  using Operations<BasicRing, SqEntry>::close;

  /// True between init and close.
  bool is_open() const noexcept { return enter_fd_ >= 0; }

  /// The descriptor; -1: closed, or without one (setup_registered_fd_only).
  int fd() const noexcept { return fd_; }

  /// The index of register_ring_fd or setup_registered_fd_only; -1: none.
  int registered_index() const noexcept { return always_flags_ != 0 ? enter_fd_ : -1; }

  /// setup_*, as the kernel returned them.
  u32 flags() const noexcept { return flags_; }

  /// feat_*, as the kernel returned them.
  u32 features() const noexcept { return features_; }

  /// The number of entries of the submission queue.
  u32 sq_entries() const noexcept { return sq_.entries; }

  /// The number of entries of the completion queue.
  u32 cq_entries() const noexcept { return cq_.entries; }

  // --- submission ------------------------------------------------------------------------------------------

  /// The next free SQE, uninitialised (use a prep_ function), or null when the queue is full. The pointer is
  /// valid until the SQE has been submitted.
  SqEntry* get_sqe() noexcept {
    // One comparison answers both questions, whether the queue is full and whether the array ends here: see
    // sqe_stop_.
    if (sqe_next_ == sqe_stop_ && !find_room()) [[unlikely]]
      return nullptr;
    SqEntry* const sqe = sqe_next_++;
    // The caller checks for null as well; with this hint the compiler drops that check.
    if (sqe == nullptr) __builtin_unreachable();
    if constexpr (sqes_are_mixed) last_.sqe = sqe;
    return sqe;
  }

  /// Succeeds if n SQEs are free: then the next n operations do not fail for a full queue. For requests that
  /// must be queued together, such as a chain of links. submission_queue_full: submit, then try again; for
  /// more than sq_entries() it never succeeds. With setup_sqpoll an SQE is free once the thread has consumed
  /// it: enter(0, 0, enter_sq_wait) waits for that, but may return early (5.10).
  ///
  /// With MixedSqes, n counts entries of 64 bytes. Reserve two for each operation of 128, and one more for
  /// all of them together, which a NOP takes if they lie around the end of the queue (see get_sqe128; never
  /// with setup_sq_rewind).
  Result<void> reserve(u32 n) const noexcept {
    if (n > sq_space_left()) return Error::submission_queue_full;
    return {};
  }

  /// The next free SQE of 128 bytes, or null. In a ring with MixedSqes it takes two entries, which must not
  /// lie around the end of the queue: there, a NOP fills the last one. The NOP is silent, and passes a link
  /// on; only when it is cancelled with its chain it has a CQE, -ECANCELED with user_data 0. It is silent by
  /// sqe_cqe_skip_success, after which the kernel refuses to drain (-EOPNOTSUPP, also to cancel_all). Nothing
  /// is queued when get_sqe128 returns null. Since Linux 6.19.
  template <class = void>
  Sqe128* get_sqe128() noexcept {
    static_assert(has_sqe128, "this type of ring has no SQEs of 128 bytes: see entries.h");
    if constexpr (sqes_are_mixed) {
      return get_two();
    } else {
      return get_sqe();
    }
  }

  /// Publishes all SQEs handed out so far. Returns sq_ready(), which includes what an earlier, short submit
  /// left over: to continue, submit again.
  u32 flush_sq() noexcept {
    // The index array was filled with 0, 1, 2 ... by init: slot and position are always the same number. The
    // tail is stored even if nothing is new: that costs less than checking.
    const u32 tail = sqe_tail();
    sqe_head_ = tail;
    sq_.tail.store_release(tail);
    return tail - sq_.head.load_acquire();
  }

  /// Publishes and submits. Returns how many SQEs the kernel consumed; fewer than were queued means that one
  /// of them was refused (see its CQE) or that there was no memory for a request, and the rest waits for the
  /// next submit. With setup_sqpoll it is the number published, and the poller thread consumes them later:
  /// what SQEs point to (a Timespec, iovecs) must stay unchanged until sq_ready() is 0. With setup_sq_rewind
  /// (7.0) each submit starts at the beginning of the queue, and pointers to SQEs that it left over become
  /// invalid: they move there. The errors of LinuxKernel::enter.
  Result<u32> submit() noexcept { return submit_and_wait(0); }

  /// Submits, and returns once at least wait_nr CQEs are there.
  Result<u32> submit_and_wait(u32 wait_nr) noexcept {
    const u32 pending = flush_sq();
    // Everything from here to the system call is inline: on the machines we measured, a return after a system
    // call is mispredicted, and two of them cost as much as everything else here.
    if ((flags_ & polls_or_rewinds) != 0) [[unlikely]]
      return submit_polled(pending, wait_nr);
    return enter(pending, wait_nr, wait_nr > 0 ? enter_getevents : 0);
  }

  /// The same, but returns after `timeout` at the latest, and with min_wait_us (6.12) not before that many
  /// microseconds unless wait_nr CQEs are there. ETIME: the time expired and nothing had been submitted; if
  /// something was, its count is returned instead, so look at cq_ready(). The timeout is a duration, or with
  /// `more_flags` enter_abs_timer (6.12) a time. Since Linux 5.11 (feat_ext_arg); EINVAL before.
  Result<u32> submit_and_wait_timeout(u32 wait_nr, const Timespec& timeout, u32 min_wait_us = 0,
                                      u32 more_flags = 0) noexcept {
    WaitOptions options;
    options.timeout = &timeout;
    options.min_wait_us = min_wait_us;
    options.flags = more_flags;
    return submit_and_wait(wait_nr, options);
  }

  /// The same with everything that a wait can be told: see WaitOptions. EINTR: a signal came that is not
  /// blocked. Since Linux 5.11; EINVAL before.
  Result<u32> submit_and_wait(u32 wait_nr, const WaitOptions& options) noexcept {
    GeteventsArg arg;
    arg.sigmask = address_of(options.blocked_signals);
    arg.sigmask_sz = options.blocked_signals != nullptr ? sizeof *options.blocked_signals : 0;
    arg.min_wait_usec = options.min_wait_us;
    arg.ts = address_of(options.timeout);
    return wait_with(wait_nr, options.flags, &arg, sizeof arg);
  }

  /// The same with the wait number `index` of register_waits, which the kernel does not have to copy first.
  /// `more_flags` as in submit_and_wait_timeout. EFAULT: there is no such wait; EINVAL: it has an unknown
  /// flag. Since Linux 6.13.
  Result<u32> submit_and_wait_registered(u32 wait_nr, u32 index, u32 more_flags = 0) noexcept {
    // In place of an address, the distance from the region's beginning.
    const auto offset = reinterpret_cast<const void*>(std::uintptr_t{index} * sizeof(RegWait));
    return wait_with(wait_nr, more_flags | enter_ext_arg_reg, offset, sizeof(RegWait));
  }

  /// io_uring_enter(2) on this ring, with all its arguments; see LinuxKernel::enter. No retry on EINTR.
  /// (With setup_sq_rewind, SQEs submitted like this stay in the queue: use submit.)
  [[gnu::always_inline]] Result<u32> enter(u32 to_submit, u32 min_complete, u32 enter_flags,
                                           const void* arg = nullptr, std::size_t arg_size = 0) noexcept {
    const long fd = enter_fd_;  // -1 when closed; widened once, for the check and for the system call
    URING_ASSERT(fd >= 0);
    return Result<u32>::from_kernel(kernel_.enter(static_cast<int>(fd), to_submit, min_complete,
                                                  enter_flags | always_flags_, arg, arg_size));
  }

  /// True if the kernel must be entered for it to see what was published; adds the flag that wakes a sleeping
  /// SQPOLL thread.
  bool sq_ring_needs_enter(u32& enter_flags) const noexcept {
    if ((flags_ & setup_sqpoll) == 0) return true;
    fence_before_wakeup_check();
    if ((sq_.flags.load_relaxed() & sq_need_wakeup) == 0) return false;
    enter_flags |= enter_sq_wakeup;
    return true;
  }

  /// SQEs handed out and not yet consumed by the kernel, whether published or not.
  u32 sq_ready() const noexcept { return sqe_tail() - sq_.head.load_acquire(); }

  /// SQEs that are free: so many more can be handed out before the queue is full. With MixedSqes, entries of
  /// 64 bytes; see reserve.
  u32 sq_space_left() const noexcept { return sq_.entries - sq_ready(); }

  /// SQEs handed out and not yet published by flush_sq or submit.
  u32 sq_unflushed() const noexcept { return sqe_tail() - sqe_head_; }

  /// SQEs the kernel dropped because the index array was wrong. Stays 0 with this binding; for diagnosis.
  u32 sq_dropped() const noexcept { return sq_.dropped.load_relaxed(); }

  // --- completion ------------------------------------------------------------------------------------------

  /// CQEs that wait to be read.
  u32 cq_ready() const noexcept { return cq_.tail.load_acquire() - cq_.head.load_relaxed(); }

  /// Copies what is ready and fits, and returns the count. If nothing is ready and wait_nr > 0 (or
  /// completions wait in the kernel, see cq_ring_needs_flush, or only come when asked for, setup_iopoll),
  /// enters the kernel once to wait for wait_nr of them and copies again; even then it may return fewer than
  /// wait_nr, or 0 (an old kernel ends a wait when any timeout fires), so loop. With setup_defer_taskrun and
  /// a wait_nr of 0, set setup_taskrun_flag as well: nothing else announces waiting completions. The errors
  /// of LinuxKernel::enter.
  Result<u32> copy_cqes(std::span<CqEntry> destination, u32 wait_nr) noexcept {
    const u32 copied = copy_ready(destination);
    if (copied > 0 || destination.empty()) return copied;
    if (wait_nr == 0 && (flags_ & setup_iopoll) == 0 && !cq_ring_needs_flush()) return 0u;
    const Result<u32> entered = enter(0, wait_nr, enter_getevents);
    if (!entered.ok()) return entered;
    return copy_ready(destination);
  }

  /// Waits for one CQE and takes it. The errors of LinuxKernel::enter, EINTR too.
  Result<void> copy_cqe(CqEntry& cqe) noexcept {
    for (;;) {
      const Result<u32> copied = copy_cqes(std::span<CqEntry>(&cqe, 1), 1);
      if (!copied.ok()) return copied.error();
      if (copied.value() == 1) return {};
    }
  }

  /// Calls visit(const CqEntry&) for each CQE that is ready, in place, without a copy or a system call (so
  /// completions that cq_ring_needs_flush reports are not fetched); then gives all of them back to the kernel
  /// at once. Returns how many there were. `visit` may queue and submit, and must leave the completion queue
  /// alone.
  template <class Visitor>
  u32 for_each_cqe(Visitor&& visit) noexcept {
    return visit_up_to(~u32{0}, visit);
  }

  /// True if completions wait in the kernel, because the CQ was full (5.8) or, in a ring with
  /// setup_taskrun_flag (5.19), because this thread must enter for them to be made; entering with
  /// enter_getevents brings them.
  bool cq_ring_needs_flush() const noexcept {
    return (sq_.flags.load_relaxed() & (sq_cq_overflow | sq_taskrun)) != 0;
  }

  /// Gives the oldest n CQEs back to the kernel. Only for CQEs read in place, never after copy_cqes.
  void cq_advance(u32 n) noexcept {
    if (n > 0) cq_.head.store_release(cq_.head.load_relaxed() + n);
  }

  /// Completions that the kernel had to drop (before feat_nodrop, 5.5, whenever the CQ was full).
  u32 cq_overflow() const noexcept { return cq_.overflow.load_relaxed(); }

  /// The positions of the queues.
  Indices indices() const noexcept {
    return {sqe_head_, sqe_tail(), sq_.tail.load_relaxed(), cq_.head.load_relaxed()};
  }

  // --- the ring itself -------------------------------------------------------------------------------------

  /// Any io_uring_register(2) operation on this ring.
  Result<u32> do_register(RegisterOp op, const void* arg, u32 count) noexcept {
    URING_ASSERT(is_open());
    // Without a descriptor, an index takes its place.
    if (fd_ < 0) op = static_cast<RegisterOp>(static_cast<u32>(op) | register_use_registered_ring);
    return Result<u32>::from_kernel(kernel_.do_register(fd_ < 0 ? enter_fd_ : fd_, op, arg, count));
  }

  /// From now on the ring is entered through an index in this thread's table of registered rings, which saves
  /// looking up the descriptor each time. Until it is unregistered or closed (by this thread), no other
  /// thread may use the ring. Does nothing if it is registered already. Since Linux 5.18.
  Result<void> register_ring_fd() noexcept;

  /// EINVAL: it is not registered. flags_not_supported: it has no descriptor to go back to
  /// (setup_registered_fd_only). Since Linux 5.18.
  Result<void> unregister_ring_fd() noexcept;

  /// Gives the ring queues of other lengths, with what is in them: what was queued is published first. SQEs
  /// and CQEs move: pointers to them become invalid. Only for rings with setup_defer_taskrun (EINVAL) and
  /// setup_no_sqarray in the kernel's memory, without setup_sq_rewind and with entries of one size (else
  /// flags_not_supported). EOVERFLOW: what is queued does not fit; nothing was changed. If the new memory
  /// cannot be mapped (ENOMEM), the ring is lost and closed. Since Linux 6.13; EINVAL before.
  Result<void> resize(u32 sq_entries, u32 cq_entries) noexcept;

  /// The system calls, for code that belongs to a ring but is not part of it: see buffer_group.h.
  Kernel& kernel() noexcept { return kernel_; }

  /// For BufferGroup: the attachment refers to this ring from now on, wherever it moves.
  void attach(detail::Attachment<BasicRing>& attachment) noexcept { attachments_.add(attachment, *this); }

 private:
  // What setup must know about the sizes of the entries.
  static constexpr bool sqes_are_mixed = std::is_same_v<Sqes, MixedSqes>;
  static constexpr bool cqes_are_mixed = std::is_same_v<Cqes, MixedCqes>;
  using CqSlot = typename detail::CqShape<Cqes>::Slot;  // an entry as it is in memory
  static constexpr u32 shape_flags = detail::SqShape<Sqes>::flag | detail::CqShape<Cqes>::flag;

  struct SubmissionQueue {
    SharedU32 head, tail, flags, dropped;
    u32 mask = 0, entries = 0;
    SqEntry* sqes = nullptr;
  };
  struct CompletionQueue {
    SharedU32 head, tail, overflow;
    u32 mask = 0, entries = 0;
    CqSlot* cqes = nullptr;
    CqSlot* end = nullptr;  // after the last of them
  };
  struct Mapping {
    void* address = nullptr;
    std::size_t bytes = 0;  // 0 in the caller's memory
  };

  template <class Visitor>
  u32 visit_up_to(u32 at_most, Visitor&& visit) noexcept {
    if constexpr (cqes_are_mixed) {
      return visit_mixed(at_most, visit);
    } else {
      return visit_ready(at_most, visit);
    }
  }

  // Visits what is ready, the oldest `at_most` of it, and gives it back. The address is computed once and
  // then incremented, with a check for the end of the array before each further entry and none after the
  // last.
  template <class Visitor>
  u32 visit_ready(u32 at_most, Visitor&& visit) noexcept {
    const u32 head = cq_.head.load_relaxed();
    const u32 ready = cq_.tail.load_acquire() - head;
    const u32 count = ready < at_most ? ready : at_most;
    if (count == 0) return 0;
    const CqSlot* cqe = &cq_.cqes[head & cq_.mask];
    for (u32 left = count;;) {
      visit(*cqe);
      if (--left == 0) break;
      if (++cqe == cq_.end) [[unlikely]]
        cqe = cq_.cqes;
    }
    cq_.head.store_release(head + count);
    return count;
  }

  // The same with CQEs of one or two entries, each copied into one of 32 bytes.
  template <class Visitor>
  u32 visit_mixed(u32 at_most, Visitor&& visit) noexcept {
    u32 head = cq_.head.load_relaxed(), visited = 0;
    u32 ready = cq_.tail.load_acquire() - head;
    while (ready > 0 && visited < at_most) {
      const Cqe* const slot = &cq_.cqes[head & cq_.mask];
      const u32 slots = (slot->flags & cqe_f_32) != 0 ? 2 : 1;
      if (slots > ready) break;
      head += slots;
      ready -= slots;
      if ((slot->flags & cqe_f_skip) != 0) continue;
      Cqe32 cqe;
      detail::copy_entry(static_cast<Cqe&>(cqe), *slot);
      cqe.extra1 = cqe.extra2 = 0;
      if (slots == 2) {
        using Word [[gnu::may_alias]] = u64;
        const Word* const more = reinterpret_cast<const Word*>(slot + 1);
        cqe.extra1 = more[0];
        cqe.extra2 = more[1];
      }
      visit(std::as_const(cqe));
      ++visited;
    }
    cq_.head.store_release(head);
    return visited;
  }

  u32 copy_ready(std::span<CqEntry> destination) noexcept {
    CqEntry* to = destination.data();
    return visit_up_to(saturated(destination.size()),
                       [&to](const CqEntry& from) { detail::copy_entry(*to++, from); });
  }

  // The parts of a ring's memory. header_bytes: more than any kernel's positions, masks and counters take,
  // and the alignment of what follows them.
  static constexpr std::size_t header_bytes = 256;
  static constexpr std::size_t in_pages(std::size_t bytes) noexcept {
    return (bytes + arch::largest_page - 1) / arch::largest_page * arch::largest_page;
  }
  static constexpr std::size_t sqes_bytes(u32 entries) noexcept { return entries * sizeof(SqEntry); }
  static constexpr std::size_t ring_bytes(const Params& params) noexcept {
    const std::size_t sq = params.sq_off.array + params.sq_entries * sizeof(u32);
    const std::size_t cq = params.cq_off.cqes + params.cq_entries * sizeof(CqSlot);
    return sq > cq ? sq : cq;
  }

  Result<void> init_mapped(u32 entries, Params& params) noexcept;
  static void expect_input_only(const Params& params) noexcept;
  static Result<void> check(u32 entries, Params& params, u32 not_supported) noexcept;
  Result<void> create(u32 entries, Params& params) noexcept;
  Result<void> begin(Result<void> result, const Params& params) noexcept;
  Result<void> map(const Params& params) noexcept;
  bool lay_out(const Params& params, std::span<std::byte> memory) noexcept;
  Result<void> map_one(Mapping& mapping, std::size_t bytes, u64 offset) noexcept;
  bool attach(const Params& params) noexcept;
  void unmap() noexcept;
  Result<void> unregister_index() noexcept;
  void take(BasicRing& other) noexcept;

  static constexpr u32 polls_or_rewinds = setup_sqpoll | setup_iopoll | setup_sq_rewind;

  // The rest of submit_and_wait for rings with one of these flags. Out of line, so that other rings do not
  // pay for it.
  [[gnu::noinline]] Result<u32> submit_polled(u32 pending, u32 wait_nr) noexcept {
    if ((flags_ & setup_sqpoll) == 0) [[unlikely]]
      return submit_without_thread(pending, wait_nr);
    u32 enter_flags = 0;
    if (!sq_ring_needs_enter(enter_flags) && wait_nr == 0) return pending;
    // A ring that polls devices finds completions only when asked for them.
    if (wait_nr > 0 || (flags_ & setup_iopoll) != 0) enter_flags |= enter_getevents;
    return enter(pending, wait_nr, enter_flags);
  }

  // Of those without setup_sqpoll, so that one with it does not pay for rewinding: the kernel takes either.
  [[gnu::noinline]] Result<u32> submit_without_thread(u32 pending, u32 wait_nr) noexcept {
    const bool asks = wait_nr > 0 || (flags_ & setup_iopoll) != 0;
    return rewind_after(enter(pending, wait_nr, asks ? enter_getevents : 0));
  }

  // The same for waits with an argument.
  [[gnu::noinline]] Result<u32> submit_polled_until(u32 pending, u32 wait_nr, u32 enter_flags,
                                                    const void* arg, std::size_t arg_size) noexcept {
    // We enter in any case; this only adds the flag that wakes a sleeping thread.
    static_cast<void>(sq_ring_needs_enter(enter_flags));
    return rewind_after(enter(pending, wait_nr, enter_flags, arg, arg_size));
  }

  // Submits and waits with an argument of io_uring_enter(2).
  [[gnu::always_inline]] Result<u32> wait_with(u32 wait_nr, u32 more_flags, const void* arg,
                                               std::size_t arg_size) noexcept {
    const u32 pending = flush_sq();
    const u32 enter_flags = enter_getevents | enter_ext_arg | more_flags;
    if ((flags_ & polls_or_rewinds) != 0) [[unlikely]]
      return submit_polled_until(pending, wait_nr, enter_flags, arg, arg_size);
    return enter(pending, wait_nr, enter_flags, arg, arg_size);
  }

  // With setup_sq_rewind, moves what was left over to where the next submit begins.
  Result<u32> rewind_after(Result<u32> submitted) noexcept {
    if ((flags_ & setup_sq_rewind) != 0 && submitted.ok()) drop(submitted.value());
    return submitted;
  }
  void drop(u32 count) noexcept;

  // See get_sqe128. A template, because last_ is there only with MixedSqes.
  template <class = void>
  Sqe128* get_two() noexcept;

  // All SQEs handed out so far, counted as the kernel counts.
  u32 sqe_tail() const noexcept {
    return static_cast<u32>((reinterpret_cast<std::uintptr_t>(sqe_next_) - sqe_origin_) / sizeof(SqEntry));
  }

  // The next SQE goes into slot `tail & mask`.
  void next_is(u32 tail) noexcept {
    sqe_next_ = sq_.sqes + (tail & sq_.mask);
    sqe_origin_ = reinterpret_cast<std::uintptr_t>(sqe_next_) - std::uintptr_t{tail} * sizeof(SqEntry);
  }

  // Reads how far the kernel has come, and finds the free slots after the last SQE handed out, up to the end
  // of the array. False if the queue is full. On the path of an SQE the shared head is read only here: once
  // per round of the queue, or less often than once per batch.
  bool find_room() noexcept {
    const u32 tail = sqe_tail();
    const u32 used = tail - sq_.head.load_acquire();
    if (used >= sq_.entries) return false;
    const u32 room = sq_.entries - used, to_end = sq_.entries - (tail & sq_.mask);
    next_is(tail);
    sqe_stop_ = sqe_next_ + (room < to_end ? room : to_end);
    return true;
  }

  // A queue in which all SQEs before `tail` are published, and nothing is known about what is free.
  void start_at(u32 tail) noexcept {
    next_is(tail);
    sqe_stop_ = sqe_next_;
    sqe_head_ = tail;
  }

  u32* word_at(u32 offset) const noexcept {
    return reinterpret_cast<u32*>(static_cast<std::byte*>(rings_.address) + offset);
  }

  SubmissionQueue sq_;
  CompletionQueue cq_;
  // A contiguous run of free SQEs, known from the last read of the kernel's head: get_sqe takes them one by
  // one, without reading it again or computing an address until they are used up.
  SqEntry* sqe_next_ = nullptr;
  SqEntry* sqe_stop_ = nullptr;
  // Where SQE number 0 would be if the array reached back to it, modulo 2^64: one subtraction turns an
  // address into its SQE's number, and there is only one thing to count.
  std::uintptr_t sqe_origin_ = 0;
  // The SQE handed out last, with MixedSqes: see get_sqe128.
  struct Last {
    Sqe* sqe = nullptr;
  };
  struct Nothing {};
  [[no_unique_address]] std::conditional_t<sqes_are_mixed, Last, Nothing> last_;
  u32 sqe_head_ = 0;  // SQEs published
  int fd_ = -1;
  int enter_fd_ = -1;     // fd_, or the index in its place
  u32 always_flags_ = 0;  // of every enter
  u32 flags_ = 0;
  u32 features_ = 0;
  Mapping rings_;  // both rings and the index array: one mapping since 5.4
  Mapping sqes_;
  detail::Attachments<BasicRing> attachments_;
  [[no_unique_address]] Kernel kernel_{};
};

/// The ring of the running kernel.
using Ring = BasicRing<>;

/// Rings with large entries, since Linux 5.19 (EINVAL before): 128-byte SQEs, 32-byte CQEs, or both, as NVMe
/// passthrough needs them.
using Ring128 = BasicRing<LinuxKernel, Sqe128>;
/// 32-byte CQEs. Since Linux 5.19.
using Ring32 = BasicRing<LinuxKernel, Sqe, Cqe32>;
/// 128-byte SQEs and 32-byte CQEs. Since Linux 5.19.
using Ring128x32 = BasicRing<LinuxKernel, Sqe128, Cqe32>;

/// Entries of both sizes, since Linux 6.19 (EINVAL before). For CQEs of both sizes alone, since 6.18:
/// BasicRing<LinuxKernel, Sqe, MixedCqes>.
using MixedRing = BasicRing<LinuxKernel, MixedSqes, MixedCqes>;

}  // namespace uring

#include "ring_setup.h"

#endif
