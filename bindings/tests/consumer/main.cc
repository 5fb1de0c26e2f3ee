// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// One request, there and back. Exit code 0 if it came back.
#include <uring/uring.h>

int main() {
  uring::Ring ring;
  if (!ring.init(1)) return 1;
  ring.nop(42).value();
  if (!ring.submit_and_wait(1)) return 2;
  uring::Cqe cqe;
  if (!ring.copy_cqe(cqe)) return 3;
  return cqe == uring::Cqe{.user_data = 42, .res = 0, .flags = 0} ? 0 : 4;
}
