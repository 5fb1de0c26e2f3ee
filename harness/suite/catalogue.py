"""The catalogue: which tests there are, in which order, and since when the kernel should pass them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from harness.base import toml_file
from harness.base.errors import HarnessError
from harness.base.paths import ROOT

PATH = ROOT / "conformance" / "catalogue" / "catalogue.toml"
SCHEMA = PATH.with_suffix(".schema.json")

GROUPS = ("Rings", "Read and write", "Files", "Sockets", "Time and cancel", "Provided buffers", "Processes")
ANY = "any"  # the `since` of a row that needs nothing from the kernel


class Evidence(StrEnum):
    """How we know a row's `since`."""

    MEASURED = "measured"
    DOCUMENTED = "documented"
    INFERRED = "inferred"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One test of the plan."""

    name: str  # Zig's exact name
    stem: str
    group: str
    since: str  # mainline release such as "5.15", or ANY
    also: tuple[str, ...]  # stable releases with a backport, such as "5.10.162", oldest first
    evidence: Evidence
    source: str
    timeout_s: int

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
        return f"conformance/zig/{self.stem}_test.cc"


def load(path: Path = PATH) -> tuple[Row, ...]:
    """All rows of the catalogue, in its order; HarnessError if anything in the file is wrong."""
    document = toml_file.load(path, SCHEMA)
    rows = tuple(
        _row(f"{path.name}: test {number} ({test['name']})", document["defaults"] | test)
        for number, test in enumerate(document["test"], 1)
    )
    _check_unique(path.name, "name", (row.name for row in rows))
    _check_unique(path.name, "stem", (row.stem for row in rows))
    return rows


def chosen_rows(names: Iterable[str]) -> tuple[Row, ...]:
    """The catalogue's rows, or those with one of these stems or Zig names; HarnessError for any other name."""
    rows = load()
    wanted = list(names)
    for name in wanted:
        if not any(name in (row.stem, row.name) for row in rows):
            raise HarnessError(f"There is no test {name!r}. There are: {', '.join(row.stem for row in rows)}.")
    return tuple(row for row in rows if not wanted or row.stem in wanted or row.name in wanted)


def _row(where: str, table: dict[str, Any]) -> Row:
    also = tuple(table.get("also", ()))
    _check_backports(where, table["since"], also)
    values: dict[str, Any] = table | {"also": also, "evidence": Evidence(table["evidence"])}
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
