"""Fetching ahead: `ci/kernels fetch` as a process in the background of a run.

It uses the cache as everybody does. A machine that needs a kernel which is being fetched waits for it; one whose kernel
cannot be fetched finds that out for itself and says so in its own column, so what happens here is only logged.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from harness.base.paths import ROOT
from harness.kernels.spec import Kind, specify
from harness.machines.process import child
from harness.matrix.column import Setup

LOG = "fetch.log"  # in the run's directory


@contextmanager
def fetching(specs: Sequence[str], planned: Sequence[str], setup: Setup) -> Iterator[None]:
    """Fetch those of the kernels that head a planned column; what is under way at the end of the block is given up.

    Only the archive's: what is built from a tree would take the processors from the machines that run.
    """
    known = {spec: specify(spec, setup.settings.local, setup.fragments) for spec in specs}
    series = [spec for spec, it in known.items() if it.kind is Kind.SERIES and it.heading in planned]
    if not series:
        yield
        return
    command = [sys.executable, "-m", "harness", "kernels", "fetch", *series]
    for option, value in (("--cache", setup.cache), ("--mirror", setup.mirror)):
        command += [option, str(value)] if value is not None else []
    command = ["env", f"PYTHONPATH={ROOT}", *command]
    with child(command, stderr=setup.artefacts / LOG, dies_by=signal.SIGTERM, remedy=""):
        yield
