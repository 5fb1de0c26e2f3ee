// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The ring's methods for io_uring_register(2). They return the errors of LinuxKernel::do_register, and those
// that each method names. Counts that do not fit into the kernel's 32 bits are passed as the largest that
// does, which it refuses like every count above its limits (EINVAL, EMFILE or EOVERFLOW).
#ifndef URING_REGISTRATIONS_H
#define URING_REGISTRATIONS_H

#include <sys/uio.h>  // iovec

#include <cstddef>
#include <span>

#include "abi_register.h"
#include "abi_zcrx.h"
#include "prep_rw.h"
#include "result.h"
#include "syscall.h"
#include "zero.h"

namespace uring {

namespace detail {

inline void describe_filter(Bpf& request, Op op, std::span<const BpfInstruction> filter, u8 pdu_size,
                            u32 flags) noexcept {
  zero(request);
  request.cmd_type = bpf_cmd_filter;
  request.filter.opcode = static_cast<u32>(op);
  request.filter.flags = flags;
  request.filter.filter_len = saturated(filter.size());
  request.filter.pdu_size = pdu_size;
  request.filter.filter_ptr = address_of(filter.data());
}

}  // namespace detail

/// The part of `Ring` (a class with do_register) that is the same for every kernel.
template <class Ring>
class Registrations {
 public:
  // --- files: slots of a table, used with sqe_fixed_file ---------------------------------------------------

  /// Makes fds[i] reachable as slot i. -1 leaves a slot empty (5.5). EBUSY: there already is a table. Since
  /// Linux 5.1.
  Result<void> register_files(std::span<const i32> fds) noexcept {
    return done(ring().do_register(RegisterOp::files, fds.data(), saturated(fds.size())));
  }

  /// The same with a tag for each: tags[i] comes back as the user_data of a CQE once nothing uses fds[i] any
  /// more, after it was replaced or removed; 0: no CQE. Traps unless there is one for each. Since Linux 5.13.
  Result<void> register_files(std::span<const i32> fds, std::span<const u64> tags) noexcept {
    return register_tagged(RegisterOp::files2, fds.data(), fds.size(), tags);
  }

  /// A table of `count` empty slots. Since Linux 5.19.
  Result<void> register_files_sparse(u64 count) noexcept {
    return register_sparse(RegisterOp::files2, count);
  }

  /// Puts fds into the slots from `first` on; -1 empties a slot, register_files_skip (5.12) leaves it alone.
  /// Returns the number of slots updated. ENXIO: there is no table; EINVAL: it is shorter. Since Linux 5.5.
  Result<u32> register_files_update(Slot first, std::span<const i32> fds) noexcept {
    FilesUpdate update;
    update.offset = static_cast<u32>(first);
    update.resv = 0;
    update.fds = address_of(fds.data());
    return ring().do_register(RegisterOp::files_update, &update, saturated(fds.size()));
  }

  /// The same with tags, as in register_files. Since Linux 5.13.
  Result<u32> register_files_update(Slot first, std::span<const i32> fds,
                                    std::span<const u64> tags) noexcept {
    return update_tagged(RegisterOp::files_update2, static_cast<u32>(first), fds.data(), fds.size(), tags);
  }

  /// Restricts file_index_alloc to `count` slots from `first` on. EINVAL: the table is shorter. Since Linux
  /// 6.0.
  Result<void> register_file_alloc_range(Slot first, u64 count) noexcept {
    FileIndexRange range;
    range.off = static_cast<u32>(first);
    range.len = saturated(count);
    range.resv = 0;
    // The count must be 0, whatever the manual page says.
    return done(ring().do_register(RegisterOp::file_alloc_range, &range, 0));
  }

  /// Removes the table of files. ENXIO: there is none. Since Linux 5.1.
  Result<void> unregister_files() noexcept {
    return done(ring().do_register(RegisterOp::unregister_files, nullptr, 0));
  }

  // --- buffers: pinned memory for the _fixed operations ----------------------------------------------------

  /// Makes these pieces of memory usable as buf_index 0 and up; an empty iovec leaves a place empty (5.13).
  /// ENOMEM: RLIMIT_MEMLOCK. EFAULT: over 1 GiB at once (1 TiB from 7.2 on). EBUSY: there already are some.
  /// Since Linux 5.1.
  Result<void> register_buffers(std::span<const ::iovec> buffers) noexcept {
    return done(ring().do_register(RegisterOp::buffers, buffers.data(), saturated(buffers.size())));
  }

