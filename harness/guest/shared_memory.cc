// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

#include "shared_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "system.h"

namespace runner {
namespace {

// QEMU's ivshmem-plain: BAR 2 is the memory. No driver is needed, sysfs maps it for root. The slots are those
// of harness/machines/shared_memory.py.
constexpr const char* payload_device = "/sys/bus/pci/devices/0000:00:10.0";
constexpr const char* results_device = "/sys/bus/pci/devices/0000:00:11.0";

std::span<char> map(const std::string& device, int protection, std::string& error) {
  const int enable = open((device + "/enable").c_str(), O_WRONLY | O_CLOEXEC);
  if (enable >= 0) {
    (void)!write(enable, "1", 1);  // no driver has done it
    close(enable);
  }
  const std::string memory = device + "/resource2";
  struct stat status {};
  const int fd = open(memory.c_str(), O_RDWR | O_CLOEXEC);
  void* address = MAP_FAILED;
  if (fd >= 0 && fstat(fd, &status) == 0) {
    address = mmap(nullptr, static_cast<std::size_t>(status.st_size), protection, MAP_SHARED, fd, 0);
  }
  const int reason = errno;
  if (fd >= 0) close(fd);
  if (address == MAP_FAILED) {
    error = because("cannot map the shared memory, " + memory, reason);
    return {};
  }
  return {static_cast<char*>(address), static_cast<std::size_t>(status.st_size)};
}

}  // namespace

std::span<const char> map_payload(std::string& error) { return map(payload_device, PROT_READ, error); }

std::span<char> map_results(std::string& error) {
  if (access(results_device, F_OK) != 0) return {};
  return map(results_device, PROT_READ | PROT_WRITE, error);
}

}  // namespace runner
