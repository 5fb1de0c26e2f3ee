# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The cache of everything that is fetched or computed only once: blobs by SHA-256 and small facts by name.

Layout below the root: blobs/<sha256>, facts/<name>.json, locks/<name>, and the working directories of apt.py and
tree.py, apt/ and builds/. A blob or fact appears under its final name complete or not at all (temporary file beside it,
fsync, rename), so a killed run leaves nothing that a later one could mistake for an answer. `lock` keeps concurrent runs
apart.
"""

from __future__ import annotations

import errno
import fcntl
import glob
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from harness.base import json_input, outside
from harness.base.errors import HarnessError
from harness.base.names import is_digest, is_file_name
from harness.base.output import say
from harness.base.words import one_line

Notice = Callable[[str], None]  # takes one sentence that a person should read

_ADVICE = "Check its owner and permissions, or set XDG_CACHE_HOME to a directory of your own."
SILENT_S = 1.0  # a shorter wait is not worth a word
_FULL = (errno.ENOSPC, errno.EDQUOT)
_CHUNK = 1 << 20


def default_root() -> Path:
    """$XDG_CACHE_HOME/uring-conformance, by default below ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(base):  # the XDG specification says: ignore a relative one
        return Path(base, "uring-conformance")
    try:
        return Path.home() / ".cache" / "uring-conformance"
    except RuntimeError as error:
        raise HarnessError(f"The cache has no directory: {error}. Set XDG_CACHE_HOME to one.") from error


def _to_stderr(text: str) -> None:
    say(text, error=True)


class Cache:
    """The content-addressed cache in one directory, which is created when it is first needed."""

    def __init__(self, root: Path | None = None, notice: Notice = _to_stderr) -> None:
        """`notice` is told who is waited for, unless the one who waits has a better place to say so."""
        self.root = root.absolute() if root is not None else default_root()
        self._notice = notice

    def directory(self, name: str) -> Path:
        """A directory inside the cache, created if missing."""
        path = self.root / name
        with explained(path):
            path.mkdir(parents=True, exist_ok=True)
        return path

    @contextmanager
    def lock(self, name: str, notice: Notice | None = None, *, shared: bool = False) -> Iterator[None]:
        """Hold the named lock against every other thread and process that uses this cache.

        `shared`: others may hold it at the same time, if they hold it shared, too. `notice` is told if that takes long.
        """
        path = self.directory("locks") / _file_name(name)
        how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        with explained(path):
            handle = lock_file(path)
        with handle:
            if not _locked_soon(handle, how):
                (notice or self._notice)(f"Waiting for {_holder(handle)}, which holds {path}.")
                fcntl.flock(handle, how)
            yield  # closing the file releases the lock; so does the kernel when this process is killed

    @contextmanager
    def used(self) -> Iterator[None]:
        """While this is held, nothing may be removed from the cache. Every run holds it from start to end."""
        with self.lock("use", shared=True):
            yield

    @contextmanager
    def unused(self) -> Iterator[None]:
        """While this is held, new runs wait; HarnessError if a run is under way."""
        path = self.directory("locks") / "use"
        with explained(path):
            handle = lock_file(path)
        with handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise HarnessError(
                    f"A run is using the cache in {self.root} ({_holder(handle)}): nothing was removed. Wait until it "
                    "ends, or stop it."
                ) from error
            yield

    def put(self, source: IO[bytes]) -> str:
        """Store the contents of `source` and return their SHA-256."""
        digest = hashlib.sha256()
        with _new_file(self.directory("blobs")) as (target, move_to):
            while chunk := source.read(_CHUNK):
                digest.update(chunk)
                target.write(chunk)
            move_to(digest.hexdigest())
        return digest.hexdigest()

    def blob(self, sha256: str) -> Path | None:
        """The file with this digest, or None. A damaged one is removed, so the caller creates it again."""
        if not is_digest(sha256):
            return None  # and no name of a file to remove, either
        path = self.root / "blobs" / sha256
        try:
            if sha256_of(path) == sha256:
                return path
            path.unlink(missing_ok=True)  # another run may have found the same damage first
        except outside.Unreadable as error:
            if not error.missing:
                raise
        return None

    def put_fact(self, name: str, fact: dict[str, Any]) -> None:
        """Store a small JSON object under a name, replacing the earlier one."""
        with _new_file(self.directory("facts")) as (target, move_to):
            target.write(json.dumps(fact, indent=1).encode())
            move_to(f"{_file_name(name)}.json")

    def fact(self, name: str, **shape: type) -> dict[str, Any] | None:
        """The fact of that name; None if it is missing, damaged, or without a value of the type that `shape` says.

        It can always be determined again. A "sha256" is the name of a blob, so it must be a digest wherever there is one.
        """
        path = self.root / "facts" / f"{_file_name(name)}.json"
        try:
            fact = json_input.parse(outside.read(path, outside.TEXT, f"The fact {path}", _ADVICE))
        except outside.Unreadable as error:
            if error.missing:
                return None
            raise
        except ValueError:  # damaged, but not by us
            return None
        if not isinstance(fact, dict) or not is_digest(fact.get("sha256", "0" * 64)):
            return None
        return fact if all(type(fact.get(key)) is kind for key, kind in shape.items()) else None

    def facts(self, prefix: str = "", **shape: type) -> dict[str, dict[str, Any]]:
        """Every fact of that shape whose name begins with the prefix, by name."""
        names = sorted(path.stem for path in (self.root / "facts").glob(f"{glob.escape(prefix)}*.json"))
        found = {name: self.fact(name, **shape) for name in names}
        return {name: fact for name, fact in found.items() if fact is not None}

    def has(self, sha256: str) -> bool:
        """Whether there is a blob of this name: quicker than `blob`, which also reads it."""
        return is_digest(sha256) and (self.root / "blobs" / sha256).is_file()


