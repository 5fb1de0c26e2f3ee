# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The fate of a mutant: which check notices it first.

The conformance suite on this machine's kernel runs first, because it is what we measure; then the binding's unit tests, the
compiler, and the checks of the emitted code.
"""

from __future__ import annotations

import enum
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

from harness.base.errors import HarnessError
from harness.base.process import Done, run
from harness.mutation.builder import UNITS, Builder, Program
from harness.mutation.headers import OTHER_ARCHITECTURE
from harness.mutation.mutants import Mutant
from harness.mutation.schemata import VARIABLE
from harness.suite import catalogue, deviations
from harness.suite.since import KernelVersion

#: A test takes milliseconds here; the suite's watchdog ends one that hangs.
TEST_TIMEOUT_S = 4
#: For hangs that no watchdog sees.
RUN_TIMEOUT_S = 30
_WATCHDOG = 124
#: Rows that together use most of the ring and of a buffer group.
FEW_ROWS = ("nop", "readv", "register_files_update", "copy_cqes_wrapping", "buffer_group")

_FAILED = re.compile(r"^\[  FAILED  \] (\S+?)(?:,| \(|$)", re.MULTILINE)
_STARTED = re.compile(r"^\[ RUN      \] (\S+)", re.MULTILINE)


class Witness(enum.StrEnum):
    """The check that noticed a mutant."""

    SUITE = "suite"  # conformance/ on a real kernel
    UNITS = "unit tests"  # bindings/tests without a kernel
    COMPILER = "compiler"  # a static_assert
    CODE = "emitted code"  # bindings/tests/emitted_code_test.py and the like


class Verdict(enum.StrEnum):
    """The fate of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    INVALID = "invalid"  # does not compile, so there is nothing to notice


@dataclass(frozen=True)
class Finding:
    """The outcome for one mutant."""

    verdict: Verdict
    witness: Witness | None = None
    killer: str = ""  # the test or check that noticed
    how: str = ""  # "failed", "hung", "died of SIGSEGV"


@cache
def passing_here() -> str:
    """The filter of the suite's tests that this machine passes: without what its kernel is known to fail, and without rows
    that need a guest of their own."""
    version = KernelVersion.parse(os.uname().release, os.uname().version)
    rows = catalogue.load()
    known = deviations.load(rows)
    listed = (one for row in rows for one in deviations.concerning(known, row.stem, version, "uring"))
    known_to_fail = deviations.patterns(test for one in listed for test in one.tests)
    in_guests = (row.filter for row in rows if row.machine is not None)
    return "*" + deviations.without((*known_to_fail, *in_guests))


def run_tests(program: Path, number: int = 0, *, watchdog: bool = True, only: str = "*") -> Finding:
    """Run a GoogleTest program, or only these tests of it, up to the first that fails. The caller fills in the witness.

    A hang or an exit without a failed test must happen twice: once may be the machine's fault.
    """
    finding = _run_once(program, number, watchdog, only)
    if finding.how == "hung" or finding.how.startswith("ended"):
        return _run_once(program, number, watchdog, only)
    return finding


def _run_once(program: Path, number: int, watchdog: bool, only: str) -> Finding:
    options = ["--gtest_fail_fast", "--gtest_brief=0", f"--gtest_filter={only}"]
    options += [f"--timeout-s={TEST_TIMEOUT_S}"] if watchdog else []
    environment = {"PATH": os.environ.get("PATH", ""), VARIABLE: str(number)}
    with tempfile.TemporaryDirectory(prefix="uring-mutant-") as folder:
        environment |= {"TMPDIR": folder, "HOME": folder}
        code, output = _watched([str(program), *options], environment, folder)
    if code == 0:
        return Finding(Verdict.SURVIVED)
    failed, started = _FAILED.findall(output), _STARTED.findall(output)
    last = started[-1] if started else "the start"
    if code is None or code == _WATCHDOG:
        return Finding(Verdict.KILLED, killer=last, how="hung")
    if code < 0 or not failed:
        how = f"died of {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
        return Finding(Verdict.KILLED, killer=last, how=how)
    return Finding(Verdict.KILLED, killer=failed[0], how="failed")


