// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// cooperative task running: the kernel does not interrupt the program to complete a request, but waits until
// it makes a system call of any kind; a flag can say that it waits. That it does not interrupt cannot be seen
// from here (a timer tick that returns to the program runs the work, too), but that nothing is lost can.
//
// Needs IORING_SETUP_COOP_TASKRUN and IORING_SETUP_TASKRUN_FLAG (5.19, io_uring_setup(2)). Before, setup
// refuses them.

#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <new>

#include "fixture/ring_test.h"
#include "fixture/sockets.h"
#include "seam/kernel_abi.h"

namespace {

using namespace conformance;

class CoopTaskrun : public RingTest<8> {
 protected:
  static constexpr unsigned flags = wire::setup_coop_taskrun | wire::setup_taskrun_flag;

  SocketPair sockets;
  std::array<char, 8> buffer{};

  bool kernel_has_it() const { return kernel_has(wire::op::socket); }  // 5.19
  std::string witness() { return ring_refused("COOP_TASKRUN|TASKRUN_FLAG", flags, wire::op::socket); }
  // A receive that waits, on a ring of this kind.
  void arm(Site site = Site::here()) {
    reopen(flags, site);
    must(ring.recv(1, sockets.ours.get(), std::as_writable_bytes(std::span(buffer)), 0), site);
    submit(1, site);
    EXPECT_EQ_AT(site, ring.cq_ready(), 0u);
  }
  // It is in the CQ already, and nothing waits.
  void expect_completed(Site site = Site::here()) {
    EXPECT_EQ_AT(site, ready_by_itself(), 1u);
    EXPECT_EQ_AT(site, ring.cq_ring_needs_flush(), false);
    EXPECT_EQ_AT(site, wait_cqe(site), (wire::Cqe{.user_data = 1, .res = 3, .flags = 0}));
  }
};

// Another process writes while this one makes no system call. The next one, whatever it is, completes.
TEST_F(CoopTaskrun, CompletesByTheNextSystemCall) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  void* const shared = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED) << strerrorname_np(errno);
  auto* const has_written = new (shared) std::atomic<int>(0);
  arm();
  const pid_t child = fork();
  ASSERT_GE(child, 0) << strerrorname_np(errno);
  if (child == 0) {
    has_written->store(::send(sockets.peer.get(), "abc", 3, MSG_NOSIGNAL) == 3 ? 1 : -1);
    _exit(0);
  }
  while (has_written->load() == 0) {
  }
  EXPECT_EQ(has_written->load(), 1);
  syscall(SYS_getppid);
  expect_completed();
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(munmap(shared, 4096), 0);
}

// The system call that makes the bytes come is one, too.
TEST_F(CoopTaskrun, CompletesByTheWriteItself) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  arm();
  sockets.send("abc");
  expect_completed();
}

// The flag has something to say only if the kernel does not interrupt; with SQPOLL it is another thread
// whose work that is.
TEST_F(CoopTaskrun, IsNeededForTheFlag) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  binding::Ring other;
  for (const unsigned bad : {wire::setup_taskrun_flag, wire::setup_taskrun_flag | wire::setup_sqpoll,
                             wire::setup_coop_taskrun | wire::setup_sqpoll, flags | wire::setup_sqpoll}) {
    EXPECT_EQ(binding::errno_of(other.init(8, bad).error()), EINVAL) << "flags " << bad;
  }
}

}  // namespace
