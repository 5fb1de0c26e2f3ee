# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""What a kernel of a given version should be able to do, from the catalogue's since data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from harness.suite.catalogue import ANY, Row
from harness.suite.configuration import PLAINLY, Configuration

_RELEASE = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")
_DEBIAN = re.compile(r"\bDebian (\d+)\.(\d+)(?:\.(\d+))?")


class Expected(StrEnum):
    """What the since data says about one row, in one configuration, on one kernel."""

    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, order=True)
class KernelVersion:
    """A mainline or stable release; its order is the order of releases within a series."""

    major: int
    minor: int
    patch: int = 0

    @classmethod
    def parse(cls, release: str, version: str = "") -> KernelVersion | None:
        """The version according to `uname -r` and `uname -v`, or None if they do not tell.

        Debian names its kernels after an ABI number (6.1.0-56-cloud-amd64) and hides the stable release in
        the version string (Debian 6.1.192-1). Other kernels have it in the release.
        """
        plain = _RELEASE.match(release)
        if plain is None:
            return None
        debian = _DEBIAN.search(version)
        if debian is None:
            return cls._of(plain)
        if debian.group(1, 2) != plain.group(1, 2):
            return None  # they contradict each other: believe neither
        return cls._of(debian)

    @classmethod
    def _of(cls, match: re.Match[str]) -> KernelVersion:
        return cls(*(int(number or 0) for number in match.groups()))

    @property
    def series(self) -> str:
        """The series it belongs to: 6.1 for 6.1.192."""
        return f"{self.major}.{self.minor}"

    def __str__(self) -> str:
        return f"{self.series}.{self.patch}"


def expected(row: Row, version: KernelVersion | None, configuration: Configuration = PLAINLY) -> Expected:
    """Whether this kernel should pass the row on such a ring: it must have both.

    Nothing is expected of a kernel whose version is unknown.
    """
    both = {due_on(row.since, row.also, version), has_ring(configuration, version)}
    return next(one for one in (Expected.ABSENT, Expected.UNKNOWN, Expected.PRESENT) if one in both)


def has_ring(configuration: Configuration, version: KernelVersion | None) -> Expected:
    """Whether this kernel should have such rings at all."""
    return due_on(configuration.since, configuration.also, version)


def due_on(since: str, also: tuple[str, ...], version: KernelVersion | None) -> Expected:
    """Whether this kernel should have what came with a mainline release, and with backports of it."""
    if since == ANY:
        return Expected.PRESENT
    if version is None:
        return Expected.UNKNOWN
    if version >= _known(since):
        return Expected.PRESENT
    backports = (_known(release) for release in also)
    if any(version.series == backport.series and version >= backport for backport in backports):
        return Expected.PRESENT
    return Expected.ABSENT


def _known(release: str) -> KernelVersion:
    version = KernelVersion.parse(release)
    assert version is not None, f"the catalogue's schema lets only releases through, not {release!r}"
    return version
