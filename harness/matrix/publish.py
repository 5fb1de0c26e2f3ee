# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Publishes a run: reports/ and the table in README.md, from a complete run of the whole matrix or not at all."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from harness.base.errors import HarnessError
from harness.base.paths import BUILD, README, REPORTS, RESULTS, ROOT
from harness.kernels.spec import columns_for
from harness.matrix.column import OPTIONS, Setup
from harness.matrix.gather import Matrix
from harness.report import coverage, folder, readme, rings, support
from harness.report.view import Place
from harness.results.file import as_text, brief, read_results
from harness.results.model import Results
from harness.suite import catalogue
from harness.suite.configuration import PLAIN
from harness.suite.surface import accounts, items, uncovered

KIND = "--configuration"  # the only option that a published run may have: it adds cells and changes none


def publish(matrix: Matrix) -> None:
    """Publish the run, or say why not. In that case the published files stay as they are."""
    reason = matrix.troubles[0] if matrix.troubles else _hindrance(matrix)
    if reason:
        matrix.messages.append(f"Not published: {reason}")
        return
    assert matrix.whole is not None
    try:
        gone = _gone(matrix.whole.header.plan.kernels)
        _replace(matrix.directory / RESULTS, matrix.whole)
    except (OSError, HarnessError) as error:
        matrix.troubles.append(f"The run could not be published: {error}")
        return
    matrix.messages.append("Published: reports/ and the table in README.md.")
    if gone:
        matrix.messages.append(
            f"The table no longer has {', '.join(gone)}: the archive dropped it, or kernels.toml excludes it."
        )


def _replace(path: Path, whole: Results) -> None:
    """Replace the published files, all or none."""
    found = read_results(path)  # also checks every line against the schema
    if found.cells != whole.cells:
        raise HarnessError(
            f"{path} does not hold this run, so another run may have replaced it. Run ci/matrix again."
        )
    REPORTS.mkdir(exist_ok=True)
    kinds = rings.of(found)
    texts = {} if kinds is None else {REPORTS / rings.FILE: rings.as_text(kinds)}
    shown = brief(found if kinds is None else found.under(PLAIN))
    folder.replace_all({REPORTS / RESULTS: as_text(shown), **texts, **rendered(shown, kinds)})


def rendered(published: Results, kinds: rings.Rings | None = None) -> dict[Path, str]:
    """Every file that shows the published results, with the text that it must have.

    `kinds` is the table of this run if it was on several kinds of rings; else README.md keeps that of the last one.
    """
    rows, excuses = catalogue.load(), uncovered()
    block = readme.render(published, rows, kinds or rings.read(REPORTS / rings.FILE))
    home = os.path.relpath(ROOT, REPORTS)
    reports = folder.render(published, rows, Place(home=home), folder.PUBLISHED)
    return {
        REPORTS / coverage.FILE: coverage.render(accounts(items(), rows, excuses), home),
        REPORTS / support.FILE: support.as_json(published, support.of(published, rows, excuses)),
        **{REPORTS / name: text for name, text in reports.items()},
        README: readme.replace_between_markers(README.read_text(encoding="utf-8"), block),
    }


def publish_results(directory: Path, columns: Sequence[str]) -> None:
    """Publish results from an earlier run or another machine; HarnessError if they are not the whole matrix."""
    whole = read_results(directory / RESULTS)
    if reason := hindrance(whole, columns):
        raise HarnessError(f"These results cannot be published: {reason}")
    try:
        _replace(directory / RESULTS, whole)
    except OSError as error:
        raise HarnessError(
            f"The results could not be published: {error}. Correct this, then publish again."
        ) from error


def hindrance(whole: Results, columns: Sequence[str]) -> str | None:
    """Why these results are not a complete run of all tests on these columns; None if they are."""
    plan = whole.header.plan
    for ran, wanted in (
        (plan.kernels, tuple(columns)),
        (plan.tests, tuple(row.name for row in catalogue.load())),
    ):
        if ran != wanted:
            differs = ", ".join(sorted(set(ran) ^ set(wanted))) or "their order"
            return f"the run was not exactly the matrix (it differs in {differs}); reports/ and README.md show it whole."
    if plan.configurations[0] != PLAIN:
        return f"the run was not on plain rings but on {plan.configurations[0]}; reports/ and README.md show plain ones first."
    for cell in whole.cells:  # the command to run a cell again has the options of the run
        try:
            words = shlex.split(cell.rerun)
        except ValueError as error:  # a damaged file: ours quotes what it must
            return f"the command that runs {cell.test} on {cell.series} again cannot be read ({error}): {cell.rerun}"
        if option := next((option for option in OPTIONS if option in words and option != KIND), None):
            return f"this run used {option}; reports/ and README.md show the default matrix."
    if not whole.footer.complete or whole.footer.no_verdict:
        return f"{whole.footer.no_verdict} cells have no verdict."
    return None


def _gone(columns: tuple[str, ...]) -> list[str]:
    """The columns that were published last time and are missing now."""
    try:
        last = read_results(REPORTS / RESULTS)
    except (OSError, HarnessError):  # none, or a damaged one that publishing will replace
        return []
    return [name for name in last.header.plan.kernels if name not in columns]


def _hindrance(matrix: Matrix) -> str | None:
    """Why this run is not one of the whole default matrix; None if it is."""
    if matrix.whole is None:
        return "the run was not finished."
    if matrix.hindrance:
        return matrix.hindrance
    usual = Setup(build=BUILD, artefacts=matrix.setup.artefacts)
    for option, name in OPTIONS.items():
        if option != KIND and getattr(matrix.setup, name) != getattr(usual, name):
            return f"this run used {option}; reports/ and README.md show the default matrix."
    local, fragments = matrix.setup.settings.local, matrix.setup.fragments
    return hindrance(matrix.whole, list(columns_for(matrix.specs, local, fragments).values()))
