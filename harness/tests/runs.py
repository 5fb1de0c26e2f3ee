# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Small runs for tests, written in a line or two and shaped like those of the matrix."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from harness.machines.machine import Accelerator
from harness.results.file import Writer
from harness.results.model import Cell, Footer, Header, Kernel, Plan, Provenance, Results
from harness.suite.configuration import PLAIN
from harness.suite.since import Expected
from harness.verdicts.judge import Verdict
from harness.verdicts.observation import Observation, State

TESTS = ("nop", "readv", "waitid")
KERNELS = ("6.1", "7.3", "host")
WHY = {
    Verdict.WORKS: "3 tests passed",
    Verdict.ABSENT: "refused with -EINVAL, as on every kernel before 6.7",
    Verdict.WRONG: "Waitid.Reaps (waitid_test.cc:12): cqe.res is: -22",
    Verdict.COMPLAINED: "3 tests passed; the kernel complained: WARNING: at io_uring/io_uring.c",
    Verdict.NONE: "the VM gave no sign of life within 60 s",
    Verdict.NOT_EXPRESSIBLE: "1 of 2 tests passed; Waitid.Reaps needs WAITID, which liburing 2.3 cannot express: too new",
}


def digest(text: str) -> str:
    """A string that looks like a digest."""
    return f"{text.encode().hex():0<64}"[:64]


MADE_OF = Provenance(
    binding=digest("binding"),
    support=digest("support"),
    harness=digest("harness"),
    catalogue=digest("catalogue"),
    tests={test: digest(test) for test in TESTS},
)
HEADER = Header(
    suite="1a2b3c4d5e6f",
    dirty=False,
    plan=Plan(tests=TESTS, kernels=KERNELS, bindings=("uring",)),
    started="2026-11-22T03:00:00Z",
    host={"machine": "x86_64", "kernel": "6.18.44", "cpus": 2},
    made_of=MADE_OF,
)


def kernel(series: str, patch: str = "10") -> Kernel:
    """The line of a kernel: a package of the archive, or the host itself."""
    if series == "host":
        return Kernel(
            series=series, release=f"6.18.{patch}", version="#1 SMP", source="this machine", sha256=None,
            accelerator=None, boot_ms=None, wall_ms=500, smoke="ok", trouble=None,
        )  # fmt: skip
    version, release = f"{series}.{patch}-1", f"{series}.0-cloud-amd64"
    return Kernel(
        series=series, release=release, version=f"#1 SMP Debian {version} (2026-11-01)",
        source=f"bookworm linux-image-{release} {version}", sha256=digest(version),
        accelerator=Accelerator(name="tcg", reason="asked for"), boot_ms=2000, wall_ms=6000, smoke="ok", trouble=None,
    )  # fmt: skip


def cell(
    test: str,
    series: str,
    verdict: Verdict = Verdict.WORKS,
    why: str = "",
    binding: str = "uring",
    configuration: str = PLAIN,
) -> Cell:
    """A judged cell. If it is odd, it names that as its cause."""
    state = State.PASSED if verdict is Verdict.WORKS else State.FAILED
    records = tuple({"kind": "test", "name": f"{test}.{number}", "state": "passed"} for number in range(3))
    observation = Observation(state=state, cause=why or WHY[verdict], records=records, taint=(0, 0))
    return Cell(
        test=test, stem=test.replace("/", "_"), series=series, kernel=f"{series}.10", binding=binding,
        observed=observation.as_json(), expected=Expected.PRESENT, due=("5.1",), verdict=verdict, ms=3, rerun=f"ci/matrix --kernel {series} --test {test.replace('/', '_')}",
        configuration=configuration,
    )  # fmt: skip


def run(
    odd: Mapping[tuple[str, ...], Verdict | Cell] | None = None,
    *,
    tests: tuple[str, ...] = TESTS,
    kernels: tuple[str, ...] = KERNELS,
    patches: Mapping[str, str] | None = None,
    bindings: tuple[str, ...] = ("uring",),
    configurations: tuple[str, ...] = (PLAIN,),
    **header: object,
) -> Results:
    """A whole run in which everything works except the odd cells, of all bindings or of the named one.

    One with a configuration is odd in that one only.
    """
    plan = Plan(tests=tests, kernels=kernels, bindings=bindings, configurations=configurations)
    cells = []
    for place in plan.positions():
        known = odd or {}
        names = (place, place[:3], place[:2])
        what = next((known[name] for name in names if name in known), Verdict.WORKS)
        made = what if isinstance(what, Cell) else cell(*place[:2], what, binding=place.binding)
        cells.append(replace(made, configuration=place.configuration))
    adapters = {binding: digest(binding) for binding in bindings if binding != "uring"}
    made_of = replace(MADE_OF, tests={test: digest(test) for test in tests}, adapters=adapters)
    return Results(
        header=replace(HEADER, **{"plan": plan, "made_of": made_of, **header}),
        kernels=tuple(kernel(series, (patches or {}).get(series, "10")) for series in kernels),
        cells=tuple(cells),
        footer=Footer.count(plan, cells, ended="2026-11-22T03:10:00Z"),
    )


def write(results: Results, path: Path) -> Path:
    """The run as a file, as the matrix would have written it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with Writer(path, results.header) as writer:
        for line in results.cells:
            writer.cell(line)
        for series in results.kernels:
            writer.kernel(series)
        writer.finish(results.footer.ended)
    return path
