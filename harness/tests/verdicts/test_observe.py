# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""From events to observations: whatever a machine does, each entry of the plan gets exactly one, in order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.base.errors import HarnessError
from harness.machines.machine import Event, Events, PlanEntry
from harness.verdicts.kernel_log import complaints
from harness.verdicts.observation import Observation, Shape, State
from harness.verdicts.observe import ALLOW_IO_URING, MORE_OF_A_BOOT, ONCE_MORE, fold, observe


class FakeMachine:
    """Plays one prepared stream per boot, and then repeats the last one."""

    shared_log = False

    def __init__(self, *boots: Sequence[Event | Exception]) -> None:
        self.boots = list(boots)
        self.asked: list[list[str]] = []
        self.artefacts: list[Path] = []
        self.closed = 0

    def run(self, plan: Sequence[PlanEntry], artefacts: Path) -> Events:
        self.asked.append([entry.name for entry in plan])
        self.artefacts.append(artefacts)
        assert len(self.asked) < 50, "it never gives up"
        try:
            for event in self.boots.pop(0) if len(self.boots) > 1 else self.boots[0]:
                if isinstance(event, Exception):
                    raise event
                yield event
        finally:
            self.closed += 1


HELLO: Event = {"kind": "hello", "release": "6.1", "version": "#1 SMP"}
BYE: Event = {"kind": "bye", "kmsg": [], "kmsg_error": None}


def start(entry: str) -> Event:
    return {"kind": "start", "entry": entry}


def line(entry: str, record: Any) -> Event:
    return {"kind": "record", "entry": entry, "line": json.dumps(record)}


def end(entry: str, **values: Any) -> Event:
    how: Event = {"exit": 0, "signal": None, "timeout": False, "ms": 3}
    said: Event = {"output": "", "partial": "", "kmsg": [], "kmsg_error": None, "taint": [0, 0]}
    return {"kind": "end", "entry": entry, **how, **said, **values}


def died(phase: str = "next entry", entry: str | None = None, **values: Any) -> Event:
    usual = {"why": "kernel panic: test", "hung": False, "killed": False, "kmsg": None, "console_tail": []}
    return {"kind": "died", "phase": phase, "entry": entry, **usual, **values}


def header(*names: str) -> dict[str, Any]:
    return {"kind": "header", "schema": 1, "binding": "uring", "plan": list(names)}


def case(name: str, state: str = "passed", **values: Any) -> dict[str, Any]:
    return {"kind": "test", "name": name, "state": state, "ms": 1, "failures": [], **values}


#: A test's record of a proper refusal.
WITNESS = {
    "what": "MKDIRAT", "probed": "MKDIRAT", "probe": False, "happened": "", "shape": "right", "objections": [],
    "res": -22, "again": -22, "nobody": -22, "nop_before": 0, "nop_after": 0,
    "cqe_flags": 0, "extra_cqes": 0, "user_data_came_back": True,
}  # fmt: skip


def refused(name: str, shape: str = "right", objections: Sequence[str] = (), **values: Any) -> dict[str, Any]:
    refusal = WITNESS | {"shape": shape, "objections": list(objections)}
    return case(name, "refused", refusal=refusal, **values)


def blocked(name: str, text: str = "io_uring is disabled by sysctl") -> dict[str, Any]:
    return case(name, "blocked", blocked={"cause": "sysctl", "text": text})


FAILURE = {"file": "x.cc", "line": 1, "text": "Expected 1, got 2"}


def passing(entry: str) -> list[Event]:
    records = header("A.B"), case("A.B"), {"kind": "footer", "ran": 1}
    return [start(entry), *(line(entry, record) for record in records), end(entry)]


def watch(machine: FakeMachine, *names: str) -> tuple[dict[str, Observation], list[Event]]:
    """Observations and notices; checks what holds for every run."""
    plan = [PlanEntry(name=name, timeout_s=1, argv=("x",)) for name in names]
    items = list(observe(machine, plan, Path("artefacts")))
    observations = [item for item in items if isinstance(item, tuple)]
    assert [name for name, _ in observations] == list(names), "one for each entry, in order"
    assert machine.closed == len(machine.asked)
    return dict(observations), [item for item in items if not isinstance(item, tuple)]


def states(observations: dict[str, Observation]) -> list[State]:
    return [observation.state for observation in observations.values()]


def texts(events: list[Event]) -> list[str]:
    return [event["text"] for event in events if event["kind"] == "notice"]


# Everything that one test process can do.


