# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""ci/harness merge: the shards of one run become one run, and shards that are not one run are refused by name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness.__main__ import main
from harness.base.errors import HarnessError
from harness.base.paths import ROOT
from harness.commands import merge, plan
from harness.results.file import read_results
from harness.results.model import Plan
from harness.suite import catalogue
from harness.tests.runs import KERNELS, MADE_OF, TESTS, digest, run, write
from harness.verdicts.judge import Verdict

EXPECTED = Plan(tests=TESTS, kernels=KERNELS, bindings=())
OTHER = digest("other")


@pytest.fixture
def shards(tmp_path):
    """A shard for each kernel, and one with two; with the consoles of each machine."""

    def made(*runs):
        names = []
        for number, one in enumerate(runs):
            directory = tmp_path / f"shard-{number}"
            write(one, directory / "results.ndjson")
            for series in one.header.plan.kernels:
                console = directory / "machines" / series / "boot-1" / "console.log"
                console.parent.mkdir(parents=True, exist_ok=True)
                console.write_text(f"console of {series}")
            names.append(str(directory))
        return names

    return made


@pytest.fixture
def into(tmp_path):
    """Where the merged run goes."""
    return tmp_path / "merged"


def two(**second):
    """The shards of a run on all kernels."""
    return run(kernels=("7.3",)), run({("waitid", "6.1"): Verdict.WRONG}, kernels=("host", "6.1"), **second)


def test_shards_become_the_run_that_one_machine_would_have_made(shards, into):
    early = {
        "started": "2026-11-22T02:00:00Z",
        "host": {"machine": "x86_64", "kernel": "6.17-azure", "cpus": 2},
    }
    first, second = two(**early)
    late = replace(first, footer=replace(first.footer, ended="2026-11-22T04:00:00Z"))
    merged = merge.merge(shards(late, second), EXPECTED, into)
    whole = run(
        {("waitid", "6.1"): Verdict.WRONG},
        started="2026-11-22T02:00:00Z",
        host={"machine": "x86_64", "cpus": 2},
    )
    by_kernel = replace(whole, cells=tuple(sorted(whole.cells, key=lambda cell: KERNELS.index(cell.series))))
    by_kernel = replace(by_kernel, footer=replace(whole.footer, ended="2026-11-22T04:00:00Z"))
    there = read_results(into / "results.ndjson")
    assert replace(there, kernels=()) == replace(read_results(write(by_kernel, into / "whole")), kernels=())
    assert there.kernels == whole.kernels
    assert merged.footer.complete and merged.footer.surprises == 1
    for series in KERNELS:
        assert (into / "machines" / series / "boot-1" / "console.log").read_text() == f"console of {series}"
    page = (into / "index.html").read_text()
    assert (
        "waitid" in page and 'href="machines/6.1/boot-1/console.log"' in page
    )  # the surprise, with what its machine left


def test_merging_again_replaces_what_was_merged(shards, into):
    stale = into / "machines" / "6.1" / "boot-2"
    stale.mkdir(parents=True)
    names = shards(*two())
    assert merge.merge(names, EXPECTED, into) == merge.merge(names, EXPECTED, into)
    assert not stale.exists()


def refused(names, into, *, expected=EXPECTED) -> str:
    """The message about shards that are not one run; nothing may be written."""
    with pytest.raises(HarnessError) as trouble:
        merge.merge(names, expected, into)
    assert not into.exists()
    return str(trouble.value)


def made_of(**parts):
    return {"made_of": replace(MADE_OF, **parts)}


@pytest.mark.parametrize(
    ("second", "says"),
    [
        ({"suite": "ffffffffffff"}, "the commit is ffffffffffff and 1a2b3c4d5e6f"),
        ({"dirty": True}, "whether there are uncommitted changes is True and False"),
        (made_of(binding=OTHER), "the digest of the binding is"),
        (made_of(support=OTHER), "the digest of the support is"),
        (made_of(harness=OTHER), "the digest of the harness is"),
        (made_of(catalogue=OTHER), "the digest of the catalogue is"),
        (made_of(tests=dict(MADE_OF.tests) | {"readv": OTHER}), "the digest of the test readv is"),
        ({"made_of": None}, "shard-1 does not say what it was made from"),
    ],
)
def test_shards_of_different_suites(shards, into, second, says):
    text = refused(shards(*two(**second)), into)
    assert says in text and text.count("\n- ") == 1


