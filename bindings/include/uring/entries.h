// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The sizes of a ring's entries, which are a property of its type: BasicRing<Kernel, Sqes, Cqes>.
//
//   Sqes       entries of  flag             Cqes       entries of  flag
//   Sqe        64 bytes                     Cqe        16 bytes
//   Sqe128     128 bytes   setup_sqe128     Cqe32      32 bytes    setup_cqe32
//   MixedSqes  both        setup_sqe_mixed  MixedCqes  both        setup_cqe_mixed
//
// The large ones are for commands to drivers (prep_uring_cmd): NVMe passthrough needs 80 bytes of command and
// answers with 32 bytes. Everything else works in any ring.
#ifndef URING_ENTRIES_H
#define URING_ENTRIES_H

#include "abi.h"

namespace uring {

/// An SQE of 128 bytes. All operations but URING_CMD use the first 64 of them, an Sqe; with that one the
/// command goes on from Sqe::addr3 to the end, 80 bytes. Since Linux 5.19.
struct Sqe128 : Sqe {
  u64 more[8];  ///< the rest of the command of a URING_CMD

  /// Equal in every field.
  friend bool operator==(const Sqe128&, const Sqe128&) noexcept = default;
};
static_assert(sizeof(Sqe128) == 128 && alignof(Sqe128) == alignof(u64));

/// A CQE of 32 bytes. What the other 16 mean is up to the operation, and most leave them as they were:
/// commands to NVMe put their result into extra1. Since Linux 5.19.
struct Cqe32 : Cqe {
  u64 extra1;  ///< the first further word of the result
  u64 extra2;  ///< the second

  /// Equal in every field.
  friend bool operator==(const Cqe32&, const Cqe32&) noexcept = default;
};
static_assert(sizeof(Cqe32) == 32 && alignof(Cqe32) == alignof(u64));

/// In place of Sqe: most SQEs have 64 bytes, and get_sqe128 (nop128, uring_cmd128) takes two entries for one
/// of 128. Counts (sq_entries, sq_ready, what submit returns) are in entries of 64 bytes. Since Linux 6.19.
struct MixedSqes {};

/// In place of Cqe: most CQEs have 16 bytes, and those with cqe_f_32 two entries. They are delivered as
/// Cqe32, with 0 in the words that a small one does not have; entries with which the kernel fills the end of
/// the queue (cqe_f_skip) are not delivered. cq_entries, cq_ready and cq_advance count entries of 16 bytes;
/// what copies and visits count is CQEs. Since Linux 6.18.
struct MixedCqes {};

namespace detail {

// What the queues are made of: the type of an entry in memory (of a CQE also the type in which it is
// delivered), and the flag that the kernel knows it by.
template <class Sqes>
struct SqShape;
template <>
struct SqShape<Sqe> {
  using Entry = Sqe;
  static constexpr u32 flag = 0;
};
template <>
struct SqShape<Sqe128> {
  using Entry = Sqe128;
  static constexpr u32 flag = setup_sqe128;
};
template <>
struct SqShape<MixedSqes> {
  using Entry = Sqe;
  static constexpr u32 flag = setup_sqe_mixed;
};

template <class Cqes>
struct CqShape;
template <>
struct CqShape<Cqe> {
  using Slot = Cqe;
  using Entry = Cqe;
  static constexpr u32 flag = 0;
};
template <>
struct CqShape<Cqe32> {
  using Slot = Cqe32;
  using Entry = Cqe32;
  static constexpr u32 flag = setup_cqe32;
};
template <>
struct CqShape<MixedCqes> {
  using Slot = Cqe;
  using Entry = Cqe32;
  static constexpr u32 flag = setup_cqe_mixed;
};

// By field: see prep_rw.
inline void copy_entry(Cqe& to, const Cqe& from) noexcept {
  to.user_data = from.user_data;
  to.res = from.res;
  to.flags = from.flags;
}
inline void copy_entry(Cqe32& to, const Cqe32& from) noexcept {
  copy_entry(static_cast<Cqe&>(to), static_cast<const Cqe&>(from));
  to.extra1 = from.extra1;
  to.extra2 = from.extra2;
}

// The part of an SQE that the prepare functions do not write.
inline void clear_second_half(Sqe&) noexcept {}
inline void clear_second_half(Sqe128& sqe) noexcept {
  using Zeros [[gnu::vector_size(16), gnu::may_alias, gnu::aligned(alignof(Sqe128))]] = u64;  // as in clear
  Zeros* const quarters = reinterpret_cast<Zeros*>(sqe.more);
  quarters[0] = quarters[1] = quarters[2] = quarters[3] = Zeros{};
}

}  // namespace detail

}  // namespace uring

#endif
