// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Buffer rings and buffer groups on a fake kernel: positions, masks, wraps, and which buffers are given back.
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include "played_kernel.h"
#include "trap.h"

namespace {

using uring::Buf, uring::BufReg, uring::Consumption, uring::Error, uring::RegisterOp, uring::i32, uring::u16;
using Group = uring::BufferGroup<Ring>;

class BufferRing : public RingOnAPlayedKernel {
 protected:
  std::vector<BufReg> asked;      // RegisterOp::pbuf_ring
  std::vector<u16> unregistered;  // RegisterOp::unregister_pbuf_ring
  std::vector<long> answers;      // of the first registrations; then 0
  alignas(64) std::array<std::byte, 64> memory{};

  void SetUp() override {
    ASSERT_TRUE(ring.init(4).ok());
    kernel.on_register = [this](RegisterOp op, void* arg, u32 count) -> long {
      EXPECT_EQ(count, 1u);
      const BufReg& argument = *static_cast<BufReg*>(arg);
      for (const u32 word : argument.resv) EXPECT_EQ(word, 0u);
      EXPECT_EQ(argument.min_left, 0u);
      if (op == RegisterOp::unregister_pbuf_ring) {
        EXPECT_EQ(argument.ring_addr, 0u);
        EXPECT_EQ(argument.ring_entries, 0u);
        EXPECT_EQ(argument.flags, 0u);
        unregistered.push_back(argument.bgid);
        return 0;
      }
      EXPECT_EQ(op, RegisterOp::pbuf_ring);
      asked.push_back(argument);
      if (answers.empty()) return 0;
      const long answer = answers.front();
      answers.erase(answers.begin());
      return answer;
    };
  }

  // The memory as the kernel sees it.
  Buf* entries() const { return reinterpret_cast<Buf*>(asked.back().ring_addr); }
  u16 tail() const { return entries()[0].resv; }
  std::size_t groups_mapped() const { return kernel.anonymous.size(); }
  u64 address(std::size_t offset) const { return reinterpret_cast<u64>(memory.data() + offset); }
};

Cqe delivered(u16 id, i32 res, u32 more_flags = 0) {
  return {.user_data = 0, .res = res, .flags = u32{id} << 16 | 1 | more_flags};
}
constexpr u32 buf_more = 16;

TEST_F(BufferRing, IsMappedAndRegistered) {
  const auto made = uring::setup_buf_ring(ring, 8, 0xabcd, 2);
  ASSERT_TRUE(made.ok());
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(entries(), *made);
  EXPECT_EQ(asked[0].ring_entries, 8u);
  EXPECT_EQ(asked[0].bgid, 0xabcd);
  EXPECT_EQ(asked[0].flags, 2);
  EXPECT_EQ(kernel.mappings.at(*made), 8 * 16u);
  uring::free_buf_ring(ring, *made, 8, 0xabcd);
  EXPECT_EQ(unregistered, (std::vector<u16>{0xabcd}));
  EXPECT_EQ(groups_mapped(), 0u);
}

// The ring released its groups when it was closed: it is not asked again.
TEST_F(BufferRing, IsOnlyUnmappedOnceTheRingIsClosed) {
  const auto made = uring::setup_buf_ring(ring, 8, 0xabcd);
  ASSERT_TRUE(made.ok());
  ring.close();
  uring::free_buf_ring(ring, *made, 8, 0xabcd);
  EXPECT_EQ(unregistered, std::vector<u16>{});
  EXPECT_EQ(groups_mapped(), 0u);
}

TEST_F(BufferRing, OfAnImpossibleSizeIsRefusedWithoutAskingTheKernel) {
  EXPECT_EQ(uring::setup_buf_ring(ring, 0, 1), Error::entries_not_in_range);
  EXPECT_EQ(uring::setup_buf_ring(ring, 32769, 1), Error::entries_not_in_range);
  EXPECT_EQ(uring::setup_buf_ring(ring, 65536, 1), Error::entries_not_in_range);
  EXPECT_EQ(uring::setup_buf_ring(ring, 3, 1), Error::entries_not_power_of_two);
  EXPECT_TRUE(asked.empty());
  const auto largest = uring::setup_buf_ring(ring, 32768, 1);
  ASSERT_TRUE(largest.ok());
  EXPECT_EQ(asked[0].flags, 0) << "none that nobody asked for";
  uring::free_buf_ring(ring, *largest, 32768, 1);
}

TEST_F(BufferRing, LeavesNothingMappedWhenRefused) {
  answers = {-EEXIST};
  EXPECT_EQ(uring::setup_buf_ring(ring, 8, 1), Error::exist);
  EXPECT_EQ(groups_mapped(), 0u);
  kernel.anonymous_map_error = ENOMEM;
  EXPECT_EQ(uring::setup_buf_ring(ring, 8, 1), Error::nomem);
  EXPECT_EQ(asked.size(), 1u) << "nothing to register";
}

TEST_F(BufferRing, InTheKernelsMemoryIsRegisteredThenMapped) {
  const auto made = uring::setup_buf_ring_mmap(ring, 8, 0x7ff, 2);
  ASSERT_TRUE(made.ok());
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].ring_addr, 0u);
  EXPECT_EQ(asked[0].ring_entries, 8u);
  EXPECT_EQ(asked[0].bgid, 0x7ff);
  EXPECT_EQ(asked[0].flags, 3) << "the kernel's memory, and what was asked for";
  EXPECT_EQ(kernel.mappings.at(*made), 8 * 16u);
  uring::free_buf_ring(ring, *made, 8, 0x7ff);
  EXPECT_EQ(unregistered, (std::vector<u16>{0x7ff}));
  EXPECT_EQ(groups_mapped(), 0u);
  const auto plain = uring::setup_buf_ring_mmap(ring, 1, 1);
  EXPECT_EQ(asked[1].flags, 1);
  uring::free_buf_ring(ring, *plain, 1, 1);
}

