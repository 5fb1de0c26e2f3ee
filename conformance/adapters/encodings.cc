#include "adapters/encodings.h"

#include <array>
#include <cstddef>
#include <sstream>

namespace conformance {
namespace {

// Each different in every half and byte, so that a narrowing or a mix-up shows. None of them is looked at.
constexpr std::uint64_t user_data = 0x1122334455667788, far = 0x0000'0102'0304'0506,
                        farther = 0x0000'0708'090a'0b0c, target = 0x99aabbccddeeff01;
constexpr std::uint16_t group = 0xabcd, buffer = 0xbcde;
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
       {.user_data = u, .fd = 5, .address = here, .offset = far, .count = 2},
       {.opcode = op::readv, .fd = 5, .off = far, .addr = a, .len = 2, .user_data = u}},
      {URING_BINDING_WRITEV,
       "WRITEV",
       {.user_data = u, .fd = 5, .address = here, .offset = far, .count = 2},
       {.opcode = op::writev, .fd = 5, .off = far, .addr = a, .len = 2, .user_data = u}},
      {URING_BINDING_READ,
       "READ",
       {.user_data = u, .fd = 5, .address = here, .offset = far, .length = 7},
       {.opcode = op::read, .fd = 5, .off = far, .addr = a, .len = 7, .user_data = u}},
      {URING_BINDING_WRITE,
       "WRITE",
       {.user_data = u, .fd = 5, .address = here, .offset = far, .length = 7},
       {.opcode = op::write, .fd = 5, .off = far, .addr = a, .len = 7, .user_data = u}},
      {URING_BINDING_READ_FIXED,
       "READ_FIXED",
       {.user_data = u, .fd = 5, .address = here, .offset = far, .length = 7, .buffer = buffer},
       {.opcode = op::read_fixed,
        .fd = 5,
        .off = far,
        .addr = a,
        .len = 7,
        .user_data = u,
        .buf_index = buffer}},
      {URING_BINDING_WRITE_FIXED,
       "WRITE_FIXED",
       {.user_data = u, .fd = 5, .address = here, .offset = far, .length = 7, .buffer = buffer},
       {.opcode = op::write_fixed,
        .fd = 5,
        .off = far,
        .addr = a,
        .len = 7,
        .user_data = u,
        .buf_index = buffer}},
      {URING_BINDING_READ_SELECT,
       "READ into a buffer of a group",
       {.user_data = u, .fd = 5, .offset = far, .length = 7, .group = group},
       {.opcode = op::read,
        .flags = wire::buffer_select,
        .fd = 5,
        .off = far,
        .len = 7,
        .user_data = u,
        .buf_index = group}},
      {URING_BINDING_FSYNC,
       "FSYNC",
       {.user_data = u, .fd = 5, .flags = 1},
       {.opcode = op::fsync, .fd = 5, .op_flags = 1, .user_data = u}},
      {URING_BINDING_FALLOCATE,
       "FALLOCATE",
       {.user_data = u, .fd = 5, .offset = far, .length = farther, .mode = 1},
       {.opcode = op::fallocate, .fd = 5, .off = far, .addr = farther, .len = 1, .user_data = u}},
      {URING_BINDING_SPLICE,
       "SPLICE",
       {.user_data = u,
        .fd = 5,
        .other_fd = 6,
        .offset = far,
        .other_offset = farther,
        .length = 7,
        .flags = 1},
       {.opcode = op::splice,
        .fd = 6,
        .off = farther,
        .addr = far,
        .len = 7,
        .op_flags = 1,
        .user_data = u,
        .file_index = 5}},
      {URING_BINDING_STATX,
       "STATX",
       {.user_data = u, .fd = 5, .address = here, .other_address = there, .flags = 0x100, .mode = 0x7ff},
       {.opcode = op::statx, .fd = 5, .off = b, .addr = a, .len = 0x7ff, .op_flags = 0x100, .user_data = u}},

