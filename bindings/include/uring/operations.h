// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The ring's methods for operations: each takes a free SQE, prepares it, and returns it, so that flags can be
// set (queued.h):
//
//   const auto queued = ring.write(1, fd, data, 0).link();
//
// See prep_NAME for the arguments, the result and the first Linux release.
#ifndef URING_OPERATIONS_H
#define URING_OPERATIONS_H

#include <span>

#include "entries.h"
#include "prep.h"
#include "queued.h"
#include "result.h"

namespace uring {

/// The part of `Ring` (a class with get_sqe, which returns an Entry*) that is the same for every kernel. Its
/// methods return submission_queue_full when there is no free SQE: nothing was queued; submit, then try
/// again.
template <class Ring, class Entry>
class Operations {
 public:
  /// What the methods return: an SQE on which flags can be set, or an error.
  using Queued = BasicQueued<Entry>;

  // --- prep_control.h --------------------------------------------------------------------------------------

  /// Does nothing, and completes with 0. Since Linux 5.1.
  Queued nop(u64 user_data) noexcept { return queue(prep_nop, user_data); }
  /// Waits until one of the events in mask is true, and completes with those that are. Since Linux 5.1.
  Queued poll_add(u64 user_data, i32 fd, u32 mask) noexcept {
    return queue(prep_poll_add, user_data, fd, mask);
  }
  /// The same repeatedly, with a CQE each time; the last CQE comes without cqe_f_more. Since Linux 5.13.
  Queued poll_multishot(u64 user_data, i32 fd, u32 mask) noexcept {
    return queue(prep_poll_multishot, user_data, fd, mask);
  }
  /// Ends the poll with this user_data, which completes with -ECANCELED. -ENOENT: there is none. Since Linux
  /// 5.1.
  Queued poll_remove(u64 user_data, u64 target) noexcept {
    return queue(prep_poll_remove, user_data, target);
  }
  /// Changes the poll with this user_data: its mask with PollFlags::update_events, its user_data with
  /// update_user_data; what is not changed must be 0. add_multi keeps a multishot one. Since Linux 5.13.
  Queued poll_update(u64 user_data, u64 target, u64 new_user_data, u32 mask, PollFlags flags) noexcept {
    return queue(prep_poll_update, user_data, target, new_user_data, mask, flags);
  }
  /// epoll_ctl(2); operation is EPOLL_CTL_*. Since Linux 5.6.
  Queued epoll_ctl(u64 user_data, i32 epoll_fd, i32 fd, u32 operation, ::epoll_event* event) noexcept {
    return queue(prep_epoll_ctl, user_data, epoll_fd, fd, operation, event);
  }
  /// epoll_wait(2) without a timeout (link one). Completes with the number of events. Since Linux 6.15.
  Queued epoll_wait(u64 user_data, i32 epoll_fd, std::span<::epoll_event> events) noexcept {
    return queue(prep_epoll_wait, user_data, epoll_fd, events);
  }
  /// Completes with -ETIME when the time has expired, or with 0 as soon as `count` other requests have
  /// completed (0: they are not counted). With timeout_multishot (6.4) it fires `count` times (0: forever),
  /// each CQE but the last with cqe_f_more. Since Linux 5.4.
  Queued timeout(u64 user_data, const Timespec* time, u32 count, u32 flags) noexcept {
    return queue(prep_timeout, user_data, time, count, flags);
  }
  /// Ends the timeout with this user_data, which completes with -ECANCELED. -ENOENT: there is none;
  /// -EALREADY: it is just firing (the manual page says -EBUSY). Since Linux 5.5.
  Queued timeout_remove(u64 user_data, u64 target, u32 flags) noexcept {
    return queue(prep_timeout_remove, user_data, target, flags);
  }
  /// Changes the time of the timeout with this user_data; with link_timeout_update in flags (5.15), of a
  /// linked timeout. Since Linux 5.11.
  Queued timeout_update(u64 user_data, u64 target, const Timespec* time, u32 flags) noexcept {
    return queue(prep_timeout_update, user_data, target, time, flags);
  }
  /// Limits the request before it, which must have sqe_io_link: that request is cancelled when the time has
  /// expired. Completes with -ETIME then, else with -ECANCELED. Since Linux 5.5.
  Queued link_timeout(u64 user_data, const Timespec* time, u32 flags) noexcept {
    return queue(prep_link_timeout, user_data, time, flags);
  }
  /// The request with this user_data. Since Linux 5.5.
  Queued cancel(u64 user_data, u64 target, u32 flags) noexcept {
    return queue(prep_cancel, user_data, target, flags);
  }
  /// A request on this descriptor. Since Linux 5.19.
  Queued cancel_fd(u64 user_data, i32 fd, u32 flags) noexcept {
    return queue(prep_cancel_fd, user_data, fd, flags);
  }
  /// A request on the file in this slot. Since Linux 6.0.
  Queued cancel_fixed(u64 user_data, Slot slot, u32 flags) noexcept {
    return queue(prep_cancel_fixed, user_data, slot, flags);
  }
  /// Every request of the ring. Completes with the number cancelled. Since Linux 5.19.
  Queued cancel_any(u64 user_data, u32 flags) noexcept { return queue(prep_cancel_any, user_data, flags); }
  /// A request of this operation. Since Linux 6.6.
  Queued cancel_op(u64 user_data, Op op, u32 flags) noexcept {
    return queue(prep_cancel_op, user_data, op, flags);
  }
  /// Puts fds into the table of registered files from slot `first` on; -1 empties a slot. With
  /// file_index_alloc (5.19) the kernel chooses, and writes the slots into fds. Completes with the number of
  /// slots updated. Since Linux 5.6.
  Queued files_update(u64 user_data, std::span<i32> fds, Slot first) noexcept {
    return queue(prep_files_update, user_data, fds, first);
  }
  /// Gives the kernel `count` adjacent buffers, with the ids first_id, first_id + 1 ... of `group`. They are
  /// taken one by one by requests with sqe_buffer_select. -E2BIG: 0 buffers, or over 65536. Traps if
  /// buffer_size does not fit into 32 bits; Ring::provide_buffers returns length_too_large. (Buffer
  /// rings, 5.19, are faster: buffer_group.h.) Since Linux 5.7.
  Queued provide_buffers(u64 user_data, void* buffers, u64 buffer_size, u64 count, u16 group,
                         u16 first_id) noexcept {
    if (!fits_32_bits(buffer_size)) return Error::length_too_large;
    return queue(prep_provide_buffers, user_data, buffers, buffer_size, count, group, first_id);
  }
  /// Takes up to `count` buffers of the group back. Completes with the number removed. -ENOENT: the group has
  /// none; -EINVAL: 0 of them, or over 65536. Since Linux 5.7.
  Queued remove_buffers(u64 user_data, u64 count, u16 group) noexcept {
    return queue(prep_remove_buffers, user_data, count, group);
  }
  /// The other ring receives a CQE with user_data `data` and res `res`. -EOVERFLOW: its CQ is full. Since
  /// Linux 5.18.
  Queued msg_ring(u64 user_data, i32 fd, u32 res, u64 data, u32 flags) noexcept {
    return queue(prep_msg_ring, user_data, fd, res, data, flags);
  }
  /// The same with Cqe::flags. Since Linux 6.3.
  Queued msg_ring_cqe_flags(u64 user_data, i32 fd, u32 res, u64 data, u32 cqe_flags) noexcept {
    return queue(prep_msg_ring_cqe_flags, user_data, fd, res, data, cqe_flags);
  }
  /// Puts the file in our slot `source` into the other ring's slot `target` (or file_index_alloc: completes
  /// with the slot), where a CQE with user_data `data` says so unless flags has msg_ring_cqe_skip. Since
  /// Linux 6.0.
  Queued msg_ring_fd(u64 user_data, i32 fd, Slot source, Slot target, u64 data, u32 flags) noexcept {
    return queue(prep_msg_ring_fd, user_data, fd, source, target, data, flags);
  }
  /// futex_wait(2): waits until woken, if `*futex` is `value`; -EAGAIN if it is not. Bits of mask: who may
  /// wake it (0xffff'ffff: any waker; more bits than the futex has are -EINVAL). futex_flags are FUTEX2_*.
  /// Since Linux 6.7.
  Queued futex_wait(u64 user_data, const u32* futex, u64 value, u64 mask, u32 futex_flags) noexcept {
    return queue(prep_futex_wait, user_data, futex, value, mask, futex_flags);
  }
  /// futex_wake(2) of up to `count` waiters. Completes with the number woken. Since Linux 6.7.
  Queued futex_wake(u64 user_data, const u32* futex, u64 count, u64 mask, u32 futex_flags) noexcept {
    return queue(prep_futex_wake, user_data, futex, count, mask, futex_flags);
  }
  /// futex_waitv(2) on 1 to 128 futexes. Completes with the index of the one that was woken. Since Linux 6.7.
  Queued futex_waitv(u64 user_data, std::span<const FutexWaitv> futexes) noexcept {
    return queue(prep_futex_waitv, user_data, futexes);
  }
  /// waitid(2). id_type is P_PID and so on; options must name what to wait for (WEXITED ...). info is a
  /// siginfo_t or null. The child is reaped as waitid(2) does. flags must be 0. Since Linux 6.7.
  Queued waitid(u64 user_data, u32 id_type, i32 id, void* info, u32 options, u32 flags) noexcept {
    return queue(prep_waitid, user_data, id_type, id, info, options, flags);
  }

