// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Our own binding again, through the table. The rows already judge it directly; here it judges the table:
// whatever works there and fails here is the fault of the adapter ABI.
#include <uring/uring.h>

#include <cerrno>
#include <new>

#include "uring_binding.h"

struct uring_binding_ring {
  uring::Ring ring;
};
struct uring_binding_group {
  uring::BufferGroup<uring::Ring> buffers;
};

namespace {

using uring::Error, uring::RecvSend, uring::Result, uring::Slot, uring::Sqe, uring::u16, uring::u32,
    uring::u64;
using Arguments = uring_binding_arguments;

int number(Error error) {
  switch (error) {
    case Error::entries_zero: return URING_BINDING_ENTRIES_ZERO;
    case Error::entries_not_power_of_two: return URING_BINDING_ENTRIES_NOT_POWER_OF_TWO;
    case Error::no_buffer_selected: return URING_BINDING_NO_BUFFER_SELECTED;
    default: return uring::is_errno(error) ? -static_cast<int>(error) : URING_BINDING_REFUSED;
  }
}
int result(Result<u32> outcome) {
  return outcome.ok() ? static_cast<int>(outcome.value()) : number(outcome.error());
}
int result(Result<void> outcome) { return outcome.ok() ? 0 : number(outcome.error()); }

// --- the ring
// --------------------------------------------------------------------------------------------------

int create(u32 entries, u32 flags, uring_binding_ring** created, const char**) {
  auto* const ring = new (std::nothrow) uring_binding_ring;
  if (ring == nullptr) return -ENOMEM;
  const Result<void> opened = ring->ring.init(entries, flags);
  if (!opened.ok()) {
    delete ring;
    return result(opened);
  }
  *created = ring;
  return 0;
}

void destroy(uring_binding_ring* ring) { delete ring; }

void describe(const uring_binding_ring* ring, uring_binding_facts* facts) {
  *facts = {ring->ring.fd(), ring->ring.features(), ring->ring.sq_entries(), ring->ring.cq_entries()};
}

void* get_sqe(uring_binding_ring* ring) { return ring->ring.get_sqe(); }
int submit(uring_binding_ring* ring) { return result(ring->ring.submit()); }
int submit_and_wait(uring_binding_ring* ring, u32 wait_nr) {
  return result(ring->ring.submit_and_wait(wait_nr));
}
int enter(uring_binding_ring* ring, u32 to_submit, u32 min_complete, u32 flags) {
  return result(ring->ring.enter(to_submit, min_complete, flags));
}
u32 sq_ready(const uring_binding_ring* ring) { return ring->ring.sq_ready(); }
u32 cq_ready(const uring_binding_ring* ring) { return ring->ring.cq_ready(); }

int copy_cqes(uring_binding_ring* ring, uring_binding_cqe* cqes, u32 room, u32 wait_nr) {
  return result(ring->ring.copy_cqes(std::span(reinterpret_cast<uring::Cqe*>(cqes), room), wait_nr));
}

void indices(const uring_binding_ring* ring, uring_binding_indices* indices) {
  const uring::Indices all = ring->ring.indices();
  *indices = {all.sqe_head, all.sqe_tail};
}

// --- operations
// ------------------------------------------------------------------------------------------------

// The arguments as our prepare functions take them.
struct Words {
  const Arguments& a;
  u64 user_data = a.user_data;
  std::span<std::byte> bytes{static_cast<std::byte*>(a.address), static_cast<std::size_t>(a.length)};
  const ::iovec* iovecs = static_cast<const ::iovec*>(a.address);
  const char* path = static_cast<const char*>(a.address);
  const char* other_path = static_cast<const char*>(a.other_address);
  ::sockaddr* address = static_cast<::sockaddr*>(a.address);
  u32* address_size = static_cast<u32*>(a.other_address);
  ::msghdr* message = static_cast<::msghdr*>(a.address);
  const uring::Timespec* time = static_cast<const uring::Timespec*>(a.address);
  u32 address_length = static_cast<u32>(a.length);
  u16 group = static_cast<u16>(a.group), buffer = static_cast<u16>(a.buffer);
  Slot slot{a.slot};
};

bool prepare_file(Sqe& sqe, u32 operation, const Words& w) {
  using namespace uring;
  const Arguments& a = w.a;
  const u64 u = w.user_data;
  switch (operation) {
    case URING_BINDING_READV: prep_readv(sqe, u, a.fd, {w.iovecs, a.count}, a.offset); break;
    case URING_BINDING_WRITEV: prep_writev(sqe, u, a.fd, {w.iovecs, a.count}, a.offset); break;
    case URING_BINDING_READ: prep_read(sqe, u, a.fd, w.bytes, a.offset); break;
    case URING_BINDING_WRITE: prep_write(sqe, u, a.fd, w.bytes, a.offset); break;
    case URING_BINDING_READ_FIXED: prep_read_fixed(sqe, u, a.fd, w.bytes, a.offset, w.buffer); break;
    case URING_BINDING_WRITE_FIXED: prep_write_fixed(sqe, u, a.fd, w.bytes, a.offset, w.buffer); break;
    case URING_BINDING_READ_SELECT: prep_read_select(sqe, u, a.fd, w.group, a.length, a.offset); break;
    case URING_BINDING_FSYNC: prep_fsync(sqe, u, a.fd, a.flags); break;
    case URING_BINDING_FALLOCATE: prep_fallocate(sqe, u, a.fd, a.mode, a.offset, a.length); break;
    case URING_BINDING_SPLICE:
      prep_splice(sqe, u, a.fd, a.offset, a.other_fd, a.other_offset, a.length, a.flags);
      break;
    case URING_BINDING_STATX:
      prep_statx(sqe, u, a.fd, w.path, a.flags, a.mode, static_cast<struct ::statx*>(a.other_address));
      break;
    case URING_BINDING_OPENAT: prep_openat(sqe, u, a.fd, w.path, a.flags, a.mode); break;
    case URING_BINDING_OPENAT_DIRECT:
      prep_openat_direct(sqe, u, a.fd, w.path, a.flags, a.mode, w.slot);
      break;
    case URING_BINDING_CLOSE: prep_close(sqe, u, a.fd); break;
    case URING_BINDING_CLOSE_DIRECT: prep_close_direct(sqe, u, w.slot); break;
    case URING_BINDING_RENAMEAT:
      prep_renameat(sqe, u, a.fd, w.path, a.other_fd, w.other_path, a.flags);
      break;
    case URING_BINDING_UNLINKAT: prep_unlinkat(sqe, u, a.fd, w.path, a.flags); break;
    case URING_BINDING_MKDIRAT: prep_mkdirat(sqe, u, a.fd, w.path, a.mode); break;
    case URING_BINDING_SYMLINKAT: prep_symlinkat(sqe, u, w.path, a.other_fd, w.other_path); break;
    case URING_BINDING_LINKAT: prep_linkat(sqe, u, a.fd, w.path, a.other_fd, w.other_path, a.flags); break;
    default: return false;
  }
  return true;
}

bool prepare_socket(Sqe& sqe, u32 operation, const Words& w) {
  using namespace uring;
  const Arguments& a = w.a;
  const u64 u = w.user_data;
  switch (operation) {
    case URING_BINDING_SOCKET: prep_socket(sqe, u, a.domain, a.type, a.protocol, a.flags); break;
    case URING_BINDING_SOCKET_DIRECT:
      prep_socket_direct(sqe, u, a.domain, a.type, a.protocol, a.flags, w.slot);
      break;
    case URING_BINDING_SOCKET_DIRECT_ALLOC:
      prep_socket_direct_alloc(sqe, u, a.domain, a.type, a.protocol, a.flags);
      break;
    case URING_BINDING_BIND: prep_bind(sqe, u, a.fd, w.address, w.address_length, a.flags); break;
    case URING_BINDING_LISTEN: prep_listen(sqe, u, a.fd, a.count, a.flags); break;
    case URING_BINDING_ACCEPT: prep_accept(sqe, u, a.fd, w.address, w.address_size, a.flags); break;
    case URING_BINDING_ACCEPT_MULTISHOT:
      prep_accept_multishot(sqe, u, a.fd, w.address, w.address_size, a.flags);
      break;
    case URING_BINDING_ACCEPT_DIRECT:
      prep_accept_direct(sqe, u, a.fd, w.address, w.address_size, a.flags, w.slot);
      break;
    case URING_BINDING_ACCEPT_MULTISHOT_DIRECT:
      prep_accept_multishot_direct(sqe, u, a.fd, w.address, w.address_size, a.flags);
      break;
    case URING_BINDING_CONNECT: prep_connect(sqe, u, a.fd, w.address, w.address_length); break;
    case URING_BINDING_SHUTDOWN: prep_shutdown(sqe, u, a.fd, a.mode); break;
    case URING_BINDING_SEND: prep_send(sqe, u, a.fd, w.bytes, a.flags); break;
    case URING_BINDING_SEND_ZC:
      prep_send_zc(sqe, u, a.fd, w.bytes, a.flags, RecvSend{static_cast<u16>(a.mode)});
      break;
    case URING_BINDING_SENDMSG: prep_sendmsg(sqe, u, a.fd, w.message, a.flags); break;
    case URING_BINDING_RECV: prep_recv(sqe, u, a.fd, w.bytes, a.flags); break;
    case URING_BINDING_RECV_SELECT: prep_recv_select(sqe, u, a.fd, w.group, a.length, a.flags); break;
    case URING_BINDING_RECV_MULTISHOT: prep_recv_multishot(sqe, u, a.fd, w.group, a.flags); break;
    case URING_BINDING_RECVMSG: prep_recvmsg(sqe, u, a.fd, w.message, a.flags); break;
    case URING_BINDING_SETSOCKOPT: prep_setsockopt(sqe, u, a.fd, a.level, a.option, w.bytes); break;
    case URING_BINDING_GETSOCKOPT: prep_getsockopt(sqe, u, a.fd, a.level, a.option, w.bytes); break;
    default: return false;
  }
  return true;
}

bool prepare_control(Sqe& sqe, u32 operation, const Words& w) {
  using namespace uring;
  const Arguments& a = w.a;
  const u64 u = w.user_data;
  switch (operation) {
    case URING_BINDING_NOP: prep_nop(sqe, u); break;
    case URING_BINDING_TIMEOUT: prep_timeout(sqe, u, w.time, a.count, a.flags); break;
    case URING_BINDING_TIMEOUT_REMOVE: prep_timeout_remove(sqe, u, a.target, a.flags); break;
    case URING_BINDING_LINK_TIMEOUT: prep_link_timeout(sqe, u, w.time, a.flags); break;
    case URING_BINDING_CANCEL: prep_cancel(sqe, u, a.target, a.flags); break;
    case URING_BINDING_PROVIDE_BUFFERS:
      prep_provide_buffers(sqe, u, a.address, a.length, a.count, w.group, w.buffer);
      break;
    case URING_BINDING_REMOVE_BUFFERS: prep_remove_buffers(sqe, u, a.count, w.group); break;
    case URING_BINDING_WAITID: prep_waitid(sqe, u, a.type, a.fd, a.address, a.mode, a.flags); break;
    default: return false;
  }
  return true;
}

int prepare(void* where, u32 operation, const Arguments* arguments, const char** reason) {
  Sqe& sqe = *static_cast<Sqe*>(where);
  // Ring::provide_buffers says so; prep_provide_buffers demands that its caller has looked.
  if (operation == URING_BINDING_PROVIDE_BUFFERS && arguments->length > UINT32_MAX)
    return URING_BINDING_REFUSED;
  const Words words{*arguments};
  if (prepare_file(sqe, operation, words) || prepare_socket(sqe, operation, words) ||
      prepare_control(sqe, operation, words)) {
    return 0;
  }
  *reason = "it is newer than this adapter";
  return URING_BINDING_NOT_EXPRESSIBLE;
}

// --- registrations and buffers
// -----------------------------------------------------------------------------------

int probe(uring::Ring& ring, std::uint8_t* supported, u32 count) {
  uring::Probe probe;
  const Result<void> asked = ring.get_probe(probe);
  for (u32 op = 0; op < count; ++op) supported[op] = probe.is_supported(uring::Op(op)) ? 1 : 0;
  return result(asked);
}

int do_register(uring_binding_ring* owner, u32 registration, void* argument, u32 count, u32 first,
                const char** reason) {
  uring::Ring& ring = owner->ring;
  const std::span files(static_cast<const uring::i32*>(argument), count);
  switch (registration) {
    case URING_BINDING_REGISTER_FILES: return result(ring.register_files(files));
    case URING_BINDING_REGISTER_FILES_UPDATE:
      return result(ring.register_files_update(uring::Slot{first}, files));
    case URING_BINDING_UNREGISTER_FILES: return result(ring.unregister_files());
    case URING_BINDING_REGISTER_BUFFERS:
      return result(ring.register_buffers({static_cast<const ::iovec*>(argument), count}));
    case URING_BINDING_UNREGISTER_BUFFERS: return result(ring.unregister_buffers());
    case URING_BINDING_PROBE: return probe(ring, static_cast<std::uint8_t*>(argument), count);
  }
  *reason = "it is newer than this adapter";
  return URING_BINDING_NOT_EXPRESSIBLE;
}

// On an old kernel our binding itself asks again, for whole buffers.
int group_create(uring_binding_ring* ring, u32 id, void* memory, u32 count, u32 size, u32 consumption,
                 uring_binding_group** created, const char**) {
  auto* const group = new (std::nothrow) uring_binding_group;
  if (group == nullptr) return -ENOMEM;
  const auto wanted =
      consumption == URING_BINDING_INCREMENTAL ? uring::Consumption::incremental : uring::Consumption::whole;
  const std::span bytes(static_cast<std::byte*>(memory), std::size_t{count} * size);
  const Result<void> opened = group->buffers.init(ring->ring, static_cast<u16>(id), bytes, size, wanted);
  if (!opened.ok()) {
    delete group;
    return result(opened);
  }
  *created = group;
  return 0;
}

void group_destroy(uring_binding_ring*, uring_binding_group* group) { delete group; }

uring::Cqe ours(const uring_binding_cqe& cqe) { return {cqe.user_data, cqe.res, cqe.flags}; }

int group_get(const uring_binding_group* group, const uring_binding_cqe* cqe, void** data) {
  const Result<std::span<std::byte>> got = group->buffers.get(ours(*cqe));
  if (!got.ok()) return number(got.error());
  *data = got.value().data();
  return 0;
}

int group_put(uring_binding_group* group, const uring_binding_cqe* cqe) {
  return result(group->buffers.put(ours(*cqe)));
}

constexpr uring_binding_v1 table{
    .size = sizeof(uring_binding_v1),
    .version = URING_BINDING_VERSION,
    .name = "uring-adapter",
    .binding_version = ADAPTER_URING_VERSION,
    .capabilities = URING_BINDING_CHECKS_ENTRIES | URING_BINDING_SHOWS_INDICES | URING_BINDING_BUFFER_GROUPS |
                    URING_BINDING_INCREMENTAL_GROUPS,
    .sqe_size = sizeof(Sqe),
    .cqe_size = sizeof(uring::Cqe),
    .create = create,
    .destroy = destroy,
    .describe = describe,
    .get_sqe = get_sqe,
    .prepare = prepare,
    .submit = submit,
    .submit_and_wait = submit_and_wait,
    .enter = enter,
    .sq_ready = sq_ready,
    .cq_ready = cq_ready,
    .copy_cqes = copy_cqes,
    .do_register = do_register,
    .indices = indices,
    .group_create = group_create,
    .group_destroy = group_destroy,
    .group_get = group_get,
    .group_put = group_put,
};

}  // namespace

const uring_binding_v1* uring_binding() { return &table; }
