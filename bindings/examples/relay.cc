// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// relay: copies standard input to standard output, with a ring as runtimes make it:
//
//   relay defer     completions are handled in this thread, when it asks for them (SINGLE_ISSUER, DEFER_TASKRUN)
//   relay sqpoll    a thread of the kernel takes what is queued, so that submitting needs no system call
//
// An older kernel gets a plain ring, and the same loop works. Every 100 ms without an event the loop has time
// for something else; here it counts. At the end it says on standard error what it did.
//
// Needs Linux 5.11 (waits with a timeout). Build: c++ -std=c++20 -I bindings/include
// bindings/examples/relay.cc -o relay
#include <unistd.h>
#include <uring/uring.h>

#include <cstdio>
#include <cstring>

namespace {

using uring::Cqe, uring::Error, uring::u32, uring::u64;

constexpr u64 reading = 1, writing = 2;
alignas(4096) std::byte buffer[65536];

int fail(const char* what, Error error) {
  std::fprintf(stderr, "relay: %s: %s\n", what, uring::what(error).c_str());
  return 1;
}

class Loop {
 public:
  // The flags from the best to the plainest; a kernel refuses those that it lacks with EINVAL. `mode` is what
  // it became.
  uring::Result<void> open(bool sqpoll) {
    constexpr u32 defer = uring::setup_single_issuer | uring::setup_defer_taskrun | uring::setup_submit_all;
    constexpr struct {
      u32 flags;
      const char* name;
    } wanted[]{{uring::setup_sqpoll | uring::setup_submit_all, "sqpoll"},
               {defer, "defer"},
               {uring::setup_coop_taskrun, "coop"},
               {0, "plain"}};
    uring::Result<void> opened = Error::inval;
    for (const auto& kind : wanted) {
      if (sqpoll != ((kind.flags & uring::setup_sqpoll) != 0) && kind.flags != 0) continue;
      uring::Params params{};
      params.flags = kind.flags;
      params.sq_thread_idle = 20;  // milliseconds; then it sleeps, and submit() wakes it
      mode = kind.name;
      opened = ring_.init_params(8, params);
      if (opened != Error::inval) break;
    }
    // The kernel need not look the descriptor up each time (5.18).
    if (opened) static_cast<void>(ring_.register_ring_fd());
    return opened;
  }

  // Until the input has ended and everything was written, or there is an error.
  uring::Result<void> run() {
    while (!(ended_ && begin_ == end_)) {
      if (auto queued = start_what_is_due(); !queued) return queued;
      // What completed already needs no system call to be seen.
      if (ring_.cq_ready() == 0) {
        const auto entered = ring_.submit_and_wait_timeout(1, {.tv_sec = 0, .tv_nsec = 100'000'000});
        ++waits;
        if (!entered && entered != Error::time && entered != Error::intr && entered != Error::busy) {
          return entered.error();
        }
      }
      if (ring_.for_each_cqe([this](const Cqe& cqe) { note(cqe); }) == 0) ++idle;
      if (failed_ != Error::none) return failed_;
    }
    return {};
  }

  const char* mode = "";
  u64 bytes = 0;
  u32 waits = 0, idle = 0;

 private:
  // One request at a time: with pipes there is nothing to gain from a second.
  uring::Result<void> start_what_is_due() {
    if (in_flight_) return {};
    const std::span<std::byte> free(buffer + end_, sizeof buffer - end_),
        full(buffer + begin_, end_ - begin_);
    const uring::Queued queued = full.empty()
                                     ? ring_.read(reading, STDIN_FILENO, free, uring::current_position)
                                     : ring_.write(writing, STDOUT_FILENO, full, uring::current_position);
    if (!queued) return queued.error();
    in_flight_ = true;
    if (const auto submitted = ring_.submit(); !submitted && submitted != Error::intr)
      return submitted.error();
    return {};
  }

  void note(const Cqe& cqe) {
    in_flight_ = false;
    if (cqe.res < 0 && cqe.error() != Error::intr && cqe.error() != Error::again) failed_ = cqe.error();
    if (cqe.res < 0) return;
    const std::size_t count = static_cast<u32>(cqe.res);
    if (cqe.user_data == reading) {
      end_ += count;
      ended_ = count == 0;
      return;
    }
    begin_ += count;  // perhaps not all: the rest is due next
    bytes += count;
    if (begin_ == end_) begin_ = end_ = 0;
  }

  uring::Ring ring_;
  std::size_t begin_ = 0, end_ = 0;  // what is in the buffer and was not written yet
  bool in_flight_ = false, ended_ = false;
  Error failed_ = Error::none;
};

}  // namespace

int main(int count, char** arguments) {
  const bool sqpoll = count == 2 && std::strcmp(arguments[1], "sqpoll") == 0;
  if (count != 2 || (!sqpoll && std::strcmp(arguments[1], "defer") != 0)) {
    std::fputs("usage: relay defer|sqpoll\n", stderr);
    return 2;
  }
  Loop loop;
  if (const auto opened = loop.open(sqpoll); !opened) return fail("no ring", opened.error());
  if (const auto ran = loop.run(); !ran) return fail("cannot go on", ran.error());
  std::fprintf(stderr, "%llu bytes with a ring of kind %s, %u waits, %u of them for nothing\n",
               static_cast<unsigned long long>(loop.bytes), loop.mode, loop.waits, loop.idle);
}
