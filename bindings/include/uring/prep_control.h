// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Requests that are about other requests, about the ring, or about waiting. See prep.h for what holds for all
// of them.
#ifndef URING_PREP_CONTROL_H
#define URING_PREP_CONTROL_H

#include <sys/epoll.h>  // epoll_event

#include <bit>
#include <span>

#include "prep_rw.h"

namespace uring {

/// Does nothing, and completes with 0. Since Linux 5.1.
inline Sqe& prep_nop(Sqe& sqe, u64 user_data) noexcept {
  clear(sqe);
  sqe.user_data = user_data;
  return sqe;
}

// --- polls: the mask is POLL* of poll(2) (or EPOLLEXCLUSIVE and the like, feat_poll_32bits, 5.9) -----------

/// The mask as the kernel wants it. It was once 16 bits wide; on big-endian machines its two halves are
/// swapped, so that the old half stays where it was. (liburing does the same; Zig swaps the bytes as well,
/// which no kernel expects.)
constexpr u32 poll_mask_in_sqe(u32 mask, std::endian order = std::endian::native) noexcept {
  return order == std::endian::little ? mask : mask << 16 | mask >> 16;
}

/// Waits until one of the events in mask is true, and completes with those that are. Since Linux 5.1.
inline Sqe& prep_poll_add(Sqe& sqe, u64 user_data, i32 fd, u32 mask) noexcept {
  prep_rw(sqe, user_data, Op::poll_add, fd, 0, 0, 0);
  sqe.op_flags = poll_mask_in_sqe(mask);
  return sqe;
}

/// The same repeatedly, with a CQE each time; the last CQE comes without cqe_f_more. Since Linux 5.13.
inline Sqe& prep_poll_multishot(Sqe& sqe, u64 user_data, i32 fd, u32 mask) noexcept {
  prep_poll_add(sqe, user_data, fd, mask);
  sqe.len = static_cast<u32>(PollFlags::add_multi);
  return sqe;
}

/// Ends the poll with this user_data, which completes with -ECANCELED. -ENOENT: there is none. Since Linux
/// 5.1.
inline Sqe& prep_poll_remove(Sqe& sqe, u64 user_data, u64 target) noexcept {
  return prep_rw(sqe, user_data, Op::poll_remove, -1, target, 0, 0);
}

/// Changes the poll with this user_data: its mask with PollFlags::update_events, its user_data with
/// update_user_data; what is not changed must be 0. add_multi keeps a multishot one. Since Linux 5.13.
inline Sqe& prep_poll_update(Sqe& sqe, u64 user_data, u64 target, u64 new_user_data, u32 mask,
                             PollFlags flags) noexcept {
  prep_rw(sqe, user_data, Op::poll_remove, -1, target, static_cast<u32>(flags), new_user_data);
  sqe.op_flags = poll_mask_in_sqe(mask);
  return sqe;
}

/// epoll_ctl(2); operation is EPOLL_CTL_*. Since Linux 5.6.
inline Sqe& prep_epoll_ctl(Sqe& sqe, u64 user_data, i32 epoll_fd, i32 fd, u32 operation,
                           ::epoll_event* event) noexcept {
  return prep_rw(sqe, user_data, Op::epoll_ctl, epoll_fd, address_of(event), operation, static_cast<u32>(fd));
}

/// epoll_wait(2) without a timeout (link one). Completes with the number of events. Since Linux 6.15.
inline Sqe& prep_epoll_wait(Sqe& sqe, u64 user_data, i32 epoll_fd, std::span<::epoll_event> events) noexcept {
  return prep_rw(sqe, user_data, Op::epoll_wait, epoll_fd, address_of(events.data()),
                 saturated(events.size()), 0);
}

// --- timeouts: flags are timeout_* -------------------------------------------------------------------------

/// Completes with -ETIME when the time has expired, or with 0 as soon as `count` other requests have
/// completed (0: they are not counted). With timeout_multishot (6.4) it fires `count` times (0: forever),
/// each CQE but the last with cqe_f_more. Since Linux 5.4.
inline Sqe& prep_timeout(Sqe& sqe, u64 user_data, const Timespec* time, u32 count, u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::timeout, -1, address_of(time), 1, count);
  sqe.op_flags = flags;
  return sqe;
}

