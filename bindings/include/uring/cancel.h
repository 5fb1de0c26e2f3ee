// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Ending every request of a ring, and knowing that they have ended.
#ifndef URING_CANCEL_H
#define URING_CANCEL_H

#include "abi_register.h"
#include "operations.h"
#include "prep_rw.h"
#include "result.h"
#include "zero.h"

namespace uring {

/// The part of `Ring` (a class with the other methods of BasicRing) that ends its requests.
template <class Ring>
class Cancellation {
 public:
  /// Cancels all requests, and returns when they have ended and the kernel uses none of their memory any
  /// more: then the ring can be closed and the memory freed. What is queued is submitted first, so that each
  /// request has its CQE.
  ///
  /// Every CQE that comes in the meantime is taken from the ring and given to visit(const CqEntry&), also
  /// those that were ready before or had overflowed: read them as in for_each_cqe, put buffers back, free
  /// what the user_data stands for. A cancelled request says -ECANCELED (some -EINTR); what was already
  /// running may succeed, so a write may have been made. `visit` must not queue requests.
  ///
  /// The end is found with a NOP that drains, queued with this user_data, which no other request may have.
  /// Its CQE does not go to `visit`.
  ///
  /// `timeout` is how long nothing may happen, in steps of 10 ms, {-1, -1}: forever. ETIME: there is a
  /// request that cannot be cancelled and does not end, such as a uring_cmd of a driver, or a worker in a
  /// file system that is gone. It is in flight, and so is the NOP. Its CQE will come; to continue, call again
  /// with another user_data.
  ///
  /// The errors of Ring::sync_cancel, before anything else is done: EINVAL before Linux 6.0. Then those of
  /// LinuxKernel::enter but EINTR and EBUSY, which do not end it; as with ETIME, the CQE of the NOP is still
  /// to come. Last those of the NOP, when nothing says where the end is: what could be found was cancelled
  /// until for a second (or `timeout`, if that is shorter) there was nothing more and nothing happened, but a
  /// transfer to a disk may still be under way. EOPNOTSUPP in a ring that ever used sqe_cqe_skip_success (as
  /// get_sqe128 does in a MixedRing), EACCES where register_restrictions forbids a NOP or sqe_io_drain. Since
  /// Linux 6.0.
  template <class Visitor>
  Result<void> cancel_all(u64 user_data, const Timespec& timeout, Visitor&& visit) noexcept {
    Ring& ring = *static_cast<Ring*>(this);
    SyncCancelReg everything;
    zero(everything);
    everything.flags = async_cancel_any | async_cancel_all;
    Timespec step;
    step.tv_sec = 0;
    step.tv_nsec = step_ns;

    u64 steps = steps_of(timeout);
    bool asked = false, answered = false;
    Error answer = Error::none;
    u64 quiet = 0;  // steps in which there was nothing to cancel and nothing happened
    for (;;) {
      // In each round: a request may start while others end, because it was linked, drained, or queued in a
      // ring with setup_sqpoll.
      const Result<u32> found = ring.sync_cancel(everything);
      if (!found.ok()) return found.error();
      // Only after all others: an unfinished chain of links ends with the submit, and must not include it.
      if (!asked && ring.sq_ready() == 0) asked = ring.nop(user_data).drain().ok();
      const Result<u32> entered = ring.submit_and_wait_timeout(1, step);
      const u32 seen = ring.for_each_cqe([&](const typename Ring::CqEntry& cqe) {
        if (cqe.user_data != user_data) {
          visit(cqe);
        } else {
          answered = true;
          answer = cqe.error();
        }
      });
      // A NOP that was cancelled had been let through: sync_cancel finds no request that waits for others.
      if (answered && (answer == Error::none || answer == Error::canceled)) return {};
      if (entered == Error::time) {
        quiet = seen == 0 && found.value() == 0 ? quiet + 1 : 0;
        if (answered && quiet == steps_per_second) return answer;
        if (seen == 0 && steps-- == 0) return answered ? answer : Error::time;
      } else if (!entered.ok() && entered != Error::intr && entered != Error::busy) {
        return entered.error();
      }
    }
  }

 private:
  static constexpr u32 step_ns = 10'000'000;
  static constexpr u64 steps_per_second = 100;

  // Negative seconds, as in {-1, -1}, are taken for the largest number: 136 years.
  static constexpr u64 steps_of(const Timespec& timeout) noexcept {
    return saturated(static_cast<u64>(timeout.tv_sec)) * steps_per_second +
           static_cast<u64>(timeout.tv_nsec) / step_ns;
  }
};

}  // namespace uring

#endif
