# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Whether a program can run in a guest, and the part of it that a guest needs, as binutils reports it."""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path

from harness.base import outside
from harness.base.process import run

_REMEDY = "Install binutils (on Debian: apt install binutils)."


def stripped(program: Path) -> bytes:
    """The program without its debug information. A file that is not a program comes back unchanged.

    A guest copies every byte that it is given: 4 MB instead of 47.
    """
    status = program.stat()
    return _stripped(program, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=8)  # per program, not per boot
def _stripped(program: Path, _mtime_ns: int, _size: int) -> bytes:
    contents = outside.read(program, outside.PROGRAM, f"The program {program}", "Build it again.")
    if not contents.startswith(b"\x7fELF"):
        return contents
    with tempfile.TemporaryDirectory(prefix="uring-conformance-") as folder:
        small = Path(folder, "program")
        done = run(["strip", "-o", small, program], remedy=_REMEDY, check=False)
        return (
            contents if done.code else small.read_bytes()
        )  # another architecture, or damaged: the guest will say so


def needs(program: Path) -> str | None:
    """Why the program cannot run by itself, as a clause; None if it is a static program for this architecture."""
    told = run(
        ["readelf", "--wide", "--file-header", "--program-headers", program], remedy=_REMEDY, check=False
    ).output
    if "ELF64" not in told or "X86-64" not in told:
        return "it is not an x86-64 executable"
    return "it is linked to shared libraries" if " INTERP " in told else None
