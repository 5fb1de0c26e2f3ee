// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// refusals of requests: an SQE that cannot be carried out ends with one CQE, which has the errno that the
// manual page of the operation names, and nothing happens. Programs decide by that errno what to do next.
//
// Needs READ and its companions (5.6, io_uring_enter(2)). An operation that is younger is refused with EINVAL
// by the kernels that lack it. Only what all kernels with the operation answer in the same way is asserted.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

#include "fixture/sockets.h"
#include "seam/kernel_abi.h"

namespace {

using namespace conformance;

class SqeRefusals : public RingTest<8> {
 protected:
  TempDir dir;
  Fd file = dir.create("file", O_RDWR);
  SocketPair pair;
  std::array<std::byte, 8> buffer{};

  static constexpr std::uint64_t nowhere = 1;  // no address of a process

  struct Refused {
    const char* what;
    int error;
    wire::Sqe sqe;
  };
  // Each is sent twice, alone on the ring. It is answered in the same way both times, by one CQE.
  void expect(const std::vector<Refused>& all, Site site = Site::here()) {
    for (const auto& [what, error, bare] : all) {
      wire::Sqe sqe = bare;
      sqe.user_data = 7;
      const int wanted = kernel_has(sqe.opcode, site) ? error : EINVAL;
      for (int i = 0; i < 2; ++i) {
        expect_equal(site, what, complete(sqe, site), wire::Cqe{.user_data = 7, .res = -wanted, .flags = 0});
      }
      expect_equal(site, what, cqes_before_nop(8, site), Cqes{{.user_data = 8, .res = 0, .flags = 0}});
    }
  }
  wire::Cqe send(wire::Sqe sqe, Site site = Site::here()) {
    sqe.user_data = 7;
    return complete(sqe, site);
  }
  static wire::Cqe done(std::int32_t res) { return {.user_data = 7, .res = res, .flags = 0}; }