def test_shards_through_several_bindings_become_one_run(shards, into):
    both = ("uring", "liburing")
    first = run(kernels=("7.3",), bindings=both)
    second = run({("nop", "6.1", "liburing"): Verdict.WRONG}, kernels=("host", "6.1"), bindings=both)
    merged = merge.merge(shards(first, second), EXPECTED, into)
    assert merged.header.plan.bindings == both and merged.footer.complete and merged.footer.surprises == 1
    assert merged.footer.cells == len(TESTS) * len(KERNELS) * 2
    assert {cell.position for cell in merged.cells} == {
        cell.position for cell in (*first.cells, *second.cells)
    }


def test_shards_with_another_program_of_a_binding(shards, into):
    both = ("uring", "liburing")
    other = run(kernels=("host", "6.1"), bindings=both)
    assert other.header.made_of is not None
    made_of = replace(other.header.made_of, adapters={"liburing": OTHER})
    other = replace(other, header=replace(other.header, made_of=made_of))
    text = refused(shards(run(kernels=("7.3",), bindings=both), other), into)
    assert "the digest of the program of liburing is" in text and text.count("\n- ") == 1


def test_shards_through_different_bindings(shards, into):
    other = run(kernels=("7.3",))
    through = replace(other, cells=tuple(replace(cell, binding="liburing") for cell in other.cells))
    through = replace(
        through, header=replace(other.header, plan=replace(other.header.plan, bindings=("liburing",)))
    )
    assert "the list of bindings is liburing and uring" in refused(
        shards(run(kernels=("6.1", "host")), through), into
    )


def test_a_shard_without_its_footer(shards, into):
    names = shards(*two())
    file = Path(names[0], "results.ndjson")
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-1]))
    text = refused(names, into)
    assert "shard-0: results.ndjson does not end with its only footer: the run was cut short" in text
    assert "The kernel 7.3 is planned, but no shard has it" in text


def test_a_shard_with_a_hole(shards, into):
    whole, other = two()
    names = shards(replace(whole, cells=whole.cells[1:]), other)
    assert "shard-0: results.ndjson: the cell nop on 7.3 through uring is planned but missing" in refused(
        names, into
    )


def test_a_shard_of_another_schema(shards, into):
    names = shards(*two())
    file = Path(names[0], "results.ndjson")
    file.write_text(file.read_text().replace('"schema":2', '"schema":1', 1))
    assert "shard-0: results.ndjson, line 1: these results have schema 1" in refused(names, into)


def test_a_shard_that_left_nothing(tmp_path, shards, into):
    (tmp_path / "shard-2").mkdir()
    assert "shard-2/results.ndjson cannot be read: No such file" in refused(
        [*shards(*two()), str(tmp_path / "shard-2")], into
    )


def test_a_cell_in_two_shards(shards, into):
    text = refused(shards(*two(), run(kernels=("6.1",))), into)
    assert "shard-1 and " in text and "shard-2 both have 3 cells, such as nop on 6.1 through uring" in text


def test_a_kernel_in_no_shard(shards, into):
    assert "The kernel 7.4 is planned, but no shard has it" in refused(
        shards(*two()), into, expected=replace(EXPECTED, kernels=(*KERNELS, "7.4"))
    )


def test_a_test_in_no_shard(shards, into):
    names = shards(run(kernels=("7.3",)), run(kernels=("host", "6.1"), tests=TESTS[:1]))
    text = refused(names, into)
    assert "2 tests missing on host: readv, waitid" in text and "2 tests missing on 6.1" in text


def test_a_kernel_that_was_not_planned(shards, into):
    names = shards(*two(), run(kernels=("bzImage",)))
    assert "shard-2 has the kernel bzImage, which was not planned" in refused(names, into)


def test_a_test_that_is_not_in_the_catalogue(shards, into):
    names = shards(*two())
    text = refused(names, into, expected=replace(EXPECTED, tests=TESTS[:-1]))
    assert "shard-0 has the test waitid, which is not in the catalogue" in text


