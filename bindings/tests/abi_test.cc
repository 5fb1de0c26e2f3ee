// The binding's numbers and layouts against the installed <linux/io_uring.h>. That header may be older than the binding: what it does not
// have is not compared here. Names are expanded by the preprocessor, so a value that the header lacks compiles to nothing.
#include <gtest/gtest.h>
#include <linux/io_uring.h>
#include <linux/version.h>
#include <sys/syscall.h>

#include <uring/uring.h>

namespace {

#define EXPECT_SAME_LAYOUT(ours, our_field, theirs, their_field)                \
  EXPECT_EQ(offsetof(uring::ours, our_field), offsetof(theirs, their_field));   \
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
  EXPECT_EQ(sizeof(uring::ProbeOp), sizeof(io_uring_probe_op));
  EXPECT_SAME_LAYOUT(ProbeOp, flags, io_uring_probe_op, flags);
  EXPECT_SAME_LAYOUT(Probe, last_op, io_uring_probe, last_op);
  EXPECT_SAME_LAYOUT(Probe, ops_len, io_uring_probe, ops_len);
  EXPECT_EQ(offsetof(uring::Probe, ops), sizeof(io_uring_probe));
}

TEST(Abi, SystemCallNumbersAreThoseOfThisArchitecture) {
  EXPECT_EQ(uring::nr_io_uring_setup, SYS_io_uring_setup);
  EXPECT_EQ(uring::nr_io_uring_enter, SYS_io_uring_enter);
  EXPECT_EQ(uring::nr_io_uring_register, SYS_io_uring_register);
  EXPECT_EQ(uring::arch::nr_close, SYS_close);
  EXPECT_EQ(uring::arch::nr_mmap, SYS_mmap);
  EXPECT_EQ(uring::arch::nr_munmap, SYS_munmap);
}

// One line per opcode of the installed header, in its order; a header that grew shows up as a difference in the count.
TEST(Abi, OpcodesAreThoseOfTheKernelsHeader) {
  using uring::Op;
  const Op ours[] = {
      Op::nop, Op::readv, Op::writev, Op::fsync, Op::read_fixed, Op::write_fixed, Op::poll_add, Op::poll_remove,
      Op::sync_file_range, Op::sendmsg, Op::recvmsg, Op::timeout, Op::timeout_remove, Op::accept, Op::async_cancel,
      Op::link_timeout, Op::connect, Op::fallocate, Op::openat, Op::close, Op::files_update, Op::statx, Op::read,
      Op::write, Op::fadvise, Op::madvise, Op::send, Op::recv, Op::openat2, Op::epoll_ctl, Op::splice,
      Op::provide_buffers, Op::remove_buffers, Op::tee, Op::shutdown, Op::renameat, Op::unlinkat, Op::mkdirat,
      Op::symlinkat, Op::linkat, Op::msg_ring, Op::fsetxattr, Op::setxattr, Op::fgetxattr, Op::getxattr, Op::socket,
      Op::uring_cmd, Op::send_zc, Op::sendmsg_zc,
  };
  const int theirs[] = {
      IORING_OP_NOP, IORING_OP_READV, IORING_OP_WRITEV, IORING_OP_FSYNC, IORING_OP_READ_FIXED, IORING_OP_WRITE_FIXED,
      IORING_OP_POLL_ADD, IORING_OP_POLL_REMOVE, IORING_OP_SYNC_FILE_RANGE, IORING_OP_SENDMSG, IORING_OP_RECVMSG,
      IORING_OP_TIMEOUT, IORING_OP_TIMEOUT_REMOVE, IORING_OP_ACCEPT, IORING_OP_ASYNC_CANCEL, IORING_OP_LINK_TIMEOUT,
      IORING_OP_CONNECT, IORING_OP_FALLOCATE, IORING_OP_OPENAT, IORING_OP_CLOSE, IORING_OP_FILES_UPDATE,
      IORING_OP_STATX, IORING_OP_READ, IORING_OP_WRITE, IORING_OP_FADVISE, IORING_OP_MADVISE, IORING_OP_SEND,
      IORING_OP_RECV, IORING_OP_OPENAT2, IORING_OP_EPOLL_CTL, IORING_OP_SPLICE, IORING_OP_PROVIDE_BUFFERS,
      IORING_OP_REMOVE_BUFFERS, IORING_OP_TEE, IORING_OP_SHUTDOWN, IORING_OP_RENAMEAT, IORING_OP_UNLINKAT,
      IORING_OP_MKDIRAT, IORING_OP_SYMLINKAT, IORING_OP_LINKAT, IORING_OP_MSG_RING, IORING_OP_FSETXATTR,
      IORING_OP_SETXATTR, IORING_OP_FGETXATTR, IORING_OP_GETXATTR, IORING_OP_SOCKET, IORING_OP_URING_CMD,
      IORING_OP_SEND_ZC, IORING_OP_SENDMSG_ZC,
  };
  ASSERT_EQ(std::size(ours), std::size(theirs));
  for (std::size_t i = 0; i < std::size(ours); ++i) EXPECT_EQ(static_cast<int>(ours[i]), theirs[i]) << i;
  EXPECT_GE(IORING_OP_LAST, static_cast<int>(std::size(ours)));
}

