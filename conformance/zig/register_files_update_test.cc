// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// register_files_update: puts another file into a slot of the table, leaves it there while the slot beside it
// changes, and takes it out again.
//
// Needs READ (5.6), and tables with empty slots and IORING_REGISTER_FILES_UPDATE (5.5).

#include <fcntl.h>
#include <unistd.h>

#include "fixture/files.h"
#include "fixture/ring_test.h"

namespace {

using namespace conformance;

class RegisterFilesUpdate : public SizedRingTest {
 protected:
  using Table = std::array<std::int32_t, 2>;

  std::array<unsigned char, 128> buffer;

  RegisterFilesUpdate() { buffer.fill(42); }

  binding::Result<binding::Sqe&> queue_read(std::int32_t slot) {
    const auto queued = ring.read(0xcccccccc, slot, std::as_writable_bytes(std::span(buffer)), 0);
    if (queued.ok()) queued->flags |= wire::fixed_file;
    return queued;
  }
  wire::Sqe wanted(std::int32_t slot) const {
    return {.opcode = wire::op::read,
            .flags = wire::fixed_file,
            .fd = slot,
            .addr = wire::address(buffer.data()),
            .len = 128,
            .user_data = 0xcccccccc};
  }
  // Reads the file in the slot into a buffer that never looks like it already did.
  wire::Cqe read_slot(std::int32_t slot, Site site = Site::here()) {
    buffer.fill(42);
    EXPECT_EQ_AT(site, wire_of(must(queue_read(slot), site)), wanted(slot));
    submit(1, site);
    return wait_cqe(site);
  }
  // No -1 in this table: 5.4, which lacks the row, rejects it.
  std::string witness(Site site = Site::here()) {
    const Fd zero = open_file("/dev/zero", O_RDONLY, site);
    const std::array<std::int32_t, 1> table{zero.get()};
    must(ring.register_files(table), site);
    return refused([&] { return queue_read(0); }, wanted(0),
                   [&] { return buffer[0] != 42 ? "the buffer changed" : ""; }, std::nullopt, site);
  }
};

TEST_P(RegisterFilesUpdate, ReplacesAndRemovesFiles) {
  if (!kernel_has(wire::op::read)) GTEST_SKIP() << witness();
  const Fd first = open_file("/dev/zero", O_RDONLY);
  Table table{first.get(), -1};
  ASSERT_TRUE(ring.register_files(table).ok());
  const Fd second = open_file("/dev/zero", O_RDONLY);
  table[0] = second.get();
  // An update answers with the number of slots, which is no error.
  EXPECT_EQ(ring.register_files_update(binding::Slot{0}, table), 2);

  constexpr std::array<unsigned char, 128> zeros{};
  EXPECT_EQ(read_slot(0), (wire::Cqe{.user_data = 0xcccccccc, .res = 128, .flags = 0}));
  EXPECT_EQ(buffer, zeros);

  // Only the second slot: were the offset lost, the first would be empty now.
  table = {-1, -1};
  EXPECT_EQ(ring.register_files_update(binding::Slot{1}, std::span(table).subspan(1)), 1);
  EXPECT_EQ(read_slot(0), (wire::Cqe{.user_data = 0xcccccccc, .res = 128, .flags = 0}));
  EXPECT_EQ(buffer, zeros);

  EXPECT_EQ(ring.register_files_update(binding::Slot{0}, table), 2);
  EXPECT_EQ(read_slot(0), (wire::Cqe{.user_data = 0xcccccccc, .res = -EBADF, .flags = 0}));
  EXPECT_EQ(buffer[0], 42);
  EXPECT_TRUE(ring.unregister_files().ok());
}

// One /dev/zero reads like the other. Here each file says which it is, both slots are in use, and our own
// descriptors are closed: what a slot holds is a file and not a number.
TEST_P(RegisterFilesUpdate, ReadsTheFileThatIsInTheSlotNow) {
  if (!kernel_has(wire::op::read)) GTEST_SKIP() << witness();
  const TempDir dir;
  const auto file_that_says = [&](const char* name, char letter) {
    Fd file = dir.create(name, O_RDWR);
    EXPECT_EQ(pwrite(file.get(), &letter, 1, 0), 1);
    return file;
  };
  {
    const Fd a = file_that_says("a", 'a'), b = file_that_says("b", 'b'), c = file_that_says("c", 'c');
    ASSERT_TRUE(ring.register_files(Table{a.get(), b.get()}).ok());
    EXPECT_EQ(ring.register_files_update(binding::Slot{1}, std::array<std::int32_t, 1>{c.get()}), 1);
  }
  for (const auto& [slot, letter] : {std::pair{0, 'a'}, std::pair{1, 'c'}}) {
    EXPECT_EQ(read_slot(slot), (wire::Cqe{.user_data = 0xcccccccc, .res = 1, .flags = 0}));
    EXPECT_EQ(buffer[0], letter) << "in slot " << slot;
  }
  EXPECT_TRUE(ring.unregister_files().ok());
}

// What cannot be updated is refused by the call, and a table keeps its files then.
TEST_P(RegisterFilesUpdate, RefusesSlotsThatAreNotThere) {
  if (!kernel_has(wire::op::read)) GTEST_SKIP() << witness();
  const Fd zero = open_file("/dev/zero", O_RDONLY);
  const Table table{zero.get(), -1};
  EXPECT_EQ(binding::errno_of(ring.register_files_update(binding::Slot{0}, table).error()), ENXIO)
      << "without a table";
  ASSERT_TRUE(ring.register_files(table).ok());
  EXPECT_EQ(binding::errno_of(ring.register_files_update(binding::Slot{1}, table).error()), EINVAL)
      << "one too far";
  EXPECT_EQ(read_slot(0), (wire::Cqe{.user_data = 0xcccccccc, .res = 128, .flags = 0}));
  EXPECT_EQ(read_slot(1), (wire::Cqe{.user_data = 0xcccccccc, .res = -EBADF, .flags = 0}));
  EXPECT_TRUE(ring.unregister_files().ok());
}

INSTANTIATE_TEST_SUITE_P(, RegisterFilesUpdate, testing::Values(1, 8), ring_size_name);

}  // namespace