def test_a_kernel_that_is_planned_twice(shards, into):
    twice = replace(EXPECTED, kernels=(*KERNELS, "6.1"))
    assert "The kernel 6.1 is planned 2 times" in refused(shards(*two()), into, expected=twice)


def test_a_shard_that_would_be_replaced(shards):
    names = shards(*two())
    before = Path(names[0], "results.ndjson").read_text()
    with pytest.raises(HarnessError, match="is itself a shard"):
        merge.merge(names, EXPECTED, Path(names[0]))
    assert Path(names[0], "results.ndjson").read_text() == before


def test_every_problem_is_named_at_once(shards, into):
    first, second = two(suite="ffffffffffff", dirty=True)
    text = refused(shards(first, second, run(kernels=("7.4", "7.3"))), into)
    assert text.count("\n- ") == 4, text  # two disagreements, an overlap, a stranger


def test_a_place_that_cannot_be_written(shards, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(HarnessError, match="The merged results cannot go to .*file: "):
        merge.merge(shards(*two()), EXPECTED, tmp_path / "file")


# --- the plan ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "names"),
    [('["6.1", "host"]', ["6.1", "host"]), ('[{"kernel": "6.1", "cache_key": "x"}]', ["6.1"])],
)
def test_a_plan_names_kernels(text, names):
    assert plan.names_in(text, "it") == names


@pytest.mark.parametrize(
    "text", ["", "6.1", "[]", "{}", "[1]", '[{"cache_key": "x"}]', '[""]', "null", "[6.1"]
)
def test_a_plan_that_is_none(text):
    with pytest.raises(HarnessError, match="It must be a JSON list of kernels"):
        plan.names_in(text, "it")


def test_kernels_are_given_one_by_one_as_json_as_a_file_or_not_at_all(tmp_path):
    (tmp_path / "plan.json").write_text('[{"kernel": "6.1", "cache_key": "x"}]')
    assert plan.chosen(["6.1", '["7.3", "host"]'], None) == ["6.1", "7.3", "host"]
    assert plan.chosen(None, tmp_path / "plan.json") == ["6.1"]
    assert plan.chosen(None, None) == plan.columns()
    with pytest.raises(HarnessError, match="The plan .* cannot be read: .* Create it with ci/harness plan"):
        plan.chosen(None, tmp_path / "none.json")


