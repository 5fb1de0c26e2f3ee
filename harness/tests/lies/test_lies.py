# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Lies that a kernel tells: each is caught or survived as documented, and what is published says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.base.errors import HarnessError
from harness.base.paths import BUILD, README, REPORTS
from harness.lies import command as lies
from harness.lies import page as report
from harness.lies.model import Expectation, Lie, agree, load, objections
from harness.lies.observe import PATIENT_S, TIMEOUT_S, deciding_rows, judged, listed, observe, seen_through
from harness.matrix.column import Setup, rerun_command
from harness.report.markdown import code, plain
from harness.results.model import Cell
from harness.suite import catalogue, deviations
from harness.suite.binding import DEFAULT
from harness.suite.since import Expected
from harness.verdicts.judge import Verdict
from harness.verdicts.observation import Observation, State


@pytest.fixture
def written(tmp_path):
    """Writes expectations of our own."""

    def write(text: str) -> Path:
        path = tmp_path / "lies.toml"
        path.write_text(text)
        return path

    return write


@pytest.mark.slow(15)
def test_each_lie_is_caught_or_survived_as_documented():
    expected, known = load(), listed(BUILD)
    agree(expected, known)
    _, found = judged(
        known,
        expected,
        lambda lies, timeout_s: observe(
            lies, BUILD, lambda lie: deciding_rows(expected[lie.name]), timeout_s=timeout_s
        ),
    )
    assert not found, "\n".join(found)


def test_what_only_lacked_time_is_no_finding():
    """At a load of 10, 4,000 timeouts of 10 us took longer than the 2 s of the first look."""
    expected = {"slow": Expectation(because="nothing may turn red"), "red": Expectation(because="nor here")}
    both = [Lie(name="slow", says=""), Lie(name="red", says="")]

    def look(known: Sequence[Lie], timeout_s: int) -> list[Lie]:
        looks.append(([lie.name for lie in known], timeout_s))
        red = {"row": ("A.Test",)}
        return [replace(lie, red=red if lie.name == "red" or timeout_s == TIMEOUT_S else {}) for lie in known]

    looks: list[tuple[list[str], int]] = []
    told, found = judged(both, expected, look)
    assert looks == [(["slow", "red"], TIMEOUT_S), (["slow", "red"], PATIENT_S)]
    assert [lie.red for lie in told] == [{}, {"row": ("A.Test",)}]
    assert found == ["A.Test must still pass under red, but failed."]
    assert judged(both[:1], expected, lambda known, timeout_s: known) == (both[:1], [])


@pytest.mark.parametrize(
    ("expectation", "stems"),
    [
        (
            Expectation(caught_by=("Waitid.ReapsTheChild", "NopAtFour.WrapsBothQueuesInOrder")),
            ["nop", "waitid"],
        ),
        (Expectation(caught_by=("Nothing.IsCalledSo",)), None),
        (Expectation(caught_by=("Waitid.ReapsTheChild",), because="no other may turn red"), None),
        (Expectation(because="nothing may turn red"), None),
    ],
)
def test_the_rows_that_decide_about_a_lie(expectation, stems):
    assert [row.stem for row in deciding_rows(expectation)] == (
        stems or [row.stem for row in catalogue.load()]
    )


def test_the_published_page_is_of_these_lies_and_the_readme_says_the_same():
    expected, page = load(), (REPORTS / report.PAGE).read_text()
    shown = [
        Lie(name=lie.name, says=lie.says, red={"row": expected[lie.name].caught_by}) for lie in listed(BUILD)
    ]
    assert (
        report.headline(shown, expected) in page and report.readme_line(shown, expected) in README.read_text()
    ), "run ci/harness lies"
    rows = [line for line in page.splitlines() if line.startswith("| ")][2:]
    assert [row.split(" | ")[1] for row in rows] == [plain(lie.says) for lie in shown], "run ci/harness lies"
    for row, lie in zip(rows, shown, strict=True):
        wanted = expected[lie.name].caught_by[: report.SHOWN]
        assert code(lie.name) in row and all(
            code(test) in row for test in wanted
        ), f"{lie.name}: run ci/harness lies"


