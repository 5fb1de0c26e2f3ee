// The kernel's log and taint, as far as they were made while a test ran.

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
  // Reads on from the newest record. Between two entries nothing is skipped: a complaint that a test's
  // late cleanup causes is seen with the next one rather than never.
  KernelLog();
  ~KernelLog();
  KernelLog(const KernelLog&) = delete;
  KernelLog& operator=(const KernelLog&) = delete;

  // To be polled; -1 when the log cannot be read.
  int fd() const { return fd_; }

  // Takes in what is new. Called whenever there is something, so that a flood does not overrun the kernel's
  // buffer while a test still runs.
  void read();

  // What came since the last call, as "<level>text", and what is wrong with it as a sentence, if anything.
  struct Lines {
    std::vector<std::string> text;
    std::optional<std::string> error;
  };
  Lines take();

  // Writes a line into the log, so that a serial console shows what ran when a machine died. Such lines
  // are left out of take().
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
