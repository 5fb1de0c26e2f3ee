# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""`ci/harness kernels`: listing, fetching and clearing, on a small signed archive and a cache of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from harness.__main__ import main
from harness.base.cache import Cache
from harness.base.paths import ROOT
from harness.commands import kernels as inventory
from harness.kernels import tree
from harness.kernels.archive import Archive, Pin
from harness.kernels.settings import Settings
from harness.tests.kernels.test_spec import bzimage, vmlinux
from harness.tests.kernels.test_tree import MAKEFILE
from harness.tests.signed_archive import DEAD

GOLDEN = Path(__file__).parents[1] / "golden"
BIG = vmlinux(text=bytes(3 << 20))


@pytest.fixture
def archive(repository):
    """Two versions of 6.1, one of 6.12 and 6.16."""
    for release, version in (
        ("6.1.0-9", "6.1.99-1"),
        ("6.1.0-10", "6.1.100-1"),
        ("6.12.7", "6.12.7-1"),
        ("6.16.1", "6.16.1-1"),
    ):
        image = bzimage(BIG, release=f"{release}-cloud-amd64")
        repository.add("bookworm", f"linux-image-{release}-cloud-amd64", version, image)
    return repository.publish()


@pytest.fixture
def settings():
    """kernels.toml; a test changes it as it likes."""
    return {"kernels": ("archive", "host"), "suites": ("bookworm",), "exclude": {"6.16": "it does not boot"}}


@pytest.fixture
def run(archive, gnupg, settings, tmp_path, monkeypatch, capsys):
    """ci/harness kernels with these words; its exit code and what it printed to stdout and stderr."""
    monkeypatch.setattr(inventory, "Archive", partial(Archive, keyring=gnupg / "keyring.gpg"))

    def as_they_are_now() -> Settings:
        return Settings(**settings)

    monkeypatch.setattr(inventory, "load_settings", as_they_are_now)

    def run(*words: str, mirror: str = archive.uri) -> tuple[int, str, str]:
        more = [] if "clear" in words else ["--mirror", mirror]
        code = main(["kernels", *words, "--cache", str(tmp_path / "cache"), *more])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def linux(tmp_path, monkeypatch):
    """A kernel's source tree that was built into the cache."""
    monkeypatch.setattr(tree, "PROGRAMS", {})
    monkeypatch.setattr(tree, "HEADERS", {})
    root = tmp_path / "linux"
    root.mkdir()
    for name, text in (
        ("Makefile", MAKEFILE),
        ("unknown", "\n"),
        ("release", "6.18.0\n"),
        ("source", "true\n"),
    ):
        (root / name).write_text(text)
    (root / "image").write_bytes(bzimage(release="6.18.0"))
    return root


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_the_list_says_what_there_is_and_what_is_cached(run, settings, linux, tmp_path):
    settings["pin"] = {"6.12": Pin(version="6.12.6-1", reason="the next one hangs")}
    settings["local"] = {"mine": linux}
    assert run("fetch", "6.1=6.1.99-1", "6.1", str(linux))[0] == 0
    code, out, err = run("list")
    assert (code, err) == (0, "")
    out = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "(when)", out).replace(str(tmp_path), "(tmp)")
    assert out == (GOLDEN / "kernels.txt").read_text()
    assert run()[1].splitlines()[1:] == run("list")[1].splitlines()[1:]


def test_the_list_for_scripts_names_package_and_version_of_each_column(run, archive):
    assert run("fetch", "6.1")[0] == 0
    code, out, _ = run("list", "--json")
    listed = json.loads(out)
    assert code == 0
    assert [(line["column"], line["version"], line["cached"]) for line in listed["columns"]] == [
        ("6.1", "6.1.100-1", True),
        ("6.12", "6.12.7-1", False),
        ("host", None, True),
    ]
    first = listed["columns"][0]
    assert (first["package"], first["suite"]) == ("linux-image-6.1.0-10-cloud-amd64", "bookworm")
    assert first["bytes"] > 3 << 20
    assert listed["excluded"] == {"6.16": "it does not boot"}
    assert listed["cache"]["bytes"] > first["bytes"]
    assert listed["index"]["trouble"] is None
    assert json.loads(run("--json")[1])["columns"] == listed["columns"]  # list is the default


def test_the_list_works_from_memory_without_the_archive(run, archive):
    assert run("list")[0] == 0
    code, out, _ = run("list", mirror=DEAD)
    assert code == 0 and "6.12.7-1" in out


