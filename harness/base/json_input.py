# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The one way to read JSON that we did not write: of a guest, a program under test, a file, a command line."""

from __future__ import annotations

import json
import math
from typing import Any

#: Levels of lists and objects. Ours have fewer than ten; a thousand would end us, here or where the value is written.
MAX_DEPTH = 32
_MAX_DIGITS = 20  # of 64 bits, with a sign


def parse(text: str | bytes) -> Any:
    """The value of a JSON text. ValueError, with the reason, if it is not JSON or something that we cannot hand on.

    That is: nesting without end, a key that is listed twice, numbers beyond 64 bits, NaN and infinity (which Python would
    accept, and write). Half of a surrogate pair, which is not text, becomes a replacement character.
    """
    value = _load(text.decode() if isinstance(text, bytes) else text)
    if not _is_unicode(value):
        written = json.dumps(value, ensure_ascii=False)
        value = _load(written.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    return value


def _load(text: str) -> Any:
    try:
        return json.loads(
            text, object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_float
        )
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


_TOO_DEEP = f"it is nested deeper than {MAX_DEPTH} levels"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice[:40]!r} is listed twice")
    return found


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS or not -(2**63) <= (value := int(digits)) < 2**64:
        raise ValueError(f"the number {digits[:_MAX_DIGITS]}... does not fit into 64 bits")
    return value


def _float(digits: str) -> float:
    if not math.isfinite(value := float(digits)):
        raise ValueError(f"{digits[:_MAX_DIGITS]} is not a finite number")
    return value


def _is_unicode(value: Any) -> bool:
    """Whether all its text is. ValueError if it is too deep. Level by level, not by recursion."""
    level, is_unicode = [value], True
    for _ in range(MAX_DEPTH + 1):
        is_unicode = is_unicode and all(map(_is_text, (one for one in level if isinstance(one, str))))
        lists = [one for one in level if isinstance(one, list)]
        objects = [one for one in level if isinstance(one, dict)]
        if not lists and not objects:
            return is_unicode
        level = [item for one in (*lists, *objects, *(one.values() for one in objects)) for item in one]
    raise ValueError(_TOO_DEEP)


def _is_text(text: str) -> bool:
    try:
        text.isascii() or text.encode()
    except UnicodeEncodeError:
        return False
    return True
