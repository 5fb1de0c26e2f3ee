// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// registered buffers: a table of memory that is pinned once, and then named by its index. Its places can be
// empty at first, and filled, replaced and emptied later.
//
// Needs IORING_REGISTER_BUFFERS2 with IORING_RSRC_REGISTER_SPARSE (5.19, io_uring_register(2)). Before, the
// flag is unknown.

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "fixture/memory_limit.h"
#include "fixture/sockets.h"
#include "seam/kernel_abi.h"

namespace {

using namespace conformance;

constexpr std::size_t page = 4096;
using Pages = std::array<unsigned char, 2 * page>;

class RegisteredBuffers : public RingTest<8> {
 protected:
  static constexpr std::uint16_t place = 2;  // of 4

  alignas(page) Pages memory{}, other{};

  bool kernel_has_empty_places() const { return kernel_has(wire::op::socket); }  // 5.19
  std::string witness() {
    return registration_refused(
        "BUFFERS2 with SPARSE", [&] { return binding::errno_of(ring.register_buffers_sparse(4).error()); },
        wire::op::socket);
  }
  void register_places(Site site = Site::here()) {
    EXPECT_EQ_AT(site, must(ring.register_buffers_sparse(4), site), 0u);
  }
  void fill(iovec buffer, Site site = Site::here()) {
    const auto filled = when_there_is_room([&] { return ring.register_buffers_update(place, &buffer, 1); });
    EXPECT_EQ_AT(site, must(filled, site), 1u);
  }
  static iovec all_of(Pages& pages) { return {pages.data(), pages.size()}; }

  // Reads 100 bytes into the memory, across the end of its first page.
  static constexpr std::size_t from = page - 50, length = 100;
  wire::Sqe wanted(int fd, const Pages& pages, std::uint16_t index = place) const {
    return {.opcode = wire::op::read_fixed,
            .fd = fd,
            .addr = wire::address(pages.data() + from),
            .len = length,
            .user_data = 1,
            .buf_index = index};
  }
  void queue_read(int fd, Pages& pages, Site site = Site::here()) {
    const auto part = std::as_writable_bytes(std::span(pages)).subspan(from, length);
    EXPECT_EQ_AT(site, wire_of(must(ring.read_fixed(1, fd, part, 0, place), site)), wanted(fd, pages));
  }
  void expect_unreachable(Pages& pages, Site site = Site::here()) {
    queue_read(zero.get(), pages, site);
    EXPECT_EQ_AT(site, complete(site), (wire::Cqe{.user_data = 1, .res = -EFAULT, .flags = 0}));
  }
  // Nothing but the 100 bytes was written.
  static void expect_only_those(const Pages& pages, unsigned char byte, Site site = Site::here()) {
    Pages want{};
    std::fill_n(want.begin() + from, length, byte);
    if (pages != want) ADD_FAILURE_AT(site.file, site.line) << "not the 100 bytes across the end of the page";
  }

  Fd zero = open_file("/dev/zero", O_RDONLY);
};

TEST_F(RegisteredBuffers, FillsAnEmptyPlace) {
  if (!kernel_has_empty_places()) GTEST_SKIP() << witness();
  const TempDir dir;
  const Fd file = dir.create("file", O_RDWR);
  const std::string text(length, 'a');
  ASSERT_EQ(write(file.get(), text.data(), length), static_cast<ssize_t>(length));

  register_places();
  expect_unreachable(memory);
  fill(all_of(memory));
  queue_read(file.get(), memory);
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 1, .res = length, .flags = 0}));
  expect_only_those(memory, 'a');

  // And back from there.
  const auto part = std::as_bytes(std::span(memory)).subspan(from, length);
  wire::Sqe write_wanted = wanted(file.get(), memory);
  write_wanted.opcode = wire::op::write_fixed;
  write_wanted.off = length;
  EXPECT_EQ(wire_of(must(ring.write_fixed(1, file.get(), part, length, place))), write_wanted);
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 1, .res = length, .flags = 0}));
  std::string back(length, '-');
  ASSERT_EQ(pread(file.get(), back.data(), length, length), static_cast<ssize_t>(length));
  EXPECT_EQ(back, text);
  EXPECT_EQ(must(ring.unregister_buffers()), 0u);
}