def folded(*records: Any, ran: int | None = None, shared_log: bool = False, **ending: Any) -> Observation:
    lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
    if ran is not None:
        lines.append(json.dumps({"kind": "footer", "ran": ran}))
    return fold(lines, end("e", **ending), shared_log=shared_log)


AB = header("A.B", "A.C")


KILLED: dict[str, Any] = {"signal": 9, "exit": None, "timeout": True, "ms": 70}
B, C = case("A.B"), case("A.C")
MISCOUNTED = "its records are not a header, 2 tests and a footer with their number"
STRANGER = "which was not planned or is listed twice"
UNEXPLAINED = "exit code 1 without a failed test"


@pytest.mark.parametrize(
    ("observation", "state", "cause"),
    [
        (folded(AB, B, C, ran=2), State.PASSED, None),
        (folded(AB, B, refused("A.C"), ran=2), State.REFUSED, None),
        (folded(AB, refused("A.B"), case("A.C", "failed"), ran=2, exit=1), State.FAILED, None),
        (folded(AB, refused("A.B", failures=[FAILURE]), C, ran=2, exit=1), State.FAILED, None),
        (folded(AB, B, blocked("A.C"), ran=2), State.BLOCKED, "io_uring is disabled by sysctl"),
        (folded(AB, blocked("A.B"), case("A.C", "failed"), ran=2, exit=1), State.FAILED, None),
        (folded(AB, B, case("A.C", "timeout"), exit=1), State.TIMEOUT, "A.C did not end in time"),
        (folded(AB, B, **KILLED), State.TIMEOUT, "killed after 70 ms in A.C"),
        (folded(**KILLED), State.TIMEOUT, "killed after 70 ms"),
        (folded(AB, B, signal=11, exit=None), State.CRASHED, "died of signal 11 (SIGSEGV) in A.C"),
        (folded(AB, case("A.B", "failed"), signal=6, exit=None), State.CRASHED, None),
        (
            folded(AB, B, signal=31, exit=None),
            State.BLOCKED,
            f"a seccomp filter killed the process in A.C: {ALLOW_IO_URING}",
        ),
        (folded(AB, case("A.B", "failed"), signal=31, exit=None), State.CRASHED, None),
        (folded(AB, B, C, ran=2, exit=1), State.CRASHED, UNEXPLAINED),
        (folded(AB, refused("A.B"), C, ran=2, exit=1), State.CRASHED, UNEXPLAINED),
        (folded(exit=1), State.CRASHED, UNEXPLAINED),
        (folded(exit=2, output="x\nwhy\n \n"), State.CRASHED, "exit code 2 without a failed test: why"),
        (folded(AB, B, exit=1, output="why"), State.CRASHED, f"{UNEXPLAINED} in A.C: why"),
        (folded(AB, B), State.CRASHED, "ended without a record for A.C"),
        (folded(AB, B, ran=1), State.CRASHED, "ended without a record for A.C"),
        (folded(AB, B, C), State.CRASHED, MISCOUNTED),
        (folded(AB, B, C, ran=1), State.CRASHED, MISCOUNTED),
        (folded(B, AB, C, ran=2), State.CRASHED, MISCOUNTED),
        (folded(AB, B, C, ran=2, partial='{"k'), State.CRASHED, "ended in the middle of a record: '{\"k'"),
        (folded(AB, B, C, case("A.D"), ran=3), State.CRASHED, f"recorded A.D, {STRANGER}"),
        (folded(AB, B, B, C, ran=3), State.CRASHED, f"recorded A.B, {STRANGER}"),
        (folded(), State.NOTHING, "ran no test"),
        (folded(header(), ran=0), State.NOTHING, "ran no test"),
        (folded(B, ran=1), State.NOTHING, "ran no test"),
        (folded("{", AB), State.NOTHING, "wrote a record that is not valid: '{'"),
        (folded(AB, B, case("A.C", "fine"), ran=2), State.NOTHING, None),
        (folded(AB, B, case("A.C", "refused"), ran=2), State.NOTHING, None),
        (folded(exit=None), State.NOTHING, "the runner could not run it"),
    ],
)
def test_fold(observation: Observation, state: State, cause: str | None) -> None:
    assert observation.state == state, observation.cause
    if cause is not None or state in (State.PASSED, State.REFUSED, State.FAILED):
        assert observation.cause == cause
    else:
        assert observation.cause, "every other state has a cause"
    assert (observation.shape is not None) == (state == State.REFUSED)


