// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Requests on sockets. See prep.h for what holds for all of them.
#ifndef URING_PREP_SOCKET_H
#define URING_PREP_SOCKET_H

#include <bit>
#include <cstddef>
#include <span>

#include "prep_rw.h"

/// The C library's types of the same names; here only their addresses matter.
struct msghdr;
struct sockaddr;

namespace uring {

// --- making connections ------------------------------------------------------------------------------------

/// socket(2). flags must be 0. Completes with the new descriptor. Since Linux 5.19.
inline Sqe& prep_socket(Sqe& sqe, u64 user_data, u32 domain, u32 type, u32 protocol, u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::socket, static_cast<i32>(domain), 0, protocol, type);
  sqe.op_flags = flags;
  return sqe;
}

/// socket(2) into a slot of the registered table: completes with 0. -EINVAL with SOCK_CLOEXEC in type. Since
/// Linux 5.19.
inline Sqe& prep_socket_direct(Sqe& sqe, u64 user_data, u32 domain, u32 type, u32 protocol, u32 flags,
                               Slot slot) noexcept {
  prep_socket(sqe, user_data, domain, type, protocol, flags);
  set_target(sqe, slot);
  return sqe;
}

/// socket(2) into any free slot: completes with the slot; -ENFILE when none is free. Since Linux 5.19.
inline Sqe& prep_socket_direct_alloc(Sqe& sqe, u64 user_data, u32 domain, u32 type, u32 protocol,
                                     u32 flags) noexcept {
  return prep_socket_direct(sqe, user_data, domain, type, protocol, flags, file_index_alloc);
}

/// bind(2). flags must be 0. Since Linux 6.11.
inline Sqe& prep_bind(Sqe& sqe, u64 user_data, i32 fd, const ::sockaddr* address, u32 address_size,
                      u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::bind, fd, address_of(address), 0, address_size);
  sqe.op_flags = flags;
  return sqe;
}

/// listen(2). flags must be 0. Since Linux 6.11.
inline Sqe& prep_listen(Sqe& sqe, u64 user_data, i32 fd, u32 backlog, u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::listen, fd, 0, backlog, 0);
  sqe.op_flags = flags;
  return sqe;
}

/// accept4(2); address and address_size may be null. Completes with the new descriptor. Since Linux 5.5.
inline Sqe& prep_accept(Sqe& sqe, u64 user_data, i32 fd, ::sockaddr* address, u32* address_size,
                        u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::accept, fd, address_of(address), 0, address_of(address_size));
  sqe.op_flags = flags;
  return sqe;
}

/// Accepts repeatedly, with a CQE for each connection; the last CQE comes without cqe_f_more. The address, if
/// asked for, is overwritten by each. Since Linux 5.19.
inline Sqe& prep_accept_multishot(Sqe& sqe, u64 user_data, i32 fd, ::sockaddr* address, u32* address_size,
                                  u32 flags) noexcept {
  prep_accept(sqe, user_data, fd, address, address_size, flags);
  sqe.ioprio = accept_multishot;
  return sqe;
}

/// accept4(2) into a slot of the registered table: completes with 0, or with the slot for file_index_alloc
/// (5.19); -ENFILE when none is free. Kernels before 5.15 may return an ordinary descriptor. Since
/// Linux 5.15.
inline Sqe& prep_accept_direct(Sqe& sqe, u64 user_data, i32 fd, ::sockaddr* address, u32* address_size,
                               u32 flags, Slot slot) noexcept {
  prep_accept(sqe, user_data, fd, address, address_size, flags);
  set_target(sqe, slot);
  return sqe;
}

/// Both: each connection goes into a slot that the kernel chooses, and each CQE says which. Since Linux 5.19.
inline Sqe& prep_accept_multishot_direct(Sqe& sqe, u64 user_data, i32 fd, ::sockaddr* address,
                                         u32* address_size, u32 flags) noexcept {
  prep_accept_multishot(sqe, user_data, fd, address, address_size, flags);
  set_target(sqe, file_index_alloc);
  return sqe;
}

/// connect(2). The size of the address is passed by value, in off. Since Linux 5.5.
inline Sqe& prep_connect(Sqe& sqe, u64 user_data, i32 fd, const ::sockaddr* address,
                         u32 address_size) noexcept {
  return prep_rw(sqe, user_data, Op::connect, fd, address_of(address), 0, address_size);
}

/// shutdown(2). Since Linux 5.11 and 5.10.162.
inline Sqe& prep_shutdown(Sqe& sqe, u64 user_data, i32 fd, u32 how) noexcept {
  return prep_rw(sqe, user_data, Op::shutdown, fd, 0, how, 0);
}

// --- sending -----------------------------------------------------------------------------------------------
// Completes with the number of bytes: at most 2 GiB less a page at once (max_transfer), as send(2) does.
// flags are MSG_*; 5.12 and 5.10.162 imply MSG_NOSIGNAL.

/// send(2). Since Linux 5.6.
inline Sqe& prep_send(Sqe& sqe, u64 user_data, i32 fd, std::span<const std::byte> data, u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::send, fd, address_of(data.data()), transfer_length(data.size()), 0);
  sqe.op_flags = flags;
  return sqe;
}

