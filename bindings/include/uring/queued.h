// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// What the ring's operations return: the queued SQE or an error, on which the flags of the request are set.
//
//   const auto queued = ring.write(1, fd, data, 0).link();
//   if (!queued) return queued.error();  // submission_queue_full: submit, then try again
#ifndef URING_QUEUED_H
#define URING_QUEUED_H

#include <utility>

#include "abi.h"
#include "entries.h"
#include "prep_rw.h"
#include "prep_socket.h"
#include "result.h"

namespace uring {

/// A Result<Entry&> with setters; `Entry` is Sqe or Sqe128. Each returns what it was called on, so that they
/// can be chained, and does nothing if there is an error: nothing was queued, and the error is still there at
/// the end of the chain. They cost the same as setting the fields of the SQE.
///
/// Two requests that must be queued together or not at all (a link) need BasicRing::reserve before the first.
template <class Entry>
class [[nodiscard]] BasicQueued : public Result<Entry&> {
 public:
  /// Nothing was queued.
  constexpr BasicQueued(Error error) noexcept : Result<Entry&>(error) {}

  /// This SQE was.
  constexpr BasicQueued(Entry& sqe) noexcept : Result<Entry&>(sqe) {}

  /// The next request starts when this one has succeeded; if it fails, the rest of the chain completes with
  /// -ECANCELED. A chain ends with the first request without link, or with the submit. Since Linux 5.3.
  BasicQueued link() const noexcept { return add_flags(sqe_io_link); }

  /// The next request starts when this one has completed, successfully or not. Since Linux 5.5.
  BasicQueued hard_link() const noexcept { return add_flags(sqe_io_hardlink); }

  /// Starts when all requests before it have completed; those after it wait for it. -EOPNOTSUPP in a ring
  /// that ever used skip_success. Since Linux 5.2.
  BasicQueued drain() const noexcept { return add_flags(sqe_io_drain); }

  /// Always in a worker thread, without trying first whether it would block. Since Linux 5.6.
  BasicQueued async() const noexcept { return add_flags(sqe_async); }

  /// The descriptor is a slot of register_files. Since Linux 5.1.
  BasicQueued fixed_file() const noexcept { return add_flags(sqe_fixed_file); }

  /// No CQE if it succeeds. Since Linux 5.17 (feat_cqe_skip).
  BasicQueued skip_success() const noexcept { return add_flags(sqe_cqe_skip_success); }

  /// Takes a buffer of this group when it needs one. Since Linux 5.7.
  BasicQueued select_buffer(u16 group) const noexcept {
    return with([group](Sqe& sqe) { uring::select_buffer(sqe, group); });
  }

  /// Runs with the credentials that register_personality returned this id for. Since Linux 5.6.
  BasicQueued set_personality(u16 id) const noexcept {
    return with([id](Sqe& sqe) { sqe.personality = id; });
  }

  /// Of a send, send_zc or send_zc_fixed: where to. See uring::set_destination.
  BasicQueued set_destination(const ::sockaddr* address, u32 address_size) const noexcept {
    return with([=](Sqe& sqe) { uring::set_destination(sqe, address, address_size); });
  }

  /// Of a send or a receive: waits for the socket before it tries. Since Linux 5.19.
  BasicQueued poll_first() const noexcept {
    return with(
        [](Sqe& sqe) { sqe.ioprio = static_cast<u16>(sqe.ioprio | static_cast<u16>(RecvSend::poll_first)); });
  }

  /// Any other change: calls change(Entry&) if the request was queued.
  ///
  ///   ring.read(1, fd, buffer, 0).with([](uring::Sqe& sqe) { sqe.ioprio = best_effort; })
  template <class Change>
  BasicQueued with(Change&& change) const noexcept {
    if (this->ok()) [[likely]]
      std::forward<Change>(change)(this->value());
    return *this;
  }

 private:
  BasicQueued add_flags(u8 flags) const noexcept {
    return with([flags](Sqe& sqe) { sqe.flags = static_cast<u8>(sqe.flags | flags); });
  }
};

/// What a ring's operations return is its member Queued: one of these.
using Queued = BasicQueued<Sqe>;
/// The same in rings of 128-byte SQEs.
using Queued128 = BasicQueued<Sqe128>;

static_assert(sizeof(Queued) == sizeof(Result<Sqe&>) && sizeof(Queued128) == sizeof(Result<Sqe128&>));

}  // namespace uring

#endif