  // --- prep_file.h -----------------------------------------------------------------------------------------

  /// preadv(2): into these buffers, one after the other. Since Linux 5.1.
  Queued readv(u64 user_data, i32 fd, std::span<const ::iovec> buffers, u64 offset) noexcept {
    return queue(prep_readv, user_data, fd, buffers, offset);
  }
  /// pwritev(2). Since Linux 5.1.
  Queued writev(u64 user_data, i32 fd, std::span<const ::iovec> buffers, u64 offset) noexcept {
    return queue(prep_writev, user_data, fd, buffers, offset);
  }
  /// pread(2). Since Linux 5.6.
  Queued read(u64 user_data, i32 fd, std::span<std::byte> buffer, u64 offset) noexcept {
    return queue(prep_read, user_data, fd, buffer, offset);
  }
  /// pwrite(2). Since Linux 5.6.
  Queued write(u64 user_data, i32 fd, std::span<const std::byte> data, u64 offset) noexcept {
    return queue(prep_write, user_data, fd, data, offset);
  }
  /// pread(2) into a buffer of `group`, at most `bytes` of it; Cqe::buffer_id() says which. -ENOBUFS: the
  /// group is empty. Since Linux 5.7.
  Queued read_select(u64 user_data, i32 fd, u16 group, u64 bytes, u64 offset) noexcept {
    return queue(prep_read_select, user_data, fd, group, bytes, offset);
  }
  /// Reads repeatedly, each time as much as there is, into another buffer of `group` and with a CQE; the last
  /// CQE comes without cqe_f_more. Only for files that can be polled (pipes, sockets, terminals): -EBADFD
  /// otherwise. Since Linux 6.7.
  Queued read_multishot(u64 user_data, i32 fd, u16 group, u64 offset) noexcept {
    return queue(prep_read_multishot, user_data, fd, group, offset);
  }
  /// pread(2) into the registered buffer `buf_index`, of which `buffer` must be a part (-EFAULT if it is
  /// not). Since Linux 5.1.
  Queued read_fixed(u64 user_data, i32 fd, std::span<std::byte> buffer, u64 offset, u16 buf_index) noexcept {
    return queue(prep_read_fixed, user_data, fd, buffer, offset, buf_index);
  }
  /// pwrite(2) from a registered buffer. Since Linux 5.1.
  Queued write_fixed(u64 user_data, i32 fd, std::span<const std::byte> data, u64 offset,
                     u16 buf_index) noexcept {
    return queue(prep_write_fixed, user_data, fd, data, offset, buf_index);
  }
  /// preadv(2) into parts of one registered buffer. Since Linux 6.15.
  Queued readv_fixed(u64 user_data, i32 fd, std::span<const ::iovec> buffers, u64 offset,
                     u16 buf_index) noexcept {
    return queue(prep_readv_fixed, user_data, fd, buffers, offset, buf_index);
  }
  /// pwritev(2) from parts of one registered buffer. Since Linux 6.15.
  Queued writev_fixed(u64 user_data, i32 fd, std::span<const ::iovec> buffers, u64 offset,
                      u16 buf_index) noexcept {
    return queue(prep_writev_fixed, user_data, fd, buffers, offset, buf_index);
  }
  /// splice(2): completes with the bytes moved, at most max_transfer. The offset of a pipe is
  /// current_position. With splice_f_fd_in_fixed in flags, fd_in is a slot; sqe_fixed_file is about fd_out.
  /// Since Linux 5.7.
  Queued splice(u64 user_data, i32 fd_in, u64 offset_in, i32 fd_out, u64 offset_out, u64 bytes,
                u32 flags) noexcept {
    return queue(prep_splice, user_data, fd_in, offset_in, fd_out, offset_out, bytes, flags);
  }
  /// tee(2) from pipe to pipe: completes with the bytes duplicated. flags as in prep_splice. Since Linux 5.8.
  Queued tee(u64 user_data, i32 fd_in, i32 fd_out, u64 bytes, u32 flags) noexcept {
    return queue(prep_tee, user_data, fd_in, fd_out, bytes, flags);
  }
  /// fsync(2), or fdatasync(2) with fsync_datasync. Since Linux 5.1.
  Queued fsync(u64 user_data, i32 fd, u32 flags) noexcept { return queue(prep_fsync, user_data, fd, flags); }
  /// sync_file_range(2); flags are SYNC_FILE_RANGE_*. `bytes` 0 means to the end. Traps if `bytes` does not
  /// fit into 32 bits; Ring::sync_file_range returns length_too_large. Since Linux 5.2.
  Queued sync_file_range(u64 user_data, i32 fd, u64 offset, u64 bytes, u32 flags) noexcept {
    if (!fits_32_bits(bytes)) return Error::length_too_large;
    return queue(prep_sync_file_range, user_data, fd, offset, bytes, flags);
  }
  /// fallocate(2); mode is FALLOC_FL_*. Since Linux 5.6.
  Queued fallocate(u64 user_data, i32 fd, u32 mode, u64 offset, u64 bytes) noexcept {
    return queue(prep_fallocate, user_data, fd, mode, offset, bytes);
  }
  /// ftruncate(2). Since Linux 6.9.
  Queued ftruncate(u64 user_data, i32 fd, u64 bytes) noexcept {
    return queue(prep_ftruncate, user_data, fd, bytes);
  }
  /// posix_fadvise(2); advice is POSIX_FADV_*, `bytes` 0 means to the end. Since Linux 5.6; 4 GiB and more
  /// since 6.10 (-EINVAL before).
  Queued fadvise(u64 user_data, i32 fd, u64 offset, u64 bytes, u32 advice) noexcept {
    return queue(prep_fadvise, user_data, fd, offset, bytes, advice);
  }
  /// madvise(2); advice is MADV_*. Since Linux 5.6; 4 GiB and more since 6.10 (-EINVAL before).
  Queued madvise(u64 user_data, void* address, u64 bytes, u32 advice) noexcept {
    return queue(prep_madvise, user_data, address, bytes, advice);
  }
  /// statx(2): flags are AT_*, mask is STATX_*. Since Linux 5.6.
  Queued statx(u64 user_data, i32 dirfd, const char* path, u32 flags, u32 mask,
               struct ::statx* result) noexcept {
    return queue(prep_statx, user_data, dirfd, path, flags, mask, result);
  }
  /// setxattr(2); flags are XATTR_*. -E2BIG: over 64 KiB. Since Linux 5.19.
  Queued setxattr(u64 user_data, const char* path, const char* name, std::span<const std::byte> value,
                  u32 flags) noexcept {
    return queue(prep_setxattr, user_data, path, name, value, flags);
  }
  /// fsetxattr(2). Since Linux 5.19.
  Queued fsetxattr(u64 user_data, i32 fd, const char* name, std::span<const std::byte> value,
                   u32 flags) noexcept {
    return queue(prep_fsetxattr, user_data, fd, name, value, flags);
  }
  /// getxattr(2). Completes with the size of the value; an empty span asks for the size only. Since
  /// Linux 5.19.
  Queued getxattr(u64 user_data, const char* path, const char* name, std::span<std::byte> value) noexcept {
    return queue(prep_getxattr, user_data, path, name, value);
  }
  /// fgetxattr(2). Completes with the size of the value. Since Linux 5.19.
  Queued fgetxattr(u64 user_data, i32 fd, const char* name, std::span<std::byte> value) noexcept {
    return queue(prep_fgetxattr, user_data, fd, name, value);
  }
  /// openat(2). Completes with the new descriptor. Since Linux 5.6.
  Queued openat(u64 user_data, i32 dirfd, const char* path, u32 flags, u32 mode) noexcept {
    return queue(prep_openat, user_data, dirfd, path, flags, mode);
  }
  /// openat(2) into a slot. -EINVAL with O_CLOEXEC in flags, which has no meaning there; -ENXIO without a
  /// table; -ENFILE when no slot is free. Since Linux 5.15.
  Queued openat_direct(u64 user_data, i32 dirfd, const char* path, u32 flags, u32 mode, Slot slot) noexcept {
    return queue(prep_openat_direct, user_data, dirfd, path, flags, mode, slot);
  }
  /// openat2(2); how_size is sizeof(open_how) as the caller knows it; -E2BIG: over a page. Completes with the
  /// new descriptor. Since Linux 5.6.
  Queued openat2(u64 user_data, i32 dirfd, const char* path, const ::open_how* how, u64 how_size) noexcept {
    return queue(prep_openat2, user_data, dirfd, path, how, how_size);
  }
  /// openat2(2) into a slot, as prep_openat_direct. Since Linux 5.15.
  Queued openat2_direct(u64 user_data, i32 dirfd, const char* path, const ::open_how* how, u64 how_size,
                        Slot slot) noexcept {
    return queue(prep_openat2_direct, user_data, dirfd, path, how, how_size, slot);
  }
  /// close(2). Since Linux 5.6.
  Queued close(u64 user_data, i32 fd) noexcept { return queue(prep_close, user_data, fd); }
  /// Empties a slot. -EBADF: it is empty. Kernels before 5.15 close descriptor 0 instead. Since Linux 5.15.
  Queued close_direct(u64 user_data, Slot slot) noexcept { return queue(prep_close_direct, user_data, slot); }
  /// pipe2(2): fds[0] becomes the end to read from, fds[1] the one to write to. Since Linux 6.16.
  Queued pipe(u64 user_data, std::span<i32, 2> fds, u32 flags) noexcept {
    return queue(prep_pipe, user_data, fds, flags);
  }
  /// pipe2(2) into `slot` and the next one, or with file_index_alloc into two that the kernel chooses; fds
  /// receives the slots. Since Linux 6.16.
  Queued pipe_direct(u64 user_data, std::span<i32, 2> fds, u32 flags, Slot slot) noexcept {
    return queue(prep_pipe_direct, user_data, fds, flags, slot);
  }
  /// Gives the file in `slot` an ordinary descriptor too, close-on-exec unless fixed_fd_no_cloexec is in
  /// flags. Completes with the descriptor. Since Linux 6.8.
  Queued fixed_fd_install(u64 user_data, Slot slot, u32 flags) noexcept {
    return queue(prep_fixed_fd_install, user_data, slot, flags);
  }
  /// renameat2(2); flags are RENAME_*. Since Linux 5.11 and 5.10.162.
  Queued renameat(u64 user_data, i32 old_dirfd, const char* old_path, i32 new_dirfd, const char* new_path,
                  u32 flags) noexcept {
    return queue(prep_renameat, user_data, old_dirfd, old_path, new_dirfd, new_path, flags);
  }
  /// unlinkat(2); flags may be AT_REMOVEDIR. Since Linux 5.11 and 5.10.162.
  Queued unlinkat(u64 user_data, i32 dirfd, const char* path, u32 flags) noexcept {
    return queue(prep_unlinkat, user_data, dirfd, path, flags);
  }
  /// mkdirat(2). Since Linux 5.15.
  Queued mkdirat(u64 user_data, i32 dirfd, const char* path, u32 mode) noexcept {
    return queue(prep_mkdirat, user_data, dirfd, path, mode);
  }
  /// symlinkat(2): `path` becomes a link to `target`. Since Linux 5.15.
  Queued symlinkat(u64 user_data, const char* target, i32 dirfd, const char* path) noexcept {
    return queue(prep_symlinkat, user_data, target, dirfd, path);
  }
  /// linkat(2); flags are AT_*. Since Linux 5.15.
  Queued linkat(u64 user_data, i32 old_dirfd, const char* old_path, i32 new_dirfd, const char* new_path,
                u32 flags) noexcept {
    return queue(prep_linkat, user_data, old_dirfd, old_path, new_dirfd, new_path, flags);
  }

