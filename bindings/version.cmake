# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

# Sets uring_version from the one place that has it: include/uring/version.h.
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/include/uring/version.h uring_version REGEX "^#define URING_VERSION_(MAJOR|MINOR|PATCH) [0-9]+$")
list(TRANSFORM uring_version REPLACE ".* " "")
list(JOIN uring_version "." uring_version)
