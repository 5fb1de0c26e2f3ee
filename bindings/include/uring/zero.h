// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Clearing a struct without the C library.
#ifndef URING_ZERO_H
#define URING_ZERO_H

#include <cstddef>
#include <cstdint>

namespace uring {

/// Sets every byte of `object` to 0, including padding: the kernel refuses a struct whose reserved fields are
/// anything else. Word by word, not with `= {}`, which Clang without optimisation turns into a call to
/// memset; and volatile, because with optimisation both compilers would turn the loop into one. The word type
/// may alias, so that later accesses are not moved before the loop.
template <class T>
void zero(T& object) noexcept {
  using Word [[gnu::may_alias]] = std::uint32_t;
  static_assert(sizeof(T) % sizeof(Word) == 0 && alignof(T) >= alignof(Word));
  volatile Word* words = reinterpret_cast<Word*>(&object);
  for (std::size_t i = 0; i != sizeof(T) / sizeof(Word); ++i) words[i] = 0;
}

}  // namespace uring

#endif
