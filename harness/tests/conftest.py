# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Fixtures of the harness's own tests: the real runner and a real kernel."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.base.cache import Cache
from harness.base.paths import BUILD
from harness.kernels.archive import Archive
from harness.kernels.obtain import obtain
from harness.kernels.settings import load_settings
from harness.tests.signed_archive import Repository, gpg


@pytest.hookimpl(tryfirst=True)  # before -m looks at the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What a fixture says of a test is not repeated at each; and the slowest come first, so that no worker is left with one."""
    for item in items:
        for fixture in _MARKS.keys() & set(getattr(item, "fixturenames", ())):
            for mark in _MARKS[fixture]:
                item.add_marker(mark)
    items.sort(key=_seconds, reverse=True)


_MARKS = {
    "vm_kernel": (pytest.mark.vm, pytest.mark.slow(4)),
    "browser": (pytest.mark.browser, pytest.mark.slow(10), pytest.mark.xdist_group("browser")),
    "repository": (pytest.mark.archive, pytest.mark.slow(1)),
}


def _seconds(item: pytest.Item) -> float:
    mark = item.get_closest_marker("slow")
    return float(mark.args[0]) if mark else 0.0


@pytest.fixture(scope="session", autouse=True)
def heard_signals() -> Iterator[None]:
    """Ctrl-C and a closed terminal, which a shell has us ignore in the background (nohup, &), and our children with us."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGHUP)}
    if before[signal.SIGINT] is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if before[signal.SIGHUP] is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def runner() -> Path:
    """The program that executes plans, as ci/build builds it."""
    program = BUILD / "harness" / "guest" / "runner"
    assert program.exists(), "build first: ci/build"
    return program


@pytest.fixture(scope="session")
def vm_kernel() -> Iterator[Path]:
    """The boot image of the archive's kernel that boots in the least time, from the same cache as the matrix's."""
    cache = Cache()
    archive = Archive(cache, suites=load_settings().suites, notice=print)
    with cache.used():
        yield obtain("5.10", cache=cache, archive=archive, notice=print).boot_image


@pytest.fixture(scope="session")
def gnupg(tmp_path_factory):
    """A GnuPG home with a throwaway key, and the public half in keyring.gpg."""
    if shutil.which("gpg") is None:
        pytest.fail("gpg is not installed; these tests sign repositories with it: apt-get install gpg")
    home = tmp_path_factory.mktemp("gnupg")
    home.chmod(0o700)
    gpg(home, "--passphrase", "", "--quick-generate-key", "test@example.invalid", "ed25519", "sign", "never")
    gpg(home, "--export", "--output", home / "keyring.gpg")
    yield home
    subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=True)


@pytest.fixture
def repository(tmp_path, gnupg):
    """An empty repository."""
    (tmp_path / "repository").mkdir()
    return Repository(tmp_path / "repository", gnupg)
