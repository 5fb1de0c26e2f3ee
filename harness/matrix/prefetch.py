"""Fetching ahead: `ci/kernels fetch` in the background of a run.

It shares the cache with the run. A machine waits if its kernel is being fetched. If a kernel cannot be fetched, its own
column finds that out and says so; here it is only logged.
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
    """Fetch the kernels of the planned columns. Downloads still running at the end of the block are cancelled.

    Only kernels of the archive: building a tree would take the processors from the running machines.
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
