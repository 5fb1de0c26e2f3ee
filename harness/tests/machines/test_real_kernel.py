# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""What a real kernel does under a test, from its machine to the verdict: a warning, and a panic."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from harness.base.cache import Cache
from harness.machines.machine import PlanEntry
from harness.machines.snapshot import Snapshots
from harness.machines.vm import VmMachine
from harness.suite.since import Expected
from harness.verdicts.judge import Verdict, judge
from harness.verdicts.observation import Observation, State
from harness.verdicts.observe import observe

# The kernel copies the operations of a semop() into memory of its own, as many as kernel.sem allows. With that limit
# at its maximum, it asks its allocator for more than 2 GiB, which the allocator has treated as a bug since Linux 5.14, and in
# the stable 5.10: WARN_ON_ONCE in kvmalloc_node().
PROGRAM = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sem.h>
int main(int argc, char **argv) {
  if (argc > 1 && !strcmp(argv[1], "warns")) {
    FILE *limits = fopen("/proc/sys/kernel/sem", "w");
    if (limits == NULL || fputs("32000 1024000000 2147483647 32000", limits) < 0 || fclose(limits) != 0) return 3;
    struct sembuf operation = {0};
    if (semop(0, &operation, (size_t)1 << 30) == 0) return 4;
  }
  if (argc > 1 && !strcmp(argv[1], "panics")) {
    FILE *trigger = fopen("/proc/sysrq-trigger", "w");
    if (trigger == NULL || fputc('c', trigger) < 0 || fclose(trigger) != 0) return 5;
  }
  dprintf(atoi(getenv("URING_RECORDS_FD")),
          "{\"kind\":\"header\",\"schema\":1,\"binding\":\"none\",\"plan\":[\"T.T\"]}\n"
          "{\"kind\":\"test\",\"name\":\"T.T\",\"state\":\"passed\",\"ms\":0,\"failures\":[],\"wire\":[]}\n"
          "{\"kind\":\"footer\",\"ran\":1}\n");
  return 0;
}
"""


@pytest.fixture
def machine(vm_kernel: Path, runner: Path, tmp_path: Path) -> VmMachine:
    """A guest with a program that passes, after it has done what its argument says."""
    source, program = tmp_path / "program.c", tmp_path / "program"
    source.write_text(PROGRAM)
    subprocess.run([shutil.which("cc") or "gcc", "-static", "-o", program, source], check=True)
    return VmMachine(kernel=vm_kernel, runner=runner, files={"bin/test": program})


def judged(
    machine: VmMachine, artefacts: Path, *names: str
) -> tuple[dict[str, Verdict], dict[str, Observation]]:
    """Verdict and observation of each entry, on a kernel that should have everything."""
    plan = [PlanEntry(name=name, timeout_s=20, argv=("/bin/test", name)) for name in names]
    seen = dict(item for item in observe(machine, plan, artefacts) if isinstance(item, tuple))
    verdicts = {
        name: judge(one.state, one.shape, Expected.PRESENT, bool(one.complaints), ours=True)
        for name, one in seen.items()
    }
    return verdicts, seen


@pytest.mark.parametrize("kept", [False, True], ids=["boots", "snapshot"])
def test_a_warning_is_a_complaint_and_a_panic_costs_its_own_cell_and_a_machine(
    machine: VmMachine, tmp_path: Path, kept: bool
) -> None:
    if kept:
        machine = replace(machine, snapshots=Snapshots(Cache(tmp_path / "cache")))
    verdicts, seen = judged(machine, tmp_path / "artefacts", "before", "warns", "between", "panics", "after")
    assert verdicts == {
        "before": Verdict.WORKS, "warns": Verdict.COMPLAINED, "between": Verdict.WORKS,
        "panics": Verdict.WRONG, "after": Verdict.WORKS,
    }, seen  # fmt: skip
    assert seen["warns"].state is State.PASSED
    complaints = seen["warns"].complaints
    assert any("WARNING: " in line and "kvmalloc" in line for line in complaints), complaints
    assert any(
        line.startswith("taint went from 0 to 512") for line in complaints
    ), "the kernel's own record of it"
    assert (seen["panics"].state, seen["panics"].cause) == (
        State.CRASHED,
        "kernel panic: sysrq triggered crash",
    )
    assert seen["between"].taint == (512, 512) and seen["after"].taint == (
        0,
        0,
    ), "the rest runs in a fresh machine"
    assert sorted(path.name for path in (tmp_path / "artefacts").iterdir()) == ["boot-1", "boot-2"]
