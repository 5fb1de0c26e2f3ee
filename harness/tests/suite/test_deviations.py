# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The list of known deviations: which cells an entry concerns, and what is wrong with an entry."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.base.errors import HarnessError
from harness.suite import catalogue, deviations
from harness.suite.deviations import Deviation
from harness.suite.since import KernelVersion

ENTRY = Deviation(
    row="nop",
    tests=("Nop.MovesEveryIndexByOne",),
    kernels=("6.16", "6.18"),
    what="nothing moves",
    blame="kernel",
    source="a commit",
    until=("6.18.44",),
)


def test_the_list_is_sound() -> None:
    deviations.load(catalogue.load())


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        ("6.16", True),
        ("6.16.12", True),
        ("6.17.1", False),
        ("6.18.15", True),
        ("6.18.44", False),
        ("6.18.50", False),
    ],
)
def test_an_entry_concerns_its_series_until_they_are_fixed(release: str, expected: bool) -> None:
    version = KernelVersion.parse(release)
    assert bool(deviations.concerning([ENTRY], "nop", version, "uring")) is expected
    assert not deviations.concerning([ENTRY], "readv", version, "uring")


def test_an_entry_may_concern_one_binding() -> None:
    version = KernelVersion.parse("6.16.1")
    through = replace(ENTRY, binding="liburing")
    assert deviations.concerning([through], "nop", version, "liburing")
    assert not deviations.concerning([through], "nop", version, "uring")


def test_an_entry_may_concern_some_kinds_of_rings() -> None:
    version = KernelVersion.parse("6.16.1")
    deferred = replace(ENTRY, configurations=("defer",))
    assert deviations.concerning([deferred], "nop", version, "uring", "defer")
    assert not deviations.concerning([deferred], "nop", version, "uring")
    assert deviations.concerning([ENTRY], "nop", version, "uring", "defer")


def test_of_an_unknown_kernel_nothing_is_expected() -> None:
    assert not deviations.concerning([ENTRY], "nop", None, "uring")


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('row = "nop"', 'row = "nope"', "there is no row 'nope'. Did you mean 'nop'?"),
        ('"Nop.MovesEveryIndexByOne"', '"Readv.X"', "Readv.X is no test of the row nop, whose suite is Nop"),
        ('until = ["6.18.44"]', 'until = ["6.17.1"]', "nop: until 6.17.1 is of no series in its kernels"),
        ('blame = "kernel"', 'blame = "nobody"', "blame must be whose mistake it is, not 'nobody'"),
        (
            'blame = "kernel"',
            'blame = "kernel"\nconfigurations = ["deferred"]',
            "there is no configuration 'deferred'. Did you mean 'defer'?",
        ),
        (
            'until = ["6.18.44"]',
            "run = false",
            "nop: what is not run is not seen to be gone. Add fixed or until.",
        ),
        ('source = "a commit"', "", "the key 'source' is missing"),
    ],
)
def test_a_mistake_in_the_list_is_told(tmp_path: Path, before: str, after: str, says: str) -> None:
    good = (
        '[[deviation]]\nrow = "nop"\ntests = ["Nop.MovesEveryIndexByOne"]\nkernels = ["6.16", "6.18"]\nwhat = "it"\n'
        'blame = "kernel"\nsource = "a commit"\nuntil = ["6.18.44"]\n'
    )
    path = tmp_path / "deviations.toml"
    path.with_suffix(".schema.json").write_bytes(deviations.PATH.with_suffix(".schema.json").read_bytes())
    path.write_text(good)
    deviations.load(catalogue.load(), path)
    assert before in good
    path.write_text(good.replace(before, after))
    with pytest.raises(HarnessError) as error:
        deviations.load(catalogue.load(), path)
    assert says in str(error.value)
