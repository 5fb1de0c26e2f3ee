// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Requests on files. See prep.h for what holds for all of them.
#ifndef URING_PREP_FILE_H
#define URING_PREP_FILE_H

#include <sys/uio.h>  // iovec

#include <cstddef>
#include <span>

#include "prep_rw.h"

/// The kernel's and the C library's types of the same names; here only their addresses matter.
struct open_how;
struct statx;

namespace uring {

// --- reading and writing -----------------------------------------------------------------------------------
// Complete with the number of bytes: at most 2 GiB less a page at once (max_transfer), however many were
// asked for, as the system calls do. More than 1024 iovecs are -EINVAL. Sqe::op_flags takes RWF_*.

/// An offset: the file's own position, which moves (5.6, feat_rw_cur_pos); also that of a pipe in
/// prep_splice.
inline constexpr u64 current_position = ~u64{0};

/// preadv(2): into these buffers, one after the other. Since Linux 5.1.
inline Sqe& prep_readv(Sqe& sqe, u64 user_data, i32 fd, std::span<const ::iovec> buffers,
                       u64 offset) noexcept {
  return prep_rw(sqe, user_data, Op::readv, fd, address_of(buffers.data()), saturated(buffers.size()),
                 offset);
}

/// pwritev(2). Since Linux 5.1.
inline Sqe& prep_writev(Sqe& sqe, u64 user_data, i32 fd, std::span<const ::iovec> buffers,
                        u64 offset) noexcept {
  return prep_rw(sqe, user_data, Op::writev, fd, address_of(buffers.data()), saturated(buffers.size()),
                 offset);
}

/// pread(2). Since Linux 5.6.
inline Sqe& prep_read(Sqe& sqe, u64 user_data, i32 fd, std::span<std::byte> buffer, u64 offset) noexcept {
  return prep_rw(sqe, user_data, Op::read, fd, address_of(buffer.data()), transfer_length(buffer.size()),
                 offset);
}

/// pwrite(2). Since Linux 5.6.
inline Sqe& prep_write(Sqe& sqe, u64 user_data, i32 fd, std::span<const std::byte> data,
                       u64 offset) noexcept {
  return prep_rw(sqe, user_data, Op::write, fd, address_of(data.data()), transfer_length(data.size()),
                 offset);
}

/// pread(2) into a buffer of `group`, at most `bytes` of it; Cqe::buffer_id() says which. -ENOBUFS: the group
/// is empty. Since Linux 5.7.
inline Sqe& prep_read_select(Sqe& sqe, u64 user_data, i32 fd, u16 group, u64 bytes, u64 offset) noexcept {
  prep_rw(sqe, user_data, Op::read, fd, 0, transfer_length(bytes), offset);
  select_buffer(sqe, group);
  return sqe;
}

/// Reads repeatedly, each time as much as there is, into another buffer of `group` and with a CQE; the last
/// CQE comes without cqe_f_more. Only for files that can be polled (pipes, sockets, terminals): -EBADFD
/// otherwise. Since Linux 6.7.
inline Sqe& prep_read_multishot(Sqe& sqe, u64 user_data, i32 fd, u16 group, u64 offset) noexcept {
  prep_rw(sqe, user_data, Op::read_multishot, fd, 0, 0, offset);
  select_buffer(sqe, group);
  return sqe;
}

/// pread(2) into the registered buffer `buf_index`, of which `buffer` must be a part (-EFAULT if it is not).
/// Since Linux 5.1.
inline Sqe& prep_read_fixed(Sqe& sqe, u64 user_data, i32 fd, std::span<std::byte> buffer, u64 offset,
                            u16 buf_index) noexcept {
  prep_rw(sqe, user_data, Op::read_fixed, fd, address_of(buffer.data()), transfer_length(buffer.size()),
          offset);
  sqe.buf_index = buf_index;
  return sqe;
}

/// pwrite(2) from a registered buffer. Since Linux 5.1.
inline Sqe& prep_write_fixed(Sqe& sqe, u64 user_data, i32 fd, std::span<const std::byte> data, u64 offset,
                             u16 buf_index) noexcept {
  prep_rw(sqe, user_data, Op::write_fixed, fd, address_of(data.data()), transfer_length(data.size()), offset);
  sqe.buf_index = buf_index;
  return sqe;
}

/// preadv(2) into parts of one registered buffer. Since Linux 6.15.
inline Sqe& prep_readv_fixed(Sqe& sqe, u64 user_data, i32 fd, std::span<const ::iovec> buffers, u64 offset,
                             u16 buf_index) noexcept {
  prep_rw(sqe, user_data, Op::readv_fixed, fd, address_of(buffers.data()), saturated(buffers.size()), offset);
  sqe.buf_index = buf_index;
  return sqe;
}

/// pwritev(2) from parts of one registered buffer. Since Linux 6.15.
inline Sqe& prep_writev_fixed(Sqe& sqe, u64 user_data, i32 fd, std::span<const ::iovec> buffers, u64 offset,
                              u16 buf_index) noexcept {
  prep_rw(sqe, user_data, Op::writev_fixed, fd, address_of(buffers.data()), saturated(buffers.size()),
          offset);
  sqe.buf_index = buf_index;
  return sqe;
}

/// splice(2): completes with the bytes moved, at most max_transfer. The offset of a pipe is current_position.
/// With splice_f_fd_in_fixed in flags, fd_in is a slot; sqe_fixed_file is about fd_out. Since Linux 5.7.
inline Sqe& prep_splice(Sqe& sqe, u64 user_data, i32 fd_in, u64 offset_in, i32 fd_out, u64 offset_out,
                        u64 bytes, u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::splice, fd_out, offset_in, transfer_length(bytes), offset_out);
  sqe.op_flags = flags;
  sqe.file_index = static_cast<u32>(fd_in);
  return sqe;
}

