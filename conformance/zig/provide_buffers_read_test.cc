// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// provide_buffers: read: gives the kernel four buffers, lets it choose one for each read until there is none
// left, and gives one back.
//
// Needs PROVIDE_BUFFERS and IOSQE_BUFFER_SELECT (5.7) and READ (5.6).

#include <fcntl.h>

#include <set>

#include "fixture/files.h"
#include "fixture/ring_test.h"

namespace {

using namespace conformance;

constexpr std::uint16_t group = 1337;

class ProvideBuffersRead : public SizedRingTest {
 protected:
  using Buffer = std::array<unsigned char, 128>;

  Fd zero = open_file("/dev/zero", O_RDONLY);
  std::array<Buffer, 4> buffers;
  static constexpr Buffer zeros{};

  ProvideBuffersRead() { fill(); }
  void fill() {
    for (Buffer& buffer : buffers) buffer.fill(42);
  }

  binding::Result<binding::Sqe&> queue_all(std::uint16_t first_id) {
    return ring.provide_buffers(0xcccccccc, buffers.data(), 128, 4, group, first_id);
  }
  wire::Sqe all_wanted(std::uint16_t first_id) const {
    return {.opcode = wire::op::provide_buffers,
            .fd = 4,
            .off = first_id,
            .addr = wire::address(buffers.data()),
            .len = 128,
            .user_data = 0xcccccccc,
            .buf_index = group};
  }
  wire::Cqe complete(Site site = Site::here()) {
    submit(1, site);
    return wait_cqe(site);
  }
  void provide_all(std::uint16_t first_id, Site site = Site::here()) {
    expect_equal(site, "the PROVIDE_BUFFERS", wire_of(must(queue_all(first_id), site)), all_wanted(first_id));
    expect_provided(0xcccccccc, 4, site);
  }
  // Kernels differ in what they answer: 0, or the number of buffers.
  void expect_provided(std::uint64_t user_data, std::int32_t count, Site site = Site::here()) {
    expect_one_of(site, "the CQE of PROVIDE_BUFFERS", complete(site),
                  {{.user_data = user_data, .res = 0}, {.user_data = user_data, .res = count}});
  }
  wire::Cqe read(std::uint64_t user_data, std::uint32_t bytes = 128, std::uint16_t from = group,
                 Site site = Site::here()) {
    EXPECT_EQ_AT(site, wire_of(must(ring.read_select(user_data, zero.get(), from, bytes, 0), site)),
                 (wire::Sqe{.opcode = wire::op::read,
                            .flags = wire::buffer_select,
                            .fd = zero.get(),
                            .len = bytes,
                            .user_data = user_data,
                            .buf_index = from}));
    return complete(site);
  }
  // The CQE of a read of `bytes` into the buffer with this id.
  static wire::Cqe read_into(std::uint64_t user_data, std::uint32_t id, std::int32_t bytes = 128) {
    return {.user_data = user_data, .res = bytes, .flags = id << 16 | wire::cqe_buffer};
  }
  static wire::Cqe no_buffer(std::uint64_t user_data) { return {.user_data = user_data, .res = -ENOBUFS}; }

  std::string witness(Site site = Site::here()) {
    return refused([&] { return queue_all(0); }, all_wanted(0), [] { return ""; }, std::nullopt, site);
  }
};

TEST_P(ProvideBuffersRead, ReadsIntoEachBufferOnce) {
  if (!kernel_has(wire::op::provide_buffers)) GTEST_SKIP() << witness();
  provide_all(0);
  std::set<std::uint32_t> ids;
  for (int i = 0; i < 4; ++i) {
    const wire::Cqe cqe = read(0xdededede);
    const std::uint32_t id = cqe.flags >> 16;
    EXPECT_EQ(cqe, read_into(0xdededede, id));
    ASSERT_LT(id, 4u);
    EXPECT_TRUE(ids.insert(id).second) << "buffer " << id << " was given away twice";
    EXPECT_EQ(buffers[id], zeros);
  }
  EXPECT_EQ(read(0xdfdfdfdf), no_buffer(0xdfdfdfdf));

  fill();
  must(ring.provide_buffers(0xabababab, buffers[2].data(), 128, 1, group, 2));
  expect_provided(0xabababab, 1);
  EXPECT_EQ(read(0xdfdfdfdf), read_into(0xdfdfdfdf, 2));
  EXPECT_EQ(buffers[2], zeros);
  // And into no other.
  EXPECT_EQ(buffers[1][127], 42);
  EXPECT_EQ(buffers[3][0], 42);
}

// The buffer ends where it was said to, whatever the read asks for; what the read does not ask for stays.
TEST_P(ProvideBuffersRead, ReadsNoMoreThanTheBufferHoldsAndTheReadWants) {
  if (!kernel_has(wire::op::provide_buffers)) GTEST_SKIP() << witness();
  must(ring.provide_buffers(0xabababab, buffers[0].data(), 100, 1, group, 0));
  expect_provided(0xabababab, 1);
  EXPECT_EQ(read(0xdededede, 512), read_into(0xdededede, 0, 100));
  EXPECT_EQ(buffers[0][99], 0);
  EXPECT_EQ(buffers[0][100], 42);

  must(ring.provide_buffers(0xabababab, buffers[1].data(), 128, 1, group, 1));
  expect_provided(0xabababab, 1);
  EXPECT_EQ(read(0xdededede, 5), read_into(0xdededede, 1, 5));
  EXPECT_EQ(buffers[1][4], 0);
  EXPECT_EQ(buffers[1][5], 42);
}

// Ids that do not start with 0, and one more than 15 bits: they are the caller's, and come back as they are.
// The first of them is the buffer at the start of the block. (Not the last four ids: some kernels refuse
// the very last one, liburing issue 726.)
TEST_P(ProvideBuffersRead, CountsIdsFromTheFirst) {
  if (!kernel_has(wire::op::provide_buffers)) GTEST_SKIP() << witness();
  constexpr std::uint16_t first_id = 40000;
  provide_all(first_id);
  std::set<std::uint32_t> ids;
  for (int i = 0; i < 4; ++i) {
    fill();
    const wire::Cqe cqe = read(0xdededede);
    const std::uint32_t id = cqe.flags >> 16;
    EXPECT_EQ(cqe, read_into(0xdededede, id));
    ASSERT_GE(id, first_id);
    EXPECT_TRUE(ids.insert(id).second) << "buffer " << id << " was given away twice";
    EXPECT_EQ(buffers[id - first_id], zeros);
  }
}

// A group that was never filled has no buffers, however many the others have.
TEST_P(ProvideBuffersRead, KeepsGroupsApart) {
  if (!kernel_has(wire::op::provide_buffers)) GTEST_SKIP() << witness();
  provide_all(0);
  EXPECT_EQ(read(0xdfdfdfdf, 128, group - 1), no_buffer(0xdfdfdfdf));
  EXPECT_EQ(read(0xdfdfdfdf, 128, 0), no_buffer(0xdfdfdfdf));
  for (const Buffer& buffer : buffers) EXPECT_EQ(buffer[0], 42);
}

INSTANTIATE_TEST_SUITE_P(, ProvideBuffersRead, testing::Values(1, 8), ring_size_name);

}  // namespace
