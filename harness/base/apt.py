# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""apt with its own root directory: fetches and verifies packages, as any user, without touching the system.

It has its own lists and sources, which only the distribution's keyring may sign. All it reads from the system are
the network settings and, to find the mirror, the sources.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from harness.base import names
from harness.base.cache import Cache, explained, full_disk
from harness.base.errors import HarnessError
from harness.base.process import run
from harness.base.words import one_line

if TYPE_CHECKING:
    from debian.debian_support import NativeVersion

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
ADVICE = "Check the network, or name another mirror with --mirror."
WITHOUT_APT = "Kernels by series need Debian's apt: install it, or give the path of a kernel image instead."
# apt is killed when it makes no progress: it tries every suite twice, so a mirror that accepts connections and
# stays silent would take minutes, and it waits forever once the disk is full (apt 2.6).
STALL_S = 30

_SCARCE = 64 << 20  # with less free space than one package list needs, a stall is the disk's fault
_OUT_OF_DATE = re.compile(r"Release file is (expired|not valid yet)")
_NOT_AS_SIGNED = re.compile("NO_PUBKEY|Missing key|not signed|BADSIG|Hash Sum mismatch")
_NO_ROOM = re.compile("No space left on device|enough free space")

_LONGEST_ADDRESS = 1000
_ADDRESS = re.compile(
    r"[a-z][a-z0-9+.-]*:[!-~]+"
)  # printable ASCII: a space would be a second address, a line end a second field
_UNQUOTABLE = re.compile(r"[\"\\\x00-\x1f\x7f]")  # in apt.conf and in a source

