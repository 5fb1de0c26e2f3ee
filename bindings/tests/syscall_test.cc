// The system calls themselves, on this machine's kernel: what no test with a played kernel sees.
#include <gtest/gtest.h>
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

// On some architectures what may be written can be read as well, so a mapping that works says nothing about others.
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

TEST(SystemCalls, ReturnNegativeErrnos) {
  EXPECT_EQ(LinuxKernel::close(-1), -EBADF);
  EXPECT_EQ(LinuxKernel::setup(0, nullptr), -EFAULT);
  EXPECT_EQ(LinuxKernel::enter(-1, 0, 0, 0, nullptr, 0), -EBADF);
  EXPECT_EQ(LinuxKernel::map_ring(-1, 4096, 0), -EBADF);
}

}  // namespace
