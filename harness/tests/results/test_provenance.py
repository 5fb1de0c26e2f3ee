# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The digests of a run's sources: each file belongs to the part that it can be blamed for, and to no other."""

from __future__ import annotations

import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from harness.base.errors import HarnessError
from harness.base.paths import ROOT
from harness.results import provenance
from harness.suite import catalogue

ROWS = [row for row in catalogue.load() if row.stem in ("nop", "waitid")]


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of this repository's sources, which a test may change."""
    copy = tmp_path_factory.mktemp("tree")
    for folder in ("bindings", "conformance", "harness"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("CMakeLists.txt", "CMakePresets.json"):
        shutil.copyfile(ROOT / name, copy / name)
    return copy


def parts(tree: Path) -> dict[str, Any]:
    return asdict(provenance.provenance_of(ROWS, tree))


def test_they_are_those_of_this_tree_and_stay_the_same(tree):
    assert parts(tree) == parts(ROOT) == parts(tree)
    assert list(parts(tree)["tests"]) == ["nop", "waitid"]


@pytest.mark.parametrize(
    ("file", "part"),
    [
        ("bindings/include/uring/ring.h", "binding"),
        ("bindings/include/uring/arch/x86_64.h", "binding"),
        ("conformance/binding.h", "support"),
        ("conformance/fixture/ring_test.cc", "support"),
        ("conformance/program/smoke_test.cc", "support"),
        ("conformance/CMakeLists.txt", "support"),
        ("CMakeLists.txt", "support"),
        ("CMakePresets.json", "support"),
        ("conformance/catalogue/zig.toml", "catalogue"),
        ("conformance/zig/nop_test.cc", "tests"),
        ("harness/verdicts/judge.py", "harness"),
        ("harness/kernels/kernels.toml", "harness"),
        ("harness/guest/runner.cc", "harness"),
        ("harness/report/text.py", None),
        ("harness/tests/verdicts/test_judge.py", None),
        ("conformance/tests/CMakeLists.txt", None),
        ("conformance/zig/readv_test.cc", None),  # belongs to another test
        ("bindings/examples/CMakeLists.txt", None),
    ],
)
def test_a_changed_file_changes_its_part_and_nothing_else(tree, file, part):
    before, path = parts(tree), tree / file
    contents = path.read_bytes()
    path.write_bytes(contents + b" ")
    try:
        after = parts(tree)
    finally:
        path.write_bytes(contents)
    assert [name for name in before if before[name] != after[name]] == ([part] if part else [])


def test_a_renamed_file_changes_its_part(tree):
    before, path = parts(tree), tree / "harness" / "verdicts" / "judge.py"
    path.rename(tree / "harness" / "verdicts" / "judges.py")
    try:
        assert parts(tree)["harness"] != before["harness"]
    finally:
        (tree / "harness" / "verdicts" / "judges.py").rename(path)


def test_a_part_that_moved_is_noticed(tree):
    gone = replace(ROWS[0], stem="gone")
    with pytest.raises(
        HarnessError,
        match="Nothing in .* matches conformance/zig/gone_test.cc. Correct the pattern in harness/results/provenance.py",
    ):
        provenance.provenance_of([gone], tree)


def test_every_source_of_the_program_is_in_a_part():
    sources = {
        path.relative_to(ROOT)
        for folder in ("conformance", "bindings/include", "harness/guest")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".cc", ".h", ".txt") and "tests" not in path.parts
    }
    patterns = (
        *(*provenance.BINDING, *provenance.SUPPORT, *provenance.HARNESS, *provenance.ADAPTERS),
        *(row.file for row in catalogue.load()),
    )
    covered = {path.relative_to(ROOT) for pattern in patterns for path in ROOT.glob(pattern)}
    assert sources - covered == set()
