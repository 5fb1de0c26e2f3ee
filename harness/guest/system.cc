#include "system.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

namespace runner {
namespace {

struct Mount {
  const char* type;
  const char* target;
};

// /dev before /dev/shm.
constexpr Mount mounts[] = {
    {"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"tmpfs", "/tmp"}, {"tmpfs", "/dev/shm"},
};

int raise_loopback() {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  int error = 0;
  if (ioctl(fd, SIOCGIFFLAGS, &request) < 0) error = errno;
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  if (error == 0 && ioctl(fd, SIOCSIFFLAGS, &request) < 0) error = errno;
  close(fd);
  return error;
}

}  // namespace

std::string because(const std::string& what, int error) { return what + ": " + std::strerror(error); }

std::optional<std::string> read_proc(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  std::string text(4096, '\0');
  const ssize_t n = read(fd, text.data(), text.size());
  close(fd);
  if (n < 0) return std::nullopt;
  text.resize(static_cast<std::size_t>(n));
  return text;
}

std::vector<std::string> prepare_guest() {
  std::vector<std::string> problems;
  for (const Mount& mount_point : mounts) {
    (void)mkdir(mount_point.target, 0755);  // if this fails, so does the mount
    if (mount(mount_point.type, mount_point.target, mount_point.type, 0, nullptr) < 0) {
      problems.push_back(because(std::string("cannot mount ") + mount_point.target, errno));
    }
  }
  (void)chmod("/tmp", 01777);
  // We run before every other task, but the tests do not inherit this: a record that wakes us has left the
  // guest before the test that wrote it continues, maybe into a panic.
  const sched_param priority{.sched_priority = 1};
  if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &priority) < 0) {
    problems.push_back(because("cannot raise the runner's priority", errno));
  }
  if (const int error = raise_loopback(); error != 0) {
    problems.push_back(because("cannot bring up the loopback interface", error));
  }
  return problems;
}

std::vector<std::string> prepare_process() {
  std::vector<std::string> problems;
  int fd = 0;
  do {  // the next thing that is opened, such as a pipe of ours, would take a low descriptor that is closed
    fd = open("/dev/null", O_RDWR);
  } while (fd >= 0 && fd <= 2);
  if (fd < 0) {
    problems.push_back(because("cannot open /dev/null", errno));
  } else {
    close(fd);
  }
  rlimit memlock{RLIM_INFINITY, RLIM_INFINITY};
  if (setrlimit(RLIMIT_MEMLOCK, &memlock) < 0 && getrlimit(RLIMIT_MEMLOCK, &memlock) == 0) {
    memlock.rlim_cur = memlock.rlim_max;  // without privilege: as far as allowed
    (void)setrlimit(RLIMIT_MEMLOCK, &memlock);
  }
  const rlimit no_core{0, 0};
  (void)setrlimit(RLIMIT_CORE, &no_core);
  return problems;
}

Object hello(std::size_t entries) {
  utsname name{};
  (void)uname(&name);
  struct sysinfo info {};
  (void)sysinfo(&info);
  timespec uptime{};
  (void)clock_gettime(CLOCK_BOOTTIME, &uptime);
  Object object("hello");
  object.number("schema", 1)
      .text("release", name.release)
      .text("version", name.version)
      .text("machine", name.machine)
      .number("uptime_ms", std::int64_t{uptime.tv_sec} * 1000 + uptime.tv_nsec / 1'000'000)
      .number("cpus", sysconf(_SC_NPROCESSORS_ONLN))
      .number("memory_kib", static_cast<std::int64_t>(info.totalram * info.mem_unit / 1024))
      .number("entries", static_cast<std::int64_t>(entries));
  return object;
}

void power_off() { (void)reboot(RB_AUTOBOOT); }

}  // namespace runner
