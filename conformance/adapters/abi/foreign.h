// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The suite's side of the adapter ABI: the types and functions that binding.h offers, implemented with the
// table of an adapter (uring_binding.h). Only binding.h includes this file. Nothing here encodes, queues or
// counts: that is the job of the binding under test.
#ifndef CONFORMANCE_ADAPTERS_ABI_FOREIGN_H
#define CONFORMANCE_ADAPTERS_ABI_FOREIGN_H

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>

#include "adapters/uring_binding.h"

namespace binding {

using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using i32 = std::int32_t;

// The adapter's table. If there is none, an empty one, which validate and start refuse.
const uring_binding_v1& adapters_table();
inline const uring_binding_v1& table = adapters_table();

inline const char* const name = table.name != nullptr ? table.name : "no-name";
inline const char* const version = table.binding_version != nullptr ? table.binding_version : "";
inline constexpr bool is_foreign = true;
void start();
int validate(std::string_view layer, unsigned timeout_s, int skip_code);

// In the text of a skip that says what the binding cannot express.
inline constexpr std::string_view not_expressible_words = " is not expressible: ";

conformance::wire::Sqe bytes_of(const Sqe& sqe);

// A word that the binding may keep to itself. Then it equals whatever is expected.
class PrivateWord {
 public:
  PrivateWord() = default;
  PrivateWord(u32 value) : value_(value) {}
  std::string text() const { return value_ ? std::to_string(*value_) : "not shown"; }
  friend bool operator==(const PrivateWord& a, const PrivateWord& b) {
    return !a.value_ || !b.value_ || *a.value_ == *b.value_;
  }

 private:
  std::optional<u32> value_;
};

// The sizes of the binding's own types. The suite cannot see the others, only their effect: it refuses a ring
// for which it did not see two mappings at the kernel's offsets.
inline const u32 sqe_size = table.sqe_size, cqe_size = table.cqe_size;
inline const PrivateWord params_size, off_sq_ring, off_cq_ring, off_sqes;

// The positions of both queues: two words as the binding shows them, two as the kernel sees them.
struct Indices {
  PrivateWord sqe_head, sqe_tail;
  u32 sq_tail, cq_head;

  friend bool operator==(const Indices&, const Indices&) = default;
};
void PrintTo(PrivateWord word, std::ostream* out);
void PrintTo(const Indices& indices, std::ostream* out);

// The kernel's operations, according to the binding.
class Probe {
 public:
  bool is_supported(Op op) const { return supported_[static_cast<std::uint8_t>(op)] != 0; }

 private:
  friend class Ring;
  std::array<std::uint8_t, 256> supported_{};
};

class Ring {
 public:
  Ring() = default;
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring() { close(); }

  Result<void> init(u32 entries, u32 flags = 0);
  void close();
  int fd() const { return ring_ != nullptr ? facts_.fd : -1; }
  const uring_binding_ring* adapters_ring() const { return ring_; }
  // The kernel's answer: a binding's word about the kernel is not evidence.
  u32 features() const;
  u32 sq_entries() const { return facts_.sq_entries; }
  u32 cq_entries() const { return facts_.cq_entries; }
  Indices indices() const;

  Result<u32> submit();
  Result<u32> submit_and_wait(u32 wait_nr);
  Result<u32> enter(u32 to_submit, u32 min_complete, u32 flags);
  Result<void> register_ring_fd();  // not expressible
  u32 sq_ready() const;
  u32 cq_ready() const;
  Result<u32> copy_cqes(std::span<Cqe> destination, u32 wait_nr);
  Result<void> copy_cqe(Cqe& cqe);  // waits, however often it takes

  Result<u32> register_files(std::span<const i32> fds);
  Result<u32> register_files_update(u32 first, std::span<const i32> fds);
  Result<u32> unregister_files();
  Result<u32> register_buffers(const iovec* iovecs, u32 count);
  Result<u32> unregister_buffers();
  Result<u32> get_probe(Probe& probe);

  // Takes an SQE and lets the binding prepare it.
  Result<Sqe&> queue(uring_binding_operation operation, const uring_binding_arguments& arguments);

  Result<Sqe&> nop(u64 user_data) { return queue(URING_BINDING_NOP, {.user_data = user_data}); }

  // --- files -----------------------------------------------------------------------------------------------

  Result<Sqe&> readv(u64 user_data, i32 fd, const iovec* iovecs, u32 count, u64 offset) {
    return queue(
        URING_BINDING_READV,
        {.user_data = user_data, .fd = fd, .address = any(iovecs), .offset = offset, .count = count});
  }
  Result<Sqe&> writev(u64 user_data, i32 fd, const iovec* iovecs, u32 count, u64 offset) {
    return queue(
        URING_BINDING_WRITEV,
        {.user_data = user_data, .fd = fd, .address = any(iovecs), .offset = offset, .count = count});
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
  Result<Sqe&> send_zc(u64 user_data, i32 fd, std::span<const std::byte> data, u32 flags, u16 zc_flags) {
    return queue(URING_BINDING_SEND_ZC, {.user_data = user_data,
                                         .fd = fd,
                                         .address = any(data.data()),
                                         .length = data.size(),
                                         .flags = flags,
                                         .mode = zc_flags});
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

 private:
  friend class BufferGroup;

  // The adapter ABI has one kind of address; the operation says which way the bytes go.
  template <class T>
  static void* any(const T* pointer) {
    return const_cast<T*>(pointer);
  }
  static u32 number(Slot slot) { return static_cast<u32>(slot); }
  Result<u32> do_register(const char* what, uring_binding_registration registration, const void* argument,
                          std::size_t count, u32 first = 0);

  uring_binding_ring* ring_ = nullptr;
  uring_binding_facts facts_{};
};

class BufferGroup {
 public:
  BufferGroup() = default;
  BufferGroup(const BufferGroup&) = delete;
  BufferGroup& operator=(const BufferGroup&) = delete;
  ~BufferGroup() { close(); }

  // On a kernel without incremental consumption, asks again for whole buffers, as our own binding does.
  Result<void> init(Ring& ring, u16 group, std::span<std::byte> memory, u32 buffer_size,
                    Consumption wanted = Consumption::incremental);
  void close();
  Consumption consumption() const { return consumption_; }
  Result<Sqe&> recv(u64 user_data, i32 fd, u32 flags) {
    return ring_->recv_select(user_data, fd, id_, 0, flags);
  }
  Result<Sqe&> recv_multishot(u64 user_data, i32 fd, u32 flags) {
    return ring_->recv_multishot(user_data, fd, id_, flags);
  }
  Result<std::span<std::byte>> get(const Cqe& cqe) const;
  Result<void> put(const Cqe& cqe);

 private:
  Result<void> create(Ring& ring, std::span<std::byte> memory, u32 buffer_size, Consumption consumption);

  Ring* ring_ = nullptr;
  uring_binding_group* group_ = nullptr;
  std::span<std::byte> memory_;
  u16 id_ = 0;
  Consumption consumption_ = Consumption::whole;
};

}  // namespace binding

#endif
