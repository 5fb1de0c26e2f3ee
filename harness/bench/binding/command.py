# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""`ci/harness bench`: builds, measures, writes and prints the table."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from datetime import datetime, timezone

from harness.base import command_line
from harness.base.cache import Cache
from harness.base.errors import HarnessError
from harness.base.exits import OK, SURPRISES
from harness.base.output import emit, say
from harness.base.paths import ROOT
from harness.bench.binding import measure, peers, table
from harness.kernels.settings import load_settings
from harness.suite.other_bindings import CRATE, LIBURING, NEWEST, OtherBinding, OtherBindings, run

README = ROOT / "bindings/bench/README.md"


def main(arguments: Sequence[str]) -> int:
    """Run the benchmark; returns the exit code."""
    parser = command_line.parser(
        "bench", __doc__ or "", "Exit code: 0 all goals are met, 1 one is not, 2 the harness itself failed."
    )
    parser.add_argument(
        "--offline", action="store_true", help="use the other bindings that an earlier run fetched"
    )
    parser.add_argument(
        "--repetitions", type=int, default=9, help="repetitions of the time measurements; 0 for none"
    )
    parser.add_argument("--no-write", action="store_true", help="print the table, leave README.md alone")
    options = parser.parse_args(arguments)
    return _run(options.repetitions, offline=options.offline, write=not options.no_write)


def _run(repetitions: int, *, offline: bool, write: bool) -> int:
    there = OtherBindings(Cache(), (NEWEST,), _say, known=load_settings().suites)
    bindings = peers.build(
        ROOT, *(_unpacked(there, packages, offline=offline) for packages in (LIBURING, CRATE))
    )
    built = {name: peer for name, peer in bindings.items() if isinstance(peer, peers.Peer)}
    measured = measure.all_of(ROOT, built, repetitions=repetitions)
    compiler = run(["c++", "-dumpfullversion"]).strip()
    rustc = run(["/usr/bin/rustc", "--version"]).split()[1]
    about = (f"{datetime.now(timezone.utc):%-d %B %Y}, Linux {platform.release()}, {platform.machine()}, "
             f"g++ {compiler} -O2, rustc {rustc} -O3 with LTO.")  # fmt: skip
    block = table.render(measured, bindings, about)
    emit(block)
    if write:
        README.write_text(
            table.replace_between_markers(README.read_text(encoding="utf-8"), block), encoding="utf-8"
        )
    return SURPRISES if table.missed(measured, bindings) else OK


def _unpacked(there: OtherBindings, packages: Sequence[str], *, offline: bool) -> OtherBinding | None:
    """The newest packages. If they cannot be fetched, says so and returns those of an earlier run, or None."""
    if not offline:
        try:
            return there.fetch(packages, (NEWEST,))[0]
        except HarnessError as error:
            _say(f"ci/harness bench: {error} Using the packages that an earlier run fetched, if any.")
    return there.earlier(packages)


def _say(said: str) -> None:
    say(said, error=True)
