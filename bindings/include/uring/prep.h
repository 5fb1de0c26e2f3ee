// Writing SQEs. Each prepare function writes all 64 bytes, so an entry never inherits anything from the request
// that used its slot before; set Sqe::flags (a link, a fixed file) after it, not before.
//
// Memory named by an SQE (buffers, paths, iovecs, addresses) must stay valid until the request was submitted,
// and data buffers until its CQE has come. Before feat_submit_stable (5.5) everything must stay until the CQE.
//
// Each function says which release brought the operation; a kernel without it completes the request with
// -EINVAL (5.4: -EBADF when the descriptor is not an open one).
#ifndef URING_PREP_H
#define URING_PREP_H

#include <bit>
#include <cstddef>
#include <span>

#include "abi.h"

// The kernel's and the C library's types of the same names; here only their addresses matter.
struct iovec;
struct sockaddr;

namespace uring {

// The address of a thing as an SQE carries it.
inline u64 address_of(const void* pointer) noexcept { return reinterpret_cast<u64>(pointer); }

// Writes the whole entry: the fields given here, and 0 into all others. One store per field and no aggregate
// copy, because Clang without optimisation turns those into calls of memset and memcpy.
inline Sqe& prep_rw(Sqe& sqe, u64 user_data, Op op, i32 fd, u64 addr, u32 len, u64 off) noexcept {
  sqe.opcode = op;
  sqe.flags = 0;
  sqe.ioprio = 0;
  sqe.fd = fd;
  sqe.off = off;
  sqe.addr = addr;
  sqe.len = len;
  sqe.op_flags = 0;
  sqe.user_data = user_data;
  sqe.buf_index = 0;
  sqe.personality = 0;
  sqe.file_index = 0;
  sqe.addr3 = 0;
  sqe.reserved = 0;
  return sqe;
}

// Does nothing, and completes with 0. 5.1.
inline Sqe& prep_nop(Sqe& sqe, u64 user_data) noexcept { return prep_rw(sqe, user_data, Op::nop, 0, 0, 0, 0); }

// fsync(2), or fdatasync(2) with fsync_datasync. 5.1.
inline Sqe& prep_fsync(Sqe& sqe, u64 user_data, i32 fd, u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::fsync, fd, 0, 0, 0);
  sqe.op_flags = flags;
  return sqe;
}

// preadv(2): `count` iovecs. offset ~0 means the file position (5.6, feat_rw_cur_pos). 5.1.
inline Sqe& prep_readv(Sqe& sqe, u64 user_data, i32 fd, const ::iovec* iovecs, u32 count, u64 offset) noexcept {
  return prep_rw(sqe, user_data, Op::readv, fd, address_of(iovecs), count, offset);
}

// pwritev(2). 5.1.
inline Sqe& prep_writev(Sqe& sqe, u64 user_data, i32 fd, const ::iovec* iovecs, u32 count, u64 offset) noexcept {
  return prep_rw(sqe, user_data, Op::writev, fd, address_of(iovecs), count, offset);
}

// pread(2), at most 4 GiB at once. 5.6.
inline Sqe& prep_read(Sqe& sqe, u64 user_data, i32 fd, std::span<std::byte> buffer, u64 offset) noexcept {
  return prep_rw(sqe, user_data, Op::read, fd, address_of(buffer.data()), static_cast<u32>(buffer.size()), offset);
}

// pwrite(2), at most 4 GiB at once. 5.6.
inline Sqe& prep_write(Sqe& sqe, u64 user_data, i32 fd, std::span<const std::byte> data, u64 offset) noexcept {
  return prep_rw(sqe, user_data, Op::write, fd, address_of(data.data()), static_cast<u32>(data.size()), offset);
}

// openat(2). Completes with the new descriptor. 5.6.
inline Sqe& prep_openat(Sqe& sqe, u64 user_data, i32 dirfd, const char* path, u32 flags, u32 mode) noexcept {
  prep_rw(sqe, user_data, Op::openat, dirfd, address_of(path), mode, 0);
  sqe.op_flags = flags;
  return sqe;
}

// close(2). 5.6.
inline Sqe& prep_close(Sqe& sqe, u64 user_data, i32 fd) noexcept {
  return prep_rw(sqe, user_data, Op::close, fd, 0, 0, 0);
}

// mkdirat(2). 5.15.
inline Sqe& prep_mkdirat(Sqe& sqe, u64 user_data, i32 dirfd, const char* path, u32 mode) noexcept {
  return prep_rw(sqe, user_data, Op::mkdirat, dirfd, address_of(path), mode, 0);
}