@pytest.mark.parametrize(
    "odd",
    [
        {"failures": "none"},
        {"failures": [{}]},
        {"failures": [{"text": 1}]},
        {"wire": "sqe"},
        {"wire": [1]},
        {"refusal": {}},
        {"refusal": "no"},
        {"refusal": WITNESS | {"res": "-22"}},
        {"refusal": WITNESS | {"objections": [1]}},
        {"refusal": {name: value for name, value in WITNESS.items() if name != "probe"}},
    ],
)
def test_evidence_that_no_report_could_tell_is_not_understood(odd: dict[str, Any]) -> None:
    assert folded(AB, case("A.B", refusal=WITNESS | {"probe": None}), C, ran=2).state == State.PASSED
    seen = folded(AB, case("A.B", **odd), C, ran=2)
    assert seen.state == State.NOTHING
    assert "not valid" in str(seen.cause)


DEEP = '{"kind":"test","name":"A.B","state":"passed","extra":' + "[" * 5000 + "]" * 5000 + "}"
HUGE = '{"kind":"test","name":"A.B","state":"passed","ms":' + "9" * 5000 + "}"


@pytest.mark.parametrize("line", [DEEP, "[" * 100_000, HUGE, json.dumps(B)[:-1] + ', "ms": NaN}'])
def test_a_record_that_would_harm_a_reader_costs_its_entry(line: str) -> None:
    seen = folded(header("A.B"), line, ran=1)
    assert seen.state is State.NOTHING and seen.cause is not None
    assert seen.cause.startswith("wrote a record that is not valid: ") and len(seen.cause) < 300
    assert [record["kind"] for record in seen.records] == ["header", "footer"]
    crash = folded(header("A.B"), line, signal=11, exit=None)
    assert (crash.state, crash.cause) == (State.CRASHED, "died of signal 11 (SIGSEGV) in A.B")


@pytest.mark.parametrize(
    "odd",
    [
        {"ms": "long"},
        {"ms": [1]},
        {"failures": [{"text": "x"}]},
        {"failures": [{"file": 1, "line": 1, "text": "x"}]},
        {"failures": [{"file": "x", "line": "1", "text": "x"}]},
        {"blocked": "x"},
        {"blocked": {"text": 1}},
        {"not_expressible": "x"},
        {"not_expressible": {"what": "x"}},
        {"refusal": {"shape": "right"}},
        {"refusal": WITNESS | {"shape": "round"}},
        {"state": "fine"},
        {"state": ["passed"]},
        {"state": "blocked"},
    ],
    ids=str,
)
def test_a_test_that_passed_has_no_odd_evidence_either(odd: dict[str, Any]) -> None:
    """Reports look at the evidence of a test whatever its state."""
    assert folded(header("A.B"), case("A.B") | odd, ran=1).state is State.NOTHING


def test_what_no_reader_knows_is_not_kept() -> None:
    records = (
        header("A.B") | {"failures": 1, "refusal": {"what": 1}},
        case("A.B", tests="many", extra={"a": [1]}),
        {"kind": "footer", "ran": 1, "not_expressible": "x"},
    )
    seen = folded(*records)
    assert seen.state is State.PASSED
    assert seen.records == (header("A.B"), case("A.B"), {"kind": "footer", "ran": 1})


def test_a_program_that_misleads_the_runner_has_crashed() -> None:
    said = "/x answers that it forked process 1, which is not a child of the runner; nothing was sent to it"
    seen = folded(exit=None, misbehaved=said)
    assert (seen.state, seen.cause) == (State.CRASHED, said)


def test_one_wrong_shape_makes_the_refusal_wrong() -> None:
    objection = "flags is 1"
    failure = {"file": "x.cc", "line": 1, "text": f"not a refusal: {objection}"}
    wrong = refused("A.C", "wrong", [objection], failures=[failure])
    assert folded(AB, refused("A.B"), refused("A.C"), ran=2).shape == Shape.RIGHT
    assert folded(AB, refused("A.B"), wrong, ran=2, exit=1).shape == Shape.WRONG
    more = {**wrong, "failures": [failure, FAILURE]}
    assert folded(AB, refused("A.B"), more, ran=2, exit=1).state == State.FAILED


def unsaid(name: str, **values: Any) -> dict[str, Any]:
    lack = {"what": "WAITID", "reason": "it came with version 2.5"}
    return case(name, "not_expressible", not_expressible=lack, **values)


WRONG_SHAPE = refused("A.B", "wrong", ["flags is 1"])


