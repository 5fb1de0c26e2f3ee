// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// NVMe passthrough: a program gives the drive its own commands, without the block layer between. A command
// has 64 bytes and its result 8, so the ring has SQEs of 128 bytes and CQEs of 32.
//
// Needs URING_CMD with NVME_URING_CMD_IO (5.19, linux/nvme_ioctl.h), and a drive that is /dev/ng0n1 as well.
// Before, the opcode is refused. The tests open rings of their own, with the flags that they name.

#include <fcntl.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "fixture/large_entries.h"
#include "fixture/memory_limit.h"
#include "fixture/nvme_drive.h"
#include "fixture/polled_ring.h"
#include "seam/device_abi.h"
#include "seam/kernel_abi.h"

namespace {

using namespace conformance;

using Command = wire::NvmeUringCmd;
using Halves = std::array<wire::Sqe, 2>;

class NvmePassthrough : public PolledRingTest {
 protected:
  static constexpr std::uint64_t offset = 3 << 20;
  static constexpr std::uint32_t lba = offset / NvmeDrive::block;
  using Large = LargeRing<binding::Ring128x32>;

  // The first block of the page, into or from `memory`.
  static Command command(std::uint8_t opcode, const DirectPage& memory, std::uint32_t first = lba) {
    return {.opcode = opcode,
            .nsid = NvmeDrive::nsid,
            .addr = wire::address(memory.data()),
            .data_len = NvmeDrive::block,
            .cdw10 = first};
  }
  // The 128 bytes of its SQE: the command begins 16 bytes before the end of the first half.
  struct Encoded {
    std::byte start[offsetof(wire::Sqe, addr3)] = {};
    Command command;
    std::uint64_t rest = 0;
  };
  static_assert(sizeof(Encoded) == 128);
  static Halves wanted(int fd, const Command& command, std::uint8_t opcode = wire::op::uring_cmd) {
    const wire::Sqe start{
        .opcode = opcode, .fd = fd, .off = wire::halves(wire::nvme_uring_cmd_io, 0), .user_data = 1};
    Encoded encoded{.command = command};
    std::memcpy(encoded.start, &start, sizeof encoded.start);
    return std::bit_cast<Halves>(encoded);
  }
  static Halves halves_of(const binding::Sqe128& sqe) { return std::bit_cast<Halves>(sqe); }
  static wire::Cqe32 done(std::uint32_t flags = 0) { return large_cqe(1, 0, 0, flags); }

  // Queues the command, compares all of its SQE, and takes its CQE.
  static wire::Cqe32 complete_on(Large& ring, int fd, const Command& command, Site site = Site::here()) {
    EXPECT_EQ_AT(site, halves_of(must(ring.uring_cmd(1, fd, wire::nvme_uring_cmd_io, command), site)),
                 wanted(fd, command));
    ring.submit_all(1, site);
    return ring.wait_cqe(site);
  }
  // The same with one change to the SQE that the binding wrote.
  template <class Change>
  static wire::Cqe32 complete_changed(Large& ring, int fd, const Command& command, const Change& change,
                                      Site site = Site::here()) {
    must(ring.uring_cmd(1, fd, wire::nvme_uring_cmd_io, command).with(change), site);
    ring.submit_all(1, site);
    return ring.wait_cqe(site);
  }
  // A page of which only the first block has this byte.
  static DirectPage block_of(int byte) {
    DirectPage page{};
    std::memset(page.data(), byte, NvmeDrive::block);
    return page;
  }

  bool kernel_has_it() const { return kernel_has(wire::op::uring_cmd); }
  // On a plain ring, with what fits there.
  binding::Result<binding::Sqe&> queue(std::uint32_t flags) {
    const std::array<std::uint64_t, 2> payload{};
    return ring.uring_cmd(1, file.get(), wire::nvme_uring_cmd_io, payload).with([=](binding::Sqe& sqe) {
      sqe.op_flags = flags;
    });
  }
  wire::Sqe wanted_plain(std::uint32_t flags) const {
    return {.opcode = wire::op::uring_cmd,
            .fd = file.get(),
            .off = wire::halves(wire::nvme_uring_cmd_io, 0),
            .op_flags = flags,
            .user_data = 1};
  }
  std::string was_read() const { return buffer == DirectPage{} ? "" : "the buffer was written to"; }
  std::string witness() {
    return refused([&] { return queue(0); }, wanted_plain(0), [&] { return was_read(); });
  }
};

TEST_F(NvmePassthrough, ReadsABlock) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  drive.write(page_of('a'), offset);
  const Fd generic = drive.open_generic(O_RDONLY);
  Large large(4);
  EXPECT_EQ(complete_on(large, generic.get(), command(wire::nvme_read, buffer)), done());
  EXPECT_EQ(buffer, block_of('a'));
}

