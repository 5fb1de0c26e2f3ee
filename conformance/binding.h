// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The one door between the tests and the binding under test. This is the only file of the suite that includes
// a header of the binding, so another binding can be put behind it without touching a test; a test
// (tests/rooms.cmake) keeps it so. It offers:
//
//   binding::name          what reports call it, and binding::version
//   binding::is_foreign    true if it is not ours: then some things may be not expressible
//   binding::start()       called once, before the first test
//   binding::watch_tests() called once, after the other listeners: a test that passes without having asked
//                          anything of a foreign binding becomes not expressible
//   binding::validate()    looks at an adapter layer by layer: the exit code, `skip_code` if something is not
//                          expressible and nothing wrong
//   binding::sqe_size, cqe_size, params_size   of its types
//   binding::off_sq_ring, off_cq_ring, off_sqes   that it passes to mmap(2)
//   binding::ring_memory_size(), init_mem()   a ring in the caller's memory: its size, and how it is opened
//   binding::Ring          the ring; its operations are those of IoUring.zig, user_data first
//   binding::Sqe           one entry, of which the tests touch only `flags`
//   binding::bytes_of()    its 64 bytes, to compare; of a foreign binding without what no kernel looks at
//   binding::Cqe           one completion, laid out like wire::Cqe
//   binding::Error         what went wrong; errno_of() gives the kernel's number
//   binding::Timespec      a time, in the kernel's layout
//   binding::Slot          a slot of the registered table as the target of a request
//   binding::BufferGroup   a ring of provided buffers, and binding::Consumption, how a receive uses one up
//   Result (returned by the ring's functions): ok(), error(), value(), comparable with a value
//
// With CONFORMANCE_FOREIGN_BINDING it is a binding that we did not write, behind the C ABI of adapters/.
#ifndef CONFORMANCE_BINDING_H
#define CONFORMANCE_BINDING_H

#include <uring/uring.h>

#include <bit>
#include <cstddef>
#include <ostream>
#include <span>
#include <string_view>

#include "seam/kernel_abi.h"
#include "seam/wire.h"
#include "seam/wire_log.h"

// The vocabulary, the same for every binding: the kernel's layouts and numbers, and the type of a result.
namespace binding {

using Sqe = uring::Sqe;
using Cqe = uring::Cqe;
using Op = uring::Op;
using Error = uring::Error;
using Timespec = uring::Timespec;
using Slot = uring::Slot;
using PollFlags = uring::PollFlags;
using RecvSend = uring::RecvSend;
using Consumption = uring::Consumption;
template <class T>
using Result = uring::Result<T>;

// What a binding that is not ours refuses by itself, for another reason than those that Error has names for.
inline constexpr Error refused{8192};

// The kernel's errno, or 0 if the binding itself said no.
inline int errno_of(Error error) { return uring::is_errno(error) ? static_cast<int>(error) : 0; }

}  // namespace binding

