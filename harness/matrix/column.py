# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""One column of the table: a kernel, the machine that runs it, and its judged cells as they arrive."""

from __future__ import annotations

import os
import shlex
import shutil
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from harness.base.cache import Cache, Notice
from harness.base.errors import HarnessError
from harness.base.words import one_line
from harness.kernels import tree
from harness.kernels.archive import Archive
from harness.kernels.obtain import KernelImage, obtain
from harness.kernels.settings import Settings
from harness.kernels.spec import HOST, specify
from harness.machines import accelerator
from harness.machines.host import HostMachine
from harness.machines.machine import REFUSED, Accelerator, Event, Machine, PlanEntry
from harness.machines.snapshot import Snapshots
from harness.machines.vm import VmMachine
from harness.results.model import Cell, Kernel
from harness.suite import catalogue, deviations, since
from harness.suite.binding import DEFAULT, Binding, is_ours
from harness.suite.catalogue import Needs, Row
from harness.suite.configuration import PLAIN, PLAINLY, Configuration, due
from harness.verdicts.judge import Deviates, Verdict, judge, sign
from harness.verdicts.observation import Observation, Shape, State
from harness.verdicts.observe import observe

MACHINES = "machines"  # below the artefacts: one folder per column, owned by this module

#: What the smoke run must show before any other result of a machine counts (conformance/program/smoke_test.cc).
SMOKE = {
    "smoke passed": ("DISABLED_SmokePassed.*", State.PASSED),
    "smoke failed": ("DISABLED_SmokeFailed.*", State.FAILED),
    "smoke refused": ("DISABLED_SmokeRefused.*", State.REFUSED),
}

#: The test that must pass, or be refused, for a kind of ring before its rows are run (the same file).
RING = "DISABLED_SmokeRing.*"


#: Why rows with such needs are not run on the host.
NEEDS = {
    Needs.NVME: "it writes to an NVMe drive, which only a guest has",
    Needs.OWN: "it changes a setting of the whole kernel, which it does only in a guest of its own",
}


class Place(NamedTuple):
    """Of a cell in its column."""

    row: Row
    binding: Binding
    configuration: Configuration = PLAINLY

    def excuse(self, spec: str) -> str | None:
        """Why the row is not run on this kernel and such a ring; None if it is."""
        if spec == HOST and self.row.machine is not None:
            return f"not run on this machine: {NEEDS[self.row.machine]}"
        if self.configuration.name != PLAIN and self.row.machine is not None:
            return "not run on such a ring: the row opens rings of its own kinds, in a guest of its own"
        without = self.configuration.without.get(self.row.stem)
        return f"not run on such a ring: {without}" if without else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """How the columns of one run are run."""

    build: Path  # the build directory with the programs
    artefacts: Path  # each column's consoles and plans go below
    cache: Path | None = None  # None: the user's default
    settings: Settings = field(default_factory=Settings)  # of kernels.toml
    mirror: str | None = None  # None: this machine's apt configuration
    refresh: bool = False
    accelerator: str = "auto"
    bindings: tuple[Binding, ...] = DEFAULT
    memory_mib: int = 512
    cpus: int = 1
    boot_deadline_s: float = 60.0
    fresh_boot: bool = False  # not from the snapshot of a booted guest
    append: str = ""  # more kernel parameters
    timeout_s: int | None = None  # per test; None: as in the catalogue
    kernel_configs: tuple[str, ...] = ()  # added to guest.config when building source trees
    configurations: tuple[Configuration, ...] = (PLAINLY,)

    @property
    def runner(self) -> Path:
        """The program that executes a plan: a process on the host, pid 1 in a guest."""
        return self.build / "harness" / "guest" / "runner"

    @property
    def fragments(self) -> tuple[Path, ...]:
        """The kernel configurations as files."""
        return tuple(tree.fragment(name) for name in self.kernel_configs)

    def open_archive(self, cache: Cache, notice: Notice, progress: Notice | None = None) -> Archive:
        """The archive, configured by kernels.toml and the options."""
        return Archive(
            cache,
            suites=self.settings.suites,
            mirror=self.mirror,
            refresh=self.refresh,
            pins=self.settings.pin,
            notice=notice,
            progress=progress,
        )


