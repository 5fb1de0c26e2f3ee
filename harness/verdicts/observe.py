# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Turns the events of a machine into observations: exactly one for each entry of the plan, in order.

If a machine dies while it runs an entry, that entry is lost and the rest of the plan runs in a fresh machine. If
something here killed it, the entry runs once more. A test's records are believed only as a whole: a header that
names its tests, a record for each, a footer.

What the kernel logs after the end of an entry still belongs to that entry, because its rings are torn down when its
process is gone. So an observation is held back until the next entry starts or the machine is gone.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.base import json_input
from harness.base.errors import HarnessError
from harness.machines.machine import REFUSED, Event, Machine, PlanEntry
from harness.machines.process import signal_name
from harness.verdicts.kernel_log import complaints, text
from harness.verdicts.observation import Observation, Shape, State

#: A boot may fail once by accident.
MAX_STRIKES = 2
NO_TAINT = "the kernel's taint could not be read"
ONCE_MORE = "A boot may fail by accident, so it is tried once more."
MORE_OF_A_BOOT = "With --append loglevel=7, console.log shows the whole boot."
ALLOW_IO_URING = (
    "allow io_uring_setup, io_uring_enter and io_uring_register in the policy of the container or service"
)
MARKER = "uring-conformance: start "  # what the runner writes to the console before each entry


Item = Event | tuple[str, Observation]
Items = Generator[Item, None, None]


def observe(machine: Machine, plan: Sequence[PlanEntry], artefacts: Path) -> Items:
    """Run the plan. Yields (entry name, observation) for each entry, and in between, as dictionaries:

    "hello" for each boot; "notice" with a "text" that a person should know about the run; "trouble" with a "text"
    about a failure of the harness. The artefacts of each boot go to their own directory.
    """
    rest = list(plan)
    strikes = dict.fromkeys((entry.name for entry in plan), 0)
    failed_boots = 0
    boot = 0
    while rest:
        boot += 1
        run = _Boot(machine, rest, artefacts / f"boot-{boot}")
        try:
            yield from run.events()
        except HarnessError as error:
            cause = str(error)
            yield from run.release()
            yield {"kind": "trouble", "text": cause}
            yield from ((entry.name, _nothing(cause)) for entry in rest)
            return
        failed_boots = 0 if run.booted else failed_boots + 1
        if not rest:
            return
        strikes[rest[0].name] += not run.cost_an_entry
        if run.finished or failed_boots == MAX_STRIKES:
            yield from ((entry.name, _nothing(run.end)) for entry in rest)
            return
        if failed_boots:
            yield _notice(ONCE_MORE)
        if strikes[rest[0].name] == MAX_STRIKES:
            yield rest.pop(0).name, _nothing(f"its machine was lost twice: {run.end}")


