# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The kinds of rings on which the rows run (configurations.toml), and since when a row is due on one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.base import toml_file
from harness.base.errors import HarnessError
from harness.base.words import nearest
from harness.suite.catalogue import ANY, FOLDER, Row
from harness.suite.catalogue import load as load_rows

PATH = FOLDER / "configurations.toml"
PLAIN = "plain"  # the default; results files do not name it
ALL = "all"  # what --configuration takes for every one


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """One entry of the file."""

    name: str
    since: str  # mainline release, or ANY
    source: str
    what: str
    also: tuple[str, ...] = ()  # stable releases with a backport
    setup: tuple[str, ...] = ()  # flags of io_uring_setup(2)
    sqe: tuple[str, ...] = ()  # flags that every SQE gets on its way to the kernel
    registered: bool = False  # entered through a registered index
    proxy: str | None = None  # an opcode of its release or a later one
    differs: tuple[str, ...] = ()  # what the rows do not assert there, each with its reason
    without: Mapping[str, str] = field(default_factory=dict, hash=False)  # rows that are not run, and why

    @property
    def spec(self) -> str:
        """What --configuration takes."""
        return self.name


PLAINLY = Configuration(name=PLAIN, since=ANY, source="no flags", what="as most examples open a ring")


def load(path: Path = PATH, rows: Iterable[Row] | None = None) -> tuple[Configuration, ...]:
    """All entries, plain first; HarnessError if anything in the file is wrong."""
    document = toml_file.load(path, PATH.with_suffix(".schema.json"))
    found = tuple(
        Configuration(**{key: _value(value) for key, value in one.items()})
        for one in document["configuration"]
    )
    if found[0] != PLAINLY:
        raise HarnessError(f"{path.name}: the first configuration must be {PLAINLY}.")
    stems = [row.stem for row in (load_rows() if rows is None else rows)]
    seen: set[str] = {ALL}
    for one in found:
        if one.name in seen:
            raise HarnessError(f"{path.name}: the name {one.name!r} is taken. Rename one of them.")
        seen.add(one.name)
        if strange := [stem for stem in one.without if stem not in stems]:
            hint = nearest(strange[0], stems)
            raise HarnessError(
                f"{path.name}: {one.name}: without names the row {strange[0]!r}, which does not exist. {hint}"
            )
    return found


def _value(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def parse(names: Iterable[str], known: Iterable[Configuration] | None = None) -> tuple[Configuration, ...]:
    """The configurations that were asked for, each once; plain alone if none was."""
    wanted = tuple(dict.fromkeys(names))
    if not wanted:
        return (PLAINLY,)
    every = {one.name: one for one in (load() if known is None else known)}
    for name in wanted:
        if name != ALL and name not in every:
            raise HarnessError(
                f"There is no configuration {name!r}. There are: {', '.join(every)}; and {ALL} for every one."
            )
    return tuple(one for one in every.values() if ALL in wanted or one.name in wanted)


def due(row: Row, configuration: Configuration) -> tuple[str, ...]:
    """The releases since which a cell must pass: those of the row or of the configuration, whichever came later."""
    later = _age(configuration.since) > _age(row.since)
    return (configuration.since, *configuration.also) if later else row.due


def _age(since: str) -> tuple[int, ...]:
    return () if since == ANY else tuple(int(number) for number in since.split("."))
