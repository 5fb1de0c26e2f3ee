"""Reports against approved text, from one canned run that contains every verdict.

After a wanted change: python3 -m harness.tests.test_report approve, and read the difference.
"""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness import catalogue, results
from harness.catalogue import Evidence, Row
from harness.judge import Verdict, judge, sign
from harness.observation import Observation, Shape, State
from harness.report import readme, terminal, text
from harness.results import Cell, Footer, Header, Kernel, Plan, Results
from harness.since import Expected
from harness.trouble import Trouble

GOLDEN = Path(__file__).parent / "golden"
ROWS = catalogue.load(GOLDEN / "catalogue.toml")
RUN = results.read(GOLDEN / "results.ndjson")
RENDERED = {
    "readme.md": lambda: readme.render(RUN, ROWS) + "\n",
    "terminal.txt": lambda: terminal.render(RUN),
}


@pytest.mark.parametrize("name", RENDERED)
def test_the_report_is_the_approved_one(name):
    assert RENDERED[name]() == (GOLDEN / name).read_text()


def test_the_canned_run_holds_every_verdict_and_judges_itself_rightly():
    assert {cell.verdict for cell in RUN.cells} == set(Verdict)
    by_name = {row.name: row for row in ROWS}
    for cell in RUN.cells:
        observed = dict(cell.observed)
        observed["state"] = State(observed["state"])
        observed["shape"] = Shape(observed["shape"]) if observed["shape"] else None
        seen = Observation(**observed)
        assert cell.verdict is judge(seen.state, seen.shape, cell.expected, bool(seen.complaints))
        assert cell.why == text.why(by_name[cell.test], seen, cell.expected, cell.verdict)


def test_the_readme_names_no_place_on_this_machine():
    block = readme.render(RUN, ROWS)
    assert any("/home/someone" in cell.why for cell in RUN.cells), "the canned run must put it to the test"
    assert any("/home/someone" in cell.rerun for cell in RUN.cells)
    assert "/home" not in block and "/tmp" not in block


def test_every_sign_has_its_sentence():
    assert set(text.LEGEND) == {sign(verdict) for verdict in Verdict}
    assert all(shown in text.LEGEND_SHORT for shown in text.LEGEND)


def test_only_surprises_are_links():
    table = [line for line in readme.render(RUN, ROWS).splitlines() if re.match(r"\| \[[a-z]", line)]
    assert len(table) == len(ROWS)
    signs = [field.strip() for line in table for field in line.split("|")[3:-1]]
    assert len(signs) == len(RUN.cells)
    for shown in signs:
        assert shown in ("✓", "·") or re.fullmatch(r"\[[✗!+?]\]\(#needs-a-look\)", shown), shown


def test_the_block_goes_between_its_markers_and_nowhere_else():
    page = f"# Title\n{readme.BEGIN}\nold\n{readme.END}\nrest\n"
    wanted = f"# Title\n{readme.BEGIN}\nnew\n{readme.END}\nrest\n"
    assert readme.replace_between_markers(page, "new") == wanted


@pytest.mark.parametrize(
    "page",
    [
        "no markers at all",
        readme.BEGIN,
        readme.END,
        f"{readme.END}{readme.BEGIN}",
        f"{readme.BEGIN}{readme.END}{readme.END}",
        f"{readme.BEGIN}{readme.BEGIN}{readme.END}",
    ],
)
def test_a_readme_without_its_markers_is_left_alone(page):
    with pytest.raises(Trouble, match="The README must hold"):
        readme.replace_between_markers(page, "new")


def test_a_readme_that_says_something_else_is_noticed():
    page = readme.replace_between_markers(f"a\n{readme.BEGIN}{readme.END}\n", readme.render(RUN, ROWS))
    assert not readme.differs(page, RUN, ROWS)
    assert readme.differs(page.replace("✓", "·", 1), RUN, ROWS)
    wrong = replace(RUN.cells[0], verdict=Verdict.WRONG)
    assert readme.differs(page, replace(RUN, cells=(wrong, *RUN.cells[1:])), ROWS)


def test_only_a_complete_run_of_the_whole_catalogue_is_published():
    with pytest.raises(Trouble, match="did not reach all of its cells"):
        readme.render(replace(RUN, footer=replace(RUN.footer, complete=False)), ROWS)
    with pytest.raises(Trouble, match="exactly the tests of the catalogue"):
        readme.render(RUN, ROWS[:-1])


