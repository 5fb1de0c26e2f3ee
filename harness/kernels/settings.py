# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""kernels.toml: which kernels the matrix runs on, and where they come from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.base import names, toml_file
from harness.base.errors import HarnessError
from harness.kernels.archive import Pin
from harness.kernels.spec import ARCHIVE, HOST

SETTINGS = Path(__file__).with_name("kernels.toml")
SCHEMA = SETTINGS.with_suffix(".schema.json")


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
    table = toml_file.load(path, SCHEMA)
    settings = Settings(
        kernels=tuple(table["kernels"]),
        suites=tuple(table["suites"]),
        exclude=table.get("exclude", {}),
        pin={series: Pin(**pin) for series, pin in table.get("pin", {}).items()},
        local={name: path.parent / os.path.expanduser(text) for name, text in table.get("local", {}).items()},
    )
    for suite in settings.suites:
        names.suite(suite, str(path))
    for series in (*settings.exclude, *settings.pin):
        names.column(series, str(path))
    for series, pin in settings.pin.items():
        names.version(pin.version, str(path))
    if both := settings.exclude.keys() & settings.pin.keys():
        raise HarnessError(f"{path}: {min(both)} is pinned and excluded. Remove one of the two.")
    for name in settings.local:
        if name in (HOST, ARCHIVE) or names.is_series(name) or not names.is_column(name):
            raise HarnessError(
                f"{path}: {name!r} cannot be the name of a local kernel: the name is reserved, or has characters "
                "that a name cannot have. Use letters, digits and . + ~ _ - only."
            )
    return settings
