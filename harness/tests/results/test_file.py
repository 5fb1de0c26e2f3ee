# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The results file: complete or refused, and never damaged by a full disk."""

from __future__ import annotations

import errno
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from harness.base.errors import HarnessError
from harness.machines.machine import Accelerator
from harness.results import file as results
from harness.results.file import SCHEMA_PATH, Writer, parse_results, read_results
from harness.results.model import Cell, Footer, Header, Kernel, Plan, Position, Provenance
from harness.suite.since import Expected
from harness.verdicts.judge import Verdict
from harness.verdicts.observation import Observation, Shape, State

GOLDEN = Path(__file__).parents[1] / "golden" / "results.ndjson"

HEADER = Header(
    suite="1a2b3c4d5e6f",
    dirty=False,
    plan=Plan(tests=("nop", "write/read"), kernels=("6.1",), bindings=("uring",)),
    started="2026-11-22T03:00:00Z",
    host={"machine": "x86_64", "cpus": 2},
)
KERNEL = Kernel(
    series="6.1",
    release="6.1.0-56-cloud-amd64",
    version="#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-1 (2026-11-01)",
    source="linux-image-6.1.0-56-cloud-amd64 6.1.192-1",
    sha256="ab" * 32,
    accelerator=Accelerator(name="tcg", reason="asked for"),
    boot_ms=1770,
    wall_ms=3120,
    smoke="ok",
    trouble=None,
)
NOP = Cell(
    test="nop",
    stem="nop",
    series="6.1",
    kernel="6.1.0-56-cloud-amd64",
    binding="uring",
    observed=Observation(state=State.PASSED, kmsg=("<6>one \x85 \u2028 line",), taint=(0, 0)).as_json(),
    expected=Expected.PRESENT,
    verdict=Verdict.WORKS,
    due=("5.1",),
    ms=3,
    rerun="ci/matrix --kernel 6.1 -k nop",
)
WRITE_READ = replace(
    NOP,
    test="write/read",
    stem="write_read",
    observed=Observation(state=State.REFUSED, shape=Shape.RIGHT, records=({"kind": "test"},)).as_json(),
    verdict=Verdict.MISSING,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the run is written."""
    return tmp_path / "results.ndjson"


@pytest.fixture
def lines(path: Path) -> list[dict]:
    """The lines of a good run, to be damaged."""
    with Writer(path, HEADER) as writer:
        writer.cell(NOP)
        writer.kernel(KERNEL)
        writer.cell(WRITE_READ)
        writer.finish()
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_what_was_written_is_read(path):
    with Writer(path, HEADER) as writer:
        writer.kernel(KERNEL)
        writer.cell(NOP)
        writer.cell(WRITE_READ)
        written = writer.finish()
    back = read_results(path)
    assert (back.header, back.kernels, back.footer) == (written.header, written.kernels, written.footer)
    as_json = [json.loads(json.dumps(cell.as_json())) for cell in written.cells]
    assert [cell.as_json() for cell in back.cells] == as_json
    assert back.by_position()[Position("write/read", "6.1", "uring")].verdict is Verdict.MISSING
    counted = Footer(cells=2, surprises=1, no_verdict=0, complete=True, ended=back.footer.ended)
    assert back.footer == counted


def test_every_line_written_fits_the_published_schema(lines):
    schema = json.loads(SCHEMA_PATH.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert [line["kind"] for line in lines] == ["header", "cell", "kernel", "cell", "footer"]
    for line in lines:
        validator.validate(line)
        assert not validator.is_valid(line | {"stray": 1})
        for key in line:
            assert not validator.is_valid({k: v for k, v in line.items() if k != key}), key


def test_what_a_run_was_made_of_is_told_where_it_is_known(path):
    made_of = Provenance(
        binding="a" * 64, support="b" * 64, harness="c" * 64, catalogue="d" * 64, tests={"nop": "e" * 64}
    )
    with Writer(path, replace(HEADER, made_of=made_of)) as writer:
        for line in (NOP, WRITE_READ):
            writer.cell(line)
        writer.kernel(KERNEL)
        writer.finish()
    assert read_results(path).header.made_of == made_of
    lines = path.read_text().replace("a" * 64, "a" * 63)
    with pytest.raises(HarnessError, match="line 1 breaks harness/results/schema.json: made_of.binding"):
        parse_results("it", lines)


def test_a_run_of_before_it_told_is_read():
    assert "made_of" not in HEADER.as_json()
    assert read_results(GOLDEN).header.made_of is None


def test_a_cell_has_what_readers_of_the_file_rely_on(lines):
    assert list(lines[1]) == [
        "kind", "test", "stem", "series", "kernel", "binding", "observed", "expected", "verdict", "due", "ms",
        "rerun", "surprise",
    ]  # fmt: skip


def test_a_line_is_out_before_the_next_one_starts(path):
    with Writer(path, HEADER) as writer:
        assert path.read_text().count("\n") == 1
        writer.cell(NOP)
        assert path.read_text().count("\n") == 2


def test_a_stray_byte_of_a_guest_does_not_stop_the_run(path):
    stray = b"\xff".decode(errors="surrogateescape")
    with Writer(path, HEADER) as writer:
        writer.cell(replace(NOP, rerun=f"said {stray}"))
    assert json.loads(path.read_text().splitlines()[-1])["rerun"] == f"said {stray}"


def test_a_full_disk_keeps_the_lines_before_it(path, monkeypatch):
    real = os.pwrite
    room = 2000

    def pwrite(fd: int, data: bytes, offset: int) -> int:
        if offset >= room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(fd, data[: room - offset], offset)

    written = 0
    with Writer(path, HEADER) as writer:
        monkeypatch.setattr(os, "pwrite", pwrite)
        with pytest.raises(HarnessError) as trouble:
            while True:
                writer.cell(NOP)
                written += 1
    assert written > 0
    assert "failed: No space left on device." in str(trouble.value)
    assert f"The results of the {written} cells so far are intact" in str(trouble.value)
    kept = path.read_text()
    assert kept.endswith("}\n")  # no partial line
    assert [json.loads(line)["kind"] for line in kept.splitlines()] == ["header"] + ["cell"] * written
    with pytest.raises(HarnessError, match="the run was cut short"):
        read_results(path)


def test_a_device_that_is_full_from_the_start():
    with pytest.raises(HarnessError, match="Writing /dev/full failed: No space left on device"):
        Writer(Path("/dev/full"), HEADER)


def test_a_place_that_cannot_be_written(tmp_path):
    with pytest.raises(HarnessError, match="cannot be written: No such file or directory"):
        Writer(tmp_path / "no" / "results.ndjson", HEADER)


def test_no_descriptor_is_left_open(path):
    before = os.listdir("/proc/self/fd")
    with pytest.raises(HarnessError), Writer(path, HEADER) as writer:
        writer.cell(NOP)
        raise HarnessError("something else")
    with pytest.raises(HarnessError):
        Writer(Path("/dev/full"), HEADER)
    assert os.listdir("/proc/self/fd") == before


def test_a_run_with_a_hole_is_not_complete(path):
    with Writer(path, HEADER) as writer:
        writer.kernel(KERNEL)
        writer.cell(NOP)
        assert not writer.finish().footer.complete
    with pytest.raises(HarnessError, match="the cell write/read on 6.1 through uring is planned but missing"):
        read_results(path)


def test_complete_means_every_cell_has_a_line_whatever_it_says():
    silent = [replace(cell, verdict=Verdict.NONE) for cell in (NOP, WRITE_READ)]
    footer = Footer.count(HEADER.plan, silent, ended="")
    assert footer == Footer(cells=2, surprises=2, no_verdict=2, complete=True, ended="")


def _edit(index: int, **values):
    def damage(lines: list[dict]) -> None:
        lines[index] |= values

    return damage


def _drop(index: int):
    return lambda lines: lines.pop(index)


def _repeat(index: int):
    return lambda lines: lines.insert(index, lines[index])


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (_drop(0), "does not begin with its only header"),
        (_repeat(0), "does not begin with its only header"),
        (_drop(-1), "the run was cut short"),
        (_repeat(-1), "does not end with its only footer"),
        (lambda lines: lines.insert(1, lines.pop()), "does not end with its only footer"),
        (_drop(1), "the cell nop on 6.1 through uring is planned but missing"),
        (_repeat(1), "the cell nop on 6.1 through uring is listed twice"),
        (_edit(1, test="readv"), "the cell readv on 6.1 through uring is not in the plan"),
        (_edit(1, series="6.2"), "the cell nop on 6.2 through uring is not in the plan"),
        (_edit(1, binding="liburing"), "the cell nop on 6.1 through liburing is not in the plan"),
        (_drop(2), "has the kernels [], but the plan has ['6.1']"),
        (_repeat(2), "has the kernels ['6.1', '6.1'], but the plan has ['6.1']"),
        (_edit(2, series="6.2"), "has the kernels ['6.2'], but the plan has ['6.1']"),
        (_edit(-1, cells=3), "the footer does not match the cells"),
        (_edit(-1, surprises=0), "the footer does not match the cells"),
        (_edit(-1, no_verdict=1), "the footer does not match the cells"),
        (_edit(-1, complete=False), "the footer does not match the cells"),
        (
            _edit(3, surprise=False),
            "write/read on 6.1 through uring: verdict is missing, but surprise is false",
        ),
        (_edit(0, schema=1), "line 1: these results have schema 1, but this harness reads 2."),
        (
            _edit(1, verdict="fine"),
            "line 2 breaks harness/results/schema.json: verdict: 'fine' is not one of",
        ),
        (
            _edit(1, observed={}),
            "breaks harness/results/schema.json: observed: 'state' is a required property",
        ),
        (_edit(1, extra=1), "Additional properties are not allowed ('extra' was unexpected)"),
        (_edit(2, sha256="abc"), "line 3 breaks harness/results/schema.json: sha256"),
        (_edit(0, started="yesterday"), "line 1 breaks harness/results/schema.json: started"),
        (_edit(2, kind="kernle"), "line 3 has an unknown kind"),
    ],
)
def test_a_damaged_file_is_refused(path, lines, damage, says):
    damage(lines)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(HarnessError) as trouble:
        read_results(path)
    assert says in str(trouble.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "is empty"),
        ("\n", "line 1 is not JSON"),
        ("[1]\n", "line 1 has an unknown kind"),
        ('{"kind":["cell"]}\n', "line 1 has an unknown kind"),
        (GOLDEN.read_text()[:-20], "is not JSON"),
        (GOLDEN.read_text() + "\n", "is not JSON"),
        (
            "[" * 5000 + "]" * 5000 + "\n",
            "line 1 is not JSON (it is nested deeper than 32 levels): the file is damaged. Run ci/matrix again",
        ),
    ],
    ids=["empty", "an empty line", "no object", "kind is no text", "cut off", "a line too many", "deep"],
)
def test_a_file_that_is_no_run_is_refused(path, content, says):
    path.write_text(content)
    with pytest.raises(HarnessError) as trouble:
        read_results(path)
    assert says in str(trouble.value)


def test_a_machine_without_the_schema_checker_is_told_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    results._validator.cache_clear()
    with pytest.raises(HarnessError, match="python3-jsonschema: install it with apt"):
        read_results(GOLDEN)


def test_a_file_that_cannot_be_read(tmp_path, path):
    path.write_bytes(b"\xff\xfe")
    for unreadable in (tmp_path / "nowhere.ndjson", tmp_path, path):
        with pytest.raises(HarnessError, match="^The results file .* cannot be read: "):
            read_results(unreadable)
