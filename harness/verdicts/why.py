# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Why a cell has its verdict, in one sentence for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.base.words import number, one_line, result_text
from harness.suite.catalogue import ANY
from harness.suite.since import Expected
from harness.verdicts.judge import Verdict, proposes_since
from harness.verdicts.observation import Shape, State


def why(
    due: Sequence[str],
    seen: Mapping[str, Any],
    expected: Expected,
    verdict: Verdict,
    deviations: Sequence[Mapping[str, Any]] = (),
) -> str:
    """One sentence, without its full stop, that explains the verdict of a cell.

    `due` are the releases since which the row must pass (Row.due); `seen` is an observation as JSON; `deviations` are
    the known ones that are expected (Deviation.as_json()).
    """
    if verdict is Verdict.KNOWN:
        return "; ".join(map(known, deviations))
    since = " and ".join(due)
    words = one_line(_refused(seen) if verdict is Verdict.MISSING else _seen(seen))
    match verdict:
        case Verdict.ABSENT if expected is Expected.ABSENT:
            words += f", as on every kernel before {since}"
        case Verdict.MISSING:
            words += ", but due on every kernel" if ANY in due else f", but due since {since}"
        case Verdict.EARLY:
            words += f", though only due since {since}: a backport, or the catalogue is wrong"
    if verdict is Verdict.GONE:
        listed = "; ".join(str(one["what"]) for one in deviations)
        words += f", though deviations.toml says that here {listed}: correct the entry"
    if seen["shape"] == Shape.RIGHT and _refusal(seen) and verdict is not Verdict.NOT_EXPRESSIBLE:
        words += f": {_witness(seen)}"
    if seen["state"] == State.NOT_EXPRESSIBLE and verdict is Verdict.WRONG:
        words += "; this binding is ours and must express everything"
    if proposes_since(expected, verdict):
        words += "; the kernel's version is unknown, so this is a proposal for the catalogue"
    if seen["complaints"]:
        more = len(seen["complaints"]) - 1
        words += f"; the kernel complained: {one_line(seen['complaints'][0])}"
        words += f" (and {more} more)" if more else ""
    return words


def known(deviation: Mapping[str, Any]) -> str:
    """A known deviation in one sentence, without its full stop."""
    fixed = f", fixed in {deviation['fixed']}" if deviation["fixed"] else ""
    return f"the {deviation['blame']}'s mistake{fixed}: {deviation['what']} ({deviation['source']})"


def _seen(seen: Mapping[str, Any]) -> str:
    match seen["state"]:
        case State.PASSED:
            return f"{number(passed(seen), 'test')} passed"
        case State.REFUSED:
            return _refused(seen)
        case State.NOT_EXPRESSIBLE:
            return _unsaid(seen)
        case State.BLOCKED:
            return f"blocked: {seen['cause'] or 'no cause was recorded'}"
    return str(seen["cause"] or next(_failures(seen), f"{seen['state']}, and no cause was recorded"))


def passed(seen: Mapping[str, Any]) -> int:
    """How many tests of a row passed."""
    return sum(
        record.get("tests", 1) for record in seen["records"] if record.get("kind") in ("test", "passed")
    )


def _refusal(seen: Mapping[str, Any]) -> dict[str, Any]:
    return next((record["refusal"] for record in seen["records"] if record.get("refusal")), {})


def _refused(seen: Mapping[str, Any]) -> str:
    refusal = _refusal(seen)
    if not refusal:
        return "refused without any evidence"
    refused = f"{refusal['what']} refused with {result_text(refusal['res'])}"
    if seen["shape"] == Shape.RIGHT:
        return refused
    objections = refusal["objections"] or ["the evidence does not hold"]
    return f"{refused}, but not the way an old kernel refuses: {'; '.join(objections)}"


def _unsaid(seen: Mapping[str, Any]) -> str:
    """How many of the row's tests could run, and what the others lack."""
    tests = [record for record in seen["records"] if record.get("kind") == "test"]
    lacking = [test for test in tests if test.get("not_expressible")]
    if seen["cause"]:
        return str(seen["cause"])
    if not lacking:
        return "not expressible, and no reason was recorded"
    passed = sum(test.get("state") == "passed" for test in tests)
    refused = sum(test.get("state") == "refused" for test in tests)
    counted = f"{passed} of {number(len(tests), 'test')} passed"
    counted += f", {refused} {'was' if refused == 1 else 'were'} refused" if refused else ""
    lack, more = lacking[0], len(lacking) - 1
    need = lack["not_expressible"]
    also = f" (and {more} more)" if more else ""
    return (
        f"{counted}; {lack['name']} needs {need['what']}, which {binding_title(seen['records'])} cannot express: "
        f"{need['reason'].rstrip('.')}{also}"
    )


def passed_in_part(seen: Mapping[str, Any]) -> bool:
    """Whether some test passed of a row that the binding cannot express as a whole."""
    tests = (record for record in seen["records"] if record.get("kind") == "test")
    return seen["state"] == State.NOT_EXPRESSIBLE and any(test.get("state") == "passed" for test in tests)


def binding_title(records: Sequence[Mapping[str, Any]]) -> str:
    """The binding's name and version, from the program that wrote the records: liburing 2.3."""
    for record in records:
        match record.get("binding"):
            case {"name": str(name), "version": str(version)}:
                return titled(name, version)
            case str(name):
                return name
    return "this binding"


def titled(name: str, version: str | None) -> str:
    """A binding's name, with the version unless the name already has it."""
    return name if version is None or version in name else f"{name} {version}"


def _witness(seen: Mapping[str, Any]) -> str:
    """The evidence for a right refusal; the test recorded every part of it."""
    refusal = _refusal(seen)
    probe = refusal["probe"]
    says = (
        "no probe on this kernel"
        if probe is None
        else f"probe {'has' if probe else 'lacks'} {refusal['probed']}"
    )
    return f"NOPs before and after succeeded, an unassigned opcode was refused the same way, {says}"


def _failures(seen: Mapping[str, Any]) -> Iterator[str]:
    for record in seen["records"]:
        for failure in record.get("failures", ()):
            file = str(failure["file"]).rpartition("/")[2]
            place = f" ({file}:{failure['line']})" if file else ""
            yield f"{record['name']}{place}: {failure['text']}"
