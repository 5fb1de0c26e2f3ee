# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The whole interface of io_uring, and which rows assert what of it.

Every item of surface.toml is claimed by a row (`covers` in the catalogue), or excused with a reason (uncovered.toml).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
    """Who answers for an item. One of the two is not empty, unless it is open."""

    item: Item
    rows: tuple[Row, ...] = ()
    excuses: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether nobody answers for it."""
        return not (self.rows or self.excuses)


#: What no row asserts, and why: pattern and reason.
Excuses = tuple[tuple[str, str], ...]


def items(path: Path = SURFACE) -> tuple[Item, ...]:
    """The whole interface, in the order of the file."""
    document = toml_file.load(path, path.with_suffix(".schema.json"))
    return tuple(
        Item(kind=kind, name=name, since=since)
        for kind, table in document.items()
        for name, since in table.items()
    )


def uncovered(path: Path = UNCOVERED) -> Excuses:
    """What the file of exceptions says."""
    document = toml_file.load(path, path.with_suffix(".schema.json"))
    return tuple((one["item"], one["reason"]) for one in document.get("excused", ()))


def accounts(surface: Iterable[Item], rows: Iterable[Row], excuses: Excuses) -> tuple[Account, ...]:
    """Who answers for each item."""
    rows = tuple(rows)
    return tuple(
        Account(
            item=item,
            rows=tuple(row for row in rows if any(map(item.matches, row.covers))),
            excuses=tuple(reason for pattern, reason in excuses if item.matches(pattern)),
        )
        for item in surface
    )


def objections(surface: tuple[Item, ...], rows: tuple[Row, ...], excuses: Excuses) -> Iterator[str]:
    """What is wrong with the accounting, in sentences: what is open, and claims of what there is not."""
    for account in accounts(surface, rows, excuses):
        if account.is_open:
            yield (
                f"No row asserts {account.item.full_name}. Claim it in the `covers` of the row that does, or excuse it in "
                f"{UNCOVERED.name}."
            )
    names = [item.name for item in surface]
    for where, pattern in _claims(rows, excuses):
        if not any(item.matches(pattern) for item in surface):
            yield f"{where}: nothing in {SURFACE.name} is called {pattern!r}. {nearest(pattern, names)}"


def _claims(rows: Iterable[Row], excuses: Excuses) -> Iterator[tuple[str, str]]:
    """Each pattern, and where it stands."""
    for row in rows:
        yield from ((f"The row {row.stem}", pattern) for pattern in row.covers)
    yield from (("An excuse", pattern) for pattern, _ in excuses)
