# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Kernels to run on: what a specification like "6.1" or "path/to/bzImage" means.

`specify` reads a specification and looks at nothing but the names of files; obtain.py turns it into a kernel image.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from harness.base import names, outside
from harness.base.errors import HarnessError
from harness.base.words import one_line
from harness.kernels import deb, tree

HOST = "host"
ARCHIVE = "archive"  # every series that the archive has

_EXACT = re.compile(r"([0-9]+\.[0-9]+)=(\S+)")  # a series and the version of a package


class Kind(StrEnum):
    """What a kernel specification names."""

    HOST = "host"  # the machine itself; nothing to obtain
    SERIES = "series"  # "6.1" or "6.1=6.1.190-1", from the archive
    FILE = "file"  # a bzImage or vmlinux
    DEB = "deb"  # a package that holds one
    TREE = "tree"  # a kernel's source tree, to be built


@dataclass(frozen=True, slots=True, kw_only=True)
class Specification:
    """A kernel as it was asked for."""

    kind: Kind
    heading: str  # of its column
    path: Path | None = None  # None for host and the archive's kernels


def kind(spec: str) -> Kind:
    """What the specification names. Write ./6.1 for a file that is named like a series."""
    if spec == HOST:
        return Kind.HOST
    if names.is_series(spec) or _EXACT.fullmatch(spec):
        return Kind.SERIES
    path = Path(spec)
    # A word that is not a file goes to the archive, whose error message lists the available series.
    if not ("/" in spec or os.path.exists(spec)):  # unlike Path's, an answer for every string
        return Kind.SERIES
    if os.path.isdir(spec):
        return Kind.TREE
    return Kind.DEB if path.suffix == ".deb" else Kind.FILE


def specify(
    spec: str, local: Mapping[str, Path] | None = None, fragments: Iterable[Path] = ()
) -> Specification:
    """What the specification names, and the heading of its column; HarnessError if it cannot be a kernel.

    `local` are the names in kernels.toml, `fragments` further configuration that a tree is built with.
    """
    named = (local or {}).get(spec)
    what = kind(f"{named.absolute()}" if named else spec)
    if what is Kind.HOST:
        return Specification(kind=what, heading=HOST)
    if what is Kind.SERIES:
        exact = _EXACT.fullmatch(spec)
        heading = exact[2] if exact else spec
        if not names.is_column(heading):
            raise HarnessError(
                f"{one_line(repr(spec))} is not a kernel: name a series, host, a kernel image, a package (.deb) or a source tree."
            )
        return Specification(kind=what, heading=heading)
    path = named or Path(spec)
    heading = spec if named else _heading(path, what)
    if what is Kind.TREE:
        heading += "".join(f"+{fragment.stem}" for fragment in fragments)
    if not named and (heading == HOST or names.is_series(heading)):
        raise HarnessError(
            f"The file {spec} would be the column {heading}, which means something else. Rename it."
        )
    if not names.is_column(heading) and not os.path.lexists(path):
        raise HarnessError(
            f"{one_line(repr(str(path)))} is not a kernel: there is no such file. Check the path."
        )
    if not names.is_column(heading):  # the folder of its machine, and part of pytest's node ids
        raise HarnessError(
            f"The kernel {one_line(repr(str(path)))} would be the column {one_line(repr(heading))}: {names.objection(heading)}. "
            "Rename it, or give it a name in [local] of kernels.toml."
        )
    return Specification(kind=what, heading=heading, path=outside.real(path))


def _heading(path: Path, what: Kind) -> str:
    match what:
        case Kind.TREE:
            if (version := tree.version_of(path)) is None:
                raise HarnessError(
                    f"{str(path)!r} is not a kernel: a directory must be a kernel's source tree."
                )
            return f"{version}-tree"
        case Kind.DEB:
            return deb.heading(path)
        case _:
            return path.name


def columns_for(specs: Iterable[str], local: Mapping[str, Path], fragments: Iterable[Path]) -> dict[str, str]:
    """The specifications, each once, with the headings of their columns; HarnessError if two would share one."""
    chosen = list(dict.fromkeys(specs))
    headings: dict[str, str] = {}
    for spec in chosen:
        heading = specify(spec, local, tuple(fragments)).heading
        if other := next((other for other, taken in headings.items() if taken == heading), None):
            raise HarnessError(
                f"{other} and {spec} would both be the column {heading!r}. "
                f"Rename one, or name it in [local] of kernels.toml."
            )
        headings[spec] = heading
    return headings
