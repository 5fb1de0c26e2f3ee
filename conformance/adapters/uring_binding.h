/* The waist: what a binding of io_uring must offer so that the 41 test files can judge it. C, so that any language can
 * speak it; no dependency; integers and pointers only.
 *
 * An adapter is one object or static library that defines uring_binding() below and calls the binding as a user of
 * that binding would. README.md beside this file says how to write one in half an hour.
 *
 * Results: 0 or a count, or a negative number: the kernel's errno as -EINVAL, or one of the URING_BINDING_ numbers.
 * Never the C library's errno variable, never an exception, never a longjmp. `*reason`, where there is one, is a text that
 * stays until the next call.
 *
 * Threads: the suite calls from one thread at a time, and each ring from one thread.
 *
 * Ownership: what create and group_create return belongs to the adapter until destroy and group_destroy, which the
 * suite calls once for each; groups before their ring. Memory that the suite passes in stays the suite's. It is valid
 * as long as the kernel needs it for that request or registration, and arguments themselves until the function
 * returns: an adapter keeps no pointer to `struct uring_binding_arguments`.
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

/* The table and the structs that are passed through it do not change any more: whatever is added makes a
 * uring_binding_v2. `size` tells a table that was compiled against something else. */
#define URING_BINDING_VERSION 1

/* Negative results that are not an errno. */
enum {
  URING_BINDING_NOT_EXPRESSIBLE = -10000, /* this binding cannot express it; *reason says why, in a sentence */
  URING_BINDING_ENTRIES_ZERO = -10001,    /* create: refused by the binding itself, without a system call */
  URING_BINDING_ENTRIES_NOT_POWER_OF_TWO = -10002, /* the same */
  URING_BINDING_NO_BUFFER_SELECTED = -10003,       /* group_get, group_put: the CQE names no buffer */
  URING_BINDING_REFUSED = -10004 /* the binding itself refused for another reason: never dressed up as an errno */
};

/* What a binding offers beyond the least. */
enum {
  /* create itself refuses 0 entries and numbers that are no power of two. Without this bit the suite does not ask. */
  URING_BINDING_CHECKS_ENTRIES = 1u << 0,
  /* indices is there. */
  URING_BINDING_SHOWS_INDICES = 1u << 1,
  /* The group_ functions are there. Without them, rows with buffer rings are not expressible. */
  URING_BINDING_BUFFER_GROUPS = 1u << 2,
  /* group_create takes URING_BINDING_INCREMENTAL. */
  URING_BINDING_INCREMENTAL_GROUPS = 1u << 3
};

/* An operation as a user of a binding names it: accepting again and again into slots of the kernel's choice is one
 * operation here, however a binding spells it. After each are the arguments that it takes; all others are 0.
 * Numbers are never used for something else. */
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
  URING_BINDING_SPLICE = 10,     /* fd: from, offset: there or ~0, other_fd: to, other_offset, length, flags */
  URING_BINDING_STATX = 11,      /* fd: directory, address: path, flags, mode: mask, other_address: struct statx */

  URING_BINDING_OPENAT = 12,        /* fd: directory, address: path, flags, mode */
  URING_BINDING_OPENAT_DIRECT = 13, /* the same, slot */
  URING_BINDING_CLOSE = 14,         /* fd */
  URING_BINDING_CLOSE_DIRECT = 15,  /* slot */
  URING_BINDING_RENAMEAT = 16,      /* fd, address: directory and path from; other_fd, other_address: to; flags */
  URING_BINDING_UNLINKAT = 17,      /* fd: directory, address: path, flags */
  URING_BINDING_MKDIRAT = 18,       /* fd: directory, address: path, mode */
  URING_BINDING_SYMLINKAT = 19,     /* address: the text of the link; other_fd, other_address: where it lies */
  URING_BINDING_LINKAT = 20,        /* as renameat */

  URING_BINDING_SOCKET = 21,              /* domain, type, protocol, flags */
  URING_BINDING_SOCKET_DIRECT = 22,       /* the same, slot: a number */
  URING_BINDING_SOCKET_DIRECT_ALLOC = 23, /* domain, type, protocol, flags; into a slot of the kernel's choice */
  URING_BINDING_BIND = 24,                /* fd, address: sockaddr, length: of it, flags: 0 */
  URING_BINDING_LISTEN = 25,              /* fd, count: backlog, flags: 0 */
  URING_BINDING_ACCEPT = 26,              /* fd, address: sockaddr or null, other_address: socklen_t or null, flags */
  URING_BINDING_ACCEPT_MULTISHOT = 27,    /* the same */
  URING_BINDING_ACCEPT_DIRECT = 28,       /* the same, slot: a number or URING_BINDING_ANY_SLOT */
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
  URING_BINDING_SETSOCKOPT = 39, /* fd, level, option, address: the value, length: of it */
  URING_BINDING_GETSOCKOPT = 40, /* the same */

  URING_BINDING_TIMEOUT = 41,        /* address: struct __kernel_timespec, count, flags */
  URING_BINDING_TIMEOUT_REMOVE = 42, /* target: user_data of the timeout, flags */
  URING_BINDING_LINK_TIMEOUT = 43,   /* address: struct __kernel_timespec, flags */
  URING_BINDING_CANCEL = 44,         /* target: user_data of the request, flags */
  URING_BINDING_PROVIDE_BUFFERS = 45, /* address, length: of one, count, group, buffer: id of the first */
  URING_BINDING_REMOVE_BUFFERS = 46,  /* count, group */
  URING_BINDING_WAITID = 47,          /* type: P_PID ..., fd: the id, address: siginfo_t, mode: options, flags: 0 */

  URING_BINDING_OPERATIONS /* how many there are; not an operation */
};

