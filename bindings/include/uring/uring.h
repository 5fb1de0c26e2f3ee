// uring: io_uring for C++20, without a C library, an allocation or an exception. Include this.
//
// Three layers, in reading order:
//   1. arch/*.h   one system call instruction per architecture
//   2. syscall.h  the typed system calls, returning the kernel's number; the seam for tests
//   3. ring.h     the ring: queues, operations, registrations
// and beside them the data: abi.h (the kernel's structs and numbers), prep.h (how each operation is written
// into an SQE), result.h (a value or an error in one word), shared.h (every word shared with the kernel, with
// the memory order of each access).
#ifndef URING_URING_H
#define URING_URING_H

#include "abi.h"
#include "prep.h"
#include "result.h"
#include "ring.h"
#include "shared.h"
#include "syscall.h"

#endif
