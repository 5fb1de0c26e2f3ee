// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// Stands in for the C library's resolver in static programs. GoogleTest refers to it for
// --gtest_stream_result_to, so without this every static link warns about getaddrinfo, and carries a resolver
// that needs the C library's shared objects to work. With it that option says that the name cannot be
// resolved.
#include <netdb.h>

extern "C" int getaddrinfo(const char*, const char*, const addrinfo*, addrinfo**) { return EAI_FAIL; }
extern "C" void freeaddrinfo(addrinfo*) {}
