# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""`ci/harness render [FILE]`: renders the reports of a results file again, without running anything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.base import command_line
from harness.base.exits import OK
from harness.base.output import say
from harness.base.outside import real
from harness.base.paths import REPORTS, RESULTS, ROOT
from harness.matrix import publish
from harness.matrix.column import MACHINES
from harness.report import folder
from harness.results.file import read_results
from harness.suite import catalogue


def main(arguments: Sequence[str]) -> int:
    """Render the reports beside the file; for the published results, also the table in README.md."""
    published = REPORTS / RESULTS
    parser = command_line.parser(
        "render", "Makes the reports of a results file again, without running anything."
    )
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        default=published,
        metavar="FILE",
        help="a results.ndjson (default: the published one, which README.md also shows)",
    )
    path = real(parser.parse_args(arguments).file)
    whole = read_results(path)
    if path == published:
        folder.replace_all(publish.rendered(whole))
        say(f"Rendered: {path.parent} and the table in README.md.")
    else:
        folder.fill(path.parent, whole, catalogue.load(), top=ROOT, machines=MACHINES)
        say(f"Rendered: {path.parent / folder.INDEX} and the files beside it.")
    return OK
