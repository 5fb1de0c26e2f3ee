"""What a run found: its plan, its kernels, its cells, and their numbers; each as a value and as JSON."""

from __future__ import annotations
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from typing import Any
from harness.base.errors import Trouble
from harness.machines.machine import Accelerator
from harness.suite.since import Expected
from harness.verdicts.judge import Verdict, surprise
from harness.verdicts.why import why


SCHEMA = 2

Position = tuple[str, str, str]  # test, series, binding


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The cube that the run set out to fill: every test on every kernel through every binding."""

    tests: tuple[str, ...]
    kernels: tuple[str, ...]  # series, or the name given for a local image, or "host"
    bindings: tuple[str, ...]

    def positions(self) -> list[Position]:
        """Every planned cell."""
        return [(t, k, b) for t in self.tests for k in self.kernels for b in self.bindings]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingredients:
    """What was run, as digests (harness/results/provenance.py says of what): equal digests, equal files."""

    binding: str
    support: str
    harness: str
    catalogue: str
    tests: Mapping[str, str]  # by Zig's name, each planned test's own source
    adapters: Mapping[str, str] = field(default_factory=dict)  # by name, each planned binding that is not ours

    def as_json(self) -> dict[str, Any]:
        """As a part of the header."""
        return asdict(self) if self.adapters else without(asdict(self), "adapters")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What was run, where and when."""

    suite: str | None  # commit of this repository; None before the first one
    dirty: bool  # the tree had changes on top of that commit
    plan: Plan
    started: str
    host: Mapping[str, str | int]  # what kind of machine; never its name
    made_of: Ingredients | None = None  # runs of before 24 November 2026 did not say

    def as_json(self) -> dict[str, Any]:
        """The header line."""
        line = {"kind": "header", "schema": SCHEMA, **asdict(self)}
        return line | {"made_of": self.made_of.as_json()} if self.made_of else without(line, "made_of")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """One column: the kernel that answered, where it came from, and how the machine around it fared."""

    series: str
    release: str | None  # uname -r; None when it never answered
    version: str | None  # uname -v
    source: str  # the package or the file, in words
    sha256: str | None  # of the image
    accelerator: Accelerator | None  # None for the host
    boot_ms: int | None
    wall_ms: int
    smoke: str | None  # "ok", or a sentence; None when it did not come to that
    trouble: str | None  # a sentence, when our own machinery failed
    notices: tuple[str, ...] = ()
    bindings: Mapping[str, str] = field(default_factory=dict)  # the version of each, as far as its program tells

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
    kernel: str | None  # full release; None when it never answered
    binding: str
    observed: Mapping[str, Any]  # Observation.as_json()
    expected: Expected
    verdict: Verdict
    due: tuple[str, ...]  # since when it must pass: Row.due of the catalogue of the run
    ms: int
    rerun: str  # the command that runs this one cell again

    @property
    def position(self) -> Position:
        """Where in the cube it stands."""
        return (self.test, self.series, self.binding)

    @property
    def why(self) -> str:
        """One sentence for a person. It is made from the facts, so that other words for them make no other cell."""
        return why(self.due, self.observed, self.expected, self.verdict)

    @property
    def surprise(self) -> bool:
        """Whether a person should look at it."""
        return surprise(self.verdict)

    def as_json(self) -> dict[str, Any]:
        """The cell's line."""
        return {"kind": "cell", **asdict(self), "due": list(self.due), "surprise": self.surprise}


@dataclass(frozen=True, slots=True, kw_only=True)
class Footer:
    """The run in numbers. `complete`: every planned cell has its line, whatever the line says."""

    cells: int
    surprises: int
    no_verdict: int
    complete: bool
    ended: str

    @classmethod
    def count(cls, plan: Plan, cells: Iterable[Cell], ended: str) -> Footer:
        """The footer that these cells deserve."""
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
        """The cells, to be found by test, series and binding."""
        return {cell.position: cell for cell in self.cells}

    def through(self, binding: str) -> Results:
        """The part of the run that one binding is in, as a run of its own."""
        if binding not in self.header.plan.bindings:
            there = ", ".join(self.header.plan.bindings)
            raise Trouble(f"These results are through {there}, not through {binding}. Run ci/matrix --binding {binding}.")
        plan = replace(self.header.plan, bindings=(binding,))
        cells = tuple(cell for cell in self.cells if cell.binding == binding)
        footer = Footer.count(plan, cells, self.footer.ended)
        return replace(self, header=replace(self.header, plan=plan), cells=cells, footer=footer)


def utc_now() -> str:
    """This instant as the results file writes it."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def kernel_from_json(value: dict[str, Any]) -> Kernel:
    """A kernel's line back from its JSON."""
    accelerator = Accelerator(**value["accelerator"]) if value["accelerator"] else None
    return Kernel(**without(value, "kind", "notices", "accelerator"), notices=tuple(value["notices"]), accelerator=accelerator)


def cell_from_json(value: dict[str, Any]) -> Cell:
    """A cell's line back from its JSON."""
    enums: dict[str, Any] = {"expected": Expected(value["expected"]), "verdict": Verdict(value["verdict"])}
    return Cell(**without(value, "kind", "surprise", "due", *enums), due=tuple(value["due"]), **enums)


def without(value: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: item for key, item in value.items() if key not in keys}
