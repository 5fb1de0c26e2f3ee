# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Reports of a run through several bindings, against approved text: a canned run in which each culprit is to blame once.

After a wanted change: python3 -m harness.tests.report.test_bindings_report approve, and read the difference.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import pytest

from harness.base.errors import HarnessError
from harness.report import evidence, folder, readme, terminal, text, view
from harness.report.readme import Links
from harness.results.file import read_results
from harness.results.model import Cell, Footer, Plan, Results
from harness.suite.binding import is_ours
from harness.suite.since import Expected
from harness.tests.report.test_report import GOLDEN, PLACE, REFUSAL, ROWS, RUN
from harness.tests.runs import write
from harness.verdicts.blame import Culprit
from harness.verdicts.judge import Verdict, judge
from harness.verdicts.observation import Observation, Shape, State
from harness.verdicts.why import why

APPROVED = GOLDEN / "bindings"
VERSIONS = {"uring": "0.2", "liburing": "2.3", "liburing-2.15": "2.15", "raw": "1"}
KERNELS = ("5.10", "6.1", "host")
DUE = Expected.PRESENT, Expected.PRESENT, Expected.PRESENT
#: What each test saw: a word for each kernel, in it a letter for each binding. Then what is due where.
SEEN: dict[str, tuple[str, tuple[Expected, ...]]] = {
    "structs/offsets/entries": ("pppp pppp pppp", DUE),
    "nop": ("pwpp pppp pppp", DUE),  # the kernel complains
    "write/read": ("pcpp pcpp pcpp", DUE),  # the binding crashes, everywhere
    "openat": ("pppp ffff pppp", DUE),  # a kernel
    "shutdown": ("pffp pffp pffp", DUE),  # all versions of a library
    "mkdirat": ("rrrr pppp fffp", (Expected.ABSENT, *DUE[1:])),  # everything but bare system calls
    "waitid": ("rurr ruur pupp", (Expected.ABSENT, Expected.ABSENT, Expected.PRESENT)),  # not expressible
    "bind/listen/connect": ("ffff ffff ffff", DUE),  # the test
}
LACK = {"what": "WAITID", "reason": "io_uring_prep_waitid came with <liburing> 2.5 | see `man`"}
WITNESS = REFUSAL | {
    "again": -22, "nobody": -22, "nop_before": 0, "nop_after": 0, "cqe_flags": 0, "extra_cqes": 0,
    "user_data_came_back": True, "happened": "",
}  # fmt: skip
FAILURE = {"file": "x_test.cc", "line": 12, "text": "cqe.res\n  is: -22"}


def records(suite: str, binding: str, state: str, **more: object) -> tuple[dict[str, Any], ...]:
    """The output of a program whose second test ended this way."""
    encodes, works = (
        {"kind": "test", "name": f"{suite}.{name}", "state": "passed"} for name in ("Encodes", "Works")
    )
    header: dict[str, Any] = {
        "kind": "header",
        "schema": 1,
        "binding": {"name": binding, "version": VERSIONS[binding]},
        "plan": [],
    }
    return header, encodes, works | {"state": state} | more, {"kind": "footer", "ran": 2}


def observed(letter: str, suite: str, binding: str) -> Observation:
    """The meaning of a letter."""
    warning = "<4>WARNING: CPU: 0 PID: 71 at fs/io_uring.c:9411"
    passed = Observation(state=State.PASSED, records=records(suite, binding, "passed"), taint=(0, 0), ms=3)
    match letter:
        case "w":
            return replace(passed, kmsg=(warning,), complaints=(warning,))
        case "f":
            return replace(
                passed, state=State.FAILED, records=records(suite, binding, "failed", failures=[FAILURE])
            )
        case "c":
            return replace(passed, state=State.CRASHED, cause=f"died of signal 6 (SIGABRT) in {suite}.Works")
        case "r":
            seen = records(suite, binding, "refused", refusal=WITNESS)
            return replace(passed, state=State.REFUSED, shape=Shape.RIGHT, records=seen)
        case "u":
            seen = records(suite, binding, "not_expressible", not_expressible=LACK)
            return replace(passed, state=State.NOT_EXPRESSIBLE, records=seen)
    return passed


def cells() -> Iterator[Cell]:
    """All cells, judged and explained as a column does it."""
    for row in ROWS:
        words, due = SEEN[row.name]
        for series, word, expected in zip(KERNELS, words.split(), due, strict=True):
            for binding, letter in zip(VERSIONS, word, strict=True):
                seen = observed(letter, row.suite, binding)
                verdict = judge(
                    seen.state, seen.shape, expected, bool(seen.complaints), ours=is_ours(binding)
                )
                yield Cell(
                    test=row.name, stem=row.stem, series=series, kernel="release", binding=binding, observed=seen.as_json(),
                    expected=expected, verdict=verdict, due=row.due, ms=3,
                    rerun=f"ci/matrix --kernel {series} --test {row.stem} --binding {binding}",
                )  # fmt: skip


