// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// polled I/O: with IORING_SETUP_IOPOLL a drive raises no interrupt; its requests complete when the program
// asks for them, and not before. For drives that are faster than an interrupt.
//
// Needs IORING_SETUP_IOPOLL (5.1, io_uring_setup(2)), and an NVMe drive with a queue for it
// (nvme.poll_queues). The tests open the ring anew, with this flag and those that they name.

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "fixture/memory_limit.h"
#include "fixture/polled_ring.h"
#include "fixture/sockets.h"
#include "seam/device_abi.h"
#include "seam/kernel_abi.h"
#include "seam/ring_abi.h"

namespace {

using namespace conformance;

constexpr unsigned deferred = wire::setup_iopoll | wire::setup_single_issuer | wire::setup_defer_taskrun;

class Iopoll : public PolledRingTest {
 protected:
  static constexpr std::uint64_t offset = 1 << 20;
};

TEST_F(Iopoll, CompletesWhenAsked) {
  reopen(wire::setup_iopoll);
  expect_written_and_read('a', offset);
}

// The same where completions wait for the task as well: since 6.1 there are such rings.
TEST_F(Iopoll, CompletesWhenAskedWithDeferredTaskWork) {
  if (!kernel_has(wire::op::sendmsg_zc)) return expect_no_ring(deferred);
  reopen(deferred);
  expect_written_and_read('b', offset);
}

// In two pieces, and in registered memory.
TEST_F(Iopoll, HasEveryKindOfReadAndWrite) {
  reopen(wire::setup_iopoll);
  DirectPage text = page_of('c');
  const std::array<iovec, 2> from{iovec{text.data(), 1024}, iovec{text.data() + 1024, 3072}};
  const std::array<iovec, 2> to{iovec{buffer.data() + 1024, 3072}, iovec{buffer.data(), 1024}};
  EXPECT_EQ(wire_of(must(ring.writev(1, file.get(), from, offset))),
            wanted(wire::op::writev, 1, from.data(), 2, offset));
  submit_unasked(ring, 1);
  EXPECT_EQ(ask_for_one(), done(1, page));
  EXPECT_EQ(drive.read(offset), text);
  EXPECT_EQ(wire_of(must(ring.readv(2, file.get(), to, offset))),
            wanted(wire::op::readv, 2, to.data(), 2, offset));
  submit_unasked(ring, 1);
  EXPECT_EQ(ask_for_one(), done(2, page));
  EXPECT_EQ(buffer, text);

  text = page_of('d');
  const std::array<iovec, 2> buffers{iovec{text.data(), text.size()}, iovec{buffer.data(), buffer.size()}};
  must(when_there_is_room([&] { return ring.register_buffers(buffers); }));
  EXPECT_EQ(wire_of(must(ring.write_fixed(3, file.get(), std::as_bytes(std::span(text)), offset, 0))),
            wanted(wire::op::write_fixed, 3, text.data(), page, offset, 0));
  submit_unasked(ring, 1);
  EXPECT_EQ(ask_for_one(), done(3, page));
  EXPECT_EQ(drive.read(offset), text);
  EXPECT_EQ(
      wire_of(must(ring.read_fixed(4, file.get(), std::as_writable_bytes(std::span(buffer)), offset, 1))),
      wanted(wire::op::read_fixed, 4, buffer.data(), page, offset, 1));
  submit_unasked(ring, 1);
  EXPECT_EQ(ask_for_one(), done(4, page));
  EXPECT_EQ(buffer, text);
}

// One call brings as many as it asks for, unless another task wants the processor meanwhile: then another
// try.
TEST_F(Iopoll, BringsAllThatAreAskedFor) {
  reopen(wire::setup_iopoll);
  drive.write(page_of('e'), offset);
  drive.write(page_of('f'), offset + page);
  DirectPage other{};
  bool both = false;
  for (int tries = 0; !both && tries < 10; ++tries) {
    buffer = other = {};
    must(ring.read(1, file.get(), buffer, offset));
    must(ring.read(2, file.get(), other, offset + page));
    submit_unasked(ring, 2);
    EXPECT_EQ(must(ring.enter(0, 2, wire::enter_getevents)), 0u);
    both = ring.cq_ready() == 2;
    EXPECT_EQ(wait_cqes(2), (Cqes{done(1, page), done(2, page)}));
    EXPECT_EQ(buffer, page_of('e'));
    EXPECT_EQ(other, page_of('f'));
  }
  EXPECT_TRUE(both) << "ten times no call brought both";
}

// Who asks for none gets what is done; 50 ms have passed then.
TEST_F(Iopoll, BringsWhatIsDoneToWhoWaitsForNone) {
  reopen(wire::setup_iopoll);
  must(ring.read(1, file.get(), buffer, offset));
  submit_unasked(ring, 1);
  while (ring.cq_ready() == 0) EXPECT_EQ(must(ring.enter(0, 0, wire::enter_getevents)), 0u);
  EXPECT_EQ(wait_cqe(), done(1, page));
}

// While there are CQEs in the queue the drive is not asked: a program takes them first. (FSYNC is refused.)
TEST_F(Iopoll, AsksOnlyWhenTheQueueIsEmpty) {
  reopen(wire::setup_iopoll);
  must(ring.read(1, file.get(), buffer, offset));
  must(ring.fsync(2, file.get(), 0));
  submit_unasked(ring, 2, 1);
  EXPECT_EQ(must(ring.enter(0, 1, wire::enter_getevents)), 0u);
  EXPECT_EQ(ring.cq_ready(), 1u);
  EXPECT_EQ(wait_cqe(), done(2, -EINVAL));
  EXPECT_EQ(ask_for_one(), done(1, page));
}

// Only files that can be asked: not the page cache of the same drive, and no device of another kind.
TEST_F(Iopoll, RefusesFilesThatCannotBePolled) {
  reopen(wire::setup_iopoll);
  drive.write(page_of('g'), offset);
  const Fd buffered = drive.open_block(O_RDWR), zero = open_file("/dev/zero", O_RDWR);
  const DirectPage text = page_of('h');
  for (const int fd : {buffered.get(), zero.get()}) {
    must(ring.read(1, fd, buffer, offset));
    EXPECT_EQ(complete(), done(1, -EOPNOTSUPP));
    must(ring.write(2, fd, text, offset));
    EXPECT_EQ(complete(), done(2, -EOPNOTSUPP));
  }
  EXPECT_EQ(buffer, DirectPage{});
  EXPECT_EQ(drive.read(offset), page_of('g'));
}

// And nothing but reads and writes.
TEST_F(Iopoll, RefusesOtherOperations) {
  reopen(wire::setup_iopoll);
  const SocketPair sockets;
  const int socket = sockets.ours.get();
  const std::uint64_t text = wire::address("text"), memory = wire::address(buffer.data());
  const wire::Timespec second{1, 0};
  for (const wire::Sqe& sqe : {
           wire::Sqe{.opcode = wire::op::fsync, .fd = file.get(), .user_data = 1},
           wire::Sqe{.opcode = wire::op::send, .fd = socket, .addr = text, .len = 4, .user_data = 1},
           wire::Sqe{.opcode = wire::op::recv, .fd = socket, .addr = memory, .len = 4, .user_data = 1},
           wire::Sqe{
               .opcode = wire::op::poll_add, .fd = socket, .op_flags = wire::poll_mask(1), .user_data = 1},
           wire::Sqe{.opcode = wire::op::timeout,
           .fd = -1,
           .addr = wire::address(&second),
           .len = 1,
           .user_data = 1},
           wire::Sqe{.opcode = wire::op::openat, .fd = AT_FDCWD, .addr = text, .user_data = 1},
       }) {
    EXPECT_EQ(complete(sqe), done(1, -EINVAL)) << wire::op_name(sqe.opcode);
  }
  char byte;
  EXPECT_EQ(recv(sockets.peer.get(), &byte, 1, MSG_DONTWAIT), -1) << "something was sent";
}

// A NOP needs no file. (Between 5.10 and 6.1 they changed their mind.)
TEST_F(Iopoll, CompletesANopAtOnce) {
  const bool must_have_it = kernel_has(wire::op::sendmsg_zc);  // 6.1
  reopen(wire::setup_iopoll);
  must(ring.nop(1));
  submit_unasked(ring, 1, 1);
  const wire::Cqe cqe = wait_cqe();
  if (must_have_it) {
    EXPECT_EQ(cqe, done(1, 0));
  } else {
    expect_one_of(Site::here(), "the CQE of a NOP", cqe, {done(1, 0), done(1, -EINVAL)});
  }
}

// RWF_HIPRI asks for the same of one read, and is nothing to any other ring.
TEST_F(Iopoll, IsWhatHighPriorityNeeds) {
  wire::Sqe read = wanted(wire::op::read, 1, buffer.data(), page, offset);
  read.op_flags = RWF_HIPRI;
  reopen(0);
  EXPECT_EQ(complete(read), done(1, -EINVAL));
  reopen(wire::setup_iopoll);
  EXPECT_EQ(complete(read), done(1, page));
}

// Who polls the drive does not poll the network as well (6.9; before, nobody does).
TEST_F(Iopoll, RefusesToPollTheNetwork) {
  std::array<std::uint32_t, 4> napi{};  // struct io_uring_napi: for 0 microseconds
  reopen(0);
  expect_one_of<long>(Site::here(), "REGISTER_NAPI on another ring",
                      do_register(wire::register_op::napi, napi.data(), 1), {0, -EINVAL});
  reopen(wire::setup_iopoll);
  EXPECT_EQ(do_register(wire::register_op::napi, napi.data(), 1), -EINVAL);
}

}  // namespace