/// A 16-bit field that is the first half of our 32-bit one, or a 32-bit field and the one that follows it in
/// our 64-bit one, whichever byte order they are in.
constexpr u32 first_of_halves(u16 first, std::endian order = std::endian::native) noexcept {
  return order == std::endian::little ? first : u32{first} << 16;
}

/// The same of two 32-bit fields.
constexpr u64 halves(u32 first, u32 second, std::endian order = std::endian::native) noexcept {
  return order == std::endian::little ? u64{second} << 32 | first : u64{first} << 32 | second;
}

/// Names the destination of a prepared SEND (6.1) or SEND_ZC (6.0). An address of over 128 bytes is -EINVAL,
/// also one whose size does not fit into the 16 bits of the SQE.
inline Sqe& set_destination(Sqe& sqe, const ::sockaddr* address, u32 address_size) noexcept {
  sqe.off = address_of(address);
  sqe.file_index =
      first_of_halves(address_size < 0xffff ? static_cast<u16>(address_size) : 0xffff);  // addr_len
  return sqe;
}

/// sendto(2). Since Linux 6.1.
inline Sqe& prep_sendto(Sqe& sqe, u64 user_data, i32 fd, std::span<const std::byte> data, u32 flags,
                        const ::sockaddr* address, u32 address_size) noexcept {
  prep_send(sqe, user_data, fd, data, flags);
  return set_destination(sqe, address, address_size);
}

/// send(2) of several buffers of `group` at once, in the order the group hands them out, at most `bytes` of
/// them (0: all). The CQE names the first; the others follow it in the ring. Since Linux 6.10
/// (feat_recvsend_bundle).
inline Sqe& prep_send_bundle(Sqe& sqe, u64 user_data, i32 fd, u16 group, u64 bytes, u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::send, fd, 0, transfer_length(bytes), 0);
  sqe.ioprio = static_cast<u16>(RecvSend::bundle);
  sqe.op_flags = flags;
  select_buffer(sqe, group);
  return sqe;
}

/// send(2) without a copy. There are two CQEs: the result, with cqe_f_more, and a second one with cqe_f_notif
/// when the data may be overwritten. After an error there may be no second one: look at cqe_f_more. zc_flags:
/// poll_first, report_usage. Since Linux 6.0.
inline Sqe& prep_send_zc(Sqe& sqe, u64 user_data, i32 fd, std::span<const std::byte> data, u32 flags,
                         RecvSend zc_flags = {}) noexcept {
  prep_rw(sqe, user_data, Op::send_zc, fd, address_of(data.data()), transfer_length(data.size()), 0);
  sqe.ioprio = static_cast<u16>(zc_flags);
  sqe.op_flags = flags;
  return sqe;
}

/// The same from a registered buffer, of which `data` is a part. Since Linux 6.0.
inline Sqe& prep_send_zc_fixed(Sqe& sqe, u64 user_data, i32 fd, std::span<const std::byte> data, u32 flags,
                               RecvSend zc_flags, u16 buf_index) noexcept {
  prep_send_zc(sqe, user_data, fd, data, flags, zc_flags | RecvSend::fixed_buf);
  sqe.buf_index = buf_index;
  return sqe;
}

/// sendmsg(2). Since Linux 5.3.
inline Sqe& prep_sendmsg(Sqe& sqe, u64 user_data, i32 fd, const ::msghdr* message, u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::sendmsg, fd, address_of(message), 1, 0);
  sqe.op_flags = flags;
  return sqe;
}

/// sendmsg(2) without a copy; CQEs as for prep_send_zc. Since Linux 6.1.
inline Sqe& prep_sendmsg_zc(Sqe& sqe, u64 user_data, i32 fd, const ::msghdr* message, u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::sendmsg_zc, fd, address_of(message), 1, 0);
  sqe.op_flags = flags;
  return sqe;
}

/// The same from a registered buffer, of which the message's iovecs name parts. Since Linux 6.15.
inline Sqe& prep_sendmsg_zc_fixed(Sqe& sqe, u64 user_data, i32 fd, const ::msghdr* message, u32 flags,
                                  u16 buf_index) noexcept {
  prep_sendmsg_zc(sqe, user_data, fd, message, flags);
  sqe.ioprio = static_cast<u16>(RecvSend::fixed_buf);
  sqe.buf_index = buf_index;
  return sqe;
}

// --- receiving ---------------------------------------------------------------------------------------------
// Completes with the number of bytes, at most max_transfer, 0 when the peer has closed. From 5.19 on
// Cqe::flags says cqe_f_sock_nonempty when more data is waiting. "_select": into a buffer of a group;
// Cqe::buffer_id() says which; -ENOBUFS means that there was none.

/// recv(2). Since Linux 5.6.
inline Sqe& prep_recv(Sqe& sqe, u64 user_data, i32 fd, std::span<std::byte> buffer, u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::recv, fd, address_of(buffer.data()), transfer_length(buffer.size()), 0);
  sqe.op_flags = flags;
  return sqe;
}

