# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""`ci/harness mutate`: breaks the binding on purpose, one change at a time, and reports which check notices."""

from __future__ import annotations

import argparse
import difflib
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

from harness.base import command_line
from harness.base.errors import HarnessError
from harness.base.exits import INTERRUPTED, OK, SURPRISES
from harness.base.output import say
from harness.base.paths import BUILD
from harness.mutation import elsewhere, headers, ledger, operators, publication
from harness.mutation.builder import INCLUDE, Builder
from harness.mutation.ledger import Entry, Exemption, Journal
from harness.mutation.mutants import Mutant, apply, handmade
from harness.mutation.trial import FEW_ROWS, Finding, Runner, Verdict, Witness

PLACE = BUILD / "mutants"

_EPILOG = """\
A complete run writes reports/mutants.md and the README's line. Findings are saved in build/mutants
at once: after an interruption only the rest runs; after a change to a test what that test killed, and what survived; after a
change to a header everything, where the test that noticed a mutant before is asked first.

Exit code: 0 as expected, 1 a mutant survives that must not (or an equivalent one dies), 2 a harness error."""


def main(arguments: Sequence[str]) -> int:
    """Choose mutants, try them, report."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # like Ctrl-C: findings are kept
    begin = os.times().elapsed
    sources = headers.read(INCLUDE)
    # A hand-made mutant may also be generated; it is tried once.
    mutants = list(
        {mutant.id: mutant for mutant in [*operators.generate(sources), *handmade(sources)]}.values()
    )
    if options.older:
        publication.mark_as_older()
        return OK
    before = ledger.read(ledger.LAST)
    chosen = _chosen(mutants, options, before)
    # Also when equivalents.toml names mutants that are gone: this says how they are called now.
    if options.list:
        for mutant in chosen:
            say(f"{mutant.id} {mutant.title}")
        return OK
    exempt = ledger.exemptions(mutants)
    journal = Journal(options.into / "findings.ndjson")
    todo = [mutant for mutant in chosen if options.fresh or options.sample or mutant.id not in journal.known]
    if todo:
        builder = Builder(options.into, sources)
        within = chosen if options.sample else mutants
        say(f"Building the program with {len(within)} mutants ...")
        if options.sample:
            program = builder.small_program(within, FEW_ROWS, _CPUS)
        else:
            program = builder.program(within, _CPUS)
        runner = Runner(builder, program)
        runner.demand_that_the_original_passes()

        def tried(mutant: Mutant) -> Finding:
            finding = runner.try_one(mutant, journal.earlier.get(mutant.id))
            if not mutant.kernel or finding.witness == Witness.SUITE or options.sample:
                return finding
            there = elsewhere.try_on_its_kernel(builder, mutant)
            return there if there.verdict == Verdict.KILLED else finding

        if not _try_all(tried, todo, journal, options.jobs):
            say(f"Interrupted. The findings so far are in {options.into} and will be reused.")
            return INTERRUPTED
        runner.demand_that_the_original_passes()
    entries = [ledger.entry(mutant, journal.known[mutant.id]) for mutant in chosen]
    if len(chosen) <= _FEW:
        for mutant, entry in zip(chosen, entries, strict=True):
            say(_shown(mutant, entry, sources, exempt))
    complaints = list(_complaints(entries, exempt, before))
    say(_summary(entries))
    spent = os.times()
    say(
        f"It took {spent.elapsed - begin:.0f} s, and {spent.children_user + spent.children_system:.0f} s of CPU time."
    )
    if len(chosen) == len(mutants):
        publication.publish(entries, exempt)
        say("Written: reports/mutants.md, and the line in README.md.")
    say("\n".join(complaints))
    return SURPRISES if complaints else OK


_FEW = 12
_CPUS = os.cpu_count() or 1


def _parser() -> argparse.ArgumentParser:
    parser = command_line.parser("mutate", __doc__ or "", _EPILOG)
    parser.add_argument(
        "mutant", nargs="*", metavar="NAME", help="only these: ids, or words from the output of --list"
    )
    parser.add_argument(
        "--file", action="append", metavar="HEADER", help="only the mutants of this header, such as ring.h"
    )
    parser.add_argument(
        "--survivors",
        action="store_true",
        help="only those that survived in the last complete run here, or are new",
    )
    parser.add_argument("--sample", action="store_true",
                        help="hand-made mutants that a few rows of the suite kill: quick, and part of ci/test --nightly")  # fmt: skip
    parser.add_argument("--list", action="store_true", help="list the mutants without trying them")
    parser.add_argument(
        "--older",
        action="store_true",
        help="try none, but say on the page and in the README that the headers have changed since",
    )
    parser.add_argument("--fresh", action="store_true", help="try mutants again whose outcome is known")
    parser.add_argument(
        "--jobs",
        type=int,
        default=5 * _CPUS,
        metavar="N",
        help="how many at once (default: five per CPU, since most tests wait more than they compute)",
    )
    parser.add_argument(
        "--into", type=Path, default=PLACE, metavar="DIR", help="where to work (default: build/mutants)"
    )
    return parser


def _chosen(mutants: list[Mutant], options: argparse.Namespace, published: dict[str, Entry]) -> list[Mutant]:
    found = mutants
    if options.file:
        if unknown := set(options.file) - {mutant.file for mutant in mutants}:
            raise HarnessError(
                f"There is no mutant in {', '.join(sorted(unknown))}. The headers are: {', '.join(sorted({m.file for m in mutants}))}."
            )
        found = [mutant for mutant in found if mutant.file in options.file]
    if options.mutant:
        found = [
            mutant
            for mutant in found
            if any(word in f"{mutant.id} {mutant.title}" for word in options.mutant)
        ]
    if options.sample:
        found = [mutant for mutant in found if mutant.sample]
    if options.survivors:
        alive = {one.id for one in published.values() if one.verdict == Verdict.SURVIVED}
        found = [mutant for mutant in found if mutant.id in alive or mutant.id not in published]
    if not found:
        raise HarnessError("No mutant matches. ci/harness mutate --list shows them all.")
    return found


def _try_all(tried: Callable[[Mutant], Finding], todo: Sequence[Mutant], journal: Journal, jobs: int) -> bool:
    """Try them, and save each finding. False if interrupted."""
    progress = _Progress(len(todo))
    with ThreadPoolExecutor(jobs) as pool:
        waiting: dict[Future[Finding], Mutant] = {pool.submit(tried, mutant): mutant for mutant in todo}
        try:
            while waiting:
                done, _ = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    mutant = waiting.pop(future)
                    journal.add(mutant, future.result())
                    progress.tell(future.result())
        except KeyboardInterrupt:
            say("Stopping when those that are being tried are done: up to a minute. What was found is kept.")
            pool.shutdown(cancel_futures=True)
            return False
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return True


class _Progress:
    """Prints progress, with the count of each verdict, every twenty seconds and at the end."""

    def __init__(self, total: int) -> None:
        self._total, self._done, self._counts = total, 0, Counter[str]()
        self._begin = self._printed = time.monotonic()

    def tell(self, finding: Finding) -> None:
        self._done += 1
        self._counts[finding.verdict] += 1
        now = time.monotonic()
        if now - self._printed > 20 or self._done == self._total:
            self._printed = now
            counts = ", ".join(f"{count} {verdict}" for verdict, count in self._counts.items())
            say(f"{now - self._begin:5.0f} s  {self._done} of {self._total}: {counts}")


def _complaints(
    entries: Iterable[Entry], exempt: dict[str, Exemption], published: dict[str, Entry]
) -> Iterable[str]:
    for one in entries:
        before = published.get(one.id)
        if one.verdict == Verdict.SURVIVED and one.id not in exempt:
            was = (
                f", and was killed by {before.killer} before"
                if before and before.verdict == Verdict.KILLED
                else ""
            )
            yield f"{one.id} survives{was}: {one.title}"
        if one.verdict == Verdict.KILLED and one.id in exempt:
            yield f"{one.id} dies ({one.killer} {one.how}), but equivalents.toml says that no test can notice it: {one.title}"


def _summary(entries: Sequence[Entry]) -> str:
    verdicts = Counter(one.verdict for one in entries)
    witnesses = Counter(one.witness for one in entries if one.verdict == Verdict.KILLED)
    killed = ", ".join(f"{count} by the {witness}" for witness, count in witnesses.most_common())
    return (
        f"{len(entries)} mutants: {verdicts[Verdict.KILLED]} killed ({killed}), {verdicts[Verdict.SURVIVED]} survived, "
        f"{verdicts[Verdict.INVALID]} do not compile."
    )


def _shown(
    mutant: Mutant, one: Entry, sources: dict[str, headers.Header], exempt: dict[str, Exemption]
) -> str:
    """The mutant as a diff, and its outcome."""
    parts = [f"{mutant.id} {mutant.title}" + (f"\n({mutant.why})" if mutant.why else "")]
    for file, new in apply(sources, mutant).items():
        old = sources[file].text.splitlines()
        parts.append(
            "\n".join(difflib.unified_diff(old, new.splitlines(), file, f"{file}, mutated", n=1, lineterm=""))
        )
    if one.verdict == Verdict.KILLED:
        parts.append(f"Killed by the {one.witness}: {one.killer} {one.how}.")
    elif one.verdict == Verdict.SURVIVED:
        parts.append(f"Survived. {exempt[one.id].reason}" if one.id in exempt else "Survived.")
    else:
        parts.append(f"Does not compile: {one.killer}")
    return "\n".join(parts) + "\n"
