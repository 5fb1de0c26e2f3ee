// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// The processes that belong to the runner, and the only ones that it ever signals.
//
// A process that is our child and that we have not waited for keeps its number, because nobody else can reap
// it. So whatever says that a number is ours (a program under test, or a list of /proc that is a moment old),
// the kernel is asked before the number is used.

#pragma once

#include <sys/types.h>

#include <chrono>

namespace runner {

// For a process to disappear after SIGKILL.
inline constexpr std::chrono::seconds death_deadline{5};

// Whether this is a child of ours, running or dead, that we have not waited for. Never true of 0, of a
// negative number, of ourselves or of our parent.
bool is_child(pid_t pid);

// Sends SIGKILL if it is a child of ours.
void kill_child(pid_t pid);

// Sends SIGKILL to its process group if it is a child of ours that leads one: that group is its own work. It
// may be dead already.
void kill_group_of(pid_t pid);

// Whether the process has children. For a process of ours.
bool has_children(pid_t pid);

// Kills whatever the entry left behind. The orphans of a process become our children when it dies (we are
// their subreaper, or pid 1), so this continues until the fork server is the only child. Returns false if one
// of them does not die.
bool sweep(pid_t server);

}  // namespace runner
