# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""What a run prints when it ends: the table, the cells that need a look, the time of each kernel, the headline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.base.words import listed
from harness.report import sanitize, text, view
from harness.results.compare import steady
from harness.results.model import Position, Results
from harness.suite.configuration import PLAIN


def render(results: Results) -> str:
    """The report of a run for a terminal, even if the run was cut short."""
    return "\n".join(_lines(sanitize.for_here(results))) + "\n"


def _lines(results: Results) -> Iterator[str]:
    bindings, (kind, *_) = results.header.plan.bindings, results.header.plan.configurations
    for binding in bindings:
        if len(bindings) > 1 or kind != PLAIN:
            yield f"Through {view.title(results, binding)}{text.under(kind)}:"
        yield from _table(results, binding)
        yield ""
    if len(bindings) > 1:
        yield from _contrasts(results)
        yield ""
    if lanes := view.configurations(results):
        yield from _configurations(results, lanes)
        yield ""
    yield text.short_legend(results)
    yield ""
    for alike in _alike(text.findings(results)):
        first = alike[0]
        tests = ", ".join(first.tests[:3]) if len(first.tests) <= 3 else f"{len(first.tests)} tests"
        yield f"{first.sign} {tests} on {_places(alike, several=len(bindings) > 1)}{text.under(first.configuration)}: {first.why}"
        several = len(bindings) > 1 or first.configuration != PLAIN
        if several and (accused := view.blamed(results, first)):
            yield f"    To blame: {accused}"
        if first.rerun:
            yield f"    {first.rerun}"
    if text.findings(results):
        yield ""
    yield from _times(results)
    yield ""
    yield f"{text.headline(results)}."
    if cut := text.cut_short(results):
        yield cut


def _alike(findings: Iterable[text.Finding]) -> list[list[text.Finding]]:
    """The findings, with those of the same tests for the same reason grouped, so that they are read only once."""
    groups: dict[tuple[object, ...], list[text.Finding]] = {}
    for finding in findings:
        groups.setdefault(
            (finding.sign, finding.tests, finding.configuration, steady(finding.why)), []
        ).append(finding)
    return list(groups.values())


def _places(findings: Iterable[text.Finding], *, several: bool) -> str:
    """Where the findings are: 6.1 and host through liburing and raw; 7.3 through raw."""
    kernels: dict[str, list[str]] = {}  # by binding
    for finding in findings:
        kernels.setdefault(finding.binding, []).append(finding.series)
    bindings: dict[tuple[str, ...], list[str]] = {}
    for binding, series in kernels.items():
        bindings.setdefault(tuple(series), []).append(binding)
    return "; ".join(
        f"{listed(series)} through {listed(names)}" if several else listed(series)
        for series, names in bindings.items()
    )


def _table(results: Results, binding: str) -> Iterator[str]:
    cells, (kind, *_) = results.by_position(), results.header.plan.configurations
    kernels = text.columns(results)
    tests = results.header.plan.tests
    width = max(len(test) for test in tests)
    yield "  ".join((" " * width, *(kernel.heading for kernel in kernels)))
    for test in tests:
        signs = (
            text.cell_sign(cells.get(Position(test, kernel.series, binding, kind))).center(
                len(kernel.heading)
            )
            for kernel in kernels
        )
        yield "  ".join((test.ljust(width), *signs)).rstrip()


def _configurations(results: Results, lanes: Iterable[view.Lane]) -> Iterator[str]:
    """How many rows are as expected, by configuration and kernel."""
    headings = [column.heading for column in text.columns(results)]
    rows = [(f"Of {len(results.header.plan.tests)} rows, as expected", *headings, "ms a cell")]
    rows += [(lane.title, *(tally.sign for tally in lane.tallies), str(lane.cell_ms)) for lane in lanes]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *rest in rows:
        shown = (word.rjust(width) for word, width in zip(rest, widths[1:], strict=True))
        yield "  ".join((first.ljust(widths[0]), *shown))


def _contrasts(results: Results) -> Iterator[str]:
    """Where the bindings disagree, which is the point of running several."""
    found = view.contrasts(results)
    if not found:
        yield "The bindings agree in every cell that has a verdict."
        return
    headings = [standing.title for standing in view.standings(results)]
    rows = [("Where bindings differ", "on", *headings)]
    for contrast in found:
        signs = (
            shown.sign.center(len(heading)) for shown, heading in zip(contrast.cells, headings, strict=True)
        )
        rows.append((contrast.test, contrast.kernels, *signs))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    yield from (
        "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _times(results: Results) -> Iterator[str]:
    by_series = {kernel.series: kernel for kernel in results.kernels}
    kernels = text.columns(results)
    width = max(len(kernel.heading) for kernel in kernels)
    for column in kernels:
        kernel = by_series.get(column.series)
        if kernel is None:
            yield f"{column.heading.ljust(width)}  did not run"
            continue
        facts = [kernel.release or "never answered"]
        if kernel.boot_ms is not None:
            facts.append(f"booted in {kernel.boot_ms / 1000:.1f} s")
        if kernel.smoke not in (None, "ok"):
            facts.append(f"smoke test: {kernel.smoke}")
        if kernel.trouble:
            facts.append(kernel.trouble)
        facts.extend(kernel.notices)
        yield f"{column.heading.ljust(width)}  {kernel.wall_ms / 1000:6.1f} s  {'; '.join(facts)}"
    for accelerator in view.accelerators(results):
        yield f"Virtual machines ran with {accelerator}"
