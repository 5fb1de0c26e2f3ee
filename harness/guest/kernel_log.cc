#include "kernel_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "system.h"

namespace runner {
namespace {

constexpr const char* path = "/dev/kmsg";
constexpr std::string_view marker = "uring-conformance: ";

// The first lines of a flood tell the story; the rest would only delay the next test.
constexpr std::size_t max_lines = 1000;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// The kernel writes backslashes and unprintable bytes as \xNN.
std::string unescaped(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    if (text.size() >= 4 && text.starts_with("\\x") && hex_digit(text[2]) >= 0 && hex_digit(text[3]) >= 0) {
      plain += static_cast<char>(hex_digit(text[2]) * 16 + hex_digit(text[3]));
      text.remove_prefix(4);
    } else {
      plain += text.front();
      text.remove_prefix(1);
    }
  }
  return plain;
}

}  // namespace

KernelLog::KernelLog() : fd_(open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {
  if (fd_ < 0) {
    unreadable_ = std::string("the kernel log is unreadable: ") + path + ": " + std::strerror(errno);
  } else if (lseek(fd_, 0, SEEK_END) < 0) {
    unreadable_ = std::string("the kernel log has no end to start from: ") + std::strerror(errno);
    close(std::exchange(fd_, -1));
  }
}

KernelLog::~KernelLog() {
  if (fd_ >= 0) close(fd_);
}

void KernelLog::read() {
  std::array<char, 16384> record;  // the kernel's own limit for one record is 8192
  while (fd_ >= 0) {
    const ssize_t n = ::read(fd_, record.data(), record.size());
    if (n > 0) {
      add({record.data(), static_cast<std::size_t>(n)});
    } else if (n < 0 && errno == EPIPE) {
      lost_ = true;  // overwritten before we read it; the next read continues with the oldest record left
    } else if (n < 0 && errno == EAGAIN) {
      return;
    } else if (n == 0 || errno != EINTR) {
      unreadable_ = std::string("the kernel log became unreadable: ") + std::strerror(n == 0 ? 0 : errno);
      close(std::exchange(fd_, -1));
    }
  }
}

// "6,339,5140900,-;text\n KEY=value\n": priority, sequence number, microseconds, flags; then the text, and
// properties of devices on further lines, which we ignore.
void KernelLog::add(std::string_view record) {
  unsigned priority = 0;
  std::from_chars(record.data(), record.data() + record.size(), priority);
  if (const auto semicolon = record.find(';'); semicolon != record.npos) record.remove_prefix(semicolon + 1);
  record = record.substr(0, record.find('\n'));
  if (record.starts_with(marker)) return;
  const std::string prefix = '<' + std::to_string(priority & 7) + '>';
  const std::string text = unescaped(record);
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (lines_.size() < max_lines) {
      lines_.push_back(prefix + text.substr(begin, end - begin));
    } else {
      ++dropped_;
    }
    begin = end + 1;
  }
}

KernelLog::Lines KernelLog::take() {
  read();
  Lines result{.text = std::exchange(lines_, {}), .error = std::nullopt};
  if (std::exchange(lost_, false)) result.error = "the kernel log overflowed, some of its lines are lost";
  if (const std::size_t dropped = std::exchange(dropped_, 0); dropped > 0) {
    result.error = "the kernel log is too long, its last " + std::to_string(dropped) + " lines are left out";
  }
  if (!unreadable_.empty()) result.error = unreadable_;
  return result;
}

void KernelLog::mark(std::string_view text) {
  // Opened again for each line: the kernel limits the rate of lines per open file.
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;  // an aid for people; the results do not depend on it
  // A warning, because the guest's console shows nothing lower (harness/machines/vm.py). Without the newline
  // the kernel holds the record back, in case the line continues.
  const std::string line = std::string("<4>").append(marker).append(text).append("\n");
  (void)!write(fd, line.data(), line.size());
  close(fd);
}

std::optional<std::int64_t> taint() {
  const std::string text = read_proc("/proc/sys/kernel/tainted").value_or("");
  std::int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc{} ? std::optional(value) : std::nullopt;
}

}  // namespace runner
