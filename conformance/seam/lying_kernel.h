// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// A kernel that lies: it sits at the binding's seam between ObservedKernel and Linux, and changes nothing
// unless a lie is told (lies.h).
//
// Under a lie the binding works on a copy of the ring's memory. Before io_uring_enter(2) what the binding
// published is carried over to the kernel's memory, after it what the kernel posted is carried back, and on
// the way the lie changes what it wants. So a lie can rewrite whatever the two sides share, also what the
// kernel itself keeps count of. The requests are real, and run in the real kernel. Not for rings
// with SQPOLL, NO_MMAP, SQ_REWIND or large entries, which are left as they are.
#ifndef CONFORMANCE_SEAM_LYING_KERNEL_H
#define CONFORMANCE_SEAM_LYING_KERNEL_H

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <utility>
#include <vector>

#include "seam/kernel_abi.h"
#include "seam/lies.h"
#include "seam/wire.h"

namespace conformance {

// One ring, in the kernel's memory and in the binding's.
class LyingRing {
 public:
  LyingRing(const wire::Params& params, std::uint32_t told_sq_entries)
      : params_(params), told_sq_entries_(told_sq_entries) {}

  const wire::Params& params() const { return params_; }  // as the kernel gave them

  // --- for lies -----------------------------------------------------------------------------------------

  // A word of the ring as the binding sees it.
  std::uint32_t& told(std::uint32_t offset) const;

  // The place of a CQE as the binding sees it.
  wire::Cqe& told_cqe(std::uint32_t position) const;

  // Lets all counters of a new ring start there.
  void start_at(std::uint32_t position);

  // Takes the work out of a request: it will complete with `res`, and nothing happens.
  void pretend(wire::Sqe& sqe, std::int32_t res);

  // The last request with this user_data, as the binding wrote it.
  const wire::Sqe& request(std::uint64_t user_data) { return requests_[user_data]; }

  // How many there were before this one.
  unsigned submits = 0;        // calls of enter that submit
  unsigned waits = 0;          // calls of enter that only wait
  unsigned completions = 0;    // CQEs of the kernel
  unsigned registrations = 0;  // calls of register

  // --- for the kernel that tells them -------------------------------------------------------------------

  long map(int fd, std::size_t bytes, std::uint64_t offset);
  bool unmap(const void* address);  // false: it is not of this ring
  bool is_mapped() const { return rings_.copy != nullptr && sqes_.copy != nullptr; }
  void resized(const wire::Params& answer);  // by IORING_REGISTER_RESIZE_RINGS: it will be mapped anew

  void carry_requests(const Lie& lie);
  void postpone(std::uint32_t requests) { postponed_ += requests; }
  std::uint32_t take_postponed() { return std::exchange(postponed_, 0); }
  void run_again(int fd);                         // what was carried over last
  std::size_t carry_completions(const Lie& lie);  // returns how many of them the binding will never see
  void give_back();                               // to the kernel, the CQEs that the binding has read
  std::uint32_t still_missing(const EnterCall& call) const;  // CQEs, for the wait to be over
  std::uint32_t to_wait_for(const EnterCall& call) const;    // CQEs that the kernel must have for that

 private:
  // A part of the ring's memory: the kernel's, and the binding's copy.
  struct Memory {
    std::byte *kernel = nullptr, *copy = nullptr;
    std::size_t kernel_bytes = 0, copy_bytes = 0;
  };

  std::uint32_t& real(std::uint32_t offset) const;
  bool has_index_array() const { return (params_.flags & wire::setup_no_sqarray) == 0; }
  void publish(std::uint32_t index, const wire::Sqe& sqe);
  std::vector<wire::Cqe> take_arrived();
  std::uint32_t unread() const;
  void tell_arrived();

  wire::Params params_;
  std::uint32_t told_sq_entries_;
  Memory rings_, sqes_;
  std::uint32_t sq_lead_ = 0;       // how far the binding's SQ counters are ahead of the kernel's
  std::uint32_t postponed_ = 0;     // requests that count as consumed, and the kernel has not seen
  std::vector<wire::Sqe> carried_;  // by the last carry_requests
  std::uint32_t taken_ = 0;         // the kernel's CQEs up to here have arrived
  std::deque<wire::Cqe> untold_;    // arrived, and the binding's CQ has no room
  std::map<std::uint64_t, wire::Sqe> requests_;
  std::multimap<std::uint64_t, std::int32_t> pretended_;
};

// As BareKernel.
struct LyingKernel {
  static long setup(std::uint32_t entries, wire::Params* params) noexcept;
  static long enter(int fd, std::uint32_t to_submit, std::uint32_t min_complete, std::uint32_t flags,
                    const void* arg, std::size_t arg_size) noexcept;
  static long do_register(int fd, std::uint32_t op, const void* arg, std::uint32_t count) noexcept;
  static long map_ring(int fd, std::size_t bytes, std::uint64_t offset) noexcept;
  static long unmap(void* address, std::size_t bytes) noexcept;
  static long close(int fd) noexcept;

  // Lets the binding's copy of this ring follow the kernel's memory, as each enter does.
  static void show(int fd) noexcept;
};

}  // namespace conformance

#endif
