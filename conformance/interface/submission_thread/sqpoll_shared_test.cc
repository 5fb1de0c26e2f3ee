// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// shared SQ thread, and its CPU: rings with IORING_SETUP_ATTACH_WQ share the SQ thread, or the workers, of a
// ring that is there already; with IORING_SETUP_SQ_AFF the thread keeps to one CPU. A program with many rings
// does not want as many threads.
//
// Needs threads of the process (IORING_FEAT_NATIVE_WORKERS, 5.12, io_uring_setup(2); ATTACH_WQ is 5.6,
// SQ_AFF 5.1).

#include <fcntl.h>
#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "fixture/memory_limit.h"
#include "fixture/ring_test.h"
#include "seam/kernel_abi.h"

namespace {

using namespace conformance;
using namespace std::chrono_literals;

class SqpollShared : public RingTest<4> {
 protected:
  struct Opened {
    binding::Ring ring;
    int error = 0;
  };
  static Opened open(unsigned flags, int wq_fd = 0, unsigned cpu = 0) {
    binding::Params params{};
    params.flags = flags;
    params.wq_fd = static_cast<std::uint32_t>(wq_fd);
    params.sq_thread_cpu = cpu;
    params.sq_thread_idle = 1000;
    Opened opened;
    const auto result = when_there_is_room([&] { return opened.ring.init_params(4, params); });
    opened.error = binding::errno_of(result.error());
    return opened;
  }
  static constexpr unsigned attached = wire::setup_sqpoll | wire::setup_attach_wq;

  static void expect_works(binding::Ring& one, Site site = Site::here()) {
    must(one.nop(1), site);
    must(one.submit(), site);
    binding::Cqe cqe{};
    must(one.copy_cqe(cqe), site);
    expect_equal(site, "the CQE", wire_of(cqe), wire::Cqe{.user_data = 1, .res = 0, .flags = 0});
  }
  // A number that the kernel tells of a ring, which it does not while it is too busy.
  static int told_of(const binding::Ring& one, const std::string& name, Site site = Site::here()) {
    for (int tries = 0; tries < 1000; ++tries) {
      std::ifstream told("/proc/self/fdinfo/" + std::to_string(one.fd()));
      std::string word;
      while (told >> word && word != name + ":") {
      }
      int number = -1;
      if (told >> number && number != -1) return number;
      std::this_thread::sleep_for(5ms);
    }
    stop(site, "/proc/self/fdinfo does not tell " + name);
  }
  // The CPUs of each SQ thread among the threads of this process: "0-1". (The number of a thread that fdinfo
  // tells is not ours where there are namespaces.)
  static std::vector<std::string> cpus_of_threads() {
    std::vector<std::string> found;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
      std::string name, word;
      std::ifstream(task.path() / "comm") >> name;
      if (!name.starts_with("iou-sqp-")) continue;
      std::ifstream status(task.path() / "status");
      while (status >> word && word != "Cpus_allowed_list:") {
      }
      if (status >> word) found.push_back(word);
    }
    return found;
  }
  // A CPU that this process may use.
  static unsigned some_cpu() {
    cpu_set_t ours;
    if (sched_getaffinity(0, sizeof ours, &ours) != 0) stop_errno(Site::here(), "sched_getaffinity");
    unsigned cpu = 0;
    while (!CPU_ISSET(cpu, &ours)) ++cpu;
    return cpu;
  }
  bool kernel_has_it() const { return kernel_has(wire::feature::native_workers); }
  // Before, the SQ thread is one of the kernel's own.
  std::string witness() {
    return answered_instead(
        "an SQ thread of this process", 0,
        [&] {
          reopen(wire::setup_sqpoll);
          must(ring.nop(1));
          must(ring.submit());
          return wait_cqe();
        },
        [&] { return cpus_of_threads().empty() ? "" : "it has one"; }, wire::feature::native_workers);
  }
};

// One thread serves both, and goes on when the ring that it was made for is closed.
TEST_F(SqpollShared, SharesTheThread) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  Opened first = open(wire::setup_sqpoll);
  ASSERT_EQ(first.error, 0);
  Opened second = open(attached, first.ring.fd());
  ASSERT_EQ(second.error, 0);
  expect_works(first.ring);
  expect_works(second.ring);
  EXPECT_FALSE(cpus_of_threads().empty());
  const int thread = told_of(first.ring, "SqThread");
  EXPECT_EQ(told_of(second.ring, "SqThread"), thread);
  first.ring.close();
  expect_works(second.ring);
  EXPECT_EQ(told_of(second.ring, "SqThread"), thread);
}

// Without it, each ring has its own.
TEST_F(SqpollShared, IsNotWhatOtherRingsDo) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  Opened first = open(wire::setup_sqpoll), second = open(wire::setup_sqpoll);
  ASSERT_EQ(first.error, 0);
  ASSERT_EQ(second.error, 0);
  expect_works(first.ring);
  expect_works(second.ring);
  EXPECT_NE(told_of(second.ring, "SqThread"), told_of(first.ring, "SqThread"));
}

// Rings without a thread share their workers, which shows nowhere.
TEST_F(SqpollShared, SharesTheWorkers) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  Opened first = open(0);
  ASSERT_EQ(first.error, 0);
  Opened second = open(wire::setup_attach_wq, first.ring.fd());
  ASSERT_EQ(second.error, 0);
  expect_works(first.ring);
  expect_works(second.ring);
  EXPECT_EQ(open(attached, first.ring.fd()).error, EINVAL) << "it has no thread to share";
}

TEST_F(SqpollShared, KeepsTheThreadOnItsCpu) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const unsigned cpu = some_cpu();
  Opened one = open(wire::setup_sqpoll | wire::setup_sq_aff, 0, cpu);
  ASSERT_EQ(one.error, 0);
  expect_works(one.ring);
  // Among others, if those of rings that were closed are still about to end.
  EXPECT_GE(std::ranges::count(cpus_of_threads(), std::to_string(cpu)), 1);
  EXPECT_EQ(told_of(one.ring, "SqThreadCpu"), static_cast<int>(cpu));
}

// (io_uring_setup(2) says ENXIO of a file that is not a ring.)
TEST_F(SqpollShared, RefusesWhatIsNotThere) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const Fd null = open_file("/dev/null", O_RDONLY);
  for (const unsigned thread : {0u, wire::setup_sqpoll}) {
    EXPECT_EQ(open(thread | wire::setup_attach_wq, not_open).error, ENXIO) << thread;
    EXPECT_EQ(open(thread | wire::setup_attach_wq, null.get()).error, EINVAL) << thread;
  }
  EXPECT_EQ(open(wire::setup_sqpoll | wire::setup_sq_aff, 0, 1u << 20).error, EINVAL);
}

}  // namespace
