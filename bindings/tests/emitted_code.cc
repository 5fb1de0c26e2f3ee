// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// emitted_code_test.py compiles this for each architecture and inspects it: one small function for each place
// where the binding shares memory with the kernel. No test that runs on x86 can detect an order that is too
// weak; the instructions show it.
#include <asm/unistd.h>
#include <uring/uring.h>

static_assert(uring::arch::nr_close == __NR_close);
static_assert(uring::arch::nr_mmap == __NR_mmap);
static_assert(uring::arch::nr_munmap == __NR_munmap);
#ifdef __aarch64__
static_assert(uring::arch::largest_page == 65536);
#else
static_assert(uring::arch::largest_page == 4096);
#endif
static_assert(uring::nr_io_uring_setup == __NR_io_uring_setup);
static_assert(uring::nr_io_uring_enter == __NR_io_uring_enter);
static_assert(uring::nr_io_uring_register == __NR_io_uring_register);

using uring::Ring, uring::Cqe, uring::Sqe, uring::u32, uring::u64;

extern "C" {

u32 flush_sq(Ring& ring) { return ring.flush_sq(); }
u32 sq_ready(const Ring& ring) { return ring.sq_ready(); }
Sqe* get_sqe(Ring& ring) { return ring.get_sqe(); }
bool flush_and_ask(Ring& ring, u32& flags) {
  ring.flush_sq();
  return ring.sq_ring_needs_enter(flags);
}
u32 submit(Ring& ring) { return ring.submit().value(); }
u32 submit_and_wait_timeout(Ring& ring, const uring::Timespec& time) {
  return ring.submit_and_wait_timeout(1, time).value();
}

u32 cq_ready(const Ring& ring) { return ring.cq_ready(); }
void cq_advance(Ring& ring) { ring.cq_advance(3); }
u64 for_each_cqe(Ring& ring) {
  u64 sum = 0;
  ring.for_each_cqe([&sum](const Cqe& cqe) { sum += cqe.user_data; });
  return sum;
}

void buf_ring_init(uring::Buf* buf_ring) { uring::buf_ring_init(buf_ring); }
void buf_ring_advance(uring::Buf* buf_ring) { uring::buf_ring_advance(buf_ring, 1); }
void put(uring::BufferGroup<Ring>& group, const Cqe& cqe) { static_cast<void>(group.put(cqe)); }
void give_back(uring::ZeroCopyReceiver<uring::Ring32>& receiver, const uring::Cqe32& cqe) {
  static_cast<void>(receiver.put(cqe));
}

long syscall6(long number, long a1, long a2, long a3, long a4, long a5, long a6) {
  return uring::arch::syscall6(number, a1, a2, a3, a4, a5, a6);
}

long map_ring(int fd) { return uring::LinuxKernel::map_ring(fd, 4096, 0); }

// The result is the kernel's answer, not an argument that the compiler assumes to be unchanged.
bool close_fails() { return uring::LinuxKernel::close(5) < 0; }

}  // extern "C"
