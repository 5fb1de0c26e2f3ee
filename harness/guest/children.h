// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The processes that belong to the runner.

#pragma once

#include <sys/types.h>

#include <chrono>

namespace runner {

// For a process to disappear after SIGKILL.
inline constexpr std::chrono::seconds death_deadline{5};

// Kills whatever the entry left behind. The orphans of a process become our children when it dies (we are
// their subreaper, or pid 1), so this continues until the fork server is the only child. Returns false if one
// of them does not die.
bool sweep(pid_t server);

}  // namespace runner