      {URING_BINDING_OPENAT,
       "OPENAT",
       {.user_data = u, .fd = 5, .address = here, .flags = 0x80042, .mode = 0640},
       {.opcode = op::openat, .fd = 5, .addr = a, .len = 0640, .op_flags = 0x80042, .user_data = u}},
      {URING_BINDING_OPENAT_DIRECT,
       "OPENAT into a slot",
       {.user_data = u, .fd = 5, .address = here, .flags = 0x42, .mode = 0640, .slot = 3},
       {.opcode = op::openat,
        .fd = 5,
        .addr = a,
        .len = 0640,
        .op_flags = 0x42,
        .user_data = u,
        .file_index = 4}},
      {URING_BINDING_CLOSE,
       "CLOSE",
       {.user_data = u, .fd = 5},
       {.opcode = op::close, .fd = 5, .user_data = u}},
      {URING_BINDING_CLOSE_DIRECT,
       "CLOSE of a slot",
       {.user_data = u, .slot = 3},
       {.opcode = op::close, .user_data = u, .file_index = 4}},
      {URING_BINDING_RENAMEAT,
       "RENAMEAT",
       {.user_data = u, .fd = 5, .other_fd = 6, .address = here, .other_address = there, .flags = 1},
       {.opcode = op::renameat, .fd = 5, .off = b, .addr = a, .len = 6, .op_flags = 1, .user_data = u}},
      {URING_BINDING_UNLINKAT,
       "UNLINKAT",
       {.user_data = u, .fd = 5, .address = here, .flags = 0x200},
       {.opcode = op::unlinkat, .fd = 5, .addr = a, .op_flags = 0x200, .user_data = u}},
      {URING_BINDING_MKDIRAT,
       "MKDIRAT",
       {.user_data = u, .fd = 5, .address = here, .mode = 0750},
       {.opcode = op::mkdirat, .fd = 5, .addr = a, .len = 0750, .user_data = u}},
      {URING_BINDING_SYMLINKAT,
       "SYMLINKAT",
       {.user_data = u, .other_fd = 6, .address = here, .other_address = there},
       {.opcode = op::symlinkat, .fd = 6, .off = b, .addr = a, .user_data = u}},
      {URING_BINDING_LINKAT,
       "LINKAT",
       {.user_data = u, .fd = 5, .other_fd = 6, .address = here, .other_address = there, .flags = 0x400},
       {.opcode = op::linkat, .fd = 5, .off = b, .addr = a, .len = 6, .op_flags = 0x400, .user_data = u}},

