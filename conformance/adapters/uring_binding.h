// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

/* The adapter ABI: the functions that a binding of io_uring must offer so that the 41 test files can judge
 * it. It is C, so that any language can implement it; no dependencies; integers and pointers only.
 *
 * An adapter is one object or static library that defines uring_binding() below and calls the binding as a
 * user of that binding would. README.md beside this file says how to write one in half an hour.
 *
 * Results: 0 or a count, or a negative number: the kernel's errno, such as -EINVAL, or one of the
 * URING_BINDING_ numbers. Never the C library's errno variable, never an exception, never a longjmp.
 * `*reason`, where there is one, is a string that stays valid until the next call.
 *
 * Threads: the suite calls from one thread at a time, and each ring from one thread.
 *
 * Ownership: rings and groups belong to the adapter from create and group_create until destroy and
 * group_destroy, which the suite calls once for each; groups before their ring. Memory that the suite passes
 * in stays the suite's. It is valid as long as the kernel needs it for that request or registration; the
 * arguments themselves are valid until the function returns, so an adapter must not keep a pointer to `struct
 * uring_binding_arguments`.
 *
 * System calls: the binding makes its own. The suite sees them from outside (seam/traps.h), so an adapter has
 * nothing to report.
 */
#ifndef URING_BINDING_H
#define URING_BINDING_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The table and the structs that are passed through it do not change any more: any addition makes a
 * uring_binding_v2. `size` exposes a table that was compiled against something else. Operations,
 * registrations and results may get new numbers: an adapter that does not know one answers that it is not
 * expressible. */
#define URING_BINDING_VERSION 1

/* Negative results that are not an errno. */
enum {
  URING_BINDING_NOT_EXPRESSIBLE =
      -10000,                          /* this binding cannot express it; *reason says why, in a sentence */
  URING_BINDING_ENTRIES_ZERO = -10001, /* create: the binding itself refuses it, without a system call */
  URING_BINDING_ENTRIES_NOT_POWER_OF_TWO = -10002, /* the same */
  URING_BINDING_NO_BUFFER_SELECTED = -10003,       /* group_get, group_put: the CQE names no buffer */
  URING_BINDING_REFUSED =
      -10004, /* the binding itself refused for another reason; never an errno in its place */
  URING_BINDING_ERRNO_LOST =
      -10005 /* a system call failed, and the binding does not tell its users with which errno */
};

/* Capabilities: what a binding offers beyond the minimum. */
enum {
  /* create itself refuses 0 entries and numbers that are no power of two. Without this bit the suite does not
     ask. */
  URING_BINDING_CHECKS_ENTRIES = 1u << 0,
  /* The function indices is implemented. */
  URING_BINDING_SHOWS_INDICES = 1u << 1,
  /* The group_ functions are implemented. Without them, rows with buffer rings are not expressible. */
  URING_BINDING_BUFFER_GROUPS = 1u << 2,
  /* group_create takes URING_BINDING_INCREMENTAL. */
  URING_BINDING_INCREMENTAL_GROUPS = 1u << 3
};

/* Operations as users of a binding think of them: multishot accept into slots of the kernel's choice is one
 * operation here, however a binding spells it. The comment after each names the arguments that it takes; all
 * others are 0. Numbers are never reused. */
enum uring_binding_operation {
  URING_BINDING_NOP = 0,
  URING_BINDING_READV = 1,       /* fd, address: iovecs, count: of them, offset */
  URING_BINDING_WRITEV = 2,      /* the same */
  URING_BINDING_READ = 3,        /* fd, address, length, offset */
  URING_BINDING_WRITE = 4,       /* the same */
  URING_BINDING_READ_FIXED = 5,  /* fd, address, length, offset, buffer: index among the registered ones */
  URING_BINDING_WRITE_FIXED = 6, /* the same */
  URING_BINDING_READ_SELECT = 7, /* into a buffer of a group: fd, group, length, offset */
  URING_BINDING_FSYNC = 8,       /* fd, flags */
  URING_BINDING_FALLOCATE = 9,   /* fd, mode, offset, length */
  URING_BINDING_SPLICE = 10, /* fd: from, offset: there or ~0, other_fd: to, other_offset, length, flags */
  URING_BINDING_STATX = 11, /* fd: directory, address: path, flags, mode: mask, other_address: struct statx */

