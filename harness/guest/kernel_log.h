// The part of the kernel's log that was written while a test ran, and the kernel's taint.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace runner {

class KernelLog {
 public:
  // Starts after the newest record. Nothing is skipped between two entries: a complaint caused by a test's
  // late cleanup is attributed to the next test rather than lost.
  KernelLog();
  ~KernelLog();
  KernelLog(const KernelLog&) = delete;
  KernelLog& operator=(const KernelLog&) = delete;

  // For poll(); -1 if the log cannot be read.
  int fd() const { return fd_; }

  // Reads the new records. Called whenever there are some, so that a flood does not overrun the kernel's
  // buffer while a test is still running.
  void read();

  // The lines since the last call, as "<level>text", and a sentence if something is wrong with them.
  struct Lines {
    std::vector<std::string> text;
    std::optional<std::string> error;
  };
  Lines take();

  // Writes a line into the log, so that a serial console shows which test was running when a machine died.
  // take() leaves these lines out.
  static void mark(std::string_view text);

 private:
  void add(std::string_view record);

  int fd_ = -1;
  std::string unreadable_;
  bool lost_ = false;
  std::size_t dropped_ = 0;
  std::vector<std::string> lines_;
};

// /proc/sys/kernel/tainted
std::optional<std::int64_t> taint();

}  // namespace runner
