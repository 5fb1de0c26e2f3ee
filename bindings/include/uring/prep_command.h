// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Commands to drivers: what ioctl(2) is to files that have commands of their own (NVMe, ublk, FUSE, block
// devices). See prep.h for what holds for all of them; commands to sockets are in prep_socket.h.
#ifndef URING_PREP_COMMAND_H
#define URING_PREP_COMMAND_H

#include <cstddef>
#include <type_traits>

#include "entries.h"
#include "prep_control.h"
#include "prep_rw.h"
#include "prep_socket.h"

namespace uring {

/// The bytes of command that an SQE carries.
inline constexpr std::size_t command_bytes = 16;

/// The same in an SQE of 128 bytes.
inline constexpr std::size_t command_bytes_128 = 80;

/// The driver's command number `command` (NVME_URING_CMD_IO, UBLK_U_IO_FETCH_REQ ...) with 16 bytes of 0 as
/// its payload: follow with set_command. Completes with what the driver says; further results are in
/// Cqe32::extra1 and extra2. Sqe::op_flags is uring_cmd_*, 0 here. -EOPNOTSUPP: the file has no commands, or
/// this one needs larger entries; -ENOTTY: the driver has no such command. Since Linux 5.19.
inline Sqe& prep_uring_cmd(Sqe& sqe, u64 user_data, i32 fd, u32 command) noexcept {
  return prep_rw(sqe, user_data, Op::uring_cmd, fd, 0, 0, halves(command, 0));  // off: cmd_op, and 0
}

/// The same with 80 bytes of payload, in an SQE of 128 bytes of a ring with MixedSqes. Since Linux 6.19.
inline Sqe128& prep_uring_cmd128(Sqe128& sqe, u64 user_data, i32 fd, u32 command) noexcept {
  prep_uring_cmd(sqe, user_data, fd, command).opcode = Op::uring_cmd128;
  detail::clear_second_half(sqe);
  return sqe;
}

/// A NOP of 128 bytes, in an SQE of 128 bytes of a ring with MixedSqes. Since Linux 6.19.
inline Sqe128& prep_nop128(Sqe128& sqe, u64 user_data) noexcept {
  prep_nop(sqe, user_data).opcode = Op::nop128;
  detail::clear_second_half(sqe);
  return sqe;
}

namespace detail {

// The largest unit in which so many bytes can be copied.
template <std::size_t bytes>
using Unit = std::conditional_t<bytes % 8 == 0, u64, std::conditional_t<bytes % 4 == 0, u32, u8>>;

// Copies `payload` to the place from Sqe::addr3 on, and fills the rest of `room` bytes with 0. In a loop of
// volatile words: see zero.
template <std::size_t room, class Payload>
void copy_payload(Sqe& sqe, const Payload& payload) noexcept {
  static_assert(std::is_trivially_copyable_v<Payload>, "a driver reads bytes: pass a plain struct");
  static_assert(sizeof(Payload) <= room, "the payload does not fit into an SQE of this size");
  using Word [[gnu::may_alias, gnu::aligned(1)]] = Unit<sizeof(Payload)>;
  volatile Word* const to = reinterpret_cast<volatile Word*>(&sqe.addr3);
  const Word* const from = reinterpret_cast<const Word*>(&payload);
  constexpr std::size_t words = sizeof(Payload) / sizeof(Word);
  for (std::size_t i = 0; i != words; ++i) to[i] = from[i];
  for (std::size_t i = words; i != room / sizeof(Word); ++i) to[i] = 0;
}

}  // namespace detail

/// The payload of a prepared command: a plain struct of at most 16 bytes, or 80 in an SQE of 128 bytes, which
/// is copied. What it does not fill becomes 0.
template <class Payload>
void set_command(Sqe& sqe, const Payload& payload) noexcept {
  detail::copy_payload<command_bytes>(sqe, payload);
}

/// The same in an SQE of 128 bytes: at most 80.
template <class Payload>
void set_command(Sqe128& sqe, const Payload& payload) noexcept {
  detail::copy_payload<command_bytes_128>(sqe, payload);
}

}  // namespace uring

#endif