def _watched(command: Sequence[str], environment: dict[str, str], folder: str) -> tuple[int | None, str]:
    """Exit code and output; None if it did not end in time. In either case nothing of it keeps running."""
    with tempfile.TemporaryFile(mode="w+", encoding="utf-8", errors="replace") as output:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=subprocess.STDOUT, start_new_session=True)  # fmt: skip
        code: int | None = None
        try:
            code = process.wait(RUN_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            pass
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
        output.seek(0)
        return code, output.read()


class Runner:
    """Tries mutants, each with every check that may notice it, up to the first that does."""

    def __init__(self, builder: Builder, program: Program) -> None:
        self._builder = builder
        self._program = program
        self._lock = threading.Lock()
        self._compiling = threading.BoundedSemaphore(
            os.cpu_count() or 1
        )  # the tests of other mutants wait meanwhile
        self._sound: set[str] = set()  # known to compile without a mutant

    def demand_that_the_original_passes(self) -> None:
        """All checks must pass on the unmutated binding; otherwise no result means anything."""
        for program, witness in self._programs():
            finding = run_tests(program, watchdog=witness is Witness.SUITE, only=_all_of(witness))
            if finding.verdict is not Verdict.SURVIVED:
                raise HarnessError(
                    f"{finding.killer} {finding.how} without any mutant: {program.name} must pass on this machine first. "
                    "Run ctest --preset default to see why."
                )
        for name, command in _checks(self._builder.original()).items():
            if (made := _output_of(command)).code != 0:
                raise HarnessError(f"{name} fails without any mutant, so it proves nothing:\n{made.said}")

    def try_one(self, mutant: Mutant, earlier: Finding | None = None) -> Finding:
        """The first check that notices this mutant. What noticed it in an earlier run is asked first."""
        return next(self._noticed(mutant, earlier), Finding(Verdict.SURVIVED))

    def _noticed(self, mutant: Mutant, earlier: Finding | None) -> Iterator[Finding]:
        number = self._program.numbers.get(mutant.id)
        # Then no test of a program noticed, and all of them would run in vain.
        if earlier is not None and earlier.witness is Witness.COMPILER:
            yield from self._alone(mutant, self._compiled)
        if number is not None:
            yield from self._chosen(mutant, number, earlier)
        if number is None or mutant.is_told_by_use or mutant.may_be_evaluated:
            yield from self._alone(mutant, self._compiled)
        if number is None or mutant.is_about_order:
            yield from self._alone(mutant, self._looked_at)

    def _chosen(self, mutant: Mutant, number: int, earlier: Finding | None) -> Iterator[Finding]:
        for program, witness in self._programs():
            # The unit tests use the binding's constants by name, so they would see the changed value, too.
            if witness is Witness.UNITS and mutant.is_told_by_use:
                continue
            first = [earlier.killer] if earlier is not None and earlier.witness is witness else []
            for only in (*first, _all_of(witness)):
                finding = run_tests(program, number, watchdog=witness is Witness.SUITE, only=only)
                if finding.verdict is Verdict.KILLED:
                    yield replace(finding, witness=witness)

    def _programs(self) -> Iterator[tuple[Path, Witness]]:
        yield self._program.suite, Witness.SUITE
        if self._program.units is not None:
            yield self._program.units, Witness.UNITS

    def _alone(self, mutant: Mutant, ask: Callable[[Mutant, Path], Iterator[Finding]]) -> Iterator[Finding]:
        with self._compiling:
            include = self._builder.alone(mutant)
            try:
                yield from ask(mutant, include)
            finally:
                shutil.rmtree(include.parent)

    def _compiled(self, mutant: Mutant, include: Path) -> Iterator[Finding]:
        if mutant.file == OTHER_ARCHITECTURE:  # no test that runs here includes it
            return
        for source in _units_for(mutant):
            program = self._builder.unit(include, source)
            if isinstance(program, str):
                yield self._by_compiler(program, source.stem, partial(self._builder.unit, source=source))
            else:
                finding = run_tests(program, watchdog=False)
                if finding.verdict is Verdict.KILLED:
                    yield replace(finding, witness=Witness.UNITS)

    def _by_compiler(self, message: str, what: str, build: Callable[[Path], Path | str]) -> Finding:
        """A static_assert noticed it; or the mutant does not compile, although the original does."""
        if "error: static assertion failed" in message:
            return Finding(Verdict.KILLED, Witness.COMPILER, "static_assert", "failed")
        with self._lock:
            if what not in self._sound:
                original = build(self._builder.original())
                if isinstance(original, str):
                    raise HarnessError(f"{what} does not compile, without any mutant:\n{original[:2000]}")
                self._sound.add(what)
        said = (
            line.partition("error: ") for line in message.splitlines()
        )  # without the place, which is in a copy
        return Finding(Verdict.INVALID, killer=next((what for _, error, what in said if error), "")[:200])

    def _looked_at(self, mutant: Mutant, include: Path) -> Iterator[Finding]:
        for name, command in _checks(include).items():
            made = _output_of(command)
            if made.code == _SEEN:
                yield Finding(Verdict.KILLED, Witness.CODE, name, "failed")
            elif made.code != 0:  # there is no code to check
                yield self._by_compiler(made.errors, name, partial(_looks, name))
        if (
            mutant.id not in self._program.numbers and mutant.file != OTHER_ARCHITECTURE
        ):  # the suite has not run yet
            yield from self._rows(include)

    def _rows(self, include: Path) -> Iterator[Finding]:
        """A few rows of the suite, compiled for this mutant alone. Compiling all of them would take minutes."""
        program = self._builder.rows(include, FEW_ROWS, jobs=1)
        if isinstance(program, str):
            yield self._by_compiler(program, "the suite", partial(self._builder.rows, rows=FEW_ROWS, jobs=1))
            return
        finding = run_tests(program, only=_all_of(Witness.SUITE))
        if finding.verdict is Verdict.KILLED:
            yield replace(finding, witness=Witness.SUITE)


def _all_of(witness: Witness) -> str:
    return passing_here() if witness is Witness.SUITE else "*"


def _units_for(mutant: Mutant) -> list[Path]:
    """The unit tests, starting with those of this header."""
    stem = Path(mutant.file).stem
    first = {"abi_register": "abi", "prep_rw": "prep", "prep_file": "prep", "prep_socket": "prep", "prep_control": "prep",
             "operations": "prep", "registrations": "registration"}.get(stem, stem)  # fmt: skip
    return sorted(UNITS.glob("*_test.cc"), key=lambda path: (path.stem != f"{first}_test", path.stem))


#: The exit code of a check that found something. With any other nonzero code, it could not check.
_SEEN = 1


def _checks(include: Path) -> dict[str, list[str]]:
    """The checks of headers and emitted code in bindings/tests."""
    return {
        "binding.emitted_code": [sys.executable, f"{UNITS}/emitted_code_test.py", "--include", f"{include}"],
        "binding.refused_types": [sys.executable, f"{UNITS}/refused_types_test.py", "--include", f"{include}"],
        "binding.surface_is_complete": ["cmake", "-D", f"INCLUDE={include}", "-D", f"TESTS={UNITS}", "-P",
                                        f"{UNITS}/surface_is_complete.cmake"],
    }  # fmt: skip


def _output_of(command: Sequence[str]) -> Done:
    return run(command, remedy="ci/install brings it.", check=False)


def _looks(name: str, include: Path) -> Path | str:
    """The include directory if the check finds nothing wrong there; otherwise its output."""
    made = _output_of(_checks(include)[name])
    return include if made.code == 0 else made.said