TEST_F(BufferRing, InTheKernelsMemoryIsUnregisteredIfItCannotBeMapped) {
  EXPECT_EQ(uring::setup_buf_ring_mmap(ring, 0, 1), Error::entries_not_in_range);
  EXPECT_EQ(uring::setup_buf_ring_mmap(ring, 3, 1), Error::entries_not_power_of_two);
  EXPECT_EQ(uring::setup_buf_ring_mmap(ring, 4, 0x800), Error::inval) << "there is no offset for it";
  EXPECT_TRUE(asked.empty());
  answers = {-EEXIST};
  EXPECT_EQ(uring::setup_buf_ring_mmap(ring, 8, 1), Error::exist);
  EXPECT_TRUE(unregistered.empty()) << "the group of another";
  kernel.anonymous_map_error = ENOMEM;
  EXPECT_EQ(uring::setup_buf_ring_mmap(ring, 8, 5), Error::nomem);
  EXPECT_EQ(unregistered, (std::vector<u16>{5}));
}

// The tail is in the last 16 bits of entry 0, and adding to that entry must leave it alone.
TEST_F(BufferRing, PublishesOnlyByAdvancing) {
  Buf* const made = uring::setup_buf_ring(ring, 4, 1).value();
  made[0].resv = 0xbeef;
  uring::buf_ring_init(made);
  EXPECT_EQ(tail(), 0);
  for (u16 round = 0; round < 3; ++round) {
    for (u16 k = 0; k < 4; ++k) {
      uring::buf_ring_add(made, std::span(memory).subspan(k, 8u + k), static_cast<u16>(0x100 + k), 3, k);
      EXPECT_EQ(tail(), 4 * round) << "published before it was advanced";
    }
    for (u16 k = 0; k < 4; ++k) {
      EXPECT_EQ(made[k].addr, address(k));
      EXPECT_EQ(made[k].len, 8u + k);
      EXPECT_EQ(made[k].bid, 0x100 + k);
      EXPECT_EQ(made[k].resv, k == 0 ? 4 * round : 0);
    }
    uring::buf_ring_advance(made, 4);
    EXPECT_EQ(tail(), 4 * (round + 1));
  }
  uring::free_buf_ring(ring, made, 4, 1);
}

