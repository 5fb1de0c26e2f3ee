// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

#include "payload.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "system.h"

namespace runner {
namespace {

// "newc", the format of the initramfs, which the harness writes anyway: a magic number, a header of 13 fields
// of eight hexadecimal digits, the name, the data; the last two padded to a multiple of four.
constexpr std::string_view magic = "070701", trailer = "TRAILER!!!";
constexpr std::size_t header_size = 110, mode_field = 1, size_field = 6, name_size_field = 11;

// The memory is filled behind the compiler's back: it is empty in the guest that was saved, and filled in the
// guest that resumes from there.
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

std::string unpack_payload(std::span<const char> payload) {
  const std::string_view memory(payload.data(), payload.size());
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
    std::string error = put("/" + std::string(name), static_cast<mode_t>(field(header, mode_field)),
                            memory.substr(data_at, size));
    if (!error.empty()) return error;
    at = data_at + padded(size);
  }
  return "the payload is damaged at byte " + std::to_string(at);
}

}  // namespace runner
