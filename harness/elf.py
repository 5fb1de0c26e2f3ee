"""What of an ELF file is loaded: debug information stays behind."""

from __future__ import annotations

import struct

_HEADER = 64
_SECTION_FIELDS = ((0x28, "<Q"), (0x3C, "<H"), (0x3E, "<H"))  # e_shoff, e_shnum, e_shstrndx
_PT_LOAD = 1


def loaded_part(data: bytes) -> bytes:
    """A 64-bit ELF file up to the end of its last segment; anything else as it is.

    A guest copies every byte it is given, and nine tenths of a program are for a debugger. What is left has no
    section headers, so it is what `strip` makes of it, without a process per boot.
    """
    if data[:5] != b"\x7fELF\x02" or len(data) < _HEADER:
        return data
    offset, size, count = struct.unpack_from("<Q14xHH", data, 0x20)
    end = offset + size * count
    for index in range(count):
        # p_type, p_offset, p_filesz of one program header
        segment, start, length = struct.unpack_from("<I4xQ16xQ", data, offset + index * size)
        if segment == _PT_LOAD:
            end = max(end, start + length)
    part = bytearray(data[:end])
    for field, form in _SECTION_FIELDS:
        struct.pack_into(form, part, field, 0)
    return bytes(part)