  // --- prep_socket.h ---------------------------------------------------------------------------------------

  /// socket(2). flags must be 0. Completes with the new descriptor. Since Linux 5.19.
  Queued socket(u64 user_data, u32 domain, u32 type, u32 protocol, u32 flags) noexcept {
    return queue(prep_socket, user_data, domain, type, protocol, flags);
  }
  /// socket(2) into a slot of the registered table: completes with 0. -EINVAL with SOCK_CLOEXEC in type.
  /// Since Linux 5.19.
  Queued socket_direct(u64 user_data, u32 domain, u32 type, u32 protocol, u32 flags, Slot slot) noexcept {
    return queue(prep_socket_direct, user_data, domain, type, protocol, flags, slot);
  }
  /// socket(2) into any free slot: completes with the slot; -ENFILE when none is free. Since Linux 5.19.
  Queued socket_direct_alloc(u64 user_data, u32 domain, u32 type, u32 protocol, u32 flags) noexcept {
    return queue(prep_socket_direct_alloc, user_data, domain, type, protocol, flags);
  }
  /// bind(2). flags must be 0. Since Linux 6.11.
  Queued bind(u64 user_data, i32 fd, const ::sockaddr* address, u32 address_size, u32 flags) noexcept {
    return queue(prep_bind, user_data, fd, address, address_size, flags);
  }
  /// listen(2). flags must be 0. Since Linux 6.11.
  Queued listen(u64 user_data, i32 fd, u32 backlog, u32 flags) noexcept {
    return queue(prep_listen, user_data, fd, backlog, flags);
  }
  /// accept4(2); address and address_size may be null. Completes with the new descriptor. Since Linux 5.5.
  Queued accept(u64 user_data, i32 fd, ::sockaddr* address, u32* address_size, u32 flags) noexcept {
    return queue(prep_accept, user_data, fd, address, address_size, flags);
  }
  /// Accepts repeatedly, with a CQE for each connection; the last CQE comes without cqe_f_more. The address,
  /// if asked for, is overwritten by each. Since Linux 5.19.
  Queued accept_multishot(u64 user_data, i32 fd, ::sockaddr* address, u32* address_size, u32 flags) noexcept {
    return queue(prep_accept_multishot, user_data, fd, address, address_size, flags);
  }
  /// accept4(2) into a slot of the registered table: completes with 0, or with the slot for file_index_alloc
  /// (5.19); -ENFILE when none is free. Kernels before 5.15 may return an ordinary descriptor. Since
  /// Linux 5.15.
  Queued accept_direct(u64 user_data, i32 fd, ::sockaddr* address, u32* address_size, u32 flags,
                       Slot slot) noexcept {
    return queue(prep_accept_direct, user_data, fd, address, address_size, flags, slot);
  }
  /// Both: each connection goes into a slot that the kernel chooses, and each CQE says which. Since
  /// Linux 5.19.
  Queued accept_multishot_direct(u64 user_data, i32 fd, ::sockaddr* address, u32* address_size,
                                 u32 flags) noexcept {
    return queue(prep_accept_multishot_direct, user_data, fd, address, address_size, flags);
  }
  /// connect(2). The size of the address is passed by value, in off. Since Linux 5.5.
  Queued connect(u64 user_data, i32 fd, const ::sockaddr* address, u32 address_size) noexcept {
    return queue(prep_connect, user_data, fd, address, address_size);
  }
  /// shutdown(2). Since Linux 5.11 and 5.10.162.
  Queued shutdown(u64 user_data, i32 fd, u32 how) noexcept {
    return queue(prep_shutdown, user_data, fd, how);
  }
  /// send(2). Since Linux 5.6.
  Queued send(u64 user_data, i32 fd, std::span<const std::byte> data, u32 flags) noexcept {
    return queue(prep_send, user_data, fd, data, flags);
  }
  /// sendto(2). Since Linux 6.1.
  Queued sendto(u64 user_data, i32 fd, std::span<const std::byte> data, u32 flags, const ::sockaddr* address,
                u32 address_size) noexcept {
    return queue(prep_sendto, user_data, fd, data, flags, address, address_size);
  }
  /// send(2) of several buffers of `group` at once, in the order the group hands them out, at most `bytes` of
  /// them (0: all). The CQE names the first; the others follow it in the ring. Since Linux 6.10
  /// (feat_recvsend_bundle).
  Queued send_bundle(u64 user_data, i32 fd, u16 group, u64 bytes, u32 flags) noexcept {
    return queue(prep_send_bundle, user_data, fd, group, bytes, flags);
  }
  /// send(2) without a copy. There are two CQEs: the result, with cqe_f_more, and a second one with
  /// cqe_f_notif when the data may be overwritten. After an error there may be no second one: look at
  /// cqe_f_more. zc_flags: poll_first, report_usage. Since Linux 6.0.
  Queued send_zc(u64 user_data, i32 fd, std::span<const std::byte> data, u32 flags,
                 RecvSend zc_flags = {}) noexcept {
    return queue(prep_send_zc, user_data, fd, data, flags, zc_flags);
  }
  /// The same from a registered buffer, of which `data` is a part. Since Linux 6.0.
  Queued send_zc_fixed(u64 user_data, i32 fd, std::span<const std::byte> data, u32 flags, RecvSend zc_flags,
                       u16 buf_index) noexcept {
    return queue(prep_send_zc_fixed, user_data, fd, data, flags, zc_flags, buf_index);
  }
  /// sendmsg(2). Since Linux 5.3.
  Queued sendmsg(u64 user_data, i32 fd, const ::msghdr* message, u32 flags) noexcept {
    return queue(prep_sendmsg, user_data, fd, message, flags);
  }
  /// sendmsg(2) without a copy; CQEs as for prep_send_zc. Since Linux 6.1.
  Queued sendmsg_zc(u64 user_data, i32 fd, const ::msghdr* message, u32 flags) noexcept {
    return queue(prep_sendmsg_zc, user_data, fd, message, flags);
  }
  /// The same from a registered buffer, of which the message's iovecs name parts. Since Linux 6.15.
  Queued sendmsg_zc_fixed(u64 user_data, i32 fd, const ::msghdr* message, u32 flags, u16 buf_index) noexcept {
    return queue(prep_sendmsg_zc_fixed, user_data, fd, message, flags, buf_index);
  }
  /// recv(2). Since Linux 5.6.
  Queued recv(u64 user_data, i32 fd, std::span<std::byte> buffer, u32 flags) noexcept {
    return queue(prep_recv, user_data, fd, buffer, flags);
  }
  /// recv(2) of at most `bytes`. 0 means as much as the buffer holds (6.0; earlier kernels receive nothing).
  /// Since Linux 5.7.
  Queued recv_select(u64 user_data, i32 fd, u16 group, u64 bytes, u32 flags) noexcept {
    return queue(prep_recv_select, user_data, fd, group, bytes, flags);
  }
  /// Receives repeatedly, each time into another buffer of the group and with a CQE; the last CQE comes
  /// without cqe_f_more. Since Linux 6.0.
  Queued recv_multishot(u64 user_data, i32 fd, u16 group, u32 flags) noexcept {
    return queue(prep_recv_multishot, user_data, fd, group, flags);
  }
  /// recv(2) into as many buffers of the group as there is data for, at most `bytes` (0: no limit). The CQE
  /// names the first; the others follow it in the ring: see BufferGroup::for_each_piece. Since Linux 6.10
  /// (feat_recvsend_bundle).
  Queued recv_bundle(u64 user_data, i32 fd, u16 group, u64 bytes, u32 flags) noexcept {
    return queue(prep_recv_bundle, user_data, fd, group, bytes, flags);
  }
  /// The same repeatedly, each time with as much as there is; the last CQE comes without cqe_f_more. Since
  /// Linux 6.10.
  Queued recv_multishot_bundle(u64 user_data, i32 fd, u16 group, u32 flags) noexcept {
    return queue(prep_recv_multishot_bundle, user_data, fd, group, flags);
  }
  /// Zero-copy receive from a socket whose data arrives in the memory of this ZeroCopyReceiver: repeatedly,
  /// each time with a CQE that says where; at most `bytes` in all (0: no limit). The last CQE comes without
  /// cqe_f_more. Since Linux 6.15.
  Queued recv_zc(u64 user_data, i32 fd, u32 zcrx_id, u32 bytes) noexcept {
    return queue(prep_recv_zc, user_data, fd, zcrx_id, bytes);
  }
  /// recvmsg(2). Since Linux 5.3.
  Queued recvmsg(u64 user_data, i32 fd, ::msghdr* message, u32 flags) noexcept {
    return queue(prep_recvmsg, user_data, fd, message, flags);
  }
  /// Repeated recvmsg(2). Of the message only msg_namelen and msg_controllen are used: how much room to leave
  /// for each in the buffer, between the RecvmsgOut that it starts with and the payload. Since Linux 6.0.
  Queued recvmsg_multishot(u64 user_data, i32 fd, ::msghdr* message, u16 group, u32 flags) noexcept {
    return queue(prep_recvmsg_multishot, user_data, fd, message, group, flags);
  }
  /// A command to a socket, socket_op_*. The value must stay valid until the CQE has come. Since Linux 6.7
  /// for the two socket option commands.
  Queued cmd_sock(u64 user_data, u32 command, i32 fd, u32 level, u32 option, u64 value,
                  u32 value_size) noexcept {
    return queue(prep_cmd_sock, user_data, command, fd, level, option, value, value_size);
  }
  /// setsockopt(2). Completes with 0. -EINVAL: over 2^31 - 1 bytes. Since Linux 6.7.
  Queued setsockopt(u64 user_data, i32 fd, u32 level, u32 option, std::span<const std::byte> value) noexcept {
    return queue(prep_setsockopt, user_data, fd, level, option, value);
  }
  /// getsockopt(2), for options of SOL_SOCKET. Completes with the size of the option. -EINVAL: over 2^31 - 1
  /// bytes. Since Linux 6.7.
  Queued getsockopt(u64 user_data, i32 fd, u32 level, u32 option, std::span<std::byte> value) noexcept {
    return queue(prep_getsockopt, user_data, fd, level, option, value);
  }