/* A slot of the kernel's choice. */
#define URING_BINDING_ANY_SLOT UINT32_MAX

struct uring_binding_arguments {
  uint64_t user_data; /* of every operation: comes back in the CQE, all 64 bits */
  int32_t fd;         /* a descriptor; a slot when the suite sets IOSQE_FIXED_FILE in the SQE afterwards */
  int32_t other_fd;
  void *address; /* of what is only read, too: the operation says which way */
  void *other_address;
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

/* What io_uring_register(2) is asked for. */
enum uring_binding_registration {
  URING_BINDING_REGISTER_FILES = 0,        /* argument: int32_t[count], -1 leaves a slot empty */
  URING_BINDING_REGISTER_FILES_UPDATE = 1, /* argument: int32_t[count], first; returns how many were done */
  URING_BINDING_UNREGISTER_FILES = 2,
  URING_BINDING_REGISTER_BUFFERS = 3, /* argument: struct iovec[count] */
  URING_BINDING_UNREGISTER_BUFFERS = 4,
  /* argument: uint8_t[count]. Asks the kernel which operations it has, through the binding, and writes 1 or 0 for each
   * opcode below count, as the binding answers. */
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
  uint32_t features; /* IORING_FEAT_, as far as the binding tells: none that the kernel did not name */
  uint32_t sq_entries;
  uint32_t cq_entries;
};

/* The binding's own counters of the submission queue. Both count entries since the ring was made, wrapping at 2^32. */
struct uring_binding_indices {
  uint32_t sqe_head; /* SQEs published to the kernel */
  uint32_t sqe_tail; /* SQEs handed out by get_sqe */
};

/* How a receive uses up the buffer it takes. */
enum uring_binding_consumption {
  URING_BINDING_WHOLE = 0,      /* a buffer belongs to one CQE */
  URING_BINDING_INCREMENTAL = 1 /* the next CQE continues where the last one ended (IOU_PBUF_RING_INC, 6.12) */
};

struct uring_binding_ring;  /* the adapter's; the suite only passes the pointer on */
struct uring_binding_group; /* the same */

struct uring_binding_v1 {
  uint32_t size;    /* sizeof(struct uring_binding_v1), as the adapter knows it */
  uint32_t version; /* URING_BINDING_VERSION */

  const char *name;            /* what reports call it, without spaces: "liburing" */
  const char *binding_version; /* of the binding, not of the adapter: "2.3" */
  uint64_t capabilities;       /* URING_BINDING_CHECKS_ENTRIES ... */
  uint32_t sqe_size;           /* sizeof the binding's own types, 64 and 16 */
  uint32_t cqe_size;

  /* Opens a ring with room for `entries` SQEs and the flags IORING_SETUP_ `flags` (0, as a rule), in the way that the
   * binding recommends. 0: *ring is it. Otherwise nothing is left open; the errno is the kernel's. */
  int (*create)(uint32_t entries, uint32_t flags, struct uring_binding_ring **ring, const char **reason);

  /* Closes it: descriptor, mappings, memory. Requests may be in flight. */
  void (*destroy)(struct uring_binding_ring *ring);

  void (*describe)(const struct uring_binding_ring *ring, struct uring_binding_facts *facts);

