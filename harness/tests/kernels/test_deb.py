# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Kernel packages as files: which kernel is in one, and the message if there is none."""

from __future__ import annotations

import bz2
import gzip
import lzma
import subprocess
from pathlib import Path

import pytest

from harness.base.cache import Cache
from harness.base.errors import HarnessError
from harness.kernels.deb import kernel_in
from harness.kernels.obtain import obtain
from harness.tests.kernels.test_spec import RELEASE, bzimage, vmlinux

IMAGE = bzimage()


def package(
    directory: Path, name: str, files: dict[str, bytes], depends: str = "", packing: str = "none"
) -> Path:
    """A package with these files."""
    tree = directory / "tree"
    (tree / "DEBIAN").mkdir(parents=True)
    control = f"Package: {name}\nVersion: 6.1.192-2\nArchitecture: amd64\nMaintainer: nobody\n"
    (tree / "DEBIAN/control").write_text(
        control + (f"Depends: {depends}\n" if depends else "") + "Description: x\n"
    )
    for path, data in files.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_bytes(data)
    deb = directory / f"{name}_6.1.192-2_amd64.deb"
    subprocess.run(
        ["dpkg-deb", f"-Z{packing}", "--root-owner-group", "--build", tree, deb],
        check=True,
        capture_output=True,
    )
    return deb


@pytest.mark.parametrize(
    ("name", "inside", "data"),
    [
        (f"linux-image-{RELEASE}", f"boot/vmlinuz-{RELEASE}", IMAGE),
        (f"linux-image-{RELEASE}-unsigned", f"boot/vmlinuz-{RELEASE}", IMAGE),
        (f"linux-binary-{RELEASE}", f"usr/lib/modules/{RELEASE}/vmlinuz", IMAGE),
        (f"linux-binary-unsigned-{RELEASE}", f"lib/modules/{RELEASE}/vmlinuz", IMAGE),
        (f"linux-image-{RELEASE}", f"boot/vmlinuz-{RELEASE}.gz", gzip.compress(IMAGE)),
        (f"linux-image-{RELEASE}", f"boot/vmlinuz-{RELEASE}.xz", lzma.compress(IMAGE)),
        (f"linux-image-{RELEASE}", f"boot/vmlinuz-{RELEASE}.bz2", bz2.compress(IMAGE)),
    ],
    ids=["image", "unsigned", "binary", "binary unsigned", "gz", "xz", "bz2"],
)
@pytest.mark.parametrize("packing", ["none", "xz", "zstd"])
def test_the_kernel_comes_out_of_any_package_that_has_one(name, inside, data, packing, tmp_path):
    files = {f"lib/modules/{RELEASE}/kernel/fs/a.ko": b"x", inside: data, f"boot/config-{RELEASE}": b"x"}
    deb = package(tmp_path, name, files, packing=packing)
    kernel = obtain(str(deb), cache=Cache(tmp_path / "cache"), archive=None, notice=pytest.fail)
    assert kernel.image.read_bytes() == IMAGE
    assert kernel.boot_image.read_bytes() == vmlinux()
    assert (kernel.name, kernel.release, kernel.version) == (f"{RELEASE}.deb", RELEASE, "6.1.192-2")
    assert kernel.source == f"package {deb}"


def test_the_package_is_unpacked_once(tmp_path, monkeypatch):
    deb = package(tmp_path, "linux-image-x", {f"boot/vmlinuz-{RELEASE}": IMAGE})
    cache = Cache(tmp_path / "cache")
    first = kernel_in(deb, cache)
    monkeypatch.setattr("harness.kernels.deb.store_image", lambda *_: pytest.fail("unpacked again"))
    assert kernel_in(deb, cache) == first


@pytest.mark.parametrize(
    ("name", "files", "depends", "reason"),
    [
        (
            "linux-modules-7.3",
            {"usr/lib/modules/7.3/kernel/a.ko": b"", "usr/lib/modules/7.3/kernel/b.ko.xz": b""},
            "",
            "holds no kernel image: it holds 2 modules only. Give the linux-image or linux-binary package",
        ),
        (
            "linux-image-7.3",
            {},
            "kmod, linux-binary-7.3-cloud-amd64 (= 7.3-1), linux-modules-7.3",
            "holds no kernel image: it depends on linux-binary-7.3-cloud-amd64, which has it. Give that package",
        ),
        ("hello", {"usr/bin/hello": b""}, "", "holds no kernel image: no boot/vmlinuz-. and no lib/modules/"),
        (
            "linux-image-7.3",
            {"boot/vmlinuz-7.3.gz": b"not packed"},
            "",
            "vmlinuz-7.3.gz in .* cannot be unpacked",
        ),
        (
            "linux-image-7.3",
            {"boot/vmlinuz-7.3": IMAGE},
            "",
            "promises 7.3, but its image says 6.1.0-56-cloud-amd64",
        ),
        ("linux-image-7.3", {"boot/vmlinuz-7.3": b"no kernel"}, "", "is not a kernel image"),
    ],
    ids=["modules", "empty", "other", "damaged", "another release", "no kernel"],
)
def test_a_package_without_a_kernel_says_what_it_has(name, files, depends, reason, tmp_path):
    deb = package(tmp_path, name, files, depends)
    with pytest.raises(HarnessError, match=reason):
        obtain(str(deb), cache=Cache(tmp_path / "cache"), archive=None, notice=pytest.fail)


@pytest.mark.parametrize(
    "damage", [lambda data: b"!<arch>\nnonsense", lambda data: data[: len(data) // 2], lambda data: b""]
)
def test_a_damaged_package_is_trouble(damage, tmp_path):
    deb = package(tmp_path, "linux-image-x", {f"boot/vmlinuz-{RELEASE}": IMAGE * 100})
    deb.write_bytes(damage(deb.read_bytes()))
    with pytest.raises(HarnessError, match="linux-image-x_6.1.192-2_amd64.deb cannot be unpacked: "):
        kernel_in(deb, Cache(tmp_path / "cache"))


def test_a_package_that_is_not_there_and_a_machine_without_dpkg(tmp_path, monkeypatch):
    with pytest.raises(
        HarnessError, match="The package no/such.deb cannot be read: No such file or directory"
    ):
        kernel_in(Path("no/such.deb"), Cache(tmp_path))
    (tmp_path / "a.deb").touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HarnessError, match="dpkg-deb is not installed"):
        kernel_in(tmp_path / "a.deb", Cache(tmp_path))
