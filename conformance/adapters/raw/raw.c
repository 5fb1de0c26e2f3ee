// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

/* No binding at all: bare system calls and the shared memory, as io_uring(7) describes them. If a row fails
 * through every binding but this one, the bindings are at fault; if it fails here too, the kernel is.
 *
 * The simplest correct ring: a single mapping (since Linux 5.4), the index array filled once with 0, 1, 2 ...
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/io_uring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "uring_binding.h"

struct uring_binding_ring {
  int fd;
  struct io_uring_params params;
  char* rings;
  size_t rings_size;
  struct io_uring_sqe* sqes;
  uint32_t *sq_head, *sq_tail, *sq_flags, *cq_head, *cq_tail;
  struct io_uring_cqe* cqes;
  uint32_t handed_out; /* SQEs so far */
};

struct uring_binding_group {
  struct io_uring_buf* entries;
  char* memory;
  uint32_t count, size, id;
  uint16_t tail;
  uint32_t used[]; /* bytes of each buffer that are used up */
};

static uint32_t load(const uint32_t* word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
static void store(uint32_t* word, uint32_t value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }

static int result(long returned) { return returned < 0 ? -errno : (int)returned; }

static void destroy(struct uring_binding_ring* ring) {
  if (ring->sqes != NULL) munmap(ring->sqes, ring->params.sq_entries * sizeof *ring->sqes);
  if (ring->rings != NULL) munmap(ring->rings, ring->rings_size);
  close(ring->fd);
  free(ring);
}

static void* map(int fd, size_t size, uint64_t offset) {
  void* const address =
      mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, (off_t)offset);
  return address == MAP_FAILED ? NULL : address;
}

static uint32_t* word(const struct uring_binding_ring* ring, uint32_t offset) {
  return (uint32_t*)(void*)(ring->rings + offset);
}

static int create(uint32_t entries, uint32_t flags, struct uring_binding_ring** created,
                  const char** reason) {
  (void)reason;
  struct uring_binding_ring* const ring = calloc(1, sizeof *ring);
  if (ring == NULL) return -ENOMEM;
  ring->params.flags = flags;
  ring->fd = result(syscall(SYS_io_uring_setup, entries, &ring->params));
  if (ring->fd < 0) {
    const int error = ring->fd;
    free(ring);
    return error;
  }
  const struct io_uring_params* const p = &ring->params;
  const size_t sq_size = p->sq_off.array + p->sq_entries * sizeof(uint32_t);
  const size_t cq_size = p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe);
  ring->rings_size = sq_size > cq_size ? sq_size : cq_size;
  ring->rings = map(ring->fd, ring->rings_size, IORING_OFF_SQ_RING);
  if (ring->rings != NULL) ring->sqes = map(ring->fd, p->sq_entries * sizeof *ring->sqes, IORING_OFF_SQES);
  if (ring->sqes == NULL) {
    const int error = -errno;
    destroy(ring);
    return error;
  }
  ring->sq_head = word(ring, p->sq_off.head);
  ring->sq_tail = word(ring, p->sq_off.tail);
  ring->sq_flags = word(ring, p->sq_off.flags);
  ring->cq_head = word(ring, p->cq_off.head);
  ring->cq_tail = word(ring, p->cq_off.tail);
  ring->cqes = (struct io_uring_cqe*)(void*)(ring->rings + p->cq_off.cqes);
  for (uint32_t i = 0; i < p->sq_entries; ++i) word(ring, p->sq_off.array)[i] = i;
  *created = ring;
  return 0;
}

static void describe(const struct uring_binding_ring* ring, struct uring_binding_facts* facts) {
  facts->fd = ring->fd;
  facts->features = ring->params.features;
  facts->sq_entries = ring->params.sq_entries;
  facts->cq_entries = ring->params.cq_entries;
}

