// The kernel's io_uring interface, declared here so that the binding builds on any distribution, however
// old its headers. Values and layouts are those of include/uapi/linux/io_uring.h up to Linux 7.3; a test
// compares them with the installed header. The number behind each name is the first release that has it.
//
// Names are the kernel's in lower case, without IORING_ (IORING_SETUP_SQPOLL is setup_sqpoll,
// IOSQE_IO_LINK is sqe_io_link, IORING_OP_READV is Op::readv).
#ifndef URING_ABI_H
#define URING_ABI_H

#include <cstddef>
#include <cstdint>

namespace uring {

using i32 = std::int32_t;
using i64 = std::int64_t;
using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

// What an SQE asks for: io_uring_enter(2).
enum class Op : u8 {
  nop = 0,                        // 5.1
  readv = 1,                      // 5.1
  writev = 2,                     // 5.1
  fsync = 3,                      // 5.1
  read_fixed = 4,                 // 5.1
  write_fixed = 5,                // 5.1
  poll_add = 6,                   // 5.1
  poll_remove = 7,                // 5.1
  sync_file_range = 8,            // 5.2
  sendmsg = 9,                    // 5.3
  recvmsg = 10,                   // 5.3
  timeout = 11,                   // 5.4
  timeout_remove = 12,            // 5.5
  accept = 13,                    // 5.5
  async_cancel = 14,              // 5.5
  link_timeout = 15,              // 5.5
  connect = 16,                   // 5.5
  fallocate = 17,                 // 5.6
  openat = 18,                    // 5.6
  close = 19,                     // 5.6
  files_update = 20,              // 5.6
  statx = 21,                     // 5.6
  read = 22,                      // 5.6
  write = 23,                     // 5.6
  fadvise = 24,                   // 5.6
  madvise = 25,                   // 5.6
  send = 26,                      // 5.6
  recv = 27,                      // 5.6
  openat2 = 28,                   // 5.6
  epoll_ctl = 29,                 // 5.6
  splice = 30,                    // 5.7
  provide_buffers = 31,           // 5.7
  remove_buffers = 32,            // 5.7
  tee = 33,                       // 5.8
  shutdown = 34,                  // 5.11
  renameat = 35,                  // 5.11
  unlinkat = 36,                  // 5.11
  mkdirat = 37,                   // 5.15
  symlinkat = 38,                 // 5.15
  linkat = 39,                    // 5.15
  msg_ring = 40,                  // 5.18
  fsetxattr = 41,                 // 5.19
  setxattr = 42,                  // 5.19
  fgetxattr = 43,                 // 5.19
  getxattr = 44,                  // 5.19
  socket = 45,                    // 5.19
  uring_cmd = 46,                 // 5.19
  send_zc = 47,                   // 6.0
  sendmsg_zc = 48,                // 6.1
  read_multishot = 49,            // 6.7
  waitid = 50,                    // 6.7
  futex_wait = 51,                // 6.7
  futex_wake = 52,                // 6.7
  futex_waitv = 53,               // 6.7
  fixed_fd_install = 54,          // 6.8
  ftruncate = 55,                 // 6.9
  bind = 56,                      // 6.11
  listen = 57,                    // 6.11
  recv_zc = 58,                   // 6.15
  epoll_wait = 59,                // 6.15
  readv_fixed = 60,               // 6.15
  writev_fixed = 61,              // 6.15
  pipe = 62,                      // 6.16
  nop128 = 63,                    // 6.19
  uring_cmd128 = 64,              // 6.19
};

// What io_uring_register(2) is asked for. UNREGISTER_X is unregister_x.
enum class RegisterOp : u32 {
  buffers = 0,                    // 5.1
  unregister_buffers = 1,         // 5.1
  files = 2,                      // 5.1
  unregister_files = 3,           // 5.1
  eventfd = 4,                    // 5.2
  unregister_eventfd = 5,         // 5.2
  files_update = 6,               // 5.5
  eventfd_async = 7,              // 5.6
  probe = 8,                      // 5.6
  personality = 9,                // 5.6
  unregister_personality = 10,    // 5.6
  restrictions = 11,              // 5.10
  enable_rings = 12,              // 5.10
  files2 = 13,                    // 5.13
  files_update2 = 14,             // 5.13
  buffers2 = 15,                  // 5.13
  buffers_update = 16,            // 5.13
  iowq_aff = 17,                  // 5.14
  unregister_iowq_aff = 18,       // 5.14
  iowq_max_workers = 19,          // 5.15
  ring_fds = 20,                  // 5.18
  unregister_ring_fds = 21,       // 5.18
  pbuf_ring = 22,                 // 5.19
  unregister_pbuf_ring = 23,      // 5.19
  sync_cancel = 24,               // 6.0
  file_alloc_range = 25,          // 6.0
  pbuf_status = 26,               // 6.8
  napi = 27,                      // 6.9
  unregister_napi = 28,           // 6.9
  clock = 29,                     // 6.12
  clone_buffers = 30,             // 6.12
  send_msg_ring = 31,             // 6.13
  zcrx_ifq = 32,                  // 6.15
  resize_rings = 33,              // 6.13
  mem_region = 34,                // 6.13
  query = 35,                     // 6.18
  zcrx_ctrl = 36,                 // 6.19
  bpf_filter = 37,                // 7.0
};

// Sqe::flags.
inline constexpr u8 sqe_fixed_file = 1;                   // 5.1
inline constexpr u8 sqe_io_drain = 2;                     // 5.2
inline constexpr u8 sqe_io_link = 4;                      // 5.3
inline constexpr u8 sqe_io_hardlink = 8;                  // 5.5
inline constexpr u8 sqe_async = 0x10;                     // 5.6
inline constexpr u8 sqe_buffer_select = 0x20;             // 5.7
inline constexpr u8 sqe_cqe_skip_success = 0x40;          // 5.17

// Params::flags, io_uring_setup(2).
inline constexpr u32 setup_iopoll = 1;                    // 5.1
inline constexpr u32 setup_sqpoll = 2;                    // 5.1
inline constexpr u32 setup_sq_aff = 4;                    // 5.1
inline constexpr u32 setup_cqsize = 8;                    // 5.5
inline constexpr u32 setup_clamp = 0x10;                  // 5.6
inline constexpr u32 setup_attach_wq = 0x20;              // 5.6
inline constexpr u32 setup_r_disabled = 0x40;             // 5.10
inline constexpr u32 setup_submit_all = 0x80;             // 5.18
inline constexpr u32 setup_coop_taskrun = 0x100;          // 5.19
inline constexpr u32 setup_taskrun_flag = 0x200;          // 5.19
inline constexpr u32 setup_sqe128 = 0x400;                // 5.19
inline constexpr u32 setup_cqe32 = 0x800;                 // 5.19
inline constexpr u32 setup_single_issuer = 0x1000;        // 6.0
inline constexpr u32 setup_defer_taskrun = 0x2000;        // 6.1
inline constexpr u32 setup_no_mmap = 0x4000;              // 6.5
inline constexpr u32 setup_registered_fd_only = 0x8000;   // 6.5
inline constexpr u32 setup_no_sqarray = 0x10000;          // 6.6
inline constexpr u32 setup_hybrid_iopoll = 0x20000;       // 6.13
inline constexpr u32 setup_cqe_mixed = 0x40000;           // 6.18
inline constexpr u32 setup_sqe_mixed = 0x80000;           // 6.19
inline constexpr u32 setup_sq_rewind = 0x100000;          // 7.0

// Params::features, set by the kernel.
inline constexpr u32 feat_single_mmap = 1;                // 5.4
inline constexpr u32 feat_nodrop = 2;                     // 5.5
inline constexpr u32 feat_submit_stable = 4;              // 5.5
inline constexpr u32 feat_rw_cur_pos = 8;                 // 5.6
inline constexpr u32 feat_cur_personality = 0x10;         // 5.6
inline constexpr u32 feat_fast_poll = 0x20;               // 5.7
inline constexpr u32 feat_poll_32bits = 0x40;             // 5.9
inline constexpr u32 feat_sqpoll_nonfixed = 0x80;         // 5.11
inline constexpr u32 feat_ext_arg = 0x100;                // 5.11
inline constexpr u32 feat_native_workers = 0x200;         // 5.12
inline constexpr u32 feat_rsrc_tags = 0x400;              // 5.13
inline constexpr u32 feat_cqe_skip = 0x800;               // 5.17
inline constexpr u32 feat_linked_file = 0x1000;           // 5.18
inline constexpr u32 feat_reg_reg_ring = 0x2000;          // 6.3
inline constexpr u32 feat_recvsend_bundle = 0x4000;       // 6.10
inline constexpr u32 feat_min_timeout = 0x8000;           // 6.12
inline constexpr u32 feat_rw_attr = 0x10000;              // 6.14
inline constexpr u32 feat_no_iowait = 0x20000;            // 6.15

// Flags of io_uring_enter(2).
inline constexpr u32 enter_getevents = 1;                 // 5.1
inline constexpr u32 enter_sq_wakeup = 2;                 // 5.1
inline constexpr u32 enter_sq_wait = 4;                   // 5.10
inline constexpr u32 enter_ext_arg = 8;                   // 5.11
inline constexpr u32 enter_registered_ring = 0x10;        // 5.18
inline constexpr u32 enter_abs_timer = 0x20;              // 6.12
inline constexpr u32 enter_ext_arg_reg = 0x40;            // 6.13
inline constexpr u32 enter_no_iowait = 0x80;              // 6.15

// Cqe::flags. The upper 16 bits are the buffer id when cqe_f_buffer is set.
inline constexpr u32 cqe_f_buffer = 1;                    // 5.7
inline constexpr u32 cqe_f_more = 2;                      // 5.13
inline constexpr u32 cqe_f_sock_nonempty = 4;             // 5.19
inline constexpr u32 cqe_f_notif = 8;                     // 6.0
inline constexpr u32 cqe_f_buf_more = 0x10;               // 6.12
inline constexpr u32 cqe_f_skip = 0x20;                   // 6.18
inline constexpr u32 cqe_f_32 = 0x8000;                   // 6.18

inline constexpr u32 cqe_buffer_shift = 16;               // 5.7

// The SQ ring's flags word.
inline constexpr u32 sq_need_wakeup = 1;                  // 5.1
inline constexpr u32 sq_cq_overflow = 2;                  // 5.8
inline constexpr u32 sq_taskrun = 4;                      // 5.19

// Sqe::op_flags of an FSYNC.
inline constexpr u32 fsync_datasync = 1;                  // 5.1

// Sqe::off (cmd_op) of a URING_CMD on a socket.
inline constexpr u32 socket_op_siocinq = 0;               // 6.6
inline constexpr u32 socket_op_siocoutq = 1;              // 6.6
inline constexpr u32 socket_op_getsockopt = 2;            // 6.7
inline constexpr u32 socket_op_setsockopt = 3;            // 6.7
inline constexpr u32 socket_op_tx_timestamp = 4;          // 6.17
inline constexpr u32 socket_op_getsockname = 5;           // 6.19

// Offsets for mmap(2) on the ring's descriptor.
inline constexpr u64 off_sq_ring = 0;                     // 5.1
inline constexpr u64 off_cq_ring = 0x8000000;             // 5.1, the same memory as off_sq_ring since 5.4
inline constexpr u64 off_sqes = 0x10000000;               // 5.1

// ProbeOp::flags.
inline constexpr u16 op_supported = 1;                    // 5.6

// A submission queue entry. The kernel's header overlays several names on one field; here each field has one
// name, the first of these: off (addr2, cmd_op), addr (splice_off_in; level in the low and optname in the high
// half), op_flags (rw_flags, msg_flags, and every other per-operation flag word), buf_index (buf_group),
// file_index (splice_fd_in, optlen, addr_len), addr3 (optval, the first half of cmd).
struct Sqe {
  Op opcode;        // what to do
  u8 flags;         // sqe_*; set after the operation was prepared
  u16 ioprio;       // priority, or flags of accept, send and receive
  i32 fd;           // a descriptor, or a slot of the registered table with sqe_fixed_file
  u64 off;
  u64 addr;
  u32 len;
  u32 op_flags;
  u64 user_data;    // comes back in Cqe::user_data
  u16 buf_index;
  u16 personality;  // credentials registered before, 0: the submitter's
  u32 file_index;
  u64 addr3;
  u64 reserved;

