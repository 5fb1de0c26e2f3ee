// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// life of a ring: what a request keeps, and what the end of a ring, of a descriptor or of a process does to
// it. A program that forks, reuses its memory or closes in the wrong order relies on these.
//
// Needs RECV (5.6, io_uring_enter(2)). IORING_FEAT_SUBMIT_STABLE is 5.5, IORING_FEAT_FAST_POLL 5.7.

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "fixture/child.h"
#include "fixture/memory_limit.h"
#include "fixture/sockets.h"
#include "seam/kernel_abi.h"

namespace {

using namespace conformance;

class RingLifetime : public AnySocketTest {
 protected:
  RingLifetime() : AnySocketTest(8, 0) {}

  SocketPair sockets;
  std::array<char, 8> buffer{};

  binding::Result<binding::Sqe&> queue() {
    return ring.recv(1, sockets.ours.get(), std::as_writable_bytes(std::span(buffer)), 0);
  }
  wire::Sqe wanted() const {
    return {.opcode = wire::op::recv,
            .fd = sockets.ours.get(),
            .addr = wire::address(buffer.data()),
            .len = 8,
            .user_data = 1};
  }
  std::string witness() {
    return refused([&] { return queue(); }, wanted(), [] { return ""; });
  }
  static wire::Cqe done(std::uint64_t user_data, std::int32_t res = 0) {
    return {.user_data = user_data, .res = res, .flags = 0};
  }
  std::string text() const { return {buffer.data(), 3}; }

  // Waits until the other end is gone. The kernel lets go of a ring's requests when it gets round to it.
  static void expect_end(int fd, Site site = Site::here()) {
    char byte;
    EXPECT_EQ_AT(site, read(fd, &byte, 1), 0);
  }
  // What the kernel tells of the ring, line by line. While it is busy with it (SQPOLL) it tells nothing.
  std::map<std::string, std::string> told() const {
    std::map<std::string, std::string> lines;
    for (; !lines.contains("UserFiles"); std::this_thread::sleep_for(std::chrono::milliseconds(1))) {
      std::ifstream file("/proc/self/fdinfo/" + std::to_string(ring.fd()));
      for (std::string line; std::getline(file, line);) {
        const std::size_t colon = line.find(':');
        if (colon == std::string::npos) continue;
        const std::size_t value = line.find_first_not_of(" \t", colon + 1);
        lines.emplace(line.substr(0, colon), value == std::string::npos ? "" : line.substr(value));
      }
    }
    return lines;
  }
  std::uint32_t word(std::uint32_t offset) const {
    return __atomic_load_n(
        reinterpret_cast<const std::uint32_t*>(wire_log().rings().at(ring.fd()).rings + offset),
        __ATOMIC_ACQUIRE);
  }
};

// A ring's memory is shared with a child, and so is its descriptor. On a ring with one submitter, or with an
// index of the parent's, it is not; so this one is an ordinary ring.
TEST_F(RingLifetime, IsSharedWithAChild) {
  if (!kernel_has(wire::op::recv)) GTEST_SKIP() << witness();
  reopen(0);
  const int submitted = in_a_child([&] {
    must(ring.nop(1));
    const auto result = ring.submit();
    return result.ok() ? static_cast<int>(result.value()) : 100;
  });
  EXPECT_EQ(submitted, 1);
  EXPECT_EQ(wait_cqe(), done(1));
}

// A request holds the file, whatever becomes of the descriptor.
TEST_F(RingLifetime, KeepsTheFileOfARequest) {
  if (!kernel_has(wire::op::recv)) GTEST_SKIP() << witness();
  EXPECT_EQ(wire_of(must(queue())), wanted());
  submit(1);
  sockets.ours = Fd();
  EXPECT_EQ(cqes_before_nop(2), (Cqes{done(2)}));
  sockets.send("abc");
  EXPECT_EQ(wait_cqe(), done(1, 3));
  EXPECT_EQ(text(), "abc");
}

// It waits without a thread: files say when they are ready (IORING_FEAT_FAST_POLL). With IOSQE_ASYNC it has
// one.
TEST_F(RingLifetime, NeedsNoThreadForARequestThatWaits) {
  if (!kernel_has(wire::op::recv)) GTEST_SKIP() << witness();
  const auto workers = [] {
    int count = 0;  // those of requests before may still be there
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
      std::string name;
      std::ifstream(task.path() / "comm") >> name;
      count += name.starts_with("iou-wrk-") ? 1 : 0;
    }
    return count;
  };
  const int before = workers();
  must(queue());
  submit(1);
  EXPECT_EQ(cqes_before_nop(2), (Cqes{done(2)}));
  if (!configuration().begins_later()) {
    EXPECT_LE(workers(), before);
  }
  EXPECT_TRUE(kernel_has(wire::feature::fast_poll));
  sockets.send("abc");
  EXPECT_EQ(wait_cqe(), done(1, 3));
}

// What an SQE points to has been read when it was submitted (IORING_FEAT_SUBMIT_STABLE). Only the memory that
// data goes to or comes from must stay.
TEST_F(RingLifetime, KeepsTheArgumentsOfARequest) {
  if (!kernel_has(wire::op::recv)) GTEST_SKIP() << witness();
  iovec vector{.iov_base = buffer.data(), .iov_len = 3};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  binding::Timespec soon{.tv_sec = 0, .tv_nsec = 10'000'000};
  must(ring.recvmsg(1, sockets.ours.get(), &message, 0));
  must(ring.timeout(2, &soon, 0, 0));
  submit(2);
  std::memset(&vector, 0xff, sizeof vector);
  std::memset(&message, 0xff, sizeof message);
  soon = {.tv_sec = 3600, .tv_nsec = 0};
  EXPECT_EQ(wait_cqe(), done(2, -ETIME));
  sockets.send("abc");
  EXPECT_EQ(without_nonempty(wait_cqe()), done(1, 3));
  EXPECT_EQ(text(), "abc");
  EXPECT_TRUE((ring.features() & wire::feat_submit_stable) != 0);
}