static uint32_t sq_ready(const struct uring_binding_ring* ring) {
  return ring->handed_out - load(ring->sq_head);
}
static uint32_t cq_ready(const struct uring_binding_ring* ring) {
  return load(ring->cq_tail) - *ring->cq_head;
}

static void* get_sqe(struct uring_binding_ring* ring) {
  if (sq_ready(ring) == ring->params.sq_entries) return NULL;
  return &ring->sqes[ring->handed_out++ & (ring->params.sq_entries - 1)];
}

static uint64_t address(const void* pointer) { return (uintptr_t)pointer; }

/* The slot in the kernel's encoding: 0 is no slot, and ~0 any. */
static uint32_t file_index(uint32_t slot) { return slot == URING_BINDING_ANY_SLOT ? slot : slot + 1; }

/* The fields that most operations have. */
static void basic(struct io_uring_sqe* sqe, uint8_t opcode, int32_t fd, uint64_t off, uint64_t addr,
                  uint32_t len, uint32_t flags) {
  sqe->opcode = opcode;
  sqe->fd = fd;
  sqe->off = off;
  sqe->addr = addr;
  sqe->len = len;
  sqe->rw_flags = (__kernel_rwf_t)flags;
}

/* Opcodes and flags that the header of an old distribution lacks. */
enum {
  OP_SOCKET = 45,
  OP_URING_CMD = 46,
  OP_SEND_ZC = 47,
  OP_WAITID = 50,
  OP_BIND = 56,
  OP_LISTEN = 57,
  CMD_GETSOCKOPT = 2,
  CMD_SETSOCKOPT = 3,
  PBUF_RING_INC = 2,
  CQE_BUF_MORE = 1 << 4
};

static int prepare_file(struct io_uring_sqe* sqe, uint32_t operation,
                        const struct uring_binding_arguments* a) {
  const uint64_t at = address(a->address), other = address(a->other_address);
  const uint32_t length = (uint32_t)a->length;
  switch (operation) {
    case URING_BINDING_READV: basic(sqe, IORING_OP_READV, a->fd, a->offset, at, a->count, 0); break;
    case URING_BINDING_WRITEV: basic(sqe, IORING_OP_WRITEV, a->fd, a->offset, at, a->count, 0); break;
    case URING_BINDING_READ: basic(sqe, IORING_OP_READ, a->fd, a->offset, at, length, 0); break;
    case URING_BINDING_WRITE: basic(sqe, IORING_OP_WRITE, a->fd, a->offset, at, length, 0); break;
    case URING_BINDING_READ_FIXED:
      basic(sqe, IORING_OP_READ_FIXED, a->fd, a->offset, at, length, 0);
      sqe->buf_index = (uint16_t)a->buffer;
      break;
    case URING_BINDING_WRITE_FIXED:
      basic(sqe, IORING_OP_WRITE_FIXED, a->fd, a->offset, at, length, 0);
      sqe->buf_index = (uint16_t)a->buffer;
      break;
    case URING_BINDING_READ_SELECT:
      basic(sqe, IORING_OP_READ, a->fd, a->offset, 0, length, 0);
      sqe->flags = IOSQE_BUFFER_SELECT;
      sqe->buf_group = (uint16_t)a->group;
      break;
    case URING_BINDING_FSYNC: basic(sqe, IORING_OP_FSYNC, a->fd, 0, 0, 0, a->flags); break;
    case URING_BINDING_FALLOCATE:
      basic(sqe, IORING_OP_FALLOCATE, a->fd, a->offset, a->length, a->mode, 0);
      break;
    case URING_BINDING_SPLICE:
      basic(sqe, IORING_OP_SPLICE, a->other_fd, a->other_offset, a->offset, length, a->flags);
      sqe->splice_fd_in = a->fd;
      break;
    case URING_BINDING_STATX: basic(sqe, IORING_OP_STATX, a->fd, other, at, a->mode, a->flags); break;
    case URING_BINDING_OPENAT: basic(sqe, IORING_OP_OPENAT, a->fd, 0, at, a->mode, a->flags); break;
    case URING_BINDING_OPENAT_DIRECT:
      basic(sqe, IORING_OP_OPENAT, a->fd, 0, at, a->mode, a->flags);
      sqe->file_index = file_index(a->slot);
      break;
    case URING_BINDING_CLOSE: basic(sqe, IORING_OP_CLOSE, a->fd, 0, 0, 0, 0); break;
    case URING_BINDING_CLOSE_DIRECT:
      basic(sqe, IORING_OP_CLOSE, 0, 0, 0, 0, 0);
      sqe->file_index = file_index(a->slot);
      break;
    case URING_BINDING_RENAMEAT:
      basic(sqe, IORING_OP_RENAMEAT, a->fd, other, at, (uint32_t)a->other_fd, a->flags);
      break;
    case URING_BINDING_UNLINKAT: basic(sqe, IORING_OP_UNLINKAT, a->fd, 0, at, 0, a->flags); break;
    case URING_BINDING_MKDIRAT: basic(sqe, IORING_OP_MKDIRAT, a->fd, 0, at, a->mode, 0); break;
    case URING_BINDING_SYMLINKAT: basic(sqe, IORING_OP_SYMLINKAT, a->other_fd, other, at, 0, 0); break;
    case URING_BINDING_LINKAT:
      basic(sqe, IORING_OP_LINKAT, a->fd, other, at, (uint32_t)a->other_fd, a->flags);
      break;
    default: return 0;
  }
  return 1;
}