// The operations.
#ifdef CONFORMANCE_FOREIGN_BINDING
#include "adapters/abi/foreign.h"
#else
namespace binding {

inline constexpr const char* name = "uring";
inline constexpr const char* version = CONFORMANCE_URING_VERSION;
inline constexpr bool is_foreign = false;

inline constexpr std::size_t sqe_size = sizeof(Sqe), cqe_size = sizeof(Cqe),
                             params_size = sizeof(uring::Params);
inline constexpr std::uint64_t off_sq_ring = uring::off_sq_ring, off_cq_ring = uring::off_cq_ring,
                               off_sqes = uring::off_sqes;

inline void start() {}
inline void watch_tests() {}
inline int validate(std::string_view, unsigned, int) { return 2; }  // there is no adapter

// Ours has zeros wherever the kernel does not look, and that is asserted.
inline conformance::wire::Sqe bytes_of(const Sqe& sqe) { return std::bit_cast<conformance::wire::Sqe>(sqe); }

// The observed kernel, with the words that our binding puts under its ring. Only bytes are handed on: where
// the binding has a wrong offset or number, the observer keeps the kernel's (seam/kernel_abi.h).
struct Kernel : conformance::ObservedKernel {
  static long setup(uring::u32 entries, uring::Params* params) noexcept {
    auto wire_params = std::bit_cast<conformance::wire::Params>(*params);
    const long result = ObservedKernel::setup(entries, &wire_params);
    *params = std::bit_cast<uring::Params>(wire_params);
    return result;
  }
  static long do_register(int fd, uring::RegisterOp op, const void* arg, uring::u32 count) noexcept {
    return ObservedKernel::do_register(fd, static_cast<std::uint32_t>(op), arg, count);
  }
};

using Ring = uring::BasicRing<Kernel>;
using Probe = uring::Probe;
using Restriction = uring::Restriction;
using FutexWaitv = uring::FutexWaitv;
using SyncCancelReg = uring::SyncCancelReg;
using Params = uring::Params;
using RegionDesc = uring::RegionDesc;
using RegWait = uring::RegWait;
using Indices = uring::Indices;
using BufferGroup = uring::BufferGroup<Ring>;

// What a kernel says of itself, asked without a ring.
using QueryOpcode = uring::QueryOpcode;
inline Result<void> query_abilities(QueryOpcode& answer) { return uring::query_abilities(answer, Kernel{}); }
using QueryScq = uring::QueryScq;
inline Result<void> query_ring_headers(QueryScq& answer) {
  return uring::query_ring_headers(answer, Kernel{});
}

// Its numbers and structs, for the row that compares them.
namespace abi = uring;

// What this thread and its children may do with the rings that they open from now on.
using BpfInstruction = uring::BpfInstruction;
inline Result<void> restrict_task(std::span<const Restriction> restrictions) {
  return uring::restrict_task(restrictions, Kernel{});
}
inline Result<void> filter_task(Op op, std::span<const BpfInstruction> filter, std::uint8_t pdu_size,
                                std::uint32_t flags) {
  return uring::filter_task(op, filter, pdu_size, flags, Kernel{});
}
using Napi = uring::Napi;

// Rings with large entries, and with entries of two sizes.
using Sqe128 = uring::Sqe128;
using Cqe32 = uring::Cqe32;
using Ring128 = uring::BasicRing<Kernel, Sqe128>;
using Ring32 = uring::BasicRing<Kernel, Sqe, Cqe32>;
using Ring128x32 = uring::BasicRing<Kernel, Sqe128, Cqe32>;
using MixedCqesRing = uring::BasicRing<Kernel, Sqe, uring::MixedCqes>;
using MixedSqesRing = uring::BasicRing<Kernel, uring::MixedSqes>;
using MixedRing = uring::BasicRing<Kernel, uring::MixedSqes, uring::MixedCqes>;

// Zero-copy receive.
template <class AnyRing>
using ZeroCopyReceiver = uring::ZeroCopyReceiver<AnyRing>;
using ZcrxEventDesc = uring::ZcrxEventDesc;

inline Params params_with(uring::u32 flags) {
  Params params{};
  params.flags = flags;
  params.sq_thread_idle = 1000;  // as init does
  return params;
}
inline std::size_t ring_memory_size(uring::u32 entries, uring::u32 flags) {
  return Ring::memory_size(entries, params_with(flags));
}
inline Result<void> init_mem(Ring& ring, uring::u32 entries, uring::u32 flags, std::span<std::byte> memory) {
  Params params = params_with(flags);
  return ring.init_mem(entries, params, memory);
}

}  // namespace binding
#endif

// How failures print the binding's values.
namespace uring {

inline void PrintTo(Error error, std::ostream* out) {
  if (error == Error::none) {
    *out << "no error";
  } else if (error == binding::refused) {
    *out << "refused by the binding itself";
  } else if (is_errno(error)) {
    *out << "error " << conformance::wire::result_text(-static_cast<long>(error));
  } else {
    *out << "error " << name(error).c_str() << " of the binding (" << static_cast<unsigned>(error) << ")";
  }
}

template <class T>
void PrintTo(const Result<T>& result, std::ostream* out) {
  if (!result.ok()) {
    PrintTo(result.error(), out);
  } else if constexpr (std::is_integral_v<T>) {
    *out << result.value();
  } else {
    *out << "success";
  }
}

inline void PrintTo(Consumption consumption, std::ostream* out) {
  *out << (consumption == Consumption::whole ? "whole" : "incremental");
}
inline void PrintTo(Slot slot, std::ostream* out) { *out << "slot " << static_cast<u32>(slot); }
inline void PrintTo(Op op, std::ostream* out) {
  *out << conformance::wire::op_name(static_cast<std::uint8_t>(op));
}

inline void PrintTo(const Indices& i, std::ostream* out) {
  *out << "Indices{.sqe_head=" << i.sqe_head << ", .sqe_tail=" << i.sqe_tail << ", .sq_tail=" << i.sq_tail
       << ", .cq_head=" << i.cq_head << "}";
}

}  // namespace uring

#endif
