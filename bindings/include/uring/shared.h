// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The words that both the kernel and we access, and the memory order of each access.
//
//   word              written by   our access                    because
//   ----------------  -----------  ----------------------------  --------------------------------------
//   SQEs, SQ array    us           plain stores                  the tail publishes them
//   SQ tail           us           release store                 the kernel reads it with acquire, then
//                                                                reads the SQEs after it
//   SQ head           kernel       acquire load                  a slot may be overwritten only after
//                                                                the kernel has read it
//   SQ flags          kernel       relaxed load, with SQPOLL     NEED_WAKEUP: tail store, then flags
//                                  after a full fence            load is the one pair that release and
//                                                                acquire leave unordered (store, load);
//                                                                without the fence a wake-up is lost
//   SQ dropped,       kernel       relaxed load                  counters, read for diagnosis
//   CQ overflow
//   CQ tail           kernel       acquire load                  the CQEs before it come with it
//   CQEs              kernel       plain loads                   after the tail was read
//   CQ head           us           release store; our own copy   our reads of the CQEs must be over
//                                  is a relaxed load             before the kernel reuses the slots
//   buffer ring       us           plain stores                  the buffer ring's tail publishes them; the
//   entries                                                      last 16 bits of entry 0 are that tail
//   buffer ring tail  us           release store; our own copy   the kernel reads it with acquire, then
//   (16 bits)                      is a relaxed load             reads the entries after it
//   refill queue      us           plain stores                  its tail publishes them
//   entries
//   refill queue tail us           release store; our own copy   the kernel reads it with acquire, then
//                                  is in the receiver            reads the entries before it
//   refill queue head kernel       acquire load                  an entry may be overwritten only after the
//                                                                kernel has read it
//
// Source: the comment at the top of io_uring/io_uring.c in the kernel, which asks for the same pairs.
// ThreadSanitizer cannot see the kernel's half and has nothing to say about these words.
#ifndef URING_SHARED_H
#define URING_SHARED_H

#include <atomic>
#include <cstdint>

namespace uring {

namespace detail {

// What std::atomic_ref does, without its assertions: with _GLIBCXX_ASSERTIONS, which libstdc++ 16 also
// defines in builds without optimisation, they call a function of libstdc++, and a program without one does
// not link. GCC and Clang generate the same instructions for both.
template <class Word>
[[gnu::always_inline]] inline Word load(const Word* word, std::memory_order order) noexcept {
  return __atomic_load_n(word, static_cast<int>(order));
}

template <class Word>
[[gnu::always_inline]] inline void store(Word* word, Word value, std::memory_order order) noexcept {
  __atomic_store_n(word, value, static_cast<int>(order));
}

}  // namespace detail

/// One 32-bit word shared with the kernel. It can be reached only through the accesses of the table above.
class SharedU32 {
 public:
  /// Written out, not defaulted: a class that holds several of these is then copied and cleared member by
  /// member, where Clang without optimisation would otherwise call memcpy and memset.
  SharedU32() noexcept : word_(nullptr) {}

  /// The same word.
  SharedU32(const SharedU32& other) noexcept : word_(other.word_) {}
  /// Assigning one to itself copies its address once more.
  // NOLINTNEXTLINE(bugprone-unhandled-self-assignment)
  SharedU32& operator=(const SharedU32& other) noexcept {
    word_ = other.word_;
    return *this;
  }

  /// The word at this address.
  explicit SharedU32(std::uint32_t* word) noexcept : word_(word) {}

  /// Reads it, in no order with other accesses.
  [[gnu::always_inline]] std::uint32_t load_relaxed() const noexcept {
    return detail::load(word_, std::memory_order_relaxed);
  }

  /// Reads it, before everything that follows.
  [[gnu::always_inline]] std::uint32_t load_acquire() const noexcept {
    return detail::load(word_, std::memory_order_acquire);
  }

  /// Writes it, after everything before.
  void store_release(std::uint32_t value) const noexcept {
    detail::store(word_, value, std::memory_order_release);
  }

 private:
  std::uint32_t* word_;
};

/// The one 16-bit word shared with the kernel: the tail of a buffer ring.
class SharedU16 {
 public:
  /// The word at this address.
  explicit SharedU16(std::uint16_t* word) noexcept : word_(word) {}

  /// Reads it, in no order with other accesses.
  std::uint16_t load_relaxed() const noexcept { return detail::load(word_, std::memory_order_relaxed); }

  /// Writes it, after everything before.
  void store_release(std::uint16_t value) const noexcept {
    detail::store(word_, value, std::memory_order_release);
  }

 private:
  std::uint16_t* word_;
};

/// Goes between publishing the SQ tail and reading NEED_WAKEUP. The poller thread sets the flag, executes a
/// full fence of its own and reads the tail once more; with a fence on both sides at least one of the two
/// sees the other's store.
inline void fence_before_wakeup_check() noexcept { std::atomic_thread_fence(std::memory_order_seq_cst); }

}  // namespace uring

#endif