static void socket_option(struct io_uring_sqe* sqe, uint32_t command,
                          const struct uring_binding_arguments* a) {
  basic(sqe, OP_URING_CMD, a->fd, command, (uint64_t)a->option << 32 | a->level, 0, 0);
  sqe->file_index = (uint32_t)a->length;
  sqe->addr3 = address(a->address);
}

static int prepare_socket(struct io_uring_sqe* sqe, uint32_t operation,
                          const struct uring_binding_arguments* a) {
  const uint64_t at = address(a->address), other = address(a->other_address);
  const uint32_t length = (uint32_t)a->length;
  switch (operation) {
    case URING_BINDING_SOCKET:
    case URING_BINDING_SOCKET_DIRECT:
    case URING_BINDING_SOCKET_DIRECT_ALLOC:
      basic(sqe, OP_SOCKET, (int32_t)a->domain, a->type, 0, a->protocol, a->flags);
      if (operation == URING_BINDING_SOCKET_DIRECT) sqe->file_index = file_index(a->slot);
      if (operation == URING_BINDING_SOCKET_DIRECT_ALLOC) sqe->file_index = URING_BINDING_ANY_SLOT;
      break;
    case URING_BINDING_BIND: basic(sqe, OP_BIND, a->fd, a->length, at, 0, a->flags); break;
    case URING_BINDING_LISTEN: basic(sqe, OP_LISTEN, a->fd, 0, 0, a->count, a->flags); break;
    case URING_BINDING_ACCEPT:
    case URING_BINDING_ACCEPT_MULTISHOT:
    case URING_BINDING_ACCEPT_DIRECT:
    case URING_BINDING_ACCEPT_MULTISHOT_DIRECT:
      basic(sqe, IORING_OP_ACCEPT, a->fd, other, at, 0, a->flags);
      if (operation == URING_BINDING_ACCEPT_DIRECT) sqe->file_index = file_index(a->slot);
      if (operation == URING_BINDING_ACCEPT_MULTISHOT_DIRECT) sqe->file_index = URING_BINDING_ANY_SLOT;
      if (operation == URING_BINDING_ACCEPT_MULTISHOT || operation == URING_BINDING_ACCEPT_MULTISHOT_DIRECT) {
        sqe->ioprio = IORING_ACCEPT_MULTISHOT;
      }
      break;
    case URING_BINDING_CONNECT: basic(sqe, IORING_OP_CONNECT, a->fd, a->length, at, 0, 0); break;
    case URING_BINDING_SHUTDOWN: basic(sqe, IORING_OP_SHUTDOWN, a->fd, 0, 0, a->mode, 0); break;
    case URING_BINDING_SEND: basic(sqe, IORING_OP_SEND, a->fd, 0, at, length, a->flags); break;
    case URING_BINDING_SEND_ZC:
      basic(sqe, OP_SEND_ZC, a->fd, 0, at, length, a->flags);
      sqe->ioprio = (uint16_t)a->mode;
      break;
    case URING_BINDING_SENDMSG: basic(sqe, IORING_OP_SENDMSG, a->fd, 0, at, 1, a->flags); break;
    case URING_BINDING_RECV: basic(sqe, IORING_OP_RECV, a->fd, 0, at, length, a->flags); break;
    case URING_BINDING_RECV_SELECT:
    case URING_BINDING_RECV_MULTISHOT:
      basic(sqe, IORING_OP_RECV, a->fd, 0, 0, length, a->flags);
      sqe->flags = IOSQE_BUFFER_SELECT;
      sqe->buf_group = (uint16_t)a->group;
      if (operation == URING_BINDING_RECV_MULTISHOT) sqe->ioprio = IORING_RECV_MULTISHOT;
      break;
    case URING_BINDING_RECVMSG: basic(sqe, IORING_OP_RECVMSG, a->fd, 0, at, 1, a->flags); break;
    case URING_BINDING_SETSOCKOPT: socket_option(sqe, CMD_SETSOCKOPT, a); break;
    case URING_BINDING_GETSOCKOPT: socket_option(sqe, CMD_GETSOCKOPT, a); break;
    default: return 0;
  }
  return 1;
}

