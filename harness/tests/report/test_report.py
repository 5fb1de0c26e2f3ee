# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Reports against approved text, from one canned run that contains every verdict, a panic, a hang, a blocked test, and
text that would break a report if it were not escaped.

After a wanted change: python3 -m harness.tests.report.test_report approve, and read the difference.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.base.errors import HarnessError
from harness.base.output import printable
from harness.base.words import one_line, sentence
from harness.report import evidence, folder, markdown, readme, sanitize, terminal, text, view
from harness.report.view import Place
from harness.results.file import read_results
from harness.results.model import Footer, Plan, Results
from harness.suite import catalogue
from harness.suite.binding import is_ours
from harness.suite.catalogue import Evidence, Row
from harness.suite.since import Expected
from harness.verdicts.judge import IN_PART, Deviates, Verdict, judge, sign
from harness.verdicts.observation import Observation, Shape, State
from harness.verdicts.why import why

GOLDEN = Path(__file__).parents[1] / "golden"
ROWS = catalogue.load(GOLDEN / "catalogue.toml")
RUN = read_results(GOLDEN / "results.ndjson")
#: Any cell, with a cause to be told.
SO_IT_IS = Observation(state=State.CRASHED, cause="so it is").as_json()
BESIDE = tuple(name for name in folder.RENDERERS if name != folder.INDEX)
PLACE = Place(home="../../..", beside=BESIDE)  # as seen from the approved reports
RENDERED: dict[str, Callable[[], str]] = {
    "readme.md": lambda: readme.render(RUN, ROWS) + "\n",
    "terminal.txt": lambda: terminal.render(RUN),
    **{name: lambda render=render: render(RUN, ROWS, PLACE) for name, render in folder.RENDERERS.items()},
}


@pytest.mark.parametrize("name", RENDERED)
def test_the_report_is_the_approved_one(name):
    assert RENDERED[name]() == (GOLDEN / name).read_text()


def test_the_canned_run_holds_every_verdict_and_judges_itself_rightly():
    # What a binding cannot say is in the run through several, of test_bindings_report: ours can say everything.
    assert {cell.verdict for cell in RUN.cells} == set(Verdict) - {Verdict.NOT_EXPRESSIBLE}
    for cell in RUN.cells:
        observed = dict(cell.observed)
        observed["state"] = State(observed["state"])
        observed["shape"] = Shape(observed["shape"]) if observed["shape"] else None
        seen = Observation(**observed)
        deviates = Deviates.AS_LISTED if cell.deviations else Deviates.UNLISTED
        assert cell.verdict is judge(
            seen.state, seen.shape, cell.expected, bool(seen.complaints), deviates, ours=is_ours(cell.binding)
        )


def test_the_canned_run_puts_reports_to_the_test():
    states = {cell.observed["state"] for cell in RUN.cells}
    assert states == {str(state) for state in State} - {State.NOT_EXPRESSIBLE}
    said = "".join(json.dumps(cell.as_json()) for cell in RUN.cells)
    markup, controls = ("<script>", "onerror=", "]]>", "````", "**bold**"), (
        "001b[",
        "0000",
        "fffe",
        "fffd",  # half of a surrogate pair, until it was read
        "202e",
    )
    for harmful in (*markup, *(rf"\u{control}" for control in controls)):
        assert harmful in said, harmful
    blocks = [block for cell in RUN.cells for block in evidence.blocks(cell)]
    assert any(len(line) > 1000 for block in blocks for line in block.body.split("\n"))
    assert any("/home/someone" in cell.why for cell in RUN.cells)
    assert any("/home/someone" in cell.rerun for cell in RUN.cells)


@pytest.mark.parametrize("name", sorted(set(RENDERED) - {"terminal.txt"}))
def test_a_report_names_no_place_on_this_machine(name):
    assert "/home" not in RENDERED[name]() and "/tmp" not in RENDERED[name]()


@pytest.mark.parametrize("name", RENDERED)
def test_no_report_does_what_foreign_characters_say(name):
    said = RENDERED[name]().encode()  # no lone surrogate is left
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\ufffe]", said.decode())


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("plain: ✓ · ✗ é 中\n\ttabs", None),
        ("\x1b[31mred\x00\x07\r", "␛[31mred␀␇␍"),
        ("\x7f\x85\x9b\u202e\u2028\ufffe\ud800\U000e0041", 8 * "\ufffd"),
        ("no-break\u00a0space", None),
    ],
)
def test_a_character_that_would_do_something_is_shown(words, shown):
    assert printable(words) == (shown or words)


