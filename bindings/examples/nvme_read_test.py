# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Runs the example nvme_read (argv[1]) on a drive that is there to be written to: one with the serial number uring-scratch.

No other drive is opened. Without one the rest is skipped (77); the row nvme_passthrough makes the same calls in a guest.
"""

import os
import subprocess
import sys
from pathlib import Path

program = sys.argv[1]
SERIAL, SKIPPED = "uring-scratch", 77
BLOCK, BLOCKS = 512, 100


def read(*arguments: object) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run([program, *map(str, arguments)], capture_output=True, timeout=20, check=False)


def scratch_drive() -> tuple[Path, Path] | None:
    """Its blocks, such as /dev/nvme0n1, and the file that takes commands for it, such as /dev/ng0n1."""
    for file in Path("/sys/class/nvme").glob("nvme*/serial"):
        if file.read_text().strip() == SERIAL:
            controller = file.parent
            names = [sorted(controller.glob(pattern)) for pattern in ("nvme*n*/dev", "ng*n*/dev")]
            if all(names):  # the second is 5.13
                block, generic = (Path("/dev", found[0].parent.name) for found in names)
                return block, generic
    return None


usage = read()
assert (usage.returncode, usage.stderr) == (2, b"usage: nvme_read DEVICE FIRST COUNT\n"), usage
for wrong in (("/dev/null", "one", 1), ("/dev/null", 0, "1x"), ("/dev/null", -1, 1)):
    got = read(*wrong)
    assert got.returncode == 1 and b"Invalid argument" in got.stderr, got
missing = read("/missing", 0, 1)
assert missing.stderr == b"nvme_read: /missing: No such file or directory\n", missing
other = read("/dev/null", 0, 1)
assert other.returncode == 1 and b"not a namespace of an NVMe drive" in other.stderr, other

drive = scratch_drive()
if drive is None:
    print(
        f"There is no NVMe drive with the serial number {SERIAL}, or no file for its commands: the rest was not run"
    )
    sys.exit(SKIPPED)

blocks, commands = drive
text = os.urandom(BLOCKS * BLOCK)
with blocks.open("r+b", buffering=0) as file:
    file.write(text)
    os.fsync(file.fileno())
    end = file.seek(0, os.SEEK_END) // BLOCK
for first, count in ((0, BLOCKS), (1, 1), (3, 9), (17, 0), (99, 1)):
    got = read(commands, first, count)
    assert got.returncode == 0, got
    assert (
        got.stdout == text[first * BLOCK :][: count * BLOCK]
    ), f"{count} blocks from {first} are not those written"
beyond = read(commands, end - 1, 2)
assert beyond.returncode == 1 and b"status of NVMe" in beyond.stderr, beyond
