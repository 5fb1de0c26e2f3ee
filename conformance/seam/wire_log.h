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

// What every entry of a submission queue holds until the binding writes it. The kernel gives a ring zeroes,
// and a test is over before a slot is used twice: a binding that leaves a byte as it was would show only in a
// long-lived program, where that byte is another request's. Here each byte that a request leaves alone
// reaches the kernel as this one, and the comparison of the whole SQE sees it. A binding may clear an entry
// whenever it likes before it publishes it, except once and for all when it maps the ring.
inline constexpr unsigned char stale = 0xff;

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

  void found(std::uint64_t offset, std::byte* memory);  // what mmap(2) returned, or the caller brought
  bool is_callers() const { return (params.flags & wire::setup_no_mmap) != 0; }  // memory, never unmapped

  std::uint32_t head() const;  // of the submission queue: how far the kernel has consumed it
  void make_stale(std::uint32_t from_head) const;
};

// A call of the binding, or a request, that the kernel answered as it does when something around it forbids
// the call: a limit, a filter or a policy. Whether that is so is asked elsewhere (evidence/environment.h).
struct Denial {
  enum class Call { setup, enter, do_register, request } call;
  int error;              // ENOMEM, EPERM, EACCES or ENOSYS
  std::size_t bytes = 0;  // the memory that it would have locked, as far as its arguments tell
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

  // The last one of this test, unless the same call was granted later.
  std::optional<Denial>& denial() { return denial_; }
  void look_for_denial(Denial::Call call, long result, std::size_t bytes = 0);

  // Flags that every SQE which may have them gets from now on, after it was logged: the log tells what the
  // binding wrote. Not for rings with SQPOLL, whose thread may have taken an SQE before it is logged.
  void add_sqe_flags(std::uint8_t flags) { more_sqe_flags_ = flags; }

  void log_published(int fd);  // SQEs the binding has published since the last look
  void log_completed(int fd);  // CQEs the kernel has posted since the last look

 private:
  std::size_t length_of(std::uint64_t user_data) const;  // of the last request with it

  std::deque<Event> events_;
  std::size_t dropped_ = 0;
  std::map<int, RingView> rings_;
  std::set<void*> anonymous_;
  std::vector<std::string> losses_;
  std::optional<Denial> denial_;
  std::uint8_t more_sqe_flags_ = 0;
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
