// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// liburing, in the version whose header is included, called as its manual pages call it and linked
// statically. Functions that an older header does not declare are not expressible: the compiler decides, so
// there is no table of versions here that could be wrong.
#include <liburing.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <vector>

#include "uring_binding.h"

struct uring_binding_ring {
  io_uring ring;
};

namespace {

using Arguments = uring_binding_arguments;
using u16 = std::uint16_t;
using u32 = std::uint32_t;

constexpr const char* too_old = "this version of liburing does not declare it";

template <class T>
T* at(void* address) {
  return static_cast<T*>(address);
}
const char* path(void* address) { return at<const char>(address); }
unsigned bytes(const Arguments& a) { return static_cast<unsigned>(a.length); }
int signed_of(u32 value) { return static_cast<int>(value); }

// --- the ring
// --------------------------------------------------------------------------------------------------

int create(u32 entries, u32 flags, uring_binding_ring** created, const char**) {
  auto ring = std::unique_ptr<uring_binding_ring>(new (std::nothrow) uring_binding_ring{});
  if (ring == nullptr) return -ENOMEM;
  if (const int error = io_uring_queue_init(entries, &ring->ring, flags); error < 0) return error;
  *created = ring.release();
  return 0;
}

void destroy(uring_binding_ring* ring) {
  io_uring_queue_exit(&ring->ring);
  delete ring;
}

void describe(const uring_binding_ring* ring, uring_binding_facts* facts) {
  facts->fd = ring->ring.ring_fd;
  facts->features = ring->ring.features;
  facts->sq_entries = ring->ring.sq.ring_entries;
  facts->cq_entries = ring->ring.cq.ring_entries;
}

void* get_sqe(uring_binding_ring* ring) { return io_uring_get_sqe(&ring->ring); }
int submit(uring_binding_ring* ring) { return io_uring_submit(&ring->ring); }
int submit_and_wait(uring_binding_ring* ring, u32 wait_nr) {
  return io_uring_submit_and_wait(&ring->ring, wait_nr);
}
int enter(uring_binding_ring* ring, u32 to_submit, u32 min_complete, u32 flags) {
  return io_uring_enter(static_cast<unsigned>(ring->ring.ring_fd), to_submit, min_complete, flags, nullptr);
}
u32 sq_ready(const uring_binding_ring* ring) { return io_uring_sq_ready(&ring->ring); }
u32 cq_ready(const uring_binding_ring* ring) { return io_uring_cq_ready(&ring->ring); }

int copy_cqes(uring_binding_ring* ring, uring_binding_cqe* cqes, u32 room, u32 wait_nr) {
  std::vector<io_uring_cqe*> ready(room);
  unsigned count = io_uring_peek_batch_cqe(&ring->ring, ready.data(), room);
  if (count == 0 && room > 0 && wait_nr > 0) {
    io_uring_cqe* first = nullptr;
    if (const int error = io_uring_wait_cqe_nr(&ring->ring, &first, wait_nr); error < 0) return error;
    count = io_uring_peek_batch_cqe(&ring->ring, ready.data(), room);
  }
  for (unsigned i = 0; i < count; ++i) cqes[i] = {ready[i]->user_data, ready[i]->res, ready[i]->flags};
  io_uring_cq_advance(&ring->ring, count);
  return static_cast<int>(count);
}

void indices(const uring_binding_ring* ring, uring_binding_indices* indices) {
  indices->sqe_head = ring->ring.sq.sqe_head;
  indices->sqe_tail = ring->ring.sq.sqe_tail;
}

// --- operations. Each function is false for an operation that is not one of its own
// ------------------------------

u32 slot_of(const Arguments& a) {
  return a.slot == URING_BINDING_ANY_SLOT ? static_cast<u32>(IORING_FILE_INDEX_ALLOC) : a.slot;
}

// Before liburing 2.9 had a function for the group, the manual page told users to set it themselves.
template <class Sqe>
void select_buffer(Sqe* sqe, u32 group) {
  io_uring_sqe_set_flags(sqe, IOSQE_BUFFER_SELECT);
  if constexpr (requires { io_uring_sqe_set_buf_group(sqe, signed_of(group)); }) {
    io_uring_sqe_set_buf_group(sqe, signed_of(group));
  } else {
    sqe->buf_group = static_cast<u16>(group);
  }
}

bool prepare_file(io_uring_sqe* sqe, u32 operation, const Arguments& a) {
  const auto offset = a.offset;
  switch (operation) {
    case URING_BINDING_READV: io_uring_prep_readv(sqe, a.fd, at<iovec>(a.address), a.count, offset); break;
    case URING_BINDING_WRITEV: io_uring_prep_writev(sqe, a.fd, at<iovec>(a.address), a.count, offset); break;
    case URING_BINDING_READ: io_uring_prep_read(sqe, a.fd, a.address, bytes(a), offset); break;
    case URING_BINDING_WRITE: io_uring_prep_write(sqe, a.fd, a.address, bytes(a), offset); break;
    case URING_BINDING_READ_FIXED:
      io_uring_prep_read_fixed(sqe, a.fd, a.address, bytes(a), offset, signed_of(a.buffer));
      break;
    case URING_BINDING_WRITE_FIXED:
      io_uring_prep_write_fixed(sqe, a.fd, a.address, bytes(a), offset, signed_of(a.buffer));
      break;
    case URING_BINDING_READ_SELECT:
      io_uring_prep_read(sqe, a.fd, nullptr, bytes(a), offset);
      select_buffer(sqe, a.group);
      break;
    case URING_BINDING_FSYNC: io_uring_prep_fsync(sqe, a.fd, a.flags); break;
    case URING_BINDING_FALLOCATE:
      io_uring_prep_fallocate(sqe, a.fd, signed_of(a.mode), static_cast<off_t>(offset),
                              static_cast<off_t>(a.length));
      break;
    case URING_BINDING_SPLICE:
      io_uring_prep_splice(sqe, a.fd, static_cast<std::int64_t>(offset), a.other_fd,
                           static_cast<std::int64_t>(a.other_offset), bytes(a), a.flags);
      break;
    case URING_BINDING_STATX:
      io_uring_prep_statx(sqe, a.fd, path(a.address), signed_of(a.flags), a.mode,
                          at<struct statx>(a.other_address));
      break;
    case URING_BINDING_OPENAT:
      io_uring_prep_openat(sqe, a.fd, path(a.address), signed_of(a.flags), a.mode);
      break;
    case URING_BINDING_OPENAT_DIRECT:
      io_uring_prep_openat_direct(sqe, a.fd, path(a.address), signed_of(a.flags), a.mode, slot_of(a));
      break;
    case URING_BINDING_CLOSE: io_uring_prep_close(sqe, a.fd); break;
    case URING_BINDING_CLOSE_DIRECT: io_uring_prep_close_direct(sqe, slot_of(a)); break;
    default: return false;
  }
  return true;
}

bool prepare_path(io_uring_sqe* sqe, u32 operation, const Arguments& a) {
  switch (operation) {
    case URING_BINDING_RENAMEAT:
      io_uring_prep_renameat(sqe, a.fd, path(a.address), a.other_fd, path(a.other_address), a.flags);
      break;
    case URING_BINDING_UNLINKAT:
      io_uring_prep_unlinkat(sqe, a.fd, path(a.address), signed_of(a.flags));
      break;
    case URING_BINDING_MKDIRAT: io_uring_prep_mkdirat(sqe, a.fd, path(a.address), a.mode); break;
    case URING_BINDING_SYMLINKAT:
      io_uring_prep_symlinkat(sqe, path(a.address), a.other_fd, path(a.other_address));
      break;
    case URING_BINDING_LINKAT:
      io_uring_prep_linkat(sqe, a.fd, path(a.address), a.other_fd, path(a.other_address), signed_of(a.flags));
      break;
    default: return false;
  }
  return true;
}

bool prepare_socket(io_uring_sqe* sqe, u32 operation, const Arguments& a) {
  const int domain = signed_of(a.domain), type = signed_of(a.type), protocol = signed_of(a.protocol);
  auto* const address = at<sockaddr>(a.address);
  auto* const address_size = at<socklen_t>(a.other_address);
  const int flags = signed_of(a.flags);
  switch (operation) {
    case URING_BINDING_SOCKET: io_uring_prep_socket(sqe, domain, type, protocol, a.flags); break;
    case URING_BINDING_SOCKET_DIRECT:
      io_uring_prep_socket_direct(sqe, domain, type, protocol, slot_of(a), a.flags);
      break;
    case URING_BINDING_SOCKET_DIRECT_ALLOC:
      io_uring_prep_socket_direct_alloc(sqe, domain, type, protocol, a.flags);
      break;
    case URING_BINDING_ACCEPT: io_uring_prep_accept(sqe, a.fd, address, address_size, flags); break;
    case URING_BINDING_ACCEPT_MULTISHOT:
      io_uring_prep_multishot_accept(sqe, a.fd, address, address_size, flags);
      break;
    case URING_BINDING_ACCEPT_DIRECT:
      io_uring_prep_accept_direct(sqe, a.fd, address, address_size, flags, slot_of(a));
      break;
    case URING_BINDING_ACCEPT_MULTISHOT_DIRECT:
      io_uring_prep_multishot_accept_direct(sqe, a.fd, address, address_size, flags);
      break;
    case URING_BINDING_CONNECT:
      io_uring_prep_connect(sqe, a.fd, address, static_cast<socklen_t>(a.length));
      break;
    case URING_BINDING_SHUTDOWN: io_uring_prep_shutdown(sqe, a.fd, signed_of(a.mode)); break;
    case URING_BINDING_SEND: io_uring_prep_send(sqe, a.fd, a.address, a.length, flags); break;
    case URING_BINDING_SEND_ZC: io_uring_prep_send_zc(sqe, a.fd, a.address, a.length, flags, a.mode); break;
    case URING_BINDING_SENDMSG: io_uring_prep_sendmsg(sqe, a.fd, at<msghdr>(a.address), a.flags); break;
    case URING_BINDING_RECV: io_uring_prep_recv(sqe, a.fd, a.address, a.length, flags); break;
    case URING_BINDING_RECV_SELECT:
      io_uring_prep_recv(sqe, a.fd, nullptr, a.length, flags);
      select_buffer(sqe, a.group);
      break;
    case URING_BINDING_RECV_MULTISHOT:
      io_uring_prep_recv_multishot(sqe, a.fd, nullptr, 0, flags);
      select_buffer(sqe, a.group);
      break;
    case URING_BINDING_RECVMSG: io_uring_prep_recvmsg(sqe, a.fd, at<msghdr>(a.address), a.flags); break;
    default: return false;
  }
  return true;
}

bool prepare_control(io_uring_sqe* sqe, u32 operation, const Arguments& a) {
  auto* const time = at<__kernel_timespec>(a.address);
  switch (operation) {
    case URING_BINDING_NOP: io_uring_prep_nop(sqe); break;
    case URING_BINDING_TIMEOUT: io_uring_prep_timeout(sqe, time, a.count, a.flags); break;
    case URING_BINDING_TIMEOUT_REMOVE: io_uring_prep_timeout_remove(sqe, a.target, a.flags); break;
    case URING_BINDING_LINK_TIMEOUT: io_uring_prep_link_timeout(sqe, time, a.flags); break;
    case URING_BINDING_CANCEL: io_uring_prep_cancel64(sqe, a.target, signed_of(a.flags)); break;
    case URING_BINDING_PROVIDE_BUFFERS:
      io_uring_prep_provide_buffers(sqe, a.address, static_cast<int>(a.length), signed_of(a.count),
                                    signed_of(a.group), signed_of(a.buffer));
      break;
    case URING_BINDING_REMOVE_BUFFERS:
      io_uring_prep_remove_buffers(sqe, signed_of(a.count), signed_of(a.group));
      break;
    default: return false;
  }
  return true;
}

// Functions that came after liburing 2.3. Templates, so that a missing declaration is detected here and
// nowhere else.
template <class Sqe>
bool prepare_newer(Sqe* sqe, u32 operation, const Arguments& a) {
  constexpr int getsockopt = 2, setsockopt = 3;  // SOCKET_URING_OP_
  switch (operation) {
    case URING_BINDING_WAITID:  // NOLINT(bugprone-branch-clone): with an old liburing all of these are empty
      if constexpr (requires { io_uring_prep_waitid(sqe, P_PID, 0, nullptr, 0, 0); }) {
        io_uring_prep_waitid(sqe, static_cast<idtype_t>(a.type), static_cast<id_t>(a.fd),
                             at<siginfo_t>(a.address), signed_of(a.mode), a.flags);
        return true;
      }
      break;
    case URING_BINDING_BIND:
      if constexpr (requires { io_uring_prep_bind(sqe, 0, nullptr, 0); }) {
        io_uring_prep_bind(sqe, a.fd, at<sockaddr>(a.address), static_cast<socklen_t>(a.length));
        return true;
      }
      break;
    case URING_BINDING_LISTEN:
      if constexpr (requires { io_uring_prep_listen(sqe, 0, 0); }) {
        io_uring_prep_listen(sqe, a.fd, signed_of(a.count));
        return true;
      }
      break;
    case URING_BINDING_SETSOCKOPT:
    case URING_BINDING_GETSOCKOPT:
      if constexpr (requires { io_uring_prep_cmd_sock(sqe, 0, 0, 0, 0, nullptr, 0); }) {
        io_uring_prep_cmd_sock(sqe, operation == URING_BINDING_SETSOCKOPT ? setsockopt : getsockopt, a.fd,
                               signed_of(a.level), signed_of(a.option), a.address,
                               static_cast<int>(a.length));
        return true;
      }
      break;
  }
  return false;
}

// The largest length that the type of the function's parameter holds. Those of sends and receives are size_t.
std::uint64_t largest_length(u32 operation) {
  switch (operation) {
    case URING_BINDING_READ:
    case URING_BINDING_WRITE:
    case URING_BINDING_READ_FIXED:
    case URING_BINDING_WRITE_FIXED:
    case URING_BINDING_READ_SELECT:
    case URING_BINDING_SPLICE: return std::numeric_limits<unsigned>::max();
    case URING_BINDING_PROVIDE_BUFFERS:
    case URING_BINDING_SETSOCKOPT:
    case URING_BINDING_GETSOCKOPT: return std::numeric_limits<int>::max();
    default: return std::numeric_limits<std::uint64_t>::max();
  }
}

int prepare(void* where, u32 operation, const Arguments* arguments, const char** reason) {
  auto* const sqe = static_cast<io_uring_sqe*>(where);
  const Arguments& a = *arguments;
  if (a.length > largest_length(operation)) {
    *reason = "the function's parameter is an int or an unsigned int";
    return URING_BINDING_NOT_EXPRESSIBLE;
  }
  if (!prepare_file(sqe, operation, a) && !prepare_path(sqe, operation, a) &&
      !prepare_socket(sqe, operation, a) && !prepare_control(sqe, operation, a) &&
      !prepare_newer(sqe, operation, a)) {
    *reason = too_old;
    return URING_BINDING_NOT_EXPRESSIBLE;
  }
  io_uring_sqe_set_data64(sqe, a.user_data);
  return 0;
}

// --- registrations
// ---------------------------------------------------------------------------------------------

// Does the same as io_uring_get_probe_ring, which reports only that there is no probe, and not why.
int probe(io_uring* ring, std::uint8_t* supported, u32 count) {
  constexpr u32 room = 256;
  auto* const probe =
      at<io_uring_probe>(std::calloc(1, sizeof(io_uring_probe) + room * sizeof(io_uring_probe_op)));
  if (probe == nullptr) return -ENOMEM;
  const int error = io_uring_register_probe(ring, probe, room);
  for (u32 op = 0; op < count && error == 0; ++op) {
    supported[op] = io_uring_opcode_supported(probe, static_cast<int>(op)) != 0 ? 1 : 0;
  }
  std::free(probe);
  return error;
}

int do_register(uring_binding_ring* owner, u32 registration, void* argument, u32 count, u32 first,
                const char** reason) {
  io_uring* const ring = &owner->ring;
  switch (registration) {
    case URING_BINDING_REGISTER_FILES: return io_uring_register_files(ring, at<int>(argument), count);
    case URING_BINDING_REGISTER_FILES_UPDATE:
      return io_uring_register_files_update(ring, first, at<int>(argument), count);
    case URING_BINDING_UNREGISTER_FILES: return io_uring_unregister_files(ring);
    case URING_BINDING_REGISTER_BUFFERS: return io_uring_register_buffers(ring, at<iovec>(argument), count);
    case URING_BINDING_UNREGISTER_BUFFERS: return io_uring_unregister_buffers(ring);
    case URING_BINDING_PROBE: return probe(ring, at<std::uint8_t>(argument), count);
  }
  *reason = too_old;
  return URING_BINDING_NOT_EXPRESSIBLE;
}

// --- buffer rings
// ----------------------------------------------------------------------------------------------

// IOU_PBUF_RING_INC is declared from 2.8 on.
#if defined(IO_URING_VERSION_MAJOR) && (IO_URING_VERSION_MAJOR > 2 || IO_URING_VERSION_MINOR >= 8)
constexpr bool has_incremental_groups = true;
constexpr u32 incremental_flag = IOU_PBUF_RING_INC;
#else
constexpr bool has_incremental_groups = false;
constexpr u32 incremental_flag = 0;
#endif
constexpr u32 cqe_buffer_goes_on = 1u << 4;  // IORING_CQE_F_BUF_MORE

// A ring of buffers, in memory that liburing maps since 2.4; before, its user does.
template <class Ring>
io_uring_buf_ring* open_buffers(Ring* ring, u32 count, u32 group, u32 flags, int* error) {
  if constexpr (requires { io_uring_setup_buf_ring(ring, count, 0, flags, error); }) {
    return io_uring_setup_buf_ring(ring, count, signed_of(group), flags, error);
  } else {
    void* const memory = mmap(nullptr, count * sizeof(io_uring_buf), PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *error = memory == MAP_FAILED ? -errno : 0;
    if (memory == MAP_FAILED) return nullptr;
    io_uring_buf_reg request{};
    request.ring_addr = reinterpret_cast<std::uintptr_t>(memory);
    request.ring_entries = count;
    request.bgid = static_cast<u16>(group);
    *error = io_uring_register_buf_ring(ring, &request, flags);
    if (*error == 0) return static_cast<io_uring_buf_ring*>(memory);
    munmap(memory, count * sizeof(io_uring_buf));
    return nullptr;
  }
}

template <class Ring>
void close_buffers(Ring* ring, io_uring_buf_ring* buffers, u32 count, u32 group) {
  if constexpr (requires { io_uring_free_buf_ring(ring, buffers, count, 0); }) {
    io_uring_free_buf_ring(ring, buffers, count, signed_of(group));
  } else {
    io_uring_unregister_buf_ring(ring, signed_of(group));
    munmap(buffers, count * sizeof(io_uring_buf));
  }
}

}  // namespace

struct uring_binding_group {
  io_uring_buf_ring* buffers;
  char* memory;
  u32 count, size, id;
  std::vector<u32>
      used;  // the used bytes of each buffer, with incremental consumption; liburing leaves that to its user
};

namespace {

void add_buffer(uring_binding_group* group, u32 id, int offset) {
  io_uring_buf_ring_add(group->buffers, group->memory + std::size_t{id} * group->size, group->size,
                        static_cast<u16>(id), io_uring_buf_ring_mask(group->count), offset);
}

int group_create(uring_binding_ring* ring, u32 id, void* memory, u32 count, u32 size, u32 consumption,
                 uring_binding_group** created, const char**) {
  const u32 flags = consumption == URING_BINDING_INCREMENTAL ? incremental_flag : 0;
  int error = 0;
  io_uring_buf_ring* const buffers = open_buffers(&ring->ring, count, id, flags, &error);
  if (buffers == nullptr) return error;
  *created =
      new uring_binding_group{buffers, static_cast<char*>(memory), count, size, id, std::vector<u32>(count)};
  io_uring_buf_ring_init(buffers);
  for (u32 i = 0; i < count; ++i) add_buffer(*created, i, static_cast<int>(i));
  io_uring_buf_ring_advance(buffers, static_cast<int>(count));
  return 0;
}

void group_destroy(uring_binding_ring* ring, uring_binding_group* group) {
  close_buffers(&ring->ring, group->buffers, group->count, group->id);
  delete group;
}

int group_get(const uring_binding_group* group, const uring_binding_cqe* cqe, void** data) {
  if ((cqe->flags & IORING_CQE_F_BUFFER) == 0) return URING_BINDING_NO_BUFFER_SELECTED;
  const u32 id = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
  if (id >= group->count) return -ERANGE;
  *data = group->memory + std::size_t{id} * group->size + group->used[id];
  return 0;
}

int group_put(uring_binding_group* group, const uring_binding_cqe* cqe) {
  void* data = nullptr;
  if (const int error = group_get(group, cqe, &data); error != 0) return error;
  const u32 id = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
  if ((cqe->flags & cqe_buffer_goes_on) != 0) {
    group->used[id] += static_cast<u32>(cqe->res);
    return 0;
  }
  group->used[id] = 0;
  add_buffer(group, id, 0);
  io_uring_buf_ring_advance(group->buffers, 1);
  return 0;
}

constexpr std::uint64_t basic = URING_BINDING_SHOWS_INDICES | URING_BINDING_BUFFER_GROUPS;
constexpr std::uint64_t capabilities =
    has_incremental_groups ? basic | URING_BINDING_INCREMENTAL_GROUPS : basic;

constexpr uring_binding_v1 table{
    .size = sizeof(uring_binding_v1),
    .version = URING_BINDING_VERSION,
    .name = ADAPTER_NAME,
    .binding_version = ADAPTER_LIBURING_VERSION,
    .capabilities = capabilities,
    .sqe_size = sizeof(io_uring_sqe),
    .cqe_size = sizeof(io_uring_cqe),
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
