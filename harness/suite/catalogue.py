# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The catalogue: which tests there are, in which order, and since when the kernel should pass them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from harness.base import toml_file
from harness.base.errors import HarnessError
from harness.base.paths import ROOT

FOLDER = ROOT / "conformance" / "catalogue"
ZIG, INTERFACE = FOLDER / "zig.toml", FOLDER / "interface.toml"
SCHEMA = FOLDER / "rows.schema.json"

GROUPS = (
    *(
        "Rings",
        "Chains and flags",
        "Task work",
        "Submission thread",
        "Messages",
        "Read and write",
        "Files",
        "Sockets",
    ),
    *("Poll and epoll", "Time and cancel", "Provided buffers", "Processes", "Large entries and devices"),
)
ANY = "any"  # the `since` of a row that needs nothing from the kernel


class Evidence(StrEnum):
    """How we know a row's `since`."""

    MEASURED = "measured"
    DOCUMENTED = "documented"
    INFERRED = "inferred"


class Needs(StrEnum):
    """What a row needs that not every machine has. The host has none of it."""

    NVME = "nvme"  # a polled NVMe drive
    OWN = "own"  # a machine in which nothing else runs: the row changes a setting of the whole kernel


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One test of the plan."""

    name: str  # Zig's exact name, or what a row beyond Zig's is about
    stem: str
    group: str
    since: str  # mainline release such as "5.15", or ANY
    also: tuple[str, ...]  # stable releases with a backport, such as "5.10.162", oldest first
    evidence: Evidence
    source: str
    timeout_s: int
    covers: tuple[str, ...] = ()  # patterns of what it asserts: see harness/suite/surface.py
    tier: int | None = (
        None  # of a row beyond Zig's: 1 what runtimes use every day, 2 what bindings offer, 3 the rest
    )
    machine: Needs | None = None

    @property
    def due(self) -> tuple[str, ...]:
        """The releases since which the test must pass: mainline, then backports; or ANY alone."""
        return (self.since, *self.also)

    @property
    def suite(self) -> str:
        """The GoogleTest suite: write_read -> WriteRead."""
        return "".join(part.capitalize() for part in self.stem.split("_"))

    @property
    def filter(self) -> str:
        """GoogleTest's filter for the row. Further suites of a file are named after the first: NopAtFour."""
        return f"{self.suite}.*:{self.suite}At*.*"

    @property
    def file(self) -> str:
        """The test's source, relative to the top of the repository."""
        room = "zig" if self.tier is None else f"interface/{self.group.lower().replace(' ', '_')}"
        return f"conformance/{room}/{self.stem}_test.cc"


def load(*paths: Path) -> tuple[Row, ...]:
    """All rows, Zig's first, in the order of their files; HarnessError if anything in them is wrong."""
    rows = tuple(row for path in paths or (ZIG, INTERFACE) for row in _rows(path))
    where = " and ".join(path.name for path in paths or (ZIG, INTERFACE))
    _check_unique(where, "name", (row.name for row in rows))
    _check_unique(where, "stem", (row.stem for row in rows))
    return rows


def _rows(path: Path) -> Iterator[Row]:
    document = toml_file.load(path, SCHEMA)
    for number, test in enumerate(document["test"], 1):
        yield _row(f"{path.name}: test {number} ({test['name']})", document["defaults"] | test)


def chosen_rows(names: Iterable[str]) -> tuple[Row, ...]:
    """The catalogue's rows, or those with one of these stems or Zig names; HarnessError for any other name."""
    rows = load()
    wanted = list(names)
    for name in wanted:
        if not any(name in (row.stem, row.name) for row in rows):
            raise HarnessError(
                f"There is no test {name!r}. There are: {', '.join(row.stem for row in rows)}."
            )
    return tuple(row for row in rows if not wanted or row.stem in wanted or row.name in wanted)


def _row(where: str, table: dict[str, Any]) -> Row:
    also = tuple(table.get("also", ()))
    _check_backports(where, table["since"], also)
    values: dict[str, Any] = table | {
        "also": also,
        "covers": tuple(table.get("covers", ())),
        "evidence": Evidence(table["evidence"]),
        "machine": Needs(table["machine"]) if "machine" in table else None,
    }
    return Row(**values)


def _check_backports(where: str, since: str, also: tuple[str, ...]) -> None:
    for release in also:
        if since == ANY or _numbers(release)[:2] >= _numbers(since):
            raise HarnessError(
                f"{where}: also {release} is not a backport: {since} has it already. Remove one of them."
            )
    if list(also) != sorted(set(also), key=_numbers):
        raise HarnessError(f"{where}: also {list(also)} must be sorted, oldest first, each once. Sort it.")


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split("."))


def _check_unique(where: str, key: str, values: Iterable[str]) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise HarnessError(f"{where}: the {key} {value!r} is listed twice. Remove or rename one.")
        seen.add(value)