@pytest.mark.parametrize(
    ("observation", "state", "shape"),
    [
        (folded(AB, B, unsaid("A.C"), ran=2), State.NOT_EXPRESSIBLE, None),
        (folded(AB, unsaid("A.B"), unsaid("A.C"), ran=2), State.NOT_EXPRESSIBLE, None),
        (folded(AB, refused("A.B"), unsaid("A.C"), ran=2), State.NOT_EXPRESSIBLE, Shape.RIGHT),
        # Failures and obstacles count more than operations that could not be expressed.
        (folded(AB, WRONG_SHAPE, unsaid("A.C"), ran=2, exit=1), State.REFUSED, Shape.WRONG),
        (folded(AB, case("A.B", "failed"), unsaid("A.C"), ran=2, exit=1), State.FAILED, None),
        (folded(AB, B, unsaid("A.C", failures=[FAILURE]), ran=2, exit=1), State.FAILED, None),
        (folded(AB, blocked("A.B"), unsaid("A.C"), ran=2), State.BLOCKED, None),
        (folded(AB, case("A.B", "timeout"), unsaid("A.C"), exit=1), State.TIMEOUT, None),
        (folded(AB, unsaid("A.B"), signal=11, exit=None), State.CRASHED, None),
        (folded(AB, B, unsaid("A.C"), ran=2, exit=1), State.CRASHED, None),
        (folded(AB, unsaid("A.B"), ran=1), State.CRASHED, None),
        (folded(AB, B, unsaid("A.C"), ran=2, kmsg_error="lost"), State.NOTHING, None),
        # Without what and why, a report has nothing to show.
        (folded(AB, B, case("A.C", "not_expressible"), ran=2), State.NOTHING, None),
        (
            folded(AB, B, case("A.C", "not_expressible", not_expressible={"what": "x"}), ran=2),
            State.NOTHING,
            None,
        ),
        (folded(AB, B, case("A.C", "not_expressible", not_expressible="x"), ran=2), State.NOTHING, None),
    ],
)
def test_what_a_binding_cannot_say(observation: Observation, state: State, shape: Shape | None) -> None:
    assert (observation.state, observation.shape) == (state, shape)


@pytest.mark.parametrize(
    ("binding", "state"),
    [
        ("uring", State.PASSED),
        ({"name": "liburing", "version": "2.3"}, State.PASSED),
        ({"name": "liburing"}, State.NOTHING),
        ({"name": 1, "version": "2.3"}, State.NOTHING),
        (None, State.NOTHING),
    ],
)
def test_a_header_names_its_binding(binding: Any, state: State) -> None:
    assert folded(AB | {"binding": binding}, B, C, ran=2).state == state


def test_evidence_is_kept() -> None:
    records = [AB, case("A.B", "failed", failures=[FAILURE], wire=["enter 1"]), case("A.C")]
    observation = folded(*records, ran=2, exit=1, output="says", kmsg=["<6>hello"], taint=[0, 0], ms=42)
    assert observation.records == (*records, {"kind": "footer", "ran": 2})
    assert (observation.output, observation.kmsg, observation.taint) == ("says", ("<6>hello",), (0, 0))
    assert (observation.ms, observation.complaints) == (42, ())


OVERFLOW = "the kernel log overflowed, some of its lines are lost"
NO_TAINT = "the kernel's taint could not be read"
FAILED, WARNING = case("A.C", "failed"), "<4>WARNING: x"


@pytest.mark.parametrize(
    ("observation", "state", "cause"),
    [
        (folded(AB, B, C, ran=2, kmsg_error=OVERFLOW), State.NOTHING, OVERFLOW),
        (folded(AB, B, C, ran=2, taint=None), State.NOTHING, NO_TAINT),
        (folded(AB, B, refused("A.C"), ran=2, kmsg_error=OVERFLOW), State.NOTHING, OVERFLOW),
        # A state that is not green anyway does not change.
        (folded(AB, B, FAILED, ran=2, exit=1, kmsg_error=OVERFLOW), State.FAILED, None),
        (folded(AB, B, blocked("A.C"), ran=2, taint=None), State.BLOCKED, "io_uring is disabled by sysctl"),
        (folded(**KILLED, kmsg_error=OVERFLOW), State.TIMEOUT, "killed after 70 ms"),
        (folded(AB, B, C, ran=2, exit=1, taint=None), State.CRASHED, UNEXPLAINED),
        (folded(AB, B, C, ran=2, kmsg=[WARNING], kmsg_error=OVERFLOW), State.PASSED, None),
        # On the host most of the log is not about us.
        (folded(AB, B, C, ran=2, kmsg_error=OVERFLOW, taint=None, shared_log=True), State.PASSED, None),
    ],
)
def test_nothing_is_green_without_the_whole_log(
    observation: Observation, state: State, cause: str | None
) -> None:
    assert (observation.state, observation.cause, observation.shape) == (state, cause, None)


