"""`ci/lies`: runs every test through every lie that a kernel can tell, and says which test caught which.

A lie (conformance/support/lies.cc) is a binding of its own to the matrix: the host's column, through `lie:NAME`. What
each of them must lead to stands in conformance/lies.toml.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.base.errors import Trouble
from harness.base.exits import OK, SURPRISES
from harness.base.paths import README, REPORTS, ROOT
from harness.kernels.spec import HOST
from harness.lies import page as report
from harness.matrix.column import Column, Setup
from harness.report import folder, readme
from harness.results.file import Cell
from harness.suite import catalogue
from harness.suite.binding import DEFAULT, Binding
from harness.suite.catalogue import Row, nearest
from harness.suite.since import KernelVersion
from harness.verdicts.judge import Verdict

EXPECTED = ROOT / "conformance" / "lies.toml"
RESULTS = "lies.ndjson"
PREFIX = "lie:"

#: A lie that is to be caught may hang test after test; one that is to be survived hangs none.
TIMEOUT_S = 2
#: Most of them sleep: a test that waits for what never comes needs no processor. And the rows of one lie are run in
#: several parts, so that one that hangs often keeps nobody waiting for the last.
AT_ONCE, PARTS = 24, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What a lie must lead to: these tests are red, or nothing is, because. With both, no other test may be red."""

    caught_by: tuple[str, ...] = ()
    because: str = ""

    @property
    def survived(self) -> bool:
        """Whether tests that are not named must stay green."""
        return bool(self.because)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lie:
    """A lie, what it says, and the tests that turned red, by row.

    A test that runs on rings of several sizes is one test, and red if it is on any.
    """

    name: str
    says: str
    kernel: str = ""  # the series of the one that ran below it
    red: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    green: tuple[str, ...] = ()  # the others that ran; not published
    absent: tuple[str, ...] = ()  # those of them that this kernel is too old for: they can catch nothing; not published

    @property
    def tests(self) -> frozenset[str]:
        """All red tests."""
        return frozenset(test for tests in self.red.values() for test in tests)


def main(arguments: Sequence[str]) -> int:
    """Run the lies; 0: each was caught or survived as documented, 1: one was not."""
    parser = argparse.ArgumentParser(prog="ci/lies", description=__doc__.split("\n\n")[0] if __doc__ else None)
    parser.add_argument("--lie", action="append", metavar="NAME", help="only this one, repeatable; nothing is written then")
    parser.add_argument("--build", type=Path, default=ROOT / "build", metavar="DIR", help="the build directory")
    parser.add_argument("--no-write", action="store_true", help="leave reports/ and README.md alone")
    options = parser.parse_args(arguments)
    expected = load()
    known = listed(options.build)
    agree(expected, known)
    chosen = [_chosen(name, known) for name in options.lie] if options.lie else known
    told = list(observe(chosen, expected, options.build, say=lambda text: print(text, flush=True)))
    found = [sentence for lie in told for sentence in objections(lie, expected[lie.name])]
    for sentence in found:
        print(f"NOT AS DOCUMENTED: {sentence}", file=sys.stderr)
    if found:
        return SURPRISES
    if old := sorted({test for lie in told for test in lie.absent if test in expected[lie.name].caught_by}):
        print(f"This kernel is too old for {', '.join(old)}: what only they catch is not known, and nothing is written.")
    elif not options.lie and not options.no_write:
        publish(told, expected)
        print(f"Written: {REPORTS / report.PAGE} and its line in README.md.")
    print(report.headline(told, expected))
    return OK


# --- what is expected -------------------------------------------------------------------------------------------