static int prepare_control(struct io_uring_sqe* sqe, uint32_t operation,
                           const struct uring_binding_arguments* a) {
  const uint64_t at = address(a->address);
  switch (operation) {
    case URING_BINDING_NOP: basic(sqe, IORING_OP_NOP, 0, 0, 0, 0, 0); break;
    case URING_BINDING_TIMEOUT: basic(sqe, IORING_OP_TIMEOUT, -1, a->count, at, 1, a->flags); break;
    case URING_BINDING_TIMEOUT_REMOVE:
      basic(sqe, IORING_OP_TIMEOUT_REMOVE, -1, 0, a->target, 0, a->flags);
      break;
    case URING_BINDING_LINK_TIMEOUT: basic(sqe, IORING_OP_LINK_TIMEOUT, -1, 0, at, 1, a->flags); break;
    case URING_BINDING_CANCEL: basic(sqe, IORING_OP_ASYNC_CANCEL, -1, 0, a->target, 0, a->flags); break;
    case URING_BINDING_PROVIDE_BUFFERS:
      basic(sqe, IORING_OP_PROVIDE_BUFFERS, (int32_t)a->count, a->buffer, at, (uint32_t)a->length, 0);
      sqe->buf_group = (uint16_t)a->group;
      break;
    case URING_BINDING_REMOVE_BUFFERS:
      basic(sqe, IORING_OP_REMOVE_BUFFERS, (int32_t)a->count, 0, 0, 0, 0);
      sqe->buf_group = (uint16_t)a->group;
      break;
    case URING_BINDING_WAITID:
      basic(sqe, OP_WAITID, a->fd, at, 0, a->type, a->flags);
      sqe->file_index = a->mode;
      break;
    default: return 0;
  }
  return 1;
}

static int prepare(void* where, uint32_t operation, const struct uring_binding_arguments* arguments,
                   const char** reason) {
  struct io_uring_sqe* const sqe = where;
  if (arguments->length > UINT32_MAX && operation != URING_BINDING_FALLOCATE) {
    *reason = "an SQE has 32 bits for this length";
    return URING_BINDING_NOT_EXPRESSIBLE;
  }
  memset(sqe, 0, sizeof *sqe);
  sqe->user_data = arguments->user_data;
  if (prepare_file(sqe, operation, arguments) || prepare_socket(sqe, operation, arguments) ||
      prepare_control(sqe, operation, arguments)) {
    return 0;
  }
  *reason = "it is newer than this adapter";
  return URING_BINDING_NOT_EXPRESSIBLE;
}