  wire::Sqe read(int fd) const {
    return {.opcode = wire::op::read, .fd = fd, .addr = wire::address(buffer.data()), .len = 8};
  }
  // In a slot: -1 is one that the kernel chooses.
  wire::Sqe open_direct(std::int32_t slot, int flags = O_RDWR) const {
    return {.opcode = wire::op::openat,
            .fd = dir.fd(),
            .addr = wire::address("file"),
            .op_flags = static_cast<std::uint32_t>(flags),
            .file_index = slot < 0 ? wire::file_index_alloc : static_cast<std::uint32_t>(slot) + 1};
  }
  static wire::Sqe close_direct(std::uint32_t slot, int fd = 0) {
    return {.opcode = wire::op::close, .fd = fd, .file_index = slot + 1};
  }
  static wire::Sqe fixed(wire::Sqe sqe) {
    sqe.flags |= wire::fixed_file;
    return sqe;
  }
  // Direct descriptors (5.15). A registration of the same release tells, which with zeros only asks: 5.10.162
  // took over the io_uring of 5.15, but not its opcodes for files.
  bool kernel_has_slots() const {
    std::array<std::uint32_t, 2> workers{};
    return do_register(wire::register_op::iowq_max_workers, workers.data(), 2) == 0;
  }
  bool kernel_has_chosen_slots() const { return kernel_has(wire::op::socket); }  // 5.19
  // As kernels do that do not know of slots: the request makes a descriptor. (CLOSE would close one.)
  void expect_slots_ignored(Site site = Site::here()) {
    const Fd made = new_descriptor(send(open_direct(0), site), {.user_data = 7}, S_IFREG, site);
  }
  std::string witness() {
    return refused([&] { return ring.read(7, file.get(), buffer, 0); },
                   [&] {
                     wire::Sqe sqe = read(file.get());
                     sqe.user_data = 7;
                     return sqe;
                   }(),
                   [] { return ""; });
  }
};

TEST_F(SqeRefusals, RefusesWhatIsNotThere) {
  if (!kernel_has(wire::op::read)) GTEST_SKIP() << witness();
  const Fd write_only = dir.create("write only", O_WRONLY);
  ASSERT_EQ(pwrite(file.get(), "abcd", 4, 0), 4);
  wire::Sqe unmapped = read(file.get());
  unmapped.addr = nowhere;
  const Pipe pipe;
  expect({
      {"READ of a closed descriptor", EBADF, read(not_open)},
      {"READ of a file that is open for writing", EBADF, read(write_only.get())},
      {"READ to an address that is not mapped", EFAULT, unmapped},
      {"CLOSE of a closed descriptor", EBADF, {.opcode = wire::op::close, .fd = not_open}},
      {"SPLICE from a closed descriptor",
       EBADF,
       {.opcode = wire::op::splice,
        .fd = pipe.writer.get(),
        .off = ~0ull,
        .addr = ~0ull,
        .len = 4,
        .file_index = not_open}},
  });
}

// IOSQE_BUFFER_SELECT is a flag since 5.7, and not for each operation.
TEST_F(SqeRefusals, RefusesFlagsThatMeanNothing) {
  if (!kernel_has(wire::op::read)) GTEST_SKIP() << witness();
  wire::Sqe unknown{.opcode = wire::op::nop, .flags = 1 << 7};
  wire::Sqe write = read(file.get());
  write.opcode = wire::op::write;
  write.flags = wire::buffer_select;
  expect({
      {"a flag that no kernel has", EINVAL, unknown},
      {"WRITE from a buffer that the kernel chooses",
       kernel_has(wire::op::provide_buffers) ? EOPNOTSUPP : EINVAL, write},
  });
  struct stat status {};
  ASSERT_EQ(fstat(file.get(), &status), 0);
  EXPECT_EQ(status.st_size, 0);
}

// Before 5.18 the field is not looked at where it means nothing.
TEST_F(SqeRefusals, RefusesAPriorityOfWhatHasNone) {
  if (!kernel_has(wire::op::read)) GTEST_SKIP() << witness();
  const int error = kernel_has(wire::op::msg_ring) ? EINVAL : 0;
  expect({{"NOP with ioprio", error, {.opcode = wire::op::nop, .ioprio = 1}}});
}

// IOSQE_FIXED_FILE makes the descriptor a slot of the table, of which there is none.
TEST_F(SqeRefusals, RefusesSlotsWithoutATable) {
  if (!kernel_has(wire::op::read)) GTEST_SKIP() << witness();
  expect({{"READ from a slot", EBADF, fixed(read(0))}});
  if (!kernel_has_slots()) return expect_slots_ignored();
  expect({
      {"OPENAT into a slot", ENXIO, open_direct(0)},
      {"CLOSE of a slot", ENXIO, close_direct(0)},
      // Before 5.19 it is the number of a slot that no table has.
      {"OPENAT into a slot of the kernel's choice", kernel_has_chosen_slots() ? ENFILE : ENXIO,
       open_direct(-1)},
  });
}

TEST_F(SqeRefusals, RefusesSlotsThatAreEmptyOrNotThere) {
  if (!kernel_has(wire::op::read)) GTEST_SKIP() << witness();
  register_empty_slots(2);
  expect({
      {"READ from an empty slot", EBADF, fixed(read(0))},
      {"READ from a slot after the table", EBADF, fixed(read(2))},
  });
  if (!kernel_has_slots()) return expect_slots_ignored();
  expect({
      {"CLOSE of an empty slot", EBADF, close_direct(0)},
      {"CLOSE of a slot after the table", EINVAL, close_direct(2)},
      {"OPENAT into a slot after the table", EINVAL, open_direct(2)},
  });
  // What is in the table can be read, and closed once.
  ASSERT_EQ(send(open_direct(1)), done(0));
  EXPECT_EQ(send(fixed(read(1))), done(0));
  EXPECT_EQ(send(close_direct(1)), done(0));
  EXPECT_EQ(send(close_direct(1)), done(-EBADF));
  for (int i = 0; i < 2; ++i) ASSERT_EQ(send(open_direct(0 + i)), done(0));
  expect({{"OPENAT into a slot of the kernel's choice, and all are taken",
           kernel_has_chosen_slots() ? ENFILE : EINVAL, open_direct(-1)}});
}

// What is in a slot has no descriptor, so that a flag of descriptors means nothing, and a request that names
// both means nothing.
TEST_F(SqeRefusals, RefusesADescriptorAndASlotAtOnce) {
  if (!kernel_has(wire::op::read)) GTEST_SKIP() << witness();
  if (!kernel_has_slots()) return expect_slots_ignored();
  register_empty_slots(2);
  wire::Sqe socket{
      .opcode = wire::op::socket, .fd = AF_UNIX, .off = SOCK_STREAM | SOCK_CLOEXEC, .file_index = 1};
  wire::Sqe accept{
      .opcode = wire::op::accept, .fd = pair.ours.get(), .op_flags = SOCK_CLOEXEC, .file_index = 1};
  wire::Sqe repeated = accept;
  repeated.op_flags = 0;
  repeated.ioprio = wire::accept_multishot;  // 5.19; before, a priority of what has none
  expect({
      {"CLOSE of both", EINVAL, close_direct(0, file.get())},
      {"OPENAT into a slot, close-on-exec", EINVAL, open_direct(0, O_RDWR | O_CLOEXEC)},
      {"SOCKET into a slot, close-on-exec", EINVAL, socket},
      {"ACCEPT into a slot, close-on-exec", EINVAL, accept},
      {"ACCEPT again and again into the same slot", EINVAL, repeated},
  });
  EXPECT_TRUE(is_open(file.get()));
  EXPECT_EQ(send(fixed(read(0))), done(-EBADF)) << "something is in the slot";
}

TEST_F(SqeRefusals, RefusesPathsAndFlagsOfFiles) {
  if (!kernel_has(wire::op::read)) GTEST_SKIP() << witness();
  constexpr auto create = static_cast<std::uint32_t>(O_RDWR | O_CREAT | O_CLOEXEC);
  const auto at = [&](std::uint8_t op, const char* path) {
    return wire::Sqe{.opcode = op, .fd = dir.fd(), .addr = wire::address(path)};
  };
  wire::Sqe missing = at(wire::op::openat, "new"), unreadable = missing, indexed = missing, in_slot = missing;
  unreadable.addr = nowhere;
  for (wire::Sqe* made : {&unreadable, &indexed, &in_slot}) {
    made->op_flags = create;
    made->len = 0600;
  }
  indexed.buf_index = 1;
  wire::Sqe statx = at(wire::op::statx, "file");
  statx.off = nowhere;
  statx.len = 0x7ff;  // STATX_BASIC_STATS
  wire::Sqe remove = at(wire::op::unlinkat, "file"), remove_missing = at(wire::op::unlinkat, "new");
  remove.op_flags = 0x4000'0000;
  wire::Sqe make = at(wire::op::mkdirat, "new");
  make.off = 1;
  make.len = 0700;
  wire::Sqe rename = at(wire::op::renameat, "missing");
  rename.off = wire::address("new");
  rename.len = static_cast<std::uint32_t>(dir.fd());
  wire::Sqe link = at(wire::op::linkat, "file");
  link.off = rename.off;
  link.len = rename.len;
  expect({
      {"OPENAT of a path that does not exist", ENOENT, missing},
      {"OPENAT of a path that is not readable", EFAULT, unreadable},
      {"OPENAT with buf_index", EINVAL, indexed},
      {"OPENAT in a directory that is a slot", EBADF, fixed(in_slot)},
      {"STATX to an address that is not mapped", EFAULT, statx},
      {"UNLINKAT with an unknown flag", EINVAL, remove},
      {"UNLINKAT of a path that does not exist", ENOENT, remove_missing},
      {"MKDIRAT with off", EINVAL, make},
      {"RENAMEAT of a path that does not exist", ENOENT, rename},
      {"LINKAT in a directory that is a slot", EBADF, fixed(link)},
  });
  EXPECT_TRUE(dir.has("file"));
  EXPECT_FALSE(dir.has("new"));
}

// addr3 means nothing to UNLINKAT; kernels before 7.2 do not look at it. (Before 5.11 it is an unknown
// opcode, with an answer that is among these.)
TEST_F(SqeRefusals, RefusesOrIgnoresAddr3OfUnlinkat) {
  if (!kernel_has(wire::op::read)) GTEST_SKIP() << witness();
  const wire::Cqe cqe =
      send({.opcode = wire::op::unlinkat, .fd = dir.fd(), .addr = wire::address("new"), .addr3 = 1});
  expect_one_of(Site::here(), "the CQE", cqe, {done(-EINVAL), done(-ENOENT)});
}

TEST_F(SqeRefusals, RefusesFieldsOfFilesThatMeanNothing) {
  if (!kernel_has(wire::op::read)) GTEST_SKIP() << witness();
  const int fd = file.get();
  wire::Sqe splice{.opcode = wire::op::splice,
                   .fd = fd,
                   .off = ~0ull,
                   .addr = ~0ull,
                   .len = 4,
                   .file_index = static_cast<std::uint32_t>(fd)};
  wire::Sqe flagged = splice;
  flagged.op_flags = 0x4000'0000;
  expect({
      {"FALLOCATE with flags", EINVAL, {.opcode = wire::op::fallocate, .fd = fd, .addr = 8, .op_flags = 1}},
      {"FSYNC with addr", EINVAL, {.opcode = wire::op::fsync, .fd = fd, .addr = 1}},
      {"FSYNC with an unknown flag", EINVAL, {.opcode = wire::op::fsync, .fd = fd, .op_flags = 2}},
      {"SPLICE with an unknown flag", EINVAL, flagged},
      {"SPLICE without a pipe", EINVAL, splice},
  });
  EXPECT_EQ(send({.opcode = wire::op::fsync, .fd = fd}), done(0));
  struct stat status {};
  ASSERT_EQ(fstat(fd, &status), 0);
  EXPECT_EQ(status.st_size, 0);
}

TEST_F(SqeRefusals, RefusesWhatSocketsCannotDo) {
  if (!kernel_has(wire::op::read)) GTEST_SKIP() << witness();
  const int fd = file.get();
  sockaddr_in address = loopback();
  const wire::Sqe name{.fd = fd, .off = sizeof address, .addr = wire::address(&address)};
  wire::Sqe connect = name, bind = name;
  connect.opcode = wire::op::connect;
  bind.opcode = wire::op::bind;
  expect({
      {"SHUTDOWN of a file", ENOTSOCK, {.opcode = wire::op::shutdown, .fd = fd, .len = SHUT_RDWR}},
      {"CONNECT of a file", ENOTSOCK, connect},
      {"BIND of a file", ENOTSOCK, bind},
      {"LISTEN on a file", ENOTSOCK, {.opcode = wire::op::listen, .fd = fd, .len = 1}},
      {"SOCKET with flags",
       EINVAL,
       {.opcode = wire::op::socket, .fd = AF_UNIX, .off = SOCK_STREAM, .op_flags = 1}},
      {"ACCEPT with len", EINVAL, {.opcode = wire::op::accept, .fd = pair.ours.get(), .len = 1}},
      {"ACCEPT on a socket that does not listen",
       EINVAL,
       {.opcode = wire::op::accept, .fd = pair.ours.get()}},
  });
}

}  // namespace