/// tee(2) from pipe to pipe: completes with the bytes duplicated. flags as in prep_splice. Since Linux 5.8.
inline Sqe& prep_tee(Sqe& sqe, u64 user_data, i32 fd_in, i32 fd_out, u64 bytes, u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::tee, fd_out, 0, transfer_length(bytes), 0);
  sqe.op_flags = flags;
  sqe.file_index = static_cast<u32>(fd_in);
  return sqe;
}

// --- the state of a file -----------------------------------------------------------------------------------

/// fsync(2), or fdatasync(2) with fsync_datasync. Since Linux 5.1.
inline Sqe& prep_fsync(Sqe& sqe, u64 user_data, i32 fd, u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::fsync, fd, 0, 0, 0);
  sqe.op_flags = flags;
  return sqe;
}

/// sync_file_range(2); flags are SYNC_FILE_RANGE_*. `bytes` 0 means to the end. Traps if `bytes` does not fit
/// into 32 bits; Ring::sync_file_range returns length_too_large. Since Linux 5.2.
inline Sqe& prep_sync_file_range(Sqe& sqe, u64 user_data, i32 fd, u64 offset, u64 bytes, u32 flags) noexcept {
  URING_ASSERT(fits_32_bits(bytes));
  prep_rw(sqe, user_data, Op::sync_file_range, fd, 0, static_cast<u32>(bytes), offset);
  sqe.op_flags = flags;
  return sqe;
}

/// fallocate(2); mode is FALLOC_FL_*. Since Linux 5.6.
inline Sqe& prep_fallocate(Sqe& sqe, u64 user_data, i32 fd, u32 mode, u64 offset, u64 bytes) noexcept {
  return prep_rw(sqe, user_data, Op::fallocate, fd, bytes, mode, offset);
}

/// ftruncate(2). Since Linux 6.9.
inline Sqe& prep_ftruncate(Sqe& sqe, u64 user_data, i32 fd, u64 bytes) noexcept {
  return prep_rw(sqe, user_data, Op::ftruncate, fd, 0, 0, bytes);
}

/// posix_fadvise(2); advice is POSIX_FADV_*, `bytes` 0 means to the end. Since Linux 5.6; 4 GiB and more
/// since 6.10 (-EINVAL before).
inline Sqe& prep_fadvise(Sqe& sqe, u64 user_data, i32 fd, u64 offset, u64 bytes, u32 advice) noexcept {
  // Originally the length was the 32 bits of len; the kernel still reads it there when the 64-bit field is 0.
  const bool fits = fits_32_bits(bytes);
  prep_rw(sqe, user_data, Op::fadvise, fd, fits ? 0 : bytes, fits ? static_cast<u32>(bytes) : 0, offset);
  sqe.op_flags = advice;
  return sqe;
}

