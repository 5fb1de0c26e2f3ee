// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// to a worker at once: with IOSQE_ASYNC a request is not tried first but given to a worker thread, for what
// is known to block. It has the same result.
//
// Needs IOSQE_ASYNC (5.6, io_uring_enter(2)). Before, an unknown flag is refused.

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "fixture/sockets.h"

namespace {

using namespace conformance;

class Async : public RingTest<8> {
 protected:
  Fd zero = open_file("/dev/zero", O_RDONLY);
  SocketPair pair;
  std::array<std::byte, 8> buffer{};

  // The opcode of READ is of the same release as the flag.
  binding::Result<binding::Sqe&> queue_read(std::uint64_t user_data, int fd) {
    auto queued = ring.read(user_data, fd, buffer, 0);
    if (queued.ok()) queued.value().flags |= wire::io_async;
    return queued;
  }
  wire::Sqe wanted_read(std::uint64_t user_data, int fd) const {
    return {.opcode = wire::op::read,
            .flags = wire::io_async,
            .fd = fd,
            .addr = wire::address(buffer.data()),
            .len = 8,
            .user_data = user_data};
  }
  std::string witness() {
    return refused([&] { return queue_read(1, zero.get()); }, wanted_read(1, zero.get()), [] { return ""; });
  }
  static wire::Cqe done(std::uint64_t user_data, std::int32_t res) {
    return {.user_data = user_data, .res = res, .flags = 0};
  }
};

// The names of the workers among the threads of the process. Each has the number of the thread that it works
// for.
std::set<std::string> workers() {
  std::set<std::string> found;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::ifstream(task.path() / "comm") >> name;
    if (name.starts_with("iou-wrk-")) found.insert(name);
  }
  return found;
}

// Workers are threads of the process since 5.12 (IORING_FEAT_NATIVE_WORKERS). Here it is a thread of its own
// that submits, so that its worker has a name that is new.
TEST_F(Async, IsDoneByAWorker) {
  if (!kernel_has(wire::op::read)) GTEST_SKIP() << witness();
  const bool can_tell = kernel_has(wire::feature::native_workers);
  OpenRing own(2, 0);
  std::thread([can_tell, &own] {
    const std::set<std::string> others = workers();
    for (const std::uint8_t flags : {std::uint8_t{0}, wire::io_async}) {
      auto queued = own.nop(1);
      ASSERT_TRUE(queued.ok());
      queued.value().flags = flags;
      EXPECT_EQ(wire_of(queued.value()),
                (wire::Sqe{.opcode = wire::op::nop, .flags = flags, .user_data = 1}));
      EXPECT_EQ(own.submit(), 1u);
      binding::Cqe cqe{};
      EXPECT_TRUE(own.copy_cqe(cqe).ok());
      EXPECT_EQ(wire_of(cqe), done(1, 0));
      const std::set<std::string> now = workers();
      const bool is_async = flags != 0 || configuration().begins_later();
      EXPECT_EQ(!std::ranges::includes(others, now), can_tell && is_async);
    }
  }).join();
}

TEST_F(Async, HasTheSameResult) {
  if (!kernel_has(wire::op::read)) GTEST_SKIP() << witness();
  buffer.fill(std::byte{1});
  EXPECT_EQ(wire_of(must(queue_read(1, zero.get()))), wanted_read(1, zero.get()));
  EXPECT_EQ(complete(), done(1, 8));
  EXPECT_EQ(buffer, (std::array<std::byte, 8>{}));
}

// So has a request that has to wait.
TEST_F(Async, WaitsForItsFile) {
  if (!kernel_has(wire::op::read)) GTEST_SKIP() << witness();
  must(queue_read(1, pair.ours.get()));
  submit(1);
  pair.send("abcd");
  EXPECT_EQ(wait_cqe(), done(1, 4));
}

// A cancellation ends it, or says EALREADY: the worker is at it, and whether it notices is not said. If not,
// it goes on as if nothing had been.
TEST_F(Async, IsCancelledOrGoesOn) {
  if (!kernel_has(wire::op::read)) GTEST_SKIP() << witness();
  must(queue_read(1, pair.ours.get()));
  submit(1);
  must(ring.cancel(2, 1, 0));
  submit(1);
  wire::Cqe first = wait_cqe(), cancel = first, target = first;
  if (first.user_data == 1) cancel = wait_cqe();
  pair.send("a");
  if (first.user_data == 2) target = wait_cqe();
  if (cancel == done(2, 0)) {
    EXPECT_EQ(target, done(1, -ECANCELED));
  } else {
    EXPECT_EQ(cancel, done(2, -EALREADY));
    expect_one_of(Site::here(), "the READ", target, {done(1, -ECANCELED), done(1, -EINTR), done(1, 1)});
  }
}

// 6.8: a descriptor is made for the process, whoever does it.
TEST_F(Async, MakesADescriptor) {
  if (!kernel_has(wire::op::read)) GTEST_SKIP() << witness();
  must(ring.register_files(std::array{zero.get()}));
  must(ring.fixed_fd_install(1, binding::Slot{0}, 0)).flags |= wire::io_async;
  const wire::Cqe cqe = complete();
  if (!kernel_has(wire::op::fixed_fd_install)) {
    EXPECT_EQ(cqe, done(1, -EINVAL));
  } else {
    const Fd made = new_descriptor(cqe, {.user_data = 1}, S_IFCHR);
  }
}

}  // namespace
