# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Asks the program of a binding for its name before a run: under a wrong one every cell would fail, one by one.

It is the first time that we run the program, so it runs like any entry of a plan: with an environment, a folder and a
session of its own, nothing to read, bounded output, a deadline, and nothing of it is left.
"""

from __future__ import annotations

import shlex
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.base.errors import HarnessError
from harness.machines.host import HostMachine
from harness.machines.machine import Event, PlanEntry
from harness.suite.binding import Binding

_CALLED_WRONGLY = 2  # the conformance program's exit code for that
_LONGEST = 200  # characters of what it says


def demand_name(binding: Binding, *, build: Path, runner: Path, deadline_s: float = 10.0) -> None:
    """HarnessError if the program does not run as the binding of that name."""
    program = binding.program(build)
    command = (str(program), f"--binding={binding.name}", "--gtest_list_tests")
    again = f"Try it: {shlex.join(command)} </dev/null"
    end: Event = {}
    trouble = ""
    with TemporaryDirectory() as folder:
        plan = [PlanEntry(name="name", timeout_s=deadline_s, argv=command)]
        with closing(HostMachine(runner=runner).run(plan, Path(folder))) as events:
            for event in events:
                if event["kind"] == "trouble":
                    trouble = trouble or event["text"].removeprefix("name: ")
                elif event["kind"] == "end":
                    end = event
                elif event["kind"] == "died":
                    trouble = trouble or event["why"]
    if end.get("timeout"):
        raise HarnessError(f"{program} does not list its tests within {deadline_s:g} s. {again}")
    if end.get("exit") is None and end.get("signal") is None:
        raise HarnessError(f"{program} could not be asked for its name: {trouble}. Build it again.")
    if end["exit"] == _CALLED_WRONGLY:
        lines = str(end.get("output", "")).strip().splitlines() or ["it does not say why"]
        said = lines[-1].removeprefix("conformance: ")[:_LONGEST]
        raise HarnessError(
            f"{program} does not run as the binding {binding.name}: {said.rstrip('.')}. "
            "Use one name for it everywhere; in an adapter it is .name."
        )