  URING_BINDING_OPENAT = 12,        /* fd: directory, address: path, flags, mode */
  URING_BINDING_OPENAT_DIRECT = 13, /* the same, slot */
  URING_BINDING_CLOSE = 14,         /* fd */
  URING_BINDING_CLOSE_DIRECT = 15,  /* slot */
  URING_BINDING_RENAMEAT = 16,  /* fd, address: directory and path from; other_fd, other_address: to; flags */
  URING_BINDING_UNLINKAT = 17,  /* fd: directory, address: path, flags */
  URING_BINDING_MKDIRAT = 18,   /* fd: directory, address: path, mode */
  URING_BINDING_SYMLINKAT = 19, /* address: the text of the link; other_fd, other_address: its path */
  URING_BINDING_LINKAT = 20,    /* as renameat */

  URING_BINDING_SOCKET = 21,        /* domain, type, protocol, flags */
  URING_BINDING_SOCKET_DIRECT = 22, /* the same, slot: a number */
  URING_BINDING_SOCKET_DIRECT_ALLOC =
      23,                    /* domain, type, protocol, flags; into a slot of the kernel's choice */
  URING_BINDING_BIND = 24,   /* fd, address: sockaddr, length: of it, flags: 0 */
  URING_BINDING_LISTEN = 25, /* fd, count: backlog, flags: 0 */
  URING_BINDING_ACCEPT = 26, /* fd, address: sockaddr or null, other_address: socklen_t or null, flags */
  URING_BINDING_ACCEPT_MULTISHOT = 27,        /* the same */
  URING_BINDING_ACCEPT_DIRECT = 28,           /* the same, slot: a number or URING_BINDING_ANY_SLOT */
  URING_BINDING_ACCEPT_MULTISHOT_DIRECT = 29, /* as accept; into slots of the kernel's choice */
  URING_BINDING_CONNECT = 30,                 /* fd, address: sockaddr, length: of it */
  URING_BINDING_SHUTDOWN = 31,                /* fd, mode: SHUT_RD, SHUT_WR or SHUT_RDWR */
  URING_BINDING_SEND = 32,                    /* fd, address, length, flags: MSG_ */
  URING_BINDING_SEND_ZC = 33,                 /* the same, mode: flags of zero copy, IORING_RECVSEND_ */
  URING_BINDING_SENDMSG = 34,                 /* fd, address: msghdr, flags: MSG_ */
  URING_BINDING_RECV = 35,                    /* fd, address, length, flags: MSG_ */
  URING_BINDING_RECV_SELECT = 36,             /* into a buffer of a group: fd, group, length, flags */
  URING_BINDING_RECV_MULTISHOT = 37,          /* again and again: fd, group, flags */
  URING_BINDING_RECVMSG = 38,                 /* fd, address: msghdr, flags: MSG_ */
  URING_BINDING_SETSOCKOPT = 39,              /* fd, level, option, address: the value, length: of it */
  URING_BINDING_GETSOCKOPT = 40,              /* the same */

  URING_BINDING_TIMEOUT = 41,         /* address: struct __kernel_timespec, count, flags */
  URING_BINDING_TIMEOUT_REMOVE = 42,  /* target: user_data of the timeout, flags */
  URING_BINDING_LINK_TIMEOUT = 43,    /* address: struct __kernel_timespec, flags */
  URING_BINDING_CANCEL = 44,          /* target: user_data of the request, flags */
  URING_BINDING_PROVIDE_BUFFERS = 45, /* address, length: of one, count, group, buffer: id of the first */
  URING_BINDING_REMOVE_BUFFERS = 46,  /* count, group */
  URING_BINDING_WAITID = 47, /* type: P_PID ..., fd: the id, address: siginfo_t, mode: options, flags: 0 */

  URING_BINDING_OPERATIONS /* how many there are; not an operation */
};

/* A slot of the kernel's choice. */
#define URING_BINDING_ANY_SLOT UINT32_MAX

