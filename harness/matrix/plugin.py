# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""pytest's side of the harness: options, collection, exit code and summary. gather.py has their meaning."""

from __future__ import annotations

import argparse
import os
import re
import signal
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.base.cache import Cache
from harness.base.errors import HarnessError
from harness.base.exits import INTERRUPTED, TROUBLE
from harness.base.output import harmless, say
from harness.base.paths import BUILD, ROOT
from harness.base.process import die_with_parent
from harness.kernels.selection import Selection, select
from harness.kernels.settings import SETTINGS, Settings, load_settings
from harness.kernels.spec import ARCHIVE, HOST
from harness.machines.name_check import demand_name
from harness.matrix import prefetch as fetcher
from harness.matrix import publish
from harness.matrix.column import Setup
from harness.matrix.gather import CELL, Matrix
from harness.matrix.items import ROWS, SELECTION, SETUP, CellItem, MatrixFile
from harness.matrix.progress import Progress
from harness.report import terminal
from harness.results.model import Position
from harness.suite import binding, configuration
from harness.suite.catalogue import chosen_rows
from harness.verdicts.judge import Verdict

GATHERER = "matrix-gatherer"
HANDED_OVER, CONTROLLER = "selection", "controller"  # from xdist's controlling process to its workers
# column, stem, binding, configuration
_NODE_ID = re.compile(r"kernels\.toml::(.+)::(\w+)\[[^\]]*\](?:\[([^\]]*)\])?(?:\{(\w+)\})?")
NOTICES = pytest.StashKey[list[str]]()  # messages about the selection
DAY_S = 24 * 3600
OWN_TESTS = ROOT / "harness" / "tests"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The matrix's options."""
    group = parser.getgroup("io_uring conformance matrix")
    add = group.addoption
    add(
        "--kernel",
        action="append",
        default=[],
        metavar="KERNEL",
        help="a series of the archive (6.1), one version of it (6.1=6.1.190-1), archive for all series, host, or the "
        "path of a bzImage, a vmlinux, a .deb that has one, or a kernel source tree, which is then built; repeatable. "
        "Default: the list in harness/kernels/kernels.toml",
    )
    add(
        "--kernel-config",
        action="append",
        default=[],
        metavar="CONFIG",
        help="also build source trees with this configuration: kasan, lockdep or a file of CONFIG_ lines; repeatable",
    )
    add(
        "--test",
        action="append",
        default=[],
        metavar="TEST",
        dest="matrix_test",
        help="run only this test, by its file stem (write_read) or Zig's name (write/read); repeatable",
    )
    add(
        "--binding",
        action="append",
        default=[],
        metavar="NAME",
        help="the binding under test: uring, raw, liburing, one built by ci/harness adapters, or NAME=PROGRAM for a program that "
        "you built from your own adapter; repeatable (default: uring)",
    )
    add(
        "--configuration",
        action="append",
        default=[],
        metavar="NAME",
        help="the kind of ring: sqpoll, defer and the others of conformance/catalogue/configurations.toml, or all; "
        "repeatable (default: plain)",
    )
    add(
        "--accel",
        choices=("auto", "kvm", "tcg"),
        default="auto",
        help="how VMs run: auto tries KVM once per boot of this machine and falls back to TCG (default)",
    )
    add(
        "--memory",
        type=_number(int, 64, 1 << 20),
        default=512,
        metavar="MIB",
        help="memory of a VM (default: %(default)s)",
    )
    add(
        "--cpus",
        type=_number(int, 1, 255),
        default=1,
        metavar="N",
        help="processors of a VM (default: %(default)s)",
    )
    add(
        "--boot-deadline",
        type=_number(float, 0.1, DAY_S),
        default=60.0,
        metavar="SECONDS",
        help="give up on a VM that has not reached user space by then (default: %(default)s)",
    )
    add(
        "--fresh-boot",
        action="store_true",
        help="boot every machine from scratch (default: boot a kernel once, keep the booted guest in the cache, and "
        "start there; never with KVM)",
    )
    add(
        "--timeout",
        type=_number(int, 1, DAY_S),
        default=None,
        metavar="SECONDS",
        help="end a test that takes longer (default: as in the catalogue, 20)",
    )
    add(
        "--append",
        default="",
        metavar="PARAMETERS",
        help="more kernel parameters (loglevel=7 shows the whole boot on the console, not just warnings)",
    )
    add(
        "--mirror",
        default=None,
        metavar="URL",
        help="the archive's base address (default: from this machine's apt configuration)",
    )
    add("--refresh", action="store_true", help="ask the archive for newer kernels even if the list is fresh")
    add(
        "--cache",
        type=Path,
        default=None,
        metavar="DIR",
        help="where kernels are kept (default: $XDG_CACHE_HOME/uring-conformance)",
    )
    add(
        "--build",
        type=Path,
        default=BUILD,
        metavar="DIR",
        help="the build directory (default: build)",
    )
    add(
        "--results",
        type=Path,
        default=BUILD / "matrix",
        metavar="DIR",
        help="where results.ndjson, the reports and each machine's console go (default: build/matrix)",
    )
    add(
        "--publish",
        action="store_true",
        help="update reports/ and the table in README.md, if this run covers the whole matrix",
    )


