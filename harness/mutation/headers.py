# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The binding's headers as syntax trees, read by libclang, so that operators never mutate a comment or a string."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from clang import cindex

from harness.base.errors import HarnessError

#: Below bindings/include.
FOLDER = "uring"
#: The file of the other architecture, which no source compiled here includes.
OTHER_ARCHITECTURE = "arch/aarch64.h"

_SCOPES = ("CLASS_DECL", "STRUCT_DECL", "CLASS_TEMPLATE", "CLASS_TEMPLATE_PARTIAL_SPECIALIZATION")


@dataclass(frozen=True)
class Declaration:
    """What a name in the source refers to."""

    file: str
    offset: int
    name: str
    kind: str


@dataclass(frozen=True)
class Node:
    """One node of a syntax tree, and its place in the header."""

    kind: str  # libclang's name: BINARY_OPERATOR ...
    name: str
    type: str
    start: int
    end: int
    scope: str  # "BasicRing::close" for that function; "" for other nodes
    refers: Declaration | None
    children: tuple[Node, ...]

    def descendants(self) -> Iterator[Node]:
        """This node and all below it."""
        yield self
        for child in self.children:
            yield from child.descendants()


@dataclass(frozen=True)
class Header:
    """A header: its text and its top-level nodes."""

    file: str  # "ring.h", "arch/x86_64.h"
    text: str
    nodes: tuple[Node, ...]

    def line_at(self, offset: int) -> str:
        """The line at an offset, without its indentation and its trailing comment."""
        begin = self.text.rfind("\n", 0, offset) + 1
        end = self.text.find("\n", offset)
        line = self.text[begin : end if end >= 0 else len(self.text)]
        return " ".join(line.partition(" // ")[0].split())

    @cached_property
    def functions(self) -> tuple[Node, ...]:
        """Every function that has a body here."""
        return tuple(
            node
            for top in self.nodes
            for node in top.descendants()
            if node.scope and any(child.kind == "COMPOUND_STMT" for child in node.children)
        )


def read(include: Path) -> dict[str, Header]:
    """Every header below `include`, by name."""
    files = sorted(str(path.relative_to(include / FOLDER)) for path in (include / FOLDER).rglob("*.h"))
    trees = _tops(include, f"{FOLDER}/uring.h", ())
    other = _tops(include, f"{FOLDER}/{OTHER_ARCHITECTURE}", ("--target=aarch64-linux-gnu", "-ffreestanding"))
    trees[OTHER_ARCHITECTURE] = other.get(OTHER_ARCHITECTURE, [])
    return {
        file: Header(
            file=file,
            text=(include / FOLDER / file).read_text(encoding="ascii"),  # so that an offset is an index
            nodes=tuple(trees.get(file, ())),
        )
        for file in files
    }


def _tops(include: Path, header: str, options: tuple[str, ...]) -> dict[str, list[Node]]:
    """The top-level nodes of this header and of each header that it includes."""
    source = include / header
    unit = cindex.Index.create().parse(
        str(source), args=["-xc++", "-std=c++20", "-Wno-pragma-once-outside-header", f"-I{include}", *options]
    )
    errors = [str(found) for found in unit.diagnostics if found.severity >= cindex.Diagnostic.Error]
    if errors:
        raise HarnessError(
            f"libclang cannot read {header}: {errors[0]}. Does the project compile with clang++?"
        )
    reader = _Reader(include / FOLDER)
    tops: dict[str, list[Node]] = {}
    for cursor in unit.cursor.get_children():
        place = reader.file_of(cursor)
        if place is not None:
            tops.setdefault(place, []).append(reader.node(cursor))
    return tops


class _Reader:
    """Turns libclang's cursors into nodes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def file_of(self, cursor: Any) -> str | None:
        """The header that contains the cursor; None for headers that are not ours."""
        name, _ = _file_location(cursor.location)
        path = Path(name or "/")
        return str(path.relative_to(self._folder)) if path.is_relative_to(self._folder) else None

    def node(self, cursor: Any) -> Node:
        """The cursor and everything below it."""
        return Node(
            kind=cursor.kind.name,
            name=cursor.spelling,
            type=cursor.type.spelling,
            start=_file_location(cursor.extent.start)[1],
            end=_file_location(cursor.extent.end)[1],
            scope=_scope(cursor),
            refers=self._declaration(cursor),
            children=tuple(
                self.node(child) for child in cursor.get_children() if self._is_here(child, cursor)
            ),
        )

    def _is_here(self, child: Any, parent: Any) -> bool:
        """False for a default argument of a function that is defined in another header than it is declared in."""
        return parent.kind.name != "PARM_DECL" or self.file_of(child) == self.file_of(parent)

    def _declaration(self, cursor: Any) -> Declaration | None:
        found = cursor.referenced
        if found is None or found == cursor or not cursor.kind.is_expression():
            return None
        file = self.file_of(found)
        if file is None:
            return None
        return Declaration(file, _file_location(found.location)[1], found.spelling, found.kind.name)


def _scope(cursor: Any) -> str:
    """The name of a function with the classes around it; "" for anything else."""
    if cursor.kind.name not in (
        "FUNCTION_DECL",
        "FUNCTION_TEMPLATE",
        "CXX_METHOD",
        "CONSTRUCTOR",
        "DESTRUCTOR",
        "CONVERSION_FUNCTION",
    ):
        return ""
    names = [cursor.spelling]
    parent = cursor.semantic_parent
    while parent is not None and parent.kind.name in _SCOPES:
        names.insert(0, parent.spelling)
        parent = parent.semantic_parent
    return "::".join(name.partition("<")[0] if not name.startswith("operator") else name for name in names)


def _file_location(location: Any) -> tuple[str | None, int]:
    """File and offset; for a macro's argument, where it was written. (The module's own function gives the macro's place.)"""
    file = cindex.c_object_p()
    line, column, offset = ctypes.c_uint(), ctypes.c_uint(), ctypes.c_uint()
    cindex.conf.lib.clang_getFileLocation(
        location, ctypes.byref(file), ctypes.byref(line), ctypes.byref(column), ctypes.byref(offset)
    )
    return (cindex.File(file).name if file else None), int(offset.value)
