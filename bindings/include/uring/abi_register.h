// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The numbers and structs of io_uring_register(2). Names as in abi.h; the number after each is the first
// Linux release that has it. All reserved fields must be 0, so start from `X x{}`.
#ifndef URING_ABI_REGISTER_H
#define URING_ABI_REGISTER_H

#include "abi.h"

namespace uring {

// ORed into the operation: the descriptor is an index returned by RegisterOp::ring_fds (feat_reg_reg_ring).
inline constexpr u32 register_use_registered_ring = 0x8000'0000;  ///< Since Linux 6.3

// ProbeOp::flags.
inline constexpr u16 op_supported = 1;  ///< Since Linux 5.6

// In place of a descriptor in an update: leave this slot alone.
inline constexpr i32 register_files_skip = -2;  ///< Since Linux 5.12

// RsrcRegister::flags: all slots empty, no data.
inline constexpr u32 rsrc_register_sparse = 1;  ///< Since Linux 5.19

// BufReg::flags.
inline constexpr u16 pbuf_ring_mmap = 1;  ///< Since Linux 6.4: the kernel allocates the ring
inline constexpr u16 pbuf_ring_inc = 2;   ///< Since Linux 6.12: buffers are consumed bit by bit

// CloneBuffers::flags.
inline constexpr u32 register_src_registered = 1;  ///< Since Linux 6.12
inline constexpr u32 register_dst_replace = 2;     ///< Since Linux 6.13

// The two kinds of workers, as positions in the argument of RegisterOp::iowq_max_workers: for work that ends
// soon (files), and for work that may wait forever (sockets).
inline constexpr u32 wq_bound = 0;    ///< Since Linux 5.15
inline constexpr u32 wq_unbound = 1;  ///< Since Linux 5.15

// Napi::opcode, and Napi::op_param of the first.
inline constexpr u8 napi_register_op = 0;           ///< Since Linux 6.13
inline constexpr u8 napi_static_add_id = 1;         ///< Since Linux 6.13
inline constexpr u8 napi_static_del_id = 2;         ///< Since Linux 6.13
inline constexpr u32 napi_tracking_dynamic = 0;     ///< Since Linux 6.13
inline constexpr u32 napi_tracking_static = 1;      ///< Since Linux 6.13
inline constexpr u32 napi_tracking_inactive = 255;  ///< Since Linux 6.13

// QueryHdr::query_op.
inline constexpr u32 query_opcodes = 0;  ///< Since Linux 6.18: a QueryOpcode
inline constexpr u32 query_scq = 2;      ///< Since Linux 6.19: a QueryScq

// RegionDesc::flags: the memory is the caller's, not the kernel's.
inline constexpr u32 mem_region_type_user = 1;  ///< Since Linux 6.13

// MemRegionReg::flags: the region holds RegWait, for enter_ext_arg_reg.
inline constexpr u64 mem_region_reg_wait_arg = 1;  ///< Since Linux 6.13

// RegWait::flags: RegWait::ts is set.
inline constexpr u32 reg_wait_ts = 1;  ///< Since Linux 6.13

// Bpf::cmd_type, and BpfFilter::flags: operations that have no filter are denied; and a filter for another
// size of its operation's part of BpfContext is refused.
inline constexpr u16 bpf_cmd_filter = 1;        ///< Since Linux 7.0
inline constexpr u32 bpf_filter_deny_rest = 1;  ///< Since Linux 7.0
inline constexpr u32 bpf_filter_sz_strict = 2;  ///< Since Linux 7.1

/// What a Restriction allows or requires.
enum class RestrictionOp : u16 {
  register_op = 0,         ///< Since Linux 5.10: this RegisterOp is allowed
  sqe_op = 1,              ///< Since Linux 5.10: this Op is allowed
  sqe_flags_allowed = 2,   ///< Since Linux 5.10: these sqe_* may be set
  sqe_flags_required = 3,  ///< Since Linux 5.10: these sqe_* must be set
};

/// What the kernel says about one opcode (5.6).
struct ProbeOp {
  u8 op;      ///< an Op
  u8 resv;    ///< 0
  u16 flags;  ///< op_supported
  u32 resv2;  ///< 0
};
static_assert(sizeof(ProbeOp) == 8 && offsetof(ProbeOp, flags) == 2);

/// The answer of RegisterOp::probe (5.6). The kernel accepts at most 256 slots.
struct Probe {
  u8 last_op;        ///< the largest opcode this kernel knows
  u8 ops_len;        ///< slots filled in
  u16 resv;          ///< 0
  u32 resv2[3];      ///< 0
  ProbeOp ops[256];  ///< by opcode