def _file_name(name: str) -> str:
    """The name of a fact or a lock, which may contain what a person or the archive called a kernel."""
    if not is_file_name(name):
        raise HarnessError(
            f"{one_line(repr(name), 100)} cannot be the name of a file in the cache. Name another kernel."
        )
    return name


def lock_file(path: Path) -> IO[str]:
    """A file to lock. Only its owner can open it, because whoever can read a file can hold its lock."""
    handle = open(path, "a", encoding="ascii", opener=lambda name, flags: os.open(name, flags, 0o600))
    if os.fstat(handle.fileno()).st_mode & 0o077:  # by an earlier version
        os.fchmod(handle.fileno(), 0o600)
    return handle


def _locked_soon(handle: IO[str], how: int) -> bool:
    """Try to lock for as long as a person waits without wondering."""
    deadline = time.monotonic() + SILENT_S
    while True:
        try:
            fcntl.flock(handle, how | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)


def _holder(handle: IO[str]) -> str:
    """Who holds the lock of a file, in words."""
    status = os.fstat(handle.fileno())
    file = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    for line in Path("/proc/locks").read_text(encoding="ascii").splitlines():
        match line.split():
            case [_, "FLOCK", _, _, pid, where, *_] if where == file and int(
                pid
            ) > 0:  # 0: of another PID namespace
                return (
                    "another part of this run" if int(pid) == os.getpid() else f"process {pid}{_command(pid)}"
                )
    return "another process"


def _command(pid: str) -> str:
    try:
        words = Path("/proc", pid, "cmdline").read_bytes().decode(errors="replace").replace("\0", " ").strip()
    except OSError:  # it has just ended, or is not ours to look at
        return ""
    return f" ({one_line(''.join(one if one.isprintable() else '?' for one in words), 100)})"


def sha256_of(path: Path, limit: int = sys.maxsize) -> str:
    """The SHA-256 of a regular file, in hexadecimal."""
    return outside.digest(path, limit, str(path), _ADVICE)


def full_disk(path: Path) -> HarnessError:
    """The error for a full disk, met when writing `path`."""
    existing = next(parent for parent in (path, *path.parents) if parent.exists())
    free_mib = shutil.disk_usage(existing).free >> 20
    return HarnessError(
        f"The disk is full: writing {path} failed, {free_mib} MiB are free in {path.parent}. "
        "Free some space, or set XDG_CACHE_HOME to a directory with more room."
    )


@contextmanager
def explained(path: Path, verb: str = "write") -> Iterator[None]:
    """Turn an OSError about `path` into a HarnessError; a missing file stays a FileNotFoundError."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in _FULL:
            raise full_disk(path) from error
        raise HarnessError(f"Cannot {verb} {path}: {error.strerror}. {_ADVICE}") from error


@contextmanager
def _new_file(directory: Path) -> Iterator[tuple[IO[bytes], Callable[[str], None]]]:
    """A temporary file and the function that gives it its final name; without that call it is removed."""
    with explained(directory / "(new file)"):
        descriptor, name = tempfile.mkstemp(prefix=".new-", dir=directory)
    temporary = Path(name)

    def move_to(final: str) -> None:
        file.flush()
        os.fsync(file.fileno())
        os.replace(temporary, directory / final)

    try:
        with explained(temporary), os.fdopen(descriptor, "wb") as file:
            yield file, move_to
    finally:
        temporary.unlink(missing_ok=True)
