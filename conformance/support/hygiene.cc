#include "support/hygiene.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "support/observation.h"
#include "support/records.h"
#include "support/wire_log.h"

namespace conformance {
namespace {

std::map<int, std::string> open_descriptors() {
  std::map<int, std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;  // the iterator's own descriptor is closed when we look again
    const auto target = std::filesystem::read_symlink(entry.path(), gone);
    if (!gone) found[std::stoi(entry.path().filename())] = target.string();
  }
  std::erase_if(found, [](const auto& item) { return fcntl(item.first, F_GETFD) < 0; });
  return found;
}

int ring_mappings() {
  std::ifstream maps("/proc/self/maps");
  int count = 0;
  for (std::string line; std::getline(maps, line);) count += line.find("io_uring") != std::string::npos;
  return count;
}

long pinned_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmPin:")) return std::stol(line.substr(6));
  }
  return 0;
}

bool has_children() {
  siginfo_t info{};
  return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;  // ECHILD: none
}

}  // namespace

Belongings look_around() {
  return {.descriptors = open_descriptors(),
          .ring_mappings = ring_mappings(),
          .anonymous_mappings = static_cast<int>(wire_log().anonymous().size()),
          .pinned_kib = pinned_kib(),
          .children = has_children() ? 1 : 0};
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
  before_ = look_around();
}

void HygieneListener::OnTestEnd(const testing::TestInfo& info) {
  // The kernel unpins the buffers of a closed ring a moment later.
  using namespace std::chrono_literals;
  Belongings after = look_around();
  for (int i = 0; i < 200 && after.pinned_kib > before_.pinned_kib; ++i) {
    std::this_thread::sleep_for(10ms);
    after = look_around();
  }
  for (const std::string& leak : leaks(before_, after)) ADD_FAILURE() << "leak: " << leak;
  if (info.result()->Skipped() && !current_observation().refusal) {
    ADD_FAILURE() << "skipped without a witness: a skip is taken only from refused()";
  }
  wire_log().rings().clear();
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
  const std::string states = wire_log().ring_states();
  std::fprintf(stderr, "\nwatchdog: %s did not end within %u s; %s\n", watched.test.c_str(), watched.seconds,
               states.c_str());
  if (watched.record_fd >= 0) {
    RecordListener::write_line(watched.record_fd, timeout_record(watched.test, watched.seconds, states));
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
