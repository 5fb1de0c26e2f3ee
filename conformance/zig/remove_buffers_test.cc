// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// remove_buffers: takes back three of four buffers; one read finds the last of them, the next one none.
//
// Needs REMOVE_BUFFERS, PROVIDE_BUFFERS and IOSQE_BUFFER_SELECT (5.7) and READ (5.6).

#include <fcntl.h>

#include "fixture/files.h"
#include "fixture/ring_test.h"

namespace {

using namespace conformance;

constexpr std::uint16_t group = 1337;

class RemoveBuffers : public SizedRingTest {
 protected:
  using Buffer = std::array<unsigned char, 128>;

  Fd zero = open_file("/dev/zero", O_RDONLY);
  std::array<Buffer, 4> buffers;

  RemoveBuffers() {
    for (Buffer& buffer : buffers) buffer.fill(42);
  }

  wire::Cqe complete(Site site = Site::here()) {
    submit(1, site);
    return wait_cqe(site);
  }
  // Kernels differ in what they answer: 0, or the number of buffers.
  void provide_all(Site site = Site::here()) {
    must(ring.provide_buffers(0xcccccccc, buffers.data(), 128, 4, group, 0), site);
    expect_one_of(site, "the CQE of PROVIDE_BUFFERS", complete(site),
                  {{.user_data = 0xcccccccc, .res = 0}, {.user_data = 0xcccccccc, .res = 4}});
  }
  binding::Result<binding::Sqe&> queue(std::uint32_t count, std::uint16_t from) {
    return ring.remove_buffers(0xbababababa, count, from);
  }
  static wire::Sqe wanted(std::uint32_t count, std::uint16_t from) {
    return {.opcode = wire::op::remove_buffers,
            .fd = static_cast<std::int32_t>(count),
            .user_data = 0xbababababa,
            .buf_index = from};
  }
  // The answer is the number that was removed; 5.18 said 0 (Zig issue 11900).
  void remove(std::uint32_t count, std::int32_t removed, Site site = Site::here()) {
    expect_equal(site, "the REMOVE_BUFFERS", wire_of(must(queue(count, group), site)), wanted(count, group));
    expect_one_of(site, "the CQE of REMOVE_BUFFERS", complete(site),
                  {{.user_data = 0xbababababa, .res = 0}, {.user_data = 0xbababababa, .res = removed}});
  }
  wire::Cqe read(Site site = Site::here()) {
    must(ring.read_select(0xdfdfdfdf, zero.get(), group, 128, 0), site);
    return complete(site);
  }
  static constexpr wire::Cqe no_buffer{.user_data = 0xdfdfdfdf, .res = -ENOBUFS, .flags = 0};

  std::string witness(Site site = Site::here()) {
    return refused([&] { return queue(3, group); }, wanted(3, group), [] { return ""; }, std::nullopt, site);
  }
};

TEST_P(RemoveBuffers, LeavesTheLastOfFour) {
  if (!kernel_has(wire::op::remove_buffers)) GTEST_SKIP() << witness();
  provide_all();
  remove(3, 3);
  const wire::Cqe cqe = read();
  const std::uint32_t id = cqe.flags >> 16;
  EXPECT_EQ(cqe, (wire::Cqe{.user_data = 0xdfdfdfdf, .res = 128, .flags = id << 16 | wire::cqe_buffer}));
  ASSERT_LT(id, 4u);
  EXPECT_EQ(read(), no_buffer);
  // The one that was left, whole, and nothing of those that were taken back.
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    Buffer expected;
    expected.fill(i == id ? 0 : 42);
    EXPECT_EQ(buffers[i], expected) << "buffer " << i;
  }
}

// More than there are: all go, and that is no error.
TEST_P(RemoveBuffers, RemovesAllWhenAskedForMore) {
  if (!kernel_has(wire::op::remove_buffers)) GTEST_SKIP() << witness();
  provide_all();
  remove(100, 4);
  EXPECT_EQ(read(), no_buffer);
}

// The group decides: one that was never filled has nothing to remove, and the other keeps what it has.
TEST_P(RemoveBuffers, ReportsAGroupThatIsNotThere) {
  if (!kernel_has(wire::op::remove_buffers)) GTEST_SKIP() << witness();
  provide_all();
  EXPECT_EQ(wire_of(must(queue(4, group - 1))), wanted(4, group - 1));
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 0xbababababa, .res = -ENOENT, .flags = 0}));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(read().res, 128);
  EXPECT_EQ(read(), no_buffer);
}

INSTANTIATE_TEST_SUITE_P(, RemoveBuffers, testing::Values(1, 8), ring_size_name);

}  // namespace
