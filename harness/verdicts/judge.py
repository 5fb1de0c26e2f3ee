# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The judge: one pure, total function from the observation and the expectation to a verdict."""

from __future__ import annotations

from enum import StrEnum

from harness.suite.since import Expected
from harness.verdicts.observation import Shape, State


class Verdict(StrEnum):
    """The verdict of one cell of the table."""

    WORKS = "works"
    ABSENT = "absent"  # correctly: the kernel is too old, and refuses as it should
    MISSING = "missing"  # refused in the right way, but by a kernel that should have it
    WRONG = "wrong"
    COMPLAINED = "complained"  # would be quiet or early, but the kernel logged a complaint
    EARLY = "early"  # works on a kernel that should be too old
    NONE = "none"  # no verdict: the environment or our own harness failed
    NOT_EXPRESSIBLE = "not_expressible"  # the kernel was not asked: the binding cannot express it
    KNOWN = "known"  # wrong, as a known deviation says
    GONE = "gone"  # right, though a known deviation says that it is wrong


class Deviates(StrEnum):
    """What the list of known deviations says of the cell, and whether that is what was seen."""

    UNLISTED = "unlisted"
    AS_LISTED = "as listed"  # the tests that it names failed, and no others
    OTHERWISE = "otherwise"
    LEFT_OUT = "left out"  # the tests that it names were not run


_SIGNS = {
    Verdict.WORKS: "✓",
    Verdict.ABSENT: "·",
    Verdict.MISSING: "✗",
    Verdict.WRONG: "✗",
    Verdict.COMPLAINED: "!",
    Verdict.EARLY: "+",
    Verdict.NONE: "?",
    Verdict.NOT_EXPRESSIBLE: "–",
    Verdict.KNOWN: "✗*",
    Verdict.GONE: "+",
}


#: The sign of a cell that is not expressible, of which some test passed all the same: half of "works".
IN_PART = "~"

#: Cells that are as they should be: no one has to look at them.
_QUIET = (Verdict.WORKS, Verdict.ABSENT, Verdict.NOT_EXPRESSIBLE, Verdict.KNOWN)


def judge(
    state: State,
    shape: Shape | None,
    expected: Expected,
    complained: bool,
    deviates: Deviates = Deviates.UNLISTED,
    *,
    ours: bool,
) -> Verdict:
    """The verdict on one observation, made through our own binding or another one.

    `shape` counts only if something was refused; a refusal without a shape has no evidence. A complaint spoils a
    result that would be quiet or early, even if the binding could not express everything: whatever a binding asks
    for, no kernel may complain. It does not excuse a wrong result, and where nothing was observed there is no result
    to spoil. A known deviation is one only if exactly that was seen; where it was not seen, its entry is out of date.
    """
    verdict = _with_deviations(_without_kernel_log(state, shape, expected, ours=ours), deviates)
    if complained and (verdict in _QUIET or verdict in (Verdict.EARLY, Verdict.GONE)):
        return Verdict.COMPLAINED
    return verdict


def _with_deviations(verdict: Verdict, deviates: Deviates) -> Verdict:
    if deviates is Deviates.LEFT_OUT:
        return Verdict.KNOWN if verdict is Verdict.WORKS else verdict
    if verdict is Verdict.WRONG and deviates is Deviates.AS_LISTED:
        return Verdict.KNOWN
    if verdict in (Verdict.WORKS, Verdict.ABSENT, Verdict.EARLY) and deviates is not Deviates.UNLISTED:
        return Verdict.GONE
    return verdict


def _without_kernel_log(state: State, shape: Shape | None, expected: Expected, *, ours: bool) -> Verdict:
    if state in (State.BLOCKED, State.NOTHING):
        return Verdict.NONE
    if state is State.PASSED:
        return Verdict.EARLY if expected is Expected.ABSENT else Verdict.WORKS
    if state is State.REFUSED and shape is Shape.RIGHT:
        return Verdict.MISSING if expected is Expected.PRESENT else Verdict.ABSENT
    if (
        state is State.NOT_EXPRESSIBLE and shape is not Shape.WRONG and not ours
    ):  # ours must express everything
        # What another test of the row found missing stays missing, even if not everything could be asked.
        missing = shape is Shape.RIGHT and expected is Expected.PRESENT
        return Verdict.MISSING if missing else Verdict.NOT_EXPRESSIBLE
    return Verdict.WRONG


def proposes_since(expected: Expected, verdict: Verdict) -> bool:
    """Whether the cell proposes new `since` data: a clean answer where none was known."""
    return expected is Expected.UNKNOWN and verdict in (Verdict.WORKS, Verdict.ABSENT)


def surprise(verdict: Verdict) -> bool:
    """Whether a person should look at the cell."""
    return verdict not in _QUIET


def sign(verdict: Verdict, *, in_part: bool = False) -> str:
    """The sign for the cell in every table. `in_part`: some test passed, where not every one could be asked."""
    return IN_PART if in_part and verdict is Verdict.NOT_EXPRESSIBLE else _SIGNS[verdict]
