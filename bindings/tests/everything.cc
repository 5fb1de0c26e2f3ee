// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// One object that uses every public function of the binding. The test next to it (no_undefined_symbols.cmake)
// expects `nm --undefined-only` to print nothing: no libc, no libstdc++, no memcpy that a compiler slipped
// in.
#include <uring/uring.h>

using uring::u32;

// Every member, called below or not; with the operations, every prepare function.
template class uring::BasicRing<uring::LinuxKernel>;
template class uring::Operations<uring::Ring, uring::Sqe>;
template class uring::Registrations<uring::Ring>;
template class uring::Cancellation<uring::Ring>;
template class uring::BufferGroup<uring::Ring>;

// The same in every other shape.
template class uring::BasicRing<uring::LinuxKernel, uring::Sqe128>;
template class uring::BasicRing<uring::LinuxKernel, uring::Sqe, uring::Cqe32>;
template class uring::BasicRing<uring::LinuxKernel, uring::Sqe128, uring::Cqe32>;
template class uring::BasicRing<uring::LinuxKernel, uring::Sqe, uring::MixedCqes>;
template class uring::BasicRing<uring::LinuxKernel, uring::MixedSqes, uring::MixedCqes>;
template class uring::Operations<uring::Ring128x32, uring::Sqe128>;
template class uring::Operations<uring::MixedRing, uring::Sqe>;
template class uring::Cancellation<uring::Ring128x32>;
template class uring::Cancellation<uring::MixedRing>;
template class uring::BufferGroup<uring::Ring128x32>;
template class uring::BufferGroup<uring::MixedRing>;

// External linkage and unknown arguments, so that the optimiser cannot drop or precompute a call.
u32 use_large_entries(uring::Ring& ring, uring::Ring128x32& large, uring::MixedRing& mixed, uring::Cqe32& cqe,
                      const u32 (&words)[3], const uring::u64 (&longs)[10], const char (&chars)[77]) {
  u32 sum = ring.uring_cmd(1, 0, 2, words).ok() + large.uring_cmd(1, 0, 2, longs).ok();
  sum += large.uring_cmd(1, 0, 2, chars).ok() + large.uring_cmd(1, 0, 2).ok() + large.nop(1).ok();
  sum += large.copy_cqes(std::span<uring::Cqe32>(&cqe, 1), 1).value() + large.copy_cqe(cqe).ok();
  sum += large.for_each_cqe([&](const uring::Cqe32& seen) { sum += seen == cqe; });
  sum += mixed.uring_cmd128(1, 0, 2, longs).ok() + mixed.copy_cqe(cqe).ok();
  sum += mixed.for_each_cqe([&](const uring::Cqe32& seen) { sum += seen == cqe; });
  const auto visit = [&](const uring::Cqe32& seen) { sum += seen.flags; };
  sum += large.cancel_all(1, uring::Timespec{1, 0}, visit).ok();
  sum += mixed.cancel_all(1, uring::Timespec{1, 0}, visit).ok();
  if (large.reserve(1).ok()) sum += large.nop(1).link().fixed_file().ok();
  if (mixed.reserve(3).ok()) sum += mixed.nop128(1).link().drain().async().skip_success().ok();
  const uring::Sqe128& sqe = *large.get_sqe();
  return sum + (sqe == sqe);
}

