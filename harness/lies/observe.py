# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Runs every test through lies, and records which turn red."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from harness.base.errors import HarnessError
from harness.base.process import run
from harness.base.words import nearest
from harness.kernels.spec import HOST
from harness.lies.model import Expectation, Lie, objections
from harness.matrix.column import Column, Place, Setup
from harness.results.model import Cell
from harness.suite import catalogue
from harness.suite.binding import DEFAULT, Binding
from harness.suite.catalogue import Row
from harness.suite.since import KernelVersion
from harness.verdicts.judge import Verdict

PREFIX = "lie:"

#: A lie that must be caught may hang test after test, so the first look is short. On a busy machine a test may need longer than
#: that; so what is not as documented is looked at again, with time.
TIMEOUT_S, PATIENT_S = 2, 20

#: Most of them sleep: a test that waits for an event that never comes uses no processor. The rows of a lie run in
#: several parts, so that one that often hangs does not delay the end.
AT_ONCE, PARTS = 24, 4


def listed(build: Path) -> list[Lie]:
    """The lies that the conformance program offers."""
    program = DEFAULT[0].program(build)
    listing = run([program, "--list-lies"], timeout_s=60, remedy="Build first: ci/build").output
    return [
        Lie(name=name, says=says) for name, says in (line.split(maxsplit=1) for line in listing.splitlines())
    ]


def chosen_lie(name: str, known: Sequence[Lie]) -> Lie:
    names = [lie.name for lie in known]
    if name not in names:
        raise HarnessError(f"Unknown lie {name!r}. {nearest(name, names)}")
    return known[names.index(name)]


def deciding_rows(expectation: Expectation) -> tuple[Row, ...]:
    """The rows of which `objections` looks at a test: those that are named, or all where no other may turn red."""
    rows = catalogue.load()
    if expectation.survived:
        return rows
    named = tuple(row for row in rows if any(_belongs(test, row) for test in expectation.caught_by))
    return named or rows  # no row has such a test: after all have run, it is told that it did not


def _belongs(test: str, row: Row) -> bool:
    return any(fnmatchcase(test, pattern) for pattern in row.filter.split(":"))


def judged(
    known: Sequence[Lie],
    expected: Mapping[str, Expectation],
    look: Callable[[Sequence[Lie], int], Iterable[Lie]],
) -> tuple[list[Lie], list[str]]:
    """The lies as `look` (lies, seconds for a test) sees them, and what is not as documented, twice."""
    seen = {lie.name: lie for lie in look(known, TIMEOUT_S)}
    doubted = [lie for lie in known if objections(seen[lie.name], expected[lie.name])]
    if doubted:
        seen |= {lie.name: lie for lie in look(doubted, PATIENT_S)}
    told = list(seen.values())
    return told, [sentence for lie in told for sentence in objections(lie, expected[lie.name])]


def observe(
    known: Sequence[Lie],
    build: Path,
    rows_of: Callable[[Lie], Sequence[Row]],
    *,
    timeout_s: int = TIMEOUT_S,
    say: Callable[[str], None] = lambda text: None,
) -> Iterator[Lie]:
    """Run rows through each of the lies; yields them in their order, with what turned red."""
    with tempfile.TemporaryDirectory(prefix="lies-") as directory, ThreadPoolExecutor(AT_ONCE) as threads:
        jobs = []
        for lie in known:
            rows = rows_of(lie)
            setup = Setup(
                build=build,
                artefacts=Path(directory),
                bindings=(Binding(name=f"{PREFIX}{lie.name}"),),
                timeout_s=timeout_s,
            )
            parts = [
                threads.submit(
                    _cells, rows[part::PARTS], replace(setup, artefacts=Path(directory, lie.name, str(part)))
                )
                for part in range(min(PARTS, len(rows)))
            ]
            jobs.append((lie, rows, parts))
        try:
            for lie, rows, parts in jobs:
                by_stem = {cell.stem: cell for part in parts for cell in part.result()}
                seen = seen_through(lie, [by_stem[row.stem] for row in rows])
                say(f"{lie.name}: {len(seen.tests)} tests red")
                yield seen
        finally:  # do not wait for the rest
            threads.shutdown(cancel_futures=True)


def _cells(rows: Sequence[Row], setup: Setup) -> list[Cell]:
    return list(Column(HOST, [Place(row, setup.bindings[0]) for row in rows], setup).cells())


def seen_through(lie: Lie, cells: Sequence[Cell]) -> Lie:
    red: dict[str, tuple[str, ...]] = {}
    ran: dict[str, None] = {}
    absent: dict[str, None] = {}
    for cell in cells:
        if cell.verdict is Verdict.NONE:
            raise HarnessError(
                f"Through the lie {lie.name}, {cell.stem} has no verdict: {cell.why}. Run it again: {cell.rerun}"
            )
        ran |= dict.fromkeys(_without_size(test["name"]) for test in _tests_of(cell))
        if cell.verdict is Verdict.ABSENT:
            absent |= dict.fromkeys(
                _without_size(test["name"]) for test in _tests_of(cell) if _is_right_refusal(test)
            )
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
    """The tests that made a cell red: those that failed, and the one in which the process died."""
    if not cell.surprise:
        return []
    tests = _tests_of(cell)
    missing = cell.verdict is Verdict.MISSING
    red = [
        test["name"]
        for test in tests
        if test["state"] != "passed" and (missing or not _is_right_refusal(test))
    ]
    if cell.observed["state"] in ("crashed", "timeout") and not any(
        test["state"] == "timeout" for test in tests
    ):
        done = {test["name"] for test in tests}
        planned = [
            name
            for record in cell.observed["records"]
            if record["kind"] == "header"
            for name in record["plan"]
        ]
        red += [name for name in planned if name not in done][:1]
    return red


def _is_right_refusal(test: Mapping[str, Any]) -> bool:
    return bool(test["state"] == "refused" and test["refusal"]["shape"] == "right")
