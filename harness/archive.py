"""The distribution's archive: which kernels it has, and the newest of a series as a verified image.

apt does the fetching and the checking, in a root of its own below the cache: own lists, own sources
(signed by the distribution's keyring and nothing else), no need to be root, nothing of the system is
read but its network settings and, for the mirror, its sources.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from harness.cache import Cache, Notice, explained, full_disk
from harness.trouble import Trouble

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
MAX_AGE = timedelta(hours=24)  # of the list of packages
# Without progress apt is ended: it gives every suite its own two tries, so that a mirror that accepts and
# stays silent would take minutes, and it waits for ever on a disk that became full (apt 2.6).
STALL_S = 30

# The small flavour. From 6.19 on linux-image-* is an empty package and linux-binary-* has the kernel.
_KERNEL = re.compile(r"linux-(?:image|binary)-(?P<release>\d+\.\d+\S*-cloud-amd64)")
_POINTS_ELSEWHERE = re.compile(r"\blinux-(?:image|binary)-\d")
_SCARCE = 64 << 20  # a stall with less room than one package list needs is the disk's doing
_NO_ROOM = re.compile("No space left on device|enough free space")
_ADVICE = "Check the network, or name another mirror with --mirror."

_CONFIGURATION = """\
// Read last, so the machine's own settings apply where nothing is said here: proxies, credentials, TLS.
Dir::State "{root}/state";
Dir::State::status "{root}/status";
Dir::Cache "{root}/cache";
Dir::Cache::pkgcache "";     // 100 MB that would save two seconds
Dir::Cache::srcpkgcache "";
Dir::Etc::sourcelist "{root}/archive.sources";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::Etc::trusted "/dev/null";
Dir::Etc::trustedparts "/dev/null";
APT::Architecture "amd64";
#clear APT::Architectures;
APT::Architectures {{ "amd64"; }};
APT::Get::AllowUnauthenticated "false";
APT::Sandbox::User "root";   // i.e. no change of user: _apt could not enter a private home directory
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
Acquire::AllowReleaseInfoChange "true";   // the day testing becomes stable
Acquire::GzipIndexes "true";
Acquire::Retries "1";
Acquire::http::Timeout "10";
Acquire::https::Timeout "10";
"""

_SOURCES = """\
Types: deb
URIs: {uri}
Suites: {suites}
Components: main
Architectures: amd64
Targets: Packages
PDiffs: no
Languages: none
Signed-By: {keyring}