def test_every_sign_has_its_sentence():
    assert set(text.LEGEND) == set(text.SHORT) == {sign(verdict) for verdict in Verdict} | {IN_PART}


def test_only_surprises_are_links():
    table = [
        line
        for line in readme.render(RUN, ROWS).splitlines()
        if re.match(r"\| \[[a-z/]+\]\(conformance", line)
    ]
    assert len(table) == len(ROWS)
    signs = [field.strip() for line in table for field in line.split("|")[3:-1]]
    assert len(signs) == len(RUN.cells)
    for shown in signs:
        assert shown in ("✓", "·", "✗*") or re.fullmatch(
            r"\[[✗!+?]\]\(reports/matrix\.md#[\w.@]+\)", shown
        ), shown


def test_every_link_of_the_readme_and_of_matrix_md_has_its_place():
    page = RENDERED["matrix.md"]()
    places = re.findall(r'<a id="([^"]+)"></a>', page)
    assert len(places) == len(set(places))
    links = re.findall(r"\]\(reports/matrix\.md#([^)]+)\)", RENDERED["readme.md"]())
    links += re.findall(r"\]\(#([^)]+)\)", page)
    assert len(links) > 2 * len(text.findings(RUN))
    assert set(links) <= set(places)
    for file in re.findall(r"\]\((\.\.[^)]+)\)", page):
        assert (GOLDEN / file.partition("#")[0]).exists(), file


def test_names_become_anchors_and_stay_different():
    names = ("6.1", "a b", "a+b", "a~20b", "ä", "lie:refuse_all", "own-image")
    words = [view.word(name) for name in names]
    assert words == ["6.1", "a~20b", "a+b", "a~7e20b", "~e4", "lie~3arefuse_all", "own-image"]


def test_foreign_words_cannot_leave_their_place_in_markdown():
    hostile = "```\n````` <script> | `a` **b** [c](d) &lt; </summary>"
    block = markdown.fenced(hostile)
    fence = block.split("text\n")[0]
    assert set(fence) == {"`"} and fence not in hostile and block.endswith(f"\n{fence}")
    assert markdown.plain(hostile) == (
        r"\`\`\` \`\`\`\`\` \<script\> \| \`a\` \*\*b\*\* \[c\](d) \&lt; \</summary\>"
    )
    assert markdown.code("a `b`") == "`` a `b` ``"
    assert "<script>" not in markdown.folded(hostile, "") and "&lt;/summary&gt;" in markdown.folded(
        hostile, ""
    )


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
    with pytest.raises(HarnessError, match="README.md must contain"):
        readme.replace_between_markers(page, "new")


def test_only_a_complete_run_of_the_whole_catalogue_is_published():
    with pytest.raises(HarnessError, match="did not reach all of its cells"):
        readme.render(replace(RUN, footer=replace(RUN.footer, complete=False)), ROWS)
    with pytest.raises(HarnessError, match="its tests are not those of the catalogue"):
        readme.render(RUN, ROWS[:-1])