// accept4(2); address and address_size may be null. Completes with the new descriptor. 5.5.
inline Sqe& prep_accept(Sqe& sqe, u64 user_data, i32 fd, ::sockaddr* address, u32* address_size, u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::accept, fd, address_of(address), 0, address_of(address_size));
  sqe.op_flags = flags;
  return sqe;
}

// connect(2). The size of the address is passed by value, in off. 5.5.
inline Sqe& prep_connect(Sqe& sqe, u64 user_data, i32 fd, const ::sockaddr* address, u32 address_size) noexcept {
  return prep_rw(sqe, user_data, Op::connect, fd, address_of(address), 0, address_size);
}

// send(2). 5.6.
inline Sqe& prep_send(Sqe& sqe, u64 user_data, i32 fd, std::span<const std::byte> data, u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::send, fd, address_of(data.data()), static_cast<u32>(data.size()), 0);
  sqe.op_flags = flags;
  return sqe;
}

// recv(2). From 5.19 on Cqe::flags says cqe_f_sock_nonempty when more is waiting. 5.6.
inline Sqe& prep_recv(Sqe& sqe, u64 user_data, i32 fd, std::span<std::byte> buffer, u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::recv, fd, address_of(buffer.data()), static_cast<u32>(buffer.size()), 0);
  sqe.op_flags = flags;
  return sqe;
}

// shutdown(2). 5.11, and stable 5.10.162.
inline Sqe& prep_shutdown(Sqe& sqe, u64 user_data, i32 fd, u32 how) noexcept {
  return prep_rw(sqe, user_data, Op::shutdown, fd, 0, how, 0);
}

// socket(2). flags must be 0 so far. Completes with the new descriptor. 5.19.
inline Sqe& prep_socket(Sqe& sqe, u64 user_data, u32 domain, u32 type, u32 protocol, u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::socket, static_cast<i32>(domain), 0, protocol, type);
  sqe.op_flags = flags;
  return sqe;
}

// bind(2). flags must be 0 so far. 6.11.
inline Sqe& prep_bind(Sqe& sqe, u64 user_data, i32 fd, const ::sockaddr* address, u32 address_size,
                      u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::bind, fd, address_of(address), 0, address_size);
  sqe.op_flags = flags;
  return sqe;
}

// listen(2). flags must be 0 so far. 6.11.
inline Sqe& prep_listen(Sqe& sqe, u64 user_data, i32 fd, u32 backlog, u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::listen, fd, 0, backlog, 0);
  sqe.op_flags = flags;
  return sqe;
}

// A command to a socket, socket_op_*. The value must stay valid until the CQE has come. 6.7 for the two socket
// option commands.
inline Sqe& prep_cmd_sock(Sqe& sqe, u64 user_data, u32 command, i32 fd, u32 level, u32 option, u64 value,
                          u32 value_size) noexcept {
  // Two 32-bit fields, level first in memory, in our one 64-bit addr.
  const bool little = std::endian::native == std::endian::little;
  const u64 addr = little ? u64{option} << 32 | level : u64{level} << 32 | option;
  // cmd_op is the first 32 bits of off.
  const u64 off = little ? u64{command} : u64{command} << 32;
  prep_rw(sqe, user_data, Op::uring_cmd, fd, addr, 0, off);
  sqe.file_index = value_size;
  sqe.addr3 = value;
  return sqe;
}

// setsockopt(2). Completes with 0. 6.7.
inline Sqe& prep_setsockopt(Sqe& sqe, u64 user_data, i32 fd, u32 level, u32 option,
                            std::span<const std::byte> value) noexcept {
  return prep_cmd_sock(sqe, user_data, socket_op_setsockopt, fd, level, option, address_of(value.data()),
                       static_cast<u32>(value.size()));
}

// getsockopt(2), for options of SOL_SOCKET. Completes with the size of the option. 6.7.
inline Sqe& prep_getsockopt(Sqe& sqe, u64 user_data, i32 fd, u32 level, u32 option,
                            std::span<std::byte> value) noexcept {
  return prep_cmd_sock(sqe, user_data, socket_op_getsockopt, fd, level, option, address_of(value.data()),
                       static_cast<u32>(value.size()));
}

// waitid(2). id_type is P_PID and so on; options must name what to wait for (WEXITED ...). info is a siginfo_t
// or null. The child is reaped as waitid(2) does. flags must be 0 so far. 6.7.
inline Sqe& prep_waitid(Sqe& sqe, u64 user_data, u32 id_type, i32 id, void* info, u32 options, u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::waitid, id, 0, id_type, address_of(info));
  sqe.op_flags = flags;
  sqe.file_index = options;
  return sqe;
}

}  // namespace uring

#endif