  /* The next free SQE, 64 bytes in the kernel's layout, or null when the queue is full. The suite may change what
   * prepare wrote there (flags, or all of it) until the next submit, which sends what is there then. The kernel must
   * not see the SQE before. A binding that copies entries into its queue hands out entries of the adapter here, and
   * copies at submit; but whether there is room, the binding says. */
  void *(*get_sqe)(struct uring_binding_ring *ring);

  /* Makes `sqe` ask for the operation, in the binding's own encoding. `sqe` is what get_sqe just returned, or (when only
   * encodings are looked at) 64 zero bytes that belong to no ring. 0, or URING_BINDING_NOT_EXPRESSIBLE. */
  int (*prepare)(void *sqe, uint32_t operation, const struct uring_binding_arguments *arguments, const char **reason);

  /* Submits what was handed out. How many SQEs the kernel consumed, or the errno of io_uring_enter(2), or
   * URING_BINDING_REFUSED where the binding cannot even queue it. */
  int (*submit)(struct uring_binding_ring *ring);

  /* The same, and returns once at least `wait_nr` CQEs are there. */
  int (*submit_and_wait)(struct uring_binding_ring *ring, uint32_t wait_nr);

  /* io_uring_enter(2) on this ring with these arguments and no others. URING_BINDING_NOT_EXPRESSIBLE, without a system
   * call, if the binding has no such function: no row needs it. */
  int (*enter)(struct uring_binding_ring *ring, uint32_t to_submit, uint32_t min_complete, uint32_t flags);

  /* SQEs handed out and not yet consumed by the kernel; CQEs that wait to be read. */
  uint32_t (*sq_ready)(const struct uring_binding_ring *ring);
  uint32_t (*cq_ready)(const struct uring_binding_ring *ring);

  /* Copies the oldest CQEs, at most `room`, gives them back to the kernel, and returns how many. What is there is
   * returned at once. If nothing is, waits for at least `wait_nr`, in one sleep and not by asking again and again;
   * with 0 it returns 0. Completions that the kernel holds back because the queue was full (IORING_SQ_CQ_OVERFLOW in
   * the SQ's flags) are there too: enter with IORING_ENTER_GETEVENTS fetches them. Or the errno of io_uring_enter(2),
   * EINTR too. */
  int (*copy_cqes)(struct uring_binding_ring *ring, struct uring_binding_cqe *cqes, uint32_t room, uint32_t wait_nr);

  /* enum uring_binding_registration, with the arguments named there. What the kernel returned, or its errno. */
  int (*do_register)(struct uring_binding_ring *ring, uint32_t registration, void *argument, uint32_t count,
                     uint32_t first, const char **reason);

  /* With URING_BINDING_SHOWS_INDICES, otherwise null. */
  void (*indices)(const struct uring_binding_ring *ring, struct uring_binding_indices *indices);

  /* With URING_BINDING_BUFFER_GROUPS, otherwise all four are null.
   *
   * group_create: cuts `memory` into `count` buffers of `size` bytes, numbers them from 0, and hands all of them to the
   * kernel in that order, as the buffer ring `group` (IORING_REGISTER_PBUF_RING). `count` is a power of two. 0, or the
   * errno, unchanged and at the first attempt: EINVAL says that this kernel lacks buffer rings or the consumption. */
  int (*group_create)(struct uring_binding_ring *ring, uint32_t group, void *memory, uint32_t count, uint32_t size,
                      uint32_t consumption, struct uring_binding_group **created, const char **reason);

  /* Unregisters it. The memory is the suite's again. */
  void (*group_destroy)(struct uring_binding_ring *ring, struct uring_binding_group *group);

  /* Where the bytes of this CQE are (res says how many), until group_put. The CQEs of one buffer come in order, each
   * with get and then put. 0, or URING_BINDING_NO_BUFFER_SELECTED when the CQE names no buffer (IORING_CQE_F_BUFFER). */
  int (*group_get)(const struct uring_binding_group *group, const struct uring_binding_cqe *cqe, void **data);

  /* Gives them back: a buffer that the kernel still uses (IORING_CQE_F_BUF_MORE) stays where it is, any other is
   * handed to the kernel again, whole. Result as group_get. */
  int (*group_put)(struct uring_binding_group *group, const struct uring_binding_cqe *cqe);
};

/* The one symbol that an adapter defines. The table is constant and lives as long as the program. It is asked for once,
 * before main, and the process may fork between that and the first create: start threads in create, not here. The
 * signals SIGSYS, SIGALRM and SIGPIPE are the suite's; a thread that blocks SIGSYS dies by its next mmap or close. */
const struct uring_binding_v1 *uring_binding(void);

#ifdef __cplusplus
}
#endif

#endif