// Positions are 16 bits and wrap, also between the tail and the entries added after it.
TEST_F(BufferRing, KeepsCountingAcrossTheWrapOf16Bits) {
  Buf* const made = uring::setup_buf_ring(ring, 4, 1).value();
  const u16 mask = uring::buf_ring_mask(4);
  EXPECT_EQ(mask, 3);
  for (u16 start = 65531; start != 3; ++start) {
    uring::buf_ring_tail(made).store_release(start);
    for (u16 k = 0; k < 3; ++k) uring::buf_ring_add(made, std::span(memory).first(4), k, mask, k);
    for (u16 k = 0; k < 3; ++k) EXPECT_EQ(made[(start + k) % 4].bid, k) << start;
    uring::buf_ring_advance(made, 3);
    EXPECT_EQ(tail(), static_cast<u16>(start + 3));
  }
  uring::free_buf_ring(ring, made, 4, 1);
}

using GroupOfBuffers = BufferRing;

TEST_F(GroupOfBuffers, HandsEverythingToTheKernelOnce) {
  Group group;
  ASSERT_TRUE(group.init(ring, 7, memory, 16, Consumption::whole).ok());
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].ring_entries, 4u);
  EXPECT_EQ(asked[0].bgid, 7);
  EXPECT_EQ(asked[0].flags, 0);
  EXPECT_EQ(kernel.mappings.at(entries()), 4 * 16 + 4 * 4u) << "four entries and four positions";
  for (u16 i = 0; i < 4; ++i) {
    EXPECT_EQ(entries()[i].addr, address(16u * i));
    EXPECT_EQ(entries()[i].len, 16u);
    EXPECT_EQ(entries()[i].bid, i);
  }
  EXPECT_EQ(tail(), 4);
  EXPECT_EQ(group.id(), 7);
  EXPECT_EQ(group.count(), 4u);
  EXPECT_EQ(group.buffer_size(), 16u);
  EXPECT_EQ(group.consumption(), Consumption::whole);
  group.close();
  group.close();
  EXPECT_EQ(unregistered, (std::vector<u16>{7}));
  EXPECT_EQ(groups_mapped(), 0u);
}

TEST_F(GroupOfBuffers, IsIncrementalWhereTheKernelKnowsIt) {
  Group group;
  ASSERT_TRUE(group.init(ring, 7, memory, 16).ok());
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].flags, 2);
  EXPECT_EQ(group.consumption(), Consumption::incremental);
}

TEST_F(GroupOfBuffers, AsksOnceMoreWithoutTheFlagThatWasRefused) {
  answers = {-EINVAL};
  Group group;
  ASSERT_TRUE(group.init(ring, 7, memory, 16).ok());
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[0].flags, 2);
  EXPECT_EQ(asked[1].flags, 0);
  EXPECT_EQ(asked[1].ring_entries, 4u);
  EXPECT_EQ(group.consumption(), Consumption::whole);
  EXPECT_EQ(groups_mapped(), 1u);
  EXPECT_EQ(kernel.mappings.at(entries()), 4 * (16 + 4u)) << "as much as the first time";
}

TEST_F(GroupOfBuffers, AsksNoMoreThanThat) {
  Group group;
  answers = {-EINVAL, -EINVAL};
  EXPECT_EQ(group.init(ring, 7, memory, 16), Error::inval);
  EXPECT_EQ(asked.size(), 2u);
  answers = {-EINVAL};
  EXPECT_EQ(group.init(ring, 7, memory, 16, Consumption::whole), Error::inval);
  EXPECT_EQ(asked.size(), 3u);
  answers = {-EEXIST};
  EXPECT_EQ(group.init(ring, 7, memory, 16), Error::exist);
  EXPECT_EQ(asked.size(), 4u) << "only EINVAL says that the flag is unknown";
  EXPECT_EQ(groups_mapped(), 0u);
  EXPECT_TRUE(unregistered.empty());
  // The same object can be opened again afterwards.
  EXPECT_TRUE(group.init(ring, 7, memory, 16).ok());
}

TEST_F(GroupOfBuffers, OfAnImpossibleSizeIsRefused) {
  static std::byte much[65536];
  Group group;
  EXPECT_EQ(group.init(ring, 1, {}, 16), Error::entries_not_in_range);
  EXPECT_EQ(group.init(ring, 1, much, 1), Error::entries_not_in_range);
  EXPECT_EQ(group.init(ring, 1, std::span(much, (std::size_t{1} << 32) + 16), 1), Error::entries_not_in_range)
      << "and not 16, which is what 32 bits can hold of it";
  EXPECT_EQ(group.init(ring, 1, std::span(memory).first(48), 16), Error::entries_not_power_of_two);
  EXPECT_TRUE(asked.empty());
  // Not a division by 0, which traps only on some processors.
  EXPECT_EXIT(static_cast<void>(group.init(ring, 1, memory, 0)), trapped, "");
  EXPECT_DEATH(static_cast<void>(group.init(ring, 1, memory, 15)), "");
  ASSERT_TRUE(group.init(ring, 1, std::span(much).first(32768), 1).ok());
  EXPECT_EQ(tail(), 32768);
  EXPECT_DEATH(static_cast<void>(group.init(ring, 1, memory, 16)), "");
}

