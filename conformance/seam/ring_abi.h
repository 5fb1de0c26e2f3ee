// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// More of kernel_abi.h: what only the rows about rings and waiting need, from the same header of the kernel.
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
inline constexpr std::uint32_t clock = 29;         // 6.12
inline constexpr std::uint32_t resize_rings = 33;  // 6.13
inline constexpr std::uint32_t nobody = 4096;      // no kernel has it; 7.3 is at 37
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

// The questions of register_op::query.
inline constexpr std::uint32_t query_opcodes = 0, query_zcrx = 1, query_scq = 2;  // 6.18, 6.19, 6.19
inline constexpr std::uint32_t query_zcrx_event = 3;                              // 7.2

// The answer to query_scq.
struct QueryScq {
  std::uint64_t hdr_size, hdr_alignment;
};
static_assert(sizeof(QueryScq) == 16);

}  // namespace conformance::wire

#endif
