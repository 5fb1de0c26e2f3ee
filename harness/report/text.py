"""The words and the order that all reports share: columns, headline, legend, why a cell is what it is."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.results.file import Cell, Results
from harness.suite.binding import is_ours
from harness.suite.catalogue import ANY, Row
from harness.suite.since import Expected, KernelVersion
from harness.verdicts.judge import Verdict, proposes_since, sign
from harness.verdicts.observation import Observation, Shape, State

HOST = "host"

LEGEND = {
    "✓": "works as documented.",
    "·": "correctly absent: this kernel is older than the feature and refuses it the documented way; "
    "we checked that too.",
    "✗": "contradicts the documentation: a wrong result, a wrong refusal, missing although due, a hang or a "
    "crash. The kernel or the binding is to blame, or our test.",
    "!": "the result is right, but the kernel logged a complaint while the test ran. The kernel is to blame.",
    "+": "works although this kernel should be too old: a backport, or our `since` is wrong.",
    "?": "no verdict: the environment or our own machinery stood in the way. The kernel is not to blame.",
    "–": "not expressible: this binding has no words for what the test asks, so the kernel was not asked. It is neither "
    "a pass nor a failure.",
}
_SHORT = {
    "✓": "works", "·": "correctly absent", "✗": "wrong or missing", "!": "kernel complained", "+": "early",
    "?": "no verdict", "–": "not expressible",
}  # fmt: skip
NOT_REACHED = "the run ended before it had a result"
DOUBT = "A red cell can also mean that the test is wrong: please tell us."
# Of these two Python prefers the alias.
_KERNEL_NAMES = {errno.EOPNOTSUPP: "EOPNOTSUPP", errno.EDEADLK: "EDEADLK"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One kernel in a table."""

    series: str
    heading: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What needs a look: tests that share one verdict, for one reason, on one kernel through one binding."""

    sign: str
    tests: tuple[str, ...]
    series: str
    binding: str
    why: str
    rerun: str | None  # for the first of the tests; None when the run never came to it


def columns(results: Results) -> tuple[Column, ...]:
    """The kernels of the plan, oldest to newest, then local images, the host last."""
    versions = {k.series: KernelVersion.parse(k.release or "", k.version or "") for k in results.kernels}

    def heading(series: str) -> str:
        version = versions.get(series)
        return f"{HOST} ({version.series})" if series == HOST and version else series

    ordered = sorted(results.header.plan.kernels, key=_age)
    return tuple(Column(series=series, heading=heading(series)) for series in ordered)


def _age(series: str) -> tuple[int, tuple[int, ...], str]:
    if series == HOST:
        return (2, (), series)
    if re.fullmatch(r"\d+(\.\d+)+", series):
        return (0, tuple(int(number) for number in series.split(".")), series)
    return (1, (), series)


def legend(results: Results) -> dict[str, str]:
    """The signs that the run's bindings can get, each with its sentence. Ours must have words for everything."""
    foreign = not all(map(is_ours, results.header.plan.bindings))
    return {shown: said for shown, said in LEGEND.items() if foreign or shown != sign(Verdict.NOT_EXPRESSIBLE)}


def short_legend(results: Results) -> str:
    """The same in one line."""
    return "  ".join(f"{shown} {_SHORT[shown]}" for shown in legend(results))


def cell_sign(cell: Cell | None) -> str:
    """The sign of a planned cell; one that the run did not reach has no verdict, and is never blank."""
    return sign(cell.verdict if cell else Verdict.NONE)


def headline(results: Results) -> str:
    """The whole run in one line: how many cells, and how many of them are surprises. Never a score."""
    planned = len(results.header.plan.positions())
    verdicts = [cell.verdict for cell in results.cells]
    works, absent = verdicts.count(Verdict.WORKS), verdicts.count(Verdict.ABSENT)
    unsaid = verdicts.count(Verdict.NOT_EXPRESSIBLE)
    look = surprises(results)
    return (
        f"{number(planned, 'cell')}: {works} {'works' if works == 1 else 'work'}, {absent} correctly absent, "
        f"{f'{unsaid} not expressible, ' if unsaid else ''}{look} {'needs' if look == 1 else 'need'} a look"
    )


def surprises(results: Results) -> int:
    """How many planned cells need a look; one that the run did not reach does."""
    return len(results.header.plan.positions()) - sum(not cell.surprise for cell in results.cells)


def cut_short(results: Results) -> str | None:
    """What to say of a run that did not reach all of its cells."""
    if results.footer.complete:
        return None
    planned = len(results.header.plan.positions())
    return f"Cut short: {results.footer.cells} of {number(planned, 'cell')} have a result."


def listed(words: Sequence[str]) -> str:
    """6.1, 6.12 and host."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def number(count: int, noun: str) -> str:
    """1 cell, 2 cells."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def result(res: int) -> str:
    """The result of a completion as people write it: -EINVAL, or the number."""
    name = _KERNEL_NAMES.get(-res) or errno.errorcode.get(-res)
    return f"-{name}" if name else str(res)


def findings(results: Results) -> tuple[Finding, ...]:
    """All surprises, kernel by kernel; those of one cause are one finding, so a dead VM is one line."""
    cells = results.by_position()
    groups: dict[tuple[str, str, str, str], list[tuple[str, str | None]]] = {}  # -> test, rerun
    for column in columns(results):
        for binding in results.header.plan.bindings:
            for test in results.header.plan.tests:
                cell = cells.get((test, column.series, binding))
                if cell is None or cell.surprise:
                    why = cell.why if cell else NOT_REACHED
                    group = groups.setdefault((column.series, binding, cell_sign(cell), why), [])
                    group.append((test, cell.rerun if cell else None))
    return tuple(
        Finding(
            sign=shown,
            tests=tuple(test for test, _ in group),
            series=series,
            binding=binding,
            why=why,
            rerun=group[0][1],
        )
        for (series, binding, shown, why), group in groups.items()
    )


def sentence(words: str) -> str:
    """The words with a full stop, unless they were cut before their end."""
    return words if words.endswith("…") else f"{words}."


def one_line(text: str, limit: int = 240) -> str:
    """The text on one line, cut where it gets too long to read in a list."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 1].rstrip() + "…"


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
    refused = f"{refusal['what']} refused with {result(refusal['res'])}"
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
