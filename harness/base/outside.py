# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Files from outside: only regular ones, only up to a limit, and a sentence about every other.

A device never ends, a pipe keeps its reader waiting, and a file may be larger than the memory of this machine. What the
harness is given by a person, a package, a build or another machine is read here.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from harness.base.errors import HarnessError

MIB, GIB = 1 << 20, 1 << 30
TEXT = 4 * MIB  # a file that a person writes, or a short one of ours
KERNEL = GIB  # an image, packed or unpacked
PROGRAM = GIB  # a binding's, with its debug information

_CHUNK = 1 << 20
_KINDS = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a directory",
}


class Unreadable(HarnessError):
    """A file that cannot be read. `missing`: there is none."""

    def __init__(self, message: str, *, missing: bool = False) -> None:
        super().__init__(message)
        self.missing = missing


def real(path: Path) -> Path:
    """The absolute path without symbolic links. A loop of links stays as it is, for the reader to complain about."""
    return Path(os.path.realpath(path))  # Path.resolve() raises RuntimeError for a loop


def size(count: int) -> str:
    """A limit in words: 1 GiB, 4 MiB."""
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (1 << 10, "KiB")):
        if count >= unit and count % unit == 0:
            return f"{count // unit} {name}"
    return f"{count} bytes"


def chunks(path: Path, limit: int, what: str, remedy: str = "") -> Iterator[bytes]:
    """The contents of a file, piece by piece; Unreadable, which ends with `remedy`, if it is not regular or too large.

    `what` is the file in words, with its path: "The kernel image /boot/vmlinuz".
    """
    try:
        # Opening is enough to change some devices, so look first; and again, because the name may mean another file now.
        _demand_regular(os.stat(path), what, remedy)
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        try:
            status = os.fstat(descriptor)
            _demand_regular(status, what, remedy)
            seen = 0
            while status.st_size <= limit and (data := os.read(descriptor, _CHUNK)):
                seen += len(data)  # files of /proc have more than their size says
                if seen > limit:
                    break
                yield data
            if max(seen, status.st_size) > limit:
                raise Unreadable(_sentence(what, f"it is larger than {size(limit)}, the limit", remedy))
        finally:
            os.close(descriptor)
    except OSError as error:
        raise Unreadable(_sentence(what, _reason(error), remedy), missing=_is_missing(error)) from error
    except ValueError as error:  # a NUL in the name
        raise Unreadable(_sentence(what, f"{error} in its name", remedy), missing=True) from error


def read(path: Path, limit: int, what: str, remedy: str = "") -> bytes:
    """The contents of a file; Unreadable if it is not regular or too large."""
    return b"".join(chunks(path, limit, what, remedy))


def text(path: Path, limit: int, what: str, remedy: str = "") -> str:
    """The contents of a UTF-8 file; Unreadable if it is anything else."""
    try:
        return read(path, limit, what, remedy).decode()
    except UnicodeDecodeError as error:
        reason = f"it is not UTF-8 ({error.reason} at byte {error.start})"
        raise Unreadable(_sentence(what, reason, remedy)) from error


def digest(path: Path, limit: int, what: str, remedy: str = "") -> str:
    """The SHA-256 of a file, in hexadecimal; Unreadable if it is not regular or too large."""
    total = hashlib.sha256()
    for data in chunks(path, limit, what, remedy):
        total.update(data)
    return total.hexdigest()


def demand_regular(path: Path, what: str, remedy: str = "") -> None:
    """Unreadable unless it is a regular file, for a program that will open it instead of us."""
    try:
        _demand_regular(os.stat(path), what, remedy)
    except OSError as error:
        raise Unreadable(_sentence(what, _reason(error), remedy), missing=_is_missing(error)) from error
    except ValueError as error:
        raise Unreadable(_sentence(what, f"{error} in its name", remedy), missing=True) from error


def _demand_regular(status: os.stat_result, what: str, remedy: str) -> None:
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG:
        raise Unreadable(_sentence(what, f"it is {_KINDS.get(kind, 'special')}, not a regular file", remedy))


def _reason(error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return "its symbolic links form a loop"
    if error.errno == errno.EAGAIN:
        return "it has no data yet, and may never have"
    return error.strerror or str(error)


def _is_missing(error: OSError) -> bool:
    return error.errno in (errno.ENOENT, errno.ENOTDIR)


def _sentence(what: str, reason: str, remedy: str) -> str:
    return f"{what} cannot be read: {reason}.{remedy and f' {remedy}'}"
