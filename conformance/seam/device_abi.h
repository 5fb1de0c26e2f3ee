// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Commands that a URING_CMD carries to a device, from the kernel's linux/nvme_ioctl.h and linux/blkdev.h.
#ifndef CONFORMANCE_SEAM_DEVICE_ABI_H
#define CONFORMANCE_SEAM_DEVICE_ABI_H

#include <cstddef>
#include <cstdint>

namespace conformance::wire {

// Sqe::op_flags of a URING_CMD.
inline constexpr std::uint32_t uring_cmd_fixed = 1;      // 6.1
inline constexpr std::uint32_t uring_cmd_multishot = 2;  // 6.18
inline constexpr std::uint32_t uring_cmd_mask = 3;       // 6.7, what a program may set; 7.3 has no more

// The payload of nvme_uring_cmd_io, in the 80 bytes from Sqe::addr3 on: a command as the drive gets it.
struct NvmeUringCmd {
  std::uint8_t opcode = 0, flags = 0;  // nvme_read, nvme_write
  std::uint16_t rsvd1 = 0;
  std::uint32_t nsid = 0, cdw2 = 0, cdw3 = 0;
  std::uint64_t metadata = 0, addr = 0;
  std::uint32_t metadata_len = 0, data_len = 0;
  std::uint32_t cdw10 = 0, cdw11 = 0;  // of a read or write: the first block, in two halves
  std::uint32_t cdw12 = 0;             // and the number of blocks - 1
  std::uint32_t cdw13 = 0, cdw14 = 0, cdw15 = 0, timeout_ms = 0, rsvd2 = 0;
};
static_assert(sizeof(NvmeUringCmd) == 72 && offsetof(NvmeUringCmd, addr) == 24);
static_assert(offsetof(NvmeUringCmd, cdw10) == 40);
inline constexpr std::uint8_t nvme_write = 1, nvme_read = 2;

// Commands, in the first half of Sqe::off: _IOWR('N', 0x80, struct nvme_uring_cmd), _IO(0x12, 0). The number
// 0xff is no driver's.
inline constexpr std::uint32_t nvme_uring_cmd_io = 0xc048'4e80;      // 5.19
inline constexpr std::uint32_t nvme_uring_cmd_nobody = 0xc048'4eff;  // 7.3 is at 0x83
inline constexpr std::uint32_t block_uring_cmd_discard = 0x1200;     // 6.12
inline constexpr std::uint32_t block_uring_cmd_nobody = 0x12ff;      // 7.3 is at 0

// What a drive answers to a command beyond its end, without the bits that say what to do about it.
inline constexpr std::int32_t nvme_status = 0x7ff, nvme_lba_out_of_range = 0x80;

}  // namespace conformance::wire

#endif
