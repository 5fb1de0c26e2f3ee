"""The file system a guest starts with: cpio archives in the kernel's "newc" format, uncompressed.

The kernel unpacks several concatenated archives, so the files that are the same for every boot and those that change
(the plan) are two archives. The same input gives the same bytes.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

TRAILER = "TRAILER!!!"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One member of an archive. `path` is the path in the guest, with or without its leading slash."""

    path: str
    mode: int  # including the file type, as in stat.st_mode
    data: bytes = b""
    device: tuple[int, int] = (0, 0)


def file(path: str, data: bytes, permissions: int = 0o755) -> Node:
    """A regular file."""
    return Node(path=path, mode=stat.S_IFREG | permissions, data=data)


def directory(path: str) -> Node:
    """A directory."""
    return Node(path=path, mode=stat.S_IFDIR | 0o755)


def character_device(path: str, major: int, minor: int) -> Node:
    """A character device; putting one into an archive does not need root."""
    return Node(path=path, mode=stat.S_IFCHR | 0o600, device=(major, minor))


def archive(nodes: Iterable[Node]) -> bytes:
    """One cpio archive with these nodes. Every directory they need comes before its contents."""
    members: dict[str, Node] = {}
    for node in nodes:
        path = node.path.strip("/")
        for parent in reversed(PurePosixPath(path).parents[:-1]):
            members.setdefault(str(parent), directory(str(parent)))
        members[path] = node
    parts = [_member(number, path, node) for number, (path, node) in enumerate(members.items(), start=1)]
    parts.append(_member(0, TRAILER, Node(path=TRAILER, mode=0)))
    return b"".join(parts)


def base(files: Mapping[str, bytes]) -> bytes:
    """The files of every boot: the given ones (executable), and the two devices needed before /dev is mounted.

    Without /dev/console the kernel starts pid 1 without standard descriptors.
    """
    console, null = character_device("dev/console", 5, 1), character_device("dev/null", 1, 3)
    return archive([console, null, *(file(path, data) for path, data in sorted(files.items()))])


def _member(number: int, path: str, node: Node) -> bytes:
    name = path.encode() + b"\0"
    major, minor = node.device
    links = 2 if stat.S_ISDIR(node.mode) else 1
    # inode, mode, uid, gid, links, mtime, size, device (2), device of the node (2), length of name, checksum
    fields = (number, node.mode, 0, 0, links, 0, len(node.data), 0, 0, major, minor, len(name), 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    return _padded(header + name) + _padded(node.data)


def _padded(data: bytes) -> bytes:
    """The header with the name, and the data, each start at a multiple of four."""
    return data + b"\0" * (-len(data) % 4)
