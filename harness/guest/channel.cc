#include "channel.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#if defined(__x86_64__)
#include <sys/io.h>
#endif

namespace runner {
namespace {

#if defined(__x86_64__)
constexpr unsigned short debug_console_port = 0xe9;

class DebugConsole final : public Channel {
 public:
  // Each byte on the port is an exit to QEMU and a system call there, which takes microseconds. So a line is
  // appended to the shared memory, and an empty line on the port announces it. When the memory is full, lines
  // go through the port.
  bool write(std::string_view bytes) override {
    if (bytes.size() <= memory_.size()) {
      std::memcpy(memory_.data(), bytes.data(), bytes.size());
      memory_ = memory_.subspan(bytes.size());
      bytes = "\n";
    }
    const char* data = bytes.data();
    std::size_t size = bytes.size();
    // One string instruction, not a loop of outb: under KVM that is one exit per page, not one per byte. It
    // clobbers memory, so a line is written before it is announced; x86 keeps the order of stores and outs.
    asm volatile("rep outsb" : "+S"(data), "+c"(size) : "d"(debug_console_port) : "memory");
    return true;
  }
  void use(std::span<char> memory) override { memory_ = memory; }
  // Port permissions survive exec.
  void leave() override { (void)ioperm(debug_console_port, 1, 0); }

 private:
  std::span<char> memory_;  // the part that is still free
};
#endif

class Descriptor final : public Channel {
 public:
  explicit Descriptor(int fd) : fd_(fd) { (void)fcntl(fd, F_SETFD, FD_CLOEXEC); }

  bool write(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
      if (n >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(n));
      } else if (errno == EAGAIN) {
        pollfd ready{.fd = fd_, .events = POLLOUT, .revents = 0};
        (void)poll(&ready, 1, -1);
      } else if (errno != EINTR) {
        return false;
      }
    }
    return true;
  }

 private:
  int fd_;
};

}  // namespace

std::unique_ptr<Channel> guest_channel(std::string& error) {
#if defined(__x86_64__)
  if (ioperm(debug_console_port, 1, 1) == 0) return std::make_unique<DebugConsole>();
  error = std::string("no permission for the debug console's port: ") + std::strerror(errno);
#else
  error = "this architecture has no channel out of a guest yet";
#endif
  return nullptr;
}

std::unique_ptr<Channel> descriptor_channel(int fd) { return std::make_unique<Descriptor>(fd); }

}  // namespace runner