_CONFIGURATION = """\
// Read last, so the machine's own settings apply to everything not set here: proxies, credentials, TLS.
Dir::State "{root}/state";
Dir::State::status "{root}/status";
Dir::Cache "{root}/cache";
Dir::Cache::pkgcache "";     // 100 MB that would save two seconds
Dir::Cache::srcpkgcache "";
Dir::Etc::sourcelist "{directory}/archive.sources";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::Etc::trusted "/dev/null";
Dir::Etc::trustedparts "/dev/null";
APT::Architecture "amd64";
#clear APT::Architectures;
APT::Architectures {{ "amd64"; }};
APT::Get::AllowUnauthenticated "false";
APT::Sandbox::User "root";   // i.e. do not switch to _apt, which could not enter a private home directory
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
Acquire::AllowReleaseInfoChange "true";   // for the day when testing becomes stable
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


class Apt:
    """apt-get in the private root below a cache."""

    def __init__(
        self,
        cache: Cache,
        suites: tuple[str, ...],
        *,
        mirror: str | None,
        security_mirror: str | None,
        keyring: Path,
    ) -> None:
        """`suites`: all that may be asked for. If `mirror` is None, the machine's apt configuration names it."""
        self._cache = cache
        self._suites = tuple(names.suite(suite, "The list of suites") for suite in suites)
        self._mirror = None if mirror is None else address(mirror)
        self._security_mirror = None if security_mirror is None else address(security_mirror)
        self._keyring = keyring

    def update(self) -> str:
        """Fetch the lists of all suites and return what apt printed. A suite that fails is not an error yet."""
        return self._run(self._configured(self._cache.directory("apt"), self._suites), "update")

    def targets(self) -> dict[str, str]:
        """Each suite whose list was fetched, with the path of apt's copy."""
        form, wanted = "$(RELEASE) $(FILENAME)", ("Created-By: Packages", "Architecture: amd64")
        printed = self._run(self._cache.directory("apt"), "indextargets", "--format", form, *wanted)
        return dict(line.split(" ", 1) for line in printed.splitlines())

    @contextmanager
    def downloaded(self, name: str, version: str | None, suite: str) -> Iterator[Path]:
        """Download a package (version None: the newest), which exists until the block ends. May run in parallel."""
        directory = self._cache.directory("apt/download") / f"{name}_{version or 'newest'}"
        shutil.rmtree(directory, ignore_errors=True)  # left by a run that was killed
        try:
            # Its own directory and sources: apt reads every list in its sources, so fewer are faster.
            self._configured(self._cache.directory(f"apt/download/{directory.name}"), (suite,))
            # apt compares the size and the digest with the signed list before the file gets its name.
            self._run(directory, "download", f"{name}={version}" if version else name)
            debs = list(directory.glob("*.deb"))
            if len(debs) != 1:
                raise HarnessError(f"apt-get download {name} left {len(debs)} files in {directory}.")
            yield debs[0]
        finally:
            shutil.rmtree(directory, ignore_errors=True)

    def _configured(self, directory: Path, suites: tuple[str, ...]) -> Path:
        """Write apt's configuration for these suites into the directory, and return it."""
        if odd := _UNQUOTABLE.search(str(directory)):
            raise HarnessError(
                f"apt cannot work in {str(directory)!r}: its configuration has no way to write {odd[0]!r}. "
                "Choose another directory with --cache."
            )
        if not self._keyring.exists():
            raise HarnessError(f"{self._keyring} does not exist: install the package debian-archive-keyring.")
        for name in ("apt/state/lists/partial", "apt/cache/archives/partial"):
            self._cache.directory(name)
        root = self._cache.root / "apt"
        with explained(directory / "archive.sources"):
            (root / "status").touch()
            (directory / "apt.conf").write_text(_CONFIGURATION.format(root=root, directory=directory))
            (directory / "archive.sources").write_text(self._sources(suites))
        return directory

    def _sources(self, suites: tuple[str, ...]) -> str:
        main, security = self.mirrors()
        stanzas = []
        for uri, is_security in ((main, False), (security, True)):
            if there := " ".join(suite for suite in suites if suite.endswith("-security") == is_security):
                stanzas.append(_SOURCES.format(uri=uri, suites=there, keyring=self._keyring))
        return "".join(stanzas)

    def mirrors(self) -> tuple[str, str]:
        """The base addresses of the main and of the security archive."""
        main, security = self._mirror, self._security_mirror
        if main is None:
            bases = {_base(suite) for suite in self._suites} | {"oldstable", "stable", "testing", "unstable"}
            found: dict[bool, str] = {}
            form = "$(RELEASE) $(COMPONENT) $(REPO_URI)"
            command = ["apt-get", "indextargets", "--no-release-info", "--format", form]
            for line in run(command, remedy=WITHOUT_APT).output.splitlines():
                suite, component, uri = line.split(" ", 2)
                if component == "main" and _base(suite) in bases:
                    found.setdefault(suite.endswith("-security"), uri)
            if False not in found:
                raise HarnessError(f"The machine's apt configuration names no archive with {bases}. {ADVICE}")
            main, security = found[False], security or found.get(True)
        return main, security or f"{main.rstrip('/')}-security"

    @property
    def place(self) -> str:
        """The archive, as the start of a sentence about it."""
        return f"The package archive at {self.mirrors()[0]}"

    def _run(self, directory: Path, *arguments: str) -> str:
        """Run apt-get, configured and fetching into the directory, and return what it printed."""
        lines: list[str] = []
        ended, stalled = threading.Event(), threading.Event()

        def watch() -> None:
            """Kill an apt that makes no progress: no answer from the mirror, not one more byte on the disk."""
            before = (0, _size(directory))
            while not ended.wait(STALL_S):
                answers = sum(line.startswith(("Get:", "Hit:")) or "404 " in line for line in tuple(lines))
                now = (answers, _size(directory))
                if now == before:
                    stalled.set()
                    _end(process)
                    return
                before = now

        with _start(["apt-get", "-q", "-c", str(directory / "apt.conf"), *arguments], directory) as process:
            _running.add(process)
            watcher = threading.Thread(target=watch)
            watcher.start()
            try:
                assert process.stdout is not None
                for line in process.stdout:
                    lines.append(line)
            finally:
                ended.set()
                watcher.join()
                _end(process)  # in case we were interrupted
                _running.discard(process)
        output = "".join(lines)
        if _NO_ROOM.search(output) or (stalled.is_set() and shutil.disk_usage(directory).free < _SCARCE):
            raise full_disk(directory / "(new file)")
        if stalled.is_set():
            raise HarnessError(f"{self.place} gave no answer for {STALL_S} s. {ADVICE}")
        if process.returncode and not (arguments[0] == "update" and failures(output)):
            errors = [line[3:].strip() for line in lines if line.startswith("E: ")]
            reason = "; ".join(errors).rstrip(".") or f"exit code {process.returncode}"
            raise HarnessError(f"apt-get {' '.join(arguments)} failed: {reason}. {advice(reason)}")
        return output


