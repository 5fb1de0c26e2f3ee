// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The wire: what the kernel sees, in the words of the manual pages. These numbers and layouts are the suite's
// own and deliberately do not come from the binding under test: a binding with a wrong constant would agree
// with itself.
#ifndef CONFORMANCE_SEAM_WIRE_H
#define CONFORMANCE_SEAM_WIRE_H

#include <bit>
#include <cstdint>
#include <iosfwd>
#include <limits>
#include <string>

namespace conformance::wire {

// Opcodes (io_uring_enter(2)), with the release that brought them. SHUTDOWN, RENAMEAT and UNLINKAT are also
// in stable 5.10.162.
namespace op {
inline constexpr std::uint8_t nop = 0;                // 5.1
inline constexpr std::uint8_t readv = 1;              // 5.1
inline constexpr std::uint8_t writev = 2;             // 5.1
inline constexpr std::uint8_t fsync = 3;              // 5.1
inline constexpr std::uint8_t read_fixed = 4;         // 5.1
inline constexpr std::uint8_t write_fixed = 5;        // 5.1
inline constexpr std::uint8_t poll_add = 6;           // 5.1
inline constexpr std::uint8_t poll_remove = 7;        // 5.1
inline constexpr std::uint8_t sync_file_range = 8;    // 5.2
inline constexpr std::uint8_t sendmsg = 9;            // 5.3
inline constexpr std::uint8_t recvmsg = 10;           // 5.3
inline constexpr std::uint8_t timeout = 11;           // 5.4
inline constexpr std::uint8_t timeout_remove = 12;    // 5.5
inline constexpr std::uint8_t accept = 13;            // 5.5
inline constexpr std::uint8_t async_cancel = 14;      // 5.5
inline constexpr std::uint8_t link_timeout = 15;      // 5.5
inline constexpr std::uint8_t connect = 16;           // 5.5
inline constexpr std::uint8_t fallocate = 17;         // 5.6
inline constexpr std::uint8_t openat = 18;            // 5.6
inline constexpr std::uint8_t close = 19;             // 5.6
inline constexpr std::uint8_t files_update = 20;      // 5.6
inline constexpr std::uint8_t statx = 21;             // 5.6
inline constexpr std::uint8_t read = 22;              // 5.6
inline constexpr std::uint8_t write = 23;             // 5.6
inline constexpr std::uint8_t fadvise = 24;           // 5.6
inline constexpr std::uint8_t madvise = 25;           // 5.6
inline constexpr std::uint8_t send = 26;              // 5.6
inline constexpr std::uint8_t recv = 27;              // 5.6
inline constexpr std::uint8_t openat2 = 28;           // 5.6
inline constexpr std::uint8_t epoll_ctl = 29;         // 5.6
inline constexpr std::uint8_t splice = 30;            // 5.7
inline constexpr std::uint8_t provide_buffers = 31;   // 5.7
inline constexpr std::uint8_t remove_buffers = 32;    // 5.7
inline constexpr std::uint8_t tee = 33;               // 5.8
inline constexpr std::uint8_t shutdown = 34;          // 5.11
inline constexpr std::uint8_t renameat = 35;          // 5.11
inline constexpr std::uint8_t unlinkat = 36;          // 5.11
inline constexpr std::uint8_t mkdirat = 37;           // 5.15
inline constexpr std::uint8_t symlinkat = 38;         // 5.15
inline constexpr std::uint8_t linkat = 39;            // 5.15
inline constexpr std::uint8_t msg_ring = 40;          // 5.18
inline constexpr std::uint8_t fsetxattr = 41;         // 5.19
inline constexpr std::uint8_t setxattr = 42;          // 5.19
inline constexpr std::uint8_t fgetxattr = 43;         // 5.19
inline constexpr std::uint8_t getxattr = 44;          // 5.19
inline constexpr std::uint8_t socket = 45;            // 5.19
inline constexpr std::uint8_t uring_cmd = 46;         // 5.19
inline constexpr std::uint8_t send_zc = 47;           // 6.0
inline constexpr std::uint8_t sendmsg_zc = 48;        // 6.1
inline constexpr std::uint8_t read_multishot = 49;    // 6.7
inline constexpr std::uint8_t waitid = 50;            // 6.7
inline constexpr std::uint8_t futex_wait = 51;        // 6.7
inline constexpr std::uint8_t futex_wake = 52;        // 6.7
inline constexpr std::uint8_t futex_waitv = 53;       // 6.7
inline constexpr std::uint8_t fixed_fd_install = 54;  // 6.8
inline constexpr std::uint8_t ftruncate = 55;         // 6.9
inline constexpr std::uint8_t bind = 56;              // 6.11
inline constexpr std::uint8_t listen = 57;            // 6.11
inline constexpr std::uint8_t recv_zc = 58;           // 6.15
inline constexpr std::uint8_t epoll_wait = 59;        // 6.15
inline constexpr std::uint8_t readv_fixed = 60;       // 6.15
inline constexpr std::uint8_t writev_fixed = 61;      // 6.15
inline constexpr std::uint8_t pipe = 62;              // 6.16
inline constexpr std::uint8_t nop128 = 63;            // 6.19
inline constexpr std::uint8_t uring_cmd128 = 64;      // 6.19
// No kernel has it: opcodes are assigned in order, and Linux 7.3 is at 64. The last one that a probe can
// report.
inline constexpr std::uint8_t nobody = 254;
}  // namespace op

// A bit of Params::features, by which a ring says what its kernel can.
struct Feature {
  std::uint32_t bit;
  const char* name;
};
namespace feature {
inline constexpr Feature cur_personality{1u << 4, "CUR_PERSONALITY"};   // 5.6
inline constexpr Feature fast_poll{1u << 5, "FAST_POLL"};               // 5.7
inline constexpr Feature poll_32bits{1u << 6, "POLL_32BITS"};           // 5.9
inline constexpr Feature sqpoll_nonfixed{1u << 7, "SQPOLL_NONFIXED"};   // 5.11
inline constexpr Feature ext_arg{1u << 8, "EXT_ARG"};                   // 5.11
inline constexpr Feature native_workers{1u << 9, "NATIVE_WORKERS"};     // 5.12
inline constexpr Feature rsrc_tags{1u << 10, "RSRC_TAGS"};              // 5.13
inline constexpr Feature cqe_skip{1u << 11, "CQE_SKIP"};                // 5.17
inline constexpr Feature linked_file{1u << 12, "LINKED_FILE"};          // 5.18
inline constexpr Feature reg_reg_ring{1u << 13, "REG_REG_RING"};        // 6.3
inline constexpr Feature recvsend_bundle{1u << 14, "RECVSEND_BUNDLE"};  // 6.10
inline constexpr Feature min_timeout{1u << 15, "MIN_TIMEOUT"};          // 6.12
inline constexpr Feature rw_attr{1u << 16, "RW_ATTR"};                  // 6.14
}  // namespace feature

// Flags of io_uring_setup(2) that only kernels of a certain release on take.
struct SetupFlags {
  std::uint32_t bits;
  const char* name;
};

// The number of questions that only kernels of a certain release on answer with IORING_REGISTER_QUERY.
struct Queries {
  std::uint32_t count;
  const char* name;
};

// "MKDIRAT" for 37; "opcode 200" for one the suite does not use.
std::string op_name(std::uint8_t opcode);

// Sqe::flags.
inline constexpr std::uint8_t fixed_file = 1, io_drain = 2, io_link = 4;  // 5.1, 5.2, 5.3
inline constexpr std::uint8_t io_hardlink = 8, io_async = 16;             // 5.5, 5.6
inline constexpr std::uint8_t buffer_select = 32, cqe_skip_success = 64;  // 5.7, 5.17

// Sqe::op_flags of a NOP.
inline constexpr std::uint32_t nop_inject_result = 1;                                   // 6.10
inline constexpr std::uint32_t nop_file = 2, nop_fixed_file = 4, nop_fixed_buffer = 8;  // 6.13
inline constexpr std::uint32_t nop_tw = 16, nop_cqe32 = 32;                             // 6.17, 6.18
inline constexpr std::uint32_t nop_nobody = 1u << 31;  // no kernel has it; 7.3 is at 32

// Sqe::ioprio of an accept.
inline constexpr std::uint16_t accept_multishot = 1;                        // 5.19
inline constexpr std::uint16_t accept_dontwait = 2, accept_poll_first = 4;  // 6.10

// Sqe::ioprio of a send and of a receive.
inline constexpr std::uint16_t recvsend_poll_first = 1;                     // 5.19
inline constexpr std::uint16_t recv_multishot = 2, recvsend_fixed_buf = 4;  // 6.0
inline constexpr std::uint16_t send_zc_report_usage = 8;                    // 6.2
inline constexpr std::uint16_t recvsend_bundle = 16;                        // 6.10
inline constexpr std::uint16_t send_vectorized = 32;                        // 6.17
inline constexpr std::uint16_t recvsend_nobody = 0x8000;                    // no kernel has it; 7.3 is at 32

// Sqe::len of a poll: how it is armed, and what a POLL_REMOVE changes instead of removing.
inline constexpr std::uint32_t poll_add_multi = 1, poll_update_events = 2, poll_update_user_data = 4;  // 5.13
inline constexpr std::uint32_t poll_add_level = 8;  // 6.0 in the header; no kernel accepts it

// Sqe::op_flags of a poll: POLL* as poll(2) has them. Once it was 16 bits wide: on a big-endian machine the
// halves are exchanged, so that the old one stays where it was.
constexpr std::uint32_t poll_mask(std::uint32_t events) {
  return std::endian::native == std::endian::little ? events : events << 16 | events >> 16;
}

// Sqe::op_flags of a timeout, and of a TIMEOUT_REMOVE that changes one.
inline constexpr std::uint32_t timeout_abs = 1, timeout_update = 2;         // 5.5, 5.11
inline constexpr std::uint32_t timeout_boottime = 4, timeout_realtime = 8;  // 5.15
inline constexpr std::uint32_t link_timeout_update = 16;                    // 5.15
inline constexpr std::uint32_t timeout_etime_success = 32;                  // 5.16
inline constexpr std::uint32_t timeout_multishot = 64;                      // 6.4
inline constexpr std::uint32_t timeout_immediate_arg = 128;                 // 7.1

// Sqe::op_flags of an ASYNC_CANCEL.
inline constexpr std::uint32_t cancel_all = 1, cancel_fd = 2, cancel_any = 4;  // 5.19
inline constexpr std::uint32_t cancel_fd_fixed = 8;                            // 6.0
inline constexpr std::uint32_t cancel_userdata = 16, cancel_op = 32;           // 6.6

// Sqe::file_index: the kernel chooses a slot (5.19). Otherwise it is the slot + 1 (5.15).
inline constexpr std::uint32_t file_index_alloc = ~0u;

// Sqe::op_flags of a SPLICE and a TEE: the input is a slot.
inline constexpr std::uint32_t splice_f_fd_in_fixed = 1u << 31;  // 5.7

// Sqe::op_flags of an FSYNC.
inline constexpr std::uint32_t fsync_datasync = 1;  // 5.1

// Sqe::op_flags of a FIXED_FD_INSTALL.
inline constexpr std::uint32_t fixed_fd_no_cloexec = 1;  // 6.8

// Sqe::addr of a MSG_RING: its command. Sqe::op_flags: what else.
inline constexpr std::uint64_t msg_data = 0, msg_send_fd = 1;                        // 5.18, 6.0
inline constexpr std::uint32_t msg_ring_cqe_skip = 1, msg_ring_flags_pass = 1 << 1;  // 6.0, 6.3

// Cqe::flags. With cqe_buffer the upper 16 bits are the id of a buffer.
inline constexpr std::uint32_t cqe_buffer = 1;         // 5.7
inline constexpr std::uint32_t cqe_more = 2;           // 5.13
inline constexpr std::uint32_t cqe_sock_nonempty = 4;  // 5.19
inline constexpr std::uint32_t cqe_notif = 8;          // 6.0
inline constexpr std::uint32_t cqe_buf_more = 16;      // 6.12
inline constexpr std::uint32_t cqe_skip = 32;          // 6.18
inline constexpr std::uint32_t cqe_32 = 1u << 15;      // 6.18

// The same of a transmit timestamp: which kind it is (SCM_TSTAMP_SND is 0), and whether hardware made it.
inline constexpr std::uint32_t cqe_tstamp_hw = 1u << 16;  // 6.17
inline constexpr unsigned timestamp_type_shift = 17;      // 6.17

// Cqe::res of the notification of a zero-copy send with send_zc_report_usage: it was copied after all.
inline constexpr std::int32_t notif_usage_zc_copied = std::numeric_limits<std::int32_t>::min();  // 6.2

// Commands of a URING_CMD on a socket, in the first half of Sqe::off.
inline constexpr std::uint32_t socket_op_siocinq = 0, socket_op_siocoutq = 1;          // 6.7
inline constexpr std::uint64_t socket_op_getsockopt = 2, socket_op_setsockopt = 3;     // 6.7
inline constexpr std::uint32_t socket_op_tx_timestamp = 4, socket_op_getsockname = 5;  // 6.17, 6.19
inline constexpr std::uint32_t socket_op_nobody = 0x7fff;  // no kernel has it; 7.3 is at 5

// Two 32-bit fields of the kernel's where Sqe has one of 64 bits (off, addr).
constexpr std::uint64_t halves(std::uint32_t first, std::uint32_t second) {
  return std::endian::native == std::endian::little ? std::uint64_t{second} << 32 | first
                                                    : std::uint64_t{first} << 32 | second;
}

// Params::features.
inline constexpr std::uint32_t feat_single_mmap = 1u << 0;    // 5.4
inline constexpr std::uint32_t feat_nodrop = 1u << 1;         // 5.5
inline constexpr std::uint32_t feat_submit_stable = 1u << 2;  // 5.5
inline constexpr std::uint32_t feat_fast_poll = 1u << 5;      // 5.7

// The 64 bytes of a submission queue entry. Where the kernel's header has a union, the name is that of its
// first member.
struct Sqe {
  std::uint8_t opcode = 0;
  std::uint8_t flags = 0;
  std::uint16_t ioprio = 0;
  std::int32_t fd = 0;
  std::uint64_t off = 0;
  std::uint64_t addr = 0;
  std::uint32_t len = 0;
  std::uint32_t op_flags = 0;
  std::uint64_t user_data = 0;
  std::uint16_t buf_index = 0;
  std::uint16_t personality = 0;
  std::uint32_t file_index = 0;
  std::uint64_t addr3 = 0;
  std::uint64_t pad2 = 0;

