# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The runner for real, on this machine, with small shell scripts as tests; and what follow() makes of it."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.base.errors import HarnessError
from harness.base.paths import ROOT
from harness.machines.host import HostMachine
from harness.machines.machine import REFUSED, PlanEntry, plan_text
from harness.machines.process import store


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the runner makes its directories. If it is not empty afterwards, the runner left something behind."""
    directory = tmp_path / "temporary"
    directory.mkdir()
    monkeypatch.setenv("TMPDIR", str(directory))
    return directory


def shell(name: str, script: str, timeout_s: float = 20) -> PlanEntry:
    return PlanEntry(name=name, timeout_s=timeout_s, argv=("/bin/sh", "-c", script))


def run(runner: Path, tmp_path: Path, *plan: PlanEntry, **options: float) -> list[dict[str, Any]]:
    return list(HostMachine(runner=runner, **options).run(plan, tmp_path / "artefacts"))


def end(events: list[dict[str, Any]], entry: str = "e") -> dict[str, Any]:
    return next(event for event in events if event["kind"] == "end" and event["entry"] == entry)


def records(events: list[dict[str, Any]]) -> list[str]:
    return [event["line"] for event in events if event["kind"] == "record"]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # gone before the open, or between it and the read
        return False


def working_in(directory: Path) -> list[int]:
    """The processes that work in a directory or below. An entry may have a number of its own for itself, in a PID namespace."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if os.readlink(place).startswith(f"{directory}/"):
                found.append(int(place.parent.name))
        except OSError:  # gone meanwhile, or another user's
            pass
    return found


def test_a_passing_entry(runner: Path, tmp_path: Path, temporary: Path) -> None:
    script = 'echo one >&$URING_RECORDS_FD; echo \'{"two":"\\u00e9"}\' >&$URING_RECORDS_FD; echo noise'
    events = run(runner, tmp_path, shell("e", script))
    assert [event["kind"] for event in events] == ["hello", "start", "record", "record", "end", "bye"]
    assert events[0]["release"] == os.uname().release
    assert events[0]["version"] == os.uname().version
    assert events[0]["machine"] == os.uname().machine
    assert events[0]["entries"] == 1
    assert events[0]["schema"] == 1
    assert events[0]["cpus"] >= 1 and events[0]["memory_kib"] > 1000 and events[0]["uptime_ms"] > 0
    assert records(events) == ["one", '{"two":"\\u00e9"}']
    ended = end(events)
    assert (ended["exit"], ended["signal"], ended["timeout"], ended["partial"]) == (0, None, False, "")
    assert ended["output"] == "", "noise of an entry that ended well is of no use"
    assert list(temporary.iterdir()) == []


def test_failing_crashing_and_missing_programs(runner: Path, tmp_path: Path, temporary: Path) -> None:
    missing = PlanEntry(name="missing", timeout_s=5, argv=("/nonexistent/program",))
    fails, crashes = shell("fails", "echo why >&2; exit 3"), shell("crashes", "kill -SEGV $$")
    events = run(runner, tmp_path, fails, crashes, missing)
    assert (end(events, "fails")["exit"], end(events, "fails")["output"]) == (3, "why\n")
    assert (end(events, "crashes")["exit"], end(events, "crashes")["signal"]) == (None, signal.SIGSEGV)
    ended = end(events, "missing")
    assert (ended["exit"], ended["signal"], ended["timeout"]) == (None, None, False)
    troubles = [event["text"] for event in events if event["kind"] == "trouble"]
    assert troubles == ["missing: cannot run /nonexistent/program: No such file or directory"]
    assert events[-1]["kind"] == "bye"


def test_an_entry_is_left_out_after_a_refusal_only(runner: Path, tmp_path: Path, temporary: Path) -> None:
    def plan(code: int) -> list[PlanEntry]:
        return [
            shell("ring", f"exit {code}"),
            replace(shell("row", "true"), unless="ring"),
            shell("last", "true"),
        ]

    kinds = [(event["kind"], event.get("entry")) for event in run(runner, tmp_path, *plan(REFUSED))]
    assert kinds[3] == ("skip", "row") and ("start", "row") not in kinds
    assert kinds[4:6] == [("start", "last"), ("end", "last")] and kinds[-1][0] == "bye"
    for code in (0, 1):
        assert end(run(runner, tmp_path, *plan(code)), "row")["exit"] == 0


