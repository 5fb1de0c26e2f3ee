# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""A run on several kinds of rings: its file, and what each report says of a cell that is odd on one of them only."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from harness.base.errors import HarnessError
from harness.report import changes, html, junit, ktap, matrix, readme, rings, sanitize, terminal, text, view
from harness.report.view import Place
from harness.results.compare import compare
from harness.results.file import parse_results, read_results
from harness.results.model import Position
from harness.suite import catalogue
from harness.tests.runs import cell, run, write
from harness.verdicts.judge import Verdict

KINDS = ("plain", "defer", "sqpoll")
ODD = Position("nop", "6.1", "uring", "sqpoll")
LACKS = {Position(test, "6.1", "uring", "defer"): Verdict.ABSENT for test in ("nop", "readv", "waitid")}
ROWS = tuple(row for row in catalogue.load() if row.name in ("nop", "readv", "waitid"))
RUN = run({ODD: Verdict.WRONG, **LACKS}, configurations=KINDS)
PLACE = Place(home="..")


def test_the_file_names_only_what_is_not_plain(tmp_path: Path) -> None:
    lines = write(RUN, tmp_path / "results.ndjson").read_text().splitlines()
    assert sum('"configuration":' in line for line in lines) == len(RUN.cells) * 2 // 3
    assert '"configurations":["plain","defer","sqpoll"]' in lines[0]
    back = read_results(tmp_path / "results.ndjson")
    assert list(back.by_position()) == RUN.header.plan.positions() and back.by_position()[ODD].surprise
    plain = write(run(), tmp_path / "plain.ndjson").read_text()
    assert "configuration" not in plain, "a file of before is one of today"
    strange = lines[0].replace("sqpoll", "Sq poll")
    with pytest.raises(Exception, match="configurations.2"):
        parse_results("x", "\n".join([strange, *lines[1:]]))


def test_a_tally_for_each_configuration_and_kernel() -> None:
    shown = {lane.title: [tally.sign for tally in lane.tallies] for lane in view.configurations(RUN)}
    assert shown == {"plain": ["3", "3", "3"], "defer": ["·", "3", "3"], "sqpoll": ["2 of 3", "3", "3"]}
    assert view.configurations(run()) == ()


def test_a_row_that_is_not_run_counts_for_nothing() -> None:
    left_out = {
        Position("waitid", series, "uring", "defer"): Verdict.NOT_EXPRESSIBLE
        for series in ("6.1", "7.3", "host")
    }
    shown = {
        lane.title: [tally.sign for tally in lane.tallies]
        for lane in view.configurations(run({ODD: Verdict.WORKS, **LACKS, **left_out}, configurations=KINDS))
    }
    assert shown["defer"] == ["·", "2", "2"]


def test_what_is_odd_on_one_kind_of_ring_is_told_with_it() -> None:
    (finding,) = text.findings(RUN)
    assert finding.configuration == "sqpoll"
    (article,) = view.articles(RUN, ROWS)
    assert article.title == "nop on 6.1 under sqpoll" and article.anchors == ("nop@6.1@uring@sqpoll",)
    told = next(fact.value for fact in article.facts if fact.label == "To blame")
    assert told.endswith("odd only under sqpoll: on a plain ring the same test works")


def test_every_report_tells_the_configuration() -> None:
    said = terminal.render(RUN)
    assert (
        re.search(r"^sqpoll +2 of 3 +3 +3 +\d+$", said, re.MULTILINE)
        and "✗ nop on 6.1 under sqpoll: " in said
    )
    assert "odd only under sqpoll" in said
    page = matrix.render(RUN, ROWS, PLACE)
    assert (
        "| sqpoll | [2 of 3](#nop@6.1@uring@sqpoll) | 3 | 3 | 3 |" in page
        and '<a id="nop@6.1@uring@sqpoll">' in page
    )
    shown = html.render(RUN, ROWS, PLACE)
    assert 'href="#configuration=sqpoll"' in shown and shown.count('data-configuration="sqpoll"') == 3
    suites = ElementTree.fromstring(junit.render(RUN, ROWS, PLACE))
    (failed,) = (suite.get("name") for suite in suites if suite.get("failures") == "1")
    assert failed == "6.1 under sqpoll"
    assert "not ok 3 6.1 under sqpoll" in ktap.render(RUN, ROWS, PLACE)


def test_the_readme_shows_a_table_whose_cells_are_not_published() -> None:
    shown = readme.render(RUN.under("plain"), ROWS, rings.of(RUN))
    assert "| Configuration | 6.1 | 7.3 | host (6.18) | ms a cell |" in shown
    assert "| defer | · | 3 | 3 | 3 |" in shown and "| sqpoll | 2 of 3 | 3 | 3 | 3 |" in shown
    assert "need a look:\n\n- nop on 6.1 under sqpoll\n" in shown
    assert "Configuration |" not in readme.render(RUN.under("plain"), ROWS)


def test_the_table_is_a_file_of_its_own(tmp_path: Path) -> None:
    table = rings.of(RUN)
    assert table is not None and rings.of(run()) is None
    path = tmp_path / rings.FILE
    assert rings.read(path) is None
    path.write_text(rings.as_text(table))
    assert rings.read(path) == table
    for damage in ("", "[]", "{}", rings.as_text(table).replace('"7.3", ', "")):
        path.write_text(damage)
        with pytest.raises(HarnessError, match="ci/matrix --configuration all --publish"):
            rings.read(path)


def test_a_cell_costs_what_it_takes_where_there_is_such_a_ring() -> None:
    slow = [replace(one, ms=9) if one.position == ODD else one for one in RUN.cells]
    slow = [replace(one, ms=1000) if one.position in LACKS else one for one in slow]
    costs = {
        lane.configuration: lane.cell_ms for lane in view.configurations(replace(RUN, cells=tuple(slow)))
    }
    assert costs == {"plain": 3, "defer": 3, "sqpoll": 4}


def test_the_table_of_a_row_per_line_is_of_plain_rings() -> None:
    table = [line for line in readme.render(RUN, ROWS).splitlines() if line.startswith("| [")]
    assert len(table) == len(ROWS) and all("✗" not in line for line in table)


def test_a_difference_names_the_configuration() -> None:
    found = changes.render(
        compare(run(configurations=KINDS), run({ODD: Verdict.WRONG}, configurations=KINDS))
    )
    assert "✓ → ✗  nop on 6.1 under sqpoll" in found
    more = changes.render(compare(run(), run(configurations=("plain", "sqpoll"))))
    assert "The configuration sqpoll is new" in more


def test_a_cell_of_another_configuration_is_another_cell() -> None:
    assert cell("nop", "6.1").position != cell("nop", "6.1", configuration="sqpoll").position


def test_a_run_is_cleaned_once_for_all_of_its_reports() -> None:
    first, other = sanitize.for_everybody(RUN), sanitize.for_everybody(run())
    assert first is not other and other.header.plan.configurations == ("plain",)
    assert sanitize.for_everybody(RUN) == first and sanitize.for_everybody(RUN) is sanitize.for_everybody(RUN)
