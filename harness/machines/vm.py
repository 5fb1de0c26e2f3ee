# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""A virtual machine that boots one kernel, runs a plan, and ends.

The guest consists of the kernel under test, the runner as pid 1 and the payload: the plan and its programs, in separate
memory. There is no other user space. Records also come through such memory, announced on QEMU's debug console, a separate
channel that needs no driver in the guest. Kernel warnings go to a serial console, which is how we see a panic.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from harness.base.elf import stripped
from harness.base.errors import HarnessError
from harness.machines import initramfs, snapshot
from harness.machines.machine import Event, Events, PlanEntry, plan_text
from harness.machines.process import child, make_directory, store
from harness.machines.qmp import MonitorError, monitor
from harness.machines.shared_memory import SharedMemory
from harness.machines.snapshot import Snapshots, Subject
from harness.machines.stream import follow

QEMU = "qemu-system-x86_64"
INSTALL_QEMU = "Install QEMU (on Debian: apt install qemu-system-x86 seabios)."

#: QEMU's options for every guest. Without default devices there are no firmware menus and no network boot.
MACHINE = ("-M", "q35", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot")

#: Everything the accelerator can do, with one exception: emulating `rep movsb` takes time for every byte, and kernels
#: that believe it is fast (ERMS, FSRM) clear and copy pages with it.
PROCESSOR = {"kvm": "max", "tcg": "max,-erms,-fsrm"}

#: The serial number of a guest's drive: what the tests look for, so that they never touch another (fixture/nvme_drive.h).
DRIVE_SERIAL = "uring-scratch"
DRIVE_BYTES = 64 << 20

KERNEL_PARAMETERS = (
    "console=ttyS0",
    "loglevel=5",  # warnings, the markers of the entries, a panic with all its lines; the rest is a tenth of a boot
    "panic=-1",  # with -no-reboot a panic ends QEMU at once
    "oops=panic",  # after an Oops no result of this machine can be trusted; the rest runs in a fresh one
    # The kernel panics if it does not see enough timer interrupts in a moment: on a busy machine it may see none of QEMU's.
    "no_timer_check",
    "noreplace-smp",  # patching the kernel for one processor takes a tenth of a boot under emulation
    "cryptomgr.notests",  # saves half a second of self-tests that we do not need
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VmMachine:
    """A kernel image and what to run it with. `files` maps paths in the guest to files here.

    With `snapshots` the guest boots once and is kept there; this run and all later ones continue from it. Their "hello"
    then has "resumed": true.
    """

    kernel: Path
    runner: Path
    files: Mapping[str, Path] = field(default_factory=dict)
    accelerator: str = "tcg"
    memory_mib: int = 512
    cpus: int = 1
    boot_deadline_s: float = 60.0
    grace_s: float = 15.0
    append: str = ""  # more kernel parameters; the last of two wins
    drive: bool = False  # an empty NVMe drive with a queue that is polled; QEMU cannot save such a guest
    qemu: str = QEMU
    snapshots: Snapshots | None = None

    @property
    def shared_log(self) -> bool:
        """Nothing but the plan runs in the guest."""
        return False

    def run(self, plan: Sequence[PlanEntry], artefacts: Path) -> Events:
        """Run the plan and yield its events. Leaves console.log and qemu.stderr in `artefacts`."""
        make_directory(artefacts)
        with SharedMemory(self.payload(plan)) as memory:
            run = _Run(self, plan, memory, artefacts)
            try:
                if self.snapshots is None or not (yield from run.from_snapshot(self.snapshots)):
                    yield from run.from_boot()
            finally:
                run.clean_up()

    def __post_init__(self) -> None:
        if self.drive and self.snapshots is not None:
            raise ValueError("QEMU cannot save a guest with an NVMe drive")

    def subject(self) -> Subject:
        """The subject of its snapshot."""
        options = (*self.options(), self.parameters())
        qemu = Path(shutil.which(self.qemu) or self.qemu)
        return Subject(kernel=self.kernel, init=self.init(), qemu=qemu, options=options)

    def discard_snapshot(self) -> None:
        """Remove the snapshot that the guest continued from, because a fresh boot contradicts it."""
        if self.snapshots is not None:
            self.snapshots.discard(self.subject())

    def options(self) -> tuple[str, ...]:
        """The options that define the guest."""
        return (
            *MACHINE,
            *("-accel", self.accelerator, "-cpu", PROCESSOR[self.accelerator]),
            *("-m", str(self.memory_mib)),
            *("-smp", str(self.cpus)),
        )

    def parameters(self) -> str:
        """The kernel's command line."""
        polled = ("nvme.poll_queues=1",) if self.drive else ()
        return " ".join((*KERNEL_PARAMETERS, *polled, self.append)).strip()

    def init(self) -> bytes:
        """The initramfs: only the runner."""
        return initramfs.base({"init": _carried(self.runner)})

    def payload(self, plan: Sequence[PlanEntry]) -> bytes:
        """The plan and the programs that the guest runs."""
        nodes = [initramfs.file(path, _carried(source)) for path, source in self.files.items()]
        return initramfs.archive([*nodes, initramfs.file("plan", plan_text(plan).encode(), 0o644)])


class _Run:
    """One run of a plan: from a boot, or from a snapshot."""

    def __init__(
        self, machine: VmMachine, plan: Sequence[PlanEntry], memory: SharedMemory, artefacts: Path
    ) -> None:
        self._machine = machine
        self._plan = plan
        self._memory = memory
        self._init = artefacts / "initramfs.cpio"
        self._console = artefacts / "console.log"
        self._errors = artefacts / "qemu.stderr"

    def clean_up(self) -> None:
        """Remove the large file, which is made from files that are kept elsewhere."""
        self._init.unlink(missing_ok=True)

    def from_boot(self) -> Events:
        """Boot, then run the plan."""
        store(self._init, self._machine.init())
        command = [*self._command(), *self._memory.options(), *self._booting(self._console)]
        with _empty_drive() if self._machine.drive else nullcontext() as drive:
            descriptors = self._memory.descriptors
            if drive is not None:
                command += _nvme(drive)
                descriptors += (drive,)
            yield from self._from_boot(command, descriptors)

    def _from_boot(self, command: Sequence[str], descriptors: Sequence[int]) -> Events:
        with self._child(command, *descriptors) as process:
            yield from self._follow(process, self._plan, self._console, self._memory)

    def from_snapshot(self, snapshots: Snapshots) -> Generator[Event, None, bool]:
        """Run the plan in a guest that booted now or earlier. False: nothing has run yet, and the guest must boot."""
        if shutil.which(self._machine.qemu) is None:
            return False  # booting will report the error and the remedy
        subject = self._machine.subject()
        try:
            if snapshots.find(subject) is None:
                store(self._init, subject.init)
                with snapshots.new(subject) as (directory, keep):
                    if snapshots.find(subject) is None:  # no other run made it while we waited
                        death = yield from self._save(directory)
                        if death is not None:
                            yield death
                            return True
                        keep()
            yield from self._resume(snapshots.find(subject))
        except (MonitorError, OSError, HarnessError) as error:
            reason = str(error).rstrip(".")
            yield {"kind": "notice", "text": f"Booting, because no snapshot can be used: {reason}."}
            # Only a boot that succeeds shows that the snapshot was to blame, and not a full disk or a tiny deadline.
            with closing(self.from_boot()) as events:
                for event in events:
                    if event["kind"] == "hello":
                        snapshots.discard(subject)
                    yield event
        return True

    def _save(self, directory: Path) -> Generator[Event, None, Event | None]:
        """Boot, and save the guest while it waits for its payload. Returns its death if it does not get that far."""
        console = directory / snapshot.CONSOLE
        with SharedMemory() as nothing, monitor() as qemu, (directory / snapshot.STATE).open("wb") as state:
            command = [
                *self._command(),
                *nothing.options_of_saved(saving=True),
                *_memory(directory, self._machine.memory_mib, shared="on"),
                *self._booting(console),
                *qemu.options,
            ]
            with self._child(command, qemu.descriptor, *nothing.descriptors) as process:
                qemu.connect()
                for event in self._follow(process, (), console):
                    if event["kind"] == "ready":
                        qemu.save(state.fileno())
                        return None
                    if event["kind"] == "died" and not event["killed"]:  # a full disk also kills
                        shutil.copyfile(console, self._console)
                        return event
                    yield event
        raise MonitorError("its boot ended without a reason")

    def _resume(self, place: Path | None) -> Events:
        """Run the plan in a guest that continues from a snapshot."""
        if place is None:
            raise MonitorError("another run has just replaced it")
        console = f"file,id=console,append=on,path={_escaped(self._console)}"
        with monitor() as qemu, (place / snapshot.STATE).open("rb") as state:
            shutil.copyfile(place / snapshot.CONSOLE, self._console)
            command = [
                *self._command(),
                *self._memory.options_of_saved(saving=False),
                *_memory(place, self._machine.memory_mib, shared="off"),
                *("-incoming", "defer"),
                *("-chardev", console, "-serial", "chardev:console"),
                *qemu.options,
            ]
            descriptors = (qemu.descriptor, *self._memory.descriptors)
            with self._child(command, *descriptors) as process:
                qemu.connect()
                qemu.resume(state.fileno())
                for event in self._follow(process, self._plan, self._console, self._memory):
                    if event["kind"] == "died" and event["phase"] == "boot" and not event["killed"]:
                        raise MonitorError(event["why"])
                    yield event | {"resumed": True} if event["kind"] == "hello" else event

    def _command(self) -> list[str]:
        return [self._machine.qemu, *self._machine.options(), "-debugcon", "file:/dev/stdout"]

    def _booting(self, console: Path) -> list[str]:
        return [
            *("-kernel", str(self._machine.kernel)),
            *("-initrd", str(self._init)),
            *("-append", self._machine.parameters()),
            *("-serial", f"file:{console}"),
        ]

    def _child(
        self, command: Sequence[str], *descriptors: int
    ) -> AbstractContextManager[subprocess.Popen[bytes]]:
        return child(
            command, stderr=self._errors, dies_by=signal.SIGKILL, remedy=INSTALL_QEMU, descriptors=descriptors
        )

    def _follow(
        self,
        process: subprocess.Popen[bytes],
        plan: Sequence[PlanEntry],
        console: Path,
        memory: SharedMemory | None = None,
    ) -> Events:
        return follow(
            process,
            plan,
            boot_deadline_s=self._machine.boot_deadline_s,
            grace_s=self._machine.grace_s,
            errors=self._errors,
            console=console,
            memory=memory,
            name="the virtual machine",
            program="QEMU",
        )


@contextmanager
def _empty_drive() -> Iterator[int]:
    """Memory for it, and not a file, because a full disk would stop a guest in the middle of a test."""
    try:
        descriptor = os.memfd_create("drive")
    except OSError as error:
        raise HarnessError(
            f"The memory for a guest's drive cannot be had: {error.strerror}. Check the limits of this shell (ulimit -n)."
        ) from error
    with os.fdopen(descriptor, "wb"):
        os.truncate(descriptor, DRIVE_BYTES)
        yield descriptor


def _nvme(descriptor: int) -> tuple[str, ...]:
    """A drive with this memory. What is discarded reads as zeros."""
    drive = f"file=/proc/self/fd/{descriptor},if=none,id=drive,format=raw,discard=unmap"
    return ("-drive", drive, "-device", f"nvme,drive=drive,serial={DRIVE_SERIAL}")


def _memory(directory: Path, mib: int, shared: str) -> tuple[str, ...]:
    """The guest's memory in a file. If not shared, it is mapped copy on write."""
    path = _escaped(directory / snapshot.RAM)
    backend = f"memory-backend-file,id=ram,size={mib}M,share={shared},mem-path={path}"
    return ("-object", backend, "-machine", "memory-backend=ram")


def _escaped(path: Path) -> str:
    """Escape a path for QEMU's comma-separated options."""
    return str(path).replace(",", ",,")


def _carried(path: Path) -> bytes:
    """A program for the guest, without the parts that a guest does not need."""
    try:
        return stripped(path)
    except OSError as error:
        raise HarnessError(
            f"{path} cannot be read to run it in the guest: {error.strerror}. Build the project first: ci/build."
        ) from error
