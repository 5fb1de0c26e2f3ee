// The ring on a kernel that we play: what no real kernel does on demand. Errors at each step of opening, answers that contradict each
// other, short submits, counters about to wrap, a sleeping SQPOLL thread.
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <vector>

#include <uring/uring.h>

namespace {

using uring::Cqe, uring::Error, uring::Indices, uring::u32, uring::u64;

// A kernel in a few hundred bytes: four SQEs, eight CQEs, completes what it consumes with res = user_data.
struct Played {
  static constexpr int fd = 1000;
  alignas(64) std::array<std::byte, 4096> rings{};
  alignas(64) std::array<uring::Sqe, 4> sqes{};

  // What to answer.
  u32 features = uring::feat_single_mmap;
  long setup_error = 0, ring_map_error = 0, sqe_map_error = 0, enter_error = 0;
  u32 consume_at_most = ~0u;
  u32 sq_mask_lie = 0, cq_entries_lie = 0;

  // What was asked.
  int open = 0, mapped = 0;
  std::vector<u32> enter_flags, enter_wait, enter_submit;

  // Where things are; odd on purpose.
  enum : u32 { sq_head = 64, sq_tail = 68, sq_mask = 72, sq_entries = 76, sq_flags = 80, sq_dropped = 84, cq_head = 128,
               cq_tail = 132, cq_mask = 136, cq_entries = 140, cq_overflow = 144, cqes = 256, array = 1024 };
  u32& word(u32 offset) { return *reinterpret_cast<u32*>(rings.data() + offset); }
  Cqe& cqe(u32 position) { return reinterpret_cast<Cqe*>(rings.data() + cqes)[position & 7]; }
  void post(Cqe cqe_to_post) { cqe(word(cq_tail)++) = cqe_to_post; }

  u32 consume(u32 count) {
    u32 done = 0;
    for (; done < count && done < consume_at_most && word(sq_head) != word(sq_tail); ++done) {
      const u32 index = word(array + 4 * (word(sq_head)++ & 3));
      const u64 user_data = sqes.at(index).user_data;
      post({.user_data = user_data, .res = static_cast<uring::i32>(user_data), .flags = 0});
    }
    return done;
  }
};

struct PlayedKernel {
  Played* p = nullptr;

  long setup(u32, uring::Params* params) noexcept {
    if (p->setup_error != 0) return -p->setup_error;
    ++p->open;
    params->sq_entries = 4;
    params->cq_entries = 8;
    params->features = p->features;
    params->sq_off = {Played::sq_head, Played::sq_tail, Played::sq_mask, Played::sq_entries, Played::sq_flags,
                      Played::sq_dropped, Played::array, 0, 0};
    params->cq_off = {Played::cq_head, Played::cq_tail, Played::cq_mask, Played::cq_entries, Played::cq_overflow,
                      Played::cqes, 0, 0, 0};
    p->word(Played::sq_mask) = 3 ^ p->sq_mask_lie;
    p->word(Played::sq_entries) = 4;
    p->word(Played::cq_mask) = 7;
    p->word(Played::cq_entries) = 8 + p->cq_entries_lie;
    return Played::fd;
  }
  long enter(int fd, u32 to_submit, u32 min_complete, u32 flags, const void*, std::size_t) noexcept {
    EXPECT_EQ(fd, Played::fd);
    p->enter_submit.push_back(to_submit);
    p->enter_wait.push_back(min_complete);
    p->enter_flags.push_back(flags);
    if (p->enter_error != 0) return -p->enter_error;
    return p->consume(to_submit);
  }
  long do_register(int, uring::RegisterOp, const void*, u32) noexcept { return 0; }
  long map_ring(int fd, std::size_t bytes, u64 offset) noexcept {
    EXPECT_EQ(fd, Played::fd);
    if (offset == uring::off_sqes) {
      if (p->sqe_map_error != 0) return -p->sqe_map_error;
      EXPECT_EQ(bytes, 4 * 64u);
      ++p->mapped;
      return reinterpret_cast<long>(p->sqes.data());
    }
    EXPECT_EQ(offset, uring::off_sq_ring);
    if (p->ring_map_error != 0) return -p->ring_map_error;
    EXPECT_EQ(bytes, Played::array + 4 * 4u);  // the larger of the two ends
    ++p->mapped;
    return reinterpret_cast<long>(p->rings.data());
  }
  long unmap(void*, std::size_t) noexcept { return --p->mapped, 0; }
  long close(int fd) noexcept {
    EXPECT_EQ(fd, Played::fd);
    return --p->open, 0;
  }
};
using Ring = uring::BasicRing<PlayedKernel>;

class RingOnAPlayedKernel : public testing::Test {
 protected:
  Played kernel;
  Ring ring{PlayedKernel{&kernel}};

