# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""reports/index.html: the run as one self-contained file that works even without scripts.

This module and view.py gather what is shown; templates/ has the markup, the style and the script. The script only
filters: every address it understands (#surprises, #test=STEM, #kernel=SERIES) also works without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from harness.base.errors import HarnessError
from harness.base.words import listed, number, sentence
from harness.report import evidence, sanitize, text, view
from harness.report.evidence import Block
from harness.report.view import Place
from harness.results.model import Cell, Position, Results
from harness.suite.catalogue import ANY, Row
from harness.suite.configuration import PLAIN
from harness.verdicts.judge import IN_PART, Verdict, sign

TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A cell as the page shows it."""

    heading: str  # of its column
    kernel: str  # its name in addresses
    sign: str
    verdict: Verdict
    why: str
    title: str
    anchor: str | None  # of its article; None: nothing needs a look
    ms: int | None
    witnesses: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row of the catalogue, with its cells."""

    row: Row
    cells: tuple[Shown, ...]
    tests: tuple[str, ...]  # GoogleTest's names

    @property
    def surprising(self) -> bool:
        """Whether any of its cells needs a look."""
        return any(cell.anchor for cell in self.cells)

    @property
    def since(self) -> str:
        """Since which release it should pass, and how we know."""
        if self.row.since == ANY:
            return f"due on every kernel: {self.row.source}"
        return (
            f"since {' and '.join((self.row.since, *self.row.also))}, {self.row.evidence}: {self.row.source}"
        )


def render(results: Results, rows: tuple[Row, ...], where: Place) -> str:
    """The page."""
    results = sanitize.for_everybody(results)
    rows = view.planned(results, rows)
    bindings = results.header.plan.bindings
    articles = view.articles(results, rows)
    verdicts = [cell.verdict for cell in results.cells]
    by_series = {kernel.series: kernel for kernel in results.kernels}
    columns = text.columns(results)
    page: str = (
        _environment()
        .get_template("index.html.j2")
        .render(
            home=where.home,
            artefacts=where.artefacts,
            beside=where.beside,
            look=text.surprises(results),
            works=verdicts.count(Verdict.WORKS),
            absent=verdicts.count(Verdict.ABSENT),
            unsaid=verdicts.count(Verdict.NOT_EXPRESSIBLE),
            deviating=verdicts.count(Verdict.KNOWN),
            known=text.known_deviations(results),
            listed=listed,
            cells=len(results.header.plan.positions()),
            cut=text.cut_short(results),
            plan=results.header.plan,
            day=view.day(results),
            suite=view.suite(results),
            columns=columns,
            kernels=[(column, view.kernel_facts(by_series.get(column.series))) for column in columns],
            tables=[
                (
                    f"{view.title(results, binding)}{text.under(kind)}",
                    kind,
                    _groups(results.under(kind), rows, (binding,)),
                )
                for binding, kind in text.lanes(results)
            ],
            lanes=view.configurations(results),
            plain=PLAIN,
            standings=view.standings(results),
            contrasts=view.contrasts(results),
            stems={row.name: row.stem for row in rows},
            groups=_groups(text.main(results), rows, bindings),
            articles=articles,
            legend=[(_by_sign()[glyph], glyph, meaning) for glyph, meaning in text.legend(results).items()],
            doubt=text.DOUBT,
            tell_us=text.TELL_US,
            provenance=view.provenance(results),
            words=view.WORDS,
            word=view.word,
            number=number,
            sentence=sentence,
            releases={kernel.series: kernel.release or "never answered" for kernel in results.kernels},
        )
    )
    return page


def _by_sign() -> dict[str, Verdict]:
    """One verdict for each sign: the colours distinguish no more than that."""
    return {sign(verdict): verdict for verdict in map(Verdict, reversed(Verdict))} | {
        IN_PART: Verdict.NOT_EXPRESSIBLE
    }


@cache
def _environment() -> Any:
    try:
        import jinja2
    except ImportError as error:
        raise HarnessError("The HTML report needs python3-jinja2: install it with apt.") from error
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )


def _groups(
    results: Results, rows: tuple[Row, ...], bindings: tuple[str, ...]
) -> list[tuple[str, list[Line]]]:
    return [
        (group, [_line(results, row, bindings) for row in members]) for group, members in view.groups(rows)
    ]


def _line(results: Results, row: Row, bindings: tuple[str, ...]) -> Line:
    by_position, (kind, *_) = results.by_position(), results.header.plan.configurations
    places = [(column, binding) for column in text.columns(results) for binding in bindings]
    found = [by_position.get(Position(row.name, column.series, binding, kind)) for column, binding in places]
    tests = dict.fromkeys(name for cell in found if cell for name in evidence.tests(cell))
    shown = (
        _shown(row, column, (binding, kind), cell, view.through(results, binding, kind))
        for (column, binding), cell in zip(places, found, strict=True)
    )
    return Line(row=row, cells=tuple(shown), tests=tuple(tests))


def _shown(row: Row, column: text.Column, lane: tuple[str, str], cell: Cell | None, through: str) -> Shown:
    verdict = cell.verdict if cell else Verdict.NONE
    why = cell.why if cell else text.NOT_REACHED
    surprise = cell is None or cell.surprise
    return Shown(
        heading=f"{column.heading}{through}",
        kernel=view.word(column.series),
        sign=text.cell_sign(cell),
        verdict=verdict,
        why=why,
        title=f"{row.name} on {column.heading}: {view.WORDS[verdict]}. {why}",
        anchor=view.anchor(row.stem, column.series, *lane) if surprise else None,
        ms=cell.ms if cell else None,
        witnesses=(*evidence.lacks(cell), *evidence.witnesses(cell)) if cell else (),
    )
