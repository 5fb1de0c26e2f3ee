# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The matrix as pytest items: kernels.toml is the collected file, a kernel is a node below it, a cell is an item.

    kernels/kernels.toml::6.1::waitid[6.1]              a run through one binding
    kernels/kernels.toml::6.1::waitid[6.1][liburing]    through several

The first requested cell of a kernel starts its machine, with all selected cells of that kernel as the plan; each item
then waits for its own cell. `Matrix` gathers what the items report, wherever they ran, and writes it down.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.base.errors import HarnessError
from harness.base.output import harmless
from harness.base.paths import ROOT
from harness.kernels.selection import Selection
from harness.kernels.spec import columns_for
from harness.matrix import progress
from harness.matrix.column import Column, Setup
from harness.matrix.gather import CELL, KERNEL
from harness.report import evidence
from harness.results.model import Cell, Kernel
from harness.suite import catalogue
from harness.suite.binding import Binding


class Surprise(Exception):
    """The cell is not as it should be, so the item fails."""


class MatrixFile(pytest.File):
    """kernels.toml: the requested columns."""

    def collect(self) -> Iterator[pytest.Collector]:
        """The kernels."""
        setup = self.config.stash[SETUP]
        columns = columns_for(self.config.stash[SELECTION].order, setup.settings.local, setup.fragments)
        for spec, heading in columns.items():
            yield KernelNode.from_parent(self, name=heading, spec=spec)


class KernelNode(pytest.Collector):
    """One kernel. Its machine starts for its first cell and runs all that are selected."""

    def __init__(self, *, spec: str, **common: Any) -> None:
        super().__init__(**common)
        self._spec = spec
        self._column: Column | None = None
        self._coming: Iterator[Cell] = iter(())
        self._seen: dict[tuple[str, str], Cell] = {}  # by stem and binding

    def collect(self) -> Iterator[pytest.Item]:
        """A cell for each row of the catalogue, through each binding."""
        bindings = self.config.stash[SETUP].bindings
        for binding in bindings:
            through = f"[{binding.name}]" if len(bindings) > 1 else ""
            for row in self.config.stash[ROWS]:
                cell = CellItem.from_parent(
                    self, name=f"{row.stem}[{self.name}]{through}", row=row, binding=binding
                )
                cell.add_marker(pytest.mark.xdist_group(self.name))
                yield cell

    def cell(self, row: catalogue.Row, binding: Binding) -> Cell:
        """The cell of one row through one binding; waits until the machine has reached it."""
        if self._column is None:
            items = [
                item for item in self.session.items if isinstance(item, CellItem) and item.parent is self
            ]
            places = [(item.row, item.binding) for item in items]
            self._column = Column(self._spec, places, self.config.stash[SETUP], say=self._say)
            self._coming = self._column.cells()
        while (row.stem, binding.name) not in self._seen:
            cell = next(self._coming, None)
            if cell is None:  # a bug of ours ended the column early
                raise HarnessError(f"The column {self.name} ended before {row.stem} through {binding.name}.")
            self._seen[cell.stem, cell.binding] = cell
            if len(self._seen) == sum(item.parent is self for item in self.session.items):
                next(self._coming, None)  # lets the machine end and its time be recorded
        return self._seen[row.stem, binding.name]

    def _say(self, text: str, lasting: bool = False) -> None:
        progress.report(self.config.stash[SETUP].artefacts, self.name, text, lasting=lasting)

    def line(self) -> Kernel:
        """What we know about the kernel so far."""
        assert self._column is not None
        return self._column.line

    def teardown(self) -> None:
        """End a machine that has not finished."""
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
            raise Surprise(evidence.as_text(cell))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """A finding is shown in words; only a bug of ours gets a traceback."""
        if isinstance(excinfo.value, (Surprise, HarnessError)):
            return harmless(str(excinfo.value))
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The place of the test, for pytest's messages."""
        return (
            ROOT / self.row.file,
            None,
            f"{self.row.name} on {self.parent.name} through {self.binding.name}",
        )


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    """The value without enums and tuples, because xdist only carries plain values from its workers."""
    plain: dict[str, Any] = json.loads(json.dumps(value))
    return plain


ROWS = pytest.StashKey[tuple[catalogue.Row, ...]]()
SELECTION = pytest.StashKey[Selection]()
SETUP = pytest.StashKey[Setup]()