static int enter(struct uring_binding_ring* ring, uint32_t to_submit, uint32_t min_complete, uint32_t flags) {
  return result(syscall(SYS_io_uring_enter, ring->fd, to_submit, min_complete, flags, NULL, 0));
}

static int submit_and_wait(struct uring_binding_ring* ring, uint32_t wait_nr) {
  store(ring->sq_tail, ring->handed_out);
  return enter(ring, sq_ready(ring), wait_nr, wait_nr > 0 ? IORING_ENTER_GETEVENTS : 0);
}

static int submit(struct uring_binding_ring* ring) { return submit_and_wait(ring, 0); }

static int copy_cqes(struct uring_binding_ring* ring, struct uring_binding_cqe* cqes, uint32_t room,
                     uint32_t wait_nr) {
  if (room == 0) return 0;
  const uint32_t overflowed = load(ring->sq_flags) & IORING_SQ_CQ_OVERFLOW;
  if (cq_ready(ring) == 0 && (wait_nr > 0 || overflowed)) {
    const int error = enter(ring, 0, wait_nr, IORING_ENTER_GETEVENTS);
    if (error < 0) return error;
  }
  const uint32_t ready = cq_ready(ring), count = ready < room ? ready : room, head = *ring->cq_head;
  for (uint32_t i = 0; i < count; ++i) {
    const struct io_uring_cqe* const cqe = &ring->cqes[(head + i) & (ring->params.cq_entries - 1)];
    cqes[i] = (struct uring_binding_cqe){cqe->user_data, cqe->res, cqe->flags};
  }
  store(ring->cq_head, head + count);
  return (int)count;
}

static int raw_register(struct uring_binding_ring* ring, uint32_t operation, const void* argument,
                        uint32_t count) {
  return result(syscall(SYS_io_uring_register, ring->fd, operation, argument, count));
}

static int probe(struct uring_binding_ring* ring, uint8_t* supported, uint32_t count) {
  struct io_uring_probe* const probe = calloc(1, sizeof *probe + 256 * sizeof probe->ops[0]);
  if (probe == NULL) return -ENOMEM;
  const int error = raw_register(ring, IORING_REGISTER_PROBE, probe, 256);
  for (uint32_t op = 0; error >= 0 && op < count; ++op) {
    supported[op] = op < probe->ops_len && (probe->ops[op].flags & IO_URING_OP_SUPPORTED) != 0;
  }
  free(probe);
  return error;
}

static int do_register(struct uring_binding_ring* ring, uint32_t registration, void* argument, uint32_t count,
                       uint32_t first, const char** reason) {
  switch (registration) {
    case URING_BINDING_REGISTER_FILES: return raw_register(ring, IORING_REGISTER_FILES, argument, count);
    case URING_BINDING_UNREGISTER_FILES: return raw_register(ring, IORING_UNREGISTER_FILES, NULL, 0);
    case URING_BINDING_REGISTER_BUFFERS: return raw_register(ring, IORING_REGISTER_BUFFERS, argument, count);
    case URING_BINDING_UNREGISTER_BUFFERS: return raw_register(ring, IORING_UNREGISTER_BUFFERS, NULL, 0);
    case URING_BINDING_PROBE: return probe(ring, argument, count);
    case URING_BINDING_REGISTER_FILES_UPDATE: {
      const struct io_uring_files_update update = {.offset = first, .fds = address(argument)};
      return raw_register(ring, IORING_REGISTER_FILES_UPDATE, &update, count);
    }
  }
  *reason = "it is newer than this adapter";
  return URING_BINDING_NOT_EXPRESSIBLE;
}

