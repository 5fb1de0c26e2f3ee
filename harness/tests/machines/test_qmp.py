"""QEMU's monitor, with the other end in our own hands."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.machines import qmp
from harness.machines.qmp import Monitor, MonitorError, monitor

Reply = Callable[[dict[str, Any]], bytes]


def serve(theirs: socket.socket, reply: Reply) -> None:
    """Be QEMU: greet, then answer each command."""
    theirs.sendall(b'{"QMP": {}}\n')
    with theirs.makefile("rb") as commands:
        for line in commands:
            answer = reply(json.loads(line))
            if not answer:
                break
            theirs.sendall(answer)
    theirs.shutdown(socket.SHUT_RDWR)


def ask(reply: Reply, talk: Callable[[Monitor], Any]) -> Any:
    with monitor() as ours:
        theirs = socket.socket(fileno=os.dup(ours.descriptor))
        thread = threading.Thread(target=serve, args=(theirs, reply))
        thread.start()
        try:
            ours.connect()
            return talk(ours)
        finally:
            ours._socket.close()
            ours._answers.close()
            thread.join()
            theirs.close()


def returning(value: Any) -> bytes:
    return json.dumps({"return": value}).encode() + b"\n"


def test_an_answer_is_told_from_an_event() -> None:
    event = b'{"event": "STOP", "timestamp": {}}\n'
    answer = ask(lambda command: event + returning(command["execute"]), lambda qemu: qemu.execute("hello"))
    assert answer == "hello"


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (lambda _: b'{"error": {"desc": "no such thing"}}\n', "QEMU refused qmp_capabilities: no such thing"),
        (lambda _: b"", "QEMU exited or sent something that is not a QMP reply"),
        (lambda _: b"garbage\n", "QEMU exited or sent something that is not a QMP reply"),
    ],
)
def test_what_is_no_answer_is_an_error(reply: Reply, why: str) -> None:
    with pytest.raises(MonitorError, match=why):
        ask(reply, lambda qemu: None)


def test_silence_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qmp, "DEADLINE_S", 0.1)
    with monitor() as ours, pytest.raises(MonitorError, match="does not reply: timed out"):
        ours._read()


@pytest.mark.parametrize(("major", "fdset", "uri"), [(7, None, "fd:state"), (8, None, "fd:state"), (11, 3, "file:/dev/fdset/3")])
def test_a_state_goes_where_this_qemu_writes_files(major: int, fdset: int | None, uri: str, tmp_path: Path) -> None:
    asked: dict[str, Any] = {}

    def reply(command: dict[str, Any]) -> bytes:
        asked[command["execute"]] = command["arguments"]
        values = {
            "query-version": {"qemu": {"major": major}},
            "query-migrate": {"status": "completed"},
            "add-fd": {"fdset-id": fdset},
        }
        return returning(values.get(command["execute"]))

    with (tmp_path / "state").open("wb") as state:
        ask(reply, lambda qemu: qemu.save(state.fileno()))
        ask(reply, lambda qemu: qemu.resume(state.fileno()))
    assert asked["migrate"] == asked["migrate-incoming"] == {"uri": uri}
    assert ("getfd" in asked) == (fdset is None)


def test_a_save_that_fails_or_does_not_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(qmp, "DEADLINE_S", 0.3)
    with (tmp_path / "state").open("wb") as state:
        for status in ("failed", "active"):
            with pytest.raises(MonitorError, match=f"could not save the machine: {status}"):
                ask(lambda _, status=status: returning({"status": status, "qemu": {"major": 7}}), lambda qemu: qemu.save(state.fileno()))