// The old memory is out of reach, and the new one within.
TEST_F(RegisteredBuffers, ReplacesWhatIsInAPlace) {
  if (!kernel_has_empty_places()) GTEST_SKIP() << witness();
  register_places();
  fill(all_of(memory));
  fill(all_of(other));
  other.fill(1);
  expect_unreachable(memory);
  queue_read(zero.get(), other);
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 1, .res = length, .flags = 0}));
  EXPECT_EQ(std::ranges::count(other, 0), static_cast<std::ptrdiff_t>(length));
  EXPECT_TRUE(
      std::ranges::all_of(std::span(other).subspan(from, length), [](int byte) { return byte == 0; }));
}

// An empty iovec empties it.
TEST_F(RegisteredBuffers, EmptiesAPlace) {
  if (!kernel_has_empty_places()) GTEST_SKIP() << witness();
  register_places();
  fill(all_of(memory));
  fill({nullptr, 0});
  expect_unreachable(memory);
}

// The table may be taken away while a read into it waits: that one still ends in the memory it was given.
// From 6.16 on (PIPE) the call does not wait for it. Before, it does, so there the bytes must come from
// somebody else.
TEST_F(RegisteredBuffers, UnregistersWhileAReadWaits) {
  if (!kernel_has_empty_places()) GTEST_SKIP() << witness();
  const SocketPair sockets;
  const std::string text(length, 'b');
  register_places();
  fill(all_of(memory));
  queue_read(sockets.ours.get(), memory);
  submit(1);
  std::thread sender;
  if (!kernel_has(wire::op::pipe)) {
    sender = std::thread([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      sockets.send(text);
    });
  }
  const auto unregistered = ring.unregister_buffers();
  if (sender.joinable()) {
    sender.join();
  } else {
    sockets.send(text);
  }
  EXPECT_EQ(must(unregistered), 0u);
  EXPECT_EQ(wait_cqe(), (wire::Cqe{.user_data = 1, .res = length, .flags = 0}));
  expect_only_those(memory, 'b');
}

// Other reads do not mind. (io_uring_enter(2) says that READV is EINVAL then; no kernel does that.)
TEST_F(RegisteredBuffers, LeavesOtherReadsAlone) {
  if (!kernel_has_empty_places()) GTEST_SKIP() << witness();
  register_places();
  fill(all_of(memory));
  other.fill(1);
  const iovec part{other.data(), 16};
  must(ring.readv(1, zero.get(), &part, 1, 0));
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 1, .res = 16, .flags = 0}));
  EXPECT_EQ(std::ranges::count(other, 0), 16);
}

// Memory of a file may be registered if its file system allows that for good, as that of memfd_create(2) does
// (and ext4 does not).
TEST_F(RegisteredBuffers, MayBeMemoryOfAFile) {
  if (!kernel_has_empty_places()) GTEST_SKIP() << witness();
  const Fd file(memfd_create("registered", MFD_CLOEXEC));
  ASSERT_EQ(ftruncate(file.get(), page), 0) << strerrorname_np(errno);
  void* const mapped = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  ASSERT_NE(mapped, MAP_FAILED) << strerrorname_np(errno);
  register_places();
  fill({mapped, page});
  EXPECT_EQ(must(ring.unregister_buffers()), 0u);
  EXPECT_EQ(munmap(mapped, page), 0);
}

// A request reaches no memory but that of its place.
TEST_F(RegisteredBuffers, RefusesOtherMemory) {
  if (!kernel_has_empty_places()) GTEST_SKIP() << witness();
  expect_unreachable(memory);  // no table
  register_places();
  fill({memory.data(), from + length - 1});
  expect_unreachable(memory);  // one byte too far
  const wire::Sqe beyond = wanted(zero.get(), memory, 4);
  EXPECT_EQ(complete(beyond), (wire::Cqe{.user_data = 1, .res = -EFAULT, .flags = 0}));
  expect_only_those(memory, 0);
}

