# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Kernel packages as files: takes the kernel out of one, or explains why there is none."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from harness.base import outside
from harness.base.cache import Cache
from harness.base.errors import HarnessError
from harness.base.process import run
from harness.kernels import unpack

# The path of the image: Debian before 6.19 and `make bindeb-pkg` put it in /boot, Debian since then beside the modules.
_IMAGE = re.compile(
    r"\./(?:boot/vmlinu[xz]-(?P<boot>[^/]+?)|(?:usr/)?lib/modules/(?P<modules>[^/]+)/vmlinu[xz])"
    r"(?P<packing>\.gz|\.xz|\.bz2)?"
)
_REMEDY = "Give a linux-image or linux-binary package."
_MODULE = re.compile(r".*/lib/modules/.+\.ko(?:\.\w+)?")
_UNPACKED: dict[str | None, Callable[[bytes], bytes]] = {
    None: lambda data: data,
    ".gz": unpack.gzip,
    ".xz": unpack.xz,
    ".bz2": unpack.bzip2,
}
PACKAGE = 2 * outside.GIB  # the largest of Debian's, with debug information, has half of it
CONTENTS = 4 * outside.GIB  # of a package, until its kernel
MEMBERS = 200_000  # of a package: the largest has a tenth of it
_HEADER = outside.MIB  # of a member with a long name: tarfile holds it in memory
_LONG = (
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
)
_FILE_NAME = re.compile(
    r"linux-(?:image|binary)-(?:unsigned-)?(?P<release>[^_]+?)(?:-unsigned)?_[^_]+_\w+\.deb"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """The kernel that a package holds."""

    image: Path
    sha256: str
    release: str  # from the name of the file inside
    version: str  # of the package


def heading(path: Path) -> str:
    """The name of its column: the release, if the file is named as packages are."""
    match = _FILE_NAME.fullmatch(path.name)
    return f"{match['release']}.deb" if match else path.name


def kernel_in(path: Path, cache: Cache) -> Held:
    """The kernel in a package, which is unpacked only once."""
    outside.demand_regular(path, f"The package {path}", _REMEDY)
    if shutil.which("dpkg-deb") is None:
        raise HarnessError(
            "dpkg-deb is not installed, so packages cannot be read. Give the path of a kernel image instead."
        )
    fact = f"deb-{outside.digest(path, PACKAGE, f'The package {path}', _REMEDY)}"
    if (known := cache.fact(fact, sha256=str, release=str, version=str)) and (
        image := cache.blob(known["sha256"])
    ):
        return Held(image=image, sha256=known["sha256"], release=known["release"], version=known["version"])
    sha256, release = store_image(path, cache)
    version = _field(path, "Version")
    cache.put_fact(fact, {"sha256": sha256, "release": release, "version": version, "package": path.name})
    if (image := cache.blob(sha256)) is None:
        raise HarnessError(f"The image of {path.name} vanished from {cache.root}. Try again.")
    return Held(image=image, sha256=sha256, release=release, version=version)


def store_image(path: Path, cache: Cache) -> tuple[str, str]:
    """Put a package's kernel image into the cache; return its SHA-256 and the release in its name."""
    modules = 0
    with _contents(path) as tar:
        for number, member in enumerate(tar):
            if number == MEMBERS:
                raise _refusal(path, f"it has more than {MEMBERS} files, the limit")
            modules += _MODULE.fullmatch(member.name) is not None
            if (match := _IMAGE.fullmatch(member.name)) and (file := tar.extractfile(member)):
                if member.size > outside.KERNEL:
                    raise _refusal(
                        path, f"its {member.name} is larger than {outside.size(outside.KERNEL)}, the limit"
                    )
                try:
                    image = _UNPACKED[match["packing"]](file.read())
                except HarnessError as error:
                    raise HarnessError(
                        f"{member.name} in {path.name} cannot be unpacked: {error}."
                    ) from error
                return cache.put(io.BytesIO(image)), match["boot"] or match["modules"]
    raise HarnessError(f"{path.name} holds no kernel image: {_what_instead(path, modules)}")


def _what_instead(path: Path, modules: int) -> str:
    depends = re.search(r"\blinux-(?:image|binary)-\d\S*", _field(path, "Depends"))
    if depends:
        return f"it depends on {depends[0]}, which has it. Give that package."
    if modules:
        return f"it holds {modules} modules only. Give the linux-image or linux-binary package of the same version."
    return (
        "no boot/vmlinuz-* and no lib/modules/*/vmlinuz is in it. Give a linux-image or linux-binary package."
    )


@contextmanager
def _contents(path: Path) -> Iterator[tarfile.TarFile]:
    """The files of a package, to be read in order; the rest is not unpacked."""
    command = ["dpkg-deb", "--fsys-tarfile", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        unpacked = cast(IO[bytes], _Limited(process.stdout, path))  # it has what tarfile uses
        try:
            with tarfile.open(fileobj=unpacked, mode="r|", tarinfo=_Member) as tar:
                yield tar
        except tarfile.TarError as error:
            raise HarnessError(
                f"{path.name} cannot be unpacked: {error}. Remove it and try again."
            ) from error
        finally:
            process.kill()  # the modules that follow the image are not needed


class _Limited:
    """The contents of a package as they are unpacked, up to the limit."""

    def __init__(self, source: IO[bytes], package: Path) -> None:
        self._source = source
        self._package = package
        self._left = CONTENTS

    def read(self, count: int) -> bytes:
        """The next bytes; HarnessError after the limit."""
        data = self._source.read(count)
        self._left -= len(data)
        if self._left < 0:
            raise _refusal(self._package, f"it unpacks to more than {outside.size(CONTENTS)}, the limit")
        return data


class _Member(tarfile.TarInfo):
    """A member whose name and other words, which tarfile reads at once, are not longer than they can be."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: Any, errors: str) -> _Member:
        """The member of a header."""
        member = super().frombuf(buf, encoding, errors)
        if member.type in _LONG and member.size > _HEADER:
            raise tarfile.ReadError(
                f"the header of a file in it is larger than {outside.size(_HEADER)}, the limit"
            )
        if (
            member.type == tarfile.GNUTYPE_SPARSE
        ):  # the list of its holes can be as long as the package; dpkg makes none
            raise tarfile.ReadError(f"{member.name} in it is a sparse file")
        return member


def _refusal(path: Path, reason: str) -> HarnessError:
    return HarnessError(f"The package {path} cannot be used: {reason}. {_REMEDY}")


def _field(path: Path, name: str) -> str:
    return run(
        ["dpkg-deb", "--field", path, name], remedy=f"Remove {path.name} and try again."
    ).output.strip()
