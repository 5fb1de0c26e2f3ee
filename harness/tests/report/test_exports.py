"""The machine-readable reports: a CI system, the kernel's test tools and a badge read the truth from them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from harness.base.errors import HarnessError
from harness.report import badge, evidence, junit, ktap, sanitize, text
from harness.report.view import Place
from harness.results.model import Cell, Results
from harness.tests.report.test_report import ROWS, RUN, small_run
from harness.verdicts.judge import Verdict

NOWHERE = Place(home=".")
CLEAN = sanitize.for_everybody(RUN)
CUT_SHORT = small_run(Verdict.WORKS, kernels=("6.1", "6.12"))
TWO_BINDINGS = small_run(Verdict.WORKS, bindings=("uring", "liburing"))

# --- JUnit ------------------------------------------------------------------------------------------------------


def suites(run: Results) -> list[Element]:
    """The test suites, read from bytes as a CI system would."""
    root = ElementTree.fromstring(junit.render(run, ROWS, NOWHERE).encode())
    assert root.tag == "testsuites" and {child.tag for child in root} == {"testsuite"}
    check_counts(root)
    return list(root)


def check_counts(element: Element) -> None:
    cases = list(element.iter("testcase"))
    counted = {
        "tests": len(cases),
        "failures": sum(case.find("failure") is not None for case in cases),
        "errors": sum(case.find("error") is not None for case in cases),
        "skipped": sum(case.find("skipped") is not None for case in cases),
    }
    assert {name: int(element.attrib[name]) for name in counted} == counted
    assert float(element.attrib["time"]) == pytest.approx(sum(float(case.attrib["time"]) for case in cases))


def properties(element: Element) -> dict[str, str]:
    return {found.attrib["name"]: found.attrib["value"] for found in element.findall("properties/property")}


def test_junit_has_a_suite_for_each_kernel_and_every_planned_test():
    found = suites(RUN)
    assert [suite.attrib["name"] for suite in found] == [column.series for column in text.columns(RUN)]
    for suite in found:
        check_counts(suite)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite.attrib["timestamp"])
        assert [case.attrib["name"] for case in suite.iter("testcase")] == [row.name for row in ROWS]
        assert {case.attrib["classname"] for case in suite.iter("testcase")} == {suite.attrib["name"]}
    assert properties(found[0])["release"] == "5.10.0-44-cloud-amd64"
    assert properties(found[0])["sha-256"]


@pytest.mark.parametrize(
    ("verdict", "outcome", "kind"),
    [
        (Verdict.WORKS, None, None),
        (Verdict.ABSENT, None, None),
        (Verdict.EARLY, None, None),
        (Verdict.MISSING, "failure", "missing"),
        (Verdict.WRONG, "failure", "wrong"),
        (Verdict.COMPLAINED, "failure", "kernel"),
        (Verdict.NONE, "error", "no verdict"),
    ],
)
def test_junit_says_what_each_verdict_is(verdict: Verdict, outcome: str | None, kind: str | None):
    cells = {(cell.test, cell.series): cell for cell in CLEAN.cells if cell.verdict is verdict}
    assert cells
    for case in (case for suite in suites(RUN) for case in suite.iter("testcase")):
        cell = cells.get((case.attrib["name"], case.attrib["classname"]))
        if cell is None:
            continue
        ends = [child for child in case if child.tag != "properties"]
        assert properties(case) == {"verdict": str(verdict), "why": cell.why}
        assert float(case.attrib["time"]) == cell.ms / 1000
        assert [end.tag for end in ends] == ([outcome] if outcome else [])
        for end in ends:
            assert (end.attrib["type"], end.attrib["message"]) == (kind, cell.why)
            assert end.text == evidence.as_text(cell)  # hostile words and all


def test_junit_of_a_run_that_was_cut_short_has_errors_where_nothing_ran():
    ran, missing = suites(CUT_SHORT)
    assert (ran.attrib["errors"], missing.attrib["errors"]) == ("0", "1")
    error = missing.find("testcase/error")
    assert error is not None and error.text == text.NOT_REACHED


def test_junit_keeps_bindings_apart():
    assert [suite.attrib["name"] for suite in suites(TWO_BINDINGS)] == ["6.1 through uring", "6.1 through liburing"]


# --- KTAP -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Test:
    """A result line with the diagnostics above it."""

    ok: bool
    name: str
    directive: str
    diagnostics: list[str]
    subtests: list[Test] = field(default_factory=list)

    __test__ = False  # for pytest


class Parser:
    """KTAP version 1, strictly: a line that is not a version, plan, result or diagnostic is an error."""

    RESULT = re.compile(r"(ok|not ok) (\d+) ([^#]+?)(?: # (.+))?")

    def __init__(self, document: str) -> None:
        assert document.endswith("\n") and not document.endswith("\n\n")
        self.lines = document.removesuffix("\n").split("\n")

    def tests(self, indent: str = "") -> list[Test]:
        """The tests at this depth, whose plan must come first and be kept."""
        assert self.lines.pop(0) == f"{indent}KTAP version 1"
        found: list[Test] = []
        planned: int | None = None
        diagnostics: list[str] = []
        subtests: list[Test] = []
        while self.lines and self.lines[0].startswith(indent):
            line = self.lines[0].removeprefix(indent)
            if line == "  KTAP version 1":
                assert not subtests, "a result has to follow its subtests"
                subtests = self.tests(f"{indent}  ")
                continue
            self.lines.pop(0)
            if line.startswith("#"):
                diagnostics.append(line[1:].removeprefix(" "))
            elif plan := re.fullmatch(r"1\.\.(\d+)", line):
                assert planned is None and not found, "one plan, before all results"
                planned = int(plan[1])
                diagnostics = []  # those before it are about the whole run
            else:
                result = self.RESULT.fullmatch(line)
                assert result, f"no line of KTAP: {line!r}"
                assert int(result[2]) == len(found) + 1, f"out of order: {line!r}"
                found.append(Test(result[1] == "ok", result[3], result[4] or "", diagnostics, subtests))
                diagnostics, subtests = [], []
        assert planned == len(found), f"{planned} planned, {len(found)} found"
        return found


def parsed(run: Results) -> list[Test]:
    parser = Parser(ktap.render(run, ROWS, NOWHERE))
    found = parser.tests()
    assert not parser.lines, "something follows the last result"
    return found


def test_ktap_nests_tests_below_their_kernel():
    found = parsed(RUN)
    assert [kernel.name for kernel in found] == [column.series for column in text.columns(RUN)]
    for kernel in found:
        assert [test.name for test in kernel.subtests] == [row.name for row in ROWS]
        assert kernel.ok == all(test.ok for test in kernel.subtests)
    assert {kernel.ok for kernel in parsed(small_run(Verdict.WORKS, Verdict.ABSENT, Verdict.EARLY))} == {True}


@pytest.mark.parametrize(
    ("verdict", "ok", "directives"),
    [
        (Verdict.WORKS, True, {""}),
        (Verdict.ABSENT, True, {"correctly"}),
        (Verdict.EARLY, True, {"early:"}),
        (Verdict.MISSING, False, {"missing:"}),
        (Verdict.WRONG, False, {"wrong:", "TIMEOUT"}),
        (Verdict.COMPLAINED, False, {"the"}),
        (Verdict.NONE, False, {"ERROR"}),
    ],
)
def test_ktap_says_what_each_verdict_is(verdict: Verdict, ok: bool, directives: set[str]):
    by_place = {(cell.test, cell.series): cell for cell in CLEAN.cells}
    seen = set()
    for kernel in parsed(RUN):
        for test in kernel.subtests:
            cell = by_place[test.name, kernel.name]
            if cell.verdict is verdict:
                assert test.ok == ok
                seen.add(test.directive.split(" ")[0])
                assert ("\n".join(test.diagnostics) == told(cell)) == (not ok)
    assert seen == directives


def told(cell: Cell) -> str:
    return "\n".join(line.rstrip() for line in evidence.as_text(cell).split("\n"))


def test_ktap_never_says_skip():
    assert "SKIP" not in ktap.render(RUN, ROWS, NOWHERE)


def test_ktap_of_a_run_that_was_cut_short_keeps_its_plan():
    ran, missing = parsed(CUT_SHORT)
    assert ran.ok and not missing.ok
    assert missing.subtests[0].directive == f"ERROR {text.NOT_REACHED}"


def test_ktap_keeps_bindings_apart():
    assert [kernel.name for kernel in parsed(TWO_BINDINGS)] == ["6.1 through uring", "6.1 through liburing"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda lines: lines.pop(),
        lambda lines: lines.pop(-2),
        lambda lines: lines.remove("1..6"),
        lambda lines: lines.append("loose words"),
        lambda lines: lines.insert(lines.index("  ok 3 write/read"), "  ok 3 write/read"),
    ],
    ids=["no last result", "a subtest less", "no plan", "words", "a result twice"],
)
def test_the_parser_of_ktap_is_strict(damage):
    lines = ktap.render(RUN, ROWS, NOWHERE).split("\n")[:-1]
    damage(lines)
    with pytest.raises(AssertionError):
        Parser("\n".join(lines) + "\n").tests()


# --- the badge --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdicts", "message", "color"),
    [
        ((Verdict.WORKS, Verdict.ABSENT), "no surprises on 1 kernel", "brightgreen"),
        ((Verdict.WORKS, Verdict.EARLY), "1 surprise on 1 kernel", "yellow"),
        ((Verdict.NONE, Verdict.NONE), "2 surprises on 1 kernel", "lightgrey"),
        ((), "1 surprise on 1 kernel", "lightgrey"),  # cut short: nothing is known
        ((Verdict.NONE, Verdict.EARLY, Verdict.MISSING), "3 surprises on 1 kernel", "red"),
        ((Verdict.COMPLAINED,), "1 surprise on 1 kernel", "red"),
    ],
)
def test_the_badge_tells_surprises(verdicts: tuple[Verdict, ...], message: str, color: str):
    told = json.loads(badge.render(small_run(*verdicts), ROWS, NOWHERE))
    assert told == {"schemaVersion": 1, "label": "io_uring", "message": message, "color": color}


def test_results_of_another_catalogue_are_refused():
    other = replace(RUN, header=replace(RUN.header, plan=replace(RUN.header.plan, tests=("nop", "gone"))))
    with pytest.raises(HarnessError, match="have the test 'gone', but the catalogue does not"):
        junit.render(other, ROWS, NOWHERE)
