// The ring's methods for io_uring_register(2). The errors of LinuxKernel::do_register, and what each method
// names.
#ifndef URING_REGISTRATIONS_H
#define URING_REGISTRATIONS_H

#include <span>

#include "abi_register.h"
#include "prep_rw.h"
#include "result.h"
#include "syscall.h"
#include "zero.h"

// The kernel's and the C library's type of the same name; here only its address matters.
struct iovec;

namespace uring {

// The part of `Ring` (a class with do_register) that is the same for every kernel.
template <class Ring>
class Registrations {
 public:
  // --- files: slots of a table, used with sqe_fixed_file ---------------------------------------------------

  // Makes fds[i] reachable as slot i. -1 leaves a slot empty (5.5). EBUSY: there is a table. 5.1.
  Result<u32> register_files(std::span<const i32> fds) noexcept {
    return ring().do_register(RegisterOp::files, fds.data(), static_cast<u32>(fds.size()));
  }

  // A table of `count` empty slots. 5.19.
  Result<u32> register_files_sparse(u32 count) noexcept { return register_sparse(RegisterOp::files2, count); }

  // Puts fds into the slots from `first` on; -1 empties a slot, register_files_skip (5.12) leaves it alone.
  // Returns how many were done. ENXIO: there is no table; EINVAL: it is shorter. 5.5.
  Result<u32> register_files_update(u32 first, std::span<const i32> fds) noexcept {
    FilesUpdate update;
    update.offset = first;
    update.resv = 0;
    update.fds = address_of(fds.data());
    return ring().do_register(RegisterOp::files_update, &update, static_cast<u32>(fds.size()));
  }

  // Lets file_index_alloc choose only among `count` slots from `first` on. EINVAL: the table is shorter. 6.0.
  Result<u32> register_file_alloc_range(u32 first, u32 count) noexcept {
    FileIndexRange range;
    range.off = first;
    range.len = count;
    range.resv = 0;
    // The count must be 0, whatever the manual page says.
    return ring().do_register(RegisterOp::file_alloc_range, &range, 0);
  }

  // Forgets the table of files. ENXIO: there is none. 5.1.
  Result<u32> unregister_files() noexcept {
    return ring().do_register(RegisterOp::unregister_files, nullptr, 0);
  }

  // --- buffers: pinned memory for the _fixed operations ----------------------------------------------------

  // Makes `count` pieces of memory usable as buf_index 0 and up; an empty iovec leaves a place empty (5.13).
  // ENOMEM: RLIMIT_MEMLOCK. EFAULT: over 1 GiB at once (1 TiB from 7.2 on). EBUSY: there are some. 5.1.
  Result<u32> register_buffers(const ::iovec* iovecs, u32 count) noexcept {
    return ring().do_register(RegisterOp::buffers, iovecs, count);
  }

  // `count` empty places. 5.19.
  Result<u32> register_buffers_sparse(u32 count) noexcept {
    return register_sparse(RegisterOp::buffers2, count);
  }

  // Replaces the buffers from `first` on. Returns how many were done. ENXIO: there are none. 5.13.
  Result<u32> register_buffers_update(u32 first, const ::iovec* iovecs, u32 count) noexcept {
    RsrcUpdate2 update;
    zero(update);
    update.offset = first;
    update.data = address_of(iovecs);
    update.nr = count;
    return ring().do_register(RegisterOp::buffers_update, &update, sizeof update);
  }

  // Takes over the buffers of another ring without pinning them again: `count` of them (0: all) from
  // `source_first` on, to `first` and up. EBUSY: we have some, unless flags is register_dst_replace. 6.12;
  // flags and a part 6.13.
  Result<u32> clone_buffers(const Ring& source, u32 flags = 0, u32 source_first = 0, u32 first = 0,
                            u32 count = 0) noexcept {
    CloneBuffers clone;
    zero(clone);
    clone.src_fd = static_cast<u32>(source.fd());
    clone.flags = flags;
    clone.src_off = source_first;
    clone.dst_off = first;
    clone.nr = count;
    return ring().do_register(RegisterOp::clone_buffers, &clone, 1);
  }

  // Forgets the buffers. ENXIO: there are none. 5.1.
  Result<u32> unregister_buffers() noexcept {
    return ring().do_register(RegisterOp::unregister_buffers, nullptr, 0);
  }

  // --- buffer rings: see buffer_group.h --------------------------------------------------------------------

  // EEXIST: the group id is taken; EINVAL: a flag this kernel does not know, or `entries` is no power of two;
  // EFAULT: no such memory. 5.19.
  Result<u32> register_buf_ring(const BufReg& buf_ring) noexcept {
    return ring().do_register(RegisterOp::pbuf_ring, &buf_ring, 1);
  }

  // Afterwards the memory is ours again. ENOENT: no such group (EINVAL before 6.9). 5.19.
  Result<u32> unregister_buf_ring(u16 group) noexcept {
    BufReg buf_ring;
    zero(buf_ring);
    buf_ring.bgid = group;
    return ring().do_register(RegisterOp::unregister_pbuf_ring, &buf_ring, 1);
  }

  // The entry of the buffer ring that the kernel will take next, counted like the tail. ENOENT: no such
  // group. 6.8.
  Result<u16> buf_ring_head(u16 group) noexcept {
    BufStatus status;
    zero(status);
    status.buf_group = group;
    const Result<u32> asked = ring().do_register(RegisterOp::pbuf_status, &status, 1);
    if (!asked.ok()) return asked.error();
    return static_cast<u16>(status.head);
  }

  // --- being told ------------------------------------------------------------------------------------------

  // Adds 1 to the eventfd for each CQE. One per ring: EBUSY. 5.2.
  Result<u32> register_eventfd(i32 eventfd) noexcept {
    return ring().do_register(RegisterOp::eventfd, &eventfd, 1);
  }

