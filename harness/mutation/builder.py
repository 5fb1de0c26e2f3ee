# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Builds mutants: copies of the headers, compiler calls, and the program that contains many mutants.

Nothing here writes into the working tree. Test sources are read from it; headers are copied.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from harness.base.errors import HarnessError
from harness.base.paths import BUILD, ROOT
from harness.base.process import Done, run
from harness.mutation import schemata
from harness.mutation.headers import FOLDER, Header
from harness.mutation.mutants import Mutant, apply
from harness.suite.catalogue import chosen_rows

INCLUDE = ROOT / "bindings" / "include"
UNITS = ROOT / "bindings" / "tests"
EVERYTHING = UNITS / "everything.cc"
#: Sources that the project's own build makes.
GENERATED = BUILD / "conformance"

#: For every program here: no optimisation, because it runs once. A mutant may cause a warning; that does not count.
OPTIONS = ("-std=c++20", "-O0", "-w")
#: Unwritten variables are never 0 by accident, as in bindings/tests/CMakeLists.txt.
INITIALISED = ("-ftrivial-auto-var-init=pattern",)
_MESSAGE = re.compile(r"^\S*?/uring/(\S+?):(\d+):(\d+): error: ", re.MULTILINE)

#: Precompiled once for the unit tests, which are compiled over and over.
_PREAMBLE = "#include <gtest/gtest.h>\n" + "".join(
    f"#include <{name}>\n"
    for name in ("array", "bit", "cstring", "functional", "map", "set", "span", "utility", "vector")
)


@dataclass(frozen=True)
class Program:
    """The conformance suite and, unless left out, the binding's unit tests, with many mutants chosen by number."""

    numbers: Mapping[str, int]  # by mutant id
    suite: Path
    units: Path | None = None


