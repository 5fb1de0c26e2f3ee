# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The archive that a kernel unpacks, read back by a reader of our own and, where there is one, by cpio."""

from __future__ import annotations

import stat
import subprocess
from typing import NamedTuple

import pytest

from harness.machines import initramfs


class Member(NamedTuple):
    mode: int
    links: int
    device: tuple[int, int]
    data: bytes


def read(archive: bytes) -> dict[str, Member]:
    """Members of concatenated newc archives; headers and data lie at multiples of 4."""
    members: dict[str, Member] = {}
    at = 0
    while at < len(archive):
        assert at % 4 == 0
        assert archive[at : at + 6] == b"070701", f"no header at {at}"
        fields = [int(archive[at + 6 + 8 * i : at + 14 + 8 * i], 16) for i in range(13)]
        size, name_size = fields[6], fields[11]
        name = archive[at + 110 : at + 110 + name_size]
        assert name.endswith(b"\0")
        data_at = (at + 110 + name_size + 3) & ~3
        data = archive[data_at : data_at + size]
        assert len(data) == size
        if name != b"TRAILER!!!\0":
            assert name[:-1].decode() not in members
            members[name[:-1].decode()] = Member(fields[1], fields[4], (fields[9], fields[10]), data)
        at = (data_at + size + 3) & ~3
    return members


@pytest.mark.parametrize("size", range(9))
def test_file_contents_survive_every_alignment(size: int) -> None:
    data = bytes(range(size))
    nodes = [initramfs.file("x" * (size + 1), data, 0o640), initramfs.file("next", b"n")]
    members = read(initramfs.archive(nodes))
    assert members["x" * (size + 1)] == Member(stat.S_IFREG | 0o640, 1, (0, 0), data)
    assert members["next"].data == b"n"


def test_directories_come_before_what_is_in_them() -> None:
    names = list(read(initramfs.archive([initramfs.file("/a/b/c", b""), initramfs.file("/a/d", b"")])))
    assert names == ["a", "a/b", "a/b/c", "a/d"]


def test_base_has_the_devices_pid_1_starts_with() -> None:
    members = read(initramfs.base({"init": b"program"}))
    assert members["dev"].mode == stat.S_IFDIR | 0o755
    assert members["dev/console"] == Member(stat.S_IFCHR | 0o600, 1, (5, 1), b"")
    assert members["dev/null"] == Member(stat.S_IFCHR | 0o600, 1, (1, 3), b"")
    assert members["init"] == Member(stat.S_IFREG | 0o755, 1, (0, 0), b"program")


def test_same_input_same_bytes() -> None:
    assert initramfs.base({"b": b"1", "a": b"2"}) == initramfs.base({"a": b"2", "b": b"1"})


def test_archives_can_be_concatenated() -> None:
    plan = initramfs.archive([initramfs.file("plan", b"p\n")])
    members = read(initramfs.base({"init": b"odd"}) + plan)
    assert members["plan"].data == b"p\n"
    assert members["init"].data == b"odd"


def test_cpio_lists_the_same() -> None:
    archive = initramfs.base({"init": b"program", "bin/test": b"12345"})
    listing = subprocess.run(["cpio", "-it", "--quiet"], input=archive, capture_output=True, check=True)
    assert listing.stdout.decode().split() == list(read(archive))
