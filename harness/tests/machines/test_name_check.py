# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""What a program does when it is asked for its name before a run: it is held as tightly as an entry of a plan."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.base.errors import HarnessError
from harness.machines.name_check import demand_name
from harness.suite.binding import Binding
from harness.tests.machines.test_machine import temporary, working_in

__all__ = ["temporary"]

Ask = Callable[..., None]


@pytest.fixture
def ask(tmp_path: Path, runner: Path, temporary: Path) -> Ask:
    """Asks a script for its name."""

    def demand(script: str, deadline_s: float = 10.0, first: str = "#!/bin/sh") -> None:
        program = tmp_path / "conformance-mine"
        program.write_text(f"{first}\n{script}\n")
        program.chmod(0o755)
        mine = Binding(name="mine", given=str(program))
        demand_name(mine, build=tmp_path, runner=runner, deadline_s=deadline_s)

    return demand


@pytest.mark.parametrize("script", ["exit 0", "exit 1", "kill -9 $$", "yes | head -c 10000000"])
def test_what_only_the_run_can_tell_is_left_to_it(ask: Ask, script: str) -> None:
    ask(script)


@pytest.mark.parametrize(
    ("script", "first", "says"),
    [
        (
            'echo "conformance: this tests another: $*" >&2; exit 2',
            "#!/bin/sh",
            "as the binding mine: this tests another: --binding=mine --gtest_list_tests. Use one name for it",
        ),
        ("exit 2", "#!/bin/sh", "it does not say why. Use one name for it"),
        ("", "#!/nowhere/sh", "conformance-mine: No such file or directory. Build it again."),
    ],
)
def test_a_program_that_does_not_run_under_that_name(ask: Ask, script: str, first: str, says: str) -> None:
    with pytest.raises(HarnessError, match=re.escape(says)):
        ask(script, first=first)


def test_what_it_says_is_bounded(ask: Ask) -> None:
    with pytest.raises(HarnessError) as raised:
        ask("yes | head -c 10000000 | tr -d '\\n' >&2; exit 2")
    assert len(str(raised.value)) < 1000


def test_it_inherits_nothing(
    ask: Ask, tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GTEST_FILTER", "Nothing.*")
    monkeypatch.setenv("GTEST_OUTPUT", f"xml:{tmp_path}/leak.xml")
    ask(f"env >{tmp_path}/said; pwd >>{tmp_path}/said; readlink /proc/$$/fd/0 >>{tmp_path}/said; touch here")
    said = (tmp_path / "said").read_text()
    assert "GTEST" not in said and said.endswith("\n/dev/null\n")
    assert said.splitlines()[-2].startswith(f"{temporary}/uring-conformance-")
    assert list(temporary.iterdir()) == [], "what it wrote is gone, and so is its folder"


def test_one_that_reads_and_one_that_hangs(ask: Ask) -> None:
    before = time.monotonic()
    ask("cat; exit 0")
    assert time.monotonic() - before < 5, "there is nothing to read"
    with pytest.raises(HarnessError, match=r"does not list its tests within 0\.3 s\. Try it: .* </dev/null"):
        ask("exec sleep 1000", deadline_s=0.3)


def test_its_daemon_does_not_survive(ask: Ask, tmp_path: Path) -> None:
    place = tmp_path / "daemon"
    place.mkdir()
    ask(
        f"cd {place}; mkdir a; cd a; setsid sh -c 'touch up; sleep 100 & sleep 100' >/dev/null 2>&1 & "
        f"while ! [ -e {place}/a/up ]; do sleep 0.05; done"
    )
    assert working_in(place) == []
