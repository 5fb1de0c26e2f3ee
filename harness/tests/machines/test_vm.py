# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Virtual machines: fake guests for everything that can go wrong, and one real boot."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.base.errors import HarnessError
from harness.machines.machine import PlanEntry
from harness.machines.shared_memory import PAYLOAD_SIZE
from harness.machines.vm import QEMU, VmMachine
from harness.tests.machines.test_initramfs import read
from harness.tests.machines.test_machine import BYE, END, HELLO, START, alive, wait_until

PLAN = (PlanEntry(name="e", timeout_s=0.2, argv=("/bin/test", "x")),)


def fake_qemu(tmp_path: Path, script: str) -> VmMachine:
    """A machine whose QEMU is a script; it finds its console's path in $console."""
    qemu = tmp_path / "qemu"
    find_console = "for a; do case $a in file:/dev/*) ;; file:*) console=${a#file:};; esac; done"
    qemu.write_text(f"#!/bin/sh\n{find_console}\n{script}\n")
    qemu.chmod(0o755)
    runner = tmp_path / "runner"
    runner.write_bytes(b"runner")
    return VmMachine(
        kernel=tmp_path / "kernel", runner=runner, qemu=str(qemu), boot_deadline_s=0.5, grace_s=0.5
    )


def run(tmp_path: Path, script: str) -> list[dict[str, Any]]:
    return list(fake_qemu(tmp_path, script).run(PLAN, tmp_path / "artefacts"))


def test_a_whole_run(tmp_path: Path) -> None:
    events = run(tmp_path, f"{HELLO}; {START}; {END}; {BYE}")
    assert [event["kind"] for event in events] == ["hello", "start", "end", "bye"]
    assert not (tmp_path / "artefacts" / "initramfs.cpio").exists()


PANIC = 'echo "[    1.5] Kernel panic - not syncing: Fatal exception" > $console'


@pytest.mark.parametrize(
    ("script", "phase", "entry", "hung", "why"),
    [
        ("exec sleep 100", "boot", None, True, "the virtual machine did not continue in time (phase: boot)"),
        ("echo no such kernel >&2; exit 1", "boot", None, False, "itself (exit code 1): no such kernel"),
        (f"{PANIC}", "boot", None, False, "kernel panic: Fatal exception"),
        (f"{HELLO}; {START}; {PANIC}", "entry e", "e", False, "kernel panic: Fatal exception"),
        (f"{HELLO}; {START}; {PANIC}; exec sleep 100", "entry e", "e", False, "kernel panic: Fatal"),
        (f"{HELLO}; {START}; exec sleep 100", "entry e", "e", True, "phase: entry e"),
        (f"{HELLO}; {START}; {END}; {PANIC}", "shutdown", None, False, "kernel panic: Fatal exception"),
        (f"{HELLO}; {START}; {END}; {BYE}; exec sleep 100", "shutdown", None, True, "phase: shutdown"),
    ],
)
def test_a_guest_that_dies(
    tmp_path: Path, script: str, phase: str, entry: str | None, hung: bool, why: str
) -> None:
    *_, died = run(tmp_path, script)
    assert (died["kind"], died["phase"], died["entry"], died["hung"]) == ("died", phase, entry, hung)
    assert why in died["why"]
    if "panic" in why:
        assert died["console_tail"] == ["[    1.5] Kernel panic - not syncing: Fatal exception"]


TERMINATED = "qemu-system-x86_64: terminating on signal 15 from pid 1 (sh)"
ENDED = "the virtual machine exited by itself (exit code 0)"


@pytest.mark.parametrize(
    ("script", "killed", "why"),
    [
        ("kill -9 $$", True, "QEMU was killed by SIGKILL (for example by the out-of-memory killer)"),
        (f"echo '{TERMINATED}' >&2; exit 0", True, f"QEMU was killed by SIGTERM: {TERMINATED}"),
        ("echo broken >&2; kill -ABRT $$", True, "QEMU was killed by SIGABRT: broken"),
        (f"{PANIC}; kill -9 $$", False, "kernel panic: Fatal exception"),
        ("exit 0", False, ENDED),
        # A kernel can print that, too.
        (f"echo '{TERMINATED}' > $console", False, f"{ENDED}: {TERMINATED}"),
    ],
)
def test_a_machine_that_is_killed(tmp_path: Path, script: str, killed: bool, why: str) -> None:
    *_, died = run(tmp_path, f"{HELLO}; {START}; {script}")
    assert (died["kind"], died["entry"], died["hung"]) == ("died", "e", False)
    assert (died["why"], died["killed"]) == (why, killed)


def test_a_long_console_is_told_by_its_end(tmp_path: Path) -> None:
    *_, died = run(tmp_path, f"{PANIC}; seq 1000 >> $console")
    assert died["why"] == "kernel panic: Fatal exception", "also when the panic itself scrolled out"
    assert died["console_tail"] == [str(number) for number in range(801, 1001)]


