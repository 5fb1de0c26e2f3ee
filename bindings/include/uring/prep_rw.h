// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The parts of all prepare functions. See prep.h.
#ifndef URING_PREP_RW_H
#define URING_PREP_RW_H

#include "abi.h"

namespace uring {

// An address in the form in which an SQE carries it.
inline u64 address_of(const void* pointer) noexcept { return reinterpret_cast<u64>(pointer); }

// Sets all fields to 0 with four stores: from one store per field, compilers at -O2 generate six or more. The
// vector type may alias, because the fields are written and read one by one afterwards; and it requires no
// more alignment than an SQE has.
inline void clear(Sqe& sqe) noexcept {
  using Zeros [[gnu::vector_size(16), gnu::may_alias, gnu::aligned(alignof(Sqe))]] = u64;
  Zeros* const quarters = reinterpret_cast<Zeros*>(&sqe);
  quarters[0] = quarters[1] = quarters[2] = quarters[3] = Zeros{};
}

// Writes the whole entry: the fields given here, and 0 into all others. One store per field and no aggregate
// copy, because Clang without optimisation turns such copies into calls to memset and memcpy.
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

// Where the new descriptor goes. The field holds the slot + 1, because 0 means an ordinary descriptor; all
// ones means any free slot.
inline void set_target(Sqe& sqe, Slot slot) noexcept {
  sqe.file_index = slot == file_index_alloc ? static_cast<u32>(slot) : static_cast<u32>(slot) + 1;
}

// Lets the kernel take a buffer of this group when it needs one, not when the request is submitted.
inline void select_buffer(Sqe& sqe, u16 group) noexcept {
  sqe.flags = sqe_buffer_select;
  sqe.buf_index = group;
}

}  // namespace uring

#endif