def test_a_hanging_entry_is_killed_with_its_group(runner: Path, tmp_path: Path, temporary: Path) -> None:
    script = "echo said >&$URING_RECORDS_FD; sleep 1000 & echo out; wait"
    events = run(runner, tmp_path, shell("e", script, timeout_s=0.5), shell("after", "true"))
    ended = end(events)
    assert (ended["timeout"], ended["signal"], ended["output"]) == (True, signal.SIGKILL, "out\n")
    assert ended["ms"] >= 500
    assert records(events) == ["said"]
    assert working_in(temporary) == []
    assert end(events, "after")["exit"] == 0


def test_an_orphan_in_a_session_of_its_own_is_killed(runner: Path, tmp_path: Path, temporary: Path) -> None:
    script = "setsid sh -c 'touch up; sleep 1000 & wait' & while ! [ -e up ]; do sleep 0.1; done"
    events = run(runner, tmp_path, shell("e", script))
    assert end(events)["exit"] == 0, "it held both pipes open; waiting for their end would have hung"
    assert working_in(temporary) == []


def test_half_a_line_is_told_apart(runner: Path, tmp_path: Path, temporary: Path) -> None:
    events = run(runner, tmp_path, shell("e", 'printf "whole\\nhalf" >&$URING_RECORDS_FD'))
    assert records(events) == ["whole"]
    assert end(events)["partial"] == "half"


def test_any_bytes_are_valid_json(runner: Path, tmp_path: Path, temporary: Path) -> None:
    # Overlong, surrogate, beyond Unicode, lone continuation, cut off; control characters; and valid ones.
    raw = b'\xc0\x80 \xed\xa0\x80 \xf4\x90\x80\x80 \x80 "\\\x01\t\x7f \xc3\xa9 \xf0\x9f\x90\xa7 \xe2\x82'
    data = tmp_path / "raw"
    data.write_bytes(raw + b"\n")
    events = run(runner, tmp_path, shell("e", f"cat {data} >&$URING_RECORDS_FD"))
    (line,) = records(events)
    # Python replaces a cut-off sequence once, we replace each of its bytes; both are allowed.
    assert line.rstrip("\ufffd") == raw.decode(errors="replace").rstrip("\ufffd")
    assert line.endswith("\ufffd")
    assert not [event for event in events if event["kind"] == "garbage"]


def test_floods_are_bounded_and_timed(runner: Path, tmp_path: Path, temporary: Path) -> None:
    flood = f"yes {'x' * 1000}flood"
    events = run(
        runner,
        tmp_path,
        shell("output", flood, timeout_s=0.5),
        shell("records", f"{flood} >&$URING_RECORDS_FD", timeout_s=2),
    )
    assert end(events, "output")["timeout"] is True
    assert end(events, "output")["output"].count("flood\n") > 1
    assert len(end(events, "output")["output"]) <= 8192
    assert end(events, "records")["timeout"] is True
    assert sum(len(line) + 1 for line in records(events)) <= 4 << 20
    assert [event["text"] for event in events if event["kind"] == "trouble"] == [
        "records: its records are longer than 4194304 bytes, the rest is left out"
    ]


def test_the_world_of_an_entry(runner: Path, tmp_path: Path, temporary: Path) -> None:
    say = (
        'echo "$PWD" "$TMPDIR" >&$URING_RECORDS_FD; ls -A . >&$URING_RECORDS_FD; touch left; mkdir -p d/e;'
        "ls /proc/self/fd >&$URING_RECORDS_FD; echo fd $URING_RECORDS_FD >&$URING_RECORDS_FD"
    )
    events = run(runner, tmp_path, shell("e", say), shell("f", 'echo "$PWD" >&$URING_RECORDS_FD'))
    working, *rest = records(events)
    directory, tmpdir = working.split()
    assert directory == tmpdir and Path(directory).parent == temporary
    assert rest[-1] != directory, "each entry has its own"
    descriptor = rest[-2].split()[1]
    # The directory is empty at first; otherwise its files would be among these.
    assert sorted(rest[:-2]) == sorted(["0", "1", "2", "3", descriptor]), "3 is the open directory of ls"
    assert list(temporary.iterdir()) == []


def test_an_entry_inherits_nothing_from_us(runner: Path, tmp_path: Path, temporary: Path) -> None:
    say = (  # a shell would clear its signal mask
        "import os; fd = int(os.environ['URING_RECORDS_FD']);"
        "os.write(fd, os.readlink('/proc/self/fd/0').encode() + b'\\n');"
        "os.write(fd, b''.join(l for l in open('/proc/self/status', 'rb') if l.startswith(b'SigBlk')))"
    )
    plan = tmp_path / "plan"
    plan.write_text(plan_text([PlanEntry(name="e", timeout_s=20, argv=(sys.executable, "-c", say))]))
    result = subprocess.run([runner, "--plan", plan], input=b"x", stdout=subprocess.PIPE, check=True)
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert records(events) == ["/dev/null", "SigBlk:\t0000000000000000"]


