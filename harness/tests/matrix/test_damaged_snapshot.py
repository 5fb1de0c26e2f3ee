# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""A snapshot whose memory was damaged on the disk: what its guest gets wrong is nobody's verdict."""

from __future__ import annotations

import mmap
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.base.paths import BUILD
from harness.machines.snapshot import RAM
from harness.matrix.column import Column, Place, Setup
from harness.results.model import Cell
from harness.suite.binding import parse
from harness.suite.catalogue import chosen_rows
from harness.verdicts.judge import Verdict

ROWS = ("nop", "statx", "shutdown")


class Runs:
    """Runs of one kernel that share a cache."""

    def __init__(self, kernel: Path, directory: Path) -> None:
        self._kernel = directory / "kernel"
        shutil.copyfile(kernel, self._kernel)
        self._directory = directory

    def __call__(self, through: str = "uring") -> tuple[dict[str, Verdict], Column]:
        """The verdicts of a run, and the column after it."""
        (binding,) = parse([through])
        setup = Setup(
            build=BUILD,
            artefacts=self._directory / "results",
            cache=self._directory / "cache",
            accelerator="tcg",
        )
        column = Column(str(self._kernel), [Place(row, binding) for row in chosen_rows(ROWS)], setup)
        cells: list[Cell] = list(column.cells())
        assert [cell.stem for cell in cells] == list(ROWS)
        return {cell.stem: cell.verdict for cell in cells}, column

    @property
    def snapshots(self) -> list[Path]:
        return sorted((self._directory / "cache" / "snapshots").iterdir())

    def booted_afresh(self) -> bool:
        """Whether the last run had to boot because of a surprise."""
        return (self._directory / "results" / "machines" / "kernel" / "fresh").exists()


@pytest.fixture
def runs(vm_kernel: Path, tmp_path: Path) -> Runs:
    return Runs(vm_kernel, tmp_path)


def flip(place: Path, find: Callable[[bytes], Iterator[int]], bit: int) -> None:
    """Flip a bit of each byte that is found in the guest's memory."""
    flipped = 0
    with (place / RAM).open("r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        begin = 0
        while begin < len(memory):
            try:
                begin = os.lseek(file.fileno(), begin, os.SEEK_DATA)
            except OSError:  # only a hole is left
                break
            end = os.lseek(file.fileno(), begin, os.SEEK_HOLE)
            for at in find(memory[begin:end]):
                memory[begin + at] ^= bit
                flipped += 1
            begin = end
    assert flipped


BIND, EXIT_GROUP = 49, 231  # on x86-64


def damage_system_call(place: Path, number: int) -> None:
    """The kernel jumps to an address that cannot exist, and panics, when a program calls it."""

    def entries(data: bytes) -> Iterator[int]:
        """The highest byte of its address in tables of system calls: many addresses in the kernel, some of them equal."""
        for found in re.finditer(rb"(?s)(?:.{4}\xff\xff\xff\xff){430,600}", data):
            addresses = {found[0][at : at + 8] for at in range(0, len(found[0]), 8)}
            if found.start() % 8 == 0 and 300 < len(addresses) < len(found[0]) // 8:
                yield found.start() + 8 * number + 7

    flip(place, entries, 0x40)


@pytest.mark.parametrize(
    ("number", "seen"),
    [
        (BIND, "shutdown was ✗ in a guest that continued from a snapshot (kernel panic: "),
        (
            EXIT_GROUP,
            "nop was ? in a guest that continued from a snapshot (no result of this machine can be ",
        ),
    ],
)
def test_what_only_a_damaged_snapshot_shows_counts_for_nothing(runs: Runs, number: int, seen: str) -> None:
    good, column = runs()
    assert set(good.values()) == {Verdict.WORKS} and not column.line.notices
    (place,) = runs.snapshots
    damage_system_call(place, number)
    verdicts, column = runs()
    assert verdicts == good
    notice = column.line.notices[-1]
    assert seen in notice and "after a fresh boot, which counts. The snapshot was removed." in notice
    assert column.line.smoke == "ok" and column.line.release and column.line.trouble is None
    assert runs.snapshots == []


def test_what_a_fresh_boot_shows_too_is_believed_and_costs_no_snapshot(runs: Runs) -> None:
    verdicts, column = runs(through="lie:refuse_all")
    assert set(verdicts.values()) == {Verdict.WRONG}
    assert runs.booted_afresh() and not column.line.notices
    assert len(runs.snapshots) == 1
