# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Names that come from outside and become part of a path, of pytest's node ids or of a cache key: one rule for each kind.

Whoever reads such a name (from a results file, a plan, the cache, the command line, a TOML file) asks here, so that no
name can lead out of the folder that it is put into.
"""

from __future__ import annotations

import re
from typing import NoReturn

from harness.base.errors import HarnessError
from harness.base.words import one_line

LONGEST = 100  # of a name; file names have at most 255 bytes, and ours are longer than the names in them

# ASCII only: what looks like a letter may reorder or hide the text around it.
_SERIES = re.compile(r"[0-9]+\.[0-9]+")
_COLUMN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+~ -]*(?<! )")
_BINDING = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+:-]*")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+:~-]*")
_SUITE = re.compile(r"[a-z0-9][a-z0-9.+-]*(/[a-z0-9][a-z0-9.+-]*)*")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_ODD = re.compile(r"[^A-Za-z0-9_.+~ -]")


def is_series(name: str) -> bool:
    """Whether it has the form of a kernel series: 6.1."""
    return len(name) <= LONGEST and _SERIES.fullmatch(name) is not None


def is_column(name: str) -> bool:
    """Whether a kernel's column can have this name: a series, host, or the name of a file of one's own."""
    return len(name) <= LONGEST and _COLUMN.fullmatch(name) is not None


def column(name: str, where: str) -> str:
    """The name of a kernel's column, which is also that of its folder; HarnessError if it cannot be one."""
    if not is_column(name):
        _refuse(where, "kernel", name, "letters, digits, spaces and . + ~ _ -")
    return name


def objection(name: str) -> str:
    """Why a kernel's column cannot have this name, as a clause."""
    if len(name) > LONGEST:
        return f"it has {len(name)} characters, and a column's name at most {LONGEST}"
    if odd := _ODD.search(name):
        return (
            f"it has the character {odd[0]!r}, and a column's name only letters, digits, spaces and . + ~ _ -"
        )
    return "a column's name begins with a letter or a digit, and does not end with a space"


def is_binding(name: str) -> bool:
    """Whether a binding can have this name."""
    return len(name) <= LONGEST and _BINDING.fullmatch(name) is not None


def binding(name: str, where: str) -> str:
    """The name of a binding, which is part of its program's; HarnessError if it cannot be one."""
    if not is_binding(name):
        _refuse(where, "binding", name, "letters, digits and . _ + : -")
    return name


def is_version(text: str) -> bool:
    """Whether it can be the name or the version of a package or a kernel: part of the names of folders in the cache."""
    return len(text) <= LONGEST and _VERSION.fullmatch(text) is not None


def version(text: str, where: str) -> str:
    """The version of a package; HarnessError if it cannot be one."""
    if not is_version(text):
        _refuse(where, "version", text, "letters, digits and . _ + : ~ -")
    return text


def suite(name: str, where: str) -> str:
    """The name of a suite of the archive, which becomes a field of an apt source; HarnessError if it cannot be one."""
    if len(name) > LONGEST or not _SUITE.fullmatch(name):
        _refuse(where, "suite", name, "small letters, digits and . + - /")
    return name


def is_digest(value: object) -> bool:
    """Whether it is a SHA-256 in hexadecimal."""
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def is_file_name(name: str) -> bool:
    """Whether it is the name of a file in its folder, and not a way out of it."""
    return name not in ("", ".", "..") and "/" not in name and "\0" not in name and len(name) <= 240


def _refuse(where: str, what: str, name: str, allowed: str) -> NoReturn:
    raise HarnessError(
        f"{where} names the {what} {one_line(repr(name), LONGEST)}, which cannot be a name: it must begin with a letter "
        f"or a digit, have only {allowed}, and at most {LONGEST} characters. Correct it, or create the file again."
    )
