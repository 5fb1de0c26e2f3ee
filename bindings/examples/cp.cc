// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// cp FROM TO: copies a regular file, several blocks at a time. Shows registered buffers, and linked requests:
// each block is a read, and a write that the kernel starts after the read unless that was short.
//
// Needs links (5.3), and registered buffers (5.1), which count as locked memory (ulimit -l).
// Build: c++ -std=c++20 -I bindings/include bindings/examples/cp.cc -o cp
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <uring/uring.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace {
using uring::u16, uring::u32, uring::u64;

constexpr u32 block_bytes = 64 * 1024;
constexpr u16 blocks_in_flight = 4;

// A part of the file on its way through one registered buffer.
struct Block {
  alignas(4096) std::byte buffer[block_bytes];
  u64 offset, end;  // what is still to be copied
  u32 asked;        // bytes of the pair in flight
  int read, wrote;  // what its two requests returned
  u32 outstanding;  // of the two
};
Block blocks[blocks_in_flight];

[[noreturn]] void fail(const char* what, int error) {
  std::fprintf(stderr, "cp: %s: %s\n", what, uring::what(static_cast<uring::Error>(error)).c_str());
  std::exit(1);
}

void check(uring::Error error, const char* what) {
  if (error != uring::Error::none) fail(what, static_cast<int>(error));
}

// user_data says which request a CQE belongs to: twice the block, plus one for the write.
void queue_pair(uring::Ring& ring, int from, int to, u16 index, u64 bytes) {
  Block& block = blocks[index];
  block.asked = static_cast<u32>(bytes);
  block.outstanding = 2;
  const auto part = std::span(block.buffer).first(block.asked);
  check(ring.reserve(2).error(), "no room for a pair");  // half of one would be the wrong chain
  check(ring.read_fixed(2u * index, from, part, block.offset, index).link().error(), "read");
  check(ring.write_fixed(2u * index + 1, to, part, block.offset, index).error(), "write");
}

void copy(uring::Ring& ring, int from, int to) {
  u64 next = 0;  // where the next block begins
  u32 busy = blocks_in_flight;
  const auto start = [&](u16 index) {
    blocks[index].offset = next;
    blocks[index].end = next += block_bytes;
    queue_pair(ring, from, to, index, block_bytes);
  };
  const auto go_on = [&](u16 index) {
    Block& block = blocks[index];
    if (block.read < 0) fail("read", -block.read);
    if (block.read == 0) return static_cast<void>(--busy);  // past the end of the file, as all later blocks
    // A short read breaks the link: the write was cancelled. Once more, for no more than is there.
    if (u32 got = static_cast<u32>(block.read); got < block.asked)
      return queue_pair(ring, from, to, index, got);
    if (block.wrote < 0) fail("write", -block.wrote);
    block.offset += static_cast<u32>(block.wrote);
    if (block.offset == block.end) return start(index);
    queue_pair(ring, from, to, index, block.end - block.offset);
  };

  for (u16 index = 0; index != blocks_in_flight; ++index) start(index);
  while (busy > 0) {
    const auto submitted = ring.submit_and_wait(1);
    if (submitted != uring::Error::intr) check(submitted.error(), "io_uring_enter");
    ring.for_each_cqe([&](const uring::Cqe& cqe) {
      const u16 index = static_cast<u16>(cqe.user_data / 2);
      (cqe.user_data % 2 == 0 ? blocks[index].read : blocks[index].wrote) = cqe.res;
      if (--blocks[index].outstanding == 0) go_on(index);
    });
  }
}

int open_regular(const char* path, int flags, struct stat& status) {
  const int fd = open(path, flags | O_CLOEXEC, 0666);
  if (fd < 0 || fstat(fd, &status) != 0) fail(path, errno);
  if (!S_ISREG(status.st_mode)) fail(path, S_ISDIR(status.st_mode) ? EISDIR : ESPIPE);
  return fd;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) fail("usage: cp FROM TO", EINVAL);
  struct stat source, target;
  const int from = open_regular(argv[1], O_RDONLY, source);
  const int to = open_regular(argv[2], O_WRONLY | O_CREAT, target);
  if (source.st_dev == target.st_dev && source.st_ino == target.st_ino) fail("the same file twice", EINVAL);
  if (ftruncate(to, 0) != 0) fail(argv[2], errno);

  uring::Ring ring;
  check(ring.init(2 * blocks_in_flight).error(), "no ring");
  iovec buffers[blocks_in_flight];
  for (u16 i = 0; i != blocks_in_flight; ++i) buffers[i] = {blocks[i].buffer, block_bytes};
  check(ring.register_buffers(buffers).error(), "cannot register buffers (see ulimit -l)");
  copy(ring, from, to);
  if (close(to) != 0) fail(argv[2], errno);
}
