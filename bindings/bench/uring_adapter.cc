// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Our binding.
#include <uring/uring.h>

#include <sys/uio.h>

#include "rows.h"

namespace {

using bench::i32, bench::u32, bench::u64;

class Adapter {
 public:
  int open(const bench_setup& setup) {
    if (const auto opened = ring_.init(bench_ring_entries, setup.ring_flags); !opened)
      return code(opened.error());
    if (setup.kind == bench_read_fixed) {
      const ::iovec memory{setup.memory, bench_buffers * bench_page};
      if (const auto done = ring_.register_buffers({&memory, 1}); !done) return code(done.error());
      if (const auto done = ring_.register_files({&setup.file, 1}); !done) return code(done.error());
    }
    if (setup.kind == bench_receive) {
      const std::span memory(reinterpret_cast<std::byte*>(setup.memory), bench_buffers * bench_page);
      const auto made = group_.init(ring_, bench_group, memory, bench_page, uring::Consumption::whole);
      return code(made.error());
    }
    return 0;
  }

  void nop(u64 user_data) { ring_.nop(user_data).value(); }
  void read(u64 user_data, int fd, unsigned char* to, u32 bytes) {
    ring_.read(user_data, fd, {reinterpret_cast<std::byte*>(to), bytes}, 0).value();
  }
  void read_fixed(u64 user_data, unsigned char* to, u32 bytes) {
    ring_.read_fixed(user_data, 0, {reinterpret_cast<std::byte*>(to), bytes}, 0, 0).fixed_file().value();
  }
  void send(u64 user_data, int fd, const unsigned char* from, u32 bytes) {
    ring_.send(user_data, fd, {reinterpret_cast<const std::byte*>(from), bytes}, 0).value();
  }
  void recv(u64 user_data, int fd, unsigned char* to, u32 bytes) {
    ring_.recv(user_data, fd, {reinterpret_cast<std::byte*>(to), bytes}, 0).value();
  }
  void recv_multishot(u64 user_data, int fd) { group_.recv_multishot(user_data, fd, 0).value(); }

  void submit_and_wait(u32 count) { ring_.submit_and_wait(count).value(); }

  template <class Visit>
  u32 take(Visit visit) {
    return ring_.for_each_cqe([&](const uring::Cqe& cqe) { visit(cqe.user_data, cqe.res, cqe.flags); });
  }

  void put_back(u32 flags, i32 res) { group_.put({.user_data = 0, .res = res, .flags = flags}).value(); }

 private:
  static int code(uring::Error error) { return -static_cast<int>(error); }

  uring::Ring ring_;
  uring::BufferGroup<uring::Ring> group_;
};

}  // namespace

BENCH_EXPORT(Adapter)