      {URING_BINDING_SOCKET,
       "SOCKET",
       {.user_data = u, .domain = 2, .type = 0x80001, .protocol = 6},
       {.opcode = op::socket, .fd = 2, .off = 0x80001, .len = 6, .user_data = u}},
      {URING_BINDING_SOCKET_DIRECT,
       "SOCKET into a slot",
       {.user_data = u, .slot = 3, .domain = 2, .type = 1, .protocol = 6},
       {.opcode = op::socket, .fd = 2, .off = 1, .len = 6, .user_data = u, .file_index = 4}},
      {URING_BINDING_SOCKET_DIRECT_ALLOC,
       "SOCKET into any slot",
       {.user_data = u, .domain = 2, .type = 1, .protocol = 6},
       {.opcode = op::socket,
        .fd = 2,
        .off = 1,
        .len = 6,
        .user_data = u,
        .file_index = wire::file_index_alloc}},
      {URING_BINDING_BIND,
       "BIND",
       {.user_data = u, .fd = 5, .address = here, .length = 16},
       {.opcode = op::bind, .fd = 5, .off = 16, .addr = a, .user_data = u}},
      {URING_BINDING_LISTEN,
       "LISTEN",
       {.user_data = u, .fd = 5, .count = 9},
       {.opcode = op::listen, .fd = 5, .len = 9, .user_data = u}},
      {URING_BINDING_ACCEPT,
       "ACCEPT",
       {.user_data = u, .fd = 5, .address = here, .other_address = there, .flags = 0x80000},
       {.opcode = op::accept, .fd = 5, .off = b, .addr = a, .op_flags = 0x80000, .user_data = u}},
      {URING_BINDING_ACCEPT_MULTISHOT,
       "ACCEPT with multishot",
       {.user_data = u, .fd = 5, .flags = 0x80000},
       {.opcode = op::accept,
        .ioprio = wire::accept_multishot,
        .fd = 5,
        .op_flags = 0x80000,
        .user_data = u}},
      {URING_BINDING_ACCEPT_DIRECT,
       "ACCEPT into a slot",
       {.user_data = u, .fd = 5, .address = here, .other_address = there, .flags = 0x800, .slot = 3},
       {.opcode = op::accept,
        .fd = 5,
        .off = b,
        .addr = a,
        .op_flags = 0x800,
        .user_data = u,
        .file_index = 4}},
      {URING_BINDING_ACCEPT_MULTISHOT_DIRECT,
       "ACCEPT with multishot into any slot",
       {.user_data = u, .fd = 5, .flags = 0x800},
       {.opcode = op::accept,
        .ioprio = wire::accept_multishot,
        .fd = 5,
        .op_flags = 0x800,
        .user_data = u,
        .file_index = wire::file_index_alloc}},
      {URING_BINDING_CONNECT,
       "CONNECT",
       {.user_data = u, .fd = 5, .address = here, .length = 16},
       {.opcode = op::connect, .fd = 5, .off = 16, .addr = a, .user_data = u}},
      {URING_BINDING_SHUTDOWN,
       "SHUTDOWN",
       {.user_data = u, .fd = 5, .mode = 2},
       {.opcode = op::shutdown, .fd = 5, .len = 2, .user_data = u}},
      {URING_BINDING_SEND,
       "SEND",
       {.user_data = u, .fd = 5, .address = here, .length = 7, .flags = 0x100},
       {.opcode = op::send, .fd = 5, .addr = a, .len = 7, .op_flags = 0x100, .user_data = u}},
      {URING_BINDING_SEND_ZC,
       "SEND_ZC",
       {.user_data = u, .fd = 5, .address = here, .length = 7, .flags = 0x100},
       {.opcode = op::send_zc, .fd = 5, .addr = a, .len = 7, .op_flags = 0x100, .user_data = u}},
      {URING_BINDING_SENDMSG,
       "SENDMSG",
       {.user_data = u, .fd = 5, .address = here, .flags = 0x100},
       {.opcode = op::sendmsg, .fd = 5, .addr = a, .len = 1, .op_flags = 0x100, .user_data = u}},
      {URING_BINDING_RECV,
       "RECV",
       {.user_data = u, .fd = 5, .address = here, .length = 7, .flags = 0x100},
       {.opcode = op::recv, .fd = 5, .addr = a, .len = 7, .op_flags = 0x100, .user_data = u}},
      {URING_BINDING_RECV_SELECT,
       "RECV into a buffer of a group",
       {.user_data = u, .fd = 5, .length = 7, .flags = 0x100, .group = group},
       {.opcode = op::recv,
        .flags = wire::buffer_select,
        .fd = 5,
        .len = 7,
        .op_flags = 0x100,
        .user_data = u,
        .buf_index = group}},
      {URING_BINDING_RECV_MULTISHOT,
       "RECV with multishot",
       {.user_data = u, .fd = 5, .flags = 0x20, .group = group},
       {.opcode = op::recv,
        .flags = wire::buffer_select,
        .ioprio = wire::recv_multishot,
        .fd = 5,
        .op_flags = 0x20,
        .user_data = u,
        .buf_index = group}},
      {URING_BINDING_RECVMSG,
       "RECVMSG",
       {.user_data = u, .fd = 5, .address = here, .flags = 0x100},
       {.opcode = op::recvmsg, .fd = 5, .addr = a, .len = 1, .op_flags = 0x100, .user_data = u}},
      {URING_BINDING_SETSOCKOPT,
       "SETSOCKOPT",
       {.user_data = u, .fd = 5, .address = here, .length = 4, .level = 1, .option = 2},
       {.opcode = op::uring_cmd,
        .fd = 5,
        .off = wire::socket_op_setsockopt,
        .addr = 2ull << 32 | 1,
        .user_data = u,
        .file_index = 4,
        .addr3 = a}},
      {URING_BINDING_GETSOCKOPT,
       "GETSOCKOPT",
       {.user_data = u, .fd = 5, .address = here, .length = 4, .level = 1, .option = 2},
       {.opcode = op::uring_cmd,
        .fd = 5,
        .off = wire::socket_op_getsockopt,
        .addr = 2ull << 32 | 1,
        .user_data = u,
        .file_index = 4,
        .addr3 = a}},

