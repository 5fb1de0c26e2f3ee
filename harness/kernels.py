"""Kernels to run on: what a specification like "6.1" or "path/to/bzImage" stands for.

`obtain` gives an image that is known to be a kernel, with the release it should report once it runs,
and next to it the form of it that boots fastest.
"""

from __future__ import annotations

import bz2
import difflib
import io
import lzma
import re
import shutil
import struct
import subprocess
import tomllib
import zlib
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path

from harness.archive import Archive
from harness.cache import Cache, Notice, sha256_of
from harness.trouble import Trouble

SETTINGS = Path(__file__).with_name("kernels.toml")
_ANY_SIZE = 1 << 30  # no kernel unpacks to a gibibyte; what claims to is damaged


class Kind(StrEnum):
    """What a kernel specification names."""

    HOST = "host"  # the machine itself; nothing to obtain
    SERIES = "series"  # "6.1", from the archive
    FILE = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """A kernel image and what is known about it before it boots."""

    name: str  # column heading: the series, or the file's name
    image: Path  # as it was packaged or given
    boot_image: Path  # the same kernel, uncompressed where that was possible
    release: str | None  # what uname -r should say; None when a local image does not tell
    version: str | None  # the distribution's, such as "6.1.192-2"
    source: str  # "bookworm-security linux-image-6.1.0-56-cloud-amd64 6.1.192-2" or "file /path"
    sha256: str  # of `image`


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The contents of kernels.toml, which explains each key."""

    kernels: tuple[str, ...]
    suites: tuple[str, ...]


def load_settings(path: Path = SETTINGS) -> Settings:
    """Read kernels.toml."""
    try:
        table = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Trouble(f"{path} cannot be read: {error}.") from error
    known = [field.name for field in fields(Settings)]
    for key, value in table.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0)[0]
            raise Trouble(f"{path}: unknown key '{key}'. The nearest known key is '{near}'.")
        if not (isinstance(value, list) and value and all(isinstance(item, str) for item in value)):
            raise Trouble(f"{path}: '{key}' must be a list of strings that is not empty.")
    if missing := [key for key in known if key not in table]:
        raise Trouble(f"{path}: the key '{missing[0]}' is missing.")
    return Settings(**{key: tuple(value) for key, value in table.items()})


def kind(spec: str) -> Kind:
    """What the specification names. A file called like a series is written ./6.1."""
    if spec == "host":
        return Kind.HOST
    if re.fullmatch(r"\d+\.\d+", spec):
        return Kind.SERIES
    # A word that is no file goes to the archive, whose answer names the series there are.
    return Kind.FILE if "/" in spec or Path(spec).exists() else Kind.SERIES


def obtain(spec: str, *, cache: Cache, archive: Archive, notice: Notice) -> Kernel:
    """The kernel of a series or of a file. `notice` gets what a person should know, a sentence at a time."""
    if kind(spec) is Kind.FILE:
        path = Path(spec).resolve()
        name = path.stem if path.suffix[1:].isalpha() else path.name  # vmlinuz-6.1.0 has no suffix
        image, release = path, release_in(path)
        version, source, sha256 = None, f"file {path}", sha256_of(path)
    else:
        resolved = archive.resolve(spec)
        package, image, sha256 = resolved.package, resolved.image, resolved.sha256
        release = release_in(image)
        if release != package.release:
            raise Trouble(f"{package.name} promises {package.release}, but its image says {release}.")
        name, version = spec, package.version
        source = f"{package.suite} {package.name} {package.version}"
    return Kernel(
        name=name,
        image=image,
        boot_image=_boot_image(image, sha256, name, cache, notice),
        release=release,
        version=version,
        source=source,
        sha256=sha256,
    )


def release_in(path: Path) -> str | None:
    """The release a kernel image announces, if it does. Trouble if the file is no kernel image."""
    data = _read(path)
    if data[:4] == b"\x7fELF":
        if not has_pvh_note(data):
            raise _no_kernel(path, "an ELF file without the PVH note through which QEMU starts a vmlinux")
        banner = re.search(rb"Linux version (\S+) \(", data)
        return banner[1].decode("ascii", "replace") if banner else None
    if len(data) < 0x250 or data[0x1FE:0x200] != b"\x55\xaa" or data[0x202:0x206] != b"HdrS":
        raise _no_kernel(path, "neither the header of a bzImage nor that of an ELF vmlinux is in it")
    if not data[0x211] & 1:
        raise _no_kernel(path, "a zImage, which loads low; build a bzImage")
    if len(data) < _protected_mode(data) + 16 * struct.unpack_from("<I", data, 0x1F4)[0]:
        raise _no_kernel(path, "a bzImage that is cut off: shorter than its header says")
    text = 0x200 + struct.unpack_from("<H", data, 0x20E)[0]
    words = data[text : text + 256].split(b"\0")[0].split() if text > 0x200 else []
    return words[0].decode("ascii", "replace") if words else None


def has_pvh_note(elf: bytes) -> bool:
    """Whether a 64-bit ELF file has the note with the 32-bit entry point that QEMU boots from."""
    try:
        offset, size, count = struct.unpack_from("<Q14xHH", elf, 0x20)
        for index in range(count):
            # p_type, p_offset, p_filesz of one program header
            segment, start, length = struct.unpack_from("<I4xQ16xQ", elf, offset + index * size)
            position, end = start, start + length
            while segment == _PT_NOTE and position + 12 <= end:
                name_size, value_size, note = struct.unpack_from("<III", elf, position)
                if note == _XEN_ELFNOTE_PHYS32_ENTRY and elf[position + 12 : position + 16] == b"Xen\0":
                    return True
                position += 12 + (name_size + 3 & ~3) + (value_size + 3 & ~3)
    except struct.error:
        pass  # cut off, or no 64-bit ELF: no note that QEMU would find
    return False


_PT_NOTE = 4
_XEN_ELFNOTE_PHYS32_ENTRY = 18


def uncompressed(bzimage: bytes) -> bytes:
    """The vmlinux inside a bzImage. Trouble, in a few words, when it cannot be taken out."""
    offset, length = struct.unpack_from("<II", bzimage, 0x248)
    start = _protected_mode(bzimage) + offset
    payload = bzimage[start : start + length]
    # The build appends the unpacked size to every format but gzip, which ends with it by itself.
    packed, size = payload[:-4], int.from_bytes(payload[-4:], "little")
    match payload[:6]:
        case head if head.startswith(b"\x1f\x8b"):
            vmlinux = _unpacked_here(lambda: zlib.decompressobj(31).decompress(payload, _ANY_SIZE))
        case b"\xfd7zXZ\0":
            vmlinux = _unpacked_here(lambda: lzma.LZMADecompressor().decompress(packed, _ANY_SIZE))
        case head if head.startswith(b"BZh"):
            vmlinux = _unpacked_here(lambda: bz2.BZ2Decompressor().decompress(packed, _ANY_SIZE))
        case head if head.startswith(b"\x28\xb5\x2f\xfd"):
            vmlinux = _unpacked_by("zstd", packed)
        case head if head.startswith(b"\x02\x21\x4c\x18"):
            vmlinux = _unpacked_by("lz4", packed)
        case head:
            raise Trouble(f"its compression is not known (it starts with {head.hex()})")
    if len(vmlinux) != size:
        raise Trouble(f"it unpacks to {len(vmlinux)} bytes instead of {size}")
    return vmlinux


def _boot_image(image: Path, sha256: str, name: str, cache: Cache, notice: Notice) -> Path:
    """The vmlinux of a bzImage, made once: the guest saves its own unpacking, a third of the boot."""
    data = _read(image)
    if data[:4] == b"\x7fELF":
        return image
    fact = f"vmlinux-{sha256}"
    if (known := cache.fact(fact)) and (path := cache.blob(str(known.get("sha256")))):
        return path
    try:
        vmlinux = uncompressed(data)
        if not has_pvh_note(vmlinux):
            raise Trouble("it has no PVH note")
    except Trouble as trouble:
        notice(f"Kernel {name} boots compressed, which is slower. The vmlinux in {image}: {trouble}.")
        return image
    stored = cache.put(io.BytesIO(vmlinux))
    cache.put_fact(fact, {"sha256": stored})
    path = cache.blob(stored)
    if path is None:
        raise Trouble(f"The vmlinux of kernel {name} vanished from {cache.root}. Try again.")
    return path


def _unpacked_here(unpack: Callable[[], bytes]) -> bytes:
    try:
        return unpack()
    except (zlib.error, lzma.LZMAError, OSError, EOFError) as error:
        raise Trouble(f"it cannot be unpacked: {error}") from error


def _unpacked_by(tool: str, packed: bytes) -> bytes:
    if shutil.which(tool) is None:
        raise Trouble(f"it needs the command {tool}, which is not installed")
    result = subprocess.run([tool, "-dc"], input=packed, capture_output=True, check=False)
    if result.returncode:
        raise Trouble(f"{tool} cannot unpack it: {result.stderr.decode(errors='replace').strip()}")
    return result.stdout


def _protected_mode(bzimage: bytes) -> int:
    """Where the kernel proper starts: after the boot sector and the setup sectors (0 stands for 4)."""
    return 512 * (1 + (bzimage[0x1F1] or 4))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Trouble(f"The kernel image {path} cannot be read: {error.strerror}.") from error


def _no_kernel(path: Path, reason: str) -> Trouble:
    return Trouble(f"{path} is not a kernel image: {reason}.")
