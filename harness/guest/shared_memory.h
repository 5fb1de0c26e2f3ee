// Memory that QEMU shows to the guest as PCI devices and that the harness sees, too
// (harness/machines/shared_memory.py): the payload, which the guest runs, and the results, which it reports.
//
// They are not part of the initramfs or of a disk, so that a guest can be saved before it knows what it will
// run: the harness saves a booted guest that waits for its payload, and starts each run from there
// (harness/machines/snapshot.py).

#pragma once

#include <span>
#include <string>

namespace runner {

// Both stay mapped, because the runner runs until the end. Empty, with the reason in `error`, if mapping
// fails. Memory for results is optional: without it, map_results returns an empty span and no error.
std::span<const char> map_payload(std::string& error);
std::span<char> map_results(std::string& error);

}  // namespace runner