"""


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
        self._mirror = mirror
        self._security_mirror = security_mirror
        self._notice = notice
        self._progress = progress or notice
        self._keyring = keyring
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
            if self._asked:
                raise
            # The list is from an earlier run, and suites drop old versions without notice.
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
        self._write_root(self._suites)
        output = self._apt("update")
        left_out = _failures(output)
        if set(left_out) == set(self._suites):
            reason = left_out[self._suites[0]]
            raise Trouble(f"{self._place()} cannot be used: {reason}. {_ADVICE}")
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
        targets = self._apt("indextargets", "--format", form, *wanted)
        files = dict(line.split(" ", 1) for line in targets.splitlines())
        for suite in self._suites:
            if suite in files:
                text = _run(["/usr/lib/apt/apt-helper", "cat-file", files[suite]])
                yield from kernels_in(text, suite)

    def _store_image(self, package: Package) -> str:
        self._write_root((package.suite,))  # apt reads every list it is told of: seconds, if all
        directory = self._cache.directory("apt/download")
        try:
            # apt compares the size and the digest with the signed list before the file gets its name.
            self._apt("download", f"{package.name}={package.version}", cwd=directory)
            debs = list(directory.glob("*.deb"))
            if len(debs) != 1:
                raise Trouble(f"apt-get download {package.name} left {len(debs)} files in {directory}.")
            return store_image(debs[0], package.release, self._cache)
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def _write_root(self, suites: tuple[str, ...]) -> None:
        if not self._keyring.exists():
            raise Trouble(f"{self._keyring} does not exist: install the package debian-archive-keyring.")
        for name in ("apt/state/lists/partial", "apt/cache/archives/partial"):
            self._cache.directory(name)
        root = self._cache.directory("apt")
        with explained(root / "archive.sources"):
            (root / "status").touch()
            (root / "apt.conf").write_text(_CONFIGURATION.format(root=root))
            (root / "archive.sources").write_text(self._sources(suites))

    def _sources(self, suites: tuple[str, ...]) -> str:
        main, security = self._mirrors()
        stanzas = []
        for uri, is_security in ((main, False), (security, True)):
            if there := " ".join(suite for suite in suites if suite.endswith("-security") == is_security):
                stanzas.append(_SOURCES.format(uri=uri, suites=there, keyring=self._keyring))
        return "".join(stanzas)

    def _mirrors(self) -> tuple[str, str]:
        main, security = self._mirror, self._security_mirror
        if main is None:
            bases = {_base(suite) for suite in self._suites} | {"oldstable", "stable", "testing", "unstable"}
            found = {}
            form = "$(RELEASE) $(COMPONENT) $(REPO_URI)"
            for line in _run(["apt-get", "indextargets", "--no-release-info", "--format", form]).splitlines():
                suite, component, uri = line.split(" ", 2)
                if component == "main" and _base(suite) in bases:
                    found.setdefault(suite.endswith("-security"), uri)
            if False not in found:
                raise Trouble(f"The machine's apt configuration names no archive with {bases}. {_ADVICE}")
            main, security = found[False], security or found.get(True)
        return main, security or f"{main.rstrip('/')}-security"

    def _place(self) -> str:
        return f"The package archive at {self._mirrors()[0]}"

    def _apt(self, *arguments: str, cwd: Path | None = None) -> str:
        """Run apt-get in the private root; what it printed. A suite that fails is no trouble yet."""
        root = self._cache.root / "apt"
        lines: list[str] = []
        ended, stalled = threading.Event(), threading.Event()

        def watch() -> None:
            """End an apt that gets nowhere: no answer of the mirror, no byte more on the disk."""
            before = (0, _size(root))
            while not ended.wait(STALL_S):
                answers = sum(line.startswith(("Get:", "Hit:")) or "404 " in line for line in tuple(lines))
                now = (answers, _size(root))
                if now == before:
                    stalled.set()
                    _end(process)
                    return
                before = now

        with _start(["apt-get", "-q", "-c", str(root / "apt.conf"), *arguments], cwd) as process:
            watcher = threading.Thread(target=watch)
            watcher.start()
            try:
                for line in process.stdout:
                    lines.append(line)
            finally:
                ended.set()
                watcher.join()
                _end(process)  # when it is we who were interrupted
        output = "".join(lines)
        if _NO_ROOM.search(output) or (stalled.is_set() and shutil.disk_usage(root).free < _SCARCE):
            raise full_disk(cwd or root / "state/lists")
        if stalled.is_set():
            raise Trouble(f"{self._place()} gave no answer for {STALL_S} s. {_ADVICE}")
        if process.returncode and not (arguments[0] == "update" and _failures(output)):
            errors = [line[3:].strip() for line in lines if line.startswith("E: ")]
            reason = "; ".join(errors).rstrip(".") or f"exit code {process.returncode}"
            raise Trouble(f"apt-get {' '.join(arguments)} failed: {reason}. {_ADVICE}")
        return output


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


def _failures(output: str) -> dict[str, str]:
    """The suites that `apt-get update` could not read, each with the reason."""
    failed = {}
    for match in re.finditer(r"^Err:\d+ \S+ ([^\s/]+).*\n((?:  .*\n)*)", output, re.MULTILINE):
        failed.setdefault(match[1], " ".join(match[2].split()).rstrip(".:") or "no reason given")
    for match in re.finditer(r"^E: The repository '\S+ (\S+) Release' (.*)\.$", output, re.MULTILINE):
        failed[match[1]] = f"it {match[2]}"  # says it better; of an unsigned suite it is the only word
    return failed


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


def _is_later(version: str, other: str) -> bool:
    return subprocess.run(["dpkg", "--compare-versions", version, "gt", other], check=False).returncode == 0


def _numbers(series: str) -> tuple[int, ...]:
    return tuple(int(part) for part in series.split("."))


def _base(suite: str) -> str:
    return re.sub(r"-(security|updates|proposed-updates|backports)$", "", suite)


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _start(command: list[str], cwd: Path | None = None) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            command,
            cwd=cwd,
            process_group=0,  # apt's helpers go with it; also keeps a Ctrl-C for us, who then end it
            env=os.environ | {"LC_ALL": "C"},  # we read the messages
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except FileNotFoundError as error:
        raise Trouble(
            f"{command[0]} is not installed: kernels by series need Debian's apt. "
            "Give the path of a kernel image instead."
        ) from error


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


def _size(directory: Path) -> int:
    total = 0
    for path, _, names in os.walk(directory):
        for name in names:
            with suppress(FileNotFoundError):  # apt renames while we look
                total += os.stat(os.path.join(path, name)).st_size
    return total


def _run(command: list[str]) -> str:
    with _start(command) as process:
        output = process.communicate()[0]
    if process.returncode:
        raise Trouble(f"{' '.join(command)} failed: {output.strip() or process.returncode}")
    return output