# --- differences from the documentation --------------------------------------------------------------------------

CAUGHT = Lie(name="x", says="", red={"nop": ("Nop.A",)}, green=("Nop.B",))


@pytest.mark.parametrize(
    ("expectation", "says"),
    [
        (Expectation(caught_by=("Nop.A",)), []),
        (Expectation(caught_by=("Nop.B",)), ["x is no longer caught by Nop.B."]),
        (
            Expectation(caught_by=("Nop.C",)),
            ["x must be caught by Nop.C, which did not run. Is the name right, or did its row end early?"],
        ),
        (Expectation(because="y"), ["Nop.A must still pass under x, but failed."]),
        (Expectation(caught_by=("Nop.A",), because="y"), []),
    ],
)
def test_a_lie_that_leads_to_something_else_is_told(expectation, says):
    assert objections(CAUGHT, expectation) == says


def test_a_lie_that_must_be_survived_and_is():
    assert objections(replace(CAUGHT, red={}), Expectation(because="y")) == []


def test_a_lie_without_an_entry_and_an_entry_without_a_lie():
    with pytest.raises(HarnessError, match="has no expected outcome for the lie 'x'. Add it there."):
        agree({}, [CAUGHT])
    with pytest.raises(
        HarnessError, match="has 'drops_cqe', which is not a lie of the program. Did you mean 'drops_a_cqe'"
    ):
        agree(
            {"drops_a_cqe": Expectation(), "drops_cqe": Expectation()}, [replace(CAUGHT, name="drops_a_cqe")]
        )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[caught_by]\nx = []", r"lies.toml: caught_by.x must be a list of tests"),
        ('[caught_by]\nx = "Nop.A"', "caught_by.x must be a list of tests"),
        ('[survived]\nx = ""', r"survived.x must be a sentence in quotes that says why"),
        ('[caught_only_by.x]\ntests = ["Nop.A"]', "caught_only_by.x: the key 'because' is missing"),
        ('[survive]\nx = "y"', "unknown key 'survive'. Did you mean 'survived'"),
        ('[survived]\nx = "y"\n[caught_by]\nx = ["Nop.A"]', "'x' is listed twice"),
        ("[", "is not valid TOML: "),
    ],
)
def test_a_wrong_expectation_is_trouble(written, text, says):
    with pytest.raises(HarnessError, match=says):
        load(written(text))


# --- who turned red ----------------------------------------------------------------------------------------------


def cell(verdict: Verdict, state: State, *tests: tuple[str, str], plan: tuple[str, ...] = ()) -> Cell:
    records: list[dict[str, Any]] = [{"kind": "header", "plan": list(plan or (name for name, _ in tests))}]
    records += [
        {"kind": "test", "name": name, "state": said, "refusal": {"shape": "right"}} for name, said in tests
    ]
    row = catalogue.load()[1]
    return Cell(
        test=row.name, stem=row.stem, series="host", kernel="6.1", binding="lie:x", expected=Expected.PRESENT, verdict=verdict,
        observed=Observation(state=state, records=tuple(records)).as_json(), due=("5.1",), ms=1,
        rerun=rerun_command("host", row.stem, DEFAULT[0], Setup(build=BUILD, artefacts=BUILD)),
    )  # fmt: skip


def seen(*cells: Cell) -> Lie:
    return seen_through(Lie(name="x", says=""), cells)


def test_a_test_is_red_if_it_is_with_one_size():
    lie = seen(
        cell(
            Verdict.WRONG,
            State.FAILED,
            ("Nop.A/Ring1", "passed"),
            ("Nop.A/Ring8", "failed"),
            ("Nop.B", "passed"),
        )
    )
    assert (lie.red, lie.green) == ({"nop": ("Nop.A",)}, ("Nop.B",))


