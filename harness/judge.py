"""The judge: one pure, total function from what was seen and what was due to a verdict."""

from __future__ import annotations

from enum import StrEnum

from harness.observation import Shape, State
from harness.since import Expected


class Verdict(StrEnum):
    """What one cell of the table says."""

    WORKS = "works"
    ABSENT = "absent"  # correctly: the kernel is too old and refuses as it should
    MISSING = "missing"  # refused in the right way by a kernel that should have it
    WRONG = "wrong"
    COMPLAINED = "complained"  # would be works, absent or early, but the kernel logged a complaint
    EARLY = "early"  # works on a kernel that should be too old
    NONE = "none"  # no verdict: the environment or our own machinery stood in the way


_SIGNS = {
    Verdict.WORKS: "✓",
    Verdict.ABSENT: "·",
    Verdict.MISSING: "✗",
    Verdict.WRONG: "✗",
    Verdict.COMPLAINED: "!",
    Verdict.EARLY: "+",
    Verdict.NONE: "?",
}


def judge(state: State, shape: Shape | None, expected: Expected, complained: bool) -> Verdict:
    """The verdict over one observation. `shape` counts only for a refusal; without one it has no witness.

    A complaint spoils a result that would be right; it excuses none that is wrong, and where nothing was
    observed there is nothing to be right about.
    """
    verdict = _without_kernel_log(state, shape, expected)
    if complained and verdict in (Verdict.WORKS, Verdict.ABSENT, Verdict.EARLY):
        return Verdict.COMPLAINED
    return verdict


def _without_kernel_log(state: State, shape: Shape | None, expected: Expected) -> Verdict:
    if state in (State.BLOCKED, State.NOTHING):
        return Verdict.NONE
    if state is State.PASSED:
        return Verdict.EARLY if expected is Expected.ABSENT else Verdict.WORKS
    if state is State.REFUSED and shape is Shape.RIGHT:
        return Verdict.MISSING if expected is Expected.PRESENT else Verdict.ABSENT
    return Verdict.WRONG


def proposes_since(expected: Expected, verdict: Verdict) -> bool:
    """Whether the cell is news for the since data: a clean answer where none was known."""
    return expected is Expected.UNKNOWN and not surprise(verdict)


def surprise(verdict: Verdict) -> bool:
    """Whether a person should look at the cell. Only these two are as they should be."""
    return verdict not in (Verdict.WORKS, Verdict.ABSENT)


def sign(verdict: Verdict) -> str:
    """The sign for the cell in every table."""
    return _SIGNS[verdict]
