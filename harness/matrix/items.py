# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The matrix as pytest items: kernels.toml is the collected file, a kernel is a node below it, a cell is an item.

    kernels/kernels.toml::6.1::waitid[6.1]              a run through one binding
    kernels/kernels.toml::6.1::waitid[6.1][liburing]    through several
    kernels/kernels.toml::6.1::waitid[6.1]{sqpoll}      on another kind of ring than a plain one

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
from harness.matrix.column import Column, Place, Setup
from harness.matrix.gather import CELL, KERNEL
from harness.report import evidence
from harness.results.model import Cell, Kernel, Position
from harness.suite import catalogue
from harness.suite.configuration import PLAIN


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
        self._seen: dict[Position, Cell] = {}
        self._selected: list[CellItem] = []  # of its cells

    def collect(self) -> Iterator[pytest.Item]:
        """A cell for each row of the catalogue, through each binding, on each kind of ring."""
        setup = self.config.stash[SETUP]
        for binding in setup.bindings:
            through = f"[{binding.name}]" if len(setup.bindings) > 1 else ""
            for configuration in setup.configurations:
                under = f"{{{configuration.name}}}" if configuration.name != PLAIN else ""
                for row in self.config.stash[ROWS]:
                    name = f"{row.stem}[{self.name}]{through}{under}"
                    place = Place(row, binding, configuration)
                    cell = CellItem.from_parent(self, name=name, place=place)
                    cell.add_marker(pytest.mark.xdist_group(self.name))
                    yield cell

    def cell(self, item: CellItem) -> Cell:
        """The cell of an item; waits until the machine has reached it."""
        if self._column is None:
            items = (one for one in self.session.items if isinstance(one, CellItem))
            self._selected = [one for one in items if one.parent is self]
            places = [one.place for one in self._selected]
            self._column = Column(self._spec, places, self.config.stash[SETUP], say=self._say)
            self._coming = self._column.cells()
        while item.position not in self._seen:
            cell = next(self._coming, None)
            if cell is None:  # a bug of ours ended the column early
                raise HarnessError(f"The column {self.name} ended before {item.name}.")
            self._seen[Position(cell.stem, *cell.position[1:])] = cell
            if len(self._seen) == len(self._selected):
                next(self._coming, None)  # lets the machine end and its time be recorded
        return self._seen[item.position]

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

    def __init__(self, *, place: Place, **common: Any) -> None:
        super().__init__(**common)
        self.place = place

    @property
    def position(self) -> Position:
        """Which cell it is, by the stem of its row."""
        row, binding, configuration = self.place
        return Position(row.stem, self.parent.name, binding.name, configuration.name)

    def runtest(self) -> None:
        """Wait for the cell; a surprise is a failure."""
        cell = self.parent.cell(self)
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
        row, binding, _ = self.place
        return (ROOT / row.file, None, f"{row.name} on {self.parent.name} through {binding.name}")


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    """The value without enums and tuples, because xdist only carries plain values from its workers."""
    plain: dict[str, Any] = json.loads(json.dumps(value))
    return plain


ROWS = pytest.StashKey[tuple[catalogue.Row, ...]]()
SELECTION = pytest.StashKey[Selection]()
SETUP = pytest.StashKey[Setup]()
