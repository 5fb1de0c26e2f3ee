# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""reports/matrix.md: the whole run for readers on a code-hosting site, with the evidence folded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from harness.base.words import sentence
from harness.report import evidence, rings, sanitize, text, view
from harness.report.markdown import code, doubt, fenced, folded, known_lines, legend, line, place, plain
from harness.report.readme import markdown_configurations
from harness.report.view import Article, Fact, Place
from harness.results.model import Position, Results
from harness.suite.catalogue import Row
from harness.verdicts.judge import Verdict


def render(results: Results, rows: tuple[Row, ...], where: Place) -> str:
    """The page."""
    return "\n\n".join(_parts(sanitize.for_everybody(results), view.planned(results, rows), where)) + "\n"


def _parts(results: Results, rows: tuple[Row, ...], where: Place) -> Iterator[str]:
    bindings = results.header.plan.bindings
    yield "# io_uring conformance"
    yield (
        f"**{text.headline(results)}.** {view.day(results)}, suite {code(view.suite(results))}. Generated from "
        "[results.ndjson](results.ndjson). [index.html](index.html) is the same for a browser, with filters."
    )
    if cut := text.cut_short(results):
        yield cut
    if len(bindings) > 1:
        yield "## Bindings side by side"
        yield from _side_by_side(results, rows, where)
    for binding in bindings:
        if len(bindings) > 1:
            yield f"## Through {plain(view.title(results, binding))}"
        yield "\n".join(_table(results, rows, binding, where))
    if table := rings.of(results):
        yield "## The same rows on other kinds of rings"
        yield (
            f"How many of the {len(rows)} rows are as expected, without those that are not run there; `·`: the kernel has no "
            "such ring, and refuses it."
        )
        yield "\n".join(markdown_configurations(table, _places(results)))
    yield legend(results)
    yield doubt(f"{where.home}/")
    yield "## Needs a look"
    about = view.articles(results, rows)
    if not about:
        yield "Nothing."
    for article in about:
        yield from _article(article, where)
    if known := text.known_deviations(results):
        yield "## Known deviations"
        yield "\n".join(known_lines(known))
    yield "## Correctly absent, and how we checked"
    yield from _absences(results, rows)
    yield from _lacks(results, rows)
    yield "## The kernels of the columns"
    yield from _kernels(results, where)
    yield "## How the numbers were made"
    yield "\n".join(_fact(fact) for fact in view.provenance(results))


def _places(results: Results) -> Callable[[str, str, view.Lane], str | None]:
    """Where this page has a cell of the table of configurations; None if nothing was seen of it."""
    stems = {cell.test: cell.stem for cell in results.cells}
    series = {column.heading: column.series for column in text.columns(results)}

    def address(test: str, heading: str, lane: view.Lane) -> str | None:
        if test not in stems:
            return None
        return "#" + view.anchor(stems[test], series[heading], lane.binding, lane.configuration)

    return address


def _table(results: Results, rows: tuple[Row, ...], binding: str, where: Place) -> Iterator[str]:
    cells, (kind, *_) = results.by_position(), results.header.plan.configurations
    kernels = text.columns(results)
    links = (f"[{plain(kernel.heading)}](#kernel={view.word(kernel.series)})" for kernel in kernels)
    yield line("Test", "since", *links)
    yield line(":---", "---:", *(":-:" for _ in kernels))
    for group, members in view.groups(rows):
        yield line(f"**{group}**", "", *("" for _ in kernels))
        for row in members:
            signs = []
            for kernel in kernels:
                cell = cells.get(Position(row.name, kernel.series, binding, kind))
                sign = text.cell_sign(cell)
                surprise = cell is None or cell.surprise
                signs.append(
                    f"[{sign}](#{view.anchor(row.stem, kernel.series, binding, kind)})" if surprise else sign
                )
            yield line(f"[{row.name}]({where.home}/{row.file})", ", ".join((row.since, *row.also)), *signs)


def _side_by_side(results: Results, rows: tuple[Row, ...], where: Place) -> Iterator[str]:
    """How each binding did, and where the bindings disagree."""
    standings = view.standings(results)
    counts = [
        line("Binding", "works", "correctly absent", "not expressible", "need a look"),
        line(":---", *4 * ["---:"]),
    ]
    for one in standings:
        numbers = (one.works, one.absent, one.not_expressible, one.look)
        counts.append(line(plain(one.title), *map(str, numbers)))
    yield "\n".join(counts)
    contrasts = view.contrasts(results)
    if not contrasts:
        yield "The bindings agree in every cell that has a verdict."
        return
    yield "Where they disagree:"
    by_name = {row.name: row for row in rows}
    table = [
        line("Test", "on", *(plain(one.title) for one in standings)),
        line(":---", ":---", *(":-:" for _ in standings)),
    ]
    for contrast in contrasts:
        row = by_name[contrast.test]
        places = ((shown.sign, shown.anchor(row.stem)) for shown in contrast.cells)
        signs = (f"[{sign}](#{place})" if place else sign for sign, place in places)
        table.append(line(f"[{row.name}]({where.home}/{row.file})", plain(contrast.kernels), *signs))
    yield "\n".join(table)