  /// True if this kernel knows `op` and was built with it.
  bool is_supported(Op op) const noexcept {
    const u8 number = static_cast<u8>(op);
    return number <= last_op && number < ops_len && (ops[number].flags & op_supported) != 0;
  }
};
static_assert(sizeof(Probe) == 16 + 256 * sizeof(ProbeOp) && offsetof(Probe, ops) == 16);

/// RegisterOp::files_update (5.5).
struct FilesUpdate {
  u32 offset;  ///< the first slot
  u32 resv;    ///< 0
  u64 fds;     ///< address of an array of i32: -1 empties a slot, register_files_skip leaves it
};
static_assert(sizeof(FilesUpdate) == 16 && offsetof(FilesUpdate, fds) == 8);

/// RegisterOp::files2 and buffers2 (5.13).
struct RsrcRegister {
  u32 nr;     ///< how many
  u32 flags;  ///< rsrc_register_*
  u64 resv2;  ///< 0
  u64 data;   ///< address of an array of descriptors or iovecs
  u64 tags;   ///< address of an array of u64, or 0; a tag comes back in a CQE when its resource is let go
};
static_assert(sizeof(RsrcRegister) == 32 && offsetof(RsrcRegister, data) == 16);
static_assert(offsetof(RsrcRegister, tags) == 24);

/// RegisterOp::ring_fds (5.18).
struct RsrcUpdate {
  u32 offset;  ///< in: an index, or ~0 for any; out: the index
  u32 resv;    ///< 0
  u64 data;    ///< the ring's descriptor
};
static_assert(sizeof(RsrcUpdate) == 16 && offsetof(RsrcUpdate, data) == 8);

/// RegisterOp::files_update2 and buffers_update (5.13).
struct RsrcUpdate2 {
  u32 offset;  ///< the first slot
  u32 resv;    ///< 0
  u64 data;    ///< as in RsrcRegister
  u64 tags;    ///< as in RsrcRegister
  u32 nr;      ///< how many
  u32 resv2;   ///< 0
};
static_assert(sizeof(RsrcUpdate2) == 32 && offsetof(RsrcUpdate2, tags) == 16 &&
              offsetof(RsrcUpdate2, nr) == 24);

/// RegisterOp::file_alloc_range (6.0).
struct FileIndexRange {
  u32 off;   ///< the first slot the kernel may choose
  u32 len;   ///< slots
  u64 resv;  ///< 0
};
static_assert(sizeof(FileIndexRange) == 16 && offsetof(FileIndexRange, len) == 4);

/// RegisterOp::pbuf_ring (5.19) and unregister_pbuf_ring.
struct BufReg {
  u64 ring_addr;     ///< page aligned
  u32 ring_entries;  ///< a power of two up to 32768
  u16 bgid;          ///< the group
  u16 flags;         ///< pbuf_ring_* (6.4)
  u32 min_left;      ///< with pbuf_ring_inc: a buffer with fewer bytes left is finished (7.1)
  u32 resv[5];       ///< 0
};
static_assert(sizeof(BufReg) == 40 && offsetof(BufReg, bgid) == 12 && offsetof(BufReg, min_left) == 16);

/// RegisterOp::pbuf_status (6.8).
struct BufStatus {
  u32 buf_group;  ///< in
  u32 head;       ///< out: the next entry the kernel will take
  u32 resv[8];    ///< 0
};
static_assert(sizeof(BufStatus) == 40 && offsetof(BufStatus, head) == 4);

/// RegisterOp::sync_cancel (6.0).
struct SyncCancelReg {
  u64 addr;          ///< the user_data to look for
  i32 fd;            ///< or the descriptor, with async_cancel_fd
  u32 flags;         ///< async_cancel_*
  Timespec timeout;  ///< how long to wait for the requests found to end; -1, -1: forever
  Op opcode;         ///< or the operation, with async_cancel_op (6.6)
  u8 pad[7];         ///< 0
  u64 pad2[3];       ///< 0
};
static_assert(sizeof(SyncCancelReg) == 64 && offsetof(SyncCancelReg, flags) == 12);
static_assert(offsetof(SyncCancelReg, timeout) == 16 && offsetof(SyncCancelReg, opcode) == 32);

/// RegisterOp::restrictions (5.10): an array of these.
struct Restriction {
  RestrictionOp opcode;  ///< what it is about
  u8 what;               ///< a RegisterOp, an Op, or sqe_*
  u8 resv;               ///< 0
  u32 resv2[3];          ///< 0
};
static_assert(sizeof(Restriction) == 16 && offsetof(Restriction, what) == 2);

/// RegisterOp::restrictions without a ring (7.0): what comes before the array of Restriction.
struct TaskRestriction {
  u16 flags;    ///< 0
  u16 nr_res;   ///< how many follow
  u32 resv[3];  ///< 0
};
static_assert(sizeof(TaskRestriction) == 16 && offsetof(TaskRestriction, nr_res) == 2);

/// One instruction of a classic BPF program, the kernel's struct sock_filter (7.0 for
/// RegisterOp::bpf_filter).
struct BpfInstruction {
  u16 code;  ///< BPF_LD | BPF_W | BPF_ABS and so on
  u8 jt;     ///< how many instructions to skip if it is true
  u8 jf;     ///< and if it is false
  u32 k;     ///< the operand
};
static_assert(sizeof(BpfInstruction) == 8 && offsetof(BpfInstruction, jt) == 2 &&
              offsetof(BpfInstruction, k) == 4);

/// What the program of a BpfFilter can load (7.0); the rest depends on the operation.
struct BpfContext {
  u64 user_data;  ///< of the SQE
  Op opcode;      ///< of the SQE
  u8 sqe_flags;   ///< sqe_*
  u8 pdu_size;    ///< bytes of the rest that this kernel has filled in for this operation
  u8 pad[5];      ///< 0
  /// SOCKET: u32 family, type, protocol. OPENAT and OPENAT2: u64 flags, mode, resolve. CONNECT (7.2): u32
  /// family, u16 port, the address from byte 8 on.
  u8 payload[24];
};
static_assert(sizeof(BpfContext) == 40 && offsetof(BpfContext, opcode) == 8);
static_assert(offsetof(BpfContext, pdu_size) == 10 && offsetof(BpfContext, payload) == 16);

/// A filter for one operation (7.0), a part of Bpf.
struct BpfFilter {
  u32 opcode;      ///< an Op
  u32 flags;       ///< bpf_filter_*
  u32 filter_len;  ///< instructions
  u8 pdu_size;     ///< what the program takes BpfContext::pdu_size to be
  u8 resv[3];      ///< 0
  u64 filter_ptr;  ///< address of an array of BpfInstruction
  u64 resv2[5];    ///< 0
};
static_assert(sizeof(BpfFilter) == 64 && offsetof(BpfFilter, pdu_size) == 12);
static_assert(offsetof(BpfFilter, filter_ptr) == 16 && offsetof(BpfFilter, resv2) == 24);

/// RegisterOp::bpf_filter (7.0).
struct Bpf {
  u16 cmd_type;      ///< bpf_cmd_filter
  u16 cmd_flags;     ///< 0
  u32 resv;          ///< 0
  BpfFilter filter;  ///< what is registered
};
static_assert(sizeof(Bpf) == 72 && offsetof(Bpf, cmd_flags) == 2 && offsetof(Bpf, filter) == 8);

/// RegisterOp::napi and unregister_napi (6.9): in, and out: what was in force before.
struct Napi {
  u32 busy_poll_to;     ///< microseconds
  u8 prefer_busy_poll;  ///< 0 or 1
  u8 opcode;            ///< napi_* (6.13)
  u8 pad[2];            ///< 0
  u32 op_param;         ///< napi_tracking_*, or a NAPI id (6.13)
  u32 resv;             ///< 0
};
static_assert(sizeof(Napi) == 16 && offsetof(Napi, opcode) == 5 && offsetof(Napi, op_param) == 8);

/// RegisterOp::clock (6.12): CLOCK_MONOTONIC or CLOCK_BOOTTIME, for the timeout of GeteventsArg.
struct ClockRegister {
  u32 clockid;  ///< CLOCK_*
  u32 resv[3];  ///< 0
};
static_assert(sizeof(ClockRegister) == 16);

/// RegisterOp::clone_buffers (6.12). nr 0 means all.
struct CloneBuffers {
  u32 src_fd;   ///< the ring to copy from; with register_src_registered a registered ring's index
  u32 flags;    ///< register_src_registered, register_dst_replace
  u32 src_off;  ///< the first buffer there (6.13)
  u32 dst_off;  ///< the first place here (6.13)
  u32 nr;       ///< how many (6.13)
  u32 pad[3];   ///< 0
};
static_assert(sizeof(CloneBuffers) == 32 && offsetof(CloneBuffers, nr) == 16);

/// A piece of memory that a ring and the kernel share (6.13), named by a MemRegionReg.
struct RegionDesc {
  u64 user_addr;    ///< with mem_region_type_user: page aligned, else 0
  u64 size;         ///< bytes, whole pages
  u32 flags;        ///< mem_region_type_user
  u32 id;           ///< 0
  u64 mmap_offset;  ///< out, without mem_region_type_user: for mmap(2) on the ring's descriptor
  u64 resv[4];      ///< 0
};
static_assert(sizeof(RegionDesc) == 64 && offsetof(RegionDesc, flags) == 16);
static_assert(offsetof(RegionDesc, mmap_offset) == 24);

/// RegisterOp::mem_region (6.13).
struct MemRegionReg {
  u64 region_uptr;  ///< address of a RegionDesc
  u64 flags;        ///< mem_region_reg_wait_arg
  u64 resv[2];      ///< 0
};
static_assert(sizeof(MemRegionReg) == 32 && offsetof(MemRegionReg, flags) == 8);

/// How to wait, in a region of these (6.13): for enter_ext_arg_reg, which reads it there without copying.
struct RegWait {
  Timespec ts;        ///< with reg_wait_ts
  u32 min_wait_usec;  ///< microseconds
  u32 flags;          ///< reg_wait_ts
  u64 sigmask;        ///< address of a signal set, or 0
  u32 sigmask_sz;     ///< bytes of it: 8
  u32 pad[3];         ///< 0
  u64 pad2[2];        ///< 0
};
static_assert(sizeof(RegWait) == 64 && offsetof(RegWait, min_wait_usec) == 16);
static_assert(offsetof(RegWait, flags) == 20 && offsetof(RegWait, sigmask) == 24);
static_assert(offsetof(RegWait, sigmask_sz) == 32 && offsetof(RegWait, pad2) == 48);

/// RegisterOp::query (6.18): one question. Several can be chained.
struct QueryHdr {
  u64 next_entry;  ///< address of the next QueryHdr, or 0
  u64 query_data;  ///< address of the answer
  u32 query_op;    ///< query_*
  u32 size;        ///< in: room for the answer, out: what the kernel has to say, in bytes
  i32 result;      ///< out: 0 or a negative errno
  u32 resv[3];     ///< 0
};
static_assert(sizeof(QueryHdr) == 40 && offsetof(QueryHdr, query_op) == 16 &&
              offsetof(QueryHdr, result) == 24);

/// What this kernel supports of io_uring (6.18). The masks say which bits it accepts or reports.
struct QueryOpcode {
  u32 nr_request_opcodes;   ///< Op
  u32 nr_register_opcodes;  ///< RegisterOp
  u64 feature_flags;        ///< feat_*
  u64 ring_setup_flags;     ///< setup_*
  u64 enter_flags;          ///< enter_*
  u64 sqe_flags;            ///< sqe_*
  u32 nr_query_opcodes;     ///< query_*
  u32 pad;                  ///< 0
};
static_assert(sizeof(QueryOpcode) == 48 && offsetof(QueryOpcode, feature_flags) == 8);
static_assert(offsetof(QueryOpcode, sqe_flags) == 32 && offsetof(QueryOpcode, nr_query_opcodes) == 40);

/// The size and alignment of the ring headers (6.19), for setup_no_mmap.
struct QueryScq {
  u64 hdr_size;       ///< bytes
  u64 hdr_alignment;  ///< bytes
};
static_assert(sizeof(QueryScq) == 16);

}  // namespace uring

#endif
