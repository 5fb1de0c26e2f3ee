#include "payload.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "system.h"

namespace runner {
namespace {

namespace fs = std::filesystem;

// QEMU's ivshmem-plain: BAR 2 is the memory. No driver is needed, sysfs maps it for root.
constexpr std::string_view vendor = "0x1af4", device = "0x1110";
constexpr const char* all_devices = "/sys/bus/pci/devices";

// "newc", the format of the initramfs, which the harness writes anyway: a header of 13 fields of eight
// hexadecimal digits behind a magic number, the name, the data; the last two padded to a multiple of four.
constexpr std::string_view magic = "070701", trailer = "TRAILER!!!";
constexpr std::size_t header_size = 110, mode_field = 1, size_field = 6, name_size_field = 11;

std::string first_word(const fs::path& file) {
  std::ifstream stream(file);
  std::string word;
  stream >> word;
  return word;
}

fs::path find_device() {
  std::error_code none;  // no PCI, so no device
  for (const auto& entry : fs::directory_iterator(all_devices, none)) {
    if (first_word(entry.path() / "vendor") == vendor && first_word(entry.path() / "device") == device) {
      return entry.path();
    }
  }
  return {};
}

// Empty, with the reason in `error`, if it cannot be had. It stays mapped: this process runs until the end.
std::string_view map_device(std::string& error) {
  const fs::path directory = find_device();
  if (directory.empty()) {
    error = "the payload's device is not there";
    return {};
  }
  std::ofstream(directory / "enable") << "1\n";  // no driver has done it
  const fs::path memory = directory / "resource2";
  struct stat status {};
  const int fd = open(memory.c_str(), O_RDONLY | O_CLOEXEC);
  void* address = MAP_FAILED;
  if (fd >= 0 && fstat(fd, &status) == 0) {
    address = mmap(nullptr, static_cast<std::size_t>(status.st_size), PROT_READ, MAP_SHARED, fd, 0);
  }
  const int reason = errno;
  if (fd >= 0) close(fd);
  if (address == MAP_FAILED) {
    error = because("cannot map the payload, " + memory.string(), reason);
    return {};
  }
  return {static_cast<const char*>(address), static_cast<std::size_t>(status.st_size)};
}

// The memory is filled behind the compiler's back: in the guest that was saved it is empty, in the one that
// goes on from there it is not.
void wait_for(std::string_view memory) {
  const volatile char* first = memory.data();
  while (!std::equal(magic.begin(), magic.end(), first)) {
    constexpr timespec pause{.tv_sec = 0, .tv_nsec = 1'000'000};
    (void)nanosleep(&pause, nullptr);
  }
}

std::size_t field(std::string_view header, std::size_t index) {
  const char* begin = header.data() + magic.size() + 8 * index;
  std::size_t value = 0;
  std::from_chars(begin, begin + 8, value, 16);
  return value;
}

constexpr std::size_t padded(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

std::string put(const std::string& path, mode_t mode, std::string_view data) {
  if (S_ISDIR(mode)) {
    if (mkdir(path.c_str(), mode & 07777) == 0 || errno == EEXIST) return {};
    return because("cannot make " + path, errno);
  }
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode & 07777);
  if (fd < 0) return because("cannot create " + path, errno);
  ssize_t n = 0;
  while (!data.empty() && (n = write(fd, data.data(), data.size())) > 0) {
    data.remove_prefix(static_cast<std::size_t>(n));
  }
  const int reason = errno;
  close(fd);
  return data.empty() ? std::string() : because("cannot write " + path, reason);
}

}  // namespace

std::string unpack_payload() {
  std::string error;
  const std::string_view memory = map_device(error);
  if (memory.empty()) return error;
  wait_for(memory);
  std::size_t at = 0;
  while (at + header_size <= memory.size() && memory.substr(at, magic.size()) == magic) {
    const std::string_view header = memory.substr(at, header_size);
    const std::size_t name_size = field(header, name_size_field), size = field(header, size_field);
    const std::size_t data_at = at + padded(header_size + name_size);
    if (name_size == 0 || name_size > memory.size() || size > memory.size() ||
        data_at + size > memory.size()) {
      break;
    }
    const std::string_view name = memory.substr(at + header_size, name_size - 1);  // without its zero byte
    if (name == trailer) return {};
    error = put("/" + std::string(name), static_cast<mode_t>(field(header, mode_field)),
                memory.substr(data_at, size));
    if (!error.empty()) return error;
    at = data_at + padded(size);
  }
  return "the payload is damaged at byte " + std::to_string(at);
}

}  // namespace runner