def test_the_plan_of_this_matrix(tmp_path):
    done = subprocess.run(
        [ROOT / "ci" / "harness", "plan"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    entries = json.loads(done.stdout)
    assert plan.names_in(done.stdout, "it") == plan.columns()
    keys = {entry["kernel"]: entry["cache_key"] for entry in entries}
    assert keys["host"] == "kernel-host"
    assert all(
        key.startswith("kernel-linux-") and "," not in key for name, key in keys.items() if name != "host"
    )


class FakeArchive:
    """An archive that has no kernel at all."""

    def lookup(self, spec):
        return None, None


def test_a_series_that_the_archive_lost_costs_only_its_own_job(capsys):
    assert plan._entry("5.10", FakeArchive()) == plan.Entry(kernel="5.10", cache_key="kernel-5.10")
    assert "The archive currently has no kernel of the series 5.10" in capsys.readouterr().err


def test_an_archive_that_is_down(tmp_path):
    done = subprocess.run(
        [ROOT / "ci" / "harness", "plan", "--mirror", "http://127.0.0.1:9/debian", "--cache", tmp_path],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (
        done.returncode == 2
        and done.stdout == ""
        and "--mirror" in done.stderr
        and "Traceback" not in done.stderr
    )


# --- for real ---------------------------------------------------------------------------------------------------


@pytest.mark.vm
@pytest.mark.slow(12)
def test_two_machines_are_merged_with_their_consoles(tmp_path):
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    for series in ("host", "6.12"):
        command = [
            sys.executable,
            "-m",
            "harness",
            "matrix",
            "--kernel",
            series,
            "--results",
            tmp_path / f"shard-{series}",
        ]
        done = subprocess.run(
            command, cwd=ROOT, env=clean, capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "ublished" not in done.stdout
    command = [
        ROOT / "ci" / "harness",
        "merge",
        tmp_path / "shard-host",
        tmp_path / "shard-6.12",
        "--into",
        tmp_path / "merged",
    ]
    both = ("--kernels", '["6.12", "host"]')
    done = subprocess.run([*command, *both], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Merged 2 shards into ")
    merged = read_results(tmp_path / "merged" / "results.ndjson")
    assert merged.header.plan.kernels == ("6.12", "host") and merged.footer.cells == 2 * len(catalogue.load())
    console = tmp_path / "merged" / "machines" / "6.12" / "boot-1" / "console.log"
    assert "uring-conformance: start nop" in console.read_text()
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "The kernel 5.10 is planned, but no shard has it" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("plan", ["file", "option", "list"])
@pytest.mark.parametrize(
    "name", ["../../kept", "{absolute}", "..", "6.1/../../../kept", "a\nb", "x" * 101, "6.1 "]
)
def test_a_kernel_whose_name_leads_out_of_the_folder(name, plan, shards, into, tmp_path, monkeypatch, capsys):
    """A shard and a plan that agree on such a name deleted the folder that it leads to."""
    monkeypatch.setattr(catalogue, "load", lambda: [row for row in ROWS if row.name in TESTS])
    kept = tmp_path / "kept" / "file"
    kept.parent.mkdir()
    kept.write_text("not ours to delete")
    name = name.format(absolute=kept.parent)
    shard = tmp_path / "hostile" / "results.ndjson"
    write(run(kernels=(name,)), shard)
    (tmp_path / "plan.json").write_text(json.dumps([{"kernel": name}]))
    words = {
        "file": ["--plan", str(tmp_path / "plan.json")],
        "option": [f"--kernels={name}"],
        "list": ["--kernels", json.dumps([name])],
    }[plan]
    assert main(["merge", str(shard), "--into", str(into), *words]) == 2
    assert "which cannot be a name" in capsys.readouterr().err
    assert kept.read_text() == "not ours to delete" and not into.exists()


ROWS = catalogue.load()


@pytest.mark.parametrize(
    ("axis", "says"), [("kernels", "names the kernel"), ("bindings", "names the binding")]
)
def test_a_name_that_leads_out_of_the_folder_in_a_results_file(axis, says, tmp_path):
    path = write(run(**{axis: ("../x",)}), tmp_path / "results.ndjson")
    with pytest.raises(HarnessError, match=rf"^results.ndjson {says} '\.\./x', which cannot be a name"):
        read_results(path)


def test_a_shard_inside_the_folder_that_is_replaced(shards, into, tmp_path):
    first, second = two()
    inside = into / "machines" / "6.1"
    (name,) = shards(first)
    write(second, inside / "results.ndjson")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(HarnessError, match="which the merge replaces. Choose another --into"):
        merge.merge([name, str(inside)], EXPECTED, into)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("kind", ["link", "fifo", "link to a folder"])
def test_consoles_that_are_no_files(kind, shards, into, tmp_path):
    names = shards(*two())
    odd = Path(names[0], "machines", "7.3", "odd")
    if kind == "fifo":
        os.mkfifo(odd)
    else:
        odd.symlink_to("/dev/zero" if kind == "link" else tmp_path)
    assert f"{odd} is not a regular file" in refused(names, into)


def test_a_results_file_that_is_nested_too_deeply(tmp_path, shards, into):
    path = tmp_path / "deep.ndjson"
    path.write_text("[" * 100_000)
    assert "deep.ndjson, line 1 is not JSON" in refused([*shards(*two()), str(path)], into)


@pytest.mark.parametrize("text", ["[" * 100_000, '["6.1"'])
def test_a_plan_that_is_not_json(text):
    with pytest.raises(HarnessError, match="is not JSON"):
        plan.names_in(text, "plan.json")


def test_a_plan_that_never_ends(tmp_path):
    os.mkfifo(tmp_path / "plan")
    for path, kind in ((tmp_path / "plan", "a FIFO"), (Path("/dev/zero"), "a device")):
        with pytest.raises(
            HarnessError, match=f"^The plan {path} cannot be read: it is {kind}, not a regular file"
        ):
            plan.chosen(None, path)
