"""The matrix as a person calls it: `pytest harness`, on the host and in real virtual machines."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness import results
from harness.matrix import ROOT

BUILD = ROOT / "build"
ROWS = 10  # of the catalogue


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
        return {line["stem"]: line["verdict"] for line in self.lines if line.get("series") == series and "stem" in line}


Matrix = Callable[..., Run]


@pytest.fixture
def matrix(tmp_path: Path) -> Matrix:
    """Runs `pytest harness` with the given arguments and results in a directory of its own."""

    def run(*arguments: str, **environment: str) -> Run:
        directory = tmp_path / "results"
        command = ["/usr/bin/python3", "-m", "pytest", "harness", "--results", str(directory), *arguments]
        # Not the variables of the pytest, and the xdist worker, that runs this test.
        clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
        done = subprocess.run(
            command, cwd=ROOT, env=clean | environment, text=True, check=False, timeout=600,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        return Run(done.returncode, done.stdout, directory)

    return run


def test_the_host_is_as_expected(matrix: Matrix) -> None:
    run = matrix("--kernel", "host")
    assert run.code == 0, run.output
    assert set(run.verdicts("host").values()) <= {"works", "absent"}
    whole = results.read(run.directory / "results.ndjson")
    assert whole.footer.complete and whole.footer.cells == ROWS
    assert f"{ROWS} cells: " in run.output and "0 need a look" in run.output


def test_a_binding_that_is_refused_everything_is_red_and_never_absent(matrix: Matrix) -> None:
    run = matrix("--kernel", "host", "--kernel", "5.10", "--binding", "lie:refuse_all")
    assert run.code == 1, run.output
    for series in ("host", "5.10"):
        verdicts = run.verdicts(series)
        assert len(verdicts) == ROWS
        assert verdicts.pop("structs_offsets_entries") == "works"  # needs no ring
        assert set(verdicts.values()) == {"wrong"}, (series, verdicts)


def test_one_wrong_byte_in_a_prepare_function_is_red_everywhere(matrix: Matrix, tmp_path: Path) -> None:
    build = mutated_build(tmp_path, "mkdirat_test.cc", "address_of(path), mode, 0)", "address_of(path), mode + 1, 0)")
    run = matrix("--kernel", "host", "--kernel", "5.10", "--test", "mkdirat", "--test", "nop", "--build", str(build))
    assert run.code == 1, run.output
    assert run.verdicts("host") == run.verdicts("5.10") == {"nop": "works", "mkdirat": "wrong"}


def mutated_build(directory: Path, source: str, old: str, new: str) -> Path:
    """A build directory whose conformance program has one file compiled against a changed binding."""
    include = directory / "include"
    shutil.copytree(ROOT / "bindings" / "include", include)
    for header in include.rglob("prep*.h"):
        text = header.read_text()
        header.write_text(text.replace(old, new))
    assert any(new in header.read_text() for header in include.rglob("prep*.h")), f"{old!r} is not in the binding"

    commands = json.loads((BUILD / "compile_commands.json").read_text())
    compile_one = next(entry for entry in commands if entry["file"].endswith(f"/{source}"))
    changed = directory / "changed.o"
    words = [
        f"-I{include}" if word == f"-I{ROOT / 'bindings' / 'include'}" else word
        for word in shlex.split(compile_one["command"])
    ]
    original = Path(compile_one["directory"], words[words.index("-o") + 1])
    words[words.index("-o") + 1] = str(changed)
    subprocess.run(words, cwd=compile_one["directory"], check=True)

    objects = [
        changed if path == original else path
        for folder in ("conformance.dir", "conformance_support.dir")
        for path in sorted((BUILD / "conformance" / "CMakeFiles" / folder).rglob("*.o"))
    ]
    build = directory / "build"
    (build / "conformance").mkdir(parents=True)
    (build / "harness").mkdir()
    (build / "harness" / "guest").symlink_to(BUILD / "harness" / "guest")
    program = build / "conformance" / "conformance"
    subprocess.run([words[0], "-static", "-o", program, *objects, "-lgtest"], check=True, stderr=subprocess.DEVNULL)
    return build


def test_a_forbidden_io_uring_is_no_verdict_with_its_cause(matrix: Matrix) -> None:
    run = matrix("--kernel", "6.12", "--test", "nop", "--append", "sysctl.kernel.io_uring_disabled=2")
    assert run.code == 2, run.output
    assert run.verdicts("6.12") == {"nop": "none"}
    assert "kernel.io_uring_disabled is 2" in run.output


def test_k_selects_a_series_and_not_those_that_begin_alike(matrix: Matrix) -> None:
    run = matrix("-k", "waitid and 6.1", "--collect-only", "--quiet")
    assert [line for line in run.output.splitlines() if "::" in line] == ["kernels.toml::6.1::waitid[6.1]"]


def test_workers_gather_the_same_results(matrix: Matrix) -> None:
    run = matrix("--kernel", "host", "--numprocesses", "2", "--dist", "loadgroup")
    assert run.code == 0, run.output
    assert results.read(run.directory / "results.ndjson").footer.cells == ROWS


# --- our own trouble: a sentence each, exit code 2, other results kept -----------------------------------------


def trouble(run: Run, *sentences: str) -> None:
    """Demands exit code 2, the words, and that nobody sees a traceback."""
    assert run.code == 2, run.output
    for sentence in sentences:
        assert sentence in run.output, run.output
    assert "Traceback" not in run.output and "Error:" not in run.output, run.output


def test_a_file_that_is_no_kernel_costs_only_its_own_column(matrix: Matrix) -> None:
    run = matrix("--kernel", "README.md", "--kernel", "host")
    trouble(run, "README.md is not a kernel image: ")
    assert set(run.verdicts("README.md").values()) == {"none"}
    assert set(run.verdicts("host").values()) == {"works"}


def test_a_series_that_does_not_exist(matrix: Matrix) -> None:
    run = matrix("--kernel", "9.9", "--kernel", "host", "--test", "nop")
    trouble(run, "9.9 is neither a file nor a kernel series of the archive", "6.12")
    assert run.verdicts("host") == {"nop": "works"}


def test_a_mirror_that_is_down(matrix: Matrix, tmp_path: Path) -> None:
    nothing_listens = "http://127.0.0.1:9/debian"
    run = matrix("--kernel", "6.1", "--test", "nop", "--mirror", nothing_listens, "--cache", str(tmp_path / "cache"))
    trouble(run, "--mirror")
    assert run.verdicts("6.1") == {"nop": "none"}


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


def test_a_mistake_in_the_call(matrix: Matrix) -> None:
    trouble(matrix("--test", "wait_id"), "There is no test 'wait_id'. There are: ")
    trouble(matrix("--kernel", "host", "-k", "nothing_is_called_so"))


def test_programs_that_were_not_built(matrix: Matrix, tmp_path: Path) -> None:
    trouble(matrix("--kernel", "host", "--build", str(tmp_path)), "Build first")


def test_another_binding_than_the_programs(matrix: Matrix) -> None:
    run = matrix("--kernel", "host", "--test", "nop", "--binding", "other")
    trouble(run)
    assert run.verdicts("host") == {"nop": "none"}
