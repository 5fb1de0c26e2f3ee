"""Why a cell says what it says, in one sentence for a person."""

from __future__ import annotations
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from harness.base.words import number, one_line, result_text
from harness.suite.catalogue import ANY, Row
from harness.suite.since import Expected
from harness.verdicts.judge import Verdict, proposes_since
from harness.verdicts.observation import Observation, Shape, State


def why(row: Row, observation: Observation, expected: Expected, verdict: Verdict) -> str:
    """One sentence, without its full stop, that tells a person why the cell says what it says."""
    told = one_line(_refused(observation) if verdict is Verdict.MISSING else _seen(observation))
    match verdict:
        case Verdict.ABSENT if expected is Expected.ABSENT:
            told += f", as on every kernel before {_first(row)}"
        case Verdict.MISSING:
            told += ", but due on every kernel" if row.since == ANY else f", but due since {_first(row)}"
        case Verdict.EARLY:
            told += f", though only due since {_first(row)}: a backport, or the catalogue is wrong"
    if observation.shape is Shape.RIGHT and _refusal(observation) and verdict is not Verdict.NOT_EXPRESSIBLE:
        told += f": {_witness(observation)}"
    if observation.state is State.NOT_EXPRESSIBLE and verdict is Verdict.WRONG:
        told += "; this binding is ours and must have words for everything"
    if proposes_since(expected, verdict):
        told += "; the kernel's version is unknown, so this is a proposal for the catalogue"
    if observation.complaints:
        more = len(observation.complaints) - 1
        told += f"; the kernel complained: {one_line(observation.complaints[0])}"
        told += f" (and {more} more)" if more else ""
    return told


def _first(row: Row) -> str:
    return " and ".join((row.since, *row.also))


def _seen(observation: Observation) -> str:
    match observation.state:
        case State.PASSED:
            tests = [record for record in observation.records if record.get("kind") == "test"]
            return f"{number(len(tests), 'test')} passed"
        case State.REFUSED:
            return _refused(observation)
        case State.NOT_EXPRESSIBLE:
            return _unsaid(observation)
        case State.BLOCKED:
            return f"blocked: {observation.cause or 'by something without a name'}"
    first_failure = next(_failures(observation), f"{observation.state}, and nobody noted why")
    return observation.cause or first_failure


def _refusal(observation: Observation) -> dict[str, Any]:
    return next((record["refusal"] for record in observation.records if record.get("refusal")), {})


def _refused(observation: Observation) -> str:
    refusal = _refusal(observation)
    if not refusal:
        return "refused without any evidence"
    refused = f"{refusal['what']} refused with {result_text(refusal['res'])}"
    if observation.shape is Shape.RIGHT:
        return refused
    objections = refusal["objections"] or ["the evidence does not hold"]
    return f"{refused}, but not as an old kernel does it: {'; '.join(objections)}"


def _unsaid(observation: Observation) -> str:
    """How many of the row's tests could be asked, and what the others lack."""
    tests = [record for record in observation.records if record.get("kind") == "test"]
    lacking = [test for test in tests if test.get("not_expressible")]
    if not lacking:
        return "not expressible, and nobody noted what"
    passed = sum(test.get("state") == "passed" for test in tests)
    refused = sum(test.get("state") == "refused" for test in tests)
    counted = f"{passed} of {number(len(tests), 'test')} passed"
    counted += f", {refused} {'was' if refused == 1 else 'were'} refused" if refused else ""
    lack, more = lacking[0], len(lacking) - 1
    told = lack["not_expressible"]
    also = f" (and {more} more)" if more else ""
    return (
        f"{counted}; {lack['name']} needs {told['what']}, which {binding_title(observation.records)} cannot say: "
        f"{told['reason'].rstrip('.')}{also}"
    )


def binding_title(records: Sequence[Mapping[str, Any]]) -> str:
    """What the program that wrote the records calls its binding, with the version: liburing 2.3."""
    for record in records:
        match record.get("binding"):
            case {"name": str(name), "version": str(version)}:
                return titled(name, version)
            case str(name):
                return name
    return "this binding"


def titled(name: str, version: str | None) -> str:
    """A binding by its name and, where the name does not say it, its version."""
    return name if version is None or version in name else f"{name} {version}"


def _witness(observation: Observation) -> str:
    """What the shape of a right refusal rests on; the test recorded every part of it."""
    refusal = _refusal(observation)
    probe = refusal["probe"]
    says = "no probe on this kernel" if probe is None else f"probe {'has' if probe else 'lacks'} {refusal['probed']}"
    return f"NOP before and after fine, an opcode nobody has refused alike, {says}"


def _failures(observation: Observation) -> Iterator[str]:
    for record in observation.records:
        for failure in record.get("failures", ()):
            file = str(failure["file"]).rpartition("/")[2]
            place = f" ({file}:{failure['line']})" if file else ""
            yield f"{record['name']}{place}: {failure['text']}"
