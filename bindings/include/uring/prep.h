// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Writing SQEs. Each prepare function writes all 64 bytes, so an entry never inherits anything from the
// request that used its slot before; set Sqe::flags (a link, a fixed file) after it, not before. (Of an SQE
// of 128 bytes they write the first 64, which are all that the kernel looks at; the ring's methods clear the
// rest, and set_command writes it.)
//
//   prep_file.h     files: reading, writing, opening, names, attributes, advice, splicing, pipes
//   prep_socket.h   sockets: sending, receiving, accepting, connecting, options
//   prep_command.h  commands to drivers
//   prep_control.h  the rest: polls, timeouts, cancellation, registered files and buffers, messages between
//                   rings, futexes, children
//
// Memory named by an SQE (buffers, paths, iovecs, addresses) must stay valid until the request has been
// submitted, and data buffers until its CQE has arrived. Before feat_submit_stable (5.5) everything must stay
// valid until the CQE has arrived.
//
// Each function names the first Linux release with the operation ("Since Linux 5.6."; a number in parentheses
// is the first release with the flag or detail before it); a kernel without the operation completes the
// request with -EINVAL (5.4: -EBADF when the descriptor is not an open one). A flag or field that is newer
// than its operation is refused with -EINVAL too where a kernel checks for it; where old kernels ignore it
// instead, the function says so.
//
// A CQE's res is a negative errno, or what the function names after "Completes with"; 0 where it names
// nothing.
#ifndef URING_PREP_H
#define URING_PREP_H

#include "prep_command.h"
#include "prep_control.h"
#include "prep_file.h"
#include "prep_socket.h"

#endif
