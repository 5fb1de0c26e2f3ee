# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The one door to the terminal: everything that the harness prints goes through here, and comes out harmless.

A guest, a program, a mirror or the name of a file may contain anything: control characters that a terminal obeys, format
characters that hide or reorder the text around them, lines that a CI service takes for commands, or a megabyte without a
line end. Their own words are never trusted where they arise, but cleaned here, where they are shown.
"""

from __future__ import annotations

import re
import sys
import unicodedata

LONGEST = 4000  # characters of a line: more than a screenful helps nobody

_SHOWN_CONTROLS = 0x2400  # ␀ ␁ ␂ ...: pictures of the control characters, in the same order
_UNKNOWN = "\N{REPLACEMENT CHARACTER}"
# Format characters reorder or hide the text around them; not every output can hold surrogates and unassigned ones.
_NOT_SHOWN = ("Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp")
# To Unicode these are letters, marks and symbols; nothing of them is visible.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
# GitHub's runner obeys "::error::" at the start of a line, and "##[error]" anywhere in one.
_COMMAND = re.compile(r"^(\s*)::|##(?=\[)", re.MULTILINE)


def printable(text: str) -> str:
    """The text with a visible picture in place of each control character. Line ends and tabs stay."""
    shown = text if text.isprintable() else "".join(map(_shown, text))
    return _INVISIBLE.sub(_UNKNOWN, shown)


def harmless(text: str) -> str:
    """The text as a terminal and a CI service's log may show it: printable, and without their commands."""
    return _COMMAND.sub(
        lambda found: f"{found[1]}\N{PROPORTION}" if found[1] is not None else "# #", printable(text)
    )


def say(text: str, *, error: bool = False, end: str = "\n") -> None:
    """Print sentences for a person (`error`: beside the output that programs read). Very long lines are cut."""
    lines = harmless(text).split("\n")
    _write("\n".join(line if len(line) <= LONGEST else f"{line[:LONGEST]}…" for line in lines), error, end)


def emit(text: str, *, end: str = "\n") -> None:
    """Print a document, such as JSON or Markdown, of which nothing may be missing."""
    _write(harmless(text), False, end)


def _write(text: str, error: bool, end: str) -> None:
    print(text, file=sys.stderr if error else sys.stdout, end=end, flush=True)


def _shown(character: str) -> str:
    if character.isprintable() or character in "\n\t":
        return character
    if ord(character) < ord(" "):
        return chr(_SHOWN_CONTROLS + ord(character))
    return _UNKNOWN if unicodedata.category(character) in _NOT_SHOWN else character
