"""`ci/install`, with a fake dpkg and apt: which packages it chooses, and what it advises when something fails."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness.base.paths import ROOT

QUICKLY = "-o Dpkg::Options::=--force-unsafe-io"
INSTALL = ROOT / "ci" / "install"


@dataclass
class System:
    """A system with these packages, whose apt writes down how it is called."""

    directory: Path
    installed: list[str] = field(default_factory=list)
    archive: list[str] = field(default_factory=list)
    update: str = "true"  # what `apt-get update` and `apt-get install` do, as shell
    install: str = "true"

    def run(self, *lines: str) -> subprocess.CompletedProcess[str]:
        """Ask for the packages of a list."""
        programs = self.directory / "bin"
        programs.mkdir(exist_ok=True)
        (self.directory / "list").write_text("# A list\n" + "\n".join(lines) + "\n")
        there = "".join(f"printf '%s:\\n  Candidate: 1\\n' {name};" for name in self.archive)
        known = "".join(f"echo installed {name};" for name in self.installed)
        apt = f'echo "$@" >>{self.directory}/called; case $* in *update*) {self.update};; *) {self.install};; esac'
        for name, script in {"id": "echo 0", "dpkg-query": known, "apt-cache": there, "apt-get": apt}.items():
            (programs / name).write_text(f"#!/bin/sh\n{script}\n")
            (programs / name).chmod(0o755)
        environment = {"PATH": f"{programs}:/usr/bin:/bin"}
        command = [INSTALL, self.directory / "list"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    @property
    def called(self) -> list[str]:
        """The command lines that apt-get got."""
        path = self.directory / "called"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def system(tmp_path: Path) -> System:
    """A system without any package."""
    return System(tmp_path)


def test_nothing_is_done_when_nothing_is_missing(system: System) -> None:
    system.installed = ["g++", "old-name"]
    done = system.run("g++   # the compiler", "new-name | old-name")
    assert (done.returncode, done.stdout, done.stderr, system.called) == (0, "", "", [])


def test_of_several_names_the_first_that_the_archive_has_is_installed(system: System) -> None:
    system.installed, system.archive = ["g++"], ["cmake", "second", "third"]
    done = system.run("g++", "cmake", "first | second | third  # it was renamed")
    assert done.returncode == 0, done.stderr
    assert system.called[-1].endswith(f"install --yes --no-install-recommends {QUICKLY} cmake second")


def test_dpkg_waits_for_the_disk_when_a_package_is_replaced(system: System) -> None:
    system.archive, system.install = ["g++"], "echo 'Inst libc6 [2.36-9] (2.36-10 Debian:12 [amd64])'"
    assert system.run("g++").returncode == 0
    assert QUICKLY not in system.called[-1]


def test_a_name_that_the_archive_lacks_is_not_a_network_problem(system: System) -> None:
    system.archive = ["cmake"]
    done = system.run("cmake", "python3-clang-14 | python3-clang")
    assert done.returncode == 2
    assert "has no package with this name: python3-clang-14 | python3-clang" in done.stderr
    assert f"It is in {system.directory}/list" in done.stderr
    assert "network" not in done.stderr and len(system.called) == 1


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("Err:1 x\n  Could not resolve 'deb.invalid'", "The network does not respond"),
        ("E: You don't have enough free space in /var/cache/apt/archives/.", "The disk is full"),
        ("E: Could not get lock /var/lib/dpkg/lock-frontend", "Another program is installing"),
        ("  Hash Sum mismatch", "does not match its signature"),
        ("  Missing key 12, which is needed to verify signature.", "does not match its signature"),
        ("E: Release file for x is expired (invalid since 2d).", "clock is wrong"),
        ("dpkg: error processing package g++", "Fix the error that apt reports"),
    ],
)
@pytest.mark.parametrize("when", ["update", "install"])
def test_the_advice_is_for_what_failed(system: System, when: str, said: str, advice: str) -> None:
    system.archive = ["g++"] if when == "install" else []
    setattr(system, when, f'echo "{said}"; exit 100')
    done = system.run("g++")
    assert done.returncode == 2
    assert said.splitlines()[-1] in done.stderr and advice in done.stderr


def test_a_list_that_cannot_be_read_costs_nothing_if_the_others_have_all(system: System) -> None:
    system.archive, system.update = ["g++"], "echo 'E: The repository x is not signed.'; exit 100"
    done = system.run("g++")
    assert done.returncode == 0, done.stderr
    assert "Not all lists of the archive could be read: E: The repository x is not signed." in done.stdout


def test_a_system_without_apt_is_told_what_it_can_do(tmp_path: Path) -> None:
    for name in ("bash", "dirname", "readlink", "sed", "tr", "cat"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    done = subprocess.run([INSTALL], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "no apt-get" in done.stderr and "qemu-system-x86" in done.stderr, done.stderr


def test_what_apt_is_about_to_do_is_shown(system: System) -> None:
    system.archive = ["g++"]
    system.install = (
        "echo '0 upgraded, 44 newly installed, 0 to remove and 0 not upgraded.'; echo 'Need to get 66.3 MB of archives.';"
        "echo 'After this operation, 280 MB of additional disk space will be used.';"
        "echo 'dlstatus:1:50.0000:Retrieving' >&3; echo 'pmstatus:g++:50.0000:Unpacking' >&3"
    )
    done = system.run("g++")
    assert "  44 packages including dependencies, 66.3 MB of archives. 280 MB of additional disk space will be used.\n" in done.stdout
    assert "  Downloading: 0 s\n  Installing: 0 s\n" in done.stdout
    assert "status" not in done.stdout
