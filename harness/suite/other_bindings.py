"""Other bindings, from later suites of the archive: fetched with apt and unpacked in the cache, not installed.

An unpacked version stays where it is, because build directories may refer to it. A newer version gets its own.
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
#: The package that gives a binding its version, then its dependencies. liburing's headers include kernel headers that
#: are newer than this release's.
LIBURING = ("liburing-dev", "linux-libc-dev")
CRATE = ("librust-io-uring-dev", "librust-bitflags-dev", "librust-cfg-if-dev", "librust-libc-dev")
_COMPLETE = ".complete"  # holds the version


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherBinding:
    """A binding and its dependencies, in a directory that contains `usr`."""

    version: str  # upstream's, such as 2.15
    root: Path

    @property
    def registry(self) -> Path:
        """The directory of Debian's packaged crates, which cargo can use as a registry."""
        return self.root / "usr/share/cargo/registry"


class OtherBindings:
    """The other bindings in one cache and in some suites of the archive."""

    def __init__(
        self, cache: Cache, suites: Sequence[str], notice: Notice, *, known: Sequence[str] = (), mirror: str | None = None
    ) -> None:
        """`known`: suites by which to find the archive in the machine's apt configuration, which may lack `suites`."""
        self._cache = Cache(cache.root / "peers")  # not the kernels' root: apt removes the lists of other suites
        self._suites, self._known = tuple(suites), tuple(known)
        self._notice = notice
        self._mirror = mirror
        self._asked: Apt | None = None  # with the lists of this run

    def fetch(self, packages: Sequence[str], suites: Sequence[str]) -> list[OtherBinding]:
        """The newest version in each of these suites, without duplicates. HarnessError if one cannot be fetched."""
        with self._cache.lock("peers", self._notice):
            if self._asked is None:
                asked = self._apt(self._suites, *self._apt(self._known, self._mirror).mirrors())
                asked.update()
                self._asked = asked
            found = [self._unpacked(self._asked, packages, suite) for suite in suites]
        return list({other.version: other for other in found}.values())

    def earlier(self, packages: Sequence[str]) -> OtherBinding | None:
        """The version that was unpacked last, by this run or an earlier one."""
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
    """Unpack a package's files into a directory."""
    run(["dpkg-deb", "--extract", str(deb), str(into)])


def installed_version(package: str) -> str:
    """The upstream version of an installed package."""
    return short(run(["dpkg-query", "--show", "--showformat=${Version}", package]))


def short(version: str) -> str:
    """A version without the distribution's part."""
    return apt.version(version).upstream_version or version


def run(command: Sequence[str], cwd: Path | None = None) -> str:
    """Run a command that works on other bindings, and return what it printed."""
    return process.run(command, cwd=cwd, remedy="ci/bench and ci/adapters install what they need.").output