struct uring_binding_arguments {
  uint64_t user_data; /* of every operation: comes back in the CQE, all 64 bits */
  int32_t fd;         /* a descriptor; a slot when the suite sets IOSQE_FIXED_FILE in the SQE afterwards */
  int32_t other_fd;
  void* address; /* also of memory that is only read, such as a path */
  void* other_address;
  uint64_t offset;
  uint64_t other_offset;
  uint64_t length; /* bytes */
  uint64_t target; /* user_data of another request */
  uint32_t count;
  uint32_t flags;
  uint32_t mode;
  uint32_t slot; /* of the registered table: 0 is the first */
  uint32_t domain;
  uint32_t type;
  uint32_t protocol;
  uint32_t level;
  uint32_t option;
  uint32_t buffer;
  uint32_t group;
};

/* Registrations: io_uring_register(2). */
enum uring_binding_registration {
  URING_BINDING_REGISTER_FILES = 0,        /* argument: int32_t[count], -1 leaves a slot empty */
  URING_BINDING_REGISTER_FILES_UPDATE = 1, /* argument: int32_t[count], first; returns how many were done */
  URING_BINDING_UNREGISTER_FILES = 2,
  URING_BINDING_REGISTER_BUFFERS = 3, /* argument: struct iovec[count] */
  URING_BINDING_UNREGISTER_BUFFERS = 4,
  /* argument: uint8_t[count]. Asks the kernel through the binding which operations it has, and writes the
   * binding's answer, 1 or 0, for each opcode below count. */
  URING_BINDING_PROBE = 5
};

struct uring_binding_cqe {
  uint64_t user_data;
  int32_t res;
  uint32_t flags;
};

/* A ring as its binding describes it. */
struct uring_binding_facts {
  int32_t fd;
  uint32_t
      features; /* IORING_FEAT_ flags, as far as the binding shows them; none that the kernel did not set */
  uint32_t sq_entries;
  uint32_t cq_entries;
};

/* The binding's own counters of the submission queue. Both count entries since create, wrapping at 2^32. */
struct uring_binding_indices {
  uint32_t sqe_head; /* SQEs published to the kernel */
  uint32_t sqe_tail; /* SQEs handed out by get_sqe */
};

/* How a receive uses up the buffer it takes. */
enum uring_binding_consumption {
  URING_BINDING_WHOLE = 0, /* a buffer belongs to one CQE */
  URING_BINDING_INCREMENTAL =
      1 /* the next CQE continues where the last one ended (IOU_PBUF_RING_INC, 6.12) */
};

struct uring_binding_ring;  /* the adapter's; the suite only passes the pointer on */
struct uring_binding_group; /* the same */

struct uring_binding_v1 {
  uint32_t size;    /* sizeof(struct uring_binding_v1), as the adapter knows it */
  uint32_t version; /* URING_BINDING_VERSION */

  const char* name;            /* the binding's name in reports, without spaces: "liburing" */
  const char* binding_version; /* of the binding, not of the adapter: "2.3" */
  uint64_t capabilities;       /* URING_BINDING_CHECKS_ENTRIES ... */
  uint32_t sqe_size;           /* sizeof the binding's own types: 64 and 16 */
  uint32_t cqe_size;

  /* Opens a ring with room for `entries` SQEs and the IORING_SETUP_ flags `flags` (usually 0), in the way
   * that the binding recommends. Returns 0 and sets *ring, or leaves nothing open and returns the kernel's
   * errno. */
  int (*create)(uint32_t entries, uint32_t flags, struct uring_binding_ring** ring, const char** reason);

  /* Closes the ring: descriptor, mappings, memory. Requests may be in flight. */
  void (*destroy)(struct uring_binding_ring* ring);

  void (*describe)(const struct uring_binding_ring* ring, struct uring_binding_facts* facts);

  /* The next free SQE, 64 bytes in the kernel's layout, or null if the queue is full. The suite may change
   * what prepare wrote there (flags, or all of it) until the next submit, which sends the final bytes. The
   * kernel must not see the SQE earlier. If a binding copies entries into its queue, the adapter hands out
   * entries of its own here and copies them at submit; but the binding decides whether there is room. */
  void* (*get_sqe)(struct uring_binding_ring* ring);

  /* Fills `sqe` with the operation, in the binding's own encoding. `sqe` is the one that get_sqe just
   * returned, or (when only encodings are checked) 64 zero bytes that belong to no ring. Returns 0, or
   * URING_BINDING_NOT_EXPRESSIBLE (also for a length that does not fit the binding's parameter), or
   * URING_BINDING_REFUSED if the binding itself refuses these arguments. */
  int (*prepare)(void* sqe, uint32_t operation, const struct uring_binding_arguments* arguments,
                 const char** reason);

