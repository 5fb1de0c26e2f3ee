# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""`ci/test`, in a copy of the repository in which nothing is installed, built or checked, but written down."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.base.paths import ROOT

#: What each part says as its last words, and where ci/test finds the program.
SAYS = {
    "mypy": "Success: no issues found in 3 source files",
    "ctest": "100% tests passed, 0 tests failed out of 5",
    "pytest": "7 passed in 1.00s",
}

Script = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """Runs ci/test there, with parts that fail; what it called is in the file `called`, a line each."""
    (tmp_path / "ci").mkdir()
    (tmp_path / "build").mkdir()
    (tmp_path / "bin").mkdir()
    shutil.copy(ROOT / "ci" / "test", tmp_path / "ci")

    def write(path: Path, name: str, code: int, says: str = "") -> None:
        path.write_text(f'#!/bin/sh\necho {name} "$@" >>"{tmp_path}/called"\necho "{says}"\nexit {code}\n')
        path.chmod(0o755)

    def run(*arguments: str, fails: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        for name in ("install", "build"):
            write(tmp_path / "ci" / name, name, 2 if name in fails else 0)
        for name in ("mypy", "ctest", "pytest"):
            write(
                tmp_path / "bin" / name,
                name,
                1 if name in fails else 0,
                f"{name} is said\n1/5 Passed 1 s\n{SAYS[name]}",
            )
        # ci/test runs pytest as a module of Debian's Python, which looks in the working directory first.
        (tmp_path / "pytest.py").write_text(f'import os, sys\nos.execv("{tmp_path}/bin/pytest", sys.argv)\n')
        path = f"{tmp_path}/bin:{os.environ['PATH']}"
        return subprocess.run(
            [tmp_path / "ci" / "test", *arguments], env=os.environ | {"PATH": path},
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    return run


def called(directory: Path) -> dict[str, str]:
    """What was called, with its arguments."""
    return dict(line.split(" ", 1) for line in (directory / "called").read_text().splitlines())


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ((), "-m not nightly --"),
        (("--quick",), "-m not nightly and not vm and not browser and not archive --"),
        (("--nightly",), "-m  --"),
    ],
)
def test_everything_is_built_and_each_part_runs_once(
    script: Script, tmp_path: Path, arguments: tuple[str, ...], wanted: str
) -> None:
    done = script(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(called(tmp_path))[:2] == ["install", "build"]
    assert called(tmp_path).keys() == {"install", "build", *SAYS}
    assert called(tmp_path)["build"] == "--preset ci"
    assert wanted in called(tmp_path)["pytest"] and "--durations" in called(tmp_path)["pytest"]
    last = done.stdout.splitlines()[-3:]
    for (name, said), line in zip(SAYS.items(), last, strict=True):
        assert line.startswith("ok ") and name in line and line.endswith(said)


@pytest.mark.parametrize("fails", [("mypy",), ("ctest",), ("pytest",), ("mypy", "pytest")])
def test_a_part_that_fails_ends_no_other_and_is_named_at_the_end(
    script: Script, tmp_path: Path, fails: tuple[str, ...]
) -> None:
    done = script(fails=fails)
    assert done.returncode == 1
    assert called(tmp_path).keys() == {"install", "build", *SAYS}
    assert done.stderr == "".join(f"ci/test: failed: {name}\n" for name in fails)
    assert all(f"{name} is said" in done.stdout for name in fails)
    assert [line.split()[1] for line in done.stdout.splitlines() if line.startswith("FAILED")] == list(fails)


@pytest.mark.parametrize("fails", ["install", "build"])
def test_without_packages_or_programs_nothing_is_checked(script: Script, tmp_path: Path, fails: str) -> None:
    done = script(fails=(fails,))
    assert done.returncode == 2
    assert not called(tmp_path).keys() & SAYS.keys()


def test_an_unknown_option_is_our_trouble_and_help_is_none(script: Script, tmp_path: Path) -> None:
    done = script("--fast")
    assert done.returncode == 2 and "there is no option --fast" in done.stderr and "--quick" in done.stderr
    assert script("--help").returncode == 0
    assert not (tmp_path / "called").exists()
