# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Fetching kernels in the background of a run."""

from __future__ import annotations

import socket
import time
from dataclasses import replace
from pathlib import Path

import pytest

from harness.kernels.settings import load_settings
from harness.machines import process
from harness.matrix.column import Setup
from harness.matrix.prefetch import LOG, fetching

DEAD = "http://127.0.0.1:9/debian"  # no server listens on the discard port


@pytest.fixture
def setup(tmp_path):
    """A run with a cold cache and a mirror that is down."""
    return Setup(
        build=tmp_path, artefacts=tmp_path, cache=tmp_path / "cache", mirror=DEAD, settings=load_settings()
    )


def processes(word: Path) -> list[str]:
    """The command lines of all processes that contain this text."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = file.read_text()
        except OSError:
            continue
        if str(word) in line:
            found.append(line.replace("\0", " "))
    return found


def test_what_is_planned_is_fetched_with_the_runs_cache_and_mirror(setup, tmp_path):
    log = tmp_path / LOG
    with fetching(["6.1", "7.3=7.3.4-1~bpo13+1", "6.12"], ["6.1", "7.3.4-1~bpo13+1", "host"], setup):
        deadline = time.monotonic() + 60
        told = f"The package archive at {DEAD} cannot be used"
        while processes(tmp_path) and log.read_text().count(told) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
    lines = sorted(line.partition(told)[0] for line in log.read_text().splitlines() if told in line)
    assert lines == ["6.1: ", "7.3=7.3.4-1~bpo13+1: "]


def test_a_run_that_ends_ends_the_fetching_and_its_apt(setup, tmp_path, monkeypatch):
    monkeypatch.setattr(process, "GRACE_S", 600)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        setup = replace(setup, mirror=f"http://127.0.0.1:{silent.getsockname()[1]}/debian")
        with fetching(["6.1"], ["6.1"], setup):
            deadline = time.monotonic() + 60
            while not any("apt-get" in line for line in processes(tmp_path)) and time.monotonic() < deadline:
                time.sleep(0.02)
            assert any("apt-get" in line for line in processes(tmp_path))
            ending = time.monotonic()
        # By itself: it would have been killed only after twice as long.
        assert time.monotonic() - ending < 300
        assert not processes(tmp_path)


@pytest.mark.parametrize(("missing", "planned"), [([], ["host"]), (["6.1"], ["6.12"]), (["."], [".", "6.1"])])
def test_nothing_to_fetch_starts_nothing(missing, planned, setup, tmp_path, monkeypatch):
    (tmp_path / "Makefile").write_text("VERSION = 6\nPATCHLEVEL = 18\n")
    monkeypatch.chdir(tmp_path)  # "." is a source tree, which its own column builds
    with fetching(missing, planned, setup):
        assert not processes(tmp_path)
    assert not (tmp_path / LOG).exists()
