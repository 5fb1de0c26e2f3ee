# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

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


_LIKE_CTRL_C = (signal.SIGTERM, signal.SIGHUP)  # they keep the results so far, and leave no QEMU


def _interrupt(*_: object) -> None:
    """Only once: a terminal that is closed sends several, and the second would cut short the writing of the results."""
    for one in _LIKE_CTRL_C:
        signal.signal(one, lambda *_: None)
    raise KeyboardInterrupt


def main(arguments: Sequence[str]) -> int:
    """Run the matrix; pytest's own codes for wrong usage and internal errors become harness errors."""
    for number in _LIKE_CTRL_C:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup wants it
            signal.signal(number, _interrupt)
    code = pytest.main([*ARGUMENTS, *arguments])
    return int(code) if code in (OK, SURPRISES, TROUBLE, INTERRUPTED) else TROUBLE