TEST(Abi, FlagsAreThoseOfTheKernelsHeader) {
  EXPECT_EQ(uring::sqe_fixed_file, IOSQE_FIXED_FILE);
  EXPECT_EQ(uring::sqe_io_drain, IOSQE_IO_DRAIN);
  EXPECT_EQ(uring::sqe_io_link, IOSQE_IO_LINK);
  EXPECT_EQ(uring::sqe_io_hardlink, IOSQE_IO_HARDLINK);
  EXPECT_EQ(uring::sqe_async, IOSQE_ASYNC);
  EXPECT_EQ(uring::sqe_buffer_select, IOSQE_BUFFER_SELECT);
  EXPECT_EQ(uring::sqe_cqe_skip_success, IOSQE_CQE_SKIP_SUCCESS);

  EXPECT_EQ(uring::setup_iopoll, IORING_SETUP_IOPOLL);
  EXPECT_EQ(uring::setup_sqpoll, IORING_SETUP_SQPOLL);
  EXPECT_EQ(uring::setup_sq_aff, IORING_SETUP_SQ_AFF);
  EXPECT_EQ(uring::setup_cqsize, IORING_SETUP_CQSIZE);
  EXPECT_EQ(uring::setup_clamp, IORING_SETUP_CLAMP);
  EXPECT_EQ(uring::setup_attach_wq, IORING_SETUP_ATTACH_WQ);
  EXPECT_EQ(uring::setup_r_disabled, IORING_SETUP_R_DISABLED);
  EXPECT_EQ(uring::setup_submit_all, IORING_SETUP_SUBMIT_ALL);
  EXPECT_EQ(uring::setup_coop_taskrun, IORING_SETUP_COOP_TASKRUN);
  EXPECT_EQ(uring::setup_taskrun_flag, IORING_SETUP_TASKRUN_FLAG);
  EXPECT_EQ(uring::setup_sqe128, IORING_SETUP_SQE128);
  EXPECT_EQ(uring::setup_cqe32, IORING_SETUP_CQE32);
  EXPECT_EQ(uring::setup_single_issuer, IORING_SETUP_SINGLE_ISSUER);
  EXPECT_EQ(uring::setup_defer_taskrun, IORING_SETUP_DEFER_TASKRUN);

  EXPECT_EQ(uring::feat_single_mmap, IORING_FEAT_SINGLE_MMAP);
  EXPECT_EQ(uring::feat_nodrop, IORING_FEAT_NODROP);
  EXPECT_EQ(uring::feat_submit_stable, IORING_FEAT_SUBMIT_STABLE);
  EXPECT_EQ(uring::feat_ext_arg, IORING_FEAT_EXT_ARG);

  EXPECT_EQ(uring::enter_getevents, IORING_ENTER_GETEVENTS);
  EXPECT_EQ(uring::enter_sq_wakeup, IORING_ENTER_SQ_WAKEUP);
  EXPECT_EQ(uring::enter_sq_wait, IORING_ENTER_SQ_WAIT);
  EXPECT_EQ(uring::enter_ext_arg, IORING_ENTER_EXT_ARG);
  EXPECT_EQ(uring::enter_registered_ring, IORING_ENTER_REGISTERED_RING);

  EXPECT_EQ(uring::cqe_f_buffer, IORING_CQE_F_BUFFER);
  EXPECT_EQ(uring::cqe_f_more, IORING_CQE_F_MORE);
  EXPECT_EQ(uring::cqe_f_sock_nonempty, IORING_CQE_F_SOCK_NONEMPTY);
  EXPECT_EQ(uring::cqe_f_notif, IORING_CQE_F_NOTIF);
  EXPECT_EQ(uring::cqe_buffer_shift, static_cast<unsigned>(IORING_CQE_BUFFER_SHIFT));

  EXPECT_EQ(uring::sq_need_wakeup, IORING_SQ_NEED_WAKEUP);
  EXPECT_EQ(uring::sq_cq_overflow, IORING_SQ_CQ_OVERFLOW);
  EXPECT_EQ(uring::sq_taskrun, IORING_SQ_TASKRUN);
  EXPECT_EQ(uring::fsync_datasync, IORING_FSYNC_DATASYNC);
  EXPECT_EQ(uring::op_supported, IO_URING_OP_SUPPORTED);

  EXPECT_EQ(uring::off_sq_ring, IORING_OFF_SQ_RING);
  EXPECT_EQ(uring::off_cq_ring, IORING_OFF_CQ_RING);
  EXPECT_EQ(uring::off_sqes, IORING_OFF_SQES);
}