def test_a_cold_cache_and_no_archive_is_trouble(run):
    for words in (["list"], ["fetch"]):
        code, out, err = run(*words, mirror=DEAD)
        assert (code, out) == (2, "")
        assert re.fullmatch(
            rf"ci/harness kernels: The package archive at {DEAD} cannot be used: .* --mirror\.\n", err
        )


def test_fetch_gets_all_of_the_matrix_so_that_no_network_is_needed(run, tmp_path):
    code, _, err = run("fetch")
    assert code == 0
    assert "6.12: ready: 6.12.7-cloud-amd64 (bookworm linux-image-6.12.7-cloud-amd64 6.12.7-1)" in err
    assert "6.16" not in err
    assert all(line["cached"] for line in json.loads(run("list", "--json", mirror=DEAD)[1])["columns"])
    assert run("fetch", mirror=DEAD)[0] == 0


def test_one_kernel_that_cannot_be_had_does_not_keep_the_others_from_coming(run, archive):
    (archive.root / "linux-image-6.1.0-10-cloud-amd64_6.1.100-1_bookworm.deb").unlink()
    code, _, err = run("fetch")
    assert code == 2
    assert "6.1: apt-get download linux-image-6.1.0-10-cloud-amd64=6.1.100-1 failed" in err
    assert "6.12: ready: 6.12.7-cloud-amd64" in err
    assert "ci/harness kernels:" not in err  # the others were not given up


# --- clear -----------------------------------------------------------------------------------------------------


def test_clear_removes_everything_of_the_cache_and_nothing_else(run, linux, tmp_path):
    theirs = {"letter", "blobs/letter", "apt/letter", "builds/letter/letter", "facts/letter"}
    assert run("fetch", "archive", str(linux))[0] == 0
    for name in theirs:
        (tmp_path / "cache" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "cache" / name).touch()
    code, out, _ = run("clear")
    assert code == 0
    assert re.fullmatch(r"Freed \d+\.\d MiB in \S+/cache, which now has 0.0 MiB\.\n", out)
    assert {name for name in files(tmp_path / "cache") if not name.startswith("locks/")} == theirs
    assert run("fetch", "6.1")[0] == 0


def test_clear_one_kernel(run, archive, tmp_path):
    assert run("fetch", "6.1", "6.1=6.1.99-1", "6.12")[0] == 0
    assert len(files(tmp_path / "cache/blobs")) == 4  # three images; the three have one vmlinux
    assert run("clear", "6.1=6.1.99-1")[0] == 0
    assert run("fetch", "6.1", "6.12", mirror=DEAD)[0] == 0
    assert len(files(tmp_path / "cache/blobs")) == 3
    assert run("clear", "6.1")[0] == 0
    assert len(files(tmp_path / "cache/blobs")) == 2
    assert [line["cached"] for line in json.loads(run("--json")[1])["columns"]] == [False, True, True]


def test_clear_a_source_tree_also_when_it_is_gone(run, linux, tmp_path):
    assert run("fetch", str(linux))[0] == 0
    assert run("clear", str(linux))[0] == 0
    assert files(tmp_path / "cache/blobs") == files(tmp_path / "cache/builds") == set()
    assert run("fetch", str(linux))[0] == 0
    linux.rename(tmp_path / "elsewhere")
    assert run("clear", str(linux))[0] == 0
    assert files(tmp_path / "cache/blobs") == files(tmp_path / "cache/builds") == set()


def test_clear_old_keeps_what_is_newest_or_pinned(run, settings, archive, linux, tmp_path):
    assert run("fetch", "6.1=6.1.99-1", "6.1", "6.12", str(linux))[0] == 0
    Cache(tmp_path / "cache").put((tmp_path / "linux/Makefile").open("rb"))  # a blob that no fact names
    settings["pin"] = {"6.1": Pin(version="6.1.99-1", reason="x")}
    assert run("clear", "--old")[0] == 0
    assert len(files(tmp_path / "cache/blobs")) == 6  # 6.1 twice, 6.12, the tree's, and two vmlinux
    assert run("fetch", "6.1", "6.12", mirror=DEAD)[0] == 0  # the pinned one
    del settings["pin"]
    assert "Older versions that the cache still has:\n  6.1=6.1.99-1" in run("list")[1]
    assert run("clear", "--old")[0] == 0
    linux.rename(tmp_path / "elsewhere")
    assert run("clear", "--old")[0] == 0
    assert "Older versions" not in run("list")[1]
    assert len(files(tmp_path / "cache/blobs")) == 3
    assert not files(tmp_path / "cache/builds")
    assert run("fetch", "6.1", "6.12", mirror=DEAD)[0] == 0


