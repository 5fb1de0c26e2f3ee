# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""A small archive of packages, signed with a key of our own, for tests of what is fetched."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

DEAD = "http://127.0.0.1:9/debian"  # no server listens on the discard port


class Repository:
    """A signed repository: add packages to suites, publish, and break it afterwards."""

    def __init__(self, root: Path, gnupg: Path) -> None:
        self.root = root
        self.uri = f"copy:{root}"
        self._gnupg = gnupg
        self._stanzas: dict[str, list[str]] = {}

    def add(self, suite: str, name: str, version: str, image: bytes | None = None, depends: str = "") -> Path:
        """Put a package into a suite; with `image` it holds that kernel where such packages have it."""
        tree = self.root / "build"
        (tree / "DEBIAN").mkdir(parents=True)
        control = f"Package: {name}\nVersion: {version}\nArchitecture: amd64\nMaintainer: nobody\n"
        control += f"Depends: {depends}\n" if depends else ""
        (tree / "DEBIAN/control").write_text(control + "Description: test\n")
        if image is not None:
            release = name.removeprefix("linux-image-").removeprefix("linux-binary-")
            inside = f"usr/lib/modules/{release}/vmlinuz" if "binary" in name else f"boot/vmlinuz-{release}"
            (tree / inside).parent.mkdir(parents=True)
            (tree / inside).write_bytes(image)
        deb = self.root / f"{name}_{version}_{suite}.deb"
        command = ["dpkg-deb", "-Znone", "--root-owner-group", "--build", tree, deb]
        subprocess.run(command, check=True, capture_output=True)
        shutil.rmtree(tree)
        data = deb.read_bytes()
        control += f"Filename: {deb.name}\nSize: {len(data)}\nSHA256: {hashlib.sha256(data).hexdigest()}\n"
        self._stanzas.setdefault(suite, []).append(control + "Description: test\n")
        return deb

    def clear(self, suite: str) -> None:
        self._stanzas[suite] = []

    def publish(self, *, signed: bool = True, expired: Sequence[str] = ()) -> Repository:
        for suite, stanzas in self._stanzas.items():
            directory = self.root / "dists" / suite
            packages = directory / "main/binary-amd64/Packages"
            packages.parent.mkdir(parents=True, exist_ok=True)
            packages.write_text("\n".join(stanzas))
            data = packages.read_bytes()
            until = "Valid-Until: Fri, 02 Jan 2026 00:00:00 UTC\n" if suite in expired else ""
            (directory / "Release").write_text(
                f"Suite: {suite}\nCodename: {suite}\nArchitectures: amd64\nComponents: main\n"
                f"Date: Thu, 01 Jan 2026 00:00:00 UTC\n{until}"
                f"SHA256:\n {hashlib.sha256(data).hexdigest()} {len(data)} main/binary-amd64/Packages\n"
            )
            (directory / "InRelease").unlink(missing_ok=True)
            if signed:
                sign(directory / "Release", directory / "InRelease", self._gnupg)
        return self


def gpg(home: Path, *arguments: str | Path) -> None:
    command = ["gpg", "--homedir", home, "--batch", "--quiet", "--pinentry-mode", "loopback", *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.fail(f"gpg cannot make a key or a signature: {done.stderr.strip()}")


def sign(release: Path, signed: Path, home: Path) -> None:
    gpg(home, "--passphrase", "", "--clearsign", "--output", signed, release)
