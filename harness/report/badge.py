"""reports/badge.json: the run in a few words, in the format of shields.io's endpoint badge."""

from __future__ import annotations

import json

from harness.base.words import number
from harness.report import text
from harness.report.view import Place
from harness.results.model import Results
from harness.suite.catalogue import Row
from harness.verdicts.judge import Verdict


def render(results: Results, rows: tuple[Row, ...], where: Place) -> str:
    """The file. Like every headline it counts surprises; it is not a score."""
    del rows, where
    look = text.surprises(results)
    kernels = number(len(results.header.plan.kernels), "kernel")
    message = f"{number(look, 'surprise') if look else 'no surprises'} on {kernels}"
    badge = {"schemaVersion": 1, "label": "io_uring", "message": message, "color": _color(results, look)}
    return json.dumps(badge, indent=2) + "\n"


def _color(results: Results, look: int) -> str:
    if not look:
        return "brightgreen"
    verdicts = {cell.verdict for cell in results.cells}
    if verdicts & {Verdict.WRONG, Verdict.MISSING, Verdict.COMPLAINED}:
        return "red"
    return "yellow" if Verdict.EARLY in verdicts else "lightgrey"  # nothing but cells without a verdict
