# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""What the long reports show, without markup: rows in groups, articles about surprises, facts, anchors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from harness.base.errors import HarnessError
from harness.base.words import number
from harness.report import evidence, text
from harness.results.model import Cell, Kernel, Position, Results
from harness.suite.catalogue import ANY, GROUPS, Row
from harness.suite.configuration import PLAIN
from harness.suite.since import Expected
from harness.verdicts.blame import blame
from harness.verdicts.judge import Verdict, sign
from harness.verdicts.why import titled


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a report is: what its links start with, and which files of the run are beside it."""

    home: str  # the path to the top of the repository, such as ".."
    beside: tuple[str, ...] = ()  # file names of the run's other reports
    artefacts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # series -> files, as links


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A line of a list: a label and its value."""

    label: str
    value: str
    code: bool = False  # the value is for copying, not for reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The evidence of one test on one kernel."""

    test: str
    blocks: tuple[evidence.Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """Everything about one surprise, or about several with the same cause."""

    verdict: Verdict
    sign: str
    title: str
    series: str
    configuration: str
    stems: tuple[str, ...]
    files: tuple[str, ...]  # the tests' sources, relative to the top of the repository
    anchors: tuple[str, ...]  # one for each of its cells
    why: str
    facts: tuple[Fact, ...]
    proofs: tuple[Proof, ...]  # of the tests that have evidence
    rerun: str | None


#: The verdicts in words, for places with room for them.
WORDS = {
    Verdict.WORKS: "works",
    Verdict.ABSENT: "correctly absent",
    Verdict.MISSING: "missing",
    Verdict.WRONG: "wrong",
    Verdict.COMPLAINED: "the kernel complained",
    Verdict.EARLY: "early",
    Verdict.NONE: "no verdict",
    Verdict.NOT_EXPRESSIBLE: "not expressible",
    Verdict.KNOWN: "known deviation",
    Verdict.GONE: "better than listed",
}


def planned(results: Results, rows: Iterable[Row]) -> tuple[Row, ...]:
    """The rows of the run, in its order."""
    by_name = {row.name: row for row in rows}
    if strange := [test for test in results.header.plan.tests if test not in by_name]:
        raise HarnessError(
            f"The results have the test {strange[0]!r}, but the catalogue does not: they come from another version of "
            "the suite. Check out that version, or run ci/matrix again."
        )
    return tuple(by_name[test] for test in results.header.plan.tests)


def groups(rows: Iterable[Row]) -> tuple[tuple[str, tuple[Row, ...]], ...]:
    """The rows by area, and within an area by age, so that the history of the kernels shows as a staircase."""
    ordered = sorted(rows, key=lambda row: (GROUPS.index(row.group), _age(row.since)))
    return tuple(
        (group, found) for group in GROUPS if (found := tuple(row for row in ordered if row.group == group))
    )


def _age(since: str) -> tuple[int, ...]:
    return () if since == ANY else tuple(int(number) for number in since.split("."))


def anchor(stem: str, series: str, binding: str, configuration: str = PLAIN) -> str:
    """The address of a cell on the page. It does not change when kernels, tests, bindings or configurations are added."""
    return "@".join(
        (stem, word(series), word(binding), *(() if configuration == PLAIN else (configuration,)))
    )


def word(name: str) -> str:
    """The name, limited to characters that are valid both in an HTML id and in a URL fragment."""
    return re.sub(r"[^A-Za-z0-9._+-]", lambda match: f"~{ord(match[0]):x}", name)


def articles(results: Results, rows: tuple[Row, ...]) -> tuple[Article, ...]:
    """An article for each finding."""
    return tuple(_article(results, rows, finding) for finding in text.findings(results))


def _article(results: Results, rows: tuple[Row, ...], finding: text.Finding) -> Article:
    by_name = {row.name: row for row in rows}
    about = [by_name[test] for test in finding.tests]
    cells = results.by_position()
    place = (finding.series, finding.binding, finding.configuration)
    found = [cells.get(Position(row.name, *place)) for row in about]
    proofs = (
        Proof(test=cell.test, blocks=blocks) for cell in found if cell and (blocks := evidence.blocks(cell))
    )
    what = about[0].name if len(about) == 1 else number(len(about), "test")
    return Article(
        verdict=found[0].verdict if found[0] else Verdict.NONE,
        sign=finding.sign,
        title=f"{what} on {finding.series}{through(results, finding.binding, finding.configuration)}",
        configuration=finding.configuration,
        series=finding.series,
        stems=tuple(row.stem for row in about),
        files=tuple(row.file for row in about),
        anchors=tuple(anchor(row.stem, *place) for row in about),
        why=finding.why,
        facts=tuple(_facts(results, about, found, finding)),
        proofs=tuple(proofs),
        rerun=finding.rerun,
    )


def _facts(
    results: Results, about: list[Row], found: list[Cell | None], finding: text.Finding
) -> Iterable[Fact]:
    if len(about) > 1:
        yield Fact(label="Tests", value=", ".join(row.name for row in about))
    elif found[0]:
        yield Fact(label="Due", value=due(about[0], found[0]))
        yield Fact(label="Seen", value=_seen(found[0]))
        if compared := evidence.compared(found[0]):
            yield Fact(label="Got", value=compared[0], code=True)
            yield Fact(label="Wanted", value=compared[1], code=True)
    kernel = next((kernel for kernel in results.kernels if kernel.series == finding.series), None)
    if kernel is None:
        yield Fact(label="Kernel", value="did not run")
    else:
        yield Fact(label="Kernel", value=kernel.release or "never answered")
    if accused := blamed(results, finding):
        yield Fact(label="To blame", value=accused)
    if len(about) == 1:
        yield Fact(label="Elsewhere", value=_elsewhere(results, about[0], finding))


def blamed(results: Results, finding: text.Finding) -> str | None:
    """Who is to blame for these cells, and why; None if nothing is odd, or if it differs between them."""
    cells, plan = results.by_position(), results.header.plan

    columns = [column.series for column in text.columns(results)]

    series, binding, kind = finding.series, finding.binding, finding.configuration

    def found(positions: Iterable[tuple[str, Position]]) -> dict[str, Verdict]:
        return {name: cells[position].verdict for name, position in positions if position in cells}

    accused = set()
    for test in finding.tests:
        row = {name: found((on, Position(test, on, name, kind)) for on in columns) for name in plan.bindings}
        kinds = found((one, Position(test, series, binding, one)) for one in plan.configurations)
        accused.add(blame(binding, series, row, kind, kinds) if series in row.get(binding, {}) else None)
    first = accused.pop()
    return f"{first.culprit}: {first.says}" if first and not accused else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrasted:
    """What one binding got on the first of the kernels."""

    series: str
    binding: str
    verdict: Verdict
    sign: str
    why: str
    surprise: bool

    def anchor(self, stem: str) -> str | None:
        """Its address on the page; None if there is nothing to look at."""
        return anchor(stem, self.series, self.binding) if self.surprise else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """A test on which bindings disagree, and the kernels on which they disagree in the same way."""

    test: str
    kernels: str  # in words
    cells: tuple[Contrasted, ...]  # in the order of the bindings


def contrasts(results: Results) -> tuple[Contrast, ...]:
    """Where the bindings disagree on rings of the first kind, test by test."""
    kind = results.header.plan.configurations[0]
    cells, bindings = results.by_position(), results.header.plan.bindings
    columns = text.columns(results)
    found = []
    for test in results.header.plan.tests:
        alike: dict[tuple[str, ...], list[text.Column]] = {}
        for column in columns:
            places = (Position(test, column.series, binding, kind) for binding in bindings)
            signs = tuple(text.cell_sign(cells.get(place)) for place in places)
            if len(set(signs) - {text.cell_sign(None)}) > 1:  # no verdict contradicts none
                alike.setdefault(signs, []).append(column)
        for where in alike.values():
            first = where[0].series
            shown = (
                _contrasted(cells.get(Position(test, first, binding, kind)), first, binding)
                for binding in bindings
            )
            found.append(Contrast(test=test, kernels=in_words(where, columns), cells=tuple(shown)))
    return tuple(found)


def _contrasted(cell: Cell | None, series: str, binding: str) -> Contrasted:
    return Contrasted(
        series=series,
        binding=binding,
        verdict=cell.verdict if cell else Verdict.NONE,
        sign=text.cell_sign(cell),
        why=cell.why if cell else text.NOT_REACHED,
        surprise=cell is None or cell.surprise,
    )


def in_words(some: list[text.Column], every: tuple[text.Column, ...]) -> str:
    """Columns by their headings: 6.1, 6.12 to 7.3, host."""
    if len(some) == len(every) > 1:
        return "every kernel"
    words, left = [], list(some)
    while left:
        start = every.index(left[0])
        length = next((n for n, (one, other) in enumerate(zip(left, every[start:])) if one != other), None)
        run, left = (left, []) if length is None else (left[:length], left[length:])
        ends = (run[0].heading, run[-1].heading)
        words += [" to ".join(ends)] if len(run) > 2 else [column.heading for column in run]
    return ", ".join(words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A binding of the run, and the count of each outcome."""

    name: str
    title: str  # with its version
    works: int
    absent: int
    not_expressible: int
    look: int  # including cells that the run did not reach


def standings(results: Results) -> tuple[Standing, ...]:
    """Each binding, in the order of the plan."""
    plan = results.header.plan
    return tuple(
        _standing(results, binding, len(plan.positions()) // len(plan.bindings)) for binding in plan.bindings
    )


def _standing(results: Results, binding: str, planned: int) -> Standing:
    cells = [cell for cell in results.cells if cell.binding == binding]
    verdicts = [cell.verdict for cell in cells]
    return Standing(
        name=binding,
        title=title(results, binding),
        works=verdicts.count(Verdict.WORKS),
        absent=verdicts.count(Verdict.ABSENT),
        not_expressible=verdicts.count(Verdict.NOT_EXPRESSIBLE),
        look=planned - sum(not cell.surprise for cell in cells),
    )


def title(results: Results, binding: str) -> str:
    """A binding with the version that its program reports: liburing 2.3."""
    versions = dict.fromkeys(
        kernel.bindings[binding] for kernel in results.kernels if binding in kernel.bindings
    )
    return titled(binding, " or ".join(versions) or None)


def _seen(cell: Cell) -> str:
    state, shape = cell.observed["state"], cell.observed["shape"]
    words = {"nothing": "no result", "timeout": "did not end in time"}.get(state, str(state))
    if shape:
        words += f" in the {shape} way"
    return f"{words}, after {cell.ms} ms"


def due(row: Row, cell: Cell) -> str:
    """Whether the test had to pass on this kernel, and how we know."""
    if row.since == ANY:
        return f"on every kernel ({row.source})"
    since = f"since {' and '.join((row.since, *row.also))} ({row.evidence}: {row.source})"
    return {
        Expected.PRESENT: f"yes, {since}",
        Expected.ABSENT: f"no, {since}",
        Expected.UNKNOWN: f"not known for this kernel; {since}",
    }[cell.expected]


def _elsewhere(results: Results, row: Row, finding: text.Finding) -> str:
    """The other cells of the row: whether they agree says a lot about who is to blame."""
    cells, bindings = results.by_position(), results.header.plan.bindings
    rows = []
    for binding in bindings:
        others = []
        for column in text.columns(results):
            if (column.series, binding) != (finding.series, finding.binding):
                place = Position(row.name, column.series, binding, finding.configuration)
                sign = text.cell_sign(cells.get(place))
                others.append(f"{column.heading}\N{NO-BREAK SPACE}{sign}")
        if others:
            rows.append(f"{f'through {binding}: ' if len(bindings) > 1 else ''}{', '.join(others)}")
    return "; ".join(rows) or "did not run"


def through(results: Results, binding: str, configuration: str = PLAIN) -> str:
    """The binding, if the run has more than one, and the configuration, if it is not plain, as the end of a phrase."""
    named = f" through {binding}" if len(results.header.plan.bindings) > 1 else ""
    return named + text.under(configuration)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How the rows did in one configuration on one kernel."""

    fine: int
    planned: int  # without rows that were not run there
    odd: tuple[str, ...]  # the tests that need a look
    absent: bool  # every row that was run is correctly absent: there is no such ring

    @property
    def sign(self) -> str:
        """For a table: the rows that are as expected, or that there is no such ring."""
        if self.absent:
            return sign(Verdict.ABSENT)
        return str(self.fine) if not self.odd else f"{self.fine} of {self.planned}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One binding in one configuration, on each kernel."""

    binding: str
    configuration: str
    title: str
    tallies: tuple[Tally, ...]  # in the order of text.columns
    cell_ms: int  # what a cell takes, on average, where there is such a ring


def configurations(results: Results) -> tuple[Lane, ...]:
    """How each configuration did; nothing if the run has only one."""
    if len(results.header.plan.configurations) == 1:
        return ()
    cells = results.by_position()
    return tuple(_lane(results, cells, binding, kind) for binding, kind in text.lanes(results))


def _lane(results: Results, cells: Mapping[Position, Cell], binding: str, kind: str) -> Lane:
    several = len(results.header.plan.bindings) > 1
    columns = text.columns(results)
    tallies = tuple(_tally(results, cells, column.series, binding, kind) for column in columns)
    there = {column.series for column, tally in zip(columns, tallies, strict=True) if not tally.absent}
    times = [
        cell.ms or 0
        for cell in cells.values()
        if (cell.binding, cell.configuration) == (binding, kind) and cell.series in there
    ]
    return Lane(
        binding=binding,
        configuration=kind,
        title=f"{kind}{f' through {title(results, binding)}' if several else ''}",
        tallies=tallies,
        cell_ms=round(sum(times) / max(len(times), 1)),
    )


def _tally(results: Results, cells: Mapping[Position, Cell], series: str, binding: str, kind: str) -> Tally:
    tests = results.header.plan.tests
    every = {test: cells.get(Position(test, series, binding, kind)) for test in tests}
    ran = {
        test: cell
        for test, cell in every.items()
        if cell is None or cell.verdict is not Verdict.NOT_EXPRESSIBLE
    }
    odd = tuple(test for test, cell in ran.items() if cell is None or cell.surprise)
    absent = bool(ran) and all(cell is not None and cell.verdict is Verdict.ABSENT for cell in ran.values())
    return Tally(fine=len(ran) - len(odd), planned=len(ran), odd=odd, absent=absent)


def kernel_facts(kernel: Kernel | None) -> tuple[Fact, ...]:
    """What we know about a kernel, and how its machine did."""
    if kernel is None:
        return (Fact(label="Machine", value="did not run"),)
    facts = [
        Fact(label="Release", value=kernel.release or "never answered"),
        Fact(label="Version", value=kernel.version or ""),
        Fact(label="From", value=kernel.source),
        Fact(label="SHA-256", value=kernel.sha256 or "", code=True),
        Fact(label="Booted in", value="" if kernel.boot_ms is None else f"{kernel.boot_ms / 1000:.1f} s"),
        Fact(label="Took", value=f"{kernel.wall_ms / 1000:.1f} s"),
        Fact(label="Smoke run", value=_smoke(kernel)),
        Fact(label="Harness error", value=kernel.trouble or ""),
        *(Fact(label="Notice", value=notice) for notice in kernel.notices),
    ]
    return tuple(fact for fact in facts if fact.value)


def _smoke(kernel: Kernel) -> str:
    if kernel.smoke == "ok":
        return "ok: the tests that must pass, fail and be refused did so"
    return kernel.smoke or "not reached"


def provenance(results: Results) -> tuple[Fact, ...]:
    """How the numbers were produced."""
    header = results.header
    machines = [kernel for kernel in results.kernels if kernel.series != text.HOST]
    facts = [
        Fact(label="Suite", value=suite(results)),
        Fact(label="Run", value=f"{moment(header.started)} to {moment(results.footer.ended)}"),
        Fact(label="Binding", value=", ".join(title(results, binding) for binding in header.plan.bindings)),
        Fact(label="Configurations", value=", ".join(_kinds(results))),
        Fact(label="Machine", value=", ".join(f"{name} {value}" for name, value in header.host.items())),
        Fact(label="Virtual machines", value=_virtual(len(machines))),
        *(Fact(label="Accelerator", value=said) for said in accelerators(results)),
    ]
    return tuple(fact for fact in facts if fact.value)


def _kinds(results: Results) -> tuple[str, ...]:
    kinds = results.header.plan.configurations
    return () if kinds == (PLAIN,) else kinds


def _virtual(count: int) -> str:
    if not count:
        return ""
    return f"{number(count, 'kernel')} ran in one each; after a panic or a hang, the rest ran in a fresh one"


def accelerators(results: Results) -> tuple[str, ...]:
    """How the VMs ran. Usually a single sentence: it depends on the machine, not on the kernel."""
    chosen = (kernel.accelerator for kernel in results.kernels if kernel.accelerator)
    return tuple(dict.fromkeys(f"{one.name}: {one.reason}" for one in chosen))


def suite(results: Results) -> str:
    """The commit of the suite, if it has one."""
    header = results.header
    if header.suite is None:
        return "not committed yet"
    return header.suite[:12] + (" with uncommitted changes" if header.dirty else "")


def day(results: Results) -> str:
    """The day of the run."""
    return datetime.fromisoformat(results.header.started).strftime("%-d %B %Y")


def moment(instant: str) -> str:
    """A timestamp of the results file, for people."""
    return datetime.fromisoformat(instant).strftime("%-d %B %Y, %H:%M:%S UTC")