class Column:
    """Runs the rows on one kernel. Iterate over `cells` once, to the end; then `line` is final.

    One machine runs all bindings, because a boot takes longer than the rows of a binding. Damage done by one binding
    ends with its entry, or with the machine; then the rest runs in a fresh one.
    """

    def __init__(
        self,
        spec: str,
        places: Sequence[Place],
        setup: Setup,
        say: Callable[[str, bool], None] = lambda text, lasting: None,
    ) -> None:
        """`say` receives what the column does now, and, with True, what a reader of the run should know."""
        self.series = specify(spec, setup.settings.local, setup.fragments).heading
        self._say = say
        self._spec = spec
        # Binding by binding: a program is started once and forks for each of its entries.
        self._bindings = tuple(dict.fromkeys(place.binding for place in places))
        # Within it, one kind of ring after the other: whether there is such a ring is asked first.
        lanes = dict.fromkeys((place.binding, place.configuration) for place in places)
        order = [lane for one in self._bindings for lane in lanes if lane[0] == one]
        guests = [None, *Needs]  # one machine after the other
        self._places = tuple(
            sorted(
                places,
                key=lambda place: (
                    guests.index(place.row.machine),
                    order.index((place.binding, place.configuration)),
                ),
            )
        )
        self._setup = setup
        self._deviations = deviations.load(catalogue.load())
        self._notices: list[str] = []
        self._image: KernelImage | None = None
        self._accelerator: Accelerator | None = None
        self._hello: Event = {}
        self._resumed = False  # the guest continued from a snapshot
        self._boot_ms: int | None = None
        self._smoke: dict[Binding, str] = {}
        self._versions: dict[str, str] = {}  # of the bindings, as their programs report
        self._trouble: str | None = None
        self._started = time.monotonic()
        self._wall_ms = 0

    def cells(self) -> Iterator[Cell]:
        """A cell for each row through each binding, whatever happens to the machine."""
        self._started = time.monotonic()
        done = 0
        try:
            for cell in self._believable():
                yield cell
                done += 1
        except HarnessError as error:
            self._trouble = str(error)
            for place in self._places[done:]:
                yield self._cell(place, Observation(state=State.NOTHING, cause=self._trouble))
        finally:
            self._wall_ms = _ms_since(self._started)
            self._does("done")

    @property
    def line(self) -> Kernel:
        """The results line about the kernel and its machine."""
        image = self._image
        return Kernel(
            series=self.series,
            release=self._hello.get("release"),
            version=self._hello.get("version"),
            source=image.source if image else "this machine" if self._spec == HOST else self._spec,
            sha256=image.sha256 if image else None,
            accelerator=self._accelerator,
            boot_ms=self._boot_ms,
            wall_ms=self._wall_ms,
            smoke=self._smoke_line(),
            trouble=self._trouble,
            notices=tuple(dict.fromkeys(self._notices)),
            bindings=dict(self._versions),
        )

    def _guests(self) -> Iterator[tuple[Needs | None, list[Place]]]:
        """The places in order, those together that one machine runs."""
        if self._spec == HOST:
            yield None, list(self._places)
            return
        for needs, group in groupby(self._places, key=lambda place: place.row.machine):
            if needs is Needs.OWN:
                yield from ((needs, [place]) for place in group)
            else:
                yield needs, list(group)

    def _believable(self) -> Iterator[Cell]:
        """The cells in the order of the places."""
        artefacts = self._setup.artefacts / MACHINES / self.series
        shutil.rmtree(artefacts, ignore_errors=True)
        machine = self._machine()
        for needs, places in self._guests():
            yield from self._believable_of(_equipped(machine, needs), places, artefacts / (needs or ""))

    def _believable_of(self, machine: Machine, places: Sequence[Place], artefacts: Path) -> Iterator[Cell]:
        """The cells of these places. What a guest from a snapshot shows is believed until the first surprise.

        A snapshot can be damaged, and then everything in its guest may be. So the surprise, and what follows, is what a
        guest shows that has just booted. If that one disagrees, the snapshot is removed.
        """
        self._resumed = False  # nothing of this machine is known yet
        doubted: Cell | None = None
        done = 0
        with closing(self._judged(machine, places, artefacts)) as cells:
            for cell in cells:
                if cell.surprise and self._resumed:
                    doubted = cell
                    break
                yield cell
                done += 1
        if doubted is None:
            return
        assert isinstance(machine, VmMachine)  # nothing else can be resumed
        known, self._hello = self._hello, {}
        fresh = replace(machine, snapshots=None)
        for cell in self._judged(fresh, places[done:], artefacts / "fresh"):
            if cell.position == doubted.position and cell.verdict not in (doubted.verdict, Verdict.NONE):
                machine.discard_snapshot()
                self._notice(
                    f"{doubted.test} was {sign(doubted.verdict)} in a guest that continued from a snapshot "
                    f"({one_line(doubted.why, 200)}), but {sign(cell.verdict)} after a fresh boot, which counts. "
                    "The snapshot was removed."
                )
            yield cell
        self._hello = self._hello or known

    def _judged(
        self, machine: Machine, places: Sequence[Place], artefacts: Path
    ) -> Generator[Cell, None, None]:
        """The cells of these places as this machine shows them. A row that is excused is not run."""
        rest = list(places)

        def excused() -> Iterator[Cell]:
            while rest and (excuse := self._excuse(rest[0])):
                yield self._cell(rest.pop(0), Observation(state=State.NOT_EXPRESSIBLE, cause=excuse))

        if asked := [place for place in places if self._excuse(place) is None]:
            with closing(self._observations(machine, asked, artefacts)) as observations:
                for place, observation in observations:
                    yield from excused()
                    yield self._cell(rest.pop(0), observation)
        yield from excused()

    def _observations(
        self, machine: Machine, wanted: Sequence[Place], artefacts: Path
    ) -> Generator[tuple[Place, Observation], None, None]:
        """The observations. Those of a binding count only after its smoke run has passed."""
        bindings = tuple(dict.fromkeys(place.binding for place in wanted))
        places = {self._entry(place.row.stem, *place[1:]): place for place in wanted}
        smokes = {self._entry(name, binding): (name, binding) for binding in bindings for name in SMOKE}
        smoke: dict[Binding, dict[str, Observation]] = {binding: {} for binding in bindings}
        self._does("starts" if self._spec == HOST else "boots")
        booting = time.monotonic()
        with closing(observe(machine, self._plan(wanted), artefacts)) as items:
            for item in items:
                if isinstance(item, dict):
                    self._take_event(item, booting)
                    continue
                entry, observation = item
                if entry in smokes:
                    name, binding = smokes[entry]
                    smoke[binding][name] = observation
                    if len(smoke[binding]) == len(SMOKE):
                        self._smoke[binding] = self._smoke_verdict(binding, smoke[binding])
                    continue
                place = places.get(entry)
                if place is None:  # it asked for a kind of ring; the rows say what came of it
                    continue
                binding = place.binding
                if self._smoke[binding] != "ok":
                    whose = f"through {binding.name}" if self._several else "of this machine"
                    cause = f"no result {whose} can be trusted: {self._smoke[binding]}"
                    observation = Observation(state=State.NOTHING, cause=cause)
                yield place, observation

    def _take_event(self, event: Event, booting: float) -> None:
        """Handle an event between observations."""
        match event["kind"]:
            case "hello":
                self._resumed = event.get("resumed") is True and self._spec != HOST
                if not self._hello:
                    self._hello = event
                    self._does(f"{event['release']} runs")
                if self._boot_ms is None and self._spec != HOST:
                    self._boot_ms = _ms_since(booting)
            case "trouble" | "notice":
                self._notice(event["text"])

    def _notice(self, said: str) -> None:
        self._notices.append(said)
        self._say(said, True)

    def _does(self, what: str) -> None:
        self._say(what, False)

    @property
    def _several(self) -> bool:
        return len(self._bindings) > 1

    def _entry(self, name: str, binding: Binding, configuration: Configuration = PLAINLY) -> str:
        """The plan's name for a row, or for a part of the smoke run."""
        through = f" through {binding.name}" if self._several else ""
        under = f" under {configuration.name}" if configuration.name != PLAIN else ""
        return f"{name}{through}{under}"

    def _smoke_line(self) -> str | None:
        """ "ok", or what was wrong and through which binding; None if it was not reached."""
        odd = {binding: said for binding, said in self._smoke.items() if said != "ok"}
        if not self._several or not odd:
            return next(iter(odd.values()), "ok") if self._smoke else None
        return "; ".join(f"through {binding.name}: {said}" for binding, said in odd.items())

    def _smoke_verdict(self, binding: Binding, smoke: dict[str, Observation]) -> str:
        """ "ok", or what is wrong with the machine, or with the binding's program on it."""
        wanted_release = self._image.release if self._image else None
        release = self._hello.get("release")
        if wanted_release is not None and release not in (None, wanted_release):
            return f"expected kernel {wanted_release}, but uname reports {release}"
        called, version = _binding_of(smoke.values())
        if called not in (None, binding.name):
            return f"expected a program for {binding.name}, but it reports itself as {called}"
        if version is not None:
            self._versions[binding.name] = version
        for name, (_, state) in SMOKE.items():
            seen = smoke[name]
            if seen.state is not state or (state is State.REFUSED and seen.shape is not Shape.RIGHT):
                detail = f" ({seen.cause})" if seen.cause else ""
                return f"a test that must be {state} was {seen.state}{detail}"
            if seen.complaints:
                return f"the kernel complained before any test began: {seen.complaints[0]}"
        return "ok"

    def _machine(self) -> Machine:
        setup = self._setup
        if not setup.runner.exists():
            raise HarnessError(f"{setup.runner} does not exist. Build it first: ci/build.")
        if self._spec == HOST:
            return HostMachine(runner=setup.runner)
        cache = Cache(setup.cache, lambda text: self._say(text, True))
        self._image = obtain(
            self._spec,
            cache=cache,
            archive=setup.open_archive(cache, self._notice, self._does),
            notice=self._notice,
            progress=self._does,
            local=setup.settings.local,
            fragments=setup.fragments,
        )
        chosen = accelerator.choose(setup.accelerator, self._image.boot_image, cache)
        self._accelerator = chosen
        return VmMachine(
            kernel=self._image.boot_image,
            runner=setup.runner,
            files={binding.file_name: binding.program(setup.build) for binding in self._bindings},
            accelerator=chosen.name,
            memory_mib=setup.memory_mib,
            cpus=setup.cpus,
            boot_deadline_s=setup.boot_deadline_s,
            append=setup.append,
            # With KVM a boot takes a fraction of a second, and the saved state would depend on the processor.
            snapshots=Snapshots(cache) if chosen.name == "tcg" and not setup.fresh_boot else None,
        )

    def _excuse(self, place: Place) -> str | None:
        return place.excuse(self._spec)

    def _plan(self, places: Sequence[Place]) -> list[PlanEntry]:
        lanes: dict[tuple[Binding, Configuration], list[Row]] = {}
        for row, binding, configuration in places:
            lanes.setdefault((binding, configuration), []).append(row)
        plan: list[PlanEntry] = []
        for binding in dict.fromkeys(binding for binding, _ in lanes):
            plan += self._smoke_of(binding)
            for (through, configuration), rows in lanes.items():
                if through == binding:
                    plan += self._plan_of(binding, configuration, rows)
        return plan

    def _common(self, binding: Binding) -> tuple[str, ...]:
        program = binding.program(self._setup.build) if self._spec == HOST else f"/{binding.file_name}"
        return (str(program), f"--binding={binding.name}")

    def _smoke_of(self, binding: Binding) -> Iterator[PlanEntry]:
        """The smoke run of one binding."""
        for name, (suite, _) in SMOKE.items():
            argv = (*self._common(binding), "--gtest_also_run_disabled_tests", f"--gtest_filter={suite}")
            yield PlanEntry(name=self._entry(name, binding), timeout_s=60, argv=argv, forks=True)

    def _plan_of(
        self, binding: Binding, configuration: Configuration, rows: Sequence[Row]
    ) -> Iterator[PlanEntry]:
        """The rows of one binding on one kind of ring. Where there is no such ring, that is asked once."""
        common, ring = self._common(binding), None
        if configuration.name != PLAIN:
            common = (*common, f"--configuration={configuration.name}")
            ring = self._entry("ring", binding, configuration)
            ask = ("--gtest_also_run_disabled_tests", f"--gtest_filter={RING}", f"--skip-code={REFUSED}")
            yield PlanEntry(name=ring, timeout_s=60, argv=(*common, *ask), forks=True)
        for row in rows:
            timeout_s = self._setup.timeout_s or row.timeout_s
            # The program's own watchdog, per test, fires first: it can report more.
            tests = row.filter + self._left_out(Place(row, binding, configuration))
            argv = (*common, f"--timeout-s={timeout_s}", f"--gtest_filter={tests}")
            if row.machine is Needs.OWN:
                argv = (*argv, "--own-machine")
            name = self._entry(row.stem, binding, configuration)
            yield PlanEntry(name=name, timeout_s=2 * timeout_s, argv=argv, forks=True, unless=ring)

    def _listed(self, place: Place, version: since.KernelVersion | None) -> tuple[deviations.Deviation, ...]:
        """The known deviations of a cell. A kernel without this kind of ring deviates in nothing: it refuses the ring."""
        row, through, configuration = place
        if since.has_ring(configuration, version) is since.Expected.ABSENT:
            return ()
        return deviations.concerning(self._deviations, row.stem, version, through.name, configuration.name)

    def _left_out(self, place: Place) -> str:
        """The end of a filter of tests: without those that would not end on the kernel that is about to run."""
        if self._image:
            version = since.KernelVersion.parse(self._image.release or "", f"Debian {self._image.version}")
        else:
            version = since.KernelVersion.parse(os.uname().release, os.uname().version)
        listed = (one for one in self._listed(place, version) if not one.run)
        return deviations.without(deviations.patterns(test for one in listed for test in one.tests))

    def _cell(self, place: Place, observation: Observation) -> Cell:
        row, through, configuration = place
        version = since.KernelVersion.parse(self._hello.get("release", ""), self._hello.get("version", ""))
        expected = since.expected(row, version, configuration)
        # Ours must express everything that is asked.
        complained, ours = bool(observation.complaints), is_ours(through.name) and self._excuse(place) is None
        listed = self._listed(place, version)
        verdict = judge(
            observation.state,
            observation.shape,
            expected,
            complained,
            _deviates(listed, observation),
            ours=ours,
        )
        return Cell(
            test=row.name,
            stem=row.stem,
            series=self.series,
            kernel=self._hello.get("release"),
            binding=through.name,
            observed=observation.as_json(),
            expected=expected,
            verdict=verdict,
            due=due(row, configuration),
            ms=observation.ms,
            rerun=rerun_command(self._spec, row.stem, through, self._setup, configuration),
            configuration=configuration.name,
            deviations=tuple(one.as_json() for one in listed),
        )


