"""Publishing a run: reports/ and the table in README.md, from a complete run of the whole matrix or not at all."""

from __future__ import annotations

import os
import shutil

from harness import catalogue, kernels
from harness.column import DEFAULT_BINDING, heading
from harness.matrix import ROOT, Matrix
from harness.report import readme
from harness.results import Results
from harness.trouble import Trouble

REPORTS = ROOT / "reports"
README = ROOT / "README.md"


def publish(matrix: Matrix) -> None:
    """Publish the run, or say why it is not published. What was published before stays until a better run is there."""
    reason = matrix.troubles[0] if matrix.troubles else _hindrance(matrix.results)
    if reason:
        matrix.messages.append(f"Not published: {reason}")
        return
    assert matrix.results is not None
    try:
        block = readme.render(matrix.results, catalogue.load())
        text = readme.replace_between_markers(README.read_text(encoding="utf-8"), block)
        REPORTS.mkdir(exist_ok=True)
        shutil.copyfile(matrix.directory / "results.ndjson", REPORTS / "results.ndjson.new")
        README.with_suffix(".md.new").write_text(text, encoding="utf-8")
        os.replace(REPORTS / "results.ndjson.new", REPORTS / "results.ndjson")
        os.replace(README.with_suffix(".md.new"), README)
    except (OSError, Trouble) as error:
        matrix.troubles.append(f"The run could not be published: {error}")
        return
    matrix.messages.append("Published: reports/results.ndjson and the table in README.md.")


def _hindrance(results: Results | None) -> str | None:
    """Why these results are not those of a complete run of the whole matrix; None if they are."""
    if results is None:
        return "the run was not finished."
    plan, footer = results.header.plan, results.footer
    whole_kernels = [heading(spec) for spec in kernels.load_settings().kernels]
    if list(plan.tests) != [row.name for row in catalogue.load()] or list(plan.kernels) != whole_kernels:
        return "only a part of the matrix ran; reports/ and README.md show complete runs."
    if plan.bindings != (DEFAULT_BINDING,):
        return f"README.md shows the binding {DEFAULT_BINDING}, and this run was of {', '.join(plan.bindings)}."
    if not footer.complete or footer.no_verdict:
        return f"{footer.no_verdict} cells have no verdict."
    return None

