// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// openat_direct/close_direct: opens a file straight into the table of registered files, into slots that we
// choose and into one that the kernel chooses, and empties the slots again. No descriptor is ever made.
//
// Needs kernel-chosen slots (5.19); direct open and close as such are 5.15. The io_uring of 5.15 takes the
// all ones that mean "choose" for a slot beyond the table, and refuses them with EINVAL; kernels before 5.15
// do not look at the field and return an ordinary descriptor.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "fixture/files.h"
#include "fixture/ring_test.h"

namespace {

using namespace conformance;

constexpr binding::Slot any_slot{wire::file_index_alloc};

class OpenatDirectCloseDirect : public SizedRingTest {
 protected:
  TempDir dir;
  const char* path = "test_io_uring_close_direct";

  // Three empty slots.
  void register_table(Site site = Site::here()) { register_empty_slots(3, site); }

  // Without O_CLOEXEC, which only descriptors have: a direct open rejects it.
  binding::Result<binding::Sqe&> open(const char* name, binding::Slot slot) {
    return ring.openat_direct(0, dir.fd(), name, O_RDWR | O_CREAT, 0666, slot);
  }
  // The field has 0 for "no slot", so the number in it is one more than the slot.
  wire::Sqe open_wanted(const char* name, std::uint32_t file_index) const {
    return {.opcode = wire::op::openat,
            .fd = dir.fd(),
            .addr = wire::address(name),
            .len = 0666,
            .op_flags = O_RDWR | O_CREAT,
            .file_index = file_index};
  }
  wire::Cqe complete(Site site = Site::here()) {
    submit(1, site);
    return wait_cqe(site);
  }
  wire::Cqe close(std::uint32_t slot, Site site = Site::here()) {
    EXPECT_EQ_AT(site, wire_of(must(ring.close_direct(0, binding::Slot{slot}), site)),
                 (wire::Sqe{.opcode = wire::op::close, .file_index = slot + 1}));
    return complete(site);
  }
  static wire::Cqe done(std::int32_t res) { return {.user_data = 0, .res = res, .flags = 0}; }

  // What the file in the slot says; "EBADF" if there is none.
  std::string read_slot(std::int32_t slot, Site site = Site::here()) {
    std::string content(8, '?');
    binding::Sqe& sqe = must(ring.read(0x5107, slot, std::as_writable_bytes(std::span(content)), 0), site);
    sqe.flags |= wire::fixed_file;
    const wire::Cqe cqe = complete(site);
    if (cqe.res == -EBADF) return "EBADF";
    EXPECT_GE(cqe.res, 0) << wire::to_string(cqe);
    content.resize(static_cast<std::size_t>(std::max(cqe.res, 0)));
    return content;
  }
  // A file to be opened, whose content is its name.
  void create(const std::string& name, Site site = Site::here()) const {
    const Fd file = dir.create(name.c_str(), O_WRONLY);
    EXPECT_EQ_AT(site, ::write(file.get(), name.data(), name.size()), static_cast<ssize_t>(name.size()));
  }

  std::string witness(Site site = Site::here()) {
    // What the kernel cannot be asked for without the row is judged by its bytes.
    expect_encoding(open(path, binding::Slot{1}), open_wanted(path, 2), site);
    expect_encoding(ring.close_direct(0, binding::Slot{1}), {.opcode = wire::op::close, .file_index = 2},
                    site);
    // A refusal for want of a slot comes late: the file has been opened by then, and if need be made (so it
    // was on 5.10.262). It exists beforehand here, and "nothing happened" is about the table.
    create(path, site);
    if (kernel_has(wire::op::openat)) register_table(site);  // before 5.5 there are no empty slots
    return refused(
        [&] { return open(path, any_slot); }, open_wanted(path, wire::file_index_alloc),
        [&]() -> std::string {
          for (int slot = 0; slot < 3 && kernel_has(wire::op::read); ++slot) {
            if (read_slot(slot, site) != "EBADF") return "a file is in slot " + std::to_string(slot);
          }
          return "";
        },
        Modifier{.name = "a slot of the kernel's choice", .proxy = wire::op::socket, .in_file_index = true},
        site);
  }
};

TEST_P(OpenatDirectCloseDirect, FillsAndEmptiesThreeSlots) {
  if (!kernel_has(wire::op::socket)) GTEST_SKIP() << witness();  // of the same release
  register_table();
  // A slot that we chose is not reported back.
  for (const std::uint32_t slot : {0u, 1u}) {
    EXPECT_EQ(wire_of(must(open(path, binding::Slot{slot}))), open_wanted(path, slot + 1));
    EXPECT_EQ(complete(), done(0));
  }
  EXPECT_EQ(wire_of(must(open(path, any_slot))), open_wanted(path, wire::file_index_alloc));
  EXPECT_EQ(complete(), done(2));
  EXPECT_TRUE(dir.has(path));

  for (const std::uint32_t slot : {0u, 1u, 2u}) EXPECT_EQ(close(slot), done(0));
  for (const int slot : {0, 1, 2}) EXPECT_EQ(read_slot(slot), "EBADF");
}

// With the same file in every slot, one slot is as good as another.
TEST_P(OpenatDirectCloseDirect, KeepsTheSlotsApart) {
  if (!kernel_has(wire::op::socket)) GTEST_SKIP() << witness();
  for (const char* name : {"a", "b", "c"}) create(name);
  register_table();
  must(open("b", binding::Slot{2}));
  EXPECT_EQ(complete(), done(0));
  must(open("a", binding::Slot{0}));
  EXPECT_EQ(complete(), done(0));
  EXPECT_EQ(read_slot(0), "a");
  EXPECT_EQ(read_slot(1), "EBADF");
  EXPECT_EQ(read_slot(2), "b");

  // Into a slot that is taken: the file there makes room.
  must(open("c", binding::Slot{2}));
  EXPECT_EQ(complete(), done(0));
  EXPECT_EQ(close(0), done(0));
  EXPECT_EQ(read_slot(0), "EBADF");
  EXPECT_EQ(read_slot(2), "c");
}

// The kernel's choice is a slot that is free, and when none is it says so.
TEST_P(OpenatDirectCloseDirect, ChoosesFreeSlotsOnly) {
  if (!kernel_has(wire::op::socket)) GTEST_SKIP() << witness();
  register_table();
  for (int i = 0; i < 3; ++i) {
    must(open(path, any_slot));
    EXPECT_EQ(complete().res, i);
  }
  must(open(path, any_slot));
  EXPECT_EQ(complete(), done(-ENFILE));
  EXPECT_EQ(close(1), done(0));
  must(open(path, any_slot));
  EXPECT_EQ(complete(), done(1));
}

// A slot can be emptied once.
TEST_P(OpenatDirectCloseDirect, ReportsASlotThatIsEmpty) {
  if (!kernel_has(wire::op::socket)) GTEST_SKIP() << witness();
  register_table();
  must(open(path, binding::Slot{1}));
  EXPECT_EQ(complete(), done(0));
  for (const int res : {0, -EBADF}) EXPECT_EQ(close(1), done(res));
  EXPECT_EQ(close(0), done(-EBADF));
}

INSTANTIATE_TEST_SUITE_P(, OpenatDirectCloseDirect, testing::Values(2, 8), ring_size_name);

}  // namespace