TEST_F(NvmePassthrough, WritesABlock) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  drive.write(page_of('b'), offset);
  const Fd generic = drive.open_generic(O_RDWR);
  Large large(4);
  const DirectPage text = page_of('c');
  EXPECT_EQ(complete_on(large, generic.get(), command(wire::nvme_write, text)), done());
  DirectPage want = page_of('b');
  std::memset(want.data(), 'c', NvmeDrive::block);
  EXPECT_EQ(drive.read(offset), want);
}

// Several commands in flight, more than once around the queues, each with its own SQE of 128 bytes.
TEST_F(NvmePassthrough, ReadsManyBlocks) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const Fd generic = drive.open_generic(O_RDONLY);
  for (int i = 0; i < 4; ++i) drive.write(page_of('a' + i), offset + i * page);
  Large large(4);
  for (int round = 0; round < 3; ++round) {
    std::array<DirectPage, 4> pages{};
    for (int i = 0; i < 4; ++i) {
      const std::uint32_t first = lba + i * static_cast<std::uint32_t>(page / NvmeDrive::block);
      must(large.uring_cmd(1, generic.get(), wire::nvme_uring_cmd_io,
                           command(wire::nvme_read, pages[i], first)));
    }
    large.submit_all(4);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(large.wait_cqe(), done());
    for (int i = 0; i < 4; ++i) EXPECT_EQ(pages[i], block_of('a' + i));
  }
}

// What the drive refuses completes with its status, which is no errno: it is positive.
TEST_F(NvmePassthrough, BringsTheStatusOfTheDrive) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const Fd generic = drive.open_generic(O_RDONLY);
  Large large(4);
  constexpr std::uint32_t end = NvmeDrive::bytes / NvmeDrive::block;
  EXPECT_EQ(complete_on(large, generic.get(), command(wire::nvme_read, buffer, end - 1)), done());
  wire::Cqe32 cqe = complete_on(large, generic.get(), command(wire::nvme_read, buffer, end));
  EXPECT_GT(cqe.cqe.res, 0);
  EXPECT_EQ(cqe.cqe.res & wire::nvme_status, wire::nvme_lba_out_of_range);
  cqe.cqe.res = 0;
  EXPECT_EQ(cqe, done());
}

// A registered buffer. The flag is 6.1; before, none is known.
TEST_F(NvmePassthrough, UsesARegisteredBuffer) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  drive.write(page_of('d'), offset);
  const Fd generic = drive.open_generic(O_RDONLY);
  Large large(4);
  DirectPage other{};
  const std::array<iovec, 2> buffers{iovec{other.data(), other.size()}, iovec{buffer.data(), buffer.size()}};
  must(when_there_is_room([&] { return large.register_buffers(buffers); }));
  const auto fixed = [](std::uint16_t index) {
    return [=](binding::Sqe128& sqe) {
      sqe.op_flags = wire::uring_cmd_fixed;
      sqe.buf_index = index;
    };
  };
  const Command read = command(wire::nvme_read, buffer);
  if (!kernel_has(wire::op::sendmsg_zc)) {
    EXPECT_EQ(complete_changed(large, generic.get(), read, fixed(1)), small_cqe(1, -EINVAL));
    return;
  }
  EXPECT_EQ(complete_changed(large, generic.get(), read, fixed(2)), small_cqe(1, -EFAULT))
      << "no such buffer";
  EXPECT_EQ(complete_changed(large, generic.get(), read, fixed(0)), small_cqe(1, -EFAULT))
      << "not in this one";
  EXPECT_EQ(buffer, DirectPage{});
  EXPECT_EQ(complete_changed(large, generic.get(), read, fixed(1)), done());
  EXPECT_EQ(buffer, block_of('d'));
  EXPECT_EQ(other, DirectPage{});
}

// Where SQEs and CQEs have two sizes the opcode says that this one is large. It is 6.19.
TEST_F(NvmePassthrough, HasAnOpcodeForMixedRings) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  if (!kernel_has(wire::op::uring_cmd128)) {
    const wire::Sqe large{.opcode = wire::op::uring_cmd128, .fd = file.get(), .user_data = 1};
    EXPECT_EQ(complete(large), small_cqe(1, -EINVAL).cqe);
    return;
  }
  drive.write(page_of('e'), offset);
  const Fd generic = drive.open_generic(O_RDONLY);
  LargeRing<binding::MixedRing> mixed(4);
  const Command read = command(wire::nvme_read, buffer);
  EXPECT_EQ(halves_of(must(mixed.uring_cmd128(1, generic.get(), wire::nvme_uring_cmd_io, read))),
            wanted(generic.get(), read, wire::op::uring_cmd128));
  mixed.submit_all(2);  // places
  EXPECT_EQ(mixed.wait_cqe(), done(wire::cqe_32));
  EXPECT_EQ(buffer, block_of('e'));
  // Where all SQEs are large, either opcode will do.
  buffer = {};
  Large large(4);
  EXPECT_EQ(halves_of(must(large.uring_cmd128(1, generic.get(), wire::nvme_uring_cmd_io, read))),
            wanted(generic.get(), read, wire::op::uring_cmd128));
  large.submit_all(1);
  EXPECT_EQ(large.wait_cqe(), done());
  EXPECT_EQ(buffer, block_of('e'));
}

