# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Runs the example cat (argv[1]) and compares what it writes with the files."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

program = sys.argv[1]

with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    contents = {
        "empty": b"",
        "small": b"one line\n",
        "one_buffer": os.urandom(64 * 1024),
        "large": os.urandom((1 << 20) + 4321),
    }
    for file, content in contents.items():
        (folder / file).write_bytes(content)

    def cat(*files: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([program, *files], cwd=folder, capture_output=True, timeout=30)

    for file, content in contents.items():
        ran = cat(file)
        assert (ran.returncode, ran.stderr) == (0, b""), f"{file}: exit code {ran.returncode}, {ran.stderr!r}"
        assert (
            ran.stdout == content
        ), f"{file}: {len(ran.stdout)} bytes came out, or others than the {len(content)} of it"

    ran = cat("small", "empty", "large", "small")
    together = contents["small"] + contents["large"] + contents["small"]
    assert (ran.returncode, ran.stdout) == (0, together), "several files are not one after the other"

    # One that is missing does not stop the others, but is told.
    ran = cat("small", "missing", "large")
    assert ran.returncode == 1, f"with a missing file the exit code is {ran.returncode}, want 1"
    assert ran.stderr == b"cat: missing: No such file or directory\n", ran.stderr
    assert ran.stdout == contents["small"] + contents["large"], "a missing file hides others"

    ran = cat(".")
    assert (ran.returncode, ran.stderr) == (1, b"cat: .: Is a directory\n"), (ran.returncode, ran.stderr)

    # An output that cannot be written.
    with open("/dev/full", "wb") as full:
        lost = subprocess.run(
            [program, str(folder / "large")], stdout=full, stderr=subprocess.PIPE, timeout=30
        )
    assert lost.returncode == 1 and lost.stderr.endswith(b"No space left on device\n"), (
        lost.returncode,
        lost.stderr,
    )
