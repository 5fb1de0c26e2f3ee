"""A guest that has booted and waits for its payload, kept on disk so that a run can start there instead of booting.

Every run from a snapshot starts at the same moment: right after the boot, before anything of the suite has run. The
guest's memory is a file that each guest maps privately (copy on write), so that many can start from it at once and
none can change it.

A snapshot is a directory with ram (the guest's memory, mostly holes), state (its devices, as QEMU's migration
writes them) and console.log (the kernel's output until then).
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
UNUSED_S = 14 * 24 * 3600  # unused for this long, it is removed: it may be of a machine with other options


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The subject of a snapshot. Two guests with equal subjects are in the same state once they have booted."""

    kernel: Path
    init: bytes  # the initramfs
    qemu: Path
    options: tuple[str, ...]  # of QEMU and the kernel, without file names

    @property
    def name(self) -> str:
        """The parts that do not change with a new runner or QEMU. Only the newest snapshot of a name is kept."""
        return _digest(str(self.kernel), *self.options)

    @property
    def version(self) -> str:
        """The other parts."""
        return _digest(sha256(self.init).hexdigest(), _identity(self.kernel), _identity(self.qemu))


def _digest(*words: str) -> str:
    return sha256("\0".join(words).encode()).hexdigest()[:16]


def _identity(path: Path) -> str:
    """Identifies a file without reading it, to see whether it has changed."""
    status = path.stat()
    return f"{status.st_dev} {status.st_ino} {status.st_size} {status.st_mtime_ns}"


def _last_use(place: Path) -> float:
    try:
        return place.stat().st_mtime
    except FileNotFoundError:  # another run was faster
        return math.inf


class Snapshots:
    """The snapshots in a cache."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def find(self, subject: Subject) -> Path | None:
        """The directory of the snapshot, if there is one. Its mtime is the time of its last use."""
        place = self._place(subject)
        try:
            os.utime(place)
        except FileNotFoundError:
            return None
        return place

    @contextmanager
    def new(self, subject: Subject) -> Iterator[tuple[Path, Callable[[], None]]]:
        """A directory to fill, and the function that makes it the snapshot. Without that call it is removed.

        Only one run at a time makes snapshots of one name, so check again whether there is one by now.
        """
        with self._cache.lock(f"snapshot-{subject.name}"):
            parent = self._cache.directory(DIRECTORY)
            with explained(parent / "(new snapshot)"):
                new = Path(tempfile.mkdtemp(prefix=".new-", dir=parent))

            def keep() -> None:
                unused = (old for old in parent.glob("*-*") if time.time() - _last_use(old) > UNUSED_S)
                for old in (*parent.glob(f"{subject.name}-*"), *unused):
                    shutil.rmtree(old, ignore_errors=True)  # a guest that runs from it already has all it needs
                with explained(parent):
                    new.rename(self._place(subject))

            try:
                yield new, keep
            finally:
                shutil.rmtree(new, ignore_errors=True)

    def discard(self, subject: Subject) -> None:
        """No guest continues from it: let the next run boot."""
        shutil.rmtree(self._place(subject), ignore_errors=True)

    def _place(self, subject: Subject) -> Path:
        return self._cache.root / DIRECTORY / f"{subject.name}-{subject.version}"
