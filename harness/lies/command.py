# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""`ci/harness lies`: runs every test through every lie of a kernel, and reports which test caught which lie.

To the matrix, a lie (conformance/seam/lies.cc) is a binding: the host's column, through `lie:NAME`. The expected
outcome of each is in conformance/catalogue/lies.toml.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from harness.base import command_line
from harness.base.exits import OK, SURPRISES
from harness.base.output import say
from harness.base.paths import README, REPORTS, ROOT
from harness.lies import page as report
from harness.lies.model import Expectation, Lie, agree, load
from harness.lies.observe import chosen_lie, judged, listed, observe
from harness.report import folder, readme
from harness.suite import catalogue


def main(arguments: Sequence[str]) -> int:
    """Run the lies. 0: each was caught or survived as documented; 1: one was not."""
    parser = command_line.parser(
        "lies",
        "Runs every test on kernels that lie, and says which test caught which lie.",
        command_line.FINDINGS,
    )
    parser.add_argument(
        "--lie",
        action="append",
        metavar="NAME",
        help="run only this lie, repeatable; then nothing is written",
    )
    command_line.add_build(parser)
    parser.add_argument("--no-write", action="store_true", help="leave reports/ and README.md alone")
    options = parser.parse_args(arguments)
    expected = load()
    known = listed(options.build)
    agree(expected, known)
    chosen = [chosen_lie(name, known) for name in options.lie] if options.lie else known
    rows = catalogue.load()
    seen, found = judged(
        chosen,
        expected,
        lambda lies, timeout_s: observe(lies, options.build, lambda lie: rows, timeout_s=timeout_s, say=say),
    )
    for sentence in found:
        say(f"NOT AS DOCUMENTED: {sentence}", error=True)
    if found:
        return SURPRISES
    if old := sorted({test for lie in seen for test in lie.absent if test in expected[lie.name].caught_by}):
        say(
            f"This kernel is too old for {', '.join(old)}: what only they catch is unknown, so nothing is written."
        )
    elif not options.lie and not options.no_write:
        publish(seen, expected)
        say(f"Written: {REPORTS / report.PAGE} and its line in README.md.")
    say(report.headline(seen, expected))
    return OK


def publish(told: Sequence[Lie], expected: Mapping[str, Expectation]) -> None:
    """Write the page and the README's line, or neither."""
    page = report.render(told, expected, home=os.path.relpath(ROOT, REPORTS))
    text = README.read_text(encoding="utf-8")
    line = readme.replace_between_markers(text, report.readme_line(told, expected), report.BEGIN, report.END)
    folder.replace_all({REPORTS / report.PAGE: page, README: line})
