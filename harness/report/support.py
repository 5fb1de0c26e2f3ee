# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""reports/support.json, what a program may rely on: of each name of the interface since when it is there, where that was seen, and what to know.

Only names are listed that a program can write: opcodes, flags, numbers. `documented` is the first mainline release according
to surface.toml. `works` and `absent` are the kernels of a published run on which the rows that assert the name passed or were
refused: a kernel before `documented` on which such a row passes shows nothing of this name, and is in neither.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.kernels.spec import HOST
from harness.report import text, view
from harness.results.model import Cell, Kernel, Results
from harness.suite import surface
from harness.suite.binding import DEFAULT
from harness.suite.catalogue import ANY, Row
from harness.suite.configuration import PLAIN
from harness.suite.since import Expected, KernelVersion, due_on
from harness.suite.surface import Excuses, Item
from harness.verdicts.judge import Verdict

FILE = "support.json"
SCHEMA = 1

#: Kinds of surface.toml that are no names, but answers to a certain question.
NO_NAMES = frozenset(
    {"errno", "fact", "behaviour", "man_erratum", "limit", "ring_layout", "companion_struct"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A known deviation, and the kernels on which the run met it."""

    row: str
    kernels: tuple[str, ...]
    facts: Mapping[str, Any]  # Deviation.as_json()

    def as_json(self) -> dict[str, Any]:
        """Its part of an entry."""
        return {"row": self.row, "kernels": list(self.kernels), **self.facts}


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """What is known of one name."""

    item: Item
    backports: tuple[str, ...]  # stable releases that have it, of older series
    rows: tuple[str, ...]  # the stems of those that assert it
    works: tuple[str, ...]  # kernels, oldest first
    absent: tuple[str, ...]
    deviations: tuple[Known, ...]  # of these rows

    def is_on(self, version: KernelVersion) -> bool:
        """Whether this kernel should have it."""
        return _should_have(self.item, self.backports, version)

    def as_json(self) -> dict[str, Any]:
        """Its entry in support.json."""
        return {
            "kind": self.item.kind,
            "documented": self.item.since or None,
            "backports": list(self.backports),
            "works": list(self.works),
            "absent": list(self.absent),
            "rows": list(self.rows),
            "deviations": [one.as_json() for one in self.deviations],
        }


def of(results: Results, rows: Iterable[Row], excuses: Excuses) -> dict[str, Support]:
    """What is known of each name, in the order of surface.toml."""
    cells = {
        (cell.stem, cell.series): cell
        for cell in results.cells
        if cell.series != HOST and cell.configuration == PLAIN and cell.binding == DEFAULT[0].name
    }
    versions = {
        kernel.series: KernelVersion.parse(kernel.release or "", kernel.version or "")
        for kernel in _kernels(results)
    }
    asserted = surface.accounts(_names(), rows, excuses)
    return {account.item.name: _support(account.item, account.rows, cells, versions) for account in asserted}


def as_json(results: Results, answers: Mapping[str, Support]) -> str:
    """support.json."""
    head = {
        "schema": SCHEMA,
        "suite": view.suite(results),
        "measured": view.day(results),
        "kernels": {kernel.series: kernel.release for kernel in _kernels(results)},
    }
    # A line for each, so that a difference between two runs can be read.
    lines = [f"{_dumped(key)}: {_dumped(value)}," for key, value in head.items()]
    names = [f"  {_dumped(name)}: {_dumped(answer.as_json())}" for name, answer in answers.items()]
    return "\n".join(("{", *lines, '"names": {', ",\n".join(names), "}", "}")) + "\n"


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _kernels(results: Results) -> Sequence[Kernel]:
    """Those of the archive, oldest first: this machine's own is another elsewhere."""
    there = (kernel for kernel in results.kernels if kernel.series != HOST)
    return sorted(there, key=lambda kernel: text.age(kernel.series))


def _names() -> tuple[Item, ...]:
    return tuple(item for item in surface.items() if item.kind not in NO_NAMES)


def _support(
    item: Item,
    rows: tuple[Row, ...],
    cells: Mapping[tuple[str, str], Cell],
    versions: Mapping[str, KernelVersion | None],
) -> Support:
    backports = tuple(dict.fromkeys(back for row in rows if row.since == item.since for back in row.also))
    works, absent = [], []
    for series, version in versions.items():
        verdicts = {cells[row.stem, series].verdict for row in rows if (row.stem, series) in cells}
        if version is None or not verdicts:
            continue
        if _should_have(item, backports, version) and verdicts & {Verdict.WORKS, Verdict.KNOWN}:
            works.append(series)
        elif verdicts == {Verdict.ABSENT}:
            absent.append(series)
    stems = tuple(row.stem for row in rows)
    return Support(
        item=item,
        backports=backports,
        rows=stems,
        works=tuple(works),
        absent=tuple(absent),
        deviations=tuple(_known(stems, versions, cells)),
    )


def _known(
    stems: tuple[str, ...], kernels: Iterable[str], cells: Mapping[tuple[str, str], Cell]
) -> Iterator[Known]:
    found: dict[tuple[str, str], tuple[list[str], Mapping[str, Any]]] = {}
    for stem in stems:
        for series in kernels:
            for one in cells[stem, series].deviations if (stem, series) in cells else ():
                found.setdefault((stem, one["what"]), ([], one))[0].append(series)
    yield from (Known(row=stem, kernels=tuple(on), facts=one) for (stem, _), (on, one) in found.items())


def _should_have(item: Item, backports: tuple[str, ...], version: KernelVersion) -> bool:
    return due_on(item.since or ANY, backports, version) is Expected.PRESENT