// Whatever else a CQE says, a whole buffer belongs to exactly one CQE.
TEST_F(GroupOfBuffers, TakesAWholeBufferBackAtOnce) {
  Group group;
  ASSERT_TRUE(group.init(ring, 7, memory, 16, Consumption::whole).ok());
  Cqe cqe = delivered(2, 5);
  cqe.flags |= uring::cqe_f_buf_more;
  ASSERT_TRUE(group.put(cqe).ok());
  EXPECT_EQ(tail(), 5);
}

TEST_F(GroupOfBuffers, ReturnsWholeBuffersInTheOrderTheyCome) {
  Group group;
  ASSERT_TRUE(group.init(ring, 7, memory, 16, Consumption::whole).ok());
  const auto got = group.get(delivered(2, 5));
  ASSERT_TRUE(got.ok());
  EXPECT_EQ(got.value().data(), memory.data() + 32);
  EXPECT_EQ(got.value().size(), 5u);
  // More often than 16 bits can count, and never in the order of the ids.
  for (u32 round = 0; round < 70'000; ++round) {
    const u16 id = (round * 3 + 2) % 4;
    const u16 position = static_cast<u16>(4 + round);
    ASSERT_EQ(tail(), position);
    ASSERT_TRUE(group.put(delivered(id, 5)).ok());
    ASSERT_EQ(tail(), static_cast<u16>(position + 1));
    ASSERT_EQ(entries()[position % 4].addr, address(16u * id));
    ASSERT_EQ(entries()[position % 4].len, 16u);
    ASSERT_EQ(entries()[position % 4].bid, id);
  }
}

// Under incremental consumption a CQE continues where the one before it on the same buffer ended, until one
// comes without BUF_MORE.
TEST_F(GroupOfBuffers, GoesThroughABufferBitByBit) {
  Group group;
  ASSERT_TRUE(group.init(ring, 7, memory, 16, Consumption::incremental).ok());
  const Cqe first = delivered(1, 5, buf_more), other = delivered(2, 3, buf_more),
            second = delivered(1, 4, buf_more), last = delivered(1, 7);
  for (int round = 0; round < 3; ++round) {
    const u16 before = tail();
    EXPECT_EQ(group.get(first).value().data(), memory.data() + 16);
    EXPECT_EQ(group.get(first).value().size(), 5u);
    ASSERT_TRUE(group.put(first).ok());
    if (round == 0) {
      EXPECT_EQ(group.get(other).value().data(), memory.data() + 32);
      ASSERT_TRUE(group.put(other).ok());
    }
    EXPECT_EQ(group.get(second).value().data(), memory.data() + 16 + 5);
    EXPECT_EQ(group.get(second).value().size(), 4u);
    ASSERT_TRUE(group.put(second).ok());
    EXPECT_EQ(tail(), before) << "the kernel still has the buffer";
    EXPECT_EQ(group.get(last).value().data(), memory.data() + 16 + 9);
    EXPECT_EQ(group.get(last).value().size(), 7u);
    ASSERT_TRUE(group.put(last).ok());
    EXPECT_EQ(tail(), before + 1);
    EXPECT_EQ(entries()[before % 4].addr, address(16)) << "whole again";
    EXPECT_EQ(entries()[before % 4].len, 16u);
  }
  EXPECT_EQ(group.get(other).value().data(), memory.data() + 32 + 3)
      << "each buffer has a position of its own";
}

