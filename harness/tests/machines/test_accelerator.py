# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The choice of an accelerator, with scripts in place of QEMU."""

from __future__ import annotations

import multiprocessing
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from harness.base.cache import Cache
from harness.base.errors import HarnessError
from harness.machines.accelerator import choose
from harness.machines.machine import Accelerator

SPEAKS = 'printf "Probing EDD\\nLinux version 6.1"; exec sleep 100'
SILENT = "exec sleep 100"
STUCK_AFTER_FIRMWARE = 'echo "Probing EDD (edd=off to disable)... ok"; exec sleep 100'
ABORTS = "echo failed to set MSR 0x10a to 0x69 >&2; kill -ABRT $$"
BAD_IMAGE = "echo could not load kernel >&2; exit 1"


class Bench:
    """A fake QEMU, a fake /dev/kvm and a cache."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.qemu = directory / "qemu"
        self.device = directory / "kvm"
        self.device.touch()
        self.cache = Cache(directory / "cache")
        self.version = "1.0"

    def install(self, script: str) -> None:
        count = f"echo x >> {self.directory}/trials"
        version = f'[ "$1" = --version ] && {{ echo QEMU {self.version}; exit; }}'
        self.qemu.write_text(f"#!/bin/sh\n{version}\n{count}\n{script}\n")
        self.qemu.chmod(0o755)

    def choose(self, mode: str = "auto", deadline_s: float = 0.5) -> Accelerator:
        kernel = self.directory / "kernel"
        qemu, device = str(self.qemu), self.device
        return choose(mode, kernel, self.cache, qemu=qemu, device=device, deadline_s=deadline_s)

    @property
    def trials(self) -> int:
        file = self.directory / "trials"
        return len(file.read_text().splitlines()) if file.exists() else 0


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A machine to choose for."""
    return Bench(tmp_path)


def test_kvm_that_works_is_used_and_remembered(bench: Bench) -> None:
    bench.install(SPEAKS)
    first, second = bench.choose(deadline_s=20), bench.choose(deadline_s=20)
    assert (first.name, second.name, bench.trials) == ("kvm", "kvm", 1)
    assert first.reason.startswith("a guest kernel started after ")
    assert not first.remembered and second == replace(first, remembered=True)
    assert bench.choose("kvm").name == "kvm"


@pytest.mark.parametrize("script", [SILENT, STUCK_AFTER_FIRMWARE])
def test_kvm_that_hangs_is_not_used_and_that_is_remembered(bench: Bench, script: str) -> None:
    bench.install(script)
    first, second = bench.choose(), bench.choose()
    assert (first.name, second.name, bench.trials) == ("tcg", "tcg", 1)
    assert first.reason == f"{bench.device} opens, but a guest kernel printed nothing within 0.5 s"
    assert not first.remembered and second == replace(first, remembered=True)
    with pytest.raises(HarnessError, match="KVM was requested but does not work here: .*Use tcg or auto"):
        bench.choose("kvm")


def test_qemu_that_aborts_under_kvm_is_remembered(bench: Bench) -> None:
    bench.install(ABORTS)
    assert "failed to set MSR 0x10a" in bench.choose(deadline_s=20).reason
    assert bench.choose(deadline_s=20).remembered
    assert bench.trials == 1


def test_a_bad_image_says_nothing_about_kvm(bench: Bench) -> None:
    bench.install(BAD_IMAGE)
    assert bench.choose(deadline_s=20).name == "tcg"
    bench.install(SPEAKS)
    assert bench.choose(deadline_s=20).name == "kvm"


def test_another_qemu_or_another_boot_is_tried_anew(bench: Bench) -> None:
    bench.install(SILENT)
    bench.choose()
    bench.version = "2.0"
    bench.install(SPEAKS)
    assert bench.choose(deadline_s=20).name == "kvm"
    fact = bench.cache.fact("accelerator")
    assert fact is not None
    bench.cache.put_fact("accelerator", {**fact, "boot_id": "of yesterday"})
    bench.install(SILENT)
    assert bench.choose().name == "tcg"


@pytest.mark.parametrize("damage", [{"works": "yes"}, {"finding": None}, {"finding": ["x"]}])
def test_a_fact_of_the_wrong_shape_is_none(bench: Bench, damage: dict[str, object]) -> None:
    bench.install(SILENT)
    bench.choose()
    fact = bench.cache.fact("accelerator")
    assert fact is not None
    bench.cache.put_fact("accelerator", {**fact, **damage})
    bench.install(SPEAKS)
    assert bench.choose(deadline_s=20).name == "kvm"


def test_no_device(bench: Bench) -> None:
    bench.device.unlink()
    assert bench.choose() == Accelerator(name="tcg", reason=f"there is no {bench.device}")
    with pytest.raises(HarnessError, match="there is no"):
        bench.choose("kvm")


def test_a_device_that_does_not_open(bench: Bench) -> None:
    bench.device.unlink()
    bench.device.mkdir()  # even root cannot open it for writing
    assert bench.choose().reason == f"{bench.device} cannot be opened (Is a directory)"


def test_tcg_asks_nothing(bench: Bench) -> None:
    assert bench.choose("tcg") == Accelerator(name="tcg", reason="asked for")


def test_no_qemu_and_no_such_mode_are_trouble(bench: Bench) -> None:
    with pytest.raises(HarnessError, match="Install QEMU"):
        bench.choose()
    with pytest.raises(HarnessError, match="Unknown accelerator 'hvf'.*auto, kvm, tcg"):
        bench.choose("hvf")


def test_two_workers_try_once(bench: Bench) -> None:
    bench.install(SILENT)
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=bench.choose) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert bench.trials == 1


def test_no_place_for_a_trial_is_trouble(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.install(SPEAKS)
    monkeypatch.setattr(tempfile, "tempdir", str(bench.directory / "none"))
    with pytest.raises(HarnessError, match=r"^Cannot create a temporary directory: No such file .*Make room"):
        bench.choose()
