# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Guests that are saved after their boot: which one is found, and a real one from which many start."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.base.cache import Cache
from harness.base.errors import HarnessError
from harness.machines.machine import PlanEntry
from harness.machines.snapshot import RAM, STATE, UNUSED_S, Snapshots, Subject
from harness.machines.vm import QEMU, VmMachine


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    """A snapshot that can be saved."""
    for name in ("kernel", "qemu"):
        (tmp_path / name).write_text(name)
    return Subject(kernel=tmp_path / "kernel", init=b"init", qemu=tmp_path / "qemu", options=("-m", "512"))


def keep(snapshots: Snapshots, subject: Subject) -> None:
    with snapshots.new(subject) as (directory, keep_it):
        (directory / STATE).write_text("state")
        keep_it()


def test_only_the_very_same_guest_is_found(tmp_path: Path, subject: Subject) -> None:
    snapshots = Snapshots(Cache(tmp_path / "cache"))
    assert snapshots.find(subject) is None
    keep(snapshots, subject)
    assert snapshots.find(subject) is not None
    assert snapshots.find(replace(subject, init=b"another runner")) is None
    assert snapshots.find(replace(subject, options=("-m", "256"))) is None
    (tmp_path / "kernel2").write_text("kernel")
    assert snapshots.find(replace(subject, kernel=tmp_path / "kernel2")) is None
    subject.qemu.write_text("another QEMU")
    assert snapshots.find(subject) is None


def test_only_the_newest_of_a_kernel_is_kept(tmp_path: Path, subject: Subject) -> None:
    snapshots = Snapshots(Cache(tmp_path / "cache"))
    newer, other = replace(subject, init=b"another runner"), replace(subject, options=("-m", "256"))
    for each in (subject, other, newer):
        keep(snapshots, each)
    assert snapshots.find(subject) is None
    assert snapshots.find(newer) is not None and snapshots.find(other) is not None
    snapshots.discard(newer)
    assert snapshots.find(newer) is None and snapshots.find(other) is not None


def test_what_nobody_starts_from_goes_after_a_while(tmp_path: Path, subject: Subject) -> None:
    snapshots = Snapshots(Cache(tmp_path / "cache"))
    unused, used, newest = (replace(subject, options=("-m", memory)) for memory in ("256", "512", "768"))
    long_ago = time.time() - UNUSED_S - 60
    for each in (unused, used):
        keep(snapshots, each)
    for place in (tmp_path / "cache" / "snapshots").iterdir():
        os.utime(place, (long_ago, long_ago))
    assert snapshots.find(used) is not None
    keep(snapshots, newest)
    assert snapshots.find(unused) is None
    assert snapshots.find(used) is not None and snapshots.find(newest) is not None


def test_what_is_not_finished_leaves_nothing(tmp_path: Path, subject: Subject) -> None:
    snapshots = Snapshots(Cache(tmp_path / "cache"))
    with pytest.raises(KeyboardInterrupt), snapshots.new(subject) as (directory, _):
        (directory / RAM).write_text("half")
        raise KeyboardInterrupt
    assert snapshots.find(subject) is None
    assert list((tmp_path / "cache" / "snapshots").iterdir()) == []


PLAN = (PlanEntry(name="e", timeout_s=20, argv=("/bin/test",)),)


@pytest.fixture
def machine(vm_kernel: Path, runner: Path, tmp_path: Path) -> VmMachine:
    """A real guest, with snapshots in a cache of its own; its program is the runner, asked for its usage."""
    snapshots = Snapshots(Cache(tmp_path / "cache"))
    files, whole_boot = {"bin/test": runner}, "loglevel=7"
    return VmMachine(kernel=vm_kernel, runner=runner, files=files, snapshots=snapshots, append=whole_boot)


def starts(tmp_path: Path) -> list[list[str]]:
    """The command lines with which QEMU was started."""
    return [json.loads(line) for line in (tmp_path / "starts").read_text().splitlines()]


def counted(machine: VmMachine, tmp_path: Path) -> VmMachine:
    """The same with a QEMU that writes down how it is started."""
    wrapper = tmp_path / "qemu"
    write = "import json, os, sys; open(os.environ['STARTS'], 'a').write(json.dumps(sys.argv[1:]) + '\\\\n')"
    wrapper.write_text(
        f'#!/bin/sh\nSTARTS={tmp_path}/starts /usr/bin/python3 -c "{write}" "$@"\nexec {QEMU} "$@"\n'
    )
    wrapper.chmod(0o755)
    return replace(machine, qemu=str(wrapper))


