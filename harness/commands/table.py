# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""`ci/harness table`: the table of one binding, ready for that binding's README."""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.base import command_line
from harness.base.errors import HarnessError
from harness.base.git import Git
from harness.base.output import emit
from harness.base.paths import ROOT
from harness.commands import diff
from harness.report import readme
from harness.report.readme import Links
from harness.suite import catalogue

_EPILOG = """\
If this repository was cloned from a code-hosting site, the names of tests link to it. With --report, surprises and
kernels link to the report of the run: publish matrix.md, which ci/matrix writes to build/matrix.

Exit code: 0, or 2 for a harness error, such as incomplete results."""


def main(arguments: Sequence[str]) -> int:
    """Print the table."""
    parser = command_line.parser(
        "table",
        "Prints the table of one binding in Markdown, with its legend, for that binding's README.",
        _EPILOG,
    )
    parser.add_argument("results", nargs="?", default=str(diff.LATEST), metavar="RESULTS",
                        help="a results file or a directory with one (default: build/matrix)")  # fmt: skip
    parser.add_argument(
        "--binding", metavar="NAME", help="which of the run's bindings (default: its only one)"
    )
    parser.add_argument("--report", metavar="URL", help="the address where you publish the run's matrix.md")
    parser.add_argument("--suite", metavar="URL", default=None,
                        help="the address of this repository's files, such as .../blob/main (default: from git's origin)")  # fmt: skip
    options = parser.parse_args(arguments)
    whole = diff.load(options.results)
    bindings = whole.header.plan.bindings
    if options.binding is None and len(bindings) > 1:
        raise HarnessError(f"These results are for {', '.join(bindings)}. Choose one with --binding.")
    links = Links(details=options.report, home=_folder(options.suite) or _origin())
    emit(readme.excerpt(whole, catalogue.load(), options.binding or bindings[0], links), end="")
    return 0


def _folder(address: str | None) -> str | None:
    return f"{address.rstrip('/')}/" if address else None


def _origin() -> str | None:
    """The web address of this repository's files, if its origin is a code-hosting site."""
    found = re.fullmatch(r"(?:https://|git@)([\w.-]+)[/:](.+?)(?:\.git)?/?", Git(ROOT).origin() or "")
    return f"https://{found[1]}/{found[2]}/blob/HEAD/" if found else None
