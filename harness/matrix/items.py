"""The matrix as pytest items: kernels.toml is collected, a kernel is a node below it, a cell is an item.

    kernels/kernels.toml::6.1::waitid[6.1]              a run through one binding
    kernels/kernels.toml::6.1::waitid[6.1][liburing]    through several

The first cell of a kernel to be asked for starts its machine with all of the kernel's selected cells as the plan;
each item then waits for its own. `Matrix` gathers what the items report, wherever they ran, and writes it down.
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pytest

from harness.base.exits import OK, SURPRISES, TROUBLE
from harness.base.paths import RESULTS, ROOT
from harness.base.errors import Trouble
from harness.kernels import spec as kernels
from harness.kernels.selection import Selection
from harness.matrix.column import MACHINES, Column, Setup
from harness.report import evidence, folder, sanitize as foreign
from harness.results import file as results
from harness.results.provenance import ingredients
from harness.suite import catalogue
from harness.suite.binding import Binding
from harness.verdicts.judge import Verdict

CELL, KERNEL = "cell", "kernel"  # names of the properties by which a report carries results


class Surprise(Exception):
    """The cell is not as it should be; fails the item."""


class MatrixFile(pytest.File):
    """kernels.toml: the columns that were asked for."""

    def collect(self) -> Iterator[pytest.Collector]:
        """The kernels."""
        setup = self.config.stash[SETUP]
        columns = kernels.columns_for(self.config.stash[SELECTION].order, setup.settings.local, setup.fragments)
        for spec, heading in columns.items():
            yield KernelNode.from_parent(self, name=heading, spec=spec)


class KernelNode(pytest.Collector):
    """One kernel. Its machine starts with the first of its cells and runs all that are selected."""

    def __init__(self, *, spec: str, **common: Any) -> None:
        super().__init__(**common)
        self._spec = spec
        self._column: Column | None = None
        self._coming: Iterator[results.Cell] = iter(())
        self._seen: dict[tuple[str, str], results.Cell] = {}  # by stem and binding

    def collect(self) -> Iterator[pytest.Item]:
        """A cell for each row of the catalogue, through each binding."""
        bindings = self.config.stash[SETUP].bindings
        for binding in bindings:
            through = f"[{binding.name}]" if len(bindings) > 1 else ""
            for row in self.config.stash[ROWS]:
                cell = CellItem.from_parent(self, name=f"{row.stem}[{self.name}]{through}", row=row, binding=binding)
                cell.add_marker(pytest.mark.xdist_group(self.name))
                yield cell

    def cell(self, row: catalogue.Row, binding: Binding) -> results.Cell:
        """The cell of one row through one binding, once the machine has come to it."""
        if self._column is None:
            items = [item for item in self.session.items if isinstance(item, CellItem) and item.parent is self]
            places = [(item.row, item.binding) for item in items]
            self._column = Column(self._spec, places, self.config.stash[SETUP], say=self._say)
            self._coming = self._column.cells()
        while (row.stem, binding.name) not in self._seen:
            cell = next(self._coming, None)
            if cell is None:  # an earlier mistake of ours ended the column
                raise Trouble(f"The column {self.name} ended before {row.stem} through {binding.name}.")
            self._seen[cell.stem, cell.binding] = cell
            if len(self._seen) == sum(item.parent is self for item in self.session.items):
                next(self._coming, None)  # lets the machine end, and its time be taken
        return self._seen[row.stem, binding.name]

    def _say(self, text: str) -> None:
        # Seen at once when pytest does not capture (ci/matrix sees to that); xdist's workers share our standard error.
        print(f"\n[{self.name}] {text} ", end="", file=sys.stderr, flush=True)

    def line(self) -> results.Kernel:
        """What is known about the kernel so far."""
        assert self._column is not None
        return self._column.line

    def teardown(self) -> None:
        """Ends a machine that was not run to its end."""
        if isinstance(self._coming, Generator):
            self._coming.close()


class CellItem(pytest.Item):
    """One cell of the table."""

    parent: KernelNode

    def __init__(self, *, row: catalogue.Row, binding: Binding, **common: Any) -> None:
        super().__init__(**common)
        self.row = row
        self.binding = binding

    @property
    def position(self) -> tuple[str, str, str]:
        """Its column, its row's stem, its binding's name."""
        return self.parent.name, self.row.stem, self.binding.name

    def runtest(self) -> None:
        """Wait for the cell; a surprise is a failure."""
        cell = self.parent.cell(self.row, self.binding)
        self.user_properties.append((CELL, _plain(cell.as_json())))
        self.user_properties.append((KERNEL, _plain(self.parent.line().as_json())))
        if cell.surprise:
            raise Surprise(evidence.as_text(foreign.printable_cell(cell)))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """A finding is told in words; only a mistake of ours has a traceback."""
        if isinstance(excinfo.value, (Surprise, Trouble)):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the test stands, for pytest's messages."""
        return ROOT / self.row.file, None, f"{self.row.name} on {self.parent.name} through {self.binding.name}"


