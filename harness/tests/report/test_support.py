# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""support.json: what a run shows of a name, and what it does not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from harness.base.paths import REPORTS
from harness.base.toml_file import validator
from harness.report import support
from harness.suite import catalogue
from harness.suite.since import KernelVersion
from harness.tests.runs import cell, run
from harness.verdicts.judge import Verdict

NAME = "IORING_OP_BIND"  # 6.11
(ROW,) = (row for row in catalogue.load() if row.stem == "bind_listen_connect")
BUG = {"what": "it is slow", "blame": "kernel", "source": "seen", "fixed": None}


def answer(verdicts: dict[str, Verdict], row: catalogue.Row = ROW) -> support.Support:
    odd = {
        (row.stem, series): replace(
            cell(row.stem, series, why="so"),
            verdict=verdict,
            deviations=(BUG,) if verdict is Verdict.KNOWN else (),
        )
        for series, verdict in verdicts.items()
    }
    made = run(odd, tests=(row.stem,), kernels=tuple(verdicts))
    return support.of(made, (row,), ())[NAME]


def test_where_it_works_and_where_it_is_absent() -> None:
    seen = answer(
        {
            "7.3": Verdict.KNOWN,
            "6.12": Verdict.WORKS,
            "6.1": Verdict.ABSENT,
            "7.2": Verdict.WRONG,
            "host": Verdict.WORKS,
        }
    )
    assert (seen.works, seen.absent) == (("6.12", "7.3"), ("6.1",)), "oldest first, and without this machine"
    (known,) = seen.deviations
    assert known.as_json() == {"row": ROW.stem, "kernels": ["7.3"], **BUG} and seen.rows == (ROW.stem,)


def test_a_row_that_passes_on_an_older_kernel_shows_nothing_of_what_is_newer() -> None:
    assert answer({"6.1": Verdict.WORKS}).works == ()


def test_a_backport_of_a_row_as_old_as_the_name_is_one_of_the_name() -> None:
    backported = replace(ROW, also=("6.1.5",))
    assert answer({"6.1": Verdict.WORKS}, backported).works == ("6.1",)
    assert answer({"6.1": Verdict.WORKS}, replace(backported, since="6.12")).works == ()
    there = answer({}, backported)
    assert there.is_on(KernelVersion(6, 1, 5)) and not there.is_on(KernelVersion(6, 1, 4))
    assert there.is_on(KernelVersion(6, 11)) and not there.is_on(KernelVersion(6, 10))


def test_the_published_file_is_as_its_schema_says() -> None:
    document = json.loads((REPORTS / support.FILE).read_text())
    check = validator(json.loads(Path(support.__file__).with_name("support_schema.json").read_text()))
    assert not list(check.iter_errors(document))
    assert "6.1" in document["names"]["IORING_ACCEPT_MULTISHOT"]["works"]
    assert document["names"]["IORING_ACCEPT_MULTISHOT"]["absent"] == ["5.10"]
    assert list(check.iter_errors({**document, "names": {"X": {}}}))
