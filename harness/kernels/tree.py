# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""A kernel from its source tree: built out of tree, in the cache, with a small configuration of ours.

The configuration starts from nothing (allnoconfig) and adds fragments: guest.config, then those that were asked for.
Kconfig silently drops an option that the tree does not know or whose dependencies are missing, so every line is looked
up in the result. The build directory stays, so the next build of the tree is quick.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.base import outside
from harness.base.cache import Cache, Notice, explained
from harness.base.errors import HarnessError
from harness.base.process import run

FOLDER = Path(__file__).parent
GUEST = FOLDER / "guest.config"
BUILDS = "builds"  # the folder in the cache
LOG = "build.log"
SAY_EVERY_S = 30.0  # a first build takes minutes

#: The programs that a build needs, and the Debian packages they are in.
PROGRAMS = {"make": "make", "gcc": "gcc", "ld": "binutils", "flex": "flex", "bison": "bison", "bc": "bc"}
HEADERS = {"gelf.h": "libelf-dev"}  # objtool reads object files

_VERSION = re.compile(r"^(VERSION|PATCHLEVEL|SUBLEVEL|EXTRAVERSION)[ \t]*=[ \t]*(\S*)[ \t]*$", re.MULTILINE)
_SET = re.compile(r"(CONFIG_\w+)=(.+)")
_UNSET = re.compile(r"# (CONFIG_\w+) is not set")
_ERROR = re.compile(r"error|undefined reference|not clean|No rule|\*\*\*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """The kernel of a tree."""

    image: Path  # a bzImage
    sha256: str
    release: str  # as `make kernelrelease` says


def version_of(tree: Path) -> str | None:
    """The version in a kernel's Makefile, such as 6.18.0-rc3; None if this is not a kernel's source tree."""
    try:
        contents = outside.read(tree / "Makefile", outside.TEXT, "The Makefile")
    except outside.Unreadable:
        return None
    text = contents[:4000].decode(errors="replace")  # the first lines
    said: dict[str, str] = dict(_VERSION.findall(text))
    if not said.get("VERSION") or not said.get("PATCHLEVEL"):
        return None
    numbers = ".".join(said[key] for key in ("VERSION", "PATCHLEVEL", "SUBLEVEL") if said.get(key))
    return numbers + said.get("EXTRAVERSION", "")


def fragment(name: str) -> Path:
    """The configuration fragment of that name: one that ships with the harness, or a file."""
    shipped = {path.stem: path for path in FOLDER.glob("*.config") if path != GUEST}
    path = shipped.get(name, outside.real(Path(name)))
    if not os.path.isfile(path):
        raise HarnessError(
            f"There is no configuration {name!r}: name a file, or one of {', '.join(sorted(shipped))}."
        )
    return path


def options(fragments: Iterable[Path]) -> dict[str, str]:
    """The options of all fragments; the last fragment that sets an option wins."""
    wanted: dict[str, str] = {}
    for path in fragments:
        lines = outside.text(path, outside.TEXT, f"The configuration {path}").splitlines()
        for number, line in enumerate(lines, 1):
            if match := _SET.fullmatch(line.strip()):
                wanted[match[1]] = match[2]
            elif match := _UNSET.fullmatch(line.strip()):
                wanted[match[1]] = "n"
            elif line.strip() and not line.startswith("#"):
                raise HarnessError(
                    f"{path}:{number}: {line!r} is not an option. Write CONFIG_NAME=value, or a # comment."
                )
    return wanted


def dropped(wanted: Mapping[str, str], configuration: str) -> dict[str, str]:
    """The wanted options that a .config does not have, each with the value that it has instead."""
    has = {match[1]: match[2] for match in map(_SET.fullmatch, configuration.splitlines()) if match}
    return {name: has.get(name, "n") for name, value in wanted.items() if has.get(name, "n") != value}


def key_of(tree: Path, fragments: Iterable[Path]) -> str:
    """The name of the build directory of a tree with these fragments."""
    words = [str(outside.real(tree)), *(str(path) for path in fragments)]
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:16]


def build(tree: Path, fragments: tuple[Path, ...], *, cache: Cache, progress: Notice) -> Built:
    """Build the tree; quick when nothing changed since the last time."""
    wanted = options((GUEST, *fragments))
    _require_tools()
    place = cache.directory(f"{BUILDS}/{key_of(tree, fragments)}")
    with cache.lock(f"build-{place.name}", progress):
        fact = {"tree": str(outside.real(tree)), "fragments": [path.stem for path in fragments]}
        cache.put_fact(f"build-{place.name}", fact)  # whose directory this is, even if the build fails
        make = _Make(tree, place, progress)
        make.begin()
        _configure(make, place, wanted)
        make.run("bzImage")  # boots everywhere; its vmlinux boots faster if it has a PVH note (image.py)
        release = make.answer("kernelrelease")
        bzimage = place / "arch/x86/boot/bzImage"
        contents = outside.read(
            bzimage, outside.KERNEL, f"The built kernel {bzimage}", "Look at its build.log."
        )
        sha256 = cache.put(io.BytesIO(contents))
        cache.put_fact(f"build-{place.name}", {**fact, "release": release, "sha256": sha256})
    if (image := cache.blob(sha256)) is None:
        raise HarnessError(f"The kernel built from {tree} vanished from {cache.root}. Try again.")
    return Built(image=image, sha256=sha256, release=release)


def _configure(make: _Make, place: Path, wanted: Mapping[str, str]) -> None:
    lines = "".join(f"{name}={value}\n" for name, value in wanted.items())
    with explained(place / "wanted.config"):
        (place / "wanted.config").write_text(lines)
    # Every time, because the tree's Kconfig files may have changed. It takes seconds and keeps an unchanged .config.
    make.run(f"KCONFIG_ALLCONFIG={place / 'wanted.config'}", "allnoconfig")
    missing = dropped(
        wanted, outside.text(place / ".config", outside.TEXT, f"The configuration {place / '.config'}")
    )
    if missing:
        options = ", ".join(f"{name}={wanted[name]} (it is {has})" for name, has in missing.items())
        raise HarnessError(
            f"The kernel in {make.tree} does not take {options}: it has no such option, or a dependency of the option "
            "is not set (search for it in make menuconfig). Add it to the configuration, or leave the option out."
        )


class _Make:
    """make in one tree and one build directory, with a log."""

    def __init__(self, tree: Path, place: Path, progress: Notice) -> None:
        self.tree = tree
        self._log = place / LOG
        self._progress = progress
        jobs = len(os.sched_getaffinity(0))
        # nice: guests that run at the same time have deadlines of seconds; this build takes minutes.
        command = ["nice", "-n", "10", "make", "--no-print-directory", "-C", str(tree), f"O={place}"]
        self._command = [*command, f"-j{jobs}", "ARCH=x86_64"]
        self._environment = {
            key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "KCONFIG"))
        }
        self._environment["LC_ALL"] = "C"  # we search its output for errors

    def begin(self) -> None:
        """Start a new log; the one of the last build stays beside it."""
        with explained(self._log):
            if self._log.exists():
                os.replace(self._log, self._log.with_suffix(".log.old"))
            self._log.touch()

    def run(self, *arguments: str) -> None:
        """Run make; HarnessError, with the errors in its log, when it fails."""
        with explained(self._log), self._log.open("ab") as log:
            process = subprocess.Popen(
                [*self._command, *arguments],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,  # so the compilers end with it, and Ctrl-C reaches only us, who then end it
            )
        try:
            self._wait(process)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)  # make removes half-built files
                process.wait()
        if process.returncode:
            raise HarnessError(
                f"The kernel in {self.tree} cannot be built: {self._errors()}. The whole log is in {self._log}."
            )

    def answer(self, target: str) -> str:
        """The word that make prints for a target such as kernelrelease."""
        command = [*self._command, "--silent", target]
        done = run(command, environment=self._environment, remedy="Install it.", check=False)
        words = done.output.split()
        if done.code or len(words) != 1:
            raise HarnessError(
                f"make {target} in {self.tree} does not answer with one word; it said: {done.said}"
            )
        return words[0]

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        begin = time.monotonic()
        while True:
            try:
                process.wait(SAY_EVERY_S)
                return
            except subprocess.TimeoutExpired:
                minutes = (time.monotonic() - begin) / 60
                steps = self._lines_of_log()
                self._progress(f"Building {self.tree}: {steps} steps in {minutes:.1f} minutes.")

    def _lines_of_log(self) -> int:
        with self._log.open("rb") as log:
            return sum(piece.count(b"\n") for piece in iter(lambda: log.read(outside.MIB), b""))

    def _end_of_log(self) -> bytes:
        """Its last part: make stops at the first error, and a build may print any amount before it."""
        with self._log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - outside.TEXT))
            return log.read()

    def _errors(self) -> str:
        lines = self._end_of_log().decode(errors="replace").splitlines()
        telling = [line.strip() for line in lines if _ERROR.search(line)] or lines[-1:]
        return " / ".join(telling[:3]).rstrip(".") or "make said nothing"


def _require_tools() -> None:
    missing = [package for program, package in PROGRAMS.items() if shutil.which(program) is None]
    if not missing:
        missing = [package for header, package in HEADERS.items() if not _compiles(f"#include <{header}>\n")]
    if missing:
        packages = " ".join(missing)
        raise HarnessError(f"Packages for building a kernel are missing: apt install {packages} (as root).")


def _compiles(text: str) -> bool:
    return (
        run(["gcc", "-E", "-x", "c", "-"], given=text.encode(), remedy="Install it.", check=False).code == 0
    )