@dataclass(slots=True)
class Matrix:
    """The results of a run as they come in, and what became of them. Lives where pytest reports to the person."""

    setup: Setup
    specs: list[str]
    rows: tuple[catalogue.Row, ...]
    directory: Path  # results.ndjson goes here
    hindrance: str | None = None  # why these columns are not to be published, if that is known from the start
    header: results.Header | None = None
    writer: results.Writer | None = None
    kernels: dict[str, results.Kernel] = field(default_factory=dict)
    cells: list[results.Cell] = field(default_factory=list)
    whole: results.Results | None = None  # at the end
    troubles: list[str] = field(default_factory=list)  # of our own, a sentence each
    messages: list[str] = field(default_factory=list)  # what else to say at the end
    _lock: IO[str] | None = None

    def claim(self) -> None:
        """Makes the directory this run's own, before anything runs; Trouble if it cannot be."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            self._lock = (self.directory / ".lock").open("w")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # until the process ends
        except BlockingIOError as error:
            raise Trouble(
                f"Another run is writing to {self.directory}. Wait for it, or name another place with --results."
            ) from error
        except OSError as error:
            raise Trouble(
                f"The results cannot go to {self.directory}: {error.strerror}. Name another place with --results."
            ) from error

    def begin(self, positions: Iterable[tuple[str, str, str]]) -> bool:
        """The plan is known: (column, stem, binding) of every selected cell. Later calls change nothing, and say so."""
        chosen = list(positions)
        if self.header is not None or not chosen:
            return False
        planned, stems, through = (set(names) for names in zip(*chosen, strict=True))
        bindings = [binding for binding in self.setup.bindings if binding.name in through]
        columns = kernels.columns_for(self.specs, self.setup.settings.local, self.setup.fragments)
        plan = results.Plan(
            tests=tuple(row.name for row in self.rows if row.stem in stems),
            kernels=tuple(heading for heading in columns.values() if heading in planned),
            bindings=tuple(binding.name for binding in bindings),
        )
        commit, dirty = _commit()
        try:
            made_of = ingredients((row for row in self.rows if row.name in plan.tests), bindings=bindings)
        except Trouble as trouble:
            made_of = None
            self.say(str(trouble))
        self.header = results.Header(
            suite=commit, dirty=dirty, plan=plan, started=results.utc_now(), host=_machine_facts(), made_of=made_of
        )
        try:
            self.writer = results.Writer(self.directory / RESULTS, self.header)
        except Trouble as trouble:  # a full disk: the run goes on, so that at least the terminal has it
            self.say(str(trouble))
        return True

    def take(self, properties: Mapping[str, Any]) -> None:
        """The results that one finished item reports."""
        cell = results.cell_from_json(properties[CELL])
        kernel = results.kernel_from_json(properties[KERNEL])
        self.cells.append(cell)
        self.kernels[kernel.series] = kernel
        self._write(lambda writer: writer.cell(cell))

    def end(self) -> None:
        """Nothing more comes: write the kernels, the footer and the reports."""
        if self.header is None:
            return
        for kernel in self.kernels.values():
            self._write(lambda writer, line=kernel: writer.kernel(line))  # type: ignore[misc]
        self._write(lambda writer: writer.finish())
        footer = results.Footer.count(self.header.plan, self.cells, ended=results.utc_now())
        self.whole = results.Results(
            header=self.header, kernels=tuple(self.kernels.values()), cells=tuple(self.cells), footer=footer
        )
        try:
            folder.fill(self.directory, self.whole, self.rows, top=ROOT, machines=MACHINES)
            self.messages.append(f"Reports: {self.directory / folder.INDEX}")
        except Trouble as trouble:
            self.say(str(trouble))

    def _write(self, write: Callable[[results.Writer], object]) -> None:
        if self.writer is not None:
            try:
                write(self.writer)
            except Trouble as trouble:
                self.say(str(trouble))

    @property
    def exit_code(self) -> int:
        """0 as expected, 1 surprises, 2 our own trouble (which is also any cell without a verdict)."""
        complete = self.whole is not None and self.whole.footer.complete
        if self.troubles or not complete or any(cell.verdict is Verdict.NONE for cell in self.cells):
            return TROUBLE
        return SURPRISES if any(cell.surprise for cell in self.cells) else OK

    def say(self, trouble: str) -> None:
        """Our own trouble, told once."""
        if trouble not in self.troubles:
            self.troubles.append(trouble)


def rows_for(names: Iterable[str]) -> tuple[catalogue.Row, ...]:
    """The catalogue's rows, or those with one of these stems or Zig names; Trouble for a name that is none."""
    rows = catalogue.load()
    wanted = list(names)
    for name in wanted:
        if not any(name in (row.stem, row.name) for row in rows):
            raise Trouble(f"There is no test {name!r}. There are: {', '.join(row.stem for row in rows)}.")
    return tuple(row for row in rows if not wanted or row.stem in wanted or row.name in wanted)


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    """Without enums and tuples: xdist carries only plain values from its workers."""
    plain: dict[str, Any] = json.loads(json.dumps(value))
    return plain


def _commit() -> tuple[str | None, bool]:
    """The commit of this tree and whether it was changed; no commit where there is no git."""

    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
        except OSError:
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    # What the matrix itself writes does not make the suite another one.
    changed = git("status", "--porcelain", "--", ".", ":!reports", ":!README.md")
    return git("rev-parse", "--short=12", "HEAD"), bool(changed)


def _machine_facts() -> dict[str, str | int]:
    return {"machine": platform.machine(), "kernel": platform.release(), "cpus": os.cpu_count() or 0}


ROWS = pytest.StashKey[tuple[catalogue.Row, ...]]()
SELECTION = pytest.StashKey[Selection]()
SETUP = pytest.StashKey[Setup]()