def address(text: str) -> str:
    """The base address of an archive; HarnessError if it cannot be one. It becomes a field of an apt source."""
    if len(text) <= _LONGEST_ADDRESS and _ADDRESS.fullmatch(text):
        return text
    raise HarnessError(
        f"{one_line(repr(text), 100)} is not the address of an archive: it must be one word such as http://HOST/debian, with its "
        f"scheme, and at most {_LONGEST_ADDRESS} characters. Correct --mirror."
    )


def advice(reason: str) -> str:
    """The remedy for a failure that apt reported."""
    if _OUT_OF_DATE.search(reason):
        return "The mirror is not kept up to date, or this machine's clock is wrong. Set the clock, or name another mirror with --mirror."
    if _NOT_AS_SIGNED.search(reason):
        return "What the mirror sent is not what the distribution signed, and none of it is used. Name another mirror with --mirror."
    return ADVICE


def end_all() -> None:
    """Kill every apt-get of this process: Ctrl-C reaches only the main thread, and they may run in others."""
    for process in tuple(_running):
        _end(process)


_running: set[subprocess.Popen[str]] = set()


def failures(output: str) -> dict[str, str]:
    """The suites that `apt-get update` could not read, each with the reason."""
    failed: dict[str, str] = {}
    for match in re.finditer(r"^Err:\d+ \S+ ([^\s/]+).*\n((?:  .*\n)*)", output, re.MULTILINE):
        reason = " ".join(match[2].split()).partition(" Hashes of expected file:")[
            0
        ]  # a screenful of digests helps nobody
        failed.setdefault(match[1], reason.rstrip(".:") or "no reason given")
    for match in re.finditer(r"^E: The repository '\S+ (\S+) Release' (.*)\.$", output, re.MULTILINE):
        failed[match[1]] = f"it {match[2]}"  # more precise; for an unsigned suite it is the only message
    for match in re.finditer(
        r"^E: Release file for \S+/dists/(\S+)/\w+ is ((?:expired|not valid yet) .*)\. Updates",
        output,
        re.MULTILINE,
    ):
        failed[match[1]] = f"its Release file is {match[2]}"
    return failed


def _base(suite: str) -> str:
    return re.sub(r"-(security|updates|proposed-updates|backports)$", "", suite)


def _start(command: list[str], cwd: Path) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            command,
            cwd=cwd,
            process_group=0,  # so apt's helpers are killed with it, and Ctrl-C reaches only us, who then kill apt
            env=os.environ | {"LC_ALL": "C"},  # we parse the messages
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except FileNotFoundError as error:
        raise HarnessError(f"{command[0]} cannot be started: {error.strerror}. {WITHOUT_APT}") from error


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


def fields(stanza: str) -> Mapping[str, str]:
    """The fields of one paragraph of a Packages file."""
    with _library():
        from debian.deb822 import Packages
    found: Mapping[str, str] = Packages(stanza)
    return found


def version(text: str) -> NativeVersion:
    """A package's version: it compares as dpkg does, and has `upstream_version`."""
    with _library():
        from debian.debian_support import NativeVersion
    return NativeVersion(text)


@contextmanager
def _library() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise HarnessError(
            "The archive's packages are read with python3-debian: install it with apt."
        ) from error
