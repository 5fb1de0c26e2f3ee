// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// slots that the kernel chooses: with IORING_FILE_INDEX_ALLOC a request takes any free slot of the table and
// says which; a range keeps the rest for slots that the program numbers itself.
//
// Needs IORING_REGISTER_FILE_ALLOC_RANGE and FILE_INDEX_ALLOC in FILES_UPDATE (6.0, io_uring_register(2);
// FILE_INDEX_ALLOC alone is 5.19). Before, an unknown registration is refused.

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "fixture/sockets.h"

namespace {

using namespace conformance;

constexpr binding::Slot any_slot{wire::file_index_alloc};

class FileSlotsAlloc : public AnySocketTest {
 protected:
  FileSlotsAlloc() : AnySocketTest(8, 0) {}

  TempDir dir;
  std::array<std::int32_t, 3> fds{};
  std::vector<Fd> files;

  // Three files, whose descriptors are in `fds`: that at index i holds i + 1 bytes.
  void make_files(Site site = Site::here()) {
    for (const char* content : {"a", "bb", "ccc"}) {
      Fd file = dir.create(content, O_RDWR, site);
      if (write(file.get(), content, std::strlen(content)) < 0) stop_errno(site, "write");
      fds[files.size()] = file.get();
      files.push_back(std::move(file));
    }
  }
  // Puts all of `fds` into slots of the kernel's choice, which `fds` names afterwards.
  wire::Cqe update(Site site = Site::here()) {
    EXPECT_EQ_AT(site, wire_of(must(ring.files_update(1, fds, any_slot), site)),
                 (wire::Sqe{.opcode = wire::op::files_update,
                            .fd = -1,
                            .off = wire::file_index_alloc,
                            .addr = wire::address(fds.data()),
                            .len = 3,
                            .user_data = 1}));
    return complete(site);
  }
  wire::Cqe read_slot(std::int32_t slot, Site site = Site::here()) {
    std::array<std::byte, 8> buffer{};
    must(ring.read(2, slot, buffer, 0), site).flags |= wire::fixed_file;
    return complete(site);
  }
  static wire::Cqe read_of(std::int32_t res) { return {.user_data = 2, .res = res, .flags = 0}; }
  wire::Cqe open(binding::Slot slot, Site site = Site::here()) {
    must(ring.openat_direct(3, AT_FDCWD, "/dev/zero", O_RDONLY, 0, slot), site);
    return complete(site);
  }
  void close(std::uint32_t slot, Site site = Site::here()) {
    must(ring.close_direct(4, binding::Slot{slot}), site);
    EXPECT_EQ_AT(site, complete(site), (wire::Cqe{.user_data = 4, .res = 0, .flags = 0}));
  }
  // Takes the slot that a request with this CQE chose from 4 and 5, and empties it again.
  void expect_in_range(const wire::Cqe& cqe, Site site = Site::here()) {
    if (!expect_one_of(site, "the slot that was chosen", cqe.res, {4, 5})) return;
    EXPECT_EQ_AT(site, cqe.flags, 0u);
    close(static_cast<std::uint32_t>(cqe.res), site);
  }
  long set_range(wire::FileIndexRange range, unsigned count = 0) {
    return do_register(wire::register_op::file_alloc_range, &range, count);
  }
  std::string witness() {
    return registration_refused(
        "REGISTER_FILE_ALLOC_RANGE",
        [&] { return binding::errno_of(ring.register_file_alloc_range(binding::Slot{0}, 1).error()); },
        wire::op::send_zc);
  }
};

// Three descriptors become three slots, all different.
TEST_F(FileSlotsAlloc, TakesThreeFreeSlots) {
  if (!kernel_has(wire::op::send_zc)) GTEST_SKIP() << witness();
  register_empty_slots(6);
  make_files();
  EXPECT_EQ(update(), (wire::Cqe{.user_data = 1, .res = 3, .flags = 0}));
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(read_slot(fds[static_cast<std::size_t>(i)]), read_of(i + 1))
        << fds[static_cast<std::size_t>(i)];
  std::ranges::sort(fds);
  EXPECT_EQ(std::ranges::adjacent_find(fds), fds.end());
}

// Only the slots of the range are chosen. An update that finds no more says how many it has done.
TEST_F(FileSlotsAlloc, StaysInsideTheRange) {
  if (!kernel_has(wire::op::send_zc)) GTEST_SKIP() << witness();
  register_empty_slots(6);
  EXPECT_TRUE(ring.register_file_alloc_range(binding::Slot{4}, 2).ok());
  make_files();
  EXPECT_EQ(update(), (wire::Cqe{.user_data = 1, .res = 2, .flags = 0}));
  EXPECT_EQ(read_slot(fds[0]), read_of(1));
  EXPECT_EQ(read_slot(fds[1]), read_of(2));
  std::sort(fds.begin(), fds.begin() + 2);
  EXPECT_EQ(fds[0], 4);
  EXPECT_EQ(fds[1], 5);
  EXPECT_EQ(update(), (wire::Cqe{.user_data = 1, .res = -ENFILE, .flags = 0}));
}

// So does every request that makes a file.
TEST_F(FileSlotsAlloc, BindsEveryRequestThatMakesAFile) {
  if (!kernel_has(wire::op::send_zc)) GTEST_SKIP() << witness();
  register_empty_slots(6);
  EXPECT_TRUE(ring.register_file_alloc_range(binding::Slot{4}, 2).ok());
  expect_in_range(open(any_slot));
  must(ring.socket_direct_alloc(3, AF_UNIX, SOCK_STREAM, 0, 0));
  expect_in_range(complete());
  const Fd listener = tcp_listener(), client = tcp_client(listener.get());
  must(ring.accept_direct(3, listener.get(), nullptr, nullptr, 0, any_slot));
  expect_in_range(complete());
}

// A slot that the program names is where it says, and the next that the kernel chooses is in the range again.
TEST_F(FileSlotsAlloc, IsNotLedAstrayByASlotThatIsNamed) {
  if (!kernel_has(wire::op::send_zc)) GTEST_SKIP() << witness();
  register_empty_slots(6);
  EXPECT_TRUE(ring.register_file_alloc_range(binding::Slot{4}, 2).ok());
  EXPECT_EQ(open(binding::Slot{0}), (wire::Cqe{.user_data = 3, .res = 0, .flags = 0}));
  EXPECT_EQ(read_slot(0), read_of(8));
  expect_in_range(open(any_slot));
}

TEST_F(FileSlotsAlloc, BindsBothEndsOfAPipe) {
  if (!kernel_has(wire::op::send_zc)) GTEST_SKIP() << witness();
  register_empty_slots(6);
  EXPECT_TRUE(ring.register_file_alloc_range(binding::Slot{4}, 2).ok());
  must(ring.pipe_direct(3, std::span(fds).first<2>(), 0, any_slot));
  if (!kernel_has(wire::op::pipe)) {  // 6.16
    EXPECT_EQ(complete(), (wire::Cqe{.user_data = 3, .res = -EINVAL, .flags = 0}));
    return;
  }
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 3, .res = 0, .flags = 0}));
  std::sort(fds.begin(), fds.begin() + 2);
  EXPECT_EQ(fds, (std::array<std::int32_t, 3>{4, 5, 0}));
}

