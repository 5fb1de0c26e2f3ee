// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

#include "evidence/hygiene.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>
#include <thread>

#include "evidence/environment.h"
#include "evidence/observation.h"
#include "evidence/records.h"
#include "seam/traps.h"
#include "seam/wire_log.h"

namespace conformance {
namespace {

// These files are read around every test, on emulated processors too: no streams, no paths, one buffer.
std::string_view read_proc(const char* path, std::span<char> buffer) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  std::size_t size = 0;
  ssize_t n = 0;
  while (fd >= 0 && (n = read(fd, buffer.data() + size, buffer.size() - size)) > 0) {
    size += static_cast<std::size_t>(n);
  }
  if (fd < 0 || n < 0 || size == buffer.size()) {
    std::fprintf(stderr, "hygiene: %s cannot be read whole\n", path);
    std::_Exit(3);
  }
  close(fd);
  return {buffer.data(), size};
}

std::map<int, std::string> open_descriptors() {
  std::map<int, std::string> found;
  DIR* directory = opendir("/proc/self/fd");
  while (const dirent* entry = directory != nullptr ? readdir(directory) : nullptr) {
    const int fd = std::atoi(entry->d_name);
    if (entry->d_name[0] == '.' || fd == dirfd(directory)) continue;
    std::array<char, PATH_MAX> target;
    const ssize_t size = readlinkat(dirfd(directory), entry->d_name, target.data(), target.size());
    found[fd] = std::string(target.data(), static_cast<std::size_t>(std::max(size, ssize_t{0})));
  }
  if (directory == nullptr || closedir(directory) != 0) {
    std::fprintf(stderr, "hygiene: /proc/self/fd cannot be read\n");
    std::_Exit(3);
  }
  return found;
}

int ring_mappings(std::string_view maps) {
  int count = 0;
  for (std::size_t at = 0; (at = maps.find("io_uring", at)) != maps.npos; at = maps.find('\n', at)) ++count;
  return count;
}

long pinned_kib(std::string_view status) {
  constexpr std::string_view label = "\nVmPin:";  // since 3.2
  const std::size_t at = status.find(label);
  return at == status.npos ? 0 : std::strtol(status.data() + at + label.size(), nullptr, 10);
}

bool has_children() {
  siginfo_t info{};
  return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;  // ECHILD: none
}

}  // namespace

Belongings look_around() {
  static std::array<char, 64 * 1024> buffer;
  Belongings found{.descriptors = open_descriptors()};
  found.ring_mappings = ring_mappings(read_proc("/proc/self/maps", buffer));
  found.anonymous_mappings = static_cast<int>(wire_log().anonymous().size());
  found.pinned_kib = pinned_kib(read_proc("/proc/self/status", buffer));
  found.children = has_children() ? 1 : 0;
  return found;
}

std::vector<std::string> leaks(const Belongings& before, const Belongings& after) {
  std::vector<std::string> found;
  for (const auto& [fd, what] : after.descriptors) {
    if (!before.descriptors.contains(fd))
      found.push_back("descriptor " + std::to_string(fd) + " (" + what + ") is still open");
  }
  for (const auto& [fd, what] : before.descriptors) {
    const auto now = after.descriptors.find(fd);
    if (now != after.descriptors.end() && now->second == what) continue;
    found.push_back("descriptor " + std::to_string(fd) + " (" + what + ") was closed" +
                    (now != after.descriptors.end() ? ", and " + now->second + " is open in its place" : ""));
  }
  if (after.ring_mappings != before.ring_mappings) {
    found.push_back(std::to_string(after.ring_mappings - before.ring_mappings) +
                    " mappings of a ring are still there");
  }
  if (after.anonymous_mappings != before.anonymous_mappings) {
    found.push_back(std::to_string(after.anonymous_mappings - before.anonymous_mappings) +
                    " mappings of a buffer ring are still there");
  }
  if (after.pinned_kib > before.pinned_kib) {
    found.push_back(std::to_string(after.pinned_kib - before.pinned_kib) + " KiB are still pinned");
  }
  if (after.children > before.children) found.push_back("a child process was not waited for");
  return found;
}