def small_run(
    *verdicts: Verdict, kernels: tuple[str, ...] = ("6.1",), bindings: tuple[str, ...] = ("uring",)
) -> Results:
    """A cell for each verdict, kernel by kernel, through the first binding; the other cells are not reached."""
    tests = tuple(row.name for row in ROWS[: max(1, len(verdicts))])
    plan = Plan(tests=tests, kernels=kernels, bindings=bindings)
    cells = tuple(
        replace(
            RUN.cells[0],
            test=test,
            series=kernels[0],
            binding=bindings[0],
            verdict=verdict,
            observed=SO_IT_IS,
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
        ((), "1 cell: 0 work, 0 correctly absent, 1 needs a look"),  # a missing cell is a surprise
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
    assert (
        "on 6.1 through liburing](reports/matrix.md#structs_offsets_entries@6.1@liburing): so it is." in block
    )


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
    assert sanitize.portable(sentence) == (shown or sentence)


def test_foreign_words_cannot_break_the_table():
    run = small_run(Verdict.WRONG)
    kernel = replace(run.kernels[0], version="#1 | <b> `x` *y*\nz")
    run = replace(
        run,
        kernels=(kernel,),
        cells=(replace(run.cells[0], observed=SO_IT_IS | {"cause": "a | b\n- c <img>"}),),
    )
    assert r"a \| b - c \<img\>." in readme.render(run, ROWS[:1])
    assert r"#1 \| \<b\> \`x\` \*y\* z" in folder.render(run, ROWS[:1], PLACE)["matrix.md"]


MKDIRAT = Row(
    name="mkdirat", stem="mkdirat", group="Files", since="5.15", also=("5.10.500",),
    evidence=Evidence.DOCUMENTED, source="x", timeout_s=60,
)  # fmt: skip
ANY = replace(MKDIRAT, since="any", also=())
REFUSAL = {
    "what": "MKDIRAT",
    "probed": "MKDIRAT",
    "res": -22,
    "probe": False,
    "shape": "right",
    "objections": [],
}
UNPROBED = REFUSAL | {"probe": None}
WITNESS = (
    "NOPs before and after succeeded, an unassigned opcode was refused the same way, probe lacks MKDIRAT"
)
FAILURE = {"file": "/home/someone/conformance/zig/nop_test.cc", "line": 12, "text": "cqe.res\n  is: -22"}


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
            "MKDIRAT refused with -EINVAL, but due since 5.15 and 5.10.500: NOPs before and after succeeded, "
            "an unassigned opcode was refused the same way, no probe on this kernel",
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
            "MKDIRAT refused with -4095, but not the way an old kernel refuses: two CQEs; flags 2",
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
        (MKDIRAT, {"state": State.FAILED}, Expected.PRESENT, "failed, and no cause was recorded"),
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
    verdict = judge(observation.state, observation.shape, expected, bool(observation.complaints), ours=False)
    assert why(row.due, observation.as_json(), expected, verdict) == says


def test_a_long_story_is_cut():
    assert one_line("a  b\n c") == "a b c"
    assert one_line("x" * 500, limit=10) == "x" * 9 + "…"


def refusal_told(**values) -> list[str]:
    told = REFUSAL | {"again": -22, "nobody": -22, "nop_before": 0, "nop_after": 0, "cqe_flags": 0} | values
    told = {"extra_cqes": 0, "user_data_came_back": True, "happened": ""} | told
    observed = Observation(state=State.REFUSED, records=record(refusal=told)).as_json()
    (block,) = evidence.witnesses(replace(RUN.cells[0], observed=observed))
    assert block.title == "The refusal, witnessed by 1 test (Waits)"
    return block.body.split("\n")


def test_a_refusal_is_told_in_words():
    assert refusal_told() == [
        "MKDIRAT was refused with -EINVAL; asked again, with -EINVAL.",
        "The same request with an unassigned number got -EINVAL.",
        "A NOP on the same ring completed with 0 before it and with 0 after it.",
        "Each request was answered once, with our user_data and no flags.",
        "The kernel's probe says that MKDIRAT is not supported.",
        "Nothing happened.",
    ]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"again": -95}, "MKDIRAT was refused with -EINVAL; asked again, with -EOPNOTSUPP."),
        ({"res": 3}, "MKDIRAT completed with 3: a kernel this old does not read that field."),
        ({"nobody": 0}, "The same request with an unassigned number got 0."),
        ({"nop_after": -22}, "A NOP on the same ring completed with 0 before it and with -EINVAL after it."),
        (
            {"extra_cqes": 1, "cqe_flags": 2, "user_data_came_back": False},
            "1 extra answer arrived, not always with our user_data and with flags 2.",
        ),
        ({"probe": None}, "This kernel has no probe to ask."),
        ({"probe": True}, "The kernel's probe says that MKDIRAT is supported."),
        ({"objections": ["it was odd"]}, "But: it was odd."),
    ],
)
def test_what_is_odd_about_a_refusal_is_told(values, sentence):
    assert sentence in refusal_told(**values)


@pytest.mark.parametrize(
    ("said", "compared"),
    [
        (
            "Expected equality of these values:\n  wait_cqe()\n    Which is: Cqe{.res=-22}\n  (Cqe{.res = n})\n"
            "    Which is: Cqe{.res=0}\nafter the second NOP",
            ("Cqe{.res=-22}", "Cqe{.res=0}"),
        ),
        ("Expected equality of these values:\n  ring.submit()\n    Which is: 1\n  3", ("1", "3")),
        ("Expected equality of these values:\n  1\n  n\n    Which is: 3", ("1", "3")),
        ("want   Sqe{}\nqueued Sqe{.fd=1}", None),
    ],
)
def test_a_comparison_that_failed_is_told_as_got_and_wanted(said, compared):
    observed = Observation(state=State.FAILED, records=record(failures=[FAILURE | {"text": said}])).as_json()
    assert evidence.compared(replace(RUN.cells[0], observed=observed)) == compared


def test_a_sentence_that_was_cut_has_no_full_stop():
    assert sentence("so it is") == "so it is."
    assert sentence(one_line("x" * 50, limit=10)) == "x" * 9 + "…"


if __name__ == "__main__" and sys.argv[1:] == ["approve"]:
    for name, render in RENDERED.items():
        (GOLDEN / name).write_text(render())
