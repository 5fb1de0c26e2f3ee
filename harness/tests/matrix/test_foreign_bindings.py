# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The matrix through other bindings, played by a program that behaves as asked, including crashes and hangs."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.base.paths import BUILD
from harness.results.file import read_results
from harness.results.model import Position, Results
from harness.tests.matrix.test_run import Matrix, Run, matrix, trouble
from harness.verdicts.judge import Verdict

__all__ = ["matrix"]  # the fixture

BROKEN = {
    "nop": "died of signal 6 (SIGABRT) in Nop.One",
    "readv": "killed after ",
    "write/read": "it is wrong",
}
FINE = ("openat", "shutdown")
TESTS = [
    word
    for test in ("nop", "readv", "write_read", "openat", "shutdown", "waitid")
    for word in ("--test", test)
]


@pytest.fixture(scope="session")
def program() -> Path:
    """The conformance program of a binding called mine (foreign_binding.cc)."""
    made = BUILD / "harness" / "tests" / "conformance-mine"
    assert made.exists(), "build first: ci/build"
    return made


def read(run: Run) -> Results:
    """The results, complete and in order."""
    return read_results(run.directory / "results.ndjson")


@pytest.mark.vm
@pytest.mark.slow(20)
@pytest.mark.parametrize(
    "workers", [(), ("--numprocesses", "2", "--dist", "loadgroup")], ids=["alone", "workers"]
)
def test_a_crash_and_a_hang_cost_their_own_cell_on_the_host_and_in_a_guest(
    matrix: Matrix, program: Path, workers: tuple[str, ...]
) -> None:
    bindings = ("--binding", "uring", "--binding", f"mine={program}")
    run = matrix("--kernel", "host", "--kernel", "6.12", *bindings, *TESTS, "--timeout", "3", *workers)
    assert run.code == 1, run.output
    whole = read(run)
    assert whole.header.plan.bindings == ("uring", "mine") and whole.footer.complete
    assert whole.header.made_of is not None and set(whole.header.made_of.adapters) == {"mine"}
    for kernel in whole.kernels:
        assert kernel.smoke == "ok" and kernel.bindings["mine"] == "7"
        for test in whole.header.plan.tests:
            ours, theirs = (
                whole.by_position()[Position(test, kernel.series, binding)] for binding in ("uring", "mine")
            )
            assert ours.verdict is Verdict.WORKS, ours.why
            if test == "waitid":
                assert theirs.verdict is Verdict.NOT_EXPRESSIBLE
                assert theirs.why == (
                    "1 of 2 tests passed; Waitid.Two needs WAITID, which mine 7 cannot express: it came with version 8"
                )
            elif test in FINE:
                assert theirs.verdict is Verdict.WORKS, theirs.why
            else:
                assert theirs.verdict is Verdict.WRONG and BROKEN[test] in theirs.why
            assert f"--binding mine={program}" in theirs.rerun and "--binding" not in ours.rerun
    assert "Where bindings differ" in run.output
    alone = (
        "On 6.12 the same test is fine through uring, and odd through mine alone, which is odd on host, too"
    )
    assert f"To blame: the binding: {alone}" in run.output
    assert "6 failed, 16 passed, 2 not expressible in " in run.output.rstrip().splitlines()[-1]


def test_a_cell_is_selected_by_its_binding_and_not_by_one_that_begins_alike(
    matrix: Matrix, program: Path
) -> None:
    bindings = ("--binding", "uring", "--binding", f"uring-2={program}", "--binding", f"mine-6.1={program}")
    for words, chosen in (
        ("statx and 6.1 and uring", ["uring"]),
        ("statx and 6.1 and uring-2", ["uring-2"]),
        ("statx and 6.1 and mine-6.1", ["mine-6.1"]),
        ("statx and 6.1", ["uring", "uring-2", "mine-6.1"]),
    ):
        run = matrix("-k", words, "--collect-only", "--quiet", *bindings)
        ids = [line for line in run.output.splitlines() if "::" in line]
        assert ids == [f"kernels/kernels.toml::6.1::statx[6.1][{name}]" for name in chosen], run.output


def test_one_binding_alone_has_the_ids_that_ours_has(matrix: Matrix, program: Path) -> None:
    run = matrix("-k", "statx and 6.1", "--collect-only", "--quiet", "--binding", f"mine={program}")
    assert [line for line in run.output.splitlines() if "::" in line] == [
        "kernels/kernels.toml::6.1::statx[6.1]"
    ]


def test_the_cell_that_a_command_runs_again(matrix: Matrix, program: Path) -> None:
    run = matrix("--kernel", "host", "--test", "write_read", "--binding", f"mine={program}")
    assert run.code == 1 and run.verdicts("host") == {"write_read": "wrong"}, run.output
    assert (
        "through mine" not in run.output.partition("io_uring conformance")[2]
    ), "one binding is not told apart"


def test_a_part_of_the_bindings_is_a_whole_run(matrix: Matrix, program: Path) -> None:
    run = matrix(
        "--kernel", "host", "-k", "openat and mine", "--binding", "uring", "--binding", f"mine={program}"
    )
    assert run.code == 0, run.output
    assert read(run).header.plan.bindings == ("mine",)


def test_a_program_of_another_name_costs_its_own_cells_only(matrix: Matrix, program: Path) -> None:
    run = matrix(
        "--kernel", "host", "--test", "openat", "--binding", "uring", "--binding", f"other={program}"
    )
    trouble(run, "through other: expected a program for other, but it reports itself as mine")
    assert [cell.verdict for cell in read(run).cells] == [Verdict.WORKS, Verdict.NONE]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--binding", "no-such"], "The binding no-such has no program: "),
        (["--binding", "liburing-0.1"], "ci/harness adapters fetches that binding from the archive"),
        (["--binding", "mine=/nowhere"], "see conformance/adapters/README.md"),
        (
            ["--binding", "mine=/usr/bin/env", "--kernel", "6.1"],
            "it is linked to shared libraries. Link it with -static",
        ),
        (["--binding", "a b"], "'a b' is not a binding"),
    ],
)
def test_a_binding_that_cannot_run_ends_everything_before_it_begins(
    matrix: Matrix, options: list[str], says: str
) -> None:
    run = matrix("--kernel", "host", *options)
    trouble(run, says)
    assert not run.directory.exists()
