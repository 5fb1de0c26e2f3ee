"""Other bindings: fetched from a signed archive, unpacked once, and kept where build directories refer to them."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from harness.base import apt
from harness.base.cache import Cache
from harness.base.errors import HarnessError
from harness.commands import adapters
from harness.suite import other_bindings as others
from harness.suite.other_bindings import OtherBinding, OtherBindings
from harness.tests.kernels.test_archive import DEAD, gnupg, repository

__all__ = ["gnupg", "repository"]  # fixtures

PACKAGES = ("liburing-dev", "linux-libc-dev")
SUITES = ("trixie", "sid")


@pytest.fixture
def archive(repository, gnupg, monkeypatch):
    """An archive with two versions of a library."""
    monkeypatch.setattr(others, "KEYRING", gnupg / "keyring.gpg")
    for suite, version in zip(SUITES, ("2.9-1", "1:2.15-1+b1"), strict=True):
        repository.add(suite, "liburing-dev", version, b"the library of " + suite.encode())
        repository.add(suite, "linux-libc-dev", "7.1-1", b"headers")
    return repository.publish()


@pytest.fixture
def opened(tmp_path, archive):
    """Other bindings of one cache, as a new run would see them."""

    def open_others(mirror: str = archive.uri) -> OtherBindings:
        return OtherBindings(Cache(tmp_path / "cache"), SUITES, print, mirror=mirror)

    return open_others


def test_each_suite_has_its_own_and_all_of_it(opened):
    found = opened().fetch(PACKAGES, SUITES)
    assert [other.version for other in found] == ["2.9", "2.15"]
    for other, suite in zip(found, SUITES, strict=True):
        assert (other.root / "boot/vmlinuz-liburing-dev").read_text() == f"the library of {suite}"
        assert (other.root / "boot/vmlinuz-linux-libc-dev").read_text() == "headers"


def test_the_same_version_keeps_its_place_and_a_newer_one_gets_another(opened, archive):
    (first,) = opened().fetch(PACKAGES, ("sid",))
    mark = first.root / "mark"
    mark.touch()
    assert opened().fetch(PACKAGES, ("sid",)) == [first] and mark.exists()
    archive.add("sid", "liburing-dev", "1:2.16-1", b"newer")
    archive.publish()
    (newer,) = opened().fetch(PACKAGES, ("sid",))
    assert newer.version == "2.16" and newer.root != first.root and mark.exists()
    assert opened().earlier(PACKAGES) == newer


def test_two_suites_with_one_version_are_one_peer(opened, archive):
    archive.clear("trixie")
    archive.add("trixie", "liburing-dev", "2.15-3", b"same")
    archive.add("trixie", "linux-libc-dev", "7.1-1", b"headers")
    archive.publish()
    assert len(opened().fetch(PACKAGES, SUITES)) == 1


def test_a_package_that_is_missing_leaves_nothing_that_counts(opened, archive):
    archive.clear("sid")
    archive.add("sid", "liburing-dev", "2.15-1", b"alone")
    archive.publish()
    with pytest.raises(HarnessError, match="linux-libc-dev"):
        opened().fetch(PACKAGES, ("sid",))
    assert opened().earlier(PACKAGES) is None


def test_an_unsigned_archive_is_refused(opened, archive):
    archive.publish(signed=False)
    with pytest.raises(HarnessError):
        opened().fetch(PACKAGES, SUITES)


def test_without_the_archive_what_was_fetched_last_is_used_and_said(opened, capsys, monkeypatch):
    monkeypatch.setattr(apt, "STALL_S", 5)
    with pytest.raises(HarnessError):
        adapters._had(opened(DEAD), PACKAGES, SUITES)
    found = opened().fetch(PACKAGES, SUITES)
    assert adapters._had(opened(DEAD), PACKAGES, SUITES)[0] in found
    assert "Using liburing-dev 2." in capsys.readouterr().err


def test_cmake_is_told_where_they_are(tmp_path):
    crate, *liburings = (OtherBinding(version=version, root=tmp_path / version) for version in ("0.7.15", "2.9", "2.15"))
    assert adapters.cache_variables(liburings, crate) == [
        f"-DURING_ADAPTER_LIBURING=2.9={tmp_path}/2.9;2.15={tmp_path}/2.15",
        f"-DURING_ADAPTER_RUST={tmp_path}/0.7.15/usr/share/cargo/registry",
    ]


def test_what_failed_is_told_with_its_last_words(monkeypatch):
    with pytest.raises(HarnessError, match="(?s)exit code 3.*because"):
        others.run(["sh", "-c", "echo because; exit 3"])
    with pytest.raises(HarnessError, match="ci/bench and ci/adapters"):
        others.run(["no-such-tool"])
    assert shutil.which("dpkg-query") and subprocess.run(["true"], check=True)