static void indices(const struct uring_binding_ring* ring, struct uring_binding_indices* indices) {
  indices->sqe_head = *ring->sq_tail;
  indices->sqe_tail = ring->handed_out;
}

/* Buffer rings: the tail is in the last 16 bits of the first entry. */

static void add_buffer(struct uring_binding_group* group, uint32_t id) {
  struct io_uring_buf* const entry = &group->entries[group->tail & (group->count - 1)];
  entry->addr = address(group->memory + (size_t)id * group->size);
  entry->len = group->size;
  entry->bid = (uint16_t)id;
  __atomic_store_n(&group->entries[0].resv, ++group->tail, __ATOMIC_RELEASE);
}

static void free_group(struct uring_binding_group* group) {
  munmap(group->entries, group->count * sizeof *group->entries);
  free(group);
}

static int group_create(struct uring_binding_ring* ring, uint32_t id, void* memory, uint32_t count,
                        uint32_t size, uint32_t consumption, struct uring_binding_group** created,
                        const char** reason) {
  (void)reason;
  struct uring_binding_group* const group = calloc(1, sizeof *group + count * sizeof group->used[0]);
  if (group == NULL) return -ENOMEM;
  group->memory = memory;
  group->count = count;
  group->size = size;
  group->id = id;
  group->entries =
      mmap(NULL, count * sizeof *group->entries, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (group->entries == MAP_FAILED) {
    free(group);
    return -ENOMEM;
  }
  /* struct io_uring_buf_reg, whose `flags` old headers do not name: address, entries, group, flags. */
  const struct {
    uint64_t ring_addr;
    uint32_t ring_entries;
    uint16_t bgid, flags;
    uint64_t resv[3];
  } request = {address(group->entries),
               count,
               (uint16_t)id,
               consumption == URING_BINDING_INCREMENTAL ? PBUF_RING_INC : 0,
               {0}};
  const int error = raw_register(ring, IORING_REGISTER_PBUF_RING, &request, 1);
  if (error < 0) {
    free_group(group);
    return error;
  }
  for (uint32_t i = 0; i < count; ++i) add_buffer(group, i);
  *created = group;
  return 0;
}

static void group_destroy(struct uring_binding_ring* ring, struct uring_binding_group* group) {
  const struct io_uring_buf_reg request = {.bgid = (uint16_t)group->id};
  raw_register(ring, IORING_UNREGISTER_PBUF_RING, &request, 1);
  free_group(group);
}

static int group_get(const struct uring_binding_group* group, const struct uring_binding_cqe* cqe,
                     void** data) {
  const uint32_t id = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
  if ((cqe->flags & IORING_CQE_F_BUFFER) == 0) return URING_BINDING_NO_BUFFER_SELECTED;
  if (id >= group->count) return -ERANGE;
  *data = group->memory + (size_t)id * group->size + group->used[id];
  return 0;
}

static int group_put(struct uring_binding_group* group, const struct uring_binding_cqe* cqe) {
  void* data;
  const int error = group_get(group, cqe, &data);
  if (error != 0) return error;
  const uint32_t id = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
  if ((cqe->flags & CQE_BUF_MORE) != 0) {
    group->used[id] += (uint32_t)cqe->res;
    return 0;
  }
  group->used[id] = 0;
  add_buffer(group, id);
  return 0;
}

const struct uring_binding_v1* uring_binding(void) {
  static const struct uring_binding_v1 table = {
      .size = sizeof table,
      .version = URING_BINDING_VERSION,
      .name = "raw",
      .binding_version = "1",
      .capabilities =
          URING_BINDING_SHOWS_INDICES | URING_BINDING_BUFFER_GROUPS | URING_BINDING_INCREMENTAL_GROUPS,
      .sqe_size = sizeof(struct io_uring_sqe),
      .cqe_size = sizeof(struct io_uring_cqe),
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
  return &table;
}