  // --- prep_command.h --------------------------------------------------------------------------------------

  /// The driver's command number `command` (NVME_URING_CMD_IO, UBLK_U_IO_FETCH_REQ ...) with 16 bytes of 0 as
  /// its payload: follow with set_command. Completes with what the driver says; further results are in
  /// Cqe32::extra1 and extra2. Sqe::op_flags is uring_cmd_*, 0 here. -EOPNOTSUPP: the file has no commands,
  /// or this one needs larger entries; -ENOTTY: the driver has no such command. Since Linux 5.19.
  Queued uring_cmd(u64 user_data, i32 fd, u32 command) noexcept {
    return queue(prep_uring_cmd, user_data, fd, command);
  }
  /// With a payload, see set_command: a plain struct of at most 16 bytes, or 80 in a ring of 128-byte SQEs.
  template <class Payload>
  Queued uring_cmd(u64 user_data, i32 fd, u32 command, const Payload& payload) noexcept {
    return uring_cmd(user_data, fd, command).with([&](Entry& sqe) { set_command(sqe, payload); });
  }

  // The rest is for rings with get_sqe128; as templates, because other rings do not have it.

  /// A NOP of 128 bytes, in an SQE of 128 bytes of a ring with MixedSqes. Since Linux 6.19.
  template <class = void>
  Queued128 nop128(u64 user_data) noexcept {
    return queue128(prep_nop128, user_data);
  }
  /// The same with 80 bytes of payload, in an SQE of 128 bytes of a ring with MixedSqes. Since Linux 6.19.
  template <class = void>
  Queued128 uring_cmd128(u64 user_data, i32 fd, u32 command) noexcept {
    return queue128(prep_uring_cmd128, user_data, fd, command);
  }
  /// With a payload, see set_command: a plain struct of at most 80 bytes.
  template <class Payload>
  Queued128 uring_cmd128(u64 user_data, i32 fd, u32 command, const Payload& payload) noexcept {
    return uring_cmd128(user_data, fd, command).with([&](Sqe128& sqe) { set_command(sqe, payload); });
  }

 private:
  template <class Prepare, class... Arguments>
  Queued128 queue128(Prepare prepare, u64 user_data, Arguments... arguments) noexcept {
    Sqe128* const sqe = static_cast<Ring*>(this)->get_sqe128();
    if (sqe == nullptr) [[unlikely]]
      return Error::submission_queue_full;
    return prepare(*sqe, user_data, arguments...);
  }

  template <class Prepare, class... Arguments>
  Queued queue(Prepare prepare, u64 user_data, Arguments... arguments) noexcept {
    Entry* const sqe = static_cast<Ring*>(this)->get_sqe();
    if (sqe == nullptr) [[unlikely]]
      return Error::submission_queue_full;
    prepare(*sqe, user_data, arguments...);
    detail::clear_second_half(*sqe);
    return *sqe;
  }
};

}  // namespace uring

#endif