# Everything that a kernel log can say.


@pytest.mark.parametrize(
    "text",
    [
        "<4>WARNING: CPU: 0 PID: 1 at io_uring/io_uring.c:1 f+0x1/0x2",
        "<1>BUG: kernel NULL pointer dereference, address: 0000000000000000",
        "<4>Oops: 0000 [#1] PREEMPT SMP",
        "<3>BUG: KASAN: slab-use-after-free in io_poll",
        "<4>UBSAN: shift-out-of-bounds in x.c",
        "<3>INFO: task iou-wrk-12:13 blocked for more than 120 seconds.",
        "<3>rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
        "<4>general protection fault, probably for non-canonical address",
        "<6>unreferenced object 0xffff (size 8):",
        "<3>any error at all",
        "[    1.2] Kernel panic - not syncing: x",
    ],
)
def test_complaints_of_a_guest(text: str) -> None:
    assert complaints(["<6>quiet", text], (0, 0), shared=False) == (text,)


def test_no_complaints() -> None:
    assert complaints(["<4>a warning about the weather", "<6>quiet", "no level"], (0, 0), shared=False) == ()
    assert complaints([], None, shared=False) == ()
    assert complaints([], (512, 512), shared=False) == ()


def test_taint_is_a_complaint() -> None:
    assert complaints([], (1, 513), shared=False) == ("taint went from 1 to 513",)


def test_a_shared_log_needs_a_tie_to_us() -> None:
    warning = "<4>WARNING: CPU: 0 PID: 1 at net/core/dev.c:1"
    ours = "<4>WARNING: CPU: 0 PID: 1 at io_uring/poll.c:1"
    assert complaints([warning, "<3>usb error"], (0, 0), shared=True) == ()
    assert complaints([ours, "<3>usb error"], (0, 0), shared=True) == (ours,)
    assert complaints([warning, "<4> io_uring_enter+0x1"], (0, 0), shared=True) == (warning,)
    assert complaints([warning], (0, 512), shared=True) == (warning, "taint went from 0 to 512")
    assert complaints([], (0, 4096), shared=True) == (), "somebody loaded a module"
    assert complaints([], (0, 4096), shared=False) == ("taint went from 0 to 4096",)


def test_complaints_reach_the_observation() -> None:
    text = "<4>WARNING: CPU: 0 PID: 1 at net/core/dev.c:1"
    assert folded(header("A.B"), case("A.B"), ran=1, kmsg=[text]).complaints == (text,)
    assert folded(header("A.B"), case("A.B"), ran=1, kmsg=[text], shared_log=True).complaints == ()


# Everything that a machine can do.


def test_a_good_run() -> None:
    machine = FakeMachine([HELLO, *passing("a"), *passing("b"), BYE])
    observations, others = watch(machine, "a", "b")
    assert {observation.state for observation in observations.values()} == {State.PASSED}
    assert others == [HELLO]
    assert machine.artefacts == [Path("artefacts/boot-1")]


def test_a_panic_costs_the_entry_in_flight_only() -> None:
    end_of_b = ["[3] BUG: bad", "[4] Kernel panic - not syncing: test"]
    tail = ["[1] before", "[2] uring-conformance: start b", *end_of_b]
    panic = died("entry b", "b", console_tail=tail)
    machine = FakeMachine(
        [HELLO, *passing("a"), start("b"), line("b", header("A.B")), panic], [HELLO, *passing("c"), BYE]
    )
    observations, others = watch(machine, "a", "b", "c")
    assert states(observations) == [State.PASSED, State.CRASHED, State.PASSED]
    assert observations["b"].cause == "kernel panic: test"
    assert observations["b"].kmsg == tuple(end_of_b)
    assert observations["b"].complaints == tuple(end_of_b)
    assert observations["b"].records == (header("A.B"),), "what it had said is evidence"
    assert machine.asked == [["a", "b", "c"], ["c"]]
    assert machine.artefacts[1] == Path("artefacts/boot-2")
    assert texts(others) == ["the machine died (entry b): kernel panic: test"]


