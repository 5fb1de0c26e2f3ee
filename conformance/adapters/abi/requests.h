// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The operations of a ring, each as the arguments with which the adapter's prepare is called. Only foreign.h
// includes this file.
#ifndef CONFORMANCE_ADAPTERS_ABI_REQUESTS_H
#define CONFORMANCE_ADAPTERS_ABI_REQUESTS_H

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "adapters/uring_binding.h"

namespace binding {

using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using i32 = std::int32_t;

class Requests {
 public:
  // Takes an SQE and lets the binding prepare it.
  Result<Sqe&> queue(uring_binding_operation operation, const uring_binding_arguments& arguments);

  Result<Sqe&> nop(u64 user_data) { return queue(URING_BINDING_NOP, {.user_data = user_data}); }

  // --- files -----------------------------------------------------------------------------------------------

  Result<Sqe&> readv(u64 user_data, i32 fd, std::span<const iovec> buffers, u64 offset) {
    return queue(URING_BINDING_READV, {.user_data = user_data,
                                       .fd = fd,
                                       .address = any(buffers.data()),
                                       .offset = offset,
                                       .count = static_cast<u32>(buffers.size())});
  }
  Result<Sqe&> writev(u64 user_data, i32 fd, std::span<const iovec> buffers, u64 offset) {
    return queue(URING_BINDING_WRITEV, {.user_data = user_data,
                                        .fd = fd,
                                        .address = any(buffers.data()),
                                        .offset = offset,
                                        .count = static_cast<u32>(buffers.size())});
  }
  Result<Sqe&> read(u64 user_data, i32 fd, std::span<std::byte> buffer, u64 offset) {
    return queue(URING_BINDING_READ, {.user_data = user_data,
                                      .fd = fd,
                                      .address = any(buffer.data()),
                                      .offset = offset,
                                      .length = buffer.size()});
  }
  Result<Sqe&> write(u64 user_data, i32 fd, std::span<const std::byte> data, u64 offset) {
    return queue(URING_BINDING_WRITE, {.user_data = user_data,
                                       .fd = fd,
                                       .address = any(data.data()),
                                       .offset = offset,
                                       .length = data.size()});
  }
  Result<Sqe&> read_fixed(u64 user_data, i32 fd, std::span<std::byte> buffer, u64 offset, u16 buf_index) {
    return queue(URING_BINDING_READ_FIXED, {.user_data = user_data,
                                            .fd = fd,
                                            .address = any(buffer.data()),
                                            .offset = offset,
                                            .length = buffer.size(),
                                            .buffer = buf_index});
  }
  Result<Sqe&> write_fixed(u64 user_data, i32 fd, std::span<const std::byte> data, u64 offset,
                           u16 buf_index) {
    return queue(URING_BINDING_WRITE_FIXED, {.user_data = user_data,
                                             .fd = fd,
                                             .address = any(data.data()),
                                             .offset = offset,
                                             .length = data.size(),
                                             .buffer = buf_index});
  }
  Result<Sqe&> read_select(u64 user_data, i32 fd, u16 group, u32 bytes, u64 offset) {
    return queue(URING_BINDING_READ_SELECT,
                 {.user_data = user_data, .fd = fd, .offset = offset, .length = bytes, .group = group});
  }
  Result<Sqe&> fsync(u64 user_data, i32 fd, u32 flags) {
    return queue(URING_BINDING_FSYNC, {.user_data = user_data, .fd = fd, .flags = flags});
  }
  Result<Sqe&> fallocate(u64 user_data, i32 fd, u32 mode, u64 offset, u64 bytes) {
    return queue(URING_BINDING_FALLOCATE,
                 {.user_data = user_data, .fd = fd, .offset = offset, .length = bytes, .mode = mode});
  }
  Result<Sqe&> splice(u64 user_data, i32 fd_in, u64 offset_in, i32 fd_out, u64 offset_out, u32 bytes,
                      u32 flags) {
    return queue(URING_BINDING_SPLICE, {.user_data = user_data,
                                        .fd = fd_in,
                                        .other_fd = fd_out,
                                        .offset = offset_in,
                                        .other_offset = offset_out,
                                        .length = bytes,
                                        .flags = flags});
  }
  Result<Sqe&> statx(u64 user_data, i32 dirfd, const char* path, u32 flags, u32 mask,
                     struct ::statx* result) {
    return queue(URING_BINDING_STATX, {.user_data = user_data,
                                       .fd = dirfd,
                                       .address = any(path),
                                       .other_address = result,
                                       .flags = flags,
                                       .mode = mask});
  }
  Result<Sqe&> openat(u64 user_data, i32 dirfd, const char* path, u32 flags, u32 mode) {
    return queue(URING_BINDING_OPENAT,
                 {.user_data = user_data, .fd = dirfd, .address = any(path), .flags = flags, .mode = mode});
  }
  Result<Sqe&> openat_direct(u64 user_data, i32 dirfd, const char* path, u32 flags, u32 mode, Slot slot) {
    return queue(URING_BINDING_OPENAT_DIRECT, {.user_data = user_data,
                                               .fd = dirfd,
                                               .address = any(path),
                                               .flags = flags,
                                               .mode = mode,
                                               .slot = number(slot)});
  }
  Result<Sqe&> close(u64 user_data, i32 fd) {
    return queue(URING_BINDING_CLOSE, {.user_data = user_data, .fd = fd});
  }
  Result<Sqe&> close_direct(u64 user_data, Slot slot) {
    return queue(URING_BINDING_CLOSE_DIRECT, {.user_data = user_data, .slot = number(slot)});
  }
  Result<Sqe&> renameat(u64 user_data, i32 old_dirfd, const char* old_path, i32 new_dirfd,
                        const char* new_path, u32 flags) {
    return queue(URING_BINDING_RENAMEAT, {.user_data = user_data,
                                          .fd = old_dirfd,
                                          .other_fd = new_dirfd,
                                          .address = any(old_path),
                                          .other_address = any(new_path),
                                          .flags = flags});
  }
  Result<Sqe&> unlinkat(u64 user_data, i32 dirfd, const char* path, u32 flags) {
    return queue(URING_BINDING_UNLINKAT,
                 {.user_data = user_data, .fd = dirfd, .address = any(path), .flags = flags});
  }
  Result<Sqe&> mkdirat(u64 user_data, i32 dirfd, const char* path, u32 mode) {
    return queue(URING_BINDING_MKDIRAT,
                 {.user_data = user_data, .fd = dirfd, .address = any(path), .mode = mode});
  }
  Result<Sqe&> symlinkat(u64 user_data, const char* target, i32 dirfd, const char* path) {
    return queue(
        URING_BINDING_SYMLINKAT,
        {.user_data = user_data, .other_fd = dirfd, .address = any(target), .other_address = any(path)});
  }
  Result<Sqe&> linkat(u64 user_data, i32 old_dirfd, const char* old_path, i32 new_dirfd, const char* new_path,
                      u32 flags) {
    return queue(URING_BINDING_LINKAT, {.user_data = user_data,
                                        .fd = old_dirfd,
                                        .other_fd = new_dirfd,
                                        .address = any(old_path),
                                        .other_address = any(new_path),
                                        .flags = flags});
  }

