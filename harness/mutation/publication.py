# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

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


def mark_as_older() -> None:
    """Say on the page and in the README that they are of earlier headers, until the next complete run."""
    page, readme = PAGE.read_text(encoding="utf-8"), README.read_text(encoding="utf-8")
    told = page.partition("**")[2].partition(".**")[0]
    if told.endswith(report.BEFORE):
        return
    folder.replace_all(
        {
            PAGE: page.replace(f"**{told}.**", f"**{told}{report.BEFORE}.**", 1),
            README: readme.replace(f"{told}: [", f"{told}{report.BEFORE}: [", 1),
        }
    )


def with_line(readme: str, sentence: str) -> str:
    """The README with the line between its markers."""
    before, begin, rest = readme.partition(report.BEGIN)
    _, end, after = rest.partition(report.END)
    if not begin or not end:
        raise HarnessError(
            f"README.md must contain {report.BEGIN} and then {report.END}, each once. Put them back."
        )
    return f"{before}{begin}\n{sentence}\n{end}{after}"
