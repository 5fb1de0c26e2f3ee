#include "adapters/abi/encodings.h"

#include <array>
#include <cstddef>
#include <sstream>

namespace conformance {
namespace {

// Each different in every byte, so that a narrowing or a mix-up shows. No kernel looks at them.
constexpr std::uint64_t user_data = 0x1122334455667788, far = 0x7a7b'0102'0304'0506,
                        farther = 0x7c7d'0708'090a'0b0c, target = 0x99aabbccddeeff01;
constexpr std::int32_t fd = 0x1213'1415, other_fd = 0x2223'2425, count = 0x3233'3435, domain = 0x4243'4445;
constexpr std::uint32_t bytes = 0x1617'1819, mode = 0x2627'2829, slot = 0x3637'3839, flags = 0x4647'4849,
                        type = 0x5657'5859, protocol = 0x6667'6869, level = 0x1a1b'1c1d, option = 0x2a2b'2c2d;
constexpr std::uint16_t group = 0xabcd, buffer = 0xbcde, buffers = 0xdeef, zc_flags = 0x0c0b;
alignas(64) std::array<char, 64> memory, other_memory;
void* const here = memory.data();
void* const there = other_memory.data();

std::uint64_t at_here() { return wire::address(here); }
std::uint64_t at_there() { return wire::address(there); }

constexpr std::size_t variants = 6;  // at the end of the table

std::array<Encoding, URING_BINDING_OPERATIONS + variants> make_table() {
  namespace op = wire::op;
  const std::uint64_t a = at_here(), b = at_there(), u = user_data;
  return {{
      {URING_BINDING_NOP, "NOP", {.user_data = u}, {.opcode = op::nop, .user_data = u}},
      {URING_BINDING_READV,
       "READV",
       {.user_data = u, .fd = fd, .address = here, .offset = far, .count = count},
       {.opcode = op::readv, .fd = fd, .off = far, .addr = a, .len = count, .user_data = u}},
      {URING_BINDING_WRITEV,
       "WRITEV",
       {.user_data = u, .fd = fd, .address = here, .offset = far, .count = count},
       {.opcode = op::writev, .fd = fd, .off = far, .addr = a, .len = count, .user_data = u}},
      {URING_BINDING_READ,
       "READ",
       {.user_data = u, .fd = fd, .address = here, .offset = far, .length = bytes},
       {.opcode = op::read, .fd = fd, .off = far, .addr = a, .len = bytes, .user_data = u}},
      {URING_BINDING_WRITE,
       "WRITE",
       {.user_data = u, .fd = fd, .address = here, .offset = far, .length = bytes},
       {.opcode = op::write, .fd = fd, .off = far, .addr = a, .len = bytes, .user_data = u}},
      {URING_BINDING_READ_FIXED,
       "READ_FIXED",
       {.user_data = u, .fd = fd, .address = here, .offset = far, .length = bytes, .buffer = buffer},
       {.opcode = op::read_fixed,
        .fd = fd,
        .off = far,
        .addr = a,
        .len = bytes,
        .user_data = u,
        .buf_index = buffer}},
      {URING_BINDING_WRITE_FIXED,
       "WRITE_FIXED",
       {.user_data = u, .fd = fd, .address = here, .offset = far, .length = bytes, .buffer = buffer},
       {.opcode = op::write_fixed,
        .fd = fd,
        .off = far,
        .addr = a,
        .len = bytes,
        .user_data = u,
        .buf_index = buffer}},
      {URING_BINDING_READ_SELECT,
       "READ into a buffer of a group",
       {.user_data = u, .fd = fd, .offset = far, .length = bytes, .group = group},
       {.opcode = op::read,
        .flags = wire::buffer_select,
        .fd = fd,
        .off = far,
        .len = bytes,
        .user_data = u,
        .buf_index = group}},
      {URING_BINDING_FSYNC,
       "FSYNC",
       {.user_data = u, .fd = fd, .flags = 1},
       {.opcode = op::fsync, .fd = fd, .op_flags = 1, .user_data = u}},
      {URING_BINDING_FALLOCATE,
       "FALLOCATE",
       {.user_data = u, .fd = fd, .offset = far, .length = farther, .mode = mode},
       {.opcode = op::fallocate, .fd = fd, .off = far, .addr = farther, .len = mode, .user_data = u}},
      {URING_BINDING_SPLICE,
       "SPLICE",
       {.user_data = u,
        .fd = fd,
        .other_fd = other_fd,
        .offset = far,
        .other_offset = farther,
        .length = bytes,
        .flags = flags},
       {.opcode = op::splice,
        .fd = other_fd,
        .off = farther,
        .addr = far,
        .len = bytes,
        .op_flags = flags,
        .user_data = u,
        .file_index = fd}},
      {URING_BINDING_STATX,
       "STATX",
       {.user_data = u, .fd = fd, .address = here, .other_address = there, .flags = flags, .mode = mode},
       {.opcode = op::statx, .fd = fd, .off = b, .addr = a, .len = mode, .op_flags = flags, .user_data = u}},

      {URING_BINDING_OPENAT,
       "OPENAT",
       {.user_data = u, .fd = fd, .address = here, .flags = flags, .mode = mode},
       {.opcode = op::openat, .fd = fd, .addr = a, .len = mode, .op_flags = flags, .user_data = u}},
      {URING_BINDING_OPENAT_DIRECT,
       "OPENAT into a slot",
       {.user_data = u, .fd = fd, .address = here, .flags = flags, .mode = mode, .slot = slot},
       {.opcode = op::openat,
        .fd = fd,
        .addr = a,
        .len = mode,
        .op_flags = flags,
        .user_data = u,
        .file_index = slot + 1}},
      {URING_BINDING_CLOSE,
       "CLOSE",
       {.user_data = u, .fd = fd},
       {.opcode = op::close, .fd = fd, .user_data = u}},
      {URING_BINDING_CLOSE_DIRECT,
       "CLOSE of a slot",
       {.user_data = u, .slot = slot},
       {.opcode = op::close, .user_data = u, .file_index = slot + 1}},
      {URING_BINDING_RENAMEAT,
       "RENAMEAT",
       {.user_data = u,
        .fd = fd,
        .other_fd = other_fd,
        .address = here,
        .other_address = there,
        .flags = flags},
       {.opcode = op::renameat,
        .fd = fd,
        .off = b,
        .addr = a,
        .len = other_fd,
        .op_flags = flags,
        .user_data = u}},
      {URING_BINDING_UNLINKAT,
       "UNLINKAT",
       {.user_data = u, .fd = fd, .address = here, .flags = flags},
       {.opcode = op::unlinkat, .fd = fd, .addr = a, .op_flags = flags, .user_data = u}},
      {URING_BINDING_MKDIRAT,
       "MKDIRAT",
       {.user_data = u, .fd = fd, .address = here, .mode = mode},
       {.opcode = op::mkdirat, .fd = fd, .addr = a, .len = mode, .user_data = u}},
      {URING_BINDING_SYMLINKAT,
       "SYMLINKAT",
       {.user_data = u, .other_fd = other_fd, .address = here, .other_address = there},
       {.opcode = op::symlinkat, .fd = other_fd, .off = b, .addr = a, .user_data = u}},
      {URING_BINDING_LINKAT,
       "LINKAT",
       {.user_data = u,
        .fd = fd,
        .other_fd = other_fd,
        .address = here,
        .other_address = there,
        .flags = flags},
       {.opcode = op::linkat,
        .fd = fd,
        .off = b,
        .addr = a,
        .len = other_fd,
        .op_flags = flags,
        .user_data = u}},

      {URING_BINDING_SOCKET,
       "SOCKET",
       {.user_data = u, .flags = flags, .domain = domain, .type = type, .protocol = protocol},
       {.opcode = op::socket, .fd = domain, .off = type, .len = protocol, .op_flags = flags, .user_data = u}},
      {URING_BINDING_SOCKET_DIRECT,
       "SOCKET into a slot",
       {.user_data = u, .flags = flags, .slot = slot, .domain = domain, .type = type, .protocol = protocol},
       {.opcode = op::socket,
        .fd = domain,
        .off = type,
        .len = protocol,
        .op_flags = flags,
        .user_data = u,
        .file_index = slot + 1}},
      {URING_BINDING_SOCKET_DIRECT_ALLOC,
       "SOCKET into any slot",
       {.user_data = u, .flags = flags, .domain = domain, .type = type, .protocol = protocol},
       {.opcode = op::socket,
        .fd = domain,
        .off = type,
        .len = protocol,
        .op_flags = flags,
        .user_data = u,
        .file_index = wire::file_index_alloc}},
      {URING_BINDING_BIND,
       "BIND",
       {.user_data = u, .fd = fd, .address = here, .length = bytes},
       {.opcode = op::bind, .fd = fd, .off = bytes, .addr = a, .user_data = u}},
      {URING_BINDING_LISTEN,
       "LISTEN",
       {.user_data = u, .fd = fd, .count = count},
       {.opcode = op::listen, .fd = fd, .len = count, .user_data = u}},
      {URING_BINDING_ACCEPT,
       "ACCEPT",
       {.user_data = u, .fd = fd, .address = here, .other_address = there, .flags = flags},
       {.opcode = op::accept, .fd = fd, .off = b, .addr = a, .op_flags = flags, .user_data = u}},
      {URING_BINDING_ACCEPT_MULTISHOT,
       "ACCEPT with multishot",
       {.user_data = u, .fd = fd, .flags = flags},
       {.opcode = op::accept, .ioprio = wire::accept_multishot, .fd = fd, .op_flags = flags, .user_data = u}},
      {URING_BINDING_ACCEPT_DIRECT,
       "ACCEPT into a slot",
       {.user_data = u, .fd = fd, .address = here, .other_address = there, .flags = flags, .slot = slot},
       {.opcode = op::accept,
        .fd = fd,
        .off = b,
        .addr = a,
        .op_flags = flags,
        .user_data = u,
        .file_index = slot + 1}},
      {URING_BINDING_ACCEPT_MULTISHOT_DIRECT,
       "ACCEPT with multishot into any slot",
       {.user_data = u, .fd = fd, .flags = flags},
       {.opcode = op::accept,
        .ioprio = wire::accept_multishot,
        .fd = fd,
        .op_flags = flags,
        .user_data = u,
        .file_index = wire::file_index_alloc}},
      {URING_BINDING_CONNECT,
       "CONNECT",
       {.user_data = u, .fd = fd, .address = here, .length = bytes},
       {.opcode = op::connect, .fd = fd, .off = bytes, .addr = a, .user_data = u}},
      {URING_BINDING_SHUTDOWN,
       "SHUTDOWN",
       {.user_data = u, .fd = fd, .mode = mode},
       {.opcode = op::shutdown, .fd = fd, .len = mode, .user_data = u}},
      {URING_BINDING_SEND,
       "SEND",
       {.user_data = u, .fd = fd, .address = here, .length = bytes, .flags = flags},
       {.opcode = op::send, .fd = fd, .addr = a, .len = bytes, .op_flags = flags, .user_data = u}},
      {URING_BINDING_SEND_ZC,
       "SEND_ZC",
       {.user_data = u, .fd = fd, .address = here, .length = bytes, .flags = flags, .mode = zc_flags},
       {.opcode = op::send_zc,
        .ioprio = zc_flags,
        .fd = fd,
        .addr = a,
        .len = bytes,
        .op_flags = flags,
        .user_data = u}},
      {URING_BINDING_SENDMSG,
       "SENDMSG",
       {.user_data = u, .fd = fd, .address = here, .flags = flags},
       {.opcode = op::sendmsg, .fd = fd, .addr = a, .len = 1, .op_flags = flags, .user_data = u}},
      {URING_BINDING_RECV,
       "RECV",
       {.user_data = u, .fd = fd, .address = here, .length = bytes, .flags = flags},
       {.opcode = op::recv, .fd = fd, .addr = a, .len = bytes, .op_flags = flags, .user_data = u}},
      {URING_BINDING_RECV_SELECT,
       "RECV into a buffer of a group",
       {.user_data = u, .fd = fd, .length = bytes, .flags = flags, .group = group},
       {.opcode = op::recv,
        .flags = wire::buffer_select,
        .fd = fd,
        .len = bytes,
        .op_flags = flags,
        .user_data = u,
        .buf_index = group}},
      {URING_BINDING_RECV_MULTISHOT,
       "RECV with multishot",
       {.user_data = u, .fd = fd, .flags = flags, .group = group},
       {.opcode = op::recv,
        .flags = wire::buffer_select,
        .ioprio = wire::recv_multishot,
        .fd = fd,
        .op_flags = flags,
        .user_data = u,
        .buf_index = group}},
      {URING_BINDING_RECVMSG,
       "RECVMSG",
       {.user_data = u, .fd = fd, .address = here, .flags = flags},
       {.opcode = op::recvmsg, .fd = fd, .addr = a, .len = 1, .op_flags = flags, .user_data = u}},
      {URING_BINDING_SETSOCKOPT,
       "SETSOCKOPT",
       {.user_data = u, .fd = fd, .address = here, .length = bytes, .level = level, .option = option},
       {.opcode = op::uring_cmd,
        .fd = fd,
        .off = wire::socket_op_setsockopt,
        .addr = std::uint64_t{option} << 32 | level,
        .user_data = u,
        .file_index = bytes,
        .addr3 = a}},
      {URING_BINDING_GETSOCKOPT,
       "GETSOCKOPT",
       {.user_data = u, .fd = fd, .address = here, .length = bytes, .level = level, .option = option},
       {.opcode = op::uring_cmd,
        .fd = fd,
        .off = wire::socket_op_getsockopt,
        .addr = std::uint64_t{option} << 32 | level,
        .user_data = u,
        .file_index = bytes,
        .addr3 = a}},

      {URING_BINDING_TIMEOUT,
       "TIMEOUT",
       {.user_data = u, .address = here, .count = count},
       {.opcode = op::timeout, .fd = -1, .off = count, .addr = a, .len = 1, .user_data = u}},
      {URING_BINDING_TIMEOUT_REMOVE,
       "TIMEOUT_REMOVE",
       {.user_data = u, .target = target},
       {.opcode = op::timeout_remove, .fd = -1, .addr = target, .user_data = u}},
      {URING_BINDING_LINK_TIMEOUT,
       "LINK_TIMEOUT",
       {.user_data = u, .address = here},
       {.opcode = op::link_timeout, .fd = -1, .addr = a, .len = 1, .user_data = u}},
      {URING_BINDING_CANCEL,
       "ASYNC_CANCEL",
       {.user_data = u, .target = target},
       {.opcode = op::async_cancel, .fd = -1, .addr = target, .user_data = u}},
      {URING_BINDING_PROVIDE_BUFFERS,
       "PROVIDE_BUFFERS",
       {.user_data = u, .address = here, .length = bytes, .count = buffers, .buffer = buffer, .group = group},
       {.opcode = op::provide_buffers,
        .fd = buffers,
        .off = buffer,
        .addr = a,
        .len = bytes,
        .user_data = u,
        .buf_index = group}},
      {URING_BINDING_REMOVE_BUFFERS,
       "REMOVE_BUFFERS",
       {.user_data = u, .count = buffers, .group = group},
       {.opcode = op::remove_buffers, .fd = buffers, .user_data = u, .buf_index = group}},
      {URING_BINDING_WAITID,
       "WAITID",
       {.user_data = u, .fd = fd, .address = here, .mode = mode, .type = 1},
       {.opcode = op::waitid, .fd = fd, .off = a, .len = 1, .user_data = u, .file_index = mode}},

      {URING_BINDING_ACCEPT_MULTISHOT,
       "ACCEPT with multishot and an address",
       {.user_data = u, .fd = fd, .address = here, .other_address = there, .flags = flags},
       {.opcode = op::accept,
        .ioprio = wire::accept_multishot,
        .fd = fd,
        .off = b,
        .addr = a,
        .op_flags = flags,
        .user_data = u}},
      {URING_BINDING_TIMEOUT,
       "TIMEOUT at a time",
       {.user_data = u, .address = here, .count = count, .flags = 1},
       {.opcode = op::timeout, .fd = -1, .off = count, .addr = a, .len = 1, .op_flags = 1, .user_data = u}},
      {URING_BINDING_LINK_TIMEOUT,
       "LINK_TIMEOUT at a time",
       {.user_data = u, .address = here, .flags = 1},
       {.opcode = op::link_timeout, .fd = -1, .addr = a, .len = 1, .op_flags = 1, .user_data = u}},
      {URING_BINDING_CANCEL,
       "ASYNC_CANCEL of all that match",
       {.user_data = u, .target = target, .flags = 1},
       {.opcode = op::async_cancel, .fd = -1, .addr = target, .op_flags = 1, .user_data = u}},
      {URING_BINDING_OPENAT_DIRECT,
       "OPENAT into any slot",
       {.user_data = u,
        .fd = fd,
        .address = here,
        .flags = flags,
        .mode = mode,
        .slot = URING_BINDING_ANY_SLOT},
       {.opcode = op::openat,
        .fd = fd,
        .addr = a,
        .len = mode,
        .op_flags = flags,
        .user_data = u,
        .file_index = wire::file_index_alloc}},
      {URING_BINDING_ACCEPT_DIRECT,
       "ACCEPT into any slot",
       {.user_data = u,
        .fd = fd,
        .address = here,
        .other_address = there,
        .flags = flags,
        .slot = URING_BINDING_ANY_SLOT},
       {.opcode = op::accept,
        .fd = fd,
        .off = b,
        .addr = a,
        .op_flags = flags,
        .user_data = u,
        .file_index = wire::file_index_alloc}},
  }};
}

}  // namespace

std::span<const Encoding> encodings() {
  static const auto table = make_table();
  return table;
}

std::string operation_name(uring_binding_operation operation) {
  for (const Encoding& encoding : encodings()) {
    if (encoding.operation == operation) return encoding.name;
  }
  return "operation " + std::to_string(operation);
}

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
