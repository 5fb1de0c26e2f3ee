"""What of an ELF file is loaded: debug information stays behind. And whether it runs without any other file."""

from __future__ import annotations

import struct
from pathlib import Path

_HEADER = 64
_SECTION_FIELDS = ((0x28, "<Q"), (0x3C, "<H"), (0x3E, "<H"))  # e_shoff, e_shnum, e_shstrndx
_PT_LOAD, _PT_INTERP = 1, 3
_X86_64 = 62


def loaded_part(program: Path) -> bytes:
    """A 64-bit ELF file up to the end of its last segment; anything else as it is. What is left out is not read either.

    A guest copies every byte it is given, and nine tenths of a program are for a debugger. What is left has no
    section headers, so it is what `strip` makes of it, without a process per boot.
    """
    with program.open("rb") as file:
        head = file.read(1 << 16)  # the program headers follow the header
        if head[:5] != b"\x7fELF\x02" or len(head) < _HEADER:
            return head + file.read()
        end = _end_of_segments(head)
        part = bytearray(head[:end] + file.read(max(0, end - len(head))))
    for field, form in _SECTION_FIELDS:
        struct.pack_into(form, part, field, 0)
    return bytes(part)


def _end_of_segments(head: bytes) -> int:
    offset, size, count = struct.unpack_from("<Q14xHH", head, 0x20)
    end: int = offset + size * count
    for index in range(count):
        # p_type, p_offset, p_filesz of one program header
        segment, start, length = struct.unpack_from("<I4xQ16xQ", head, offset + index * size)
        if segment == _PT_LOAD:
            end = max(end, start + length)
    return end


def needs(program: Path) -> str | None:
    """What else the program needs to run, as a clause; None if it is a static program for this architecture."""
    with program.open("rb") as file:
        data = file.read(1 << 16)  # the program headers follow the header
    if data[:5] != b"\x7fELF\x02" or len(data) < _HEADER or struct.unpack_from("<H", data, 0x12)[0] != _X86_64:
        return "it is no program for x86-64"
    offset, size, count = struct.unpack_from("<Q14xHH", data, 0x20)
    segments = [struct.unpack_from("<I", data, offset + index * size)[0] for index in range(count)]
    return "it is linked to shared libraries" if _PT_INTERP in segments else None
