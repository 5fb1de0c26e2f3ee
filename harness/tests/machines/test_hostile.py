# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Programs that name processes which are not theirs, and programs that leave processes behind: they harm nobody.

Everything here runs in a PID namespace that the test makes, so that a runner that is wrong kills the test and not the
machine. In there the runner is tried twice: as it is, with a namespace of its own, in which it is pid 1; and without
the right to make one (as root in most containers), where only its own care protects the other processes.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.base.paths import BUILD, ROOT
from harness.tests.machines.test_machine import end

NAMESPACE = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
WITHOUT_RIGHT = ("setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin")


@dataclass(frozen=True)
class Outcome:
    """What a trial has seen."""

    events: list[dict[str, Any]]
    bystander: bool  # whether it is alive
    left: list[int]  # processes that should be gone

    def end(self, name: str) -> dict[str, Any]:
        return end(self.events, name)


@pytest.fixture(scope="session")
def namespace() -> tuple[str, ...]:
    """The command that runs another in a PID namespace; the test is skipped where none can be made."""
    made = subprocess.run([*NAMESPACE, "true"], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"hostile programs run in a PID namespace only, and here is none: {made.stderr.strip()}")
    return NAMESPACE


@pytest.fixture(params=["own-namespace", "shared-namespace"])
def attempt(request: pytest.FixtureRequest, namespace: tuple[str, ...], runner: Path, tmp_path: Path) -> Any:
    """Runs entries of the hostile program (conformance/tests/hostile.cc), then one that is as it should be."""
    program = BUILD / "conformance" / "tests" / "hostile"
    assert program.exists(), "build first: ci/build"
    without = () if request.param == "own-namespace" else WITHOUT_RIGHT

    def trial(*entries: tuple[str, ...]) -> Outcome:
        plan = [(words[0], (str(program), *words), True) for words in (*entries, ("fine",))]
        return run_trial((*namespace, *without), runner, tmp_path, plan)

    return trial


def run_trial(before: tuple[str, ...], runner: Path, folder: Path, plan: Any) -> Outcome:
    module = (sys.executable, "-m", "harness.tests.machines.hostile_trial")
    command = [*before, *module, str(runner), str(folder), json.dumps(plan)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"the trial itself was killed ({done.returncode}): {done.stderr}"
    return Outcome(**json.loads(done.stdout))


@pytest.mark.parametrize(
    ("what", "says"),
    [
        (
            ("bystander", "BYSTANDER"),
            "answers that it forked process",
        ),  # in there, the number may be the server's
        (("init",), "answers that it forked process 1, which is not a child of the runner"),
        (
            ("bystander", "-100000"),
            "answers that it forked process -100000, which is not a child of the runner",
        ),
        (("nothing",), "answers that it forked process 0, which is not a child of the runner"),
        (("nonsense",), "answers that it forked process -2147483648, which is not a child of the runner"),
        (("runner",), "which is not a child of the runner"),
        (("itself",), "which is the fork server itself"),
        (("hides",), "which is not a child of the runner"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_a_process_that_is_not_its_own_is_not_signalled(
    attempt: Any, what: tuple[str, ...], says: str
) -> None:
    outcome = attempt(what)
    assert outcome.bystander and outcome.left == []
    ended = outcome.end(what[0])
    assert says in ended["misbehaved"] and "nothing was sent to it" in ended["misbehaved"]
    assert (ended["exit"], ended["signal"], ended["timeout"]) == (None, None, False)
    assert outcome.end("fine")["exit"] == 0 and outcome.events[-1]["kind"] == "bye"


@pytest.mark.parametrize("without", [(), WITHOUT_RIGHT], ids=["own-namespace", "shared-namespace"])
@pytest.mark.parametrize("what", ["init", "daemon"])
def test_a_run_through_a_hostile_adapter_leaves_a_bystander_alive(
    namespace: tuple[str, ...], without: tuple[str, ...], tmp_path: Path, what: str
) -> None:
    program = BUILD / "conformance" / "tests" / "hostile"
    options = f"--kernel host --test nop --binding {what}={program} --results {tmp_path}/results -p no:cacheprovider"
    script = (
        f"setsid sleep 1000 & {sys.executable} -m harness matrix {options}; "
        "kill -0 $! && echo the bystander is alive; ps -eo comm | sort | uniq -c"
    )
    command = [*namespace, *without, "sh", "-c", script]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert "the bystander is alive" in done.stdout, done.stdout + done.stderr
    assert " hostile" not in done.stdout.rpartition("the bystander is alive")[2]
    if what == "init":
        assert "forked process 1, which is not a child of the runner" in done.stdout


def test_minus_one_is_an_error_number(attempt: Any) -> None:
    outcome = attempt(("everybody",))
    assert outcome.bystander and outcome.left == []
    (trouble,) = [event["text"] for event in outcome.events if event["kind"] == "trouble"]
    assert trouble.endswith("hostile cannot fork: Operation not permitted")
    assert outcome.end("fine")["exit"] == 0


@pytest.mark.parametrize("what", ["helper", "daemon", "adopts", "signals", "twice", "shouts"])
def test_what_else_a_fork_server_does_costs_nobody(attempt: Any, what: str) -> None:
    outcome = attempt((what,), ("after",))
    assert outcome.bystander and outcome.left == []
    assert outcome.end("after")["exit"] == 0 and outcome.end("fine")["exit"] == 0
    assert outcome.events[-1]["kind"] == "bye"


@pytest.mark.parametrize("what", ["helper", "daemon", "adopts", "hides"])
def test_nothing_of_an_entry_is_there_in_the_next(
    namespace: tuple[str, ...], runner: Path, tmp_path: Path, what: str
) -> None:
    program = str(BUILD / "conformance" / "tests" / "hostile")
    look = "cat /proc/[0-9]*/comm >&$URING_RECORDS_FD"
    plan = [(what, (program, what), True), ("look", ("/bin/sh", "-c", look), False)]
    outcome = run_trial(namespace, runner, tmp_path, plan)
    there = [event["line"] for event in outcome.events if event["kind"] == "record"]
    assert set(there) <= {"runner", "cat", "sh", "hostile"} and there.count("runner") == 1
    assert there.count("hostile") <= 1, "the fork server itself, if it has not been ended"


def test_a_child_in_the_servers_group_is_killed_alone(attempt: Any) -> None:
    outcome = attempt(("group",))
    assert outcome.bystander and outcome.left == []
    assert (outcome.end("group")["timeout"], outcome.end("group")["signal"]) == (True, 9)
    assert outcome.end("fine")["exit"] == 0
