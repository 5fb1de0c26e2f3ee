"""What was seen of one test on one kernel through one binding, before anybody judges it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """How the test ended, in the words of the status model."""

    PASSED = "passed"
    REFUSED = "refused"  # the kernel refused the operation; the witness is in `records`
    FAILED = "failed"
    BLOCKED = "blocked"  # the environment forbids io_uring or the network; `cause` names what
    TIMEOUT = "timeout"
    CRASHED = "crashed"  # the test process or the whole machine died under it; `cause` says how
    NOTHING = "nothing"  # no result at all; `cause` says why
    NOT_EXPRESSIBLE = "not_expressible"  # the binding cannot ask for it; what and why is in `records`


class Shape(StrEnum):
    """Whether a refusal looks the way a kernel without the feature refuses."""

    RIGHT = "right"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One test, one kernel, one binding: the outcome with all evidence behind it."""

    state: State
    shape: Shape | None = None  # with State.REFUSED, and NOT_EXPRESSIBLE where other tests of the row were refused
    cause: str | None = None  # a sentence; only with blocked, timeout, crashed, nothing
    records: tuple[dict[str, Any], ...] = ()  # what the test binary wrote, one per GoogleTest test
    output: str = ""  # end of its standard output and error, when it did not end well
    kmsg: tuple[str, ...] = ()  # kernel log lines made while it ran, all levels, "<4>text"
    complaints: tuple[str, ...] = ()  # those of them (or taint) that make a verdict "complained"
    taint: tuple[int, int] | None = None  # /proc/sys/kernel/tainted before and after; None: unreadable
    ms: int = 0

    def as_json(self) -> dict[str, Any]:
        """The observation as plain JSON values, the shape stored in results.ndjson."""
        return asdict(self)