def test_a_hang_costs_the_entry_in_flight_only() -> None:
    hang = died("entry a", "a", hung=True, why="said nothing")
    observations, _ = watch(FakeMachine([HELLO, start("a"), hang], [HELLO, *passing("b"), BYE]), "a", "b")
    assert (observations["a"].state, observations["a"].cause) == (State.TIMEOUT, "said nothing")
    assert observations["b"].state == State.PASSED


def test_every_entry_may_kill_its_machine() -> None:
    machine = FakeMachine(*([HELLO, start(name), died(f"entry {name}", name)] for name in "abc"))
    observations, _ = watch(machine, "a", "b", "c")
    assert {observation.state for observation in observations.values()} == {State.CRASHED}
    assert len(machine.asked) == 3


def test_a_machine_that_never_boots() -> None:
    machine = FakeMachine([died("boot", why="the virtual machine did not continue in time", hung=True)])
    observations, others = watch(machine, "a", "b", "c")
    assert len(machine.asked) == 2
    assert {observation.state for observation in observations.values()} == {State.NOTHING}
    died_so = "the machine died (boot): the virtual machine did not continue in time"
    assert observations["c"].cause == died_so
    died_so += f". {MORE_OF_A_BOOT}"
    assert texts(others) == [died_so, ONCE_MORE, died_so]


def test_a_boot_may_fail_once() -> None:
    observations, others = watch(FakeMachine([died("boot")], [HELLO, *passing("a"), BYE]), "a")
    assert observations["a"].state == State.PASSED
    assert texts(others)[1] == ONCE_MORE


def test_what_an_entry_did_is_not_an_accident_of_the_next_boot() -> None:
    machine = FakeMachine(
        [HELLO, start("a"), died("entry a", "a")], [died("boot")], [HELLO, *passing("b"), BYE]
    )
    observations, others = watch(machine, "a", "b")
    assert (observations["a"].state, observations["b"].state) == (State.CRASHED, State.PASSED)
    assert texts(others).count(ONCE_MORE) == 1


def test_a_machine_that_dies_twice_before_an_entry() -> None:
    machine = FakeMachine([HELLO, died()], [HELLO, died()], [HELLO, *passing("b"), BYE])
    observations, _ = watch(machine, "a", "b")
    assert observations["a"].state == State.NOTHING
    died_how = "the machine died (next entry): kernel panic: test"
    assert observations["a"].cause == f"its machine was lost twice: {died_how}"
    assert observations["b"].state == State.PASSED


def test_an_entry_is_not_blamed_for_the_one_before() -> None:
    in_a = [HELLO, start("a"), died("entry a", "a")]
    machine = FakeMachine(in_a, [HELLO, died()], [HELLO, *passing("b"), BYE])
    observations, _ = watch(machine, "a", "b")
    assert observations["b"].state == State.PASSED


OOM = "QEMU was killed by SIGKILL (for example by the out-of-memory killer)"


def killed(phase: str, entry: str | None = None) -> Event:
    return died(phase, entry, why=OOM, killed=True, console_tail=["[1] uring-conformance: start a", "[2] x"])


def test_an_entry_whose_machine_is_killed_runs_once_more() -> None:
    in_b = [HELLO, *passing("a"), start("b"), line("b", header("A.C")), killed("entry b", "b")]
    machine = FakeMachine(in_b, [HELLO, *passing("b"), *passing("c"), BYE])
    observations, others = watch(machine, "a", "b", "c")
    assert states(observations) == [State.PASSED] * 3, "nor is the record of the first attempt remembered"
    assert machine.asked == [["a", "b", "c"], ["b", "c"]]
    assert texts(others) == [f"the machine died (entry b): {OOM}"]


def test_an_entry_whose_machine_is_killed_twice_has_no_result() -> None:
    in_a = [HELLO, start("a"), killed("entry a", "a")]
    machine = FakeMachine(in_a, in_a, [HELLO, *passing("b"), BYE])
    observations, _ = watch(machine, "a", "b")
    assert states(observations) == [State.NOTHING, State.PASSED]
    assert observations["a"].cause == f"its machine was lost twice: the machine died (entry a): {OOM}"


def test_an_entry_that_kills_its_machine_the_second_time_has_crashed() -> None:
    in_a = [HELLO, start("a"), killed("entry a", "a")]
    machine = FakeMachine(in_a, [HELLO, start("a"), died("entry a", "a")])
    observations, _ = watch(machine, "a")
    assert states(observations) == [State.CRASHED]