class _Boot:
    """One run of a machine. Removes the entries that were observed from the plan."""

    def __init__(self, machine: Machine, rest: list[PlanEntry], artefacts: Path) -> None:
        self._machine = machine
        self._rest = rest
        self._artefacts = artefacts
        self._lines: list[str] = []  # records of the entry in flight
        self._started = False
        self._trouble = ""
        self._held: tuple[str, Observation] | None = None  # the kernel may still complain about it
        self._seen: dict[str, Observation] = {}
        self.booted = False
        self.finished = False
        self.cost_an_entry = False
        self.end = "its events ended without a reason"

    def events(self) -> Iterator[Item]:
        """The events, until the machine is gone."""
        with contextlib.closing(self._machine.run(tuple(self._rest), self._artefacts)) as events:
            for event in events:
                yield from self._take(event)
        if self._started:  # only a broken machine ends like this
            yield from self._take_lost(State.CRASHED, self.end)
        yield from self.release()

    def release(self) -> Items:
        """The observation that was held back, if any."""
        held, self._held = self._held, None
        if held is not None:
            yield held

    def _take(self, event: Event) -> Iterator[Item]:
        match event["kind"]:
            case "hello":
                self.booted = True
                yield event
            case "notice":
                yield event
            case "trouble":
                self._trouble = event["text"]
                yield event
            case "garbage":
                yield _notice(f"unexpected line, not from the runner: {event['line'][:200]!r}")
            case "bye":
                self.finished = True
                self.end = "the runner finished without running it"
                shared = self._machine.shared_log
                late = complaints(event.get("kmsg") or (), None, shared=shared)
                for line in late if self._held is None else ():
                    yield _notice(f"the kernel complained while no entry ran: {line}")
                self._charge(late, lost=None if shared else event.get("kmsg_error"))
            case "died":
                yield from self._take_death(event)
            case "start" | "record" | "end" | "skip":
                yield from self._take_entry(event)

    def _take_entry(self, event: Event) -> Iterator[Item]:
        if event["entry"] not in {entry.name for entry in self._rest}:
            yield _notice(f"unexpected {event['kind']} of {event['entry']!r}, which is not due now")
            return
        while self._rest[0].name != event["entry"]:
            yield from self._take_lost(State.NOTHING, "the runner continued without reporting its end")
        if event["kind"] == "skip":
            yield from self._done(self._as(event["unless"]))
            return
        yield from self.release()
        self._started = True
        if event["kind"] == "record":
            self._lines.append(event["line"])
        if event["kind"] == "end":
            shared = self._machine.shared_log
            yield from self._done(fold(self._lines, event, shared_log=shared, trouble=self._trouble))

    def _as(self, other: str) -> Observation:
        """What an entry shows that was not run, because an earlier one showed the same for it."""
        seen = self._seen.get(other)
        if seen is None or seen.state not in (State.REFUSED, State.NOT_EXPRESSIBLE):
            how = f"which was {seen.state}" if seen else "which is not in the plan"
            return _nothing(f"the runner left it out because of {other}, {how}")
        return replace(seen, output="", kmsg=(), complaints=(), ms=0)

    def _take_death(self, event: Event) -> Iterator[Item]:
        why, killed = event["why"], event.get("killed", False)
        self.end = f"the machine died ({event['phase']}): {why}"
        silent = event["phase"] == "boot" and (event["hung"] or "kernel panic" in why)
        yield _notice(
            f"{self.end}. {MORE_OF_A_BOOT}" if silent and not self._machine.shared_log else self.end
        )
        if self._started and killed:  # this says nothing about the entry, so it stays in the plan
            self._lines, self._started, self._trouble = [], False, ""
        elif self._started:
            state = State.TIMEOUT if event["hung"] else State.CRASHED
            yield from self._take_lost(state, why, self._console(event, self._rest[0].name))
        elif self._held is not None:
            kmsg = event.get("kmsg")  # from a bye
            late = (*(kmsg or ()), *self._console(event, self._held[0]))
            found = complaints(late, None, shared=self._machine.shared_log)
            if kmsg is not None or self._machine.shared_log:
                self._charge(found)
            elif killed:
                self._charge(found, lost=self.end)
            else:  # a kernel that dies silently is a finding, too
                self._charge(found or (self.end,))

    def _console(self, event: Event, entry: str) -> tuple[str, ...]:
        """What the guest's kernel printed since the start of the entry."""
        return () if self._machine.shared_log else _since_marker(event["console_tail"], entry)

    def _charge(self, late: Sequence[str], lost: str | None = None) -> None:
        """Count complaints after the end of an entry against it; `lost` says why there may be more of them."""
        if self._held is None:
            return
        name, before = self._held
        known = {text(line) for line in before.kmsg}  # the console repeats the kernel log
        new = tuple({text(line): line for line in late if text(line) not in known}.values())
        after = replace(before, kmsg=before.kmsg + new, complaints=before.complaints + new)
        self._held = name, _doubted(after, lost)

    def _take_lost(self, state: State, cause: str, kmsg: tuple[str, ...] = ()) -> Items:
        """An entry whose end was never reported."""
        self.cost_an_entry = True
        found = complaints(kmsg, None, shared=self._machine.shared_log)
        records, _ = _parse(self._lines)
        lost = Observation(state=state, cause=cause, records=records, kmsg=kmsg, complaints=found)
        yield from self._done(lost)

    def _done(self, observation: Observation) -> Items:
        yield from self.release()
        self._lines, self._started, self._trouble = [], False, ""
        name = self._rest.pop(0).name
        self._held = name, observation
        self._seen[name] = observation


def fold(lines: Sequence[str], end: Event, *, shared_log: bool, trouble: str = "") -> Observation:
    """One observation from what a test process wrote and how it ended (the runner's "end").

    `trouble` is the harness error that the runner reported, if any.
    """
    records, unreadable = _parse(lines)
    kmsg = tuple(end.get("kmsg") or ())
    before, after = end.get("taint") or (None, None)
    taint = None if before is None or after is None else (before, after)
    state, shape, cause = _outcome(records, unreadable, end, trouble)
    observation = Observation(
        state=state,
        shape=shape,
        cause=cause,
        records=records,
        output=end.get("output") or "",
        kmsg=kmsg,
        complaints=complaints(kmsg, taint, shared=shared_log),
        taint=taint,
        ms=end.get("ms") or 0,
    )
    lost = end.get("kmsg_error") or (NO_TAINT if taint is None else None)
    return _doubted(observation, None if shared_log else lost)


