// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// What the measuring programs and the bindings agree on. Each binding is compiled into a shared object of its
// own, from rows.h and an adapter (C++) or from a crate with the same rows (Rust), and exports three
// functions. A call of bench_run is thousands of requests long, so that the call itself costs nothing.
#ifndef BINDINGS_BENCH_PLUGIN_H
#define BINDINGS_BENCH_PLUGIN_H

#include <cstdint>

#pragma GCC visibility push(default)
extern "C" {

// What a row does, once for each operation. Rust knows these numbers too.
enum bench_kind : std::uint32_t {
  bench_nop = 0,
  bench_read = 1,        // a page that is in the page cache
  bench_read_fixed = 2,  // the same, of a registered file into a registered buffer
  bench_ping_pong = 3,   // a message to the other end of a socket pair, received there; then one back
  bench_receive = 4,     // a message to the other end, where a multishot receive takes it into a buffer group
};

// A row's surroundings, made by the program, so that they are the same for every binding. Stays until
// bench_close.
struct bench_setup {
  std::uint32_t kind;
  std::uint32_t batch;       // operations per submit, at most bench_max_batch
  std::uint32_t ring_flags;  // IORING_SETUP_*
  std::int32_t file;
  std::int32_t sockets[2];  // sequenced packets: a message is received whole, and in one CQE
  unsigned char* memory;    // bench_buffers pages, for what is read, received or sent
};

constexpr std::uint32_t bench_ring_entries = 64;
constexpr std::uint32_t bench_max_batch = 32;
constexpr std::uint32_t bench_buffers = 64;  // of the buffer group: a receive without a buffer would end
constexpr std::uint32_t bench_page = 4096;   // the size of a read and of a buffer
constexpr std::uint32_t bench_message = 64;  // the size of a message
constexpr std::uint16_t bench_group = 1;     // the id of the buffer group

// Opens the ring, and registers what the row needs. 0, or a negative errno.
int bench_open(const bench_setup* setup, void** bench);

// `rounds` times: queues a batch, submits it and waits, takes what has completed and checks it. Returns the
// number of results that were wrong, lost or duplicated.
std::uint64_t bench_run(void* bench, std::uint64_t rounds);

void bench_close(void* bench);
}
#pragma GCC visibility pop

#endif