@pytest.mark.parametrize("phase", ["shutdown", "next entry"])
def test_death_after_an_entry_is_a_complaint_about_it(phase: str) -> None:
    tail = ["[ 1.5] uring-conformance: start a", "[ 1.6] WARNING: own", "[ 1.7] Kernel panic - late"]
    own = [*passing("a")[:-1], end("a", kmsg=["<4>WARNING: own"])]
    machine = FakeMachine([HELLO, *own, died(phase, console_tail=tail)], [HELLO, *passing("b"), BYE])
    observations, others = watch(machine, "a", *(["b"] if phase == "next entry" else []))
    assert observations["a"].state == State.PASSED
    assert observations["a"].complaints == ("<4>WARNING: own", tail[2]), "each once"
    assert observations["a"].kmsg == observations["a"].complaints
    assert texts(others) == [f"the machine died ({phase}): kernel panic: test"]
    assert "b" not in observations or observations["b"].complaints == ()


def test_death_without_a_word_after_an_entry_is_a_complaint_too() -> None:
    observations, _ = watch(FakeMachine([HELLO, *passing("a"), died("shutdown", why="it hung")]), "a")
    assert observations["a"].complaints == ("the machine died (shutdown): it hung",)


def test_death_after_bye_is_a_notice() -> None:
    machine = FakeMachine([HELLO, *passing("a"), died("shutdown", why="it hung", kmsg=[])])
    observations, others = watch(machine, "a")
    assert (observations["a"].state, observations["a"].complaints) == (State.PASSED, ())
    assert texts(others) == ["the machine died (shutdown): it hung"]
    machine = FakeMachine([HELLO, *passing("a"), died("shutdown", why="it hung", kmsg=["<3>late"])])
    assert watch(machine, "a")[0]["a"].complaints == ("<3>late",)


def test_what_a_killed_machine_could_not_tell_is_not_green() -> None:
    observations, _ = watch(FakeMachine([HELLO, *passing("a"), killed("shutdown")]), "a")
    assert observations["a"].state == State.NOTHING
    assert observations["a"].cause == f"the machine died (shutdown): {OOM}"


def test_a_late_complaint_is_about_the_last_entry() -> None:
    bye = {"kind": "bye", "kmsg": ["<6>quiet", "<4>WARNING: late"]}
    observations, others = watch(FakeMachine([HELLO, *passing("a"), *passing("b"), bye]), "a", "b")
    assert observations["a"].complaints == ()
    assert (observations["b"].state, observations["b"].complaints) == (State.PASSED, ("<4>WARNING: late",))
    assert observations["b"].kmsg == ("<4>WARNING: late",)
    assert others == [HELLO]


def test_a_late_complaint_under_no_entry_is_a_notice() -> None:
    bye = {"kind": "bye", "kmsg": ["<4>WARNING: late"]}
    _, others = watch(FakeMachine([HELLO, bye]), "a")
    assert texts(others) == ["the kernel complained while no entry ran: <4>WARNING: late"]


def test_a_late_part_of_the_log_that_is_lost_is_not_green() -> None:
    machine = FakeMachine([HELLO, *passing("a"), {**BYE, "kmsg_error": OVERFLOW}])
    observations, _ = watch(machine, "a")
    assert (observations["a"].state, observations["a"].cause) == (State.NOTHING, OVERFLOW)


def test_the_host_is_not_blamed_for_its_log() -> None:
    warning, ours = "<4>WARNING: at net/core/dev.c:1", "<4>WARNING: at io_uring/poll.c:1"
    endings: tuple[tuple[dict[str, Any], tuple[str, ...]], ...] = (
        ({**BYE, "kmsg": [warning], "kmsg_error": OVERFLOW}, ()),
        ({**BYE, "kmsg": [ours]}, (ours,)),
        (died("shutdown", why="it hung", console_tail=["[ 1.5] WARNING: x"]), ()),
        (killed("shutdown"), ()),
    )
    for ending, expected in endings:
        machine = FakeMachine([HELLO, *passing("a"), ending])
        machine.shared_log = True
        observations, _ = watch(machine, "a")
        assert (observations["a"].state, observations["a"].complaints) == (State.PASSED, expected)


def test_garbage_is_a_notice_and_loses_no_entry() -> None:
    garbage = {"kind": "garbage", "line": "\ufffd\ufffd"}
    observations, others = watch(FakeMachine([HELLO, garbage, *passing("a"), BYE]), "a")
    assert observations["a"].state == State.PASSED
    assert len(texts(others)) == 1


