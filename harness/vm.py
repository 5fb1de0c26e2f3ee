"""A virtual machine that boots one kernel, runs a plan as its only purpose, and ends.

The guest is the kernel under test, the runner as pid 1 and the files of the plan; there is no other user
space. Records come over QEMU's debug console, a channel of their own which needs no driver in the guest; the
kernel's log goes to a serial console, which is how a panic is seen.
"""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness import initramfs
from harness.machine import Events, PlanEntry, child, follow, plan_text, store
from harness.trouble import Trouble

QEMU = "qemu-system-x86_64"
INSTALL_QEMU = "Install QEMU (on Debian: apt install qemu-system-x86 seabios)."

#: QEMU's options for every guest. Without default devices there are no firmware menus and no network boot.
MACHINE = ("-M", "q35", "-cpu", "max", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot")

KERNEL_PARAMETERS = (
    "console=ttyS0",
    "loglevel=7",  # everything but debug: the markers of the entries and what came before a panic
    "panic=-1",  # with -no-reboot a panic ends QEMU at once
    "oops=panic",  # after an Oops no result of this machine can be trusted; the rest runs in a fresh one
    "cryptomgr.notests",  # half a second of self-tests that nobody here needs
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VmMachine:
    """A kernel image and what to run it with. `files` maps paths in the guest to files here."""

    kernel: Path
    runner: Path
    files: Mapping[str, Path] = field(default_factory=dict)
    accelerator: str = "tcg"
    memory_mib: int = 512
    cpus: int = 1
    boot_deadline_s: float = 60.0
    grace_s: float = 15.0
    append: str = ""  # further kernel parameters; the last of two wins
    qemu: str = QEMU

    @property
    def shared_log(self) -> bool:
        """Nothing but the plan runs in the guest."""
        return False

    def run(self, plan: Sequence[PlanEntry], artefacts: Path) -> Events:
        """Boot, run the plan, yield its events. Leaves console.log and qemu.stderr in `artefacts`."""
        image, console = artefacts / "initramfs.cpio", artefacts / "console.log"
        errors = artefacts / "qemu.stderr"
        store(image, self._initramfs(plan))
        try:
            with child(
                self.command(image, console), stderr=errors, dies_by=signal.SIGKILL, remedy=INSTALL_QEMU
            ) as process:
                yield from follow(
                    process,
                    plan,
                    boot_deadline_s=self.boot_deadline_s,
                    grace_s=self.grace_s,
                    errors=errors,
                    console=console,
                    name="the virtual machine",
                    program="QEMU",
                )
        finally:
            image.unlink(missing_ok=True)  # large, and made from files that are kept elsewhere

    def command(self, image: Path, console: Path) -> list[str]:
        """QEMU's command line."""
        parameters = " ".join((*KERNEL_PARAMETERS, self.append)).strip()
        return [
            self.qemu,
            *MACHINE,
            *("-accel", self.accelerator),
            *("-m", str(self.memory_mib)),
            *("-smp", str(self.cpus)),
            *("-kernel", str(self.kernel)),
            *("-initrd", str(image)),
            *("-append", parameters),
            *("-serial", f"file:{console}"),
            *("-debugcon", "file:/dev/stdout"),
        ]

    def _initramfs(self, plan: Sequence[PlanEntry]) -> bytes:
        carried = {"init": self.runner, **self.files}
        try:
            contents = {path: source.read_bytes() for path, source in carried.items()}
        except OSError as error:
            raise Trouble(
                f"{error.filename} is to run in the guest but cannot be read: {error.strerror}. "
                "Build the project first."
            ) from error
        text = plan_text(plan).encode()
        return initramfs.base(contents) + initramfs.archive([initramfs.file("plan", text, 0o644)])