def small_run(
    *verdicts: Verdict, kernels: tuple[str, ...] = ("6.1",), bindings: tuple[str, ...] = ("uring",)
) -> Results:
    """As many cells as verdicts, kernel by kernel, through the first binding; the rest is not reached."""
    tests = tuple(row.name for row in ROWS[: max(1, len(verdicts))])
    plan = Plan(tests=tests, kernels=kernels, bindings=bindings)
    cells = tuple(
        replace(
            RUN.cells[0],
            test=test,
            series=kernels[0],
            binding=bindings[0],
            verdict=verdict,
            why="so it is",
        )
        for test, verdict in zip(tests, verdicts, strict=False)
    )
    return Results(
        header=replace(RUN.header, plan=plan),
        kernels=tuple(replace(RUN.kernels[0], series=series) for series in kernels),
        cells=cells,
        footer=Footer.count(plan, cells, ended=RUN.footer.ended),
    )


@pytest.mark.parametrize(
    ("verdicts", "headline"),
    [
        ((Verdict.WORKS,), "1 cell: 1 works, 0 correctly absent, 0 need a look"),
        ((Verdict.ABSENT, Verdict.EARLY), "2 cells: 0 work, 1 correctly absent, 1 needs a look"),
        ((Verdict.MISSING, Verdict.NONE), "2 cells: 0 work, 0 correctly absent, 2 need a look"),
        ((), "1 cell: 0 work, 0 correctly absent, 1 needs a look"),  # a hole is a surprise
    ],
)
def test_the_headline_counts_surprises(verdicts, headline):
    assert text.headline(small_run(*verdicts)) == headline


def test_a_quiet_run_has_nothing_to_look_at():
    run = small_run(Verdict.WORKS, Verdict.ABSENT)
    assert text.findings(run) == ()
    assert "Needs a look" not in readme.render(run, ROWS[:2])


def test_a_run_that_was_cut_short_says_so_and_leaves_no_cell_blank():
    shown = terminal.render(small_run(Verdict.WORKS, kernels=("6.1", "6.12")))
    assert re.search(r"^structs/offsets/entries +✓ +\?$", shown, re.MULTILINE)
    assert "? structs/offsets/entries on 6.12: the run ended before it had a result" in shown
    assert shown.endswith("Cut short: 1 of 2 cells have a result.\n")
    assert "Cut short" not in terminal.render(small_run(Verdict.WORKS))


def test_columns_go_from_old_to_new_with_the_host_last():
    run = small_run(kernels=("host", "6.12", "own-image", "6.1", "5.10", "5.4"))
    host = replace(RUN.kernels[0], series="host", release="6.18.44-fc-v669", version="#1 SMP")
    run = replace(run, kernels=(host,))
    headings = [column.heading for column in text.columns(run)]
    assert headings == ["5.4", "5.10", "6.1", "6.12", "own-image", "host (6.18)"]
    run = replace(run, kernels=(replace(host, release=None, version=None),))
    assert text.columns(run)[-1].heading == "host"


def test_several_bindings_get_a_table_each():
    run = small_run(Verdict.WORKS, bindings=("uring", "liburing"))
    shown = terminal.render(run)
    assert shown.index("Through uring:") < shown.index("Through liburing:")
    assert "on 6.1 through liburing: the run ended" in shown
    run = replace(run, cells=(run.cells[0], replace(run.cells[0], binding="liburing", verdict=Verdict.WRONG)))
    block = readme.render(replace(run, footer=replace(run.footer, complete=True)), ROWS[:1])
    assert block.index("Through `uring`:") < block.index("Through `liburing`:")
    assert "on 6.1 through `liburing`: so it is." in block


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        ("opened /home/someone/.cache/x/bzImage twice", "opened bzImage twice"),
        ("ci/matrix --kernel /tmp/a/bzImage -k nop", "ci/matrix --kernel bzImage -k nop"),
        ("'/srv/a b'", "'a b'"),
        ("write/read and 1/1 and /dev/kvm and /proc/sys/x and ~/.cache/x", None),
        ("https://example.org/a/b", None),
    ],
)
def test_only_paths_of_the_machine_are_cut(sentence, shown):
    assert text.portable(sentence) == (shown or sentence)


def test_foreign_words_cannot_break_the_table():
    run = small_run(Verdict.WRONG)
    kernel = replace(run.kernels[0], version="#1 | <b> `x` *y*\nz")
    run = replace(run, kernels=(kernel,), cells=(replace(run.cells[0], why="a | b\n- c <img>"),))
    block = readme.render(run, ROWS[:1])
    assert r"a \| b - c \<img\>." in block
    assert r"#1 \| \<b\> \`x\` \*y\* z |" in block