def test_the_command_line_the_initramfs_and_the_payload(tmp_path: Path) -> None:
    copy = '*.cpio) cp "$a" init;; *id=payload*) cp "${a##*mem-path=}" payload;;'
    keep = f'for a; do echo "$a" >> arguments; case $a in {copy} esac; done'
    machine = fake_qemu(tmp_path, f"cd {tmp_path}; {keep}; {HELLO}; {BYE}")
    carried = tmp_path / "program"
    carried.write_bytes(b"program")
    machine = VmMachine(
        kernel=machine.kernel,
        runner=machine.runner,
        qemu=machine.qemu,
        files={"bin/test": carried},
        memory_mib=768,
        cpus=2,
        accelerator="kvm",
        append="one=1 two=2",
    )
    list(machine.run(PLAN, tmp_path / "artefacts"))
    arguments = (tmp_path / "arguments").read_text().splitlines()
    pairs = dict(zip(arguments, arguments[1:]))
    assert (pairs["-accel"], pairs["-cpu"]) == ("kvm", "max")
    assert "max,-erms,-fsrm" in VmMachine(kernel=machine.kernel, runner=machine.runner).options()
    assert pairs["-m"] == "768"
    assert pairs["-smp"] == "2"
    assert pairs["-kernel"] == str(tmp_path / "kernel")
    assert pairs["-append"].endswith(" one=1 two=2")
    assert {"panic=-1", "no_timer_check"} <= set(pairs["-append"].split())
    assert "-no-reboot" in arguments and "-nodefaults" in arguments
    members = read((tmp_path / "init").read_bytes())
    assert members["init"].data == b"runner" and "plan" not in members
    payload = (tmp_path / "payload").read_bytes()
    assert len(payload) == PAYLOAD_SIZE
    members = read(payload.rstrip(b"\0") + bytes(4 - len(payload.rstrip(b"\0")) % 4))
    assert members["bin/test"].data == b"program"
    assert members["plan"].data == b"e\t0.200\texec\t/bin/test\tx\n"
    assert sorted(path.name for path in (tmp_path / "artefacts").iterdir()) == ["qemu.stderr"]


def test_a_drive_is_empty_and_takes_no_disk(tmp_path: Path) -> None:
    keep = 'for a; do echo "$a" >> arguments; case $a in file=*) d=${a#file=}; stat -Lc %s "${d%%,*}" > size;; esac; done'
    machine = fake_qemu(tmp_path, f"cd {tmp_path}; {keep}; {HELLO}; {BYE}")
    list(replace(machine, drive=True).run(PLAN, tmp_path / "artefacts"))
    arguments = (tmp_path / "arguments").read_text()
    assert "nvme,drive=drive,serial=uring-scratch\n" in arguments and "nvme.poll_queues=1" in arguments
    assert (tmp_path / "size").read_text() == f"{64 << 20}\n"
    assert "file=/proc/self/fd/" in arguments, "no file that could fill a disk"
    (tmp_path / "arguments").unlink()
    list(machine.run(PLAN, tmp_path / "artefacts"))
    assert "nvme" not in (tmp_path / "arguments").read_text()


def test_no_qemu_is_trouble(tmp_path: Path) -> None:
    runner = tmp_path / "runner"
    runner.touch()
    machine = VmMachine(kernel=tmp_path, runner=runner, qemu="qemu-that-is-not-there")
    with pytest.raises(HarnessError, match="qemu-that-is-not-there cannot be .*apt install qemu-system-x86"):
        list(machine.run(PLAN, tmp_path / "artefacts"))


