"""The bindings under comparison: fetched, unpacked, built. A peer that cannot be had is missing by name, never silently."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from harness import kernels
from harness.apt import KEYRING, Apt
from harness.cache import Cache, explained
from harness.trouble import Trouble

SUITE = "sid"  # where new versions come first
# linux-libc-dev: liburing's headers include newer ones than this release has. The crates: io-uring and what it needs.
PACKAGES = (
    "liburing-dev", "linux-libc-dev", "librust-io-uring-dev", "librust-bitflags-dev", "librust-cfg-if-dev",
    "librust-libc-dev",
)  # fmt: skip

OURS = "uring"
INSTALLED = "liburing_installed"
NEWEST = "liburing_newest"
RUST = "rust"
PLUGINS = (OURS, NEWEST, INSTALLED, RUST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A binding as it was measured."""

    title: str  # "liburing 2.15"
    plugin: Path


def fetch(cache: Cache) -> Path:
    """The newest packages, unpacked below the cache and not installed; a directory with `usr` in it."""
    # apt removes lists it was not told of, so this root must not be the one of the kernels.
    mine = Cache(cache.root / "bench")
    main, security = _apt(mine, kernels.load_settings().suites).mirrors()
    apt = _apt(mine, (SUITE,), main, security)
    with mine.lock("peers", print):
        apt.update()
        unpacked, new = mine.root / "peers", mine.root / "peers.new"
        shutil.rmtree(new, ignore_errors=True)
        for name in PACKAGES:
            with apt.downloaded(name, None, SUITE) as deb:  # checks the package against the signed list
                run(["dpkg-deb", "--extract", str(deb), str(new)])
                (new / f"{name}.version").write_text(deb.name.split("_")[1].replace("%3a", ":"))
        with explained(unpacked):  # only now: what an earlier run fetched stays until there is something better
            shutil.rmtree(unpacked, ignore_errors=True)
            new.rename(unpacked)
    return unpacked


def _apt(cache: Cache, suites: tuple[str, ...], main: str | None = None, security: str | None = None) -> Apt:
    return Apt(cache, suites, mirror=main, security_mirror=security, keyring=KEYRING)


def earlier(cache: Cache) -> Path | None:
    """What an earlier run unpacked, if all of it is there."""
    unpacked = cache.root / "bench" / "peers"
    return unpacked if all((unpacked / f"{name}.version").exists() for name in PACKAGES) else None


def build(root: Path, unpacked: Path | None) -> dict[str, Peer | str]:
    """Build every plug-in. Instead of a peer that cannot be had: why."""
    peers = f"-DURING_BENCH_PEERS={unpacked or ''}"
    directory = root / "build-bench"
    run(["cmake", "--preset", "bench", peers], cwd=root)
    run(["cmake", "--build", str(directory), "--target", "bench_rounds", "bench_times", "freestanding_nop"], cwd=root)
    found: dict[str, Peer | str] = {}
    titles = {OURS: "ours", INSTALLED: f"liburing {installed_version('liburing-dev')}"}
    if unpacked:
        titles[NEWEST] = f"liburing {short((unpacked / 'liburing-dev.version').read_text())}"
    for name, title in titles.items():
        run(["cmake", "--build", str(directory), "--target", f"bench_{name}"], cwd=root)
        found[name] = Peer(title=title, plugin=directory / "bindings/bench" / f"bench_{name}.so")
    if unpacked:
        found[RUST] = _build_rust(root, unpacked, directory)
    else:
        found[NEWEST] = found[RUST] = "its package could not be fetched"
    return found


def _build_rust(root: Path, unpacked: Path, directory: Path) -> Peer:
    """With cargo, offline: the only registry is the directory of unpacked packages."""
    target = directory / "rust"
    run([
        "/usr/bin/cargo", "build", "--release", "--offline", "--quiet",
        "--manifest-path", str(root / "bindings/bench/rust/Cargo.toml"), "--target-dir", str(target),
        "--config", 'source.crates-io.replace-with="archive"',
        "--config", f'source.archive.directory="{unpacked / "usr/share/cargo/registry"}"',
    ])  # fmt: skip
    version = short((unpacked / "librust-io-uring-dev.version").read_text())
    return Peer(title=f"crate io-uring {version}", plugin=target / "release/libbench_rust.so")


def installed_version(package: str) -> str:
    """The upstream version of an installed package."""
    return short(run(["dpkg-query", "--show", "--showformat=${Version}", package]))


def short(version: str) -> str:
    """A version without the distribution's part."""
    return version.split(":")[-1].rsplit("-", 1)[0]


def run(command: list[str], cwd: Path | None = None) -> str:
    """Run a command; what it printed. Trouble, with the end of what it said, if it fails."""
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, errors="replace", check=False)
    except FileNotFoundError as error:
        raise Trouble(f"{command[0]} is not installed: run ci/bench, which installs what it needs.") from error
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-20:])
        raise Trouble(f"{' '.join(command[:3])} ... failed with exit code {done.returncode}:\n{said}")
    return done.stdout
