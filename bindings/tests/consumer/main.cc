// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// One request, there and back. Exit code 0 if it came back.
#include <uring/std.h>
#include <uring/uring.h>

#if !defined(URING_VERSION) || URING_VERSION < 100  // 0.1.0
#error "the version can be compared in the preprocessor"
#endif
static_assert(URING_VERSION == URING_VERSION_MAJOR * 10000 + URING_VERSION_MINOR * 100 + URING_VERSION_PATCH);

int main() {
  if (std::error_code(uring::Error::noent) != std::errc::no_such_file_or_directory) return 5;
  uring::Ring ring;
  if (!ring.init(1)) return 1;
  ring.nop(42).value();
  if (!ring.submit_and_wait(1)) return 2;
  uring::Cqe cqe;
  if (!ring.copy_cqe(cqe)) return 3;
  return cqe == uring::Cqe{.user_data = 42, .res = 0, .flags = 0} ? 0 : 4;
}
