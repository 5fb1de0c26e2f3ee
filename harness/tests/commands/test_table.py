# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""`ci/harness table`: one binding's table for a README elsewhere, from the results of a run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.base.errors import HarnessError
from harness.base.git import Git
from harness.base.paths import ROOT
from harness.commands import diff, table
from harness.suite import catalogue
from harness.tests.runs import run, write

STEMS = {row.name: row.stem for row in catalogue.load()}


def stored(path, *bindings: str) -> str:
    """A run of all tests as a file."""
    made = run(tests=tuple(STEMS), bindings=bindings)
    return str(
        write(replace(made, cells=tuple(replace(cell, stem=STEMS[cell.test]) for cell in made.cells)), path)
    )


@pytest.fixture
def results(tmp_path):
    """A run through two bindings."""
    return stored(tmp_path / "results.ndjson", "uring", "mine")


def printed(capsys, *arguments: str) -> str:
    assert table.main(arguments) == 0
    return capsys.readouterr().out


def test_the_table_has_every_test_and_its_legend_and_links(results, capsys):
    links = ("--suite", "https://example.org/suite", "--report", "https://example.org/matrix.md")
    said = printed(capsys, results, "--binding", "mine", *links)
    cells = 3 * len(STEMS)
    assert said.startswith(f"**io_uring through mine, on 3 kernels: {cells} cells: {cells} work, ")
    assert "[uring-conformance](https://example.org/suite/)" in said
    for row in catalogue.load():
        assert f"| [{row.name}](https://example.org/suite/{row.file}) |" in said
        assert (ROOT / row.file).exists()
    assert "- `–` not expressible" in said and "](https://example.org/matrix.md#kernel=6.1)" in said


def test_without_addresses_nothing_is_a_link(results, capsys, monkeypatch):
    monkeypatch.setattr(Git, "origin", lambda self: None)
    assert "](" not in printed(capsys, results, "--binding", "mine")


@pytest.mark.parametrize(
    ("origin", "home"),
    [
        ("https://example.org/us/it.git", "https://example.org/us/it/blob/HEAD/"),
        ("https://example.org/us/it", "https://example.org/us/it/blob/HEAD/"),
        ("git@example.org:us/it.git", "https://example.org/us/it/blob/HEAD/"),
        ("/srv/git/it.git", None),
        ("file:///srv/git/it", None),
        (None, None),
    ],
)
def test_where_the_tests_are_is_known_from_the_clone(monkeypatch, origin, home):
    monkeypatch.setattr(Git, "origin", lambda self: origin)
    assert table._origin() == home


def test_a_secret_in_the_origin_stays_here(tmp_path):
    git = Git(tmp_path)
    for words in (
        ["init", "--quiet"],
        ["remote", "add", "origin", "https://user:secret@example.org/us/it.git"],
    ):
        git._demand(*words)
    assert git.origin() == "https://example.org/us/it.git"
    assert Git(tmp_path / "..").origin() is None or "secret" not in str(Git(tmp_path / "..").origin())


def test_the_only_binding_need_not_be_named(tmp_path, capsys):
    assert "io_uring through mine" in printed(capsys, stored(tmp_path / "results.ndjson", "mine"))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], r"for uring, mine\. Choose one with --binding"),
        (["--binding", "other"], r"for uring, mine, not for other\. Run ci/matrix --binding other"),
    ],
)
def test_a_binding_that_the_results_do_not_tell(results, arguments, says):
    with pytest.raises(HarnessError, match=says):
        table.main([results, *arguments])


def test_results_that_are_none(tmp_path):
    with pytest.raises(HarnessError, match="ci/matrix"):
        table.main([str(tmp_path)])
    assert str(diff.LATEST).endswith("build/matrix")
