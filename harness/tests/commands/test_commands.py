"""What `ci/harness` does with its first word, and what it returns."""

from __future__ import annotations

import signal
import sys
from functools import partial
from types import ModuleType

import pytest

from harness.__main__ import COMMANDS, main
from harness.base.errors import HarnessError


@pytest.fixture
def called(monkeypatch):
    """The arguments that each command was called with; none of them does anything."""
    calls: list[tuple[str, list[str]]] = []

    def call(command: str, arguments: list[str]) -> int:
        calls.append((command, arguments))
        return 1

    for command, (name, _) in COMMANDS.items():
        module = ModuleType(name)
        monkeypatch.setattr(module, "main", partial(call, command), raising=False)
        monkeypatch.setitem(sys.modules, name, module)
    return calls


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_gets_the_words_behind_it(called, command):
    assert main([command, "one", "--two"]) == 1
    assert called == [(command, ["one", "--two"])]


@pytest.mark.parametrize("words", [["dif", "a", "b"], [], ["--kernel", "6.1"]])
def test_what_is_not_a_command_is_told_and_nothing_runs(called, capsys, words):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2 and "usage: ci/harness [-h] COMMAND ..." in capsys.readouterr().err
    assert called == []


def test_help_names_every_command(called, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    said = capsys.readouterr().out
    assert ended.value.code == 0 and all(f"\n    {command}" in said for command in COMMANDS)
    assert called == []


def test_trouble_is_a_sentence_and_two(monkeypatch, capsys):
    def fail(arguments):
        raise HarnessError("The disk is full.")

    monkeypatch.setattr("harness.matrix.run.main", fail)
    assert main(["matrix"]) == 2
    assert capsys.readouterr().err == "ci/harness matrix: The disk is full.\n"


@pytest.mark.parametrize("asked", [[], ["--publish"]])
def test_the_matrix_changes_the_clone_only_when_asked(monkeypatch, asked):
    given: list[str] = []

    def take(arguments: list[str]) -> int:
        given.extend(arguments)
        return 0

    monkeypatch.setattr(pytest, "main", take)
    monkeypatch.setattr(signal, "signal", lambda *arguments: None)
    assert main(["matrix", *asked]) == 0
    assert [word for word in given if "publish" in word] == asked


def test_an_interrupted_command(monkeypatch):
    def stop(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("harness.matrix.run.main", stop)
    assert main(["matrix"]) == 130