  /// The same with a tag for each, as in register_files. Since Linux 5.13.
  Result<void> register_buffers(std::span<const ::iovec> buffers, std::span<const u64> tags) noexcept {
    return register_tagged(RegisterOp::buffers2, buffers.data(), buffers.size(), tags);
  }

  /// `count` empty places. Since Linux 5.19.
  Result<void> register_buffers_sparse(u64 count) noexcept {
    return register_sparse(RegisterOp::buffers2, count);
  }

  /// Replaces the buffers from `first` on. Returns the number replaced. ENXIO: there are none. Since Linux
  /// 5.13.
  Result<u32> register_buffers_update(u32 first, std::span<const ::iovec> buffers) noexcept {
    return update(RegisterOp::buffers_update, first, buffers.data(), buffers.size(), nullptr);
  }

  /// The same with tags, as in register_files. Since Linux 5.13.
  Result<u32> register_buffers_update(u32 first, std::span<const ::iovec> buffers,
                                      std::span<const u64> tags) noexcept {
    return update_tagged(RegisterOp::buffers_update, first, buffers.data(), buffers.size(), tags);
  }

  /// Shares the buffers of another ring without pinning them again: `count` of them (0: all) from
  /// `source_first` on, as `first` and up. EBUSY: this ring already has some and flags is not
  /// register_dst_replace. Since Linux 6.12; flags and parts since 6.13.
  Result<void> clone_buffers(const Ring& source, u32 flags = 0, u32 source_first = 0, u32 first = 0,
                             u64 count = 0) noexcept {
    CloneBuffers clone;
    zero(clone);
    const bool by_index = source.fd() < 0;  // setup_registered_fd_only
    clone.src_fd = static_cast<u32>(by_index ? source.registered_index() : source.fd());
    clone.flags = by_index ? flags | register_src_registered : flags;
    clone.src_off = source_first;
    clone.dst_off = first;
    clone.nr = saturated(count);
    return done(ring().do_register(RegisterOp::clone_buffers, &clone, 1));
  }

  /// Removes the buffers. ENXIO: there are none. Since Linux 5.1.
  Result<void> unregister_buffers() noexcept {
    return done(ring().do_register(RegisterOp::unregister_buffers, nullptr, 0));
  }

  // --- buffer rings: see buffer_group.h --------------------------------------------------------------------

  /// EEXIST: the group id is taken; EINVAL: a flag this kernel does not know, or `entries` is not a power of
  /// two; EFAULT: no such memory. Since Linux 5.19.
  Result<void> register_buf_ring(const BufReg& buf_ring) noexcept {
    return done(ring().do_register(RegisterOp::pbuf_ring, &buf_ring, 1));
  }

  /// Afterwards the memory belongs to the caller again. ENOENT: no such group (EINVAL before 6.9). Since
  /// Linux 5.19.
  Result<void> unregister_buf_ring(u16 group) noexcept {
    BufReg buf_ring;
    zero(buf_ring);
    buf_ring.bgid = group;
    return done(ring().do_register(RegisterOp::unregister_pbuf_ring, &buf_ring, 1));
  }

  /// The entry of the buffer ring that the kernel will take next, counted like the tail. ENOENT: no such
  /// group. Since Linux 6.8.
  Result<u16> buf_ring_head(u16 group) noexcept {
    BufStatus status;
    zero(status);
    status.buf_group = group;
    const Result<u32> asked = ring().do_register(RegisterOp::pbuf_status, &status, 1);
    if (!asked.ok()) return asked.error();
    return static_cast<u16>(status.head);
  }

  // --- being told ------------------------------------------------------------------------------------------

  /// Adds 1 to the eventfd for each CQE. One per ring: EBUSY. Since Linux 5.2.
  Result<void> register_eventfd(i32 eventfd) noexcept {
    return done(ring().do_register(RegisterOp::eventfd, &eventfd, 1));
  }

  /// Only for CQEs of requests that did not complete at once. Since Linux 5.6.
  Result<void> register_eventfd_async(i32 eventfd) noexcept {
    return done(ring().do_register(RegisterOp::eventfd_async, &eventfd, 1));
  }

  /// ENXIO: there is none. Since Linux 5.2.
  Result<void> unregister_eventfd() noexcept {
    return done(ring().do_register(RegisterOp::unregister_eventfd, nullptr, 0));
  }

