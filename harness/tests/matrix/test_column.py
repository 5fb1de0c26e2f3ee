"""A column's own decisions: whether to trust its machine, and how to run a cell again."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from harness.kernels.obtain import KernelImage
from harness.matrix.column import Column, Setup, rerun_command
from harness.suite.binding import Binding
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
        ("smoke passed", Observation(state=State.PASSED, complaints=("WARNING: x",)), "complained before any test"),
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
