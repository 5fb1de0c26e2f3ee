# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Follows the output of a runner line by line, and enforces deadlines."""

from __future__ import annotations

import os
import re
import select
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Any

from harness.base import json_input
from harness.machines.machine import Event, Events, PlanEntry
from harness.machines.process import killed_by, last_words, text_lines
from harness.machines.shared_memory import SharedMemory

MAX_LINE = 8 << 20  # a runaway guest must not use up our memory

CONSOLE_TAIL = 200  # lines; an Oops and the panic after it take about 100

GATHER_S = 0.01  # lines arrive in bursts, byte by byte; waking for each byte would cost us and QEMU more than waiting

MAX_POLL_S = 1e6  # poll(2) counts milliseconds in 31 bits

PANIC = re.compile(r"Kernel panic - not syncing: (.*)")


def follow(
    process: subprocess.Popen[bytes],
    plan: Sequence[PlanEntry],
    *,
    boot_deadline_s: float,
    grace_s: float,
    errors: Path,
    console: Path | None = None,
    memory: SharedMemory | None = None,
    name: str,
    program: str,
) -> Events:
    """The events of a runner that writes to the process's standard output, with deadlines enforced.

    An empty line there announces the next one in `memory`, if there is any.
    `errors` has the standard error of the process, `console` the output of its kernel, if it has its own.
    Messages call the machine `name`, and its process `program`.
    """
    timeouts = {entry.name: entry.timeout_s for entry in plan}
    phase, entry, ended = "boot", None, 0
    farewell: Event | None = None
    deadline = time.monotonic() + boot_deadline_s

    def consoles() -> list[str]:  # QEMU's own output says why it exited, so it comes last
        return (text_lines(console) if console else []) + text_lines(errors)

    def died(why: str, *, hung: bool = False, killed: bool = False) -> Event:
        said = consoles()
        if panic := next(filter(None, map(PANIC.search, said)), None):
            why, hung, killed = f"kernel panic: {panic[1]}", False, False
        return {
            "kind": "died",
            "phase": phase,
            "entry": entry,
            "why": why,
            "hung": hung,
            "killed": killed,
            "kmsg": farewell.get("kmsg") or [] if farewell else None,
            "console_tail": said[-CONSOLE_TAIL:],
        }

    lines = _LineReader(process)
    while True:
        try:
            line = lines.next(deadline)
        except TimeoutError:
            yield died(f"{name} did not continue in time (phase: {phase})", hung=True)
            return
        if line is None:
            break
        event = _parse(memory.next_line() if memory is not None and line == b"\n" else line)
        match event["kind"]:
            case "hello" | "end" | "skip":
                ended += event["kind"] != "hello"
                phase, entry = "next entry" if ended < len(plan) else "shutdown", None
                deadline = time.monotonic() + grace_s
            case "start":
                entry = event["entry"]
                phase = f"entry {entry}"
                deadline = time.monotonic() + timeouts.get(entry, 0) + grace_s
            case "bye":  # believed once the machine is gone
                phase, entry, farewell, deadline = "shutdown", None, event, time.monotonic() + grace_s
                continue
        yield event
    # The pipe is closed. Now it matters whether the process exits, and how.
    try:
        code = process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        yield died(f"{name} closed its results but did not exit", hung=True)
        return
    if farewell is not None:
        yield farewell
    elif by := killed_by(code, last := text_lines(errors)):
        yield died(f"{program} was killed by {by}{last_words(last)}", killed=True)
    else:
        yield died(f"{name} exited by itself (exit code {code}){last_words(consoles())}")


class _LineReader:
    """Lines of a process's standard output as they arrive, with a deadline for each."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        self._descriptor = process.stdout.fileno()
        self._buffer = bytearray()
        self._poll = select.poll()
        self._poll.register(self._descriptor, select.POLLIN)

    def next(self, deadline: float) -> bytes | None:
        """The next line; the unfinished last one at the end of the stream; None after it."""
        searched = 0
        while (end := self._buffer.find(b"\n", searched) + 1) == 0:
            searched = len(self._buffer)
            if searched > MAX_LINE or not (data := self._read(deadline)):
                end = searched
                break
            self._buffer += data
        line = bytes(self._buffer[:end])
        del self._buffer[:end]
        return line or None

    def _read(self, deadline: float) -> bytes:
        # Rounded up: a poll of 0 ms right before the deadline would be a busy loop.
        left_s = min(deadline - time.monotonic(), MAX_POLL_S)
        if not left_s > 0 or not self._poll.poll(int(left_s * 1000) + 1):  # NaN means no time left, too
            raise TimeoutError
        time.sleep(GATHER_S)
        return os.read(self._descriptor, 1 << 16)


def _parse(line: bytes) -> Event:
    try:
        event = json_input.parse(line)
    except ValueError:
        event = None
    if isinstance(event, dict) and _well_formed(event):
        return event
    return {"kind": "garbage", "line": line.decode(errors="replace").rstrip("\n")}


Kinds = type | UnionType

#: The fields that every reader assumes, and those that may be missing.
_FIELDS: dict[str, tuple[dict[str, Kinds], dict[str, Kinds]]] = {
    "ready": ({}, {}),
    "hello": ({"release": str, "version": str}, {}),
    "start": ({"entry": str}, {}),
    "record": ({"entry": str, "line": str}, {}),
    "end": (
        {"entry": str},
        {
            **dict.fromkeys(("exit", "signal"), int | NoneType),
            **dict.fromkeys(("output", "partial", "misbehaved"), str),
            **{
                "timeout": bool,
                "ms": int,
                "kmsg": list,
                "kmsg_error": str | NoneType,
                "taint": list | NoneType,
            },
        },
    ),
    "skip": ({"entry": str, "unless": str}, {}),
    "trouble": ({"text": str}, {}),
    "bye": ({}, {"kmsg": list, "kmsg_error": str | NoneType}),
}


def _well_formed(event: Event) -> bool:
    """Whether this is an event of a runner, and its fields are what every reader assumes."""
    kind = event.get("kind")
    if not isinstance(kind, str) or kind not in _FIELDS:
        return False
    needed, possible = _FIELDS[kind]
    return (
        all(isinstance(event.get(name), kinds) for name, kinds in needed.items())
        and all(isinstance(event[name], kinds) for name, kinds in possible.items() if name in event)
        and all(isinstance(line, str) for line in event.get("kmsg", ()))
        and _is_count(event.get("ms", 0))
        and _is_taint(event.get("taint"))
    )


def _is_taint(value: Any) -> bool:
    """Before and after, or unknown."""
    return value is None or (len(value) == 2 and all(map(_is_count, value)))


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0
