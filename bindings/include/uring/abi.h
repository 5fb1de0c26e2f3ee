// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The kernel's io_uring interface, declared here so that the binding builds on any distribution, however old
// its headers. Values and layouts are those of include/uapi/linux/io_uring.h up to Linux 7.3; a test compares
// them with the installed header, another with a list of everything in the kernel's. The number after each
// name is the first Linux release that has it.
//
// Names are the kernel's in lower case, without IORING_ (IORING_SETUP_SQPOLL is setup_sqpoll,
// IOSQE_IO_LINK is sqe_io_link, IORING_OP_READV is Op::readv).
//
// The structs and numbers of io_uring_register(2) are in abi_register.h, those of zero-copy receive in
// abi_zcrx.h. Not declared: read/write attributes and the mock file.
#ifndef URING_ABI_H
#define URING_ABI_H

#include "result.h"  // first: it refuses 32-bit programs

#include <cstddef>
#include <cstdint>

namespace uring {

/// A signed integer of 32 bits.
using i32 = std::int32_t;
/// A signed integer of 64 bits.
using i64 = std::int64_t;
/// An unsigned integer of 8 bits.
using u8 = std::uint8_t;
/// An unsigned integer of 16 bits.
using u16 = std::uint16_t;
/// An unsigned integer of 32 bits.
using u32 = std::uint32_t;
/// An unsigned integer of 64 bits.
using u64 = std::uint64_t;

/// The operations of io_uring_enter(2).
enum class Op : u8 {
  nop = 0,                ///< Since Linux 5.1
  readv = 1,              ///< Since Linux 5.1
  writev = 2,             ///< Since Linux 5.1
  fsync = 3,              ///< Since Linux 5.1
  read_fixed = 4,         ///< Since Linux 5.1
  write_fixed = 5,        ///< Since Linux 5.1
  poll_add = 6,           ///< Since Linux 5.1
  poll_remove = 7,        ///< Since Linux 5.1
  sync_file_range = 8,    ///< Since Linux 5.2
  sendmsg = 9,            ///< Since Linux 5.3
  recvmsg = 10,           ///< Since Linux 5.3
  timeout = 11,           ///< Since Linux 5.4
  timeout_remove = 12,    ///< Since Linux 5.5
  accept = 13,            ///< Since Linux 5.5
  async_cancel = 14,      ///< Since Linux 5.5
  link_timeout = 15,      ///< Since Linux 5.5
  connect = 16,           ///< Since Linux 5.5
  fallocate = 17,         ///< Since Linux 5.6
  openat = 18,            ///< Since Linux 5.6
  close = 19,             ///< Since Linux 5.6
  files_update = 20,      ///< Since Linux 5.6
  statx = 21,             ///< Since Linux 5.6
  read = 22,              ///< Since Linux 5.6
  write = 23,             ///< Since Linux 5.6
  fadvise = 24,           ///< Since Linux 5.6
  madvise = 25,           ///< Since Linux 5.6
  send = 26,              ///< Since Linux 5.6
  recv = 27,              ///< Since Linux 5.6
  openat2 = 28,           ///< Since Linux 5.6
  epoll_ctl = 29,         ///< Since Linux 5.6
  splice = 30,            ///< Since Linux 5.7
  provide_buffers = 31,   ///< Since Linux 5.7
  remove_buffers = 32,    ///< Since Linux 5.7
  tee = 33,               ///< Since Linux 5.8
  shutdown = 34,          ///< Since Linux 5.11
  renameat = 35,          ///< Since Linux 5.11
  unlinkat = 36,          ///< Since Linux 5.11
  mkdirat = 37,           ///< Since Linux 5.15
  symlinkat = 38,         ///< Since Linux 5.15
  linkat = 39,            ///< Since Linux 5.15
  msg_ring = 40,          ///< Since Linux 5.18
  fsetxattr = 41,         ///< Since Linux 5.19
  setxattr = 42,          ///< Since Linux 5.19
  fgetxattr = 43,         ///< Since Linux 5.19
  getxattr = 44,          ///< Since Linux 5.19
  socket = 45,            ///< Since Linux 5.19
  uring_cmd = 46,         ///< Since Linux 5.19
  send_zc = 47,           ///< Since Linux 6.0
  sendmsg_zc = 48,        ///< Since Linux 6.1
  read_multishot = 49,    ///< Since Linux 6.7
  waitid = 50,            ///< Since Linux 6.7
  futex_wait = 51,        ///< Since Linux 6.7
  futex_wake = 52,        ///< Since Linux 6.7
  futex_waitv = 53,       ///< Since Linux 6.7
  fixed_fd_install = 54,  ///< Since Linux 6.8
  ftruncate = 55,         ///< Since Linux 6.9
  bind = 56,              ///< Since Linux 6.11
  listen = 57,            ///< Since Linux 6.11
  recv_zc = 58,           ///< Since Linux 6.15
  epoll_wait = 59,        ///< Since Linux 6.15
  readv_fixed = 60,       ///< Since Linux 6.15
  writev_fixed = 61,      ///< Since Linux 6.15
  pipe = 62,              ///< Since Linux 6.16
  nop128 = 63,            ///< Since Linux 6.19
  uring_cmd128 = 64,      ///< Since Linux 6.19
};

/// The operations of io_uring_register(2). UNREGISTER_X is unregister_x.
enum class RegisterOp : u32 {
  buffers = 0,                  ///< Since Linux 5.1
  unregister_buffers = 1,       ///< Since Linux 5.1
  files = 2,                    ///< Since Linux 5.1
  unregister_files = 3,         ///< Since Linux 5.1
  eventfd = 4,                  ///< Since Linux 5.2
  unregister_eventfd = 5,       ///< Since Linux 5.2
  files_update = 6,             ///< Since Linux 5.5
  eventfd_async = 7,            ///< Since Linux 5.6
  probe = 8,                    ///< Since Linux 5.6
  personality = 9,              ///< Since Linux 5.6
  unregister_personality = 10,  ///< Since Linux 5.6
  restrictions = 11,            ///< Since Linux 5.10
  enable_rings = 12,            ///< Since Linux 5.10
  files2 = 13,                  ///< Since Linux 5.13
  files_update2 = 14,           ///< Since Linux 5.13
  buffers2 = 15,                ///< Since Linux 5.13
  buffers_update = 16,          ///< Since Linux 5.13
  iowq_aff = 17,                ///< Since Linux 5.14
  unregister_iowq_aff = 18,     ///< Since Linux 5.14
  iowq_max_workers = 19,        ///< Since Linux 5.15
  ring_fds = 20,                ///< Since Linux 5.18
  unregister_ring_fds = 21,     ///< Since Linux 5.18
  pbuf_ring = 22,               ///< Since Linux 5.19
  unregister_pbuf_ring = 23,    ///< Since Linux 5.19
  sync_cancel = 24,             ///< Since Linux 6.0
  file_alloc_range = 25,        ///< Since Linux 6.0
  pbuf_status = 26,             ///< Since Linux 6.8
  napi = 27,                    ///< Since Linux 6.9
  unregister_napi = 28,         ///< Since Linux 6.9
  clock = 29,                   ///< Since Linux 6.12
  clone_buffers = 30,           ///< Since Linux 6.12
  send_msg_ring = 31,           ///< Since Linux 6.13
  zcrx_ifq = 32,                ///< Since Linux 6.15
  resize_rings = 33,            ///< Since Linux 6.13
  mem_region = 34,              ///< Since Linux 6.13
  query = 35,                   ///< Since Linux 6.18
  zcrx_ctrl = 36,               ///< Since Linux 6.19
  bpf_filter = 37,              ///< Since Linux 7.0
};

// Sqe::flags.
inline constexpr u8 sqe_fixed_file = 1;           ///< Since Linux 5.1
inline constexpr u8 sqe_io_drain = 2;             ///< Since Linux 5.2
inline constexpr u8 sqe_io_link = 4;              ///< Since Linux 5.3
inline constexpr u8 sqe_io_hardlink = 8;          ///< Since Linux 5.5
inline constexpr u8 sqe_async = 0x10;             ///< Since Linux 5.6
inline constexpr u8 sqe_buffer_select = 0x20;     ///< Since Linux 5.7
inline constexpr u8 sqe_cqe_skip_success = 0x40;  ///< Since Linux 5.17

// Params::flags, io_uring_setup(2).
inline constexpr u32 setup_iopoll = 1;                   ///< Since Linux 5.1
inline constexpr u32 setup_sqpoll = 2;                   ///< Since Linux 5.1
inline constexpr u32 setup_sq_aff = 4;                   ///< Since Linux 5.1
inline constexpr u32 setup_cqsize = 8;                   ///< Since Linux 5.5
inline constexpr u32 setup_clamp = 0x10;                 ///< Since Linux 5.6
inline constexpr u32 setup_attach_wq = 0x20;             ///< Since Linux 5.6
inline constexpr u32 setup_r_disabled = 0x40;            ///< Since Linux 5.10
inline constexpr u32 setup_submit_all = 0x80;            ///< Since Linux 5.18
inline constexpr u32 setup_coop_taskrun = 0x100;         ///< Since Linux 5.19
inline constexpr u32 setup_taskrun_flag = 0x200;         ///< Since Linux 5.19
inline constexpr u32 setup_sqe128 = 0x400;               ///< Since Linux 5.19
inline constexpr u32 setup_cqe32 = 0x800;                ///< Since Linux 5.19
inline constexpr u32 setup_single_issuer = 0x1000;       ///< Since Linux 6.0
inline constexpr u32 setup_defer_taskrun = 0x2000;       ///< Since Linux 6.1
inline constexpr u32 setup_no_mmap = 0x4000;             ///< Since Linux 6.5
inline constexpr u32 setup_registered_fd_only = 0x8000;  ///< Since Linux 6.5
inline constexpr u32 setup_no_sqarray = 0x10000;         ///< Since Linux 6.6
inline constexpr u32 setup_hybrid_iopoll = 0x20000;      ///< Since Linux 6.13
inline constexpr u32 setup_cqe_mixed = 0x40000;          ///< Since Linux 6.18
inline constexpr u32 setup_sqe_mixed = 0x80000;          ///< Since Linux 6.19
inline constexpr u32 setup_sq_rewind = 0x100000;         ///< Since Linux 7.0

// Params::features, set by the kernel.
inline constexpr u32 feat_single_mmap = 1;           ///< Since Linux 5.4
inline constexpr u32 feat_nodrop = 2;                ///< Since Linux 5.5
inline constexpr u32 feat_submit_stable = 4;         ///< Since Linux 5.5
inline constexpr u32 feat_rw_cur_pos = 8;            ///< Since Linux 5.6
inline constexpr u32 feat_cur_personality = 0x10;    ///< Since Linux 5.6
inline constexpr u32 feat_fast_poll = 0x20;          ///< Since Linux 5.7
inline constexpr u32 feat_poll_32bits = 0x40;        ///< Since Linux 5.9
inline constexpr u32 feat_sqpoll_nonfixed = 0x80;    ///< Since Linux 5.11
inline constexpr u32 feat_ext_arg = 0x100;           ///< Since Linux 5.11
inline constexpr u32 feat_native_workers = 0x200;    ///< Since Linux 5.12
inline constexpr u32 feat_rsrc_tags = 0x400;         ///< Since Linux 5.13
inline constexpr u32 feat_cqe_skip = 0x800;          ///< Since Linux 5.17
inline constexpr u32 feat_linked_file = 0x1000;      ///< Since Linux 5.18
inline constexpr u32 feat_reg_reg_ring = 0x2000;     ///< Since Linux 6.3
inline constexpr u32 feat_recvsend_bundle = 0x4000;  ///< Since Linux 6.10
inline constexpr u32 feat_min_timeout = 0x8000;      ///< Since Linux 6.12
inline constexpr u32 feat_rw_attr = 0x10000;         ///< Since Linux 6.14
inline constexpr u32 feat_no_iowait = 0x20000;       ///< Since Linux 6.15

// Flags of io_uring_enter(2).
inline constexpr u32 enter_getevents = 1;           ///< Since Linux 5.1
inline constexpr u32 enter_sq_wakeup = 2;           ///< Since Linux 5.1
inline constexpr u32 enter_sq_wait = 4;             ///< Since Linux 5.10
inline constexpr u32 enter_ext_arg = 8;             ///< Since Linux 5.11
inline constexpr u32 enter_registered_ring = 0x10;  ///< Since Linux 5.18
inline constexpr u32 enter_abs_timer = 0x20;        ///< Since Linux 6.12
inline constexpr u32 enter_ext_arg_reg = 0x40;      ///< Since Linux 6.13
inline constexpr u32 enter_no_iowait = 0x80;        ///< Since Linux 6.15

// Cqe::flags. The upper 16 bits are the buffer id when cqe_f_buffer is set.
inline constexpr u32 cqe_f_buffer = 1;         ///< Since Linux 5.7
inline constexpr u32 cqe_f_more = 2;           ///< Since Linux 5.13
inline constexpr u32 cqe_f_sock_nonempty = 4;  ///< Since Linux 5.19
inline constexpr u32 cqe_f_notif = 8;          ///< Since Linux 6.0
inline constexpr u32 cqe_f_buf_more = 0x10;    ///< Since Linux 6.12
inline constexpr u32 cqe_f_skip = 0x20;        ///< Since Linux 6.18
inline constexpr u32 cqe_f_32 = 0x8000;        ///< Since Linux 6.18

inline constexpr u32 cqe_buffer_shift = 16;  ///< Since Linux 5.7

// The SQ ring's flags word.
inline constexpr u32 sq_need_wakeup = 1;  ///< Since Linux 5.1
inline constexpr u32 sq_cq_overflow = 2;  ///< Since Linux 5.8
inline constexpr u32 sq_taskrun = 4;      ///< Since Linux 5.19

// The CQ ring's flags word.
inline constexpr u32 cq_eventfd_disabled = 1;  ///< Since Linux 5.8

// Sqe::op_flags of a NOP.
inline constexpr u32 nop_inject_result = 1;  ///< Since Linux 6.10: res is Sqe::len
inline constexpr u32 nop_file = 2;           ///< Since Linux 6.13
inline constexpr u32 nop_fixed_file = 4;     ///< Since Linux 6.13
inline constexpr u32 nop_fixed_buffer = 8;   ///< Since Linux 6.13
inline constexpr u32 nop_tw = 0x10;          ///< Since Linux 6.17
inline constexpr u32 nop_cqe32 = 0x20;       ///< Since Linux 6.18

// Sqe::op_flags of an FSYNC.
inline constexpr u32 fsync_datasync = 1;  ///< Since Linux 5.1

// Sqe::op_flags of TIMEOUT, TIMEOUT_REMOVE and LINK_TIMEOUT. The clock is CLOCK_MONOTONIC without one of the
// two in timeout_clock_mask.
inline constexpr u32 timeout_abs = 1;               ///< Since Linux 5.5: a time instead of a duration
inline constexpr u32 timeout_update = 2;            ///< Since Linux 5.11
inline constexpr u32 timeout_boottime = 4;          ///< Since Linux 5.15
inline constexpr u32 timeout_realtime = 8;          ///< Since Linux 5.15
inline constexpr u32 timeout_clock_mask = 0xc;      ///< Since Linux 5.15
inline constexpr u32 link_timeout_update = 0x10;    ///< Since Linux 5.15
inline constexpr u32 timeout_update_mask = 0x12;    ///< Since Linux 5.15
inline constexpr u32 timeout_etime_success = 0x20;  ///< Since Linux 5.16: -ETIME does not break a link
inline constexpr u32 timeout_multishot = 0x40;      ///< Since Linux 6.4: fires repeatedly
inline constexpr u32 timeout_immediate_arg = 0x80;  ///< Since Linux 7.1: addr holds nanoseconds

// Sqe::op_flags of SPLICE and TEE, in addition to those of splice(2): fd_in is a slot of the registered
// table.
inline constexpr u32 splice_f_fd_in_fixed = 0x8000'0000;  ///< Since Linux 5.7

/// Sqe::len of POLL_ADD and POLL_REMOVE. A type of its own, because the mask is a number too.
enum class PollFlags : u32 {
  add_multi = 1,         ///< Since Linux 5.13
  update_events = 2,     ///< Since Linux 5.13
  update_user_data = 4,  ///< Since Linux 5.13
  add_level = 8,         ///< Since Linux 6.0: refused by every kernel so far
};
/// All of both.
constexpr PollFlags operator|(PollFlags a, PollFlags b) noexcept {
  return static_cast<PollFlags>(static_cast<u32>(a) | static_cast<u32>(b));
}

// Sqe::op_flags of an ASYNC_CANCEL, and SyncCancelReg::flags.
inline constexpr u32 async_cancel_all = 1;          ///< Since Linux 5.19: every match, not only the first
inline constexpr u32 async_cancel_fd = 2;           ///< Since Linux 5.19: match Sqe::fd
inline constexpr u32 async_cancel_any = 4;          ///< Since Linux 5.19: match everything
inline constexpr u32 async_cancel_fd_fixed = 8;     ///< Since Linux 6.0: Sqe::fd is a slot
inline constexpr u32 async_cancel_userdata = 0x10;  ///< Since Linux 6.6: match Sqe::addr too
inline constexpr u32 async_cancel_op = 0x20;        ///< Since Linux 6.6: match the opcode in Sqe::len

/// Sqe::ioprio of sends and receives. A type of its own, because the MSG_* that they take as well are numbers
/// too.
enum class RecvSend : u16 {
  poll_first = 1,     ///< Since Linux 5.19: waits for the socket before it tries
  multishot = 2,      ///< Since Linux 6.0
  fixed_buf = 4,      ///< Since Linux 6.0: SENDMSG_ZC 6.15, SEND and RECV 7.2
  report_usage = 8,   ///< Since Linux 6.2: of zero-copy sends
  bundle = 0x10,      ///< Since Linux 6.10
  vectorized = 0x20,  ///< Since Linux 6.17: of sends; data is an array of iovecs
};
/// All of both.
constexpr RecvSend operator|(RecvSend a, RecvSend b) noexcept {
  return static_cast<RecvSend>(static_cast<u16>(a) | static_cast<u16>(b));
}

// Cqe::res of the notification of a zero-copy send with RecvSend::report_usage: the data was copied after
// all.
inline constexpr u32 notif_usage_zc_copied = 0x8000'0000;  ///< Since Linux 6.2

// Sqe::ioprio of an ACCEPT.
inline constexpr u16 accept_multishot = 1;   ///< Since Linux 5.19
inline constexpr u16 accept_dontwait = 2;    ///< Since Linux 6.10
inline constexpr u16 accept_poll_first = 4;  ///< Since Linux 6.10

// Sqe::addr of a MSG_RING: what to send. Its Sqe::op_flags.
inline constexpr u64 msg_data = 0;             ///< Since Linux 6.0
inline constexpr u64 msg_send_fd = 1;          ///< Since Linux 6.0
inline constexpr u32 msg_ring_cqe_skip = 1;    ///< Since Linux 6.0: no CQE on the other ring for a descriptor
inline constexpr u32 msg_ring_flags_pass = 2;  ///< Since Linux 6.3: Sqe::file_index becomes Cqe::flags

// Sqe::op_flags of a FIXED_FD_INSTALL.
inline constexpr u32 fixed_fd_no_cloexec = 1;  ///< Since Linux 6.8

// Sqe::op_flags of a URING_CMD.
inline constexpr u32 uring_cmd_fixed = 1;      ///< Since Linux 6.1
inline constexpr u32 uring_cmd_multishot = 2;  ///< Since Linux 6.18
inline constexpr u32 uring_cmd_mask = 3;       ///< Since Linux 6.7

// Sqe::off (cmd_op) of a URING_CMD on a socket.
inline constexpr u32 socket_op_siocinq = 0;       ///< Since Linux 6.6
inline constexpr u32 socket_op_siocoutq = 1;      ///< Since Linux 6.6
inline constexpr u32 socket_op_getsockopt = 2;    ///< Since Linux 6.7
inline constexpr u32 socket_op_setsockopt = 3;    ///< Since Linux 6.7
inline constexpr u32 socket_op_tx_timestamp = 4;  ///< Since Linux 6.17
inline constexpr u32 socket_op_getsockname = 5;   ///< Since Linux 6.19

// Offsets for mmap(2) on the ring's descriptor.
inline constexpr u64 off_sq_ring = 0;          ///< Since Linux 5.1
inline constexpr u64 off_cq_ring = 0x8000000;  ///< Since Linux 5.1: the same memory as off_sq_ring since 5.4
inline constexpr u64 off_sqes = 0x10000000;    ///< Since Linux 5.1
inline constexpr u64 off_pbuf_ring = 0x80000000;  ///< Since Linux 6.4: plus the group << off_pbuf_shift
inline constexpr u32 off_pbuf_shift = 16;         ///< Since Linux 6.4
inline constexpr u64 off_mmap_mask = 0xf8000000;  ///< Since Linux 6.4

/// A submission queue entry. The kernel's header overlays several names on one field; here each field has one
/// name, the first of these: off (addr2, cmd_op), addr (splice_off_in; level in the low and optname in the
/// high half), op_flags (rw_flags, msg_flags, and every other per-operation flag word), buf_index
/// (buf_group), file_index (splice_fd_in, optlen, addr_len), addr3 (optval, the first half of cmd).
struct Sqe {
  Op opcode;        ///< what to do
  u8 flags;         ///< sqe_*; set after the operation was prepared
  u16 ioprio;       ///< priority, or flags of accept, send and receive
  i32 fd;           ///< a descriptor, or a slot of the registered table with sqe_fixed_file
  u64 off;          ///< a position in the file, or a second address or length
  u64 addr;         ///< of a buffer, a path, an array, or the user_data of another request
  u32 len;          ///< bytes, or the number of elements
  u32 op_flags;     ///< flags of this operation
  u64 user_data;    ///< comes back in Cqe::user_data
  u16 buf_index;    ///< of a registered buffer; or a group of buffers, with sqe_buffer_select
  u16 personality;  ///< credentials registered before, 0: the submitter's
  u32 file_index;   ///< where a new descriptor goes: see set_target; or a third small argument
  u64 addr3;        ///< a third address
  u64 reserved;     ///< 0

