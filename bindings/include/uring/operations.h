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

// The part of `Ring` (a class with get_sqe, which returns an Entry*) that is the same for every kernel. They
// return
// submission_queue_full when there is no free SQE: nothing was queued; submit, then try again.
template <class Ring, class Entry>
class Operations {
 public:
  using Queued = BasicQueued<Entry>;

  // --- prep_control.h --------------------------------------------------------------------------------------

  Queued nop(u64 user_data) noexcept { return queue(prep_nop, user_data); }
  Queued poll_add(u64 user_data, i32 fd, u32 mask) noexcept {
    return queue(prep_poll_add, user_data, fd, mask);
  }
  Queued poll_multishot(u64 user_data, i32 fd, u32 mask) noexcept {
    return queue(prep_poll_multishot, user_data, fd, mask);
  }
  Queued poll_remove(u64 user_data, u64 target) noexcept {
    return queue(prep_poll_remove, user_data, target);
  }
  Queued poll_update(u64 user_data, u64 target, u64 new_user_data, u32 mask, u32 flags) noexcept {
    return queue(prep_poll_update, user_data, target, new_user_data, mask, flags);
  }
  Queued epoll_ctl(u64 user_data, i32 epoll_fd, i32 fd, u32 operation, ::epoll_event* event) noexcept {
    return queue(prep_epoll_ctl, user_data, epoll_fd, fd, operation, event);
  }
  Queued epoll_wait(u64 user_data, i32 epoll_fd, std::span<::epoll_event> events) noexcept {
    return queue(prep_epoll_wait, user_data, epoll_fd, events);
  }
  Queued timeout(u64 user_data, const Timespec* time, u32 count, u32 flags) noexcept {
    return queue(prep_timeout, user_data, time, count, flags);
  }
  Queued timeout_remove(u64 user_data, u64 target, u32 flags) noexcept {
    return queue(prep_timeout_remove, user_data, target, flags);
  }
  Queued timeout_update(u64 user_data, u64 target, const Timespec* time, u32 flags) noexcept {
    return queue(prep_timeout_update, user_data, target, time, flags);
  }
  Queued link_timeout(u64 user_data, const Timespec* time, u32 flags) noexcept {
    return queue(prep_link_timeout, user_data, time, flags);
  }
  Queued cancel(u64 user_data, u64 target, u32 flags) noexcept {
    return queue(prep_cancel, user_data, target, flags);
  }
  Queued cancel_fd(u64 user_data, i32 fd, u32 flags) noexcept {
    return queue(prep_cancel_fd, user_data, fd, flags);
  }
  Queued cancel_fixed(u64 user_data, Slot slot, u32 flags) noexcept {
    return queue(prep_cancel_fixed, user_data, slot, flags);
  }
  Queued cancel_any(u64 user_data, u32 flags) noexcept { return queue(prep_cancel_any, user_data, flags); }
  Queued cancel_op(u64 user_data, Op op, u32 flags) noexcept {
    return queue(prep_cancel_op, user_data, op, flags);
  }
  Queued files_update(u64 user_data, std::span<i32> fds, Slot first) noexcept {
    return queue(prep_files_update, user_data, fds, first);
  }
  // length_too_large: buffers of over 2^32 - 1 bytes each.
  Queued provide_buffers(u64 user_data, void* buffers, u64 buffer_size, u64 count, u16 group,
                         u16 first_id) noexcept {
    if (!fits_32_bits(buffer_size)) return Error::length_too_large;
    return queue(prep_provide_buffers, user_data, buffers, buffer_size, count, group, first_id);
  }
  Queued remove_buffers(u64 user_data, u64 count, u16 group) noexcept {
    return queue(prep_remove_buffers, user_data, count, group);
  }
  Queued msg_ring(u64 user_data, i32 fd, u32 res, u64 data, u32 flags) noexcept {
    return queue(prep_msg_ring, user_data, fd, res, data, flags);
  }
  Queued msg_ring_cqe_flags(u64 user_data, i32 fd, u32 res, u64 data, u32 flags, u32 cqe_flags) noexcept {
    return queue(prep_msg_ring_cqe_flags, user_data, fd, res, data, flags, cqe_flags);
  }
  Queued msg_ring_fd(u64 user_data, i32 fd, Slot source, Slot target, u64 data, u32 flags) noexcept {
    return queue(prep_msg_ring_fd, user_data, fd, source, target, data, flags);
  }
  Queued futex_wait(u64 user_data, const u32* futex, u64 value, u64 mask, u32 futex_flags) noexcept {
    return queue(prep_futex_wait, user_data, futex, value, mask, futex_flags);
  }
  Queued futex_wake(u64 user_data, const u32* futex, u64 count, u64 mask, u32 futex_flags) noexcept {
    return queue(prep_futex_wake, user_data, futex, count, mask, futex_flags);
  }
  Queued futex_waitv(u64 user_data, std::span<const FutexWaitv> futexes) noexcept {
    return queue(prep_futex_waitv, user_data, futexes);
  }
  Queued waitid(u64 user_data, u32 id_type, i32 id, void* info, u32 options, u32 flags) noexcept {
    return queue(prep_waitid, user_data, id_type, id, info, options, flags);
  }

