"""The evidence for a cell, as every report shows it. The words are here; the markup is up to the renderer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from harness.base.words import number, result_text, sentence
from harness.results.model import Cell
from harness.verdicts.observation import State
from harness.verdicts.why import binding_title


#: How GoogleTest reports a failed EXPECT_EQ: each expression, and its value if that reads differently.
_COMPARISON = re.compile(
    r"Expected equality of these values:\n  (?P<got_from>\S.*)\n(?:    Which is: (?P<got>.*)\n)?"
    r"  (?P<wanted_from>\S.*)(?:\n    Which is: (?P<wanted>.*))?"
)


class Kind(StrEnum):
    """What a block of evidence shows."""

    FAILURE = "failure"
    WITNESS = "witness"  # of a refusal, one sentence per line
    LACK = "lack"  # what the binding cannot express, one sentence per line
    WIRE = "wire"
    OUTPUT = "output"
    COMPLAINT = "complaint"
    LOG = "log"  # of the kernel


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One piece of evidence. `body` is verbatim."""

    kind: Kind
    title: str
    body: str


def blocks(cell: Cell) -> tuple[Block, ...]:
    """All evidence for the cell, the most telling first."""
    seen = cell.observed
    tests = [record for record in seen["records"] if record.get("kind") == "test"]
    found = [*_complaints(seen), *_lacks(seen["records"]), *_witnesses(tests), *_failures(tests)]
    repeated = (State.FAILED, State.REFUSED, State.NOT_EXPRESSIBLE)
    shown = seen["state"] in repeated and found  # then the output only repeats it
    if seen["output"] and not shown:
        found.append(Block(kind=Kind.OUTPUT, title="The end of the output", body=seen["output"].rstrip("\n")))
    if seen["kmsg"]:
        found.append(Block(kind=Kind.LOG, title="The kernel log", body="\n".join(seen["kmsg"])))
    return tuple(found)


def witnesses(cell: Cell) -> tuple[Block, ...]:
    """The evidence that the cell's refusals rest on."""
    return tuple(block for block in blocks(cell) if block.kind is Kind.WITNESS)


def lacks(cell: Cell) -> tuple[Block, ...]:
    """What the cell's binding cannot express."""
    return tuple(block for block in blocks(cell) if block.kind is Kind.LACK)


def reasons_of_lack(cell: Cell) -> tuple[str, ...]:
    """Why the binding cannot express it, each reason once."""
    found = (record.get("not_expressible") for record in cell.observed["records"])
    return tuple(dict.fromkeys(lack["reason"].rstrip(".") for lack in found if lack))


def compared(cell: Cell) -> tuple[str, str] | None:
    """Actual and wanted value of the first failed comparison. Our tests write the wanted value second."""
    for block in blocks(cell):
        if block.kind is Kind.FAILURE and (match := _COMPARISON.match(block.body)):
            return match["got"] or match["got_from"], match["wanted"] or match["wanted_from"]
    return None


def tests(cell: Cell) -> tuple[str, ...]:
    """The names of the GoogleTest tests that were recorded."""
    return tuple(record["name"] for record in cell.observed["records"] if record.get("kind") == "test")


def as_text(cell: Cell) -> str:
    """The whole cell as plain text: for a terminal, and for CI systems that show the text of a failure."""
    lines = [cell.why, f"expected: {cell.expected}"]
    for block in blocks(cell):
        lines += ["", f"{block.title}:", *(f"  {line}" for line in block.body.split("\n"))]
    return "\n".join([*lines, "", f"Run it again: {cell.rerun}"])


def _complaints(seen: Mapping[str, Any]) -> Iterator[Block]:
    if seen["complaints"]:
        yield Block(kind=Kind.COMPLAINT, title="The kernel complained", body="\n".join(seen["complaints"]))


def _lacks(records: Sequence[Mapping[str, Any]]) -> Iterator[Block]:
    lacking = [record for record in records if record.get("not_expressible")]
    if lacking:
        title = f"What {binding_title(records)} cannot express, in {number(len(lacking), 'test')}"
        yield Block(kind=Kind.LACK, title=title, body="\n".join(map(_lack, lacking)))


def _lack(record: Mapping[str, Any]) -> str:
    lack = record["not_expressible"]
    return f"{record['name']} needs {lack['what']}: {sentence(lack['reason'].rstrip('.'))}"


def _failures(records: list[dict[str, Any]]) -> Iterator[Block]:
    for record in records:
        for failure in record.get("failures") or ():
            file, line = str(failure.get("file", "")).rpartition("/")[2], failure.get("line")
            title = f"{record['name']} at {file}:{line}" if file else record["name"]
            yield Block(kind=Kind.FAILURE, title=title, body=str(failure.get("text", "")))
        if record.get("wire"):
            title = f"Wire log of {record['name']}"
            yield Block(kind=Kind.WIRE, title=title, body="\n".join(record["wire"]))


def _witnesses(records: list[dict[str, Any]]) -> Iterator[Block]:
    """One block for all tests that saw the same thing; usually they all do."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for record in records:
        if record.get("refusal"):
            alike.setdefault(tuple(_sentences(record["refusal"])), []).append(record["name"])
    for sentences, names in alike.items():
        # A test's parameters ("/Ring8") add nothing here.
        shown = ", ".join(dict.fromkeys(name.partition("/")[0].partition(".")[2] for name in names))
        title = f"The refusal, witnessed by {number(len(names), 'test')} ({shown})"
        yield Block(kind=Kind.WITNESS, title=title, body="\n".join(sentences))


def _sentences(refusal: Mapping[str, Any]) -> Iterator[str]:
    what, result = refusal["what"], refusal["res"]
    if result < 0:
        yield f"{what} was refused with {result_text(result)}; asked again, with {result_text(refusal['again'])}."
    else:
        yield f"{what} completed with {result}: a kernel this old does not read that field."
    yield f"The same request with an unassigned number got {result_text(refusal['nobody'])}."
    yield (
        f"A NOP on the same ring completed with {result_text(refusal['nop_before'])} before it "
        f"and with {result_text(refusal['nop_after'])} after it."
    )
    yield " ".join(_completions(refusal))
    match refusal["probe"]:
        case None:
            yield "This kernel has no probe to ask."
        case has:
            yield f"The kernel's probe says that {refusal['probed']} is {'supported' if has else 'not supported'}."
    if not refusal["happened"]:  # otherwise an objection says what did
        yield "Nothing happened."
    for objection in refusal["objections"]:
        yield f"But: {objection}."


def _completions(refusal: Mapping[str, Any]) -> Iterator[str]:
    extra, flags = refusal["extra_cqes"], refusal["cqe_flags"]
    yield "Each request was answered once," if not extra else f"{number(extra, 'extra answer')} arrived,"
    yield "with our user_data" if refusal["user_data_came_back"] else "not always with our user_data"
    yield "and no flags." if not flags else f"and with flags {flags}."
