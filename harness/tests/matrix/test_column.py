# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""A column's own decisions: whether to trust its machine, and how to run a cell again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.base.cache import Cache
from harness.kernels.obtain import KernelImage
from harness.machines.snapshot import Snapshots
from harness.machines.vm import VmMachine
from harness.matrix.column import Column, Place, Setup, _equipped, rerun_command
from harness.results.model import Cell
from harness.suite import catalogue, configuration
from harness.suite.binding import Binding
from harness.suite.configuration import PLAINLY
from harness.verdicts.judge import Verdict
from harness.verdicts.observation import Observation, Shape, State

SETUP = Setup(build=Path("build"), artefacts=Path("results"))
OURS = Binding(name="uring")
GOOD = {
    "smoke passed": Observation(state=State.PASSED),
    "smoke failed": Observation(state=State.FAILED),
    "smoke refused": Observation(state=State.REFUSED, shape=Shape.RIGHT),
}


def verdict(spoiled: dict[str, Observation], release: str = "6.1.0") -> str:
    column = Column("6.1", (), SETUP)
    column._hello = {"release": release}
    image = Path("image")
    column._image = KernelImage(
        name="6.1", image=image, boot_image=image, release="6.1.0", version=None, source="", sha256=""
    )
    return column._smoke_verdict(OURS, GOOD | spoiled)


def test_a_machine_that_can_be_believed() -> None:
    assert verdict({}) == "ok"


@pytest.mark.parametrize(
    ("name", "seen", "says"),
    [
        ("smoke passed", Observation(state=State.FAILED), "a test that must be passed was failed"),
        ("smoke failed", Observation(state=State.PASSED), "a test that must be failed was passed"),
        ("smoke refused", Observation(state=State.PASSED), "a test that must be refused was passed"),
        ("smoke refused", Observation(state=State.REFUSED, shape=Shape.WRONG), "must be refused was refused"),
        ("smoke passed", Observation(state=State.NOTHING, cause="no VM"), "passed was nothing (no VM)"),
        (
            "smoke passed",
            Observation(state=State.PASSED, complaints=("WARNING: x",)),
            "complained before any test",
        ),
    ],
)
def test_a_machine_that_cannot(name: str, seen: Observation, says: str) -> None:
    assert says in verdict({name: seen})


def test_another_kernel_than_asked_for() -> None:
    assert verdict({}, release="6.2.0") == "expected kernel 6.1.0, but uname reports 6.2.0"


def test_a_cell_is_run_again_in_the_same_way() -> None:
    several = replace(SETUP, bindings=(OURS, Binding(name="mine", given="my program")))
    assert rerun_command("6.1", "nop", OURS, several) == "ci/matrix --kernel 6.1 --test nop"
    changed = replace(several, memory_mib=256, timeout_s=5, append="a b")
    assert shlex.split(rerun_command("my kernel", "nop", several.bindings[1], changed)) == [
        "ci/matrix", "--kernel", "my kernel", "--test", "nop", "--binding", "mine=my program",
        "--memory", "256", "--timeout", "5", "--append", "a b",
    ]  # fmt: skip


# --- kinds of rings -----------------------------------------------------------------------------------------------

ROWS = {row.stem: row for row in catalogue.load()}
SQPOLL = next(one for one in configuration.load() if one.name == "sqpoll")
WITHOUT = replace(SQPOLL, without={"nop": "because of this test"})


def test_a_cell_on_another_kind_of_ring_is_run_again_there() -> None:
    every = replace(SETUP, configurations=tuple(configuration.load()))
    assert rerun_command("6.1", "nop", OURS, every) == "ci/matrix --kernel 6.1 --test nop"
    again = "ci/matrix --kernel 6.1 --test nop --configuration sqpoll"
    assert rerun_command("6.1", "nop", OURS, every, SQPOLL) == again


def test_a_kind_of_ring_is_asked_for_once_and_before_its_rows() -> None:
    places = [Place(ROWS[stem], OURS, kind) for stem in ("nop", "readv") for kind in (PLAINLY, SQPOLL)]
    plan = Column("host", places, SETUP)._plan(Column("host", places, SETUP)._places)
    rows = [(entry.name, entry.unless) for entry in plan if not entry.name.startswith("smoke")]
    ring = "ring under sqpoll"
    assert rows == [
        ("nop", None), ("readv", None), (ring, None), ("nop under sqpoll", ring), ("readv under sqpoll", ring)
    ]  # fmt: skip
    assert all(("--configuration=sqpoll" in entry.argv) is ("sqpoll" in entry.name) for entry in plan)
    assert len({entry.argv[0] for entry in plan}) == 1, "one fork server for all"


def test_a_row_that_is_left_out_of_a_configuration_is_no_pass_and_says_why() -> None:
    places = [Place(ROWS[stem], OURS, WITHOUT) for stem in ("nop", "readv")]
    column = Column("host", places, SETUP)
    asked: list[Place] = []

    def observations(
        machine: object, wanted: list[Place], artefacts: Path
    ) -> Iterator[tuple[Place, Observation]]:
        asked.extend(wanted)
        yield from ((place, Observation(state=State.PASSED)) for place in wanted)

    column._observations = observations  # type: ignore[assignment]
    column._hello = {"release": "6.18.1"}
    excused, passed = column._judged(None, column._places, Path())  # type: ignore[arg-type]
    assert [place.row.stem for place in asked] == ["readv"]
    assert (excused.stem, excused.verdict) == ("nop", Verdict.NOT_EXPRESSIBLE)
    assert excused.why == "not run on such a ring: because of this test" and passed.verdict is Verdict.WORKS
    assert {excused.configuration, passed.configuration} == {"sqpoll"}


