# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The results file: what a run found, one JSON line per kernel and per cell, written during the run.

A header with the plan comes first and a footer last. A file without its footer, or without some planned
cell, is a run that did not finish: people and grep can still read it, but `read_results` refuses it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

from harness.base import json_input, names, outside
from harness.base.errors import HarnessError
from harness.base.paths import ROOT
from harness.base.toml_file import validator
from harness.base.words import number
from harness.results.model import (
    SCHEMA,
    Cell,
    Footer,
    Header,
    Kernel,
    Plan,
    Position,
    Provenance,
    Results,
    cell_from_json,
    kernel_from_json,
    utc_now,
    without,
)
from harness.suite.configuration import PLAIN
from harness.verdicts.judge import Verdict
from harness.verdicts.why import passed

SCHEMA_PATH = Path(__file__).with_name("schema.json")
LARGEST = 512 * outside.MIB  # a run of 100,000 cells
_DAMAGED = "The file is damaged: run ci/matrix again."


class Writer:
    """Writes a results file line by line; each line is written before the next cell starts.

    Leaving the `with` block without `finish` leaves a file without a footer, as an interrupted run should.
    """

    def __init__(self, path: Path, header: Header) -> None:
        self._path = path
        self._header = header
        self._kernels: list[Kernel] = []
        self._cells: list[Cell] = []
        self._size = 0  # of the complete lines in the file
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise HarnessError(
                f"{path} cannot be written: {error.strerror}. Choose a writable place."
            ) from error
        try:
            self._line(header.as_json())
        except HarnessError:
            os.close(self._file)
            raise

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._file)

    def kernel(self, kernel: Kernel) -> None:
        """Add the line of a kernel."""
        self._line(kernel.as_json())
        self._kernels.append(kernel)

    def cell(self, cell: Cell) -> None:
        """Add the line of a cell."""
        self._line(cell.as_json())
        self._cells.append(cell)

    @property
    def in_place(self) -> bool:
        """Whether the file is still the one with this name, so that a reader will find the lines."""
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(self._file))
        except OSError:
            return False

    def finish(self, ended: str | None = None) -> Results:
        """Add the footer, make the file durable, and return its contents. `ended` None: now."""
        footer = Footer.count(self._header.plan, self._cells, ended=ended or utc_now())
        self._line(footer.as_json())
        try:
            os.fsync(self._file)
        except OSError as error:
            raise self._write_error(error) from error
        return Results(
            header=self._header, kernels=tuple(self._kernels), cells=tuple(self._cells), footer=footer
        )

    def _line(self, value: dict[str, Any]) -> None:
        data = _as_line(value).encode("ascii")
        try:
            written = 0
            while written < len(data):
                written += os.pwrite(self._file, data[written:], self._size + written)
        except OSError as error:
            self._drop_half_a_line()
            raise self._write_error(error) from error
        self._size += len(data)

    def _drop_half_a_line(self) -> None:
        # A device such as /dev/full cannot be truncated, but it does not hold half a line either.
        try:
            os.ftruncate(self._file, self._size)
        except OSError:
            return

    def _write_error(self, error: OSError) -> HarnessError:
        intact = (
            f"The results of the {number(len(self._cells), 'cell')} so far are intact. "
            if self._cells
            else ""
        )
        return HarnessError(
            f"Writing {self._path} failed: {error.strerror}. {intact}Make room and run again."
        )


def as_text(results: Results) -> str:
    """A complete run as the text of its file."""
    lines: list[Header | Cell | Kernel | Footer] = [
        results.header,
        *results.cells,
        *results.kernels,
        results.footer,
    ]
    return "".join(_as_line(line.as_json()) for line in lines)


def brief(results: Results) -> Results:
    """The run as it is published: a row that works keeps only the number of tests that passed.

    Nine tenths of a run's evidence is about rows that work. The unpublished results keep all of it.
    """
    return replace(
        results,
        cells=tuple(_brief(cell) if cell.verdict is Verdict.WORKS else cell for cell in results.cells),
    )


def _brief(cell: Cell) -> Cell:
    record = {"kind": "passed", "tests": passed(cell.observed)}
    return replace(cell, observed={**cell.observed, "records": [record], "output": "", "kmsg": []})


def _as_line(value: Mapping[str, Any]) -> str:
    # ASCII, because a guest can print anything: U+2028, which careless readers take for a line end, or a stray byte.
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")) + "\n"


def read_results(path: Path) -> Results:
    """A complete run, checked against the schema and its own plan; HarnessError otherwise."""
    text = outside.text(path, LARGEST, f"The results file {path}", "Create it with ci/matrix.")
    return parse_results(path.name, text)


