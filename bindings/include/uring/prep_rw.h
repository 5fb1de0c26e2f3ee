// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The parts of all prepare functions. See prep.h.
#ifndef URING_PREP_RW_H
#define URING_PREP_RW_H

#include "abi.h"

namespace uring {

/// An address in the form in which an SQE carries it.
inline u64 address_of(const void* pointer) noexcept { return reinterpret_cast<u64>(pointer); }

/// The most bytes that one read(2), write(2), send(2) or recv(2) moves, and one request too: the kernel's
/// MAX_RW_COUNT with pages of 4 KiB. (With larger pages it is a little less; the kernel sees to that.)
inline constexpr u32 max_transfer = 0x7fff'f000;

/// A number of bytes to move as the 32 bits of an SQE. More than one request can move becomes as much as it
/// can, and the request completes with that number, exactly like the system call. Cutting off the upper bits
/// instead would turn 4 GiB into 0, which completes like the end of the file.
constexpr u32 transfer_length(u64 bytes) noexcept {
  return bytes < max_transfer ? static_cast<u32>(bytes) : max_transfer;
}

/// A size or count as the 32 bits that the kernel has for it. More becomes the largest number, which the
/// kernel treats as the system call treats any that is far too large: it refuses the request, or stops at its
/// own limit.
constexpr u32 saturated(u64 count) noexcept { return count < ~u32{0} ? static_cast<u32>(count) : ~u32{0}; }

/// Whether a length fits where neither is right, because a shorter one would succeed and mean something else.
constexpr bool fits_32_bits(u64 length) noexcept { return length <= ~u32{0}; }

/// Sets all fields to 0 with four stores: from one store per field, compilers at -O2 generate six or more.
/// The vector type may alias, because the fields are written and read one by one afterwards; and it requires
/// no more alignment than an SQE has.
inline void clear(Sqe& sqe) noexcept {
  using Zeros [[gnu::vector_size(16), gnu::may_alias, gnu::aligned(alignof(Sqe))]] = u64;
  Zeros* const quarters = reinterpret_cast<Zeros*>(&sqe);
  quarters[0] = quarters[1] = quarters[2] = quarters[3] = Zeros{};
}

/// Writes the whole entry: the fields given here, and 0 into all others. One store per field and no aggregate
/// copy, because Clang without optimisation turns such copies into calls to memset and memcpy.
inline Sqe& prep_rw(Sqe& sqe, u64 user_data, Op op, i32 fd, u64 addr, u32 len, u64 off) noexcept {
  sqe.opcode = op;
  sqe.flags = 0;
  sqe.ioprio = 0;
  sqe.fd = fd;
  sqe.off = off;
  sqe.addr = addr;
  sqe.len = len;
  sqe.op_flags = 0;
  sqe.user_data = user_data;
  sqe.buf_index = 0;
  sqe.personality = 0;
  sqe.file_index = 0;
  sqe.addr3 = 0;
  sqe.reserved = 0;
  return sqe;
}

/// Where the new descriptor goes. The field holds the slot + 1, because 0 means an ordinary descriptor; all
/// ones means any free slot.
inline void set_target(Sqe& sqe, Slot slot) noexcept {
  sqe.file_index = slot == file_index_alloc ? static_cast<u32>(slot) : static_cast<u32>(slot) + 1;
}

/// Lets the kernel take a buffer of this group when it needs one, not when the request is submitted.
inline void select_buffer(Sqe& sqe, u16 group) noexcept {
  sqe.flags = static_cast<u8>(sqe.flags | sqe_buffer_select);
  sqe.buf_index = group;
}

}  // namespace uring

#endif
