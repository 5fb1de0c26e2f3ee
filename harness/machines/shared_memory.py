# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Memory that a guest sees as PCI devices (guest/shared_memory.h): its payload, and room for its results.

Writing a line here costs the guest a few copied bytes; on its console every byte costs an exit to QEMU. So the console
only has an empty line for each line here. Lines that no longer fit are written to the console itself.

It is not a file, so it needs no disk space and leaves nothing behind.
"""

from __future__ import annotations

import mmap
import os
from types import TracebackType

from harness.base.errors import HarnessError

#: Sizes in bytes: powers of two, as for every PCI device. Only the pages that are written take memory.
PAYLOAD_SIZE, RESULTS_SIZE = 64 << 20, 64 << 20
PAYLOAD_SLOT, RESULTS_SLOT = 0x10, 0x11  # on the bus, where the guest looks for them


class SharedMemory:
    """The harness's end, closed at the end of the block. QEMU must inherit the `descriptors`."""

    def __init__(self, payload: bytes = b"") -> None:
        if len(payload) > PAYLOAD_SIZE:
            raise HarnessError(
                f"The programs for the guest have {len(payload)} bytes, but the limit is {PAYLOAD_SIZE}."
            )
        self.descriptors: tuple[int, ...] = ()
        try:
            for name, size in (("payload", PAYLOAD_SIZE), ("results", RESULTS_SIZE)):
                self.descriptors += (os.memfd_create(name),)
                os.truncate(self.descriptors[-1], size)
            with os.fdopen(self.descriptors[0], "wb", closefd=False) as file:
                file.write(payload)
            self._results = mmap.mmap(self.descriptors[1], RESULTS_SIZE, prot=mmap.PROT_READ)
        except OSError as error:
            self._close()
            raise HarnessError(
                f"The memory that a guest shares with us cannot be made: {error.strerror}. It needs files of "
                f"{PAYLOAD_SIZE >> 20} MiB: check the limits of this shell (ulimit -f, -n and -v)."
            ) from error
        self._next = 0

    def __enter__(self) -> SharedMemory:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._results.close()
        self._close()

    def _close(self) -> None:
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
        """QEMU's options for a guest that is saved while it waits for its payload, and for one that continues from there.

        Shared memory is not saved, but to continue, QEMU demands that it has the same address in the guest as before,
        which it cannot know that early for a PCI device. So the payload is shared only while a guest is saved. Memory
        for results must be shared, so only guests that boot have it: here all lines are written to the console.
        """
        return _device("payload", self.descriptors[0], PAYLOAD_SIZE, PAYLOAD_SLOT, shared=saving)

    def next_line(self) -> bytes:
        """The announced line. Empty if there is none: then the announcement did not come from the runner."""
        begin = self._next
        if self._results[begin : begin + 1] != b"\0":  # not yet written, so no need to search it all
            self._next = self._results.find(b"\n", begin) + 1 or begin
        return self._results[begin : self._next] or b"\n"


def _device(name: str, descriptor: int, size: int, slot: int, *, shared: bool) -> list[str]:
    path, share = f"/proc/self/fd/{descriptor}", "on" if shared else "off"
    backend = f"memory-backend-file,id={name},size={size},share={share},mem-path={path}"
    return ["-object", backend, "-device", f"ivshmem-plain,memdev={name},master=on,addr={slot:#x}"]