def test_the_environment_of_an_entry_is_its_own(
    runner: Path, tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GTEST_FILTER", "GTEST_TOTAL_SHARDS", "LD_BIND_NOW", "LANG", "PATH", "LC_ALL", "HOME"):
        monkeypatch.setenv(name, "nothing")
    # Read from the kernel, because a shell or Python adds variables of its own.
    say = (
        "import os; data = open('/proc/self/environ', 'rb').read().replace(b'\\0', b'\\n');"
        "os.write(int(os.environ['URING_RECORDS_FD']), data)"
    )
    events = run(runner, tmp_path, PlanEntry(name="e", timeout_s=20, argv=(sys.executable, "-c", say)))
    environment = dict(line.split("=", 1) for line in records(events))
    assert environment.pop("URING_RECORDS_FD").isdecimal()
    directory = environment.pop("TMPDIR")
    assert Path(directory).parent == temporary
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    assert environment == {"PATH": path, "HOME": directory, "LC_ALL": "C"}


def test_closed_standard_descriptors_do_no_harm(runner: Path, tmp_path: Path, temporary: Path) -> None:
    plan, stream = tmp_path / "plan", tmp_path / "stream"
    plan.write_text(plan_text([shell("e", "echo out; echo err >&2; echo said >&$URING_RECORDS_FD; exit 3")]))
    start = f"exec {runner} --plan {plan} --records-fd 5 5>{stream} 0<&- 1>&- 2>&-"
    subprocess.run(["/bin/sh", "-c", start], check=True)
    events = [json.loads(line) for line in stream.read_text().splitlines()]
    assert records(events) == ["said"]
    assert end(events)["output"] == "out\nerr\n"


def test_a_killed_runner_leaves_no_entry(runner: Path, tmp_path: Path, temporary: Path) -> None:
    plan = tmp_path / "plan"
    plan.write_text(plan_text([shell("e", "while :; do sleep 0.1; done")]))
    process = subprocess.Popen([runner, "--plan", plan], stdout=subprocess.DEVNULL)
    wait_until(lambda: working_in(temporary))
    process.kill()
    process.wait()
    wait_until(lambda: not working_in(temporary))


def test_records_arrive_as_they_are_made(runner: Path, tmp_path: Path, temporary: Path) -> None:
    go = tmp_path / "go"
    wait = f"while ! [ -e {go} ]; do sleep 0.05; done"
    script = f"echo first >&$URING_RECORDS_FD; {wait}; echo second >&$URING_RECORDS_FD"
    said = []
    for event in HostMachine(runner=runner).run([shell("e", script)], tmp_path / "artefacts"):
        if event["kind"] == "record":
            said.append(event["line"])
            go.touch()  # the script waits for this: if the record were held back, the entry would time out
    assert said == ["first", "second"]
    assert event["kind"] == "bye"


def test_kernel_log_lines_belong_to_their_entry(runner: Path, tmp_path: Path, temporary: Path) -> None:
    if not os.access("/dev/kmsg", os.R_OK | os.W_OK):
        pytest.skip("needs /dev/kmsg")
    ours = f"uring test of {tmp_path} "  # other runs may test here at the same time
    write = f"echo '<4>{ours}\\\\ é' > /dev/kmsg; echo '<6>uring-conformance: start e' > /dev/kmsg"
    Path("/dev/kmsg").write_text(f"<4>{ours} before the run\n")
    events = run(runner, tmp_path, shell("before", "true"), shell("e", write), shell("after", "true"))
    assert f"<4>{ours}\\ é" in end(events)["kmsg"]
    assert not [line for line in end(events)["kmsg"] if "uring-conformance: " in line]
    # With everything since boot in it, the first entry's log would be too long.
    assert end(events)["kmsg_error"] is None and end(events, "before")["kmsg_error"] is None
    others = end(events, "before")["kmsg"] + end(events, "after")["kmsg"]
    assert not [line for line in others if ours in line]
    taint = int(Path("/proc/sys/kernel/tainted").read_text())
    assert end(events)["taint"] == [taint, taint]


def test_an_unreadable_kernel_log_is_said(runner: Path) -> None:
    nobody: dict[str, Any] = {"user": 65534, "group": 65534} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory() as name:  # not below tmp_path, which is closed to others
        place = Path(name)
        place.chmod(0o777)
        (place / "plan").write_text(plan_text([shell("e", "true")]))
        (place / "plan").chmod(0o644)
        command = [shutil.copy(runner, place / "runner"), "--plan", str(place / "plan")]
        environment = {"TMPDIR": name}
        result = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, **nobody)
    events = [json.loads(line) for line in result.stdout.splitlines()]
    ended = end(events)
    assert ended["kmsg_error"].startswith("the kernel log is unreadable: /dev/kmsg: ")
    assert events[-1] == {"kind": "bye", "kmsg": [], "kmsg_error": ended["kmsg_error"]}
    assert (ended["exit"], ended["kmsg"]) == (0, [])


