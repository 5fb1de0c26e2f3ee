"""Publishing a run: reports/ and the table in README.md, from a complete run of the whole matrix or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from harness import catalogue, kernels, results
from harness.column import OPTIONS, Setup
from harness.matrix import RESULTS, ROOT, Matrix
from harness.report import folder, readme
from harness.report.view import Place
from harness.results import Results
from harness.trouble import Trouble

REPORTS = ROOT / "reports"
README = ROOT / "README.md"


def publish(matrix: Matrix) -> None:
    """Publish the run, or say why it is not published. What was published before stays until a better run is there."""
    reason = matrix.troubles[0] if matrix.troubles else _hindrance(matrix)
    if reason:
        matrix.messages.append(f"Not published: {reason}")
        return
    assert matrix.whole is not None
    try:
        _replace(matrix.directory / RESULTS, matrix.whole)
    except (OSError, Trouble) as error:
        matrix.troubles.append(f"The run could not be published: {error}")
        return
    matrix.messages.append("Published: reports/ and the table in README.md.")


def _replace(path: Path, whole: Results) -> None:
    found = results.read(path)  # also checks every line against the schema
    if found.cells != whole.cells:
        raise Trouble(f"{path} does not hold this run.")
    REPORTS.mkdir(exist_ok=True)
    folder.replace_all({REPORTS / RESULTS: path.read_text(encoding="utf-8"), **rendered(found)})


def rendered(published: Results) -> dict[Path, str]:
    """Every file that shows the published results, each with the text that it must have."""
    rows = catalogue.load()
    block = readme.render(published, rows)
    reports = folder.render(published, rows, Place(home=os.path.relpath(ROOT, REPORTS)))
    return {
        **{REPORTS / name: text for name, text in reports.items()},
        README: readme.replace_between_markers(README.read_text(encoding="utf-8"), block),
    }


def _hindrance(matrix: Matrix) -> str | None:
    """Why these are not the results of a complete run of the whole matrix as it stands; None if they are."""
    if matrix.whole is None:
        return "the run was not finished."
    whole_kernels, whole_rows = list(kernels.load_settings().kernels), catalogue.load()
    if matrix.specs != whole_kernels or matrix.whole.header.plan.tests != tuple(row.name for row in whole_rows):
        return "only a part of the matrix ran; reports/ and README.md show complete runs."
    usual = Setup(build=ROOT / "build", artefacts=matrix.setup.artefacts)
    for option, name in OPTIONS.items():
        if getattr(matrix.setup, name) != getattr(usual, name):
            return f"this run had {option}; reports/ and README.md show the matrix as it stands."
    footer = matrix.whole.footer
    if not footer.complete or footer.no_verdict:
        return f"{footer.no_verdict} cells have no verdict."
    return None
