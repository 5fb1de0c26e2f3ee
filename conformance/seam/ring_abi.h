// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// More of kernel_abi.h: what only the rows about rings, waiting and rights need, from the same header of the
// kernel, and from linux/io_uring/bpf_filter.h.
#ifndef CONFORMANCE_SEAM_RING_ABI_H
#define CONFORMANCE_SEAM_RING_ABI_H

#include <cstddef>
#include <cstdint>

#include "seam/kernel_abi.h"
#include "seam/wire.h"

namespace conformance::wire {

// Params::flags.
inline constexpr std::uint32_t setup_cqsize = 1u << 3;               // 5.5
inline constexpr std::uint32_t setup_clamp = 1u << 4;                // 5.6
inline constexpr std::uint32_t setup_registered_fd_only = 1u << 15;  // 6.5, with setup_no_mmap
inline constexpr std::uint32_t setup_sq_rewind = 1u << 20;           // 7.0, with setup_no_sqarray

// What tells 6.6 and 7.0.
inline constexpr SetupFlags no_sqarray{setup_no_sqarray, "NO_SQARRAY"};
inline constexpr SetupFlags sq_rewind{setup_no_sqarray | setup_sq_rewind, "SQ_REWIND"};

// The most entries of the two queues.
inline constexpr std::uint32_t max_entries = 32768, max_cq_entries = 2 * max_entries;

namespace feature {
inline constexpr Feature no_iowait{1u << 17, "NO_IOWAIT"};  // 6.15
}

// What of an offset for mmap(2) names the region.
inline constexpr std::uint64_t off_mmap_mask = 0xf8000000;  // 6.4

// Flags of io_uring_enter(2).
inline constexpr std::uint32_t enter_abs_timer = 1u << 5;  // 6.12
inline constexpr std::uint32_t enter_no_iowait = 1u << 7;  // 6.15
inline constexpr std::uint32_t enter_nobody = 1u << 31;    // no kernel has it; 7.3 is at 1 << 7

// Operations of io_uring_register(2).
namespace register_op {
inline constexpr std::uint32_t napi = 27;             // 6.9
inline constexpr std::uint32_t unregister_napi = 28;  // 6.9
inline constexpr std::uint32_t clock = 29;            // 6.12
inline constexpr std::uint32_t resize_rings = 33;     // 6.13
inline constexpr std::uint32_t bpf_filter = 37;       // 7.0
inline constexpr std::uint32_t nobody = 4096;         // no kernel has it; 7.3 is at 37
// OR-ed into one of them: the descriptor is an index of ring_fds.
inline constexpr std::uint32_t use_registered_ring = 1u << 31;  // 6.3
}  // namespace register_op

// How many rings a task can register (ring_fds).
inline constexpr std::uint32_t max_registered_rings = 16;  // 5.18

// The argument of register_op::clock.
struct ClockRegister {
  std::uint32_t clockid = 0, resv[3] = {};
};
static_assert(sizeof(ClockRegister) == 16);

// What register_op::mem_region registers with mem_region_reg_wait_arg: an array of these.
struct RegWait {
  Timespec ts;
  std::uint32_t min_wait_usec, flags;
  std::uint64_t sigmask;
  std::uint32_t sigmask_sz, pad[3];
  std::uint64_t pad2[2];
};
static_assert(sizeof(RegWait) == 64);

// The questions of register_op::query.
inline constexpr std::uint32_t query_opcodes = 0, query_zcrx = 1, query_scq = 2;  // 6.18, 6.19, 6.19
inline constexpr std::uint32_t query_zcrx_event = 3;                              // 7.2

// The answer to query_scq.
struct QueryScq {
  std::uint64_t hdr_size, hdr_alignment;
};
static_assert(sizeof(QueryScq) == 16);

// What comes before the restrictions where register_op::restrictions is for a task and not for a ring (7.0).
struct TaskRestriction {
  std::uint16_t flags = 0, nr_res = 0;
  std::uint32_t resv[3] = {};
};
static_assert(sizeof(TaskRestriction) == 16);

// The argument of register_op::bpf_filter. filter_ptr is the address of an array of struct sock_filter.
struct BpfFilter {
  std::uint32_t opcode = 0, flags = 0, filter_len = 0;
  std::uint8_t pdu_size = 0, resv[3] = {};
  std::uint64_t filter_ptr = 0, resv2[5] = {};
};
struct Bpf {
  std::uint16_t cmd_type = 0, cmd_flags = 0;
  std::uint32_t resv = 0;
  BpfFilter filter = {};
};
static_assert(sizeof(BpfFilter) == 64 && offsetof(BpfFilter, filter_ptr) == 16);
static_assert(sizeof(Bpf) == 72 && offsetof(Bpf, filter) == 8);
inline constexpr std::uint16_t bpf_cmd_filter = 1;            // Bpf::cmd_type, 7.0
inline constexpr std::uint32_t bpf_filter_deny_rest = 1;      // BpfFilter::flags, 7.0
inline constexpr std::uint32_t bpf_filter_sz_strict = 2;      // BpfFilter::flags, 7.1
inline constexpr std::uint32_t bpf_filter_nobody = 1u << 31;  // no kernel has it; 7.3 is at 2

// What a filter reads, in words of 32 bits. The payload depends on the operation.
struct BpfContext {
  std::uint64_t user_data;
  std::uint8_t opcode, sqe_flags, pdu_size, pad[5], payload[24];
};
static_assert(sizeof(BpfContext) == 40 && offsetof(BpfContext, payload) == 16);
// SOCKET (7.0); OPENAT and OPENAT2 (7.0): words of 64 bits; CONNECT (7.2): the port as in a sockaddr.
inline constexpr std::uint32_t bpf_socket_family = 16, bpf_socket_type = 20, bpf_socket_protocol = 24;
inline constexpr std::uint32_t bpf_open_flags = 16, bpf_open_mode = 24, bpf_open_resolve = 32;
inline constexpr std::uint32_t bpf_connect_family = 16, bpf_connect_port = 20, bpf_connect_address = 24;
// And how many bytes that is.
inline constexpr std::uint8_t bpf_socket_pdu = 12, bpf_open_pdu = 24, bpf_connect_pdu = 24;

// The argument of register_op::napi and unregister_napi: what is to be, and then what was.
struct Napi {
  std::uint32_t busy_poll_to = 0;  // microseconds
  std::uint8_t prefer_busy_poll = 0;
  std::uint8_t opcode = 0, pad[2] = {};  // 6.13
  std::uint32_t op_param = 0;            // 6.13: how devices are found, or the id of one
  std::uint32_t resv = 0;

  friend bool operator==(const Napi&, const Napi&) = default;
};
static_assert(sizeof(Napi) == 16 && offsetof(Napi, op_param) == 8);
inline constexpr std::uint8_t napi_register_op = 0, napi_static_add_id = 1, napi_static_del_id = 2;  // 6.13
inline constexpr std::uint8_t napi_op_nobody = 255;  // no kernel has it; 7.3 is at 2
inline constexpr std::uint32_t napi_tracking_dynamic = 0, napi_tracking_static = 1,
                               napi_tracking_inactive = 255;  // 6.13
inline constexpr std::uint32_t napi_tracking_nobody = 256;    // no kernel has it

}  // namespace conformance::wire

#endif
