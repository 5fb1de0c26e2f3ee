// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// classic provided buffers: limits. A buffer has an id of 16 bits, a group as many buffers as there are ids,
// and what does not fit is refused as a whole.
//
// Needs PROVIDE_BUFFERS and REMOVE_BUFFERS (5.7, io_uring_prep_provide_buffers(3)).

#include <fcntl.h>

#include <array>
#include <cerrno>

#include "fixture/ring_test.h"

namespace {

using namespace conformance;

class ProvideBuffersLimits : public RingTest<8> {
 protected:
  static constexpr std::uint16_t group = 3;
  static constexpr std::uint32_t size = 16;
  std::array<std::byte, 4 * size> memory{};
  Fd zero = open_file("/dev/zero", O_RDONLY);

  wire::Sqe provide_wanted(std::int32_t count, std::uint64_t first_id) const {
    return {.opcode = wire::op::provide_buffers,
            .fd = count,
            .off = first_id,
            .addr = wire::address(memory.data()),
            .len = size,
            .user_data = 1,
            .buf_index = group};
  }
  static wire::Sqe remove_wanted(std::int32_t count, std::uint16_t from = group) {
    return {.opcode = wire::op::remove_buffers, .fd = count, .user_data = 1, .buf_index = from};
  }
  binding::Result<binding::Sqe&> queue(std::uint64_t count, std::uint16_t first_id) {
    return ring.provide_buffers(1, memory.data(), size, count, group, first_id);
  }
  void provide(std::int32_t count, std::uint16_t first_id, Site site = Site::here()) {
    EXPECT_EQ_AT(site, wire_of(must(queue(static_cast<std::uint64_t>(count), first_id), site)),
                 provide_wanted(count, first_id));
    const wire::Cqe cqe = complete(site);
    EXPECT_EQ_AT(site, cqe, done(0));
  }
  wire::Cqe remove(std::uint64_t count, Site site = Site::here()) {
    EXPECT_EQ_AT(site, wire_of(must(ring.remove_buffers(1, count, group), site)),
                 remove_wanted(static_cast<std::int32_t>(count)));
    return complete(site);
  }
  // Reads into a buffer of the group, and returns its id.
  std::uint32_t read(Site site = Site::here()) {
    must(ring.read_select(2, zero.get(), group, size, 0), site);
    const wire::Cqe cqe = complete(site);
    EXPECT_EQ_AT(site, cqe,
                 (wire::Cqe{.user_data = 2, .res = size, .flags = cqe.flags >> 16 << 16 | wire::cqe_buffer}));
    return cqe.flags >> 16;
  }
  std::string witness() {
    return refused([&] { return queue(2, 0); }, provide_wanted(2, 0), [] { return ""; });
  }
  static wire::Cqe done(std::int32_t res) { return {.user_data = 1, .res = res, .flags = 0}; }
};

// The last two ids there are.
TEST_F(ProvideBuffersLimits, NumbersBuffersWith16Bits) {
  if (!kernel_has(wire::op::provide_buffers)) GTEST_SKIP() << witness();
  provide(2, 65534);
  memory.fill(std::byte{1});
  std::array ids{read(), read()};
  std::ranges::sort(ids);
  EXPECT_EQ(ids, (std::array{65534u, 65535u}));
  EXPECT_EQ(memory[0], std::byte{0});
  EXPECT_EQ(memory[2 * size - 1], std::byte{0});
  EXPECT_EQ(memory[2 * size], std::byte{1});
  must(ring.read_select(2, zero.get(), group, size, 0));
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 2, .res = -ENOBUFS, .flags = 0}));
}

// As many as there are, up to the number that is asked for.
TEST_F(ProvideBuffersLimits, RemovesWhatThereIs) {
  if (!kernel_has(wire::op::provide_buffers)) GTEST_SKIP() << witness();
  provide(4, 0);
  EXPECT_EQ(remove(3), done(3));
  EXPECT_EQ(remove(5), done(1));
  // (Groups below 64 are all there in 6.1, and empty.)
  EXPECT_EQ(complete(remove_wanted(1, 1000)), done(-ENOENT)) << "a group that never was";
}

TEST_F(ProvideBuffersLimits, RefusesWhatDoesNotFit) {
  if (!kernel_has(wire::op::provide_buffers)) GTEST_SKIP() << witness();
  wire::Sqe around = provide_wanted(4, 0);
  around.addr = ~std::uint64_t{0} - 31;  // two of them would fit
  EXPECT_EQ(complete(provide_wanted(0, 0)), done(-E2BIG));
  EXPECT_EQ(complete(provide_wanted(65537, 0)), done(-E2BIG));
  EXPECT_EQ(complete(provide_wanted(-1, 0)), done(-E2BIG));
  EXPECT_EQ(complete(provide_wanted(1, 65536)), done(-E2BIG));
  EXPECT_EQ(complete(around), done(-EOVERFLOW));
  EXPECT_EQ(complete(remove_wanted(0)), done(-EINVAL));
  EXPECT_EQ(complete(remove_wanted(65537)), done(-EINVAL));
  must(ring.read_select(2, zero.get(), group, size, 0));
  EXPECT_EQ(complete(), (wire::Cqe{.user_data = 2, .res = -ENOBUFS, .flags = 0})) << "nothing was provided";
}

// Refused from 6.1 on. 5.10 took buffers without room, and ids beyond the last one.
TEST_F(ProvideBuffersLimits, MayTakeWhatIsOfNoUse) {
  if (!kernel_has(wire::op::provide_buffers)) GTEST_SKIP() << witness();
  wire::Sqe no_room = provide_wanted(1, 0);
  no_room.len = 0;
  expect_one_of(Site::here(), "of length 0", complete(no_room), {done(0), done(-EINVAL)});
  expect_one_of(Site::here(), "two, from id 65535", complete(provide_wanted(2, 65535)),
                {done(0), done(2), done(-EINVAL)});
}

}  // namespace
