"""This machine itself, with the kernel that is running."""

from __future__ import annotations
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from harness.machines.machine import Events, PlanEntry, plan_text
from harness.machines.process import child, store
from harness.machines.stream import follow


@dataclass(frozen=True, slots=True, kw_only=True)
class HostMachine:
    """This machine itself, with the kernel that is running."""

    runner: Path
    boot_deadline_s: float = 30.0
    grace_s: float = 15.0

    @property
    def shared_log(self) -> bool:
        """Other processes on this machine also cause kernel log lines."""
        return True

    def run(self, plan: Sequence[PlanEntry], artefacts: Path) -> Events:
        """Run the plan as processes of this machine."""
        file, errors = artefacts / "plan", artefacts / "runner.stderr"
        store(file, plan_text(plan).encode())
        with child(
            [str(self.runner), "--plan", str(file)],
            stderr=errors,
            dies_by=signal.SIGTERM,  # lets it remove its temporary directory
            remedy="Build the project first: ci/build.",
        ) as process:
            yield from follow(
                process,
                plan,
                boot_deadline_s=self.boot_deadline_s,
                grace_s=self.grace_s,
                errors=errors,
                name="the runner",
                program="the runner",
            )
