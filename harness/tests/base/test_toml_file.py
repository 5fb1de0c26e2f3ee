# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Files that people write, and the message for each mistake in one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness.base import toml_file
from harness.base.errors import HarnessError
from harness.base.paths import ROOT

SCHEMA = {
    "type": "object",
    "required": ["row"],
    "additionalProperties": False,
    "properties": {
        "row": {
            "description": "a list: [[row]]",
            "type": "array",
            "items": {
                "description": "a table",
                "type": "object",
                "required": ["since"],
                "additionalProperties": False,
                "properties": {
                    "name": {"description": "a name in quotes", "type": "string"},
                    "since": {"description": "a release in quotes", "type": "string", "pattern": "[0-9]"},
                    "colour": {"description": "a colour", "enum": ["red", "green"]},
                    "limits": {
                        "description": "a table of limits",
                        "type": "object",
                        "propertyNames": {"description": "one letter", "pattern": "^.$"},
                        "additionalProperties": {"description": "a whole number", "type": "integer"},
                    },
                },
            },
        }
    },
}
Load = Callable[[bytes], dict[str, Any]]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Loads a file from its text."""

    def from_text(text: bytes) -> dict[str, Any]:
        (tmp_path / "x.schema.json").write_text(json.dumps(SCHEMA))
        (tmp_path / "x.toml").write_bytes(text)
        return toml_file.load(tmp_path / "x.toml", tmp_path / "x.schema.json")

    return from_text


def test_what_is_right_is_loaded(load: Load) -> None:
    assert load(b'[[row]]\r\nsince = "5.10"\nlimits.a = 1') == {
        "row": [{"since": "5.10", "limits": {"a": 1}}]
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rows = []", ": unknown key 'rows'. Did you mean 'row'?"),
        ("[[row]]\nsinse = 5.10", ": row 1: unknown key 'sinse'. Did you mean 'since'?"),
        (
            "[[row]]\nsince = ''\n[[row]]\nqq = 1",
            ": row 2: unknown key 'qq'. Use one of: name, since, colour, limits.",
        ),
        ("", ": the key 'row' is missing. Add it."),
        ('[[row]]\nname = "nop"', ": row 1 (nop): the key 'since' is missing. Add it."),
        ('[[row]]\nname = "nop"\nsince = ""', ": row 1 (nop): since must be a release in quotes, not ''."),
        (
            "[[row]]\nsince = 5.10",
            ": row 1: since must be a release in quotes, not 5.1. Quote it: without quotes 5.10 is the number 5.1.",
        ),
        ("[[row]]\nsince = true", ": row 1: since must be a release in quotes, not True."),
        (
            "[[row]]\nname = 5\nsince = '1'",
            ": row 1: name must be a name in quotes, not 5. Quote it: without quotes 5.10 is the number 5.1.",
        ),
        ("row = [1]", ": row, item 1 must be a table, not 1."),
        ("row = {}", ": row must be a list: [[row]], not {}."),
        (
            "[[row]]\nsince = '1'\ncolour = 'gren'",
            ": row 1: colour must be a colour, not 'gren'. Did you mean 'green'?",
        ),
        ("[[row]]\nsince = '1'\ncolour = 1", ": row 1: colour must be a colour, not 1."),
        ("[[row]]\nsince = '1'\nlimits.a = 1.0", ": row 1: limits.a must be a whole number, not 1.0."),
        ("[[row]]\nsince = '1'\nlimits.ab = 1", ": row 1: limits: a key must be one letter, not 'ab'."),
        ("[[row]]\nsince = [" + "1," * 99 + "]", " 1, 1, 1, 1, 1, 1…."),
        ("row = [", " is not valid TOML: Invalid value (at end of document). Correct that line."),
        ("row = \xff", " is not UTF-8: invalid start byte at byte 6. Save it as UTF-8."),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_what_to_do(load: Load, text: str, told: str) -> None:
    with pytest.raises(HarnessError) as trouble:
        load(text.encode("latin-1"))
    assert re.fullmatch(r"/\S+/x\.toml.*", str(trouble.value), re.DOTALL) and str(trouble.value).endswith(
        told
    ), trouble.value


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    for path, why in (
        (tmp_path / "none", "No such file or directory"),
        (tmp_path, "it is a directory, not a regular file"),
    ):
        with pytest.raises(HarnessError, match=f"{path} cannot be read: {why}. Restore it from git"):
            toml_file.load(path, tmp_path)


def test_a_file_of_this_repository_is_called_by_its_place_in_it(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="^harness/none.toml cannot be read"):
        toml_file.load(ROOT / "harness" / "none.toml", tmp_path)


# --- the schemas that ship -----------------------------------------------------------------------------------------

SCHEMAS = sorted(path for room in ("conformance", "harness") for path in (ROOT / room).rglob("*.schema.json"))
FILES = {
    "rows.schema.json": ("zig.toml", "interface.toml")
}  # of those that describe other files than their own


@pytest.mark.parametrize("path", SCHEMAS, ids=[path.name for path in SCHEMAS])
def test_a_schema_holds_for_its_file_and_has_words_for_all_that_can_be_wrong(path: Path) -> None:
    schema = json.loads(path.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    assert not list(objections(schema, f"{path.name}"))
    for name in FILES.get(path.name, (path.name.replace(".schema.json", ".toml"),)):
        toml_file.load(path.with_name(name), path)


def test_every_file_that_names_a_schema_has_it_and_is_checked() -> None:
    named = {
        path.with_name(match[1])
        for room in ("conformance", "harness")
        for path in (ROOT / room).rglob("*.toml")
        if (match := re.search(r"^#:schema (\S+)$", path.read_text(), re.MULTILINE))
    }
    assert named == set(SCHEMAS) and len(SCHEMAS) > 5


def objections(schema: Any, place: str, *, named: bool = False) -> Iterator[str]:
    """Gaps in a schema: a missing description for messages, or a table that accepts misspelt keys."""
    if not isinstance(schema, dict) or "$ref" in schema:
        return
    if named and not schema.get("description"):
        yield f"{place} has no description, of which messages are made"
    if "properties" in schema and schema.get("additionalProperties") is not False:
        yield f"{place} lets unknown keys through"
    for key in ("properties", "$defs"):
        for name, one in schema.get(key, {}).items():
            yield from objections(one, f"{place}.{name}", named=True)
    for key in ("items", "additionalProperties", "propertyNames"):
        yield from objections(schema.get(key), f"{place}.{key}", named=True)


def test_a_schema_without_words_or_with_an_open_table_is_objected_to() -> None:
    open_table = {"properties": {"x": {"items": {"type": "string"}, "description": "x"}}}
    assert list(objections(open_table, "a")) == [
        "a lets unknown keys through",
        "a.x.items has no description, of which messages are made",
    ]
