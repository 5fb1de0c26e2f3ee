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

import contextlib
import ctypes
import errno
import json
import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from harness.base.errors import Trouble
from harness.machines.shared_memory import SharedMemory

Event = dict[str, Any]
Events = Generator[Event, None, None]  # closing it ends the machine

MAX_LINE = 8 << 20  # a guest gone mad must not take our memory with it
CONSOLE_TAIL = 200  # lines; an Oops with the panic that follows it takes about 100
GATHER_S = 0.01  # lines come in bursts, and byte by byte; to be woken by each would cost us, and QEMU, more than the wait
MAX_POLL_S = 1e6  # poll(2) counts milliseconds in 31 bits
PANIC = re.compile(r"Kernel panic - not syncing: (.*)")
STOPPED = re.compile(r"terminating on signal (\d+)")  # QEMU ends with exit code 0 when a signal asks it to
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanEntry:
    """One process to run: its name, how long it may take, its command line as the machine sees it.

    A program that serves forks (guest/fork_server.h) is started once for all entries that want it so.
    """

    name: str
    timeout_s: float
    argv: tuple[str, ...]
    forks: bool = False


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
                errors=errors,
                name="the runner",
                program="the runner",
            )


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


def make_directory(path: Path) -> None:
    """Make a directory and those above it, where they are missing."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from error


def store(path: Path, data: bytes) -> None:
    """Write a file and the directories above it; a full disk is our trouble, in a sentence."""
    make_directory(path.parent)
    try:
        path.write_bytes(data)
    except OSError as error:
        if error.errno in NO_ROOM:
            with contextlib.suppress(OSError):  # the trouble is told; half a file only takes others' room
                path.unlink()
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> Trouble:
    remedy = "Make room there." if error.errno in NO_ROOM else "Name a directory that can be written."
    return Trouble(f"{path} cannot be written: {error.strerror}. {remedy}")


def text_lines(path: Path) -> list[str]:
    """The lines of a log; none if it was never begun."""
    try:
        return path.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []


@contextlib.contextmanager
def child(
    command: Sequence[str],
    *,
    stderr: Path,
    dies_by: signal.Signals,
    remedy: str,
    descriptors: Sequence[int] = (),
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that outlives neither the block nor the thread that runs it; its standard output is a pipe.

    It has a session of its own, so that Ctrl-C reaches it through us and in our order. `remedy` is what a
    person can do if it cannot be started. Of our `descriptors` it inherits only these.
    """
    try:
        file = stderr.open("wb")
    except OSError as error:
        raise _unwritable(stderr, error) from error
    with file:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=file,
                start_new_session=True,
                pass_fds=descriptors,
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
    errors: Path,
    console: Path | None = None,
    memory: SharedMemory | None = None,
    name: str,
    program: str,
) -> Events:
    """The events of a runner that writes to the process's standard output, held to deadlines.

    An empty line there stands for the next one in `memory`, if there is any.
    `errors` has the standard error of the process, `console` what its kernel says, if it has one of its own.
    In sentences the machine is called `name` and the process that it is `program`.
    """
    timeouts = {entry.name: entry.timeout_s for entry in plan}
    phase, entry, ended = "boot", None, 0
    farewell: Event | None = None
    deadline = time.monotonic() + boot_deadline_s

    def consoles() -> list[str]:  # what QEMU itself says is why it ended, so it comes last
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
            yield died(f"{name} did not go on in time (phase: {phase})", hung=True)
            return
        if line is None:
            break
        event = _parse(memory.next_line() if memory is not None and line == b"\n" else line)
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
    if farewell is not None:
        yield farewell
    elif by := _killed_by(code, last := text_lines(errors)):
        yield died(f"{program} was killed by {by}{_last_words(last)}", killed=True)
    else:
        yield died(f"{name} ended by itself (exit code {code}){_last_words(consoles())}")


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
        left_s = min(deadline - time.monotonic(), MAX_POLL_S)
        if not left_s > 0 or not self._poll.poll(int(left_s * 1000) + 1):  # not a number is no time either
            raise TimeoutError
        time.sleep(GATHER_S)
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
        case "hello":
            return isinstance(event.get("release"), str) and isinstance(event.get("version"), str)
        case kind:
            return kind in ("ready", "bye")


def _killed_by(code: int, errors: Sequence[str]) -> str | None:
    """The signal that ended a process, also one it obeyed by leaving; None if no signal did."""
    asked = next(filter(None, map(STOPPED.search, errors)), None)
    number = -code if code < 0 else int(asked[1]) if asked else 0
    hint = " (for example by the out-of-memory killer)" if number == signal.SIGKILL else ""
    return f"{signal_name(number)}{hint}" if number else None


def signal_name(number: int) -> str:
    """SIGKILL for 9, and so on."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return "a signal of no name"


def _last_words(lines: Sequence[str]) -> str:
    return f": {lines[-1]}" if lines else ""


_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def _die_with_parent(by: signal.Signals) -> None:
    # Runs between fork and exec. A killed harness cannot clean up; the kernel does it then.
    _LIBC.prctl(_PR_SET_PDEATHSIG, by)
