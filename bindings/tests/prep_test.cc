// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Each prepare function against the documented encoding, all 64 bytes: in a clean slot, in a slot full of
// ones, and by the ring's method of the same name in a slot that held another request. So it passes its
// arguments on in the same order, and nothing of the last request is left. surface_is_complete.cmake fails if
// a prepare function is missing here. The numbers are the suite's own: a constant of the binding compared
// with itself would prove nothing.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <bit>
#include <cstring>
#include <ostream>
#include <type_traits>

#include <uring/uring.h>

#include "played_kernel.h"

namespace uring {
void PrintTo(const Sqe& s, std::ostream* out) {
  *out << "Sqe{opcode " << int{static_cast<u8>(s.opcode)} << ", flags " << int{s.flags} << ", ioprio "
       << s.ioprio << ", fd " << s.fd << ", off " << s.off << ", addr " << s.addr << ", len " << s.len
       << ", op_flags " << s.op_flags << ", user_data " << s.user_data << ", buf_index " << s.buf_index
       << ", personality " << s.personality << ", file_index " << s.file_index << ", addr3 " << s.addr3
       << ", reserved " << s.reserved << "}";
}
}  // namespace uring

namespace {

using uring::Op, uring::Slot, uring::Sqe, uring::i32, uring::u16;

constexpr u64 user_data = 0x1122334455667788;

Sqe filled_with(unsigned char byte) {
  Sqe sqe;
  std::memset(static_cast<void*>(&sqe), byte, sizeof sqe);
  return sqe;
}

// A ring whose slots all held another request, in which every bit was set: also what callers set by hand
// (flags such as CQE_SKIP_SUCCESS or IO_LINK, a personality, a buffer group).
class ReusedRing {
 public:
  Ring& ring() { return ring_; }

  ReusedRing() {
    EXPECT_TRUE(ring_.init(4).ok());
    for (int i = 0; i < 4; ++i) ring_.nop(0).value() = filled_with(0xff);
    EXPECT_EQ(ring_.submit(), 4);
    ring_.cq_advance(4);
  }