/// Ends the timeout with this user_data, which completes with -ECANCELED. -ENOENT: there is none; -EALREADY:
/// it is just firing (the manual page says -EBUSY). Since Linux 5.5.
inline Sqe& prep_timeout_remove(Sqe& sqe, u64 user_data, u64 target, u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::timeout_remove, -1, target, 0, 0);
  sqe.op_flags = flags;
  return sqe;
}

/// Changes the time of the timeout with this user_data; with link_timeout_update in flags (5.15), of a linked
/// timeout. Since Linux 5.11.
inline Sqe& prep_timeout_update(Sqe& sqe, u64 user_data, u64 target, const Timespec* time,
                                u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::timeout_remove, -1, target, 0, address_of(time));
  sqe.op_flags = flags | timeout_update;
  return sqe;
}

/// Limits the request before it, which must have sqe_io_link: that request is cancelled when the time has
/// expired. Completes with -ETIME then, else with -ECANCELED. Since Linux 5.5.
inline Sqe& prep_link_timeout(Sqe& sqe, u64 user_data, const Timespec* time, u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::link_timeout, -1, address_of(time), 1, 0);
  sqe.op_flags = flags;
  return sqe;
}

// --- cancellation ------------------------------------------------------------------------------------------
// Flags are async_cancel_*. What is cancelled completes with -ECANCELED (or -EINTR). -ENOENT: nothing
// matched; -EALREADY: it runs and may or may not end early. With async_cancel_all it completes with the
// number cancelled.

/// The request with this user_data. Since Linux 5.5.
inline Sqe& prep_cancel(Sqe& sqe, u64 user_data, u64 target, u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::async_cancel, -1, target, 0, 0);
  sqe.op_flags = flags;
  return sqe;
}

/// A request on this descriptor. Since Linux 5.19.
inline Sqe& prep_cancel_fd(Sqe& sqe, u64 user_data, i32 fd, u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::async_cancel, fd, 0, 0, 0);
  sqe.op_flags = flags | async_cancel_fd;
  return sqe;
}

/// A request on the file in this slot. Since Linux 6.0.
inline Sqe& prep_cancel_fixed(Sqe& sqe, u64 user_data, Slot slot, u32 flags) noexcept {
  return prep_cancel_fd(sqe, user_data, static_cast<i32>(slot), flags | async_cancel_fd_fixed);
}

/// Every request of the ring. Completes with the number cancelled. Since Linux 5.19.
inline Sqe& prep_cancel_any(Sqe& sqe, u64 user_data, u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::async_cancel, -1, 0, 0, 0);
  sqe.op_flags = flags | async_cancel_any;
  return sqe;
}

/// A request of this operation. Since Linux 6.6.
inline Sqe& prep_cancel_op(Sqe& sqe, u64 user_data, Op op, u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::async_cancel, -1, 0, static_cast<u32>(op), 0);
  sqe.op_flags = flags | async_cancel_op;
  return sqe;
}

// --- registered files and provided buffers -----------------------------------------------------------------

/// Puts fds into the table of registered files from slot `first` on; -1 empties a slot. With file_index_alloc
/// (5.19) the kernel chooses, and writes the slots into fds. Completes with the number of slots updated.
/// Since Linux 5.6.
inline Sqe& prep_files_update(Sqe& sqe, u64 user_data, std::span<i32> fds, Slot first) noexcept {
  return prep_rw(sqe, user_data, Op::files_update, -1, address_of(fds.data()), saturated(fds.size()),
                 static_cast<u32>(first));
}

/// Gives the kernel `count` adjacent buffers, with the ids first_id, first_id + 1 ... of `group`. They are
/// taken one by one by requests with sqe_buffer_select. -E2BIG: 0 buffers, or over 65536. Traps if
/// buffer_size does not fit into 32 bits; Ring::provide_buffers returns length_too_large. (Buffer
/// rings, 5.19, are faster: buffer_group.h.) Since Linux 5.7.
inline Sqe& prep_provide_buffers(Sqe& sqe, u64 user_data, void* buffers, u64 buffer_size, u64 count,
                                 u16 group, u16 first_id) noexcept {
  URING_ASSERT(fits_32_bits(buffer_size));
  prep_rw(sqe, user_data, Op::provide_buffers, static_cast<i32>(saturated(count)), address_of(buffers),
          static_cast<u32>(buffer_size), first_id);
  sqe.buf_index = group;
  return sqe;
}