  /// Equal in every field.
  friend bool operator==(const Sqe&, const Sqe&) noexcept = default;
};
static_assert(sizeof(Sqe) == 64 && alignof(Sqe) == alignof(u64));
static_assert(offsetof(Sqe, opcode) == 0 && offsetof(Sqe, flags) == 1 && offsetof(Sqe, ioprio) == 2);
static_assert(offsetof(Sqe, fd) == 4 && offsetof(Sqe, off) == 8 && offsetof(Sqe, addr) == 16);
static_assert(offsetof(Sqe, len) == 24 && offsetof(Sqe, op_flags) == 28 && offsetof(Sqe, user_data) == 32);
static_assert(offsetof(Sqe, buf_index) == 40 && offsetof(Sqe, personality) == 42);
static_assert(offsetof(Sqe, file_index) == 44 && offsetof(Sqe, addr3) == 48 && offsetof(Sqe, reserved) == 56);

/// A slot of the table of registered files, as the place a new descriptor goes to (5.15). A type of its own,
/// because slots and descriptors are both small numbers, and the kernel cannot tell when one was meant as the
/// other. A request that works on a slot takes it in place of the descriptor, with sqe_fixed_file.
enum class Slot : u32 {};

/// Any free slot; Cqe::res says which. Since Linux 5.19.
inline constexpr Slot file_index_alloc{0xffff'ffff};

/// A pointer as user_data, for Cqe::user_pointer: to what continues when the request has completed.
inline u64 user_data_of(const void* pointer) noexcept { return reinterpret_cast<u64>(pointer); }

/// A completion queue entry.
struct Cqe {
  u64 user_data;  ///< of the SQE
  i32 res;        ///< what the system call of that name would have returned: a value or a negative errno
  u32 flags;      ///< cqe_f_*

  /// The errno in res, or Error::none.
  constexpr Error error() const noexcept {
    return res < 0 && res >= -max_errno ? static_cast<Error>(-res) : Error::none;
  }

  /// True if more CQEs of this request will come: of a multishot one, or the notification of a zero-copy
  /// send. Since Linux 5.13.
  constexpr bool has_more() const noexcept { return (flags & cqe_f_more) != 0; }

  /// True if this is the second CQE of a zero-copy send: its data may be overwritten now. Since Linux 6.0.
  constexpr bool is_notification() const noexcept { return (flags & cqe_f_notif) != 0; }

  /// Of a notification of a send with RecvSend::report_usage: true if the data was copied after all, as it is
  /// for receivers on this machine. Since Linux 6.2; false if the send did not ask.
  constexpr bool was_copied() const noexcept {
    return is_notification() && (static_cast<u32>(res) & notif_usage_zc_copied) != 0;
  }

  /// The pointer that user_data_of made into a user_data.
  template <class T>
  T* user_pointer() const noexcept {
    return reinterpret_cast<T*>(user_data);
  }

  /// The buffer the kernel took from a group. no_buffer_selected when it took none. Since Linux 5.7.
  constexpr Result<u16> buffer_id() const noexcept {
    if ((flags & cqe_f_buffer) == 0) return Error::no_buffer_selected;
    return static_cast<u16>(flags >> cqe_buffer_shift);
  }

  /// Equal in every field.
  friend bool operator==(const Cqe&, const Cqe&) noexcept = default;
};
static_assert(sizeof(Cqe) == 16 && alignof(Cqe) == alignof(u64));
static_assert(offsetof(Cqe, user_data) == 0 && offsetof(Cqe, res) == 8 && offsetof(Cqe, flags) == 12);

/// Where things lie in the SQ ring mapping, in bytes. Filled in by the kernel; never assume the values.
struct SqRingOffsets {
  u32 head;          ///< the word up to which the kernel has consumed
  u32 tail;          ///< the word up to which we have published
  u32 ring_mask;     ///< a word: what a position is masked with
  u32 ring_entries;  ///< a word: how many there are
  u32 flags;         ///< the word with sq_*
  u32 dropped;       ///< the word that counts invalid entries
  u32 array;         ///< the array of indices of SQEs
  u32 resv1;         ///< 0
  u64 user_addr;     ///< in, with setup_no_mmap: the memory for the SQEs (6.5)
};
static_assert(sizeof(SqRingOffsets) == 40 && offsetof(SqRingOffsets, array) == 24);
static_assert(offsetof(SqRingOffsets, flags) == 16 && offsetof(SqRingOffsets, user_addr) == 32);

/// Where things lie in the CQ ring mapping, in bytes.
struct CqRingOffsets {
  u32 head;          ///< the word up to which we have consumed
  u32 tail;          ///< the word up to which the kernel has published
  u32 ring_mask;     ///< a word: what a position is masked with
  u32 ring_entries;  ///< a word: how many there are
  u32 overflow;      ///< the word that counts what was lost
  u32 cqes;          ///< the array of CQEs
  u32 flags;         ///< the word with cq_* (5.8)
  u32 resv1;         ///< 0
  u64 user_addr;     ///< in, with setup_no_mmap: the memory for everything but the SQEs (6.5)
};
static_assert(sizeof(CqRingOffsets) == 40 && offsetof(CqRingOffsets, cqes) == 20);
static_assert(offsetof(CqRingOffsets, flags) == 24 && offsetof(CqRingOffsets, user_addr) == 32);

/// The argument of io_uring_setup(2), in and out.
struct Params {
  u32 sq_entries;        ///< out
  u32 cq_entries;        ///< out; in with setup_cqsize
  u32 flags;             ///< in and out: setup_*
  u32 sq_thread_cpu;     ///< in, with setup_sq_aff
  u32 sq_thread_idle;    ///< in, with setup_sqpoll: milliseconds
  u32 features;          ///< out: feat_*
  u32 wq_fd;             ///< in, with setup_attach_wq
  u32 resv[3];           ///< must be zero
  SqRingOffsets sq_off;  ///< out
  CqRingOffsets cq_off;  ///< out
};
static_assert(sizeof(Params) == 120 && offsetof(Params, features) == 20 && offsetof(Params, wq_fd) == 24);
static_assert(offsetof(Params, sq_off) == 40 && offsetof(Params, cq_off) == 80);

/// The argument of io_uring_enter(2) with enter_ext_arg (5.11).
struct GeteventsArg {
  u64 sigmask;        ///< address of a signal set, or 0
  u32 sigmask_sz;     ///< bytes
  u32 min_wait_usec;  ///< microseconds (6.12)
  u64 ts;             ///< address of a Timespec, or 0
};
static_assert(sizeof(GeteventsArg) == 24 && offsetof(GeteventsArg, ts) == 16);

/// A time or duration, the kernel's struct __kernel_timespec.
struct Timespec {
  i64 tv_sec;   ///< seconds
  i64 tv_nsec;  ///< nanoseconds, 0 to 999'999'999
};
static_assert(sizeof(Timespec) == 16);

/// One futex of a FUTEX_WAITV (6.7), the kernel's struct futex_waitv.
struct FutexWaitv {
  u64 val;       ///< the value expected
  u64 uaddr;     ///< address of the futex
  u32 flags;     ///< FUTEX2_*
  u32 reserved;  ///< 0
};
static_assert(sizeof(FutexWaitv) == 24 && offsetof(FutexWaitv, uaddr) == 8 &&
              offsetof(FutexWaitv, flags) == 16);

/// Precedes the name, the control data and the payload in the buffer of a multishot RECVMSG (6.0). Each part
/// takes up the room that the msghdr asked for, however much of it was filled.
struct RecvmsgOut {
  u32 namelen;     ///< bytes of the address, which may be more than there was room for
  u32 controllen;  ///< bytes of control data
  u32 payloadlen;  ///< bytes of the message, which may be more than there was room for
  u32 flags;       ///< MSG_*
};
static_assert(sizeof(RecvmsgOut) == 16 && offsetof(RecvmsgOut, payloadlen) == 8);

/// One entry of a buffer ring (5.19). The ring's tail lies in the last 16 bits of entry 0, so only
/// buf_ring_advance may write to `resv`.
struct Buf {
  u64 addr;  ///< address of the buffer
  u32 len;   ///< bytes
  u16 bid;   ///< comes back as Cqe::buffer_id()
  u16 resv;  ///< in entry 0: the tail
};
static_assert(sizeof(Buf) == 16 && offsetof(Buf, len) == 8 && offsetof(Buf, bid) == 12 &&
              offsetof(Buf, resv) == 14);

}  // namespace uring

#endif
