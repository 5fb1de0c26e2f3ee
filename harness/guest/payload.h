// What a guest is to run: the plan and its programs, in memory that QEMU shows to the guest as a PCI device.
//
// They are no part of the initramfs, so that a guest can be kept from before it knows what it will run: the
// harness saves a booted guest that waits here, and starts each run from there (harness/snapshot.py).

#pragma once

#include <string>

namespace runner {

// Waits until there is a payload, then puts its files into the file system. Empty on success, else why not.
std::string unpack_payload();

}  // namespace runner
