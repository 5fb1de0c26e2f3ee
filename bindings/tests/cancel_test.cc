// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Ring::cancel_all: what it asks for, on a fake kernel; and on this machine's kernel that requests of each
// kind have ended when it returns, and that each has its CQE.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "played_kernel.h"

namespace {

using uring::Error, uring::RegisterOp, uring::Sqe, uring::Timespec, uring::i64;

constexpr u64 last = 0xffff'ffff'0000'0063;  // the user_data of the NOP; its lower half as a res is 99
constexpr Timespec at_once{.tv_sec = 0, .tv_nsec = 0}, a_second{.tv_sec = 1, .tv_nsec = 0};

class Cancelling : public RingOnAPlayedKernel {
 protected:
  std::vector<u64> seen;
  u32 asked = 0;      // how often to cancel
  long answer = 0;    // to that
  Timespec waited{};  // of the last wait

  void SetUp() override {
    ASSERT_TRUE(ring.init(4).ok());
    kernel.on_register = [this](RegisterOp op, void* arg, u32 count) -> long {
      EXPECT_EQ(op, RegisterOp::sync_cancel);
      EXPECT_EQ(count, 1u);
      std::array<u32, 16> words{};
      std::memcpy(words.data(), arg, sizeof words);
      EXPECT_EQ(words, (std::array<u32, 16>{0, 0, 0, 5})) << "flags ANY and ALL, and nothing else";
      ++asked;
      return answer;
    };
    kernel.on_enter = [this] { EXPECT_EQ(asked, kernel.enter_flags.size()) << "once before each wait"; };
  }

  uring::Result<void> cancel(const Timespec& timeout = at_once) {
    return ring.cancel_all(last, timeout, [this](const Cqe& cqe) { seen.push_back(cqe.user_data); });
  }