  // --- sockets ---------------------------------------------------------------------------------------------

  Result<Sqe&> socket(u64 user_data, u32 domain, u32 type, u32 protocol, u32 flags) {
    return queue(
        URING_BINDING_SOCKET,
        {.user_data = user_data, .flags = flags, .domain = domain, .type = type, .protocol = protocol});
  }
  Result<Sqe&> socket_direct(u64 user_data, u32 domain, u32 type, u32 protocol, u32 flags, Slot slot) {
    return queue(URING_BINDING_SOCKET_DIRECT, {.user_data = user_data,
                                               .flags = flags,
                                               .slot = number(slot),
                                               .domain = domain,
                                               .type = type,
                                               .protocol = protocol});
  }
  Result<Sqe&> socket_direct_alloc(u64 user_data, u32 domain, u32 type, u32 protocol, u32 flags) {
    return queue(
        URING_BINDING_SOCKET_DIRECT_ALLOC,
        {.user_data = user_data, .flags = flags, .domain = domain, .type = type, .protocol = protocol});
  }
  Result<Sqe&> bind(u64 user_data, i32 fd, const sockaddr* address, u32 address_size, u32 flags) {
    return queue(
        URING_BINDING_BIND,
        {.user_data = user_data, .fd = fd, .address = any(address), .length = address_size, .flags = flags});
  }
  Result<Sqe&> listen(u64 user_data, i32 fd, u32 backlog, u32 flags) {
    return queue(URING_BINDING_LISTEN, {.user_data = user_data, .fd = fd, .count = backlog, .flags = flags});
  }
  Result<Sqe&> accept(u64 user_data, i32 fd, sockaddr* address, u32* address_size, u32 flags) {
    return queue(URING_BINDING_ACCEPT, {.user_data = user_data,
                                        .fd = fd,
                                        .address = address,
                                        .other_address = address_size,
                                        .flags = flags});
  }
  Result<Sqe&> accept_multishot(u64 user_data, i32 fd, sockaddr* address, u32* address_size, u32 flags) {
    return queue(URING_BINDING_ACCEPT_MULTISHOT, {.user_data = user_data,
                                                  .fd = fd,
                                                  .address = address,
                                                  .other_address = address_size,
                                                  .flags = flags});
  }
  Result<Sqe&> accept_direct(u64 user_data, i32 fd, sockaddr* address, u32* address_size, u32 flags,
                             Slot slot) {
    return queue(URING_BINDING_ACCEPT_DIRECT, {.user_data = user_data,
                                               .fd = fd,
                                               .address = address,
                                               .other_address = address_size,
                                               .flags = flags,
                                               .slot = number(slot)});
  }
  Result<Sqe&> accept_multishot_direct(u64 user_data, i32 fd, sockaddr* address, u32* address_size,
                                       u32 flags) {
    return queue(URING_BINDING_ACCEPT_MULTISHOT_DIRECT, {.user_data = user_data,
                                                         .fd = fd,
                                                         .address = address,
                                                         .other_address = address_size,
                                                         .flags = flags});
  }
  Result<Sqe&> connect(u64 user_data, i32 fd, const sockaddr* address, u32 address_size) {
    return queue(URING_BINDING_CONNECT,
                 {.user_data = user_data, .fd = fd, .address = any(address), .length = address_size});
  }
  Result<Sqe&> shutdown(u64 user_data, i32 fd, u32 how) {
    return queue(URING_BINDING_SHUTDOWN, {.user_data = user_data, .fd = fd, .mode = how});
  }
  Result<Sqe&> send(u64 user_data, i32 fd, std::span<const std::byte> data, u32 flags) {
    return queue(URING_BINDING_SEND, {.user_data = user_data,
                                      .fd = fd,
                                      .address = any(data.data()),
                                      .length = data.size(),
                                      .flags = flags});
  }
  Result<Sqe&> send_zc(u64 user_data, i32 fd, std::span<const std::byte> data, u32 flags,
                       uring::RecvSend zc_flags = {}) {
    return queue(URING_BINDING_SEND_ZC, {.user_data = user_data,
                                         .fd = fd,
                                         .address = any(data.data()),
                                         .length = data.size(),
                                         .flags = flags,
                                         .mode = static_cast<u16>(zc_flags)});
  }
  Result<Sqe&> sendmsg(u64 user_data, i32 fd, const msghdr* message, u32 flags) {
    return queue(URING_BINDING_SENDMSG,
                 {.user_data = user_data, .fd = fd, .address = any(message), .flags = flags});
  }
  Result<Sqe&> recv(u64 user_data, i32 fd, std::span<std::byte> buffer, u32 flags) {
    return queue(URING_BINDING_RECV, {.user_data = user_data,
                                      .fd = fd,
                                      .address = any(buffer.data()),
                                      .length = buffer.size(),
                                      .flags = flags});
  }
  Result<Sqe&> recv_select(u64 user_data, i32 fd, u16 group, u32 bytes, u32 flags) {
    return queue(URING_BINDING_RECV_SELECT,
                 {.user_data = user_data, .fd = fd, .length = bytes, .flags = flags, .group = group});
  }
  Result<Sqe&> recv_multishot(u64 user_data, i32 fd, u16 group, u32 flags) {
    return queue(URING_BINDING_RECV_MULTISHOT,
                 {.user_data = user_data, .fd = fd, .flags = flags, .group = group});
  }
  Result<Sqe&> recvmsg(u64 user_data, i32 fd, msghdr* message, u32 flags) {
    return queue(URING_BINDING_RECVMSG,
                 {.user_data = user_data, .fd = fd, .address = message, .flags = flags});
  }
  Result<Sqe&> setsockopt(u64 user_data, i32 fd, u32 level, u32 option, std::span<const std::byte> value) {
    return queue(URING_BINDING_SETSOCKOPT, {.user_data = user_data,
                                            .fd = fd,
                                            .address = any(value.data()),
                                            .length = value.size(),
                                            .level = level,
                                            .option = option});
  }
  Result<Sqe&> getsockopt(u64 user_data, i32 fd, u32 level, u32 option, std::span<std::byte> value) {
    return queue(URING_BINDING_GETSOCKOPT, {.user_data = user_data,
                                            .fd = fd,
                                            .address = any(value.data()),
                                            .length = value.size(),
                                            .level = level,
                                            .option = option});
  }

