// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// pipe: makes a pipe through the ring, with two descriptors or in two slots of the table.
//
// Needs PIPE (6.16, io_uring_prep_pipe(3)).

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "fixture/ring_test.h"

namespace {

using namespace conformance;

constexpr binding::Slot any_slot{wire::file_index_alloc};

class Pipe : public RingTest<8> {
 protected:
  std::array<std::int32_t, 2> ends{-7, -7};
  Fd null = open_file("/dev/null", O_RDWR);

  wire::Sqe wanted(std::uint32_t flags, std::uint32_t file_index = 0) const {
    return {.opcode = wire::op::pipe,
            .fd = 0,
            .addr = wire::address(ends.data()),
            .op_flags = flags,
            .user_data = 1,
            .file_index = file_index};
  }
  wire::Cqe make_direct(binding::Slot slot, std::uint32_t file_index, Site site = Site::here()) {
    EXPECT_EQ_AT(site, wire_of(must(ring.pipe_direct(1, ends.data(), 0, slot), site)), wanted(0, file_index));
    return complete(site);
  }
  wire::Cqe make_in_free_slots(Site site = Site::here()) {
    return make_direct(any_slot, wire::file_index_alloc, site);
  }
  // What was written to the one is read from the other, both slots.
  void expect_slots_work(int reader, int writer, Site site = Site::here()) {
    const std::string_view text = "abc";
    std::array<std::byte, 8> buffer{};
    must(ring.write(2, writer, std::as_bytes(std::span(text)), 0), site).flags |= wire::fixed_file;
    EXPECT_EQ_AT(site, complete(site), (wire::Cqe{.user_data = 2, .res = 3, .flags = 0}));
    must(ring.read(2, reader, buffer, 0), site).flags |= wire::fixed_file;
    EXPECT_EQ_AT(site, complete(site), (wire::Cqe{.user_data = 2, .res = 3, .flags = 0}));
    EXPECT_EQ_AT(site, std::memcmp(buffer.data(), "abc", 3), 0);
  }
  // 0 if a file is in the slot, EBADF if it is empty.
  int slot_error(int slot, Site site = Site::here()) {
    std::array<std::byte, 1> nothing{};
    must(ring.read(2, slot, std::span(nothing).first(0), 0), site).flags |= wire::fixed_file;
    return -complete(site).res;
  }
  wire::Cqe open_in_free_slot(Site site = Site::here()) {
    must(ring.openat_direct(3, -1, "/dev/null", O_RDONLY, 0, any_slot), site);
    return complete(site);
  }
  int next_descriptor() const { return Fd(dup(null.get())).get(); }
  std::string witness() {
    const int next = next_descriptor();
    return refused([&] { return ring.pipe(1, ends.data(), O_CLOEXEC); }, wanted(O_CLOEXEC),
                   [&] { return next_descriptor() == next && ends[0] == -7 ? "" : "there is a pipe"; });
  }
  static wire::Cqe done(std::int32_t res) { return {.user_data = 1, .res = res, .flags = 0}; }
};

TEST_F(Pipe, MakesTwoDescriptors) {
  if (!kernel_has(wire::op::pipe)) GTEST_SKIP() << witness();
  constexpr std::uint32_t flags = O_CLOEXEC | O_NONBLOCK;
  EXPECT_EQ(wire_of(must(ring.pipe(1, ends.data(), flags))), wanted(flags));
  ASSERT_EQ(complete(), done(0));
  const Fd reader(ends[0]), writer(ends[1]);
  ASSERT_EQ(write(writer.get(), "abc", 3), 3);
  std::array<char, 8> buffer{};
  ASSERT_EQ(read(reader.get(), buffer.data(), buffer.size()), 3);
  EXPECT_STREQ(buffer.data(), "abc");
  for (const Fd* end : {&reader, &writer}) {
    EXPECT_EQ(fcntl(end->get(), F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(fcntl(end->get(), F_GETFL) & O_NONBLOCK, O_NONBLOCK);
  }
}

// Without flags it is a pipe for the next program as well.
TEST_F(Pipe, MakesDescriptorsThatWait) {
  if (!kernel_has(wire::op::pipe)) GTEST_SKIP() << witness();
  must(ring.pipe(1, ends.data(), 0));
  ASSERT_EQ(complete(), done(0));
  const Fd reader(ends[0]), writer(ends[1]);
  for (const Fd* end : {&reader, &writer}) {
    EXPECT_EQ(fcntl(end->get(), F_GETFD), 0);
    EXPECT_EQ(fcntl(end->get(), F_GETFL) & O_NONBLOCK, 0);
  }
}

// The kernel chooses two slots, and says which.
TEST_F(Pipe, TakesFreeSlots) {
  if (!kernel_has(wire::op::pipe)) GTEST_SKIP() << witness();
  register_empty_slots(4);
  const int next = next_descriptor();
  ASSERT_EQ(make_in_free_slots(), done(0));
  const std::array<std::int32_t, 2> first = ends;
  ASSERT_EQ(make_in_free_slots(), done(0));
  std::array slots{first[0], first[1], ends[0], ends[1]};
  std::ranges::sort(slots);
  EXPECT_EQ(slots, (std::array{0, 1, 2, 3}));
  expect_slots_work(first[0], first[1]);
  expect_slots_work(ends[0], ends[1]);
  EXPECT_EQ(next_descriptor(), next);
}

// Both ends or none: where one slot is free, it still is afterwards.
TEST_F(Pipe, TakesNoSlotIfOneIsMissing) {
  if (!kernel_has(wire::op::pipe)) GTEST_SKIP() << witness();
  must(ring.register_files(std::array{null.get(), null.get(), null.get(), -1}));
  EXPECT_EQ(make_in_free_slots(), done(-ENFILE));
  EXPECT_EQ(slot_error(3), EBADF);
  EXPECT_EQ(open_in_free_slot(), (wire::Cqe{.user_data = 3, .res = 3, .flags = 0}));
  EXPECT_EQ(make_in_free_slots(), done(-ENFILE));
}

// Slots that we choose are one and the next; what was in them is released.
TEST_F(Pipe, TakesASlotAndTheNext) {
  if (!kernel_has(wire::op::pipe)) GTEST_SKIP() << witness();
  must(ring.register_files(std::array{null.get(), null.get(), -1, null.get()}));
  ASSERT_EQ(make_direct(binding::Slot{1}, 2), done(0));
  expect_slots_work(1, 2);
  EXPECT_EQ(slot_error(0), 0);
  EXPECT_EQ(slot_error(3), 0);
  EXPECT_EQ(make_direct(binding::Slot{3}, 4), done(-EINVAL)) << "there is no next one";
}

TEST_F(Pipe, RefusesWhatItDoesNotKnow) {
  if (!kernel_has(wire::op::pipe)) GTEST_SKIP() << witness();
  const int next = next_descriptor();
  wire::Sqe fd = wanted(0), unknown = wanted(1u << 30), off = wanted(0), addr3 = wanted(0),
            nowhere = wanted(0);
  fd.fd = 1;
  off.off = 1;
  addr3.addr3 = 1;
  nowhere.addr = 1;
  for (const auto& [sqe, error] :
       {std::pair{fd, EINVAL}, {unknown, EINVAL}, {off, EINVAL}, {addr3, EINVAL}, {nowhere, EFAULT}}) {
    EXPECT_EQ(complete(sqe), done(-error)) << wire::to_string(sqe);
  }
  EXPECT_EQ(next_descriptor(), next);
  EXPECT_EQ(ends[0], -7);
}

}  // namespace