@pytest.mark.parametrize(
    "line",
    [
        "name\t5",
        "name\tsoon\texec\t/true",
        "name\t0\texec\t/true",
        "name\t5x\texec\t/true",
        "name\t5\tspoon\t/true",
    ],
)
def test_a_plan_it_does_not_understand(runner: Path, tmp_path: Path, line: str) -> None:
    plan = tmp_path / "plan"
    plan.write_text(line + "\n")
    result = subprocess.run([runner, "--plan", plan], stdout=subprocess.PIPE, check=False)
    assert result.returncode == 1
    (event,) = map(json.loads, result.stdout.splitlines())
    assert event["kind"] == "trouble" and repr(line)[1:-1] in repr(event["text"])


@pytest.mark.parametrize(
    "arguments", [[], ["--plan"], ["--wrong", "x"], ["--plan", "p", "--records-fd", "x"]]
)
def test_usage(runner: Path, arguments: list[str]) -> None:
    result = subprocess.run([runner, *arguments], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (2, "usage: runner --plan FILE [--records-fd N]\n")


def test_a_plan_entry_cannot_break_the_format() -> None:
    with pytest.raises(ValueError, match="tab"):
        plan_text([PlanEntry(name="a\tb", timeout_s=1, argv=("x",))])
    with pytest.raises(ValueError, match="once"):
        plan_text([shell("a", "true"), shell("a", "true")])


def wait_until(condition: Any) -> None:
    limit = time.monotonic() + 120  # far more than it takes, also on a machine that is busy with other things
    while not condition() and time.monotonic() < limit:
        time.sleep(0.02)
    assert condition()


def test_closing_the_stream_leaves_nothing(runner: Path, tmp_path: Path, temporary: Path) -> None:
    script = "echo up >&$URING_RECORDS_FD; sleep 1000"
    events = HostMachine(runner=runner).run([shell("e", script)], tmp_path / "artefacts")
    assert next(event for event in events if event["kind"] == "record")
    assert working_in(temporary)
    events.close()
    assert not working_in(temporary)
    assert list(temporary.iterdir()) == []


def test_a_killed_harness_leaves_nothing(runner: Path, tmp_path: Path, temporary: Path) -> None:
    script = "sleep 1000"
    harness = (
        "import sys; from pathlib import Path; from harness.machines.host import HostMachine; from harness.machines.machine import PlanEntry\n"
        f"plan = [PlanEntry(name='e', timeout_s=60, argv=('/bin/sh', '-c', {script!r}))]\n"
        f"list(HostMachine(runner=Path({str(runner)!r})).run(plan, Path({str(tmp_path)!r})))"
    )
    process = subprocess.Popen([sys.executable, "-c", harness], cwd=ROOT)
    wait_until(lambda: working_in(temporary))
    process.kill()
    process.wait()
    wait_until(lambda: not working_in(temporary))
    wait_until(lambda: list(temporary.iterdir()) == [])


def fake_runner(tmp_path: Path, script: str) -> Path:
    path = tmp_path / "fake-runner"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


HELLO = """echo '{"kind":"hello","release":"6.1","version":"#1 SMP"}'"""
START = """echo '{"kind":"start","entry":"e"}'"""
END = """echo '{"kind":"end","entry":"e","exit":0}'"""
BYE = """echo '{"kind":"bye"}'"""


@pytest.mark.parametrize(
    ("script", "phase", "entry", "hung", "why"),
    [
        ("exec sleep 100", "boot", None, True, "did not continue in time"),
        (f"{HELLO}; exec sleep 100", "next entry", None, True, "did not continue in time"),
        (f"{HELLO}; {START}; exec sleep 100", "entry e", "e", True, "did not continue in time"),
        (f"{HELLO}; {START}; {END}; exec sleep 100", "shutdown", None, True, "did not continue in time"),
        (
            f"{HELLO}; {START}; {END}; {BYE}; exec sleep 100",
            "shutdown",
            None,
            True,
            "did not continue in time",
        ),
        (f"{HELLO}; {START}; {END}; {BYE}; exec >&-; exec sleep 100", "shutdown", None, True, "did not exit"),
        (f"{HELLO}; echo sorry >&2; exit 4", "next entry", None, False, "itself (exit code 4): sorry"),
        (f"{HELLO}; {START}; printf half", "entry e", "e", False, "exited by itself (exit code 0)"),
    ],
)
def test_a_runner_that_dies(
    tmp_path: Path, script: str, phase: str, entry: str | None, hung: bool, why: str
) -> None:
    machine = HostMachine(runner=fake_runner(tmp_path, script), boot_deadline_s=0.5, grace_s=0.5)
    *_, died = machine.run([shell("e", "", timeout_s=0.1)], tmp_path)
    assert (died["kind"], died["phase"], died["entry"], died["hung"]) == ("died", phase, entry, hung)
    assert why in died["why"]
    assert died["killed"] is False


@pytest.mark.parametrize(
    ("number", "name"),
    [(9, "SIGKILL (for example by the out-of-memory killer)"), (15, "SIGTERM"), (40, "an unnamed signal")],
)
def test_a_fake_runner_that_is_killed(tmp_path: Path, number: int, name: str) -> None:
    script = f"{HELLO}; {START}; echo sorry >&2; kill -{number} $$"
    *_, died = HostMachine(runner=fake_runner(tmp_path, script)).run([shell("e", "")], tmp_path)
    assert (died["kind"], died["entry"], died["hung"], died["killed"]) == ("died", "e", False, True)
    assert died["why"] == f"the runner was killed by {name}: sorry"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_a_runner_that_is_killed_blames_no_entry(
    runner: Path, tmp_path: Path, temporary: Path, number: signal.Signals
) -> None:
    plan, events = [shell("e", "exec sleep 100"), shell("after", "true")], []
    for event in HostMachine(runner=runner).run(plan, tmp_path / "artefacts"):
        events.append(event)
        if event["kind"] == "start":
            os.kill(runner_of(tmp_path), number)
    *kinds, died = events
    assert [event["kind"] for event in kinds] == ["hello", "start"]
    assert (died["kind"], died["entry"], died["killed"]) == ("died", "e", True)
    assert died["why"].startswith(f"the runner was killed by {number.name}")


def runner_of(tmp_path: Path) -> int:
    """The process that we started for the plan in this folder: it is our child."""
    (found,) = [
        int(pid)
        for task in Path("/proc/self/task").iterdir()
        for pid in (task / "children").read_text().split()
        if str(tmp_path) in Path(f"/proc/{pid}/cmdline").read_text()
    ]
    return found


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_an_entry_cannot_end_its_runner(
    runner: Path, tmp_path: Path, temporary: Path, number: signal.Signals
) -> None:
    try:
        subprocess.run(["unshare", "--pid", "--fork", "true"], check=True, capture_output=True)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"only the first process of a PID namespace is safe, and here is none: {error.stderr}")
    script = f"echo $PPID >&$URING_RECORDS_FD; [ $PPID = 1 ] && kill -{number.value} 1; sleep 0.1; echo here >&$URING_RECORDS_FD"
    events = run(runner, tmp_path, shell("e", script), shell("after", "true"))
    assert records(events) == ["1", "here"]
    assert end(events, "after")["exit"] == 0 and events[-1]["kind"] == "bye"


