// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// How an SQE is compared with that of the golden table.
#include <sstream>

#include "adapters/abi/encodings.h"

namespace conformance {

wire::Sqe without_unread_fields(wire::Sqe sqe) {
  constexpr std::uint32_t nop_file = 1u << 1, cancel_fd = 1u << 1;
  switch (sqe.opcode) {
    case wire::op::nop:  // io_nop_prep: read only with IORING_NOP_FILE (since Linux 6.13)
      if ((sqe.op_flags & nop_file) == 0) sqe.fd = 0;
      break;
    case wire::op::async_cancel:  // io_async_cancel_prep: read only with IORING_ASYNC_CANCEL_FD (since
                                  // Linux 5.19)
      if ((sqe.op_flags & cancel_fd) == 0) sqe.fd = -1;
      break;
    case wire::op::timeout:  // io_timeout_prep, io_timeout_remove_prep: never read
    case wire::op::timeout_remove:
    case wire::op::link_timeout: sqe.fd = -1; break;
  }
  return sqe;
}

std::vector<std::string> differences(const wire::Sqe& got, const wire::Sqe& wanted) {
  std::vector<std::string> found;
  const auto compare = [&found](const char* field, auto is, auto want) {
    if (is == want) return;
    std::ostringstream text;
    text << "." << field << std::hex << std::showbase << " is " << is << ", want " << want;
    found.push_back(text.str());
  };
  if (got.opcode != wanted.opcode) {
    found.push_back(".opcode is " + wire::op_name(got.opcode) + ", want " + wire::op_name(wanted.opcode));
  }
  compare("flags", unsigned{got.flags}, unsigned{wanted.flags});
  compare("ioprio", got.ioprio, wanted.ioprio);
  if (got.fd != wanted.fd) {
    found.push_back(".fd is " + std::to_string(got.fd) + ", want " + std::to_string(wanted.fd));
  }
  compare("off", got.off, wanted.off);
  compare("addr", got.addr, wanted.addr);
  compare("len", got.len, wanted.len);
  compare("op_flags", got.op_flags, wanted.op_flags);
  compare("user_data", got.user_data, wanted.user_data);
  compare("buf_index", got.buf_index, wanted.buf_index);
  compare("personality", got.personality, wanted.personality);
  compare("file_index", got.file_index, wanted.file_index);
  compare("addr3", got.addr3, wanted.addr3);
  compare("pad2", got.pad2, wanted.pad2);
  return found;
}

}  // namespace conformance
