// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// More of kernel_abi.h: zero-copy receive, from the kernel's linux/io_uring/zcrx.h.
#ifndef CONFORMANCE_SEAM_ZCRX_ABI_H
#define CONFORMANCE_SEAM_ZCRX_ABI_H

#include <cstddef>
#include <cstdint>

#include "seam/kernel_abi.h"
#include "seam/wire.h"

namespace conformance::wire {

namespace register_op {
inline constexpr std::uint32_t zcrx_ifq = 32;   // 6.15
inline constexpr std::uint32_t zcrx_ctrl = 36;  // 6.19
}  // namespace register_op

// ZcrxIfqReg::flags.
inline constexpr std::uint32_t zcrx_reg_import = 1;  // 6.19
inline constexpr std::uint32_t zcrx_reg_nodev = 2;   // 7.1

// The upper bits of an offset: which area it is in.
inline constexpr std::uint64_t zcrx_area_mask = 0xffff'0000'0000'0000;  // 6.15
inline constexpr unsigned zcrx_area_shift = 48;                         // 6.15

// ZcrxCtrl::op.
inline constexpr std::uint32_t zcrx_ctrl_flush_rq = 0, zcrx_ctrl_export = 1;  // 6.19
inline constexpr std::uint32_t zcrx_ctrl_arm_event = 2;                       // 7.2
inline constexpr std::uint32_t zcrx_ctrl_add_area = 3;                        // 7.3
inline constexpr std::uint32_t zcrx_ctrl_nobody = 0x7fff;                     // no kernel has it; 7.3 is at 3

// What is told of, and ZcrxEventDesc::flags.
inline constexpr std::uint32_t zcrx_event_alloc_fail = 0, zcrx_event_copy = 1;  // 7.2
inline constexpr std::uint32_t zcrx_event_desc_flag_stats = 1;                  // 7.2

struct ZcrxAreaReg {
  std::uint64_t addr = 0, len = 0, rq_area_token = 0;
  std::uint32_t flags = 0, dmabuf_fd = 0;
  std::uint64_t resv2[2] = {};
};
static_assert(sizeof(ZcrxAreaReg) == 48);

// The argument of register_op::zcrx_ifq.
struct ZcrxIfqReg {
  std::uint32_t if_idx = 0, if_rxq = 0, rq_entries = 0, flags = 0;
  std::uint64_t area_ptr = 0, region_ptr = 0;
  std::uint32_t head = 0, tail = 0, rqes = 0, resv2 = 0;  // offsets in the region
  std::uint64_t resv3[2] = {};
  std::uint32_t zcrx_id = 0, rx_buf_len = 0;
  std::uint64_t event_desc = 0, resv[2] = {};
};
static_assert(sizeof(ZcrxIfqReg) == 96 && offsetof(ZcrxIfqReg, zcrx_id) == 64);

// The argument of register_op::zcrx_ctrl. What follows depends on the operation: of EXPORT the descriptor
// that it made, of ARM_EVENT the event, and of ADD_AREA the address of a ZcrxAreaReg in place of both words.
struct ZcrxCtrl {
  std::uint32_t zcrx_id = 0, op = 0;
  std::uint64_t resv[2] = {};
  std::uint32_t word = 0, second_word = 0;
  std::uint64_t resv2[5] = {};
};
struct ZcrxCtrlAddArea {
  std::uint32_t zcrx_id = 0, op = zcrx_ctrl_add_area;
  std::uint64_t resv[2] = {}, area_ptr = 0, resv2[5] = {};
};
static_assert(sizeof(ZcrxCtrl) == 72 && sizeof(ZcrxCtrlAddArea) == 72);

struct ZcrxEventDesc {
  std::uint64_t user_data = 0;
  std::uint32_t type_mask = 0, flags = 0;
  std::uint64_t stats_offset = 0, resv2[9] = {};
};
static_assert(sizeof(ZcrxEventDesc) == 96);

// The answer to the query with this number: only what is looked at.
inline constexpr std::uint32_t query_of_zcrx = 1;  // 6.19
struct QueryZcrx {
  std::uint64_t register_flags, area_flags;
  std::uint32_t nr_ctrl_opcodes, features;
  std::uint64_t more[2];
};
static_assert(sizeof(QueryZcrx) == 40);

// And of query_zcrx_event.
struct QueryZcrxEvent {
  std::uint32_t event_flags, stats_size, stats_off_alignment, resv1;
  std::uint64_t resv2[4];
};
static_assert(sizeof(QueryZcrxEvent) == 48);

// An entry of the refill queue, and the second half of a CQE.
struct ZcrxRqe {
  std::uint64_t off;
  std::uint32_t len, pad;
};
struct ZcrxCqe {
  std::uint64_t off, pad;
};
static_assert(sizeof(ZcrxRqe) == 16 && sizeof(ZcrxCqe) == 16);

struct ZcrxStats {
  std::uint64_t copy_count = 0, copy_bytes = 0;

  friend bool operator==(const ZcrxStats&, const ZcrxStats&) = default;
};

}  // namespace conformance::wire

#endif