def test_ignored_signals_of_children_do_no_harm(runner: Path, tmp_path: Path, temporary: Path) -> None:
    plan = tmp_path / "plan"
    plan.write_text(plan_text([shell("e", "exit 3", timeout_s=3)]))
    ignore = "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    command = [sys.executable, "-c", ignore, str(runner), "--plan", str(plan)]
    result = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=60)
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert end(events)["exit"] == 3


def test_a_farewell_is_told_by_death_too(tmp_path: Path) -> None:
    bye = """echo '{"kind":"bye","kmsg":["<4>x"]}'"""
    cases: tuple[tuple[str, list[str] | None], ...] = (("true", None), (bye, ["<4>x"]), (BYE, []))
    for last_words, kmsg in cases:
        script = f"{HELLO}; {last_words}; exec sleep 100"
        machine = HostMachine(runner=fake_runner(tmp_path, script), grace_s=0.5)
        *_, died = machine.run([], tmp_path)
        assert (died["kind"], died["kmsg"]) == ("died", kmsg)


@pytest.mark.parametrize("deadline_s", [float("nan"), float("-inf"), -1.0])
def test_a_deadline_that_is_no_time(tmp_path: Path, deadline_s: float) -> None:
    machine = HostMachine(runner=fake_runner(tmp_path, "exec sleep 100"), boot_deadline_s=deadline_s)
    (died,) = machine.run([], tmp_path)
    assert (died["kind"], died["hung"], died["phase"]) == ("died", True, "boot")


