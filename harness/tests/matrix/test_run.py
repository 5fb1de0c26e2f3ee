# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The matrix as a person calls it: `pytest harness`, on the host and in real virtual machines."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase as fnmatch
from pathlib import Path
from typing import Any

import pytest

from harness.base.errors import HarnessError
from harness.base.paths import BUILD, ROOT
from harness.kernels.settings import load_settings
from harness.kernels.spec import columns_for
from harness.matrix import publish
from harness.matrix.column import Setup
from harness.matrix.gather import Matrix as MatrixState
from harness.matrix.plugin import Gatherer
from harness.results.file import read_results
from harness.results.model import Position
from harness.results.provenance import provenance_of
from harness.suite import binding, catalogue
from harness.suite.catalogue import chosen_rows
from harness.tests.machines.test_machine import wait_until

ROWS = len(catalogue.load())


@dataclass(frozen=True, slots=True)
class Run:
    """A finished `pytest harness`."""

    code: int
    output: str
    directory: Path

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The lines of its results file."""
        return [json.loads(line) for line in (self.directory / "results.ndjson").read_text().splitlines()]

    def verdicts(self, series: str) -> dict[str, str]:
        """Stem and verdict of each cell of a column."""
        return {
            line["stem"]: line["verdict"]
            for line in self.lines
            if line.get("series") == series and "stem" in line
        }


Matrix = Callable[..., Run]


@pytest.fixture
def matrix(tmp_path: Path) -> Matrix:
    """Runs `pytest harness` with the given arguments and results in a directory of its own."""

    def run(*arguments: str, **environment: str) -> Run:
        directory = tmp_path / "results"
        command = ["/usr/bin/python3", "-m", "pytest", "harness", "--results", str(directory), *arguments]
        # Without the variables of the pytest and the xdist worker that run this test.
        clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=clean | environment,
            text=True,
            check=False,
            timeout=600,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        return Run(done.returncode, done.stdout, directory)

    return run


def expect_quiet(verdicts: dict[str, str]) -> None:
    """Of the host: nothing needs a look, and only rows that need a guest are not run."""
    guests = {row.stem for row in catalogue.load() if row.machine is not None}
    assert {stem for stem, verdict in verdicts.items() if verdict == "not_expressible"} == guests
    assert set(verdicts.values()) <= {"works", "absent", "known", "not_expressible"}


def test_the_host_is_as_expected(matrix: Matrix) -> None:
    run = matrix("--kernel", "host")
    assert run.code == 0, run.output
    expect_quiet(run.verdicts("host"))
    whole = read_results(run.directory / "results.ndjson")
    assert whole.footer.complete and whole.footer.cells == ROWS
    assert whole.header.made_of == provenance_of(catalogue.load())
    assert f"{ROWS} cells: " in run.output and "0 need a look" in run.output
    assert "No surprises." in (run.directory / "index.html").read_text()


@pytest.mark.vm
@pytest.mark.slow(20)
def test_a_binding_that_is_refused_everything_is_red_and_never_absent(matrix: Matrix) -> None:
    lie = (
        "--binding",
        "lie:refuse_all",
        "--timeout",
        "1",
    )  # a few rows wait for a completion that never comes
    run = matrix("--kernel", "host", "--kernel", "5.10", *lie, "--numprocesses", "2", "--dist", "loadgroup")
    assert run.code == 1, run.output
    for series in ("host", "5.10"):
        verdicts = run.verdicts(series)
        assert len(verdicts) == ROWS
        for row in ("structs_offsets_entries", "interface_numbers"):  # these need no ring
            assert verdicts.pop(row) == "works"
        assert verdicts.pop("sqpoll") == "works"  # a thread of the kernel submits, which no lie stands before
        # Nor before a ring with large entries or in the caller's memory, and a query needs none. A kernel without them is wrong.
        for row in ("query", "ring_in_own_memory", "big_entries", "cqe_mixed"):
            assert verdicts.pop(row) in ("works", "wrong"), (series, row)
        if series == "host":
            verdicts = {row: verdict for row, verdict in verdicts.items() if verdict != "not_expressible"}
        assert set(verdicts.values()) == {"wrong"}, (series, verdicts)


#: Row, and the wrong byte. The operation whose absence on 5.10 is witnessed, and one that is judged there by its bytes alone.
WRONG_BYTES = {
    "mkdirat": ("address_of(path), mode, 0)", "address_of(path), mode + 1, 0)"),
    "bind_listen_connect": ("Op::shutdown, fd, 0, how, 0)", "Op::shutdown, fd, 0, 0, how)"),
}


@pytest.mark.vm
@pytest.mark.slow(15)
def test_one_wrong_byte_in_a_prepare_function_is_red_everywhere(matrix: Matrix, tmp_path: Path) -> None:
    build = mutated_build(tmp_path)
    tests = [word for stem in (*WRONG_BYTES, "nop") for word in ("--test", stem)]
    run = matrix("--kernel", "host", "--kernel", "5.10", *tests, "--build", str(build))
    assert run.code == 1, run.output
    assert (
        run.verdicts("host") == run.verdicts("5.10") == {"nop": "works"} | dict.fromkeys(WRONG_BYTES, "wrong")
    )


def mutated_build(directory: Path) -> Path:
    """A build directory whose conformance program has each of the rows compiled against a binding with its wrong byte."""
    commands = json.loads((BUILD / "compile_commands.json").read_text())
    changed: dict[Path, Path] = {}
    compilers = []
    for stem, (old, new) in WRONG_BYTES.items():
        include = directory / stem
        shutil.copytree(ROOT / "bindings" / "include", include)
        for header in include.rglob("prep*.h"):
            header.write_text(header.read_text().replace(old, new))
        assert any(
            new in header.read_text() for header in include.rglob("prep*.h")
        ), f"{old!r} is not in the binding"
        entry = next(one for one in commands if one["file"].endswith(f"/{stem}_test.cc"))
        words = shlex.split(entry["command"])
        words = words[
            next(at for at, word in enumerate(words) if word.startswith("-")) - 1 :
        ]  # without ccache and the like
        ours = f"-I{ROOT / 'bindings' / 'include'}"
        words = [f"-I{include}" if word == ours else word for word in words]
        while "-include" in words:  # the precompiled header holds the unchanged binding
            del words[words.index("-include") : words.index("-include") + 2]
        target = words.index("-o") + 1
        changed[Path(entry["directory"], words[target])] = directory / f"{stem}.o"
        words[target] = str(directory / f"{stem}.o")
        compilers.append(subprocess.Popen([*words, "-O0", "-g0"], cwd=entry["directory"]))
    assert [compiler.wait() for compiler in compilers] == [0] * len(compilers)

    outputs = [
        Path(entry["directory"], entry["command"].partition(" -o ")[2].partition(" ")[0])
        for entry in commands
    ]
    objects = [
        changed.get(path, path)
        for folder in ("conformance.dir", "conformance_uring.dir", "conformance_support.dir")
        for path in outputs
        if folder in path.parts and path.suffix == ".o"
    ]
    assert set(changed.values()) <= set(objects)
    build = directory / "build"
    (build / "conformance").mkdir(parents=True)
    (build / "harness").mkdir()
    (build / "harness" / "guest").symlink_to(BUILD / "harness" / "guest")
    program = build / "conformance" / "conformance"
    subprocess.run(
        [words[0], "-static", "-o", program, *objects, "-lgtest"], check=True, stderr=subprocess.DEVNULL
    )
    return build


@pytest.mark.vm
@pytest.mark.slow(4)
def test_a_forbidden_io_uring_is_no_verdict_with_its_cause(matrix: Matrix) -> None:
    run = matrix("--kernel", "6.12", "--test", "nop", "--append", "sysctl.kernel.io_uring_disabled=2")
    assert run.code == 2, run.output
    assert run.verdicts("6.12") == {"nop": "none"}
    assert "kernel.io_uring_disabled is 2" in run.output


def test_k_selects_a_series_and_not_those_that_begin_alike(matrix: Matrix) -> None:
    run = matrix("-k", "statx and 6.1", "--collect-only", "--quiet")
    assert [line for line in run.output.splitlines() if "::" in line] == [
        "kernels/kernels.toml::6.1::statx[6.1]"
    ]


def test_workers_gather_the_same_results(matrix: Matrix) -> None:
    run = matrix("--kernel", "host", "--numprocesses", "2", "--dist", "loadgroup")
    assert run.code == 0, run.output
    assert read_results(run.directory / "results.ndjson").footer.cells == ROWS


def test_every_test_of_the_program_belongs_to_one_row() -> None:
    program = BUILD / "conformance" / "conformance"
    listed = subprocess.run(
        [program, "--gtest_list_tests"], check=True, capture_output=True, text=True
    ).stdout
    suite, tests = "", []
    for line in listed.splitlines():
        if line.startswith("  "):
            tests.append(suite + line.split("#")[0].strip())
        else:
            suite = line.split("#")[0].strip()
    tests = [test for test in tests if not test.startswith("DISABLED_")]
    assert len(tests) > 2 * ROWS
    for test in tests:
        rows = [
            row.stem for row in catalogue.load() if any(fnmatch(test, one) for one in row.filter.split(":"))
        ]
        assert len(rows) == 1, f"{test} is run with {rows or 'no row'}: name its suite after its file"


@contextlib.contextmanager
def started(directory: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A run in a session of its own, from the moment when it has a machine."""
    with subprocess.Popen(
        ["/usr/bin/python3", "-m", "harness", "matrix", "--results", str(directory), *options],
        cwd=ROOT,
        text=True,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        wait_until(lambda: machines_of(directory) or process.poll() is not None)
        assert machines_of(directory), "the machine never started"
        yield process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.vm
@pytest.mark.slow(5)
def test_an_interrupted_run_keeps_its_results_and_leaves_no_machine(
    tmp_path: Path, number: signal.Signals, workers: str
) -> None:
    directory = tmp_path / "results"
    with started(directory, "--kernel", "host", "--kernel", "6.1", "--numprocesses", workers) as process:
        if (
            number is signal.SIGHUP
        ):  # a terminal that is closed sends it to all of its processes, and a shell once more
            os.killpg(process.pid, number)
            time.sleep(0.1)
        os.kill(process.pid, number)
        output = process.communicate(timeout=60)[0]
    assert process.returncode == 130, output
    kinds = [json.loads(line)["kind"] for line in (directory / "results.ndjson").read_text().splitlines()]
    assert kinds[0] == "header" and kinds[-1] == "footer"
    assert "Cut short" in output and "Published" not in output
    assert f"Reports: {directory}/index.html" in output
    assert {file.name for file in directory.iterdir()} >= {
        "index.html",
        "matrix.md",
        "junit.xml",
        "results.ktap",
        "badge.json",
    }
    assert not machines_of(directory)


@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.vm
@pytest.mark.slow(5)
def test_a_killed_run_leaves_no_machine(tmp_path: Path, workers: str) -> None:
    directory = tmp_path / "results"
    hangs = "rdinit=/nothing panic=0"  # the kernel panics and stays
    with started(directory, "--kernel", "5.10", "--append", hangs, "--numprocesses", workers) as process:
        process.kill()
    began = time.monotonic()
    wait_until(lambda: not machines_of(directory))
    assert time.monotonic() - began < 3, "until xdist's workers noticed by themselves"


@pytest.mark.vm
@pytest.mark.slow(5)
def test_a_run_whose_workers_are_killed_is_our_trouble(tmp_path: Path) -> None:
    directory = tmp_path / "results"
    with started(directory, "--kernel", "6.1", "--kernel", "host", "--numprocesses", "2") as process:
        for _ in range(20):  # xdist replaces them
            for worker in workers_of(process.pid):
                os.kill(worker, signal.SIGKILL)
            time.sleep(0.05)
        output = process.communicate(timeout=60)[0]
    assert process.returncode == 2, output
    assert "The processes that run the kernels were killed" in output and "INTERNALERROR" not in output
    assert read_lines(directory)[-1]["kind"] == "footer"
    assert not machines_of(directory)


def workers_of(pid: int) -> list[int]:
    """xdist's workers among the children of our child."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    found = [int(child) for child in children.read_text().split()] if children.exists() else []
    return [
        child
        for child in found
        if b"execnet" in command_line_of(child) or b"exec(eval" in command_line_of(child)
    ]


def command_line_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def read_lines(directory: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (directory / "results.ndjson").read_text().splitlines()]


def machines_of(directory: Path) -> list[str]:
    """QEMU processes whose command line names the directory."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if str(directory) in (line := file.read_text()) and line.startswith("qemu"):
                found.append(line)
    return found


# --- our own trouble: a sentence each, exit code 2, other results kept -----------------------------------------


def trouble(run: Run, *sentences: str) -> None:
    """Demands exit code 2, the words, and no traceback."""
    assert run.code == 2, run.output
    for sentence in sentences:
        assert sentence in run.output, run.output
    assert "Traceback" not in run.output and "Error:" not in run.output, run.output


def test_a_file_that_is_no_kernel_costs_only_its_own_column(matrix: Matrix) -> None:
    run = matrix("--kernel", "README.md", "--kernel", "host")
    trouble(run, "README.md is not a kernel image: ")
    assert set(run.verdicts("README.md").values()) == {"none"}
    expect_quiet(run.verdicts("host"))


def test_a_series_that_does_not_exist(matrix: Matrix, stale: Path) -> None:
    # A series that is newer than the list of packages is asked for, and the real archive takes its time to answer.
    away = ("--mirror", NOTHING_LISTENS, "--cache", str(stale))
    run = matrix("--kernel", "9.9", "--kernel", "host", "--test", "nop", *away)
    trouble(run, "9.9 is neither a file nor a kernel series of the archive", "6.12")
    assert run.verdicts("host") == {"nop": "works"}


def test_a_mirror_that_is_down(matrix: Matrix, tmp_path: Path) -> None:
    run = matrix(
        "--kernel", "6.1", "--test", "nop", "--mirror", NOTHING_LISTENS, "--cache", str(tmp_path / "cache")
    )
    trouble(run, "--mirror")
    assert run.verdicts("6.1") == {"nop": "none"}


NOTHING_LISTENS = "http://127.0.0.1:9/debian"


def test_the_whole_matrix_with_a_cold_cache_and_no_archive(matrix: Matrix, tmp_path: Path) -> None:
    run = matrix("--mirror", NOTHING_LISTENS, "--cache", str(tmp_path / "cache"))
    trouble(run, f"The package archive at {NOTHING_LISTENS} cannot be used: ", "--mirror")
    assert not (tmp_path / "results").exists()


@pytest.fixture
def stale(tmp_path: Path) -> Path:
    """A cache that knows which kernels the archive had two months ago, and has none of them."""
    packages = {
        series: {
            "series": series,
            "name": f"linux-image-{series}",
            "version": "1",
            "release": series,
            "suite": "sid",
        }
        for series in ("6.1", "6.12")
    }
    fact = {"when": "2026-01-01T00:00:00+00:00", "left_out": {}, "packages": packages, "older": []}
    fact["suites"] = list(load_settings().suites)
    (tmp_path / "cache" / "facts").mkdir(parents=True)
    (tmp_path / "cache" / "facts" / "index.json").write_text(json.dumps(fact))
    return tmp_path / "cache"


REMEMBERED = "Using the list of packages of 2026-01-01 00:00 UTC."


@pytest.mark.slow(8)
def test_the_whole_matrix_from_memory_says_so_and_asks_once_for_all_workers(
    matrix: Matrix, stale: Path
) -> None:
    arguments = ("--mirror", NOTHING_LISTENS, "--cache", str(stale), "--test", "nop", "--publish")
    run = matrix(*arguments, "--numprocesses", "2", "--dist", "loadgroup")
    trouble(run, REMEMBERED, "Not published: ")
    assert [run.verdicts(series) for series in ("6.1", "6.12", "host")] == [{"nop": "none"}] * 2 + [
        {"nop": "works"}
    ]
    assert run.lines[0]["plan"]["kernels"] == [
        "6.1",
        "6.12",
        "host",
    ]  # though the host, which needs nothing, ran first
    run = matrix(
        *arguments, "-k", "host", "--numprocesses", "2", "--dist", "loadgroup", "--capture=no", "--quiet"
    )
    assert run.code == 0, run.output
    assert "bringing up nodes" not in run.output  # xdist's own progress
    assert run.output.count(REMEMBERED) == 2  # at once and in the summary: no worker asked again


def test_no_qemu(matrix: Matrix, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for directory in ("/usr/bin", "/bin"):
        for program in Path(directory).iterdir():
            link = programs / program.name
            if not program.name.startswith("qemu") and not link.is_symlink():
                link.symlink_to(program)
    run = matrix("--kernel", "6.1", "--kernel", "host", "--test", "nop", PATH=str(programs))
    trouble(run, "apt install qemu-system-x86")
    assert run.verdicts("host") == {"nop": "works"}


def test_a_full_disk(matrix: Matrix, tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "results.ndjson").symlink_to("/dev/full")
    run = matrix("--kernel", "host", "--test", "nop")
    trouble(run, "No space left on device")
    assert "No surprises." in (run.directory / "index.html").read_text(), "nothing is lost that was measured"


def test_a_mistake_in_the_call(matrix: Matrix) -> None:
    trouble(matrix("--test", "wait_id"), "There is no test 'wait_id'. There are: ")
    trouble(matrix("--kernel", "host", "-k", "nothing_is_called_so"))


@pytest.mark.parametrize(
    "spec",
    ["..", ".", "", "/", "harness", "../main/..", "a/b\nc"],
)
def test_a_name_that_could_not_head_a_column(spec: str) -> None:
    with pytest.raises(HarnessError, match="is not a kernel"):
        columns_for([spec], {}, ())


@pytest.mark.parametrize("name", ["host", "6.1"])
def test_a_file_that_is_named_like_another_column(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(HarnessError, match="which means something else"):
        columns_for([str(tmp_path / name)], {}, ())


def test_a_folder_of_results_is_left_alone_but_for_our_own(matrix: Matrix, tmp_path: Path) -> None:
    theirs = tmp_path / "results" / "host" / "precious"
    theirs.mkdir(parents=True)
    assert matrix("--kernel", "host", "--test", "nop").code == 0
    assert theirs.exists()
    assert (tmp_path / "results" / ".lock").stat().st_mode & 0o077 == 0, "whoever can open it can hold it"


def test_two_runs_in_one_place(matrix: Matrix, tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    with (tmp_path / "results" / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        trouble(matrix("--kernel", "host", "--test", "nop"), "Another run is writing to")


def test_results_that_have_no_place(matrix: Matrix, tmp_path: Path) -> None:
    (tmp_path / "results").touch()
    trouble(matrix("--kernel", "host", "--test", "nop"), "The results cannot go to", "--results")


def test_a_failure_that_is_no_cell_is_our_trouble(tmp_path: Path) -> None:
    setup = Setup(build=BUILD, artefacts=tmp_path)
    state = MatrixState(setup=setup, specs=["host"], rows=chosen_rows(["nop"]), directory=tmp_path)
    state.begin([Position("nop", "host", "uring")])
    gatherer = Gatherer(None)
    gatherer._matrix = state
    crashed = pytest.TestReport(
        "kernels/kernels.toml::host::nop[host]", ("x", None, "x"), {}, "failed", "worker died", "???"
    )
    gatherer.pytest_runtest_logreport(crashed)
    assert state.troubles == ["kernels/kernels.toml::host::nop[host] has no result: worker died"]
    assert state.exit_code == 2


def test_a_folder_of_results_that_is_removed_during_the_run(matrix: Matrix, tmp_path: Path) -> None:
    # The program under test does it, so that there is no race.
    build = tmp_path / "build"
    script(build / "conformance" / "conformance", f'rm -rf {tmp_path}/results; exec {PROGRAM} "$@"')
    (build / "harness").symlink_to(BUILD / "harness")
    run = matrix("--kernel", "host", "--test", "nop", "--build", str(build))
    trouble(run, "results.ndjson was removed or replaced during the run, and its lines are lost")
    assert not (run.directory / "index.html").exists(), "reports without their results"


def test_a_program_that_deletes_itself(matrix: Matrix, tmp_path: Path) -> None:
    program = script(tmp_path / "program", "rm -f $0")  # when it is asked for its name
    run = matrix("--kernel", "host", "--test", "nop", "--binding", f"other={program}")
    trouble(run, f"{program} cannot be read: No such file or directory. Build it again.")


PROGRAM = BUILD / "conformance" / "conformance"


def script(path: Path, does: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{does}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("limit", ["0", "8", "64", "30000"])
def test_a_limit_on_the_size_of_files(tmp_path: Path, limit: str) -> None:
    options = f"--kernel host --kernel 5.10 --test nop --results {tmp_path} --numprocesses 0"
    done = subprocess.run(
        ["bash", "-c", f"ulimit -f {limit}; exec /usr/bin/python3 -m harness matrix {options} 2>&1 | cat"],
        cwd=ROOT, text=True, check=False, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert "Traceback" not in done.stdout and "Error" not in done.stdout, done.stdout
    assert "File too large" in done.stdout or "No usable temporary directory" in done.stdout, done.stdout


@pytest.mark.parametrize("option", ["--results", "--build", "--cache"])
def test_a_path_whose_links_form_a_loop(matrix: Matrix, tmp_path: Path, option: str) -> None:
    (tmp_path / "loop").symlink_to("loop")
    trouble(
        matrix("--kernel", "host", "--test", "nop", option, str(tmp_path / "loop")), str(tmp_path / "loop")
    )


@pytest.mark.parametrize(
    "option",
    [
        "--boot-deadline=nan",
        "--boot-deadline=1e6",
        "--timeout=999999999",
        "--memory=99999999",
        "--cpus=9999",
        "--memory=-5",
        "--cpus=0",
        "--timeout=x",
        "--accel=warp",
    ],
)
def test_options_that_make_no_sense(option: str) -> None:
    done = subprocess.run(
        ["/usr/bin/python3", "-m", "harness", "matrix", option],
        cwd=ROOT,
        text=True,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 2, done.stdout
    assert option.split("=")[0] in done.stdout and "Traceback" not in done.stdout
    assert "is not a number from" in done.stdout or "invalid choice" in done.stdout


def test_only_the_whole_matrix_as_it_stands_is_published(tmp_path: Path) -> None:
    def hindrance(planned: list[str], rows: list[str], known: str | None = None, **setup: Any) -> str | None:
        whole = Setup(build=BUILD, artefacts=tmp_path, **setup)
        state = MatrixState(
            setup=whole, specs=everything, rows=chosen_rows(rows), directory=tmp_path, hindrance=known
        )
        state.begin(
            Position(row.stem, spec, one.name)
            for spec in planned
            for row in state.rows
            for one in whole.bindings
        )
        state.end()
        return publish._hindrance(state)

    everything = ["6.1", "6.12", "host"]
    assert "not exactly the matrix" in str(hindrance(everything[1:], []))
    assert hindrance(everything, [], known="the archive was away.") == "the archive was away."
    assert "not exactly the matrix" in str(hindrance(everything, ["nop"]))
    assert "--append" in str(hindrance(everything, [], append="quiet"))
    for bindings in (("other",), ("uring", "raw")):
        assert "--binding" in str(hindrance(everything, [], bindings=binding.parse(bindings)))
    assert "have no verdict" in str(hindrance(everything, []))  # nothing ran


def test_columns_that_a_publication_loses_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = read_results(ROOT / "reports" / "results.ndjson").header.plan.kernels
    assert publish._gone(columns) == []
    assert publish._gone(columns[1:]) == [columns[0]]
    monkeypatch.setattr(publish, "REPORTS", tmp_path)
    assert publish._gone(()) == []  # nothing was published yet
    (tmp_path / "results.ndjson").write_text("{}\n")
    assert publish._gone(()) == []  # the published results cannot be read, which must not prevent new ones


def test_a_run_keeps_the_cache_from_being_cleared(tmp_path: Path) -> None:
    results_, cache = tmp_path / "results", tmp_path / "cache"
    arguments = ("--kernel", "host", "--cache", str(cache), "--results", str(results_))
    clear = ["/usr/bin/python3", "-m", "harness", "kernels", "clear", "--cache", str(cache)]
    with subprocess.Popen(
        ["/usr/bin/python3", "-m", "harness", "matrix", *arguments],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as run:
        while run.poll() is None and not (results_ / "results.ndjson").exists():
            time.sleep(0.02)
        refused = subprocess.run(clear, cwd=ROOT, text=True, capture_output=True, check=False)
        assert run.poll() is None, "the run was too quick to tell anything"
        run.send_signal(signal.SIGINT)
    assert refused.returncode == 2 and "A run is using the cache" in refused.stderr, refused.stderr
    assert subprocess.run(clear, cwd=ROOT, check=False, capture_output=True).returncode == 0


def test_programs_that_were_not_built(matrix: Matrix, tmp_path: Path) -> None:
    trouble(matrix("--kernel", "host", "--build", str(tmp_path)), "Build first")


def test_another_binding_than_the_programs(matrix: Matrix) -> None:
    run = matrix(
        "--kernel", "host", "--test", "nop", "--binding", f"other={BUILD / 'conformance' / 'conformance'}"
    )
    trouble(run, 'does not run as the binding other: this program tests the binding "uring", not "other"')
    assert not (run.directory / "results.ndjson").exists()  # nothing was asked under a wrong name