  /// Busy polling of network devices while waiting. `napi` receives the previous settings. EINVAL on an
  /// IOPOLL ring, or without CONFIG_NET_RX_BUSY_POLL. Since Linux 6.9.
  Result<void> register_napi(Napi& napi) noexcept {
    return done(ring().do_register(RegisterOp::napi, &napi, 1));
  }

  /// Ends it. `napi` receives the previous settings. Since Linux 6.9.
  Result<void> unregister_napi(Napi& napi) noexcept {
    return done(ring().do_register(RegisterOp::unregister_napi, &napi, 1));
  }

  /// The clock for the timeouts of waits: CLOCK_MONOTONIC (1) or CLOCK_BOOTTIME (7). Since Linux 6.12.
  Result<void> register_clock(u32 clock_id) noexcept {
    ClockRegister clock;
    zero(clock);
    clock.clockid = clock_id;
    return done(ring().do_register(RegisterOp::clock, &clock, 0));
  }

  // --- asking ----------------------------------------------------------------------------------------------

  /// Asks which operations this kernel has; `probe` is overwritten. EINVAL before 5.6.
  Result<void> get_probe(Probe& probe) noexcept {
    zero(probe);
    return done(ring().do_register(RegisterOp::probe, &probe, 256));
  }

  // --- memory that the kernel reads and writes in place ----------------------------------------------------

  /// Shares a region of memory, one per ring (EBUSY). The kernel writes the answer into `region`: with
  /// user_addr 0, the offset at which the ring's descriptor maps the memory that it allocated. flags are
  /// mem_region_*. EINVAL: `size` is 0 or not whole pages, or mem_region_reg_wait_arg and the ring is
  /// enabled. EFAULT: an address without mem_region_type_user, or the other way round. Since Linux 6.13.
  Result<void> register_mem_region(RegionDesc& region, u64 flags) noexcept {
    MemRegionReg request;
    zero(request);
    request.region_uptr = address_of(&region);
    request.flags = flags;
    return done(ring().do_register(RegisterOp::mem_region, &request, 1));
  }

  /// The ring's registered waits, for submit_and_wait_registered: `waits` are whole pages of the caller's
  /// memory, and stay until the ring is closed. Leave the last of them alone: kernels take the first in its
  /// place (seen on 6.18). The ring must have been opened with setup_r_disabled, and not be enabled yet. The
  /// errors of register_mem_region. Since Linux 6.13.
  Result<void> register_waits(std::span<RegWait> waits) noexcept {
    RegionDesc region;
    zero(region);
    region.user_addr = address_of(waits.data());
    region.size = waits.size_bytes();
    region.flags = mem_region_type_user;
    return register_mem_region(region, mem_region_reg_wait_arg);
  }

  // --- zero-copy receive: see zcrx.h -----------------------------------------------------------------------

  /// Registers memory for zero-copy receive, or with zcrx_reg_import (6.19) that of another ring. The kernel
  /// writes its answers into `request`, and into the ZcrxAreaReg that it names. The errors of
  /// ZeroCopyReceiver::init. Since Linux 6.15.
  Result<void> register_zcrx_ifq(ZcrxIfqReg& request) noexcept {
    return done(ring().do_register(RegisterOp::zcrx_ifq, &request, 1));
  }

  /// One of zcrx_ctrl_*; answers are in `control`. ENXIO: no such zcrx_id; EOPNOTSUPP: this kernel does not
  /// know the operation. Since Linux 6.19.
  Result<void> zcrx_ctrl(ZcrxCtrl& control) noexcept {
    return done(ring().do_register(RegisterOp::zcrx_ctrl, &control, 0));
  }

  // --- limits ----------------------------------------------------------------------------------------------

  /// From now on each request with this operation asks `filter` first, and completes with -EACCES if that
  /// returns 0; with bpf_filter_deny_rest also operations without a filter. Several for one operation must
  /// all agree. `pdu_size` is the size of its part of BpfContext that the program was written for, 0 if it
  /// looks at none of it. EACCES: neither CAP_SYS_ADMIN nor no_new_privs (prctl(2)). EINVAL: the program, the
  /// operation or a flag is not accepted. EMSGSIZE: pdu_size. Since Linux 7.0.
  Result<void> register_bpf_filter(Op op, std::span<const BpfInstruction> filter, u8 pdu_size = 0,
                                   u32 flags = 0) noexcept {
    Bpf request;
    detail::describe_filter(request, op, filter, pdu_size, flags);
    return done(ring().do_register(RegisterOp::bpf_filter, &request, 1));
  }

