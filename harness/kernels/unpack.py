# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Unpacks what a kernel is packed in, up to a limit: four kilobytes can unpack to four gigabytes.

Every function returns at most the limit and says so by raising HarnessError, in a few words, when there is more.
"""

from __future__ import annotations

import bz2
import lzma
import os
import subprocess
import zlib
from typing import Protocol

from harness.base.errors import HarnessError
from harness.base.outside import KERNEL, size
from harness.base.words import one_line

_PIECE = 1 << 20
_MEMORY = 1 << 29  # for xz, whose header says how much it takes; kernels are packed with at most 128 MiB


class _Decompressor(Protocol):
    """What the decompressors of zlib, lzma and bz2 have in common."""

    @property
    def eof(self) -> bool:
        ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        ...


def gzip(packed: bytes, limit: int = KERNEL) -> bytes:
    """Unpack the first member of a gzip file."""
    return _unpacked(zlib.decompressobj(31), packed, limit)


def xz(packed: bytes, limit: int = KERNEL) -> bytes:
    """Unpack the first stream of an xz file."""
    return _unpacked(lzma.LZMADecompressor(memlimit=_MEMORY), packed, limit)


def bzip2(packed: bytes, limit: int = KERNEL) -> bytes:
    """Unpack the first stream of a bzip2 file."""
    return _unpacked(bz2.BZ2Decompressor(), packed, limit)


def by(tool: str, packed: bytes, limit: int = KERNEL) -> bytes:
    """Unpack with a program that reads its standard input and writes its standard output: zstd, lz4."""
    with os.fdopen(os.memfd_create("packed"), "w+b") as given, os.fdopen(
        os.memfd_create("errors"), "w+b"
    ) as errors:
        given.write(packed)
        given.seek(0)
        try:
            process = subprocess.Popen([tool, "-dc"], stdin=given, stdout=subprocess.PIPE, stderr=errors)
        except OSError as error:
            raise HarnessError(f"{tool} cannot be started: {error.strerror}. Install {tool}") from error
        with process:
            assert process.stdout is not None
            unpacked = bytearray()
            while data := process.stdout.read(_PIECE):
                unpacked += data
                if len(unpacked) > limit:
                    process.kill()
                    raise _too_large(limit)
        if process.returncode:
            errors.seek(0)
            said = one_line(errors.read(4096).decode(errors="replace"))
            raise HarnessError(f"{tool} cannot unpack it: {said or f'exit code {process.returncode}'}")
    return bytes(unpacked)


def _unpacked(decompressor: _Decompressor, packed: bytes, limit: int) -> bytes:
    try:
        unpacked = decompressor.decompress(packed, limit + 1)
    except (zlib.error, lzma.LZMAError, OSError, EOFError) as error:
        raise HarnessError(f"it cannot be unpacked: {error}") from error
    if len(unpacked) > limit:
        raise _too_large(limit)
    if not decompressor.eof:
        raise HarnessError("it cannot be unpacked: it is cut off")
    return unpacked


def _too_large(limit: int) -> HarnessError:
    return HarnessError(f"it unpacks to more than {size(limit)}, the limit")
