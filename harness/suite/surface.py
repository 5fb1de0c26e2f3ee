# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The whole interface of io_uring, and which rows assert what of it.

Every item of surface.toml is claimed by a row (`covers` in the catalogue), by a row that is still to be written, or
excused with a reason (both in uncovered.toml).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from harness.base import toml_file
from harness.base.words import nearest
from harness.suite.catalogue import FOLDER, Row

SURFACE, UNCOVERED = FOLDER / "surface.toml", FOLDER / "uncovered.toml"

#: Kinds whose names are no names of the kernel: a pattern must say KIND:NAME.
_NAMELESS = ("errno", "fact", "behaviour", "man_erratum")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing of the interface: an opcode, a flag, an answer to a certain question."""

    kind: str
    name: str
    since: str  # mainline release; "" where that means nothing

    @property
    def full_name(self) -> str:
        """What a pattern can always match: "op:IORING_OP_NOP"."""
        return f"{self.kind}:{self.name}"

    def matches(self, pattern: str) -> bool:
        """Whether the pattern means this item."""
        names = [self.full_name] + ([] if self.kind in _NAMELESS else [self.name])
        if self.kind == "struct":
            names.append(f"struct {self.name}")
        return any(fnmatchcase(name, pattern) for name in names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who answers for an item. One of the three is not empty, unless it is open."""

    item: Item
    rows: tuple[Row, ...] = ()
    planned: tuple[str, ...] = ()  # stems of rows still to be written
    excuses: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether nobody answers for it."""
        return not (self.rows or self.planned or self.excuses)


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncovered:
    """What no row asserts."""

    planned: Mapping[str, tuple[str, ...]]  # patterns by stem
    excused: tuple[tuple[str, str], ...]  # pattern, reason


def items(path: Path = SURFACE) -> tuple[Item, ...]:
    """The whole interface, in the order of the file."""
    document = toml_file.load(path, path.with_suffix(".schema.json"))
    return tuple(
        Item(kind=kind, name=name, since=since)
        for kind, table in document.items()
        for name, since in table.items()
    )


def uncovered(path: Path = UNCOVERED) -> Uncovered:
    """What the file of exceptions says."""
    document = toml_file.load(path, path.with_suffix(".schema.json"))
    return Uncovered(
        planned={one["stem"]: tuple(one["covers"]) for one in document.get("planned", ())},
        excused=tuple((one["item"], one["reason"]) for one in document.get("excused", ())),
    )


def accounts(surface: Iterable[Item], rows: Iterable[Row], exceptions: Uncovered) -> tuple[Account, ...]:
    """Who answers for each item."""
    rows = tuple(rows)
    return tuple(
        Account(
            item=item,
            rows=tuple(row for row in rows if any(map(item.matches, row.covers))),
            planned=tuple(
                stem for stem, covers in exceptions.planned.items() if any(map(item.matches, covers))
            ),
            excuses=tuple(reason for pattern, reason in exceptions.excused if item.matches(pattern)),
        )
        for item in surface
    )


def objections(surface: tuple[Item, ...], rows: tuple[Row, ...], exceptions: Uncovered) -> Iterator[str]:
    """What is wrong with the accounting, in sentences: what is open, and claims of what there is not."""
    for account in accounts(surface, rows, exceptions):
        if account.is_open:
            yield (
                f"No row asserts {account.item.full_name}. Claim it in the `covers` of the row that does, or excuse it in "
                f"{UNCOVERED.name}."
            )
    names = [item.name for item in surface]
    for where, pattern in _claims(rows, exceptions):
        if not any(item.matches(pattern) for item in surface):
            yield f"{where}: nothing in {SURFACE.name} is called {pattern!r}. {nearest(pattern, names)}"
    for row in rows:
        if row.stem in exceptions.planned:
            yield f"The row {row.stem} is written, but {UNCOVERED.name} plans it still. Remove it there."


def _claims(rows: Iterable[Row], exceptions: Uncovered) -> Iterator[tuple[str, str]]:
    """Each pattern, and where it stands."""
    for row in rows:
        yield from ((f"The row {row.stem}", pattern) for pattern in row.covers)
    for stem, covers in exceptions.planned.items():
        yield from ((f"The planned row {stem}", pattern) for pattern in covers)
    yield from (("An excuse", pattern) for pattern, _ in exceptions.excused)
