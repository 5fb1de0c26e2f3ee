# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""What a run found: plan, kernels, cells and totals, each as a value and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from typing import Any, NamedTuple

from harness.base.errors import HarnessError
from harness.machines.machine import Accelerator
from harness.suite.configuration import PLAIN
from harness.suite.since import Expected
from harness.verdicts.judge import Verdict, surprise
from harness.verdicts.why import why

SCHEMA = 2


class Position(NamedTuple):
    """Which cell of the cube."""

    test: str
    series: str
    binding: str
    configuration: str = PLAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The cells that the run must fill: every test on every kernel through every binding in every configuration."""

    tests: tuple[str, ...]
    kernels: tuple[str, ...]  # series, the name of a local image, or "host"
    bindings: tuple[str, ...]
    configurations: tuple[str, ...] = (PLAIN,)

    def positions(self) -> list[Position]:
        """Every planned cell."""
        return [
            Position(t, k, b, c)
            for t in self.tests
            for k in self.kernels
            for b in self.bindings
            for c in self.configurations
        ]

    def as_json(self) -> dict[str, Any]:
        """The JSON of this part of the header. A run of plain rings does not say so."""
        return without(asdict(self), *(("configurations",) if self.configurations == (PLAIN,) else ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What was run, as digests (see harness/results/provenance.py). Equal digests mean equal files."""

    binding: str
    support: str
    harness: str
    catalogue: str
    tests: Mapping[str, str]  # by Zig's name, the source of each planned test
    adapters: Mapping[str, str] = field(
        default_factory=dict
    )  # by name, for each planned binding that is not ours

    def as_json(self) -> dict[str, Any]:
        """The JSON of this part of the header."""
        return asdict(self) if self.adapters else without(asdict(self), "adapters")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What was run, where and when."""

    suite: str | None  # commit of this repository; None if there is none
    dirty: bool  # the tree had uncommitted changes
    plan: Plan
    started: str
    host: Mapping[str, str | int]  # kind of machine; never its name
    made_of: Provenance | None = None  # not in runs before 24 November 2026

    def as_json(self) -> dict[str, Any]:
        """The header line."""
        line = {"kind": "header", "schema": SCHEMA, **asdict(self), "plan": self.plan.as_json()}
        return line | {"made_of": self.made_of.as_json()} if self.made_of else without(line, "made_of")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """One column: the kernel that answered, where it came from, and how its machine did."""

    series: str
    release: str | None  # uname -r; None if it never answered
    version: str | None  # uname -v
    source: str  # the package or the file, in words
    sha256: str | None  # of the image
    accelerator: Accelerator | None  # None for the host
    boot_ms: int | None
    wall_ms: int
    smoke: str | None  # "ok", or a sentence; None if it was not reached
    trouble: str | None  # a sentence, if the harness failed
    notices: tuple[str, ...] = ()
    bindings: Mapping[str, str] = field(
        default_factory=dict
    )  # the version of each, if its program reports one

    def as_json(self) -> dict[str, Any]:
        """The kernel's line."""
        line = {"kind": "kernel", **asdict(self)}
        return line if self.bindings else without(line, "bindings")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One judged cell with its evidence."""

    test: str  # Zig's exact name
    stem: str
    series: str
    kernel: str | None  # full release; None if it never answered
    binding: str
    observed: Mapping[str, Any]  # Observation.as_json()
    expected: Expected
    verdict: Verdict
    due: tuple[str, ...]  # releases since which it must pass: Row.due at the time of the run
    ms: int
    rerun: str  # the command that runs this cell again
    deviations: tuple[
        Mapping[str, Any], ...
    ] = ()  # the known ones that are expected here: Deviation.as_json()
    configuration: str = PLAIN  # the kind of ring

    @property
    def position(self) -> Position:
        """Its test, series, binding and configuration."""
        return Position(self.test, self.series, self.binding, self.configuration)

    @property
    def why(self) -> str:
        """One sentence for people. It is derived from the facts and not stored, so rewording it does not change the cell."""
        return why(self.due, self.observed, self.expected, self.verdict, self.deviations)

    @property
    def surprise(self) -> bool:
        """Whether a person should look at it."""
        return surprise(self.verdict)

    def as_json(self) -> dict[str, Any]:
        """The cell's line."""
        line = {"kind": "cell", **asdict(self), "due": list(self.due), "surprise": self.surprise}
        left_out = {"deviations": not self.deviations, "configuration": self.configuration == PLAIN}
        return without(line, *(key for key, is_usual in left_out.items() if is_usual))


@dataclass(frozen=True, slots=True, kw_only=True)
class Footer:
    """The run in numbers. `complete`: every planned cell has a line, whatever its verdict."""

    cells: int
    surprises: int
    no_verdict: int
    complete: bool
    ended: str

    @classmethod
    def count(cls, plan: Plan, cells: Iterable[Cell], ended: str) -> Footer:
        """The footer for these cells."""
        done = {cell.position: cell for cell in cells}
        return cls(
            cells=len(done),
            surprises=sum(cell.surprise for cell in done.values()),
            no_verdict=sum(cell.verdict is Verdict.NONE for cell in done.values()),
            complete=done.keys() >= set(plan.positions()),
            ended=ended,
        )

    def as_json(self) -> dict[str, Any]:
        """The footer line."""
        return {"kind": "footer", **asdict(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """A whole run."""

    header: Header
    kernels: tuple[Kernel, ...]
    cells: tuple[Cell, ...]
    footer: Footer

    def by_position(self) -> dict[Position, Cell]:
        """The cells by their positions."""
        return {cell.position: cell for cell in self.cells}

    def through(self, binding: str) -> Results:
        """The part of the run that went through one binding, as a run of its own."""
        if binding not in self.header.plan.bindings:
            there = ", ".join(self.header.plan.bindings)
            raise HarnessError(
                f"These results are for {there}, not for {binding}. Run ci/matrix --binding {binding}."
            )
        plan = replace(self.header.plan, bindings=(binding,))
        cells = tuple(cell for cell in self.cells if cell.binding == binding)
        footer = Footer.count(plan, cells, self.footer.ended)
        return replace(self, header=replace(self.header, plan=plan), cells=cells, footer=footer)

    def under(self, configuration: str) -> Results:
        """The part of the run in one configuration, as a run of its own."""
        plan = replace(self.header.plan, configurations=(configuration,))
        cells = tuple(cell for cell in self.cells if cell.configuration == configuration)
        footer = Footer.count(plan, cells, self.footer.ended)
        return replace(self, header=replace(self.header, plan=plan), cells=cells, footer=footer)


def utc_now() -> str:
    """The current time, in the format of the results file."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def kernel_from_json(value: dict[str, Any]) -> Kernel:
    """A kernel from the JSON of its line."""
    accelerator = Accelerator(**value["accelerator"]) if value["accelerator"] else None
    return Kernel(
        **without(value, "kind", "notices", "accelerator"),
        notices=tuple(value["notices"]),
        accelerator=accelerator,
    )


def cell_from_json(value: dict[str, Any]) -> Cell:
    """A cell from the JSON of its line."""
    enums: dict[str, Any] = {"expected": Expected(value["expected"]), "verdict": Verdict(value["verdict"])}
    lists: dict[str, Any] = {key: tuple(value.get(key, ())) for key in ("due", "deviations")}
    return Cell(**without(value, "kind", "surprise", *lists, *enums), **lists, **enums)


def without(value: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: item for key, item in value.items() if key not in keys}
