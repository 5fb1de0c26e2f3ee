# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""What was seen of one test on one kernel through one binding, before it is judged."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """How the test ended."""

    PASSED = "passed"
    REFUSED = "refused"  # the kernel refused the operation; the evidence is in `records`
    FAILED = "failed"
    BLOCKED = "blocked"  # the environment forbids io_uring or the network; `cause` says which
    TIMEOUT = "timeout"
    CRASHED = "crashed"  # the test process or the whole machine died; `cause` says how
    NOTHING = "nothing"  # no result at all; `cause` says why
    NOT_EXPRESSIBLE = "not_expressible"  # the binding cannot express it; `records` say what and why


class Shape(StrEnum):
    """Whether the refusal is that of a kernel without the feature."""

    RIGHT = "right"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One test, one kernel, one binding: the outcome with all its evidence."""

    state: State
    shape: Shape | None = None  # with REFUSED; with NOT_EXPRESSIBLE if other tests of the row were refused
    cause: str | None = None  # a sentence; only with blocked, timeout, crashed, nothing
    records: tuple[dict[str, Any], ...] = ()  # what the test binary wrote, one per GoogleTest test
    output: str = ""  # end of its standard output and error, if it did not end well
    kmsg: tuple[str, ...] = ()  # kernel log lines while it ran, all levels, "<4>text"
    complaints: tuple[str, ...] = ()  # those of them (or a taint) that make the verdict "complained"
    taint: tuple[int, int] | None = None  # /proc/sys/kernel/tainted before and after; None: unreadable
    ms: int = 0

    def failed_tests(self) -> frozenset[str]:
        """The tests that did not pass, without their parameters: Suite.Test."""
        fine = (State.PASSED, State.REFUSED, State.NOT_EXPRESSIBLE)
        return frozenset(
            str(record["name"]).partition("/")[0]
            for record in self.records
            if record.get("kind") == "test" and record.get("state") not in fine
        )

    def as_json(self) -> dict[str, Any]:
        """The observation as plain JSON values, the shape stored in results.ndjson."""
        return asdict(self)
