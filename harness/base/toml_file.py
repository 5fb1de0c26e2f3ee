# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Reads TOML files that people write, checks them against a JSON Schema, and reports a mistake in one sentence.

A schema is beside the file that it describes, where editors find it, too. It checks each key by itself; what several
keys must agree on is checked by the module that loads the file. Messages are made of a schema's `description`, which
completes "... must be".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tomllib

from harness.base import outside
from harness.base.errors import HarnessError
from harness.base.paths import ROOT
from harness.base.words import nearest, one_line

_UNQUOTED = " Quote it: without quotes 5.10 is the number 5.1."


def load(path: Path, schema: Path) -> dict[str, Any]:
    """The contents of a TOML file that conforms to its schema; HarnessError for any other."""
    name = str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)
    try:
        body = outside.read(path, outside.TEXT, name, "Restore it from git, or name another.")
        document = tomllib.loads(body.decode())
    except UnicodeDecodeError as error:
        raise HarnessError(
            f"{name} is not UTF-8: {error.reason} at byte {error.start}. Save it as UTF-8."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise HarnessError(f"{name} is not valid TOML: {error}. Correct that line.") from error
    except RecursionError as error:
        raise HarnessError(f"{name} is nested too deeply to be read. Correct it.") from error
    breaches = list(validator(json.loads(schema.read_text(encoding="utf-8"))).iter_errors(document))
    # A misspelt key is also a missing key and a misplaced value. That it is misspelt is the most useful message.
    for breach in sorted(breaches, key=lambda breach: not _has_a_wrong_key(breach)):
        raise HarnessError(f"{name}: {_sentence(_place(document, breach.absolute_path), breach)}")
    return document


def validator(schema: Mapping[str, Any]) -> Any:
    """A validator for a JSON Schema."""
    try:
        import jsonschema  # takes 50 ms, which --help can do without
    except ImportError as error:
        raise HarnessError("Files are checked with python3-jsonschema: install it with apt.") from error
    kind = jsonschema.Draft202012Validator
    # To JSON Schema 20.0 is an integer; to code that expects an int from TOML it is not.
    types = kind.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int)
    return jsonschema.validators.extend(kind, type_checker=types)(schema)


def _has_a_wrong_key(breach: Any) -> bool:
    return breach.validator == "additionalProperties" or "propertyNames" in breach.relative_schema_path


def _sentence(place: str, breach: Any) -> str:
    schema, value = breach.schema, breach.instance
    where = f"{place}: " if place else ""
    match breach.validator:
        case "additionalProperties":
            key = next(key for key in value if key not in schema["properties"])
            return f"{where}unknown key {key!r}. {nearest(key, schema['properties'])}"
        case "required":
            key = next(key for key in breach.validator_value if key not in value)
            return f"{where}the key {key!r} is missing. Add it."
    if "propertyNames" in breach.relative_schema_path:
        place += ": a key"
    shown = f"{place} must be {schema['description']}, not {one_line(repr(value), 60)}."
    if breach.validator == "enum" and isinstance(value, str):
        return f"{shown} {nearest(value, breach.validator_value)}"
    is_unquoted = (
        schema.get("type") == "string" and isinstance(value, (int, float)) and not isinstance(value, bool)
    )
    return shown + _UNQUOTED * is_unquoted


def _place(document: Any, path: Iterable[str | int]) -> str:
    """The place in the document, as people say it: pin.6.1.version, or test 3 (write/read): since."""
    place, here, separator = "", document, ""
    for step in path:
        here = here[step]
        if isinstance(step, str):
            place, separator = f"{place}{separator}{step}", "."
        elif isinstance(here, dict):
            name = f" ({here['name']})" if isinstance(here.get("name"), str) else ""
            place, separator = f"{place} {step + 1}{name}", ": "
        else:
            place += f", item {step + 1}"
    return place
