// Memory that QEMU shows to the guest as PCI devices, and that the harness sees, too
// (harness/machines/shared_memory.py): the payload, which is what the guest is to run, and the results, which is what
// it says.
//
// They are no part of the initramfs and of no disk, so that a guest can be kept from before it knows what it
// will run: the harness saves a booted guest that waits for its payload, and starts each run from there
// (harness/machines/snapshot.py).

#pragma once

#include <span>
#include <string>

namespace runner {

// Both stay mapped, as the runner runs until the end. Empty, with the reason in `error`, if there is none.
// There may be no memory for results, which is no error.
std::span<const char> map_payload(std::string& error);
std::span<char> map_results(std::string& error);

}  // namespace runner
