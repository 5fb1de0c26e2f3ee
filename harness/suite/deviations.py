# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Known deviations: rows that fail on certain kernels for a reason that is understood (deviations.toml)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.base import toml_file
from harness.base.errors import HarnessError
from harness.base.words import nearest
from harness.suite import configuration as configurations
from harness.suite.catalogue import FOLDER, Row
from harness.suite.configuration import PLAIN
from harness.suite.since import KernelVersion

PATH = FOLDER / "deviations.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """One entry of the file."""

    row: str
    tests: tuple[str, ...]
    kernels: tuple[str, ...]
    what: str
    blame: str
    source: str
    until: tuple[str, ...] = ()  # releases of these series that have the fix
    binding: str | None = None
    configurations: tuple[str, ...] = ()  # only on these kinds of rings; by default on each
    fixed: str | None = None  # the first mainline release without it
    run: bool = True  # False: its tests are not run there, because they would not end

    def concerns(self, version: KernelVersion, binding: str, configuration: str) -> bool:
        """Whether it is expected on this kernel through this binding on this kind of ring."""
        fixes = filter(None, map(KernelVersion.parse, self.until))
        is_fixed = any(version.series == fix.series and version >= fix for fix in fixes)
        is_elsewhere = bool(self.configurations) and configuration not in self.configurations
        return (
            version.series in self.kernels
            and not is_fixed
            and not is_elsewhere
            and self.binding in (None, binding)
        )

    def as_json(self) -> dict[str, Any]:
        """What a cell keeps of it."""
        return {"what": self.what, "blame": self.blame, "source": self.source, "fixed": self.fixed}


def load(rows: Iterable[Row], path: Path = PATH) -> tuple[Deviation, ...]:
    """All entries; HarnessError if anything in the file is wrong."""
    document = toml_file.load(path, path.with_suffix(".schema.json"))
    found = tuple(
        Deviation(**{key: _value(value) for key, value in one.items()}) for one in document["deviation"]
    )
    for objection in _objections(found, {row.stem: row for row in rows}):
        raise HarnessError(f"{path.name}: {objection}")
    return found


def _value(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _objections(found: Iterable[Deviation], rows: dict[str, Row]) -> Iterator[str]:
    kinds = [one.name for one in configurations.load(rows=rows.values())]
    for one in found:
        if one.row not in rows:
            yield f"there is no row {one.row!r}. {nearest(one.row, list(rows))}"
            continue
        suite = rows[one.row].suite
        for test in one.tests:
            if test.partition(".")[0] != suite and not test.startswith(f"{suite}At"):
                yield f"{test} is no test of the row {one.row}, whose suite is {suite}. Correct it."
        for release in one.until:
            if release.rpartition(".")[0] not in one.kernels:
                yield f"{one.row}: until {release} is of no series in its kernels. Correct it."
        if not one.run and not (one.fixed or one.until):
            yield f"{one.row}: what is not run is not seen to be gone. Add fixed or until."
        for name in one.configurations:
            if name not in kinds:
                yield f"{one.row}: there is no configuration {name!r}. {nearest(name, kinds)}"


def without(tests: Iterable[str]) -> str:
    """The end of a GoogleTest filter that leaves these out, with whatever parameters; "" for none."""
    names = ":".join(f"{test}:{test}/*:*/{test}/*" for test in tests)
    return f"-{names}" if names else ""


def concerning(
    known: Iterable[Deviation],
    stem: str,
    version: KernelVersion | None,
    binding: str,
    configuration: str = PLAIN,
) -> tuple[Deviation, ...]:
    """Those that are expected in a cell. A kernel whose version is unknown has none."""
    if version is None:
        return ()
    return tuple(one for one in known if one.row == stem and one.concerns(version, binding, configuration))
