# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""reports/results.ktap: the run in the kernel's own test format (KTAP version 1), with one nested test per kernel.

    works                     ok
    correctly absent, early   ok, with the verdict after the #. Never SKIP: that would mean that nothing was checked
    not expressible           ok # SKIP: the binding cannot express it, so nothing was checked
    wrong, missing            not ok
    did not end in time       not ok # TIMEOUT
    the kernel complained     not ok
    no verdict                not ok # ERROR

A kernel is ok if all of its tests are. The lines above a test that is not ok have its evidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.base.words import one_line
from harness.report import evidence, sanitize, text, view
from harness.report.view import Place
from harness.results.model import Cell, Position, Results
from harness.suite.catalogue import Row
from harness.verdicts.judge import Verdict
from harness.verdicts.observation import State

VERSION = "KTAP version 1"
_OK = (Verdict.WORKS, Verdict.ABSENT, Verdict.EARLY, Verdict.NOT_EXPRESSIBLE, Verdict.KNOWN, Verdict.GONE)


def render(results: Results, rows: tuple[Row, ...], where: Place) -> str:
    """The file."""
    del where  # it has no links
    return "\n".join(_lines(sanitize.for_everybody(results), view.planned(results, rows))) + "\n"


def _lines(results: Results, rows: tuple[Row, ...]) -> Iterator[str]:
    cells = results.by_position()
    columns = [(column, *lane) for column in text.columns(results) for lane in text.lanes(results)]
    yield VERSION
    yield f"# {text.headline(results)}; suite {view.suite(results)}, {view.day(results)}"
    yield f"1..{len(columns)}"
    for number, (column, binding, kind) in enumerate(columns, 1):
        name = f"{column.series}{view.through(results, binding, kind)}"
        mine = [(row, cells.get(Position(row.name, column.series, binding, kind))) for row in rows]
        yield f"  {VERSION}"
        yield f"  # Subtest: {name}"
        yield f"  1..{len(mine)}"
        for position, (row, cell) in enumerate(mine, 1):
            yield from (f"  {line}" for line in _test(position, row, cell))
        yield f"{_result(all(_is_ok(cell) for _, cell in mine))} {number} {name}"


def _test(number: int, row: Row, cell: Cell | None) -> Iterator[str]:
    if cell and not _is_ok(cell):
        yield from (_comment(line) for line in evidence.as_text(cell).split("\n"))
    said = _said(cell)
    yield f"{_result(_is_ok(cell))} {number} {row.name}{f' # {_escaped(said)}' if said else ''}"


def _comment(line: str) -> str:
    """Evidence, which must not look like the beginning of a nested test."""
    return f"#  {line}" if line.startswith("Subtest:") else f"# {line}".rstrip()


def _escaped(said: str) -> str:
    """Text behind a directive: a parser takes the last " # SKIP" on the line for one, so a # is escaped as in TAP 14."""
    return re.sub(r"([#\\])", r"\\\1", one_line(said))


def _said(cell: Cell | None) -> str:
    if cell is None:
        return f"ERROR {text.NOT_REACHED}"
    if cell.verdict is Verdict.WORKS:
        return ""
    if cell.verdict is Verdict.NONE:
        return f"ERROR {cell.why}"
    if cell.verdict is Verdict.NOT_EXPRESSIBLE:
        return f"SKIP {cell.why}"
    if cell.observed["state"] == State.TIMEOUT:
        return f"TIMEOUT {cell.why}"
    return f"{view.WORDS[cell.verdict]}: {cell.why}"


def _is_ok(cell: Cell | None) -> bool:
    return cell is not None and cell.verdict in _OK


def _result(ok: bool) -> str:
    return "ok" if ok else "not ok"
