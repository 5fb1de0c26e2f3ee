// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The ring's methods for operations: each takes a free SQE, prepares it, and returns it, so that flags can be
// set:
//
//   ring.write(1, fd, data, 0).value().flags |= uring::sqe_io_link;
//
// See prep_NAME for the arguments, the result and the first Linux release.
#ifndef URING_OPERATIONS_H
#define URING_OPERATIONS_H

#include <span>

#include "entries.h"
#include "prep.h"
#include "result.h"

namespace uring {

// The part of `Ring` (a class with get_sqe) that is the same for every kernel. They return
// submission_queue_full when there is no free SQE: nothing was queued; submit, then try again.
template <class Ring>
class Operations {
 public:
  // --- prep_control.h --------------------------------------------------------------------------------------

  Result<Sqe&> nop(u64 user_data) noexcept { return queue(prep_nop, user_data); }
  Result<Sqe&> poll_add(u64 user_data, i32 fd, u32 mask) noexcept {
    return queue(prep_poll_add, user_data, fd, mask);
  }
  Result<Sqe&> poll_multishot(u64 user_data, i32 fd, u32 mask) noexcept {
    return queue(prep_poll_multishot, user_data, fd, mask);
  }
  Result<Sqe&> poll_remove(u64 user_data, u64 target) noexcept {
    return queue(prep_poll_remove, user_data, target);
  }
  Result<Sqe&> poll_update(u64 user_data, u64 target, u64 new_user_data, u32 mask, u32 flags) noexcept {
    return queue(prep_poll_update, user_data, target, new_user_data, mask, flags);
  }
  Result<Sqe&> epoll_ctl(u64 user_data, i32 epoll_fd, i32 fd, u32 operation, ::epoll_event* event) noexcept {
    return queue(prep_epoll_ctl, user_data, epoll_fd, fd, operation, event);
  }
  Result<Sqe&> epoll_wait(u64 user_data, i32 epoll_fd, ::epoll_event* events, u64 count) noexcept {
    return queue(prep_epoll_wait, user_data, epoll_fd, events, count);
  }
  Result<Sqe&> timeout(u64 user_data, const Timespec* time, u32 count, u32 flags) noexcept {
    return queue(prep_timeout, user_data, time, count, flags);
  }
  Result<Sqe&> timeout_remove(u64 user_data, u64 target, u32 flags) noexcept {
    return queue(prep_timeout_remove, user_data, target, flags);
  }
  Result<Sqe&> timeout_update(u64 user_data, u64 target, const Timespec* time, u32 flags) noexcept {
    return queue(prep_timeout_update, user_data, target, time, flags);
  }
  Result<Sqe&> link_timeout(u64 user_data, const Timespec* time, u32 flags) noexcept {
    return queue(prep_link_timeout, user_data, time, flags);
  }
  Result<Sqe&> cancel(u64 user_data, u64 target, u32 flags) noexcept {
    return queue(prep_cancel, user_data, target, flags);
  }
  Result<Sqe&> cancel_fd(u64 user_data, i32 fd, u32 flags) noexcept {
    return queue(prep_cancel_fd, user_data, fd, flags);
  }
  Result<Sqe&> cancel_fixed(u64 user_data, Slot slot, u32 flags) noexcept {
    return queue(prep_cancel_fixed, user_data, slot, flags);
  }
  Result<Sqe&> cancel_any(u64 user_data, u32 flags) noexcept {
    return queue(prep_cancel_any, user_data, flags);
  }
  Result<Sqe&> cancel_op(u64 user_data, Op op, u32 flags) noexcept {
    return queue(prep_cancel_op, user_data, op, flags);
  }
  Result<Sqe&> files_update(u64 user_data, std::span<i32> fds, Slot first) noexcept {
    return queue(prep_files_update, user_data, fds, first);
  }
  // length_too_large: buffers of over 2^32 - 1 bytes each.
  Result<Sqe&> provide_buffers(u64 user_data, void* buffers, u64 buffer_size, u64 count, u16 group,
                               u16 first_id) noexcept {
    if (!fits_32_bits(buffer_size)) return Error::length_too_large;
    return queue(prep_provide_buffers, user_data, buffers, buffer_size, count, group, first_id);
  }
  Result<Sqe&> remove_buffers(u64 user_data, u64 count, u16 group) noexcept {
    return queue(prep_remove_buffers, user_data, count, group);
  }
  Result<Sqe&> msg_ring(u64 user_data, i32 fd, u32 res, u64 data, u32 flags) noexcept {
    return queue(prep_msg_ring, user_data, fd, res, data, flags);
  }
  Result<Sqe&> msg_ring_cqe_flags(u64 user_data, i32 fd, u32 res, u64 data, u32 flags,
                                  u32 cqe_flags) noexcept {
    return queue(prep_msg_ring_cqe_flags, user_data, fd, res, data, flags, cqe_flags);
  }
  Result<Sqe&> msg_ring_fd(u64 user_data, i32 fd, Slot source, Slot target, u64 data, u32 flags) noexcept {
    return queue(prep_msg_ring_fd, user_data, fd, source, target, data, flags);
  }
  Result<Sqe&> futex_wait(u64 user_data, const u32* futex, u64 value, u64 mask, u32 futex_flags) noexcept {
    return queue(prep_futex_wait, user_data, futex, value, mask, futex_flags);
  }
  Result<Sqe&> futex_wake(u64 user_data, const u32* futex, u64 count, u64 mask, u32 futex_flags) noexcept {
    return queue(prep_futex_wake, user_data, futex, count, mask, futex_flags);
  }
  Result<Sqe&> futex_waitv(u64 user_data, std::span<const FutexWaitv> futexes) noexcept {
    return queue(prep_futex_waitv, user_data, futexes);
  }
  Result<Sqe&> waitid(u64 user_data, u32 id_type, i32 id, void* info, u32 options, u32 flags) noexcept {
    return queue(prep_waitid, user_data, id_type, id, info, options, flags);
  }