  // Only for CQEs of requests that did not complete at once. 5.6.
  Result<u32> register_eventfd_async(i32 eventfd) noexcept {
    return ring().do_register(RegisterOp::eventfd_async, &eventfd, 1);
  }

  // ENXIO: there is none. 5.2.
  Result<u32> unregister_eventfd() noexcept {
    return ring().do_register(RegisterOp::unregister_eventfd, nullptr, 0);
  }

  // Busy polling of network devices while waiting. `napi` receives what was in force before. EINVAL on an
  // IOPOLL ring, or without CONFIG_NET_RX_BUSY_POLL. 6.9.
  Result<u32> register_napi(Napi& napi) noexcept { return ring().do_register(RegisterOp::napi, &napi, 1); }
  Result<u32> unregister_napi(Napi& napi) noexcept {
    return ring().do_register(RegisterOp::unregister_napi, &napi, 1);
  }

  // The clock of the timeouts of waits: CLOCK_MONOTONIC (1) or CLOCK_BOOTTIME (7). 6.12.
  Result<u32> register_clock(u32 clock_id) noexcept {
    ClockRegister clock;
    zero(clock);
    clock.clockid = clock_id;
    return ring().do_register(RegisterOp::clock, &clock, 0);
  }

  // --- asking ----------------------------------------------------------------------------------------------

  // Asks which operations this kernel has; `probe` is overwritten. EINVAL before 5.6.
  Result<u32> get_probe(Probe& probe) noexcept {
    zero(probe);
    return ring().do_register(RegisterOp::probe, &probe, 256);
  }

  // --- limits ----------------------------------------------------------------------------------------------

  // What a ring opened with setup_r_disabled may do once it is enabled; everything else is refused with
  // EACCES. Once per ring: EBUSY. EBADFD: it is enabled. 5.10.
  Result<u32> register_restrictions(std::span<const Restriction> restrictions) noexcept {
    return ring().do_register(RegisterOp::restrictions, restrictions.data(),
                              static_cast<u32>(restrictions.size()));
  }

  // Lets a ring opened with setup_r_disabled submit. EBADFD: it is enabled. 5.10.
  Result<u32> enable_rings() noexcept { return ring().do_register(RegisterOp::enable_rings, nullptr, 0); }

  // The CPUs that workers may run on: a mask of `bytes` bytes as in sched_setaffinity(2). 5.14.
  Result<u32> register_iowq_aff(const void* cpu_mask, u32 bytes) noexcept {
    return ring().do_register(RegisterOp::iowq_aff, cpu_mask, bytes);
  }
  Result<u32> unregister_iowq_aff() noexcept {
    return ring().do_register(RegisterOp::unregister_iowq_aff, nullptr, 0);
  }

  // How many workers there may be at limits[wq_bound] and limits[wq_unbound]; 0 leaves a limit as it is.
  // `limits` receives what was in force before. 5.15.
  Result<u32> register_iowq_max_workers(std::span<u32, 2> limits) noexcept {
    return ring().do_register(RegisterOp::iowq_max_workers, limits.data(), 2);
  }

  // The credentials of this thread, for Sqe::personality. Returns their id, 1 to 65535. 5.6.
  Result<u32> register_personality() noexcept {
    return ring().do_register(RegisterOp::personality, nullptr, 0);
  }
  Result<u32> unregister_personality(u32 id) noexcept {
    return ring().do_register(RegisterOp::unregister_personality, nullptr, id);
  }

  // --- cancelling ------------------------------------------------------------------------------------------

  // Cancels, and returns only when what was found has ended (or the timeout is over: ETIME). ENOENT: nothing
  // matched. 6.0.
  Result<u32> sync_cancel(const SyncCancelReg& cancel) noexcept {
    return ring().do_register(RegisterOp::sync_cancel, &cancel, 1);
  }

 private:
  Ring& ring() noexcept { return *static_cast<Ring*>(this); }

  Result<u32> register_sparse(RegisterOp op, u32 count) noexcept {
    RsrcRegister resources;
    zero(resources);
    resources.nr = count;
    resources.flags = rsrc_register_sparse;
    // Here the count is the size of the struct.
    return ring().do_register(op, &resources, sizeof resources);
  }
};

// --- what needs no ring ------------------------------------------------------------------------------------

// Asks the kernel about itself; the answers go where the QueryHdr and those it is chained to say, and so does
// whether each question was understood (QueryHdr::result, -EOPNOTSUPP if not). 6.18; before EINVAL, or EBADF
// before 6.13.
template <class Kernel = LinuxKernel>
Result<u32> query(QueryHdr& first, Kernel kernel = {}) noexcept {
  return Result<u32>::from_kernel(kernel.do_register(-1, RegisterOp::query, &first, 0));
}

// What this kernel knows of io_uring. 6.18.
template <class Kernel = LinuxKernel>
Result<u32> query_abilities(QueryOpcode& answer, Kernel kernel = {}) noexcept {
  zero(answer);
  QueryHdr question;
  zero(question);
  question.query_data = address_of(&answer);
  question.query_op = query_opcodes;
  question.size = sizeof answer;
  const Result<u32> asked = query(question, kernel);
  return asked.ok() ? Result<u32>::from_kernel(question.result) : asked;
}

// Sends what prep_msg_ring or prep_msg_ring_cqe_flags prepared, without a ring of one's own. 6.13.
template <class Kernel = LinuxKernel>
Result<u32> send_msg_ring(const Sqe& message, Kernel kernel = {}) noexcept {
  return Result<u32>::from_kernel(kernel.do_register(-1, RegisterOp::send_msg_ring, &message, 1));
}

}  // namespace uring

#endif