// Also of one that has not begun, because it waits for another of its chain.
TEST_F(RingLifetime, KeepsTheArgumentsOfAChain) {
  if (!kernel_has(wire::op::recv)) GTEST_SKIP() << witness();
  const Fd listener = tcp_listener(), client = tcp_socket();
  sockaddr_in address = loopback(port_of(listener.get()));
  const Pipe pipe;
  std::array<char, 4> read_from_pipe{};
  iovec vector{.iov_base = read_from_pipe.data(), .iov_len = read_from_pipe.size()};
  pipe.write("wxyz");
  must(queue()).flags |= wire::io_link;
  must(ring.connect(2, client.get(), generic(address), sizeof address)).flags |= wire::io_link;
  must(ring.readv(3, pipe.reader.get(), {&vector, 1}, 0));
  submit(3);
  std::memset(&address, 0xff, sizeof address);
  std::memset(&vector, 0xff, sizeof vector);
  EXPECT_EQ(ring.cq_ready(), 0u);
  sockets.send("abcdefgh");  // all that was asked for: less would end the chain
  EXPECT_EQ(without_nonempty(wait_cqe()), done(1, 8));
  EXPECT_EQ(wait_cqes(2), (Cqes{done(2), done(3, 4)}));
  EXPECT_EQ(std::string(read_from_pipe.data(), 4), "wxyz");
}

// A ring that is closed cancels what is in flight, some time later, and lets go of the files.
TEST_F(RingLifetime, EndsTheRequestsOfAClosedRing) {
  if (!kernel_has(wire::op::recv)) GTEST_SKIP() << witness();
  SocketPair polled;
  must(queue());
  if (kernel_has(wire::feature::rsrc_tags)) {  // 5.13
    must(ring.poll_multishot(2, polled.ours.get(), POLLIN));
  } else {
    must(ring.poll_add(2, polled.ours.get(), POLLIN));
  }
  submit(2);
  EXPECT_EQ(cqes_before_nop(3), (Cqes{done(3)}));
  sockets.ours = Fd();
  polled.ours = Fd();
  ring.close();
  expect_end(sockets.peer.get());
  expect_end(polled.peer.get());
}

// So does the end of a process.
TEST_F(RingLifetime, EndsTheRequestsOfAProcessThatExits) {
  if (!kernel_has(wire::op::recv)) GTEST_SKIP() << witness();
  const int outcome = in_a_child([&] {
    binding::Ring own;
    const auto opened = when_there_is_room([&] { return own.init(8); });
    if (!opened.ok()) return 1;
    must(own.recv(1, sockets.ours.get(), std::as_writable_bytes(std::span(buffer)), 0));
    must(own.poll_add(2, sockets.ours.get(), POLLIN));
    _exit(own.submit() == 2u && own.cq_ready() == 0 ? 0 : 2);  // without closing it
  });
  EXPECT_EQ(outcome, 0);
  sockets.ours = Fd();
  expect_end(sockets.peer.get());
}

// The kernel tells of a ring in /proc, from release to release more. Each line that is there is right.
TEST_F(RingLifetime, IsToldOfInProc) {
  if (!kernel_has(wire::op::recv)) GTEST_SKIP() << witness();
  register_empty_slots(2);
  const iovec part{.iov_base = buffer.data(), .iov_len = buffer.size()};
  must(when_there_is_room([&] { return ring.register_buffers({&part, 1}); }));
  for (const std::uint64_t user_data : {1, 2, 3}) must(ring.nop(user_data));
  submit(3);
  EXPECT_EQ(wait_cqe(), done(1));
  EXPECT_EQ(cqes_before_nop(4), (Cqes{done(2), done(3), done(4)}));
  must(ring.nop(5));
  submit(1);
  auto lines = told();
  EXPECT_EQ(lines["UserFiles"], "2");
  EXPECT_EQ(lines["UserBufs"], "1");
  const wire::Params& params = wire_log().rings().at(ring.fd()).params;
  const std::array<std::pair<const char*, std::uint32_t>, 4> positions{{
      {"SqHead", params.sq_off.head},
      {"SqTail", params.sq_off.tail},
      {"CqHead", params.cq_off.head},
      {"CqTail", params.cq_off.tail},
  }};
  const bool tells_positions = kernel_has(wire::op::msg_ring);  // 5.16
  for (const auto& [name, offset] : positions) {
    EXPECT_TRUE(lines.contains(name) || !tells_positions) << name;
    if (lines.contains(name)) {
      EXPECT_EQ(lines[name], std::to_string(word(offset))) << name;
    }
  }
  EXPECT_EQ(wait_cqe(), done(5));
}

// No request closes the ring that it is on.
TEST_F(RingLifetime, IsNotClosedByARequest) {
  if (!kernel_has(wire::op::recv)) GTEST_SKIP() << witness();
  must(ring.close(1, ring.fd()));
  EXPECT_EQ(complete(), done(1, -EBADF));
  EXPECT_EQ(cqes_before_nop(2), (Cqes{done(2)}));
}

}  // namespace