// More buffers than a buffer has bytes, so that mistaking one count for the other shows.
TEST_F(GroupOfBuffers, OfManySmallBuffers) {
  Group group;
  ASSERT_TRUE(group.init(ring, 7, memory, 4).ok());
  EXPECT_EQ(kernel.mappings.at(entries()), 16 * (16 + 4u));
  for (u16 id = 0; id < 16; ++id) {
    ASSERT_TRUE(group.put(delivered(id, 1, buf_more)).ok());
    EXPECT_EQ(group.get(delivered(id, 2)).value().data(), memory.data() + 4 * id + 1);
    EXPECT_EQ(entries()[id].addr, address(4u * id)) << "the entries are left alone";
  }
  Group moved = std::move(group);
  EXPECT_EQ(moved.get(delivered(12, 2)).value().data(), memory.data() + 4 * 12 + 1);
}

TEST_F(GroupOfBuffers, AClosedGroupIsAsANewOne) {
  const auto is_new = [](const Group& closed) {
    EXPECT_EQ(closed.count(), 0u);
    EXPECT_EQ(closed.get(delivered(0, 1)), Error::buffer_out_of_range);
  };
  Group group;
  is_new(group);
  EXPECT_EQ(group.id(), 0);
  EXPECT_EQ(group.buffer_size(), 0u);
  EXPECT_EQ(group.consumption(), Consumption::whole);
  ASSERT_TRUE(group.init(ring, 7, memory, 16).ok());
  group.close();
  is_new(group);
  ASSERT_TRUE(group.init(ring, 7, memory, 16).ok());
  EXPECT_EQ(tail(), 4) << "it counts from the beginning";
  EXPECT_EQ(entries()[0].bid, 0);
  Group moved = std::move(group);
  is_new(group);  // NOLINT(bugprone-use-after-move): what is left is what this test is about
  EXPECT_EQ(group.buffer_size(), 0u);
  Group& itself = moved;
  moved = std::move(itself);
  EXPECT_EQ(moved.count(), 4u) << "assigned to itself";
}

TEST_F(GroupOfBuffers, RefusesWhatItCannotHaveDelivered) {
  Group group;
  ASSERT_TRUE(group.init(ring, 7, memory, 16).ok());
  const Cqe no_buffer{.user_data = 0, .res = -ENOBUFS, .flags = 0x20000};
  EXPECT_EQ(no_buffer.buffer_id(), Error::no_buffer_selected);
  EXPECT_EQ(group.get(no_buffer), Error::no_buffer_selected);
  EXPECT_EQ(group.put(no_buffer), Error::no_buffer_selected);
  EXPECT_EQ(group.get(delivered(4, 1)), Error::buffer_out_of_range);
  EXPECT_EQ(group.put(delivered(4, 1)), Error::buffer_out_of_range);
  EXPECT_EQ(group.get(delivered(3, 17)), Error::buffer_out_of_range);
  EXPECT_TRUE(group.get(delivered(3, 16)).ok());
  ASSERT_TRUE(group.put(delivered(3, 10, buf_more)).ok());
  EXPECT_EQ(group.get(delivered(3, 7)), Error::buffer_out_of_range) << "six are left";
  EXPECT_EQ(group.put(delivered(3, 7)), Error::buffer_out_of_range);
  EXPECT_EQ(tail(), 4) << "nothing of that was handed over";
}

// A request can fail after it took a buffer: there are no bytes, but the buffer must go back.
TEST_F(GroupOfBuffers, TakesBackTheBufferOfAFailure) {
  Group group;
  ASSERT_TRUE(group.init(ring, 7, memory, 16).ok());
  EXPECT_EQ(group.get(delivered(3, -ECONNRESET)).value().size(), 0u);
  ASSERT_TRUE(group.put(delivered(3, -ECONNRESET)).ok());
  EXPECT_EQ(tail(), 5);
  EXPECT_EQ(entries()[0].bid, 3);
}

TEST_F(GroupOfBuffers, QueuesReceivesThatSelectFromIt) {
  Group group;
  ASSERT_TRUE(group.init(ring, 7, memory, 16).ok());
  for (u32 slot = 0; slot < 2; ++slot) std::memset(static_cast<void*>(&kernel.sqe(slot)), 0xff, 64);
  const uring::Sqe once = group.recv(1, 5, 0x100).value(), ever = group.recv_multishot(2, 5, 0x100).value();
  EXPECT_EQ(once, (uring::Sqe{.opcode = static_cast<uring::Op>(27),
                              .flags = 32,
                              .fd = 5,
                              .op_flags = 0x100,
                              .user_data = 1,
                              .buf_index = 7}));
  EXPECT_EQ(ever, (uring::Sqe{.opcode = static_cast<uring::Op>(27),
                              .flags = 32,
                              .ioprio = 2,
                              .fd = 5,
                              .op_flags = 0x100,
                              .user_data = 2,
                              .buf_index = 7}));
}