def _number(kind: type[int] | type[float], least: float, most: int) -> Callable[[str], float]:
    """The type of an option whose value is a number within these limits."""

    def parse(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = kind(0)
        if not least <= value <= most:  # also refuses nan
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {least} to {most}")
        return value

    return parse


def pytest_configure(config: pytest.Config) -> None:
    """`-k 6.1` must not match 6.12, nor `uring` liburing: such a word becomes [6.1], as in the name of an item."""
    names = [spec.partition("=")[0] for spec in config.option.binding]
    escaped = [re.escape(name) for name in names] if len(names) > 1 else []
    whole = "|".join((r"\d+\.\d+", *escaped))
    config.option.keyword = re.sub(rf"(?<![\w.+:\[-])({whole})(?![\w.+:\]-])", r"[\1]", config.option.keyword)
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    if worker is None:  # xdist's workers make reports; they do not gather them
        config.pluginmanager.register(Gatherer(config), GATHERER)
    elif CONTROLLER in worker:
        # execnet needs 15 s to notice that the controlling process was killed, and the guests would live on.
        die_with_parent(signal.SIGTERM, worker[CONTROLLER])
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # of a closed terminal: the controlling process ends us


def pytest_sessionstart(session: pytest.Session) -> None:
    """Read the options and data files; a mistake there ends the run before it starts."""
    if not all(_is_own_test(session.config, argument) for argument in session.config.args):
        try:
            _prepare(session.config)
            gatherer = session.config.pluginmanager.get_plugin(GATHERER)
            if gatherer is not None:  # xdist's workers have none
                gatherer.claim()
        except HarnessError as error:
            pytest.exit(harmless(str(error)), returncode=TROUBLE)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """`pytest harness` is the matrix; the harness's own tests run only when given by path."""
    if not collection_path.is_relative_to(OWN_TESTS):
        return None
    return None if any(_is_own_test(config, argument) for argument in config.args) else True


def _is_own_test(config: pytest.Config, argument: str) -> bool:
    return (config.invocation_params.dir / argument.partition("::")[0]).resolve().is_relative_to(OWN_TESTS)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """kernels.toml is the matrix."""
    return MatrixFile.from_parent(parent, path=file_path) if file_path == SETTINGS else None


def _prepare(config: pytest.Config) -> None:
    """Read the options and the two data files."""
    option = config.option
    setup = _setup(option, load_settings())
    config.stash[ROWS] = chosen_rows(option.matrix_test)
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    notices: list[str] = []
    config.stash[NOTICES] = notices
    if worker is None:
        config.stash[SELECTION] = _selection(option, setup, notices)
    else:  # the archive may answer differently by now
        config.stash[SELECTION] = Selection.from_plain(worker[HANDED_OVER])
    if ARCHIVE in (option.kernel or setup.settings.kernels):
        setup = replace(setup, refresh=False)  # the columns already come from the fresh list
    config.stash[SETUP] = setup
    if not option.collectonly:
        _demand_programs(setup, config.stash[SELECTION])


def _demand_programs(setup: Setup, selection: Selection) -> None:
    """HarnessError if a program cannot run where it must."""
    for one in setup.bindings:
        one.demand_program(setup.build, in_guests=any(spec != HOST for spec in selection.specs))
        demand_name(one, build=setup.build, runner=setup.runner)


def _selection(option: Any, setup: Setup, notices: list[str]) -> Selection:
    def notice(said: str) -> None:
        notices.append(said)
        say(said, error=True)

    archive = setup.open_archive(Cache(setup.cache), notice)
    return select(option.kernel, setup.settings, archive, notice=notice, fragments=setup.fragments)


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_xdist_setupnodes(config: pytest.Config) -> None:
    """Our progress is per kernel. xdist's own ("bringing up nodes...") would run into our lines."""
    if reporter := config.pluginmanager.get_plugin("terminaldistreporter"):
        reporter.setstatus = reporter.ensure_show_status = lambda *arguments, **options: None


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand the selected columns to xdist's workers."""
    node.workerinput[CONTROLLER] = os.getpid()
    if selection := node.config.stash.get(SELECTION, None):
        node.workerinput[HANDED_OVER] = selection.plain()


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))  # Path.resolve() raises RuntimeError if symbolic links form a loop


def _setup(option: Any, settings: Settings) -> Setup:
    return Setup(
        build=_real(option.build),
        artefacts=_real(option.results),
        cache=option.cache,
        settings=settings,
        mirror=option.mirror,
        refresh=option.refresh,
        accelerator=option.accel,
        bindings=binding.parse(option.binding),
        memory_mib=option.memory,
        cpus=option.cpus,
        boot_deadline_s=option.boot_deadline,
        fresh_boot=option.fresh_boot,
        append=option.append,
        timeout_s=option.timeout,
        kernel_configs=tuple(option.kernel_config),
        configurations=configuration.parse(option.configuration),
    )


