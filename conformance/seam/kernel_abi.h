// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The rest of the wire: what io_uring_setup(2), mmap(2) and io_uring_register(2) take and answer, as far as
// the suite looks at it. Like wire.h these are the suite's own numbers and layouts, taken from the kernel's
// include/uapi/linux/io_uring.h: an offset that is wrong in the binding must not blind the wire log as well.
#ifndef CONFORMANCE_SEAM_KERNEL_ABI_H
#define CONFORMANCE_SEAM_KERNEL_ABI_H

#include <cstddef>
#include <cstdint>

#include "seam/wire.h"

namespace conformance::wire {

// A system call returned an errno if its result is from -max_errno to -1 (include/linux/err.h).
inline constexpr long max_errno = 4095;
constexpr bool is_errno(long result) { return result < 0 && result >= -max_errno; }

// Where the words of the two queues are, in bytes from the start of their mapping.
struct SqRingOffsets {
  std::uint32_t head, tail, ring_mask, ring_entries, flags, dropped, array, resv1;
  std::uint64_t user_addr;
};
struct CqRingOffsets {
  std::uint32_t head, tail, ring_mask, ring_entries, overflow, cqes, flags, resv1;
  std::uint64_t user_addr;
};
static_assert(sizeof(SqRingOffsets) == 40 && offsetof(SqRingOffsets, array) == 24);
static_assert(sizeof(CqRingOffsets) == 40 && offsetof(CqRingOffsets, cqes) == 20);

// The argument of io_uring_setup(2), in and out.
struct Params {
  std::uint32_t sq_entries, cq_entries, flags, sq_thread_cpu, sq_thread_idle, features, wq_fd, resv[3];
  SqRingOffsets sq_off;
  CqRingOffsets cq_off;
};
static_assert(sizeof(Params) == 120 && offsetof(Params, features) == 20);
static_assert(offsetof(Params, sq_off) == 40 && offsetof(Params, cq_off) == 80);

// Params::flags.
inline constexpr std::uint32_t setup_iopoll = 1u << 0;          // 5.1
inline constexpr std::uint32_t setup_sqpoll = 1u << 1;          // 5.1
inline constexpr std::uint32_t setup_sq_aff = 1u << 2;          // 5.1
inline constexpr std::uint32_t setup_attach_wq = 1u << 5;       // 5.6
inline constexpr std::uint32_t setup_r_disabled = 1u << 6;      // 5.10
inline constexpr std::uint32_t setup_submit_all = 1u << 7;      // 5.18
inline constexpr std::uint32_t setup_coop_taskrun = 1u << 8;    // 5.19
inline constexpr std::uint32_t setup_taskrun_flag = 1u << 9;    // 5.19
inline constexpr std::uint32_t setup_sqe128 = 1u << 10;         // 5.19
inline constexpr std::uint32_t setup_cqe32 = 1u << 11;          // 5.19
inline constexpr std::uint32_t setup_single_issuer = 1u << 12;  // 6.0
inline constexpr std::uint32_t setup_defer_taskrun = 1u << 13;  // 6.1
inline constexpr std::uint32_t setup_no_mmap = 1u << 14;        // 6.5
inline constexpr std::uint32_t setup_no_sqarray = 1u << 16;     // 6.6
inline constexpr std::uint32_t setup_hybrid_iopoll = 1u << 17;  // 6.13, with setup_iopoll
inline constexpr std::uint32_t setup_cqe_mixed = 1u << 18;      // 6.18
inline constexpr std::uint32_t setup_sqe_mixed = 1u << 19;      // 6.19
inline constexpr std::uint32_t setup_nobody = 1u << 31;         // no kernel has it; 7.3 is at 1 << 20

// The distance between two entries of a ring's queues.
constexpr std::size_t sqe_bytes(const Params& ring) { return (ring.flags & setup_sqe128) != 0 ? 128 : 64; }
constexpr std::size_t cqe_bytes(const Params& ring) { return (ring.flags & setup_cqe32) != 0 ? 32 : 16; }

// What tells 6.13, and what 6.17, 6.18, 7.1 and 7.2.
inline constexpr SetupFlags hybrid_iopoll{setup_iopoll | setup_hybrid_iopoll, "HYBRID_IOPOLL"};
inline constexpr Request nop_with_tw{{.opcode = op::nop, .op_flags = nop_tw}, "a NOP with TW"};
inline constexpr SetupFlags cqe_mixed{setup_cqe_mixed, "CQE_MIXED"};
inline constexpr Request immediate_timeout{
    {.opcode = op::timeout, .fd = -1, .len = 1, .op_flags = timeout_immediate_arg},
    "a TIMEOUT with IMMEDIATE_ARG"};
inline constexpr Queries a_query{1, "queries"}, four_queries{4, "four queries"};

// The offsets that mmap(2) takes.
inline constexpr std::uint64_t off_sq_ring = 0, off_cq_ring = 0x8000000, off_sqes = 0x10000000;
// And the id of the group << off_pbuf_shift.
inline constexpr std::uint64_t off_pbuf_ring = 0x80000000;  // 6.4
inline constexpr unsigned off_pbuf_shift = 16;              // 6.4

// The flags word of the submission queue.
inline constexpr std::uint32_t sq_need_wakeup = 1;  // 5.1
inline constexpr std::uint32_t sq_cq_overflow = 2;  // 5.8

// The flags word of the completion queue, which the program writes.
inline constexpr std::uint32_t cq_eventfd_disabled = 1;  // 5.8

// Flags of io_uring_enter(2).
inline constexpr std::uint32_t enter_getevents = 1, enter_sq_wakeup = 2;  // 5.1
inline constexpr std::uint32_t enter_sq_wait = 1u << 2;                   // 5.10
inline constexpr std::uint32_t enter_ext_arg = 1u << 3;                   // 5.11
inline constexpr std::uint32_t enter_registered_ring = 1u << 4;           // 5.18
inline constexpr std::uint32_t enter_ext_arg_reg = 1u << 6;               // 6.13

// Operations of io_uring_register(2).
namespace register_op {
inline constexpr std::uint32_t buffers = 0;                  // 5.1
inline constexpr std::uint32_t unregister_buffers = 1;       // 5.1
inline constexpr std::uint32_t files = 2;                    // 5.1
inline constexpr std::uint32_t unregister_files = 3;         // 5.1
inline constexpr std::uint32_t eventfd = 4;                  // 5.2
inline constexpr std::uint32_t unregister_eventfd = 5;       // 5.2
inline constexpr std::uint32_t files_update = 6;             // 5.5
inline constexpr std::uint32_t eventfd_async = 7;            // 5.6
inline constexpr std::uint32_t probe = 8;                    // 5.6
inline constexpr std::uint32_t personality = 9;              // 5.6
inline constexpr std::uint32_t unregister_personality = 10;  // 5.6
inline constexpr std::uint32_t restrictions = 11;            // 5.10
inline constexpr std::uint32_t enable_rings = 12;            // 5.10
inline constexpr std::uint32_t files2 = 13;                  // 5.13
inline constexpr std::uint32_t files_update2 = 14;           // 5.13
inline constexpr std::uint32_t buffers2 = 15;                // 5.13
inline constexpr std::uint32_t buffers_update = 16;          // 5.13
inline constexpr std::uint32_t iowq_aff = 17;                // 5.14
inline constexpr std::uint32_t unregister_iowq_aff = 18;     // 5.14
inline constexpr std::uint32_t iowq_max_workers = 19;        // 5.15
inline constexpr std::uint32_t ring_fds = 20;                // 5.18
inline constexpr std::uint32_t unregister_ring_fds = 21;     // 5.18
inline constexpr std::uint32_t pbuf_ring = 22;               // 5.19
inline constexpr std::uint32_t unregister_pbuf_ring = 23;    // 5.19
inline constexpr std::uint32_t sync_cancel = 24;             // 6.0
inline constexpr std::uint32_t file_alloc_range = 25;        // 6.0
inline constexpr std::uint32_t pbuf_status = 26;             // 6.8
inline constexpr std::uint32_t clone_buffers = 30;           // 6.12
inline constexpr std::uint32_t send_msg_ring = 31;           // 6.13
inline constexpr std::uint32_t mem_region = 34;              // 6.13
inline constexpr std::uint32_t query = 35;                   // 6.18
}  // namespace register_op

// The argument of register_op::files_update.
struct FilesUpdate {
  std::uint32_t offset, resv;
  std::uint64_t fds;
};
static_assert(sizeof(FilesUpdate) == 16);
inline constexpr std::int32_t files_skip = -2;  // instead of a descriptor: leaves the slot alone (5.12)

// The argument of register_op::file_alloc_range (6.0).
struct FileIndexRange {
  std::uint32_t off, len;
  std::uint64_t resv;
};
static_assert(sizeof(FileIndexRange) == 16);

// The answer to register_op::probe.
struct ProbeOp {
  std::uint8_t op, resv;
  std::uint16_t flags;
  std::uint32_t resv2;
};
struct Probe {
  std::uint8_t last_op, ops_len;
  std::uint16_t resv;
  std::uint32_t resv2[3];
  ProbeOp ops[256];
};
static_assert(sizeof(ProbeOp) == 8 && offsetof(Probe, ops) == 16);
inline constexpr std::uint16_t op_supported = 1;  // ProbeOp::flags

// The arguments of register_op::buffers2 and buffers_update, files2 and files_update2; their count is the
// size of the struct.
struct RsrcRegister {
  std::uint32_t nr = 0, flags = 0;
  std::uint64_t resv2 = 0, data = 0, tags = 0;
};
struct RsrcUpdate2 {
  std::uint32_t offset = 0, resv = 0;
  std::uint64_t data = 0, tags = 0;
  std::uint32_t nr = 0, resv2 = 0;
};
static_assert(sizeof(RsrcRegister) == 32 && sizeof(RsrcUpdate2) == 32);
inline constexpr std::uint32_t rsrc_register_sparse = 1;  // RsrcRegister::flags, 5.19

// One entry of the argument of register_op::ring_fds and unregister_ring_fds.
struct RsrcUpdate {
  std::uint32_t offset, resv;
  std::uint64_t data;
};
static_assert(sizeof(RsrcUpdate) == 16);

// The argument of register_op::pbuf_ring.
struct BufReg {
  std::uint64_t ring_addr;
  std::uint32_t ring_entries;
  std::uint16_t bgid, flags;
  std::uint32_t min_left;  // 7.1; before, one more of the reserved words
  std::uint32_t resv[5];
};
static_assert(sizeof(BufReg) == 40 && offsetof(BufReg, flags) == 14);
inline constexpr std::uint16_t pbuf_ring_mmap = 1, pbuf_ring_inc = 2;  // BufReg::flags, 6.4, 6.12

// An entry of a ring of buffers. The last word of the first one is the tail.
struct Buf {
  std::uint64_t addr;
  std::uint32_t len;
  std::uint16_t bid, tail;
};
static_assert(sizeof(Buf) == 16 && offsetof(Buf, tail) == 14);

// The argument of register_op::clone_buffers.
struct CloneBuffers {
  std::uint32_t src_fd = 0, flags = 0, src_off = 0, dst_off = 0, nr = 0, pad[3] = {};
};
static_assert(sizeof(CloneBuffers) == 32);
inline constexpr std::uint32_t clone_src_registered = 1,
                               clone_dst_replace = 2;  // CloneBuffers::flags, 6.12, 6.13

// The argument of register_op::pbuf_status.
struct BufStatus {
  std::uint32_t buf_group, head, resv[8];
};
static_assert(sizeof(BufStatus) == 40);

// What a buffer begins with into which RECVMSG with recv_multishot (6.0) received.
struct RecvmsgOut {
  std::uint32_t namelen, controllen, payloadlen, flags;

