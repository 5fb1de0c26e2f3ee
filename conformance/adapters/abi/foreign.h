// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The suite's side of the adapter ABI: the types and functions that binding.h offers, implemented with the
// table of an adapter (uring_binding.h). Only binding.h includes this file. Nothing here encodes, queues or
// counts: that is the job of the binding under test.
#ifndef CONFORMANCE_ADAPTERS_ABI_FOREIGN_H
#define CONFORMANCE_ADAPTERS_ABI_FOREIGN_H

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>

#include "adapters/abi/requests.h"
#include "adapters/uring_binding.h"

namespace binding {

// The adapter's table. If there is none, an empty one, which validate and start refuse.
const uring_binding_v1& adapters_table();
inline const uring_binding_v1& table = adapters_table();

inline const char* const name = table.name != nullptr ? table.name : "no-name";
inline const char* const version = table.binding_version != nullptr ? table.binding_version : "";
inline constexpr bool is_foreign = true;
void start();
void watch_tests();
int validate(std::string_view layer, unsigned timeout_s, int skip_code);

// In the text of a skip that says what the binding cannot express.
inline constexpr std::string_view not_expressible_words = " is not expressible: ";

conformance::wire::Sqe bytes_of(const Sqe& sqe);

// A word that the binding may keep to itself. Then it equals whatever is expected.
class PrivateWord {
 public:
  PrivateWord() = default;
  PrivateWord(u32 value) : value_(value) {}
  std::string text() const { return value_ ? std::to_string(*value_) : "not shown"; }
  friend bool operator==(const PrivateWord& a, const PrivateWord& b) {
    return !a.value_ || !b.value_ || *a.value_ == *b.value_;
  }

 private:
  std::optional<u32> value_;
};

// What the table does not carry. Comparing it checks nothing, so a test that does so is not expressible,
// unless something else in it fails. (Their effect is seen: the suite refuses a ring for which it did not see
// two mappings at the kernel's offsets.)
struct Unseen {
  const char* what;
};
void note(Unseen unseen);
inline bool operator==(Unseen unseen, u64) {
  note(unseen);
  return true;
}
inline void PrintTo(Unseen unseen, std::ostream* out) { *out << unseen.what << ", which is not seen"; }

// The sizes of the binding's own types, and what it passes to mmap(2).
inline const u32 sqe_size = table.sqe_size, cqe_size = table.cqe_size;
inline constexpr Unseen params_size{"the size of io_uring_params"}, off_sq_ring{"the offset of the SQ ring"},
    off_cq_ring{"the offset of the CQ ring"}, off_sqes{"the offset of the SQEs"};

// The positions of both queues: two words as the binding shows them, two as the kernel sees them.
struct Indices {
  PrivateWord sqe_head, sqe_tail;
  u32 sq_tail, cq_head;

  friend bool operator==(const Indices&, const Indices&) = default;
};
void PrintTo(PrivateWord word, std::ostream* out);
void PrintTo(const Indices& indices, std::ostream* out);

// The kernel's operations, according to the binding.
class Probe {
 public:
  bool is_supported(Op op) const { return supported_[static_cast<std::uint8_t>(op)] != 0; }

 private:
  friend class Ring;
  std::array<std::uint8_t, 256> supported_{};
};

class Ring : public Requests {
 public:
  Ring() = default;
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring() { close(); }

  Result<void> init(u32 entries, u32 flags = 0);
  using Requests::close;  // of a descriptor
  void close();
  int fd() const { return ring_ != nullptr ? facts_.fd : -1; }
  const uring_binding_ring* adapters_ring() const { return ring_; }
  // The kernel's answer: a binding's word about the kernel is not evidence.
  u32 features() const;
  u32 sq_entries() const { return facts_.sq_entries; }
  u32 cq_entries() const { return facts_.cq_entries; }
  Indices indices() const;

  Result<u32> submit();
  Result<u32> submit_and_wait(u32 wait_nr);
  Result<u32> enter(u32 to_submit, u32 min_complete, u32 flags);
  Result<void> register_ring_fd();  // not expressible
  u32 sq_ready() const;
  u32 cq_ready() const;
  Result<u32> copy_cqes(std::span<Cqe> destination, u32 wait_nr);
  Result<void> copy_cqe(Cqe& cqe);  // waits, however often it takes

  Result<void> register_files(std::span<const i32> fds);
  Result<u32> register_files_update(Slot first, std::span<const i32> fds);
  Result<void> unregister_files();
  Result<void> register_buffers(std::span<const iovec> buffers);
  Result<void> unregister_buffers();
  Result<void> get_probe(Probe& probe);

 private:
  friend class BufferGroup;

  Result<u32> do_register(const char* what, uring_binding_registration registration, const void* argument,
                          std::size_t count, u32 first = 0);

  uring_binding_facts facts_{};
};

// Not expressible.
inline std::size_t ring_memory_size(u32, u32) { return 1; }
Result<void> init_mem(Ring& ring, u32 entries, u32 flags, std::span<std::byte> memory);

class BufferGroup {
 public:
  BufferGroup() = default;
  BufferGroup(const BufferGroup&) = delete;
  BufferGroup& operator=(const BufferGroup&) = delete;
  ~BufferGroup() { close(); }

  // On a kernel without incremental consumption, asks again for whole buffers, as our own binding does.
  Result<void> init(Ring& ring, u16 group, std::span<std::byte> memory, u32 buffer_size,
                    Consumption wanted = Consumption::incremental);
  void close();
  Consumption consumption() const { return consumption_; }
  Result<Sqe&> recv(u64 user_data, i32 fd, u32 flags) {
    return ring_->recv_select(user_data, fd, id_, 0, flags);
  }
  Result<Sqe&> recv_multishot(u64 user_data, i32 fd, u32 flags) {
    return ring_->recv_multishot(user_data, fd, id_, flags);
  }
  Result<std::span<std::byte>> get(const Cqe& cqe) const;
  Result<void> put(const Cqe& cqe);

 private:
  Result<void> create(Ring& ring, std::span<std::byte> memory, u32 buffer_size, Consumption consumption);

  Ring* ring_ = nullptr;
  uring_binding_group* group_ = nullptr;
  std::span<std::byte> memory_;
  u16 id_ = 0;
  Consumption consumption_ = Consumption::whole;
};

}  // namespace binding

#endif
