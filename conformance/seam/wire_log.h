// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The wire log: every system call of the binding, every SQE it published and every CQE that came back, as the
// kernel sees them. Shown only when a test fails. Sits at the binding's seam and looks at the shared memory
// from the kernel's side, so it needs nothing from the binding but its system calls.
#ifndef CONFORMANCE_SEAM_WIRE_LOG_H
#define CONFORMANCE_SEAM_WIRE_LOG_H

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "seam/kernel_abi.h"
#include "seam/wire.h"

namespace conformance {

// One open ring, from outside.
struct RingView {
  wire::Params params{};
  std::byte* rings = nullptr;  // null until mapped
  std::byte* sqes = nullptr;
  std::uint32_t sq_seen = 0;  // SQEs logged so far
  std::uint32_t cq_seen = 0;  // CQEs logged so far
  int mappings = 0;           // of the ring's memory, still there
  int buffer_rings = 0;       // registered and not unregistered
  bool is_last_buffer_ring_incremental = false;

  void found(std::uint64_t offset, std::byte* memory);  // what mmap(2) returned
};

class WireLog {
 public:
  // The newest events; the oldest go first when a test is long.
  static constexpr std::size_t capacity = 256;

  // What the log keeps of an event. It becomes text only on request: nearly every test passes, and
  // formatting would be most of the work.
  struct Published {
    std::uint32_t position;
    std::optional<wire::Sqe> sqe;  // nothing: its index was out of range
  };
  struct Completed {
    std::uint32_t position;
    wire::Cqe cqe;
  };
  struct Entered {
    std::uint32_t to_submit, min_complete, flags;
    long result;
  };
  using Event = std::variant<std::string, Published, Completed, Entered>;

  void clear();
  void add(Event event);
  std::deque<std::string> lines() const;
  std::size_t events() const { return dropped_ + events_.size(); }  // so far, since clear()

  // The SQE that was published last, if there is one and its index was in range.
  std::optional<wire::Sqe> last_published() const;

  // "ring 3: sq head 1 tail 1, cq head 0 tail 1" for each open ring: where a wait that never ends got stuck.
  std::string ring_states() const;

  // Opened rings by descriptor. A ring that stays here after its test was leaked.
  std::map<int, RingView>& rings() { return rings_; }

  // Anonymous mappings of the binding (buffer rings) by address. What stays here after its test was leaked.
  std::set<void*>& anonymous() { return anonymous_; }

  // What rings counted as lost before they were unmapped, as sentences. No test here loses anything.
  std::vector<std::string>& losses() { return losses_; }
  void look_for_losses(int fd);

  void log_published(int fd);  // SQEs the binding has published since the last look
  void log_completed(int fd);  // CQEs the kernel has posted since the last look

 private:
  std::deque<Event> events_;
  std::size_t dropped_ = 0;
  std::map<int, RingView> rings_;
  std::set<void*> anonymous_;
  std::vector<std::string> losses_;
};
WireLog& wire_log();

// What the binding calls instead of the kernel: passes everything on, to the kernel or to one that lies
// (lying_kernel.h), and logs it as the binding sees it.
struct ObservedKernel {
  static long setup(std::uint32_t entries, wire::Params* params) noexcept;
  static long enter(int fd, std::uint32_t to_submit, std::uint32_t min_complete, std::uint32_t flags,
                    const void* arg, std::size_t arg_size) noexcept;
  static long do_register(int fd, std::uint32_t op, const void* arg, std::uint32_t count) noexcept;
  static long map_ring(int fd, std::size_t bytes, std::uint64_t offset) noexcept;
  static long map_anonymous(std::size_t bytes) noexcept;
  static long unmap(void* address, std::size_t bytes) noexcept;
  static long close(int fd) noexcept;
};

}  // namespace conformance

#endif