def deviating(release: str, configuration_name: str, stem: str = "poll_update") -> tuple[str, Verdict]:
    """The filter with which the row is run on this kernel, and the verdict if everything that is run passes."""
    (kind,) = (one for one in configuration.load() if one.name == configuration_name)
    (row,) = (one for one in catalogue.load() if one.stem == stem)
    column = Column("6.16", (), SETUP)
    column._hello = {"release": release}
    image = Path("image")
    column._image = KernelImage(
        name="x", image=image, boot_image=image, release=release, version=None, source="", sha256=""
    )
    place = Place(row, OURS, kind)
    (entry,) = (one for one in column._plan([place]) if one.name.startswith(stem))
    return entry.argv[-1], column._cell(place, Observation(state=State.PASSED)).verdict


def test_a_test_that_would_not_end_is_not_run_where_it_is_listed() -> None:
    tests, verdict = deviating("6.16.12", "sqpoll")
    assert tests.endswith(
        "-PollUpdate.GivesItOtherEvents:PollUpdate.GivesItOtherEvents/*:*/PollUpdate.GivesItOtherEvents/*"
    )
    assert verdict is Verdict.KNOWN
    assert deviating("6.18.1", "sqpoll") == ("--gtest_filter=PollUpdate.*:PollUpdateAt*.*", Verdict.WORKS)
    tests, verdict = deviating("6.16.12", "plain")
    assert "-PollUpdate" not in tests and verdict is Verdict.GONE


def test_a_kernel_without_such_rings_deviates_in_nothing() -> None:
    refused = Observation(state=State.REFUSED, shape=Shape.RIGHT)
    (kind,) = (one for one in configuration.load() if one.name == "no_sqarray")
    (row,) = (one for one in catalogue.load() if one.stem == "buffer_ring")
    column = Column("6.1", (), SETUP)
    column._hello = {"release": "6.1.192"}
    assert column._cell(Place(row, OURS, kind), refused).verdict is Verdict.ABSENT
    assert column._cell(Place(row, OURS), refused).verdict is not Verdict.ABSENT


# --- rows that need a machine of their kind ------------------------------------------------------------------------

DRIVE = replace(ROWS["nop"], machine=catalogue.Needs.NVME)
ALONE = replace(ROWS["readv"], machine=catalogue.Needs.OWN)


def guests(spec: str) -> list[tuple[str | None, list[tuple[str, str]]]]:
    kinds = (PLAINLY, SQPOLL)
    places = [Place(row, OURS, kind) for row in (ALONE, DRIVE, ROWS["close"]) for kind in kinds]
    return [
        (needs, [(place.row.stem, place.configuration.name) for place in run])
        for needs, run in Column(spec, places, SETUP)._guests()
    ]


def test_rows_with_needs_have_guests_of_their_own() -> None:
    assert guests("6.1") == [
        (None, [("close", "plain"), ("close", "sqpoll")]),
        ("nvme", [("nop", "plain"), ("nop", "sqpoll")]),
        ("own", [("readv", "plain")]),
        ("own", [("readv", "sqpoll")]),
    ]
    assert len(guests("host")) == 1


def test_a_guest_with_a_drive_boots_afresh(tmp_path: Path) -> None:
    guest = VmMachine(kernel=tmp_path, runner=tmp_path, snapshots=Snapshots(Cache(tmp_path)))
    drive = _equipped(guest, catalogue.Needs.NVME)
    assert isinstance(drive, VmMachine) and drive.drive and drive.snapshots is None
    assert _equipped(guest, catalogue.Needs.OWN) is guest is _equipped(guest, None)


def test_only_a_row_that_needs_it_is_told_that_the_machine_is_its_own() -> None:
    places = [Place(row, OURS) for row in (ALONE, DRIVE, ROWS["close"])]
    plan = Column("6.1", places, SETUP)._plan(places)
    assert [entry.name for entry in plan if "--own-machine" in entry.argv] == ["readv"]


def test_the_host_runs_no_row_that_needs_a_guest() -> None:
    place = Place(DRIVE, OURS)
    assert place.excuse("6.1") is None
    column = Column("host", [place, Place(ALONE, OURS)], SETUP)
    column._hello = {"release": "6.18.1"}
    drive, alone = column._judged(None, column._places, Path())  # type: ignore[arg-type]
    assert {drive.verdict, alone.verdict} == {Verdict.NOT_EXPRESSIBLE}
    assert drive.why == "not run on this machine: it writes to an NVMe drive, which only a guest has"
    assert alone.why.endswith("only in a guest of its own")


def test_a_row_that_needs_a_guest_runs_on_plain_rings_alone() -> None:
    assert Place(DRIVE, OURS, SQPOLL).excuse("6.1") == (
        "not run on such a ring: the row opens rings of its own kinds, in a guest of its own"
    )


def test_a_guest_that_booted_is_not_doubted_for_the_one_before_it(tmp_path: Path) -> None:
    place = Place(DRIVE, OURS)
    column = Column("6.1", [place], SETUP)
    column._resumed = True  # the guest of the rows before continued from a snapshot
    odd = column._cell(place, Observation(state=State.NOTHING, cause="it did not boot"))
    runs: list[Path] = []

    def judged(machine: object, places: object, artefacts: Path) -> Iterator[Cell]:
        runs.append(artefacts)
        yield odd

    column._judged = judged  # type: ignore[assignment]
    guest = VmMachine(kernel=tmp_path, runner=tmp_path, drive=True)
    assert list(column._believable_of(guest, [place], tmp_path)) == [odd]
    assert runs == [tmp_path] and not column._notices