def load(path: Path = EXPECTED) -> dict[str, Expectation]:
    """What each lie must lead to, by name; Trouble when the file is not exactly what it should be."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Trouble(f"{path} cannot be read: {error}. Correct it, or restore it from git.") from error
    expected: dict[str, Expectation] = {}
    for kind, entries in document.items():
        if kind not in _KINDS:
            raise Trouble(f"{path.name}: unknown table {kind!r}. {nearest(kind, _KINDS)}")
        for name, value in entries.items():
            if name in expected:
                raise Trouble(f"{path.name}: the lie {name!r} stands there twice. Remove one.")
            expected[name] = _expectation(f"{path.name}, {kind}.{name}", kind, value)
    return expected


_KINDS = ("caught_by", "caught_only_by", "survived")


def _expectation(where: str, kind: str, value: Any) -> Expectation:
    if kind == "caught_only_by":
        if not isinstance(value, dict) or set(value) != {"tests", "because"}:
            raise Trouble(f"{where} must have tests and because, and nothing else.")
        return Expectation(caught_by=_tests(where, value["tests"]), because=_sentence(where, value["because"]))
    if kind == "survived":
        return Expectation(because=_sentence(where, value))
    return Expectation(caught_by=_tests(where, value))


def _tests(where: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(test, str) and test for test in value):
        raise Trouble(f'{where} must name tests, such as ["Nop.MovesEveryIndexByOne"].')
    return tuple(value)


def _sentence(where: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise Trouble(f"{where} must say why, in a sentence.")
    return value


def agree(expected: Mapping[str, Expectation], known: Iterable[Lie]) -> None:
    """Trouble unless the lies of the program are those of the file."""
    names = [lie.name for lie in known]
    for name in names:
        if name not in expected:
            raise Trouble(f"conformance/lies.toml does not say what the lie {name!r} must lead to. Add it there.")
    for name in expected:
        if name not in names:
            raise Trouble(f"conformance/lies.toml has {name!r}, which the program does not tell. {nearest(name, names)}")


def objections(lie: Lie, expectation: Expectation) -> list[str]:
    """Where the run is not what the file says, as sentences."""
    found = []
    for test in expectation.caught_by:
        if test in lie.absent:
            continue
        if test in lie.green:
            found.append(f"{lie.name} is no longer caught by {test}.")
        elif test not in lie.tests:
            found.append(f"{lie.name} is to be caught by {test}, which did not run: is that its name, or did its row end early?")
    if expectation.survived:
        red = sorted(lie.tests - set(expectation.caught_by))
        found += [f"{lie.name} is to be survived by {test}, which turned red." for test in red]
    return found


# --- what is observed -------------------------------------------------------------------------------------------


def listed(build: Path) -> list[Lie]:
    """The lies that the conformance program can tell."""
    program = DEFAULT[0].program(build)
    try:
        answer = subprocess.run([str(program), "--list-lies"], text=True, capture_output=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        raise Trouble(f"{program} does not list its lies: {error}. Build first: ci/build") from error
    return [Lie(name=name, says=says) for name, says in (line.split(maxsplit=1) for line in answer.stdout.splitlines())]


def _chosen(name: str, known: Sequence[Lie]) -> Lie:
    names = [lie.name for lie in known]
    if name not in names:
        raise Trouble(f"There is no lie {name!r}. {nearest(name, names)}")
    return known[names.index(name)]


def observe(
    known: Sequence[Lie], expected: Mapping[str, Expectation], build: Path, *, say: Callable[[str], None] = lambda text: None
) -> Iterator[Lie]:
    """Run every row through each of the lies; yields them in their order, with what turned red."""
    rows = catalogue.load()
    with tempfile.TemporaryDirectory(prefix="lies-") as directory, ThreadPoolExecutor(AT_ONCE) as threads:
        jobs = []
        for lie in known:
            setup = Setup(build=build, artefacts=Path(directory), bindings=(Binding(name=f"{PREFIX}{lie.name}"),), timeout_s=TIMEOUT_S)
            parts = [
                threads.submit(_cells, rows[part::PARTS], replace(setup, artefacts=Path(directory, lie.name, str(part))))
                for part in range(PARTS)
            ]
            jobs.append((lie, parts))
        try:
            for lie, parts in jobs:
                by_stem = {cell.stem: cell for part in parts for cell in part.result()}
                seen = _seen(lie, [by_stem[row.stem] for row in rows])
                say(f"{lie.name}: {len(seen.tests)} tests red")
                yield seen
        finally:  # nobody waits for the rest
            threads.shutdown(cancel_futures=True)


def _cells(rows: Sequence[Row], setup: Setup) -> list[Cell]:
    return list(Column(HOST, [(row, setup.bindings[0]) for row in rows], setup).cells())


def _seen(lie: Lie, cells: Sequence[Cell]) -> Lie:
    red: dict[str, tuple[str, ...]] = {}
    ran: dict[str, None] = {}
    absent: dict[str, None] = {}
    for cell in cells:
        if cell.verdict is Verdict.NONE:
            raise Trouble(f"Through the lie {lie.name}, {cell.stem} has no verdict: {cell.why} Run that again: {cell.rerun}")
        ran |= dict.fromkeys(_without_size(test["name"]) for test in _tests_of(cell))
        if cell.verdict is Verdict.ABSENT:
            absent |= dict.fromkeys(_without_size(test["name"]) for test in _tests_of(cell) if _is_right_refusal(test))
        if tests := tuple(dict.fromkeys(_without_size(name) for name in _red_tests(cell))):
            red[cell.stem] = tests
    version = KernelVersion.parse(cells[0].kernel or "", "")
    seen = replace(lie, kernel=version.series if version else "", red=red)
    return replace(seen, green=tuple(name for name in ran if name not in seen.tests), absent=tuple(absent))


def _without_size(name: str) -> str:
    return name.partition("/")[0]


def _tests_of(cell: Cell) -> list[Mapping[str, Any]]:
    return [record for record in cell.observed["records"] if record["kind"] == "test"]


def _red_tests(cell: Cell) -> list[str]:
    """The tests to which a red cell is due: those that failed, and the one in which the process died."""
    if not cell.surprise:
        return []
    tests = _tests_of(cell)
    missing = cell.verdict is Verdict.MISSING
    red = [test["name"] for test in tests if test["state"] != "passed" and (missing or not _is_right_refusal(test))]
    if cell.observed["state"] in ("crashed", "timeout") and not any(test["state"] == "timeout" for test in tests):
        done = {test["name"] for test in tests}
        planned = [name for record in cell.observed["records"] if record["kind"] == "header" for name in record["plan"]]
        red += [name for name in planned if name not in done][:1]
    return red


def _is_right_refusal(test: Mapping[str, Any]) -> bool:
    return bool(test["state"] == "refused" and test["refusal"]["shape"] == "right")


# --- what is published ------------------------------------------------------------------------------------------


def publish(told: Sequence[Lie], expected: Mapping[str, Expectation]) -> None:
    """Write the results, the page that shows them, and the README's line: all of them or nothing."""
    lines = [json.dumps({key: value for key, value in asdict(lie).items() if key not in ("green", "absent")}) for lie in told]
    folder.replace_all(
        {REPORTS / RESULTS: "".join(f"{line}\n" for line in lines), **rendered(told, expected)}
    )


def rendered(told: Sequence[Lie], expected: Mapping[str, Expectation]) -> dict[Path, str]:
    """Every file that shows the published results, each with the text that it must have."""
    page = report.render(told, expected, home=os.path.relpath(ROOT, REPORTS))
    block = report.readme_line(told, expected)
    return {
        REPORTS / report.PAGE: page,
        README: readme.replace_between_markers(README.read_text(encoding="utf-8"), block, report.BEGIN, report.END),
    }


def published(path: Path = REPORTS / RESULTS) -> list[Lie]:
    """The results that were published last."""
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return [Lie(**line | {"red": {row: tuple(tests) for row, tests in line["red"].items()}}) for line in lines]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Trouble(f"{path} cannot be read: {error}. Make it anew with ci/lies.") from error