def test_a_guest_boots_once_and_runs_often(machine: VmMachine, tmp_path: Path) -> None:
    machine = counted(machine, tmp_path)
    runs = [list(machine.run(PLAN, tmp_path / f"artefacts-{number}")) for number in (1, 2)]
    for number, events in enumerate(runs, start=1):
        assert [
            event["kind"] for event in events if event["kind"] in ("notice", "trouble", "garbage")
        ] == [], events
        assert [event["kind"] for event in events] == ["hello", "start", "end", "bye"]
        assert events[2]["exit"] == 2 and events[2]["taint"] == [0, 0] and events[2]["kmsg_error"] is None
        console = (tmp_path / f"artefacts-{number}" / "console.log").read_text()
        assert "Linux version" in console, "the boot's part is told"
        assert "uring-conformance: start e" in console, "and so is the run's"
        left = {path.name for path in (tmp_path / f"artefacts-{number}").iterdir()}
        assert left == {"console.log", "qemu.stderr"}
    assert [("-kernel" in start, "-incoming" in start) for start in starts(tmp_path)] == [
        (True, False), (False, True), (False, True),
    ]  # fmt: skip


def test_many_start_from_one_at_once(machine: VmMachine, tmp_path: Path) -> None:
    outcomes: dict[int, list[dict[str, Any]]] = {}

    def run(number: int) -> None:
        plan = (replace(PLAN[0], name=f"e{number}"),)
        outcomes[number] = list(machine.run(plan, tmp_path / f"artefacts-{number}"))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(3):
        ends = [event["entry"] for event in outcomes[number] if event["kind"] == "end"]
        assert ends == [f"e{number}"], outcomes[number]
    (place,) = (tmp_path / "cache" / "snapshots").iterdir()
    assert sorted(path.name for path in place.iterdir()) == ["console.log", "ram", "state"]


def test_a_snapshot_that_does_not_go_on_is_given_up_with_a_notice(machine: VmMachine, tmp_path: Path) -> None:
    list(machine.run(PLAN, tmp_path / "first"))
    (place,) = (tmp_path / "cache" / "snapshots").iterdir()
    (place / STATE).write_bytes(b"damaged")
    events = list(machine.run(PLAN, tmp_path / "second"))
    assert events[0]["kind"] == "notice"
    assert events[0]["text"].startswith(
        "Booting, because no snapshot can be used: the virtual machine exited by itself"
    )
    assert [event["kind"] for event in events[1:]] == ["ready", "hello", "start", "end", "bye"]
    assert not place.exists()


def test_a_deadline_that_no_guest_can_keep_costs_no_snapshot(machine: VmMachine, tmp_path: Path) -> None:
    list(machine.run(PLAN, tmp_path / "first"))
    hurried = replace(machine, boot_deadline_s=0.001)
    notice, died = hurried.run(PLAN, tmp_path / "second")
    assert notice["text"].startswith("Booting, because no snapshot can be used: ")
    assert (died["kind"], died["phase"], died["hung"]) == ("died", "boot", True)
    assert len(list((tmp_path / "cache" / "snapshots").iterdir())) == 1


def test_a_full_disk_for_results_costs_no_snapshot(machine: VmMachine, tmp_path: Path) -> None:
    list(machine.run(PLAN, tmp_path / "first"))
    results = tmp_path / "second"
    results.mkdir()
    assert os.system(f"mount -t tmpfs -o size=4k tmpfs {results}") == 0, "needs root"
    try:
        with pytest.raises(HarnessError, match="initramfs.cpio cannot be written: No space left.*Make room"):
            list(machine.run(PLAN, results))
    finally:
        assert os.system(f"umount {results}") == 0
    assert len(list((tmp_path / "cache" / "snapshots").iterdir())) == 1


def test_a_full_disk_costs_the_snapshot_only(machine: VmMachine, tmp_path: Path) -> None:
    # The cache's own file system is too small for a guest's memory, which is a file there.
    cache = tmp_path / "cache"
    cache.mkdir()
    assert os.system(f"mount -t tmpfs -o size=8m tmpfs {cache}") == 0, "needs root"
    try:
        events = list(machine.run(PLAN, tmp_path / "artefacts"))
    finally:
        assert os.system(f"umount {cache}") == 0
    assert events[0]["kind"] == "notice" and "no snapshot can be used" in events[0]["text"]
    assert [event["kind"] for event in events[1:]] == ["ready", "hello", "start", "end", "bye"]


def test_a_kernel_that_does_not_boot_is_told_once(machine: VmMachine, tmp_path: Path) -> None:
    # The kernel finds no init in a file that is not an initramfs.
    bad = counted(replace(machine, append="loglevel=7 rdinit=/nothing"), tmp_path)
    events = list(bad.run(PLAN, tmp_path / "artefacts"))
    assert [event["kind"] for event in events] == ["died"]
    assert events[0]["phase"] == "boot" and events[0]["why"].startswith("kernel panic: ")
    assert "Linux version" in (tmp_path / "artefacts" / "console.log").read_text()
    assert len(starts(tmp_path)) == 1
    assert list((tmp_path / "cache" / "snapshots").iterdir()) == []


def test_without_qemu_nothing_is_kept(machine: VmMachine, tmp_path: Path) -> None:
    assert shutil.which("qemu-that-is-not-there") is None
    with pytest.raises(HarnessError, match="qemu-that-is-not-there cannot be started"):
        list(replace(machine, qemu="qemu-that-is-not-there").run(PLAN, tmp_path / "artefacts"))
    assert not (tmp_path / "cache" / "snapshots").exists()