      {URING_BINDING_TIMEOUT,
       "TIMEOUT",
       {.user_data = u, .address = here, .count = 3},
       {.opcode = op::timeout, .fd = -1, .off = 3, .addr = a, .len = 1, .user_data = u}},
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
       {.user_data = u, .address = here, .length = 128, .count = 4, .buffer = 8, .group = group},
       {.opcode = op::provide_buffers,
        .fd = 4,
        .off = 8,
        .addr = a,
        .len = 128,
        .user_data = u,
        .buf_index = group}},
      {URING_BINDING_REMOVE_BUFFERS,
       "REMOVE_BUFFERS",
       {.user_data = u, .count = 4, .group = group},
       {.opcode = op::remove_buffers, .fd = 4, .user_data = u, .buf_index = group}},
      {URING_BINDING_WAITID,
       "WAITID",
       {.user_data = u, .fd = 4711, .address = here, .mode = 4, .type = 1},
       {.opcode = op::waitid, .fd = 4711, .off = a, .len = 1, .user_data = u, .file_index = 4}},

      {URING_BINDING_ACCEPT_MULTISHOT,
       "ACCEPT with multishot and an address",
       {.user_data = u, .fd = 5, .address = here, .other_address = there, .flags = 0x80000},
       {.opcode = op::accept,
        .ioprio = wire::accept_multishot,
        .fd = 5,
        .off = b,
        .addr = a,
        .op_flags = 0x80000,
        .user_data = u}},
      {URING_BINDING_TIMEOUT,
       "TIMEOUT at a time",
       {.user_data = u, .address = here, .count = 3, .flags = 1},
       {.opcode = op::timeout, .fd = -1, .off = 3, .addr = a, .len = 1, .op_flags = 1, .user_data = u}},
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
        .fd = 5,
        .address = here,
        .flags = 0x42,
        .mode = 0640,
        .slot = URING_BINDING_ANY_SLOT},
       {.opcode = op::openat,
        .fd = 5,
        .addr = a,
        .len = 0640,
        .op_flags = 0x42,
        .user_data = u,
        .file_index = wire::file_index_alloc}},
      {URING_BINDING_ACCEPT_DIRECT,
       "ACCEPT into any slot",
       {.user_data = u,
        .fd = 5,
        .address = here,
        .other_address = there,
        .flags = 0x800,
        .slot = URING_BINDING_ANY_SLOT},
       {.opcode = op::accept,
        .fd = 5,
        .off = b,
        .addr = a,
        .op_flags = 0x800,
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
  // io_nop_prep: looked at only with IORING_NOP_FILE (6.13). liburing and the Rust crate write -1.
  constexpr std::uint32_t nop_file = 2;
  if (sqe.opcode == wire::op::nop && (sqe.op_flags & nop_file) == 0) sqe.fd = 0;
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
