# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""What reports/ keeps of a run on every kind of ring: the table of configurations by kernels.

The cells of all configurations are some ten megabytes. The published results have those on plain rings.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.base import json_input, outside
from harness.base.errors import HarnessError
from harness.report import text, view
from harness.results.model import Results

FILE = "configurations.json"
_AGAIN = "Create it with ci/matrix --configuration all --publish."
_LARGEST = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Rings:
    """How the rows did in each configuration on each kernel."""

    suite: str
    day: str
    tests: int
    kernels: tuple[str, ...]  # the headings of the columns
    lanes: tuple[view.Lane, ...]


def of(results: Results) -> Rings | None:
    """The table of a run; None if it was in one configuration only."""
    if not (lanes := view.configurations(results)):
        return None
    return Rings(
        suite=view.suite(results),
        day=view.day(results),
        tests=len(results.header.plan.tests),
        kernels=tuple(column.heading for column in text.columns(results)),
        lanes=lanes,
    )


def as_text(rings: Rings) -> str:
    """The file, one line for each configuration."""
    facts = {key: value for key, value in asdict(rings).items() if key != "lanes"}
    lanes = ",\n".join(json.dumps(asdict(lane), separators=(",", ":")) for lane in rings.lanes)
    return f'{json.dumps(facts)[:-1]}, "lanes": [\n{lanes}\n]}}\n'


def read(path: Path) -> Rings | None:
    """The table in this file; None if there is no such file, HarnessError if it is damaged."""
    if not path.exists():
        return None
    content = outside.text(path, _LARGEST, f"The table {path}", _AGAIN)
    try:
        value = json_input.parse(content)
        lanes = tuple(_lane(one) for one in value.pop("lanes"))
        facts: dict[str, Any] = {**value, "kernels": tuple(value["kernels"]), "lanes": lanes}
        rings = Rings(**facts)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise HarnessError(f"{path} is not a table of configurations ({error}). {_AGAIN}") from error
    if any(len(lane.tallies) != len(rings.kernels) for lane in rings.lanes):
        raise HarnessError(f"{path} does not have a number for each of its kernels. {_AGAIN}")
    return rings


def _lane(value: Mapping[str, Any]) -> view.Lane:
    facts: dict[str, Any] = {**value, "tallies": tuple(_tally(one) for one in value["tallies"])}
    return view.Lane(**facts)


def _tally(value: Mapping[str, Any]) -> view.Tally:
    facts: dict[str, Any] = {**value, "odd": tuple(value["odd"])}
    return view.Tally(**facts)
