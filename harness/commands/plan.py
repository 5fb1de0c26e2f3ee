# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""`ci/harness plan`: the columns of the matrix as JSON, for a CI that gives each kernel its own machine."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.base import command_line, json_input, names, outside
from harness.base.cache import Cache
from harness.base.errors import HarnessError
from harness.base.output import emit, say
from harness.kernels.archive import Archive
from harness.kernels.selection import select
from harness.kernels.settings import load_settings
from harness.kernels.spec import Kind, columns_for, specify

_FORM = (
    'a JSON list of kernels, each a string or an object with a "kernel", such as ["6.1", {"kernel": "host"}]'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One column, and the key under which a CI can cache its kernel."""

    kernel: str
    cache_key: str


def main(arguments: Sequence[str]) -> int:
    """Print the plan on one line."""
    parser = command_line.parser(
        "plan",
        "Prints the columns of the matrix as JSON on one line: "
        '[{"kernel": "6.1", "cache_key": "..."}, ...]. The key names the newest package, so it changes with it.',
    )
    command_line.add_cache(parser)
    command_line.add_archive(parser)
    options = parser.parse_args(arguments)
    archive = _archive(options.cache, options.mirror, refresh=options.refresh)
    emit(json.dumps([asdict(_entry(column, archive)) for column in _columns(archive)]))
    return 0


def columns() -> list[str]:
    """The default columns, from the cache or the archive."""
    return _columns(_archive(None, None, refresh=False))


def _columns(archive: Archive) -> list[str]:
    settings = load_settings()
    specs = select((), settings, archive, notice=_say).specs
    return list(columns_for(specs, settings.local, ()))


def _archive(cache: Path | None, mirror: str | None, *, refresh: bool) -> Archive:
    settings = load_settings()
    return Archive(
        Cache(cache), suites=settings.suites, pins=settings.pin, mirror=mirror, refresh=refresh, notice=_say
    )


def _say(said: str) -> None:
    say(said, error=True)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of a command that takes the planned kernels."""
    planned = parser.add_mutually_exclusive_group()
    planned.add_argument("--kernels", action="append", metavar="KERNEL",
                         help="a kernel that must be there, repeatable, or a JSON list of them "
                         "(default: the columns of the matrix)")  # fmt: skip
    planned.add_argument(
        "--plan", type=Path, metavar="FILE", help="the same, from a file with the output of ci/harness plan"
    )


def chosen(given: list[str] | None, file: Path | None) -> list[str]:
    """The kernels that those options name."""
    if file is not None:
        plan = outside.text(file, outside.TEXT, f"The plan {file}", "Create it with ci/harness plan.")
        return names_in(plan, str(file))
    if given is None:
        return columns()
    listed = [names_in(name, "--kernels") if name.lstrip().startswith("[") else [name] for name in given]
    return [names.column(name, "--kernels") for part in listed for name in part]


def names_in(text: str, where: str) -> list[str]:
    """The kernels of a plan, or of a list of names."""
    try:
        plan = json_input.parse(text)
    except ValueError as error:
        raise HarnessError(f"{where} is not JSON ({error}). It must be {_FORM}.") from error
    found: list[Any] = (
        [one.get("kernel") if isinstance(one, dict) else one for one in plan]
        if isinstance(plan, list)
        else []
    )
    if not found or not all(isinstance(name, str) and name for name in found):
        raise HarnessError(f"{where} is not a plan. It must be {_FORM}.")
    return [names.column(name, where) for name in found]


def _entry(column: str, archive: Archive) -> Entry:
    if specify(column, load_settings().local).kind is not Kind.SERIES:
        return Entry(kernel=column, cache_key=_key(column))
    package, _ = archive.lookup(column)
    if package is None:  # its own job will report this in full, without affecting the others
        say(f"The archive currently has no kernel of the series {column}.", error=True)
        return Entry(kernel=column, cache_key=_key(column))
    return Entry(kernel=column, cache_key=_key(f"{package.name}_{package.version}"))


def _key(name: str) -> str:
    """The cache key. Commas are special in the keys of GitHub's cache, and other characters may be elsewhere."""
    return "kernel-" + re.sub(r"[^\w.+~-]", "_", name)
