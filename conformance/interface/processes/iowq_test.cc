// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// worker limits and affinity: how many threads of the kernel work for a task at once, and on which CPUs. A
// program that shares a machine wants few of them, and elsewhere.
//
// Needs IORING_REGISTER_IOWQ_MAX_WORKERS (5.15, io_uring_register(2); IOWQ_AFF is 5.14). Before, an unknown
// registration is refused, and that is how it is asked for. The tests open the ring anew, without flags: the
// workers of a ring with an SQ thread are that thread's.

#include <sched.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <filesystem>
#include <fstream>
#include <thread>

#include "fixture/child.h"
#include "fixture/files.h"
#include "fixture/ring_test.h"
#include "seam/kernel_abi.h"

namespace {

using namespace conformance;

class Iowq : public RingTest<8> {
 protected:
  using Limits = std::array<std::uint32_t, 2>;  // of work that ends soon, and of other work

  std::array<char, 8> buffer{};

  void SetUp() override {
    RingTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    reopen(0);
    has_it_ = do_register(wire::register_op::iowq_max_workers, before_.data(), 2) != -EINVAL;
  }
  // They are the task's, and would be those of the next test.
  void TearDown() override {
    if (has_it_ && ring.is_open()) do_register(wire::register_op::iowq_max_workers, before_.data(), 2);
  }
  bool kernel_has_it() const { return has_it_; }
  std::string witness() {
    return registration_refused(
        "IOWQ_MAX_WORKERS",
        [&] {
          Limits limits{};
          return binding::errno_of(ring.register_iowq_max_workers(limits).error());
        },
        wire::op::mkdirat);
  }
  // Those in force before.
  Limits limit(Limits limits, Site site = Site::here()) {
    must(ring.register_iowq_max_workers(limits), site);
    return limits;
  }
  void queue_async_read(std::uint64_t user_data, const Pipe& pipe, Site site = Site::here()) {
    must(ring.read(user_data, pipe.reader.get(), std::as_writable_bytes(std::span(buffer)).first(1), 0), site)
        .flags |= wire::io_async;
  }
  static wire::Cqe done(std::uint64_t user_data) { return {.user_data = user_data, .res = 1, .flags = 0}; }

  // The CPUs of a worker, as soon as there is one: "0-1".
  static std::string cpus_of_worker() {
    for (;; std::this_thread::sleep_for(std::chrono::milliseconds(1))) {
      for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        std::string name, word;
        std::ifstream(task.path() / "comm") >> name;
        if (!name.starts_with("iou-wrk-")) continue;
        std::ifstream status(task.path() / "status");
        while (status >> word && word != "Cpus_allowed_list:") {
        }
        if (status >> word) return word;
      }
    }
  }
  // The last CPU that this process may use.
  static unsigned some_cpu() {
    cpu_set_t ours;
    if (sched_getaffinity(0, sizeof ours, &ours) != 0) stop_errno(Site::here(), "sched_getaffinity");
    unsigned cpu = CPU_SETSIZE - 1;
    while (!CPU_ISSET(cpu, &ours)) --cpu;
    return cpu;
  }

 private:
  bool has_it_ = false;
  Limits before_{};  // asked with a system call of our own
};

// A limit of 0 leaves it as it is. What they are at first is the kernel's choice.
TEST_F(Iowq, HasLimits) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const Limits first = limit({0, 0});
  EXPECT_GT(first[0], 0u);
  EXPECT_GT(first[1], 0u);
  EXPECT_EQ(limit({3, 2}), first);
  EXPECT_EQ(limit({0, 0}), (Limits{3, 2}));
  EXPECT_EQ(limit({0, 5}), (Limits{3, 2}));
  EXPECT_EQ(limit({4, 0}), (Limits{3, 5}));
  EXPECT_EQ(limit({0, 0}), (Limits{4, 5}));
}

// With one worker, reads wait for each other: the pipes are filled in the reverse order, and all are read.
TEST_F(Iowq, DoesNotDeadlockWithOneWorker) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  limit({1, 1});
  const std::array<Pipe, 3> pipes;
  for (std::size_t i = 0; i < pipes.size(); ++i) queue_async_read(i, pipes[i]);
  submit(3);
  for (std::size_t i = pipes.size(); i-- > 0;) pipes[i].write("a");
  EXPECT_EQ(wait_cqes(3), (Cqes{done(0), done(1), done(2)}));
}

// Workers that are made from now on keep to these CPUs: in a child, which has none yet.
TEST_F(Iowq, KeepsWorkersOnACpu) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const unsigned cpu = some_cpu();
  cpu_set_t mask;
  CPU_ZERO(&mask);
  CPU_SET(cpu, &mask);
  const Pipe pipe;
  const int outcome = in_a_child([&] {
    OpenRing own(8, 0);
    if (!own.register_iowq_aff(std::as_bytes(std::span(&mask, 1))).ok()) return 1;
    must(own.read(1, pipe.reader.get(), std::as_writable_bytes(std::span(buffer)), 0)).flags |=
        wire::io_async;
    must(own.submit());
    const bool keeps_to_it = cpus_of_worker() == std::to_string(cpu);
    pipe.write("a");
    binding::Cqe cqe{};
    must(own.copy_cqe(cqe));
    if (wire_of(cqe) != done(1)) return 3;
    if (!own.unregister_iowq_aff().ok()) return 4;
    return keeps_to_it ? 0 : 2;
  });
  EXPECT_EQ(outcome, 0) << "1: no affinity, 2: another CPU, 3: another result, 4: no end of it";
}

TEST_F(Iowq, RefusesWhatMeansNothing) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  const Limits limits = limit({0, 0});
  Limits too_many{1u + INT_MAX, 0};
  EXPECT_EQ(do_register(wire::register_op::iowq_max_workers, too_many.data(), 1), -EINVAL);
  EXPECT_EQ(do_register(wire::register_op::iowq_max_workers, nullptr, 2), -EINVAL);
  EXPECT_EQ(do_register(wire::register_op::iowq_max_workers, too_many.data(), 2), -EINVAL);
  EXPECT_EQ(limit({0, 0}), limits);
  EXPECT_EQ(do_register(wire::register_op::iowq_aff, nullptr, 8), -EINVAL);
  EXPECT_EQ(do_register(wire::register_op::iowq_aff, limits.data(), 0), -EINVAL);
  EXPECT_EQ(do_register(wire::register_op::unregister_iowq_aff, nullptr, 8), -EINVAL);
}

}  // namespace
