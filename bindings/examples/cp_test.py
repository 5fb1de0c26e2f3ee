# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Runs the example cp (argv[1]) on files whose sizes lie at the edges of its blocks."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

program = sys.argv[1]
block = 64 * 1024
in_flight = 4

with tempfile.TemporaryDirectory() as name:
    folder = Path(name)

    def cp(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([program, *arguments], cwd=folder, capture_output=True, timeout=30)

    round_of_blocks = in_flight * block
    sizes = [
        0,
        1,
        block - 1,
        block,
        block + 1,
        round_of_blocks - 1,
        round_of_blocks,
        round_of_blocks + 1,
        5 << 20,
        (5 << 20) + 12345,
    ]
    for size in sizes:
        (folder / "from").write_bytes(os.urandom(size))
        (folder / "to").write_bytes(b"longer than what comes" * 1000)  # must be shortened
        ran = cp("from", "to")
        assert (ran.returncode, ran.stderr) == (
            0,
            b"",
        ), f"{size} bytes: exit code {ran.returncode}, {ran.stderr!r}"
        compared = subprocess.run(["cmp", "from", "to"], cwd=folder, capture_output=True)
        assert compared.returncode == 0, f"{size} bytes: {compared.stdout!r} {compared.stderr!r}"

    ran = cp("from", "new")
    assert ran.returncode == 0 and (folder / "new").read_bytes() == (folder / "from").read_bytes(), ran.stderr

    ran = cp("missing", "untouched")
    assert (ran.returncode, ran.stderr) == (1, b"cp: missing: No such file or directory\n"), (
        ran.returncode,
        ran.stderr,
    )
    assert not (folder / "untouched").exists(), "a missing source made a target"

    before = (folder / "from").read_bytes()
    ran = cp("from", "from")
    assert ran.returncode == 1, f"onto itself: exit code {ran.returncode}, want 1"
    assert (folder / "from").read_bytes() == before, "copying a file onto itself destroyed it"

    ran = cp(".", "untouched")
    assert (ran.returncode, ran.stderr) == (1, b"cp: .: Is a directory\n"), (ran.returncode, ran.stderr)
    ran = cp("from")
    assert ran.returncode != 0 and b"usage: cp FROM TO" in ran.stderr, (ran.returncode, ran.stderr)
