"""The archive, played by small repositories on disk that a throwaway key signs. No network."""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from harness.base import apt
from harness.base.cache import Cache
from harness.base.errors import HarnessError
from harness.base.paths import ROOT
from harness.kernels.archive import Archive, Pin, kernels_in

DEAD = "http://127.0.0.1:9/debian"  # no server listens on the discard port


FORGED = "What the mirror sent is not what the distribution signed, and none of it is used."


class Repository:
    """A signed repository: add packages to suites, publish, and break it afterwards."""

    def __init__(self, root: Path, gnupg: Path) -> None:
        self.root = root
        self.uri = f"copy:{root}"
        self._gnupg = gnupg
        self._stanzas: dict[str, list[str]] = {}

    def add(self, suite: str, name: str, version: str, image: bytes | None = None, depends: str = "") -> Path:
        """Put a package into a suite; with `image` it holds that kernel where such packages have it."""
        tree = self.root / "build"
        (tree / "DEBIAN").mkdir(parents=True)
        control = f"Package: {name}\nVersion: {version}\nArchitecture: amd64\nMaintainer: nobody\n"
        control += f"Depends: {depends}\n" if depends else ""
        (tree / "DEBIAN/control").write_text(control + "Description: test\n")
        if image is not None:
            release = name.removeprefix("linux-image-").removeprefix("linux-binary-")
            inside = f"usr/lib/modules/{release}/vmlinuz" if "binary" in name else f"boot/vmlinuz-{release}"
            (tree / inside).parent.mkdir(parents=True)
            (tree / inside).write_bytes(image)
        deb = self.root / f"{name}_{version}_{suite}.deb"
        command = ["dpkg-deb", "-Znone", "--root-owner-group", "--build", tree, deb]
        subprocess.run(command, check=True, capture_output=True)
        shutil.rmtree(tree)
        data = deb.read_bytes()
        control += f"Filename: {deb.name}\nSize: {len(data)}\nSHA256: {hashlib.sha256(data).hexdigest()}\n"
        self._stanzas.setdefault(suite, []).append(control + "Description: test\n")
        return deb

    def clear(self, suite: str) -> None:
        self._stanzas[suite] = []

    def publish(self, *, signed: bool = True, expired: Sequence[str] = ()) -> Repository:
        for suite, stanzas in self._stanzas.items():
            directory = self.root / "dists" / suite
            packages = directory / "main/binary-amd64/Packages"
            packages.parent.mkdir(parents=True, exist_ok=True)
            packages.write_text("\n".join(stanzas))
            data = packages.read_bytes()
            until = "Valid-Until: Fri, 02 Jan 2026 00:00:00 UTC\n" if suite in expired else ""
            (directory / "Release").write_text(
                f"Suite: {suite}\nCodename: {suite}\nArchitectures: amd64\nComponents: main\n"
                f"Date: Thu, 01 Jan 2026 00:00:00 UTC\n{until}"
                f"SHA256:\n {hashlib.sha256(data).hexdigest()} {len(data)} main/binary-amd64/Packages\n"
            )
            (directory / "InRelease").unlink(missing_ok=True)
            if signed:
                sign(directory / "Release", directory / "InRelease", self._gnupg)
        return self