  // --- prep_file.h -----------------------------------------------------------------------------------------

  Queued readv(u64 user_data, i32 fd, std::span<const ::iovec> buffers, u64 offset) noexcept {
    return queue(prep_readv, user_data, fd, buffers, offset);
  }
  Queued writev(u64 user_data, i32 fd, std::span<const ::iovec> buffers, u64 offset) noexcept {
    return queue(prep_writev, user_data, fd, buffers, offset);
  }
  Queued read(u64 user_data, i32 fd, std::span<std::byte> buffer, u64 offset) noexcept {
    return queue(prep_read, user_data, fd, buffer, offset);
  }
  Queued write(u64 user_data, i32 fd, std::span<const std::byte> data, u64 offset) noexcept {
    return queue(prep_write, user_data, fd, data, offset);
  }
  Queued read_select(u64 user_data, i32 fd, u16 group, u64 bytes, u64 offset) noexcept {
    return queue(prep_read_select, user_data, fd, group, bytes, offset);
  }
  Queued read_multishot(u64 user_data, i32 fd, u16 group, u64 offset) noexcept {
    return queue(prep_read_multishot, user_data, fd, group, offset);
  }
  Queued read_fixed(u64 user_data, i32 fd, std::span<std::byte> buffer, u64 offset, u16 buf_index) noexcept {
    return queue(prep_read_fixed, user_data, fd, buffer, offset, buf_index);
  }
  Queued write_fixed(u64 user_data, i32 fd, std::span<const std::byte> data, u64 offset,
                     u16 buf_index) noexcept {
    return queue(prep_write_fixed, user_data, fd, data, offset, buf_index);
  }
  Queued readv_fixed(u64 user_data, i32 fd, std::span<const ::iovec> buffers, u64 offset,
                     u16 buf_index) noexcept {
    return queue(prep_readv_fixed, user_data, fd, buffers, offset, buf_index);
  }
  Queued writev_fixed(u64 user_data, i32 fd, std::span<const ::iovec> buffers, u64 offset,
                      u16 buf_index) noexcept {
    return queue(prep_writev_fixed, user_data, fd, buffers, offset, buf_index);
  }
  Queued splice(u64 user_data, i32 fd_in, u64 offset_in, i32 fd_out, u64 offset_out, u64 bytes,
                u32 flags) noexcept {
    return queue(prep_splice, user_data, fd_in, offset_in, fd_out, offset_out, bytes, flags);
  }
  Queued tee(u64 user_data, i32 fd_in, i32 fd_out, u64 bytes, u32 flags) noexcept {
    return queue(prep_tee, user_data, fd_in, fd_out, bytes, flags);
  }
  Queued fsync(u64 user_data, i32 fd, u32 flags) noexcept { return queue(prep_fsync, user_data, fd, flags); }
  // length_too_large: over 2^32 - 1 bytes; 0 means to the end.
  Queued sync_file_range(u64 user_data, i32 fd, u64 offset, u64 bytes, u32 flags) noexcept {
    if (!fits_32_bits(bytes)) return Error::length_too_large;
    return queue(prep_sync_file_range, user_data, fd, offset, bytes, flags);
  }
  Queued fallocate(u64 user_data, i32 fd, u32 mode, u64 offset, u64 bytes) noexcept {
    return queue(prep_fallocate, user_data, fd, mode, offset, bytes);
  }
  Queued ftruncate(u64 user_data, i32 fd, u64 bytes) noexcept {
    return queue(prep_ftruncate, user_data, fd, bytes);
  }
  Queued fadvise(u64 user_data, i32 fd, u64 offset, u64 bytes, u32 advice) noexcept {
    return queue(prep_fadvise, user_data, fd, offset, bytes, advice);
  }
  Queued madvise(u64 user_data, void* address, u64 bytes, u32 advice) noexcept {
    return queue(prep_madvise, user_data, address, bytes, advice);
  }
  Queued statx(u64 user_data, i32 dirfd, const char* path, u32 flags, u32 mask,
               struct ::statx* result) noexcept {
    return queue(prep_statx, user_data, dirfd, path, flags, mask, result);
  }
  Queued setxattr(u64 user_data, const char* path, const char* name, std::span<const std::byte> value,
                  u32 flags) noexcept {
    return queue(prep_setxattr, user_data, path, name, value, flags);
  }
  Queued fsetxattr(u64 user_data, i32 fd, const char* name, std::span<const std::byte> value,
                   u32 flags) noexcept {
    return queue(prep_fsetxattr, user_data, fd, name, value, flags);
  }
  Queued getxattr(u64 user_data, const char* path, const char* name, std::span<std::byte> value) noexcept {
    return queue(prep_getxattr, user_data, path, name, value);
  }
  Queued fgetxattr(u64 user_data, i32 fd, const char* name, std::span<std::byte> value) noexcept {
    return queue(prep_fgetxattr, user_data, fd, name, value);
  }
  Queued openat(u64 user_data, i32 dirfd, const char* path, u32 flags, u32 mode) noexcept {
    return queue(prep_openat, user_data, dirfd, path, flags, mode);
  }
  Queued openat_direct(u64 user_data, i32 dirfd, const char* path, u32 flags, u32 mode, Slot slot) noexcept {
    return queue(prep_openat_direct, user_data, dirfd, path, flags, mode, slot);
  }
  Queued openat2(u64 user_data, i32 dirfd, const char* path, const ::open_how* how, u64 how_size) noexcept {
    return queue(prep_openat2, user_data, dirfd, path, how, how_size);
  }
  Queued openat2_direct(u64 user_data, i32 dirfd, const char* path, const ::open_how* how, u64 how_size,
                        Slot slot) noexcept {
    return queue(prep_openat2_direct, user_data, dirfd, path, how, how_size, slot);
  }
  Queued close(u64 user_data, i32 fd) noexcept { return queue(prep_close, user_data, fd); }
  Queued close_direct(u64 user_data, Slot slot) noexcept { return queue(prep_close_direct, user_data, slot); }
  Queued pipe(u64 user_data, std::span<i32, 2> fds, u32 flags) noexcept {
    return queue(prep_pipe, user_data, fds, flags);
  }
  Queued pipe_direct(u64 user_data, std::span<i32, 2> fds, u32 flags, Slot slot) noexcept {
    return queue(prep_pipe_direct, user_data, fds, flags, slot);
  }
  Queued fixed_fd_install(u64 user_data, Slot slot, u32 flags) noexcept {
    return queue(prep_fixed_fd_install, user_data, slot, flags);
  }
  Queued renameat(u64 user_data, i32 old_dirfd, const char* old_path, i32 new_dirfd, const char* new_path,
                  u32 flags) noexcept {
    return queue(prep_renameat, user_data, old_dirfd, old_path, new_dirfd, new_path, flags);
  }
  Queued unlinkat(u64 user_data, i32 dirfd, const char* path, u32 flags) noexcept {
    return queue(prep_unlinkat, user_data, dirfd, path, flags);
  }
  Queued mkdirat(u64 user_data, i32 dirfd, const char* path, u32 mode) noexcept {
    return queue(prep_mkdirat, user_data, dirfd, path, mode);
  }
  Queued symlinkat(u64 user_data, const char* target, i32 dirfd, const char* path) noexcept {
    return queue(prep_symlinkat, user_data, target, dirfd, path);
  }
  Queued linkat(u64 user_data, i32 old_dirfd, const char* old_path, i32 new_dirfd, const char* new_path,
                u32 flags) noexcept {
    return queue(prep_linkat, user_data, old_dirfd, old_path, new_dirfd, new_path, flags);
  }

