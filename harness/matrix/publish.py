"""Publishing a run: reports/ and the table in README.md, from a complete run of the whole matrix or not at all."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from harness.base.errors import Trouble
from harness.base.paths import README, REPORTS, RESULTS, ROOT
from harness.kernels.spec import columns_for
from harness.matrix.column import OPTIONS, Setup
from harness.matrix.gather import Matrix
from harness.report import folder, readme
from harness.report.view import Place
from harness.results.file import as_text, brief, read_results
from harness.results.model import Results
from harness.suite import catalogue


def publish(matrix: Matrix) -> None:
    """Publish the run, or say why it is not published. What was published before stays until a better run is there."""
    reason = matrix.troubles[0] if matrix.troubles else _hindrance(matrix)
    if reason:
        matrix.messages.append(f"Not published: {reason}")
        return
    assert matrix.whole is not None
    try:
        gone = _gone(matrix.whole.header.plan.kernels)
        _replace(matrix.directory / RESULTS, matrix.whole)
    except (OSError, Trouble) as error:
        matrix.troubles.append(f"The run could not be published: {error}")
        return
    matrix.messages.append("Published: reports/ and the table in README.md.")
    if gone:
        matrix.messages.append(
            f"The table no longer has {', '.join(gone)}: the archive dropped it, or kernels.toml leaves it out."
        )


def _replace(path: Path, whole: Results) -> None:
    """Replace what is published, all of it or nothing."""
    found = read_results(path)  # also checks every line against the schema
    if found.cells != whole.cells:
        raise Trouble(f"{path} does not hold this run.")
    REPORTS.mkdir(exist_ok=True)
    shown = brief(found)
    folder.replace_all({REPORTS / RESULTS: as_text(shown), **rendered(shown)})


def rendered(published: Results) -> dict[Path, str]:
    """Every file that shows the published results, each with the text that it must have."""
    rows = catalogue.load()
    block = readme.render(published, rows)
    reports = folder.render(published, rows, Place(home=os.path.relpath(ROOT, REPORTS)), folder.PUBLISHED)
    return {
        **{REPORTS / name: text for name, text in reports.items()},
        README: readme.replace_between_markers(README.read_text(encoding="utf-8"), block),
    }


def publish_results(directory: Path, columns: Sequence[str]) -> None:
    """Publish results that were made earlier, or elsewhere, if they are of the whole matrix; Trouble otherwise."""
    whole = read_results(directory / RESULTS)
    if reason := hindrance(whole, columns):
        raise Trouble(f"These results cannot be published: {reason}")
    try:
        _replace(directory / RESULTS, whole)
    except OSError as error:
        raise Trouble(f"The results could not be published: {error}") from error


def hindrance(whole: Results, columns: Sequence[str]) -> str | None:
    """Why these are not the results of a complete run of all tests on these columns; None if they are."""
    plan = whole.header.plan
    for ran, wanted in ((plan.kernels, tuple(columns)), (plan.tests, tuple(row.name for row in catalogue.load()))):
        if ran != wanted:
            differs = ", ".join(sorted(set(ran) ^ set(wanted))) or "their order"
            return f"only a part of the matrix ran, or more than it ({differs}); reports/ and README.md show complete runs."
    for cell in whole.cells:  # how a cell was made is in the command that makes it again
        words = shlex.split(cell.rerun)
        if option := next((option for option in OPTIONS if option in words), None):
            return f"this run had {option}; reports/ and README.md show the matrix as it stands."
    if not whole.footer.complete or whole.footer.no_verdict:
        return f"{whole.footer.no_verdict} cells have no verdict."
    return None


def _gone(columns: tuple[str, ...]) -> list[str]:
    """The columns of the last publication that the new one lacks."""
    try:
        last = read_results(REPORTS / RESULTS)
    except (OSError, Trouble):  # none, or one that only a better one can mend
        return []
    return [name for name in last.header.plan.kernels if name not in columns]


def _hindrance(matrix: Matrix) -> str | None:
    """Why this run is none of the whole matrix as it stands; None if it is."""
    if matrix.whole is None:
        return "the run was not finished."
    if matrix.hindrance:
        return matrix.hindrance
    usual = Setup(build=ROOT / "build", artefacts=matrix.setup.artefacts)
    for option, name in OPTIONS.items():
        if getattr(matrix.setup, name) != getattr(usual, name):
            return f"this run had {option}; reports/ and README.md show the matrix as it stands."
    local, fragments = matrix.setup.settings.local, matrix.setup.fragments
    return hindrance(matrix.whole, list(columns_for(matrix.specs, local, fragments).values()))
