"""Builds the bindings to compare. One that cannot be fetched is reported by name, never left out silently."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.suite.other_bindings import OtherBinding as Unpacked, installed_version, run

OURS = "uring"
INSTALLED = "liburing_installed"
NEWEST = "liburing_newest"
RUST = "rust"
PLUGINS = (OURS, NEWEST, INSTALLED, RUST)
MISSING = "its package could not be fetched"


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A binding as it was measured."""

    title: str  # "liburing 2.15"
    plugin: Path


def build(root: Path, liburing: Unpacked | None, crate: Unpacked | None) -> dict[str, Peer | str]:
    """Build every plug-in. For a binding that cannot be fetched, the result is the reason."""
    directory = root / "build-bench"
    run(["cmake", "--preset", "bench", f"-DURING_BENCH_PEERS={liburing.root if liburing else ''}"], cwd=root)
    run(["cmake", "--build", str(directory), "--target", "bench_rounds", "bench_times", "freestanding_nop"], cwd=root)
    found: dict[str, Peer | str] = {}
    titles = {OURS: "ours", INSTALLED: f"liburing {installed_version('liburing-dev')}"}
    if liburing:
        titles[NEWEST] = f"liburing {liburing.version}"
    for name, title in titles.items():
        run(["cmake", "--build", str(directory), "--target", f"bench_{name}"], cwd=root)
        found[name] = Peer(title=title, plugin=directory / "bindings/bench" / f"bench_{name}.so")
    found.setdefault(NEWEST, MISSING)
    found[RUST] = _build_rust(root, crate, directory) if crate else MISSING
    return found


def _build_rust(root: Path, crate: Unpacked, directory: Path) -> Peer:
    """Build with cargo, offline: the only registry is the directory of unpacked packages."""
    target = directory / "rust"
    manifest = root / "bindings/bench/rust/Cargo.toml"
    manifest.with_name("Cargo.lock").unlink(missing_ok=True)  # it would pin the versions of an earlier registry
    run([
        "/usr/bin/cargo", "build", "--release", "--offline", "--quiet",
        "--manifest-path", str(manifest), "--target-dir", str(target),
        "--config", 'source.crates-io.replace-with="archive"',
        "--config", f'source.archive.directory="{crate.registry}"',
    ])  # fmt: skip
    return Peer(title=f"crate io-uring {crate.version}", plugin=target / "release/libbench_rust.so")
