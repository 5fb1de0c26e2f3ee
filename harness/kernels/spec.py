"""Kernels to run on: what a specification like "6.1" or "path/to/bzImage" stands for.

`specify` reads a specification without touching anything but the names of files; `obtain` gives an image that is
known to be a kernel, with the release it should report once it runs, and next to it the form of it that boots fastest.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from harness.base.cache import Cache, Notice, sha256_of
from harness.base.errors import Trouble
from harness.kernels import deb, tree
from harness.kernels.archive import Archive, Pin
from harness.kernels.image import boot_image, release_in

SETTINGS = Path(__file__).with_name("kernels.toml")
HOST = "host"
ARCHIVE = "archive"  # stands for every series that the archive has

_SERIES = re.compile(r"\d+\.\d+")
_EXACT = re.compile(r"(\d+\.\d+)=(\S+)")  # a series and the version of a package
# The heading also names a folder, and stands in pytest's node ids.
_HEADING = re.compile(r"[A-Za-z0-9][\w.+~ -]*")


class Kind(StrEnum):
    """What a kernel specification names."""

    HOST = "host"  # the machine itself; nothing to obtain
    SERIES = "series"  # "6.1" or "6.1=6.1.190-1", from the archive
    FILE = "file"  # a bzImage or vmlinux
    DEB = "deb"  # a package that holds one
    TREE = "tree"  # a kernel's source tree, to be built


@dataclass(frozen=True, slots=True, kw_only=True)
class Specification:
    """A kernel as somebody asked for it."""

    kind: Kind
    heading: str  # of its column
    path: Path | None = None  # of all that is not the archive's


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """A kernel image and what is known about it before it boots."""

    name: str  # column heading: the series, or the file's name
    image: Path  # as it was packaged or given
    boot_image: Path  # the same kernel, uncompressed where that was possible
    release: str | None  # what uname -r should say; None when a local image does not tell
    version: str | None  # the distribution's, such as "6.1.192-2"
    source: str  # "bookworm-security linux-image-6.1.0-56-cloud-amd64 6.1.192-2" or "file /path"
    sha256: str  # of `image`


# --- kernels.toml ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The contents of kernels.toml, which explains each key."""

    kernels: tuple[str, ...] = ()
    suites: tuple[str, ...] = ()
    exclude: Mapping[str, str] = field(default_factory=dict)  # series -> why
    pin: Mapping[str, Pin] = field(default_factory=dict)  # by series
    local: Mapping[str, Path] = field(default_factory=dict)  # by name


def load_settings(path: Path = SETTINGS) -> Settings:
    """Read kernels.toml."""
    try:
        table = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Trouble(f"{path} cannot be read: {error}.") from error
    try:
        return _settings(table, path.parent)
    except Trouble as trouble:
        raise Trouble(f"{path}: {trouble}") from trouble


def _settings(table: dict[str, Any], directory: Path) -> Settings:
    _only(table, [field.name for field in fields(Settings)])
    for key in ("kernels", "suites"):
        if key not in table:
            raise Trouble(f"the key '{key}' is missing.")
        value = table[key]
        if not (isinstance(value, list) and value and all(isinstance(item, str) for item in value)):
            raise Trouble(f"'{key}' must be a list of strings that is not empty.")
    settings = Settings(
        kernels=tuple(table["kernels"]),
        suites=tuple(table["suites"]),
        exclude=_texts(table, "exclude"),
        pin={series: _pin(series, value) for series, value in _table(table, "pin").items()},
        local={name: directory / Path(text).expanduser() for name, text in _texts(table, "local").items()},
    )
    for series in (*settings.exclude, *settings.pin):
        if not _SERIES.fullmatch(series):
            raise Trouble(f"'{series}' is not a series: quote it and write two numbers, as in \"6.1\".")
    if both := settings.exclude.keys() & settings.pin.keys():
        raise Trouble(f"{min(both)} is pinned and excluded. Remove one of the two.")
    for name in settings.local:
        if name in (HOST, ARCHIVE) or _SERIES.fullmatch(name) or not _HEADING.fullmatch(name):
            raise Trouble(f"'{name}' cannot be the name of a local kernel: it means something else, or is no word.")
    return settings


