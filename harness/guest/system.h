// The machine that the runner is on: describes it and, where the runner is pid 1, sets it up and ends it.

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

// The first 4 KiB of a file in /proc. Uses neither streams nor locales, because the runner does this around
// every entry. Empty if the file cannot be read.
std::optional<std::string> read_proc(const std::string& path);

// Mounts the file systems that programs expect, brings up the loopback interface, raises the runner's
// priority. Returns the problems.
std::vector<std::string> prepare_guest();

// Opens descriptors 0 to 2 if they are closed, allows locked memory, turns off core files. Returns the
// problems.
std::vector<std::string> prepare_process();

// The first line of the stream: which kernel and machine this is.
Object hello(std::size_t entries);

// Ends a guest at once. Only returns if the kernel refuses.
void power_off();

}  // namespace runner