  /* Submits the SQEs that were handed out. Returns how many the kernel consumed, or the errno of
   * io_uring_enter(2), or URING_BINDING_REFUSED if the binding cannot even queue them. */
  int (*submit)(struct uring_binding_ring* ring);

  /* The same, but returns only once at least `wait_nr` CQEs are available. */
  int (*submit_and_wait)(struct uring_binding_ring* ring, uint32_t wait_nr);

  /* io_uring_enter(2) on this ring with these arguments and no others. URING_BINDING_NOT_EXPRESSIBLE, without
   * a system call, if the binding has no such function: no row needs it. */
  int (*enter)(struct uring_binding_ring* ring, uint32_t to_submit, uint32_t min_complete, uint32_t flags);

  /* The number of SQEs handed out and not yet consumed by the kernel; the number of CQEs that wait to be
   * read. */
  uint32_t (*sq_ready)(const struct uring_binding_ring* ring);
  uint32_t (*cq_ready)(const struct uring_binding_ring* ring);

  /* Copies the oldest CQEs, at most `room`, gives their entries back to the kernel, and returns their number.
   * If any are available it returns at once. If none is, it waits for at least `wait_nr`, in one sleep and
   * not by polling; with `wait_nr` 0 it returns 0. Completions that the kernel holds back because the queue
   * was full (IORING_SQ_CQ_OVERFLOW in the SQ's flags) count as available: enter with IORING_ENTER_GETEVENTS
   * fetches them. On failure it returns the errno of io_uring_enter(2), including EINTR. */
  int (*copy_cqes)(struct uring_binding_ring* ring, struct uring_binding_cqe* cqes, uint32_t room,
                   uint32_t wait_nr);

  /* enum uring_binding_registration, with the arguments named there. Returns the kernel's result or errno. */
  int (*do_register)(struct uring_binding_ring* ring, uint32_t registration, void* argument, uint32_t count,
                     uint32_t first, const char** reason);

  /* Only with URING_BINDING_SHOWS_INDICES, otherwise null. */
  void (*indices)(const struct uring_binding_ring* ring, struct uring_binding_indices* indices);

  /* Only with URING_BINDING_BUFFER_GROUPS, otherwise all four are null.
   *
   * group_create: cuts `memory` into `count` buffers of `size` bytes, numbers them from 0, and hands all of
   * them to the kernel in that order, as the buffer ring `group` (IORING_REGISTER_PBUF_RING). `count` is a
   * power of two. Returns 0 or the errno, unchanged and at the first attempt: EINVAL means that this kernel
   * lacks buffer rings or this consumption. Only a binding that by itself asks again for whole buffers may do
   * so; the suite sees what the kernel accepted. */
  int (*group_create)(struct uring_binding_ring* ring, uint32_t group, void* memory, uint32_t count,
                      uint32_t size, uint32_t consumption, struct uring_binding_group** created,
                      const char** reason);

  /* Unregisters it. The memory is the suite's again. */
  void (*group_destroy)(struct uring_binding_ring* ring, struct uring_binding_group* group);

  /* Sets *data to the bytes of this CQE (res is their number), which stay valid until group_put. The CQEs of
   * one buffer come in order, each with get and then put. Returns 0, or URING_BINDING_NO_BUFFER_SELECTED if
   * the CQE names no buffer (IORING_CQE_F_BUFFER is not set). */
  int (*group_get)(const struct uring_binding_group* group, const struct uring_binding_cqe* cqe, void** data);

  /* Gives the bytes back: a buffer that the kernel still uses (IORING_CQE_F_BUF_MORE) stays where it is, any
   * other is handed to the kernel again as a whole. Returns the same as group_get. */
  int (*group_put)(struct uring_binding_group* group, const struct uring_binding_cqe* cqe);
};

/* The one symbol that an adapter defines. The table is constant and lives as long as the program. This is
 * called before main, and the process may fork between that and the first create: start threads in create,
 * not here. The signals SIGSYS, SIGALRM, SIGUSR1 and SIGPIPE are reserved for the suite; a thread that blocks
 * SIGSYS is killed at its next mmap or close. */
const struct uring_binding_v1* uring_binding(void);

#ifdef __cplusplus
}
#endif

#endif
