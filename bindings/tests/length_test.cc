// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Lengths and counts that do not fit into the 32 bits that the kernel has for them: as many bytes as one
// system call moves, or the largest number, which is refused as any that is far too large, or an error of
// ours. Never what is left when the upper bits are cut off: 4 GiB would be 0, and a read of 0 bytes looks
// like the end of the file.
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ostream>

#include "played_kernel.h"
#include "trap.h"

namespace {

using uring::Error, uring::Slot, uring::Sqe, uring::i32, uring::u16;

constexpr u64 GiB = 1 << 30;
constexpr u64 around_32_bits[] = {2 * GiB - 1, 4 * GiB - 1, 4 * GiB, 4 * GiB + 5};

// What the limits are: the suite's own numbers.
constexpr u32 most_at_once = 0x7fff'f000, largest = 0xffff'ffff;

struct OneSlot : uring::Operations<OneSlot, Sqe> {
  Sqe sqe;
  bool asked = false;
  Sqe* get_sqe() { return asked = true, &sqe; }
};

// Views of more memory than there is. Nothing here looks at it.
std::byte* const nowhere = reinterpret_cast<std::byte*>(0x10000);
template <class T = std::byte>
std::span<T> view(u64 size) {
  return {reinterpret_cast<T*>(nowhere), size};
}

// A request of this length, and what came into its field.
struct Request {
  const char* name;
  u32 (*field)(OneSlot& ring, u64 length);
};
void PrintTo(const Request& request, std::ostream* out) { *out << request.name; }
#define REQUEST(name, field, ...)                                                                           \
  Request {                                                                                                 \
#name, [](OneSlot & ring,                                                                               \
              [[maybe_unused]] u64 n) -> u32 { return static_cast<u32>(ring.name(1, __VA_ARGS__)->field); } \
  }

class Moving : public testing::TestWithParam<Request> {};

TEST_P(Moving, AsMuchAsOneSystemCall) {
  OneSlot ring;
  const auto field = [&](u64 length) { return GetParam().field(ring, length); };
  for (const u64 length : {u64{0}, u64{1}, u64{most_at_once} - 1, u64{most_at_once}}) {
    EXPECT_EQ(field(length), length);
  }
  EXPECT_EQ(field(u64{most_at_once} + 1), most_at_once);
  for (const u64 length : around_32_bits) EXPECT_EQ(field(length), most_at_once) << length;
  EXPECT_EQ(field(~u64{0}), most_at_once);
}

INSTANTIATE_TEST_SUITE_P(
    Lengths, Moving,
    testing::Values(REQUEST(read, len, 5, view(n), 0), REQUEST(write, len, 5, view(n), 0),
                    REQUEST(read_fixed, len, 5, view(n), 0, 0), REQUEST(write_fixed, len, 5, view(n), 0, 0),
                    REQUEST(read_select, len, 5, 1, n, 0), REQUEST(splice, len, 5, 0, 6, 0, n, 0),
                    REQUEST(tee, len, 5, 6, n, 0), REQUEST(send, len, 5, view(n), 0),
                    REQUEST(sendto, len, 5, view(n), 0, nullptr, 0), REQUEST(send_bundle, len, 5, 1, n, 0),
                    REQUEST(send_zc, len, 5, view(n), 0),
                    REQUEST(send_zc_fixed, len, 5, view(n), 0, uring::RecvSend{}, 0),
                    REQUEST(recv, len, 5, view(n), 0), REQUEST(recv_select, len, 5, 1, n, 0),
                    REQUEST(recv_bundle, len, 5, 1, n, 0)),
    [](const auto& info) { return info.param.name; });

class Counting : public testing::TestWithParam<Request> {};

TEST_P(Counting, UpToTheLargestNumber) {
  OneSlot ring;
  const auto field = [&](u64 count) { return GetParam().field(ring, count); };
  for (const u64 count : {u64{0}, u64{1}, 2 * GiB - 1, 2 * GiB, 4 * GiB - 2, 4 * GiB - 1}) {
    EXPECT_EQ(field(count), count);
  }
  EXPECT_EQ(field(4 * GiB), largest);
  EXPECT_EQ(field(4 * GiB + 5), largest);
  EXPECT_EQ(field(~u64{0}), largest);
}

