# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The contents of the cache in terms of kernels, and how to remove them.

A fact names a kernel and its image: series-6.1 (the newest that was fetched), series-6.1=6.1.192-1 (one version),
deb-<digest> and build-<key>. A vmlinux may have been extracted from an image (vmlinux-<digest>). A blob that no fact
names is useless. Nothing is removed automatically, because the archive may have dropped it.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.base.cache import Cache, explained, sha256_of
from harness.base.errors import HarnessError
from harness.kernels import deb, tree
from harness.kernels.archive import Pin
from harness.kernels.spec import Kind, specify
from harness.machines import snapshot

Fact = dict[str, Any]

_BLOB = re.compile(r"[0-9a-f]{64}|\.new-\w+")
_BUILD = re.compile(r"[0-9a-f]{16}")
_SNAPSHOT = re.compile(r"[0-9a-f]{16}-[0-9a-f]{16}|\.new-\w+")
_APT = ("state", "cache", "download", "apt.conf", "archive.sources", "status")


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """The build directory of a source tree."""

    tree: Path
    fragments: tuple[str, ...]
    release: str | None  # None: never finished
    size: int


class Holdings:
    """The kernels in one cache."""

    def __init__(self, cache: Cache) -> None:
        self.cache = cache

    def size(self) -> int:
        """The size of the cache in bytes."""
        return _size(self.cache.root)

    def size_of(self, sha256: str) -> int:
        """The size of an image and of the vmlinux that was extracted from it."""
        return sum(_size(self._blob(name)) for name in self._with_vmlinux(sha256))

    def builds(self) -> list[Build]:
        """The source trees that were built."""
        return [
            Build(
                tree=Path(fact["tree"]),
                fragments=tuple(map(str, fact["fragments"])),
                release=str(fact["release"]) if "release" in fact else None,
                size=sum(map(_size, self._build_directories([name])))
                + (self.size_of(fact["sha256"]) if "sha256" in fact else 0),
            )
            for name, fact in self.cache.facts("build-", tree=str, fragments=list).items()
        ]

    def old_versions(self, keep: Mapping[str, Pin]) -> dict[str, Fact]:
        """Facts about versions that are neither pinned nor the newest fetched of their series."""
        kept = {f"series-{series}={pin.version}" for series, pin in keep.items()}
        return {name: fact for name, fact in self._versions().items() if name not in kept}

    def old_size(self, keep: Mapping[str, Pin]) -> int:
        """What `remove_old` would free."""
        _, blobs, directories = self._old(keep)
        return sum(map(_size, (*map(self._blob, blobs), *directories)))

    def remove_old(self, keep: Mapping[str, Pin]) -> int:
        """Remove old versions, builds of deleted trees and anything that no fact names. Returns the bytes freed.

        Also removes files that were extracted from a user's own images and packages, which takes a second to redo.
        """
        return self._freed(lambda: self._remove(*self._old(keep)))

    def remove(self, specs: Iterable[str], local: Mapping[str, Path]) -> int:
        """Remove these kernels and return the bytes freed. HarnessError, before anything is removed, if one is missing."""
        facts: set[str] = set()
        for spec in specs:
            if not (named := self._named(spec, local)):
                raise HarnessError(
                    f"{spec} is not in the cache {self.cache.root}, so nothing was removed. See ci/harness kernels list."
                )
            facts |= named
        going = self._named_by(facts)
        unpacked = {
            f"vmlinux-{blob}" for blob in going
        }  # only says what was in an image, which does not keep it
        blobs = going - self._named_by(self.cache.facts().keys() - facts - unpacked)
        facts |= {f"vmlinux-{blob}" for blob in blobs}
        directories = [
            *self._build_directories(facts),
            *self._snapshots(),
        ]  # the latter of all kernels: a boot makes them again
        return self._freed(lambda: self._remove(facts, blobs, directories))

    def remove_all(self) -> int:
        """Remove everything that the cache owns. Locks stay, because a process may be waiting for one."""
        root = self.cache.root
        directories = [root / "apt" / name for name in _APT]
        directories += [path for path in _inside(root / tree.BUILDS) if _BUILD.fullmatch(path.name)]
        directories += self._snapshots()
        return self._freed(lambda: self._remove(self.cache.facts(), self._blobs(), directories))

    # --- relations -------------------------------------------------------------------------------------------

    def _named(self, spec: str, local: Mapping[str, Path]) -> set[str]:
        """The facts about one kernel."""
        asked = specify(spec, local)
        if asked.kind is Kind.SERIES:
            series, _, version = spec.partition("=")
            about = self._about_series(series)
            return {name for name, fact in about.items() if version in ("", fact.get("version"))}
        if asked.path is None:
            return set()
        if not asked.path.is_file():  # a source tree, possibly deleted: its build is still here
            return {
                name
                for name, fact in self.cache.facts("build-", tree=str).items()
                if Path(fact["tree"]) == asked.path
            }
        digest = sha256_of(asked.path, deb.PACKAGE)
        return {name for name in (f"deb-{digest}", f"vmlinux-{digest}") if self.cache.fact(name)}

    def _about_series(self, series: str) -> dict[str, Fact]:
        facts = self.cache.facts(f"series-{series}")
        return {name: fact for name, fact in facts.items() if name.partition("=")[0] == f"series-{series}"}

    def _versions(self) -> dict[str, Fact]:
        """Facts about versions other than the newest that was fetched."""
        facts = self.cache.facts("series-", series=str, version=str, sha256=str)
        newest = {fact["series"]: fact["version"] for name, fact in facts.items() if "=" not in name}
        return {
            name: fact
            for name, fact in facts.items()
            if "=" in name and newest.get(fact["series"]) != fact["version"]
        }

    def _old(self, keep: Mapping[str, Pin]) -> tuple[set[str], set[str], list[Path]]:
        """The facts, blobs and directories that are no longer useful."""
        builds = self.cache.facts("build-", tree=str)
        gone = {name for name, fact in builds.items() if not Path(fact["tree"]).is_dir()}
        facts = {*self.old_versions(keep), *self.cache.facts("deb-"), *gone}
        kernels_kept = (
            name for name in self.cache.facts() if not name.startswith("vmlinux-") and name not in facts
        )
        kept = self._named_by(kernels_kept)
        facts |= {name for name in self.cache.facts("vmlinux-") if name.removeprefix("vmlinux-") not in kept}
        directories = [
            self.cache.root / "apt" / "download",
            *self._build_directories(gone),
            *self._snapshots(),
        ]
        return facts, self._blobs() - kept, directories

    def _named_by(self, facts: Iterable[str]) -> set[str]:
        """The blobs that these facts name."""
        named: set[str] = set()
        for name in facts:
            if name.startswith("vmlinux-"):
                named |= self._with_vmlinux(name.removeprefix("vmlinux-"))
            elif sha256 := (self.cache.fact(name) or {}).get("sha256"):
                named |= self._with_vmlinux(sha256)
        return named

    def _with_vmlinux(self, sha256: str) -> set[str]:
        return {sha256, (self.cache.fact(f"vmlinux-{sha256}") or {}).get("sha256", sha256)}

    # --- files -------------------------------------------------------------------------------------------------

    def _blobs(self) -> set[str]:
        return {path.name for path in _inside(self.cache.root / "blobs") if _BLOB.fullmatch(path.name)}

    def _blob(self, name: str) -> Path:
        return self.cache.root / "blobs" / name

    def _snapshots(self) -> list[Path]:
        """Guests saved after their boot. They are made again in seconds, so removing any kernel removes them."""
        return [
            path for path in _inside(self.cache.root / snapshot.DIRECTORY) if _SNAPSHOT.fullmatch(path.name)
        ]

    def _build_directories(self, facts: Iterable[str]) -> list[Path]:
        """The build directories of these facts. A fact of another name is not one of ours, and names no directory."""
        keys = (fact.removeprefix("build-") for fact in facts if fact.startswith("build-"))
        return [self.cache.root / tree.BUILDS / key for key in keys if _BUILD.fullmatch(key)]

    def _remove(self, facts: Iterable[str], blobs: Iterable[str], directories: Iterable[Path]) -> None:
        # Facts first: a fact without its blob is harmless, but a blob without a fact would be forgotten.
        files = [
            *(self.cache.root / "facts" / f"{name}.json" for name in facts),
            *map(self._blob, filter(_BLOB.fullmatch, blobs)),
        ]
        for path in (*files, *directories):
            with explained(path, "remove"):
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink(missing_ok=True)

    def _freed(self, remove: Callable[[], None]) -> int:
        before = self.size()
        remove()
        return before - self.size()


def _inside(directory: Path) -> list[Path]:
    return sorted(directory.iterdir()) if directory.is_dir() else []


def _size(path: Path) -> int:
    """The size of a file, or of everything below a directory. Holes do not count."""
    if not path.is_dir():
        return _taken(path) if path.exists() else 0
    return sum(_taken(Path(top, name)) for top, _, names in os.walk(path) for name in names)


def _taken(file: Path) -> int:
    status = file.lstat()
    return min(status.st_size, status.st_blocks * 512)
