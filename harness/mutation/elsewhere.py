"""Mutants on kernels other than this machine's: code that only runs if a feature is missing, or only if it is new.

The mutant is compiled alone with the rows that can notice it, and the matrix runs them on that kernel as usual.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
from pathlib import Path

from harness.base.errors import HarnessError
from harness.base.exits import OK, SURPRISES
from harness.base.paths import RESULTS, ROOT
from harness.base.process import run
from harness.mutation.mutants import Mutant
from harness.mutation.trial import Finding, Verdict, Witness
from harness.mutation.builder import Builder, run_or_raise
from harness.results.file import read_results
from harness.verdicts.judge import Verdict as Judged

_BUILDING = threading.Lock()
_TRYING_THE_ORIGINAL = threading.Lock()
_sound: set[tuple[str, tuple[str, ...]]] = set()  # kernels and rows that pass there without a mutant


def try_on_its_kernel(builder: Builder, mutant: Mutant) -> Finding:
    """What the suite says about this mutant on the kernel that it was made for."""
    finding = _try(builder, builder.alone(mutant), mutant)
    with _TRYING_THE_ORIGINAL:
        if finding.verdict is Verdict.KILLED and (mutant.kernel, mutant.rows) not in _sound:
            if (without := _try(builder, builder.original("elsewhere"), mutant)).verdict is not Verdict.SURVIVED:
                raise HarnessError(f"{without.killer} fails without any mutant. Run ci/matrix --kernel {mutant.kernel} to see why.")
            _sound.add((mutant.kernel, mutant.rows))
    return finding


def _try(builder: Builder, include: Path, mutant: Mutant) -> Finding:
    try:
        program = builder.rows(include, mutant.rows, jobs=1)
        if isinstance(program, str):
            raise HarnessError(f"{mutant.id} does not compile with the rows {', '.join(mutant.rows)}:\n{program[:1000]}")
        build = include.parent / "build"
        _install(program, build / "conformance" / "conformance")
        _install(_runner(builder), build / "harness" / "guest" / "runner")
        return _matrix(mutant, build, include.parent / "results")
    finally:
        shutil.rmtree(include.parent)


def _runner(builder: Builder) -> Path:
    """The init of the virtual machines."""
    build = builder.folder / "program" / "build"
    with _BUILDING:
        run_or_raise("cmake", "--build", build, "--target", "runner")
    return build / "harness" / "guest" / "runner"


def _install(program: Path, place: Path) -> None:
    place.parent.mkdir(parents=True)
    shutil.copy2(program, place)


def _matrix(mutant: Mutant, build: Path, place: Path) -> Finding:
    command = [sys.executable, "-P", "-m", "harness", "matrix", "--kernel", mutant.kernel, "--build", str(build),
               "--results", str(place), *(word for row in mutant.rows for word in ("--test", row))]  # fmt: skip
    done = run(command, cwd=ROOT, environment=os.environ | {"PYTHONPATH": str(ROOT)}, remedy="ci/install brings it.", check=False)
    if done.code not in (OK, SURPRISES):
        raise HarnessError(f"{' '.join(command)} failed with exit code {done.code}:\n{done.said}")
    red = [cell for cell in read_results(place / RESULTS).cells if cell.verdict in (Judged.WRONG, Judged.MISSING)]
    if not red:
        return Finding(Verdict.SURVIVED)
    return Finding(Verdict.KILLED, Witness.SUITE, f"{red[0].test} on {mutant.kernel}", "failed")
