"""Bindings of others as the archive's later suites have them: fetched with apt and unpacked below the cache, not installed.

What is unpacked keeps its place: a build directory may refer to it. A newer version gets a place of its own.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.base.apt import KEYRING, Apt
from harness.base.cache import Cache, Notice, explained
from harness.base import apt, process

NEWEST = "sid"  # where new versions come first
#: The package that a other is named after, and what it needs beside it. liburing's headers include newer ones of the
#: kernel than this release has.
LIBURING = ("liburing-dev", "linux-libc-dev")
CRATE = ("librust-io-uring-dev", "librust-bitflags-dev", "librust-cfg-if-dev", "librust-libc-dev")
_COMPLETE = ".complete"  # holds the version


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherBinding:
    """A binding with what it needs, in a directory with `usr` in it."""

    version: str  # upstream's, such as 2.15
    root: Path

    @property
    def registry(self) -> Path:
        """Where Debian's packages of crates have them: a registry for cargo."""
        return self.root / "usr/share/cargo/registry"


class OtherBindings:
    """Other bindings in one cache, and in these suites of the archive."""

    def __init__(
        self, cache: Cache, suites: Sequence[str], notice: Notice, *, known: Sequence[str] = (), mirror: str | None = None
    ) -> None:
        """`known` are suites by which the machine's own apt configuration names the archive; `suites` may not be in it."""
        self._cache = Cache(cache.root / "peers")  # apt removes lists it was not told of: not the root of the kernels
        self._suites, self._known = tuple(suites), tuple(known)
        self._notice = notice
        self._mirror = mirror
        self._asked: Apt | None = None  # with the lists of this run

    def fetch(self, packages: Sequence[str], suites: Sequence[str]) -> list[OtherBinding]:
        """The newest of each of these suites, once each. HarnessError if one cannot be had."""
        with self._cache.lock("peers", self._notice):
            if self._asked is None:
                asked = self._apt(self._suites, *self._apt(self._known, self._mirror).mirrors())
                asked.update()
                self._asked = asked
            found = [self._unpacked(self._asked, packages, suite) for suite in suites]
        return list({other.version: other for other in found}.values())

    def earlier(self, packages: Sequence[str]) -> OtherBinding | None:
        """What was unpacked last, by this run or an earlier one."""
        there = list(self._cache.root.glob(f"{packages[0]}_*/{_COMPLETE}"))
        return _other(max(there, key=lambda path: path.stat().st_mtime_ns).parent) if there else None

    def _apt(self, suites: tuple[str, ...], main: str | None = None, security: str | None = None) -> Apt:
        return Apt(self._cache, suites, mirror=main, security_mirror=security, keyring=KEYRING)

    def _unpacked(self, archive: Apt, packages: Sequence[str], suite: str) -> OtherBinding:
        with archive.downloaded(packages[0], None, suite) as deb:  # checks the package against the signed list
            version = run(["dpkg-deb", "--field", str(deb), "Version"]).strip()
            place = self._cache.root / f"{packages[0]}_{version.replace(':', '%')}_{suite}"
            if (place / _COMPLETE).exists():
                return _other(place)
            new = place.with_name(f"{place.name}.new")
            shutil.rmtree(new, ignore_errors=True)
            extract(deb, new)
        for name in packages[1:]:
            with archive.downloaded(name, None, suite) as deb:
                extract(deb, new)
        with explained(place):
            (new / _COMPLETE).write_text(version)
            shutil.rmtree(place, ignore_errors=True)
            new.rename(place)
        return _other(place)


def _other(place: Path) -> OtherBinding:
    return OtherBinding(version=short((place / _COMPLETE).read_text()), root=place)


def extract(deb: Path, into: Path) -> None:
    """A package's files below a directory."""
    run(["dpkg-deb", "--extract", str(deb), str(into)])


def installed_version(package: str) -> str:
    """The upstream version of an installed package."""
    return short(run(["dpkg-query", "--show", "--showformat=${Version}", package]))


def short(version: str) -> str:
    """A version without the distribution's part."""
    return apt.version(version).upstream_version or version


def run(command: Sequence[str], cwd: Path | None = None) -> str:
    """Run a command that works with bindings of others; what it printed."""
    return process.run(command, cwd=cwd, remedy="ci/bench and ci/adapters install what they need.").output
