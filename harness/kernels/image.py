"""The contents of a kernel image: the release in its header, and the vmlinux that boots fastest."""

from __future__ import annotations

import bz2
import io
import lzma
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

from harness.base.cache import Cache, Notice
from harness.base.errors import HarnessError
from harness.base.process import run

_ANY_SIZE = 1 << 30  # no kernel unpacks to a gibibyte; an image that claims to is damaged


def release_in(path: Path) -> str | None:
    """The release that a kernel image names, if it does. HarnessError if the file is not a kernel image."""
    data = _read(path)
    if data[:4] == b"\x7fELF":
        if not has_pvh_note(data):
            raise _no_kernel(path, "an ELF file without the PVH note through which QEMU starts a vmlinux")
        banner = re.search(rb"Linux version (\S+) \(", data)
        return banner[1].decode("ascii", "replace") if banner else None
    if len(data) < 0x250 or data[0x1FE:0x200] != b"\x55\xaa" or data[0x202:0x206] != b"HdrS":
        raise _no_kernel(path, "it has neither the header of a bzImage nor that of an ELF vmlinux")
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
        pass  # cut off, or not a 64-bit ELF file: there is no note that QEMU would find
    return False


_PT_NOTE = 4
_XEN_ELFNOTE_PHYS32_ENTRY = 18


def uncompressed(bzimage: bytes) -> bytes:
    """The vmlinux inside a bzImage. HarnessError, in a few words, if it cannot be extracted."""
    offset, length = struct.unpack_from("<II", bzimage, 0x248)
    start = _protected_mode(bzimage) + offset
    payload = bzimage[start : start + length]
    # The build appends the unpacked size, except to gzip data, which ends with it anyway.
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
            raise HarnessError(f"its compression is not known (it starts with {head.hex()})")
    if len(vmlinux) != size:
        raise HarnessError(f"it unpacks to {len(vmlinux)} bytes instead of {size}")
    return vmlinux


def boot_image(image: Path, sha256: str, name: str, cache: Cache, notice: Notice) -> Path:
    """The vmlinux of a bzImage, extracted only once: it saves the guest from unpacking it, a third of the boot."""
    data = _read(image)
    if data[:4] == b"\x7fELF":
        return image
    fact = f"vmlinux-{sha256}"
    if (known := cache.fact(fact)) and (path := cache.blob(str(known.get("sha256")))):
        return path
    try:
        vmlinux = uncompressed(data)
        if not has_pvh_note(vmlinux):
            raise HarnessError("it has no PVH note")
    except HarnessError as trouble:
        notice(f"Kernel {name} boots compressed, which is slower. The vmlinux in {image}: {trouble}.")
        return image
    stored = cache.put(io.BytesIO(vmlinux))
    cache.put_fact(fact, {"sha256": stored})
    path = cache.blob(stored)
    if path is None:
        raise HarnessError(f"The vmlinux of kernel {name} vanished from {cache.root}. Try again.")
    return path


def _unpacked_here(unpack: Callable[[], bytes]) -> bytes:
    try:
        return unpack()
    except (zlib.error, lzma.LZMAError, OSError, EOFError) as error:
        raise HarnessError(f"it cannot be unpacked: {error}") from error


def _unpacked_by(tool: str, packed: bytes) -> bytes:
    done = run([tool, "-dc"], given=packed, remedy=f"Install {tool}", check=False)
    if done.code:
        raise HarnessError(f"{tool} cannot unpack it: {done.errors.strip()}")
    return done.raw


def _protected_mode(bzimage: bytes) -> int:
    """Where the kernel proper starts: after the boot sector and the setup sectors (0 means 4)."""
    return 512 * (1 + (bzimage[0x1F1] or 4))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise HarnessError(f"The kernel image {path} cannot be read: {error.strerror}.") from error


def _no_kernel(path: Path, reason: str) -> HarnessError:
    return HarnessError(f"{path} is not a kernel image: {reason}.")
