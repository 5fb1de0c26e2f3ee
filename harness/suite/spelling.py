# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Names of the interface as people and sources spell them: accept-multishot, io_uring_prep_accept, opcode::Accept.

Every language has its own shape for IORING_OP_ACCEPT; the words are the same. So names are compared as sets of words, and
the words that say only what kind of name it is (IORING, OP, SETUP ...) may be left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

#: Words that say only what kind of name it is.
_KINDS = frozenset({"OP", "SETUP", "FEAT", "REGISTER", "ENTER"})
#: Other words for the same, and words that say nothing here.
_SYNONYMS = {"MULTI": "MULTISHOT"} | dict.fromkeys(
    ("IORING", "IOSQE", "IOU", "IO", "URING", "PREP", "OPCODE"), ""
)

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

#: What in a source is a name of the interface: its own constants; calls of liburing; operations of the Rust crate; members of
#: Zig's and this project's rings.
_USES = (
    re.compile(r"\b(?:IORING|IOSQE|IOU|IO_URING|IO_WQ)_[A-Z0-9_]+\b"),
    re.compile(r"\bio_uring_(?:prep|register|unregister)_[a-z0-9_]+\b"),
    re.compile(r"\bopcode::([A-Z][A-Za-z0-9]+)\b"),
    re.compile(r"\b(?:ring|group)_?(?:\.|->)([a-z][a-z0-9_]+)\("),
    re.compile(r"\.(setup_[a-z0-9_]+)\("),
)


def words(name: str) -> frozenset[str]:
    """The words of a name in any spelling: accept-multishot, AcceptMulti and ACCEPT_MULTISHOT have the same."""
    found = (word.upper() for part in re.split(r"[^A-Za-z0-9]+", name) for word in _WORD.findall(part))
    return frozenset(filter(None, (_SYNONYMS.get(word, word) for word in found)))


def meant(spelled: str, names: Iterable[str]) -> list[str]:
    """The names that are meant: this one; or those with the same words, but for their kind; or those whose words begin like
    these, the shortest first."""
    names = list(names)
    exact = [name for name in names if name.lower() == spelled.lower()]
    if exact:
        return exact
    wanted = words(spelled)
    if not wanted:
        return []
    same = [name for name in names if words(name) - _KINDS == wanted - _KINDS and words(name) >= wanted]
    if same:
        return same
    return sorted(
        (name for name in names if _begin(wanted, words(name))), key=lambda name: (len(words(name)), name)
    )


def _begin(wanted: frozenset[str], has: frozenset[str]) -> bool:
    """Whether each wanted word begins one of these: RECV begins RECVSEND."""
    return all(any(word.startswith(one) for word in has) for one in wanted)


def uses(source: str, names: Iterable[str]) -> Iterator[tuple[int, str]]:
    """The names that a source in C, C++, Rust or Zig uses, each once: the line where it is first seen, and the name."""
    names = list(names)
    known = {name: name for name in names}
    # An operation comes first: recv is IORING_OP_RECV.
    by_words = {words(name) - _KINDS: name for name in sorted(names, key=lambda name: "_OP_" in name)}
    seen: set[str] = set()
    for number, line in enumerate(source.splitlines(), 1):
        for pattern in _USES:
            for match in pattern.finditer(line):
                spelled = match[match.lastindex or 0]
                name = known.get(spelled) or by_words.get(words(spelled) - _KINDS)
                if name is not None and name not in seen:
                    seen.add(name)
                    yield number, name
