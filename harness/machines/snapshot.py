"""A guest that has booted and waits for its payload, kept on disk: a run starts there instead of booting again.

Every run that starts from a snapshot starts from the same moment, right after the boot, at which nothing of the
suite has run yet. Its memory is a file which each guest maps for itself alone (copy on write), so that many can
start from it at once and none can change it.

A snapshot is a directory with ram (the guest's memory, mostly holes), state (its devices, as QEMU's migration
writes them) and console.log (what the kernel said until then).
"""

from __future__ import annotations

import math
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from harness.base.cache import Cache, explained

DIRECTORY = "snapshots"  # below the cache's root
RAM, STATE, CONSOLE = "ram", "state", "console.log"
UNUSED_S = 14 * 24 * 3600  # one that nobody has started from for so long goes: of a machine with other options, say


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a snapshot is of. Two guests that agree in all of it are in the same state once they have booted."""

    kernel: Path
    init: bytes  # the initramfs
    qemu: Path
    options: tuple[str, ...]  # of QEMU and the kernel, without the names of files

    @property
    def name(self) -> str:
        """What stays when we build another runner or QEMU is updated: only the newest snapshot of a name is kept."""
        return _digest(str(self.kernel), *self.options)

    @property
    def version(self) -> str:
        """All the rest."""
        return _digest(sha256(self.init).hexdigest(), _identity(self.kernel), _identity(self.qemu))


def _digest(*words: str) -> str:
    return sha256("\0".join(words).encode()).hexdigest()[:16]


def _identity(path: Path) -> str:
    """Tells without reading it whether a file is the same as last time."""
    status = path.stat()
    return f"{status.st_dev} {status.st_ino} {status.st_size} {status.st_mtime_ns}"


def _last_use(place: Path) -> float:
    try:
        return place.stat().st_mtime
    except FileNotFoundError:  # another run was quicker
        return math.inf


class Snapshots:
    """The snapshots in a cache."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def find(self, subject: Subject) -> Path | None:
        """The directory of the snapshot, if there is one. Its time is that of its last use."""
        place = self._place(subject)
        try:
            os.utime(place)
        except FileNotFoundError:
            return None
        return place

    @contextmanager
    def new(self, subject: Subject) -> Iterator[tuple[Path, Callable[[], None]]]:
        """A directory to fill, and the function that makes it the snapshot; without that call it is removed.

        Only one run at a time makes the snapshots of one name: look again whether there is one.
        """
        with self._cache.lock(f"snapshot-{subject.name}"):
            parent = self._cache.directory(DIRECTORY)
            with explained(parent / "(new snapshot)"):
                new = Path(tempfile.mkdtemp(prefix=".new-", dir=parent))

            def keep() -> None:
                unused = (old for old in parent.glob("*-*") if time.time() - _last_use(old) > UNUSED_S)
                for old in (*parent.glob(f"{subject.name}-*"), *unused):
                    shutil.rmtree(old, ignore_errors=True)  # a guest that runs from it has all it needs
                with explained(parent):
                    new.rename(self._place(subject))

            try:
                yield new, keep
            finally:
                shutil.rmtree(new, ignore_errors=True)

    def discard(self, subject: Subject) -> None:
        """No guest goes on from it: let the next run boot."""
        shutil.rmtree(self._place(subject), ignore_errors=True)

    def _place(self, subject: Subject) -> Path:
        return self._cache.root / DIRECTORY / f"{subject.name}-{subject.version}"