def _article(article: Article, where: Place) -> Iterator[str]:
    yield f"{''.join(map(place, article.anchors))}\n\n### `{article.sign}` {plain(article.title)}"
    yield plain(sentence(article.why))
    facts = [_fact(fact) for fact in article.facts]
    if article.rerun:
        facts.append(f"- Run again: {code(article.rerun)}")
    facts.append("- Source: " + ", ".join(f"[{file}]({where.home}/{file})" for file in article.files))
    yield "\n".join(facts)
    for proof in article.proofs:
        of = f" of {proof.test}" if len(article.stems) > 1 else ""
        for block in proof.blocks:
            yield folded(f"{block.title}{of}", fenced(block.body))


def _absences(results: Results, rows: tuple[Row, ...]) -> Iterator[str]:
    cells, (kind, *_) = results.by_position(), results.header.plan.configurations
    absent = 0
    for row in rows:
        seen: dict[evidence.Block, dict[str, list[str]]] = {}  # evidence -> kernel -> bindings
        for column in text.columns(results):
            for binding in results.header.plan.bindings:
                cell = cells.get(Position(row.name, column.series, binding, kind))
                if cell and cell.verdict is Verdict.ABSENT:
                    absent += 1
                    for block in evidence.witnesses(cell):
                        seen.setdefault(block, {}).setdefault(column.heading, []).append(binding)
        if seen:
            details = "\n\n".join(
                f"{plain(block.title)} on {plain(_where(results, names))}:\n\n{fenced(block.body)}"
                for block, names in seen.items()
            )
            kernels = dict.fromkeys(heading for names in seen.values() for heading in names)
            yield folded(f"{row.name}, absent on {', '.join(kernels)}", details)
    yield from _no_such_rings(results)
    if not absent:
        yield "Nothing is absent."


def _no_such_rings(results: Results) -> Iterator[str]:
    """The configurations that kernels lack: each is one refusal, to which all of its cells refer."""
    cells, columns, (first, *_) = results.by_position(), text.columns(results), results.header.plan.tests
    for lane in view.configurations(results):
        seen: dict[evidence.Block, list[text.Column]] = {}
        for column, tally in zip(columns, lane.tallies, strict=True):
            if tally.absent:
                cell = cells[Position(first, column.series, lane.binding, lane.configuration)]
                for block in evidence.witnesses(cell)[:1]:
                    seen.setdefault(block, []).append(column)
        for block, on in seen.items():
            summary = f"The configuration {lane.title}, absent on {view.in_words(on, columns)}"
            yield folded(summary, fenced(block.body))


def _where(results: Results, names: Mapping[str, Sequence[str]]) -> str:
    """The kernels, each with its bindings unless it is all of them."""
    every = list(results.header.plan.bindings)
    return ", ".join(
        heading if bindings == every else f"{heading} through {' and '.join(bindings)}"
        for heading, bindings in names.items()
    )


def _lacks(results: Results, rows: tuple[Row, ...]) -> Iterator[str]:
    """What each binding cannot express: the same on every kernel, unless a test got that far only on some."""
    cells, columns = results.by_position(), text.columns(results)
    kind = results.header.plan.configurations[0]
    for binding in results.header.plan.bindings:
        found = []
        for row in rows:
            seen: dict[evidence.Block, list[text.Column]] = {}
            for column in columns:
                cell = cells.get(Position(row.name, column.series, binding, kind))
                for block in evidence.lacks(cell) if cell and cell.verdict is Verdict.NOT_EXPRESSIBLE else ():
                    seen.setdefault(block, []).append(column)
            for block, on in seen.items():
                found.append(folded(f"{row.name}, on {view.in_words(on, columns)}", fenced(block.body)))
        if found:
            yield f"## What {plain(view.title(results, binding))} cannot express"
            yield from found


def _fact(fact: Fact) -> str:
    return f"- {fact.label}: {(code if fact.code else plain)(fact.value)}"


def _kernels(results: Results, where: Place) -> Iterator[str]:
    by_series = {kernel.series: kernel for kernel in results.kernels}
    for column in text.columns(results):
        yield f"{place(f'kernel={view.word(column.series)}')}\n\n### {plain(column.heading)}"
        facts = view.kernel_facts(by_series.get(column.series))
        lines = [_fact(fact) for fact in facts]
        lines += [f"- Artefact: [{plain(link)}]({link})" for link in where.artefacts.get(column.series, ())]
        yield "\n".join(lines)