/// madvise(2); advice is MADV_*. Since Linux 5.6; 4 GiB and more since 6.10 (-EINVAL before).
inline Sqe& prep_madvise(Sqe& sqe, u64 user_data, void* address, u64 bytes, u32 advice) noexcept {
  const bool fits = fits_32_bits(bytes);  // as in prep_fadvise, with off for the long form
  prep_rw(sqe, user_data, Op::madvise, -1, address_of(address), fits ? static_cast<u32>(bytes) : 0,
          fits ? 0 : bytes);
  sqe.op_flags = advice;
  return sqe;
}

/// statx(2): flags are AT_*, mask is STATX_*. Since Linux 5.6.
inline Sqe& prep_statx(Sqe& sqe, u64 user_data, i32 dirfd, const char* path, u32 flags, u32 mask,
                       struct ::statx* result) noexcept {
  prep_rw(sqe, user_data, Op::statx, dirfd, address_of(path), mask, address_of(result));
  sqe.op_flags = flags;
  return sqe;
}

/// setxattr(2); flags are XATTR_*. -E2BIG: over 64 KiB. Since Linux 5.19.
inline Sqe& prep_setxattr(Sqe& sqe, u64 user_data, const char* path, const char* name,
                          std::span<const std::byte> value, u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::setxattr, 0, address_of(name), saturated(value.size()),
          address_of(value.data()));
  sqe.op_flags = flags;
  sqe.addr3 = address_of(path);
  return sqe;
}

/// fsetxattr(2). Since Linux 5.19.
inline Sqe& prep_fsetxattr(Sqe& sqe, u64 user_data, i32 fd, const char* name,
                           std::span<const std::byte> value, u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::fsetxattr, fd, address_of(name), saturated(value.size()),
          address_of(value.data()));
  sqe.op_flags = flags;
  return sqe;
}

/// getxattr(2). Completes with the size of the value; an empty span asks for the size only. Since Linux 5.19.
inline Sqe& prep_getxattr(Sqe& sqe, u64 user_data, const char* path, const char* name,
                          std::span<std::byte> value) noexcept {
  prep_rw(sqe, user_data, Op::getxattr, 0, address_of(name), saturated(value.size()),
          address_of(value.data()));
  sqe.addr3 = address_of(path);
  return sqe;
}

/// fgetxattr(2). Completes with the size of the value. Since Linux 5.19.
inline Sqe& prep_fgetxattr(Sqe& sqe, u64 user_data, i32 fd, const char* name,
                           std::span<std::byte> value) noexcept {
  return prep_rw(sqe, user_data, Op::fgetxattr, fd, address_of(name), saturated(value.size()),
                 address_of(value.data()));
}

// --- opening and closing -----------------------------------------------------------------------------------
// A direct open puts the file into the table of registered files and gives it no descriptor: it completes
// with 0, or with the slot if the kernel chose it (file_index_alloc, 5.19). Kernels before 5.15 do not have
// direct opens and may return an ordinary descriptor.

/// openat(2). Completes with the new descriptor. Since Linux 5.6.
inline Sqe& prep_openat(Sqe& sqe, u64 user_data, i32 dirfd, const char* path, u32 flags, u32 mode) noexcept {
  prep_rw(sqe, user_data, Op::openat, dirfd, address_of(path), mode, 0);
  sqe.op_flags = flags;
  return sqe;
}

/// openat(2) into a slot. -EINVAL with O_CLOEXEC in flags, which has no meaning there; -ENXIO without a
/// table; -ENFILE when no slot is free. Since Linux 5.15.
inline Sqe& prep_openat_direct(Sqe& sqe, u64 user_data, i32 dirfd, const char* path, u32 flags, u32 mode,
                               Slot slot) noexcept {
  prep_openat(sqe, user_data, dirfd, path, flags, mode);
  set_target(sqe, slot);
  return sqe;
}

/// openat2(2); how_size is sizeof(open_how) as the caller knows it; -E2BIG: over a page. Completes with the
/// new descriptor. Since Linux 5.6.
inline Sqe& prep_openat2(Sqe& sqe, u64 user_data, i32 dirfd, const char* path, const ::open_how* how,
                         u64 how_size) noexcept {
  return prep_rw(sqe, user_data, Op::openat2, dirfd, address_of(path), saturated(how_size), address_of(how));
}

