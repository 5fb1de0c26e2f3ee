"""The measurements: instructions, system calls, times, sizes. Each uses the same programs and plug-ins."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from harness.base.errors import HarnessError
from harness.bench.binding.peers import Peer
from harness.suite.other_bindings import run

ROUNDS = 128  # of the shorter of two runs; a multiple of the batches that fit in the queue, so that every lap is complete

Figures = dict[tuple[str, str], float]  # by row and binding: one figure per operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All measurements of one run."""

    instructions: Figures
    calls: Figures
    nanoseconds: Figures  # empty: not measured
    text_bytes: int
    program_bytes: int


def all_of(root: Path, peers: dict[str, Peer], *, repetitions: int) -> Measured:
    """Measure everything, but no times if `repetitions` is 0."""
    programs = root / "build-bench/bindings/bench"
    scratch = root / "build-bench/measured"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    plugins = [f"{name}={peer.plugin}" for name, peer in peers.items()]
    rounds = [str(programs / "bench_rounds"), str(ROUNDS), *plugins]
    text, whole = _sizes(programs / "freestanding_nop", scratch)
    return Measured(
        instructions=_instructions(rounds, scratch),
        calls=_calls(rounds, scratch),
        nanoseconds=_times([str(programs / "bench_times"), *plugins], repetitions) if repetitions else {},
        text_bytes=text,
        program_bytes=whole,
    )


def per_operation(lines: str, counts: list[int]) -> Figures:
    """The cost of one operation: the difference between a row's two runs, divided by the difference in operations."""
    runs = [line.split() for line in lines.splitlines()]
    if len(runs) != len(counts) or len(runs) % 2 or not runs:
        raise HarnessError(f"bench_rounds made {len(runs)} runs, but the tool counted {len(counts)}. Run ci/bench again.")
    figures: Figures = {}
    for first, second, count, more in zip(runs[::2], runs[1::2], counts[::2], counts[1::2]):
        if first[:2] != second[:2]:
            raise HarnessError(f"bench_rounds ran {first[:2]} and then {second[:2]}, but every row must run twice in succession.")
        figures[first[0], first[1]] = (more - count) / (int(second[3]) - int(first[3]))
    return figures


def _instructions(rounds: list[str], scratch: Path) -> Figures:
    """callgrind counts only inside `measured`, and writes one file per call."""
    out = scratch / "callgrind"
    tool = ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={out}", "--collect-atstart=no",
            "--toggle-collect=measured", "--dump-after=measured"]  # fmt: skip
    lines = run([*tool, *rounds])
    files = [scratch / f"callgrind.{i + 1}" for i in range(len(lines.splitlines()))]
    return per_operation(lines, [instructions_in(file.read_text()) for file in files if file.exists()])


def instructions_in(callgrind: str) -> int:
    """The total of a callgrind file."""
    match = re.search(r"^(?:totals|summary): (\d+)", callgrind, re.MULTILINE)
    if match is None:
        raise HarnessError("callgrind wrote a file without a total, so this version of valgrind is not supported.")
    return int(match[1])


def _calls(rounds: list[str], scratch: Path) -> Figures:
    out = scratch / "strace"
    lines = run(["strace", "-qq", "-o", str(out), *rounds])
    return per_operation(lines, calls_between_marks(out.read_text()))


def calls_between_marks(strace: str) -> list[int]:
    """The number of system calls of any kind between each two marks of bench_rounds."""
    counts: list[int] = []
    inside = False
    for line in strace.splitlines():
        if line.startswith('write(-1, "begin"'):
            counts.append(0)
            inside = True
        elif line.startswith('write(-1, "end"'):
            inside = False
        elif inside:
            counts[-1] += 1
    return counts


def _times(times: list[str], repetitions: int) -> Figures:
    options = [f"--benchmark_repetitions={repetitions}", "--benchmark_enable_random_interleaving=true",
               "--benchmark_min_time=0.02", "--benchmark_format=json"]  # fmt: skip
    return medians(run([*times, *options]))


def medians(benchmark_json: str) -> Figures:
    """The median of each row's repetitions, in nanoseconds of wall time."""
    figures: Figures = {}
    for entry in json.loads(benchmark_json)["benchmarks"]:
        if entry.get("aggregate_name") == "median":
            row, binding = entry["run_name"].split(" ")
            figures[row, binding] = float(entry["real_time"])
    return figures


def _sizes(program: Path, scratch: Path) -> tuple[int, int]:
    """The bytes of code and of the whole stripped program."""
    run([str(program)])  # it must work, otherwise its size is meaningless
    stripped = scratch / "freestanding_nop"
    run(["strip", "-o", str(stripped), str(program)])
    match = re.search(r"^\.text\s+(\d+)", run(["size", "-A", str(stripped)]), re.MULTILINE)
    if match is None:
        raise HarnessError(f"size shows no .text in {stripped.name}, so its format is not supported. Try another version of binutils.")
    return int(match[1]), stripped.stat().st_size