class Gatherer:
    """Gathers the results: in the only process, or in the one that controls xdist's workers."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._matrix: Matrix | None = None
        self._progress: Progress | None = None
        self._lost_workers = False
        self._held = ExitStack()  # until the end of the run

    def claim(self) -> None:
        """The matrix will run: make sure that its results have a place."""
        stash = self._config.stash
        directory = stash[SETUP].artefacts
        selection = stash[SELECTION]
        matrix = Matrix(
            setup=stash[SETUP],
            specs=list(selection.specs),
            rows=stash[ROWS],
            directory=directory,
            hindrance=selection.hindrance,
            messages=stash[NOTICES],
        )
        if not self._config.option.collectonly:
            matrix.claim()
            self._held.enter_context(Cache(matrix.setup.cache).used())
            self._matrix = matrix

    def _begin(self, positions: Iterable[Position]) -> None:
        """The plan is known: fetch the kernels that are missing while the first machines run."""
        assert self._matrix is not None
        chosen = list(positions)
        if self._matrix.begin(chosen) and self._matrix.header is not None:
            self._progress = Progress(self._matrix.directory, (position.series for position in chosen))
            self._progress.start()
            planned = self._matrix.header.plan.kernels
            if len(planned) > 1:
                missing = self._config.stash[SELECTION].missing
                try:
                    self._held.enter_context(fetcher.fetching(missing, planned, self._matrix.setup))
                except HarnessError as error:
                    self._matrix.say(str(error))

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Without xdist: the plan is the selection."""
        cells = [item for item in session.items if isinstance(item, CellItem)]
        if self._matrix is not None:
            self._begin(item.position for item in cells)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """With xdist: each worker reports its selection as node ids (kernels/kernels.toml::6.1::waitid[6.1][liburing]@6.1)."""
        cells = [match for match in map(_NODE_ID.search, ids) if match]
        if self._matrix is not None:
            only = self._matrix.setup.bindings[0].name  # if the ids do not name it
            self._begin(
                Position(match[2], match[1], match[3] or only, match[4] or configuration.PLAIN)
                for match in cells
            )

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, error: object) -> None:
        """A worker of xdist has ended; `error` says that it was not told to."""
        self._lost_workers = self._lost_workers or error is not None

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self) -> None:
        """If several workers die at once, xdist fails: that is no bug of ours that needs a traceback."""
        if self._lost_workers and self._matrix is not None:
            raise pytest.exit.Exception(
                "The processes that run the kernels were killed (out of memory?), and the run was cut short. The results "
                f"so far are in {self._matrix.directory}. Find out what killed them, then run ci/matrix again.",
                pytest.ExitCode.INTERNAL_ERROR,
            )

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write a cell down as soon as it is known. Any other failure is a harness error."""
        if self._matrix is None:
            return
        properties = dict(report.user_properties)
        if report.when == "call" and CELL in properties:
            self._matrix.take(properties)
            if self._progress is not None:
                cell = self._matrix.cells[-1]
                self._progress.cell(cell.series, cell.verdict)
        elif report.failed:
            last_line = str(report.longrepr).strip().rpartition("\n")[2]
            self._matrix.say(f"{report.nodeid} has no result: {last_line}")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Close the results, and set the exit code."""
        if self._progress is not None:
            self._progress.stop()
        self._held.close()
        if self._matrix is None:
            return
        self._matrix.end()
        if exitstatus == pytest.ExitCode.INTERRUPTED:
            session.exitstatus = INTERRUPTED
        elif exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            self._matrix.say("No cell was selected. --collect-only lists the names.")
            session.exitstatus = TROUBLE
        elif exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            if self._config.option.publish:
                publish.publish(self._matrix)
            session.exitstatus = self._matrix.exit_code
        else:
            session.exitstatus = TROUBLE

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """The table, what needs a look, and the time per kernel."""
        if self._matrix is None:
            return
        terminalreporter.section("io_uring conformance")
        if self._matrix.whole is not None:
            terminalreporter.write(harmless(terminal.render(self._matrix.whole)))
        for said in (*self._matrix.troubles, *self._matrix.messages):
            terminalreporter.write_line(harmless(said))


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: pytest.TestReport, config: pytest.Config) -> tuple[str, str, str] | None:
    """With -v a cell shows its verdict; else progress.py shows how far each kernel is. If nothing was asked, no test passed or failed."""
    cell = dict(getattr(report, "user_properties", ())).get(CELL)
    if report.when != "call" or cell is None:
        return None
    verdict = Verdict(cell["verdict"])
    neither = {Verdict.NONE: "no verdict", Verdict.NOT_EXPRESSIBLE: "not expressible"}
    word = verdict.upper().replace("_", " ") if config.option.verbose > 0 else ""
    return neither.get(verdict, report.outcome), "", word