// Polled, it completes when it is asked for, as reads and writes do (row iopoll). From 6.1 on.
TEST_F(NvmePassthrough, CompletesWhenAsked) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  drive.write(page_of('f'), offset);
  const Fd generic = drive.open_generic(O_RDONLY);
  Large large(4, wire::setup_iopoll);
  const Command read = command(wire::nvme_read, buffer);
  if (!kernel_has(wire::op::sendmsg_zc)) {
    EXPECT_EQ(complete_on(large, generic.get(), read), small_cqe(1, -EOPNOTSUPP));
    return;
  }
  EXPECT_EQ(halves_of(must(large.uring_cmd(1, generic.get(), wire::nvme_uring_cmd_io, read))),
            wanted(generic.get(), read));
  submit_unasked(large, 1);
  ask(large);
  EXPECT_EQ(large.wait_cqe(), done());
  EXPECT_EQ(buffer, block_of('f'));
}

// An SQE or a CQE too small for it.
TEST_F(NvmePassthrough, NeedsLargeEntries) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const Fd generic = drive.open_generic(O_RDONLY);
  const Command read = command(wire::nvme_read, buffer);
  LargeRing<binding::Ring128> small_cqes(4);
  must(small_cqes.uring_cmd(1, generic.get(), wire::nvme_uring_cmd_io, read));
  small_cqes.submit_all(1);
  EXPECT_EQ(small_cqes.wait_cqe(), small_cqe(1, -EOPNOTSUPP));
  LargeRing<binding::Ring32> small_sqes(4);
  conformance::queue(small_sqes, wanted(generic.get(), read)[0]);
  small_sqes.submit_all(1);
  EXPECT_EQ(small_sqes.wait_cqe(), small_cqe(1, -EOPNOTSUPP));
  EXPECT_EQ(complete(wanted(generic.get(), read)[0]), small_cqe(1, -EOPNOTSUPP).cqe);
  EXPECT_EQ(buffer, DirectPage{}) << "it was read";
}

TEST_F(NvmePassthrough, RefusesWhatMeansNothing) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const Fd generic = drive.open_generic(O_RDONLY);
  Large large(4);
  const Command read = command(wire::nvme_read, buffer);
  must(large.uring_cmd(1, generic.get(), wire::nvme_uring_cmd_nobody, read));
  large.submit_all(1);
  EXPECT_EQ(large.wait_cqe(), small_cqe(1, -ENOTTY)) << "no such command";
  const Fd zero = open_file("/dev/zero", O_RDONLY);
  EXPECT_EQ(complete_on(large, zero.get(), read), small_cqe(1, -EOPNOTSUPP)) << "a file without commands";
  Command with_flags = read;
  with_flags.flags = 1;
  EXPECT_EQ(complete_on(large, generic.get(), with_flags), small_cqe(1, -EINVAL));
  EXPECT_EQ(buffer, DirectPage{}) << "it was read";
}

// Flags of the SQE: only those of the mask, and several CQEs only with buffers to choose from, and only then.
TEST_F(NvmePassthrough, RefusesFlagsOfOthers) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const Fd generic = drive.open_generic(O_RDONLY);
  Large large(4);
  const Command read = command(wire::nvme_read, buffer);
  const auto with_flags = [](std::uint32_t flags) {
    return [=](binding::Sqe128& sqe) { sqe.op_flags = flags; };
  };
  for (const std::uint32_t flags :
       {wire::uring_cmd_mask + 1, wire::uring_cmd_multishot, wire::uring_cmd_mask}) {
    EXPECT_EQ(complete_changed(large, generic.get(), read, with_flags(flags)), small_cqe(1, -EINVAL))
        << flags;
  }
  // Before 6.18 a command takes no buffer at all.
  const int chooses = kernel_has(wire::cqe_mixed) ? -EINVAL : -EOPNOTSUPP;
  EXPECT_EQ(complete_changed(large, generic.get(), read,
                             [](binding::Sqe128& sqe) { sqe.flags = wire::buffer_select; }),
            small_cqe(1, chooses));
  EXPECT_EQ(buffer, DirectPage{}) << "it was read";
}

}  // namespace
