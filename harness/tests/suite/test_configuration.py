# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The configurations: the real file is sound, a damaged one is refused, and a cell is due when both its parts are."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from harness.base.errors import HarnessError
from harness.base.paths import BUILD
from harness.suite import catalogue, configuration
from harness.suite.configuration import PLAINLY, due, parse
from harness.suite.since import Expected, KernelVersion, expected

PLAIN = """
[[configuration]]
name = "plain"
since = "any"
source = "no flags"
what = "as most examples open a ring"
"""
NAMES = [one.name for one in configuration.load()]
ROWS = {row.stem: row for row in catalogue.load()}
SQPOLL = next(one for one in configuration.load() if one.name == "sqpoll")


def test_the_program_has_the_same_configurations() -> None:
    program = BUILD / "conformance" / "conformance"
    said = subprocess.run(
        [program, "--configuration=none"], capture_output=True, text=True, check=False
    ).stderr
    assert said.strip().endswith(f"there are {' '.join(NAMES)}")


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ('[[configuration]]\nname = "plain"\nsince = "5.1"\nsource = "x"\nwhat = "x"', "'plain' is taken"),
        ('[[configuration]]\nname = "all"\nsince = "5.1"\nsource = "x"\nwhat = "x"', "'all' is taken"),
        ('without = {nopp = "x"}', "row 'nopp', which does not exist. Did you mean 'nop'?"),
        (
            '[[configuration]]\nname = "x"\nsince = "5.1"\nsource = "x"\nwhat = "x"\nsetups = []',
            "'setups'. Did you mean",
        ),
        ('sqe = ["IOSQE_ASYNC"]', "a flag in quotes, without IOSQE_"),
        ('setup = ["SQPOLL"]', "the first configuration must be"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, more: str, told: str) -> None:
    path = tmp_path / "configurations.toml"
    head = PLAIN
    if more.startswith("without"):
        head += '[[configuration]]\nname = "x"\nsince = "5.1"\nsource = "x"\nwhat = "x"\n'
    path.write_text(f"{head}{more}\n")
    with pytest.raises(HarnessError) as trouble:
        configuration.load(path)
    assert told in str(trouble.value)


def test_what_is_asked_for_is_run_once_and_in_the_order_of_the_file() -> None:
    assert parse([]) == (PLAINLY,) == parse(["plain"])
    assert [one.name for one in parse(["sqpoll", "plain", "sqpoll"])] == ["plain", "sqpoll"]
    assert [one.name for one in parse(["all"])] == NAMES
    with pytest.raises(HarnessError, match="There is no configuration 'sqpol'. There are: plain, .*sqpoll"):
        parse(["sqpol"])


@pytest.mark.parametrize(
    ("stem", "version", "wanted", "since"),
    [
        ("nop", "5.10.100", Expected.ABSENT, ("5.11", "5.10.162")),
        ("nop", "5.10.162", Expected.PRESENT, ("5.11", "5.10.162")),
        ("waitid", "6.1.1", Expected.ABSENT, ("6.7",)),
        ("waitid", "6.12.0", Expected.PRESENT, ("6.7",)),
    ],
)
def test_a_cell_is_due_when_its_row_and_its_configuration_are(
    stem: str, version: str, wanted: Expected, since: tuple[str, ...]
) -> None:
    assert expected(ROWS[stem], KernelVersion.parse(version), SQPOLL) is wanted
    assert due(ROWS[stem], SQPOLL) == since
    assert due(ROWS[stem], PLAINLY) == ROWS[stem].due


def test_of_an_unknown_kernel_nothing_is_expected() -> None:
    anywhere = next(row for row in ROWS.values() if row.since == "any")
    assert expected(anywhere, None) is Expected.PRESENT
    assert expected(anywhere, None, SQPOLL) is Expected.UNKNOWN
    assert expected(anywhere, None, replace(SQPOLL, since="any", also=())) is Expected.PRESENT