u32 use_everything(std::span<std::byte> bytes, const ::iovec* iovecs, ::sockaddr* address, u32* size,
                   std::span<const uring::i32> fds, uring::Params& params, uring::Probe& probe,
                   uring::Cqe& cqe) {
  uring::Ring first;
  if (!first.init(8).ok() || !first.init_params(8, params).ok()) return 0;
  uring::Ring ring = std::move(first);
  first = std::move(ring);
  ring = std::move(first);

  u32 sum =
      static_cast<u32>(ring.fd()) + ring.flags() + ring.features() + ring.sq_entries() + ring.cq_entries();
  for (auto queued : {ring.nop(1),
                      ring.fsync(2, 0, uring::fsync_datasync),
                      ring.readv(3, 0, {iovecs, 1}, 0),
                      ring.writev(4, 0, {iovecs, 1}, uring::current_position),
                      ring.read(5, 0, bytes, 0),
                      ring.write(6, 0, bytes, 0),
                      ring.openat(7, 0, "x", 0, 0),
                      ring.close(8, 0),
                      ring.mkdirat(9, 0, "x", 0),
                      ring.accept(10, 0, address, size, 0),
                      ring.connect(11, 0, address, 0),
                      ring.send(12, 0, bytes, 0),
                      ring.recv(13, 0, bytes, 0),
                      ring.shutdown(14, 0, 0),
                      ring.socket(15, 0, 0, 0, 0),
                      ring.bind(16, 0, address, 0, 0),
                      ring.listen(17, 0, 0, 0),
                      ring.cmd_sock(18, 0, 0, 0, 0, 0, 0),
                      ring.setsockopt(19, 0, 0, 0, bytes),
                      ring.getsockopt(20, 0, 0, 0, bytes),
                      ring.waitid(21, 0, 0, nullptr, 0, 0)}) {
    if (queued.ok()) sum += static_cast<u32>(queued->user_data);
  }
  if (ring.reserve(2).ok() && ring.sq_space_left() > 1) {
    const uring::Queued queued = ring.send_zc(1, 0, bytes, 0).poll_first().link().hard_link().drain().async();
    sum += queued.fixed_file().skip_success().select_buffer(1).set_personality(1).ok();
    sum += queued.set_destination(address, 0).with([&](uring::Sqe& sqe) { sqe.ioprio = 1; }).ok();
  }
  u32 enter_flags = 0;
  sum += ring.sq_ring_needs_enter(enter_flags) + ring.flush_sq() + ring.sq_unflushed() + ring.sq_ready();
  sum += ring.submit().value() + ring.submit_and_wait(1).value() + ring.enter(0, 0, enter_flags).value();
  sum += ring.cq_ready() + ring.cq_overflow() + ring.sq_dropped() + ring.cq_ring_needs_flush();
  sum += ring.copy_cqes(std::span<uring::Cqe>(&cqe, 1), 1).value() + ring.copy_cqe(cqe).ok();
  sum += ring.for_each_cqe([&](const uring::Cqe& seen) { sum += seen.flags; });
  ring.cq_advance(1);
  sum += ring.register_files(fds).ok() + ring.unregister_files().ok() + ring.get_probe(probe).ok();
  sum += probe.is_supported(uring::Op::nop) + ring.indices().sqe_head + (ring.indices() == ring.indices());
  sum += is_errno(ring.submit().error()) + (ring.submit() == uring::Error::busy) + (cqe == cqe);
  const uring::Sqe& sqe = ring.nop(1).value();
  sum += sqe == sqe;

  uring::BufferGroup<uring::Ring> group, other;
  sum += group.init(ring, 1, bytes, 128).ok();
  other = std::move(group);
  sum += other.put(cqe).ok() + other.recv(1, 0, 0).ok();
  for (const std::byte byte : other.get(cqe).value()) sum += static_cast<u32>(byte);
  sum += group.recv_bundle(1, 0, 0).ok() + group.recv_multishot_bundle(1, 0, 0).ok();
  sum += group.recvmsg_multishot(1, 0, nullptr, 0).ok() + group.put_bundle(cqe).ok();
  sum += group.for_each_piece(cqe, [&](std::span<std::byte> piece) { sum += piece.empty(); }).ok();
  uring::ReceivedMessage message;
  sum += message.parse(bytes, 16, 0).ok() + message.flags() + message.payload_size();
  sum += message.name().empty() + message.control().empty() + message.payload().empty();
  sum += cqe.has_more() + cqe.is_notification() + cqe.was_copied() + (cqe.user_pointer<u32>() == size);
  cqe.user_data = uring::user_data_of(size);
  uring::SignalSet signals = uring::signal_set({1, 2});
  sum += ring.submit_and_wait(1, {.blocked_signals = &signals}).value();
  sum += ring.submit_and_wait_registered(1, 2).value();
  if (const auto made = uring::setup_buf_ring_mmap(ring, 8, 2); made.ok()) {
    uring::free_buf_ring(ring, *made, 8, 2);
  }
  if (const auto made = uring::setup_buf_ring(ring, 8, 2); made.ok()) {
    uring::buf_ring_init(*made);
    uring::buf_ring_add(*made, bytes, 0, uring::buf_ring_mask(8), 0);
    uring::buf_ring_advance(*made, 1);
    uring::free_buf_ring(ring, *made, 8, 2);
  }
  uring::QueryHdr question;
  uring::QueryOpcode answer;
  uring::zero(question);
  sum += uring::query(question).ok() + uring::query_abilities(answer).ok() + uring::send_msg_ring(sqe).ok();
  uring::ZeroCopyReceiver<uring::Ring32> receiver, successor;
  uring::Ring32 large_ring;
  uring::Cqe32 large_cqe;
  uring::zero(large_cqe);
  sum +=
      receiver.init(large_ring, bytes, {.interface_index = 1}).ok() + receiver.id() + receiver.buffer_size();
  successor = std::move(receiver);
  sum += successor.recv(1, 0).ok() + successor.put(large_cqe).ok() + successor.flush().ok();
  sum += successor.get(large_cqe).ok();
  uring::QueryScq headers;
  const uring::BpfInstruction allow[1] = {{6, 0, 0, 1}};
  sum += uring::query_ring_headers(headers).ok() + uring::restrict_task({}).ok();
  sum += uring::filter_task(uring::Op::nop, allow, 0, 0).ok();
  sum += ring.cancel_all(1, uring::Timespec{1, 0}, [&](const uring::Cqe& seen) { sum += seen.flags; }).ok();
  sum += cqe.buffer_id().value() + is_errno(cqe.error());
  const uring::ErrorText name = uring::name(cqe.error()), what = uring::what(ring.submit().error());
  sum += static_cast<u32>(name.c_str()[0]) + static_cast<u32>(what.c_str()[1]);
  ring.close();
  return sum;
}