def _doubted(observation: Observation, lost: str | None) -> Observation:
    """If a part of the kernel log is lost, nothing is green: that part may have had a complaint."""
    quiet = observation.state in (State.PASSED, State.REFUSED, State.NOT_EXPRESSIBLE)
    green = quiet and not observation.complaints
    if lost is None or not green:
        return observation
    return replace(observation, state=State.NOTHING, shape=None, cause=lost)


Outcome = tuple[State, Shape | None, str | None]


def _outcome(
    records: Sequence[dict[str, Any]], unreadable: Sequence[str], end: Event, trouble: str
) -> Outcome:
    """State, shape and cause. What is asked first outweighs what is asked later."""
    header = next((record for record in records if record["kind"] == "header"), None)
    tests = [record for record in records if record["kind"] == "test"]
    code, signal_number, killed = end.get("exit"), end.get("signal"), end.get("timeout")
    unfinished = _unfinished(header, tests)
    where = f" in {unfinished[0]}" if unfinished else ""

    def having(state: str) -> list[dict[str, Any]]:
        return [test for test in tests if test["state"] == state]

    if killed:
        return State.TIMEOUT, None, f"killed after {end.get('ms')} ms{where}"
    if late := having("timeout"):
        return State.TIMEOUT, None, f"{late[0]['name']} did not end in time"
    if broke := end.get("misbehaved"):
        return State.CRASHED, None, broke
    # Only a seccomp filter sends it, and the kernel was not asked. What failed before that, failed.
    if signal_number == signal.SIGSYS and not having("failed"):
        return State.BLOCKED, None, f"a seccomp filter killed the process{where}: {ALLOW_IO_URING}"
    if signal_number is not None:
        return State.CRASHED, None, f"died of signal {signal_number} ({signal_name(signal_number)}){where}"
    if code is None:
        return State.NOTHING, None, trouble or "the runner could not run it"
    refused = having("refused")
    unsaid = having("not_expressible")
    if (
        having("failed")
        or any(_fails_beyond_refusal(test) for test in refused)
        or any(map(_failures, unsaid))
    ):
        return State.FAILED, None, None
    if blocked := having("blocked"):
        return State.BLOCKED, None, "; ".join(dict.fromkeys(test["blocked"]["text"] for test in blocked))
    shape = Shape.WRONG if any(test["refusal"]["shape"] == "wrong" for test in refused) else Shape.RIGHT
    says_so = code == REFUSED and bool(refused or unsaid)  # as it was asked to
    if (
        code != 0 and not says_so and not (refused and shape is Shape.WRONG)
    ):  # a wrong shape fails in GoogleTest
        return State.CRASHED, None, f"exit code {code} without a failed test{where}{_last_line(end)}"
    if unreadable:
        return State.NOTHING, None, f"wrote a record that is not valid: {unreadable[0][:200]!r}"
    if header is None or not header["plan"]:
        return State.NOTHING, None, "ran no test"
    if broken := _broken(header, tests, records, end):
        return State.CRASHED, None, broken
    if unsaid and not (refused and shape is Shape.WRONG):
        return State.NOT_EXPRESSIBLE, shape if refused else None, None
    if refused:
        return State.REFUSED, shape, None
    return State.PASSED, None, None


def _broken(
    header: dict[str, Any], tests: Sequence[dict[str, Any]], records: Sequence[dict[str, Any]], end: Event
) -> str | None:
    """Why the records are not those of a complete run; None if they are."""
    if missing := _unfinished(header, tests):
        return f"ended without a record for {missing[0]}"
    names = [test["name"] for test in tests]
    if extra := [name for name in names if name not in header["plan"] or names.count(name) > 1]:
        return f"recorded {extra[0]}, which was not planned or is listed twice"
    if end.get("partial"):
        return f"ended in the middle of a record: {end['partial'][:200]!r}"
    if records[0] is not header or records[-1]["kind"] != "footer" or records[-1].get("ran") != len(tests):
        return f"its records are not a header, {len(tests)} tests and a footer with their number"
    return None


def _unfinished(header: dict[str, Any] | None, tests: Sequence[dict[str, Any]]) -> list[str]:
    recorded = {test["name"] for test in tests}
    return [name for name in (header["plan"] if header else ()) if name not in recorded]


def _fails_beyond_refusal(test: dict[str, Any]) -> bool:
    """Whether a refused test also failed for a reason other than the objections to its refusal."""
    refusal = test["refusal"]
    objections = refusal.get("objections", ()) if refusal["shape"] == "wrong" else ()
    return any(
        not any(objection in failure.get("text", "") for objection in objections)
        for failure in _failures(test)
    )


