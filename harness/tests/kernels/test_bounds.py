# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Kernels that are not files, do not end, or unpack to more than this machine has: a sentence, soon and in little memory."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import resource
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.base.cache import Cache
from harness.base.errors import HarnessError
from harness.base.paths import ROOT
from harness.kernels import deb, unpack
from harness.tests.kernels.test_deb import package
from harness.tests.kernels.test_spec import bzimage

MEMORY = 2 << 30
SOON_S = 60


def fetched(spec: Path, tmp_path: Path, option: str = "") -> str:
    """What a person reads who asks for this kernel; it must be a sentence and exit code 2."""
    more = ["--kernel-config", option] if option else []
    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "harness",
            "kernels",
            "fetch",
            "--cache",
            tmp_path / "the cache",
            *more,
            str(spec),
        ],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=SOON_S,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
    )
    assert ended.returncode == 2 and "Traceback" not in ended.stderr and ended.stdout == "", ended
    return ended.stderr


@pytest.fixture
def odd(tmp_path: Path) -> dict[str, Path]:
    """Names that are no images, and never were meant to be."""
    os.mkfifo(tmp_path / "fifo")
    os.symlink("one", tmp_path / "other")
    os.symlink("other", tmp_path / "one")
    os.symlink("/dev/zero", tmp_path / "link")
    with (tmp_path / "large").open("wb") as file:
        file.truncate((1 << 30) + 1)
    return {name: tmp_path / name for name in ("fifo", "one", "link", "large")}


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("fifo", "cannot be read: it is a FIFO, not a regular file."),
        ("one", "cannot be read: its symbolic links form a loop."),
        ("link", "cannot be read: it is a device, not a regular file."),
        ("large", "cannot be read: it is larger than 1 GiB, the limit."),
    ],
)
@pytest.mark.parametrize("suffix", ["", ".deb"])
def test_an_image_or_a_package_that_is_not_a_regular_file_of_its_size(name, says, suffix, odd, tmp_path):
    path = odd[name]
    if suffix:
        path = path.rename(path.with_suffix(suffix)) if name != "one" else path
        if name == "large":
            os.truncate(path, (2 << 30) + 1)
        says = says.replace("1 GiB", "2 GiB")
    assert says in fetched(path, tmp_path)


def test_a_file_of_proc_that_has_no_data_yet(tmp_path):
    said = fetched(Path("/proc/kmsg"), tmp_path)
    assert any(
        words in said
        for words in (
            "it has no data yet",
            "Operation not permitted",
            "Permission denied",
            "is not a kernel image",
        )
    )


@pytest.mark.parametrize("name", ["fifo", "link", "large"])
def test_a_tree_whose_makefile_is_not_a_file(name, odd, tmp_path):
    (tmp_path / "tree").mkdir()
    odd[name].rename(tmp_path / "tree" / "Makefile")
    assert "is not a kernel: a directory must be a kernel's source tree." in fetched(
        tmp_path / "tree", tmp_path
    )


@pytest.mark.parametrize(
    ("name", "says"), [("large", "is larger than 4 MiB"), ("fifo", "There is no configuration")]
)
def test_a_configuration_that_is_not_a_file_of_its_size(name, says, odd, tmp_path):
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "Makefile").write_text("VERSION = 7\nPATCHLEVEL = 3\n")
    assert says in fetched(tmp_path / "tree", tmp_path, str(odd[name]))


def test_a_name_that_is_too_long_for_a_file(tmp_path):
    assert "is not a kernel" in fetched(Path("x" * 300), tmp_path)


def test_a_package_whose_kernel_is_larger_than_memory(tmp_path):
    deb_file = package(tmp_path, "linux-image-7.3", {"boot/vmlinuz-7.3": b""})
    large = tmp_path / "tree" / "boot" / "vmlinuz-7.3"
    os.truncate(large, 3 << 30)
    command = ["dpkg-deb", "-Zzstd", "-z1", "--build", tmp_path / "tree", deb_file]
    subprocess.run(command, check=True, capture_output=True)
    assert deb_file.stat().st_size < 1 << 20
    said = fetched(deb_file, tmp_path)
    assert (
        "cannot be used: its ./boot/vmlinuz-7.3 is larger than 1 GiB, the limit. Give a linux-image" in said
    )


@pytest.mark.parametrize("limit", ["CONTENTS", "MEMBERS", "_HEADER"])
def test_a_package_that_never_comes_to_its_kernel(limit, tmp_path, monkeypatch):
    name = "lib/modules/" + "x/" * 90 + "y"
    deb_file = package(tmp_path, "linux-image-7.3", {name: bytes(100_000), "lib/modules/z": b"", "zz": b""})
    monkeypatch.setattr(deb, limit, 64)
    if limit == "MEMBERS":
        monkeypatch.setattr(deb, limit, 4)
    with pytest.raises(HarnessError, match="more than 64 bytes|more than 4 files|larger than 64 bytes"):
        deb.kernel_in(deb_file, Cache(tmp_path / "the cache"))


def test_a_sparse_file_in_a_package_is_not_followed():
    sparse = tarfile.TarInfo("boot/vmlinuz-7.3")
    sparse.type = tarfile.GNUTYPE_SPARSE
    with pytest.raises(tarfile.ReadError, match="sparse"):
        deb._Member.frombuf(sparse.tobuf(tarfile.GNU_FORMAT), "utf-8", "strict")


def packed_by(tool: str, data: bytes) -> bytes:
    if shutil.which(tool) is None:
        pytest.fail(f"{tool} is not installed: apt-get install {tool}")
    return subprocess.run([tool, "-c"], input=data, capture_output=True, check=True).stdout


UNPACKERS: dict[str, tuple[Callable[[bytes, int], bytes], Callable[[bytes], bytes]]] = {
    "gzip": (unpack.gzip, gzip.compress),
    "xz": (unpack.xz, lzma.compress),
    "bzip2": (unpack.bzip2, bz2.compress),
    "zstd": (lambda data, limit: unpack.by("zstd", data, limit), lambda data: packed_by("zstd", data)),
    "lz4": (lambda data, limit: unpack.by("lz4", data, limit), lambda data: packed_by("lz4", data)),
}


@pytest.mark.parametrize("name", UNPACKERS)
def test_what_unpacks_to_more_than_the_limit(name):
    unpacked, packed = UNPACKERS[name]
    bomb = packed(bytes(50 << 20))
    assert unpacked(packed(b"a kernel"), 8) == b"a kernel"
    with pytest.raises(HarnessError, match="it unpacks to more than 1 MiB, the limit"):
        unpacked(bomb, 1 << 20)
    with pytest.raises(HarnessError, match="cannot be unpacked: it is cut off|cannot unpack it"):
        unpacked(bomb[: len(bomb) // 2], 100 << 20)


def test_an_image_with_a_bomb_in_it_boots_compressed(tmp_path):
    image = tmp_path / "bzImage"
    image.write_bytes(bzimage(payload=packed_by("zstd", bytes(1100 << 20)) + bytes(4)))
    assert "more than 1 GiB, the limit" in subprocess.run(
        [sys.executable, "-m", "harness", "kernels", "fetch", "--cache", tmp_path / "the cache", image],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=SOON_S, check=True,
    ).stderr  # fmt: skip