def parse_results(name: str, text: str) -> Results:
    """Like `read_results`, but from text; errors call the file `name`."""
    if not text:
        raise HarnessError(f"{name} is empty: its run did not start. Run ci/matrix.")
    values = [_parse(f"{name}, line {number}", line) for number, line in enumerate(text.splitlines(), 1)]
    kinds = [value["kind"] for value in values]
    if kinds[0] != "header" or kinds.count("header") > 1:
        raise HarnessError(
            f"{name} does not begin with its only header: the file is damaged. Run ci/matrix again."
        )
    if kinds[-1] != "footer" or kinds.count("footer") > 1:
        raise HarnessError(
            f"{name} does not end with its only footer: the run was cut short. Run ci/matrix again."
        )
    results = Results(
        header=_header(values[0]),
        kernels=tuple(kernel_from_json(value) for value in values if value["kind"] == "kernel"),
        cells=tuple(_cell(name, value) for value in values if value["kind"] == "cell"),
        footer=Footer(**without(values[-1], "kind")),
    )
    _check_plan(name, results)
    return results


def started(line: str) -> str:
    """When a run began, from the first line of its file. The rest may be missing."""
    value = _parse("the first line", line)
    if value["kind"] != "header":
        raise HarnessError("The first line is not a header: the file is damaged. Run ci/matrix again.")
    return _header(value).started


def _parse(where: str, line: str) -> dict[str, Any]:
    try:
        value = json_input.parse(line)
    except ValueError as error:
        raise HarnessError(
            f"{where} is not JSON ({error}): the file is damaged. Run ci/matrix again."
        ) from error
    kind = value.get("kind") if isinstance(value, dict) else None
    if kind not in ("header", "kernel", "cell", "footer"):
        raise HarnessError(
            f"{where} has an unknown kind: not a results file, or a newer one. Run ci/matrix again."
        )
    if kind == "header" and isinstance(value.get("schema"), int) and value["schema"] != SCHEMA:
        raise HarnessError(
            f"{where}: these results have schema {value['schema']}, but this harness reads {SCHEMA}. Read them with the "
            "commit that wrote them, or run ci/matrix again."
        )
    for breach in _validator(kind).iter_errors(value):
        field = ".".join(str(part) for part in breach.absolute_path) or kind
        raise HarnessError(
            f"{where} breaks {SCHEMA_PATH.relative_to(ROOT)}: {field}: {breach.message}. Run ci/matrix again."
        )
    parsed: dict[str, Any] = value
    return parsed


@cache
def _validator(kind: str) -> Any:
    # Validated against its own kind, not against oneOf, so that the message names the field.
    definitions = json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))["$defs"]
    return validator({"$ref": f"#/$defs/{kind}", "$defs": definitions})


def _header(value: dict[str, Any]) -> Header:
    plan = Plan(**{axis: tuple(names) for axis, names in value["plan"].items()})
    made_of = Provenance(**value["made_of"]) if "made_of" in value else None
    return Header(**without(value, "kind", "schema", "plan", "made_of"), plan=plan, made_of=made_of)


def _cell(where: str, value: dict[str, Any]) -> Cell:
    cell = cell_from_json(value)
    if cell.surprise != value["surprise"]:
        said = str(value["surprise"]).lower()
        raise HarnessError(
            f"{where}: {_name(cell.position)}: verdict is {cell.verdict}, but surprise is {said}. {_DAMAGED}"
        )
    return cell


def _check_plan(where: str, results: Results) -> None:
    plan = results.header.plan
    for series in plan.kernels:  # of which each has a folder
        names.column(series, where)
    for binding in plan.bindings:
        names.binding(binding, where)
    planned = set(plan.positions())
    seen: set[Position] = set()
    for cell in results.cells:
        if cell.position not in planned:
            raise HarnessError(f"{where}: {_name(cell.position)} is not in the plan. {_DAMAGED}")
        if cell.position in seen:
            raise HarnessError(f"{where}: {_name(cell.position)} is listed twice. {_DAMAGED}")
        seen.add(cell.position)
    for position in plan.positions():
        if position not in seen:
            raise HarnessError(f"{where}: {_name(position)} is planned but missing. Run ci/matrix again.")
    kernels = [kernel.series for kernel in results.kernels]
    if sorted(kernels) != sorted(plan.kernels):
        raise HarnessError(
            f"{where}: has the kernels {kernels}, but the plan has {list(plan.kernels)}. {_DAMAGED}"
        )
    if results.footer != Footer.count(plan, results.cells, results.footer.ended):
        raise HarnessError(f"{where}: the footer does not match the cells. {_DAMAGED}")


def _name(position: Position) -> str:
    test, series, binding, configuration = position
    under = "" if configuration == PLAIN else f" under {configuration}"
    return f"the cell {test} on {series} through {binding}{under}"
