// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

#include "seam/registered_rings.h"

#include <map>
#include <span>

#include "seam/kernel_abi.h"

namespace conformance {
namespace {

std::map<int, int>& descriptors_by_index() {
  static std::map<int, int> descriptors;
  return descriptors;
}

}  // namespace

int ring_entered(int fd, std::uint32_t enter_flags) {
  if ((enter_flags & wire::enter_registered_ring) == 0) return fd;
  const auto found = descriptors_by_index().find(fd);
  return found != descriptors_by_index().end() ? found->second : -1;
}

void note_registration(std::uint32_t op, const void* arg, long registered) {
  if (op != wire::register_op::ring_fds && op != wire::register_op::unregister_ring_fds) return;
  const std::span updates(static_cast<const wire::RsrcUpdate*>(arg), static_cast<std::size_t>(registered));
  for (const wire::RsrcUpdate& update : updates) {
    const auto index = static_cast<int>(update.offset);
    if (op == wire::register_op::ring_fds) {
      descriptors_by_index()[index] = static_cast<int>(update.data);
    } else {
      descriptors_by_index().erase(index);
    }
  }
}

}  // namespace conformance