def test_a_deadline_without_end(tmp_path: Path) -> None:
    machine = HostMachine(runner=fake_runner(tmp_path, f"{HELLO}; {BYE}"), boot_deadline_s=float("inf"))
    assert [event["kind"] for event in machine.run([], tmp_path)] == ["hello", "bye"]


def test_a_test_that_never_stops_talking_is_late_too(tmp_path: Path) -> None:
    say = """while :; do echo '{"kind":"record","entry":"e","line":"x"}'; done"""
    machine = HostMachine(runner=fake_runner(tmp_path, f"{HELLO}; {START}; {say}"), grace_s=0.5)
    *_, died = machine.run([shell("e", "", timeout_s=0.1)], tmp_path)
    assert (died["kind"], died["hung"]) == ("died", True)
    assert "in time (phase: entry e)" in died["why"]


def test_garbage_is_an_event(tmp_path: Path) -> None:
    lines = ["not json", "[]", '{"kind":"surprise"}', '{"kind":"start"}', '{"kind":"record","entry":"e"}']
    lines.append('{"kind":"record","entry":1,"line":"x"}')
    lines += ['{"kind":"hello"}', '{"kind":"hello","release":"6.1"}']
    lines.append('{"kind":"hello","release":6.1,"version":"#1"}')
    lines.append('{"kind":"hello","release":"6.1","version":null}')
    ended = '{"kind":"end","entry":"e",'
    lines += [
        f"{ended}{odd}}}" for odd in ('"ms":"x"', '"ms":-1', '"exit":"0"', '"signal":[9]', '"output":1')
    ]
    lines += [
        f"{ended}{odd}}}"
        for odd in ('"kmsg":"x"', '"kmsg":[1]', '"taint":[0]', '"taint":[0,"x"]', '"timeout":0')
    ]
    lines += ['{"kind":["end"]}', '{"kind":"bye","kmsg":1}', '{"kind":"end","entry":"e","ms":NaN}']
    lines += ['{"kind":"end","entry":"e","x":' + "[" * 2000 + "]" * 2000 + "}"]
    script = "\n".join(f"echo '{line}'" for line in lines)
    events = list(HostMachine(runner=fake_runner(tmp_path, f"{HELLO}\n{script}\n{BYE}")).run([], tmp_path))
    assert [event.get("line") for event in events] == [None, *lines, None]
    assert {event["kind"] for event in events[1:-1]} == {"garbage"}


def test_a_missing_runner_is_trouble(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="cannot be started: No such file .*Build the project first"):
        list(HostMachine(runner=tmp_path / "none").run([], tmp_path / "artefacts"))


def test_artefacts_that_cannot_be_written_are_trouble(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        HarnessError, match=r"/below cannot be written: Not a directory\. Choose a writable directory"
    ):
        list(HostMachine(runner=tmp_path / "none").run([], tmp_path / "file" / "below"))
    (tmp_path / "runner.stderr").mkdir()
    with pytest.raises(
        HarnessError, match=r"stderr cannot be written: Is a directory\. Choose a writable directory"
    ):
        list(HostMachine(runner=tmp_path / "none").run([], tmp_path))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS])
def test_a_disk_that_is_full_keeps_no_half_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def write_half(path: Path, data: bytes) -> None:
        with path.open("wb") as file:
            file.write(data[: len(data) // 2])
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "write_bytes", write_half)
    full = number in (errno.ENOSPC, errno.EDQUOT)
    remedy = "Make room there." if full else "Choose a writable directory."
    with pytest.raises(HarnessError) as raised:
        store(tmp_path / "below" / "file", b"data")
    reason = f"cannot be written: {os.strerror(number)}. {remedy}"
    assert str(raised.value) == f"{tmp_path}/below/file {reason}"
    assert not full or list((tmp_path / "below").iterdir()) == []
