# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""reports/junit.xml: the run for CI systems, one test suite per kernel.

    works                     passed
    correctly absent, early   passed; the property `verdict` says which. Something was checked, so not "skipped"
    not expressible           skipped: the binding cannot express it, so nothing was checked
    wrong, missing            failure
    the kernel complained     failure of the type "kernel"
    no verdict                error
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from harness.report import evidence, sanitize, text, view
from harness.report.view import Place
from harness.results.model import Cell, Kernel, Position, Results
from harness.suite.catalogue import Row
from harness.verdicts.judge import Verdict

_FAILURES = {Verdict.WRONG: "wrong", Verdict.MISSING: "missing", Verdict.COMPLAINED: "kernel"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A planned cell, reached or not."""

    row: Row
    suite: str
    cell: Cell | None

    @property
    def verdict(self) -> Verdict:
        return self.cell.verdict if self.cell else Verdict.NONE

    @property
    def seconds(self) -> float:
        return self.cell.ms / 1000 if self.cell else 0.0


def render(results: Results, rows: tuple[Row, ...], where: Place) -> str:
    """The file."""
    del where  # CI systems do not follow links
    results = sanitize.for_everybody(results)
    root = Element("testsuites", name="io_uring conformance")
    every: list[_Case] = []
    by_series = {kernel.series: kernel for kernel in results.kernels}
    for name, series, cases in _suites(results, view.planned(results, rows)):
        suite = SubElement(root, "testsuite", name=name, timestamp=results.header.started.removesuffix("Z"))
        _count(suite, cases)
        _properties(suite, _kernel_facts(by_series.get(series)))
        for case in cases:
            _case(suite, case)
        every += cases
    _count(root, every)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _suites(results: Results, rows: tuple[Row, ...]) -> Iterator[tuple[str, str, list[_Case]]]:
    cells = results.by_position()
    for column in text.columns(results):
        for binding, kind in text.lanes(results):
            name = f"{column.series}{view.through(results, binding, kind)}"
            places = ((row, Position(row.name, column.series, binding, kind)) for row in rows)
            cases = [_Case(row=row, suite=name, cell=cells.get(place)) for row, place in places]
            yield name, column.series, cases


def _count(element: Element, cases: list[_Case]) -> None:
    element.set("tests", str(len(cases)))
    element.set("failures", str(sum(case.verdict in _FAILURES for case in cases)))
    element.set("errors", str(sum(case.verdict is Verdict.NONE for case in cases)))
    element.set("skipped", str(sum(case.verdict is Verdict.NOT_EXPRESSIBLE for case in cases)))
    element.set("time", f"{sum(case.seconds for case in cases):.3f}")


def _case(suite: Element, case: _Case) -> None:
    element = SubElement(
        suite,
        "testcase",
        name=case.row.name,
        classname=case.suite,
        file=case.row.file,
        time=f"{case.seconds:.3f}",
    )
    why = case.cell.why if case.cell else text.NOT_REACHED
    _properties(element, {"verdict": str(case.verdict), "why": why})
    details = evidence.as_text(case.cell) if case.cell else why
    if case.verdict in _FAILURES:
        SubElement(element, "failure", type=_FAILURES[case.verdict], message=why).text = details
    elif case.verdict is Verdict.NONE:
        SubElement(element, "error", type="no verdict", message=why).text = details
    elif case.verdict is Verdict.NOT_EXPRESSIBLE:
        SubElement(element, "skipped", message=why).text = details


def _properties(element: Element, values: dict[str, str]) -> None:
    properties = SubElement(element, "properties")
    for name, value in values.items():
        SubElement(properties, "property", name=name, value=value)


def _kernel_facts(kernel: Kernel | None) -> dict[str, str]:
    facts: dict[str, str] = {}
    for fact in view.kernel_facts(kernel):
        facts.setdefault(fact.label.lower(), fact.value)  # only notices appear more than once
    return facts
