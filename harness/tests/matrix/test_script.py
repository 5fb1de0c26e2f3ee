# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""`ci/matrix`, in a copy of the repository whose commands write down how they are called and do nothing else."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.base.paths import ROOT

HARNESS = """\
import sys
print("harness:", *sys.argv[1:], flush=True)
with open("called", "a") as file:
    print("harness", *sys.argv[1:], file=file)
if "fetch" in sys.argv and {fails}:
    sys.exit("6.1: the mirror is down")
"""

Script = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """Runs ci/matrix there; the file `called` lists the commands that it called, one per line."""
    (tmp_path / "ci").mkdir()
    shutil.copy(ROOT / "ci" / "matrix", tmp_path / "ci")
    for name in ("install", "build"):
        (tmp_path / "ci" / name).write_text(
            f'#!/bin/sh\n[ {name} = install ] || sleep 0.5\necho {name} "$@" | sed "s|{tmp_path}/||g" >>called\n'
        )
        (tmp_path / "ci" / name).chmod(0o755)
    (tmp_path / "harness").mkdir()
    (tmp_path / "build" / "conformance").mkdir(parents=True)
    (tmp_path / "build" / "conformance" / "conformance-rust-io-uring").touch()

    def run(*arguments: str, fails: bool = False) -> subprocess.CompletedProcess[str]:
        (tmp_path / "harness" / "__main__.py").write_text(HARNESS.format(fails=fails))
        return subprocess.run(
            [tmp_path / "ci" / "matrix", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.mark.parametrize(
    ("arguments", "lists", "targets", "fetched"),
    [
        ("", "", "", ""),
        ("--kernel host", "", "", None),
        ("--kernel ../linux --kernel mine", "", "", None),
        ("--kernel 6.1 --kernel=7.3=7.3.4-1 --kernel host", "", "", " 6.1 7.3=7.3.4-1"),
        (
            "--cache there --mirror=http://x.invalid --refresh",
            "",
            "",
            " --cache there --mirror http://x.invalid --refresh",
        ),
        ("-k 6.1", "", "", None),
        ("--collect-only", "", "", None),
        ("--binding liburing", " ci/packages.liburing", " conformance-liburing", ""),
        ("--binding=raw --binding uring", "", " conformance-raw", ""),
        (
            "--binding rust-io-uring --binding liburing-2.15",
            "",
            " conformance-rust-io-uring",
            "",
        ),  # the other was not made
        ("--binding mine=program", "", "", ""),
    ],
)
def test_what_the_run_needs_is_installed_built_and_fetched(
    script: Script, tmp_path: Path, arguments: str, lists: str, targets: str, fetched: str | None
) -> None:
    done = script(*arguments.split())
    assert done.returncode == 0, done.stderr
    called = (tmp_path / "called").read_text().splitlines()
    assert called[0] == f"install ci/packages{lists}"
    assert f"build conformance runner{targets}" in called
    assert [line for line in called if " fetch" in line] == (
        [] if fetched is None else [f"harness kernels fetch{fetched}"]
    )
    assert called[-1] == f"harness matrix {arguments}".rstrip()
    assert "kernel" not in done.stdout.replace(arguments, "")


def test_a_kernel_that_could_not_be_fetched_is_told_and_the_run_begins(
    script: Script, tmp_path: Path
) -> None:
    (tmp_path / "ci" / "build").write_text("#!/bin/sh\nsleep 6\n")
    done = script(fails=True)
    assert done.returncode == 0
    assert "Not every kernel could be fetched" in done.stdout and "  6.1: the mirror is down\n" in done.stdout
    assert (tmp_path / "called").read_text().splitlines()[-1] == "harness matrix"


@pytest.mark.parametrize("failing", ["install", "build"])
def test_what_fails_before_the_run_is_not_a_surprise(script: Script, tmp_path: Path, failing: str) -> None:
    (tmp_path / "ci" / failing).write_text("#!/bin/sh\nexit 1\n")
    assert script().returncode == 2


def test_a_directory_for_temporary_files_is_not_needed(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", "/no/such/directory")
    done = script()
    assert done.returncode == 0, done.stderr


def test_output_to_a_full_disk_is_not_a_surprise(script: Script, tmp_path: Path) -> None:
    script()  # makes the harness of the copy
    (tmp_path / "ci" / "build").write_text("#!/bin/sh\nsleep 6\n")
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([tmp_path / "ci" / "matrix"], cwd=tmp_path, stdout=full, check=False)
    assert done.returncode == 2
