// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Zero-copy receive on a fake kernel. (On a real one:
// conformance/interface/large_entries_and_devices/zcrx_test.cc.)
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <utility>

#include "played_kernel.h"
#include "trap.h"

namespace {

using uring::Cqe32, uring::Error, uring::i32, uring::u32, uring::u64, uring::ZcrxRqe;
using Ring32 = uring::BasicRing<PlayedKernel, uring::Sqe, Cqe32>;
using Receiver = uring::ZeroCopyReceiver<Ring32>;

constexpr u64 token = u64{3} << 48;

constexpr u32 in_pages(u32 bytes) {
  constexpr u32 page = uring::arch::largest_page;
  return (bytes + page - 1) / page * page;
}

class ZeroCopyReceive : public testing::Test {
 protected:
  Played kernel;
  Ring32 ring{PlayedKernel{&kernel}};
  Receiver receiver;
  alignas(64) std::array<std::byte, 16384> memory{};
  // What was asked for, and where the kernel put the parts.
  uring::ZcrxIfqReg request{};
  uring::ZcrxAreaReg area{};
  uring::RegionDesc region{};
  uring::ZcrxCtrl control{};
  u32 head_at = 64, tail_at = 128, rqes_at = 256;

  void SetUp() override {
    ASSERT_TRUE(ring.init(4).ok());
    kernel.on_register = [this](uring::RegisterOp op, void* arg, u32 count) -> long {
      if (op == uring::RegisterOp::zcrx_ctrl) {
        EXPECT_EQ(count, 0u);
        control = *static_cast<uring::ZcrxCtrl*>(arg);
        return 0;
      }
      EXPECT_EQ(op, uring::RegisterOp::zcrx_ifq);
      EXPECT_EQ(count, 1u);
      auto& answer = *static_cast<uring::ZcrxIfqReg*>(arg);
      request = answer;
      auto& answered_area = *reinterpret_cast<uring::ZcrxAreaReg*>(answer.area_ptr);
      area = answered_area;
      region = *reinterpret_cast<uring::RegionDesc*>(answer.region_ptr);
      answered_area.rq_area_token = token;
      answer.offsets.head = head_at;
      answer.offsets.tail = tail_at;
      answer.offsets.rqes = rqes_at;
      answer.zcrx_id = 5;
      answer.rx_buf_len = 4096;
      return 0;
    };
  }
  void TearDown() override {
    receiver.close();
    ring.close();
    EXPECT_TRUE(kernel.mappings.empty()) << "a mapping was left";
  }
  // Four entries, as there are four times 4 KiB.
  void open() { ASSERT_TRUE(receiver.init(ring, memory, {}).ok()); }
  u32& word(u32 at) { return *reinterpret_cast<u32*>(region.user_addr + at); }
  ZcrxRqe rqe(u32 position) { return reinterpret_cast<ZcrxRqe*>(region.user_addr + rqes_at)[position % 4]; }
  static Cqe32 data(u64 offset, i32 bytes) {
    Cqe32 cqe{};
    cqe.res = bytes;
    cqe.flags = uring::cqe_f_more;
    cqe.extra1 = token | offset;
    return cqe;
  }
};

TEST_F(ZeroCopyReceive, AsksForWhatItWasTold) {
  const uring::ZcrxEventDesc events{};
  ASSERT_TRUE(receiver
                  .init(ring, memory,
                        {.interface_index = 2,
                         .queue = 7,
                         .flags = uring::zcrx_reg_nodev,
                         .buffer_size = 8192,
                         .refill_entries = 33,
                         .events = &events})
                  .ok());
  EXPECT_EQ(request.if_idx, 2u);
  EXPECT_EQ(request.if_rxq, 7u);
  EXPECT_EQ(request.flags, 2u);
  EXPECT_EQ(request.rx_buf_len, 8192u);
  EXPECT_EQ(request.rq_entries, 64u) << "rounded up";
  EXPECT_EQ(request.event_desc, reinterpret_cast<u64>(&events));
  EXPECT_EQ(area.addr, reinterpret_cast<u64>(memory.data()));
  EXPECT_EQ(area.len, 16384u);
  EXPECT_EQ(area.flags, 0u);
  EXPECT_EQ(region.flags, 1u);
  EXPECT_EQ(region.size, in_pages(4096 + 64 * 16));
  EXPECT_EQ(region.size, kernel.mappings.at(reinterpret_cast<void*>(region.user_addr)));
  EXPECT_EQ(receiver.id(), 5u);
  EXPECT_EQ(receiver.buffer_size(), 4096u) << "as the kernel says";
}

// The region holds what precedes the entries, too, and is whole pages of any size.
TEST_F(ZeroCopyReceive, MakesRoomForItsQueue) {
  open();
  EXPECT_EQ(request.rq_entries, 4u) << "one for each 4 KiB";
  receiver.close();
  ASSERT_TRUE(receiver.init(ring, memory, {.refill_entries = 3840}).ok());  // rounded up to 4096
  EXPECT_EQ(region.size, in_pages(4096 + 65536));
  receiver.close();
  ASSERT_TRUE(receiver.init(ring, memory, {.refill_entries = 32768}).ok());
  EXPECT_EQ(request.rq_entries, 32768u);
  EXPECT_EQ(region.size, in_pages(4096 + 524288));
  receiver.close();
  EXPECT_EQ(receiver.init(ring, memory, {.refill_entries = 32769}), Error::entries_not_in_range);
  // A terabyte needs no more than the most.
  ASSERT_TRUE(receiver.init(ring, {memory.data(), std::size_t{1} << 40}, {}).ok());
  EXPECT_EQ(request.rq_entries, 32768u);
  receiver.close();
  ASSERT_TRUE(receiver.init(ring, {memory.data(), 0}, {}).ok());
  EXPECT_EQ(request.rq_entries, 1u);
}

TEST_F(ZeroCopyReceive, FindsItsData) {
  open();
  const auto all = receiver.get(data(0, 16384));
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(all.value().data(), memory.data());
  EXPECT_EQ(all.value().size(), 16384u);
  const auto last = receiver.get(data(16383, 1));
  ASSERT_TRUE(last.ok());
  EXPECT_EQ(last.value().data(), memory.data() + 16383);
  EXPECT_EQ(last.value().size(), 1u);
}

TEST_F(ZeroCopyReceive, RefusesWhatIsNotItsData) {
  open();
  Cqe32 of_another = data(0, 1);
  of_another.extra1 = u64{2} << 48;
  for (const Cqe32& cqe :
       {data(16384, 1), data(16383, 2), data(0, 16385), data(~u64{0} >> 16, 1), of_another}) {
    EXPECT_EQ(receiver.get(cqe).error(), Error::buffer_out_of_range);
    EXPECT_EQ(receiver.put(cqe), Error::buffer_out_of_range);
  }
  for (const i32 res : {0, -ENOMEM}) {
    EXPECT_EQ(receiver.get(data(0, res)).error(), Error::no_buffer_selected);
    EXPECT_EQ(receiver.put(data(0, res)), Error::no_buffer_selected);
  }
  EXPECT_EQ(word(tail_at), 0u) << "given back";
}

// Each entry goes out whole and before the tail, around the end, and none is overwritten before the kernel
// has taken it.
TEST_F(ZeroCopyReceive, GivesBack) {
  open();
  for (u32 i = 0; i < 4; ++i) {
    ASSERT_TRUE(receiver.put(data(4096 * i + 8, 100)).ok());
    EXPECT_EQ(word(tail_at), i + 1);
    EXPECT_EQ(rqe(i).off, token | (4096 * i + 8));
    EXPECT_EQ(rqe(i).len, 100u);
    EXPECT_EQ(rqe(i).pad, 0u);
  }
  EXPECT_EQ(receiver.put(data(0, 7)), Error::refill_queue_full);
  EXPECT_EQ(word(tail_at), 4u);
  EXPECT_EQ(rqe(0).len, 100u);
  word(head_at) = 1;
  ASSERT_TRUE(receiver.put(data(0, 7)).ok());
  EXPECT_EQ(word(tail_at), 5u);
  EXPECT_EQ(rqe(4).len, 7u);
  EXPECT_EQ(rqe(1).len, 100u);
  EXPECT_EQ(receiver.put(data(0, 7)), Error::refill_queue_full);
  EXPECT_EQ(word(head_at), 1u) << "the kernel's";
}

// What lay in the slot before is gone.
TEST_F(ZeroCopyReceive, LeavesNothingOfAnEntryBefore) {
  open();
  std::memset(reinterpret_cast<void*>(region.user_addr + rqes_at), 0xff, sizeof(ZcrxRqe));
  ASSERT_TRUE(receiver.put(data(0, 1)).ok());
  EXPECT_EQ(rqe(0).pad, 0u);
}

TEST_F(ZeroCopyReceive, Flushes) {
  open();
  std::memset(static_cast<void*>(&control), 0xff, sizeof control);
  ASSERT_TRUE(receiver.flush().ok());
  EXPECT_EQ(control.zcrx_id, 5u);
  EXPECT_EQ(control.op, 0u);
  for (const u64 word : control.resv) EXPECT_EQ(word, 0u);
  for (const u64 word : control.zc_flush.resv) EXPECT_EQ(word, 0u);
}

TEST_F(ZeroCopyReceive, IsARequest) {
  open();
  const uring::Sqe sqe = receiver.recv(9, 4, 77).value();
  EXPECT_EQ(sqe.opcode, uring::Op::recv_zc);
  EXPECT_EQ(sqe.fd, 4);
  EXPECT_EQ(sqe.user_data, 9u);
  EXPECT_EQ(sqe.len, 77u);
  EXPECT_EQ(sqe.file_index, 5u);
  EXPECT_EQ(sqe.ioprio, 2u);
  EXPECT_EQ(receiver.recv(9, 4).value().len, 0u) << "no limit";
}

TEST_F(ZeroCopyReceive, LeavesNothingAfterAnError) {
  kernel.on_register = [](auto...) -> long { return -EOPNOTSUPP; };
  EXPECT_EQ(receiver.init(ring, memory, {}), Error::opnotsupp);
  EXPECT_EQ(kernel.mappings.size(), 2u) << "those of the ring";
  kernel.anonymous_map_error = ENOMEM;
  EXPECT_EQ(receiver.init(ring, memory, {}), Error::nomem);
  EXPECT_EQ(receiver.get(data(0, 1)).error(), Error::buffer_out_of_range) << "closed";
}

// A queue that would lie outside its region, or cannot be read there.
TEST_F(ZeroCopyReceive, DoesNotTrustTheKernelsOffsets) {
  constexpr u32 end = in_pages(4096 + 64);
  const auto expect = [this](u32 head, u32 tail, u32 rqes, bool right) {
    head_at = head, tail_at = tail, rqes_at = rqes;
    const auto made = receiver.init(ring, memory, {});
    EXPECT_EQ(made.ok(), right) << head << " " << tail << " " << rqes;
    if (!right) {
      EXPECT_EQ(made, Error::ring_layout_invalid);
      EXPECT_EQ(kernel.mappings.size(), 2u) << "those of the ring";
    }
    receiver.close();
  };
  expect(end - 4, 0, 64, true);
  expect(end, 0, 64, false);
  expect(2, 0, 64, false);
  expect(0, end - 4, 64, true);
  expect(0, end, 64, false);
  expect(0, 6, 64, false);
  expect(0, 4, end - 64, true);
  expect(0, 4, end - 56, false);
  expect(0, 4, 68, false);
}

TEST_F(ZeroCopyReceive, DoesNotTrustTheKernelsCount) {
  const auto answer = kernel.on_register;
  kernel.on_register = [&](uring::RegisterOp op, void* arg, u32 count) {
    const long result = answer(op, arg, count);
    static_cast<uring::ZcrxIfqReg*>(arg)->rq_entries = 8;
    return result;
  };
  EXPECT_EQ(receiver.init(ring, memory, {}), Error::ring_layout_invalid);
}

TEST_F(ZeroCopyReceive, MovesWithItsRing) {
  open();
  ASSERT_TRUE(receiver.put(data(0, 1)).ok());
  Receiver moved = std::move(receiver);
  Ring32 ring_moved = std::move(ring);
  EXPECT_EQ(receiver.get(data(0, 1)).error(), Error::buffer_out_of_range);
  EXPECT_EQ(moved.recv(1, 4).value().file_index, 5u);
  EXPECT_EQ(ring_moved.sq_ready(), 1u);
  ASSERT_TRUE(moved.put(data(8, 2)).ok());
  EXPECT_EQ(rqe(1).off, token | 8);
  EXPECT_EQ(word(tail_at), 2u);
  ASSERT_TRUE(moved.flush().ok());
  EXPECT_EQ(moved.buffer_size(), 4096u);
  EXPECT_EQ(moved.id(), 5u);
  receiver = std::move(moved);
  EXPECT_EQ(receiver.get(data(1, 1)).value().data(), memory.data() + 1);
  ring = std::move(ring_moved);
  EXPECT_EQ(receiver.recv(1, 4).value().file_index, 5u);
}

// Over itself, and over one that is open.
TEST_F(ZeroCopyReceive, IsReplaced) {
  open();
  Receiver& same = receiver;
  receiver = std::move(same);
  EXPECT_TRUE(receiver.get(data(0, 1)).ok());
  receiver = Receiver();
  EXPECT_EQ(kernel.mappings.size(), 2u) << "those of the ring";
}

// Without a ring there is nothing to receive with; what came before can still be read, and the queue
// unmapped.
TEST_F(ZeroCopyReceive, OutlivesItsRing) {
  open();
  ring.close();
  EXPECT_TRUE(receiver.get(data(0, 1)).ok());
  EXPECT_EXIT(static_cast<void>(receiver.recv(1, 4)), trapped, "");
  EXPECT_EXIT(static_cast<void>(receiver.flush()), trapped, "");
  EXPECT_EQ(kernel.mappings.size(), 1u);
  receiver.close();
  receiver.close();
  EXPECT_TRUE(kernel.mappings.empty());
}

TEST_F(ZeroCopyReceive, IsOpenedOnce) {
  open();
  EXPECT_EXIT(static_cast<void>(receiver.init(ring, memory, {})), trapped, "");
}

}  // namespace