  friend bool operator==(const Sqe&, const Sqe&) noexcept = default;
};
static_assert(sizeof(Sqe) == 64 && alignof(Sqe) == alignof(u64));
static_assert(offsetof(Sqe, opcode) == 0 && offsetof(Sqe, flags) == 1 && offsetof(Sqe, ioprio) == 2);
static_assert(offsetof(Sqe, fd) == 4 && offsetof(Sqe, off) == 8 && offsetof(Sqe, addr) == 16);
static_assert(offsetof(Sqe, len) == 24 && offsetof(Sqe, op_flags) == 28 && offsetof(Sqe, user_data) == 32);
static_assert(offsetof(Sqe, buf_index) == 40 && offsetof(Sqe, personality) == 42);
static_assert(offsetof(Sqe, file_index) == 44 && offsetof(Sqe, addr3) == 48 && offsetof(Sqe, reserved) == 56);

// A completion queue entry.
struct Cqe {
  u64 user_data;  // of the SQE
  i32 res;        // what the system call of that name would have returned: a value or a negative errno
  u32 flags;      // cqe_f_*

  friend bool operator==(const Cqe&, const Cqe&) noexcept = default;
};
static_assert(sizeof(Cqe) == 16 && alignof(Cqe) == alignof(u64));
static_assert(offsetof(Cqe, user_data) == 0 && offsetof(Cqe, res) == 8 && offsetof(Cqe, flags) == 12);

// Where things lie in the SQ ring mapping, in bytes. Filled in by the kernel; never assume the values.
struct SqRingOffsets {
  u32 head, tail, ring_mask, ring_entries, flags, dropped, array, resv1;
  u64 user_addr;
};
static_assert(sizeof(SqRingOffsets) == 40 && offsetof(SqRingOffsets, array) == 24);
static_assert(offsetof(SqRingOffsets, flags) == 16 && offsetof(SqRingOffsets, user_addr) == 32);

// Where things lie in the CQ ring mapping, in bytes.
struct CqRingOffsets {
  u32 head, tail, ring_mask, ring_entries, overflow, cqes, flags, resv1;
  u64 user_addr;
};
static_assert(sizeof(CqRingOffsets) == 40 && offsetof(CqRingOffsets, cqes) == 20);
static_assert(offsetof(CqRingOffsets, flags) == 24 && offsetof(CqRingOffsets, user_addr) == 32);

// The argument of io_uring_setup(2), in and out.
struct Params {
  u32 sq_entries;      // out
  u32 cq_entries;      // out; in with setup_cqsize
  u32 flags;           // in and out: setup_*
  u32 sq_thread_cpu;   // in, with setup_sq_aff
  u32 sq_thread_idle;  // in, with setup_sqpoll: milliseconds
  u32 features;        // out: feat_*
  u32 wq_fd;           // in, with setup_attach_wq
  u32 resv[3];         // must be zero
  SqRingOffsets sq_off;  // out
  CqRingOffsets cq_off;  // out
};
static_assert(sizeof(Params) == 120 && offsetof(Params, features) == 20 && offsetof(Params, wq_fd) == 24);
static_assert(offsetof(Params, sq_off) == 40 && offsetof(Params, cq_off) == 80);

// The argument of io_uring_enter(2) with enter_ext_arg (5.11).
struct GeteventsArg {
  u64 sigmask;        // address of a signal set, or 0
  u32 sigmask_sz;     // bytes
  u32 min_wait_usec;  // microseconds (6.12)
  u64 ts;             // address of a Timespec, or 0
};
static_assert(sizeof(GeteventsArg) == 24 && offsetof(GeteventsArg, ts) == 16);

// A time or duration, the kernel's struct __kernel_timespec.
struct Timespec {
  i64 tv_sec;
  i64 tv_nsec;  // nanoseconds, 0 to 999'999'999
};
static_assert(sizeof(Timespec) == 16);

// What the kernel says of one opcode (5.6).
struct ProbeOp {
  u8 op;
  u8 resv;
  u16 flags;  // op_supported
  u32 resv2;
};
static_assert(sizeof(ProbeOp) == 8 && offsetof(ProbeOp, flags) == 2);

// The answer of RegisterOp::probe (5.6). 256 slots are the most the kernel takes.
struct Probe {
  u8 last_op;  // the largest opcode this kernel knows
  u8 ops_len;  // slots filled in
  u16 resv;
  u32 resv2[3];
  ProbeOp ops[256];

  // True if this kernel knows `op` and was built with it.
  bool is_supported(Op op) const noexcept {
    const u8 number = static_cast<u8>(op);
    return number <= last_op && number < ops_len && (ops[number].flags & op_supported) != 0;
  }
};
static_assert(sizeof(Probe) == 16 + 256 * sizeof(ProbeOp) && offsetof(Probe, ops) == 16);

}  // namespace uring

#endif
