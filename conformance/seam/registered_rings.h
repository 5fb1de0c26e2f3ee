// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Rings that are entered through an index in the task's table of registered rings
// (IORING_REGISTER_RING_FDS, 5.18) instead of their descriptor: which ring an index means.
#ifndef CONFORMANCE_SEAM_REGISTERED_RINGS_H
#define CONFORMANCE_SEAM_REGISTERED_RINGS_H

#include <cstdint>

namespace conformance {

// The descriptor of the ring that io_uring_enter(2) with these arguments means; -1 for an index that is not
// registered.
int ring_entered(int fd, std::uint32_t enter_flags);

// Learns from an io_uring_register(2) that succeeded.
void note_registration(std::uint32_t op, const void* arg, long registered);

}  // namespace conformance

#endif
