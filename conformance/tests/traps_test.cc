// SPDX-FileCopyrightText: 2026 the uring-conformance authors, Zig contributors
// SPDX-License-Identifier: MIT

// The traps, with system calls made by hand in the place of a binding.
#include "seam/traps.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "evidence/hygiene.h"
#include "seam/wire_log.h"

namespace {

using namespace conformance;

class Traps : public testing::Test {
 protected:
  void SetUp() override {
    install_traps();
    wire_log().clear();
  }
  void TearDown() override {
    wire_log().rings().clear();
    expect_end();
  }

  static std::string log() {
    std::string all;
    for (const std::string& line : wire_log().lines()) all += line + "\n";
    return all;
  }
  int setup(unsigned entries) { return static_cast<int>(syscall(SYS_io_uring_setup, entries, &params)); }
  wire::Params params{};
};

TEST_F(Traps, LogWhatTheBindingDoes) {
  const BindingAtWork at_work;
  const int fd = setup(4);
  ASSERT_GE(fd, 0);
  EXPECT_EQ(params.sq_entries, 4u);
  EXPECT_EQ(syscall(SYS_io_uring_enter, fd, 0, 0, 1, nullptr, 0), 0);
  EXPECT_EQ(syscall(SYS_io_uring_register, fd, 3u, nullptr, 0), -1);  // no files are registered
  EXPECT_EQ(errno, ENXIO);
  EXPECT_EQ(close(fd), 0);
  const std::string number = std::to_string(fd);
  EXPECT_EQ(log().find("setup  entries=4 flags=0 -> " + number), 0u) << log();
  EXPECT_NE(log().find("\nenter  submit=0 wait=0 flags=1 -> 0\n"), std::string::npos) << log();
  EXPECT_NE(log().find("\nregister op 3 count=0 -> -6 ENXIO\n"), std::string::npos) << log();
  EXPECT_NE(log().find("\nclose  " + number + " -> 0\n"), std::string::npos) << log();
}

TEST_F(Traps, LetTheSuiteThroughUnseen) {
  const int fd = setup(4);
  ASSERT_GE(fd, 0);
  EXPECT_EQ(syscall(SYS_io_uring_enter, fd, 0, 0, 1, nullptr, 0), 0);
  EXPECT_EQ(close(fd), 0);
  EXPECT_EQ(log(), "");
  EXPECT_EQ(setup(0), -1);
  EXPECT_EQ(errno, EINVAL);
}

// With and without MAP_POPULATE, in one piece or in two: where the ring lies is known, until it is unmapped.
TEST_F(Traps, SeeWhereARingIsMapped) {
  const BindingAtWork at_work;
  const int fd = setup(4);
  ASSERT_GE(fd, 0);
  const std::size_t bytes = params.cq_off.cqes + 8 * sizeof(wire::Cqe);
  for (const int flags : {MAP_SHARED, MAP_SHARED | MAP_POPULATE}) {
    void* const rings = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
    void* const sqes = mmap(nullptr, 4 * sizeof(wire::Sqe), PROT_READ | PROT_WRITE, flags, fd,
                            static_cast<off_t>(wire::off_sqes));
    EXPECT_EQ(wire_log().rings()[fd].rings, rings);
    EXPECT_EQ(wire_log().rings()[fd].sqes, sqes);
    EXPECT_EQ(look_around().ring_mappings, 2);
    EXPECT_EQ(munmap(rings, bytes), 0);
    EXPECT_EQ(munmap(sqes, 4 * sizeof(wire::Sqe)), 0);
    EXPECT_EQ(wire_log().rings()[fd].rings, nullptr);
    EXPECT_EQ(wire_log().rings()[fd].mappings, 0);
    EXPECT_EQ(look_around().ring_mappings, 0);
  }
  EXPECT_EQ(close(fd), 0);
}

// A wait inside the handler of a trap ends like any other.
TEST_F(Traps, LeaveSignalsAlone) {
  const BindingAtWork at_work;
  const int fd = setup(4);
  ASSERT_GE(fd, 0);
  struct sigaction action {};
  action.sa_handler = [](int) {};  // without SA_RESTART
  sigaction(SIGUSR1, &action, nullptr);
  const pid_t parent = getpid(), child = fork();
  if (child == 0) {
    for (int i = 0; i < 200; ++i) {  // again and again: the first may come before the wait
      usleep(10'000);
      kill(parent, SIGUSR1);
    }
    _exit(0);
  }
  EXPECT_EQ(syscall(SYS_io_uring_enter, fd, 0, 1, 1, nullptr, 0), -1);
  EXPECT_EQ(errno, EINTR);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_EQ(close(fd), 0);
}

// Children are filtered too, and must not notice; nor must malloc, whose munmap is trapped like any other.
// With another exit code than the binding asks for.
TEST_F(Traps, LetNoBindingEndTheProcess) {
  for (const long call : {long{SYS_exit_group}, 0L}) {
    testing::internal::CaptureStderr();
    const pid_t child = fork();
    if (child == 0) {
      install_traps();
      const BindingAtWork at_work;
      if (call != 0) syscall(call, 0);
      std::exit(0);
    }
    int status = -1;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 1) << status;
    EXPECT_NE(testing::internal::GetCapturedStderr().find("the binding ended the process"),
              std::string::npos);
  }
}

TEST_F(Traps, DisturbNobodyElse) {
  const pid_t child = fork();
  if (child == 0) {
    const BindingAtWork at_work;
    for (int i = 0; i < 100; ++i) std::string(1 << 20, 'x').shrink_to_fit();
    const int null = dup(STDIN_FILENO);
    _exit(null >= 0 && close(null) == 0 && close(null) == -1 && errno == EBADF ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
