# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""ci/harness diff: each cause is found, each change is reported, each exit code is reached.

After a wanted change of the words: python3 -m harness.tests.commands.test_diff approve, and read the difference.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness.base.errors import HarnessError
from harness.base.paths import ROOT
from harness.commands import diff
from harness.machines.machine import Accelerator
from harness.report import changes
from harness.results.compare import Cause, Kind, compare
from harness.tests.runs import HEADER, KERNELS, MADE_OF, TESTS, cell, digest, run, write
from harness.verdicts.judge import Verdict

GOLDEN = Path(__file__).parents[1] / "golden"
WORKS, ABSENT, WRONG, COMPLAINED, NONE = (
    Verdict.WORKS, Verdict.ABSENT, Verdict.WRONG, Verdict.COMPLAINED, Verdict.NONE
)  # fmt: skip
QUIET, RED = run(), run({("waitid", "6.1"): WRONG})


def approved():
    """A difference that contains every kind of change."""
    old = run(
        {("nop", "7.3"): NONE, ("readv", "7.3"): NONE, ("waitid", "7.3"): NONE, ("waitid", "host"): WRONG,
         ("readv", "host"): COMPLAINED},
        tests=(*TESTS, "openat"),
    )  # fmt: skip
    tests = dict(MADE_OF.tests) | {"waitid": digest("another"), "write/read": digest("write/read")}
    new = run(
        {("nop", "6.1"): WRONG, ("readv", "6.1"): WRONG, ("waitid", "6.1"): ABSENT, ("readv", "host"): WRONG,
         ("write/read", "7.4"): WRONG, ("nop", "host"): cell("nop", "host", WRONG, "`rm` \x1b[2J in /home/someone/x.cc")},
        tests=(*TESTS, "write/read"), kernels=(*KERNELS, "7.4"), patches={"6.1": "11"},
        started="2026-11-24T03:00:00Z", suite="2b3c4d5e6f70", made_of=replace(MADE_OF, tests=tests),
    )  # fmt: skip
    return compare(old, new)


RENDERED = {"diff.txt": changes.render, "diff.md": changes.markdown}


@pytest.mark.parametrize("name", RENDERED)
def test_the_words_are_the_approved_ones(name):
    assert RENDERED[name](approved()) == (GOLDEN / name).read_text()


def test_no_word_of_a_guest_reaches_the_terminal_or_markdown_as_more_than_a_word():
    for render in RENDERED.values():
        assert "\x1b" not in render(approved()) and "/home" not in render(approved())
    assert "`'rm'" in changes.markdown(approved())


# --- causes -----------------------------------------------------------------------------------------------------


def made_of(**parts):
    return {"made_of": replace(MADE_OF, **parts)}


def causes(old, new) -> list[list[Cause]]:
    """The causes of each change, without duplicates."""
    found = compare(old, new)
    for change in found.changes:
        assert change.reasons and len(set(change.reasons)) == len(change.reasons)
    return [[reason.cause for reason in change.reasons] for change in found.changes]


REDDER = {("waitid", "6.1"): WRONG}
OTHER = digest("other")


@pytest.mark.parametrize(
    ("new", "cause"),
    [
        (run(REDDER, patches={"6.1": "11"}), Cause.KERNEL),
        (run(REDDER, **made_of(tests=dict(MADE_OF.tests) | {"waitid": OTHER})), Cause.TEST),
        (run(REDDER, **made_of(catalogue=OTHER)), Cause.CATALOGUE),
        (run(REDDER, **made_of(binding=OTHER)), Cause.BINDING),
        (run(REDDER, **made_of(support=OTHER)), Cause.SUPPORT),
        (run(REDDER, **made_of(harness=OTHER)), Cause.HARNESS),
        (run(REDDER, made_of=None, suite="ffffffffffff"), Cause.SUITE),
        (run(REDDER, made_of=None, dirty=True), Cause.SUITE),
        (run(REDDER, made_of=None, suite=None), Cause.SUITE),
        (run(REDDER), Cause.NOTHING),
        (run(REDDER, made_of=None), Cause.NOTHING),  # the same clean commit
        (run(REDDER, suite="ffffffffffff", dirty=True), Cause.NOTHING),  # digests know better than commits
        (run(REDDER, patches={"7.3": "11", "host": "45"}), Cause.NOTHING),  # other columns' kernels
        (run(REDDER, **made_of(tests=dict(MADE_OF.tests) | {"nop": OTHER})), Cause.NOTHING),  # another test
    ],
)
def test_a_change_is_put_down_to_what_changed(new, cause):
    assert causes(QUIET, new) == [[cause]]


def with_kernel(results, series, **facts):
    kernels = tuple(replace(one, **facts) if one.series == series else one for one in results.kernels)
    return replace(results, kernels=kernels)


