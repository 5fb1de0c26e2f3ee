# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The one door to the terminal: nothing from outside reaches it raw."""

from __future__ import annotations

import ast

import pytest

from harness.__main__ import main
from harness.base.output import LONGEST, emit, harmless, printable, say
from harness.base.paths import ROOT

HOSTILE = {
    "escape": "\x1b[2J\x1b]0;title\x07",
    "C1": "\x9b2J\x85",
    "bidi": "\u202eabc\u2066",
    "zero width": "a\u200bb\ufeff\u2060",
    "filler": "\u3164\u115f\uffa0\u2800",
    "variation": "a\ufe0f\U000e0101",
    "surrogate": "\udc80",
    "return": "good\rbad",
    "separator": "a\u2028b\u2029",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_a_terminal_would_obey_or_hide_is_seen(name, capsys):
    say(HOSTILE[name], error=True)
    emit(HOSTILE[name])
    for shown in capsys.readouterr():
        assert not set(shown) & set(HOSTILE[name]) - set("abcdefghijklmnopqrstuvwxyz[]0;2J")
        assert len(shown) == len(HOSTILE[name]) + 1, "each has its picture"
    assert (
        printable("plain ✓ · Größe\tand\nlines\N{NO-BREAK SPACE}")
        == "plain ✓ · Größe\tand\nlines\N{NO-BREAK SPACE}"
    )


@pytest.mark.parametrize(
    "text",
    [
        "::error file=x::y",
        "kernel:\n  ::stop-commands::x",
        "a\n\t::add-mask::b",
        "say ##[error]x",
        "###[error]",
    ],
)
def test_a_log_of_a_ci_service_sees_no_command(text):
    assert "##[" not in harmless(text)
    assert not any(line.strip().startswith("::") for line in harmless(text).split("\n"))
    assert harmless("std::string and a::b") == "std::string and a::b"


def test_a_very_long_line_is_cut_in_a_sentence_and_whole_in_a_document(capsys):
    say("x" * 1_000_000 + "\nshort")
    assert [len(line) for line in capsys.readouterr().out.splitlines()] == [LONGEST + 1, 5]
    emit("x" * 1_000_000)
    assert len(capsys.readouterr().out) == 1_000_001


@pytest.mark.parametrize(
    "words",
    [
        ["merge", "\x1b[31m\n::error::x", "--into", "y", "--kernels", "6.1"],
        ["diff", "\x1b[31m"],
        ["plan", "\x1b\n::error::"],
        ["\x1b[31m"],
    ],
)
def test_what_was_typed_comes_back_harmless(words, capsys):
    try:
        code = main(words)
    except SystemExit as ended:
        code = int(ended.code or 0)
    said = capsys.readouterr()
    assert code == 2 and "\x1b" not in said.err and "\n::" not in said.err and said.err


def test_nothing_is_printed_past_the_door():
    """pytest's and rich's own writers are used only in matrix/, which cleans what it hands to them."""
    found = []
    for path in sorted((ROOT / "harness").rglob("*.py")):
        if "tests" in path.parts or path == ROOT / "harness" / "base" / "output.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="print")) | ast.Call(
                    func=ast.Attribute(value=ast.Attribute(attr="stdout" | "stderr"), attr="write")
                ):
                    found.append(
                        f"{path.relative_to(ROOT)}:{node.lineno}: use say or emit of harness/base/output.py"
                    )
                case ast.Call(
                    func=ast.Attribute(
                        attr="write_line" | "section" | "exit",
                        value=ast.Name(id="terminalreporter" | "pytest"),
                    ),
                    args=[ast.Name() | ast.Call(func=ast.Name(id="str")), *_],
                ):
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}: hand harmless(...) to pytest")
    assert found == []
