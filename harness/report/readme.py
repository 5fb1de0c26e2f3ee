# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The README's table, generated from a complete run and kept between two markers.

It answers one question: "does it work on my kernel?" For why not, every surprise links to matrix.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from harness.base.errors import HarnessError
from harness.base.words import number, sentence
from harness.report import evidence, sanitize, text, view
from harness.report.markdown import code, doubt, known_lines, legend, line, plain, short_legend
from harness.report.rings import Rings
from harness.report.view import Lane
from harness.results.model import Cell, Position, Results
from harness.suite.catalogue import Row
from harness.suite.configuration import PLAIN

BEGIN = "<!-- matrix:begin -->"
END = "<!-- matrix:end -->"
RESULTS_LINK = "reports/results.ndjson"
KINDS_LINK = "conformance/catalogue/configurations.toml"
SUITE = "uring-conformance"


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Link targets of a table, relative to its page; None where there is no such place."""

    details: str | None  # matrix.md
    home: str | None  # the top of this repository

    def kernel(self, column: text.Column) -> str:
        """The heading of a kernel."""
        words = plain(column.heading)
        return f"[{words}]({self.details}#kernel={view.word(column.series)})" if self.details else words

    def test(self, row: Row) -> str:
        """The name of a test."""
        return row.name if self.home is None else f"[{row.name}]({self.home}{row.file})"

    def sign(self, row: Row, cell: Cell) -> str:
        """The sign of a cell; only surprises are links."""
        shown = text.cell_sign(cell)
        if not cell.surprise or self.details is None:
            return shown
        return f"[{shown}]({self.details}#{view.anchor(row.stem, *cell.position[1:])})"


HERE = Links(details="reports/matrix.md", home="")


def render(results: Results, rows: tuple[Row, ...], kinds: Rings | None = None) -> str:
    """The block between the markers. Only a complete run of the whole catalogue can be published.

    `kinds` tells how the rows did on other kinds of rings, in this run or an earlier one.
    """
    if not results.footer.complete:
        raise HarnessError("Cannot publish this run: it did not reach all of its cells. Run ci/matrix again.")
    if set(results.header.plan.tests) != {row.name for row in rows}:
        raise HarnessError(
            "Cannot publish this run: its tests are not those of the catalogue. Run ci/matrix again."
        )
    results = sanitize.for_everybody(results)
    parts = [_headline(results)]
    for binding in results.header.plan.bindings:
        if len(results.header.plan.bindings) > 1:
            parts.append(f"Through {code(view.title(results, binding))}:")
        parts.append("\n".join(_table(results, [row for row in rows if row.tier is None], binding, HERE)))
    if beyond := [row for row in rows if row.tier is not None]:
        parts.append(_beyond(text.main(results), beyond))
    if kinds is not None:
        parts.append(_kinds(kinds))
    parts.append(
        f"{short_legend(results)}\n\nCorrectly absent: the kernel is older than the feature and refuses it the documented way, which "
        f"was checked. {doubt(HERE.home)}"
    )
    if text.findings(results):
        parts.append("### Needs a look")
        parts.append("\n".join(_findings(results, rows)))
    if known := text.known_deviations(results):
        parts.append("### Known deviations")
        parts.append("\n".join(known_lines(known)))
    parts.append(
        f"[{HERE.details}]({HERE.details}) has the exact kernels, the evidence for each surprise, "
        "and how each absence was checked."
    )
    return "\n\n".join(parts)


def replace_between_markers(readme: str, block: str, begin: str = BEGIN, end: str = END) -> str:
    """The README with a new block."""
    before, began, rest = readme.partition(begin)
    _, ended, after = rest.partition(end)
    if not began or not ended or readme.count(begin) > 1 or readme.count(end) > 1:
        raise HarnessError(f"README.md must contain {begin} and then {end}, each once. Put them back.")
    return f"{before}{begin}\n{block}\n{end}{after}"


def _headline(results: Results) -> str:
    plan = results.header.plan
    return (
        f"**{text.headline(results)}.** {number(len(plan.tests), 'test')} on "
        f"{number(len(plan.kernels), 'kernel')}, {view.day(results)}, suite {code(view.suite(results))}, "
        f"[results.ndjson]({RESULTS_LINK})."
    )


def _table(results: Results, rows: Iterable[Row], binding: str, links: Links) -> Iterator[str]:
    cells, (kind, *_) = results.by_position(), results.header.plan.configurations
    kernels = text.columns(results)
    yield line("Test", "since", *map(links.kernel, kernels))
    yield line(":---", "---:", *(":-:" for _ in kernels))
    for row in rows:
        signs = (
            links.sign(row, cells[Position(row.name, kernel.series, binding, kind)]) for kernel in kernels
        )
        yield line(links.test(row), ", ".join((row.since, *row.also)), *signs)


def markdown_configurations(table: Rings, place: Callable[[str, str, Lane], str | None]) -> Iterator[str]:
    """Configurations by kernels: how many rows are as expected. One that needs a look is a link, if it has a place."""
    yield line("Configuration", *map(plain, table.kernels), "ms a cell")
    yield line(":---", *("---:" for _ in table.kernels), "---:")
    for lane in table.lanes:
        signs = []
        for heading, tally in zip(table.kernels, lane.tallies, strict=True):
            there = place(tally.odd[0], heading, lane) if tally.odd else None
            signs.append(f"[{tally.sign}]({there})" if there else tally.sign)
        yield line(plain(lane.title), *signs, str(lane.cell_ms))


def _kinds(table: Rings) -> str:
    """The part about other kinds of rings, whose cells are not published: those that need a look are named."""
    odd = [
        f"- {test} on {heading} under {lane.title}"
        for lane in table.lanes
        for heading, tally in zip(table.kernels, lane.tallies, strict=True)
        for test in tally.odd
        if lane.configuration != PLAIN
    ]
    parts = [
        f"How many of the {number(table.tests, 'row')} are as expected on other [kinds of rings]({KINDS_LINK}) "
        f"({table.day}, suite {code(table.suite)}). Rows that are not run there are not counted. `·`: the kernel has no "
        "such ring, and refuses it the documented way.",
        "\n".join(markdown_configurations(table, lambda *where: None)),
    ]
    if odd:
        parts.append("Of these, on rings that are not plain, need a look:\n\n" + "\n".join(odd))
    return "\n\n".join(parts)


def _beyond(results: Results, rows: Sequence[Row]) -> str:
    """One sentence about the rows that are not in the table."""
    names = {row.name for row in rows}
    cells = [cell for cell in results.cells if cell.test in names]
    look = sum(cell.surprise for cell in cells)
    return (
        f"Beyond Zig's tests: {number(len(rows), 'row')} of the rest of the interface, {number(len(cells), 'cell')}, "
        f"{number(look, 'cell') if look else 'none'} of which {'needs' if look < 2 else 'need'} a look. "
        f"[All of them]({HERE.details})."
    )


def _findings(results: Results, rows: tuple[Row, ...]) -> Iterator[str]:
    for article in view.articles(results, rows):
        link = f"[{plain(article.title)}]({HERE.details}#{article.anchors[0]})"
        yield f"- `{article.sign}` {link}: {plain(sentence(article.why))}"


def _releases(results: Results) -> Iterator[str]:
    """The kernel release that each heading means."""
    known = {kernel.series: kernel.release for kernel in results.kernels}
    for column in text.columns(results):
        yield plain(f"{column.heading} is {known.get(column.series) or 'not known: it never answered'}")


def _lacks(results: Results) -> Iterator[str]:
    """What a binding cannot express, and in which tests: each reason once."""
    tests: dict[str, dict[str, None]] = {}
    for cell in results.cells:
        for reason in evidence.reasons_of_lack(cell):
            tests.setdefault(reason, {})[cell.test] = None
    if tests:
        yield "Not expressible:"
        yield "\n".join(
            f"- {', '.join(map(plain, names))}: {plain(reason)}" for reason, names in tests.items()
        )


def excerpt(results: Results, rows: tuple[Row, ...], binding: str, links: Links) -> str:
    """The table of one of the run's bindings, for the README of another project."""
    results = sanitize.for_everybody(results.through(binding))
    rows = view.planned(results, rows)
    title = plain(view.title(results, binding))
    of = f"[{SUITE}]({links.home})" if links.home else SUITE
    parts = [
        f"**io_uring through {title}, on {number(len(results.header.plan.kernels), 'kernel')}: "
        f"{text.headline(results)}.** Measured with {of}, suite {code(view.suite(results))}, on {view.day(results)}.",
        "\n".join(_table(results, rows, binding, links)),
        legend(results),
        *_lacks(results),
        f"Kernels: {', '.join(_releases(results))}.",
        doubt(links.home),
    ]
    if links.details:
        parts.append(
            f"[The full report]({links.details}) has the exact kernels and the evidence for each sign."
        )
    return "\n\n".join(parts) + "\n"
