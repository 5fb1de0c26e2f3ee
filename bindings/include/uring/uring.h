// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// uring: io_uring for C++20, without a C library, an allocation or an exception. Include this.
//
// Three layers, in reading order:
//   1. arch/*.h   one system call instruction per architecture
//   2. syscall.h  the typed system calls, returning the kernel's number; the seam for tests
//   3. ring.h     the ring: its queues; with operations.h, registrations.h and cancel.h, what can be asked of
//                 it
//      buffer_group.h  buffers from which the kernel takes one when data is there
//      recvmsg.h       what a multishot recvmsg put into such a buffer
//      no_ring.h       what can be asked of the kernel without a ring
// and beside them the data: abi.h and abi_register.h (the kernel's structs and numbers), entries.h (the sizes
// of a ring's entries), prep.h (how each operation is written into an SQE), result.h (a value or an error in
// one word), error.h (a name and a sentence for each error), shared.h (every word shared with the kernel,
// with the memory order of each access). For hosted programs there is also std.h, which is not included here.
#ifndef URING_URING_H
#define URING_URING_H

#include "abi.h"
#include "abi_register.h"
#include "abi_zcrx.h"
#include "attachment.h"
#include "buf_ring.h"
#include "buffer_group.h"
#include "cancel.h"
#include "entries.h"
#include "error.h"
#include "no_ring.h"
#include "operations.h"
#include "prep.h"
#include "queued.h"
#include "recvmsg.h"
#include "registrations.h"
#include "result.h"
#include "ring.h"
#include "shared.h"
#include "syscall.h"
#include "version.h"
#include "zcrx.h"

#endif