// What cannot be registered, and in which way. Nothing is registered afterwards.
class RegisteredBuffersAtRefusals : public RegisteredBuffers {
 protected:
  long do_register_buffers(const std::vector<iovec>& buffers) const {
    return do_register(wire::register_op::buffers, buffers.data(), static_cast<unsigned>(buffers.size()));
  }
  // Read-only memory of this size, of which nothing is there yet.
  struct Mapping {
    explicit Mapping(std::size_t size, Site site = Site::here())
        : size(size),
          address(mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {
      if (address == MAP_FAILED) stop_errno(site, "mmap");
    }
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;
    ~Mapping() { munmap(address, size); }
    std::size_t size;
    void* address;
  };
};

TEST_F(RegisteredBuffersAtRefusals, OfMemory) {
  if (!kernel_has_empty_places()) GTEST_SKIP() << witness();
  EXPECT_EQ(do_register(wire::register_op::buffers, nullptr, 1), -EFAULT);
  EXPECT_EQ(do_register(wire::register_op::buffers, memory.data(), 0), -EINVAL);
  EXPECT_EQ(do_register_buffers({{nullptr, 1}}), -EFAULT);
  EXPECT_EQ(do_register_buffers({{memory.data(), 0}}), -EFAULT);
  void* const gone = [] { return Mapping(page).address; }();
  EXPECT_EQ(do_register_buffers({{gone, page}}), -EFAULT);
  // 1 GiB is the most for a buffer, and 1 TiB from 7.2 on, where more is EINVAL. Here is not so much memory.
  EXPECT_EQ(do_register_buffers({{memory.data(), (1ul << 30) + 1}}), -EFAULT);
  expect_one_of(Site::here(), "1 TiB and a byte", do_register_buffers({{memory.data(), (1ul << 40) + 1}}),
                std::vector<long>{-EFAULT, -EINVAL});
  EXPECT_EQ(do_register(wire::register_op::unregister_buffers, nullptr, 0), -ENXIO);
}

// The table has at most 16384 places (UIO_MAXIOV, 1024, before 5.13).
TEST_F(RegisteredBuffersAtRefusals, OfTables) {
  if (!kernel_has_empty_places()) GTEST_SKIP() << witness();
  constexpr unsigned most = 1u << 14;
  EXPECT_EQ(do_register_buffers(std::vector<iovec>(most + 1)), -EINVAL);
  EXPECT_EQ(do_register_buffers(std::vector<iovec>(most)), 0);
  EXPECT_EQ(do_register_buffers({all_of(memory)}), -EBUSY);
  EXPECT_EQ(do_register(wire::register_op::unregister_buffers, memory.data(), 0), -EINVAL);
  EXPECT_EQ(do_register(wire::register_op::unregister_buffers, nullptr, 1), -EINVAL);
  EXPECT_EQ(do_register(wire::register_op::unregister_buffers, nullptr, 0), 0);
  EXPECT_EQ(do_register_buffers({all_of(memory)}), 0);
  EXPECT_EQ(do_register(wire::register_op::unregister_buffers, nullptr, 0), 0);
}

TEST_F(RegisteredBuffersAtRefusals, OfTheStruct) {
  if (!kernel_has_empty_places()) GTEST_SKIP() << witness();
  const wire::RsrcRegister good{.nr = 4, .flags = wire::rsrc_register_sparse};
  wire::RsrcRegister resv = good, data = good, none = good, unknown = good;
  resv.resv2 = 1;
  data.data = wire::address(memory.data());
  none.nr = 0;
  unknown.flags |= 2;
  const auto op = wire::register_op::buffers2;
  for (const wire::RsrcRegister& bad : {resv, data, none, unknown}) {
    EXPECT_EQ(do_register(op, &bad, sizeof bad), -EINVAL);
  }
  EXPECT_EQ(do_register(op, &good, sizeof good - 1), -EINVAL);
  EXPECT_EQ(do_register(op, &good, sizeof good), 0);
}

TEST_F(RegisteredBuffersAtRefusals, OfUpdates) {
  if (!kernel_has_empty_places()) GTEST_SKIP() << witness();
  const iovec buffer = all_of(memory);
  wire::RsrcUpdate2 update{.offset = 4, .data = wire::address(&buffer), .nr = 1};
  EXPECT_EQ(do_register(wire::register_op::buffers_update, &update, sizeof update), -ENXIO);
  register_places();
  EXPECT_EQ(do_register(wire::register_op::buffers_update, &update, sizeof update), -EINVAL);
  update.offset = 3;
  update.nr = 2;
  EXPECT_EQ(do_register(wire::register_op::buffers_update, &update, sizeof update), -EINVAL);
}

// Pinned memory counts against RLIMIT_MEMLOCK.
TEST_F(RegisteredBuffersAtRefusals, OfMoreThanTheLimit) {
  if (!kernel_has_empty_places()) GTEST_SKIP() << witness();
  constexpr std::size_t limit = 64 * 1024, too_much = 1024 * 1024;
  const Mapping large(too_much);
  ASSERT_EQ(mprotect(large.address, large.size, PROT_READ | PROT_WRITE), 0) << strerrorname_np(errno);
  const iovec buffer{large.address, large.size};
  const int error = in_a_limited_child(
      limit, [&](binding::Ring& own) { return binding::errno_of(own.register_buffers(&buffer, 1).error()); });
  EXPECT_EQ(error, ENOMEM);
}

}  // namespace
