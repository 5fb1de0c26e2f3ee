"""A run of the matrix from the command line: `pytest harness` for ci/matrix, with the harness's own exit codes."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence

import pytest

from harness.base.exits import INTERRUPTED, OK, SURPRISES, TROUBLE
from harness.base.paths import ROOT

ARGUMENTS = (
    str(ROOT / "harness"),
    "--quiet",
    "--capture=no",  # progress messages show at once
    "-rN",  # the table at the end is the better summary
    # Kernels run in parallel, each in one process. One more than there are processors, because guests also wait,
    # some for seconds (up to 6.1 the kernel delays the clean-up of registered files).
    *("--numprocesses", str((os.cpu_count() or 1) + 1), "--dist", "loadgroup"),
)


def main(arguments: Sequence[str]) -> int:
    """Run the matrix; pytest's own codes for wrong usage and internal errors become harness errors."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # like Ctrl-C: keeps the results so far, leaves no QEMU
    code = pytest.main([*ARGUMENTS, *arguments])
    return int(code) if code in (OK, SURPRISES, TROUBLE, INTERRUPTED) else TROUBLE
