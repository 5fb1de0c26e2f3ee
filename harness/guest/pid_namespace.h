// SPDX-FileCopyrightText: 2026 the uring-conformance authors
// SPDX-License-Identifier: MIT

// A PID namespace for the programs that run on the host, of which nothing can be left, whatever they do: they
// see no process but their own, and when its first process ends, the kernel ends all others.

#pragma once

#include <functional>
#include <optional>

namespace runner {

// Runs `work` as the first process of a new PID namespace, with a /proc of its own, and returns its exit
// code. Signals that tell us to stop are passed on to it, and are pending afterwards. Empty if this machine
// does not allow it, which takes CAP_SYS_ADMIN: then nothing has run. Signals must be blocked (see
// process.h).
std::optional<int> in_pid_namespace(const std::function<int()>& work);

}  // namespace runner