  // The kernel completes nothing but what `post` says, in the nth wait.
  void complete_only(std::function<void(std::size_t wait)> post) {
    kernel.consume_at_most = 0;
    kernel.on_enter = [this, post] {
      kernel.word(Played::sq_head) = kernel.word(Played::sq_tail);
      std::memcpy(&waited, reinterpret_cast<void*>(kernel.enter_arg.ts), sizeof waited);
      kernel.enter_error = ETIME;
      post(kernel.enter_flags.size());
    };
  }
  void post(u64 user_data, int res = 0) { kernel.post({.user_data = user_data, .res = res, .flags = 0}); }
};

TEST_F(Cancelling, CancelsThenDrains) {
  kernel.post({.user_data = 1, .res = 2, .flags = 3});  // was ready before
  kernel.on_enter = [this] {
    EXPECT_EQ(asked, 1u);
    EXPECT_EQ(kernel.sqe(0), (Sqe{.flags = 2, .user_data = last}));
  };
  ASSERT_TRUE(cancel().ok());
  EXPECT_EQ(seen, (std::vector<u64>{1})) << "the NOP is not the caller's";
  EXPECT_EQ(kernel.enter_submit, (std::vector<u32>{1}));
  EXPECT_EQ(kernel.enter_wait, (std::vector<u32>{1}));
  EXPECT_EQ(kernel.enter_flags, (std::vector<u32>{9}));  // GETEVENTS, EXT_ARG
  EXPECT_EQ(kernel.enter_arg_size, 24u);
  EXPECT_EQ(ring.cq_ready(), 0u);
}

// A kernel before 6.0 is asked first: nothing has happened.
TEST_F(Cancelling, DoesNothingWhereTheKernelCannot) {
  answer = -EINVAL;
  ASSERT_TRUE(ring.nop(1).ok());
  EXPECT_EQ(cancel(), Error::inval);
  EXPECT_TRUE(kernel.enter_flags.empty());
  EXPECT_EQ(ring.sq_unflushed(), 1u);
}

// What is queued goes first, and the NOP in a submit of its own: half a chain ends with a submit, and must
// not take it along.
TEST_F(Cancelling, SubmitsWhatIsQueuedFirst) {
  for (u64 i = 1; i <= 4; ++i) ASSERT_TRUE(ring.nop(i).link().ok());  // the queue is full
  ASSERT_TRUE(cancel().ok());
  EXPECT_EQ(seen, (std::vector<u64>{1, 2, 3, 4}));
  EXPECT_EQ(kernel.enter_submit, (std::vector<u32>{4, 1}));
  EXPECT_EQ(kernel.sqe(0), (Sqe{.flags = 2, .user_data = last}));
}

// A short submit leaves something over.
TEST_F(Cancelling, SubmitsUntilNothingIsQueued) {
  for (u64 i = 1; i <= 3; ++i) ASSERT_TRUE(ring.nop(i).ok());
  kernel.consume_at_most = 2;
  ASSERT_TRUE(cancel().ok());
  EXPECT_EQ(seen, (std::vector<u64>{1, 2, 3}));
  EXPECT_EQ(kernel.enter_submit, (std::vector<u32>{3, 1, 1}));
}

TEST_F(Cancelling, CancelsAgainUntilTheNopCompletes) {
  complete_only([this](std::size_t wait) {
    EXPECT_EQ(asked, wait);
    EXPECT_EQ(waited.tv_sec, 0);
    EXPECT_EQ(waited.tv_nsec, 10'000'000);
    if (wait < 6) post(wait);
    if (wait == 6) post(last);
    if (wait == 6) post(7);  // came with it
  });
  answer = 3;  // a count is no error
  ASSERT_TRUE(cancel().ok()) << "in each round something happened, so the time does not count";
  EXPECT_EQ(seen, (std::vector<u64>{1, 2, 3, 4, 5, 7}));
  EXPECT_EQ(kernel.enter_submit, (std::vector<u32>{1, 0, 0, 0, 0, 0})) << "one NOP";
}

TEST_F(Cancelling, GivesUpWhenNothingHappensForSoLong) {
  const auto rounds = [this](const Timespec& timeout) {
    complete_only([](std::size_t) {});
    kernel.enter_flags.clear();
    EXPECT_EQ(cancel(timeout), Error::time);
    return kernel.enter_flags.size();
  };
  EXPECT_EQ(rounds(at_once), 1u);
  EXPECT_EQ(rounds({.tv_sec = 0, .tv_nsec = 9'999'999}), 1u);
  EXPECT_EQ(rounds({.tv_sec = 0, .tv_nsec = 10'000'000}), 2u);
  EXPECT_EQ(rounds({.tv_sec = 0, .tv_nsec = 999'999'999}), 100u);
  EXPECT_EQ(rounds(a_second), 101u);
  EXPECT_EQ(rounds({.tv_sec = 3, .tv_nsec = 20'000'000}), 303u);
  EXPECT_TRUE(seen.empty());
}

TEST_F(Cancelling, WaitsForever) {
  constexpr i64 most = std::numeric_limits<i64>::max();
  for (const Timespec& timeout :
       {Timespec{.tv_sec = -1, .tv_nsec = -1}, Timespec{.tv_sec = most, .tv_nsec = 0},
        Timespec{.tv_sec = most / 100 + 1, .tv_nsec = 0},
        Timespec{.tv_sec = std::numeric_limits<i64>::min(), .tv_nsec = 0},
        Timespec{.tv_sec = i64{1} << 62, .tv_nsec = 0}}) {
    kernel.enter_flags.clear();
    complete_only([this](std::size_t wait) {
      if (wait == 1000) post(last);
    });
    EXPECT_TRUE(cancel(timeout).ok()) << timeout.tv_sec;
    EXPECT_EQ(kernel.enter_flags.size(), 1000u);
  }
}

// A signal, or a CQ that had overflowed, ends neither it nor its time.
TEST_F(Cancelling, GoesOnAfterASignal) {
  for (const int error : {EINTR, EBUSY}) {
    kernel.enter_flags.clear();
    complete_only([&](std::size_t wait) {
      kernel.enter_error = error;
      if (wait == 5) post(last);
    });
    EXPECT_TRUE(cancel().ok());
    EXPECT_EQ(kernel.enter_flags.size(), 5u);
  }
}

// Also together with an error it takes what is ready, and the end is the end.
TEST_F(Cancelling, ReportsTheErrnoOfEnter) {
  for (const int error : {EBADR, EOWNERDEAD, EAGAIN}) {
    kernel.enter_flags.clear();
    seen.clear();
    complete_only([&](std::size_t wait) {
      kernel.enter_error = error;
      post(wait);
    });
    EXPECT_EQ(cancel(a_second), static_cast<Error>(error));
    EXPECT_EQ(kernel.enter_flags.size(), 1u);
    EXPECT_EQ(seen, (std::vector<u64>{1}));
  }
}

// Without a drain the end is where nothing is found and nothing happens for a second: in rounds 1 and 50
// there was something to cancel, in 100 something completed.
TEST_F(Cancelling, ReportsTheErrnoOfTheNop) {
  for (const int error : {EOPNOTSUPP, EACCES}) {
    kernel.enter_flags.clear();
    complete_only([&](std::size_t wait) {
      answer = wait == 49 ? 1 : 0;
      if (wait == 1) post(5);
      if (wait == 1) post(last, -error);
      if (wait == 1) post(6);
      if (wait == 100) post(7);
    });
    answer = 1;
    EXPECT_EQ(cancel({.tv_sec = 10, .tv_nsec = 0}), static_cast<Error>(error));
    EXPECT_EQ(kernel.enter_flags.size(), 200u);
    EXPECT_EQ(std::exchange(seen, {}), (std::vector<u64>{5, 6, 7}));

    kernel.enter_flags.clear();
    complete_only([&](std::size_t wait) {
      answer = wait % 99 == 0 ? 1 : 0;  // never a second long
      if (wait == 1) post(last, -error);
      if (wait == 400) answer = 0;
    });
    EXPECT_EQ(cancel({.tv_sec = 3, .tv_nsec = 0}), static_cast<Error>(error));
    EXPECT_EQ(kernel.enter_flags.size(), 302u) << "one in which the NOP was refused, and one at the end";

    // A wait that ended before its time is no quiet step, and those after it count from 1.
    kernel.enter_flags.clear();
    complete_only([&](std::size_t wait) {
      if (wait == 1) kernel.enter_error = 0;
      if (wait == 1) post(last, -error);
    });
    answer = 0;
    EXPECT_EQ(cancel({.tv_sec = 3, .tv_nsec = 0}), static_cast<Error>(error));
    EXPECT_EQ(kernel.enter_flags.size(), 101u);
  }
}

// The NOP is found by sync_cancel too, once nothing is before it.
TEST_F(Cancelling, ANopThatWasCancelledHasDrained) {
  complete_only([this](std::size_t) { post(last, -ECANCELED); });
  EXPECT_TRUE(cancel().ok());
}

// --- on this machine's kernel -------------------------------------------------------------------------------

class CancellingOnThisKernel : public testing::TestWithParam<u32> {
 protected:
  uring::Ring ring;
  int pipe[2] = {-1, -1}, sockets[2] = {-1, -1};
  std::array<std::byte, 64> memory{};
  u32 word = 0;
  std::vector<Cqe> seen;

