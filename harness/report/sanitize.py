# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Makes text from kernels, tests and this machine safe to show.

Reports are about machines that may print anything. This removes control characters, which a terminal would obey and
XML cannot hold, and the paths of the machine that ran. Escaping markup is left to each report's renderer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any, TypeVar, cast

from harness.base.output import printable
from harness.results.model import Cell, Kernel, Results

T = TypeVar("T")
_MACHINE_PATH = re.compile(r"(?<![\w.:~/-])/(?!(?:dev|proc|sys)/)(?:[^\s/'\"`()]+/)*([^\s/'\"`()]+)")
Clean = Callable[[str], str]


def portable(sentence: str) -> str:
    """The sentence with each absolute path cut to its last part."""
    return _MACHINE_PATH.sub(r"\1", sentence)


def for_here(results: Results) -> Results:
    """The run as this machine's terminal may show it: here its paths are useful."""
    return _with_clean_words(results, printable)


def for_everybody(results: Results) -> Results:
    """The run as every report shows it. The last one is kept: all of its reports are made one after the other."""
    if not _last or _last[0] is not results:
        _last[:] = results, _with_clean_words(results, lambda text: portable(printable(text)))
    return _last[1]


_last: list[Results] = []  # as given, and cleaned


def _with_clean_words(results: Results, clean: Clean) -> Results:
    """Names have no paths in them, and must stay equal wherever they are; the words of kernels and cells may have."""
    named = _clean(results, printable)
    return replace(
        named,
        kernels=tuple(_kernel(kernel, clean) for kernel in named.kernels),
        cells=tuple(_cell(cell, clean) for cell in named.cells),
    )


def _kernel(kernel: Kernel, clean: Clean) -> Kernel:
    names = ("release", "version", "source", "smoke", "trouble", "notices", "accelerator")
    return replace(kernel, **{name: _clean(getattr(kernel, name), clean) for name in names})


def _cell(cell: Cell, clean: Clean) -> Cell:
    names = ("kernel", "observed", "rerun")
    return replace(cell, **{name: _clean(getattr(cell, name), clean) for name in names})


def _clean(value: T, clean: Clean) -> T:
    """The value with every text in it cleaned, however deep."""
    cleaned: Any = value
    if isinstance(cleaned, str) and not isinstance(cleaned, Enum):
        cleaned = clean(cleaned)
    elif isinstance(cleaned, Mapping):
        cleaned = {_clean(key, clean): _clean(item, clean) for key, item in cleaned.items()}
    elif isinstance(cleaned, (list, tuple)):
        cleaned = tuple(_clean(item, clean) for item in cleaned)
    elif is_dataclass(cleaned):
        cleaned = replace(
            cleaned, **{field.name: _clean(getattr(cleaned, field.name), clean) for field in fields(cleaned)}
        )
    return cast(T, cleaned)