TEST_F(GroupOfBuffers, MovesTakeEverythingAlong) {
  Group group;
  ASSERT_TRUE(group.init(ring, 7, memory, 16).ok());
  ASSERT_TRUE(group.put(delivered(1, 5, buf_more)).ok());
  Group moved = std::move(group);
  EXPECT_EQ(group.count(), 0u);  // NOLINT(bugprone-use-after-move): what is left is what this test is about
  EXPECT_EQ(moved.get(delivered(1, 5)).value().data(), memory.data() + 16 + 5);
  Group third;
  // With another tail.
  ASSERT_TRUE(third.init(ring, 8, std::span(memory).first(32), 16, Consumption::whole).ok());
  third = std::move(moved);
  EXPECT_EQ(unregistered, (std::vector<u16>{8})) << "what it had before";
  EXPECT_EQ(third.id(), 7);
  EXPECT_EQ(third.consumption(), Consumption::incremental);
  ASSERT_TRUE(third.put(delivered(3, 5)).ok());
  const Buf* const first = reinterpret_cast<Buf*>(asked.front().ring_addr);
  EXPECT_EQ(first->resv, 5u) << "four at first, and this one";
  EXPECT_EQ(first->bid, 3u);
  static_assert(!std::is_copy_constructible_v<Group> && !std::is_copy_assignable_v<Group>);
}

TEST_F(GroupOfBuffers, OutlivesTheDescriptorOfItsRing) {
  Group group;
  ASSERT_TRUE(group.init(ring, 7, memory, 16).ok());
  ring.close();
  group.close();
  EXPECT_TRUE(unregistered.empty()) << "there was no ring to ask any more";
  EXPECT_EQ(groups_mapped(), 0u);
}

// The ring's descriptor may be 0, where standard input is closed.
TEST_F(GroupOfBuffers, LetsGoOfItsGroupOnDescriptorZero) {
  ring.close();
  const int usual = std::exchange(Played::fd, 0);
  ASSERT_TRUE(ring.init(4).ok());
  Group group;
  ASSERT_TRUE(group.init(ring, 7, memory, 16).ok());
  group.close();
  EXPECT_EQ(unregistered, (std::vector<u16>{7}));
  ring.close();
  Played::fd = usual;
}

TEST_F(GroupOfBuffers, TrapsWhenItHasNoRing) {
  Group group;
  EXPECT_EXIT(static_cast<void>(group.recv(1, 5, 0)), trapped, "");
  EXPECT_EQ(group.get(delivered(0, 1)), Error::buffer_out_of_range);
}

TEST(CqeHelpers, ReadResAndFlags) {
  EXPECT_EQ((Cqe{.user_data = 1, .res = 0, .flags = 0}).error(), Error::none);
  EXPECT_EQ((Cqe{.user_data = 1, .res = 5, .flags = 0}).error(), Error::none);
  EXPECT_EQ((Cqe{.user_data = 1, .res = -105, .flags = 0}).error(), static_cast<Error>(105));
  EXPECT_EQ((Cqe{.user_data = 1, .res = -4095, .flags = 0}).error(), static_cast<Error>(4095));
  EXPECT_EQ((Cqe{.user_data = 1, .res = -4096, .flags = 0}).error(), Error::none);
  EXPECT_EQ((Cqe{.user_data = 1, .res = std::numeric_limits<i32>::min(), .flags = 0}).error(), Error::none)
      << "notif_usage_zc_copied is no error";
  EXPECT_EQ((Cqe{.user_data = 1, .res = 0, .flags = 0xffff'0001}).buffer_id(), 0xffff);
  EXPECT_EQ((Cqe{.user_data = 1, .res = 0, .flags = 0x0003'0001}).buffer_id(), 3);
  EXPECT_EQ((Cqe{.user_data = 1, .res = 0, .flags = 0x0003'0002}).buffer_id(), Error::no_buffer_selected);
}

}  // namespace