def _equipped(machine: Machine, needs: Needs | None) -> Machine:
    """The machine with what rows need of it."""
    if needs is Needs.NVME:
        assert isinstance(machine, VmMachine)  # on the host these rows are not run
        return replace(machine, drive=True, snapshots=None)
    return machine


def _deviates(listed: Sequence[deviations.Deviation], observation: Observation) -> Deviates:
    if not listed:
        return Deviates.UNLISTED
    left_out = {test for one in listed if not one.run for test in one.tests}
    tests = {test for one in listed for test in one.tests} - left_out
    if observation.failed_tests() != tests:
        return Deviates.OTHERWISE
    return Deviates.AS_LISTED if tests else Deviates.LEFT_OUT


def _binding_of(observations: Iterable[Observation]) -> tuple[str | None, str | None]:
    """The name and version that a binding's program reports, if any."""
    for observation in observations:
        for record in observation.records:
            match record.get("binding"):
                case {"name": name, "version": version}:
                    return name, version
                case str(name):
                    return name, None
    return None, None


def rerun_command(
    spec: str, stem: str, through: Binding, setup: Setup, configuration: Configuration = PLAINLY
) -> str:
    """The command that runs this cell again in the same way."""
    only = {"bindings": (through,), "configurations": (configuration,)}
    words = ["ci/matrix", "--kernel", spec, "--test", stem]
    for option, name in OPTIONS.items():
        value = only.get(name, getattr(setup, name))
        if value != Setup.__dataclass_fields__[name].default:
            for one in value if isinstance(value, tuple) else (value,):
                words += [option, one.spec if isinstance(one, (Binding, Configuration)) else str(one)]
    return shlex.join(words)


#: The options that change the meaning of a cell, and the fields that they set.
OPTIONS = {
    "--binding": "bindings",
    "--configuration": "configurations",
    "--accel": "accelerator",
    "--memory": "memory_mib",
    "--cpus": "cpus",
    "--boot-deadline": "boot_deadline_s",
    "--timeout": "timeout_s",
    "--append": "append",
    "--kernel-config": "kernel_configs",
}


def _ms_since(start: float) -> int:
    return round((time.monotonic() - start) * 1000)
