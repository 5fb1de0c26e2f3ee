// What a guest is to run: the plan and its programs, a cpio archive in shared memory.

#pragma once

#include <span>
#include <string>

namespace runner {

// Waits until there is a payload, then puts its files into the file system. Empty on success, else why not.
std::string unpack_payload(std::span<const char> payload);

}  // namespace runner