  // --- requests about other requests, and waiting ----------------------------------------------------------

  Result<Sqe&> timeout(u64 user_data, const Timespec* time, u32 count, u32 flags) {
    return queue(URING_BINDING_TIMEOUT,
                 {.user_data = user_data, .address = any(time), .count = count, .flags = flags});
  }
  Result<Sqe&> timeout_remove(u64 user_data, u64 target, u32 flags) {
    return queue(URING_BINDING_TIMEOUT_REMOVE, {.user_data = user_data, .target = target, .flags = flags});
  }
  Result<Sqe&> link_timeout(u64 user_data, const Timespec* time, u32 flags) {
    return queue(URING_BINDING_LINK_TIMEOUT, {.user_data = user_data, .address = any(time), .flags = flags});
  }
  Result<Sqe&> cancel(u64 user_data, u64 target, u32 flags) {
    return queue(URING_BINDING_CANCEL, {.user_data = user_data, .target = target, .flags = flags});
  }
  Result<Sqe&> provide_buffers(u64 user_data, void* buffers, u32 buffer_size, u32 count, u16 group,
                               u16 first_id) {
    return queue(URING_BINDING_PROVIDE_BUFFERS, {.user_data = user_data,
                                                 .address = buffers,
                                                 .length = buffer_size,
                                                 .count = count,
                                                 .buffer = first_id,
                                                 .group = group});
  }
  Result<Sqe&> remove_buffers(u64 user_data, u32 count, u16 group) {
    return queue(URING_BINDING_REMOVE_BUFFERS, {.user_data = user_data, .count = count, .group = group});
  }
  Result<Sqe&> waitid(u64 user_data, u32 id_type, i32 id, void* info, u32 options, u32 flags) {
    return queue(URING_BINDING_WAITID, {.user_data = user_data,
                                        .fd = id,
                                        .address = info,
                                        .flags = flags,
                                        .mode = options,
                                        .type = id_type});
  }

 protected:
  // The adapter ABI has one kind of address; the operation says which way the bytes go.
  template <class T>
  static void* any(const T* pointer) {
    return const_cast<T*>(pointer);
  }
  static u32 number(Slot slot) { return static_cast<u32>(slot); }

  uring_binding_ring* ring_ = nullptr;
};

}  // namespace binding

#endif