INSTANTIATE_TEST_SUITE_P(
    Lengths, Counting,
    testing::Values(
        REQUEST(readv, len, 5, view<iovec>(n), 0), REQUEST(writev, len, 5, view<iovec>(n), 0),
        REQUEST(readv_fixed, len, 5, view<iovec>(n), 0, 0),
        REQUEST(writev_fixed, len, 5, view<iovec>(n), 0, 0),
        REQUEST(epoll_wait, len, 5, view<epoll_event>(n)), REQUEST(openat2, len, 5, nullptr, nullptr, n),
        REQUEST(openat2_direct, len, 5, nullptr, nullptr, n, Slot{0}),
        REQUEST(setxattr, len, nullptr, nullptr, view(n), 0), REQUEST(fsetxattr, len, 5, nullptr, view(n), 0),
        REQUEST(getxattr, len, nullptr, nullptr, view(n)), REQUEST(fgetxattr, len, 5, nullptr, view(n)),
        REQUEST(setsockopt, file_index, 5, 1, 2, view(n)), REQUEST(getsockopt, file_index, 5, 1, 2, view(n)),
        REQUEST(files_update, len, view<i32>(n), Slot{0}),
        REQUEST(futex_waitv, len, view<const uring::FutexWaitv>(n)),
        // The count of buffers is in fd, a signed field.
        REQUEST(provide_buffers, fd, nullptr, 1, n, 0, 0), REQUEST(remove_buffers, fd, n, 0)),
    [](const auto& info) { return info.param.name; });

// A shorter length would be accepted and mean another part of the file, or buffers at other addresses.
TEST(Lengths, ThatCannotBeSaidAreRefusedByName) {
  OneSlot ring;
  for (const u64 length : {4 * GiB, 4 * GiB + 5, ~u64{0}}) {
    EXPECT_EQ(ring.sync_file_range(1, 5, 0, length, 0), Error::length_too_large);
    EXPECT_EQ(ring.provide_buffers(1, nowhere, length, 1, 0, 0), Error::length_too_large);
    EXPECT_FALSE(ring.asked) << "queued, although it was refused";
    Sqe sqe;
    EXPECT_EXIT(uring::prep_sync_file_range(sqe, 1, 5, 0, length, 0), trapped, "");
    EXPECT_EXIT(uring::prep_provide_buffers(sqe, 1, nowhere, length, 1, 0, 0), trapped, "");
  }
  for (const u64 length : {2 * GiB - 1, 4 * GiB - 1}) {
    EXPECT_EQ(ring.sync_file_range(1, 5, 0, length, 0)->len, length);
    EXPECT_EQ(ring.provide_buffers(1, nowhere, length, 1, 0, 0)->len, length);
  }
}

// These have a field of 64 bits for what does not fit into 32.
TEST(Lengths, OfAdviceAreWhole) {
  OneSlot ring;
  for (const u64 length : around_32_bits) {
    EXPECT_EQ(ring.fadvise(1, 5, 0, length, 0)->addr + ring.sqe.len, length);
    EXPECT_EQ(ring.madvise(1, nowhere, length, 0)->off + ring.sqe.len, length);
    EXPECT_EQ(ring.fallocate(1, 5, 0, 0, length)->addr, length);
    EXPECT_EQ(ring.ftruncate(1, 5, length)->off, length);
  }
}

// The kernel has 16 bits for the size of the address, and refuses what is over 128.
TEST(Lengths, OfAnAddress) {
  OneSlot ring;
  const auto field = [&](u32 size) { return ring.sendto(1, 5, {}, 0, nullptr, size)->file_index; };
  EXPECT_EQ(field(128), uring::first_of_halves(128));
  EXPECT_EQ(field(0xfffe), uring::first_of_halves(0xfffe));
  for (const u32 size : {0xffffu, 0x10000u, 0x10010u, largest}) {
    EXPECT_EQ(field(size), uring::first_of_halves(0xffff)) << size;
  }
}

