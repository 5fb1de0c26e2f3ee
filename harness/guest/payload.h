// The payload of a guest: the plan and its programs, as a cpio archive in shared memory.

#pragma once

#include <span>
#include <string>

namespace runner {

// Waits until there is a payload, then unpacks its files. Returns an empty string, or the reason why it
// failed.
std::string unpack_payload(std::span<const char> payload);

}  // namespace runner