/// openat2(2) into a slot, as prep_openat_direct. Since Linux 5.15.
inline Sqe& prep_openat2_direct(Sqe& sqe, u64 user_data, i32 dirfd, const char* path, const ::open_how* how,
                                u64 how_size, Slot slot) noexcept {
  prep_openat2(sqe, user_data, dirfd, path, how, how_size);
  set_target(sqe, slot);
  return sqe;
}

/// close(2). Since Linux 5.6.
inline Sqe& prep_close(Sqe& sqe, u64 user_data, i32 fd) noexcept {
  return prep_rw(sqe, user_data, Op::close, fd, 0, 0, 0);
}

/// Empties a slot. -EBADF: it is empty. Kernels before 5.15 close descriptor 0 instead. Since Linux 5.15.
inline Sqe& prep_close_direct(Sqe& sqe, u64 user_data, Slot slot) noexcept {
  prep_rw(sqe, user_data, Op::close, 0, 0, 0, 0);
  set_target(sqe, slot);
  return sqe;
}

/// pipe2(2): fds[0] becomes the end to read from, fds[1] the one to write to. Since Linux 6.16.
inline Sqe& prep_pipe(Sqe& sqe, u64 user_data, std::span<i32, 2> fds, u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::pipe, 0, address_of(fds.data()), 0, 0);
  sqe.op_flags = flags;
  return sqe;
}

/// pipe2(2) into `slot` and the next one, or with file_index_alloc into two that the kernel chooses; fds
/// receives the slots. Since Linux 6.16.
inline Sqe& prep_pipe_direct(Sqe& sqe, u64 user_data, std::span<i32, 2> fds, u32 flags, Slot slot) noexcept {
  prep_pipe(sqe, user_data, fds, flags);
  set_target(sqe, slot);
  return sqe;
}

/// Gives the file in `slot` an ordinary descriptor too, close-on-exec unless fixed_fd_no_cloexec is in flags.
/// Completes with the descriptor. Since Linux 6.8.
inline Sqe& prep_fixed_fd_install(Sqe& sqe, u64 user_data, Slot slot, u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::fixed_fd_install, static_cast<i32>(slot), 0, 0, 0);
  sqe.flags = sqe_fixed_file;
  sqe.op_flags = flags;
  return sqe;
}

// --- names -------------------------------------------------------------------------------------------------

/// renameat2(2); flags are RENAME_*. Since Linux 5.11 and 5.10.162.
inline Sqe& prep_renameat(Sqe& sqe, u64 user_data, i32 old_dirfd, const char* old_path, i32 new_dirfd,
                          const char* new_path, u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::renameat, old_dirfd, address_of(old_path), static_cast<u32>(new_dirfd),
          address_of(new_path));
  sqe.op_flags = flags;
  return sqe;
}

/// unlinkat(2); flags may be AT_REMOVEDIR. Since Linux 5.11 and 5.10.162.
inline Sqe& prep_unlinkat(Sqe& sqe, u64 user_data, i32 dirfd, const char* path, u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::unlinkat, dirfd, address_of(path), 0, 0);
  sqe.op_flags = flags;
  return sqe;
}

/// mkdirat(2). Since Linux 5.15.
inline Sqe& prep_mkdirat(Sqe& sqe, u64 user_data, i32 dirfd, const char* path, u32 mode) noexcept {
  return prep_rw(sqe, user_data, Op::mkdirat, dirfd, address_of(path), mode, 0);
}

/// symlinkat(2): `path` becomes a link to `target`. Since Linux 5.15.
inline Sqe& prep_symlinkat(Sqe& sqe, u64 user_data, const char* target, i32 dirfd,
                           const char* path) noexcept {
  return prep_rw(sqe, user_data, Op::symlinkat, dirfd, address_of(target), 0, address_of(path));
}

/// linkat(2); flags are AT_*. Since Linux 5.15.
inline Sqe& prep_linkat(Sqe& sqe, u64 user_data, i32 old_dirfd, const char* old_path, i32 new_dirfd,
                        const char* new_path, u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::linkat, old_dirfd, address_of(old_path), static_cast<u32>(new_dirfd),
          address_of(new_path));
  sqe.op_flags = flags;
  return sqe;
}

}  // namespace uring

#endif