  /// What a ring opened with setup_r_disabled may do once it is enabled; everything else is refused with
  /// EACCES. Once per ring: EBUSY. EBADFD: it is enabled. Since Linux 5.10.
  Result<void> register_restrictions(std::span<const Restriction> restrictions) noexcept {
    return done(
        ring().do_register(RegisterOp::restrictions, restrictions.data(), saturated(restrictions.size())));
  }

  /// Lets a ring opened with setup_r_disabled submit. EBADFD: it is enabled. Since Linux 5.10.
  Result<void> enable_rings() noexcept {
    return done(ring().do_register(RegisterOp::enable_rings, nullptr, 0));
  }

  /// The CPUs that workers may run on: a mask as in sched_setaffinity(2). Since Linux 5.14.
  Result<void> register_iowq_aff(std::span<const std::byte> cpu_mask) noexcept {
    return done(ring().do_register(RegisterOp::iowq_aff, cpu_mask.data(), saturated(cpu_mask.size())));
  }

  /// Lets them run on all CPUs again. Since Linux 5.14.
  Result<void> unregister_iowq_aff() noexcept {
    return done(ring().do_register(RegisterOp::unregister_iowq_aff, nullptr, 0));
  }

  /// Limits the number of workers to limits[wq_bound] and limits[wq_unbound]; 0 leaves a limit as it is.
  /// `limits` receives the previous values. Since Linux 5.15.
  Result<void> register_iowq_max_workers(std::span<u32, 2> limits) noexcept {
    return done(ring().do_register(RegisterOp::iowq_max_workers, limits.data(), 2));
  }

  /// The credentials of this thread, for Sqe::personality. Returns their id, 1 to 65535. Since Linux 5.6.
  Result<u32> register_personality() noexcept {
    return ring().do_register(RegisterOp::personality, nullptr, 0);
  }

  /// Forgets them. EINVAL: there is no such id. Since Linux 5.6.
  Result<void> unregister_personality(u32 id) noexcept {
    return done(ring().do_register(RegisterOp::unregister_personality, nullptr, id));
  }

  // --- cancelling ------------------------------------------------------------------------------------------

  /// Cancels the request that matches, and returns when it has ended (or the timeout has expired: ETIME).
  /// ENOENT: nothing matched. With async_cancel_all or async_cancel_any it returns at once how many were
  /// found, which may be 0, and does not wait; Ring::cancel_all does. Since Linux 6.0.
  Result<u32> sync_cancel(const SyncCancelReg& cancel) noexcept {
    return ring().do_register(RegisterOp::sync_cancel, &cancel, 1);
  }

 private:
  Ring& ring() noexcept { return *static_cast<Ring*>(this); }

  // For what the kernel answers with 0.
  static Result<void> done(Result<u32> answer) noexcept {
    if (!answer.ok()) return answer.error();
    return {};
  }

  Result<void> register_tagged(RegisterOp op, const void* data, u64 count,
                               std::span<const u64> tags) noexcept {
    URING_ASSERT(tags.size() == count);
    RsrcRegister resources;
    zero(resources);
    resources.nr = saturated(count);
    resources.data = address_of(data);
    resources.tags = address_of(tags.data());
    return done(ring().do_register(op, &resources, sizeof resources));  // the count is the size of the struct
  }

  Result<u32> update_tagged(RegisterOp op, u32 first, const void* data, u64 count,
                            std::span<const u64> tags) noexcept {
    URING_ASSERT(tags.size() == count);
    return update(op, first, data, count, tags.data());
  }

  Result<u32> update(RegisterOp op, u32 first, const void* data, u64 count, const u64* tags) noexcept {
    RsrcUpdate2 request;
    zero(request);
    request.offset = first;
    request.data = address_of(data);
    request.tags = address_of(tags);
    request.nr = saturated(count);
    return ring().do_register(op, &request, sizeof request);
  }

  Result<void> register_sparse(RegisterOp op, u64 count) noexcept {
    RsrcRegister resources;
    zero(resources);
    resources.nr = saturated(count);
    resources.flags = rsrc_register_sparse;
    // Here the count is the size of the struct.
    return done(ring().do_register(op, &resources, sizeof resources));
  }
};

}  // namespace uring

#endif
