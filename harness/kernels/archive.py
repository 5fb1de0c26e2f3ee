# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The distribution's archive: which kernels it has, and the newest of a series as a verified image."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from harness.base import apt, names
from harness.base.apt import KEYRING, Apt
from harness.base.cache import Cache, Notice
from harness.base.errors import HarnessError
from harness.base.process import run
from harness.kernels import deb

MAX_AGE = timedelta(hours=24)  # of the list of packages
# The small flavour. Since 6.19 linux-image-* is an empty package and linux-binary-* has the kernel.
_KERNEL = re.compile(r"linux-(?:image|binary)-(?P<release>\d+\.\d+\S*-cloud-amd64)")
_POINTS_ELSEWHERE = re.compile(r"\blinux-(?:image|binary)-\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A series that stays at one version."""

    version: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A package that has a kernel."""

    series: str  # "6.1"
    name: str  # "linux-image-6.1.0-56-cloud-amd64"
    version: str  # "6.1.192-1", the distribution's
    release: str  # "6.1.0-56-cloud-amd64", what uname -r says
    suite: str  # "bookworm-security"


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """The kernels that the archive had when it was asked."""

    when: datetime
    suites: tuple[str, ...]
    left_out: dict[str, str]  # suite -> why it could not be read
    packages: dict[str, Package]  # the newest by series, in ascending order
    older: tuple[Package, ...] = ()  # the archive's other kernels, newest first
    trouble: str | None = None  # why this may not be what the archive has now


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A package and the kernel image that was in it."""

    package: Package
    image: Path
    sha256: str


class Archive:
    """The archive as one run sees it. Answers come from the cache if that is enough."""

    def __init__(
        self,
        cache: Cache,
        *,
        suites: tuple[str, ...],
        mirror: str | None = None,
        security_mirror: str | None = None,
        refresh: bool = False,
        pins: Mapping[str, Pin] | None = None,
        notice: Notice,
        progress: Notice | None = None,
        keyring: Path = KEYRING,
    ) -> None:
        """If `mirror` is None, the machine's apt configuration names it. `refresh`: do not trust an earlier list.

        `notice` gets sentences for readers of the results, `progress` those that matter only to the person who is
        waiting (None: the same).
        """
        self._cache = cache
        self._suites = suites
        self._pins = pins or {}
        self._notice = notice
        self._progress = progress or notice
        self._apt = Apt(cache, suites, mirror=mirror, security_mirror=security_mirror, keyring=keyring)
        self._created = _now()
        self._oldest = self._created if refresh else self._created - MAX_AGE
        self._index: Index | None = None
        self._asked = False

    def index(self) -> Index:
        """The newest package of each series, at most a day old unless the archive cannot be reached."""
        if self._index is None:
            self._index = self._index_since(self._oldest)
        return self._index

    def remembered_index(self) -> Index | None:
        """The list of packages of an earlier run, of any age, without asking the archive."""
        return self._index or self._stored_index(None)

    def resolve(self, spec: str) -> Resolved:
        """The kernel of a series such as "6.1", the newest or the pinned one, or of one version, "6.1=6.1.190-1"."""
        series, _, version = spec.partition("=")
        if version:
            return self._exact(series, version, f"Name another with --kernel {series}=VERSION")
        if pin := self._pins.get(series):
            self._notice(f"{series} is pinned to {pin.version}: {pin.reason.rstrip('.')}.")
            return self._exact(series, pin.version, "Change the pin in kernels.toml")
        try:
            return self._newest(series)
        except HarnessError as trouble:
            earlier = self._remembered(f"series-{series}")
            if earlier is None:
                raise
            self._notice(f"{trouble} Using {earlier.package.name} {earlier.package.version} from the cache.")
            return earlier

    def lookup(self, spec: str) -> tuple[Package | None, str | None]:
        """The package that `resolve` would take, and the digest of its image if cached; does not ask the archive."""
        series, _, version = spec.partition("=")
        if not version and (pin := self._pins.get(series)):
            version = pin.version
        if index := self.remembered_index():
            package = _version_in(index, series, version) if version else index.packages.get(series)
        else:
            package = None
        for name in (f"series-{series}={package.version if package else version}", f"series-{series}"):
            if (fact := self._cache.fact(name, version=str, sha256=str)) and self._cache.has(fact["sha256"]):
                if fact["version"] == (package.version if package else version):
                    return package or self._package(name), fact["sha256"]
        return package, None

    def _package(self, name: str) -> Package | None:
        known = self._remembered(name)
        return known.package if known else None

    def _newest(self, series: str) -> Resolved:
        index = self.index()
        try:
            newest = self._obtained(_newest_in(index, series))
        except HarnessError:
            # The list is from an earlier run: since then a series may have been added, or a version removed.
            if self._asked or not (series in index.packages or _is_newer(series, index)):
                raise
            self._index = self._index_since(self._created)
            newest = self._obtained(_newest_in(self._index, series))
        if (self._cache.fact(f"series-{series}") or {}).get("version") != newest.package.version:
            self._remember(f"series-{series}", newest.package, newest.sha256)
        return newest

    def _exact(self, series: str, version: str, remedy: str) -> Resolved:
        """One version, which never changes: the cached copy is as good as the archive's."""
        for name in (f"series-{series}={version}", f"series-{series}"):
            if (known := self._remembered(name)) and known.package.version == version:
                return known
        index = self.index()
        if not (package := _version_in(index, series, version)) and not self._asked:
            self._index = index = self._index_since(self._created)
            package = _version_in(index, series, version)
        if package is None:
            there = [other.version for other in _all_of(index, series)]
            has = f"The archive has {', '.join(there)}" if there else f"The archive has no {series} at all"
            raise HarnessError(
                f"The kernel {series} {version} is neither in the archive nor in the cache {self._cache.root}. "
                f"{has}. {remedy}."
            )
        return self._obtained(package)

    def _obtained(self, package: Package) -> Resolved:
        """The kernel in the package, fetched if necessary, and only once however many runs ask at the same time."""
        exact = f"series-{package.series}={package.version}"

        def known() -> Resolved | None:
            there = (self._remembered(name) for name in (exact, f"series-{package.series}"))
            return next((one for one in there if one and one.package == package), None)

        if there := known():
            return there
        being_fetched = f"{package.name} {package.version} is being fetched."
        with self._cache.lock(
            f"package-{package.name}={package.version}", lambda _: self._progress(being_fetched)
        ):
            if there := known():
                return there  # another run has just fetched it
            with self._cache.lock(
                "archive", self._progress, shared=True
            ):  # the lists must not change meanwhile
                self._progress(f"Fetching {package.name} {package.version} ({package.suite}).")
                with self._apt.downloaded(package.name, package.version, package.suite) as file:
                    sha256, _ = deb.store_image(file, self._cache)
            self._remember(exact, package, sha256)
        if (image := self._cache.blob(sha256)) is None:
            raise HarnessError(f"The image of {package.name} vanished from {self._cache.root}. Try again.")
        return Resolved(package=package, image=image, sha256=sha256)

    def _remember(self, name: str, package: Package, sha256: str) -> None:
        self._cache.put_fact(name, {**asdict(package), "sha256": sha256, "when": _now().isoformat()})

    def _remembered(self, name: str) -> Resolved | None:
        fact = self._cache.fact(name, sha256=str) or {}
        package = _package_of({key: value for key, value in fact.items() if key not in ("sha256", "when")})
        image = self._cache.blob(fact["sha256"]) if package else None
        return Resolved(package=package, image=image, sha256=fact["sha256"]) if package and image else None

    def _index_since(self, oldest: datetime) -> Index:
        if index := self._stored_index(oldest):
            return index
        with self._cache.lock("archive", self._progress):
            if index := self._stored_index(oldest):
                return index  # another run has just asked
            before = self._stored_index(None)
            try:
                self._asked = True
                index = self._ask(before)
            except HarnessError as trouble:
                if before is None:
                    raise
                said = f"{trouble} Using the list of packages of {before.when:%Y-%m-%d %H:%M} UTC."
                self._notice(said)
                return replace(before, trouble=said)
            for series in before.packages.keys() - index.packages.keys() if before else ():
                self._notice(f"The archive no longer has {series}, which it had when it was last asked.")
            fact = asdict(index) | {"when": index.when.isoformat()}
            self._cache.put_fact("index", fact)
            return index

    def _stored_index(self, oldest: datetime | None) -> Index | None:
        """The list of an earlier run if it is for these suites and, with `oldest`, complete and recent."""
        index = _index_of(
            self._cache.fact("index", when=str, suites=list, left_out=dict, packages=dict, older=list)
        )
        if index is None or index.suites != self._suites:
            return None
        recent = oldest is None or oldest <= index.when <= _now()
        complete = oldest is None or all(_is_missing(reason) for reason in index.left_out.values())
        return index if recent and complete else None

    def _ask(self, before: Index | None) -> Index:
        """Run `apt-get update`, then find the kernels in the lists it fetched."""
        left_out = apt.failures(self._apt.update())
        if set(left_out) == set(self._suites):
            reason = left_out[self._suites[0]]
            raise HarnessError(f"{self._apt.place} cannot be used: {reason}. {apt.advice(reason)}")
        packages = list(self._listed())
        failed = {suite: reason for suite, reason in left_out.items() if not _is_missing(reason)}
        if before:  # a suite that cannot be read today still has its packages
            packages += [package for package in _all_in(before) if package.suite in failed]
        for suite, reason in left_out.items():
            earlier = (
                f" Using its list of {before.when:%Y-%m-%d %H:%M} UTC." if before and suite in failed else ""
            )
            self._notice(f"The archive's suite {suite} could not be read: {reason}.{earlier}")
        newest: dict[str, Package] = {}
        older: list[Package] = []
        for package in sorted(
            packages, key=lambda package: apt.version(package.version), reverse=True
        ):  # equal versions: the first suite wins
            known = newest.setdefault(package.series, package)
            if package.version != known.version and all(package.version != other.version for other in older):
                older.append(package)
        names = ", ".join(failed)
        return Index(
            when=_now(),
            suites=self._suites,
            left_out=left_out,
            packages=dict(sorted(newest.items(), key=lambda item: _numbers(item[0]))),
            older=tuple(older),
            trouble=f"Not every suite of the archive could be read: {names}." if failed else None,
        )

    def _listed(self) -> Iterator[Package]:
        """Every kernel in the lists on disk, in the order of our suites."""
        files = self._apt.targets()
        for suite in self._suites:
            if suite in files:
                text = run(["/usr/lib/apt/apt-helper", "cat-file", files[suite]], remedy=apt.ADVICE).output
                yield from kernels_in(text, suite)


def _index_of(fact: Mapping[str, Any] | None) -> Index | None:
    """The list of packages that an earlier run kept; None if there is none, or it is not one that this version writes."""
    if fact is None:
        return None
    newest = {series: _package_of(package) for series, package in fact["packages"].items()}
    older = [_package_of(package) for package in fact["older"]]
    texts = (*fact["suites"], *fact["left_out"].values())
    try:
        when = datetime.fromisoformat(fact["when"])
    except ValueError:
        return None
    if (
        when.tzinfo is None
        or not all(isinstance(text, str) for text in texts)
        or None in (*newest.values(), *older)
    ):
        return None
    return Index(
        when=when,
        suites=tuple(fact["suites"]),
        left_out=fact["left_out"],
        packages={
            series: package for series, package in newest.items() if package and package.series == series
        },
        older=tuple(package for package in older if package),
    )


def _package_of(fact: object) -> Package | None:
    """The package that a fact of the cache describes; its words become the names of folders, so they must be names."""
    match fact:
        case {"series": str(series), "name": str(name), "version": str(version),
              "release": str(release), "suite": str(suite), **more} if not more:  # fmt: skip
            if names.is_series(series) and all(map(names.is_version, (name, version, release))):
                return Package(series=series, name=name, version=version, release=release, suite=suite)
    return None


def kernels_in(packages: str, suite: str) -> Iterator[Package]:
    """The kernels in a Packages file: packages that contain one, not packages that depend on one."""
    for stanza in packages.split("\n\n"):
        if (
            "Package: linux-" not in stanza
        ):  # nearly all of sid's 77,000: parsing those takes 3.4 s instead of 0.1
            continue
        fields = apt.fields(stanza)
        name, version = fields["Package"], fields["Version"]
        series = re.match(r"(?:\d+:)?(\d+\.\d+)", version)
        points_elsewhere = _POINTS_ELSEWHERE.search(fields.get("Depends", ""))
        if (
            (match := _KERNEL.fullmatch(name))
            and series
            and not points_elsewhere
            and names.is_version(version)
        ):
            yield Package(series=series[1], name=name, version=version, release=match["release"], suite=suite)


def _newest_in(index: Index, series: str) -> Package:
    package = index.packages.get(series)
    if package is None:
        raise HarnessError(_unknown(series, index))
    return package


def _all_in(index: Index) -> Iterable[Package]:
    return (*index.packages.values(), *index.older)


def _all_of(index: Index, series: str) -> list[Package]:
    return [package for package in _all_in(index) if package.series == series]


def _version_in(index: Index, series: str, version: str) -> Package | None:
    return next((package for package in _all_of(index, series) if package.version == version), None)


def _is_missing(reason: str) -> bool:
    """The mirror answered that it has no such suite, or only an expired one: asking again today is useless."""
    return "does not have a Release file" in reason or "is expired" in reason


def _unknown(series: str, index: Index) -> str:
    text = f"{series} is neither a file nor a kernel series of the archive"
    if not index.packages:
        return f"{text}, which has none."
    text += f", which has {', '.join(index.packages)}."
    if re.fullmatch(r"\d+(\.\d+)*", series):
        wanted = _numbers(series)
        near = min(index.packages, key=lambda other: [abs(a - b) for a, b in zip(wanted, _numbers(other))])
        text += f" The nearest is {near}."
    return text + (f" Suites left out: {', '.join(index.left_out)}." if index.left_out else "")


def _is_newer(series: str, index: Index) -> bool:
    """Whether this could be a series that is newer than the list, and not a typo."""
    if not re.fullmatch(r"\d+\.\d+", series):
        return False
    return all(_numbers(series) > _numbers(known) for known in index.packages)


def _numbers(series: str) -> tuple[int, ...]:
    return tuple(int(part) for part in series.split("."))


def _now() -> datetime:
    return datetime.now(timezone.utc)