def test_a_crash_and_a_hang_are_charged_to_the_test_they_ended():
    died = (("Nop.A", "passed"),)
    assert seen(cell(Verdict.WRONG, State.CRASHED, *died, plan=("Nop.A", "Nop.B", "Nop.C"))).tests == {
        "Nop.B"
    }
    assert seen(cell(Verdict.WRONG, State.TIMEOUT, *died, plan=("Nop.A", "Nop.B"))).tests == {"Nop.B"}
    hung = (*died, ("Nop.B", "timeout"))
    assert seen(cell(Verdict.WRONG, State.TIMEOUT, *hung, plan=("Nop.A", "Nop.B", "Nop.C"))).tests == {
        "Nop.B"
    }


def test_a_refusal_counts_only_where_nothing_may_be_refused():
    assert seen(cell(Verdict.MISSING, State.REFUSED, ("Nop.A", "refused"))).tests == {"Nop.A"}
    assert not seen(cell(Verdict.ABSENT, State.REFUSED, ("Nop.A", "refused"))).tests


def test_what_this_kernel_is_too_old_for_need_not_catch_anything():
    lie = seen(cell(Verdict.ABSENT, State.REFUSED, ("Nop.A/Ring1", "refused"), ("Nop.B", "passed")))
    assert lie.absent == ("Nop.A",)
    assert not objections(lie, Expectation(caught_by=("Nop.A",)))
    assert objections(lie, Expectation(caught_by=("Nop.B",))) == ["x is no longer caught by Nop.B."]


def test_a_cell_without_a_verdict_catches_nothing_and_is_trouble():
    with pytest.raises(
        HarnessError,
        match="Through the lie x, nop has no verdict: blocked: no cause was recorded. Run it again: ci/matrix",
    ):
        seen(cell(Verdict.NONE, State.BLOCKED))


# --- ci/harness lies -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "code"), [("MovesEveryIndexByOne", 0), ("LeavesNoStaleBytesInAReusedSlot", 1)]
)
def test_one_lie_alone_is_checked_and_nothing_is_written(written, capsys, monkeypatch, wanted, code):
    rest = "".join(f'{lie.name} = "because"\n' for lie in listed(BUILD) if lie.name != "enter_ebusy")
    expected = load(written(f'[caught_by]\nenter_ebusy = ["Nop.{wanted}"]\n[survived]\n{rest}'))
    monkeypatch.setattr(lies, "load", lambda: expected)
    monkeypatch.setattr(lies, "publish", lambda *arguments: pytest.fail("written"))
    nop = [row for row in catalogue.load() if row.stem == "nop"]
    monkeypatch.setattr(catalogue, "load", lambda: nop)
    monkeypatch.setattr(deviations, "load", lambda rows: ())  # they are of other rows
    assert lies.main(["--lie", "enter_ebusy"]) == code
    assert ("NOT AS DOCUMENTED: enter_ebusy is no longer caught by" in capsys.readouterr().err) == bool(code)


def test_an_unknown_lie_is_told_with_the_nearest():
    with pytest.raises(HarnessError, match="Unknown lie 'drop_a_cqe'. Did you mean 'drops_a_cqe'"):
        lies.main(["--lie", "drop_a_cqe"])


def test_a_program_that_is_not_there_is_trouble(tmp_path):
    with pytest.raises(
        HarnessError, match="cannot be started: No such file or directory. Build first: ci/build"
    ):
        listed(tmp_path)


def test_the_numbers_and_the_page(tmp_path):
    told = [
        Lie(name="nothing", says="", kernel="6.18"),
        replace(CAUGHT, kernel="6.18"),
        Lie(name="y", says="a | b", kernel="6.18"),
    ]
    expected = {
        "x": Expectation(caught_by=("Nop.A",)),
        "y": Expectation(because="nobody can"),
        "nothing": Expectation(because="it is true"),
    }
    line = "Tests catch 1 of the 2 lies that a kernel can tell; 1 survives, as documented."
    assert report.readme_line(told, expected) == f"{line} [Which test caught which lie](reports/lies.md)."
    page = report.render(told, expected, "..")
    assert line in page and "Linux 6.18)" in page
    assert "| [`x`](#x) |  | 1 | `Nop.A` |" in page
    assert r"| `y` | a \| b | 0 | survived: nobody can |" in page
    assert "- `nop`: `Nop.A`" in page