def test_another_machine_under_the_same_kernel():
    assert causes(QUIET, with_kernel(RED, "6.1", accelerator=Accelerator(name="kvm", reason="it works"))) == [
        [Cause.MACHINE]
    ]
    assert causes(QUIET, with_kernel(RED, "7.3", accelerator=Accelerator(name="kvm", reason="it works"))) == [
        [Cause.NOTHING]
    ]
    host = {("nop", "host"): WRONG}
    assert causes(QUIET, run(host, host=dict(HEADER.host) | {"cpus": 8})) == [[Cause.MACHINE]]
    assert causes(QUIET, run(host, host={"machine": "x86_64"})) == [
        [Cause.NOTHING]
    ]  # a merged run does not say
    assert causes(QUIET, run(REDDER, host=dict(HEADER.host) | {"cpus": 8})) == [
        [Cause.NOTHING]
    ]  # guests have one


BOTH = ("uring", "liburing")
THEIRS = {("waitid", "6.1", "liburing"): WRONG}
OURS = {("waitid", "6.1", "uring"): WRONG}
ADAPTERS = {"uring": OTHER, "liburing": digest("liburing"), "other": digest("other")}


@pytest.mark.parametrize(
    ("odd", "parts", "cause"),
    [
        (THEIRS, {"adapters": {"liburing": OTHER}}, Cause.BINDING),
        (THEIRS, {"binding": OTHER}, Cause.BINDING),  # our adapters use some of it
        (OURS, {"binding": OTHER}, Cause.BINDING),
        (OURS, {"adapters": {"liburing": OTHER}}, Cause.NOTHING),
        (THEIRS, {"adapters": ADAPTERS}, Cause.NOTHING),
        (THEIRS, {"support": OTHER}, Cause.SUPPORT),
    ],
)
def test_a_binding_is_put_to_blame_for_its_own_cells(odd, parts, cause):
    before = run(bindings=BOTH)
    assert before.header.made_of is not None
    made_of = replace(before.header.made_of, **parts)
    after = run(odd, bindings=BOTH)
    after = replace(after, header=replace(after.header, made_of=made_of))
    assert causes(before, after) == [[cause]]


def test_another_version_of_a_binding():
    old, new = (
        with_kernel(run(odd, bindings=BOTH), "6.1", bindings={"uring": "1", "liburing": version})
        for odd, version in ((None, "2.3"), (THEIRS, "2.9"))
    )
    assert causes(old, new) == [[Cause.BINDING]]
    assert "The version of the binding liburing changed: 2.3 → 2.9." in changes.render(compare(old, new))
    assert causes(run(bindings=BOTH), new) == [[Cause.NOTHING]]  # the old run did not say


def test_a_binding_that_came_and_one_that_went():
    one, two = run(bindings=BOTH), run(bindings=("uring", "raw"))
    assert {cause for cause, *_ in causes(one, two)} == {Cause.NEW, Cause.GONE}
    told = changes.render(compare(one, two))
    assert (
        "The binding raw is new." in told
        and "The binding liburing is gone: the new run did not have it." in told
    )


def test_what_a_binding_lost_words_for_is_told_and_no_regression():
    lost = compare(
        run(bindings=BOTH), run({("waitid", "6.1", "liburing"): Verdict.NOT_EXPRESSIBLE}, bindings=BOTH)
    )
    assert [change.kind for change in lost.changes] == [Kind.OTHER] and not lost.regressions()
    assert "✓ → –  waitid on 6.1" in changes.render(lost)


def test_a_kernel_that_never_answered_is_still_the_same_one():
    silent = with_kernel(run({("nop", "6.1"): NONE}), "6.1", release=None, version=None)
    assert causes(QUIET, silent) == [[Cause.NOTHING]]
    silent_host = with_kernel(run({("nop", "host"): NONE}), "host", release=None, version=None)
    assert causes(QUIET, silent_host) == [[Cause.NOTHING]]


def test_the_hosts_kernel_is_known_by_what_it_says():
    assert causes(QUIET, run({("nop", "host"): WRONG}, patches={"host": "45"})) == [[Cause.KERNEL]]


def test_a_package_that_was_built_again_is_another_kernel():
    found = compare(QUIET, with_kernel(RED, "6.1", sha256=OTHER))
    assert f"image {OTHER[:12]}" in found.changes[0].reasons[0].says


def test_several_causes_are_told_the_most_specific_first():
    tests = dict(MADE_OF.tests) | {"waitid": OTHER}
    parts = {"binding": OTHER, "support": OTHER, "harness": OTHER, "catalogue": OTHER, "tests": tests}
    new = with_kernel(
        run(REDDER, patches={"6.1": "11"}, **made_of(**parts)),
        "6.1",
        accelerator=Accelerator(name="kvm", reason="it works"),
    )
    assert causes(QUIET, new) == [
        [
            Cause.KERNEL,
            Cause.TEST,
            Cause.CATALOGUE,
            Cause.BINDING,
            Cause.SUPPORT,
            Cause.HARNESS,
            Cause.MACHINE,
        ]
    ]


