# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""`ci/harness merge`: the shards of a run from several machines, merged into one run, or all reasons why they cannot be."""

from __future__ import annotations

import os
import shutil
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.base import command_line
from harness.base.errors import HarnessError
from harness.base.output import say
from harness.base.outside import real
from harness.base.paths import RESULTS, ROOT
from harness.base.words import number
from harness.commands import plan
from harness.matrix.column import MACHINES
from harness.report import folder, text
from harness.results.file import Writer, read_results
from harness.results.model import Header, Plan, Results
from harness.suite import catalogue

_EPILOG = """\
A shard is the output of `ci/matrix --kernel ... --results SHARD`: all tests on some of the kernels. The shards must
come from the same suite and have each planned kernel exactly once. Otherwise every problem is listed and nothing
is written.

Exit code: 0 merged, 2 not merged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """A complete run of part of the matrix."""

    name: str  # as given
    directory: Path
    results: Results


def main(arguments: Sequence[str]) -> int:
    """Merge, and print the headline."""
    parser = command_line.parser("merge", "Merges the shards of a run into one run.", _EPILOG)
    parser.add_argument(
        "shards", nargs="+", metavar="SHARD", help="a results file, or a directory with a results.ndjson"
    )
    parser.add_argument(
        "--into",
        required=True,
        type=Path,
        metavar="DIR",
        help="where merged results, consoles and reports go",
    )
    plan.add_options(parser)
    options = parser.parse_args(arguments)
    expected = Plan(
        tests=tuple(row.name for row in catalogue.load()),
        kernels=tuple(plan.chosen(options.kernels, options.plan)),
        bindings=(),  # whatever the shards agree on
    )
    merged = merge(options.shards, expected, options.into)
    say(f"Merged {number(len(options.shards), 'shard')} into {options.into}: {text.headline(merged)}.")
    return 0


def merge(sources: Sequence[str], expected: Plan, into: Path) -> Results:
    """Merge the shards into one run with consoles and reports in `into`; HarnessError if they do not fit together."""
    shards, problems = _read(sources)
    problems += [*_disagreements(shards), *_overlaps(shards), *_gaps(shards, expected)]
    problems += [*_collisions(shards, into), *_odd_consoles(shards)]
    if problems:
        listed = "".join(f"\n- {problem}" for problem in problems)
        raise HarnessError(f"The shards are not one run, so nothing was written to {into}:{listed}")
    merged = _write(shards, _header(shards, expected), into)
    _carry_consoles(shards, into)
    folder.fill(into, merged, catalogue.load(), top=ROOT, machines=MACHINES)
    return merged


def _read(sources: Sequence[str]) -> tuple[list[Shard], list[str]]:
    """The complete shards, and the problems of the others."""
    shards, problems = [], []
    for source in sources:
        path = Path(source, RESULTS) if os.path.isdir(source) else Path(source)
        try:
            shards.append(Shard(name=source, directory=path.parent, results=read_results(path)))
        except HarnessError as error:
            problems.append(f"{source}: {error}")
    return shards, problems


def _disagreements(shards: Sequence[Shard]) -> Iterator[str]:
    """How the suites of the shards differ, each compared with the first."""
    for shard in shards:
        if shard.results.header.made_of is None:
            yield f"{shard.name} does not say what it was made from. Run it again with this version of the suite."
    for shard in shards[1:]:
        first = _suite(shards[0].results.header)
        for name, value in _suite(shard.results.header).items():
            if name in first and first[name] != value:
                yield f"{shard.name} and {shards[0].name} come from different suites: {name} is {value} and {first[name]}."


def _suite(header: Header) -> dict[str, object]:
    """The facts that must be the same in all shards, by name."""
    facts: dict[str, object] = {
        "the commit": header.suite,
        "whether there are uncommitted changes": header.dirty,
        "the list of bindings": ", ".join(header.plan.bindings),
        "the list of configurations": ", ".join(header.plan.configurations),
    }
    if made_of := header.made_of:
        for part in ("binding", "support", "harness", "catalogue"):
            facts[f"the digest of the {part}"] = getattr(made_of, part)[:12]
        facts |= {f"the digest of the test {test}": digest[:12] for test, digest in made_of.tests.items()}
        facts |= {
            f"the digest of the program of {name}": digest[:12] for name, digest in made_of.adapters.items()
        }
    return facts


def _overlaps(shards: Sequence[Shard]) -> Iterator[str]:
    """Cells that are in two shards."""
    for index, shard in enumerate(shards):
        for other in shards[index + 1 :]:
            known = other.results.by_position()
            if both := [position for position in shard.results.by_position() if position in known]:
                test, series, binding, configuration = both[0]
                yield (
                    f"{shard.name} and {other.name} both have {number(len(both), 'cell')}, "
                    f"such as {test} on {series} through {binding}{text.under(configuration)}."
                )


def _gaps(shards: Sequence[Shard], expected: Plan) -> Iterator[str]:
    """What was planned but is missing, and what is there but was not planned."""
    for name, count in Counter(expected.kernels).items():
        if count > 1:
            yield f"The kernel {name} is planned {count} times."
    tests: dict[str, set[str]] = {}  # by kernel
    for shard in shards:
        for cell in shard.results.cells:
            tests.setdefault(cell.series, set()).add(cell.test)
    for series in dict.fromkeys(expected.kernels):
        if series not in tests:
            yield f"The kernel {series} is planned, but no shard has it."
        elif missing := [test for test in expected.tests if test not in tests[series]]:
            yield f"{number(len(missing), 'test')} missing on {series}: {', '.join(missing)}."
    for shard in shards:
        for series in shard.results.header.plan.kernels:
            if series not in expected.kernels:
                yield f"{shard.name} has the kernel {series}, which was not planned."
        for test in shard.results.header.plan.tests:
            if test not in expected.tests:
                yield f"{shard.name} has the test {test}, which is not in the catalogue."


def _collisions(shards: Sequence[Shard], into: Path) -> Iterator[str]:
    """Shards that the merge would overwrite: its folders are replaced."""
    for shard in shards:
        directory = real(shard.directory)
        if directory == real(into):
            yield f"{into} is itself a shard, which the merge would overwrite. Choose another --into."
        elif directory.is_relative_to(real(into / MACHINES)):
            yield f"{shard.name} is in {into / MACHINES}, which the merge replaces. Choose another --into."


def _odd_consoles(shards: Sequence[Shard]) -> Iterator[str]:
    """Files among the consoles that cannot be copied: a link may lead to anything, a pipe never ends."""
    for shard in shards:
        for series in shard.results.header.plan.kernels:
            for top, folders, files in os.walk(shard.directory / MACHINES / series):
                for path in (Path(top, name) for name in (*folders, *files)):
                    if not stat.S_ISDIR(mode := path.lstat().st_mode) and not stat.S_ISREG(mode):
                        yield f"{path} is not a regular file. A machine leaves only such: remove it."


def _header(shards: Sequence[Shard], expected: Plan) -> Header:
    headers = [shard.results.header for shard in shards]
    common = [
        item for item in headers[0].host.items() if all(item in header.host.items() for header in headers)
    ]
    return replace(
        headers[0],
        plan=replace(
            expected, bindings=headers[0].plan.bindings, configurations=headers[0].plan.configurations
        ),
        started=min(header.started for header in headers),
        host=dict(common),  # only facts that are true of all machines
    )


def _write(shards: Sequence[Shard], header: Header, into: Path) -> Results:
    """Write the results file, kernel by kernel, as if one machine had made it."""
    try:
        into.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HarnessError(
            f"The merged results cannot go to {into}: {error.strerror}. Choose another --into."
        ) from error
    of_kernel = {series: shard.results for shard in shards for series in shard.results.header.plan.kernels}
    with Writer(into / RESULTS, header) as writer:
        for series in header.plan.kernels:
            cells = of_kernel[series].by_position()
            for position in header.plan.positions():
                if position.series == series:
                    writer.cell(cells[position])
            for kernel in of_kernel[series].kernels:
                if kernel.series == series:
                    writer.kernel(kernel)
        return writer.finish(max(shard.results.footer.ended for shard in shards))


def _carry_consoles(shards: Sequence[Shard], into: Path) -> None:
    for shard in shards:
        for series in shard.results.header.plan.kernels:
            source, target = (place / MACHINES / series for place in (shard.directory, into))
            try:
                shutil.rmtree(target, ignore_errors=True)
                if source.exists():
                    shutil.copytree(source, target)
            except OSError as error:
                raise HarnessError(
                    f"The consoles of {series} cannot be copied to {into}: {error}. The results are complete; copy the consoles by hand."
                ) from error
