# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Gathers the results that the items of a run report, wherever they ran, and writes them down."""

from __future__ import annotations

import fcntl
import os
import platform
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from harness.base.cache import lock_file
from harness.base.errors import HarnessError
from harness.base.exits import OK, SURPRISES, TROUBLE
from harness.base.git import Git
from harness.base.paths import README, REPORTS, RESULTS, ROOT
from harness.kernels.spec import columns_for
from harness.matrix.column import MACHINES, Setup
from harness.report import folder
from harness.results.file import Writer
from harness.results.model import (
    Cell,
    Footer,
    Header,
    Kernel,
    Plan,
    Position,
    Results,
    cell_from_json,
    kernel_from_json,
    utc_now,
)
from harness.results.provenance import provenance_of
from harness.suite import catalogue
from harness.verdicts.judge import Verdict

CELL, KERNEL = "cell", "kernel"  # names of the report properties that carry results


@dataclass(slots=True)
class Matrix:
    """The results of a run as they arrive. Lives in the process that reports to the person."""

    setup: Setup
    specs: list[str]
    rows: tuple[catalogue.Row, ...]
    directory: Path  # results.ndjson goes here
    hindrance: str | None = None  # why these columns cannot be published, if known from the start
    header: Header | None = None
    writer: Writer | None = None
    kernels: dict[str, Kernel] = field(default_factory=dict)
    cells: list[Cell] = field(default_factory=list)
    whole: Results | None = None  # at the end
    troubles: list[str] = field(default_factory=list)  # harness errors, one sentence each
    messages: list[str] = field(default_factory=list)  # other messages for the end
    _lock: IO[str] | None = None

    def claim(self) -> None:
        """Claim the directory for this run before anything runs; HarnessError if that fails."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            self._lock = lock_file(self.directory / ".lock")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # until the process ends
        except BlockingIOError as error:
            raise HarnessError(
                f"Another run is writing to {self.directory}. Wait for it, or choose another directory with --results."
            ) from error
        except OSError as error:
            raise HarnessError(
                f"The results cannot go to {self.directory}: {error.strerror}. Choose another directory with --results."
            ) from error

    def begin(self, positions: Iterable[Position]) -> bool:
        """Set the plan: every selected cell, by the stem of its row. Later calls do nothing and return False."""
        chosen = list(positions)
        if self.header is not None or not chosen:
            return False
        stems, planned, through, under = (set(names) for names in zip(*chosen, strict=True))
        bindings = [binding for binding in self.setup.bindings if binding.name in through]
        columns = columns_for(self.specs, self.setup.settings.local, self.setup.fragments)
        plan = Plan(
            tests=tuple(row.name for row in self.rows if row.stem in stems),
            kernels=tuple(heading for heading in columns.values() if heading in planned),
            bindings=tuple(binding.name for binding in bindings),
            configurations=tuple(one.name for one in self.setup.configurations if one.name in under),
        )
        commit, dirty = _commit()
        try:
            made_of = provenance_of((row for row in self.rows if row.name in plan.tests), bindings=bindings)
        except HarnessError as error:
            made_of = None
            self.say(str(error))
        self.header = Header(
            suite=commit, dirty=dirty, plan=plan, started=utc_now(), host=_machine_facts(), made_of=made_of
        )
        try:
            self.writer = Writer(self.directory / RESULTS, self.header)
        except HarnessError as error:  # a full disk: continue, so that at least the terminal has the results
            self.say(str(error))
        return True

    def take(self, properties: Mapping[str, Any]) -> None:
        """Add the results that a finished item reports."""
        cell = cell_from_json(properties[CELL])
        kernel = kernel_from_json(properties[KERNEL])
        self.cells.append(cell)
        self.kernels[kernel.series] = kernel
        self._write(lambda writer: writer.cell(cell))

    def end(self) -> None:
        """The run is over: write the kernels, the footer and the reports."""
        if self.header is None:
            return
        for kernel in self.kernels.values():
            self._write(lambda writer, line=kernel: writer.kernel(line))  # type: ignore[misc]
        self._write(lambda writer: writer.finish())
        footer = Footer.count(self.header.plan, self.cells, ended=utc_now())
        self.whole = Results(
            header=self.header, kernels=tuple(self.kernels.values()), cells=tuple(self.cells), footer=footer
        )
        if self.writer is not None and not self.writer.in_place:
            self.say(
                f"{self.directory / RESULTS} was removed or replaced during the run, and its lines are lost. No reports "
                "were written, because the folder may belong to another run now. Run ci/matrix again."
            )
            return
        try:
            folder.fill(self.directory, self.whole, self.rows, top=ROOT, machines=MACHINES)
            self.messages.append(f"Reports: {self.directory / folder.INDEX}")
        except HarnessError as error:
            self.say(str(error))

    def _write(self, write: Callable[[Writer], object]) -> None:
        if self.writer is not None:
            try:
                write(self.writer)
            except HarnessError as error:
                self.say(str(error))

    @property
    def exit_code(self) -> int:
        """0 as expected, 1 surprises, 2 a harness error (which includes any cell without a verdict)."""
        complete = self.whole is not None and self.whole.footer.complete
        if self.troubles or not complete or any(cell.verdict is Verdict.NONE for cell in self.cells):
            return TROUBLE
        return SURPRISES if any(cell.surprise for cell in self.cells) else OK

    def say(self, trouble: str) -> None:
        """Note a harness error, once."""
        if trouble not in self.troubles:
            self.troubles.append(trouble)


def _commit() -> tuple[str | None, bool]:
    """The commit of this tree, and whether it has changes; no commit without git."""
    git = Git(ROOT)
    try:
        commit, changes = git.commit_of("HEAD"), git.changes()
    except HarnessError:
        return None, False
    # Files that the matrix itself writes do not change the suite.
    changed = [path for path in changes if path != README.name and not path.startswith(f"{REPORTS.name}/")]
    return commit[:12] if commit else None, bool(changed)


def _machine_facts() -> dict[str, str | int]:
    return {"machine": platform.machine(), "kernel": platform.release(), "cpus": os.cpu_count() or 0}
