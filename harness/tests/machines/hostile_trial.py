# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Runs a plan next to a bystander, and prints what became of both. Only for a PID namespace: see test_hostile.py.

Whatever the plan's programs do to processes, they can reach only those in here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from harness.machines.host import HostMachine
from harness.machines.machine import PlanEntry


def main(runner: str, folder: str, entries: str) -> None:
    """`entries`, as JSON: for each its name, its command, and whether it forks. BYSTANDER stands for the process's number."""
    with subprocess.Popen(["sleep", "1000"], start_new_session=True) as bystander:
        plan = [
            PlanEntry(
                name=name,
                timeout_s=3,
                argv=tuple(word.replace("BYSTANDER", str(bystander.pid)) for word in command),
                forks=forks,
            )
            for name, command, forks in json.loads(entries)
        ]
        events = list(HostMachine(runner=Path(runner)).run(plan, Path(folder)))
        time.sleep(0.05)  # for a signal to arrive
        survives = bystander.poll() is None
        bystander.kill()
    known = {os.getpid(), 1}
    left = [int(path.name) for path in Path("/proc").glob("[0-9]*") if int(path.name) not in known]
    print(json.dumps({"events": events, "bystander": survives, "left": left}))


if __name__ == "__main__":
    main(*sys.argv[1:])
