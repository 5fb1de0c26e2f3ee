// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// What io_uring_register(2) does without a ring: questions about the kernel, a message to a ring of somebody
// else, and what this thread and its children may do with the rings that they open from now on.
#ifndef URING_NO_RING_H
#define URING_NO_RING_H

#include <cstddef>
#include <span>

#include "abi_register.h"
#include "prep_rw.h"
#include "registrations.h"
#include "result.h"
#include "syscall.h"
#include "zero.h"

namespace uring {

/// Asks the kernel about itself; the answers go to the places named by the QueryHdr and those chained to it;
/// QueryHdr::result says whether the question was understood (-EOPNOTSUPP if not). Since Linux 6.18; EINVAL
/// before, and EBADF before 6.13.
template <class Kernel = LinuxKernel>
Result<void> query(QueryHdr& first, Kernel kernel = {}) noexcept {
  return Result<void>::from_kernel(kernel.do_register(-1, RegisterOp::query, &first, 0));
}

namespace detail {

template <class Answer, class Kernel>
Result<void> query_one(u32 op, Answer& answer, Kernel kernel) noexcept {
  zero(answer);
  QueryHdr question;
  zero(question);
  question.query_data = address_of(&answer);
  question.query_op = op;
  question.size = sizeof answer;
  if (const Result<void> asked = query(question, kernel); !asked.ok()) return asked;
  return Result<void>::from_kernel(question.result);
}

}  // namespace detail

/// What this kernel supports of io_uring. The errors of query, and EOPNOTSUPP. Since Linux 6.18.
template <class Kernel = LinuxKernel>
Result<void> query_abilities(QueryOpcode& answer, Kernel kernel = {}) noexcept {
  return detail::query_one(query_opcodes, answer, kernel);
}

/// The size and alignment of what comes before the CQEs in the memory of a ring. The errors of query, and
/// EOPNOTSUPP. Since Linux 6.19.
template <class Kernel = LinuxKernel>
Result<void> query_ring_headers(QueryScq& answer, Kernel kernel = {}) noexcept {
  return detail::query_one(query_scq, answer, kernel);
}

/// Sends what prep_msg_ring or prep_msg_ring_cqe_flags prepared, without needing a ring to send it from.
/// Since Linux 6.13.
template <class Kernel = LinuxKernel>
Result<void> send_msg_ring(const Sqe& message, Kernel kernel = {}) noexcept {
  return Result<void>::from_kernel(kernel.do_register(-1, RegisterOp::send_msg_ring, &message, 1));
}

/// The most restrictions that restrict_task takes: more than any kernel has operations and registrations.
inline constexpr std::size_t max_task_restrictions = 256;

/// Rings that this thread opens from now on, and its children, may do only this, as with
/// register_restrictions, and there is no way back. EPERM: the thread is restricted already. EACCES: neither
/// CAP_SYS_ADMIN nor no_new_privs (prctl(2)). EINVAL: too many, or an unknown one. Since Linux 7.0; EINVAL
/// before, and EBADF before 6.13.
template <class Kernel = LinuxKernel>
Result<void> restrict_task(std::span<const Restriction> restrictions, Kernel kernel = {}) noexcept {
  struct {
    TaskRestriction header;
    Restriction array[max_task_restrictions];
  } request;
  if (restrictions.size() > max_task_restrictions) return Error::inval;
  zero(request.header);
  request.header.nr_res = static_cast<u16>(restrictions.size());
  for (std::size_t i = 0; i != restrictions.size(); ++i) {
    Restriction& to = request.array[i];
    zero(to);
    const Restriction& from = restrictions.data()[i];  // without the assertion of operator[]
    to.opcode = from.opcode;
    to.what = from.what;
  }
  return Result<void>::from_kernel(kernel.do_register(-1, RegisterOp::restrictions, &request, 1));
}

/// A filter as with Ring::register_bpf_filter for the rings that this thread opens from now on, and its
/// children. The same errors. Since Linux 7.0; EINVAL before, and EBADF before 6.13.
template <class Kernel = LinuxKernel>
Result<void> filter_task(Op op, std::span<const BpfInstruction> filter, u8 pdu_size, u32 flags,
                         Kernel kernel = {}) noexcept {
  Bpf request;
  detail::describe_filter(request, op, filter, pdu_size, flags);
  return Result<void>::from_kernel(kernel.do_register(-1, RegisterOp::bpf_filter, &request, 1));
}

}  // namespace uring

#endif
