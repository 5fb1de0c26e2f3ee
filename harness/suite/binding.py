"""The bindings that a run is through: ours, those that this repository adapts, and programs that somebody built elsewhere.

A binding is judged through a conformance program: the same tests, compiled against it. The build leaves ours as
conformance/conformance and the others as conformance/conformance-NAME.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from harness.base import elf
from harness.base.errors import HarnessError
from harness.base.process import run

OURS = "uring"
RAW = "raw"  # bare system calls: no logic of a binding that could be wrong
_CALLED_WRONGLY = 2  # the conformance program's exit code for that
_START_S = 60
_LIE = "lie:"  # our own program as its own counterexample
_FETCHED = re.compile(r"liburing-.+|rust-io-uring")  # of the archive's later suites
# The name also names a file in the guest, and stands in pytest's node ids and in the runner's plan.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+:-]*")


def is_ours(name: str) -> bool:
    """Whether it is this repository's own binding, which must have words for everything."""
    return name == OURS or name.startswith(_LIE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A binding, and which program has it."""

    name: str
    given: str | None = None  # the path of a program from elsewhere; None: it is in the build directory

    @property
    def spec(self) -> str:
        """What --binding takes."""
        return self.name if self.given is None else f"{self.name}={self.given}"

    @property
    def file_name(self) -> str:
        """The program's name in the build directory and in a guest."""
        return "conformance" if is_ours(self.name) else f"conformance-{self.name}"

    def program(self, build: Path) -> Path:
        """The conformance program."""
        if self.given is not None:
            return Path(self.given).expanduser().resolve()
        return build / "conformance" / self.file_name

    def demand_program(self, build: Path, *, in_guests: bool) -> None:
        """HarnessError, with what is to be done, if the program cannot be run."""
        program = self.program(build)
        if not program.is_file():
            raise HarnessError(f"There is no program for the binding {self.name}: {program} is not there. {self._remedy(build)}")
        if not os.access(program, os.X_OK):
            raise HarnessError(f"{program} cannot be executed. Build it anew, or chmod +x it.")
        if in_guests and (wants := elf.needs(program)):
            raise HarnessError(
                f"{program} cannot run in a virtual machine, which has nothing but it: {wants}. "
                "Link it with -static, or run it on this machine only (--kernel host)."
            )
        self._demand_the_name(program)

    def _demand_the_name(self, program: Path) -> None:
        """HarnessError if the program calls its binding something else: in a guest, every cell would tell so, one by one."""
        command = [str(program), f"--binding={self.name}", "--gtest_list_tests"]
        done = run(command, timeout_s=_START_S, remedy="Build it again.", check=False)
        if done.code == _CALLED_WRONGLY:
            said = (done.errors.strip().splitlines() or ["it does not say why"])[-1]
            raise HarnessError(
                f"{program} does not run as the binding {self.name}: {said.removeprefix('conformance: ')}. "
                "Use one name for it everywhere; in an adapter it is .name."
            )

    def _remedy(self, build: Path) -> str:
        if self.given is not None:
            return "Build it with your adapter first: see conformance/adapters/README.md."
        if is_ours(self.name):
            return "Build first: ci/build."
        if _FETCHED.fullmatch(self.name):
            return "ci/adapters fetches that binding from the archive and builds it; then run this again."
        there = sorted(path.name.removeprefix("conformance-") for path in (build / "conformance").glob("conformance-*"))
        return f"There are {', '.join((OURS, *there))}; ci/build and ci/adapters make them, and one of your own is NAME=PROGRAM."


DEFAULT = (Binding(name=OURS),)


def parse(specs: Iterable[str]) -> tuple[Binding, ...]:
    """The bindings that somebody asked for, each once; ours if nobody asked for any."""
    found: dict[str, Binding] = {}
    for spec in specs:
        name, equals, path = spec.partition("=")
        if not _NAME.fullmatch(name) or (equals and not path):
            raise HarnessError(f"{spec!r} is no binding: write its name, or NAME=PROGRAM for a program of your own.")
        if equals and is_ours(name):
            raise HarnessError(f"{name} is the binding of this repository: give the one in {path} another name.")
        one = Binding(name=name, given=path or None)
        if found.setdefault(name, one) != one:
            raise HarnessError(f"{found[name].spec} and {spec} would both be called {name}. Rename one.")
    return tuple(found.values()) or DEFAULT