  // --- prep_file.h -----------------------------------------------------------------------------------------

  Result<Sqe&> readv(u64 user_data, i32 fd, const ::iovec* iovecs, u64 count, u64 offset) noexcept {
    return queue(prep_readv, user_data, fd, iovecs, count, offset);
  }
  Result<Sqe&> writev(u64 user_data, i32 fd, const ::iovec* iovecs, u64 count, u64 offset) noexcept {
    return queue(prep_writev, user_data, fd, iovecs, count, offset);
  }
  Result<Sqe&> read(u64 user_data, i32 fd, std::span<std::byte> buffer, u64 offset) noexcept {
    return queue(prep_read, user_data, fd, buffer, offset);
  }
  Result<Sqe&> write(u64 user_data, i32 fd, std::span<const std::byte> data, u64 offset) noexcept {
    return queue(prep_write, user_data, fd, data, offset);
  }
  Result<Sqe&> read_select(u64 user_data, i32 fd, u16 group, u64 bytes, u64 offset) noexcept {
    return queue(prep_read_select, user_data, fd, group, bytes, offset);
  }
  Result<Sqe&> read_multishot(u64 user_data, i32 fd, u16 group, u64 offset) noexcept {
    return queue(prep_read_multishot, user_data, fd, group, offset);
  }
  Result<Sqe&> read_fixed(u64 user_data, i32 fd, std::span<std::byte> buffer, u64 offset,
                          u16 buf_index) noexcept {
    return queue(prep_read_fixed, user_data, fd, buffer, offset, buf_index);
  }
  Result<Sqe&> write_fixed(u64 user_data, i32 fd, std::span<const std::byte> data, u64 offset,
                           u16 buf_index) noexcept {
    return queue(prep_write_fixed, user_data, fd, data, offset, buf_index);
  }
  Result<Sqe&> readv_fixed(u64 user_data, i32 fd, const ::iovec* iovecs, u64 count, u64 offset,
                           u16 buf_index) noexcept {
    return queue(prep_readv_fixed, user_data, fd, iovecs, count, offset, buf_index);
  }
  Result<Sqe&> writev_fixed(u64 user_data, i32 fd, const ::iovec* iovecs, u64 count, u64 offset,
                            u16 buf_index) noexcept {
    return queue(prep_writev_fixed, user_data, fd, iovecs, count, offset, buf_index);
  }
  Result<Sqe&> splice(u64 user_data, i32 fd_in, u64 offset_in, i32 fd_out, u64 offset_out, u64 bytes,
                      u32 flags) noexcept {
    return queue(prep_splice, user_data, fd_in, offset_in, fd_out, offset_out, bytes, flags);
  }
  Result<Sqe&> tee(u64 user_data, i32 fd_in, i32 fd_out, u64 bytes, u32 flags) noexcept {
    return queue(prep_tee, user_data, fd_in, fd_out, bytes, flags);
  }
  Result<Sqe&> fsync(u64 user_data, i32 fd, u32 flags) noexcept {
    return queue(prep_fsync, user_data, fd, flags);
  }
  // length_too_large: over 2^32 - 1 bytes; 0 means to the end.
  Result<Sqe&> sync_file_range(u64 user_data, i32 fd, u64 offset, u64 bytes, u32 flags) noexcept {
    if (!fits_32_bits(bytes)) return Error::length_too_large;
    return queue(prep_sync_file_range, user_data, fd, offset, bytes, flags);
  }
  Result<Sqe&> fallocate(u64 user_data, i32 fd, u32 mode, u64 offset, u64 bytes) noexcept {
    return queue(prep_fallocate, user_data, fd, mode, offset, bytes);
  }
  Result<Sqe&> ftruncate(u64 user_data, i32 fd, u64 bytes) noexcept {
    return queue(prep_ftruncate, user_data, fd, bytes);
  }
  Result<Sqe&> fadvise(u64 user_data, i32 fd, u64 offset, u64 bytes, u32 advice) noexcept {
    return queue(prep_fadvise, user_data, fd, offset, bytes, advice);
  }
  Result<Sqe&> madvise(u64 user_data, void* address, u64 bytes, u32 advice) noexcept {
    return queue(prep_madvise, user_data, address, bytes, advice);
  }
  Result<Sqe&> statx(u64 user_data, i32 dirfd, const char* path, u32 flags, u32 mask,
                     struct ::statx* result) noexcept {
    return queue(prep_statx, user_data, dirfd, path, flags, mask, result);
  }
  Result<Sqe&> setxattr(u64 user_data, const char* path, const char* name, std::span<const std::byte> value,
                        u32 flags) noexcept {
    return queue(prep_setxattr, user_data, path, name, value, flags);
  }
  Result<Sqe&> fsetxattr(u64 user_data, i32 fd, const char* name, std::span<const std::byte> value,
                         u32 flags) noexcept {
    return queue(prep_fsetxattr, user_data, fd, name, value, flags);
  }
  Result<Sqe&> getxattr(u64 user_data, const char* path, const char* name,
                        std::span<std::byte> value) noexcept {
    return queue(prep_getxattr, user_data, path, name, value);
  }
  Result<Sqe&> fgetxattr(u64 user_data, i32 fd, const char* name, std::span<std::byte> value) noexcept {
    return queue(prep_fgetxattr, user_data, fd, name, value);
  }
  Result<Sqe&> openat(u64 user_data, i32 dirfd, const char* path, u32 flags, u32 mode) noexcept {
    return queue(prep_openat, user_data, dirfd, path, flags, mode);
  }
  Result<Sqe&> openat_direct(u64 user_data, i32 dirfd, const char* path, u32 flags, u32 mode,
                             Slot slot) noexcept {
    return queue(prep_openat_direct, user_data, dirfd, path, flags, mode, slot);
  }
  Result<Sqe&> openat2(u64 user_data, i32 dirfd, const char* path, const ::open_how* how,
                       u64 how_size) noexcept {
    return queue(prep_openat2, user_data, dirfd, path, how, how_size);
  }
  Result<Sqe&> openat2_direct(u64 user_data, i32 dirfd, const char* path, const ::open_how* how, u64 how_size,
                              Slot slot) noexcept {
    return queue(prep_openat2_direct, user_data, dirfd, path, how, how_size, slot);
  }
  Result<Sqe&> close(u64 user_data, i32 fd) noexcept { return queue(prep_close, user_data, fd); }
  Result<Sqe&> close_direct(u64 user_data, Slot slot) noexcept {
    return queue(prep_close_direct, user_data, slot);
  }
  Result<Sqe&> pipe(u64 user_data, i32* fds, u32 flags) noexcept {
    return queue(prep_pipe, user_data, fds, flags);
  }
  Result<Sqe&> pipe_direct(u64 user_data, i32* fds, u32 flags, Slot slot) noexcept {
    return queue(prep_pipe_direct, user_data, fds, flags, slot);
  }
  Result<Sqe&> fixed_fd_install(u64 user_data, Slot slot, u32 flags) noexcept {
    return queue(prep_fixed_fd_install, user_data, slot, flags);
  }
  Result<Sqe&> renameat(u64 user_data, i32 old_dirfd, const char* old_path, i32 new_dirfd,
                        const char* new_path, u32 flags) noexcept {
    return queue(prep_renameat, user_data, old_dirfd, old_path, new_dirfd, new_path, flags);
  }
  Result<Sqe&> unlinkat(u64 user_data, i32 dirfd, const char* path, u32 flags) noexcept {
    return queue(prep_unlinkat, user_data, dirfd, path, flags);
  }
  Result<Sqe&> mkdirat(u64 user_data, i32 dirfd, const char* path, u32 mode) noexcept {
    return queue(prep_mkdirat, user_data, dirfd, path, mode);
  }
  Result<Sqe&> symlinkat(u64 user_data, const char* target, i32 dirfd, const char* path) noexcept {
    return queue(prep_symlinkat, user_data, target, dirfd, path);
  }
  Result<Sqe&> linkat(u64 user_data, i32 old_dirfd, const char* old_path, i32 new_dirfd, const char* new_path,
                      u32 flags) noexcept {
    return queue(prep_linkat, user_data, old_dirfd, old_path, new_dirfd, new_path, flags);
  }