def test_what_the_list_promises_is_what_clear_old_frees(run, linux, tmp_path):
    assert run("fetch", "6.1=6.1.99-1", "6.1", str(linux))[0] == 0
    linux.rename(tmp_path / "elsewhere")
    promised = json.loads(run("--json")[1])["cache"]
    run("clear", "--old")
    after = json.loads(run("--json")[1])["cache"]
    facts = 4 << 10  # too small to count
    assert abs(promised["bytes"] - promised["old_bytes"] - after["bytes"]) < facts
    assert after["old_bytes"] == 0


def test_clear_while_a_run_uses_the_cache_removes_nothing(run, tmp_path):
    assert run("fetch", "6.1")[0] == 0
    program = (
        "import sys; from pathlib import Path; from harness.base.cache import Cache\n"
        "with Cache(Path(sys.argv[1])).used():\n"
        "    print('using', flush=True); sys.stdin.read()"
    )
    before = files(tmp_path / "cache")
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "cache")],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as user:  # fmt: skip
        assert user.stdout.readline() == b"using\n"
        for words in (["clear"], ["clear", "--old"], ["clear", "6.1"]):
            code, out, err = run(*words)
            assert (code, out) == (2, "")
            assert err.endswith("nothing was removed. Wait until it ends, or stop it.\n")
        assert files(tmp_path / "cache") == before
        user.kill()  # a run that was killed no longer uses the cache
    assert run("clear")[0] == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["clear", "6.9"], "6.9 is not in the cache .*, so nothing was removed. See ci/harness kernels list"),
        (["clear", "6.1", "6.9"], "6.9 is not in the cache"),
        (["clear", "host"], "host is not in the cache"),
        (["clear", "no/such"], "no/such is not in the cache"),
        (["clear", "--old", "6.1"], "--old chooses what to remove by itself"),
        (["fetch", "--kernel-config", "kason"], "There is no configuration 'kason'"),
    ],
)
def test_mistakes_are_told(words, told, run, tmp_path):
    assert run("fetch", "6.1")[0] == 0
    before = files(tmp_path / "cache")
    code, _, err = run(*words)
    assert code == 2
    assert re.search(f"^ci/harness kernels: {told}", err)
    assert files(tmp_path / "cache") == before


def test_a_cache_that_is_not_there_is_empty_already(run, tmp_path):
    code, out, _ = run("clear")
    assert (code, out) == (0, f"There is no cache in {tmp_path / 'cache'}, so there is nothing to remove.\n")


@pytest.mark.parametrize(
    ("words", "code"), [(["--help"], 0), (["clear", "--help"], 0), (["lisst"], 2), (["list", "--jsn"], 2)]
)
def test_the_command_as_a_person_calls_it(words, code, tmp_path):
    root = ROOT
    done = subprocess.run(
        ["/usr/bin/python3", "-m", "harness", "kernels", *words],
        cwd=root, env=os.environ | {"XDG_CACHE_HOME": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert "ci/harness kernels" in (done.stdout or done.stderr)


@pytest.mark.parametrize("arguments", [("clear",), ("clear", "--old"), ("clear", "6.1")])
def test_clear_takes_the_snapshots_too_and_counts_what_they_take(run, tmp_path, arguments):
    assert run("fetch", "6.1")[0] == 0
    snapshot = tmp_path / "cache" / "snapshots" / f"{'a' * 16}-{'b' * 16}"
    snapshot.mkdir(parents=True)
    (snapshot / "ram").write_bytes(b"x" * (1 << 20))
    os.truncate(snapshot / "ram", 512 << 20)  # the rest is a hole
    (snapshot.parent / "letter").mkdir()
    assert float(re.search(r" has (\d+\.\d) MiB", run("list")[1])[1]) < 100
    code, out, _ = run(*arguments)
    assert code == 0 and 1 <= float(re.search(r"Freed (\d+\.\d) MiB", out)[1]) < 100
    assert [path.name for path in snapshot.parent.iterdir()] == ["letter"]