// A slot that is emptied can be chosen again; when none is left, a request says so.
TEST_F(FileSlotsAlloc, TakesASlotThatWasEmptied) {
  if (!kernel_has(wire::op::send_zc)) GTEST_SKIP() << witness();
  register_empty_slots(6);
  EXPECT_TRUE(ring.register_file_alloc_range(binding::Slot{3}, 3).ok());
  std::vector<std::int32_t> taken;
  for (int i = 0; i < 3; ++i) taken.push_back(open(any_slot).res);
  std::ranges::sort(taken);
  EXPECT_EQ(taken, (std::vector<std::int32_t>{3, 4, 5}));
  for (const int slot : {4, 3, 5}) {
    EXPECT_EQ(open(any_slot), (wire::Cqe{.user_data = 3, .res = -ENFILE, .flags = 0}));
    close(static_cast<std::uint32_t>(slot));
    EXPECT_EQ(open(any_slot), (wire::Cqe{.user_data = 3, .res = slot, .flags = 0}));
  }
}

TEST_F(FileSlotsAlloc, RefusesARangeThatIsNotThere) {
  if (!kernel_has(wire::op::send_zc)) GTEST_SKIP() << witness();
  EXPECT_EQ(open(any_slot), (wire::Cqe{.user_data = 3, .res = -ENFILE, .flags = 0})) << "without a table";
  register_empty_slots(6);
  // io_uring_register(2) says that the count must be 1.
  EXPECT_EQ(set_range({.off = 4, .len = 2, .resv = 0}, 1), -EINVAL);
  EXPECT_EQ(set_range({.off = 4, .len = 3, .resv = 0}), -EINVAL);
  EXPECT_EQ(set_range({.off = 4, .len = 2, .resv = 1}), -EINVAL);
  EXPECT_EQ(set_range({.off = 4, .len = ~0u, .resv = 0}), -EOVERFLOW);
  // No range is in force.
  const wire::Cqe first = open(any_slot);
  EXPECT_GE(first.res, 0);
  EXPECT_LT(first.res, 4);
  EXPECT_EQ(set_range({.off = 4, .len = 2, .resv = 0}), 0);
  expect_in_range(open(any_slot));
}

}  // namespace
