# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The catalogue: the real one is sound, and a damaged one is refused with a message that helps repair it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.base.errors import HarnessError
from harness.base.paths import ROOT
from harness.suite import catalogue

# Written out a second time on purpose: a slip in one file must not lose or rename a row of the plan.
SEED = (
    "structs/offsets/entries", "nop", "readv", "writev/fsync/readv", "write/read", "splice/read",
    "write_fixed/read_fixed", "openat", "close", "accept/connect/send/recv", "sendmsg/recvmsg",
    "timeout (after a relative time)", "timeout (after a number of completions)", "timeout_remove",
    "accept/connect/recv/link_timeout", "fallocate", "statx", "accept/connect/recv/cancel",
    "register_files_update", "shutdown", "renameat", "unlinkat", "mkdirat", "symlinkat", "linkat",
    "provide_buffers: read", "remove_buffers", "provide_buffers: accept/connect/send/recv",
    "accept multishot", "accept/connect/send_zc/recv", "accept_direct", "accept_multishot_direct", "socket",
    "socket_direct/socket_direct_alloc/close_direct", "openat_direct/close_direct", "waitid", "BufferGroup",
    "ring mapped buffers recv", "ring mapped buffers multishot recv",
    "copy_cqes with wrapping sq.cqes buffer", "bind/listen/connect",
)  # fmt: skip

GOOD = """
[defaults]
timeout_s = 60

[[test]]
name = "write/read"
stem = "write_read"
group = "Read and write"
since = "5.6"
evidence = "documented"
source = "io_uring_enter.2: READ, WRITE"

[[test]]
name = "shutdown"
stem = "shutdown"
group = "Sockets"
since = "5.11"
also = ["5.10.162"]
evidence = "inferred"
source = "io_uring_enter.2: SHUTDOWN"
timeout_s = 5
"""


@pytest.fixture
def load(tmp_path: Path):
    """Loads a catalogue from its text."""

    def from_text(content: str) -> tuple[catalogue.Row, ...]:
        path = tmp_path / "catalogue.toml"
        path.write_text(content)
        return catalogue.load(path)

    return from_text


def test_the_rows_stand_in_the_seeds_order():
    names = [row.name for row in catalogue.load() if row.tier is None]
    assert names == [name for name in SEED if name in names]


def test_every_row_has_its_file_and_every_file_its_row():
    files = {
        str(path.relative_to(ROOT))
        for room in ("zig", "interface")
        for path in (ROOT / "conformance" / room).rglob("*_test.cc")
    }
    assert files == {row.file for row in catalogue.load()}


