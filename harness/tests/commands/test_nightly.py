# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""ci/nightly in its own repository: what it commits, what it refuses, what it leaves behind, and how it ends.

The repository is a copy of this one's sources with canned reports, so the scripts are the real ones; instead of the matrix,
a script of the same name writes canned results.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml

from harness.base.paths import ROOT
from harness.commands import nightly, plan
from harness.report import coverage, folder, readme, support
from harness.results.compare import compare
from harness.results.file import read_results
from harness.results.model import Cell, Results
from harness.results.provenance import provenance_of
from harness.suite import catalogue
from harness.tests.runs import run, write
from harness.verdicts.judge import Verdict

ROWS = catalogue.load()
TESTS = tuple(row.name for row in ROWS)
COLUMNS = tuple(plan.columns())
MADE_OF = provenance_of(ROWS)
OLD_SUITE = "0123456789ab"


def whole(
    odd=None, *, suite: str, kernels: tuple[str, ...] = COLUMNS, options: str = "", **changes
) -> Results:
    """A run of the whole matrix."""
    made = run(odd, tests=TESTS, kernels=kernels, suite=suite, made_of=MADE_OF, **changes)
    stems = {row.name: row.stem for row in ROWS}

    def as_made(one: Cell) -> Cell:
        stem = stems[one.test]
        return replace(one, stem=stem, rerun=f"ci/matrix --kernel {one.series} --test {stem}{options}")

    return replace(made, cells=tuple(as_made(one) for one in made.cells))


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository with this one's sources, and published results in which everything works."""

    top: Path

    def git(self, *words: str) -> str:
        """The output of a git command."""
        return subprocess.run(
            ["git", *words], cwd=self.top, check=True, capture_output=True, text=True
        ).stdout.strip()

    @property
    def head(self) -> str:
        """Its commit, as it appears in results."""
        return self.git("rev-parse", "--short=12", "HEAD")

    def night(self, *options: object, **environment: str) -> subprocess.CompletedProcess[str]:
        """Call ci/nightly."""
        command = [self.top / "ci" / "nightly", *map(str, options)]
        done = subprocess.run(
            command, cwd="/", env=os.environ | environment, text=True, check=False, timeout=120,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert "Traceback" not in done.stdout, done.stdout
        return done

    def results(self, new: Results) -> Path:
        """A directory with these results and a console."""
        directory = self.top / "build" / "merged"
        write(new, directory / "results.ndjson")
        console = directory / "machines" / COLUMNS[0] / "boot-1" / "console.log"
        console.parent.mkdir(parents=True, exist_ok=True)
        console.write_text("Linux version")
        return directory

    def fake_matrix(self, script: str) -> None:
        """Replace the matrix by a script, and commit it, because the sources must be those of the repository."""
        matrix = self.top / "ci" / "matrix"
        matrix.write_text(f"#!/usr/bin/env bash\nset -eu\n{script}\n")
        self.git("commit", "--quiet", "--all", "--message", "a matrix for tests")


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Path:
    """The repository, which each test copies."""
    top = tmp_path_factory.mktemp("template")
    for name in ("bindings", "ci", "conformance", "harness"):
        shutil.copytree(ROOT / name, top / name, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
    for name in ("CMakeLists.txt", "CMakePresets.json", ".gitignore"):
        shutil.copyfile(ROOT / name, top / name)
    old = whole(suite=OLD_SUITE)
    write(old, top / "reports" / "results.ndjson")
    (top / "README.md").write_text(
        f"# Title\n\n{readme.BEGIN}\n{readme.render(old, ROWS)}\n{readme.END}\n\nEnd.\n"
    )
    for words in (
        ("init", "--quiet", "--initial-branch=main"), ("config", "user.name", "Nobody"),
        ("config", "user.email", "nobody@example.org"), ("add", "--all"), ("commit", "--quiet", "--message", "all of it"),
    ):  # fmt: skip
        subprocess.run(["git", *words], cwd=top, check=True)
    return top


@pytest.fixture
def repository(template, tmp_path) -> Iterator[Repository]:
    """A repository for one test."""
    shutil.copytree(template, tmp_path / "repository")
    yield Repository(tmp_path / "repository")


NEWER = {"patches": {COLUMNS[0]: "11"}}
RED = {("waitid", COLUMNS[-1]): Verdict.WRONG}


def test_another_kernel_is_committed_and_nothing_else(repository):
    before = repository.head
    merged = repository.results(whole(suite=before, **NEWER))
    done = repository.night("--results", merged, "--commit")
    assert done.returncode == 0, done.stdout
    assert repository.git("rev-list", "--count", f"{before}..HEAD") == "1"
    files = repository.git("show", "--name-only", "--format=", "HEAD").split()
    assert files == [
        "README.md",
        *sorted(
            f"reports/{name}" for name in (*folder.PUBLISHED, "results.ndjson", coverage.FILE, support.FILE)
        ),
    ]
    assert repository.git("status", "--porcelain") == ""
    subject, _, body = repository.git("show", "--no-patch", "--format=%B", "HEAD").partition("\n\n")
    assert subject == (
        f"reports: {len(TESTS) * len(COLUMNS)} cells as before, and the kernel of 5.10 changed: 5.10.10-1 → 5.10.11-1"
    )
    assert "No cell changed" in body
    assert f"Committed: {subject}" in done.stdout and "Everything is as expected." in done.stdout
    published = read_results(repository.top / "reports" / "results.ndjson")
    assert published.header.suite == before
    page = (repository.top / "README.md").read_text()
    assert page == f"# Title\n\n{readme.BEGIN}\n{readme.render(published, ROWS)}\n{readme.END}\n\nEnd.\n"


def test_nothing_changed_is_no_commit(repository):
    before = repository.head
    done = repository.night("--results", repository.results(whole(suite=before)), "--commit")
    assert (
        done.returncode == 0 and "Nothing changed, so there is nothing to commit." in done.stdout
    ), done.stdout
    assert repository.head == before


def test_without_commit_all_stays_in_its_place(repository, tmp_path):
    before = repository.head
    merged, summary = repository.results(whole(suite=before, **NEWER)), tmp_path / "summary.md"
    summary.write_text("before\n")
    done = repository.night("--results", merged, "--summary", summary)
    assert (
        done.returncode == 0 and "Nothing was committed, because --commit was not given." in done.stdout
    ), done.stdout
    assert repository.head == before and repository.git("status", "--porcelain") == ""
    place = repository.top / "build" / "nightly"
    assert (place / "results.ndjson").read_text() == (merged / "results.ndjson").read_text()
    assert (place / "machines" / COLUMNS[0] / "boot-1" / "console.log").read_text() == "Linux version"
    assert "7.3" in (place / "index.html").read_text() and (place / "junit.xml").exists()
    assert (place / "changes.txt").read_text() in done.stdout
    assert summary.read_text() == "before\n" + (place / "changes.md").read_text()


def test_a_surprise_is_published_and_is_a_finding(repository):
    before = repository.head
    done = repository.night("--results", repository.results(whole(RED, suite=before)), "--commit")
    assert done.returncode == 1, done.stdout
    end = done.stdout.partition("=" * 100)[2]
    assert f"FINDINGS:\n  ✗ waitid on {COLUMNS[-1]}: Waitid.Reaps" in end and "--test waitid" in end
    assert "Committed: reports: 1 regression" in end
    assert "NOTHING WE KNOW OF CHANGED" in repository.git("show", "--no-patch", "--format=%b", "HEAD")
    # The next night it is no longer news, but still a finding.
    again = repository.night("--results", repository.results(whole(RED, suite=repository.head)), "--commit")
    assert again.returncode == 1 and "Nothing changed" in again.stdout and "FINDINGS" in again.stdout


def test_a_finding_names_its_binding_where_there_are_several():
    both = run({("waitid", "6.1", "liburing"): Verdict.WRONG}, bindings=("uring", "liburing"))
    (finding,) = nightly._findings(both, compare(both, both))
    assert finding.startswith("✗ waitid on 6.1 through liburing: ")


def test_a_kernel_that_is_gone_is_a_finding(repository):
    write(whole(suite=OLD_SUITE, kernels=("4.19", *COLUMNS)), repository.top / "reports" / "results.ndjson")
    repository.git("commit", "--quiet", "--all", "--message", "one more column")
    done = repository.night("--results", repository.results(whole(suite=repository.head)))
    assert done.returncode == 1, done.stdout
    assert "The kernel 4.19 (4.19.10-1) is gone" in done.stdout.partition("FINDINGS:")[2]


def refused(repository, done, *sentences: str) -> None:
    """Demands our own trouble, in these words, and that nothing was committed."""
    assert done.returncode == 2, done.stdout
    for sentence in sentences:
        assert sentence in done.stdout, done.stdout
    assert repository.git("rev-list", "--count", "HEAD") in ("1", "2")
    assert "reports:" not in repository.git("log", "--format=%s")


def test_a_cell_without_a_verdict_is_trouble_and_not_published(repository):
    none = whole({("nop", COLUMNS[1]): Verdict.NONE}, suite=repository.head)
    done = repository.night("--results", repository.results(none), "--commit")
    refused(repository, done, "HARNESS ERRORS", "cannot be published: 1 cells have no verdict")
    assert f"? nop on {COLUMNS[1]}" in done.stdout.partition("FINDINGS:")[2]
    assert (
        repository.night("--results", repository.results(none)).returncode == 2
    )  # even if nothing is to be published


def test_results_that_are_not_whole(repository):
    merged = repository.results(whole(suite=repository.head))
    file = merged / "results.ndjson"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-1]))
    refused(repository, repository.night("--results", merged, "--commit"), "the run was cut short")
    assert (repository.top / "build" / "nightly" / "results.ndjson").read_text() == file.read_text()  # kept


