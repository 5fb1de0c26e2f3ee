"""The distribution's archive: which kernels it has, and the newest of a series as a verified image."""

from __future__ import annotations

import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from harness import apt
from harness.apt import KEYRING, Apt
from harness.cache import Cache, Notice
from harness.trouble import Trouble

MAX_AGE = timedelta(hours=24)  # of the list of packages
# The small flavour. From 6.19 on linux-image-* is an empty package and linux-binary-* has the kernel.
_KERNEL = re.compile(r"linux-(?:image|binary)-(?P<release>\d+\.\d+\S*-cloud-amd64)")
_POINTS_ELSEWHERE = re.compile(r"\blinux-(?:image|binary)-\d")

@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """The package that has the newest kernel of a series."""

    series: str  # "6.1"
    name: str  # "linux-image-6.1.0-56-cloud-amd64"
    version: str  # "6.1.192-1", the distribution's
    release: str  # "6.1.0-56-cloud-amd64", what uname -r says
    suite: str  # "bookworm-security"


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """What the archive had when it was asked."""

    when: datetime
    suites: tuple[str, ...]
    left_out: dict[str, str]  # suite -> why it could not be read
    packages: dict[str, Package]  # by series, in ascending order


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A package and the kernel image that was in it."""

    package: Package
    image: Path
    sha256: str


class Archive:
    """The archive as one run sees it. Answers come from the cache where that is enough."""

    def __init__(
        self,
        cache: Cache,
        *,
        suites: tuple[str, ...],
        mirror: str | None = None,
        security_mirror: str | None = None,
        refresh: bool = False,
        notice: Notice,
        progress: Notice | None = None,
        keyring: Path = KEYRING,
    ) -> None:
        """`mirror` None: as in the machine's apt configuration. `refresh`: do not trust an earlier list.

        `notice` gets what a reader of the results should know, `progress` what only a waiting person wants to
        know (None: the same).
        """
        self._cache = cache
        self._suites = suites
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

    def resolve(self, series: str) -> Resolved:
        """The newest kernel of a series; an earlier answer, with a notice, when the archive fails us."""
        try:
            return self._newest(series)
        except Trouble as trouble:
            earlier = self._remembered(series)
            if earlier is None:
                raise
            self._notice(f"{trouble} Using {earlier.package.name} {earlier.package.version} from the cache.")
            return earlier

    def _newest(self, series: str) -> Resolved:
        index = self.index()
        try:
            return self._obtained(index, series)
        except Trouble:
            # The list is from an earlier run: there may be a newer series, or an old version may be gone.
            if self._asked or not (series in index.packages or _is_newer(series, index)):
                raise
            self._index = self._index_since(self._created)
            return self._obtained(self._index, series)

    def _obtained(self, index: Index, series: str) -> Resolved:
        package = index.packages.get(series)
        if package is None:
            raise Trouble(_unknown(series, index))
        if (known := self._remembered(series)) and known.package == package:
            return known
        with self._cache.lock("archive", self._progress):
            if (known := self._remembered(series)) and known.package == package:
                return known  # another run has just fetched it
            self._progress(f"Fetching {package.name} {package.version} ({package.suite}).")
            sha256 = self._store_image(package)
            self._cache.put_fact(
                f"series-{series}", {**asdict(package), "sha256": sha256, "when": _now().isoformat()}
            )
        if (image := self._cache.blob(sha256)) is None:
            raise Trouble(f"The image of {package.name} vanished from {self._cache.root}. Try again.")
        return Resolved(package=package, image=image, sha256=sha256)

    def _remembered(self, series: str) -> Resolved | None:
        match self._cache.fact(f"series-{series}"):
            case {"series": str(series), "name": str(name), "version": str(version),
                  "release": str(release), "suite": str(suite), "sha256": str(sha256)}:  # fmt: skip
                package = Package(series=series, name=name, version=version, release=release, suite=suite)
                image = self._cache.blob(sha256)
                return Resolved(package=package, image=image, sha256=sha256) if image else None
        return None

    def _index_since(self, oldest: datetime) -> Index:
        if index := self._stored_index(oldest):
            return index
        with self._cache.lock("archive", self._progress):
            if index := self._stored_index(oldest):
                return index  # another run has just asked
            try:
                self._asked = True
                index = self._ask()
            except Trouble as trouble:
                if (index := self._stored_index(None)) is None:
                    raise
                self._notice(f"{trouble} Using the list of packages of {index.when:%Y-%m-%d %H:%M} UTC.")
                return index
            fact = asdict(index) | {"when": index.when.isoformat()}
            self._cache.put_fact("index", fact)
            return index

    def _stored_index(self, oldest: datetime | None) -> Index | None:
        """The list of an earlier run if it is of these suites and, with `oldest`, complete and recent."""
        fact = self._cache.fact("index") or {}
        try:
            index = Index(
                when=datetime.fromisoformat(fact["when"]),
                suites=tuple(fact["suites"]),
                left_out=fact["left_out"],
                packages={series: Package(**package) for series, package in fact["packages"].items()},
            )
        except (KeyError, TypeError, ValueError):  # none, or written by another version of this file
            return None
        if index.suites != self._suites:
            return None
        recent = oldest is None or oldest <= index.when <= _now()
        complete = oldest is None or all(_is_missing(reason) for reason in index.left_out.values())
        return index if recent and complete else None

    def _ask(self) -> Index:
        """`apt-get update`, then the kernels in the lists it brought."""
        self._apt.write_root(self._suites)
        output = self._apt.run("update")
        left_out = apt.failures(output)
        if set(left_out) == set(self._suites):
            reason = left_out[self._suites[0]]
            raise Trouble(f"{self._apt.place} cannot be used: {reason}. {apt.ADVICE}")
        for suite, reason in left_out.items():
            self._notice(f"The archive's suite {suite} could not be read: {reason}.")
        newest: dict[str, Package] = {}
        for package in self._listed():
            best = newest.get(package.series)
            if best is None or _is_later(package.version, best.version):
                newest[package.series] = package
        packages = dict(sorted(newest.items(), key=lambda item: _numbers(item[0])))
        return Index(when=_now(), suites=self._suites, left_out=left_out, packages=packages)

    def _listed(self) -> Iterator[Package]:
        """Every kernel in the lists on disk, suites in our order."""
        form, wanted = "$(RELEASE) $(FILENAME)", ("Created-By: Packages", "Architecture: amd64")
        targets = self._apt.run("indextargets", "--format", form, *wanted)
        files = dict(line.split(" ", 1) for line in targets.splitlines())
        for suite in self._suites:
            if suite in files:
                text = apt.run(["/usr/lib/apt/apt-helper", "cat-file", files[suite]])
                yield from kernels_in(text, suite)

    def _store_image(self, package: Package) -> str:
        self._apt.write_root((package.suite,))  # apt reads every list it is told of: seconds, if all
        directory = self._cache.directory("apt/download")
        try:
            # apt compares the size and the digest with the signed list before the file gets its name.
            self._apt.run("download", f"{package.name}={package.version}", cwd=directory)
            debs = list(directory.glob("*.deb"))
            if len(debs) != 1:
                raise Trouble(f"apt-get download {package.name} left {len(debs)} files in {directory}.")
            return store_image(debs[0], package.release, self._cache)
        finally:
            shutil.rmtree(directory, ignore_errors=True)

def kernels_in(packages: str, suite: str) -> Iterator[Package]:
    """The kernels among the stanzas of a Packages file: those that hold one, not those that depend on one."""
    for stanza in packages.split("\n\n"):
        if "Package: linux-" not in stanza:  # nearly all of 60,000
            continue
        fields = dict(re.findall(r"^([\w-]+): (.*)$", stanza, re.MULTILINE))
        name, version = fields["Package"], fields["Version"]
        series = re.match(r"(?:\d+:)?(\d+\.\d+)", version)
        points_elsewhere = _POINTS_ELSEWHERE.search(fields.get("Depends", ""))
        if (match := _KERNEL.fullmatch(name)) and series and not points_elsewhere:
            yield Package(series=series[1], name=name, version=version, release=match["release"], suite=suite)


def store_image(deb: Path, release: str, cache: Cache) -> str:
    """Put the kernel image that a package holds into the cache; its SHA-256."""
    names = {f"./boot/vmlinuz-{release}", f"./usr/lib/modules/{release}/vmlinuz"}
    command = ["dpkg-deb", "--fsys-tarfile", str(deb)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            with tarfile.open(fileobj=process.stdout, mode="r|") as tar:
                for member in tar:
                    if member.name in names and (file := tar.extractfile(member)):
                        return cache.put(file)
        except tarfile.TarError as error:
            raise Trouble(f"{deb.name} cannot be unpacked: {error}. Remove it and try again.") from error
        finally:
            process.kill()  # the modules behind the image are of no interest
    raise Trouble(f"{deb.name} holds no kernel image: none of {', '.join(sorted(names))} is in it.")


def _is_missing(reason: str) -> bool:
    """The mirror answered, and has no such suite: asking again before the day is over is of no use."""
    return "does not have a Release file" in reason


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
    """Whether it could be a series that came after the list was made; a typing mistake is none."""
    if not re.fullmatch(r"\d+\.\d+", series):
        return False
    return all(_numbers(series) > _numbers(known) for known in index.packages)


def _is_later(version: str, other: str) -> bool:
    return subprocess.run(["dpkg", "--compare-versions", version, "gt", other], check=False).returncode == 0


def _numbers(series: str) -> tuple[int, ...]:
    return tuple(int(part) for part in series.split("."))


def _now() -> datetime:
    return datetime.now(timezone.utc)
