"""A run of the matrix from the command line: `pytest harness` as ci/matrix calls it, with the harness's own exit codes."""

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
    "--capture=no",  # what a waiting person wants to know is seen at once
    "-rN",  # the table at the end says it better
    # Kernels in parallel, the cells of one in one process. One more than there are processors: a guest also waits,
    # some for seconds (up to 6.1 the kernel puts off the clean-up of registered files).
    *("--numprocesses", str((os.cpu_count() or 1) + 1), "--dist", "loadgroup"),
)


def main(arguments: Sequence[str]) -> int:
    """Run the matrix; pytest's own codes for wrong usage and internal errors are our trouble, too."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: results so far, no QEMU left
    code = pytest.main([*ARGUMENTS, *arguments])
    return int(code) if code in (OK, SURPRISES, TROUBLE, INTERRUPTED) else TROUBLE