  void TearDown() override {
    ring.close();
    EXPECT_EQ(kernel.open, 0) << "the descriptor was left open";
    EXPECT_EQ(kernel.mapped, 0) << "a mapping was left";
  }
};
using Opening = RingOnAPlayedKernel;
using Submitting = RingOnAPlayedKernel;
using Completing = RingOnAPlayedKernel;

TEST_F(Opening, ReportsTheErrnoOfEachStepAndLeavesNothing) {
  kernel.setup_error = ENFILE;
  EXPECT_EQ(ring.init(4), Error::nfile);
  kernel.setup_error = 0;
  kernel.ring_map_error = ENOMEM;
  EXPECT_EQ(ring.init(4), Error::nomem);
  kernel.ring_map_error = 0;
  kernel.sqe_map_error = EAGAIN;
  EXPECT_EQ(ring.init(4), Error::again);
  EXPECT_EQ(ring.fd(), -1);
  EXPECT_EQ(kernel.open, 0);
  EXPECT_EQ(kernel.mapped, 0);
  // And it can be tried again on the same object.
  kernel.sqe_map_error = 0;
  EXPECT_TRUE(ring.init(4).ok());
}

TEST_F(Opening, RefusesAKernelWithoutTheSingleMapping) {
  kernel.features = uring::feat_nodrop;
  EXPECT_EQ(ring.init(4), Error::system_outdated);
}

TEST_F(Opening, RefusesAnswersThatContradictEachOther) {
  kernel.sq_mask_lie = 4;
  EXPECT_EQ(ring.init(4), Error::ring_layout_invalid);
  kernel.sq_mask_lie = 0;
  kernel.cq_entries_lie = 1;
  EXPECT_EQ(ring.init(4), Error::ring_layout_invalid);
  kernel.cq_entries_lie = 0;
  for (const u32 offset : {Played::sq_head, Played::sq_tail, Played::cq_head, Played::cq_tail, Played::sq_dropped,
                           Played::cq_overflow}) {
    kernel.word(offset) = 1;
    EXPECT_EQ(ring.init(4), Error::ring_layout_invalid) << "a new ring with 1 in its word at " << offset;
    kernel.word(offset) = 0;
  }
}

TEST_F(Opening, RefusesLayoutsItDoesNotSpeakWithoutAskingTheKernel) {
  kernel.setup_error = EIO;  // would be seen
  for (const u32 flag : {uring::setup_sqe128, uring::setup_cqe32, uring::setup_sqe_mixed, uring::setup_cqe_mixed,
                         uring::setup_no_mmap, uring::setup_registered_fd_only, uring::setup_sq_rewind}) {
    EXPECT_EQ(ring.init(4, flag), Error::flags_not_supported) << flag;
  }
}

TEST_F(Opening, MovesTakeEverythingAlong) {
  ASSERT_TRUE(ring.init(4).ok());
  ring.nop(7).value();
  Ring moved = std::move(ring);
  EXPECT_EQ(ring.fd(), -1);
  EXPECT_EQ(moved.sq_ready(), 1u);
  EXPECT_EQ(moved.submit(), 1);
  ring = std::move(moved);
  Cqe cqe{};
  EXPECT_TRUE(ring.copy_cqe(cqe).ok());
  EXPECT_EQ(cqe, (Cqe{.user_data = 7, .res = 7, .flags = 0}));
}

TEST_F(Submitting, PublishesOnlyWhenTold) {
  ASSERT_TRUE(ring.init(4).ok());
  ring.nop(1).value();
  ring.nop(2).value();
  EXPECT_EQ(kernel.word(Played::sq_tail), 0u);
  EXPECT_EQ(ring.sq_unflushed(), 2u);
  EXPECT_EQ(ring.flush_sq(), 2u);
  EXPECT_EQ(kernel.word(Played::sq_tail), 2u);
  EXPECT_EQ(ring.sq_unflushed(), 0u);
  EXPECT_EQ(ring.sq_ready(), 2u);
}

// The kernel stops a batch at a request it refuses. What it left is submitted by the next submit, and nothing twice.
TEST_F(Submitting, GoesOnAfterAShortSubmit) {
  ASSERT_TRUE(ring.init(4).ok());
  for (u64 i = 1; i <= 3; ++i) ring.nop(i).value();
  kernel.consume_at_most = 1;
  EXPECT_EQ(ring.submit(), 1);
  EXPECT_EQ(ring.sq_ready(), 2u);
  kernel.consume_at_most = ~0u;
  EXPECT_EQ(ring.submit(), 2);
  EXPECT_EQ(kernel.enter_submit, (std::vector<u32>{3, 2}));
  std::array<Cqe, 8> cqes{};
  ASSERT_EQ(ring.copy_cqes(cqes, 0), 3);
  for (u64 i = 0; i < 3; ++i) EXPECT_EQ(cqes[i].user_data, i + 1);
}

// Counters are 32 bits and wrap; here they start just below, at every distance from the end.
TEST_F(Submitting, KeepsCountingAcrossTheWrapOf32Bits) {
  for (u32 start = ~0u - 9; start != 1; ++start) {
    for (const u32 counter : {Played::sq_head, Played::sq_tail, Played::cq_head, Played::cq_tail}) {
      kernel.word(counter) = start;
    }
    ASSERT_TRUE(ring.init(4).ok()) << start;
    u64 expected = 0;
    for (u32 round = 0; round < 3; ++round) {
      for (int i = 0; i < 4; ++i) ring.nop(++expected).value();
      EXPECT_EQ(ring.nop(0), Error::submission_queue_full);
      EXPECT_EQ(ring.sq_ready(), 4u);
      EXPECT_EQ(ring.submit(), 4);
      EXPECT_EQ(ring.cq_ready(), 4u);
      std::array<Cqe, 3> part{};
      EXPECT_EQ(ring.copy_cqes(part, 0), 3);
      EXPECT_EQ(part[0].user_data, expected - 3);
      EXPECT_EQ(ring.copy_cqes(part, 0), 1);
      EXPECT_EQ(part[0].user_data, expected);
    }
    EXPECT_EQ(ring.indices(), (Indices{start + 12, start + 12, start + 12, start + 12}));
    ring.close();
  }
}

TEST_F(Submitting, ReportsTheErrnoOfEnter) {
  ASSERT_TRUE(ring.init(4).ok());
  ring.nop(1).value();
  kernel.enter_error = EBUSY;
  EXPECT_EQ(ring.submit(), Error::busy);
  EXPECT_EQ(ring.sq_ready(), 1u) << "nothing is lost: the next submit sends it";
  kernel.enter_error = 0;
  EXPECT_EQ(ring.submit(), 1);
}

TEST_F(Submitting, AsksForEventsOnlyWhenItWaits) {
  ASSERT_TRUE(ring.init(4).ok());
  ring.nop(1).value();
  ASSERT_TRUE(ring.submit().ok());
  ring.nop(2).value();
  ASSERT_TRUE(ring.submit_and_wait(1).ok());
  EXPECT_EQ(kernel.enter_flags, (std::vector<u32>{0, uring::enter_getevents}));
  EXPECT_EQ(kernel.enter_wait, (std::vector<u32>{0, 1}));
}

TEST_F(Submitting, APolledRingAlwaysAsksForEvents) {
  ASSERT_TRUE(ring.init(4, uring::setup_iopoll).ok());
  ring.nop(1).value();
  ASSERT_TRUE(ring.submit().ok());
  EXPECT_EQ(kernel.enter_flags, (std::vector<u32>{uring::enter_getevents}));
}

TEST_F(Submitting, EntersForAnSqpollThreadOnlyWhenItSleeps) {
  ASSERT_TRUE(ring.init(4, uring::setup_sqpoll).ok());
  ring.nop(1).value();
  EXPECT_EQ(ring.submit(), 1) << "published for the thread";
  EXPECT_TRUE(kernel.enter_flags.empty());
  kernel.word(Played::sq_flags) = uring::sq_need_wakeup;
  EXPECT_EQ(ring.submit(), 1);
  EXPECT_EQ(kernel.enter_flags, (std::vector<u32>{uring::enter_sq_wakeup}));
}

TEST_F(Completing, WaitsOnlyWhenNothingIsReady) {
  ASSERT_TRUE(ring.init(4).ok());
  std::array<Cqe, 8> cqes{};
  kernel.post({.user_data = 1, .res = 0, .flags = 0});
  EXPECT_EQ(ring.copy_cqes(cqes, 5), 1) << "one is ready: returned at once, whatever was asked for";
  EXPECT_TRUE(kernel.enter_flags.empty());
  EXPECT_EQ(ring.copy_cqes(cqes, 0), 0);
  EXPECT_TRUE(kernel.enter_flags.empty());
  EXPECT_EQ(ring.copy_cqes(cqes, 2), 0) << "the kernel may return without any";
  EXPECT_EQ(kernel.enter_flags, (std::vector<u32>{uring::enter_getevents}));
  EXPECT_EQ(kernel.enter_wait, (std::vector<u32>{2}));
}

TEST_F(Completing, FetchesWhatOverflowed) {
  ASSERT_TRUE(ring.init(4).ok());
  kernel.word(Played::sq_flags) = uring::sq_cq_overflow;
  std::array<Cqe, 8> cqes{};
  EXPECT_EQ(ring.copy_cqes(cqes, 0), 0);
  EXPECT_EQ(kernel.enter_flags, (std::vector<u32>{uring::enter_getevents}));
}

TEST_F(Completing, ReportsTheErrnoOfAWait) {
  ASSERT_TRUE(ring.init(4).ok());
  kernel.enter_error = EINTR;
  Cqe cqe{};
  EXPECT_EQ(ring.copy_cqe(cqe), Error::intr);
}

TEST_F(Completing, VisitsInPlaceAndGivesBackOnce) {
  ASSERT_TRUE(ring.init(4).ok());
  for (u64 i = 0; i < 6; ++i) kernel.post({.user_data = i, .res = 0, .flags = 0});
  ring.cq_advance(6);
  for (u64 i = 6; i < 11; ++i) kernel.post({.user_data = i, .res = 0, .flags = 0});  // across the end of the array
  std::vector<u64> seen;
  EXPECT_EQ(ring.for_each_cqe([&](const Cqe& cqe) {
    EXPECT_EQ(kernel.word(Played::cq_head), 6u) << "given back while still in use";
    seen.push_back(cqe.user_data);
  }), 5u);
  EXPECT_EQ(seen, (std::vector<u64>{6, 7, 8, 9, 10}));
  EXPECT_EQ(kernel.word(Played::cq_head), 11u);
}

TEST_F(Completing, NeverWritesBehindTheDestination) {
  ASSERT_TRUE(ring.init(4).ok());
  for (u64 i = 0; i < 5; ++i) kernel.post({.user_data = i + 1, .res = 0, .flags = 0});
  std::array<Cqe, 4> cqes{};
  EXPECT_EQ(ring.copy_cqes(std::span(cqes).first(3), 0), 3);
  EXPECT_EQ(cqes[3], Cqe{});
  EXPECT_EQ(ring.copy_cqes({}, 1), 0) << "no room: nothing to wait for";
  EXPECT_EQ(ring.cq_ready(), 2u);
}

using Misuse = RingOnAPlayedKernel;

TEST_F(Misuse, Traps) {
  EXPECT_DEATH(static_cast<void>(ring.enter(0, 0, 0)), "");
  ASSERT_TRUE(ring.init(4).ok());
  EXPECT_DEATH(static_cast<void>(ring.init(4)), "");
  static_assert(!std::is_copy_constructible_v<Ring> && !std::is_copy_assignable_v<Ring>);
}

}  // namespace
