"""Publishes a complete run: reports/mutants.md and one line of README.md; its findings stay in build/mutants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.base.errors import HarnessError
from harness.base.paths import README, ROOT
from harness.mutation import ledger, report
from harness.mutation.ledger import Entry, Exemption
from harness.report import folder

PAGE = ROOT / "reports" / "mutants.md"


def publish(entries: Sequence[Entry], exempt: Mapping[str, Exemption]) -> None:
    """Replace all three, or none."""
    ledger.LAST.parent.mkdir(parents=True, exist_ok=True)
    folder.replace_all({ledger.LAST: ledger.text(entries), **rendered(entries, exempt)})


def rendered(entries: Sequence[Entry], exempt: Mapping[str, Exemption]) -> dict[Path, str]:
    """The files that show the findings, with the text that each must have."""
    return {
        PAGE: report.render(entries, exempt),
        README: with_line(README.read_text(encoding="utf-8"), report.readme_line(entries, exempt)),
    }


def with_line(readme: str, sentence: str) -> str:
    """The README with the line between its markers."""
    before, begin, rest = readme.partition(report.BEGIN)
    _, end, after = rest.partition(report.END)
    if not begin or not end:
        raise HarnessError(f"README.md must contain {report.BEGIN} and then {report.END}, each once. Put them back.")
    return f"{before}{begin}\n{sentence}\n{end}{after}"