  // --- prep_socket.h ---------------------------------------------------------------------------------------

  Result<Sqe&> socket(u64 user_data, u32 domain, u32 type, u32 protocol, u32 flags) noexcept {
    return queue(prep_socket, user_data, domain, type, protocol, flags);
  }
  Result<Sqe&> socket_direct(u64 user_data, u32 domain, u32 type, u32 protocol, u32 flags,
                             Slot slot) noexcept {
    return queue(prep_socket_direct, user_data, domain, type, protocol, flags, slot);
  }
  Result<Sqe&> socket_direct_alloc(u64 user_data, u32 domain, u32 type, u32 protocol, u32 flags) noexcept {
    return queue(prep_socket_direct_alloc, user_data, domain, type, protocol, flags);
  }
  Result<Sqe&> bind(u64 user_data, i32 fd, const ::sockaddr* address, u32 address_size, u32 flags) noexcept {
    return queue(prep_bind, user_data, fd, address, address_size, flags);
  }
  Result<Sqe&> listen(u64 user_data, i32 fd, u32 backlog, u32 flags) noexcept {
    return queue(prep_listen, user_data, fd, backlog, flags);
  }
  Result<Sqe&> accept(u64 user_data, i32 fd, ::sockaddr* address, u32* address_size, u32 flags) noexcept {
    return queue(prep_accept, user_data, fd, address, address_size, flags);
  }
  Result<Sqe&> accept_multishot(u64 user_data, i32 fd, ::sockaddr* address, u32* address_size,
                                u32 flags) noexcept {
    return queue(prep_accept_multishot, user_data, fd, address, address_size, flags);
  }
  Result<Sqe&> accept_direct(u64 user_data, i32 fd, ::sockaddr* address, u32* address_size, u32 flags,
                             Slot slot) noexcept {
    return queue(prep_accept_direct, user_data, fd, address, address_size, flags, slot);
  }
  Result<Sqe&> accept_multishot_direct(u64 user_data, i32 fd, ::sockaddr* address, u32* address_size,
                                       u32 flags) noexcept {
    return queue(prep_accept_multishot_direct, user_data, fd, address, address_size, flags);
  }
  Result<Sqe&> connect(u64 user_data, i32 fd, const ::sockaddr* address, u32 address_size) noexcept {
    return queue(prep_connect, user_data, fd, address, address_size);
  }
  Result<Sqe&> shutdown(u64 user_data, i32 fd, u32 how) noexcept {
    return queue(prep_shutdown, user_data, fd, how);
  }
  Result<Sqe&> send(u64 user_data, i32 fd, std::span<const std::byte> data, u32 flags) noexcept {
    return queue(prep_send, user_data, fd, data, flags);
  }
  Result<Sqe&> sendto(u64 user_data, i32 fd, std::span<const std::byte> data, u32 flags,
                      const ::sockaddr* address, u32 address_size) noexcept {
    return queue(prep_sendto, user_data, fd, data, flags, address, address_size);
  }
  Result<Sqe&> send_bundle(u64 user_data, i32 fd, u16 group, u64 bytes, u32 flags) noexcept {
    return queue(prep_send_bundle, user_data, fd, group, bytes, flags);
  }
  Result<Sqe&> send_zc(u64 user_data, i32 fd, std::span<const std::byte> data, u32 flags,
                       u16 zc_flags) noexcept {
    return queue(prep_send_zc, user_data, fd, data, flags, zc_flags);
  }
  Result<Sqe&> send_zc_fixed(u64 user_data, i32 fd, std::span<const std::byte> data, u32 flags, u16 zc_flags,
                             u16 buf_index) noexcept {
    return queue(prep_send_zc_fixed, user_data, fd, data, flags, zc_flags, buf_index);
  }
  Result<Sqe&> sendmsg(u64 user_data, i32 fd, const ::msghdr* message, u32 flags) noexcept {
    return queue(prep_sendmsg, user_data, fd, message, flags);
  }
  Result<Sqe&> sendmsg_zc(u64 user_data, i32 fd, const ::msghdr* message, u32 flags) noexcept {
    return queue(prep_sendmsg_zc, user_data, fd, message, flags);
  }
  Result<Sqe&> sendmsg_zc_fixed(u64 user_data, i32 fd, const ::msghdr* message, u32 flags,
                                u16 buf_index) noexcept {
    return queue(prep_sendmsg_zc_fixed, user_data, fd, message, flags, buf_index);
  }
  Result<Sqe&> recv(u64 user_data, i32 fd, std::span<std::byte> buffer, u32 flags) noexcept {
    return queue(prep_recv, user_data, fd, buffer, flags);
  }
  Result<Sqe&> recv_select(u64 user_data, i32 fd, u16 group, u64 bytes, u32 flags) noexcept {
    return queue(prep_recv_select, user_data, fd, group, bytes, flags);
  }
  Result<Sqe&> recv_multishot(u64 user_data, i32 fd, u16 group, u32 flags) noexcept {
    return queue(prep_recv_multishot, user_data, fd, group, flags);
  }
  Result<Sqe&> recv_bundle(u64 user_data, i32 fd, u16 group, u64 bytes, u32 flags) noexcept {
    return queue(prep_recv_bundle, user_data, fd, group, bytes, flags);
  }
  Result<Sqe&> recvmsg(u64 user_data, i32 fd, ::msghdr* message, u32 flags) noexcept {
    return queue(prep_recvmsg, user_data, fd, message, flags);
  }
  Result<Sqe&> recvmsg_multishot(u64 user_data, i32 fd, ::msghdr* message, u16 group, u32 flags) noexcept {
    return queue(prep_recvmsg_multishot, user_data, fd, message, group, flags);
  }
  Result<Sqe&> cmd_sock(u64 user_data, u32 command, i32 fd, u32 level, u32 option, u64 value,
                        u32 value_size) noexcept {
    return queue(prep_cmd_sock, user_data, command, fd, level, option, value, value_size);
  }
  Result<Sqe&> setsockopt(u64 user_data, i32 fd, u32 level, u32 option,
                          std::span<const std::byte> value) noexcept {
    return queue(prep_setsockopt, user_data, fd, level, option, value);
  }
  Result<Sqe&> getsockopt(u64 user_data, i32 fd, u32 level, u32 option, std::span<std::byte> value) noexcept {
    return queue(prep_getsockopt, user_data, fd, level, option, value);
  }

