# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Many mutants in one program: each is chosen at run time, so that all of them need only one build.

    sqe.len = poll_add_multi;    becomes    sqe.len = (mutation::on(7) ? (u32{}) : (poll_add_multi));

The environment tells the program which mutant it is (URING_MUTANT; none if unset). Code that the compiler itself
evaluates is never mutated, so mutants that survive here are compiled alone.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from harness.mutation.headers import Header
from harness.mutation.mutants import Edit, Mutant

VARIABLE = "URING_MUTANT"
#: Included before everything else.
PREAMBLE = f"""\
#ifndef URING_MUTATION_H
#define URING_MUTATION_H
#include <cstdlib>
namespace mutation {{
// Which mutant this process is; 0 is the original.
inline const int active = [] {{
  const char* text = std::getenv("{VARIABLE}");
  return text == nullptr ? 0 : std::atoi(text);
}}();
// Not a call, even without optimisation: there must be none between a register variable and the system call.
[[gnu::always_inline]] constexpr bool on(int mutant) noexcept {{
  return !__builtin_is_constant_evaluated() && mutant == active;
}}
}}  // namespace mutation
#endif
"""


@dataclass(frozen=True)
class Span:
    """A piece of the program's text, and the mutants that are chosen in it."""

    start: int
    end: int
    numbers: tuple[int, ...]


@dataclass(frozen=True)
class Text:
    """A header with choices. The smallest spans come first."""

    text: str
    spans: tuple[Span, ...]

    def mutants_at(self, line: int, column: int) -> tuple[int, ...]:
        """The numbers of the mutants that may have caused a compiler message at this place. Both count from 1.

        Those at the place itself; if there are none, as when an operand makes its operator wrong, all of that line.
        """
        begin = 0
        for _ in range(line - 1):
            begin = self.text.index("\n", begin) + 1
        end = begin + len(self.text[begin:].partition("\n")[0])
        place = begin + column - 1
        around = [span for span in self.spans if span.start <= place < span.end]
        if around:
            return min(around, key=lambda span: span.end - span.start).numbers
        return tuple(n for span in self.spans if begin <= span.start < end for n in span.numbers)


def combine(headers: Mapping[str, Header], mutants: Mapping[int, Mutant]) -> dict[str, Text]:
    """Every header with all of these mutants, identified by number."""
    choices: dict[str, list[tuple[Edit, int]]] = {file: [] for file in headers}
    for number, mutant in mutants.items():
        for edit in mutant.choices:
            choices[edit.file].append((edit, number))
    return {
        file: _Writer(header.text, choices[file], _local_constants(header)).write()
        for file, header in headers.items()
    }


def _local_constants(header: Header) -> list[tuple[int, int]]:
    """The places of constexpr and const before a local variable of a function.

    Without them the value is computed at run time, not by the compiler, which ignores choices.
    """
    found = set()
    for function in header.functions:
        for node in function.descendants():
            # In the type of a pointer, const may be of what it points to.
            if node.kind == "VAR_DECL" and not {"*", "&"} & set(node.type):
                word = re.compile("(constexpr|const) ").match(header.text, node.start)
                if word:
                    found.add(word.span())
    return sorted(found)


class _Writer:
    def __init__(
        self, text: str, choices: Iterable[tuple[Edit, int]], constants: Sequence[tuple[int, int]]
    ) -> None:
        self._source = text
        self._constants = constants
        self._sites: dict[tuple[int, int], list[tuple[Edit, int]]] = {}
        for edit, number in choices:
            self._sites.setdefault((edit.start, edit.end), []).append((edit, number))
        self._order = sorted(self._sites, key=lambda site: (site[0], -site[1]))
        self._next = 0
        self._written: list[str] = []
        self._length = 0
        self._spans: list[Span] = []

    def write(self) -> Text:
        self._piece(0, len(self._source))
        return Text("".join(self._written), tuple(self._spans))

    def _put(self, text: str) -> None:
        self._written.append(text)
        self._length += len(text)

    def _original(self, start: int, end: int) -> None:
        """A piece without choices."""
        at = start
        for begin, after in self._constants[bisect_left(self._constants, (start, 0)) :]:
            if begin >= end:
                break
            self._put(self._source[at:begin])
            at = after
        self._put(self._source[at:end])

    def _piece(self, start: int, end: int) -> None:
        """A piece with the sites in it."""
        at = start
        while self._next < len(self._order) and self._order[self._next][0] < end:
            site = self._order[self._next]
            assert at <= site[0] and site[1] <= end, f"choices overlap at {site}"
            self._next += 1
            self._original(at, site[0])
            self._site(site)
            at = site[1]
        self._original(at, end)

    def _site(self, site: tuple[int, int]) -> None:
        """One expression with its choices. Those that leave it out are outermost, because they make it a statement."""
        begin = self._length
        choices = sorted(self._sites[site], key=lambda choice: not choice[0].statement)
        closing = ""
        for edit, number in choices:
            if edit.statement:
                self._put(f"(mutation::on({number}) ? void({edit.text}) : void(")
                closing += "))"
            else:
                self._put(f"(mutation::on({number}) ? ({edit.text}) : (")
                closing += "))"
        self._piece(*site)
        self._put(closing)
        self._spans.append(Span(begin, self._length, tuple(number for _, number in choices)))
