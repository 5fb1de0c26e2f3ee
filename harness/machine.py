"""A machine runs a plan and tells what happens as a stream of events; the host is one.

Events are what the runner says (see guest/runner.cc: hello, start, record, end, trouble, bye), and two more:

    {"kind": "garbage", "line": ...}                           a line that is not a runner's
    {"kind": "died", "phase": ..., "entry": ... or None, "why": ..., "hung": ..., "console_tail": [...]}

A stream ends with "bye" or "died", and by then nothing of the machine is left.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from harness.trouble import Trouble

Event = dict[str, Any]
Events = Generator[Event, None, None]  # closing it ends the machine

MAX_LINE = 8 << 20  # a guest gone mad must not take our memory with it
CONSOLE_TAIL = 200  # lines; an Oops with the panic that follows it takes about 100
PANIC = re.compile(r"Kernel panic - not syncing: (.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanEntry:
    """One process to run: its name, how long it may take, its command line as the machine sees it."""

    name: str
    timeout_s: float
    argv: tuple[str, ...]


class Machine(Protocol):
    """Where a plan is run. Each call of run is a fresh start."""

    @property
    def shared_log(self) -> bool:
        """Whether the kernel log also holds lines that have nothing to do with the plan."""

    def run(self, plan: Sequence[PlanEntry], artefacts: Path) -> Events:
        """Run the plan, yield its events. Closing the iterator ends the machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostMachine:
    """This machine itself, under the kernel that runs it."""

    runner: Path
    boot_deadline_s: float = 30.0
    grace_s: float = 15.0

    @property
    def shared_log(self) -> bool:
        """Other processes of this machine make kernel log lines too."""
        return True

    def run(self, plan: Sequence[PlanEntry], artefacts: Path) -> Events:
        """Run the plan as processes of this machine."""
        file, errors = artefacts / "plan", artefacts / "runner.stderr"
        store(file, plan_text(plan).encode())
        with child(
            [str(self.runner), "--plan", str(file)],
            stderr=errors,
            dies_by=signal.SIGTERM,  # lets it remove its temporary directory
            remedy="Build the project first.",
        ) as process:
            yield from follow(
                process,
                plan,
                boot_deadline_s=self.boot_deadline_s,
                grace_s=self.grace_s,
                console=lambda: text_lines(errors),
                name="the runner",
            )


def plan_text(plan: Sequence[PlanEntry]) -> str:
    """The plan in the form that the runner reads."""
    if len({entry.name for entry in plan}) < len(plan):
        raise ValueError("a plan names each entry once")
    lines = ["\t".join((entry.name, f"{entry.timeout_s:.3f}", *entry.argv)) for entry in plan]
    for line, entry in zip(lines, plan, strict=True):
        if "\n" in line or line.count("\t") != len(entry.argv) + 1:
            raise ValueError(f"the plan's entry {entry.name!r} holds a tab or a line end")
    return "".join(f"{line}\n" for line in lines)


def store(path: Path, data: bytes) -> None:
    """Write a file and the directories above it; a full disk is our trouble, in a sentence."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        remedy = "Make room or choose another place."
        raise Trouble(f"{path} cannot be written: {error.strerror}. {remedy}") from error


def text_lines(path: Path) -> list[str]:
    """The lines of a log; none if it was never begun."""
    try:
        return path.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []


@contextlib.contextmanager
def child(
    command: Sequence[str], *, stderr: Path, dies_by: signal.Signals, remedy: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that outlives neither the block nor the thread that runs it; its standard output is a pipe.

    It has a session of its own, so that Ctrl-C reaches it through us and in our order. `remedy` is what a
    person can do if it cannot be started.
    """
    try:
        with stderr.open("wb") as file:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=file,
                start_new_session=True,
                preexec_fn=lambda: _die_with_parent(dies_by),
            )
    except OSError as error:
        raise Trouble(f"{command[0]} cannot be started: {error.strerror}. {remedy}") from error
    try:
        yield process
    finally:
        assert process.stdout is not None
        if process.poll() is None:
            process.send_signal(dies_by)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
        process.wait()
        process.stdout.close()


def follow(
    process: subprocess.Popen[bytes],
    plan: Sequence[PlanEntry],
    *,
    boot_deadline_s: float,
    grace_s: float,
    console: Callable[[], list[str]],
    name: str,
) -> Events:
    """The events of a runner that writes to the process's standard output, held to deadlines.

    `console` gives what else the machine said so far; `name` is what to call the process in a sentence.
    """
    timeouts = {entry.name: entry.timeout_s for entry in plan}
    phase, entry, farewell, ended = "boot", None, None, 0
    deadline = time.monotonic() + boot_deadline_s

    def died(why: str, *, hung: bool = False) -> Event:
        said = console()
        if panic := next(filter(None, map(PANIC.search, said)), None):
            why, hung = f"kernel panic: {panic[1]}", False
        return {
            "kind": "died",
            "phase": phase,
            "entry": entry,
            "why": why,
            "hung": hung,
            "console_tail": said[-CONSOLE_TAIL:],
        }

    lines = _LineReader(process)
    while True:
        try:
            line = lines.next(deadline)
        except TimeoutError:
            yield died(f"{name} did not go on in time (phase: {phase})", hung=True)
            return
        if line is None:
            break
        event = _parse(line)
        match event["kind"]:
            case "hello" | "end":
                ended += event["kind"] == "end"
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
    # The pipe is closed. What matters now is whether the process goes, and how.
    try:
        code = process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        yield died(f"{name} closed its results but did not end", hung=True)
        return
    if farewell is None:
        yield died(f"{name} ended by itself ({_how(code)}){_last_words(console())}")
    else:
        yield farewell


class _LineReader:
    """Lines of a process's standard output as they come, with a deadline for each."""

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
        left_ms = int((deadline - time.monotonic()) * 1000) + 1
        if left_ms <= 0 or not self._poll.poll(left_ms):
            raise TimeoutError
        return os.read(self._descriptor, 1 << 16)


def _parse(line: bytes) -> Event:
    try:
        event = json.loads(line)
    except ValueError:
        event = None
    if isinstance(event, dict) and _well_formed(event):
        return event
    return {"kind": "garbage", "line": line.decode(errors="replace").rstrip("\n")}


def _well_formed(event: Event) -> bool:
    """Whether this is something that a runner says, with what everybody reads from it unasked."""
    match event.get("kind"):
        case "start" | "end":
            return isinstance(event.get("entry"), str)
        case "record":
            return isinstance(event.get("entry"), str) and isinstance(event.get("line"), str)
        case "trouble":
            return isinstance(event.get("text"), str)
        case kind:
            return kind in ("hello", "bye")


def _how(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.strsignal(-code) or f"signal {-code}"


def _last_words(lines: Sequence[str]) -> str:
    return f": {lines[-1]}" if lines else ""


_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def _die_with_parent(by: signal.Signals) -> None:
    # Runs between fork and exec. A killed harness cannot clean up; the kernel does it then.
    _LIBC.prctl(_PR_SET_PDEATHSIG, by)
