"""Kernel packages as files: takes the kernel out of one, or explains why there is none."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.base.cache import Cache, sha256_of
from harness.base.errors import HarnessError
from harness.base.process import run

# The path of the image: Debian before 6.19 and `make bindeb-pkg` put it in /boot, Debian since then beside the modules.
_IMAGE = re.compile(
    r"\./(?:boot/vmlinu[xz]-(?P<boot>[^/]+?)|(?:usr/)?lib/modules/(?P<modules>[^/]+)/vmlinu[xz])"
    r"(?P<packing>\.gz|\.xz|\.bz2)?"
)
_MODULE = re.compile(r".*/lib/modules/.+\.ko(?:\.\w+)?")
_UNPACKED: dict[str | None, Callable[[bytes], bytes]] = {
    None: lambda data: data,
    ".gz": gzip.decompress,
    ".xz": lzma.decompress,
    ".bz2": bz2.decompress,
}
_FILE_NAME = re.compile(r"linux-(?:image|binary)-(?:unsigned-)?(?P<release>[^_]+?)(?:-unsigned)?_[^_]+_\w+\.deb")


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
    if not path.is_file():
        raise HarnessError(f"The package {path} cannot be read: there is no such file.")
    if shutil.which("dpkg-deb") is None:
        raise HarnessError("dpkg-deb is not installed, so packages cannot be read. Give the path of a kernel image instead.")
    fact = f"deb-{sha256_of(path)}"
    match cache.fact(fact):
        case {"sha256": str(sha256), "release": str(release), "version": str(version)}:
            if image := cache.blob(sha256):
                return Held(image=image, sha256=sha256, release=release, version=version)
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
        for member in tar:
            modules += _MODULE.fullmatch(member.name) is not None
            if (match := _IMAGE.fullmatch(member.name)) and (file := tar.extractfile(member)):
                try:
                    image = _UNPACKED[match["packing"]](file.read())
                except (OSError, EOFError, lzma.LZMAError) as error:
                    raise HarnessError(f"{member.name} in {path.name} cannot be unpacked: {error}.") from error
                return cache.put(io.BytesIO(image)), match["boot"] or match["modules"]
    raise HarnessError(f"{path.name} holds no kernel image: {_what_instead(path, modules)}")


def _what_instead(path: Path, modules: int) -> str:
    depends = re.search(r"\blinux-(?:image|binary)-\d\S*", _field(path, "Depends"))
    if depends:
        return f"it depends on {depends[0]}, which has it. Give that package."
    if modules:
        return f"it holds {modules} modules only. Give the linux-image or linux-binary package of the same version."
    return "no boot/vmlinuz-* and no lib/modules/*/vmlinuz is in it. Give a linux-image or linux-binary package."


@contextmanager
def _contents(path: Path) -> Iterator[tarfile.TarFile]:
    """The files of a package, to be read in order; the rest is not unpacked."""
    command = ["dpkg-deb", "--fsys-tarfile", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            with tarfile.open(fileobj=process.stdout, mode="r|") as tar:
                yield tar
        except tarfile.TarError as error:
            raise HarnessError(f"{path.name} cannot be unpacked: {error}. Remove it and try again.") from error
        finally:
            process.kill()  # the modules that follow the image are not needed


def _field(path: Path, name: str) -> str:
    return run(["dpkg-deb", "--field", path, name], remedy=f"Remove {path.name} and try again.").output.strip()
