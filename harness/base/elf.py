"""What a guest needs of a program, and whether the program runs there at all. Told by binutils, which know every architecture."""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path

from harness.base.process import run

_REMEDY = "Install binutils (on Debian: apt install binutils)."


def stripped(program: Path) -> bytes:
    """The program without what is only for a debugger, nine tenths of it; anything that is not a program as it is.

    A guest copies every byte that it is given: 4 MB, not 47.
    """
    status = program.stat()
    return _stripped(program, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=8)  # per program, not per boot
def _stripped(program: Path, _mtime_ns: int, _size: int) -> bytes:
    with program.open("rb") as file:
        if file.read(4) != b"\x7fELF":
            return program.read_bytes()
    with tempfile.TemporaryDirectory(prefix="uring-conformance-") as folder:
        small = Path(folder, "program")
        done = run(["strip", "-o", small, program], remedy=_REMEDY, check=False)
        return (program if done.code else small).read_bytes()  # of another architecture, or damaged: the guest will say


def needs(program: Path) -> str | None:
    """What else the program needs to run, as a clause; None if it is a static program for this architecture."""
    told = run(["readelf", "--wide", "--file-header", "--program-headers", program], remedy=_REMEDY, check=False).output
    if "ELF64" not in told or "X86-64" not in told:
        return "it is not an x86-64 executable"
    return "it is linked to shared libraries" if " INTERP " in told else None
