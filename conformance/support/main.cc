// The conformance program: GoogleTest's options, plus two environment variables.
//   URING_RECORDS_FD      write result records to this descriptor (support/records.h)
//   URING_TEST_TIMEOUT_S  end a test that takes longer, default 60 seconds
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include "support/hygiene.h"
#include "support/records.h"

namespace {

// The value of an environment variable as a number; nothing when it is not set. Anything else ends the program.
std::optional<int> number_from(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  char* end = nullptr;
  const long value = std::strtol(text, &end, 10);
  if (*text == '\0' || *end != '\0' || value < 0 || value > 1'000'000) {
    std::fprintf(stderr, "%s is \"%s\", want a number\n", variable, text);
    std::exit(2);
  }
  return static_cast<int>(value);
}

// Tests expect new descriptors above 2, and an init may start us with none.
void open_standard_descriptors() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) {
      std::fprintf(stderr, "descriptor %d is closed and /dev/null cannot be opened in its place\n", fd);
      std::exit(2);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  open_standard_descriptors();
  // Ring memory up to 5.11 and registered buffers count against it. Where the hard limit is low a test will say so.
  rlimit memlock{};
  if (getrlimit(RLIMIT_MEMLOCK, &memlock) == 0) {
    memlock.rlim_cur = memlock.rlim_max;
    setrlimit(RLIMIT_MEMLOCK, &memlock);
  }
  signal(SIGPIPE, SIG_IGN);

  const int record_fd = number_from("URING_RECORDS_FD").value_or(-1);
  if (record_fd >= 0 && fcntl(record_fd, F_SETFD, FD_CLOEXEC) != 0) {
    std::fprintf(stderr, "URING_RECORDS_FD names descriptor %d, which is not open\n", record_fd);
    return 2;
  }
  testing::TestEventListeners& listeners = testing::UnitTest::GetInstance()->listeners();
  if (record_fd >= 0) listeners.Append(new conformance::RecordListener(record_fd));
  listeners.Append(new conformance::WatchdogListener(
      static_cast<unsigned>(number_from("URING_TEST_TIMEOUT_S").value_or(60)), record_fd));
  listeners.Append(new conformance::HygieneListener);

  const int result = RUN_ALL_TESTS();
  if (testing::UnitTest::GetInstance()->test_to_run_count() == 0) {
    std::fprintf(stderr, "no test was run: the filter matches nothing\n");
    return 2;
  }
  return result;
}