/// Takes up to `count` buffers of the group back. Completes with the number removed. -ENOENT: the group has
/// none; -EINVAL: 0 of them, or over 65536. Since Linux 5.7.
inline Sqe& prep_remove_buffers(Sqe& sqe, u64 user_data, u64 count, u16 group) noexcept {
  prep_rw(sqe, user_data, Op::remove_buffers, static_cast<i32>(saturated(count)), 0, 0, 0);
  sqe.buf_index = group;
  return sqe;
}

// --- messages to another ring, whose descriptor is fd ------------------------------------------------------

/// The other ring receives a CQE with user_data `data` and res `res`. -EOVERFLOW: its CQ is full. Since Linux
/// 5.18.
inline Sqe& prep_msg_ring(Sqe& sqe, u64 user_data, i32 fd, u32 res, u64 data, u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::msg_ring, fd, msg_data, res, data);
  sqe.op_flags = flags;
  return sqe;
}

/// The same with Cqe::flags. Since Linux 6.3.
inline Sqe& prep_msg_ring_cqe_flags(Sqe& sqe, u64 user_data, i32 fd, u32 res, u64 data,
                                    u32 cqe_flags) noexcept {
  prep_msg_ring(sqe, user_data, fd, res, data, msg_ring_flags_pass);
  sqe.file_index = cqe_flags;
  return sqe;
}

/// Puts the file in our slot `source` into the other ring's slot `target` (or file_index_alloc: completes
/// with the slot), where a CQE with user_data `data` says so unless flags has msg_ring_cqe_skip. Since
/// Linux 6.0.
inline Sqe& prep_msg_ring_fd(Sqe& sqe, u64 user_data, i32 fd, Slot source, Slot target, u64 data,
                             u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::msg_ring, fd, msg_send_fd, 0, data);
  sqe.op_flags = flags;
  sqe.addr3 = static_cast<u32>(source);
  set_target(sqe, target);
  return sqe;
}

// --- waiting for other things ------------------------------------------------------------------------------

/// futex_wait(2): waits until woken, if `*futex` is `value`; -EAGAIN if it is not. Bits of mask: who may wake
/// it (0xffff'ffff: any waker; more bits than the futex has are -EINVAL). futex_flags are FUTEX2_*. Since
/// Linux 6.7.
inline Sqe& prep_futex_wait(Sqe& sqe, u64 user_data, const u32* futex, u64 value, u64 mask,
                            u32 futex_flags) noexcept {
  prep_rw(sqe, user_data, Op::futex_wait, static_cast<i32>(futex_flags), address_of(futex), 0, value);
  sqe.addr3 = mask;
  return sqe;
}

/// futex_wake(2) of up to `count` waiters. Completes with the number woken. Since Linux 6.7.
inline Sqe& prep_futex_wake(Sqe& sqe, u64 user_data, const u32* futex, u64 count, u64 mask,
                            u32 futex_flags) noexcept {
  prep_rw(sqe, user_data, Op::futex_wake, static_cast<i32>(futex_flags), address_of(futex), 0, count);
  sqe.addr3 = mask;
  return sqe;
}

/// futex_waitv(2) on 1 to 128 futexes. Completes with the index of the one that was woken. Since Linux 6.7.
inline Sqe& prep_futex_waitv(Sqe& sqe, u64 user_data, std::span<const FutexWaitv> futexes) noexcept {
  return prep_rw(sqe, user_data, Op::futex_waitv, 0, address_of(futexes.data()), saturated(futexes.size()),
                 0);
}

/// waitid(2). id_type is P_PID and so on; options must name what to wait for (WEXITED ...). info is a
/// siginfo_t or null. The child is reaped as waitid(2) does. flags must be 0. Since Linux 6.7.
inline Sqe& prep_waitid(Sqe& sqe, u64 user_data, u32 id_type, i32 id, void* info, u32 options,
                        u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::waitid, id, 0, id_type, address_of(info));
  sqe.op_flags = flags;
  sqe.file_index = options;
  return sqe;
}

}  // namespace uring

#endif