def test_what_came_and_what_went():
    smaller = run(tests=TESTS[:2], kernels=KERNELS[:2])
    came, went = compare(smaller, QUIET), compare(QUIET, smaller)
    assert [change.kind for change in came.changes] == [Kind.NEW] * 5
    assert [change.kind for change in went.changes] == [Kind.GONE] * 5
    assert {reason.says for reason in came.reasons} == {
        "The test waitid is new",
        "The kernel host (6.18.10) is new",
    }
    assert {reason.cause for reason in went.reasons} == {Cause.GONE}
    both = next(change for change in came.changes if change.cell.position[:2] == ("waitid", "host"))
    assert len(both.reasons) == 2


def test_a_new_binding():
    through = replace(
        QUIET,
        header=replace(QUIET.header, plan=replace(QUIET.header.plan, bindings=("liburing",))),
        cells=tuple(replace(one, binding="liburing") for one in QUIET.cells),
    )
    says = changes.render(compare(QUIET, through))
    assert "The binding liburing is new." in says and "The binding uring is gone" in says


# --- kinds of change --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        (WORKS, WRONG, Kind.REGRESSION),
        (ABSENT, COMPLAINED, Kind.REGRESSION),
        (WORKS, NONE, Kind.REGRESSION),
        (WRONG, WORKS, Kind.IMPROVEMENT),
        (NONE, ABSENT, Kind.IMPROVEMENT),
        (WRONG, NONE, Kind.OTHER),
        (WORKS, ABSENT, Kind.OTHER),
    ],
)
def test_what_a_change_means(old, new, kind):
    position = ("waitid", "6.1")
    found = compare(run({position: old}), run({position: new}))
    assert [change.kind for change in found.changes] == [kind]
    assert len(found.regressions()) == (kind is Kind.REGRESSION)


def test_red_for_another_reason_is_told_and_quiet_for_another_reason_is_not():
    def red(why, verdict=WRONG):
        return run({("nop", "6.1"): cell("nop", "6.1", verdict, why)})

    assert len(compare(red("cqe.res is: -22"), red("cqe.res is: -95")).changes) == 1
    for one, other in (
        ("killed after 20001 ms", "killed after 20312 ms"),
        ("at 0x7f12", "at 0x55ab"),
        ("1.5 s", "2 s"),
    ):
        assert compare(red(one), red(other)).changes == ()
    assert compare(red("3 tests passed", WORKS), red("4 tests passed", WORKS)).changes == ()


def test_cells_that_changed_alike_are_one_line():
    dead = run({(test, series): NONE for test in TESTS for series in ("6.1", "7.3")})
    says = changes.render(compare(QUIET, dead))
    assert says.count("✓ → ?  ") == 1 and "nop, readv and waitid on 6.1 and 7.3" in says
    both = run(
        {
            ("nop", "6.1"): cell("nop", "6.1", WRONG, "this"),
            ("readv", "6.1"): cell("readv", "6.1", WRONG, "that"),
        }
    )
    assert changes.render(compare(QUIET, both)).count("✓ → ✗  ") == 2  # each for its own reason
    many = tuple(f"test{number}" for number in range(5))
    says = changes.render(compare(run(tests=many), run({(test, "6.1"): WRONG for test in many}, tests=many)))
    assert "✓ → ✗  5 tests on 6.1  (REGRESSION)" in says


def test_what_nothing_explains_is_said_loudly():
    for render in RENDERED.values():
        says = render(compare(QUIET, RED))
        assert "NOTHING WE KNOW OF CHANGED" in says and "Flaky?" in says
        assert "NOTHING" not in render(compare(QUIET, run(REDDER, patches={"6.1": "11"})))


def test_the_same_run_twice_is_nothing():
    assert compare(QUIET, QUIET).nothing
    assert not compare(QUIET, run(patches={"6.1": "11"})).nothing
    assert changes.subject(compare(QUIET, QUIET)) == "nothing changed"


def test_what_is_different_and_changed_no_cell_is_told_too():
    for render in RENDERED.values():
        says = render(compare(QUIET, run(patches={"6.1": "11"})))
        assert "No cell changed: 9 cells are as they were" in says
        assert "Also different, without changing any cell:" in says
        assert "The kernel of 6.1 changed: 6.1.10-1 → 6.1.11-1." in says
        assert "Different too" not in render(compare(QUIET, run(REDDER, patches={"6.1": "11"})))


