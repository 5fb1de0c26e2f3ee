"""The catalogue: which tests there are, in which order, and since when the kernel should pass them."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from harness.base.errors import Trouble
from harness.base.paths import ROOT

PATH = ROOT / "conformance" / "catalogue" / "catalogue.toml"

GROUPS = ("Rings", "Read and write", "Files", "Sockets", "Time and cancel", "Provided buffers", "Processes")
ANY = "any"  # the `since` of a row that needs nothing of the kernel

_REQUIRED = ("name", "stem", "group", "since", "evidence", "source")
_OPTIONAL = ("also", "timeout_s")


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
    """All rows of the catalogue in its order; Trouble when the file is not exactly what it should be."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise Trouble(f"The catalogue cannot be read: {error}. Restore it from git.") from error
    except tomllib.TOMLDecodeError as error:
        raise Trouble(f"{path.name} is not valid TOML: {error}. Correct that line.") from error

    _check_keys(path.name, document, ("defaults", "test"), required=("defaults", "test"))
    defaults, tests = document["defaults"], document["test"]
    if not isinstance(defaults, dict) or not isinstance(tests, list):
        raise Trouble(f"{path.name}: write [defaults] once, and [[test]] in double brackets for each row.")
    _check_keys(f"{path.name}, [defaults]", defaults, ("timeout_s",), required=("timeout_s",))
    rows = tuple(_row(f"{path.name}, test {number}", defaults | test) for number, test in enumerate(tests, 1))
    if not rows:
        raise Trouble(f"{path.name} lists no test, so there is nothing to run. Restore it from git.")
    _check_unique(path.name, "name", (row.name for row in rows))
    _check_unique(path.name, "stem", (row.stem for row in rows))
    return rows


def chosen_rows(names: Iterable[str]) -> tuple[Row, ...]:
    """The catalogue's rows, or those with one of these stems or Zig names; Trouble for a name that is none."""
    rows = load()
    wanted = list(names)
    for name in wanted:
        if not any(name in (row.stem, row.name) for row in rows):
            raise Trouble(f"There is no test {name!r}. There are: {', '.join(row.stem for row in rows)}.")
    return tuple(row for row in rows if not wanted or row.stem in wanted or row.name in wanted)


def _row(where: str, table: dict[str, Any]) -> Row:
    if isinstance(table.get("name"), str):
        where = f"{where} ({table['name']})"
    _check_keys(where, table, _REQUIRED + _OPTIONAL, required=_REQUIRED)
    for key in _REQUIRED:
        if not isinstance(table[key], str) or not table[key].strip():
            # An unquoted 5.10 is the number 5.1: the one mistake here that would pass unnoticed.
            raise Trouble(f"{where}: {key} must be a text in quotes, not {table[key]!r}. Quote it.")
    also = table.get("also", [])
    if not isinstance(also, list) or not all(isinstance(release, str) for release in also):
        raise Trouble(f'{where}: also must be a list of texts, not {also!r}. Write it like ["5.10.162"].')
    timeout_s = table["timeout_s"]
    if type(timeout_s) is not int or timeout_s < 1:
        raise Trouble(f"{where}: timeout_s must be a whole number of seconds from 1 on, not {timeout_s!r}.")

    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", table["stem"]):
        raise Trouble(f"{where}: stem {table['stem']!r} is none. Use lower case, digits, single _.")
    _check_choice(where, "group", table["group"], GROUPS)
    _check_choice(where, "evidence", table["evidence"], [kind.value for kind in Evidence])
    _check_releases(where, table["since"], also)
    return Row(
        name=table["name"],
        stem=table["stem"],
        group=table["group"],
        since=table["since"],
        also=tuple(also),
        evidence=Evidence(table["evidence"]),
        source=table["source"],
        timeout_s=timeout_s,
    )


def _check_releases(where: str, since: str, also: list[str]) -> None:
    if since != ANY and not re.fullmatch(r"\d+\.\d+", since):
        raise Trouble(f'{where}: since {since!r} is no mainline release. Write it like "5.15", or "{ANY}".')
    for release in also:
        if not re.fullmatch(r"\d+\.\d+\.\d+", release):
            raise Trouble(f'{where}: also {release!r} is no stable release. Write it like "5.10.162".')
        if since == ANY or _numbers(release)[:2] >= _numbers(since):
            raise Trouble(
                f"{where}: also {release} is no backport, since {since} has it already. Remove one of them."
            )
    if also != sorted(set(also), key=_numbers):
        raise Trouble(f"{where}: also {also} must be sorted, oldest first, each once. Sort it.")


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split("."))


def _check_keys(where: str, table: dict[str, Any], known: Collection[str], required: Iterable[str]) -> None:
    for key in table:
        if key not in known:
            raise Trouble(f"{where}: unknown key {key!r}. {nearest(key, known)}")
    for key in required:
        if key not in table:
            raise Trouble(f"{where}: the key {key!r} is missing. Add it.")


def _check_choice(where: str, key: str, value: str, choices: Collection[str]) -> None:
    if value not in choices:
        raise Trouble(f"{where}: unknown {key} {value!r}. {nearest(value, choices)}")


def nearest(word: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"Did you mean {near[0]!r}?" if near else f"Use one of: {', '.join(known)}."


def _check_unique(where: str, key: str, values: Iterable[str]) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise Trouble(f"{where}: the {key} {value!r} stands there twice. Remove or rename one.")
        seen.add(value)
