// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The system calls themselves, on this machine's kernel: what no test with a fake kernel sees.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>

#include <uring/uring.h>

namespace {

using uring::LinuxKernel;

// How a mapping may be used, "rw-s": from /proc/self/maps.
std::string permissions(long address) {
  std::ifstream maps("/proc/self/maps");
  std::ostringstream wanted;
  wanted << std::hex << address << '-';
  for (std::string line; std::getline(maps, line);) {
    if (line.starts_with(wanted.str())) return line.substr(line.find(' ') + 1, 4);
  }
  return "not mapped";
}

TEST(SystemCalls, MapAndUnmapMemory) {
  const long address = LinuxKernel::map_anonymous(8192);
  ASSERT_GT(address, 0);
  EXPECT_EQ(permissions(address), "rw-p");
  std::memset(reinterpret_cast<void*>(address), 1, 8192);
  EXPECT_EQ(LinuxKernel::unmap(reinterpret_cast<void*>(address), 8192), 0);
  EXPECT_EQ(permissions(address), "not mapped");
}

// On some architectures writable memory is readable as well, so a mapping that works here proves nothing
// about others.
TEST(SystemCalls, MapARingForReadingAndWriting) {
  uring::Params params{};
  const int fd = static_cast<int>(LinuxKernel::setup(4, &params));
  ASSERT_GE(fd, 0) << "no io_uring here: " << std::strerror(-fd);
  for (const uring::u64 offset : {uring::off_sq_ring, uring::off_sqes}) {
    const long address = LinuxKernel::map_ring(fd, 4096, offset);
    ASSERT_GT(address, 0);
    EXPECT_EQ(permissions(address), "rw-s");
    EXPECT_EQ(LinuxKernel::unmap(reinterpret_cast<void*>(address), 4096), 0);
  }
  EXPECT_EQ(LinuxKernel::enter(fd, 0, 0, 0, nullptr, 0), 0);
  uring::Probe probe{};
  EXPECT_EQ(LinuxKernel::do_register(fd, uring::RegisterOp::probe, &probe, 256), 0);
  EXPECT_EQ(LinuxKernel::close(fd), 0);
  EXPECT_EQ(close(fd), -1);
}

// Each argument in its place: two SQEs of which one is offered, a flag that no kernel has, a wait for nothing
// that returns at once although it might wait forever, and a struct of a wrong size.
TEST(SystemCalls, EnterWithEachArgumentInItsPlace) {
  uring::Ring ring;
  ASSERT_TRUE(ring.init(4).ok());
  ring.nop(1).value();
  ring.nop(2).value();
  ring.flush_sq();
  EXPECT_EQ(LinuxKernel::enter(ring.fd(), 1, 0, 0, nullptr, 0), 1);
  EXPECT_EQ(ring.sq_ready(), 1u);
  ring.cq_advance(1);  // with a CQE there no wait runs out of time
  EXPECT_EQ(LinuxKernel::enter(ring.fd(), 0, 0, 0x4000'0000, nullptr, 0), -EINVAL);
  const uring::Timespec no_time{.tv_sec = 0, .tv_nsec = 0};
  uring::GeteventsArg arg{};
  arg.ts = uring::address_of(&no_time);
  const uring::u32 flags = uring::enter_getevents | uring::enter_ext_arg;
  EXPECT_EQ(LinuxKernel::enter(ring.fd(), 0, 0, flags, &arg, sizeof arg), 0);
  EXPECT_EQ(LinuxKernel::enter(ring.fd(), 0, 100, flags, &arg, sizeof arg), -ETIME);
  EXPECT_EQ(LinuxKernel::enter(ring.fd(), 0, 0, flags, &arg, sizeof arg - 1), -EINVAL);
  EXPECT_EQ(LinuxKernel::enter(ring.fd(), 0, 1, flags, nullptr, sizeof arg), -EFAULT);
}

// splice(2) has six arguments, and exists where there is no io_uring: under QEMU's user emulation, too.
TEST(SystemCalls, PassSixArguments) {
  const int file = memfd_create("splice", MFD_CLOEXEC);
  ASSERT_EQ(write(file, "0123456789", 10), 10);
  int pipe_ends[2];
  ASSERT_EQ(pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK), 0);
  const auto splice = [&](long long* in, long long* out, long bytes, long flags) {
    return uring::arch::syscall6(SYS_splice, file, reinterpret_cast<long>(in), pipe_ends[1],
                                 reinterpret_cast<long>(out), bytes, flags);
  };
  long long offset = 3;
  EXPECT_EQ(splice(&offset, nullptr, 4, 0), 4);
  EXPECT_EQ(offset, 7);
  char got[5]{};
  EXPECT_EQ(read(pipe_ends[0], got, 4), 4);
  EXPECT_STREQ(got, "3456");
  EXPECT_EQ(splice(&offset, &offset, 1, 0), -ESPIPE) << "a pipe has no offset";
  EXPECT_EQ(splice(&offset, nullptr, 1, 0x1000), -EINVAL) << "no such flag";
  for (const int fd : {file, pipe_ends[0], pipe_ends[1]}) EXPECT_EQ(LinuxKernel::close(fd), 0);
}

TEST(SystemCalls, ReturnNegativeErrnos) {
  EXPECT_EQ(LinuxKernel::close(-1), -EBADF);
  EXPECT_EQ(LinuxKernel::setup(0, nullptr), -EFAULT);
  EXPECT_EQ(LinuxKernel::enter(-1, 0, 0, 0, nullptr, 0), -EBADF);
  EXPECT_EQ(LinuxKernel::map_ring(-1, 4096, 0), -EBADF);
}

}  // namespace
