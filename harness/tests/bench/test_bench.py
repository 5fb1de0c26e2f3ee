"""The benchmark's arithmetic, goals and table, from canned figures: nothing is built or measured here.

After a wanted change: python3 -m harness.tests.bench.test_bench approve, and read the difference.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness.base.errors import HarnessError
from harness.bench.binding import measure, table
from harness.bench.binding.measure import Measured
from harness.bench.binding.peers import INSTALLED, NEWEST, OURS, RUST, Peer
from harness.suite import other_bindings as peers

GOLDEN = Path(__file__).parents[1] / "golden" / "bench.md"
BINDINGS: dict[str, Peer | str] = {
    OURS: Peer(title="ours", plugin=Path("ours.so")),
    NEWEST: Peer(title="liburing 9.9", plugin=Path("newest.so")),
    INSTALLED: Peer(title="liburing 2.3", plugin=Path("installed.so")),
    RUST: Peer(title="crate io-uring 9.8", plugin=Path("rust.so")),
}


def figures(row: str, *values: float) -> measure.Figures:
    return {(row, name): value for name, value in zip((OURS, NEWEST, INSTALLED, RUST), values)}


GOOD = Measured(
    instructions=figures("nop/1", 59, 100, 110, 90) | figures("nop/32", 28, 50, 51, 28),
    calls=figures("nop/1", 1, 1, 1, 1) | figures("nop/32", 1 / 32, 1 / 32, 1 / 32, 1 / 32),
    nanoseconds=figures("nop/32", 50, 50, 50, 50) | figures("nop/1", 80, 100, 101, 102),  # in random order
    text_bytes=2048,
    program_bytes=9000,
)
# A bad run, which contains everything that the table can say.
BAD = Measured(
    instructions=figures("nop/1", 60, 100, 110, 90) | figures("nop/32", 28.01, 50, 51),
    calls=figures("nop/1", 2, 1, 1, 1) | figures("nop/32", 1 / 32, 1 / 32, 1 / 32),
    nanoseconds=figures("nop/1", 81, 100, 101, 102) | figures("nop/32", 51, 50, 50),
    text_bytes=2049,
    program_bytes=9000,
)
WITHOUT_RUST = BINDINGS | {RUST: "its package could not be fetched"}


def rendered() -> str:
    good = table.render(GOOD, BINDINGS, "A good run.")
    return f"{good}\n\n---\n\n{table.render(BAD, WITHOUT_RUST, 'A bad run.')}\n"


def test_the_table_is_the_approved_one():
    assert rendered() == GOLDEN.read_text()


def test_goals_that_are_just_met_are_met():
    assert table.missed(GOOD, BINDINGS) == []
    assert table.late(GOOD.nanoseconds) == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"instructions": GOOD.instructions | {("nop/1", OURS): 59.5}}, "nop/1: 0.595 of the newest liburing's"),
        ({"instructions": GOOD.instructions | {("nop/32", RUST): 27.0}}, "nop/32: 28.00 instructions, rust needs 27.00"),
        ({"calls": GOOD.calls | {("nop/32", OURS): 0.0313}}, "nop/32: 0.0313 system calls per operation, not 1/32"),
        ({"text_bytes": 2049}, "has 2049 bytes of code"),
    ],
)
def test_each_goal_can_be_missed(changes, says):
    (sentence,) = table.missed(replace(GOOD, **changes), BINDINGS)
    assert says in sentence


@pytest.mark.parametrize("name", [NEWEST, RUST])
def test_a_missing_peer_is_a_missed_goal(name):
    there = {key: value for key, value in GOOD.instructions.items() if key[1] != name}
    measured = replace(GOOD, instructions=there)
    assert table.missed(measured, BINDINGS | {name: "no network"}) == [f"{name} is missing: no network."]


def test_slow_times_are_told_and_do_not_gate():
    assert len(table.late(BAD.nanoseconds)) == 2
    assert table.missed(replace(GOOD, nanoseconds=BAD.nanoseconds), BINDINGS) == []


LINES = "nop/1 uring 128 128\nnop/1 uring 256 256\nnop/32 uring 128 4096\nnop/32 uring 256 8192\n"


def test_a_figure_is_the_difference_of_two_runs():
    assert measure.per_operation(LINES, [1128, 2128, 5096, 9192]) == {("nop/1", OURS): 7.8125, ("nop/32", OURS): 1.0}


@pytest.mark.parametrize(
    ("lines", "counts"), [(LINES, [1, 2, 3]), ("", []), (LINES.replace("nop/1 uring 256", "nop/2 uring 256"), [1, 2, 3, 4])]
)
def test_runs_and_counts_that_do_not_fit_are_trouble(lines, counts):
    with pytest.raises(HarnessError, match="bench_rounds"):
        measure.per_operation(lines, counts)


def test_only_what_lies_between_marks_is_counted():
    strace = (
        'brk(NULL) = 0x1\nwrite(-1, "begin", 5) = -1 EBADF (Bad file descriptor)\nio_uring_enter(3, 1, 1) = 1\nfutex() = 0\n'
        'write(-1, "end", 3) = -1 EBADF (Bad file descriptor)\nclose(3) = 0\nwrite(-1, "begin", 5) = -1 EBADF\n'
        'write(-1, "end", 3) = -1 EBADF\n'
    )
    assert measure.calls_between_marks(strace) == [2, 0]


def test_callgrinds_total_is_found_or_missed_loudly():
    assert measure.instructions_in("events: Ir\nfn=(1)\n1 2\ntotals: 1234\n") == 1234
    with pytest.raises(HarnessError, match="valgrind"):
        measure.instructions_in("events: Ir\n")


def test_only_medians_are_taken():
    entries = [
        {"run_name": "nop/1 uring", "real_time": 5.0},
        {"run_name": "nop/1 uring", "real_time": 7.0, "aggregate_name": "mean"},
        {"run_name": "nop/1 uring", "real_time": 6.0, "aggregate_name": "median"},
    ]
    assert measure.medians(json.dumps({"benchmarks": entries})) == {("nop/1", OURS): 6.0}


def test_versions_are_told_without_the_distributions_part():
    assert [peers.short(version) for version in ("2.15-1", "1:2.3-3", "0.7.15-1+b2")] == ["2.15", "2.3", "0.7.15"]


def test_a_command_that_fails_says_what_it_said():
    with pytest.raises(HarnessError, match="(?s)exit code 3.*because"):
        peers.run(["sh", "-c", "echo because; exit 3"])
    with pytest.raises(HarnessError, match="ci/bench"):
        peers.run(["no-such-tool"])


def test_the_markers_must_be_there():
    assert table.replace_between_markers(f"a\n{table.BEGIN}\nold\n{table.END}\nb", "new") == (
        f"a\n{table.BEGIN}\nnew\n{table.END}\nb"
    )
    with pytest.raises(HarnessError, match="Put them back"):
        table.replace_between_markers("nothing", "new")


if __name__ == "__main__" and sys.argv[1:] == ["approve"]:
    GOLDEN.write_text(rendered())