class Builder:
    """A folder to work in. Files of an earlier run are reused if they still fit."""

    def __init__(self, folder: Path, headers: Mapping[str, Header]) -> None:
        self.folder = folder
        self._headers = headers
        self._lock = threading.Lock()

    # --- all at once -------------------------------------------------------------------------------------------------

    def program(self, mutants: Sequence[Mutant], jobs: int) -> Program:
        """Build the program with all of the mutants that can be chosen at run time."""
        place = self.folder / "program"
        numbers, preamble = self._with_choices(
            place, mutants
        )  # named by its contents: anything built with another is stale
        build = place / "build"
        # The project's own build, with these headers before its own.
        injected = place / "injected.cmake"
        write(
            injected,
            f"include_directories(BEFORE {place / 'include'})\nadd_compile_options(-w -include {preamble})\n",
        )
        run_or_raise(
            "cmake", "-S", ROOT, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Mutants", "-DCMAKE_CXX_FLAGS_MUTANTS=-O0",
            f"-DCMAKE_PROJECT_INCLUDE={injected}",
        )  # fmt: skip
        run_or_raise("cmake", "--build", build, "--parallel", jobs, "--target", "conformance", "binding_test")
        return Program(
            numbers, build / "conformance" / "conformance", build / "bindings" / "tests" / "binding_test"
        )

    def small_program(self, mutants: Sequence[Mutant], rows: Sequence[str], jobs: int) -> Program:
        """The same with only some rows of the suite, which builds much faster."""
        place = self.folder / "small"
        numbers, preamble = self._with_choices(place, mutants)
        suite = self._rows(place / "include", preamble, _sources(rows), jobs)
        if isinstance(suite, str):
            raise HarnessError(
                f"The rows {', '.join(rows)} do not compile with mutants in them:\n{suite[:2000]}"
            )
        return Program(numbers, suite)

    def _with_choices(self, place: Path, mutants: Sequence[Mutant]) -> tuple[dict[str, int], Path]:
        """Write the headers. Returns the mutants' numbers, and the file that must be included first."""
        numbered = {number: mutant for number, mutant in enumerate(mutants, start=1) if mutant.choices}
        chosen = self._settle(place / "include", numbered)
        text = f'#include "include/mutation.h"\n{_PREAMBLE}#include <uring/uring.h>\n'
        digest = digest_of(sorted((place / "include").rglob("*.h")))[:16]
        for old in place.glob("preamble-*"):
            if digest not in old.name:
                old.unlink()
        preamble = self._preamble(place / f"preamble-{digest}.h", text, "-I", place / "include")
        return {mutant.id: number for number, mutant in chosen.items()}, preamble

    def _settle(self, include: Path, numbered: Mapping[int, Mutant]) -> dict[int, Mutant]:
        """Write headers with all mutants that the compiler accepts as choices. The others are compiled alone."""
        chosen = dict(numbered)
        while True:
            texts = schemata.combine(self._headers, chosen)
            for file, text in texts.items():
                write(include / FOLDER / file, text.text)
            write(include / "mutation.h", schemata.PREAMBLE)
            made = _run(
                "g++",
                *OPTIONS,
                "-fsyntax-only",
                "-fmax-errors=0",
                "-I",
                include,
                "-include",
                include / "mutation.h",
                EVERYTHING,
            )
            if made.code == 0:
                return chosen
            blamed = {
                number
                for file, line, column in _MESSAGE.findall(made.errors)
                for number in texts[file].mutants_at(int(line), int(column))
            }
            if not blamed & chosen.keys():
                raise HarnessError(
                    f"The headers with all mutants do not compile, and no mutant is the cause:\n{made.errors[:2000]}"
                )
            chosen = {number: mutant for number, mutant in chosen.items() if number not in blamed}

    # --- one at a time -----------------------------------------------------------------------------------------------

    def alone(self, mutant: Mutant) -> Path:
        """An include directory with this mutant of the binding, in its own folder."""
        return self._include(mutant.id, apply(self._headers, mutant))

    def original(self, purpose: str = "looks") -> Path:
        """An include directory with the unchanged binding, in a folder for this purpose."""
        return self._include(f"original-{purpose}", {})

    def _include(self, name: str, changed: Mapping[str, str]) -> Path:
        include = self.folder / "alone" / name / "include"
        for file, header in self._headers.items():
            write(include / FOLDER / file, changed.get(file, header.text))
        return include

    def preamble(self) -> Path:
        """A precompiled header for sources that are compiled alone."""
        with self._lock:
            return self._preamble(self.folder / "preamble.h", _PREAMBLE, *INITIALISED)

    def _preamble(self, header: Path, text: str, *options: object) -> Path:
        compiled = header.with_name(f"{header.name}.gch")
        if write(header, text) or not compiled.exists():
            run_or_raise("g++", *OPTIONS, *options, "-x", "c++-header", header, "-o", compiled)
        return header

    def unit(self, include: Path, source: Path) -> Path | str:
        """One unit test as a program; or the compiler's message."""
        program = include.parent / source.stem
        made = _run("g++", *OPTIONS, *INITIALISED, "-include", self.preamble(), "-I", include, source, "-o", program,
                    "-fmax-errors=1", "-lgtest", "-lgtest_main")  # fmt: skip
        return program if made.code == 0 else made.errors

    def rows(self, include: Path, rows: Sequence[str], jobs: int) -> Path | str:
        """The conformance program with only these rows; or the compiler's message."""
        return self._rows(include, self.preamble(), _sources(rows), jobs, *INITIALISED)

    def _rows(
        self, include: Path, preamble: Path, sources: Sequence[Path], jobs: int, *more: str
    ) -> Path | str:
        folder = ROOT / "conformance"
        if not (GENERATED / "fixture" / "configurations.inc").exists():
            raise HarnessError(f"{GENERATED} lacks what the build makes for the suite. Run ci/build first.")
        support = sorted(
            path
            for room in ("fixture", "evidence", "seam", "program")
            for path in (folder / room).glob("*.cc")
        )

        def compiled(source: Path) -> tuple[Path, Done]:
            made = include.parent / f"{source.stem}.o"
            version = '-DCONFORMANCE_URING_VERSION="with a mistake in it"'  # normally the project's: see conformance/CMakeLists.txt
            options = (
                *OPTIONS,
                *more,
                version,
                "-include",
                preamble,
                "-I",
                include,
                "-I",
                folder,
                "-I",
                GENERATED,
            )
            return made, _run("g++", *options, "-c", source, "-o", made)

        with ThreadPoolExecutor(jobs) as pool:
            objects = list(pool.map(compiled, [*sources, *support]))
        if failed := next((made for _, made in objects if made.code != 0), None):
            return failed.errors
        program = include.parent / "conformance"
        made = _run("g++", "-static", *(path for path, _ in objects), "-o", program, "-lgtest")
        return program if made.code == 0 else made.errors


def _sources(stems: Sequence[str]) -> list[Path]:
    return [ROOT / row.file for row in chosen_rows(stems)]


def digest_of(paths: Iterable[Path]) -> str:
    """The digest of the names and contents of files."""
    found = hashlib.sha256()
    for path in paths:
        body = path.read_bytes()
        found.update(f"{path.name}\0{len(body)}\0".encode() + body)
    return found.hexdigest()


def write(path: Path, text: str) -> bool:
    """Write the file unless it is unchanged, so that files built from it stay valid. Returns whether it was written."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return True


def run_or_raise(*command: object) -> None:
    """Run a command that must succeed."""
    run(
        [str(word) for word in command],
        remedy="Everything must compile without a mutant; ci/install brings the tools.",
    )


def _run(*command: object) -> Done:
    return run([str(word) for word in command], remedy="ci/install brings it.", check=False)
