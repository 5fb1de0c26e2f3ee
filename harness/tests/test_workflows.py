# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The GitHub workflows: finds mistakes that are visible without GitHub, before a push or a night run does."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"[\w-]+/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def scripts(workflow: Path) -> Iterator[str]:
    """Every script of a workflow; a file that is not YAML, or has a job without steps, fails here."""
    for job in yaml.safe_load(workflow.read_text())["jobs"].values():
        yield from (step["run"] for step in job["steps"] if "run" in step)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=[path.name for path in WORKFLOWS])
def test_every_script_is_right(workflow: Path) -> None:
    for script in scripts(workflow):
        checked = subprocess.run(
            ["shellcheck", "--shell=bash", "-"], input=script, capture_output=True, text=True, check=False
        )
        assert checked.returncode == 0, f"{script}\n{checked.stdout}"
        assert (
            "${{" not in script
        ), f"an expression is pasted into the script, whatever it holds; use the step's env:\n{script}"
        for ours in re.findall(r"(?<![\w/.])\.?ci/[\w-]+", script):
            assert os.access(ROOT / ours, os.X_OK), f"{ours} does not exist, or is not executable"


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=[path.name for path in WORKFLOWS])
def test_every_action_is_pinned(workflow: Path) -> None:
    actions = re.findall(r"\buses:\s*(.*)", workflow.read_text())
    assert actions
    loose = [action for action in actions if not PINNED.fullmatch(action)]
    assert (
        not loose
    ), "a tag can be moved: pin the commit, and name its version behind it, as in OWNER/NAME@COMMIT # v1.2.3"


def test_the_night_runs_what_no_change_waits_for() -> None:
    assert "ci/test --nightly" in scripts(ROOT / ".github" / "workflows" / "nightly.yml")


def test_push_runs_what_people_run() -> None:
    assert ".ci/run" in scripts(ROOT / ".github" / "workflows" / "push.yml")
