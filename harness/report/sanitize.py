"""Makes text from kernels, tests and this machine safe to show.

Reports are about machines that may print anything. This removes control characters, which a terminal would obey and
XML cannot hold, and the paths of the machine that ran. Escaping markup is left to each report's renderer.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from harness.results.model import Cell, Kernel, Results

_MACHINE_PATH = re.compile(r"(?<![\w.:~/-])/(?!(?:dev|proc|sys)/)(?:[^\s/'\"`()]+/)*([^\s/'\"`()]+)")
_SHOWN_CONTROLS = 0x2400  # ␀ ␁ ␂ ...: pictures of the control characters, in the same order
_UNKNOWN = "\N{REPLACEMENT CHARACTER}"
# Format characters reorder or hide the text around them; not every output can hold surrogates and unassigned ones.
_NOT_SHOWN = ("Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp")

Clean = Callable[[str], str]


def portable(sentence: str) -> str:
    """The sentence with each absolute path cut to its last part."""
    return _MACHINE_PATH.sub(r"\1", sentence)


def printable(text: str) -> str:
    """The text with a visible picture in place of each control character."""
    return text if text.isprintable() else "".join(map(_shown, text))


def for_here(results: Results) -> Results:
    """The run as this machine's terminal may show it: here its paths are useful."""
    return _with_clean_words(results, printable)


def for_everybody(results: Results) -> Results:
    """The run as every report shows it."""
    return _with_clean_words(results, lambda text: portable(printable(text)))


def printable_cell(cell: Cell) -> Cell:
    """The cell as this machine's terminal may show it."""
    return _cell(cell, printable)


def _shown(character: str) -> str:
    if character.isprintable() or character in "\n\t":
        return character
    if ord(character) < ord(" "):
        return chr(_SHOWN_CONTROLS + ord(character))
    return _UNKNOWN if unicodedata.category(character) in _NOT_SHOWN else character


def _with_clean_words(results: Results, clean: Clean) -> Results:
    return replace(
        results,
        kernels=tuple(_kernel(kernel, clean) for kernel in results.kernels),
        cells=tuple(_cell(cell, clean) for cell in results.cells),
    )


def _kernel(kernel: Kernel, clean: Clean) -> Kernel:
    names = ("release", "version", "source", "smoke", "trouble", "notices")
    chosen = kernel.accelerator and replace(kernel.accelerator, reason=clean(kernel.accelerator.reason))
    return replace(kernel, accelerator=chosen, **{name: _clean(getattr(kernel, name), clean) for name in names})


def _cell(cell: Cell, clean: Clean) -> Cell:
    names = ("kernel", "observed", "rerun")  # the other fields are our own words
    return replace(cell, **{name: _clean(getattr(cell, name), clean) for name in names})


def _clean(value: Any, clean: Clean) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {key: _clean(item, clean) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return tuple(_clean(item, clean) for item in value)
    return value
