// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// echo_server: sends back what it receives, on 127.0.0.1. Prints its port; ends when standard input is
// closed, or with a signal. Shows multishot requests (one accepts every connection, one per connection
// receives everything) and a group of buffers from which the kernel takes one when data arrives.
//
// In each iteration `note` records what the CQEs say, then `start_what_is_due` looks at the state and queues
// the requests that it calls for: a request that has ended is started again by the line that first started
// it.
//
// Data is sent from the buffer it came in, so memory is bounded, but a client that sends and never reads
// keeps buffers until the others get none. A server for strangers would limit what one connection may hold.
//
// Needs multishot receive (6.0).
// Build: c++ -std=c++20 -I bindings/include bindings/examples/echo_server.cc -o echo_server
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uring/uring.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>

namespace {

using uring::Cqe, uring::Error, uring::u32, uring::u64;

constexpr u32 buffer_bytes = 4096, buffer_count = 32;
alignas(4096) std::byte memory[buffer_count * buffer_bytes];

[[noreturn]] void fail(const char* what, int error) {
  std::fprintf(stderr, "echo_server: %s: %s\n", what, uring::what(static_cast<uring::Error>(error)).c_str());
  std::exit(1);
}

template <class T>
void must(uring::Result<T> result, const char* what) {
  if (!result) fail(what, static_cast<int>(result.error()));
}

// What a CQE answers, in the upper half of its user_data; the lower half is the descriptor.
enum class Request : u32 { accept, receive, send, input };
u64 tag(Request request, int fd) { return u64{static_cast<u32>(request)} << 32 | static_cast<u32>(fd); }

bool goes_on(const Cqe& cqe) { return (cqe.flags & uring::cqe_f_more) != 0; }
struct Connection {
  std::deque<Cqe> received;                 // not sent yet, each with its buffer
  u32 sent = 0;                             // bytes of the first
  bool receiving = false, sending = false;  // requests in flight
  bool ended = false;                       // nothing more will come
};

class Server {
 public:
  explicit Server(int listener) : listener_(listener) {
    must(ring_.init(64), "no ring");
    static uring::Probe probe;
    must(ring_.get_probe(probe), "cannot ask what this kernel has");
    // The kernel does not list multishot receive; SEND_ZC came in the same release.
    if (!probe.is_supported(uring::Op::send_zc)) fail("multishot receive needs Linux 6.0", ENOSYS);
    // Whole buffers: connections give them back in any order, so no two may share one.
    must(group_.init(ring_, 1, memory, buffer_bytes, uring::Consumption::whole), "cannot register buffers");
  }

  void run() {
    while (!stopped_) {
      // A full queue is not an error: submit without waiting, and come back for the rest.
      const auto entered = ring_.submit_and_wait(start_what_is_due() ? 1 : 0);
      if (entered != Error::intr && entered != Error::busy) must(entered, "io_uring_enter");
      ring_.for_each_cqe([this](const Cqe& cqe) { note(cqe); });
    }
    // The requests in flight end before what they write to does. What they bring is not wanted any more.
    must(ring_.cancel_all(tag(Request::input, 1), {.tv_sec = 1, .tv_nsec = 0}, [](const Cqe&) {}), "cancel");
    for (const auto& [fd, connection] : connections_) close(fd);
  }

 private:
  // False if the queue was too short for all of it.
  bool start_what_is_due() {
    bool all = true;
    const auto start = [&](bool& in_flight, uring::Queued queued) {
      in_flight = queued.ok();
      all = all && in_flight;
    };
    for (auto at = connections_.begin(); at != connections_.end();) {
      auto& [fd, connection] = *at;
      if (!connection.receiving && !connection.ended && free_buffers_ > 0) {
        start(connection.receiving, group_.recv_multishot(tag(Request::receive, fd), fd, 0));
      }
      // One send at a time: a second would overtake what a short first one leaves.
      if (!connection.sending && !connection.received.empty()) {
        const auto data = group_.get(connection.received.front()).value().subspan(connection.sent);
        start(connection.sending, ring_.send(tag(Request::send, fd), fd, data, 0));
      }
      const bool over = connection.ended && !connection.receiving && connection.received.empty();
      if (over) {
        close(fd);
        descriptors_used_up_ = false;
      }
      at = over ? connections_.erase(at) : std::next(at);
    }
    if (!reading_)
      start(reading_, ring_.read(tag(Request::input, 0), STDIN_FILENO, input_, uring::current_position));
    // After the loop, because it may have closed a connection.
    if (!accepting_ && !descriptors_used_up_) {
      const u64 accepts = tag(Request::accept, listener_);
      start(accepting_, ring_.accept_multishot(accepts, listener_, nullptr, nullptr, SOCK_CLOEXEC));
    }
    return all;
  }

  void note(const Cqe& cqe) {
    const int fd = static_cast<int>(cqe.user_data & 0xffff'ffff);
    switch (static_cast<Request>(cqe.user_data >> 32)) {
      case Request::accept: return accepted(cqe);
      case Request::receive: return received(connections_[fd], cqe);
      case Request::send: return sent(connections_[fd], fd, cqe);
      case Request::input: reading_ = false; stopped_ = cqe.res <= 0;
    }
  }

  void accepted(const Cqe& cqe) {
    accepting_ = goes_on(cqe);
    if (cqe.res >= 0) {
      connections_[cqe.res] = {};
    } else if (cqe.error() == Error::mfile && !connections_.empty()) {
      descriptors_used_up_ = true;  // until a connection is closed
    } else if (cqe.res != -ECONNABORTED) {
      fail("accept", -cqe.res);
    }
  }

  void received(Connection& connection, const Cqe& cqe) {
    connection.receiving = goes_on(cqe);
    if (cqe.res > 0) {
      connection.received.push_back(cqe);
      --free_buffers_;
    } else if (cqe.error() != Error::nobufs) {  // which means: again, when there are buffers
      connection.ended = true;                  // 0: the client has no more to say. An error: it is gone
    }
  }

  void sent(Connection& connection, int fd, const Cqe& cqe) {
    connection.sending = false;
    if (cqe.res >= 0) {
      connection.sent += static_cast<u32>(cqe.res);
      if (connection.sent == static_cast<u32>(connection.received.front().res)) give_back_first(connection);
    } else {
      connection.ended = true;
      shutdown(fd, SHUT_RDWR);  // ends the receive too
      while (!connection.received.empty()) give_back_first(connection);
    }
  }

  void give_back_first(Connection& connection) {
    group_.put(connection.received.front()).value();
    connection.received.pop_front();
    connection.sent = 0;
    ++free_buffers_;
  }

  const int listener_;
  uring::Ring ring_;
  uring::BufferGroup<uring::Ring> group_;
  std::map<int, Connection> connections_;  // by descriptor
  int free_buffers_ = buffer_count;
  std::byte input_[256];  // read for its end, and not looked at
  bool reading_ = false, accepting_ = false, descriptors_used_up_ = false, stopped_ = false;
};

int listen_anywhere() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (fd < 0 || bind(fd, any, size) != 0 || listen(fd, SOMAXCONN) != 0 || getsockname(fd, any, &size) != 0) {
    fail("cannot listen on 127.0.0.1", errno);
  }
  std::printf("%d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  return fd;
}

}  // namespace

int main() { Server(listen_anywhere()).run(); }
