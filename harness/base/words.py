# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Words that messages and reports share: counts, lists, the names of errors."""

from __future__ import annotations

import difflib
import errno
from collections.abc import Collection, Sequence

# For these two, Python prefers the alias.
_KERNEL_NAMES = {errno.EOPNOTSUPP: "EOPNOTSUPP", errno.EDEADLK: "EDEADLK"}


def listed(words: Sequence[str]) -> str:
    """6.1, 6.12 and host."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def number(count: int, noun: str) -> str:
    """1 cell, 2 cells."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def result_text(res: int) -> str:
    """The result of a completion as people write it: -EINVAL, or the number."""
    name = _KERNEL_NAMES.get(-res) or errno.errorcode.get(-res)
    return f"-{name}" if name else str(res)


def sentence(words: str) -> str:
    """The words with a full stop, unless they were cut before their end."""
    return words if words.endswith("…") else f"{words}."


def one_line(text: str, limit: int = 240) -> str:
    """The text on one line, cut where it gets too long to read in a list."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 1].rstrip() + "…"


def nearest(word: str, known: Collection[str]) -> str:
    """A sentence that suggests what to write instead of an unknown word."""
    near = difflib.get_close_matches(word, known, n=1)
    if near:
        return f"Did you mean {near[0]!r}?"
    return f"Use one of: {', '.join(known)}." if len(known) <= 50 else "Nothing has a name like that."
