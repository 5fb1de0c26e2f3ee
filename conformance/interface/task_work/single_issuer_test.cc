// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// single issuer: a promise that one task submits to the ring. The kernel relies on it, and so it holds the
// program to it.
//
// Needs IORING_SETUP_SINGLE_ISSUER (6.0, io_uring_setup(2)). Before, setup refuses it.

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <thread>

#include "fixture/ring_test.h"
#include "seam/kernel_abi.h"

namespace {

using namespace conformance;

class SingleIssuer : public RingTest<8> {
 protected:
  bool kernel_has_it() const { return kernel_has(wire::op::send_zc); }  // 6.0
  std::string witness() {
    return ring_refused("SINGLE_ISSUER", wire::setup_single_issuer, wire::op::send_zc);
  }
  // In another thread, while this one waits.
  template <class Call>
  static auto elsewhere(const Call& call) {
    decltype(call()) result = binding::Error::none;
    std::thread([&] { result = call(); }).join();
    return result;
  }
  void expect_that_it_works(Site site = Site::here()) {
    submit(1, site);
    EXPECT_EQ_AT(site, wait_cqe(site), (wire::Cqe{.user_data = 1, .res = 0, .flags = 0}));
  }
};

TEST_F(SingleIssuer, RefusesAnotherThread) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(wire::setup_single_issuer);
  must(ring.nop(1));
  EXPECT_EQ(binding::errno_of(elsewhere([&] { return ring.submit(); }).error()), EEXIST);
  EXPECT_EQ(ring.sq_ready(), 1u);
  EXPECT_EQ(binding::errno_of(elsewhere([&] { return ring.unregister_buffers(); }).error()), EEXIST);
  // Looking for completions is no submission.
  EXPECT_EQ(must(elsewhere([&] { return ring.enter(0, 0, wire::enter_getevents); })), 0u);
  // The SQE is still there, for the one who may.
  expect_that_it_works();
}

// A child is another task, although it has this descriptor.
TEST_F(SingleIssuer, RefusesAChild) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(wire::setup_single_issuer);
  must(ring.nop(1));
  ring.flush_sq();
  const pid_t child = fork();
  ASSERT_GE(child, 0) << strerrorname_np(errno);
  if (child == 0) _exit(binding::errno_of(ring.enter(1, 0, 0).error()));
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), EEXIST);
  expect_that_it_works();
}

// Of a ring that is opened disabled, it is the one who enables it.
TEST_F(SingleIssuer, IsWhoeverEnablesTheRing) {
  if (!kernel_has_it()) GTEST_SKIP() << witness();
  reopen(wire::setup_single_issuer | wire::setup_r_disabled);
  must(elsewhere([&] { return ring.enable_rings(); }));
  must(ring.nop(1));
  EXPECT_EQ(binding::errno_of(ring.submit().error()), EEXIST);
  EXPECT_EQ(ring.sq_ready(), 1u);
}

}  // namespace
