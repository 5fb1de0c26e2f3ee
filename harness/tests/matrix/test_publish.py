# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Where reports go: beside the results of every run; into reports/ and README.md all at once or not at all."""

from __future__ import annotations

import errno
import os
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness.base.errors import HarnessError
from harness.base.paths import BUILD, RESULTS, ROOT
from harness.commands import render
from harness.matrix import publish
from harness.matrix.column import MACHINES, Setup
from harness.matrix.gather import Matrix
from harness.report import coverage, folder, html, readme, rings, support
from harness.report.view import Place
from harness.results.file import as_text, read_results
from harness.results.model import Footer
from harness.suite import catalogue
from harness.tests.report.test_report import GOLDEN, PLACE, ROWS, RUN
from harness.verdicts.judge import Verdict

PUBLISHED = ROOT / "reports" / RESULTS
BEFORE = "as it was before"
FILES = {*folder.PUBLISHED, RESULTS, coverage.FILE, support.FILE}


def test_everything_published_is_what_its_renderer_makes_of_the_results() -> None:
    for path, text in publish.rendered(read_results(PUBLISHED)).items():
        assert path.exists() and path.read_text(encoding="utf-8") == text, (
            f"{path.relative_to(ROOT)} is not what {PUBLISHED.relative_to(ROOT)} says: "
            "ci/harness render, and commit"
        )


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A README and reports/ to publish to, with their earlier contents."""
    (tmp_path / "reports").mkdir()
    for name in FILES:
        (tmp_path / "reports" / name).write_text(BEFORE)
    (tmp_path / "README.md").write_text(f"# Title\n{readme.BEGIN}\n{BEFORE}\n{readme.END}\n")
    for module in (publish, render):
        monkeypatch.setattr(module, "REPORTS", tmp_path / "reports")
    monkeypatch.setattr(publish, "README", tmp_path / "README.md")
    monkeypatch.setattr(publish, "ROOT", tmp_path)
    monkeypatch.setattr(catalogue, "load", lambda: ROWS)
    return tmp_path


def state_of(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): path.read_text() for path in directory.rglob("*") if path.is_file()
    }


@pytest.fixture
def run(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Matrix:
    """A finished run that may be published: the canned one."""
    monkeypatch.setattr(publish, "_hindrance", lambda matrix: None)
    directory = tmp_path_factory.mktemp("run")
    shutil.copy(GOLDEN / RESULTS, directory)
    setup = Setup(build=BUILD, artefacts=directory)
    return Matrix(setup=setup, specs=[], rows=ROWS, directory=directory, whole=RUN)


def test_a_command_that_no_shell_understands_is_damage() -> None:
    whole = read_results(PUBLISHED)
    damaged = replace(whole, cells=(replace(whole.cells[0], rerun="ci/matrix 'nop"), *whole.cells[1:]))
    assert publish.hindrance(whole, whole.header.plan.kernels) is None
    said = publish.hindrance(damaged, whole.header.plan.kernels)
    assert said is not None and "again cannot be read (No closing quotation)" in said


def test_a_run_is_published_whole(copy: Path, run: Matrix) -> None:
    publish.publish(run)
    assert run.troubles == []
    after = state_of(copy)
    assert set(after) == {"README.md", *(f"reports/{name}" for name in FILES)}, "nothing else is left behind"
    published = read_results(copy / "reports" / RESULTS)
    for was, cell in zip(RUN.cells, published.cells, strict=True):
        assert (cell.position, cell.verdict, cell.why) == (was.position, was.verdict, was.why)
        assert (cell == was) is (cell.verdict is not Verdict.WORKS), "only what works is told in brief"
    for name, text in folder.render(published, ROWS, Place(home=".."), folder.PUBLISHED).items():
        assert after[f"reports/{name}"] == text
    assert BEFORE not in after["README.md"] and readme.render(RUN, ROWS) in after["README.md"]


def test_of_other_kinds_of_rings_the_table_is_published(copy: Path, run: Matrix) -> None:
    rest = tuple(replace(cell, configuration="sqpoll") for cell in RUN.cells)
    plan = replace(RUN.header.plan, configurations=("plain", "sqpoll"))
    cells = (*RUN.cells, *rest)
    footer = Footer.count(plan, cells, RUN.footer.ended)
    both = replace(RUN, header=replace(RUN.header, plan=plan), cells=cells, footer=footer)
    run.whole = both
    (run.directory / RESULTS).write_text(as_text(both))
    publish.publish(run)
    assert run.troubles == []
    table = rings.of(both)
    assert table is not None and rings.read(copy / "reports" / rings.FILE) == table
    published = read_results(copy / "reports" / RESULTS)
    assert {cell.configuration for cell in published.cells} == {"plain"} and published.footer.complete
    assert readme.render(RUN, ROWS, table) in (copy / "README.md").read_text()
    # A later run on plain rings leaves it as it is.
    run.whole = RUN
    (run.directory / RESULTS).write_text(as_text(RUN))
    publish.publish(run)
    assert readme.render(RUN, ROWS, table) in (copy / "README.md").read_text()


@pytest.mark.parametrize("name", [*folder.PUBLISHED, RESULTS, "README.md"])
def test_nothing_is_published_when_one_file_cannot_be_written(
    copy: Path, run: Matrix, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    real = Path.write_text

    def full(path: Path, *arguments, **options) -> int:
        if path.name == f"{name}.new":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return real(path, *arguments, **options)

    before = state_of(copy)
    monkeypatch.setattr(Path, "write_text", full)
    publish.publish(run)
    assert state_of(copy) == before
    (trouble,) = run.troubles
    assert "could not be published" in trouble and name in trouble and "No space left on device" in trouble


@pytest.mark.parametrize("name", folder.PUBLISHED)
def test_nothing_is_published_when_one_report_cannot_be_made(
    copy: Path, run: Matrix, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def fail(*arguments: object) -> str:
        raise HarnessError("It cannot be made.")

    before = state_of(copy)
    monkeypatch.setitem(folder.RENDERERS, name, fail)
    publish.publish(run)
    assert state_of(copy) == before
    assert run.troubles == ["The run could not be published: It cannot be made."]


def test_a_results_file_of_another_run_is_not_published(copy: Path, run: Matrix) -> None:
    before = state_of(copy)
    wrong = replace(RUN.cells[0], verdict=Verdict.WRONG)
    run.whole = replace(RUN, cells=(wrong, *RUN.cells[1:]))
    publish.publish(run)
    assert state_of(copy) == before
    assert "does not hold this run" in run.troubles[0]


def test_a_run_links_what_its_machines_left(tmp_path: Path) -> None:
    left = tmp_path / MACHINES / "6.1" / "boot 1" / "console.log"
    left.parent.mkdir(parents=True)
    left.touch()
    folder.fill(tmp_path, RUN, ROWS, top=ROOT, machines=MACHINES)
    for name in (folder.INDEX, "matrix.md"):
        page = (tmp_path / name).read_text()
        assert f"{MACHINES}/6.1/boot%201/console.log" in page
        linked = re.findall(r'(?:href="|\]\()((?:\.\.|machines)[^")]+)', page)
        assert len(linked) > len(ROWS)
        for link in linked:
            assert (tmp_path / link.partition("#")[0].replace("%20", " ")).exists(), link
    assert f"{MACHINES}/" not in html.render(RUN, ROWS, PLACE)


def test_the_results_are_rendered_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(PUBLISHED, tmp_path)
    assert render.main([str(tmp_path / RESULTS)]) == 0
    assert set(state_of(tmp_path)) == {*folder.RENDERERS, RESULTS}
    assert capsys.readouterr().out == f"Rendered: {tmp_path / folder.INDEX} and the files beside it.\n"


def test_the_published_results_are_rendered_with_the_readme(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(GOLDEN / RESULTS, copy / "reports")
    assert render.main([]) == 0
    after = state_of(copy)
    assert set(after) == {"README.md", *(f"reports/{name}" for name in FILES)}
    assert not any(BEFORE in text for text in after.values())
    assert "README.md" in capsys.readouterr().out


def test_what_is_no_whole_run_is_not_rendered(tmp_path: Path) -> None:
    lines = (GOLDEN / RESULTS).read_text().splitlines(keepends=True)
    (tmp_path / RESULTS).write_text("".join(lines[:-1]))
    with pytest.raises(HarnessError, match="cut short"):
        render.main([str(tmp_path / RESULTS)])
    assert set(state_of(tmp_path)) == {RESULTS}


def test_a_machine_without_the_template_engine_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    html._environment.cache_clear()
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(HarnessError, match="python3-jinja2: install it with apt"):
        html.render(RUN, ROWS, PLACE)
