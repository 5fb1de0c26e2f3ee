# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Turns a specification into a kernel image that is known to be one, and into the form of it that boots fastest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.base import outside
from harness.base.cache import Cache, Notice
from harness.base.errors import HarnessError
from harness.kernels import deb, tree
from harness.kernels.archive import Archive
from harness.kernels.image import REMEDY, boot_image, release_in
from harness.kernels.spec import Kind, specify


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelImage:
    """A kernel image and what is known about it before it boots."""

    name: str  # column heading: the series, or the file's name
    image: Path  # as packaged or given
    boot_image: Path  # the same kernel, uncompressed where that was possible
    release: str | None  # what uname -r should say; None if a local image does not tell
    version: str | None  # the distribution's, such as "6.1.192-2"
    source: str  # "bookworm-security linux-image-6.1.0-56-cloud-amd64 6.1.192-2" or "file /path"
    sha256: str  # of `image`


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """An image, where it comes from, and which release it should have."""

    image: Path
    sha256: str
    source: str
    version: str | None = None
    promise: tuple[str, str] | None = None  # who promises which release


def obtain(
    spec: str,
    *,
    cache: Cache,
    archive: Archive,
    notice: Notice,
    progress: Notice | None = None,
    local: Mapping[str, Path] | None = None,
    fragments: Iterable[Path] = (),
) -> KernelImage:
    """The kernel of a specification.

    `notice` gets sentences for readers of the results, `progress` those that matter only to the person who is waiting
    (None: the same).
    """
    fragments = tuple(fragments)
    asked = specify(spec, local, fragments)
    if asked.path is None:
        found = _archived(spec, archive)
    elif asked.kind is Kind.DEB:
        found = _packaged(asked.path, cache)
    elif asked.kind is Kind.TREE:
        found = _built(asked.path, fragments, cache, progress or notice)
    else:
        found = _given(asked.path)
    release = release_in(found.image)
    if found.promise is not None and release != found.promise[1]:
        raise HarnessError(f"{found.promise[0]} promises {found.promise[1]}, but its image says {release}.")
    return KernelImage(
        name=asked.heading,
        image=found.image,
        boot_image=boot_image(found.image, found.sha256, asked.heading, cache, notice),
        release=release,
        version=found.version,
        source=found.source,
        sha256=found.sha256,
    )


def _archived(spec: str, archive: Archive) -> _Found:
    resolved = archive.resolve(spec)
    package = resolved.package
    return _Found(
        image=resolved.image,
        sha256=resolved.sha256,
        source=f"{package.suite} {package.name} {package.version}",
        version=package.version,
        promise=(package.name, package.release),
    )


def _packaged(path: Path, cache: Cache) -> _Found:
    held = deb.kernel_in(path, cache)
    return _Found(
        image=held.image,
        sha256=held.sha256,
        source=f"package {path}",
        version=held.version,
        promise=(path.name, held.release),
    )


def _built(path: Path, fragments: tuple[Path, ...], cache: Cache, progress: Notice) -> _Found:
    built = tree.build(path, fragments, cache=cache, progress=progress)
    return _Found(
        image=built.image,
        sha256=built.sha256,
        source=" with ".join([f"tree {path}", *(fragment.name for fragment in fragments)]),
        promise=(f"make kernelrelease in {path}", built.release),
    )


def _given(path: Path) -> _Found:
    release_in(path)  # a clear error if it is not a kernel, or cannot be read
    sha256 = outside.digest(path, outside.KERNEL, f"The kernel image {path}", REMEDY)
    return _Found(image=path, sha256=sha256, source=f"file {path}")