def _failures(test: dict[str, Any]) -> list[dict[str, Any]]:
    failures: list[dict[str, Any]] = test.get("failures", [])
    return failures


def _parse(lines: Sequence[str]) -> tuple[tuple[dict[str, Any], ...], list[str]]:
    """The records, and the lines that are not records."""
    found = [(line, _record(line)) for line in lines]
    records = tuple(record for _, record in found if record is not None)
    return records, [line for line, record in found if record is None]


def _record(line: str) -> dict[str, Any] | None:
    """A record, without fields that no reader knows; None if it is not one."""
    try:
        record = json_input.parse(line)
    except ValueError:
        return None
    if not isinstance(record, dict) or not _understood(record):
        return None
    return {name: value for name, value in record.items() if name in _KNOWN[record["kind"]]}


#: What a record may say. A reader of records does not ask for their kind first.
_KNOWN = {
    "header": ("kind", "schema", "binding", "plan"),
    "test": (
        *("kind", "name", "state", "ms", "failures", "wire"),
        *("refusal", "blocked", "not_expressible"),
    ),
    "footer": ("kind", "ran"),
}


def _understood(record: dict[str, Any]) -> bool:
    """Whether the record has the fields that the code above and the reports read."""
    match record:
        case {"kind": "header", "schema": 1, "plan": [*names]}:
            return _are_texts(names) and _names_a_binding(record.get("binding", ""))
        case {"kind": "test", "name": str(), "state": str(state)}:
            demanded = state in ("passed", "failed", "timeout") or isinstance(
                record.get(_EVIDENCE.get(state, "")), dict
            )
            return demanded and _has_evidence(record)
        case {"kind": "footer"}:
            return isinstance(record.get("ran", 0), int)
    return False


#: The field that a test in this state must have.
_EVIDENCE = {"refused": "refusal", "blocked": "blocked", "not_expressible": "not_expressible"}


def _names_a_binding(said: object) -> bool:
    """Whether a header names its binding, with or without a version."""
    match said:
        case str() | {"name": str(), "version": str()}:
            return True
    return False


#: The fields of a refusal that why.py and the reports read.
_REFUSAL: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("what", "probed", "happened"), str),
    **dict.fromkeys(("res", "again", "nobody", "nop_before", "nop_after", "cqe_flags", "extra_cqes"), int),
    "user_data_came_back": bool,
    "probe": (bool, type(None)),
    "objections": list,
}


def _has_evidence(record: dict[str, Any]) -> bool:
    """Whether a test's record has its evidence in the form that reports need, whatever its state."""
    failures, wire = record.get("failures", []), record.get("wire", [])
    return (
        isinstance(failures, list)
        and all(map(_is_failure, failures))
        and isinstance(wire, list)
        and _are_texts(wire)
        and isinstance(record.get("ms", 0), int)
        and _is_refusal(record.get("refusal"))
        and _says(record.get("blocked"), "text")
        and _says(record.get("not_expressible"), "what", "reason")
    )


def _is_failure(value: object) -> bool:
    match value:
        case {"file": str(), "line": int(), "text": str()}:
            return True
    return False


def _is_refusal(value: object) -> bool:
    return value is None or (
        isinstance(value, dict)
        and value.get("shape") in ("right", "wrong")
        and all(name in value and isinstance(value[name], kind) for name, kind in _REFUSAL.items())
        and _are_texts(value["objections"])
    )


def _says(value: object, *names: str) -> bool:
    """Whether it is missing, or has these texts."""
    return value is None or (isinstance(value, dict) and _are_texts([value.get(name) for name in names]))


def _are_texts(values: Sequence[object]) -> bool:
    return all(isinstance(value, str) for value in values)


def _nothing(cause: str) -> Observation:
    return Observation(state=State.NOTHING, cause=cause)


def _notice(text: str) -> Event:
    return {"kind": "notice", "text": text}


def _since_marker(console: Sequence[str], entry: str) -> tuple[str, ...]:
    """The console's lines since the start of the entry; all of them if its start has scrolled out."""
    starts = [i for i, line in enumerate(console) if line.endswith(MARKER + entry)]
    return tuple(console[starts[-1] + 1 :] if starts else console)


def _last_line(end: Event) -> str:
    """The last line that the entry printed, as the end of a sentence."""
    lines = (end.get("output") or "").split("\n")
    said = [line.strip() for line in lines if line.strip()]
    return f": {said[-1][:200]}" if said else ""