  friend bool operator==(const Sqe&, const Sqe&) = default;
};
static_assert(sizeof(Sqe) == 64);

// A request that only kernels of a certain release on do not refuse with EINVAL, and that has no effect.
struct Request {
  Sqe sqe;
  const char* name;
};

// The 16 bytes of a completion queue entry.
struct Cqe {
  std::uint64_t user_data = 0;
  std::int32_t res = 0;
  std::uint32_t flags = 0;

  friend bool operator==(const Cqe&, const Cqe&) = default;
};
static_assert(sizeof(Cqe) == 16);

// And of a large one.
struct Cqe32 {
  Cqe cqe = {};
  std::uint64_t extra1 = 0, extra2 = 0;

  friend bool operator==(const Cqe32&, const Cqe32&) = default;
};
static_assert(sizeof(Cqe32) == 32);

// How failures and the wire log show them: Sqe{.opcode=NOP, .user_data=0xaaaaaaaa}, all fields that are not
// zero; Cqe{.user_data=0xaaaaaaaa, .res=-22 EINVAL, .flags=0}, all three.
std::string to_string(const Sqe& sqe);
std::string to_string(const Cqe& cqe);
void PrintTo(const Sqe& sqe, std::ostream* out);
void PrintTo(const Cqe& cqe, std::ostream* out);
void PrintTo(const Cqe32& cqe, std::ostream* out);

// "-22 EINVAL" for an error, "128" for a value.
std::string result_text(long res);

// An address as an SQE carries it.
inline std::uint64_t address(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

}  // namespace conformance::wire

#endif
