"""Fixtures of the harness's own tests: the real runner and a real kernel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import kernels
from harness.archive import Archive
from harness.cache import Cache
from harness.matrix import ROOT


@pytest.fixture(scope="session")
def runner() -> Path:
    """The program that executes plans, as ci/build makes it."""
    program = ROOT / "build" / "harness" / "guest" / "runner"
    assert program.exists(), "build first: ci/build"
    return program


@pytest.fixture(scope="session")
def vm_kernel() -> Iterator[Path]:
    """The boot image of a kernel that the archive has, from the same cache as the matrix's."""
    cache = Cache()
    archive = Archive(cache, suites=kernels.load_settings().suites, notice=print)
    with cache.used():
        yield kernels.obtain("6.1", cache=cache, archive=archive, notice=print).boot_image
