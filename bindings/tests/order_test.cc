// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The order in which the binding accesses what it shares with the kernel, and in which it gives things back.
// What the processor makes of an order, fences included, is in emitted_code_test.py.
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "played_kernel.h"

namespace {

using Words = std::vector<std::string>;

class Accesses : public RingOnAPlayedKernel {
 protected:
  template <class Action>
  Words of(Action&& action) {
    Watch watch({&kernel.rings, &kernel.sqes});
    action();
    return watch.accesses();
  }
};

// The poller may fall asleep at any moment. Only if its flag is read after the tail is published does one of
// the two notice the other; see shared.h.
TEST_F(Accesses, OfASubmitWithSqpollAskForTheSleeperLast) {
  ASSERT_TRUE(ring.init(4, uring::setup_sqpoll).ok());
  const Words wanted{"write sq_tail", "read sq_head", "read sq_flags"};
  EXPECT_EQ(of([&] { EXPECT_EQ(ring.submit(), 0); }), wanted);
  EXPECT_EQ(of([&] { EXPECT_TRUE(ring.submit_and_wait(1).ok()); }), wanted);
  EXPECT_EQ(of([&] { EXPECT_TRUE(ring.submit_and_wait_timeout(1, {}).ok()); }), wanted);
}

TEST_F(Accesses, OfASubmitEndWithTheTail) {
  ASSERT_TRUE(ring.init(4).ok());
  EXPECT_EQ(of([&] {
              ring.nop(1).value();
              ring.nop(2).value();
              ring.flush_sq();
            }),
            (Words{"read sq_head", "write sqes", "write sq_tail", "read sq_head"}));
  EXPECT_EQ(of([&] { EXPECT_EQ(ring.submit(), 2); }), (Words{"write sq_tail", "read sq_head"}));
}

// A CQE is read after the tail that announces it, and given back when it was read.
TEST_F(Accesses, OfACopyEndWithTheHead) {
  ASSERT_TRUE(ring.init(4).ok());
  kernel.post({.user_data = 1, .res = 0, .flags = 0});
  kernel.post({.user_data = 2, .res = 0, .flags = 0});
  std::array<Cqe, 8> cqes{};
  EXPECT_EQ(of([&] { EXPECT_EQ(ring.copy_cqes(cqes, 0), 2); }),
            (Words{"read cq_head", "read cq_tail", "read cqes", "write cq_head"}));
}

TEST_F(Accesses, AreNoneWhenNothingIsShared) {
  ASSERT_TRUE(ring.init(4).ok());
  EXPECT_EQ(of([&] { EXPECT_EQ(ring.sq_unflushed() + ring.sq_entries(), 4u); }), Words{});
}

// --- teardown ----------------------------------------------------------------------------------------------

using Closing = RingOnAPlayedKernel;

// A thread has 16 indices for registered rings, and only unregistering frees one, which needs the descriptor.
TEST_F(Closing, GivesItsIndexBackBeforeItsDescriptor) {
  for (int count = 1; count <= 17; ++count) {
    ASSERT_TRUE(ring.init(4).ok());
    ASSERT_TRUE(ring.register_ring_fd().ok()) << "ring number " << count;
    ring.close();
    EXPECT_TRUE(Played::indices.empty()) << "closing ring number " << count << " left its index taken";
  }
}

TEST_F(Closing, SeventeenAtOnceAreTooMany) {
  struct Other {
    Played kernel;
    Ring ring{PlayedKernel{&kernel}};
  };
  std::array<Other, 17> others;
  for (u32 i = 0; i < 17; ++i) {
    ASSERT_TRUE(others.at(i).ring.init(4).ok());
    EXPECT_EQ(others.at(i).ring.register_ring_fd().ok(), i < 16) << i;
  }
}

// The kernel would go on writing into memory that means something else by then.
TEST_F(Closing, UnregistersABufferRingBeforeItIsUnmapped) {
  ASSERT_TRUE(ring.init(4).ok());
  alignas(64) static std::byte memory[64];
  {
    uring::BufferGroup<Ring> group;
    ASSERT_TRUE(group.init(ring, 7, memory, 16).ok());
    EXPECT_EQ(kernel.buf_rings.size(), 1u);
  }
  EXPECT_TRUE(kernel.buf_rings.empty());
  EXPECT_EQ(kernel.registered.back(), uring::RegisterOp::unregister_pbuf_ring);
  uring::Buf* const made = uring::setup_buf_ring(ring, 4, 8).value();
  EXPECT_EQ(kernel.buf_rings.size(), 1u);
  uring::free_buf_ring(ring, made, 4, 8);
  EXPECT_TRUE(kernel.buf_rings.empty());
  EXPECT_TRUE(kernel.anonymous.empty());
}

// Nothing of a closed ring's memory is accessed again. If it were, this would end with SIGSEGV.
TEST_F(Closing, LeavesTheMemoryAlone) {
  ASSERT_TRUE(ring.init(4).ok());
  ring.nop(1).value();
  ring.close();
  EXPECT_EQ(kernel.rings.user_side(), nullptr);
  EXPECT_EQ(kernel.sqes.user_side(), nullptr);
  EXPECT_TRUE(ring.init(4).ok()) << "and the same object can be opened again";
  EXPECT_EQ(ring.sq_ready(), 0u);
}

// --- what the played kernel refuses ------------------------------------------------------------------------

using Refusing = RingOnAPlayedKernel;

TEST_F(Refusing, CallsOnAClosedDescriptorFail) {
  PlayedKernel played{&kernel};
  long answer = 0;
  EXPECT_NONFATAL_FAILURE(answer = played.enter(Played::fd, 0, 0, 0, nullptr, 0), "not open");
  EXPECT_EQ(answer, -EBADF);
  EXPECT_NONFATAL_FAILURE(answer = played.do_register(Played::fd, uring::RegisterOp::files, nullptr, 0),
                          "not open");
  EXPECT_EQ(answer, -EBADF);
  EXPECT_NONFATAL_FAILURE(answer = played.map_ring(Played::fd, 64, uring::off_sqes), "not open");
  EXPECT_EQ(answer, -EBADF);
  EXPECT_NONFATAL_FAILURE(answer = played.close(Played::fd), "not open");
  EXPECT_EQ(answer, -EBADF);
}

TEST_F(Refusing, AnIndexThatWasNotRegisteredIsNone) {
  PlayedKernel played{&kernel};
  ASSERT_TRUE(ring.init(4).ok());
  long answer = 0;
  EXPECT_NONFATAL_FAILURE(answer = played.enter(0, 0, 0, uring::enter_registered_ring, nullptr, 0),
                          "not open");
  EXPECT_EQ(answer, -EINVAL);
}

TEST_F(Refusing, MemoryThatIsGoneIsGone) {
  ASSERT_TRUE(ring.init(4).ok());
  uring::Sqe* const sqe = ring.get_sqe();
  ring.close();
  EXPECT_DEATH(uring::prep_nop(*sqe, 1), "");  // by SIGSEGV, which AddressSanitizer catches
}

}  // namespace