def _pin(series: str, value: Any) -> Pin:
    known = [field.name for field in fields(Pin)]
    place = f"pin.{series}"
    if not isinstance(value, dict):
        raise Trouble(f"'{place}' must be a table with the keys {' and '.join(known)}.")
    _only(value, known, f"{place}.")
    for key in known:
        if not (isinstance(value.get(key), str) and value[key]):
            raise Trouble(f"'{place}.{key}' must be a string that is not empty.")
    return Pin(**value)


def _texts(table: dict[str, Any], key: str) -> dict[str, str]:
    texts = _table(table, key)
    for name, value in texts.items():
        if not (isinstance(value, str) and value):
            raise Trouble(f"'{key}.{name}' must be a string that is not empty.")
    return texts


def _table(table: dict[str, Any], key: str) -> dict[str, Any]:
    value = table.get(key, {})
    if not isinstance(value, dict):
        raise Trouble(f"'{key}' must be a table: [{key}], then a line for each.")
    return value


def _only(table: dict[str, Any], known: list[str], place: str = "") -> None:
    for key in table:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0)[0]
            raise Trouble(f"unknown key '{place}{key}'. The nearest known key is '{place}{near}'.")


# --- specifications --------------------------------------------------------------------------------------------


def kind(spec: str) -> Kind:
    """What the specification names. A file called like a series is written ./6.1."""
    if spec == HOST:
        return Kind.HOST
    if _SERIES.fullmatch(spec) or _EXACT.fullmatch(spec):
        return Kind.SERIES
    path = Path(spec)
    # A word that is no file goes to the archive, whose answer names the series there are.
    if not ("/" in spec or path.exists()):
        return Kind.SERIES
    if path.is_dir():
        return Kind.TREE
    return Kind.DEB if path.suffix == ".deb" else Kind.FILE


def specify(spec: str, local: Mapping[str, Path] | None = None, fragments: Iterable[Path] = ()) -> Specification:
    """What the specification names, and the heading of its column; Trouble for what cannot be a kernel.

    `local` are the names of kernels.toml, `fragments` further configuration that a tree is built with.
    """
    named = (local or {}).get(spec)
    what = kind(f"{named.absolute()}" if named else spec)
    if what is Kind.HOST:
        return Specification(kind=what, heading=HOST)
    if what is Kind.SERIES:
        exact = _EXACT.fullmatch(spec)
        return Specification(kind=what, heading=exact[2] if exact else spec)
    path = named or Path(spec)
    heading = spec if named else _heading(path, what)
    if what is Kind.TREE:
        heading += "".join(f"+{fragment.stem}" for fragment in fragments)
    if not named and (heading == HOST or _SERIES.fullmatch(heading)):
        raise Trouble(f"The file {spec} would stand in the table as {heading}, which is something else. Rename it.")
    return Specification(kind=what, heading=heading, path=path.resolve())


def _heading(path: Path, what: Kind) -> str:
    match what:
        case Kind.TREE:
            if (version := tree.version_of(path)) is None:
                raise Trouble(f"{str(path)!r} is no kernel: a directory must be a kernel's source tree.")
            return f"{version}-tree"
        case Kind.DEB:
            return deb.heading(path)
        case _:
            return path.name


def columns_for(specs: Iterable[str], local: Mapping[str, Path], fragments: Iterable[Path]) -> dict[str, str]:
    """The specifications, each once, with the headings of their columns; Trouble if two would share one."""
    chosen = list(dict.fromkeys(specs))
    headings: dict[str, str] = {}
    for spec in chosen:
        heading = specify(spec, local, tuple(fragments)).heading
        if not _HEADING.fullmatch(heading):
            raise Trouble(
                f"{spec!r} is no kernel: name a series, host, the file of a kernel image or package, or a source tree."
            )
        if other := next((other for other, taken in headings.items() if taken == heading), None):
            raise Trouble(
                f"{other} and {spec} would both be the column {heading!r}. "
                f"Rename one, or name it in [local] of {SETTINGS.name}."
            )
        headings[spec] = heading
    return headings


# --- kernels ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """An image, where it is from, and what was promised about it."""

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
) -> Kernel:
    """The kernel of a specification.

    `notice` gets what a reader of the results should know, a sentence at a time, `progress` what only a waiting
    person wants to know (None: the same).
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
        raise Trouble(f"{found.promise[0]} promises {found.promise[1]}, but its image says {release}.")
    return Kernel(
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
    release_in(path)  # says clearly what is no kernel, or cannot be read
    return _Found(image=path, sha256=sha256_of(path), source=f"file {path}")
