// Clearing a struct without the C library.
#ifndef URING_ZERO_H
#define URING_ZERO_H

#include <cstddef>
#include <cstdint>

namespace uring {

// Makes every byte of `object` 0, padding too: the kernel refuses a struct whose reserved fields are anything
// else. By words, not by `= {}`, which Clang without optimisation turns into a call of memset; and volatile,
// because with optimisation both compilers would make one of the loop. The word may alias: what follows must
// not be moved in front.
template <class T>
void zero(T& object) noexcept {
  using Word [[gnu::may_alias]] = std::uint32_t;
  static_assert(sizeof(T) % sizeof(Word) == 0 && alignof(T) >= alignof(Word));
  volatile Word* words = reinterpret_cast<Word*>(&object);
  for (std::size_t i = 0; i != sizeof(T) / sizeof(Word); ++i) words[i] = 0;
}

}  // namespace uring

#endif