 private:
  Played kernel_;
  Ring ring_{PlayedKernel{&kernel_}};
};

Sqe wanted(int opcode, Sqe rest) {
  rest.opcode = static_cast<Op>(opcode);
  rest.user_data = user_data;
  return rest;
}

#define UNWRAP(...) __VA_OPT__(, ) __VA_ARGS__
#define EXPECT_SQE(name, arguments, expected)                                                              \
  do {                                                                                                     \
    Sqe clean = filled_with(0), dirty = filled_with(0xff);                                                 \
    EXPECT_EQ(&uring::prep_##name(clean, user_data UNWRAP arguments), &clean);                             \
    EXPECT_EQ(clean, expected);                                                                            \
    uring::prep_##name(dirty, user_data UNWRAP arguments);                                                 \
    EXPECT_EQ(std::memcmp(&clean, &dirty, sizeof clean), 0)                                                \
        << "left in a slot full of ones: " << testing::PrintToString(dirty);                               \
    ReusedRing reused;                                                                                     \
    EXPECT_EQ(reused.ring().name(user_data UNWRAP arguments).value(), expected) << "by the ring's method"; \
  } while (false)

// SQEs of 128 bytes, for which the second half is 0.
#define EXPECT_SQE128(name, arguments, expected)                                            \
  do {                                                                                      \
    uring::Sqe128 dirty;                                                                    \
    std::memset(static_cast<void*>(&dirty), 0xff, sizeof dirty);                            \
    EXPECT_EQ(&uring::prep_##name(dirty, user_data UNWRAP arguments), &dirty);              \
    EXPECT_EQ(dirty, (uring::Sqe128{expected, {}}));                                        \
    Played kernel;                                                                          \
    uring::BasicRing<PlayedKernel, uring::MixedSqes> ring{PlayedKernel{&kernel}};           \
    ASSERT_TRUE(ring.init(4).ok());                                                         \
    std::memset(kernel.sqes.kernel_side(), 0xff, 256);                                      \
    EXPECT_EQ(ring.name(user_data UNWRAP arguments).value(), (uring::Sqe128{expected, {}})) \
        << "by the ring's method";                                                          \
    EXPECT_EQ(ring.sq_ready(), 2u);                                                         \
  } while (false)

u64 address(const void* p) { return reinterpret_cast<u64>(p); }

// Different in every half, byte and sign, so that a narrowing or a mix-up shows.
constexpr u64 far = 0x0000'0102'0304'0506;

std::byte bytes[7];
iovec iovecs[2];
msghdr message;
sockaddr socket_address;
u32 socket_address_size;
i32 fds[3];
u32 futex;
uring::Timespec timespec;
uring::FutexWaitv futexes[4];
const char* const path = "path";
const char* const other_path = "other path";
::epoll_event* const events = reinterpret_cast<::epoll_event*>(bytes);
::open_how* const how = reinterpret_cast<::open_how*>(bytes);
struct ::statx* const statx_result = reinterpret_cast<struct ::statx*>(bytes);

// A table of requests, their arguments and what they become; clang-format would give each field a line.
// clang-format off
TEST(Prep, Nop) { EXPECT_SQE(nop, (), wanted(0, {})); }
TEST(Prep, Readv) {
  EXPECT_SQE(readv, (5, iovecs, far), wanted(1, {.fd = 5, .off = far, .addr = address(iovecs), .len = 2}));
}
TEST(Prep, Writev) {
  EXPECT_SQE(writev, (5, iovecs, far),
             wanted(2, {.fd = 5, .off = far, .addr = address(iovecs), .len = 2}));
}
TEST(Prep, Fsync) { EXPECT_SQE(fsync, (5, 1), wanted(3, {.fd = 5, .op_flags = 1})); }
TEST(Prep, ReadFixed) {
  EXPECT_SQE(read_fixed, (5, bytes, far, 0xabcd),
             wanted(4, {.fd = 5, .off = far, .addr = address(bytes), .len = 7, .buf_index = 0xabcd}));
}
TEST(Prep, WriteFixed) {
  EXPECT_SQE(write_fixed, (5, bytes, far, 0xabcd),
             wanted(5, {.fd = 5, .off = far, .addr = address(bytes), .len = 7, .buf_index = 0xabcd}));
}
TEST(Prep, PollAdd) {
  // Little endian here; see PollMask for the other order.
  EXPECT_SQE(poll_add, (5, 0x1000'0041), wanted(6, {.fd = 5, .op_flags = 0x1000'0041}));
  EXPECT_SQE(poll_multishot, (5, 0x41), wanted(6, {.fd = 5, .len = 1, .op_flags = 0x41}));
}
TEST(Prep, PollRemove) {
  EXPECT_SQE(poll_remove, (far), wanted(7, {.fd = -1, .addr = far}));
  EXPECT_SQE(poll_update, (far, 0x55, 0x41, uring::PollFlags{6}),
             wanted(7, {.fd = -1, .off = 0x55, .addr = far, .len = 6, .op_flags = 0x41}));
}
TEST(Prep, SyncFileRange) {
  EXPECT_SQE(sync_file_range, (5, far, 4096, 2),
             wanted(8, {.fd = 5, .off = far, .len = 4096, .op_flags = 2}));
}
TEST(Prep, Sendmsg) {
  EXPECT_SQE(sendmsg, (5, &message, 0x100),
             wanted(9, {.fd = 5, .addr = address(&message), .len = 1, .op_flags = 0x100}));
}
TEST(Prep, Recvmsg) {
  EXPECT_SQE(recvmsg, (5, &message, 0x100),
             wanted(10, {.fd = 5, .addr = address(&message), .len = 1, .op_flags = 0x100}));
  EXPECT_SQE(recvmsg_multishot, (5, &message, 0xabcd, 0x100),
             wanted(10, {.flags = 32, .ioprio = 2, .fd = 5, .addr = address(&message), .len = 1,
                         .op_flags = 0x100, .buf_index = 0xabcd}));
}
TEST(Prep, Timeout) {
  EXPECT_SQE(timeout, (&timespec, 3, 1),
             wanted(11, {.fd = -1, .off = 3, .addr = address(&timespec), .len = 1, .op_flags = 1}));
  EXPECT_SQE(timeout, (&timespec, 3, uring::timeout_multishot),
             wanted(11, {.fd = -1, .off = 3, .addr = address(&timespec), .len = 1, .op_flags = 64}));
}
TEST(Prep, TimeoutRemove) {
  EXPECT_SQE(timeout_remove, (far, 9), wanted(12, {.fd = -1, .addr = far, .op_flags = 9}));
  EXPECT_SQE(timeout_update, (far, &timespec, 1),
             wanted(12, {.fd = -1, .off = address(&timespec), .addr = far, .op_flags = 3}));
  EXPECT_SQE(timeout_update, (far, &timespec, uring::link_timeout_update),
             wanted(12, {.fd = -1, .off = address(&timespec), .addr = far, .op_flags = 18}));
}
TEST(Prep, Accept) {
  EXPECT_SQE(accept, (5, &socket_address, &socket_address_size, 0x80000),
             wanted(13, {.fd = 5, .off = address(&socket_address_size), .addr = address(&socket_address),
                         .op_flags = 0x80000}));
  EXPECT_SQE(accept, (5, nullptr, nullptr, 0), wanted(13, {.fd = 5}));
  EXPECT_SQE(accept_multishot, (5, &socket_address, &socket_address_size, 0x80000),
             wanted(13, {.ioprio = 1, .fd = 5, .off = address(&socket_address_size),
                         .addr = address(&socket_address), .op_flags = 0x80000}));
  EXPECT_SQE(accept_direct, (5, &socket_address, &socket_address_size, 0x80000, Slot{6}),
             wanted(13, {.fd = 5, .off = address(&socket_address_size), .addr = address(&socket_address),
                         .op_flags = 0x80000, .file_index = 7}));
  EXPECT_SQE(accept_direct, (5, &socket_address, &socket_address_size, 0x80000, uring::file_index_alloc),
             wanted(13, {.fd = 5, .off = address(&socket_address_size), .addr = address(&socket_address),
                         .op_flags = 0x80000, .file_index = 0xffff'ffff}));
  EXPECT_SQE(accept_multishot_direct, (5, &socket_address, &socket_address_size, 0x80000),
             wanted(13, {.ioprio = 1, .fd = 5, .off = address(&socket_address_size),
                         .addr = address(&socket_address), .op_flags = 0x80000, .file_index = 0xffff'ffff}));
}
TEST(Prep, Cancel) {
  EXPECT_SQE(cancel, (far, 1), wanted(14, {.fd = -1, .addr = far, .op_flags = 1}));
  EXPECT_SQE(cancel_fd, (5, 1), wanted(14, {.fd = 5, .op_flags = 3}));
  EXPECT_SQE(cancel_fixed, (Slot{6}, 1), wanted(14, {.fd = 6, .op_flags = 11}));
  EXPECT_SQE(cancel_any, (16), wanted(14, {.fd = -1, .op_flags = 20}));
  EXPECT_SQE(cancel_op, (static_cast<Op>(22), 1), wanted(14, {.fd = -1, .len = 22, .op_flags = 33}));
}
TEST(Prep, LinkTimeout) {
  EXPECT_SQE(link_timeout, (&timespec, 1),
             wanted(15, {.fd = -1, .addr = address(&timespec), .len = 1, .op_flags = 1}));
}
TEST(Prep, Connect) {
  EXPECT_SQE(connect, (5, &socket_address, 16),
             wanted(16, {.fd = 5, .off = 16, .addr = address(&socket_address)}));
}
TEST(Prep, Fallocate) {
  EXPECT_SQE(fallocate, (5, 3, far, 1 + far), wanted(17, {.fd = 5, .off = far, .addr = 1 + far, .len = 3}));
}
TEST(Prep, Openat) {
  EXPECT_SQE(openat, (-100, path, 0x80042, 0640),
             wanted(18, {.fd = -100, .addr = address(path), .len = 0640, .op_flags = 0x80042}));
  EXPECT_SQE(openat_direct, (-100, path, 0x42, 0640, Slot{0}),
             wanted(18, {.fd = -100, .addr = address(path), .len = 0640, .op_flags = 0x42, .file_index = 1}));
  EXPECT_SQE(openat_direct, (-100, path, 0x42, 0640, uring::file_index_alloc),
             wanted(18, {.fd = -100, .addr = address(path), .len = 0640, .op_flags = 0x42,
                         .file_index = 0xffff'ffff}));
}
TEST(Prep, Close) {
  EXPECT_SQE(close, (5), wanted(19, {.fd = 5}));
  EXPECT_SQE(close_direct, (Slot{5}), wanted(19, {.file_index = 6}));
}
TEST(Prep, FilesUpdate) {
  EXPECT_SQE(files_update, (fds, Slot{5}), wanted(20, {.fd = -1, .off = 5, .addr = address(fds), .len = 3}));
  EXPECT_SQE(files_update, (fds, uring::file_index_alloc),
             wanted(20, {.fd = -1, .off = 0xffff'ffff, .addr = address(fds), .len = 3}));
}
TEST(Prep, Statx) {
  EXPECT_SQE(statx, (-100, path, 0x1000, 0x7ff, statx_result),
             wanted(21, {.fd = -100, .off = address(bytes), .addr = address(path), .len = 0x7ff,
                         .op_flags = 0x1000}));
}
TEST(Prep, Read) {
  EXPECT_SQE(read, (5, bytes, ~u64{0}),
             wanted(22, {.fd = 5, .off = ~u64{0}, .addr = address(bytes), .len = 7}));
  EXPECT_SQE(read_select, (5, 0xabcd, 4096, far),
             wanted(22, {.flags = 32, .fd = 5, .off = far, .len = 4096, .buf_index = 0xabcd}));
}
TEST(Prep, Write) {
  EXPECT_SQE(write, (5, bytes, far), wanted(23, {.fd = 5, .off = far, .addr = address(bytes), .len = 7}));
}
TEST(Prep, Fadvise) {
  EXPECT_SQE(fadvise, (5, far, 0xffff'ffff, 3),
             wanted(24, {.fd = 5, .off = far, .len = 0xffff'ffff, .op_flags = 3}));
  EXPECT_SQE(fadvise, (5, far, 0x1'0000'0000, 3),
             wanted(24, {.fd = 5, .off = far, .addr = 0x1'0000'0000, .op_flags = 3}));
  EXPECT_SQE(fadvise, (5, far, 0x1'0000'0007, 3),
             wanted(24, {.fd = 5, .off = far, .addr = 0x1'0000'0007, .op_flags = 3}));
}
TEST(Prep, Madvise) {
  EXPECT_SQE(madvise, (bytes, 0xffff'ffff, 3),
             wanted(25, {.fd = -1, .addr = address(bytes), .len = 0xffff'ffff, .op_flags = 3}));
  EXPECT_SQE(madvise, (bytes, 0x1'0000'0000, 3),
             wanted(25, {.fd = -1, .off = 0x1'0000'0000, .addr = address(bytes), .op_flags = 3}));
  EXPECT_SQE(madvise, (bytes, 0x1'0000'0007, 3),
             wanted(25, {.fd = -1, .off = 0x1'0000'0007, .addr = address(bytes), .op_flags = 3}));
}
TEST(Prep, Send) {
  EXPECT_SQE(send, (5, bytes, 0x100),
             wanted(26, {.fd = 5, .addr = address(bytes), .len = 7, .op_flags = 0x100}));
  // The size of the address is the first half of its 32-bit field.
  EXPECT_SQE(sendto, (5, bytes, 0x100, &socket_address, 28),
             wanted(26, {.fd = 5, .off = address(&socket_address), .addr = address(bytes), .len = 7,
                         .op_flags = 0x100, .file_index = 28}));
  EXPECT_SQE(send_bundle, (5, 0xabcd, 4096, 0x100),
             wanted(26, {.flags = 32, .ioprio = 16, .fd = 5, .len = 4096, .op_flags = 0x100,
                         .buf_index = 0xabcd}));
}
TEST(Prep, Recv) {
  EXPECT_SQE(recv, (5, bytes, 0x100),
             wanted(27, {.fd = 5, .addr = address(bytes), .len = 7, .op_flags = 0x100}));
  EXPECT_SQE(recv_select, (5, 0xabcd, 4096, 0x100),
             wanted(27, {.flags = 32, .fd = 5, .len = 4096, .op_flags = 0x100, .buf_index = 0xabcd}));
  EXPECT_SQE(recv_multishot, (5, 0xabcd, 0x100),
             wanted(27, {.flags = 32, .ioprio = 2, .fd = 5, .op_flags = 0x100, .buf_index = 0xabcd}));
  EXPECT_SQE(recv_bundle, (5, 0xabcd, 4096, 0x100),
             wanted(27, {.flags = 32, .ioprio = 16, .fd = 5, .len = 4096, .op_flags = 0x100,
                         .buf_index = 0xabcd}));
  EXPECT_SQE(recv_multishot_bundle, (5, 0xabcd, 0x100),
             wanted(27, {.flags = 32, .ioprio = 18, .fd = 5, .op_flags = 0x100, .buf_index = 0xabcd}));
}
TEST(Prep, RecvZc) {
  EXPECT_SQE(recv_zc, (5, 0x1234'5678, 4096),
             wanted(58, {.ioprio = 2, .fd = 5, .len = 4096, .file_index = 0x1234'5678}));
}
TEST(Prep, Openat2) {
  EXPECT_SQE(openat2, (-100, path, how, 24),
             wanted(28, {.fd = -100, .off = address(how), .addr = address(path), .len = 24}));
  EXPECT_SQE(openat2_direct, (-100, path, how, 24, Slot{0}),
             wanted(28, {.fd = -100, .off = address(how), .addr = address(path), .len = 24,
                         .file_index = 1}));
}
TEST(Prep, EpollCtl) {
  EXPECT_SQE(epoll_ctl, (5, 6, 3, events),
             wanted(29, {.fd = 5, .off = 6, .addr = address(events), .len = 3}));
}
TEST(Prep, Splice) {
  // A pipe's offset is ~0.
  EXPECT_SQE(splice, (5, far, 6, ~u64{0}, 4096, 0x8000'0004),
             wanted(30, {.fd = 6, .off = ~u64{0}, .addr = far, .len = 4096, .op_flags = 0x8000'0004,
                         .file_index = 5}));
}
TEST(Prep, ProvideBuffers) {
  EXPECT_SQE(provide_buffers, (bytes, 128, 4, 0xabcd, 0x9876),
             wanted(31, {.fd = 4, .off = 0x9876, .addr = address(bytes), .len = 128, .buf_index = 0xabcd}));
}
TEST(Prep, RemoveBuffers) {
  EXPECT_SQE(remove_buffers, (4, 0xabcd), wanted(32, {.fd = 4, .buf_index = 0xabcd}));
}
TEST(Prep, Tee) {
  EXPECT_SQE(tee, (5, 6, 4096, 2), wanted(33, {.fd = 6, .len = 4096, .op_flags = 2, .file_index = 5}));
}
TEST(Prep, Shutdown) { EXPECT_SQE(shutdown, (5, 2), wanted(34, {.fd = 5, .len = 2})); }
TEST(Prep, Renameat) {
  EXPECT_SQE(renameat, (5, path, -100, other_path, 1),
             wanted(35, {.fd = 5, .off = address(other_path), .addr = address(path), .len = 0xffff'ff9c,
                         .op_flags = 1}));
}
TEST(Prep, Unlinkat) {
  EXPECT_SQE(unlinkat, (-100, path, 0x200),
             wanted(36, {.fd = -100, .addr = address(path), .op_flags = 0x200}));
}
TEST(Prep, Mkdirat) {
  EXPECT_SQE(mkdirat, (-100, path, 0751), wanted(37, {.fd = -100, .addr = address(path), .len = 0751}));
}
TEST(Prep, Symlinkat) {
  EXPECT_SQE(symlinkat, (path, -100, other_path),
             wanted(38, {.fd = -100, .off = address(other_path), .addr = address(path)}));
}
TEST(Prep, Linkat) {
  EXPECT_SQE(linkat, (5, path, -100, other_path, 0x400),
             wanted(39, {.fd = 5, .off = address(other_path), .addr = address(path), .len = 0xffff'ff9c,
                         .op_flags = 0x400}));
}
TEST(Prep, MsgRing) {
  EXPECT_SQE(msg_ring, (5, 6, far, 1), wanted(40, {.fd = 5, .off = far, .len = 6, .op_flags = 1}));
  EXPECT_SQE(msg_ring_cqe_flags, (5, 6, far, 0x40000),
             wanted(40, {.fd = 5, .off = far, .len = 6, .op_flags = 2, .file_index = 0x40000}));
  EXPECT_SQE(msg_ring_fd, (5, Slot{6}, Slot{7}, far, 1),
             wanted(40, {.fd = 5, .off = far, .addr = 1, .op_flags = 1, .file_index = 8, .addr3 = 6}));
  EXPECT_SQE(msg_ring_fd, (5, Slot{6}, uring::file_index_alloc, far, 1),
             wanted(40, {.fd = 5, .off = far, .addr = 1, .op_flags = 1, .file_index = 0xffff'ffff,
                         .addr3 = 6}));
}
TEST(Prep, Xattr) {
  EXPECT_SQE(fsetxattr, (5, path, bytes, 2),
             wanted(41, {.fd = 5, .off = address(bytes), .addr = address(path), .len = 7, .op_flags = 2}));
  EXPECT_SQE(setxattr, (other_path, path, bytes, 2),
             wanted(42, {.off = address(bytes), .addr = address(path), .len = 7, .op_flags = 2,
                         .addr3 = address(other_path)}));
  EXPECT_SQE(fgetxattr, (5, path, bytes),
             wanted(43, {.fd = 5, .off = address(bytes), .addr = address(path), .len = 7}));
  EXPECT_SQE(getxattr, (other_path, path, bytes),
             wanted(44, {.off = address(bytes), .addr = address(path), .len = 7,
                         .addr3 = address(other_path)}));
}
TEST(Prep, Socket) {
  EXPECT_SQE(socket, (2, 0x80001, 6, 9), wanted(45, {.fd = 2, .off = 0x80001, .len = 6, .op_flags = 9}));
  EXPECT_SQE(socket_direct, (2, 1, 6, 9, Slot{0}),
             wanted(45, {.fd = 2, .off = 1, .len = 6, .op_flags = 9, .file_index = 1}));
  EXPECT_SQE(socket_direct_alloc, (2, 1, 6, 9),
             wanted(45, {.fd = 2, .off = 1, .len = 6, .op_flags = 9, .file_index = 0xffff'ffff}));
}
TEST(Prep, SocketCommands) {
  // Little endian here: level is the low half of addr.
  EXPECT_SQE(cmd_sock, (4, 5, 1, 2, far, 7),
             wanted(46, {.fd = 5, .off = 4, .addr = u64{2} << 32 | 1, .file_index = 7, .addr3 = far}));
  EXPECT_SQE(getsockopt, (5, 1, 2, bytes),
             wanted(46, {.fd = 5, .off = 2, .addr = u64{2} << 32 | 1, .file_index = 7,
                         .addr3 = address(bytes)}));
  EXPECT_SQE(setsockopt, (5, 1, 2, bytes),
             wanted(46, {.fd = 5, .off = 3, .addr = u64{2} << 32 | 1, .file_index = 7,
                         .addr3 = address(bytes)}));
}
TEST(Prep, SendZc) {
  EXPECT_SQE(send_zc, (5, bytes, 0x100, uring::RecvSend::report_usage),
             wanted(47, {.ioprio = 8, .fd = 5, .addr = address(bytes), .len = 7, .op_flags = 0x100}));
  EXPECT_SQE(send_zc_fixed, (5, bytes, 0x100, uring::RecvSend::report_usage, 0xabcd),
             wanted(47, {.ioprio = 12, .fd = 5, .addr = address(bytes), .len = 7, .op_flags = 0x100,
                         .buf_index = 0xabcd}));
}
TEST(Prep, SendmsgZc) {
  EXPECT_SQE(sendmsg_zc, (5, &message, 0x100),
             wanted(48, {.fd = 5, .addr = address(&message), .len = 1, .op_flags = 0x100}));
  EXPECT_SQE(sendmsg_zc_fixed, (5, &message, 0x100, 0xabcd),
             wanted(48, {.ioprio = 4, .fd = 5, .addr = address(&message), .len = 1, .op_flags = 0x100,
                         .buf_index = 0xabcd}));
}
// cmd_op, the first 32 bits of off, in either byte order.
constexpr u64 cmd_op = std::endian::native == std::endian::little ? 0x8765'4321 : 0x8765'4321'0000'0000;
TEST(Prep, UringCmd) { EXPECT_SQE(uring_cmd, (5, 0x8765'4321), wanted(46, {.fd = 5, .off = cmd_op})); }
TEST(Prep, Nop128) { EXPECT_SQE128(nop128, (), wanted(63, {})); }
TEST(Prep, UringCmd128) {
  EXPECT_SQE128(uring_cmd128, (5, 0x8765'4321), wanted(64, {.fd = 5, .off = cmd_op}));
}
TEST(Prep, ReadMultishot) {
  EXPECT_SQE(read_multishot, (5, 0xabcd, far),
             wanted(49, {.flags = 32, .fd = 5, .off = far, .buf_index = 0xabcd}));
}
TEST(Prep, Waitid) {
  EXPECT_SQE(waitid, (1, 4711, bytes, 4, 8),
             wanted(50, {.fd = 4711, .off = address(bytes), .len = 1, .op_flags = 8, .file_index = 4}));
}
TEST(Prep, FutexWait) {
  EXPECT_SQE(futex_wait, (&futex, far, 0xffff'ffff, 0x82),
             wanted(51, {.fd = 0x82, .off = far, .addr = address(&futex), .addr3 = 0xffff'ffff}));
}
TEST(Prep, FutexWake) {
  EXPECT_SQE(futex_wake, (&futex, far, 0xffff'ffff, 0x82),
             wanted(52, {.fd = 0x82, .off = far, .addr = address(&futex), .addr3 = 0xffff'ffff}));
}
TEST(Prep, FutexWaitv) {
  EXPECT_SQE(futex_waitv, (futexes), wanted(53, {.addr = address(futexes), .len = 4}));
}
TEST(Prep, FixedFdInstall) {
  EXPECT_SQE(fixed_fd_install, (Slot{5}, 1), wanted(54, {.flags = 1, .fd = 5, .op_flags = 1}));
}
TEST(Prep, Ftruncate) { EXPECT_SQE(ftruncate, (5, far), wanted(55, {.fd = 5, .off = far})); }
TEST(Prep, Bind) {
  EXPECT_SQE(bind, (5, &socket_address, 16, 9),
             wanted(56, {.fd = 5, .off = 16, .addr = address(&socket_address), .op_flags = 9}));
}
TEST(Prep, Listen) { EXPECT_SQE(listen, (5, 128, 9), wanted(57, {.fd = 5, .len = 128, .op_flags = 9})); }
TEST(Prep, EpollWait) {
  EXPECT_SQE(epoll_wait, (5, std::span(events, 3)), wanted(59, {.fd = 5, .addr = address(events), .len = 3}));
}
TEST(Prep, ReadvFixed) {
  EXPECT_SQE(readv_fixed, (5, iovecs, far, 0xabcd),
             wanted(60, {.fd = 5, .off = far, .addr = address(iovecs), .len = 2, .buf_index = 0xabcd}));
}
TEST(Prep, WritevFixed) {
  EXPECT_SQE(writev_fixed, (5, iovecs, far, 0xabcd),
             wanted(61, {.fd = 5, .off = far, .addr = address(iovecs), .len = 2, .buf_index = 0xabcd}));
}
TEST(Prep, Pipe) {
  EXPECT_SQE(pipe, (std::span(fds).first<2>(), 0x800), wanted(62, {.addr = address(fds), .op_flags = 0x800}));
  EXPECT_SQE(pipe_direct, (std::span(fds).first<2>(), 0x800, Slot{0}),
             wanted(62, {.addr = address(fds), .op_flags = 0x800, .file_index = 1}));
}
// clang-format on

// Either byte order, whichever we run on: on big endian the two halves change places, and nothing else.
TEST(Prep, PollMask) {
  EXPECT_EQ(uring::poll_mask_in_sqe(0x1234'5678, std::endian::little), 0x1234'5678u);
  EXPECT_EQ(uring::poll_mask_in_sqe(0x1234'5678, std::endian::big), 0x5678'1234u);
}

TEST(Prep, Halves) {
  EXPECT_EQ(uring::first_of_halves(0x8765, std::endian::little), 0x0000'8765u);
  EXPECT_EQ(uring::first_of_halves(0x8765, std::endian::big), 0x8765'0000u);
  EXPECT_EQ(uring::halves(0x8765'4321, 0x9abc'def0, std::endian::little), 0x9abc'def0'8765'4321u);
  EXPECT_EQ(uring::halves(0x8765'4321, 0x9abc'def0, std::endian::big), 0x8765'4321'9abc'def0u);
}

// What is done to a request after it was prepared writes whole fields, too.
TEST(Prep, ChangesAfterPreparing) {
  Sqe sqe = filled_with(0xff);
  uring::prep_send_zc(sqe, user_data, 5, bytes, 0x100, uring::RecvSend::report_usage);
  EXPECT_EQ(&uring::set_destination(sqe, &socket_address, 28), &sqe);
  EXPECT_EQ(sqe, wanted(47, {.ioprio = 8,
                             .fd = 5,
                             .off = address(&socket_address),
                             .addr = address(bytes),
                             .len = 7,
                             .op_flags = 0x100,
                             .file_index = 28}));
  sqe = filled_with(0xff);
  uring::set_target(sqe, Slot{6});
  EXPECT_EQ(sqe.file_index, 7u);
  sqe.flags = 4;
  uring::select_buffer(sqe, 0xabcd);
  EXPECT_EQ(sqe.flags, 4 | 32) << "the flags it had, and this one";
  EXPECT_EQ(sqe.buf_index, 0xabcd);
}

// A slot cannot be mistaken for a descriptor, a number, or the other way round.
static_assert(!std::is_convertible_v<int, Slot> && !std::is_convertible_v<Slot, int> &&
              !std::is_convertible_v<u32, Slot>);

TEST(Prep, SaysWhenThereIsNoRoom) {
  struct Full : uring::Operations<Full, Sqe> {
    Sqe* get_sqe() { return nullptr; }
  };
  EXPECT_EQ(Full().nop(1), uring::Error::submission_queue_full);
}

}  // namespace