def test_results_of_a_part_of_the_matrix(repository):
    merged = repository.results(whole(suite=repository.head, kernels=COLUMNS[1:]))
    part = f"the run was not exactly the matrix (it differs in {COLUMNS[0]})"
    refused(repository, repository.night("--results", merged, "--commit"), part)
    assert (
        repository.night("--results", merged, "--kernels", json.dumps(COLUMNS[1:])).returncode == 1
    )  # one is gone


def test_results_with_another_option_than_usual(repository):
    merged = repository.results(whole(suite=repository.head, options=" --memory 1024", **NEWER))
    refused(repository, repository.night("--results", merged, "--commit"), "this run used --memory")


def test_results_of_another_commit(repository):
    for header in ({"suite": "ffffffffffff"}, {"suite": repository.head, "dirty": True}):
        done = repository.night("--results", repository.results(whole(**header, **NEWER)), "--commit")
        refused(repository, done, "so they were not committed")


@pytest.mark.parametrize("name", ["README.md", "harness/verdicts/judge.py", "new.txt"])
def test_a_dirty_tree(repository, name):
    with (repository.top / name).open("a") as file:
        file.write("\n")
    merged = repository.results(whole(suite=repository.head, **NEWER))
    done = repository.night("--results", merged, "--commit")
    refused(
        repository, done, f"--commit needs a clean tree, but there are changes: {name}. Commit or remove them"
    )
    assert not (repository.top / "build" / "nightly").exists()  # refused before anything else
    assert repository.night("--results", merged).returncode == 0  # without --commit it does not matter


