"""Mutants: those that the operators generate and those in handmade.toml."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.base import toml_file
from harness.base.errors import HarnessError
from harness.mutation.headers import Header, Node

HAND = "hand-made"
HANDMADE = Path(__file__).with_name("handmade.toml")
SCHEMA = HANDMADE.with_suffix(".schema.json")


@dataclass(frozen=True)
class Edit:
    """A piece of a header and its replacement.

    `statement`: the piece is an expression statement, so its value is not used.
    """

    file: str
    start: int
    end: int
    text: str
    statement: bool = False


@dataclass(frozen=True)
class Mutant:
    """One change of the binding.

    `edits` make it from the headers. `choices` do the same at run time, for expressions: the program decides whether
    it is this mutant. They are empty if the compiler must know the value.
    """

    file: str
    scope: str  # the function or type that contains it
    line: str  # the text of its line
    change: str  # "`a < b` becomes `a <= b`"
    kind: str
    edits: tuple[Edit, ...]
    choices: tuple[Edit, ...] = ()
    nth: int = 1  # among those with equal file, scope, line and change
    why: str = ""  # for a hand-made one: the mistake that it stands for
    kernel: str = ""  # where it can be noticed, if not on this machine's kernel
    rows: tuple[str, ...] = ()  # of the suite that can notice it there
    sample: bool = False  # ci/test tries it
    may_be_evaluated: bool = False  # by the compiler, which ignores choices: it is in a constexpr function

    @property
    def id(self) -> str:
        """Its name in commands and data. It stays the same while its function and its line do."""
        text = "\0".join((self.file, self.scope, self.line, self.change, str(self.nth)))
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    @property
    def is_told_by_use(self) -> bool:
        """Whether its choices are at the uses of a name, and its edit at the definition."""
        return any(choice.file != self.file or choice.start > self.edits[0].start or choice.end < self.edits[0].end
                   for choice in self.choices)  # fmt: skip

    @property
    def is_about_order(self) -> bool:
        """Whether it affects ordering or memory mapping, which no run shows, so that the emitted code must be checked."""
        words = ("memory order", "fence", "acquire", "release", "map_populate")
        return any(word in f"{self.kind} {self.change}" for word in words)

    @property
    def title(self) -> str:
        """Its place and its change, for people."""
        place = f"{self.file}, {self.scope}" if self.scope else self.file
        return f"{place}: {self.change}" + (f" ({self.nth}.)" if self.nth > 1 else "")


def numbered(found: Iterable[Mutant]) -> list[Mutant]:
    """The mutants, with those that would have the same name numbered."""
    seen: Counter[tuple[str, ...]] = Counter()
    mutants = []
    for mutant in found:
        key = (mutant.file, mutant.scope, mutant.line, mutant.change)
        seen[key] += 1
        mutants.append(replace(mutant, nth=seen[key]))
    return mutants


def apply(headers: Mapping[str, Header], mutant: Mutant) -> dict[str, str]:
    """The new text of each header that the mutant changes."""
    texts = {edit.file: headers[edit.file].text for edit in mutant.edits}
    for edit in sorted(mutant.edits, key=lambda edit: edit.start, reverse=True):
        text = texts[edit.file]
        texts[edit.file] = text[: edit.start] + edit.text + text[edit.end :]
    return texts


def handmade(headers: Mapping[str, Header], path: Path = HANDMADE) -> list[Mutant]:
    """The hand-made mutants."""
    return numbered(_handmade(headers, entry) for entry in toml_file.load(path, SCHEMA)["mutant"])


def _handmade(headers: Mapping[str, Header], entry: Mapping[str, Any]) -> Mutant:
    file, scope, before, after = (entry[key] for key in ("file", "scope", "before", "after"))
    functions = [node for node in headers[file].functions if node.scope == scope] if file in headers else []
    text = headers[file].text if functions else ""
    places = {
        place.start() for node in functions for place in re.finditer(re.escape(before), text) if node.start <= place.start() < node.end
    }
    if len(places) != 1:
        raise HarnessError(
            f"handmade.toml: {before!r} appears {len(places)} times in {scope} of {file}, but must appear once. If the "
            "header was changed, change the entry, or remove it if this mistake is no longer possible."
        )
    start = places.pop()
    end = start + len(before)
    edit = Edit(file, start, end, after)
    around = [
        node
        for function in functions
        for node in function.descendants()
        if node.start <= start and end <= node.end and _is_expression(node, text)
    ]
    choices: tuple[Edit, ...] = ()
    if around:
        smallest = min(around, key=lambda node: node.end - node.start)
        whole = text[smallest.start : start] + after + text[end : smallest.end]
        before_it = re.sub(r"//[^\n]*\n", "", text[: smallest.start]).rstrip()
        alone = before_it.endswith((";", "{", "}")) and text[smallest.end] == ";"
        choices = (Edit(file, smallest.start, smallest.end, whole, statement=alone),)
    change = f"`{' '.join(before.split())}` becomes `{' '.join(after.split())}`"
    return Mutant(file, scope, headers[file].line_at(start), change, HAND, (edit,), choices, why=entry["why"],
                  kernel=entry.get("kernel", ""), rows=tuple(entry.get("rows", ())), sample=entry.get("sample", False),
                  may_be_evaluated=any("constexpr" in text[node.start :].partition("{")[0] for node in functions))  # fmt: skip


def _is_expression(node: Node, text: str) -> bool:
    """Whether a choice can replace the node."""
    return node.kind in ("CALL_EXPR", "BINARY_OPERATOR", "UNARY_OPERATOR", "CONDITIONAL_OPERATOR", "CXX_STATIC_CAST_EXPR",
                         "MEMBER_REF_EXPR", "ARRAY_SUBSCRIPT_EXPR") and not text[node.start : node.end].startswith("URING_ASSERT")  # fmt: skip