class RegisteringMany : public RingOnAPlayedKernel {
 protected:
  u32 count = 0;                   // of the last call
  std::array<u32, 8> argument{};   // its first words
  std::size_t argument_words = 0;  // how many of them to keep

  void SetUp() override {
    ASSERT_TRUE(ring.init(4).ok());
    kernel.on_register = [this](uring::RegisterOp, void* arg, u32 nr) -> long {
      count = nr;
      std::memcpy(argument.data(), arg, argument_words * sizeof(u32));
      return 0;
    };
  }
};

TEST_F(RegisteringMany, CountsUpToTheLargestNumber) {
  const auto* iovecs = reinterpret_cast<const iovec*>(nowhere);
  for (const u64 n : around_32_bits) {
    const u32 wanted = n < largest ? static_cast<u32>(n) : largest;
    argument_words = 0;
    ASSERT_TRUE(ring.register_files(view<const i32>(n)).ok());
    EXPECT_EQ(count, wanted) << n;
    ASSERT_TRUE(ring.register_files_update(Slot{0}, view<const i32>(n)).ok());
    EXPECT_EQ(count, wanted) << n;
    ASSERT_TRUE(ring.register_buffers({iovecs, n}).ok());
    EXPECT_EQ(count, wanted) << n;
    ASSERT_TRUE(ring.register_restrictions(view<const uring::Restriction>(n)).ok());
    EXPECT_EQ(count, wanted) << n;
    ASSERT_TRUE(ring.register_iowq_aff(view(n)).ok());
    EXPECT_EQ(count, wanted) << n;
    argument_words = 8;
    ASSERT_TRUE(ring.register_files_sparse(n).ok());
    EXPECT_EQ(argument[0], wanted) << n;
    ASSERT_TRUE(ring.register_buffers_sparse(n).ok());
    EXPECT_EQ(argument[0], wanted) << n;
    ASSERT_TRUE(ring.register_buffers_update(0, {iovecs, n}).ok());
    EXPECT_EQ(argument[6], wanted) << n;
    ASSERT_TRUE(ring.clone_buffers(ring, 0, 0, 0, n).ok());
    EXPECT_EQ(argument[4], wanted) << n;
    ASSERT_TRUE(ring.register_files(view<const i32>(n), view<const u64>(n)).ok());
    EXPECT_EQ(argument[0], wanted) << n;
    ASSERT_TRUE(ring.register_bpf_filter(uring::Op::nop, view<const uring::BpfInstruction>(n)).ok());
    EXPECT_EQ(argument[4], wanted) << n;
    argument_words = 4;
    ASSERT_TRUE(ring.register_file_alloc_range(Slot{0}, n).ok());
    EXPECT_EQ(argument[1], wanted) << n;
  }
}

using Buffers = RingOnAPlayedKernel;

TEST_F(Buffers, OfABufferRingAreAtMostOneTransfer) {
  std::array<uring::Buf, 1> buf_ring{};
  for (const u64 length : around_32_bits) {
    uring::buf_ring_add(buf_ring.data(), view(length), 0, 0, 0);
    EXPECT_EQ(buf_ring[0].len, most_at_once) << length;
  }
  uring::buf_ring_add(buf_ring.data(), view(most_at_once - 1), 0, 0, 0);
  EXPECT_EQ(buf_ring[0].len, most_at_once - 1);
}

TEST_F(Buffers, OfAGroupAreAtMostOneTransfer) {
  ASSERT_TRUE(ring.init(4).ok());
  uring::BufferGroup<Ring> group;
  for (const u64 size : around_32_bits) {
    EXPECT_EQ(group.init(ring, 1, view(size), size), Error::length_too_large) << size;
  }
  EXPECT_EQ(group.init(ring, 1, view(u64{most_at_once} + 1), u64{most_at_once} + 1), Error::length_too_large);
  EXPECT_TRUE(kernel.registered.empty()) << "the kernel was asked";
  ASSERT_TRUE(group.init(ring, 1, view(most_at_once), most_at_once).ok());
  EXPECT_EQ(group.buffer_size(), most_at_once);
}

