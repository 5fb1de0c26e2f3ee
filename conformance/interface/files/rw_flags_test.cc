// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// modifiers of reads and writes: the file's own position, the flags of preadv2(2), and an I/O priority.
//
// Needs READ and IORING_FEAT_RW_CUR_POS (5.6, io_uring_setup(2)).

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "fixture/sockets.h"

namespace {

using namespace conformance;

constexpr std::uint64_t where_the_file_is = ~std::uint64_t{0};
// ioprio: the class in the upper three bits (ioprio_set(2)).
constexpr std::uint16_t realtime = 1 << 13, best_effort = 2 << 13, no_class = 4 << 13;

class RwFlags : public RingTest<8> {
 protected:
  TempDir dir;
  Fd file = dir.create("file", O_RDWR);
  SocketPair pair;
  std::array<std::byte, 4> buffer{};

  RwFlags() { EXPECT_EQ(pwrite(file.get(), "abcdefgh", 8, 0), 8); }

  wire::Sqe read_wanted(std::uint64_t offset) const {
    return {.opcode = wire::op::read,
            .fd = file.get(),
            .off = offset,
            .addr = wire::address(buffer.data()),
            .len = 4,
            .user_data = 1};
  }
  // Reads four bytes, and returns them.
  std::string read(std::uint64_t offset, Site site = Site::here()) {
    EXPECT_EQ_AT(site, wire_of(must(ring.read(1, file.get(), buffer, offset), site)), read_wanted(offset));
    EXPECT_EQ_AT(site, complete(site), done(4));
    return std::string(reinterpret_cast<const char*>(buffer.data()), 4);
  }
  void write(std::string_view text, std::uint64_t offset, std::uint32_t flags = 0, Site site = Site::here()) {
    binding::Sqe& sqe = must(ring.write(1, file.get(), std::as_bytes(std::span(text)), offset), site);
    sqe.op_flags = flags;
    EXPECT_EQ_AT(site, wire_of(sqe),
                 (wire::Sqe{.opcode = wire::op::write,
                            .fd = file.get(),
                            .off = offset,
                            .addr = wire::address(text.data()),
                            .len = static_cast<std::uint32_t>(text.size()),
                            .op_flags = flags,
                            .user_data = 1}));
    EXPECT_EQ_AT(site, complete(site), done(static_cast<std::int32_t>(text.size())));
  }
  std::string content(Site site = Site::here()) const {
    std::array<char, 64> text{};
    if (pread(file.get(), text.data(), text.size() - 1, 0) < 0) stop_errno(site, "pread");
    return text.data();
  }
  off_t position() const { return lseek(file.get(), 0, SEEK_CUR); }
  std::string witness() {
    return refused([&] { return ring.read(1, file.get(), buffer, 0); }, read_wanted(0),
                   [&] { return buffer[0] == std::byte{0} ? "" : "the buffer changed"; });
  }
  static wire::Cqe done(std::int32_t res) { return {.user_data = 1, .res = res, .flags = 0}; }
};

// All ones as the offset: where the file is, as read(2). Other offsets leave that alone.
TEST_F(RwFlags, UsesThePositionOfTheFile) {
  if (!kernel_has(wire::op::read)) GTEST_SKIP() << witness();
  EXPECT_EQ(read(where_the_file_is), "abcd");
  EXPECT_EQ(read(where_the_file_is), "efgh");
  EXPECT_EQ(position(), 8);
  EXPECT_EQ(read(0), "abcd");
  EXPECT_EQ(position(), 8);
  write("ijkl", where_the_file_is);
  write("m", where_the_file_is);
  EXPECT_EQ(position(), 13);
  write("AB", 0);
  EXPECT_EQ(position(), 13);
  EXPECT_EQ(content(), "ABcdefghijklm");
}

// RWF_APPEND writes at the end, whatever the offset.
TEST_F(RwFlags, Appends) {
  if (!kernel_has(wire::op::read)) GTEST_SKIP() << witness();
  write("ij", 0, RWF_APPEND);
  EXPECT_EQ(content(), "abcdefghij");
  write("kl", 2, RWF_APPEND | RWF_DSYNC);
  EXPECT_EQ(content(), "abcdefghijkl");
  write("AB", 0, RWF_DSYNC);
  EXPECT_EQ(content(), "ABcdefghijkl");
}

// RWF_NOWAIT: what would have to wait fails. (Sockets did not know it when io_uring was young: EOPNOTSUPP up
// to 6.1.)
TEST_F(RwFlags, DoesNotWait) {
  if (!kernel_has(wire::op::read)) GTEST_SKIP() << witness();
  must(ring.read(1, pair.ours.get(), buffer, 0)).op_flags = RWF_NOWAIT;
  const wire::Cqe cqe = complete();
  EXPECT_TRUE(cqe == done(-EAGAIN) || cqe == done(-EOPNOTSUPP)) << wire::to_string(cqe);
}

// O_NONBLOCK says nothing about io_uring, which does not block anyway. (On kernels up to 5.15 a worker gives
// up at once; one from 6.1 on waits.)
TEST_F(RwFlags, WaitsOnASocketThatDoesNotBlock) {
  if (!kernel_has(wire::feature::fast_poll)) GTEST_SKIP() << witness();
  ASSERT_EQ(fcntl(pair.ours.get(), F_SETFL, O_NONBLOCK), 0);
  must(ring.read(1, pair.ours.get(), buffer, 0));
  submit(1);
  const Cqes early = cqes_before_nop(2);
  if (configuration().begins_later() && !kernel_has(wire::op::sendmsg_zc) && early.size() == 2) {
    EXPECT_EQ(early, (Cqes{done(-EAGAIN), {.user_data = 2, .res = 0, .flags = 0}}));
    return;
  }
  EXPECT_EQ(early, (Cqes{{.user_data = 2, .res = 0, .flags = 0}}));
  pair.send("abc");
  EXPECT_EQ(wait_cqe(), done(3));
}

// The priority that a request asks for is checked like that of ioprio_set(2).
TEST_F(RwFlags, TakesAnIoPriority) {
  if (!kernel_has(wire::op::read)) GTEST_SKIP() << witness();
  wire::Sqe sqe = read_wanted(0);
  sqe.ioprio = best_effort;
  EXPECT_EQ(complete(sqe), done(4));
  sqe.ioprio = no_class;
  EXPECT_EQ(complete(sqe), done(-EINVAL));
  sqe.ioprio = realtime;
  const uid_t we = geteuid();
  ASSERT_EQ(seteuid(we == 0 ? 1000 : we), 0);
  const wire::Cqe answer = complete(sqe);
  ASSERT_EQ(seteuid(we), 0);
  // With SQPOLL it is the polling thread that asks, with the rights of who opened the ring.
  if (configuration().consumes_later() && we == 0) {
    EXPECT_EQ(answer, done(4));
  } else {
    EXPECT_EQ(answer, done(-EPERM));
  }
}

TEST_F(RwFlags, RefusesWhatIsUnknown) {
  if (!kernel_has(wire::op::read)) GTEST_SKIP() << witness();
  wire::Sqe unknown = read_wanted(0), polled = read_wanted(0), attribute = read_wanted(0);
  unknown.op_flags = 1u << 30;
  polled.op_flags = RWF_HIPRI;  // only on rings with IOPOLL
  attribute.pad2 = 2;           // attr_type_mask; 1 is protection information
  EXPECT_EQ(complete(unknown), done(-EOPNOTSUPP));
  EXPECT_EQ(complete(polled), done(-EINVAL));
  // Padding before 6.14, which nobody looked at.
  EXPECT_EQ(complete(attribute), done(kernel_has(wire::feature::rw_attr) ? -EINVAL : 4));
}

}  // namespace
