"""kernels.toml: which kernels the matrix runs on, and where they come from."""

from __future__ import annotations
import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from harness.base.errors import HarnessError
from harness.kernels.archive import Pin
from harness.kernels.spec import ARCHIVE, HOST, HEADING, SERIES


SETTINGS = Path(__file__).with_name("kernels.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The contents of kernels.toml, which explains each key."""

    kernels: tuple[str, ...] = ()
    suites: tuple[str, ...] = ()
    exclude: Mapping[str, str] = field(default_factory=dict)  # series -> why
    pin: Mapping[str, Pin] = field(default_factory=dict)  # by series
    local: Mapping[str, Path] = field(default_factory=dict)  # by name


def load_settings(path: Path = SETTINGS) -> Settings:
    """Read kernels.toml."""
    try:
        table = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise HarnessError(f"{path} cannot be read: {error}.") from error
    try:
        return _settings(table, path.parent)
    except HarnessError as trouble:
        raise HarnessError(f"{path}: {trouble}") from trouble


def _settings(table: dict[str, Any], directory: Path) -> Settings:
    _only(table, [field.name for field in fields(Settings)])
    for key in ("kernels", "suites"):
        if key not in table:
            raise HarnessError(f"the key '{key}' is missing.")
        value = table[key]
        if not (isinstance(value, list) and value and all(isinstance(item, str) for item in value)):
            raise HarnessError(f"'{key}' must be a list of strings that is not empty.")
    settings = Settings(
        kernels=tuple(table["kernels"]),
        suites=tuple(table["suites"]),
        exclude=_texts(table, "exclude"),
        pin={series: _pin(series, value) for series, value in _table(table, "pin").items()},
        local={name: directory / Path(text).expanduser() for name, text in _texts(table, "local").items()},
    )
    for series in (*settings.exclude, *settings.pin):
        if not SERIES.fullmatch(series):
            raise HarnessError(f"'{series}' is not a series: quote it and write two numbers, as in \"6.1\".")
    if both := settings.exclude.keys() & settings.pin.keys():
        raise HarnessError(f"{min(both)} is pinned and excluded. Remove one of the two.")
    for name in settings.local:
        if name in (HOST, ARCHIVE) or SERIES.fullmatch(name) or not HEADING.fullmatch(name):
            raise HarnessError(f"'{name}' cannot be the name of a local kernel: it means something else, or is no word.")
    return settings


def _pin(series: str, value: Any) -> Pin:
    known = [field.name for field in fields(Pin)]
    place = f"pin.{series}"
    if not isinstance(value, dict):
        raise HarnessError(f"'{place}' must be a table with the keys {' and '.join(known)}.")
    _only(value, known, f"{place}.")
    for key in known:
        if not (isinstance(value.get(key), str) and value[key]):
            raise HarnessError(f"'{place}.{key}' must be a string that is not empty.")
    return Pin(**value)


def _texts(table: dict[str, Any], key: str) -> dict[str, str]:
    texts = _table(table, key)
    for name, value in texts.items():
        if not (isinstance(value, str) and value):
            raise HarnessError(f"'{key}.{name}' must be a string that is not empty.")
    return texts


def _table(table: dict[str, Any], key: str) -> dict[str, Any]:
    value = table.get(key, {})
    if not isinstance(value, dict):
        raise HarnessError(f"'{key}' must be a table: [{key}], then a line for each.")
    return value


def _only(table: dict[str, Any], known: list[str], place: str = "") -> None:
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0)[0]
            raise HarnessError(f"unknown key '{place}{key}'. The nearest known key is '{place}{near}'.")