def test_nobody_to_commit_as(repository):
    repository.git("config", "user.useConfigOnly", "true")
    repository.git("config", "--unset", "user.email")
    nobody = {"HOME": str(repository.top), "XDG_CONFIG_HOME": str(repository.top), "EMAIL": ""}
    done = repository.night(
        "--results", repository.results(whole(suite=repository.head)), "--commit", **nobody
    )
    refused(repository, done, "git var failed", "email")


def test_a_hook_that_refuses_the_commit(repository):
    hook = repository.top / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho not today >&2; exit 1\n")
    hook.chmod(0o755)
    done = repository.night(
        "--results", repository.results(whole(suite=repository.head, **NEWER)), "--commit"
    )
    refused(repository, done, "git commit failed: not today")


def test_a_directory_without_results(repository, tmp_path):
    refused(repository, repository.night("--results", tmp_path), "There is no results.ndjson in")


def test_a_place_that_is_none(repository, tmp_path):
    (tmp_path / "file").touch()
    merged = repository.results(whole(suite=repository.head))
    refused(
        repository,
        repository.night("--results", merged, "--into", tmp_path / "file"),
        "Choose another directory with --into",
    )


def test_the_steps_of_the_report_job_as_github_runs_them(repository, tmp_path):
    """Shards as they are downloaded, up to the commit; the push goes to a repository beside."""
    report = yaml.safe_load((ROOT / ".github" / "workflows" / "nightly.yml").read_text())["jobs"]["report"]
    steps = {step["name"]: step["run"] for step in report["steps"] if "run" in step}
    whole_run, before = whole(RED, suite=repository.head, **NEWER), repository.head
    for series in COLUMNS:
        plan_of_one = replace(whole_run.header.plan, kernels=(series,))
        shard = replace(
            whole_run,
            header=replace(whole_run.header, plan=plan_of_one),
            kernels=tuple(one for one in whole_run.kernels if one.series == series),
            cells=tuple(one for one in whole_run.cells if one.series == series),
        )
        write(shard, repository.top / "build" / "shards" / f"shard-{series}" / "results.ndjson")
    subprocess.run(["git", "clone", "--quiet", "--bare", repository.top, tmp_path / "origin"], check=True)
    repository.git("remote", "add", "origin", str(tmp_path / "origin"))
    entries = [{"kernel": series, "cache_key": f"kernel-{series}"} for series in COLUMNS]
    environment = os.environ | {
        "KERNELS": json.dumps(entries), "COMMIT": "--commit", "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
    }  # fmt: skip
    codes = {}
    for name in ("Merge the shards into one run", "Say what changed, and commit it", "Push the commit"):
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", steps[name]]
        codes[name] = subprocess.run(command, cwd=repository.top, env=environment, check=False).returncode
    assert list(codes.values()) == [0, 1, 0]  # a surprise is a finding, and published
    assert repository.git("rev-list", "--count", f"{before}..HEAD") == "1"
    pushed = subprocess.run(
        ["git", "-C", tmp_path / "origin", "rev-parse", "main"], check=True, capture_output=True, text=True
    )
    assert pushed.stdout.strip() == repository.git("rev-parse", "HEAD")
    assert "regression" in (tmp_path / "summary.md").read_text()


