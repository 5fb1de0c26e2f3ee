// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// coroutine_echo: sends back what it receives, on 127.0.0.1; each connection is a coroutine that reads like
// blocking code. Prints its port; ends when standard input is closed.
//
// `co_await loop.request(...)` suspends the coroutine until the request has completed, and is its result.
// The user_data of a request is the address of the object that is awaited. It lies in the coroutine's frame,
// as do the buffers, so both live as long as the request: a frame ends only when its coroutine does, and that
// waits for each of its requests.
//
// Needs Linux 6.0 (cancel_all). Build: c++ -std=c++20 -I bindings/include bindings/examples/coroutine_echo.cc
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uring/uring.h>

#include <array>
#include <cerrno>
#include <coroutine>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <utility>

namespace {

using uring::i32, uring::u64, uring::Queued, uring::Ring;

template <class T>
void must(uring::Result<T> result, const char* what) {
  if (result) return;
  std::fprintf(stderr, "coroutine_echo: %s: %s\n", what, uring::what(result.error()).c_str());
  std::exit(1);
}

// Runs until its first co_await when it is called, and ends by itself.
struct Task {
  struct promise_type {
    Task get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::abort(); }
  };
};

class Loop {
 public:
  // What co_await takes: queues a request, and resumes with its result.
  struct Operation {
    Loop& loop;
    std::function<Queued(Ring&, u64 user_data)> queue;
    i32 result = 0;
    std::coroutine_handle<> waiting = nullptr;

    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> coroutine) {
      waiting = coroutine;
      return loop.start(*this);
    }
    i32 await_resume() const noexcept { return result; }
  };

  Loop() { must(ring_.init(64), "no ring"); }

  // Any operation of the ring: loop.request([&](Ring& ring, u64 tag) { return ring.fsync(tag, fd, 0); }).
  template <class Queue>
  Operation request(Queue queue) {
    return {*this, std::move(queue)};
  }

  void stop() { stopped_ = true; }

  void run() {
    while (!stopped_) {
      while (!backlog_.empty() && queued(*backlog_.front())) backlog_.pop_front();
      // What did not fit is queued after this submit, so it does not wait then.
      const auto entered = ring_.submit_and_wait(backlog_.empty() ? 1 : 0);
      if (entered != uring::Error::intr && entered != uring::Error::busy) must(entered, "io_uring_enter");
      std::array<uring::Cqe, 64> cqes;
      const u64 count = *ring_.copy_cqes(cqes, 0);
      for (u64 i = 0; i < count; ++i) resume(cqes[i]);
    }
    // Every coroutine resumes with -ECANCELED, or with a result that had come, and ends.
    for (Operation* each : std::exchange(backlog_, {})) resume(*each, -ECANCELED);
    must(ring_.cancel_all(0, {.tv_sec = 1, .tv_nsec = 0}, [](const uring::Cqe& cqe) { resume(cqe); }),
         "cancel");
  }

 private:
  bool queued(Operation& operation) { return operation.queue(ring_, uring::user_data_of(&operation)).ok(); }
  // False after the end: then nothing is started any more, and the coroutine goes on at once.
  bool start(Operation& operation) {
    if (stopped_) operation.result = -ECANCELED;
    if (!stopped_ && (!backlog_.empty() || !queued(operation))) backlog_.push_back(&operation);
    return !stopped_;
  }
  static void resume(Operation& operation, i32 result) {
    operation.result = result;
    operation.waiting.resume();
  }
  static void resume(const uring::Cqe& cqe) { resume(*cqe.user_pointer<Operation>(), cqe.res); }

  Ring ring_;
  std::deque<Operation*> backlog_;  // for which the queue was too short
  bool stopped_ = false;
};

Task serve(Loop& loop, int fd) {
  std::array<std::byte, 4096> buffer;
  i32 count = 0;
  while ((count = co_await loop.request([&](Ring& r, u64 tag) { return r.recv(tag, fd, buffer, 0); })) > 0) {
    std::span<const std::byte> left(buffer.data(), static_cast<std::size_t>(count));
    while (!left.empty() && count >= 0) {
      count = co_await loop.request([&](Ring& r, u64 tag) { return r.send(tag, fd, left, 0); });
      if (count > 0) left = left.subspan(static_cast<std::size_t>(count));
    }
    if (count < 0) break;
  }
  close(fd);
}

Task accept_all(Loop& loop, int listener) {
  const uring::Timespec a_moment{.tv_sec = 0, .tv_nsec = 10'000'000};
  const auto accept = [&](Ring& r, u64 tag) {
    return r.accept(tag, listener, nullptr, nullptr, SOCK_CLOEXEC);
  };
  i32 fd = 0;
  while ((fd = co_await loop.request(accept)) != -ECANCELED) {
    if (fd >= 0) serve(loop, fd);
    // Until a connection ends.
    if (fd == -EMFILE)
      co_await loop.request([&](Ring& r, u64 tag) { return r.timeout(tag, &a_moment, 0, 0); });
  }
}

Task stop_at_the_end_of_input(Loop& loop) {
  std::array<std::byte, 256> input;
  const auto read = [&](Ring& r, u64 tag) {
    return r.read(tag, STDIN_FILENO, input, uring::current_position);
  };
  while (co_await loop.request(read) > 0) continue;
  loop.stop();
}

int listen_anywhere() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{
      .sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (fd < 0 || bind(fd, any, size) != 0 || listen(fd, SOMAXCONN) != 0 || getsockname(fd, any, &size) != 0) {
    must(uring::Result<void>(static_cast<uring::Error>(errno)), "cannot listen on 127.0.0.1");
  }
  std::printf("%d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  return fd;
}

}  // namespace

int main() {
  Loop loop;
  accept_all(loop, listen_anywhere());
  stop_at_the_end_of_input(loop);
  loop.run();
}
