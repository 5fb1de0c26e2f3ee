// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// cat FILE...: writes files to standard output. Shows the simplest way to use a ring: one request at a time.
// Opening, reading, writing and closing are all requests; the result of each is in its CQE.
//
// Needs OPENAT, READ, WRITE, CLOSE and the file position as an offset (5.6).
// Build: c++ -std=c++20 -I bindings/include bindings/examples/cat.cc -o cat
#include <fcntl.h>
#include <unistd.h>
#include <uring/uring.h>

#include <cstdio>

namespace {
constexpr uring::u64 file_position = ~uring::u64{0};  // pipes and terminals have no offsets
std::byte buffer[64 * 1024];

// Submits the request and waits. Returns what the system call would: a value or a negative error.
int complete(uring::Ring& ring, uring::Queued request) {
  if (!request) return -static_cast<int>(request.error());
  if (const auto submitted = ring.submit(); !submitted) return -static_cast<int>(submitted.error());
  uring::Cqe cqe;
  uring::Result<void> taken = ring.copy_cqe(cqe);
  while (taken == uring::Error::intr) taken = ring.copy_cqe(cqe);  // a signal; the request continues
  return taken ? cqe.res : -static_cast<int>(taken.error());
}

int cat(uring::Ring& ring, const char* path) {
  const int fd = complete(ring, ring.openat(0, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0));
  if (fd < 0) return fd;
  int got, wrote = 0;
  do {
    got = complete(ring, ring.read(0, fd, buffer, file_position));
    for (int done = 0; done < got && wrote >= 0; done += wrote) {  // a write may take less than it was given
      const auto rest = std::span(buffer + done, buffer + got);
      wrote = complete(ring, ring.write(0, STDOUT_FILENO, rest, file_position));
    }
  } while (got > 0 && wrote >= 0);
  const int closed = complete(ring, ring.close(0, fd));
  return got < 0 ? got : wrote < 0 ? wrote : closed;
}

}  // namespace

int main(int argc, char** argv) {
  uring::Ring ring;
  if (const auto opened = ring.init(1); !opened) {
    std::fprintf(stderr, "cat: no ring: %s\n", uring::what(opened.error()).c_str());
    return 1;
  }
  int exit_code = 0;
  for (int i = 1; i < argc; ++i) {
    const int result = cat(ring, argv[i]);
    if (result >= 0) continue;
    std::fprintf(stderr, "cat: %s: %s\n", argv[i], uring::what(static_cast<uring::Error>(-result)).c_str());
    exit_code = 1;
  }
  return exit_code;
}
