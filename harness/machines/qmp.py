# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""QEMU's monitor: commands and replies as JSON, over a socket that exists from the start."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from harness.base import json_input

DEADLINE_S = 30.0  # for one reply, and for one migration


class MonitorError(Exception):
    """QEMU refused a command, did not reply, or is gone. The message is the end of a sentence."""


class Monitor:
    """The harness's end. `options` make QEMU use the other end, `descriptor`, which it must inherit."""

    def __init__(self, ours: socket.socket, theirs: socket.socket) -> None:
        self._socket = ours
        self._theirs = theirs
        self._answers = ours.makefile("rb")
        ours.settimeout(DEADLINE_S)

    @property
    def descriptor(self) -> int:
        """The descriptor that the child process must inherit."""
        return self._theirs.fileno()

    @property
    def options(self) -> tuple[str, ...]:
        """QEMU's options for this monitor."""
        return ("-chardev", f"socket,id=monitor,fd={self.descriptor}", "-mon", "chardev=monitor,mode=control")

    def connect(self) -> None:
        """Start the conversation once the process runs. From now on its exit is noticed."""
        self._theirs.close()
        self._read()  # the greeting
        self.execute("qmp_capabilities")

    def execute(self, command: str, descriptors: Sequence[int] = (), **arguments: Any) -> Any:
        """Run a command and return its result; `descriptors` are passed along with it."""
        line = json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n"
        try:
            socket.send_fds(self._socket, [line], list(descriptors))
        except OSError as error:
            raise MonitorError(f"QEMU's monitor is gone: {error.strerror}") from error
        while True:
            answer = self._read()
            if "error" in answer:
                raise MonitorError(f"QEMU refused {command}: {answer['error'].get('desc')}")
            if "return" in answer:
                return answer["return"]

    def save(self, state: int) -> None:
        """Write the machine's state to a file descriptor, except memory that is a shared file. The guest stops."""
        self._without_shared_memory()
        self.execute("migrate", uri=self._uri(state))
        deadline = time.monotonic() + DEADLINE_S
        while (status := self.execute("query-migrate").get("status")) != "completed":
            if status in ("failed", "cancelled") or time.monotonic() > deadline:
                raise MonitorError(f"QEMU could not save the machine: {status}")
            time.sleep(0.005)

    def resume(self, state: int) -> None:
        """Continue from a saved state, in a QEMU started with -incoming defer."""
        self._without_shared_memory()
        self.execute("migrate-incoming", uri=self._uri(state))

    def _uri(self, state: int) -> str:
        """QEMU's name for a file that is open here. QEMU 11 refuses a file as fd:, and file: needs at least 8.2."""
        if self.execute("query-version")["qemu"]["major"] >= 9:
            return f"file:/dev/fdset/{self.execute('add-fd', [state])['fdset-id']}"
        self.execute("getfd", [state], fdname="state")
        return "fd:state"

    def _without_shared_memory(self) -> None:
        wish = {"capability": "x-ignore-shared", "state": True}
        self.execute("migrate-set-capabilities", capabilities=[wish])

    def _read(self) -> dict[str, Any]:
        try:
            line = self._answers.readline()
        except OSError as error:
            raise MonitorError(f"QEMU's monitor does not reply: {error}") from error
        try:
            answer = json_input.parse(line)
        except ValueError as error:  # also the empty line at the end
            raise MonitorError("QEMU exited or sent something that is not a QMP reply") from error
        return answer if isinstance(answer, dict) else {}


@contextmanager
def monitor() -> Iterator[Monitor]:
    """A monitor that is closed at the end of the block."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Monitor(ours, theirs)