  friend bool operator==(const RecvmsgOut&, const RecvmsgOut&) = default;
};
static_assert(sizeof(RecvmsgOut) == 16);

// A time, the kernel's struct __kernel_timespec.
struct Timespec {
  std::int64_t tv_sec, tv_nsec;
};

// The argument of io_uring_enter(2) with enter_ext_arg: a signal mask, and a timeout.
struct GeteventsArg {
  std::uint64_t sigmask = 0;
  std::uint32_t sigmask_sz = 0, min_wait_usec = 0;
  std::uint64_t ts = 0;
};
static_assert(sizeof(GeteventsArg) == 24);

// One entry of the argument of register_op::restrictions.
struct Restriction {
  std::uint16_t opcode = 0;  // restriction_*
  std::uint8_t operand = 0;  // an opcode, a register_op or flags of an SQE
  std::uint8_t resv = 0;
  std::uint32_t resv2[3] = {};
};
static_assert(sizeof(Restriction) == 16);
inline constexpr std::uint16_t restriction_register_op = 0, restriction_sqe_op = 1,
                               restriction_sqe_flags_allowed = 2, restriction_sqe_flags_required = 3;

// One futex of a FUTEX_WAITV: the kernel's struct futex_waitv.
struct FutexWaitv {
  std::uint64_t val = 0, uaddr = 0;
  std::uint32_t flags = 0, reserved = 0;
};
static_assert(sizeof(FutexWaitv) == 24);
// Sqe::fd of the futex operations, and FutexWaitv::flags.
inline constexpr std::uint32_t futex2_size_u8 = 0, futex2_size_u16 = 1, futex2_size_u32 = 2,
                               futex2_size_u64 = 3, futex2_private = 128;

// The argument of register_op::mem_region, and the memory that it describes.
struct MemRegionReg {
  std::uint64_t region_uptr = 0, flags = 0, resv[2] = {};
};
struct RegionDesc {
  std::uint64_t user_addr = 0, size = 0;
  std::uint32_t flags = 0, id = 0;
  std::uint64_t mmap_offset = 0, resv[4] = {};
};
static_assert(sizeof(MemRegionReg) == 32 && sizeof(RegionDesc) == 64);
inline constexpr std::uint64_t mem_region_reg_wait_arg = 1;  // MemRegionReg::flags, 6.13
inline constexpr std::uint32_t mem_region_type_user = 1;     // RegionDesc::flags, 6.13
inline constexpr std::uint32_t reg_wait_ts = 1;              // in the flags of a registered wait, 6.13

// The argument of register_op::query, and the answer to the question with the number 0.
struct QueryHdr {
  std::uint64_t next_entry = 0, query_data = 0;
  std::uint32_t query_op = 0, size = 0;
  std::int32_t result = 0;
  std::uint32_t resv[3] = {};
};
struct QueryOpcode {
  std::uint32_t nr_request_opcodes, nr_register_opcodes;
  std::uint64_t feature_flags, ring_setup_flags, enter_flags, sqe_flags;
  std::uint32_t nr_query_opcodes, pad;

  friend bool operator==(const QueryOpcode&, const QueryOpcode&) = default;
};
static_assert(sizeof(QueryHdr) == 40 && sizeof(QueryOpcode) == 48);

// What Sqe::addr3 points to with rw_attr_flag_pi in pad2, the mask of attributes: protection information.
struct AttrPi {
  std::uint16_t flags = 0, app_tag = 0;
  std::uint32_t len = 0;
  std::uint64_t addr = 0, seed = 0, rsvd = 0;
};
static_assert(sizeof(AttrPi) == 32);
inline constexpr std::uint64_t rw_attr_flag_pi = 1;  // 6.14

// The argument of register_op::sync_cancel. A timeout of -1, -1 is none.
struct SyncCancelReg {
  std::uint64_t addr = 0;
  std::int32_t fd = -1;
  std::uint32_t flags = 0;
  Timespec timeout{-1, -1};
  std::uint8_t opcode = 0, pad[7] = {};
  std::uint64_t pad2[3] = {};
};
static_assert(sizeof(SyncCancelReg) == 64 && offsetof(SyncCancelReg, opcode) == 32);

}  // namespace conformance::wire

#endif
