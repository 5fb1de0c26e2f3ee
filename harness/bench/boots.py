# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""`ci/harness bench-boots`: measures a kernel's column and the whole matrix, and compares them with a plain boot."""

from __future__ import annotations

import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from harness.base import command_line
from harness.base.cache import Cache
from harness.base.errors import HarnessError
from harness.base.exits import OK
from harness.base.output import emit, say
from harness.base.paths import BUILD, ROOT
from harness.base.process import run
from harness.kernels.archive import Archive
from harness.kernels.obtain import obtain
from harness.kernels.selection import select
from harness.kernels.settings import load_settings
from harness.kernels.spec import HOST
from harness.machines.machine import PlanEntry
from harness.machines.snapshot import Snapshots
from harness.machines.vm import VmMachine
from harness.matrix.column import Setup
from harness.suite import catalogue
from harness.suite.binding import DEFAULT

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- boots:begin -->", "<!-- boots:end -->"


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Seconds from the start of QEMU to the guest's first record, the end of its last test, and its exit."""

    first: float
    last: float
    end: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainMachine(VmMachine):
    """The obvious way: the image as packaged, with QEMU's default devices."""

    def options(self) -> tuple[str, ...]:
        """Without -nodefaults the guest has a VGA card, a network card with a boot ROM, and firmware that probes them."""
        common = VmMachine.options(self)
        return tuple(option for option in common if option != "-nodefaults")


def main(arguments: Sequence[str]) -> int:
    """Measure, write the table and print it."""
    parser = command_line.parser("bench-boots", __doc__ or "")
    parser.add_argument(
        "--repetitions", type=int, default=5, help="runs of each row; the table has medians (default: 5)"
    )
    parser.add_argument(
        "--kernel", action="append", default=[], help="as for ci/matrix (default: the whole matrix)"
    )
    parser.add_argument("--no-write", action="store_true", help="print the table, leave README.md alone")
    options = parser.parse_args(arguments)
    text = "\n".join(_table(options.kernel, max(1, options.repetitions)))
    emit(text)
    if not options.no_write:
        before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
        README.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    return OK


def _table(asked: Sequence[str], repetitions: int) -> Iterator[str]:
    cache, settings = Cache(), load_settings()
    archive = Archive(cache, suites=settings.suites, pins=settings.pin, notice=_say)
    specs = [spec for spec in select(asked, settings, archive, notice=_say).specs if spec != HOST]
    machines = {spec: dict(_machines(spec, cache, archive)) for spec in specs}
    measured: dict[tuple[str, str], list[Times]] = {}
    for number in range(
        repetitions
    ):  # interleaved, so that other load on the machine affects all rows equally
        for spec, ways in machines.items():
            for way, machine in ways.items():
                _say(f"{number + 1}/{repetitions} {spec} {way}")
                measured.setdefault((spec, way), []).append(_run(machine))
    yield f"{datetime.now(timezone.utc):%-d %B %Y}, {os.cpu_count()} processors, Linux {platform.release()}, TCG;"
    yield f"medians of {repetitions} interleaved runs, in seconds."
    yield ""
    yield "| Kernel | from | first record | last test | end | ratio to plain |"
    yield "| :--- | :--- | ---: | ---: | ---: | ---: |"
    for (spec, way), runs in measured.items():
        first, last, end = (
            statistics.median(getattr(run, name) for run in runs) for name in ("first", "last", "end")
        )
        plain = statistics.median(run.end for run in measured[spec, "plain boot"])
        yield f"| {spec} | {way} | {first:.2f} | {last:.2f} | {end:.2f} | {end / plain:.2f} |"
    yield ""
    yield "| Whole matrix | workers | wall time |"
    yield "| :--- | ---: | ---: |"
    for way, extra in (("fresh boots", ("--fresh-boot",)), ("snapshots", ())):
        for workers in (1, 2, (os.cpu_count() or 1) + 1):
            walls = [_whole([*extra, *_options(asked)], workers) for _ in range(min(3, repetitions))]
            yield f"| {way} | {workers} | {statistics.median(walls):.1f} |"


def _machines(spec: str, cache: Cache, archive: Archive) -> Iterator[tuple[str, VmMachine]]:
    """The ways to run one kernel, the plainest first."""
    kernel = obtain(spec, cache=cache, archive=archive, notice=_say)
    setup = Setup(build=BUILD, artefacts=BUILD)
    (ours,) = DEFAULT
    files = {ours.file_name: ours.program(setup.build)}
    machine = VmMachine(kernel=kernel.boot_image, runner=setup.runner, files=files)
    yield "plain boot", PlainMachine(kernel=kernel.image, runner=machine.runner, files=machine.files)
    yield "boot", machine
    yield "snapshot", replace(machine, snapshots=Snapshots(cache))


def _run(machine: VmMachine) -> Times:
    argv = (f"/{DEFAULT[0].file_name}", "--timeout-s=60")
    plan = [
        PlanEntry(name=row.stem, timeout_s=120, argv=(*argv, f"--gtest_filter={row.filter}"), forks=True)
        for row in catalogue.load()
    ]
    started = time.monotonic()
    first = last = 0.0
    with tempfile.TemporaryDirectory(prefix="uring-bench-") as artefacts:
        for event in machine.run(plan, Path(artefacts)):
            elapsed = time.monotonic() - started
            first = elapsed if event["kind"] == "hello" else first
            last = elapsed if event["kind"] == "end" else last
            if event["kind"] in ("died", "trouble"):
                raise HarnessError(
                    f"A guest of {machine.kernel.name} failed: {event.get('why') or event.get('text')}."
                )
    return Times(first=first, last=last, end=time.monotonic() - started)


def _whole(options: Sequence[str], workers: int) -> float:
    """The wall time of the whole matrix, as seen by a person."""
    with tempfile.TemporaryDirectory(prefix="uring-bench-") as place:
        command = [sys.executable, "-P", "-m", "harness", "--results", place,
                   "--numprocesses", str(workers), *options]  # fmt: skip
        started = time.monotonic()
        run(command, environment=os.environ | {"PYTHONPATH": str(ROOT)}, remedy="Nothing was measured.")
        return time.monotonic() - started


def _options(asked: Sequence[str]) -> list[str]:
    return [word for spec in asked for word in ("--kernel", spec)]


def _say(text: str) -> None:
    say(text, error=True)
