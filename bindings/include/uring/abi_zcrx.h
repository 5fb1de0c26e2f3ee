// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The numbers and structs of zero-copy receive, those of include/uapi/linux/io_uring/zcrx.h up to Linux 7.3
// (before 7.1 a part of io_uring.h). Names as in abi.h. All reserved fields must be 0, so start from `X x{}`.
// zcrx.h has what is done with them.
#ifndef URING_ABI_ZCRX_H
#define URING_ABI_ZCRX_H

#include "abi.h"

namespace uring {

// ZcrxIfqReg::flags: another ring's, of which if_idx is the descriptor that zcrx_ctrl_export made; and no
// device, so that all data is copied.
inline constexpr u32 zcrx_reg_import = 1;  ///< Since Linux 6.19
inline constexpr u32 zcrx_reg_nodev = 2;   ///< Since Linux 7.1

// ZcrxAreaReg::flags: dmabuf_fd is the memory.
inline constexpr u32 zcrx_area_dmabuf = 1;  ///< Since Linux 6.16

// ZcrxCqe::off and ZcrxRqe::off: the upper bits say which area, the rest is the offset in it.
inline constexpr u64 zcrx_area_shift = 48;                     ///< Since Linux 6.15
inline constexpr u64 zcrx_area_mask = 0xffff'0000'0000'0000u;  ///< Since Linux 6.15

// ZcrxCtrl::op.
inline constexpr u32 zcrx_ctrl_flush_rq = 0;   ///< Since Linux 6.19
inline constexpr u32 zcrx_ctrl_export = 1;     ///< Since Linux 6.19
inline constexpr u32 zcrx_ctrl_arm_event = 2;  ///< Since Linux 7.2
inline constexpr u32 zcrx_ctrl_add_area = 3;   ///< Since Linux 7.3

// What is told by a CQE of its own, as bits of ZcrxEventDesc::type_mask and as ZcrxCtrlArmEvent::event_type.
inline constexpr u32 zcrx_event_alloc_fail = 0;  ///< Since Linux 7.2: no memory is left in the area
inline constexpr u32 zcrx_event_copy = 1;        ///< Since Linux 7.2: data had to be copied

// ZcrxEventDesc::flags: stats_offset is set.
inline constexpr u32 zcrx_event_desc_flag_stats = 1;  ///< Since Linux 7.2

// QueryZcrx::features.
inline constexpr u32 zcrx_feature_rx_page_size = 1;  ///< Since Linux 7.0: ZcrxIfqReg::rx_buf_len
inline constexpr u32 zcrx_feature_event = 2;         ///< Since Linux 7.2: ZcrxIfqReg::event_desc

// QueryHdr::query_op.
inline constexpr u32 query_zcrx = 1;        ///< Since Linux 6.19: a QueryZcrx
inline constexpr u32 query_zcrx_event = 3;  ///< Since Linux 7.2: a QueryZcrxEvent

/// The memory that data arrives in (6.15).
struct ZcrxAreaReg {
  u64 addr;           ///< page aligned
  u64 len;            ///< bytes, whole pages
  u64 rq_area_token;  ///< out: to be ORed into ZcrxRqe::off
  u32 flags;          ///< zcrx_area_dmabuf
  u32 dmabuf_fd;      ///< with that flag (6.16)
  u64 resv2[2];       ///< 0
};
static_assert(sizeof(ZcrxAreaReg) == 48 && offsetof(ZcrxAreaReg, rq_area_token) == 16);
static_assert(offsetof(ZcrxAreaReg, dmabuf_fd) == 28);

/// Where the parts of the refill queue are, in bytes from the beginning of its region (6.15).
struct ZcrxOffsets {
  u32 head;     ///< the kernel's counter, u32
  u32 tail;     ///< the application's counter, u32
  u32 rqes;     ///< an array of ZcrxRqe
  u32 resv2;    ///< 0
  u64 resv[2];  ///< 0
};
static_assert(sizeof(ZcrxOffsets) == 32 && offsetof(ZcrxOffsets, rqes) == 8);

/// RegisterOp::zcrx_ifq (6.15).
struct ZcrxIfqReg {
  u32 if_idx;           ///< the index of the network interface, as from if_nametoindex(3)
  u32 if_rxq;           ///< which of its receive queues
  u32 rq_entries;       ///< of the refill queue: in: how many, out: that rounded up to a power of two
  u32 flags;            ///< zcrx_reg_*
  u64 area_ptr;         ///< address of a ZcrxAreaReg
  u64 region_ptr;       ///< address of a RegionDesc: the memory of the refill queue
  ZcrxOffsets offsets;  ///< out
  u32 zcrx_id;          ///< out: for RECV_ZC and ZcrxCtrl
  u32 rx_buf_len;       ///< bytes of a buffer, 0: a page; out: what it is (7.0)
  u64 event_desc;       ///< address of a ZcrxEventDesc, or 0 (7.2)
  u64 resv[2];          ///< 0
};
static_assert(sizeof(ZcrxIfqReg) == 96 && offsetof(ZcrxIfqReg, area_ptr) == 16);
static_assert(offsetof(ZcrxIfqReg, offsets) == 32 && offsetof(ZcrxIfqReg, zcrx_id) == 64);
static_assert(offsetof(ZcrxIfqReg, rx_buf_len) == 68 && offsetof(ZcrxIfqReg, event_desc) == 72);

/// An entry of the refill queue: memory that is given back (6.15).
struct ZcrxRqe {
  u64 off;  ///< ZcrxCqe::off, with the area's token
  u32 len;  ///< Cqe::res
  u32 pad;  ///< 0
};
static_assert(sizeof(ZcrxRqe) == 16 && offsetof(ZcrxRqe, len) == 8);

/// What the second half of a CQE of RECV_ZC is (6.15): Cqe32::extra1 and extra2.
struct ZcrxCqe {
  u64 off;  ///< where the data is
  u64 pad;  ///< 0
};
static_assert(sizeof(ZcrxCqe) == 16);

/// zcrx_ctrl_flush_rq: the kernel takes what is in the refill queue (6.19).
struct ZcrxCtrlFlushRq {
  u64 resv[6];  ///< 0
};
/// zcrx_ctrl_export: makes a descriptor, with which other rings can receive into the same area (6.19).
struct ZcrxCtrlExport {
  u32 zcrx_fd;    ///< out
  u32 resv1[11];  ///< 0
};
/// zcrx_ctrl_arm_event: the next such event is told again (7.2).
struct ZcrxCtrlArmEvent {
  u32 event_type;  ///< zcrx_event_*
  u32 resv[11];    ///< 0
};
/// zcrx_ctrl_add_area: more memory (7.3).
struct ZcrxCtrlAddArea {
  u64 area_ptr;  ///< address of a ZcrxAreaReg
  u64 resv[5];   ///< 0
};
static_assert(sizeof(ZcrxCtrlFlushRq) == 48 && sizeof(ZcrxCtrlExport) == 48);
static_assert(sizeof(ZcrxCtrlArmEvent) == 48 && sizeof(ZcrxCtrlAddArea) == 48);

/// RegisterOp::zcrx_ctrl (6.19).
struct ZcrxCtrl {
  u32 zcrx_id;  ///< of ZcrxIfqReg
  u32 op;       ///< zcrx_ctrl_*
  u64 resv[2];  ///< 0
  union {
    ZcrxCtrlExport zc_export;       ///< zcrx_ctrl_export
    ZcrxCtrlFlushRq zc_flush;       ///< zcrx_ctrl_flush_rq
    ZcrxCtrlArmEvent zc_arm_event;  ///< zcrx_ctrl_arm_event
    ZcrxCtrlAddArea zc_area;        ///< zcrx_ctrl_add_area
  };
};
static_assert(sizeof(ZcrxCtrl) == 72 && offsetof(ZcrxCtrl, zc_export) == 24);

/// What is to be told of, by CQEs (7.2).
struct ZcrxEventDesc {
  u64 user_data;     ///< of these CQEs
  u32 type_mask;     ///< 1 << zcrx_event_*
  u32 flags;         ///< zcrx_event_desc_flag_*
  u64 stats_offset;  ///< of a ZcrxStats, in the region of the refill queue
  u64 resv2[9];      ///< 0
};
static_assert(sizeof(ZcrxEventDesc) == 96 && offsetof(ZcrxEventDesc, stats_offset) == 16);

/// What the kernel counts (7.2).
struct ZcrxStats {
  u64 copy_count;  ///< pieces of data that were copied
  u64 copy_bytes;  ///< bytes in them
};
static_assert(sizeof(ZcrxStats) == 16);

/// What this kernel supports of it (6.19).
struct QueryZcrx {
  u64 register_flags;    ///< zcrx_reg_*
  u64 area_flags;        ///< zcrx_area_*
  u32 nr_ctrl_opcodes;   ///< zcrx_ctrl_*
  u32 features;          ///< zcrx_feature_*
  u32 rq_hdr_size;       ///< bytes in the region of the refill queue that precede its entries
  u32 rq_hdr_alignment;  ///< of the region
  u64 resv2;             ///< 0
};
static_assert(sizeof(QueryZcrx) == 40 && offsetof(QueryZcrx, nr_ctrl_opcodes) == 16);
static_assert(offsetof(QueryZcrx, rq_hdr_size) == 24);

/// And of its events (7.2).
struct QueryZcrxEvent {
  u32 event_flags;          ///< zcrx_event_desc_flag_*
  u32 stats_size;           ///< bytes of what the kernel counts
  u32 stats_off_alignment;  ///< of ZcrxEventDesc::stats_offset
  u32 resv1;                ///< 0
  u64 resv2[4];             ///< 0
};
static_assert(sizeof(QueryZcrxEvent) == 48 && offsetof(QueryZcrxEvent, stats_off_alignment) == 8);

}  // namespace uring

#endif
