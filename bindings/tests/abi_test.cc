// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Compares the binding's numbers and layouts with two sources: the installed <linux/io_uring.h>, and the list
// of everything that any release of the kernel's headers has (surface.inc). The header may be older than the
// binding; the list is not.
#include <gtest/gtest.h>
#include <linux/futex.h>
#include <sys/syscall.h>

// Before the kernel's header: including these again inside a namespace below must do nothing.
#include <linux/fs.h>
#include <linux/time_types.h>
#include <linux/types.h>

#include <cstddef>
#include <string_view>
#include <type_traits>

#include <uring/uring.h>

// Numbers and layouts are those of the list, and no struct has a hole: a field that is too narrow would leave
// one after it, without changing any offset. The compiler checks this.
#define VALUE(kernel, ours, value, since)                                                               \
  static_assert(static_cast<unsigned long long>(uring::ours) == static_cast<unsigned long long>(value), \
                #kernel);
#define STRUCT(kernel, ours, size)                                                                       \
  static_assert(sizeof(uring::ours) == size##u && std::has_unique_object_representations_v<uring::ours>, \
                #kernel);
#define FIELD(kernel, ours, our_field, kernel_field, offset) \
  static_assert(offsetof(uring::ours, our_field) == offset##u, #kernel "." #kernel_field);
#include "surface.inc"
#undef VALUE
#undef STRUCT
#undef FIELD

namespace {

// Stands for a name that the installed header does not have.
struct Absent {};

// Every number on the list as an Absent, which the header's own names hide.
namespace absent {
#define VALUE(kernel, ours, value, since) [[maybe_unused]] constexpr Absent kernel;
#define STRUCT(kernel, ours, size)
#define FIELD(kernel, ours, our_field, kernel_field, offset)
#include "surface.inc"
#undef VALUE
}  // namespace absent

// The header in a namespace of its own: a name has the header's meaning, or is an Absent if the header does
// not have it. (As macros, the other half of the header's names, they are absent when nothing was defined.)
namespace header {
using namespace absent;
#include <linux/io_uring.h>

// Returns the number compared, 0 or 1, and checks that they are equal.
template <class Theirs>
int compare(const char* name, unsigned long long ours, Theirs theirs) {
  if constexpr (std::is_same_v<Theirs, Absent>) {
    return 0;
  } else {
    // A mask of all flags so far grows with the header: it is 1 in Linux 6.12 and 3 in 7.2.
    if (std::string_view(name) == "IORING_URING_CMD_MASK") ours &= static_cast<unsigned>(theirs);
    EXPECT_EQ(static_cast<unsigned>(ours), static_cast<unsigned>(theirs)) << name;
    return 1;
  }
}

TEST(Abi, NumbersAreThoseOfTheInstalledHeader) {
  int compared = 0;
#define VALUE(kernel, ours, value, since) \
  compared += compare(#kernel, static_cast<unsigned long long>(uring::ours), kernel);
#include "surface.inc"
#undef VALUE
  EXPECT_GE(compared, 162) << "fewer than a 6.1 header has: the names no longer find it";
}

}  // namespace header

// The header's structs.
using header::io_cqring_offsets, header::io_sqring_offsets, header::io_uring_buf, header::io_uring_buf_reg,
    header::io_uring_buf_ring, header::io_uring_cqe, header::io_uring_file_index_range,
    header::io_uring_files_update, header::io_uring_getevents_arg, header::io_uring_params,
    header::io_uring_probe, header::io_uring_probe_op, header::io_uring_recvmsg_out,
    header::io_uring_restriction, header::io_uring_rsrc_register, header::io_uring_rsrc_update,
    header::io_uring_rsrc_update2, header::io_uring_sqe, header::io_uring_sync_cancel_reg;

#define EXPECT_SAME_LAYOUT(ours, our_field, theirs, their_field)              \
  EXPECT_EQ(offsetof(uring::ours, our_field), offsetof(theirs, their_field)); \
  EXPECT_EQ(sizeof(uring::ours::our_field), sizeof(theirs::their_field))

TEST(Abi, StructsAreLaidOutAsInTheKernelsHeader) {
  EXPECT_EQ(sizeof(uring::Sqe), sizeof(io_uring_sqe));
  EXPECT_SAME_LAYOUT(Sqe, opcode, io_uring_sqe, opcode);
  EXPECT_SAME_LAYOUT(Sqe, flags, io_uring_sqe, flags);
  EXPECT_SAME_LAYOUT(Sqe, ioprio, io_uring_sqe, ioprio);
  EXPECT_SAME_LAYOUT(Sqe, fd, io_uring_sqe, fd);
  EXPECT_SAME_LAYOUT(Sqe, off, io_uring_sqe, off);
  EXPECT_SAME_LAYOUT(Sqe, addr, io_uring_sqe, addr);
  EXPECT_SAME_LAYOUT(Sqe, len, io_uring_sqe, len);
  EXPECT_SAME_LAYOUT(Sqe, op_flags, io_uring_sqe, rw_flags);
  EXPECT_SAME_LAYOUT(Sqe, user_data, io_uring_sqe, user_data);
  EXPECT_SAME_LAYOUT(Sqe, buf_index, io_uring_sqe, buf_index);
  EXPECT_SAME_LAYOUT(Sqe, personality, io_uring_sqe, personality);
  EXPECT_SAME_LAYOUT(Sqe, file_index, io_uring_sqe, file_index);
  EXPECT_SAME_LAYOUT(Sqe, addr3, io_uring_sqe, addr3);

  EXPECT_EQ(sizeof(uring::Cqe), sizeof(io_uring_cqe));
  EXPECT_SAME_LAYOUT(Cqe, user_data, io_uring_cqe, user_data);
  EXPECT_SAME_LAYOUT(Cqe, res, io_uring_cqe, res);
  EXPECT_SAME_LAYOUT(Cqe, flags, io_uring_cqe, flags);

  EXPECT_EQ(sizeof(uring::Params), sizeof(io_uring_params));
  EXPECT_SAME_LAYOUT(Params, sq_entries, io_uring_params, sq_entries);
  EXPECT_SAME_LAYOUT(Params, cq_entries, io_uring_params, cq_entries);
  EXPECT_SAME_LAYOUT(Params, flags, io_uring_params, flags);
  EXPECT_SAME_LAYOUT(Params, sq_thread_cpu, io_uring_params, sq_thread_cpu);
  EXPECT_SAME_LAYOUT(Params, sq_thread_idle, io_uring_params, sq_thread_idle);
  EXPECT_SAME_LAYOUT(Params, features, io_uring_params, features);
  EXPECT_SAME_LAYOUT(Params, wq_fd, io_uring_params, wq_fd);
  EXPECT_SAME_LAYOUT(Params, resv, io_uring_params, resv);
  EXPECT_SAME_LAYOUT(Params, sq_off, io_uring_params, sq_off);
  EXPECT_SAME_LAYOUT(Params, cq_off, io_uring_params, cq_off);

  EXPECT_SAME_LAYOUT(SqRingOffsets, head, io_sqring_offsets, head);
  EXPECT_SAME_LAYOUT(SqRingOffsets, tail, io_sqring_offsets, tail);
  EXPECT_SAME_LAYOUT(SqRingOffsets, ring_mask, io_sqring_offsets, ring_mask);
  EXPECT_SAME_LAYOUT(SqRingOffsets, ring_entries, io_sqring_offsets, ring_entries);
  EXPECT_SAME_LAYOUT(SqRingOffsets, flags, io_sqring_offsets, flags);
  EXPECT_SAME_LAYOUT(SqRingOffsets, dropped, io_sqring_offsets, dropped);
  EXPECT_SAME_LAYOUT(SqRingOffsets, array, io_sqring_offsets, array);
  EXPECT_SAME_LAYOUT(CqRingOffsets, head, io_cqring_offsets, head);
  EXPECT_SAME_LAYOUT(CqRingOffsets, tail, io_cqring_offsets, tail);
  EXPECT_SAME_LAYOUT(CqRingOffsets, ring_mask, io_cqring_offsets, ring_mask);
  EXPECT_SAME_LAYOUT(CqRingOffsets, ring_entries, io_cqring_offsets, ring_entries);
  EXPECT_SAME_LAYOUT(CqRingOffsets, overflow, io_cqring_offsets, overflow);
  EXPECT_SAME_LAYOUT(CqRingOffsets, cqes, io_cqring_offsets, cqes);
  EXPECT_SAME_LAYOUT(CqRingOffsets, flags, io_cqring_offsets, flags);

  EXPECT_EQ(sizeof(uring::GeteventsArg), sizeof(io_uring_getevents_arg));
  EXPECT_SAME_LAYOUT(GeteventsArg, sigmask_sz, io_uring_getevents_arg, sigmask_sz);
  EXPECT_SAME_LAYOUT(GeteventsArg, ts, io_uring_getevents_arg, ts);
  EXPECT_EQ(sizeof(uring::Timespec), sizeof(__kernel_timespec));
  EXPECT_SAME_LAYOUT(Timespec, tv_sec, __kernel_timespec, tv_sec);
  EXPECT_SAME_LAYOUT(Timespec, tv_nsec, __kernel_timespec, tv_nsec);
  EXPECT_EQ(sizeof(uring::FutexWaitv), sizeof(futex_waitv));
  EXPECT_SAME_LAYOUT(FutexWaitv, val, futex_waitv, val);
  EXPECT_SAME_LAYOUT(FutexWaitv, uaddr, futex_waitv, uaddr);
  EXPECT_SAME_LAYOUT(FutexWaitv, flags, futex_waitv, flags);
  EXPECT_EQ(sizeof(uring::RecvmsgOut), sizeof(io_uring_recvmsg_out));
  EXPECT_SAME_LAYOUT(RecvmsgOut, namelen, io_uring_recvmsg_out, namelen);
  EXPECT_SAME_LAYOUT(RecvmsgOut, controllen, io_uring_recvmsg_out, controllen);
  EXPECT_SAME_LAYOUT(RecvmsgOut, payloadlen, io_uring_recvmsg_out, payloadlen);
  EXPECT_SAME_LAYOUT(RecvmsgOut, flags, io_uring_recvmsg_out, flags);
}

TEST(Abi, RegistrationStructsAreLaidOutAsInTheKernelsHeader) {
  EXPECT_EQ(sizeof(uring::ProbeOp), sizeof(io_uring_probe_op));
  EXPECT_SAME_LAYOUT(ProbeOp, flags, io_uring_probe_op, flags);
  EXPECT_SAME_LAYOUT(Probe, last_op, io_uring_probe, last_op);
  EXPECT_SAME_LAYOUT(Probe, ops_len, io_uring_probe, ops_len);
  EXPECT_EQ(offsetof(uring::Probe, ops), sizeof(io_uring_probe));
  EXPECT_EQ(sizeof(uring::FilesUpdate), sizeof(io_uring_files_update));
  EXPECT_SAME_LAYOUT(FilesUpdate, offset, io_uring_files_update, offset);
  EXPECT_SAME_LAYOUT(FilesUpdate, fds, io_uring_files_update, fds);
  EXPECT_EQ(sizeof(uring::RsrcRegister), sizeof(io_uring_rsrc_register));
  EXPECT_SAME_LAYOUT(RsrcRegister, nr, io_uring_rsrc_register, nr);
  EXPECT_SAME_LAYOUT(RsrcRegister, flags, io_uring_rsrc_register, flags);
  EXPECT_SAME_LAYOUT(RsrcRegister, data, io_uring_rsrc_register, data);
  EXPECT_SAME_LAYOUT(RsrcRegister, tags, io_uring_rsrc_register, tags);
  EXPECT_EQ(sizeof(uring::RsrcUpdate), sizeof(io_uring_rsrc_update));
  EXPECT_SAME_LAYOUT(RsrcUpdate, offset, io_uring_rsrc_update, offset);
  EXPECT_SAME_LAYOUT(RsrcUpdate, data, io_uring_rsrc_update, data);
  EXPECT_EQ(sizeof(uring::RsrcUpdate2), sizeof(io_uring_rsrc_update2));
  EXPECT_SAME_LAYOUT(RsrcUpdate2, data, io_uring_rsrc_update2, data);
  EXPECT_SAME_LAYOUT(RsrcUpdate2, tags, io_uring_rsrc_update2, tags);
  EXPECT_SAME_LAYOUT(RsrcUpdate2, nr, io_uring_rsrc_update2, nr);
  EXPECT_EQ(sizeof(uring::FileIndexRange), sizeof(io_uring_file_index_range));
  EXPECT_SAME_LAYOUT(FileIndexRange, off, io_uring_file_index_range, off);
  EXPECT_SAME_LAYOUT(FileIndexRange, len, io_uring_file_index_range, len);
  EXPECT_EQ(sizeof(uring::Buf), sizeof(io_uring_buf));
  EXPECT_SAME_LAYOUT(Buf, addr, io_uring_buf, addr);
  EXPECT_SAME_LAYOUT(Buf, len, io_uring_buf, len);
  EXPECT_SAME_LAYOUT(Buf, bid, io_uring_buf, bid);
  EXPECT_SAME_LAYOUT(Buf, resv, io_uring_buf_ring, tail);
  EXPECT_EQ(sizeof(uring::BufReg), sizeof(io_uring_buf_reg));
  EXPECT_SAME_LAYOUT(BufReg, ring_addr, io_uring_buf_reg, ring_addr);
  EXPECT_SAME_LAYOUT(BufReg, ring_entries, io_uring_buf_reg, ring_entries);
  EXPECT_SAME_LAYOUT(BufReg, bgid, io_uring_buf_reg, bgid);
  EXPECT_EQ(sizeof(uring::SyncCancelReg), sizeof(io_uring_sync_cancel_reg));
  EXPECT_SAME_LAYOUT(SyncCancelReg, addr, io_uring_sync_cancel_reg, addr);
  EXPECT_SAME_LAYOUT(SyncCancelReg, fd, io_uring_sync_cancel_reg, fd);
  EXPECT_SAME_LAYOUT(SyncCancelReg, flags, io_uring_sync_cancel_reg, flags);
  EXPECT_SAME_LAYOUT(SyncCancelReg, timeout, io_uring_sync_cancel_reg, timeout);
  EXPECT_EQ(sizeof(uring::Restriction), sizeof(io_uring_restriction));
  EXPECT_SAME_LAYOUT(Restriction, opcode, io_uring_restriction, opcode);
  EXPECT_SAME_LAYOUT(Restriction, what, io_uring_restriction, register_op);
}

TEST(Abi, SystemCallNumbersAreThoseOfThisArchitecture) {
  EXPECT_EQ(uring::nr_io_uring_setup, SYS_io_uring_setup);
  EXPECT_EQ(uring::nr_io_uring_enter, SYS_io_uring_enter);
  EXPECT_EQ(uring::nr_io_uring_register, SYS_io_uring_register);
  EXPECT_EQ(uring::arch::nr_close, SYS_close);
  EXPECT_EQ(uring::arch::nr_mmap, SYS_mmap);
  EXPECT_EQ(uring::arch::nr_munmap, SYS_munmap);
}

}  // namespace