@pytest.mark.parametrize(
    ("new", "subject"),
    [
        (RED, "1 regression"),
        (run(patches={"6.1": "11"}), "9 cells as before, and the kernel of 6.1 changed: 6.1.10-1 → 6.1.11-1"),
        (
            run(patches={"6.1": "11", "7.3": "11"}),
            "9 cells as before, and the kernel of 6.1 changed: 6.1.10-1 → 6.1.11-1 (and 1 more)",
        ),
        (
            run({("nop", "6.1"): WRONG}, kernels=("6.1", "7.3", "7.4")),
            "1 regression, 3 cells gone, 3 new cells",
        ),
    ],
)
def test_a_difference_in_one_line(new, subject):
    assert changes.subject(compare(QUIET, new)) == subject


# --- the command ------------------------------------------------------------------------------------------------


@pytest.fixture
def command(tmp_path, capsys):
    """Compares two runs from files: exit code and output."""

    def compared(old, new, *options):
        code = diff.main([str(write(old, tmp_path / "old")), str(write(new, tmp_path / "new")), *options])
        return code, capsys.readouterr().out

    return compared


@pytest.mark.parametrize(
    ("old", "new", "options", "code"),
    [
        (QUIET, QUIET, (), 0),
        (QUIET, RED, (), 1),
        (RED, QUIET, (), 0),  # better
        (QUIET, run(tests=TESTS[:2]), (), 1),
        (QUIET, run(tests=TESTS[:2]), ("--allow-gone",), 0),
        (QUIET, run({("nop", "6.1"): WRONG}, tests=TESTS[:2]), ("--allow-gone",), 1),
        (run(tests=TESTS[:2]), RED, (), 0),  # new cells, though not good ones
        (RED, run({("waitid", "6.1"): NONE}), (), 0),  # as bad as before
    ],
)
def test_exit_codes(command, old, new, options, code):
    assert command(old, new, *options)[0] == code


def test_both_outputs(command):
    assert command(QUIET, RED) == (1, changes.render(compare(QUIET, RED)))
    assert command(QUIET, RED, "--markdown") == (1, changes.markdown(compare(QUIET, RED)))


def test_a_run_that_is_not_whole_is_refused(tmp_path):
    whole = write(QUIET, tmp_path / "results.ndjson")
    cut = tmp_path / "cut.ndjson"
    cut.write_text("".join(whole.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(HarnessError, match="cut.ndjson cannot be used: .* the run was cut short"):
        diff.load(str(cut))
    hole = tmp_path / "hole.ndjson"
    write(replace(QUIET, cells=QUIET.cells[1:]), hole)
    with pytest.raises(HarnessError, match="hole.ndjson cannot be used: .* is planned but missing"):
        diff.load(str(hole))


def test_a_source_is_a_file_a_directory_or_a_revision(tmp_path):
    write(QUIET, tmp_path / "there" / "results.ndjson")
    assert diff.load(str(tmp_path / "there")) == diff.load(str(tmp_path / "there" / "results.ndjson"))
    assert diff.load("HEAD").footer.complete  # this repository's own reports
    (tmp_path / "empty").mkdir()
    (tmp_path / "binary").write_bytes(b"\xff")
    (tmp_path / "locked").symlink_to("locked")
    for source, says in {
        str(tmp_path / "empty"): "There is no results.ndjson in it. Run ci/matrix",
        str(tmp_path / "binary"): "is not a results file",
        "no such thing": "not a file, a directory or a git revision",
        "--output=x": "not a file, a directory or a git revision",
        "x" * 5000: "cannot be read: File name too long",
    }.items():
        with pytest.raises(HarnessError, match=says):
            diff.load(source)


def test_a_revision_that_published_nothing(tmp_path):
    git = ("git", "-C", str(tmp_path), "-c", "user.name=x", "-c", "user.email=x@example.org")
    subprocess.run([*git, "init", "--quiet"], check=True)
    subprocess.run([*git, "commit", "--quiet", "--allow-empty", "--message", "x"], check=True)
    with pytest.raises(HarnessError, match="HEAD cannot be used: The revision has no reports/results.ndjson"):
        diff.load("HEAD", tmp_path)


def test_the_script_from_anywhere(tmp_path):
    (tmp_path / "harness").mkdir()  # of another checkout, and not the script's
    (tmp_path / "harness" / "__init__.py").write_text("raise SystemExit('the wrong harness')")
    done = subprocess.run(
        [ROOT / "ci" / "harness", "diff", write(QUIET, tmp_path / "old"), write(RED, tmp_path / "new")],
        cwd=tmp_path,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1 and done.stdout == changes.render(compare(QUIET, RED)), done.stderr


def test_help_names_the_exit_codes(capsys):
    with pytest.raises(SystemExit) as done:
        diff.main(["--help"])
    assert done.value.code == 0 and "Exit code: 0 " in capsys.readouterr().out


if __name__ == "__main__" and sys.argv[1:] == ["approve"]:
    for name, render in RENDERED.items():
        (GOLDEN / name).write_text(render(approved()))
