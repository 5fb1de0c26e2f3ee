# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""A machine runs a plan and reports what happens as a stream of events. The host is one.

The events of the runner (see guest/runner.cc: ready, hello, start, record, end, trouble, bye), and these:

    {"kind": "notice", "text": ...}                            something a person should know about the machine
    {"kind": "garbage", "line": ...}                           a line that is not from the runner
    {"kind": "died", "phase": ..., "entry": ... or None, "why": ..., "hung": ..., "killed": ...,
     "kmsg": [...] or None, "console_tail": [...]}

"killed" means that something here killed the machine, which says nothing about its kernel. "kmsg" is from "bye", if
that came before the end.
A stream ends with "bye" or "died". By then nothing of the machine is left.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

Event = dict[str, Any]
Events = Generator[Event, None, None]  # closing it ends the machine


REFUSED = 77  # the exit code of an entry after which others need not run (guest/runner.cc)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanEntry:
    """One process to run: its name, its time limit, its command line as the machine sees it.

    A program that serves forks (guest/fork_server.h) is started once for all entries that ask for it.
    """

    name: str
    timeout_s: float
    argv: tuple[str, ...]
    forks: bool = False
    unless: str | None = None  # an earlier entry: if it exited with REFUSED, this one is not run


@dataclass(frozen=True, slots=True, kw_only=True)
class Accelerator:
    """How a guest's instructions are executed."""

    name: str  # QEMU's name: kvm or tcg
    reason: str  # why this one, as a clause
    remembered: bool = False  # found by an earlier run since this machine booted


class Machine(Protocol):
    """Something that runs plans. Each call of run starts fresh."""

    @property
    def shared_log(self) -> bool:
        """Whether the kernel log also has lines unrelated to the plan."""

    def run(self, plan: Sequence[PlanEntry], artefacts: Path) -> Events:
        """Run the plan and yield its events. Closing the iterator ends the machine."""


def plan_text(plan: Sequence[PlanEntry]) -> str:
    """The plan in the format that the runner reads."""
    if len({entry.name for entry in plan}) < len(plan):
        raise ValueError("a plan must name each entry only once")
    lines = ["\t".join((entry.name, f"{entry.timeout_s:.3f}", _manner(entry), *entry.argv)) for entry in plan]
    for line, entry in zip(lines, plan, strict=True):
        if "\n" in line or line.count("\t") != len(entry.argv) + 2:
            raise ValueError(f"the plan's entry {entry.name!r} contains a tab or a newline")
    return "".join(f"{line}\n" for line in lines)


def _manner(entry: PlanEntry) -> str:
    manner = "fork" if entry.forks else "exec"
    return manner if entry.unless is None else f"{manner} unless {entry.unless}"