/// recv(2) of at most `bytes`. 0 means as much as the buffer holds (6.0; earlier kernels receive nothing).
/// Since Linux 5.7.
inline Sqe& prep_recv_select(Sqe& sqe, u64 user_data, i32 fd, u16 group, u64 bytes, u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::recv, fd, 0, transfer_length(bytes), 0);
  sqe.op_flags = flags;
  select_buffer(sqe, group);
  return sqe;
}

/// Receives repeatedly, each time into another buffer of the group and with a CQE; the last CQE comes without
/// cqe_f_more. Since Linux 6.0.
inline Sqe& prep_recv_multishot(Sqe& sqe, u64 user_data, i32 fd, u16 group, u32 flags) noexcept {
  prep_recv_select(sqe, user_data, fd, group, 0, flags);
  sqe.ioprio = static_cast<u16>(RecvSend::multishot);
  return sqe;
}

/// recv(2) into as many buffers of the group as there is data for, at most `bytes` (0: no limit). The CQE
/// names the first; the others follow it in the ring: see BufferGroup::for_each_piece. Since Linux 6.10
/// (feat_recvsend_bundle).
inline Sqe& prep_recv_bundle(Sqe& sqe, u64 user_data, i32 fd, u16 group, u64 bytes, u32 flags) noexcept {
  prep_recv_select(sqe, user_data, fd, group, bytes, flags);
  sqe.ioprio = static_cast<u16>(RecvSend::bundle);
  return sqe;
}

/// The same repeatedly, each time with as much as there is; the last CQE comes without cqe_f_more. Since
/// Linux 6.10.
inline Sqe& prep_recv_multishot_bundle(Sqe& sqe, u64 user_data, i32 fd, u16 group, u32 flags) noexcept {
  prep_recv_multishot(sqe, user_data, fd, group, flags);
  sqe.ioprio = static_cast<u16>(RecvSend::multishot | RecvSend::bundle);
  return sqe;
}

/// Zero-copy receive from a socket whose data arrives in the memory of this ZeroCopyReceiver: repeatedly,
/// each time with a CQE that says where; at most `bytes` in all (0: no limit). The last CQE comes without
/// cqe_f_more. Since Linux 6.15.
inline Sqe& prep_recv_zc(Sqe& sqe, u64 user_data, i32 fd, u32 zcrx_id, u32 bytes) noexcept {
  prep_rw(sqe, user_data, Op::recv_zc, fd, 0, bytes, 0);
  sqe.ioprio = static_cast<u16>(RecvSend::multishot);
  sqe.file_index = zcrx_id;
  return sqe;
}

/// recvmsg(2). Since Linux 5.3.
inline Sqe& prep_recvmsg(Sqe& sqe, u64 user_data, i32 fd, ::msghdr* message, u32 flags) noexcept {
  prep_rw(sqe, user_data, Op::recvmsg, fd, address_of(message), 1, 0);
  sqe.op_flags = flags;
  return sqe;
}

/// Repeated recvmsg(2). Of the message only msg_namelen and msg_controllen are used: how much room to leave
/// for each in the buffer, between the RecvmsgOut that it starts with and the payload. Since Linux 6.0.
inline Sqe& prep_recvmsg_multishot(Sqe& sqe, u64 user_data, i32 fd, ::msghdr* message, u16 group,
                                   u32 flags) noexcept {
  prep_recvmsg(sqe, user_data, fd, message, flags);
  sqe.ioprio = static_cast<u16>(RecvSend::multishot);
  select_buffer(sqe, group);
  return sqe;
}

// --- options -----------------------------------------------------------------------------------------------

/// A command to a socket, socket_op_*. The value must stay valid until the CQE has come. Since Linux 6.7 for
/// the two socket option commands.
inline Sqe& prep_cmd_sock(Sqe& sqe, u64 user_data, u32 command, i32 fd, u32 level, u32 option, u64 value,
                          u32 value_size) noexcept {
  // addr is the level and the option; off is cmd_op and 32 bits that must be 0.
  prep_rw(sqe, user_data, Op::uring_cmd, fd, halves(level, option), 0, halves(command, 0));
  sqe.file_index = value_size;
  sqe.addr3 = value;
  return sqe;
}

/// setsockopt(2). Completes with 0. -EINVAL: over 2^31 - 1 bytes. Since Linux 6.7.
inline Sqe& prep_setsockopt(Sqe& sqe, u64 user_data, i32 fd, u32 level, u32 option,
                            std::span<const std::byte> value) noexcept {
  return prep_cmd_sock(sqe, user_data, socket_op_setsockopt, fd, level, option, address_of(value.data()),
                       saturated(value.size()));
}

/// getsockopt(2), for options of SOL_SOCKET. Completes with the size of the option. -EINVAL: over 2^31 - 1
/// bytes. Since Linux 6.7.
inline Sqe& prep_getsockopt(Sqe& sqe, u64 user_data, i32 fd, u32 level, u32 option,
                            std::span<std::byte> value) noexcept {
  return prep_cmd_sock(sqe, user_data, socket_op_getsockopt, fd, level, option, address_of(value.data()),
                       saturated(value.size()));
}

}  // namespace uring

#endif
