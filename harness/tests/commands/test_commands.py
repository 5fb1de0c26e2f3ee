"""The dispatcher: what `python3 -m harness` does with its first word, and what it returns."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from harness.__main__ import COMMANDS, main
from harness.base.errors import HarnessError
from harness.matrix import run


@pytest.fixture
def called(monkeypatch):
    """The arguments that each command was called with; none of them does anything."""
    calls = []
    for command, name in COMMANDS.items():
        module = ModuleType(name)
        module.main = lambda arguments, command=command: calls.append((command, list(arguments))) or 1
        monkeypatch.setitem(sys.modules, name, module)
    return calls


def test_without_a_command_it_is_the_matrix(called):
    assert main([]) == main(["--kernel", "6.1"]) == 1
    assert called == [("matrix", []), ("matrix", ["--kernel", "6.1"])]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_gets_the_words_behind_it(called, command):
    assert main([command, "one", "--two"]) == 1
    assert called == [(command, ["one", "--two"])]


def test_a_command_that_is_none(called, capsys):
    assert main(["dif", "a", "b"]) == 2
    assert capsys.readouterr().err == f"There is no command 'dif'. There are: {', '.join(COMMANDS)}.\n"
    assert called == []


def test_trouble_is_a_sentence_and_two(monkeypatch, capsys):
    def fail(arguments):
        raise HarnessError("The disk is full.")

    monkeypatch.setattr("harness.matrix.run.main", fail)
    assert main([]) == 2
    assert capsys.readouterr().err == "matrix: The disk is full.\n"


@pytest.mark.parametrize("asked", [[], ["--publish"]])
def test_the_matrix_changes_the_clone_only_when_asked(monkeypatch, asked):
    given = []
    monkeypatch.setattr(run.pytest, "main", lambda arguments: given.extend(arguments) or 0)
    monkeypatch.setattr(run.signal, "signal", lambda *arguments: None)
    assert main(asked) == 0
    assert [word for word in given if "publish" in word] == asked


def test_an_interrupted_command(monkeypatch):
    def stop(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("harness.matrix.run.main", stop)
    assert main([]) == 130
