"""A machine runs a plan and tells what happens as a stream of events; the host is one.

Events are what the runner says (see guest/runner.cc: ready, hello, start, record, end, trouble, bye), and more:

    {"kind": "notice", "text": ...}                            what a person should know about the machine
    {"kind": "garbage", "line": ...}                           a line that is not a runner's
    {"kind": "died", "phase": ..., "entry": ... or None, "why": ..., "hung": ..., "killed": ...,
     "kmsg": [...] or None, "console_tail": [...]}

"killed" tells that somebody here ended the machine, which says nothing about its kernel. "kmsg" is what "bye"
would have told, if it came before the end.
A stream ends with "bye" or "died", and by then nothing of the machine is left.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


Event = dict[str, Any]
Events = Generator[Event, None, None]  # closing it ends the machine


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanEntry:
    """One process to run: its name, how long it may take, its command line as the machine sees it.

    A program that serves forks (guest/fork_server.h) is started once for all entries that want it so.
    """

    name: str
    timeout_s: float
    argv: tuple[str, ...]
    forks: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Accelerator:
    """How a guest's instructions are executed."""

    name: str  # QEMU's: kvm or tcg
    reason: str  # why this one, a clause
    remembered: bool = False  # found out by an earlier run, since this machine booted


class Machine(Protocol):
    """Where a plan is run. Each call of run is a fresh start."""

    @property
    def shared_log(self) -> bool:
        """Whether the kernel log also holds lines that have nothing to do with the plan."""

    def run(self, plan: Sequence[PlanEntry], artefacts: Path) -> Events:
        """Run the plan, yield its events. Closing the iterator ends the machine."""


def plan_text(plan: Sequence[PlanEntry]) -> str:
    """The plan in the form that the runner reads."""
    if len({entry.name for entry in plan}) < len(plan):
        raise ValueError("a plan names each entry once")
    lines = [
        "\t".join((entry.name, f"{entry.timeout_s:.3f}", "fork" if entry.forks else "exec", *entry.argv))
        for entry in plan
    ]
    for line, entry in zip(lines, plan, strict=True):
        if "\n" in line or line.count("\t") != len(entry.argv) + 2:
            raise ValueError(f"the plan's entry {entry.name!r} holds a tab or a line end")
    return "".join(f"{line}\n" for line in lines)


