# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The contents of a kernel image: the release in its header, and the vmlinux that boots fastest."""

from __future__ import annotations

import io
import re
import struct
from pathlib import Path

from harness.base import outside
from harness.base.cache import Cache, Notice
from harness.base.errors import HarnessError
from harness.kernels import unpack

REMEDY = "Give a bzImage, or a vmlinux without its debug information (strip --strip-debug)."


def release_in(path: Path) -> str | None:
    """The release that a kernel image names, if it does. HarnessError if the file is not a kernel image."""
    data = _read(path)
    if data[:4] == b"\x7fELF":
        if not has_pvh_note(data):
            raise _not_a_kernel(path, "an ELF file without the PVH note through which QEMU starts a vmlinux")
        banner = re.search(rb"Linux version (\S+) \(", data)
        return banner[1].decode("ascii", "replace") if banner else None
    if len(data) < 0x250 or data[0x1FE:0x200] != b"\x55\xaa" or data[0x202:0x206] != b"HdrS":
        raise _not_a_kernel(path, "it has neither the header of a bzImage nor that of an ELF vmlinux")
    if not data[0x211] & 1:
        raise _not_a_kernel(path, "a zImage, which loads low; build a bzImage")
    if len(data) < _protected_mode(data) + 16 * struct.unpack_from("<I", data, 0x1F4)[0]:
        raise _not_a_kernel(path, "a bzImage that is cut off: shorter than its header says")
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
            vmlinux = unpack.gzip(payload)
        case b"\xfd7zXZ\0":
            vmlinux = unpack.xz(packed)
        case head if head.startswith(b"BZh"):
            vmlinux = unpack.bzip2(packed)
        case head if head.startswith(b"\x28\xb5\x2f\xfd"):
            vmlinux = unpack.by("zstd", packed)
        case head if head.startswith(b"\x02\x21\x4c\x18"):
            vmlinux = unpack.by("lz4", packed)
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
    if (known := cache.fact(fact, sha256=str)) and (path := cache.blob(known["sha256"])):
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


def _protected_mode(bzimage: bytes) -> int:
    """Where the kernel proper starts: after the boot sector and the setup sectors (0 means 4)."""
    return 512 * (1 + (bzimage[0x1F1] or 4))


def _read(path: Path) -> bytes:
    return outside.read(path, outside.KERNEL, f"The kernel image {path}", REMEDY)


def _not_a_kernel(path: Path, reason: str) -> HarnessError:
    return HarnessError(f"{path} is not a kernel image: {reason}.")