def gpg(home: Path, *arguments: str | Path) -> None:
    command = ["gpg", "--homedir", home, "--batch", "--quiet", "--pinentry-mode", "loopback", *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.fail(f"gpg cannot make a key or a signature: {done.stderr.strip()}")


def sign(release: Path, signed: Path, home: Path) -> None:
    gpg(home, "--passphrase", "", "--clearsign", "--output", signed, release)


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


@pytest.fixture
def notices():
    """The notices for the person, one sentence each."""
    return []


@pytest.fixture
def opened(tmp_path, gnupg, repository, notices):
    """Open the archive as a new run would, on one cache (with a space in its path)."""

    def open_archive(suites=("bookworm",), mirror=repository.uri, **more) -> Archive:
        more = {"security_mirror": mirror, "keyring": gnupg / "keyring.gpg", "notice": notices.append} | more
        return Archive(Cache(tmp_path / "the cache"), suites=tuple(suites), mirror=mirror, **more)

    return open_archive


@pytest.fixture
def served(repository):
    """The repository over HTTP, where apt says what is wrong: for a local file, apt 3 says "Undetermined Error"."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=repository.root)) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def grow_old(cache: Path) -> None:
    """Make the cached list of packages two days old."""
    path = cache / "facts/index.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"when": "2026-01-01T00:00:00+00:00"}))


def test_a_kernel_package_is_told_from_its_neighbours():
    stanzas = [
        ("linux-image-6.1.0-56-cloud-amd64", "6.1.192-2", "kmod, linux-base (>= 4.3~)"),
        ("linux-image-6.1.0-56-cloud-amd64-unsigned", "6.1.192-2", ""),
        ("linux-image-6.1.0-56-cloud-amd64-dbg", "6.1.192-2", ""),
        ("linux-image-6.1.0-56-amd64", "6.1.192-2", ""),
        ("linux-image-6.12-cloud-amd64", "6.12.117-1~deb12u1", "linux-image-6.12.117+deb12-cloud-amd64"),
        ("linux-image-cloud-amd64", "6.1.192-2", "linux-image-6.1.0-56-cloud-amd64 (= 6.1.192-2)"),
        ("linux-image-7.3-cloud-amd64", "7.3-1~exp1", "kmod, linux-binary-7.3-cloud-amd64 (= 7.3-1~exp1)"),
        ("linux-binary-7.3-cloud-amd64", "7.3-1~exp1", ""),
        ("linux-binary-unsigned-7.3-cloud-amd64", "7.3-1~exp1", ""),
        ("linux-headers-7.3-cloud-amd64", "7.3-1~exp1", ""),
        ("linux-base-7.3-cloud-amd64", "7.3-1~exp1", ""),
        ("linux-binary-7.4~rc1-cloud-amd64", "7.4~rc1-1~exp1", ""),
    ]
    text = "\n".join(
        f"Package: {name}\nSource: linux\nVersion: {version}\nDepends: {depends}\nDescription: x\n y\n"
        for name, version, depends in stanzas
    )
    assert [(kernel.series, kernel.name, kernel.release) for kernel in kernels_in(text, "sid")] == [
        ("6.1", "linux-image-6.1.0-56-cloud-amd64", "6.1.0-56-cloud-amd64"),
        ("7.3", "linux-binary-7.3-cloud-amd64", "7.3-cloud-amd64"),
        ("7.4", "linux-binary-7.4~rc1-cloud-amd64", "7.4~rc1-cloud-amd64"),
    ]


def test_a_machine_that_cannot_read_package_lists_is_told_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "debian.deb822", None)
    with pytest.raises(HarnessError, match="python3-debian: install it with apt"):
        list(kernels_in("Package: linux-image-6.1.0-56-cloud-amd64\nVersion: 6.1.192-2\n", "sid"))


@pytest.mark.parametrize("older, newer", [("6.1.9-1", "6.1.10-1"), ("7.4~rc1-1", "7.4-1"), ("6.1-1~bpo12+1", "6.1-1"), ("9.1", "1:1.0")])
def test_versions_have_dpkgs_order(older, newer):
    assert apt.version(older) < apt.version(newer)
    assert subprocess.run(["dpkg", "--compare-versions", older, "lt", newer], check=False).returncode == 0


def test_the_newest_of_each_series_wins_wherever_it_is(repository, opened):
    repository.add("bookworm", "linux-image-6.1.0-9-cloud-amd64", "6.1.99-1")
    repository.add("bookworm-security", "linux-image-6.1.0-10-cloud-amd64", "6.1.100-1")
    repository.add("bookworm-backports", "linux-image-6.1.0-0.deb11.10-cloud-amd64", "6.1.100-1~deb11u1")
    repository.add("bookworm-backports", "linux-image-6.12.7+deb12-cloud-amd64", "6.12.7-1~deb12u1")
    repository.add("bookworm-backports", "linux-image-6.9.7+deb12-cloud-amd64", "6.9.7-1~bpo12+1")
    repository.publish()
    index = opened(["bookworm", "bookworm-security", "bookworm-backports"]).index()
    assert [(kernel.version, kernel.suite) for kernel in index.packages.values()] == [
        ("6.1.100-1", "bookworm-security"),
        ("6.9.7-1~bpo12+1", "bookworm-backports"),
        ("6.12.7-1~deb12u1", "bookworm-backports"),
    ]
    assert list(index.packages) == ["6.1", "6.9", "6.12"]


@pytest.mark.parametrize("name", ["linux-image-6.1.0-9-cloud-amd64", "linux-binary-6.1.0-9-cloud-amd64"])
def test_the_image_comes_out_of_the_package_and_then_from_the_cache(
    name, repository, opened, notices, tmp_path
):
    repository.add("bookworm", name, "6.1.99-1", b"the kernel")
    repository.publish()
    first = opened().resolve("6.1")
    assert first.image.read_bytes() == b"the kernel"
    assert first.sha256 == hashlib.sha256(b"the kernel").hexdigest()
    assert first.package.release == "6.1.0-9-cloud-amd64"
    assert notices == [f"Fetching {name} 6.1.99-1 (bookworm)."]
    assert not list((tmp_path / "the cache").rglob("*.deb"))  # only the image is worth keeping
    shutil.rmtree(repository.root)
    assert opened(mirror=DEAD).resolve("6.1") == first
    assert len(notices) == 1  # the archive was not asked, so there is nothing to report


def test_an_unsigned_repository_is_refused(repository, opened):
    repository.add("bookworm", "linux-image-6.1.0-9-cloud-amd64", "6.1.99-1", b"the kernel")
    repository.publish(signed=False)
    with pytest.raises(HarnessError, match=f"cannot be used: it is not signed. {FORGED}"):
        opened().resolve("6.1")


def test_a_signature_of_somebody_else_is_refused(repository, opened):
    repository.add("bookworm", "linux-image-6.1.0-9-cloud-amd64", "6.1.99-1", b"the kernel")
    repository.publish()
    with pytest.raises(HarnessError, match=f"cannot be used: .*(NO_PUBKEY|Missing key) .*{FORGED}"):
        opened(keyring=apt.KEYRING).resolve("6.1")


def test_a_changed_list_of_packages_is_refused(repository, opened, served):
    repository.add("bookworm", "linux-image-6.1.0-9-cloud-amd64", "6.1.99-1", b"the kernel")
    repository.publish()
    packages = repository.root / "dists/bookworm/main/binary-amd64/Packages"
    packages.write_text(packages.read_text().replace("6.1.99-1", "6.1.99-2"))
    with pytest.raises(HarnessError, match=f"cannot be used: Hash Sum mismatch. {FORGED}"):
        opened(mirror=served).resolve("6.1")


def test_a_changed_package_is_refused(repository, opened, served, tmp_path):
    deb = repository.add("bookworm", "linux-image-6.1.0-9-cloud-amd64", "6.1.99-1", b"the kernel")
    repository.publish()
    deb.write_bytes(deb.read_bytes().replace(b"the kernel", b"the kornel"))
    with pytest.raises(HarnessError, match=f"Hash Sum mismatch. {FORGED}"):
        opened(mirror=served).resolve("6.1")
    assert not list((tmp_path / "the cache").rglob("*.deb"))
    assert not (tmp_path / "the cache/blobs").exists()


def test_a_package_without_an_image_is_told(repository, opened):
    repository.add("bookworm", "linux-image-6.1.0-9-cloud-amd64", "6.1.99-1")
    repository.publish()
    with pytest.raises(HarnessError, match="holds no kernel image: no boot/vmlinuz-"):
        opened().resolve("6.1")


def test_a_missing_suite_is_said_and_costs_nothing_else(repository, opened, notices):
    repository.add("bookworm", "linux-image-6.1.0-9-cloud-amd64", "6.1.99-1", b"the kernel")
    repository.publish()
    suites = ["bookworm", "trixie", "bookworm-security"]
    assert opened(suites).resolve("6.1").package.suite == "bookworm"
    assert notices[:2] == [
        "The archive's suite trixie could not be read: it does not have a Release file.",
        "The archive's suite bookworm-security could not be read: it does not have a Release file.",
    ]
    notices.clear()
    opened(suites, mirror=DEAD).resolve("6.1")
    assert notices == []  # a missing suite is no reason to ask again within a day


def test_an_unknown_series_names_those_there_are(repository, opened):
    repository.add("bookworm", "linux-image-6.1.0-9-cloud-amd64", "6.1.99-1")
    repository.add("bookworm", "linux-image-6.12.7+deb12-cloud-amd64", "6.12.7-1")
    repository.publish()
    with pytest.raises(HarnessError, match="6.13 is neither .*, which has 6.1, 6.12. The nearest is 6.12"):
        opened().resolve("6.13")


def test_a_dead_mirror_is_trouble_with_a_cold_cache(opened):
    with pytest.raises(HarnessError, match=f"archive at {DEAD} cannot be used: Could not connect .*--mirror"):
        opened(mirror=DEAD).resolve("6.1")


def test_a_dead_mirror_is_a_notice_with_a_warm_cache(repository, opened, notices, tmp_path):
    repository.add("bookworm", "linux-image-6.1.0-9-cloud-amd64", "6.1.99-1", b"the kernel")
    repository.add("bookworm", "linux-image-6.12.7+deb12-cloud-amd64", "6.12.7-1", b"never fetched")
    repository.publish()
    first = opened().resolve("6.1")
    grow_old(tmp_path / "the cache")
    notices.clear()
    later = opened(mirror=DEAD)
    assert later.resolve("6.1") == first
    (notice,) = notices
    assert notice.endswith("Using the list of packages of 2026-01-01 00:00 UTC.")
    with pytest.raises(HarnessError, match="apt-get download linux-image-6.12.7.deb12-cloud-amd64=6.12.7-1 fail"):
        later.resolve("6.12")


def test_an_earlier_kernel_is_used_when_the_newer_cannot_be_fetched(repository, opened, notices):
    repository.add("bookworm", "linux-image-6.1.0-9-cloud-amd64", "6.1.99-1", b"the kernel")
    repository.publish()
    first = opened().resolve("6.1")
    deb = repository.add("bookworm", "linux-image-6.1.0-10-cloud-amd64", "6.1.100-1", b"newer")
    repository.publish()
    deb.unlink()
    assert opened(refresh=True).resolve("6.1") == first
    assert notices[-1].endswith("Using linux-image-6.1.0-9-cloud-amd64 6.1.99-1 from the cache.")


def test_a_list_older_than_a_day_or_a_refresh_asks_again(repository, opened, tmp_path):
    repository.add("bookworm", "linux-image-6.1.0-9-cloud-amd64", "6.1.99-1")
    repository.publish()
    opened().index()
    repository.add("bookworm", "linux-image-6.1.0-10-cloud-amd64", "6.1.100-1")
    repository.publish()
    assert opened().index().packages["6.1"].version == "6.1.99-1"
    assert opened(refresh=True).index().packages["6.1"].version == "6.1.100-1"
    repository.add("bookworm", "linux-image-6.1.0-11-cloud-amd64", "6.1.101-1")
    repository.publish()
    grow_old(tmp_path / "the cache")
    assert opened().index().packages["6.1"].version == "6.1.101-1"


def test_a_version_that_the_archive_dropped_meanwhile_is_looked_up_again(repository, opened):
    deb = repository.add("bookworm", "linux-image-6.1.0-9-cloud-amd64", "6.1.99-1", b"the kernel")
    repository.publish()
    opened().index()
    deb.unlink()
    repository.clear("bookworm")
    repository.add("bookworm", "linux-image-6.1.0-10-cloud-amd64", "6.1.100-1", b"newer")
    repository.publish()
    assert opened().resolve("6.1").image.read_bytes() == b"newer"


def test_other_suites_make_another_list(repository, opened):
    repository.add("bookworm", "linux-image-6.1.0-9-cloud-amd64", "6.1.99-1")
    repository.add("trixie", "linux-image-6.12.7+deb13-cloud-amd64", "6.12.7-1")
    repository.publish()
    assert list(opened(["bookworm"]).index().packages) == ["6.1"]
    assert list(opened(["bookworm", "trixie"]).index().packages) == ["6.1", "6.12"]


def test_two_runs_at_once_fetch_once(repository, opened, notices):
    repository.add("bookworm", "linux-image-6.1.0-9-cloud-amd64", "6.1.99-1", b"the kernel")
    repository.publish()
    answers = []
    runs = [threading.Thread(target=lambda: answers.append(opened().resolve("6.1"))) for _ in range(3)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert len(answers) == 3
    assert answers[0] == answers[1] == answers[2]
    assert [text for text in notices if text.startswith("Fetching")] == [
        "Fetching linux-image-6.1.0-9-cloud-amd64 6.1.99-1 (bookworm)."
    ]


def test_an_unsigned_suite_among_others_is_left_out(repository, opened, notices):
    repository.add("trixie", "linux-image-6.12.7+deb13-cloud-amd64", "6.12.7-1")
    repository.add("bookworm", "linux-image-6.1.0-9-cloud-amd64", "6.1.99-1")
    repository.publish()
    (repository.root / "dists/trixie/InRelease").unlink()
    index = opened(["bookworm", "trixie"]).index()
    assert list(index.packages) == ["6.1"]
    assert index.left_out == {"trixie": "it is not signed"}


STRICT = 'Dir::Etc::parts "/dev/null"; Acquire::Check-Valid-Until "true";\n'  # apt's defaults; this machine may differ


def test_an_expired_suite_is_left_out_as_a_missing_one_is(repository, opened, notices, monkeypatch, tmp_path):
    machine_apt(monkeypatch, tmp_path, "", STRICT)
    repository.add("trixie", "linux-image-6.12.7+deb13-cloud-amd64", "6.12.7-1")
    repository.add("bookworm", "linux-image-6.1.0-9-cloud-amd64", "6.1.99-1")
    repository.publish(expired=["trixie"])
    index = opened(["bookworm", "trixie"]).index()
    assert list(index.packages) == ["6.1"]
    assert index.trouble is None  # an expired suite stays expired, and the others are up to date
    (notice,) = notices
    assert notice.startswith("The archive's suite trixie could not be read: its Release file is expired (invalid since ")
    notices.clear()
    opened(["bookworm", "trixie"], mirror=DEAD).index()
    assert notices == []


def test_when_all_suites_are_expired_the_network_is_not_to_blame(repository, opened, monkeypatch, tmp_path):
    machine_apt(monkeypatch, tmp_path, "", STRICT)
    repository.add("bookworm", "linux-image-6.1.0-9-cloud-amd64", "6.1.99-1")
    repository.publish(expired=["bookworm"])
    with pytest.raises(HarnessError, match=r"cannot be used: its Release file is expired .*\. The mirror is not kept up to date, or"):
        opened().index()


def test_a_mirror_that_accepts_and_stays_silent_is_given_up(opened, monkeypatch):
    monkeypatch.setattr(apt, "STALL_S", 1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        mirror = f"http://127.0.0.1:{server.getsockname()[1]}/debian"
        begin = time.monotonic()
        with pytest.raises(HarnessError, match=f"archive at {mirror} gave no answer for 1 s"):
            opened(mirror=mirror).resolve("6.1")
    assert time.monotonic() - begin < 9  # apt's own patience with one file is 10 s, twice


def machine_apt(monkeypatch, tmp_path: Path, sources: str, more: str = "") -> None:
    """Make apt believe that this machine has these sources."""
    (tmp_path / "machine.list").write_text(sources)
    (tmp_path / "machine.conf").write_text(
        f'Dir::Etc::sourcelist "{tmp_path}/machine.list"; Dir::Etc::sourceparts "/dev/null";\n{more}'
    )
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "machine.conf"))


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (
            "deb http://other.invalid/apt nodistro main\n"
            "deb http://pg.invalid/apt bookworm-pgdg main\n"
            "deb http://docker.invalid/debian bookworm stable\n"
            "deb http://sec.invalid/s bookworm-security main\n"
            "deb http://one.invalid/debian bookworm main contrib\n"
            "deb http://two.invalid/debian bookworm-updates main\n",
            ("http://one.invalid/debian/", "http://sec.invalid/s/"),
        ),
        (
            "deb http://one.invalid/debian/ stable main\n",
            ("http://one.invalid/debian/", "http://one.invalid/debian-security"),
        ),
    ],
)
def test_the_mirrors_are_those_of_the_machine(sources, expected, monkeypatch, tmp_path, opened):
    machine_apt(monkeypatch, tmp_path, sources)
    assert opened(mirror=None)._apt.mirrors() == expected


def test_a_machine_that_names_no_archive_needs_the_option(monkeypatch, tmp_path, opened):
    machine_apt(monkeypatch, tmp_path, "deb http://ubuntu.invalid/ubuntu jammy main\n")
    with pytest.raises(HarnessError, match="names no archive .* --mirror"):
        opened(mirror=None).resolve("6.1")


def test_hooks_and_leniency_of_the_machine_do_not_apply(monkeypatch, tmp_path, repository, opened):
    repository.add("bookworm", "linux-image-6.1.0-9-cloud-amd64", "6.1.99-1", b"the kernel")
    repository.publish(signed=False)
    lenient = 'Acquire::AllowInsecureRepositories "true"; APT::Get::AllowUnauthenticated "true";\n'
    hooks = "".join(
        f'APT::Update::{when} {{ "touch {tmp_path}/hooked"; }};\n' for when in ("Pre-Invoke", "Post-Invoke")
    )
    machine_apt(monkeypatch, tmp_path, "", lenient + hooks)
    with pytest.raises(HarnessError, match="cannot be used: it is not signed"):
        opened().resolve("6.1")
    assert not (tmp_path / "hooked").exists()


def test_a_machine_without_apt_is_told(monkeypatch, tmp_path, opened):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HarnessError, match="apt-get cannot be started: No such file .* give the path of a kernel image instead"):
        opened().resolve("6.1")


# --- exact versions and pins ------------------------------------------------------------------------------------

NINE, TEN = "linux-image-6.1.0-9-cloud-amd64", "linux-image-6.1.0-10-cloud-amd64"
PINNED = {"6.1": Pin(version="6.1.99-1", reason="the next one hangs.")}


@pytest.fixture
def two_versions(repository):
    """An archive with two versions of 6.1, in two suites."""
    repository.add("bookworm", NINE, "6.1.99-1", b"nine")
    repository.add("bookworm-security", TEN, "6.1.100-1", b"ten")
    return repository.publish()


SUITES = ("bookworm", "bookworm-security")


def test_an_exact_version_is_had_beside_the_newest(two_versions, opened):
    archive = opened(SUITES)
    assert [package.version for package in archive.index().older] == ["6.1.99-1"]
    assert archive.resolve("6.1=6.1.99-1").image.read_bytes() == b"nine"
    assert archive.resolve("6.1").image.read_bytes() == b"ten"
    assert opened(SUITES, mirror=DEAD).resolve("6.1=6.1.99-1").image.read_bytes() == b"nine"


def test_a_pin_holds_a_series_and_says_why(two_versions, opened, notices):
    assert opened(SUITES, pins=PINNED).resolve("6.1").package.version == "6.1.99-1"
    assert notices[0] == "6.1 is pinned to 6.1.99-1: the next one hangs."
    assert opened(SUITES, pins=PINNED).resolve("6.1=6.1.100-1").package.version == "6.1.100-1"  # asked for by name


def test_a_pinned_version_that_the_archive_dropped_comes_from_the_cache(two_versions, opened, tmp_path):
    first = opened(SUITES, pins=PINNED).resolve("6.1")
    two_versions.clear("bookworm")
    two_versions.publish()
    assert opened(SUITES, pins=PINNED, refresh=True).resolve("6.1") == first
    opened(SUITES).resolve("6.1")  # the newest does not push it out of the cache
    assert opened(SUITES, pins=PINNED).resolve("6.1") == first


def test_a_pinned_version_that_nobody_has_names_those_there_are(two_versions, opened):
    pins = {"6.1": Pin(version="6.1.98-1", reason="x"), "6.9": Pin(version="6.9-1", reason="x")}
    told = "The kernel 6.1 6.1.98-1 is neither .*The archive has 6.1.100-1, 6.1.99-1. Change the pin in kernels.toml"
    with pytest.raises(HarnessError, match=told):
        opened(SUITES, pins=pins).resolve("6.1")
    with pytest.raises(HarnessError, match="The archive has no 6.9 at all. Change the pin in kernels.toml"):
        opened(SUITES, pins=pins).resolve("6.9")
    with pytest.raises(HarnessError, match="Name another with --kernel 6.1=VERSION"):
        opened(SUITES).resolve("6.1=6.1.98-1")


def test_a_version_that_is_newer_than_the_list_is_looked_up_again(two_versions, opened):
    opened(SUITES).index()
    two_versions.add("bookworm", "linux-image-6.1.0-11-cloud-amd64", "6.1.101-1", b"eleven")
    two_versions.publish()
    assert opened(SUITES).resolve("6.1=6.1.101-1").image.read_bytes() == b"eleven"


def test_lookup_knows_without_asking_what_is_cached(two_versions, opened):
    assert opened(SUITES, mirror=DEAD).lookup("6.1") == (None, None)
    archive = opened(SUITES)
    newest = archive.index().packages["6.1"]
    assert archive.lookup("6.1") == (newest, None)
    sha256 = archive.resolve("6.1").sha256
    for later in (archive, opened(SUITES, mirror=DEAD)):
        assert later.lookup("6.1") == (newest, sha256)
        assert later.lookup("6.1=6.1.100-1") == (newest, sha256)
        assert later.lookup("6.1=6.1.99-1")[1] is None
    pinned = opened(SUITES, pins=PINNED)
    assert pinned.lookup("6.1") == (archive.index().older[0], None)
    nine = pinned.resolve("6.1").sha256
    assert pinned.lookup("6.1")[1] == nine


# --- what the archive no longer has, or does not have today -----------------------------------------------------


def test_a_series_that_vanished_is_said_once_and_still_runs_from_the_cache(two_versions, opened, notices):
    two_versions.add("bookworm", "linux-image-6.9.7+deb12-cloud-amd64", "6.9.7-1", b"six nine")
    two_versions.publish()
    first = opened(SUITES).resolve("6.9")
    two_versions.clear("bookworm")
    two_versions.publish()
    notices.clear()
    assert list(opened(SUITES, refresh=True).index().packages) == ["6.1"]
    assert notices == ["The archive no longer has 6.9, which it had when it was last asked."]
    assert opened(SUITES).resolve("6.9") == first
    assert len(notices) == 2 and "Using linux-image-6.9.7+deb12-cloud-amd64 6.9.7-1 from the cache." in notices[1]


@pytest.mark.parametrize("emptied", [False, True])
def test_a_suite_that_fails_today_keeps_what_it_had(emptied, two_versions, opened, notices, tmp_path):
    two_versions.add("bookworm", "linux-image-6.9.7+deb12-cloud-amd64", "6.9.7-1", b"six nine")
    two_versions.publish()
    opened(SUITES).index()
    packages = two_versions.root / "dists/bookworm/main/binary-amd64/Packages"
    packages.write_text(packages.read_text().replace("6.9.7-1", "6.9.7-2"))  # no longer matches the signature
    release = two_versions.root / "dists/bookworm/InRelease"
    release.write_text(release.read_text().replace("Suite: bookworm", "Suite: bookwurm"))
    if emptied:  # apt itself continues to use its old list, as long as it exists
        shutil.rmtree(tmp_path / "the cache/apt/state")
    notices.clear()
    index = opened(SUITES, refresh=True).index()
    assert list(index.packages) == ["6.1", "6.9"]
    assert index.trouble == "Not every suite of the archive could be read: bookworm."
    (notice,) = notices
    assert notice.startswith("The archive's suite bookworm could not be read: ") and "Using its list of 20" in notice


def test_a_list_that_could_not_be_asked_for_says_so(two_versions, opened, tmp_path):
    assert opened(SUITES).index().trouble is None
    grow_old(tmp_path / "the cache")
    assert "Using the list of packages of 2026-01-01" in str(opened(SUITES, mirror=DEAD).index().trouble)
    assert opened(SUITES).index().trouble is None


# --- several at once --------------------------------------------------------------------------------------------


def in_another_process(cache: Path, repository: Repository, keyring: Path, spec: str) -> subprocess.Popen[str]:
    """A harness that wants one kernel."""
    program = (
        "import sys; from pathlib import Path; from harness.kernels.archive import Archive; from harness.base.cache import Cache\n"
        "cache, mirror, keyring, spec = sys.argv[1:]\n"
        "archive = Archive(Cache(Path(cache)), suites=('bookworm', 'bookworm-security'), mirror=mirror,\n"
        "                  security_mirror=mirror, keyring=Path(keyring), notice=print)\n"
        "print(archive.resolve(spec).image.read_text())\n"
    )
    command = [sys.executable, "-c", program, str(cache), repository.uri, str(keyring), spec]
    return subprocess.Popen(
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def test_harnesses_at_once_on_a_cold_cache_ask_once_and_fetch_each_kernel_once(two_versions, gnupg, tmp_path):
    keyring = gnupg / "keyring.gpg"
    specs = ["6.1", "6.1=6.1.99-1", "6.1", "6.1=6.1.99-1"]
    runs = [in_another_process(tmp_path / "cache", two_versions, keyring, spec) for spec in specs]
    outputs = [run.communicate(timeout=120)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0, 0], outputs
    assert [output.splitlines()[-1] for output in outputs] == ["ten", "nine", "ten", "nine"]
    fetched = [line for output in outputs for line in output.splitlines() if line.startswith("Fetching")]
    assert sorted(fetched) == [
        f"Fetching {TEN} 6.1.100-1 (bookworm-security).",
        f"Fetching {NINE} 6.1.99-1 (bookworm).",
    ]
    assert not list((tmp_path / "cache/apt/download").iterdir())


def test_downloads_of_different_packages_overlap(two_versions, opened, monkeypatch):
    both = threading.Barrier(2, timeout=60)  # broken, which is an error, if one waits for the other's end
    download = apt.Apt._run

    def slow(self, directory, *arguments):
        if arguments[0] == "download":
            both.wait()
        return download(self, directory, *arguments)

    opened(SUITES).index()
    monkeypatch.setattr(apt.Apt, "_run", slow)
    answers = []
    runs = [
        threading.Thread(target=lambda spec=spec: answers.append(opened(SUITES).resolve(spec)))
        for spec in ("6.1", "6.1=6.1.99-1")
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert len(answers) == 2
