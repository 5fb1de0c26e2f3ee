# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Facts that are not ours: of a wrong shape they are determined again, and none leads out of the cache."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.__main__ import main
from harness.base.cache import Cache
from harness.base.errors import HarnessError
from harness.kernels.archive import Archive
from harness.machines import accelerator

DIGEST = "0" * 64
PACKAGE = {
    "series": "6.1",
    "name": "linux-image-6.1-cloud-amd64",
    "version": "6.1.1-1",
    "release": "6.1-cloud-amd64",
    "suite": "bookworm",
}
INDEX = {
    "when": "2999-01-01T00:00:00+00:00",
    "suites": ["bookworm"],
    "left_out": {},
    "packages": {"6.1": PACKAGE},
    "older": [],
}


def plant(root: Path, name: str, fact: object) -> Path:
    path = root / "facts" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(fact))
    return path


ODD = [
    ("build-" + "a" * 16, {}),
    ("build-" + "a" * 16, {"tree": 1, "fragments": 2, "sha256": []}),
    ("build-" + "a" * 16, {"tree": "/none", "fragments": [1], "release": 5}),
    ("series-6.1", {}),
    ("series-6.1", {"series": [], "version": {}, "sha256": 1}),
    ("series-6.1=6.1.1-1", {"version": 6.1}),
    ("vmlinux-" + DIGEST, {"sha256": ["a"]}),
    ("deb-" + DIGEST, {"sha256": "../../outside"}),
    ("index", {**INDEX, "packages": []}),
    ("index", {**INDEX, "left_out": []}),
    ("index", {**INDEX, "when": "2026-01-01T00:00:00"}),
    ("index", {**INDEX, "packages": {"x": PACKAGE}, "suites": [["bookworm"]]}),
]


@pytest.mark.parametrize("words", [["clear", "--old"], ["clear"], ["clear", "6.1"]])
@pytest.mark.parametrize(("name", "fact"), ODD)
def test_a_fact_of_a_wrong_shape_is_no_trouble_to_a_command(name, fact, words, tmp_path, capsys):
    plant(tmp_path / "the cache", name, fact)
    code = main(["kernels", *words, "--cache", str(tmp_path / "the cache")])
    assert code in ((0, 2) if "6.1" in words else (0,)), capsys.readouterr()


@pytest.mark.parametrize(("name", "fact"), [one for one in ODD if one[0] == "index"])
def test_a_list_of_packages_of_a_wrong_shape_is_asked_for_again(name, fact, tmp_path):
    plant(tmp_path, "index", INDEX)
    archive = Archive(Cache(tmp_path), suites=("bookworm",), notice=pytest.fail)
    assert archive.remembered_index() is not None
    plant(tmp_path, name, fact)
    index = Archive(Cache(tmp_path), suites=("bookworm",), notice=pytest.fail).remembered_index()
    assert index is None or not index.packages


@pytest.mark.parametrize("field", PACKAGE)
def test_a_package_that_leads_out_of_the_cache_is_forgotten(field, tmp_path):
    """Its name and version are those of a folder that is removed before it is filled."""
    odd = PACKAGE | {field: "../../kept" if field != "suite" else 6}
    plant(tmp_path, "index", INDEX | {"packages": {"6.1": odd}})
    assert Archive(Cache(tmp_path), suites=("bookworm",), notice=pytest.fail).remembered_index() is None
    plant(tmp_path, "series-6.1", odd | {"sha256": DIGEST})
    assert (
        Archive(Cache(tmp_path), suites=("bookworm",), notice=pytest.fail)._remembered("series-6.1") is None
    )


@pytest.mark.parametrize("name", ["build-..", "build-.", "build-"])
def test_no_build_leads_out_of_its_folder(name, tmp_path):
    root = tmp_path / "the cache"
    kept = root / "notes" / "mine"
    kept.parent.mkdir(parents=True)
    kept.touch()
    (root / "builds" / "mine").mkdir(parents=True)
    plant(root, name, {"tree": "/none", "fragments": []})
    assert main(["kernels", "clear", "--old", "--cache", str(root)]) == 0
    assert kept.exists() and (root / "builds" / "mine").exists()


def test_a_digest_that_leads_out_of_the_cache_removes_nothing(tmp_path):
    kept = tmp_path / "kept"
    kept.touch()
    cache = Cache(tmp_path / "cache")
    cache.directory("blobs")
    assert cache.blob("../../kept") is None and not cache.has("../../kept") and kept.exists()


@pytest.mark.parametrize("name", ["../x", "", ".", "..", "a/b", "x" * 300, "a\0b"])
def test_a_name_that_is_no_file_name(name, tmp_path):
    cache = Cache(tmp_path)
    for use in (
        lambda: cache.fact(name),
        lambda: cache.put_fact(name, {}),
        lambda: cache.lock(name).__enter__(),
    ):
        with pytest.raises(HarnessError, match="cannot be the name of a file in the cache"):
            use()


@pytest.mark.parametrize("fact", [{}, {"works": "yes"}, {"works": True}, {"works": True, "finding": 3}])
def test_an_accelerator_of_a_wrong_shape_is_tried_again(fact, tmp_path, monkeypatch):
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    trial = accelerator._Trial(works=False, finding="tried again", lasting=True)
    monkeypatch.setattr(accelerator, "_version", lambda qemu: "QEMU")
    monkeypatch.setattr(accelerator, "_try_kvm", lambda *arguments: trial)
    cache = Cache(tmp_path)
    cache.put_fact(accelerator.FACT, {"boot_id": boot_id, "qemu": "QEMU", **fact})
    chosen = accelerator.choose("auto", Path("kernel"), cache, device=Path("/dev/null"))
    assert (chosen.name, chosen.reason, chosen.remembered) == ("tcg", "tried again", False)


def test_a_fact_that_never_ends_or_is_nested_too_deeply(tmp_path):
    path = plant(tmp_path, "deep", {})
    path.write_text("[" * 100_000)
    assert Cache(tmp_path).fact("deep") is None
    path.unlink()
    path.symlink_to("/dev/zero")
    with pytest.raises(HarnessError, match="it is a device, not a regular file"):
        Cache(tmp_path).fact("deep")
