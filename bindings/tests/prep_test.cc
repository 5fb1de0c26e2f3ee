// Each prepare function against the documented encoding, all 64 bytes, over memory full of ones. The numbers are the suite's own: a
// constant of the binding compared with itself would prove nothing.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cstring>
#include <ostream>

#include <uring/uring.h>

namespace uring {
void PrintTo(const Sqe& s, std::ostream* out) {
  *out << "Sqe{opcode " << int{static_cast<u8>(s.opcode)} << ", flags " << int{s.flags} << ", ioprio " << s.ioprio << ", fd "
       << s.fd << ", off " << s.off << ", addr " << s.addr << ", len " << s.len << ", op_flags " << s.op_flags
       << ", user_data " << s.user_data << ", buf_index " << s.buf_index << ", personality " << s.personality
       << ", file_index " << s.file_index << ", addr3 " << s.addr3 << ", reserved " << s.reserved << "}";
}
}  // namespace uring

namespace {

using uring::Op, uring::Sqe, uring::u64;

// What `prepare` leaves in a slot that held something else.
template <class Prepare, class... Arguments>
Sqe prepared(Prepare prepare, Arguments... arguments) {
  Sqe sqe;
  std::memset(static_cast<void*>(&sqe), 0xff, sizeof sqe);
  EXPECT_EQ(&prepare(sqe, 0x1122334455667788, arguments...), &sqe);
  return sqe;
}

Sqe wanted(int opcode, Sqe rest) {
  rest.opcode = static_cast<Op>(opcode);
  rest.user_data = 0x1122334455667788;
  return rest;
}

u64 address(const void* p) { return reinterpret_cast<u64>(p); }

std::byte bytes[7];
iovec iovecs[2];
sockaddr socket_address;
uring::u32 socket_address_size;
const char* const path = "path";

TEST(Prep, Nop) { EXPECT_EQ(prepared(uring::prep_nop), wanted(0, {})); }
TEST(Prep, Readv) {
  EXPECT_EQ(prepared(uring::prep_readv, 5, iovecs, 2, u64{1} << 40),
            wanted(1, {.fd = 5, .off = u64{1} << 40, .addr = address(iovecs), .len = 2}));
}
TEST(Prep, Writev) {
  EXPECT_EQ(prepared(uring::prep_writev, 5, iovecs, 2, u64{1} << 40),
            wanted(2, {.fd = 5, .off = u64{1} << 40, .addr = address(iovecs), .len = 2}));
}
TEST(Prep, Fsync) { EXPECT_EQ(prepared(uring::prep_fsync, 5, 1), wanted(3, {.fd = 5, .op_flags = 1})); }
TEST(Prep, Accept) {
  EXPECT_EQ(prepared(uring::prep_accept, 5, &socket_address, &socket_address_size, 0x80000),
            wanted(13, {.fd = 5, .off = address(&socket_address_size), .addr = address(&socket_address),
                        .op_flags = 0x80000}));
}
TEST(Prep, Connect) {
  EXPECT_EQ(prepared(uring::prep_connect, 5, &socket_address, 16),
            wanted(16, {.fd = 5, .off = 16, .addr = address(&socket_address)}));
}
TEST(Prep, Openat) {
  EXPECT_EQ(prepared(uring::prep_openat, -100, path, 0x80042, 0640),
            wanted(18, {.fd = -100, .addr = address(path), .len = 0640, .op_flags = 0x80042}));
}
TEST(Prep, Close) { EXPECT_EQ(prepared(uring::prep_close, 5), wanted(19, {.fd = 5})); }
TEST(Prep, Read) {
  EXPECT_EQ(prepared(uring::prep_read, 5, std::span(bytes), ~u64{0}),
            wanted(22, {.fd = 5, .off = ~u64{0}, .addr = address(bytes), .len = 7}));
}
TEST(Prep, Write) {
  EXPECT_EQ(prepared(uring::prep_write, 5, std::span(bytes), u64{1} << 40),
            wanted(23, {.fd = 5, .off = u64{1} << 40, .addr = address(bytes), .len = 7}));
}
TEST(Prep, Send) {
  EXPECT_EQ(prepared(uring::prep_send, 5, std::span(bytes), 0x100),
            wanted(26, {.fd = 5, .addr = address(bytes), .len = 7, .op_flags = 0x100}));
}
TEST(Prep, Recv) {
  EXPECT_EQ(prepared(uring::prep_recv, 5, std::span(bytes), 0x100),
            wanted(27, {.fd = 5, .addr = address(bytes), .len = 7, .op_flags = 0x100}));
}
TEST(Prep, Shutdown) { EXPECT_EQ(prepared(uring::prep_shutdown, 5, 2), wanted(34, {.fd = 5, .len = 2})); }
TEST(Prep, Mkdirat) {
  EXPECT_EQ(prepared(uring::prep_mkdirat, -100, path, 0751),
            wanted(37, {.fd = -100, .addr = address(path), .len = 0751}));
}
TEST(Prep, Socket) {
  EXPECT_EQ(prepared(uring::prep_socket, 2, 0x80001, 6, 9),
            wanted(45, {.fd = 2, .off = 0x80001, .len = 6, .op_flags = 9}));
}
TEST(Prep, SocketCommands) {
  // Little endian here: level is the low half of addr.
  EXPECT_EQ(prepared(uring::prep_getsockopt, 5, 1, 2, std::span(bytes)),
            wanted(46, {.fd = 5, .off = 2, .addr = u64{2} << 32 | 1, .file_index = 7, .addr3 = address(bytes)}));
  EXPECT_EQ(prepared(uring::prep_setsockopt, 5, 1, 2, std::span(bytes)),
            wanted(46, {.fd = 5, .off = 3, .addr = u64{2} << 32 | 1, .file_index = 7, .addr3 = address(bytes)}));
}
TEST(Prep, Waitid) {
  EXPECT_EQ(prepared(uring::prep_waitid, 1, 4711, bytes, 4, 8),
            wanted(50, {.fd = 4711, .off = address(bytes), .len = 1, .op_flags = 8, .file_index = 4}));
}
TEST(Prep, Bind) {
  EXPECT_EQ(prepared(uring::prep_bind, 5, &socket_address, 16, 9),
            wanted(56, {.fd = 5, .off = 16, .addr = address(&socket_address), .op_flags = 9}));
}
TEST(Prep, Listen) { EXPECT_EQ(prepared(uring::prep_listen, 5, 128, 9), wanted(57, {.fd = 5, .len = 128, .op_flags = 9})); }

}  // namespace
