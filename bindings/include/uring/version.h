// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The binding's version, for programs that must compile with several:
//
//   #if URING_VERSION >= 200  // 0.2.0
//
// Before 1.0 a minor version may change the API.
#ifndef URING_VERSION_H
#define URING_VERSION_H

#define URING_VERSION_MAJOR 0
#define URING_VERSION_MINOR 1
#define URING_VERSION_PATCH 0
#define URING_VERSION (URING_VERSION_MAJOR * 10000 + URING_VERSION_MINOR * 100 + URING_VERSION_PATCH)

#endif