def test_a_full_disk_keeps_no_half_of_an_initramfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = fake_qemu(tmp_path, "")

    def write_half(path: Path, data: bytes) -> None:
        with path.open("wb") as file:
            file.write(data[: len(data) // 2])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", write_half)
    with pytest.raises(HarnessError, match=r"initramfs.cpio cannot be written: No space left .*Make room"):
        list(machine.run(PLAN, tmp_path / "artefacts"))
    assert list((tmp_path / "artefacts").iterdir()) == []


def test_a_missing_file_for_the_guest_is_trouble(tmp_path: Path) -> None:
    machine = VmMachine(kernel=tmp_path, runner=tmp_path / "nothing")
    with pytest.raises(HarnessError, match="nothing cannot be read to run it in the guest.*Build"):
        list(machine.run(PLAN, tmp_path / "artefacts"))


def test_closing_the_stream_kills_qemu(tmp_path: Path) -> None:
    machine = fake_qemu(tmp_path, f"echo $$ > {tmp_path}/pid; {HELLO}; exec sleep 1000")
    events = machine.run(PLAN, tmp_path / "artefacts")
    assert next(events)["kind"] == "hello"
    pid = int((tmp_path / "pid").read_text())
    assert alive(pid)
    events.close()
    wait_until(lambda: not alive(pid))
    assert not (tmp_path / "artefacts" / "initramfs.cpio").exists()


PROGRAM = r"""
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(int argc, char **argv) {
  dprintf(atoi(getenv("URING_RECORDS_FD")), "%s %d\n", argv[1], argc);
  if (!strcmp(argv[1], "warn")) {
    FILE *log = fopen("/dev/kmsg", "w");
    fputs("<4>a warning of the test\n", log);
    fclose(log);
  }
  if (!strcmp(argv[1], "environment")) {
    for (char **variable = environ; *variable; ++variable) {
      dprintf(atoi(getenv("URING_RECORDS_FD")), "%s\n", *variable);
    }
  }
  if (!strcmp(argv[1], "hang")) pause();
  if (!strcmp(argv[1], "panic")) {
    FILE *trigger = fopen("/proc/sysrq-trigger", "w");
    fputc('c', trigger);
    fclose(trigger);
  }
  return 0;
}
"""


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Path]:
    """A static program for the guest which says its argument and then does it."""
    source, program = tmp_path / "program.c", tmp_path / "program"
    source.write_text(PROGRAM)
    subprocess.run([shutil.which("cc") or "gcc", "-static", "-o", program, source], check=True)
    yield program


def test_a_real_kernel(vm_kernel: Path, runner: Path, program: Path, tmp_path: Path) -> None:
    # The kernel hands pid 1 the parameters that it does not know as variables.
    machine = VmMachine(kernel=vm_kernel, runner=runner, files={"bin/test": program}, append="GTEST_FILTER=x")
    plan = [
        PlanEntry(name=name, timeout_s=20 if name != "hang" else 2, argv=("/bin/test", name))
        for name in ("pass", "environment", "warn", "hang", "panic", "never")
    ]
    events = list(machine.run(plan, tmp_path / "artefacts"))
    assert [event["kind"] for event in events[:2]] == ["ready", "hello"], events[:2]
    assert events[1]["machine"] == "x86_64" and events[1]["memory_kib"] > 400_000
    said = [(event["entry"], event["line"]) for event in events if event["kind"] == "record"]
    variables = {line.partition("=")[0] for name, line in said if name == "environment" and "=" in line}
    assert variables == {"PATH", "HOME", "TMPDIR", "LC_ALL", "URING_RECORDS_FD"}
    said = [(name, line) for name, line in said if "=" not in line]
    assert said == [(name, f"{name} 2") for name in ("pass", "environment", "warn", "hang", "panic")]
    ended = {event["entry"]: event for event in events if event["kind"] == "end"}
    assert (ended["pass"]["exit"], ended["pass"]["kmsg_error"], ended["pass"]["taint"]) == (0, None, [0, 0])
    assert "<4>a warning of the test" in ended["warn"]["kmsg"]
    assert ended["hang"]["timeout"] is True
    died = events[-1]
    assert (died["kind"], died["entry"]) == ("died", "panic")
    assert died["why"] == "kernel panic: sysrq triggered crash"
    assert any(line.endswith("uring-conformance: start panic") for line in died["console_tail"])
    assert [event["kind"] for event in events if event["kind"] in ("trouble", "garbage")] == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_real_machine_that_is_killed(
    vm_kernel: Path, runner: Path, program: Path, tmp_path: Path, number: signal.Signals
) -> None:
    wrapper = tmp_path / "qemu"
    wrapper.write_text(f'#!/bin/sh\necho $$ > {tmp_path}/pid\nexec {QEMU} "$@"\n')
    wrapper.chmod(0o755)
    machine = VmMachine(kernel=vm_kernel, runner=runner, files={"bin/test": program}, qemu=str(wrapper))
    plan = [PlanEntry(name="e", timeout_s=60, argv=("/bin/test", "hang"))]
    for event in machine.run(plan, tmp_path / "artefacts"):
        if event["kind"] == "record":
            os.kill(int((tmp_path / "pid").read_text()), number)
    assert (event["kind"], event["entry"], event["killed"]) == ("died", "e", True)
    assert event["why"].startswith(f"QEMU was killed by {number.name}")


def test_a_payload_that_is_too_large(tmp_path: Path) -> None:
    machine = fake_qemu(tmp_path, "")
    large = tmp_path / "large"
    large.touch()
    os.truncate(large, PAYLOAD_SIZE)
    machine = replace(machine, files={"large": large})
    with pytest.raises(HarnessError, match=f"the limit is {PAYLOAD_SIZE}"):
        list(machine.run(PLAN, tmp_path / "artefacts"))


def test_a_damaged_payload_is_told(vm_kernel: Path, runner: Path, tmp_path: Path) -> None:
    keep = "for a; do case $a in *id=payload*) payload=${a##*mem-path=};; esac; done"
    wrapper = tmp_path / "qemu"
    damage = "printf FFFFFFFF | dd of=$payload bs=1 seek=94 conv=notrunc status=none"
    wrapper.write_text(f'#!/bin/sh\n{keep}\n{damage}\nexec {QEMU} "$@"\n')
    wrapper.chmod(0o755)
    machine = VmMachine(kernel=vm_kernel, runner=runner, qemu=str(wrapper))
    *_, trouble, died = machine.run(PLAN, tmp_path / "artefacts")
    assert (trouble["kind"], died["kind"], died["phase"]) == ("trouble", "died", "boot")
    assert "the payload is damaged at byte" in trouble["text"]