// --- on this machine's kernel: the same as the system call -------------------------------------------------

class ThisKernel : public testing::Test {
 protected:
  uring::Ring ring;
  std::byte* memory = nullptr;  // more than 4 GiB of addresses, and no memory until it is touched
  static constexpr u64 reserved = 5 * GiB;
  int sockets[2] = {-1, -1};
  std::FILE* file = std::tmpfile();

  void SetUp() override {
    ASSERT_TRUE(ring.init(4).ok()) << "no io_uring here";
    void* const made =
        ::mmap(nullptr, reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ASSERT_NE(made, MAP_FAILED);
    memory = static_cast<std::byte*>(made);
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    ASSERT_EQ(::pwrite(fd(), "hello", 5, 0), 5);
  }
  void TearDown() override {
    ring.close();
    ::munmap(memory, reserved);
    std::fclose(file);
    for (const int socket : sockets) ::close(socket);
  }

  int fd() const { return ::fileno(file); }
  // What the queued request completed with.
  long result() {
    EXPECT_EQ(ring.submit_and_wait(1), 1);
    uring::Cqe cqe;
    EXPECT_TRUE(ring.copy_cqe(cqe).ok());
    return cqe.res;
  }
};

// What a system call returned, in the way of a CQE.
long plain(long returned) { return returned == -1 ? -errno : returned; }

TEST_F(ThisKernel, ReadsAShortFileIntoALongBuffer) {
  for (const u64 length : around_32_bits) {
    ring.read(1, fd(), {memory, length}, 0).value();
    EXPECT_EQ(result(), plain(::pread(fd(), memory, length, 0))) << length;
    EXPECT_EQ(plain(::pread(fd(), memory, length, 0)), 5);
  }
}

TEST_F(ThisKernel, WritesAsMuchAsOneSystemCall) {
  std::FILE* const null = std::fopen("/dev/null", "w");  // counts the bytes, and reads none
  ASSERT_NE(null, nullptr);
  for (const u64 length : around_32_bits) {
    ring.write(1, ::fileno(null), {memory, length}, 0).value();
    EXPECT_EQ(result(), plain(::pwrite(::fileno(null), memory, length, 0))) << length;
  }
  std::fclose(null);
}

TEST_F(ThisKernel, ReceivesAShortMessageIntoALongBuffer) {
  for (const u64 length : around_32_bits) {
    ASSERT_EQ(::send(sockets[0], "hello", 5, 0), 5);
    ring.recv(1, sockets[1], {memory, length}, 0).value();
    EXPECT_EQ(result(), 5) << length;
    ASSERT_EQ(::send(sockets[0], "hello", 5, 0), 5);
    EXPECT_EQ(plain(::recv(sockets[1], memory, length, 0)), 5) << length;
  }
}

// As much as the socket takes: a number that depends on the machine, but that is not 0.
TEST_F(ThisKernel, SendsTheBeginningOfALongMessage) {
  for (const u64 length : around_32_bits) {
    int pair[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    const long wanted = plain(::send(pair[0], memory, length, MSG_DONTWAIT));
    EXPECT_GT(wanted, 0);
    ::close(pair[0]);
    ::close(pair[1]);
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    ring.send(1, pair[0], {memory, length}, MSG_DONTWAIT).value();
    EXPECT_EQ(result(), wanted) << length;
    ::close(pair[0]);
    ::close(pair[1]);
  }
}

TEST_F(ThisKernel, RefusesCountsThatAreFarTooLarge) {
  const auto* iovecs = reinterpret_cast<const iovec*>(memory);
  for (const u64 count : around_32_bits) {
    ring.readv(1, fd(), {iovecs, count}, 0).value();
    EXPECT_EQ(result(), -EINVAL) << count;
    EXPECT_EQ(ring.register_files({reinterpret_cast<i32*>(memory), count}), Error::mfile) << count;
    EXPECT_EQ(ring.register_buffers({iovecs, count}), Error::inval) << count;
  }
}

}  // namespace