def canned() -> Results:
    plan = Plan(tests=tuple(SEEN), kernels=KERNELS, bindings=tuple(VERSIONS))
    kernels = tuple(
        replace(kernel, bindings=VERSIONS, notices=()) for kernel in RUN.kernels if kernel.series in KERNELS
    )
    found = tuple(cells())
    footer = Footer.count(plan, found, ended=RUN.footer.ended)
    return Results(header=replace(RUN.header, plan=plan), kernels=kernels, cells=found, footer=footer)


BOUND = canned()
LINKS = Links(details="https://example.org/matrix.md", home="https://example.org/suite/")
RENDERED: dict[str, Callable[[], str]] = {
    "readme.md": lambda: readme.render(BOUND, ROWS) + "\n",
    "table.md": lambda: readme.excerpt(BOUND, ROWS, "liburing", LINKS),
    "terminal.txt": lambda: terminal.render(BOUND),
    **{name: lambda render=render: render(BOUND, ROWS, PLACE) for name, render in folder.RENDERERS.items()},
}


@pytest.mark.parametrize("name", RENDERED)
def test_the_report_is_the_approved_one(name):
    assert RENDERED[name]() == (APPROVED / name).read_text()


def test_the_run_goes_through_its_file(tmp_path):
    again = read_results(write(BOUND, tmp_path / "results.ndjson"))
    assert [cell.as_json() for cell in again.cells] == [
        json.loads(json.dumps(cell.as_json())) for cell in BOUND.cells
    ]
    assert again.kernels == BOUND.kernels


def test_what_the_canned_run_is_for():
    assert {cell.verdict for cell in BOUND.cells} == set(Verdict) - {
        Verdict.MISSING,
        Verdict.EARLY,
        Verdict.NONE,
        Verdict.KNOWN,
        Verdict.GONE,
    }
    accused: dict[str, set[str]] = {}
    for finding in text.findings(BOUND):
        for test in finding.tests:
            says = view.blamed(BOUND, replace(finding, tests=(test,)))
            accused.setdefault(test, set()).add(str(says).partition(":")[0])
    assert accused == {
        "nop": {Culprit.KERNEL},
        "write/read": {Culprit.BINDING},
        "openat": {Culprit.KERNEL},
        "shutdown": {Culprit.ASSUMPTION},
        "mkdirat": {Culprit.ASSUMPTION},
        "bind/listen/connect": {Culprit.TEST},
    }
    for name in ("matrix.md", "index.html", "terminal.txt"):
        assert all(culprit in RENDERED[name]() for culprit in set(Culprit) - {Culprit.UNKNOWN}), name


def test_what_cannot_be_said_is_told_and_needs_no_look():
    (cell,) = (one for one in BOUND.cells if one.position[:3] == ("waitid", "host", "liburing"))
    assert cell.verdict is Verdict.NOT_EXPRESSIBLE and not cell.surprise
    assert cell.why == (
        "1 of 2 tests passed; Waitid.Works needs WAITID, which liburing 2.3 cannot express: "
        "io_uring_prep_waitid came with <liburing> 2.5 | see `man`"
    )
    (block,) = evidence.lacks(cell)
    assert block.title == "What liburing 2.3 cannot express, in 1 test"
    assert (
        block.body == "Waitid.Works needs WAITID: io_uring_prep_waitid came with <liburing> 2.5 | see `man`."
    )
    assert evidence.blocks(cell) == (block,)


WAITID = next(row for row in ROWS if row.name == "waitid")
UNSAID, PASSED = ({"kind": "test", "name": name} for name in ("Waitid.A", "Waitid.B"))
UNSAID |= {"state": "not_expressible", "not_expressible": LACK | {"reason": "it is too old."}}  # type: ignore[dict-item]
PASSED |= {"state": "passed"}
REFUSED = {"kind": "test", "name": "Waitid.C", "state": "refused", "refusal": WITNESS}


@pytest.mark.parametrize(
    ("tests", "shape", "expected", "ours", "says"),
    [
        (
            [UNSAID], None, DUE[0], False,
            "0 of 1 test passed; Waitid.A needs WAITID, which this binding cannot express: it is too old",
        ),
        (
            [UNSAID, PASSED, UNSAID], None, DUE[0], False,
            "1 of 3 tests passed; Waitid.A needs WAITID, which this binding cannot express: it is too old (and 1 more)",
        ),
        (
            [UNSAID, REFUSED], Shape.RIGHT, Expected.ABSENT, False,
            "0 of 2 tests passed, 1 was refused; Waitid.A needs WAITID, which this binding cannot express: it is too old",
        ),
        (
            [UNSAID, REFUSED], Shape.RIGHT, Expected.PRESENT, False,
            "MKDIRAT refused with -EINVAL, but due since 6.7: NOPs before and after succeeded, an unassigned opcode was refused the same way, "
            "probe lacks MKDIRAT",
        ),
        (
            [UNSAID], None, DUE[0], True,
            "0 of 1 test passed; Waitid.A needs WAITID, which this binding cannot express: it is too old; "
            "this binding is ours and must express everything",
        ),
        ([PASSED], None, DUE[0], False, "not expressible, and no reason was recorded"),
    ],
)  # fmt: skip
def test_why_a_row_is_not_expressible(tests, shape, expected, ours, says):
    seen = Observation(state=State.NOT_EXPRESSIBLE, shape=shape, records=tuple(tests))
    verdict = judge(seen.state, seen.shape, expected, False, ours=ours)
    assert why(WAITID.due, seen.as_json(), expected, verdict) == says


