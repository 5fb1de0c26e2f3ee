# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""What all reports share: the columns in order, the headline, the legend, the findings."""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.base.words import number
from harness.results.model import Cell, Position, Results
from harness.suite.binding import is_ours
from harness.suite.configuration import PLAIN
from harness.suite.since import KernelVersion
from harness.verdicts.judge import IN_PART, Verdict, sign
from harness.verdicts.why import passed_in_part

HOST = "host"

LEGEND = {
    "✓": "works as documented.",
    "·": "correctly absent: this kernel is older than the feature and refuses it the documented way; "
    "we checked that too.",
    "✗": "contradicts the documentation: a wrong result, a wrong refusal, a missing feature, a hang or a crash. "
    "The kernel, the binding or our test is to blame.",
    "✗*": "contradicts the documentation, for a reason that is understood: a known deviation, listed below.",
    "!": "the result is right, but the kernel logged a complaint while the test ran. The kernel is to blame.",
    "+": "works although this kernel should be too old (a backport, or our `since` is wrong), or although it is listed as "
    "a known deviation.",
    "?": "no verdict: the environment or our harness failed. The kernel is not to blame.",
    "–": "not expressible, or not run: this binding's interface cannot express the request, or the row is not for this machine "
    "or kind of ring, so the kernel was not asked. Neither a pass nor a failure.",
    IN_PART: "not expressible in part: the tests that this binding can express passed, and the cell says which it "
    "cannot. Less than a pass.",
}
SHORT = {
    "✓": "works", "·": "correctly absent", "✗": "wrong or missing", "✗*": "known deviation", "!": "kernel complained", "+": "early",
    "?": "no verdict", "–": "not expressible or not run",
    IN_PART: "in part",
}  # fmt: skip
NOT_REACHED = "the run ended before it had a result"
DOUBT = "A red cell can also mean that the test is wrong"
TELL_US = "CONTRIBUTING.md#a-red-cell"  # from the top of the repository


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One kernel in a table."""

    series: str
    heading: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Tests that need a look: same verdict and same reason, on one kernel through one binding in one configuration."""

    sign: str
    tests: tuple[str, ...]
    series: str
    binding: str
    why: str
    rerun: str | None  # for the first of the tests; None if the run never reached it
    configuration: str = PLAIN


def columns(results: Results) -> tuple[Column, ...]:
    """The kernels of the plan: oldest to newest, then local images, then the host."""
    versions = {k.series: KernelVersion.parse(k.release or "", k.version or "") for k in results.kernels}

    def heading(series: str) -> str:
        version = versions.get(series)
        return f"{HOST} ({version.series})" if series == HOST and version else series

    ordered = sorted(results.header.plan.kernels, key=age)
    return tuple(Column(series=series, heading=heading(series)) for series in ordered)


def age(series: str) -> tuple[int, tuple[int, ...], str]:
    if series == HOST:
        return (2, (), series)
    if re.fullmatch(r"\d+(\.\d+)+", series):
        return (0, tuple(int(number) for number in series.split(".")), series)
    return (1, (), series)


def lanes(results: Results) -> tuple[tuple[str, str], ...]:
    """Each binding in each configuration."""
    plan = results.header.plan
    return tuple((binding, kind) for binding in plan.bindings for kind in plan.configurations)


def main(results: Results) -> Results:
    """The part that a table of a row per line shows: the first configuration, which is plain unless it was left out."""
    return results.under(results.header.plan.configurations[0])


def under(configuration: str) -> str:
    """The configuration as the end of a phrase, if it is not the plain one."""
    return "" if configuration == PLAIN else f" under {configuration}"


def legend(results: Results) -> dict[str, str]:
    """The signs that the run's bindings can get, each with its meaning. Our own binding must express everything."""
    hidden: set[str] = set()
    if all(map(is_ours, results.header.plan.bindings)) and not any(
        cell.verdict is Verdict.NOT_EXPRESSIBLE for cell in results.cells
    ):
        hidden |= {sign(Verdict.NOT_EXPRESSIBLE), IN_PART}
    if not known_deviations(results):
        hidden.add(sign(Verdict.KNOWN))
    return {shown: said for shown, said in LEGEND.items() if shown not in hidden}


def short_legend(results: Results) -> str:
    """The same on one line."""
    return "  ".join(f"{shown} {SHORT[shown]}" for shown in legend(results))


def cell_sign(cell: Cell | None) -> str:
    """The sign of a planned cell. One that the run did not reach counts as "no verdict", so no cell is blank."""
    if cell is None:
        return sign(Verdict.NONE)
    return sign(cell.verdict, in_part=passed_in_part(cell.observed))


def headline(results: Results) -> str:
    """The whole run on one line: how many cells, and how many of them are surprises. Never a score."""
    planned = len(results.header.plan.positions())
    verdicts = [cell.verdict for cell in results.cells]
    works, absent = verdicts.count(Verdict.WORKS), verdicts.count(Verdict.ABSENT)
    unsaid, known = verdicts.count(Verdict.NOT_EXPRESSIBLE), verdicts.count(Verdict.KNOWN)
    look = surprises(results)
    return (
        f"{number(planned, 'cell')}: {works} {'works' if works == 1 else 'work'}, {absent} correctly absent, "
        f"{f'{unsaid} not expressible or not run, ' if unsaid else ''}{f'{known} known to deviate, ' if known else ''}"
        f"{look} {'needs' if look == 1 else 'need'} a look"
    )


def known_deviations(results: Results) -> dict[tuple[str, str], list[str]]:
    """The known deviations that were seen: the kernels, by test and sentence."""
    cells = results.by_position()
    found: dict[tuple[str, str], list[str]] = {}
    for column in columns(results):
        for binding, configuration in lanes(results):
            for test in results.header.plan.tests:
                cell = cells.get(Position(test, column.series, binding, configuration))
                if cell and cell.verdict is Verdict.KNOWN:
                    kernels = found.setdefault((test, cell.why), [])
                    kernels += [column.heading] if column.heading not in kernels else []
    return found


def surprises(results: Results) -> int:
    """How many planned cells need a look, including those that the run did not reach."""
    return len(results.header.plan.positions()) - sum(not cell.surprise for cell in results.cells)


def cut_short(results: Results) -> str | None:
    """The note on a run that did not reach all of its cells; None if it did."""
    if results.footer.complete:
        return None
    planned = len(results.header.plan.positions())
    return f"Cut short: {results.footer.cells} of {number(planned, 'cell')} have a result."


def findings(results: Results) -> tuple[Finding, ...]:
    """All surprises, kernel by kernel. Those with the same cause are one finding, so a dead VM is one line."""
    cells = results.by_position()
    groups: dict[tuple[str, str, str, str, str], list[tuple[str, str | None]]] = {}  # -> test, rerun
    for column in columns(results):
        for binding, configuration in lanes(results):
            for test in results.header.plan.tests:
                cell = cells.get(Position(test, column.series, binding, configuration))
                if cell is None or cell.surprise:
                    why = cell.why if cell else NOT_REACHED
                    key = (column.series, binding, configuration, cell_sign(cell), why)
                    group = groups.setdefault(key, [])
                    group.append((test, cell.rerun if cell else None))
    return tuple(
        Finding(
            sign=shown,
            tests=tuple(test for test, _ in group),
            series=series,
            binding=binding,
            why=why,
            rerun=group[0][1],
            configuration=configuration,
        )
        for (series, binding, configuration, shown, why), group in groups.items()
    )