  // --- prep_socket.h ---------------------------------------------------------------------------------------

  Queued socket(u64 user_data, u32 domain, u32 type, u32 protocol, u32 flags) noexcept {
    return queue(prep_socket, user_data, domain, type, protocol, flags);
  }
  Queued socket_direct(u64 user_data, u32 domain, u32 type, u32 protocol, u32 flags, Slot slot) noexcept {
    return queue(prep_socket_direct, user_data, domain, type, protocol, flags, slot);
  }
  Queued socket_direct_alloc(u64 user_data, u32 domain, u32 type, u32 protocol, u32 flags) noexcept {
    return queue(prep_socket_direct_alloc, user_data, domain, type, protocol, flags);
  }
  Queued bind(u64 user_data, i32 fd, const ::sockaddr* address, u32 address_size, u32 flags) noexcept {
    return queue(prep_bind, user_data, fd, address, address_size, flags);
  }
  Queued listen(u64 user_data, i32 fd, u32 backlog, u32 flags) noexcept {
    return queue(prep_listen, user_data, fd, backlog, flags);
  }
  Queued accept(u64 user_data, i32 fd, ::sockaddr* address, u32* address_size, u32 flags) noexcept {
    return queue(prep_accept, user_data, fd, address, address_size, flags);
  }
  Queued accept_multishot(u64 user_data, i32 fd, ::sockaddr* address, u32* address_size, u32 flags) noexcept {
    return queue(prep_accept_multishot, user_data, fd, address, address_size, flags);
  }
  Queued accept_direct(u64 user_data, i32 fd, ::sockaddr* address, u32* address_size, u32 flags,
                       Slot slot) noexcept {
    return queue(prep_accept_direct, user_data, fd, address, address_size, flags, slot);
  }
  Queued accept_multishot_direct(u64 user_data, i32 fd, ::sockaddr* address, u32* address_size,
                                 u32 flags) noexcept {
    return queue(prep_accept_multishot_direct, user_data, fd, address, address_size, flags);
  }
  Queued connect(u64 user_data, i32 fd, const ::sockaddr* address, u32 address_size) noexcept {
    return queue(prep_connect, user_data, fd, address, address_size);
  }
  Queued shutdown(u64 user_data, i32 fd, u32 how) noexcept {
    return queue(prep_shutdown, user_data, fd, how);
  }
  Queued send(u64 user_data, i32 fd, std::span<const std::byte> data, u32 flags) noexcept {
    return queue(prep_send, user_data, fd, data, flags);
  }
  Queued sendto(u64 user_data, i32 fd, std::span<const std::byte> data, u32 flags, const ::sockaddr* address,
                u32 address_size) noexcept {
    return queue(prep_sendto, user_data, fd, data, flags, address, address_size);
  }
  Queued send_bundle(u64 user_data, i32 fd, u16 group, u64 bytes, u32 flags) noexcept {
    return queue(prep_send_bundle, user_data, fd, group, bytes, flags);
  }
  Queued send_zc(u64 user_data, i32 fd, std::span<const std::byte> data, u32 flags, u16 zc_flags) noexcept {
    return queue(prep_send_zc, user_data, fd, data, flags, zc_flags);
  }
  Queued send_zc_fixed(u64 user_data, i32 fd, std::span<const std::byte> data, u32 flags, u16 zc_flags,
                       u16 buf_index) noexcept {
    return queue(prep_send_zc_fixed, user_data, fd, data, flags, zc_flags, buf_index);
  }
  Queued sendmsg(u64 user_data, i32 fd, const ::msghdr* message, u32 flags) noexcept {
    return queue(prep_sendmsg, user_data, fd, message, flags);
  }
  Queued sendmsg_zc(u64 user_data, i32 fd, const ::msghdr* message, u32 flags) noexcept {
    return queue(prep_sendmsg_zc, user_data, fd, message, flags);
  }
  Queued sendmsg_zc_fixed(u64 user_data, i32 fd, const ::msghdr* message, u32 flags, u16 buf_index) noexcept {
    return queue(prep_sendmsg_zc_fixed, user_data, fd, message, flags, buf_index);
  }
  Queued recv(u64 user_data, i32 fd, std::span<std::byte> buffer, u32 flags) noexcept {
    return queue(prep_recv, user_data, fd, buffer, flags);
  }
  Queued recv_select(u64 user_data, i32 fd, u16 group, u64 bytes, u32 flags) noexcept {
    return queue(prep_recv_select, user_data, fd, group, bytes, flags);
  }
  Queued recv_multishot(u64 user_data, i32 fd, u16 group, u32 flags) noexcept {
    return queue(prep_recv_multishot, user_data, fd, group, flags);
  }
  Queued recv_bundle(u64 user_data, i32 fd, u16 group, u64 bytes, u32 flags) noexcept {
    return queue(prep_recv_bundle, user_data, fd, group, bytes, flags);
  }
  Queued recv_multishot_bundle(u64 user_data, i32 fd, u16 group, u32 flags) noexcept {
    return queue(prep_recv_multishot_bundle, user_data, fd, group, flags);
  }
  Queued recvmsg(u64 user_data, i32 fd, ::msghdr* message, u32 flags) noexcept {
    return queue(prep_recvmsg, user_data, fd, message, flags);
  }
  Queued recvmsg_multishot(u64 user_data, i32 fd, ::msghdr* message, u16 group, u32 flags) noexcept {
    return queue(prep_recvmsg_multishot, user_data, fd, message, group, flags);
  }
  Queued cmd_sock(u64 user_data, u32 command, i32 fd, u32 level, u32 option, u64 value,
                  u32 value_size) noexcept {
    return queue(prep_cmd_sock, user_data, command, fd, level, option, value, value_size);
  }
  Queued setsockopt(u64 user_data, i32 fd, u32 level, u32 option, std::span<const std::byte> value) noexcept {
    return queue(prep_setsockopt, user_data, fd, level, option, value);
  }
  Queued getsockopt(u64 user_data, i32 fd, u32 level, u32 option, std::span<std::byte> value) noexcept {
    return queue(prep_getsockopt, user_data, fd, level, option, value);
  }

  // --- prep_command.h --------------------------------------------------------------------------------------

  Queued uring_cmd(u64 user_data, i32 fd, u32 command) noexcept {
    return queue(prep_uring_cmd, user_data, fd, command);
  }
  // With a payload, see set_command: a plain struct of at most 16 bytes, or 80 in a ring of 128-byte SQEs.
  template <class Payload>
  Queued uring_cmd(u64 user_data, i32 fd, u32 command, const Payload& payload) noexcept {
    return uring_cmd(user_data, fd, command).with([&](Entry& sqe) { set_command(sqe, payload); });
  }
  // For rings with get_sqe128; as templates, because other rings do not have it.
  template <class = void>
  Queued128 nop128(u64 user_data) noexcept {
    return queue128(prep_nop128, user_data);
  }
  template <class = void>
  Queued128 uring_cmd128(u64 user_data, i32 fd, u32 command) noexcept {
    return queue128(prep_uring_cmd128, user_data, fd, command);
  }
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