  void SetUp() override {
    ASSERT_EQ(::pipe(pipe), 0);
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    ASSERT_TRUE(ring.init(16, GetParam()).ok()) << "no ring with these flags here";
    const auto tried = ring.cancel_all(last, a_second, [](const Cqe&) {});
    if (tried == Error::inval) GTEST_SKIP() << "IORING_REGISTER_SYNC_CANCEL needs Linux 6.0";
    ASSERT_TRUE(tried.ok()) << "a ring without requests";
  }
  void TearDown() override {
    ring.close();
    for (const int fd : {pipe[0], pipe[1], sockets[0], sockets[1]}) ::close(fd);
  }

  void submit() {
    ASSERT_TRUE(ring.submit().ok());
    while (ring.sq_ready() != 0) ::usleep(1000);  // the SQPOLL thread
  }
  uring::Result<void> cancel(u64 user_data = last) {
    return ring.cancel_all(user_data, {.tv_sec = 10, .tv_nsec = 0},
                           [this](const Cqe& cqe) { seen.push_back(cqe); });
  }
  // How many CQEs there were of this request, and the res of the last.
  std::pair<int, int> of(u64 user_data) const {
    std::pair<int, int> result{0, 0};
    for (const Cqe& cqe : seen) {
      if (cqe.user_data == user_data) result = {result.first + 1, cqe.res};
    }
    return result;
  }
  void expect_ended(u64 user_data) const {
    const auto [count, res] = of(user_data);
    EXPECT_EQ(count, 1) << "of request " << user_data;
    EXPECT_TRUE(res == -ECANCELED || res == -EINTR) << "request " << user_data << " ended with " << res;
  }
  void expect_nothing_more() {
    ASSERT_TRUE(ring.nop(1000).ok());
    ASSERT_TRUE(ring.submit_and_wait(1).ok());
    Cqe cqe{};
    ASSERT_TRUE(ring.copy_cqe(cqe).ok());
    EXPECT_EQ(cqe.user_data, 1000u) << "came after the end, with res " << cqe.res;
    EXPECT_EQ(ring.cq_ready(), 0u);
  }
};

INSTANTIATE_TEST_SUITE_P(, CancellingOnThisKernel,
                         testing::Values(0u, uring::setup_single_issuer | uring::setup_defer_taskrun,
                                         uring::setup_coop_taskrun | uring::setup_taskrun_flag,
                                         uring::setup_sqpoll));

TEST_P(CancellingOnThisKernel, EndsRequestsOfEachKind) {
  static constexpr Timespec far{.tv_sec = 1000, .tv_nsec = 0};
  ASSERT_TRUE(ring.read(1, pipe[0], memory, 0).ok());
  ASSERT_TRUE(ring.read(2, pipe[0], memory, 0).async().ok());  // blocks a worker
  ASSERT_TRUE(ring.poll_multishot(3, sockets[0], POLLIN).ok());
  ASSERT_TRUE(ring.timeout(4, &far, 0, 0).ok());
  ASSERT_TRUE(ring.futex_wait(5, &word, 0, ~0u, 0x82).ok());  // FUTEX2_SIZE_U32, FUTEX2_PRIVATE
  ASSERT_TRUE(ring.poll_add(6, sockets[0], POLLIN).link().ok());
  ASSERT_TRUE(ring.link_timeout(7, &far, 0).ok());
  ASSERT_TRUE(ring.recv(8, sockets[0], memory, 0).ok());
  submit();
  ASSERT_TRUE(cancel().ok());
  for (const u64 request : {1u, 2u, 3u, 4u, 6u, 7u, 8u}) expect_ended(request);
  // Since Linux 6.7.
  if (of(5) != std::pair<int, int>{1, -EINVAL}) expect_ended(5);
  expect_nothing_more();

  // The kernel has let go of the memory and of the files.
  ASSERT_EQ(::write(pipe[1], "late", 4), 4);
  ASSERT_EQ(::write(sockets[1], "late", 4), 4);
  int bytes = 0;
  EXPECT_EQ(::ioctl(pipe[0], FIONREAD, &bytes), 0);
  EXPECT_EQ(bytes, 4);
  EXPECT_EQ(::ioctl(sockets[0], FIONREAD, &bytes), 0);
  EXPECT_EQ(bytes, 4);
  EXPECT_TRUE(std::ranges::all_of(memory, [](std::byte byte) { return byte == std::byte{0}; }));
}

// What is queued but not submitted, and what starts only when another has ended.
TEST_P(CancellingOnThisKernel, EndsWhatHasNotStarted) {
  ASSERT_TRUE(ring.read(1, pipe[0], memory, 0).hard_link().ok());
  ASSERT_TRUE(ring.read(2, pipe[0], memory, 0).hard_link().ok());
  ASSERT_TRUE(ring.read(3, pipe[0], memory, 0).ok());
  ASSERT_TRUE(ring.read(4, pipe[0], memory, 0).drain().ok());
  ASSERT_TRUE(ring.read(5, pipe[0], memory, 0).link().ok());
  ASSERT_TRUE(ring.read(6, pipe[0], memory, 0).link().ok());  // the rest of the chain is never queued
  ASSERT_TRUE(cancel().ok());
  for (const u64 request : {1u, 2u, 3u, 4u, 5u, 6u}) expect_ended(request);
  expect_nothing_more();
  ASSERT_TRUE(cancel().ok()) << "again";
}

// Far more than the completion queue holds.
TEST_P(CancellingOnThisKernel, LosesNoCqe) {
  for (u64 request = 0; request < 200; ++request) {
    if (ring.sq_space_left() == 0) submit();
    ASSERT_TRUE(ring.poll_add(request, sockets[0], POLLIN).ok());
  }
  submit();
  ASSERT_TRUE(cancel().ok());
  EXPECT_EQ(seen.size(), 200u);
  for (u64 request = 0; request < 200; ++request) expect_ended(request);
  EXPECT_EQ(ring.cq_overflow(), 0u);
  expect_nothing_more();
}

// What completed before, and a multishot request with CQEs of its own.
TEST_P(CancellingOnThisKernel, HandsOverWhatWasThere) {
  uring::BufferGroup<uring::Ring> group;
  ASSERT_TRUE(group.init(ring, 1, memory, 16).ok());
  ASSERT_TRUE(group.recv_multishot(1, sockets[0], 0).ok());
  submit();
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(::write(sockets[1], "data", 4), 4);
    ASSERT_TRUE(ring.submit_and_wait(static_cast<u32>(i) + 1).ok());
  }
  ASSERT_TRUE(cancel().ok());
  ASSERT_EQ(seen.size(), 3u);
  for (u32 i = 0; i < 2; ++i) {
    EXPECT_EQ(std::memcmp(group.get(seen[i]).value().data(), "data", 4), 0);
    ASSERT_TRUE(group.put(seen[i]).ok());
  }
  EXPECT_EQ(seen[2].res, -ECANCELED);
  EXPECT_EQ(seen[2].flags & uring::cqe_f_more, 0u);
  expect_nothing_more();
}

TEST_P(CancellingOnThisKernel, SaysWhenTheEndCannotBeSeen) {
  ASSERT_TRUE(ring.poll_add(1, sockets[0], POLLIN).skip_success().ok());
  submit();
  EXPECT_EQ(cancel(), Error::opnotsupp);
  expect_ended(1);
}

}  // namespace
