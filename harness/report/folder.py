# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The folder of a run: which reports it has beside the results, and how they are written."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from harness.base.errors import HarnessError
from harness.base.paths import RESULTS
from harness.report import badge, html, junit, ktap, matrix
from harness.report.view import Place
from harness.results.file import read_results
from harness.results.model import Results
from harness.suite.catalogue import Row

Renderer = Callable[[Results, tuple[Row, ...], Place], str]

INDEX = "index.html"
RENDERERS: dict[str, Renderer] = {
    INDEX: html.render,
    "matrix.md": matrix.render,
    "junit.xml": junit.render,
    "results.ktap": ktap.render,
    "badge.json": badge.render,
}
#: What is kept in git: the reports that the README links to. The others stay on the machine that ran.
PUBLISHED = (INDEX, "matrix.md", "badge.json")


def render(
    results: Results, rows: tuple[Row, ...], where: Place, names: Sequence[str] = tuple(RENDERERS)
) -> dict[str, str]:
    """The text of each of these reports, by file name."""
    where = replace(where, beside=tuple(name for name in names if name != INDEX))
    return {name: RENDERERS[name](results, rows, where) for name in names}


def fill(directory: Path, results: Results, rows: tuple[Row, ...], *, top: Path, machines: str) -> None:
    """Write the reports of a run beside its results, with links to the files in its folder `machines`."""
    artefacts = {
        series: tuple(
            quote(str(path.relative_to(directory)))
            for path in sorted((directory / machines / series).rglob("*"))
            if path.is_file()
        )
        for series in results.header.plan.kernels
    }
    where = Place(home=quote(os.path.relpath(top, directory)), artefacts=artefacts)
    texts = {directory / name: text for name, text in render(results, rows, where).items()}
    try:
        replace_all(texts)
    except HarnessError as error:
        raise HarnessError(f"{error} {_next(directory / RESULTS)}") from error


def _next(path: Path) -> str:
    """What can be done without the reports: the same disk may have had no room for the results, either."""
    try:
        read_results(path)
    except HarnessError as error:
        return f"{error} Make room before that."
    return f"The results are safe in {path}: make room, then run ci/harness render {shlex.quote(str(path))}."


def replace_all(texts: Mapping[Path, str]) -> None:
    """Write all of the files. No old one is replaced before every new one is complete."""
    new = {path: path.with_name(f"{path.name}.new") for path in texts}
    try:
        for path, text in texts.items():
            new[path].write_text(text, encoding="utf-8")
        for path in texts:
            os.replace(new[path], path)
    except OSError as error:
        for left in new.values():
            left.unlink(missing_ok=True)
        raise HarnessError(f"Cannot write the reports: {error.filename}: {error.strerror}.") from error