TEST(Abi, RegisterOperationsAreThoseOfTheKernelsHeader) {
  using uring::RegisterOp;
  const std::pair<RegisterOp, int> pairs[] = {
      {RegisterOp::buffers, IORING_REGISTER_BUFFERS},
      {RegisterOp::unregister_buffers, IORING_UNREGISTER_BUFFERS},
      {RegisterOp::files, IORING_REGISTER_FILES},
      {RegisterOp::unregister_files, IORING_UNREGISTER_FILES},
      {RegisterOp::eventfd, IORING_REGISTER_EVENTFD},
      {RegisterOp::unregister_eventfd, IORING_UNREGISTER_EVENTFD},
      {RegisterOp::files_update, IORING_REGISTER_FILES_UPDATE},
      {RegisterOp::eventfd_async, IORING_REGISTER_EVENTFD_ASYNC},
      {RegisterOp::probe, IORING_REGISTER_PROBE},
      {RegisterOp::personality, IORING_REGISTER_PERSONALITY},
      {RegisterOp::unregister_personality, IORING_UNREGISTER_PERSONALITY},
      {RegisterOp::restrictions, IORING_REGISTER_RESTRICTIONS},
      {RegisterOp::enable_rings, IORING_REGISTER_ENABLE_RINGS},
      {RegisterOp::files2, IORING_REGISTER_FILES2},
      {RegisterOp::files_update2, IORING_REGISTER_FILES_UPDATE2},
      {RegisterOp::buffers2, IORING_REGISTER_BUFFERS2},
      {RegisterOp::buffers_update, IORING_REGISTER_BUFFERS_UPDATE},
      {RegisterOp::iowq_aff, IORING_REGISTER_IOWQ_AFF},
      {RegisterOp::unregister_iowq_aff, IORING_UNREGISTER_IOWQ_AFF},
      {RegisterOp::iowq_max_workers, IORING_REGISTER_IOWQ_MAX_WORKERS},
      {RegisterOp::ring_fds, IORING_REGISTER_RING_FDS},
      {RegisterOp::unregister_ring_fds, IORING_UNREGISTER_RING_FDS},
      {RegisterOp::pbuf_ring, IORING_REGISTER_PBUF_RING},
      {RegisterOp::unregister_pbuf_ring, IORING_UNREGISTER_PBUF_RING},
      {RegisterOp::sync_cancel, IORING_REGISTER_SYNC_CANCEL},
      {RegisterOp::file_alloc_range, IORING_REGISTER_FILE_ALLOC_RANGE},
  };
  for (const auto& [ours, theirs] : pairs) EXPECT_EQ(static_cast<int>(ours), theirs);
}

}  // namespace
