# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""What ci/build says when the fault is not in the code."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from harness.base.paths import ROOT


@pytest.mark.parametrize("whose", ["another's", "mine"])
@pytest.mark.parametrize("fails", ["--preset", "--build"])
def test_a_build_folder_of_another_person(whose, fails):
    with tempfile.TemporaryDirectory(dir="/tmp") as name:  # pytest's own is closed to other users
        clone = Path(name)
        clone.chmod(0o755)
        for folder in ("ci", "build", "bin"):
            (clone / folder).mkdir()
        shutil.copy(ROOT / "ci" / "build", clone / "ci")
        if fails == "--build":
            (clone / "build" / "build.ninja").touch()
        cmake = clone / "bin" / "cmake"
        cmake.write_text("#!/bin/sh\necho 'cannot open .ninja_log: Permission denied' >&2\nexit 1\n")
        cmake.chmod(0o755)
        path = f"{clone / 'bin'}:{os.environ['PATH']}"
        command = [str(clone / "ci" / "build")]
        if os.geteuid() == 0:
            uid = "65534" if whose == "another's" else "0"
            command = ["setpriv", f"--reuid={uid}", "--clear-groups", *command]
        elif whose == "another's":  # nobody else's folder can be made here, so another name for us must do
            (clone / "bin" / "id").write_text("#!/bin/sh\necho root\n")
            (clone / "bin" / "id").chmod(0o755)
            (clone / "build").chmod(0o555)
        ended = subprocess.run(
            command, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
        )
        (clone / "build").chmod(0o755)
    assert ended.returncode == 2 and "does not compile" not in ended.stderr
    assert ("you cannot write to it. Remove build/" in ended.stderr) == (whose == "another's"), ended.stderr
    assert ("above" in ended.stderr.splitlines()[-1]) == (whose == "mine"), ended.stderr
