# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""`ci/harness diff`: what changed between two runs, in words."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from harness.base import command_line, outside
from harness.base.errors import HarnessError
from harness.base.git import Git
from harness.base.output import emit
from harness.base.paths import BUILD, RESULTS, ROOT
from harness.report import changes
from harness.results import compare as difference
from harness.results.file import LARGEST, parse_results
from harness.results.model import Results

PUBLISHED = f"reports/{RESULTS}"
LATEST = BUILD / "matrix"

_EPILOG = """\
OLD and NEW are results files, directories with a results.ndjson, or git revisions (of which reports/ is used).
Changed cells are grouped by possible cause: a new kernel package, a changed test, catalogue, binding, support or
harness. If none of these changed, the test may be flaky.

Exit code: 0 nothing got worse, 1 a regression (a quiet cell became a surprise, or a cell is gone), 2 a harness
error, such as incomplete results."""


def main(arguments: Sequence[str]) -> int:
    """Compare two runs and print the difference."""
    parser = command_line.parser("diff", "Describes what changed between two runs of the matrix.", _EPILOG)
    parser.add_argument("old", nargs="?", default="HEAD", metavar="OLD",
                        help="the earlier run (default: the committed reports, HEAD)")  # fmt: skip
    parser.add_argument("new", nargs="?", default=str(LATEST), metavar="NEW",
                        help="the later run (default: build/matrix, where ci/matrix puts its results)")  # fmt: skip
    parser.add_argument(
        "--allow-gone", action="store_true", help="cells missing from the later run are not regressions"
    )
    parser.add_argument(
        "--markdown", action="store_true", help="print Markdown, for a commit message or a job's summary"
    )
    options = parser.parse_args(arguments)
    found = difference.compare(load(options.old), load(options.new))
    emit(changes.markdown(found) if options.markdown else changes.render(found), end="")
    return 1 if found.regressions(allow_gone=options.allow_gone) else 0


def load(source: str, top: Path = ROOT) -> Results:
    """The complete run in a file, a directory or a revision; HarnessError if it is not complete."""
    try:
        stored = _stored(Path(source))
        data = _published(source, top) if stored is None else stored
        return parse_results(RESULTS, data.decode())
    except UnicodeDecodeError as error:
        raise HarnessError(
            f"{source} is not a results file: {error}. Name one that ci/matrix wrote."
        ) from error
    except HarnessError as error:
        raise HarnessError(f"{source} cannot be used: {error}") from error


def _stored(path: Path) -> bytes | None:
    """The file, or the one in the directory; None if there is neither."""
    is_directory = os.path.isdir(path)  # unlike Path's, it has an answer for every string
    try:
        return outside.read(path / RESULTS if is_directory else path, LARGEST, "It", "Name another.")
    except outside.Unreadable as error:
        if not error.missing:
            raise
    if is_directory:
        raise HarnessError(f"There is no {RESULTS} in it. Run ci/matrix, or name another directory.")
    return None


def _published(revision: str, top: Path) -> bytes:
    """The reports of a revision."""
    git = Git(top)
    if git.commit_of(revision) is None:
        raise HarnessError("It is not a file, a directory or a git revision. Check the name.")
    data = git.file(revision, PUBLISHED)
    if data is None:
        raise HarnessError(
            f"The revision has no {PUBLISHED}, because nothing was published yet. Name a later one."
        )
    return data