  // --- prep_command.h --------------------------------------------------------------------------------------

  Result<Sqe&> uring_cmd(u64 user_data, i32 fd, u32 command) noexcept {
    return queue(prep_uring_cmd, user_data, fd, command);
  }
  // With a payload, see set_command: a plain struct of at most 16 bytes, or 80 in a ring of 128-byte SQEs.
  template <class Payload>
  Result<Sqe&> uring_cmd(u64 user_data, i32 fd, u32 command, const Payload& payload) noexcept {
    using Entry = std::remove_pointer_t<decltype(static_cast<Ring*>(this)->get_sqe())>;
    const Result<Sqe&> queued = uring_cmd(user_data, fd, command);
    if (queued.ok()) set_command(static_cast<Entry&>(queued.value()), payload);
    return queued;
  }
  // For rings with get_sqe128; as templates, because other rings do not have it.
  template <class = void>
  Result<Sqe128&> nop128(u64 user_data) noexcept {
    return queue128(prep_nop128, user_data);
  }
  template <class = void>
  Result<Sqe128&> uring_cmd128(u64 user_data, i32 fd, u32 command) noexcept {
    return queue128(prep_uring_cmd128, user_data, fd, command);
  }
  template <class Payload>
  Result<Sqe128&> uring_cmd128(u64 user_data, i32 fd, u32 command, const Payload& payload) noexcept {
    const Result<Sqe128&> queued = queue128(prep_uring_cmd128, user_data, fd, command);
    if (queued.ok()) set_command(queued.value(), payload);
    return queued;
  }

 private:
  template <class Prepare, class... Arguments>
  Result<Sqe128&> queue128(Prepare prepare, u64 user_data, Arguments... arguments) noexcept {
    Sqe128* const sqe = static_cast<Ring*>(this)->get_sqe128();
    if (sqe == nullptr) [[unlikely]]
      return Error::submission_queue_full;
    return prepare(*sqe, user_data, arguments...);
  }

  template <class Prepare, class... Arguments>
  Result<Sqe&> queue(Prepare prepare, u64 user_data, Arguments... arguments) noexcept {
    auto* const sqe = static_cast<Ring*>(this)->get_sqe();
    if (sqe == nullptr) [[unlikely]]
      return Error::submission_queue_full;
    detail::clear_second_half(*sqe);
    return prepare(*sqe, user_data, arguments...);
  }
};

}  // namespace uring

#endif