MKDIRAT = Row(
    name="mkdirat", stem="mkdirat", group="Files", since="5.15", also=("5.10.500",),
    evidence=Evidence.DOCUMENTED, source="x", timeout_s=60,
)  # fmt: skip
ANY = replace(MKDIRAT, since="any", also=())
REFUSAL = {"what": "MKDIRAT", "probed": "MKDIRAT", "res": -22, "probe": False, "shape": "right", "objections": []}
UNPROBED = REFUSAL | {"probe": None}
WITNESS = "NOP before and after fine, an opcode nobody has refused alike, probe lacks MKDIRAT"
FAILURE = {"file": "/home/someone/conformance/nop_test.cc", "line": 12, "text": "cqe.res\n  is: -22"}


def record(**values) -> tuple[dict, ...]:
    header, footer = {"kind": "header", "plan": []}, {"kind": "footer", "ran": 2}
    moves, waits = ({"kind": "test", "name": name} for name in ("Nop.Moves", "Nop.Waits"))
    return (header, moves, waits | values, footer)


@pytest.mark.parametrize(
    ("row", "seen", "expected", "says"),
    [
        (MKDIRAT, {"state": State.PASSED}, Expected.PRESENT, "2 tests passed"),
        (
            MKDIRAT,
            {"state": State.PASSED},
            Expected.ABSENT,
            "2 tests passed, though only due since 5.15 and 5.10.500: a backport, or the catalogue is wrong",
        ),
        (
            MKDIRAT,
            {"state": State.PASSED},
            Expected.UNKNOWN,
            "2 tests passed; the kernel's version is unknown, so this is a proposal for the catalogue",
        ),
        (
            MKDIRAT,
            {"state": State.REFUSED, "shape": Shape.RIGHT, "records": record(refusal=REFUSAL)},
            Expected.ABSENT,
            f"MKDIRAT refused with -EINVAL, as on every kernel before 5.15 and 5.10.500: {WITNESS}",
        ),
        (
            MKDIRAT,
            {"state": State.REFUSED, "shape": Shape.RIGHT, "records": record(refusal=UNPROBED)},
            Expected.PRESENT,
            "MKDIRAT refused with -EINVAL, but due since 5.15 and 5.10.500: NOP before and after fine, "
            "an opcode nobody has refused alike, no probe on this kernel",
        ),
        (
            ANY,
            {"state": State.REFUSED, "shape": Shape.RIGHT, "records": record(refusal=REFUSAL)},
            Expected.PRESENT,
            f"MKDIRAT refused with -EINVAL, but due on every kernel: {WITNESS}",
        ),
        (
            MKDIRAT,
            {
                "state": State.REFUSED,
                "shape": Shape.WRONG,
                "records": record(refusal=REFUSAL | {"res": -4095, "objections": ["two CQEs", "flags 2"]}),
            },
            Expected.ABSENT,
            "MKDIRAT refused with -4095, but not as an old kernel does it: two CQEs; flags 2",
        ),
        (MKDIRAT, {"state": State.REFUSED}, Expected.ABSENT, "refused without any evidence"),
        (
            MKDIRAT,
            {"state": State.FAILED, "records": record(failures=[FAILURE])},
            Expected.PRESENT,
            "Nop.Waits (nop_test.cc:12): cqe.res is: -22",
        ),
        (
            MKDIRAT,
            {"state": State.TIMEOUT, "records": record(failures=[{"file": "", "line": 0, "text": "no end"}])},
            Expected.PRESENT,
            "Nop.Waits: no end",
        ),
        (MKDIRAT, {"state": State.CRASHED, "cause": "signal 11"}, Expected.PRESENT, "signal 11"),
        (MKDIRAT, {"state": State.FAILED}, Expected.PRESENT, "failed, and nobody noted why"),
        (MKDIRAT, {"state": State.BLOCKED, "cause": "seccomp"}, Expected.PRESENT, "blocked: seccomp"),
        (MKDIRAT, {"state": State.NOTHING, "cause": "no VM"}, Expected.ABSENT, "no VM"),
        (
            MKDIRAT,
            {"state": State.PASSED, "complaints": ("WARNING: at fs/splice.c", "taint")},
            Expected.PRESENT,
            "2 tests passed; the kernel complained: WARNING: at fs/splice.c (and 1 more)",
        ),
    ],
)
def test_why_a_cell_says_what_it_says(row, seen, expected, says):
    observation = Observation(**({"records": record()} | seen))
    verdict = judge(observation.state, observation.shape, expected, bool(observation.complaints))
    assert text.why(row, observation, expected, verdict) == says


def test_a_long_story_is_cut():
    assert text.one_line("a  b\n c") == "a b c"
    assert text.one_line("x" * 500, limit=10) == "x" * 9 + "…"


if __name__ == "__main__" and sys.argv[1:] == ["approve"]:
    for name, render in RENDERED.items():
        (GOLDEN / name).write_text(render())
