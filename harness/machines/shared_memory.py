"""Memory that a guest sees as PCI devices (guest/shared_memory.h): what it is to run, and room for what it says.

A line of the guest costs a few copied bytes there, and an exit to QEMU for each byte on its console. So the console
has only an empty line for each line here; what no longer fits is written to the console itself.

It is no file, so that it neither needs room on a disk nor leaves anything behind.
"""

from __future__ import annotations

import mmap
import os
from types import TracebackType

from harness.base.errors import HarnessError

#: Bytes of each; a power of two, as of every PCI device. Only what is written takes memory.
PAYLOAD_SIZE, RESULTS_SIZE = 64 << 20, 64 << 20
PAYLOAD_SLOT, RESULTS_SLOT = 0x10, 0x11  # on the bus; the guest looks there


class SharedMemory:
    """The harness's end; closed at the end of the block. QEMU must inherit the `descriptors`."""

    def __init__(self, payload: bytes = b"") -> None:
        if len(payload) > PAYLOAD_SIZE:
            raise HarnessError(f"The programs for the guest have {len(payload)} bytes, {PAYLOAD_SIZE} are the limit.")
        self.descriptors = os.memfd_create("payload"), os.memfd_create("results")
        for descriptor, size in zip(self.descriptors, (PAYLOAD_SIZE, RESULTS_SIZE), strict=True):
            os.truncate(descriptor, size)
        with os.fdopen(self.descriptors[0], "wb", closefd=False) as file:
            file.write(payload)
        self._results = mmap.mmap(self.descriptors[1], RESULTS_SIZE, prot=mmap.PROT_READ)
        self._next = 0

    def __enter__(self) -> SharedMemory:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._results.close()
        for descriptor in self.descriptors:
            os.close(descriptor)

    def options(self) -> list[str]:
        """QEMU's options for a guest that boots."""
        payload, results = self.descriptors
        return [
            *_device("payload", payload, PAYLOAD_SIZE, PAYLOAD_SLOT, shared=False),
            *_device("results", results, RESULTS_SIZE, RESULTS_SLOT, shared=True),
        ]

    def options_of_saved(self, *, saving: bool) -> list[str]:
        """QEMU's options for a guest that is saved as it waits for its payload, and for one that goes on from there.

        Shared memory is not saved, but to go on QEMU demands that it has the same place in the guest as before, which
        it cannot know so early of a PCI device. So the payload is shared only while a guest is saved, and memory for
        results, which must be shared, is for guests that boot: here all lines are written to the console.
        """
        return _device("payload", self.descriptors[0], PAYLOAD_SIZE, PAYLOAD_SLOT, shared=saving)

    def next_line(self) -> bytes:
        """The line that was announced. Empty if there is none: who announced it was no runner."""
        begin = self._next
        if self._results[begin : begin + 1] != b"\0":  # memory that nobody has written; no need to search it all
            self._next = self._results.find(b"\n", begin) + 1 or begin
        return self._results[begin : self._next] or b"\n"


def _device(name: str, descriptor: int, size: int, slot: int, *, shared: bool) -> list[str]:
    path, share = f"/proc/self/fd/{descriptor}", "on" if shared else "off"
    backend = f"memory-backend-file,id={name},size={size},share={share},mem-path={path}"
    return ["-object", backend, "-device", f"ivshmem-plain,memdev={name},master=on,addr={slot:#x}"]
