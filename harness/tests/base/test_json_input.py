# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""JSON from outside: what is taken, and what is refused instead of harming us later."""

from __future__ import annotations

import ast
import json
import re

import pytest

from harness.base.json_input import MAX_DEPTH, parse
from harness.base.paths import ROOT

#: Who reads JSON that this program or this repository wrote.
OUR_OWN = {
    "base/json_input.py",
    "base/toml_file.py",  # a schema beside the code
    "results/file.py",  # the same
    "matrix/items.py",  # what it has just written itself
    "matrix/progress.py",  # what our own workers append
    "bench/binding/measure.py",  # of our own benchmark
}


@pytest.mark.parametrize(
    "value", [{"a": [1, -(2**63), 2**64 - 1, 1.5, None, True, "\u00e9 \U0001f427"]}, [], "x", 0]
)
def test_what_is_json_is_read(value: object) -> None:
    assert parse(json.dumps(value)) == value
    assert parse(json.dumps(value, ensure_ascii=False).encode()) == value


def test_half_of_a_surrogate_pair_is_replaced() -> None:
    assert parse('{"a": "x\\ud800y", "\\udfff": ["\\ud83d\\udc27"]}') == {
        "a": "x\ufffdy",
        "\ufffd": ["\U0001f427"],
    }


def nested(levels: int, opening: str = "[", closing: str = "]") -> str:
    return opening * levels + closing * levels


def test_the_deepest_that_is_read() -> None:
    assert parse(nested(MAX_DEPTH))
    with pytest.raises(ValueError, match="nested deeper than 32 levels"):
        parse(nested(MAX_DEPTH + 1))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (nested(5_000), "nested deeper than 32 levels"),
        (nested(200_000), "nested deeper than 32 levels"),
        ('{"a":' * 5_000 + "1" + "}" * 5_000, "nested deeper than 32 levels"),
        ("[" * 200_000, "nested deeper than 32 levels"),
        ("9" * 5_000, "does not fit into 64 bits"),
        ("9" * 4_000, "does not fit into 64 bits"),
        (str(2**64), "does not fit into 64 bits"),
        (str(-(2**63) - 1), "does not fit into 64 bits"),
        ("[NaN]", "NaN is not a finite number"),
        ("[-Infinity]", "-Infinity is not a finite number"),
        ("1e999", "1e999 is not a finite number"),
        ('{"a": 1, "b": 2, "a": 3}', "the key 'a' is listed twice"),
        ('{"a": ', "Expecting value"),
        ("", "Expecting value"),
        (b"\xff", "can't decode"),
        (b"\xff\xfe[\x00]\x00", "can't decode"),
    ],
    ids=lambda value: repr(value[:20]),
)
def test_what_is_refused(text: str | bytes, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        parse(text)


def test_nobody_reads_what_comes_from_outside_in_another_way() -> None:
    harness = ROOT / "harness"
    readers = set()
    for path in harness.glob("**/*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Attribute)
                and node.attr in ("loads", "load")
                and ast.unparse(node.value) == "json"
            ):
                readers.add(path.relative_to(harness).as_posix())
    others = {name for name in readers if not name.startswith("tests/")} - OUR_OWN
    assert not others, f"use parse() of base/json_input.py there: {sorted(others)}"
