# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Entries that a fork server starts: they look like any others, whatever happens to them or to the server."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from harness.base.paths import BUILD
from harness.machines.host import HostMachine
from harness.machines.machine import PlanEntry
from harness.tests.machines.test_machine import end, records, run, runner_of, shell, temporary, wait_until

__all__ = ["temporary"]


@pytest.fixture
def forked() -> Path:
    """The program that is started either way (conformance/tests/forked.cc)."""
    program = BUILD / "conformance" / "tests" / "forked"
    assert program.exists(), "build first: ci/build"
    return program


def entry(
    program: Path, name: str, what: str = "", *, forks: bool = True, timeout_s: float = 20
) -> PlanEntry:
    return PlanEntry(name=name, timeout_s=timeout_s, argv=(str(program), what or name), forks=forks)


def told(events: list[dict[str, Any]], name: str) -> list[str]:
    return [event["line"] for event in events if event["kind"] == "record" and event["entry"] == name]


def parents(events: list[dict[str, Any]], name: str) -> tuple[int, int]:
    """The parent of an entry, and the process that had started up for it."""
    (line,) = told(events, name)
    parent, server = line.split()
    return int(parent), int(server)


def test_the_world_is_the_same(runner: Path, forked: Path, tmp_path: Path, temporary: Path) -> None:
    events = run(
        runner, tmp_path, entry(forked, "anew", "world", forks=False), entry(forked, "forked", "world")
    )
    assert told(events, "anew") == told(events, "forked")
    assert "descriptor 0: /dev/n" in told(events, "forked") and "own session: 1" in told(events, "forked")
    assert "variable: URING_RECORDS_FD" in told(events, "forked")
    assert [event["kind"] for event in events if event["kind"] == "trouble"] == []
    assert list(temporary.iterdir()) == []


def test_one_start_serves_many_and_all_are_the_runners_children(
    runner: Path, forked: Path, tmp_path: Path, temporary: Path
) -> None:
    plan = [
        entry(forked, "a", "parents"),
        entry(forked, "crash"),
        entry(forked, "fail"),
        entry(forked, "hang", timeout_s=0.3),
        entry(forked, "orphan"),
        shell("anew", "sleep 1000 & exit 0"),
        entry(forked, "b", "parents"),
    ]
    events = run(runner, tmp_path, *plan)
    (parent, server), last = parents(events, "a"), parents(events, "b")
    assert (
        parent,
        server,
    ) == last, "neither a crash, nor a hang, nor the clean-up behind them cost the server"
    assert parent != server
    assert (end(events, "crash")["exit"], end(events, "crash")["signal"]) == (None, signal.SIGABRT)
    assert (end(events, "fail")["exit"], end(events, "fail")["output"]) == (3, "why\n")
    assert (end(events, "hang")["timeout"], end(events, "hang")["signal"]) == (True, signal.SIGKILL)
    assert (end(events, "orphan")["exit"], end(events, "anew")["exit"]) == (0, 0)
    assert [event["kind"] for event in events if event["kind"] == "trouble"] == []
    assert list(temporary.iterdir()) == []


def test_a_server_that_was_killed_is_started_again(
    runner: Path, forked: Path, tmp_path: Path, temporary: Path
) -> None:
    kill = shell(
        "kill",
        f"for p in /proc/[0-9]*; do grep -qa '^{forked}' $p/cmdline && kill -9 ${{p#/proc/}}; done; true",
    )
    events = run(runner, tmp_path, entry(forked, "a", "parents"), kill, entry(forked, "b", "parents"))
    first, second = parents(events, "a"), parents(events, "b")
    assert first[0] == second[0] and first[1] != second[1]
    assert end(events, "b")["exit"] == 0


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("exit 0", "does not get ready to fork: Connection reset by peer"),
        ("exec sleep 1000 <&-", None),
    ],
)
def test_a_program_that_serves_nobody(
    runner: Path, tmp_path: Path, temporary: Path, script: str, why: str | None
) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    if why is None:  # its deadline is longer than a test should take, so kill it as a person would
        script = f"#!/bin/sh\n(sleep 0.3; kill -9 $$) &\n{script}\n"
        program.write_text(script)
        why = "does not get ready to fork: Connection reset by peer"
    events = run(runner, tmp_path, entry(program, "e"), shell("after", "echo said >&$URING_RECORDS_FD"))
    (trouble,) = [event["text"] for event in events if event["kind"] == "trouble"]
    assert trouble == f"e: {program} {why}"
    ended = end(events)
    assert (ended["exit"], ended["signal"], ended["timeout"]) == (None, None, False)
    assert records(events) == ["said"]


def test_a_program_that_serves_nobody_is_not_waited_for_again_and_costs_no_other_program(
    runner: Path, forked: Path, tmp_path: Path, temporary: Path
) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho x >>{tmp_path}/started\nexit 0\n")
    program.chmod(0o755)
    events = run(runner, tmp_path, *(entry(program, name) for name in "abcd"), entry(forked, "e", "parents"))
    said = [event["text"] for event in events if event["kind"] == "trouble"]
    assert said[1:] == [f"b: {program} does not get ready to fork: Connection reset by peer"] + [
        f"{name}: {program} failed twice to get ready to fork" for name in "cd"
    ]
    assert (tmp_path / "started").read_text() == "x\nx\n"
    assert end(events, "e")["exit"] == 0


def test_a_program_that_is_not_there(runner: Path, tmp_path: Path, temporary: Path) -> None:
    events = run(runner, tmp_path, entry(tmp_path / "nothing", "e"))
    (trouble,) = [event["text"] for event in events if event["kind"] == "trouble"]
    assert trouble.startswith(f"e: {tmp_path}/nothing does not get ready to fork")


def test_a_killed_runner_leaves_no_server(
    runner: Path, forked: Path, tmp_path: Path, temporary: Path
) -> None:
    program = shutil.copy(forked, tmp_path / "forked-once")
    plan = [entry(program, "a", "parents"), entry(program, "hang", timeout_s=60)]
    for event in HostMachine(runner=runner).run(plan, tmp_path / "artefacts"):
        if (event["kind"], event.get("entry")) == ("start", "hang"):
            wait_until(lambda: len(started(program)) >= 1)
            os.kill(runner_of(tmp_path), signal.SIGKILL)
    assert event["kind"] == "died"
    wait_until(lambda: started(program) == [])


def started(program: Path) -> list[int]:
    """The processes that run a program."""
    found = []
    for place in Path("/proc").glob("[0-9]*/exe"):
        with contextlib.suppress(OSError):  # gone meanwhile, or another user's
            if os.readlink(place) == str(program):
                found.append(int(place.parent.name))
    return found