void HygieneListener::OnTestStart(const testing::TestInfo&) {
  current_observation() = {};
  wire_log().clear();
  has_failed_ = false;
  if (!before_) before_ = look_around();
}

void HygieneListener::OnTestPartResult(const testing::TestPartResult& part) {
  if (!part.failed() || has_failed_) return;
  has_failed_ = true;
  Observation& observed = current_observation();
  const std::optional<Denial>& denial = wire_log().denial();
  if (observed.blocked || !denial) return;
  observed.blocked = why_denied(*denial, read_environment());
  // GoogleTest lets a listener throw this, and takes it for a failure that is reported already.
  if (observed.blocked) throw testing::AssertionException(part);
}

void HygieneListener::OnTestEnd(const testing::TestInfo& info) {
  // The kernel unpins the buffers of a closed ring a moment later.
  using namespace std::chrono_literals;
  Belongings after = look_around();
  for (int i = 0; i < 200 && after.pinned_kib > before_->pinned_kib; ++i) {
    std::this_thread::sleep_for(10ms);
    after = look_around();
  }
  for (const std::string& leak : leaks(*before_, after)) ADD_FAILURE() << "leak: " << leak;
  for (const std::string& loss : wire_log().losses()) ADD_FAILURE() << "loss: " << loss;
  before_ = std::move(after);  // a leak is charged once; nothing happens between two tests
  const Observation& observed = current_observation();
  if (observed.not_expressible && !foreign_binding_) {
    ADD_FAILURE()
        << "everything is expressible through our own binding: nothing may be skipped as not expressible";
  }
  if (info.result()->Skipped() && !observed.refusal && !observed.not_expressible) {
    ADD_FAILURE() << "skipped without a witness: only refused() may justify a skip";
  }
  wire_log().rings().clear();
}

namespace {

void print_wire(std::FILE* file, const std::string& test) {
  const auto lines = wire_log().lines();
  if (lines.empty()) return;
  std::fprintf(file, "What went over the wire in %s:\n", test.c_str());
  for (const std::string& line : lines) std::fprintf(file, "  %s\n", line.c_str());
}

}  // namespace

void WireListener::OnTestEnd(const testing::TestInfo& info) {
  if (!info.result()->Failed()) return;
  print_wire(stdout, std::string(info.test_suite_name()) + "." + info.name());
  std::fflush(stdout);
}

namespace {

// What the signal handler needs. Set between tests only.
struct {
  std::string test;
  unsigned seconds = 0;
  int record_fd = -1;
} watched;

// Not async-signal-safe by the book: it allocates. It runs when the test is stuck, nearly always inside a
// system call, and the process ends here either way; should it be stuck itself, the runner's own deadline
// ends it.
extern "C" void on_alarm(int) {
  expect_end();
  const std::string states = wire_log().ring_states();
  std::fprintf(stderr, "\nwatchdog: %s did not end within %u s; %s\n", watched.test.c_str(), watched.seconds,
               states.c_str());
  if (watched.record_fd >= 0) {
    RecordListener::write_line(watched.record_fd, timeout_record(watched.test, watched.seconds, states));
  } else {
    print_wire(stderr, watched.test);
  }
  std::_Exit(WatchdogListener::exit_code);
}

}  // namespace

WatchdogListener::WatchdogListener(unsigned seconds, int record_fd) {
  watched.seconds = seconds;
  watched.record_fd = record_fd;
  struct sigaction action {};
  action.sa_handler = on_alarm;
  sigaction(SIGALRM, &action, nullptr);
}

void WatchdogListener::OnTestStart(const testing::TestInfo& info) {
  watched.test = std::string(info.test_suite_name()) + "." + info.name();
  alarm(watched.seconds);
}

void WatchdogListener::OnTestEnd(const testing::TestInfo&) { alarm(0); }

}  // namespace conformance