def test_a_row_knows_its_suite_its_file_and_its_default(load):
    write_read, shutdown = load(GOOD)
    assert write_read == catalogue.Row(
        name="write/read",
        stem="write_read",
        group="Read and write",
        since="5.6",
        also=(),
        evidence=catalogue.Evidence.DOCUMENTED,
        source="io_uring_enter.2: READ, WRITE",
        timeout_s=60,
    )
    assert (write_read.suite, write_read.file) == ("WriteRead", "conformance/zig/write_read_test.cc")
    assert (shutdown.suite, shutdown.also, shutdown.timeout_s) == ("Shutdown", ("5.10.162",), 5)


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('group = "Sockets"', 'grup = "Sockets"', "unknown key 'grup'. Did you mean 'group'?"),
        ("[defaults]", "[default]", "unknown key 'default'. Did you mean 'defaults'?"),
        ("timeout_s = 60", "timeout = 60", "unknown key 'timeout'. Did you mean 'timeout_s'?"),
        ("timeout_s = 60", "", "catalogue.toml: defaults: the key 'timeout_s' is missing. Add it."),
        (
            'group = "Sockets"',
            'group = "Socket"',
            "test 2 (shutdown): group must be the name of a group, not 'Socket'. Did you mean 'Sockets'?",
        ),
        ('group = "Sockets"', 'group = "?"', "Use one of: Rings, Chains and flags"),
        ('group = "Sockets"', "", "test 2 (shutdown): the key 'group' is missing"),
        (
            '"inferred"',
            '"inffered"',
            "evidence must be how we know, not 'inffered'. Did you mean 'inferred'?",
        ),
        ('name = "shutdown"', 'name = "write/read"', "the name 'write/read' is listed twice"),
        ('stem = "shutdown"', 'stem = "write_read"', "the stem 'write_read' is listed twice"),
        (
            'stem = "shutdown"',
            'stem = "Shutdown"',
            "stem must be a file's name in lower case, digits and single _, in quotes, not 'Shutdown'",
        ),
        ('stem = "shutdown"', 'stem = "../x"', "single _, in quotes, not '../x'"),
        (
            'since = "5.11"',
            "since = 5.11",
            'since must be a mainline release in quotes, such as "5.15", or "any", not 5.11. Quote it: without quotes 5.10 is the number 5.1.',
        ),
        (
            'since = "5.11"',
            'since = "5.11.2"',
            "test 2 (shutdown): since must be a mainline release in quotes",
        ),
        ('since = "5.11"', 'since = "5.10"', "also 5.10.162 is not a backport: 5.10 has it already"),
        ('since = "5.11"', 'since = "any"', "also 5.10.162 is not a backport"),
        ('["5.10.162"]', '["5.10.200", "5.10.162"]', "must be sorted"),
        ('["5.10.162"]', '["5.10.162", "5.10.162"]', "must be sorted, oldest first, each once"),
        (
            '["5.10.162"]',
            '["5.10"]',
            "also, item 1 must be a stable release in quotes, such as \"5.10.162\", not '5.10'",
        ),
        ('["5.10.162"]', '"5.10.162"', "also must be a list of stable releases"),
        ("timeout_s = 5\n", "timeout_s = 0\n", "timeout_s must be a whole number of seconds from 1 on"),
        (
            "timeout_s = 5\n",
            "timeout_s = 5.0\n",
            "timeout_s must be a whole number of seconds from 1 on, not 5.0",
        ),
        ("timeout_s = 5\n", "timeout_s = true\n", "timeout_s must be a whole number"),
        (
            'source = "io_uring_enter.2: SHUTDOWN"',
            'source = " "',
            "source must be where we know it from, in quotes, not ' '",
        ),
        ("[[test]]", "[test]", "not valid TOML"),
        (
            GOOD,
            "test = []\n[defaults]\ntimeout_s = 60",
            "test must be a list that is not empty: [[test]], in double brackets",
        ),
        (GOOD, "test = {}\n[defaults]\ntimeout_s = 60", "[[test]], in double brackets"),
    ],
)
def test_a_damaged_catalogue_is_refused_in_words(load, before, after, says):
    assert before in GOOD
    with pytest.raises(HarnessError) as trouble:
        load(GOOD.replace(before, after))
    assert says in str(trouble.value)


def test_the_schema_knows_the_groups_and_the_kinds_of_evidence_that_the_code_knows():
    row = json.loads(catalogue.SCHEMA.read_text())["properties"]["test"]["items"]["properties"]
    assert tuple(row["group"]["enum"]) == catalogue.GROUPS
    assert row["evidence"]["enum"] == list(catalogue.Evidence)
    assert row.keys() == catalogue.Row.__dataclass_fields__.keys()


def test_numbers_sort_as_numbers(load):
    *_, shutdown = load(GOOD.replace('["5.10.162"]', '["5.4.300", "5.10.20", "5.10.162"]'))
    assert shutdown.also == ("5.4.300", "5.10.20", "5.10.162")


def test_a_catalogue_that_is_not_there_is_trouble(tmp_path):
    with pytest.raises(HarnessError, match="cannot be read.*Restore it from git"):
        catalogue.load(tmp_path / "nowhere.toml")
