# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Every command, when nobody can read what it prints: exit code 2, a sentence if there is a place for it, no traceback."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path

import pytest

from harness.__main__ import COMMANDS
from harness.base import streams
from harness.base.paths import REPORTS, RESULTS, ROOT

#: What each command is called with: something short that prints. RUN stands for a folder with results, INTO for a new one.
CALLS = {
    "matrix": "--kernel host --test nop --results INTO",
    "diff": "RUN RUN",
    "kernels": "--help",
    "table": "RUN",
    "ask": "--results RUN nop",
    "adapters": "--help",
    "render": f"RUN/{RESULTS}",
    "lies": "--help",
    "mutate": "--help",
    "bench": "--help",
    "bench-boots": "--help",
    "nightly": "--results RUN --into INTO",
    "plan": "--help",
    "merge": "--help",
}

HARNESS = "/usr/bin/python3 -P -m harness"
FULL = "The output is incomplete: No space left on device. Send it somewhere else, or make room there."
CLOSED = "The output is incomplete: Bad file descriptor."
NO_READER = (
    "The output is incomplete: the program that reads it ended first. Let it read to the end, or use a file."
)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder with the results of a run."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / RESULTS).write_bytes((REPORTS / RESULTS).read_bytes())
    return tmp_path / "run"


def shell(script: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    return subprocess.run(
        ["bash", "-c", script],
        cwd=cwd,
        env=clean | {"PYTHONPATH": str(ROOT)},
        text=True,
        capture_output=True,
        check=False,
        timeout=120,
    )


def test_no_command_is_forgotten() -> None:
    assert CALLS.keys() == COMMANDS.keys()


@pytest.mark.parametrize("command", CALLS)
@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("CALL >/dev/full", FULL),
        ("CALL >/dev/full 2>/dev/full", None),
        ("CALL <&- >&-", CLOSED),
        ("CALL <&- >&- 2>&-", None),
        ("{ sleep 0.2; CALL; } | true; exit ${PIPESTATUS[0]}", NO_READER),
    ],
)
@pytest.mark.slow(1)
def test_output_that_is_lost(run: Path, command: str, script: str, says: str | None) -> None:
    words = CALLS[command].replace("RUN", str(run)).replace("INTO", str(run.parent / "into"))
    done = shell(script.replace("CALL", f"{HARNESS} {command} {words}"))
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr and "INTERNALERROR" not in done.stderr
    if says is not None:
        assert done.stderr.count(says) == 1 and f"ci/harness {command}: " in done.stderr, done.stderr
    if command == "matrix":
        assert (run.parent / "into" / "index.html").exists(), "results do not depend on a reader"


@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-", "<&-"])
def test_what_is_not_needed_may_be_lost(run: Path, redirection: str) -> None:
    done = shell(f"{HARNESS} diff {run} {run} {redirection}")
    assert done.returncode == 0 and "No cell changed" in done.stdout


def test_no_file_of_ours_takes_the_place_of_a_closed_stream(tmp_path: Path) -> None:
    # A child's standard error would end up in the file that got number 2.
    done = shell(f"{HARNESS} matrix --kernel host --test nop --results {tmp_path} <&- 2>&-")
    assert done.returncode == 0, done.stdout
    assert "1 works" in done.stdout


def test_a_command_that_the_program_does_not_understand_is_two() -> None:
    assert shell(f"{HARNESS} diff --bad").returncode == 2


def test_a_bug_is_two_and_shows_where(tmp_path: Path) -> None:
    program = (
        "import sys, harness.commands.diff as diff; from harness.__main__ import main\n"
        "def fail(words): raise KeyError('x')\n"
        "diff.main = fail; sys.exit(main(['diff']))\n"
    )
    (tmp_path / "bug.py").write_text(program)
    done = shell(f"/usr/bin/python3 {tmp_path}/bug.py")
    assert done.returncode == 2
    assert "KeyError: 'x'" in done.stderr and "This is a bug of the harness." in done.stderr


def test_an_error_of_the_system_is_two_and_a_sentence(tmp_path: Path) -> None:
    program = (
        "import sys, harness.commands.diff as diff; from harness.__main__ import main\n"
        "diff.main = lambda words: open('/no/such/file'); sys.exit(main(['diff']))\n"
    )
    (tmp_path / "error.py").write_text(program)
    done = shell(f"/usr/bin/python3 {tmp_path}/error.py")
    assert done.returncode == 2
    assert done.stderr.startswith("ci/harness diff: /no/such/file: No such file or directory.")


def test_a_pipe_that_another_program_made_non_blocking_gets_everything() -> None:
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    output = streams._Output(theirs, None)

    def write() -> None:
        for _ in range(100):
            output.write(b"x" * 4096)  # not more than what a pipe takes whole
        os.close(theirs)

    writer = threading.Thread(target=write)
    writer.start()
    time.sleep(0.1)  # until the pipe is full
    with os.fdopen(ours, "rb") as reader:
        assert len(reader.read()) == 100 * 4096
    writer.join()
    assert output.failure is None
