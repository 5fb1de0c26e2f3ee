// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

#include "seam/wire.h"

#include <cstring>
#include <ostream>
#include <sstream>

namespace conformance::wire {

std::string op_name(std::uint8_t opcode) {
  switch (opcode) {
    case op::nop: return "NOP";
    case op::readv: return "READV";
    case op::writev: return "WRITEV";
    case op::fsync: return "FSYNC";
    case op::read_fixed: return "READ_FIXED";
    case op::write_fixed: return "WRITE_FIXED";
    case op::poll_add: return "POLL_ADD";
    case op::poll_remove: return "POLL_REMOVE";
    case op::sync_file_range: return "SYNC_FILE_RANGE";
    case op::sendmsg: return "SENDMSG";
    case op::recvmsg: return "RECVMSG";
    case op::timeout: return "TIMEOUT";
    case op::timeout_remove: return "TIMEOUT_REMOVE";
    case op::accept: return "ACCEPT";
    case op::async_cancel: return "ASYNC_CANCEL";
    case op::link_timeout: return "LINK_TIMEOUT";
    case op::connect: return "CONNECT";
    case op::fallocate: return "FALLOCATE";
    case op::openat: return "OPENAT";
    case op::close: return "CLOSE";
    case op::files_update: return "FILES_UPDATE";
    case op::statx: return "STATX";
    case op::read: return "READ";
    case op::write: return "WRITE";
    case op::fadvise: return "FADVISE";
    case op::madvise: return "MADVISE";
    case op::send: return "SEND";
    case op::recv: return "RECV";
    case op::openat2: return "OPENAT2";
    case op::epoll_ctl: return "EPOLL_CTL";
    case op::splice: return "SPLICE";
    case op::provide_buffers: return "PROVIDE_BUFFERS";
    case op::remove_buffers: return "REMOVE_BUFFERS";
    case op::tee: return "TEE";
    case op::shutdown: return "SHUTDOWN";
    case op::renameat: return "RENAMEAT";
    case op::unlinkat: return "UNLINKAT";
    case op::mkdirat: return "MKDIRAT";
    case op::symlinkat: return "SYMLINKAT";
    case op::linkat: return "LINKAT";
    case op::msg_ring: return "MSG_RING";
    case op::fsetxattr: return "FSETXATTR";
    case op::setxattr: return "SETXATTR";
    case op::fgetxattr: return "FGETXATTR";
    case op::getxattr: return "GETXATTR";
    case op::socket: return "SOCKET";
    case op::uring_cmd: return "URING_CMD";
    case op::send_zc: return "SEND_ZC";
    case op::sendmsg_zc: return "SENDMSG_ZC";
    case op::read_multishot: return "READ_MULTISHOT";
    case op::waitid: return "WAITID";
    case op::futex_wait: return "FUTEX_WAIT";
    case op::futex_wake: return "FUTEX_WAKE";
    case op::futex_waitv: return "FUTEX_WAITV";
    case op::fixed_fd_install: return "FIXED_FD_INSTALL";
    case op::ftruncate: return "FTRUNCATE";
    case op::bind: return "BIND";
    case op::listen: return "LISTEN";
    case op::readv_fixed: return "READV_FIXED";
    case op::recv_zc: return "RECV_ZC";
    case op::epoll_wait: return "EPOLL_WAIT";
    case op::writev_fixed: return "WRITEV_FIXED";
    case op::pipe: return "PIPE";
    case op::nop128: return "NOP128";
    case op::uring_cmd128: return "URING_CMD128";
  }
  return "opcode " + std::to_string(opcode);
}

std::string result_text(long res) {
  std::string text = std::to_string(res);
  if (res < 0 && res > -4096) {
    const char* name = strerrorname_np(static_cast<int>(-res));
    text += name != nullptr ? std::string(" ") + name : " (no errno has this number)";
  }
  return text;
}

std::string to_string(const Sqe& sqe) {
  std::ostringstream out;
  out << "Sqe{.opcode=" << op_name(sqe.opcode) << std::hex << std::showbase;
  const auto field = [&out](const char* name, auto value) {
    if (value != 0) out << ", ." << name << "=" << value;
  };
  field("flags", unsigned{sqe.flags});
  field("ioprio", sqe.ioprio);
  if (sqe.fd != 0) out << ", .fd=" << std::dec << sqe.fd << std::hex;
  field("off", sqe.off);
  field("addr", sqe.addr);
  field("len", sqe.len);
  field("op_flags", sqe.op_flags);
  out << ", .user_data=" << sqe.user_data;
  field("buf_index", sqe.buf_index);
  field("personality", sqe.personality);
  field("file_index", sqe.file_index);
  field("addr3", sqe.addr3);
  field("pad2", sqe.pad2);
  out << "}";
  return out.str();
}

std::string to_string(const Cqe& cqe) {
  std::ostringstream out;
  out << std::hex << std::showbase << "Cqe{.user_data=" << cqe.user_data << ", .res=" << result_text(cqe.res)
      << ", .flags=" << cqe.flags << "}";
  return out.str();
}

void PrintTo(const Sqe& sqe, std::ostream* out) { *out << to_string(sqe); }
void PrintTo(const Cqe& cqe, std::ostream* out) { *out << to_string(cqe); }
void PrintTo(const Cqe32& cqe, std::ostream* out) {
  *out << to_string(cqe.cqe) << std::hex << std::showbase << " and " << cqe.extra1 << ", " << cqe.extra2
       << std::dec << std::noshowbase;
}

}  // namespace conformance::wire
