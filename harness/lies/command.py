"""`ci/lies`: runs every test through every lie that a kernel can tell, and says which test caught which.

A lie (conformance/seam/lies.cc) is a binding of its own to the matrix: the host's column, through `lie:NAME`. What
each of them must lead to stands in conformance/catalogue/lies.toml.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from harness.base import command_line
from harness.base.exits import OK, SURPRISES
from harness.base.paths import README, REPORTS, ROOT
from harness.lies import page as report
from harness.lies.model import Expectation, Lie, agree, load, objections
from harness.lies.observe import chosen_lie, listed, observe
from harness.report import folder, readme
from harness.suite import catalogue


def main(arguments: Sequence[str]) -> int:
    """Run the lies; 0: each was caught or survived as documented, 1: one was not."""
    parser = command_line.parser("lies", "Runs every test on kernels that lie, and says which test caught which lie.", command_line.FINDINGS)
    parser.add_argument("--lie", action="append", metavar="NAME", help="only this one, repeatable; nothing is written then")
    command_line.add_build(parser)
    parser.add_argument("--no-write", action="store_true", help="leave reports/ and README.md alone")
    options = parser.parse_args(arguments)
    expected = load()
    known = listed(options.build)
    agree(expected, known)
    chosen = [chosen_lie(name, known) for name in options.lie] if options.lie else known
    rows = catalogue.load()
    told = list(observe(chosen, options.build, lambda lie: rows, say=lambda text: print(text, flush=True)))
    found = [sentence for lie in told for sentence in objections(lie, expected[lie.name])]
    for sentence in found:
        print(f"NOT AS DOCUMENTED: {sentence}", file=sys.stderr)
    if found:
        return SURPRISES
    if old := sorted({test for lie in told for test in lie.absent if test in expected[lie.name].caught_by}):
        print(f"This kernel is too old for {', '.join(old)}: what only they catch is not known, and nothing is written.")
    elif not options.lie and not options.no_write:
        publish(told, expected)
        print(f"Written: {REPORTS / report.PAGE} and its line in README.md.")
    print(report.headline(told, expected))
    return OK


def publish(told: Sequence[Lie], expected: Mapping[str, Expectation]) -> None:
    """Write the page and the README's line, or neither."""
    page = report.render(told, expected, home=os.path.relpath(ROOT, REPORTS))
    text = README.read_text(encoding="utf-8")
    line = readme.replace_between_markers(text, report.readme_line(told, expected), report.BEGIN, report.END)
    folder.replace_all({REPORTS / report.PAGE: page, README: line})
