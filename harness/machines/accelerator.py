# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""How a guest's instructions are executed: by KVM if it works, otherwise by TCG, QEMU's emulation.

We find out whether KVM works by trying it. On some machines /dev/kvm opens, a guest starts, its boot code even
prints a line, and then the kernel hangs. Nothing in the CPU flags predicts that.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from harness.base.cache import Cache
from harness.base.errors import HarnessError
from harness.base.process import run
from harness.machines.machine import Accelerator
from harness.machines.process import child, text_lines
from harness.machines.vm import INSTALL_QEMU, MACHINE, PROCESSOR, QEMU

DEADLINE_S = 4.0  # working KVM needs a fraction of a second
# Not the first byte: "Probing EDD" comes from 16-bit boot code, even if the kernel itself never starts.
SIGN_OF_LIFE = b"Linux version "
MODES = ("auto", "kvm", "tcg")
FACT = "accelerator"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    works: bool
    finding: str
    lasting: bool  # true of this machine, not just of this kernel image


def choose(
    mode: str,
    kernel: Path,
    cache: Cache,
    *,
    qemu: str = QEMU,
    device: Path = Path("/dev/kvm"),
    deadline_s: float = DEADLINE_S,
) -> Accelerator:
    """The accelerator to use. KVM is tried with `kernel` unless the answer is cached."""
    if mode not in MODES:
        raise HarnessError(f"Unknown accelerator {mode!r}. Choose one of {', '.join(MODES)}.")
    if mode == "tcg":
        return Accelerator(name="tcg", reason="asked for")
    works, finding, remembered = _kvm(kernel, cache, qemu, device, deadline_s)
    if mode == "kvm" and not works:
        raise HarnessError(f"KVM was requested but does not work here: {finding}. Use tcg or auto.")
    name = "kvm" if works else "tcg"
    return Accelerator(name=name, reason=finding, remembered=remembered)


def _kvm(kernel: Path, cache: Cache, qemu: str, device: Path, deadline_s: float) -> tuple[bool, str, bool]:
    try:
        os.close(os.open(device, os.O_RDWR | os.O_CLOEXEC))
    except FileNotFoundError:
        return False, f"there is no {device}", False
    except OSError as error:
        return False, f"{device} cannot be opened ({error.strerror})", False
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    key = {"boot_id": boot_id, "qemu": _version(qemu)}
    with cache.lock(FACT):  # one worker tries, the others wait for its answer
        fact = cache.fact(FACT, works=bool, finding=str)
        if fact is not None and {name: fact.get(name) for name in key} == key:
            return fact["works"], fact["finding"], True
        trial = _try_kvm(kernel, qemu, device, deadline_s)
        if trial.lasting:
            cache.put_fact(FACT, {**key, "works": trial.works, "finding": trial.finding})
    return trial.works, trial.finding, False


def _version(qemu: str) -> str:
    return run([qemu, "--version"], timeout_s=30, remedy=INSTALL_QEMU).output.partition("\n")[0]


def _try_kvm(kernel: Path, qemu: str, device: Path, deadline_s: float) -> _Trial:
    command = [
        qemu,
        *MACHINE,
        *("-accel", "kvm", "-cpu", PROCESSOR["kvm"]),
        *("-m", "512"),
        *("-kernel", str(kernel)),
        *("-append", "console=ttyS0 earlyprintk=ttyS0 panic=-1"),
        *("-serial", "file:/dev/stdout"),
    ]
    started = time.monotonic()
    try:
        place = tempfile.TemporaryDirectory(prefix="uring-conformance-")
    except OSError as error:
        remedy = "Make room, or set TMPDIR to a writable directory."
        raise HarnessError(f"Cannot create a temporary directory: {error.strerror}. {remedy}") from error
    with place as directory:
        errors = Path(directory, "qemu.stderr")
        with child(command, stderr=errors, dies_by=signal.SIGKILL, remedy=INSTALL_QEMU) as process:
            said = _hear(process, started + deadline_s)
            elapsed = time.monotonic() - started
            if said is not None and SIGN_OF_LIFE in said:
                return _Trial(
                    works=True, finding=f"a guest kernel started after {elapsed:.1f} s", lasting=True
                )
            if said is not None:
                why = "; ".join(text_lines(errors)) or "no reason was given"
                finding = f"{device} opens, but QEMU exited before a guest kernel started: {why}"
                # QEMU crashed, or its message names KVM. Anything else may be the fault of this image.
                lasting = process.wait() < 0 or "kvm" in why.lower()
                return _Trial(works=False, finding=finding, lasting=lasting)
    finding = f"{device} opens, but a guest kernel printed nothing within {deadline_s:g} s"
    return _Trial(works=False, finding=finding, lasting=True)


def _hear(process: subprocess.Popen[bytes], deadline: float) -> bytes | None:
    """The guest's output until its sign of life or its end; None if the deadline came first."""
    assert process.stdout is not None
    said = b""
    while SIGN_OF_LIFE not in said:
        left_s = deadline - time.monotonic()
        if left_s <= 0 or not select.select([process.stdout], [], [], left_s)[0]:
            return None
        if not (data := os.read(process.stdout.fileno(), 4096)):
            return said
        said += data
    return said
