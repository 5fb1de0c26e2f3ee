// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// send_zc: sends a file to a TCP port of this machine without copying it: send_zc FILE PORT. The network
// reads the memory of each block until a second CQE, the notification, says that it has done so; only then is
// the block filled again. What goes to the same machine is copied after all, and the notifications say that,
// too.
//
// Needs zero-copy sends (6.0), and Linux 6.2 for the report. Build: c++ -std=c++20 -I bindings/include
// bindings/examples/send_zc.cc -o send_zc
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uring/uring.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace {

using uring::Cqe, uring::Error, uring::u32, uring::u64;

[[noreturn]] void fail(const char* what, Error error) {
  std::fprintf(stderr, "send_zc: %s: %s\n", what, uring::what(error).c_str());
  std::exit(1);
}

// One of the pieces of memory that are filled in turn. The address of its Block is the user_data of its
// requests.
struct alignas(64) Block {
  std::array<std::byte, 65536> memory;
  std::size_t begin = 0, end = 0;  // what was not sent yet
  u32 unfinished = 0;              // notifications to come
};

class Sender {
 public:
  Sender(int file, int socket) : file_(file), socket_(socket) {
    if (const auto opened = ring_.init(16); !opened) fail("no ring", opened.error());
    static uring::Probe probe;
    if (!ring_.get_probe(probe) || !probe.is_supported(uring::Op::send_zc)) {
      fail("zero-copy sends need Linux 6.0", Error::nosys);
    }
  }

  void run() {
    // In the order of the file, so one block after the other: a short send is continued before the next
    // begins.
    for (std::size_t next = 0;; next = (next + 1) % blocks_.size()) {
      Block& block = blocks_[next];
      while (block.unfinished > 0) take_cqes();
      if (!fill(block)) break;
      while (block.begin != block.end) send(block);
    }
    // The memory must outlive the last notification.
    for (const Block& block : blocks_) {
      while (block.unfinished > 0) take_cqes();
    }
    std::printf("%llu bytes in %u sends, %u of them copied\n", static_cast<unsigned long long>(bytes_),
                sends_, copied_);
  }

 private:
  bool fill(Block& block) {
    const ssize_t got = read(file_, block.memory.data(), block.memory.size());
    if (got < 0) fail("read", static_cast<Error>(errno));
    block.begin = 0;
    block.end = static_cast<std::size_t>(got);
    return got > 0;
  }

  void send(Block& block) {
    const std::span<const std::byte> rest(block.memory.data() + block.begin, block.end - block.begin);
    const u64 tag = uring::user_data_of(&block);
    const u32 flags = MSG_WAITALL;  // as much as possible in one request
    if (const auto queued = ring_.send_zc(tag, socket_, rest, flags, uring::RecvSend::report_usage);
        !queued) {
      fail("queue", queued.error());
    }
    answered_ = false;
    while (!answered_) take_cqes();
  }

  // Waits for at least one CQE: the result of the send, or any block's notification.
  void take_cqes() {
    const auto entered = ring_.submit_and_wait(1);
    if (!entered && entered != Error::intr && entered != Error::busy) fail("io_uring_enter", entered.error());
    ring_.for_each_cqe([this](const Cqe& cqe) {
      Block& block = *cqe.user_pointer<Block>();
      if (cqe.is_notification()) {
        --block.unfinished;
        if (cqe.was_copied()) ++copied_;
        return;
      }
      answered_ = true;
      if (cqe.has_more()) ++block.unfinished;  // also after an error there may be a notification
      if (cqe.res < 0) fail("send", cqe.error());
      block.begin += static_cast<u32>(cqe.res);
      bytes_ += static_cast<u32>(cqe.res);
      ++sends_;
    });
  }

  const int file_, socket_;
  uring::Ring ring_;
  std::array<Block, 4> blocks_;
  bool answered_ = false;
  u64 bytes_ = 0;
  u32 sends_ = 0, copied_ = 0;
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) {
    std::fputs("usage: send_zc FILE PORT\n", stderr);
    return 2;
  }
  const int file = open(arguments[1], O_RDONLY | O_CLOEXEC);
  if (file < 0) fail(arguments[1], static_cast<Error>(errno));
  const int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(arguments[2])));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connection < 0 || connect(connection, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    fail("cannot connect to 127.0.0.1", static_cast<Error>(errno));
  }
  static Sender sender(file, connection);
  sender.run();
}
