// The machine the runner is on: what it is, and, where the runner is pid 1, getting it ready and ending it.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "evidence/json.h"

namespace runner {

using conformance::json::Object;

// "what: reason of errno"
std::string because(const std::string& what, int error);

// The beginning of a file of /proc, which the runner reads around every entry: no stream, no locale. Nothing
// if it cannot be read.
std::optional<std::string> read_proc(const std::string& path);

// Mounts what programs expect, brings the loopback interface up, puts the runner first. Returns
// what did not work.
std::vector<std::string> prepare_guest();

// Descriptors 0 to 2 exist, memory may be locked, no core files are written. Returns what did not work.
std::vector<std::string> prepare_process();

// The first line of the stream: which kernel this is and what it has.
Object hello(std::size_t entries);

// Ends a guest at once. Only returns if the kernel refuses.
void power_off();

}  // namespace runner
