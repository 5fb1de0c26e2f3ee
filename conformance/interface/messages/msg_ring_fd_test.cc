// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// descriptor to a ring: MSG_RING with IORING_MSG_SEND_FD puts a registered file of one ring into the table of
// another. So a thread that accepts gives its clients to the threads that serve them.
//
// Needs IORING_MSG_SEND_FD (6.0, io_uring_prep_msg_ring_fd(3)).

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "evidence/environment.h"
#include "fixture/ring_test.h"

namespace {

using namespace conformance;

constexpr binding::Slot any_slot{wire::file_index_alloc};

class MsgRingFd : public RingTest<8> {
 protected:
  OpenRing target{8, configuration_flags()};
  Pipe pipe;

  void SetUp() override {
    RingTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    must(ring.register_files(std::array{pipe.reader.get(), pipe.writer.get(), -1}));
  }
  void register_target_slots(const std::vector<std::int32_t>& slots = {-1, -1, -1, -1}) {
    must(target.register_files(slots));
  }
  wire::Sqe wanted(std::uint64_t source, std::uint32_t file_index, std::uint32_t flags = 0) const {
    return {.opcode = wire::op::msg_ring,
            .fd = target.fd(),
            .off = 77,
            .addr = wire::msg_send_fd,
            .op_flags = flags,
            .user_data = 1,
            .file_index = file_index,
            .addr3 = source};
  }
  binding::Result<binding::Sqe&> queue(binding::Slot slot, std::uint32_t flags = 0) {
    return ring.msg_ring_fd(1, target.fd(), binding::Slot{1}, slot, 77, flags);
  }
  // Sends the writing end of the pipe.
  wire::Cqe send(binding::Slot slot, std::uint32_t file_index, std::uint32_t flags = 0,
                 Site site = Site::here()) {
    EXPECT_EQ_AT(site, wire_of(must(queue(slot, flags), site)), wanted(1, file_index, flags));
    return complete(site);
  }
  wire::Cqe arrival(Site site = Site::here()) {
    binding::Cqe cqe{};
    must(target.copy_cqe(cqe), site);
    return wire_of(cqe);
  }
  // What the target writes to its slot comes out of the pipe. Its CQE is the next one that it gets.
  void expect_arrived(std::int32_t slot, Site site = Site::here()) {
    const std::string_view text = "abc";
    must(target.write(3, slot, std::as_bytes(std::span(text)), 0), site).flags |= wire::fixed_file;
    must(target.submit(), site);
    const wire::Cqe cqe = arrival(site);
    EXPECT_EQ_AT(site, cqe, (wire::Cqe{.user_data = 3, .res = 3, .flags = 0}));
    if (cqe.res != 3) return;  // a read of the empty pipe would wait
    std::array<char, 8> got{};
    EXPECT_EQ_AT(site, read(pipe.reader.get(), got.data(), got.size()), 3);
    EXPECT_EQ_AT(site, std::string(got.data()), text);
  }
  // Nothing was told, and nothing is in the slot.
  void expect_nothing_arrived(std::int32_t slot, Site site = Site::here()) {
    std::array<std::byte, 1> nothing{};
    must(target.read(3, slot, nothing, 0), site).flags |= wire::fixed_file;
    must(target.submit(), site);
    EXPECT_EQ_AT(site, arrival(site), (wire::Cqe{.user_data = 3, .res = -EBADF, .flags = 0}));
  }
  std::string witness() {
    return refused([&] { return queue(binding::Slot{2}); }, wanted(1, 3),
                   [&] { return target.cq_ready() == 0 ? "" : "the target has a CQE"; },
                   Modifier{.name = "SEND_FD", .proxy = wire::op::send_zc});
  }
  static wire::Cqe done(std::int32_t res) { return {.user_data = 1, .res = res, .flags = 0}; }
  static wire::Cqe told(std::int32_t res) { return {.user_data = 77, .res = res, .flags = 0}; }

 private:
  // The target is of the kind that the row runs on, if the kernel has it: otherwise the test is skipped.
  static unsigned configuration_flags() {
    return kernel_takes(4, configuration().setup) ? configuration().setup : 0;
  }
};

TEST_F(MsgRingFd, PutsAFileIntoASlot) {
  if (!kernel_has(wire::op::send_zc)) GTEST_SKIP() << witness();
  register_target_slots();
  ASSERT_EQ(send(binding::Slot{2}, 3), done(0));  // otherwise nothing arrives
  EXPECT_EQ(arrival(), told(0));
  expect_arrived(2);
  // The slot is a reference of its own.
  must(ring.unregister_files());
  expect_arrived(2);
}

// The kernel chooses the slot, and tells both.
TEST_F(MsgRingFd, PutsAFileIntoAFreeSlot) {
  if (!kernel_has(wire::op::send_zc)) GTEST_SKIP() << witness();
  register_target_slots({pipe.reader.get(), -1, pipe.reader.get(), -1});
  const wire::Cqe cqe = send(any_slot, wire::file_index_alloc);
  ASSERT_TRUE(cqe == done(1) || cqe == done(3)) << wire::to_string(cqe);
  EXPECT_EQ(arrival(), told(cqe.res));
  expect_arrived(cqe.res);
  ASSERT_EQ(send(any_slot, wire::file_index_alloc), done(4 - cqe.res));
  EXPECT_EQ(arrival(), told(4 - cqe.res));
  EXPECT_EQ(send(any_slot, wire::file_index_alloc), done(-ENFILE)) << "none is left";
}

// The target need not be told.
TEST_F(MsgRingFd, IsSentSilently) {
  if (!kernel_has(wire::op::send_zc)) GTEST_SKIP() << witness();
  register_target_slots();
  EXPECT_EQ(send(binding::Slot{2}, 3, wire::msg_ring_cqe_skip), done(0));
  expect_arrived(2);
}

TEST_F(MsgRingFd, RefusesWhatItCannotSend) {
  if (!kernel_has(wire::op::send_zc)) GTEST_SKIP() << witness();
  EXPECT_EQ(complete(wanted(1, 3)), done(-ENXIO)) << "the target has no table";
  EXPECT_EQ(complete(wanted(1, wire::file_index_alloc)), done(-ENFILE));
  register_target_slots();
  wire::Sqe len = wanted(1, 3), to_itself = wanted(1, 3);
  len.len = 1;
  to_itself.fd = ring.fd();
  EXPECT_EQ(complete(wanted(2, 3)), done(-EBADF)) << "an empty slot";
  EXPECT_EQ(complete(wanted(3, 3)), done(-EBADF)) << "beyond the sender's table";
  EXPECT_EQ(complete(wanted(1, 5)), done(-EINVAL)) << "beyond the target's table";
  EXPECT_EQ(complete(to_itself), done(-EINVAL));
  // 6.1 does not look at it.
  if (kernel_has(wire::feature::reg_reg_ring)) {
    EXPECT_EQ(complete(len), done(-EINVAL));
  }
  expect_nothing_arrived(2);
}

}  // namespace