def test_kernels_that_differ_alike_are_one_line():
    columns = text.columns(RUN)
    names = [column.series for column in columns]
    assert names == ["5.10", "6.1", "6.12", "7.3", "custom", "host"]

    def in_words(*some: str) -> str:
        return view.in_words([columns[names.index(one)] for one in some], columns)

    assert in_words(*names) == "every kernel"
    assert in_words("6.1") == "6.1"
    assert in_words("6.1", "6.12") == "6.1, 6.12"
    assert in_words("5.10", "6.1", "6.12", "host") == "5.10 to 6.12, host (6.18)"
    assert in_words("5.10", "6.12", "7.3", "custom", "host") == "5.10, 6.12 to host (6.18)"
    only = columns[:1]
    assert view.in_words([*only], only) == "5.10"


def test_bindings_that_agree_say_so():
    alike = tuple(replace(cell, verdict=Verdict.WORKS) for cell in BOUND.cells)
    quiet = replace(BOUND, cells=alike, footer=Footer.count(BOUND.header.plan, alike, BOUND.footer.ended))
    assert "The bindings agree in every cell that has a verdict." in terminal.render(quiet)
    for name in ("matrix.md", "index.html"):
        assert "The bindings agree in every cell that has a verdict." in folder.RENDERERS[name](
            quiet, ROWS, PLACE
        ), name


def test_who_has_no_verdict_contradicts_nobody():
    few = [cell for cell in BOUND.cells if cell.test in ("write/read", "openat") and cell.binding != "raw"]
    cut = replace(BOUND, cells=few, footer=Footer.count(BOUND.header.plan, few, BOUND.footer.ended))
    (contrast,) = view.contrasts(cut)
    assert (contrast.test, [cell.sign for cell in contrast.cells]) == ("write/read", ["✓", "✗", "✓", "?"])
    for render in folder.RENDERERS.values():
        assert render(cut, ROWS, PLACE)


def test_every_link_has_its_place():
    page = RENDERED["matrix.md"]()
    places = re.findall(r'<a id="([^"]+)"></a>', page)
    links = re.findall(r"\]\(reports/matrix\.md#([^)]+)\)", RENDERED["readme.md"]()) + re.findall(
        r"\]\(#([^)]+)\)", page
    )
    assert len(links) > 40 and set(links) <= set(places) and len(places) == len(set(places))
    table = re.findall(r"\]\(https://example\.org/matrix\.md#([^)]+)\)", RENDERED["table.md"]())
    assert table and set(table) <= set(places)


def test_only_ours_must_have_words_for_everything():
    ours = BOUND.through("uring")
    assert "–" not in text.legend(ours) and "–" in text.legend(BOUND)
    assert "not expressible" not in terminal.render(ours) and "not expressible" in terminal.render(BOUND)


def test_a_part_of_a_run_is_a_run():
    part = BOUND.through("liburing")
    assert part.footer == Footer.count(part.header.plan, part.cells, BOUND.footer.ended)
    assert part.footer.complete and part.footer.cells * len(VERSIONS) == BOUND.footer.cells
    with pytest.raises(HarnessError, match="not for other. Run ci/matrix --binding other"):
        BOUND.through("other")


def test_junit_and_ktap_skip_what_nobody_asked_and_nothing_else():
    root = ElementTree.fromstring(RENDERED["junit.xml"]().encode())
    skipped = [case for case in root.iter("testcase") if case.find("skipped") is not None]
    unsaid = [cell for cell in BOUND.cells if cell.verdict is Verdict.NOT_EXPRESSIBLE]
    assert sorted((case.attrib["classname"], case.attrib["name"]) for case in skipped) == sorted(
        (f"{cell.series} through {cell.binding}", cell.test) for cell in unsaid
    )
    assert root.attrib["skipped"] == str(len(unsaid))
    lines = [line for line in RENDERED["results.ktap"]().splitlines() if "# SKIP" in line]
    assert len(lines) == len(unsaid) and all(
        re.match(r"  ok \d+ waitid # SKIP 1 of 2 tests passed;", line) for line in lines
    )


if __name__ == "__main__" and sys.argv[1:] == ["approve"]:
    APPROVED.mkdir(exist_ok=True)
    for name, render in RENDERED.items():
        (APPROVED / name).write_text(render())