# --- where it runs the matrix -----------------------------------------------------------------------------------


def canned(repository, tmp_path, **changes) -> str:
    """A script that writes results as the matrix would, and writes down how it was called."""
    repository.fake_matrix("")  # the commit that the results are of
    ready = tmp_path / "ready.ndjson"
    return (
        f'echo "$@" > {shlex.quote(str(tmp_path / "called"))}\n'
        'while [ "$1" != --results ]; do shift; done\n'
        f'cp {shlex.quote(str(ready))} "$2/results.ndjson"'
    )


def test_it_runs_the_matrix_with_the_newest_kernels_and_lets_it_publish_nothing(repository, tmp_path):
    repository.fake_matrix(canned(repository, tmp_path))
    write(whole(suite=repository.head, **NEWER), tmp_path / "ready.ndjson")
    done = repository.night("--commit")
    assert done.returncode == 0, done.stdout
    place = repository.top / "build" / "nightly"
    assert (tmp_path / "called").read_text() == f"--refresh --fresh-boot --results {place}\n"
    assert repository.git("log", "-1", "--format=%s").startswith("reports: ")


def test_trouble_of_the_matrix_is_trouble_whatever_it_left(repository, tmp_path):
    repository.fake_matrix(canned(repository, tmp_path) + "\nexit 2")
    write(whole(suite=repository.head, started="2099-01-01T00:00:00Z", **NEWER), tmp_path / "ready.ndjson")
    done = repository.night("--commit")
    assert done.returncode == 2 and "ci/matrix had an error of its own" in done.stdout, done.stdout
    assert "Nothing was committed, because of the error." in done.stdout
    assert (repository.top / "build" / "nightly" / "changes.md").exists()


def test_results_of_another_night_are_not_taken_for_this_ones(repository):
    repository.fake_matrix("exit 2")
    place = repository.top / "build" / "nightly"
    write(whole(suite=repository.head, **NEWER), place / "results.ndjson")
    (place / "changes.md").write_text("of yesterday")
    done = repository.night("--commit")
    refused(repository, done, "ci/matrix left no results, so there is nothing to compare")
    assert (place / "results.ndjson").exists() and not (place / "changes.md").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_night_ends_the_matrix_in_order(repository, tmp_path, number):
    began, told = tmp_path / "began", tmp_path / "told"
    repository.fake_matrix(
        f"trap 'echo INT >> {told}' INT\ntouch {began}\nfor _ in {{1..200}}; do [ -s {told} ] && break; sleep 0.05; done\nsleep 0.5; exit 130"
    )
    with subprocess.Popen(
        [repository.top / "ci" / "nightly"],
        text=True,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        deadline = time.monotonic() + 30
        while not began.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        os.killpg(process.pid, number)  # as a terminal does it
        output = process.communicate(timeout=30)[0]
    assert process.returncode == 130 and "Interrupted. The results so far are in" in output, output
    assert told.read_text() == "INT\n"  # once: a second one would interrupt its cleanup