def test_an_end_that_is_lost() -> None:
    stream = [HELLO, start("a"), line("a", header("A.B")), *passing("b"), BYE]
    observations, _ = watch(FakeMachine(stream), "a", "b")
    assert (observations["a"].state, observations["b"].state) == (State.NOTHING, State.PASSED)
    assert observations["a"].cause == "the runner continued without reporting its end"


def test_a_runner_that_skips_an_entry() -> None:
    observations, _ = watch(FakeMachine([HELLO, *passing("b"), BYE]), "a", "b", "c")
    assert states(observations) == [State.NOTHING, State.PASSED, State.NOTHING]
    assert observations["c"].cause == "the runner finished without running it"


def test_a_stranger_is_a_notice() -> None:
    stream = [HELLO, *passing("a"), end("a"), end("x"), *passing("b"), BYE]
    observations, others = watch(FakeMachine(stream), "a", "b")
    assert {observation.state for observation in observations.values()} == {State.PASSED}
    assert texts(others) == [f"unexpected end of '{name}', which is not due now" for name in "ax"]


def test_a_stream_that_just_stops() -> None:
    observations, _ = watch(FakeMachine([HELLO, start("a")], [HELLO]), "a", "b")
    assert (observations["a"].state, observations["b"].state) == (State.CRASHED, State.NOTHING)


def test_trouble_of_the_runner_is_told_and_explains() -> None:
    trouble = {"kind": "trouble", "text": "a: cannot run /x: No such file or directory"}
    stream = [HELLO, start("a"), trouble, end("a", exit=None), start("b"), end("b", exit=None), BYE]
    observations, others = watch(FakeMachine(stream), "a", "b")
    assert observations["b"].cause == "the runner could not run it", "not the trouble of another entry"
    assert (observations["a"].state, observations["a"].cause) == (State.NOTHING, trouble["text"])
    assert trouble in others


def test_trouble_leaves_cells_without_a_verdict() -> None:
    machine = FakeMachine([HELLO, *passing("a"), HarnessError("The disk is full.")])
    observations, others = watch(machine, "a", "b", "c")
    assert observations["a"].state == State.PASSED
    assert {observations[name].state for name in "bc"} == {State.NOTHING}
    assert observations["c"].cause == "The disk is full."
    assert {"kind": "trouble", "text": "The disk is full."} in others


def test_closing_closes_the_machine() -> None:
    machine = FakeMachine([HELLO, *passing("a"), BYE])
    items = observe(machine, [PlanEntry(name="a", timeout_s=1, argv=("x",))], Path("artefacts"))
    assert next(items) == HELLO
    items.close()
    assert machine.closed == 1


# --- entries that are left out ------------------------------------------------------------------------------------


def skip(entry: str, unless: str) -> Event:
    return {"kind": "skip", "entry": entry, "unless": unless}


@pytest.mark.parametrize(
    ("test", "code", "state", "cause"),
    [
        (refused("Ring.Works"), 77, State.REFUSED, None),
        (case("Ring.Works"), 77, State.NOTHING, "the runner left it out because of ring, which was crashed"),
        (case("Ring.Works"), 0, State.NOTHING, "the runner left it out because of ring, which was passed"),
    ],
)
def test_what_is_left_out_shows_what_it_was_left_out_for(
    test: dict[str, Any], code: int, state: State, cause: str | None
) -> None:
    records = [header("Ring.Works"), test, {"kind": "footer", "ran": 1}]
    ring = [start("ring"), *(line("ring", one) for one in records), end("ring", exit=code)]
    machine = FakeMachine([HELLO, *ring, skip("nop", "ring"), skip("readv", "ring"), BYE])
    plan = [PlanEntry(name=name, timeout_s=1, argv=("x",)) for name in ("ring", "nop", "readv")]
    found = dict(item for item in observe(machine, plan, Path()) if isinstance(item, tuple))
    assert list(found) == ["ring", "nop", "readv"]
    for name in ("nop", "readv"):
        assert (found[name].state, found[name].cause) == (state, cause)
    if state is State.REFUSED:
        assert found["nop"].records == found["ring"].records and found["nop"].shape is Shape.RIGHT


def test_a_program_that_skips_without_a_refusal_is_not_believed() -> None:
    for test, code, state in (
        (case("A.b"), 77, State.CRASHED),
        (refused("A.b"), 77, State.REFUSED),
        (refused("A.b"), 76, State.CRASHED),
    ):
        assert folded(header("A.b"), test, ran=1, exit=code).state is state
