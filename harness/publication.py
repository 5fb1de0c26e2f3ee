"""Publishing a run: reports/ and the table in README.md, from a complete run of the whole matrix or not at all."""

from __future__ import annotations

import os
import shutil

from harness import catalogue, results
from harness.column import OPTIONS, Setup
from harness.matrix import RESULTS, ROOT, Matrix
from harness.report import readme
from harness.selection import PART
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
        gone = _gone(matrix.whole.header.plan.kernels)
        block = readme.render(matrix.whole, catalogue.load())
        text = readme.replace_between_markers(README.read_text(encoding="utf-8"), block)
        REPORTS.mkdir(exist_ok=True)
        new = REPORTS / f"{RESULTS}.new"
        shutil.copyfile(matrix.directory / RESULTS, new)
        if results.read(new).cells != matrix.whole.cells:  # also checks every line against the schema
            raise Trouble(f"{matrix.directory / RESULTS} does not hold this run.")
        README.with_suffix(".md.new").write_text(text, encoding="utf-8")
        os.replace(new, REPORTS / RESULTS)
        os.replace(README.with_suffix(".md.new"), README)
    except (OSError, Trouble) as error:
        matrix.troubles.append(f"The run could not be published: {error}")
        return
    matrix.messages.append("Published: reports/results.ndjson and the table in README.md.")
    if gone:
        matrix.messages.append(
            f"The table no longer has {', '.join(gone)}: the archive dropped it, or kernels.toml leaves it out."
        )


def _gone(columns: tuple[str, ...]) -> list[str]:
    """The columns of the last publication that the new one lacks."""
    try:
        last = results.read(REPORTS / RESULTS)
    except (OSError, Trouble):  # none, or one that only a better one can mend
        return []
    return [name for name in last.header.plan.kernels if name not in columns]


def _hindrance(matrix: Matrix) -> str | None:
    """Why these are not the results of a complete run of the whole matrix as it stands; None if they are."""
    if matrix.whole is None:
        return "the run was not finished."
    if matrix.hindrance:
        return matrix.hindrance
    plan = matrix.whole.header.plan
    if len(plan.kernels) != len(matrix.specs) or plan.tests != tuple(row.name for row in catalogue.load()):
        return PART
    usual = Setup(build=ROOT / "build", artefacts=matrix.setup.artefacts)
    for option, name in OPTIONS.items():
        if getattr(matrix.setup, name) != getattr(usual, name):
            return f"this run had {option}; reports/ and README.md show the matrix as it stands."
    footer = matrix.whole.footer
    if not footer.complete or footer.no_verdict:
        return f"{footer.no_verdict} cells have no verdict."
    return None
