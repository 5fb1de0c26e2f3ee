# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Programs that run to their end, and programs that do not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.base.errors import HarnessError
from harness.base.process import run


def test_a_program_gets_its_input_environment_and_directory_and_gives_its_output(tmp_path: Path) -> None:
    done = run(
        ["sh", "-c", "cat; echo $WORD; pwd; echo aside >&2"],
        remedy="",
        cwd=tmp_path,
        given=b"in\xff\n",
        environment=os.environ | {"WORD": "w"},
    )
    assert (done.code, done.raw, done.errors) == (0, b"in\xff\nw\n" + f"{tmp_path}\n".encode(), "aside\n")
    assert done.output.startswith("in\N{REPLACEMENT CHARACTER}\n")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["/no/such", "thing"], "/no/such cannot be started: No such file or directory. Mend it."),
        (["/"], "/ cannot be started: Permission denied. Mend it."),
        (["sleep", "9"], "sleep 9 did not end within 0.1 s. Mend it."),
        (["sh", "-c", "echo why; exit 3"], "sh -c echo why; exit 3 failed with exit code 3:\nwhy\nMend it."),
        (["sh", "-c", "exit 3"], "sh -c exit 3 failed with exit code 3:\nIt printed nothing.\nMend it."),
        (["sh", "-c", "kill -9 $$", "x"], "sh -c kill -9 $$ ... was killed by signal 9:\nIt printed nothing.\nMend it."),
    ],
)
def test_a_failure_says_what_happened_why_and_what_to_do(command: list[str], message: str) -> None:
    with pytest.raises(HarnessError) as trouble:
        run(command, remedy="Mend it.", timeout_s=0.1 if command[0] == "sleep" else None)
    assert str(trouble.value) == message


def test_of_much_output_the_end_is_shown_what_it_complained_of_last() -> None:
    with pytest.raises(HarnessError) as trouble:
        run(["sh", "-c", "echo broken >&2; seq 1000; exit 1"], remedy="")
    assert (
        "\n982\n" in str(trouble.value) and "\n981\n" not in str(trouble.value) and "\nbroken\n" in str(trouble.value)
    )


def test_unchecked_any_exit_code_is_an_answer() -> None:
    assert run(["sh", "-c", "exit 3"], remedy="", check=False).code == 3
