// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// liburing, whichever version's header is included; its library is linked statically.
#include <liburing.h>

#include <sys/uio.h>

#include <cstdlib>

#include "rows.h"

namespace {

using bench::i32, bench::u16, bench::u32, bench::u64;

class Adapter {
 public:
  ~Adapter() {
    if (buffers_ != nullptr) io_uring_unregister_buf_ring(&ring_, bench_group);
    std::free(buffers_);
    if (ring_.ring_fd >= 0) io_uring_queue_exit(&ring_);
  }

  int open(const bench_setup& setup) {
    ring_.ring_fd = -1;
    if (const int error = io_uring_queue_init(bench_ring_entries, &ring_, setup.ring_flags); error < 0)
      return error;
    if (setup.kind == bench_read_fixed) {
      const ::iovec memory{setup.memory, bench_buffers * bench_page};
      if (const int error = io_uring_register_buffers(&ring_, &memory, 1); error < 0) return error;
      if (const int error = io_uring_register_files(&ring_, &setup.file, 1); error < 0) return error;
    }
    return setup.kind == bench_receive ? open_group(setup.memory, bench_buffers, bench_page) : 0;
  }

  void nop(u64 user_data) {
    io_uring_sqe* const sqe = next();
    io_uring_prep_nop(sqe);
    io_uring_sqe_set_data64(sqe, user_data);
  }
  void read(u64 user_data, int fd, unsigned char* to, u32 bytes) {
    io_uring_sqe* const sqe = next();
    io_uring_prep_read(sqe, fd, to, bytes, 0);
    io_uring_sqe_set_data64(sqe, user_data);
  }
  void read_fixed(u64 user_data, unsigned char* to, u32 bytes) {
    io_uring_sqe* const sqe = next();
    io_uring_prep_read_fixed(sqe, 0, to, bytes, 0, 0);
    sqe->flags |= IOSQE_FIXED_FILE;
    io_uring_sqe_set_data64(sqe, user_data);
  }
  void send(u64 user_data, int fd, const unsigned char* from, u32 bytes) {
    io_uring_sqe* const sqe = next();
    io_uring_prep_send(sqe, fd, from, bytes, 0);
    io_uring_sqe_set_data64(sqe, user_data);
  }
  void recv(u64 user_data, int fd, unsigned char* to, u32 bytes) {
    io_uring_sqe* const sqe = next();
    io_uring_prep_recv(sqe, fd, to, bytes, 0);
    io_uring_sqe_set_data64(sqe, user_data);
  }
  void recv_multishot(u64 user_data, int fd) {
    io_uring_sqe* const sqe = next();
    io_uring_prep_recv_multishot(sqe, fd, nullptr, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = bench_group;
    io_uring_sqe_set_data64(sqe, user_data);
  }

  void submit_and_wait(u32 count) {
    if (io_uring_submit_and_wait(&ring_, count) < 0) __builtin_trap();
  }

  template <class Visit>
  u32 take(Visit visit) {
    u32 head, count = 0;
    io_uring_cqe* cqe;
    io_uring_for_each_cqe(&ring_, head, cqe) {
      visit(cqe->user_data, cqe->res, cqe->flags);
      ++count;
    }
    io_uring_cq_advance(&ring_, count);
    return count;
  }

  void put_back(u32 flags, i32 res) {
    if ((flags & IORING_CQE_F_BUFFER) == 0) __builtin_trap();
    const u16 id = static_cast<u16>(flags >> IORING_CQE_BUFFER_SHIFT);
    if (id >= buffer_count_ || res > static_cast<i32>(buffer_size_)) __builtin_trap();
    add(id, 0);
    io_uring_buf_ring_advance(buffers_, 1);
  }

 private:
  io_uring_sqe* next() {
    io_uring_sqe* const sqe = io_uring_get_sqe(&ring_);
    if (sqe == nullptr) __builtin_trap();
    return sqe;
  }

  void add(u16 id, int k) {
    io_uring_buf_ring_add(buffers_, memory_ + std::size_t{id} * buffer_size_, buffer_size_, id,
                          io_uring_buf_ring_mask(buffer_count_), k);
  }

  // By hand: io_uring_setup_buf_ring is newer than the oldest version here.
  int open_group(unsigned char* memory, u32 count, u32 size) {
    memory_ = memory;
    buffer_count_ = count;
    buffer_size_ = size;
    buffers_ = static_cast<io_uring_buf_ring*>(std::aligned_alloc(bench_page, bench_page));
    if (buffers_ == nullptr) return -ENOMEM;
    io_uring_buf_reg reg{};
    reg.ring_addr = reinterpret_cast<u64>(buffers_);
    reg.ring_entries = count;
    reg.bgid = bench_group;
    if (const int error = io_uring_register_buf_ring(&ring_, &reg, 0); error < 0) return error;
    io_uring_buf_ring_init(buffers_);
    for (u32 i = 0; i != count; ++i) add(static_cast<u16>(i), static_cast<int>(i));
    io_uring_buf_ring_advance(buffers_, static_cast<int>(count));
    return 0;
  }

  io_uring ring_;
  io_uring_buf_ring* buffers_ = nullptr;
  unsigned char* memory_ = nullptr;
  u32 buffer_count_ = 0, buffer_size_ = 0;
};

}  // namespace

BENCH_EXPORT(Adapter)
