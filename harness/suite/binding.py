# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The bindings under test: ours, those that this repository has adapters for, and programs that were built elsewhere.

A binding is judged through a conformance program: the same tests, compiled against it. The build puts ours at
conformance/conformance and the others at conformance/conformance-NAME.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from harness.base import elf, names, outside
from harness.base.errors import HarnessError
from harness.base.outside import real
from harness.base.words import one_line

OURS = "uring"
RAW = "raw"  # bare system calls: there is no binding whose logic could be wrong
_LIE = "lie:"  # our own binding on a kernel that lies
_FETCHED = re.compile(r"liburing-.+|rust-io-uring")  # from the archive's later suites


def is_ours(name: str) -> bool:
    """Whether it is this repository's own binding, which must be able to express everything."""
    return name == OURS or name.startswith(_LIE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A binding, and the program that contains it."""

    name: str
    given: str | None = None  # the path of a program built elsewhere; None: it is in the build directory

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
            return real(Path(os.path.expanduser(self.given)))
        return build / "conformance" / self.file_name

    def demand_program(self, build: Path, *, in_guests: bool) -> None:
        """HarnessError, with the remedy, if the program cannot be run."""
        program = self.program(build)
        if os.path.exists(program):
            outside.demand_regular(program, f"The program {program} of the binding {self.name}")
        else:
            raise HarnessError(
                f"The binding {self.name} has no program: {program} does not exist. {self._remedy(build)}"
            )
        if not os.access(program, os.X_OK):
            raise HarnessError(f"{program} cannot be executed. Build it again, or chmod +x it.")
        if in_guests and (wants := elf.needs(program)):
            raise HarnessError(
                f"{program} cannot run in a virtual machine, where it is the only file: {wants}. "
                "Link it with -static, or run it on this machine only (--kernel host)."
            )

    def _remedy(self, build: Path) -> str:
        if self.given is not None:
            return "Build it with your adapter first: see conformance/adapters/README.md."
        if is_ours(self.name):
            return "Build first: ci/build."
        if _FETCHED.fullmatch(self.name):
            return "ci/harness adapters fetches that binding from the archive and builds it; then run this again."
        there = sorted(
            path.name.removeprefix("conformance-") for path in (build / "conformance").glob("conformance-*")
        )
        known = ", ".join((OURS, *there))
        return f"There are {known}; ci/build and ci/harness adapters build them, and one of your own is NAME=PROGRAM."


DEFAULT = (Binding(name=OURS),)


def parse(specs: Iterable[str]) -> tuple[Binding, ...]:
    """The bindings that were asked for, each once; ours if none was."""
    found: dict[str, Binding] = {}
    for spec in specs:
        name, equals, path = spec.partition("=")
        if name and equals and path and not names.is_binding(name):
            raise HarnessError(
                f"{path} cannot be run as the binding {one_line(repr(name), 100)}: a binding's name begins with a letter or a digit, and "
                f"has only letters, digits and . _ + : -, at most {names.LONGEST}. Choose another name."
            )
        if not names.is_binding(name) or (equals and not path):
            raise HarnessError(
                f"{spec!r} is not a binding: write its name, or NAME=PROGRAM for a program of your own."
            )
        if equals and is_ours(name):
            raise HarnessError(
                f"{name} is the binding of this repository: give the one in {path} another name."
            )
        one = Binding(name=name, given=path or None)
        if found.setdefault(name, one) != one:
            raise HarnessError(f"{found[name].spec} and {spec} would both be called {name}. Rename one.")
    return tuple(found.values()) or DEFAULT
