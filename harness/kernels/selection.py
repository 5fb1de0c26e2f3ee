"""Which kernels a run covers: those asked for, or the list in kernels.toml, which can grow by itself.

This is decided once, when the run starts, and handed to every process that works for it: a list of packages that
changes in the middle of a run must not change its columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.base.cache import Notice
from harness.base.errors import HarnessError
from harness.kernels.archive import Archive, Index
from harness.kernels.settings import Settings
from harness.kernels.spec import ARCHIVE, Kind, columns_for, specify

PART = "only a part of the matrix ran; reports/ and README.md show complete runs."


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The columns of a run."""

    specs: tuple[str, ...]  # in the order of kernels.toml, or of the options
    ready: tuple[str, ...]  # those of them that need not be fetched first
    hindrance: str | None  # why these columns are not the whole matrix; None if they are

    @property
    def order(self) -> tuple[str, ...]:
        """The kernels that can start at once come first; the others are fetched meanwhile."""
        return (*self.ready, *self.missing)

    @property
    def missing(self) -> tuple[str, ...]:
        """The kernels that must be fetched or built first."""
        return tuple(spec for spec in self.specs if spec not in self.ready)

    def plain(self) -> dict[str, Any]:
        """As plain data, for another process."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Selection:
        """The inverse of `plain`, after the trip through xdist."""
        return cls(specs=tuple(plain["specs"]), ready=tuple(plain["ready"]), hindrance=plain["hindrance"])


def select(
    asked: Sequence[str], settings: Settings, archive: Archive, *, notice: Notice, fragments: Sequence[Path] = ()
) -> Selection:
    """The columns for these specifications; without any, those of kernels.toml. Asks the archive only if it must."""
    wanted = list(asked or settings.kernels)
    index = archive.index() if ARCHIVE in wanted else None
    for series, reason in excluded(settings, index).items() if index else ():
        notice(f"kernels.toml excludes {series}: {reason.rstrip('.')}.")
    specs = list(_expanded(wanted, settings, index))
    if not specs:
        raise HarnessError(
            "The archive has no kernel, or kernels.toml excludes all it has, and nothing else was asked for. "
            "Name a kernel with --kernel."
        )
    columns_for(specs, settings.local, fragments)
    specs = list(dict.fromkeys(specs))
    ready = [spec for spec in specs if _is_ready(spec, settings, archive)]
    hindrance = None if wanted == list(settings.kernels) else PART
    if hindrance is None and index is not None and index.trouble:
        hindrance = f"{index.trouble.rstrip('.')}, so columns may be missing. Run it again when the archive answers."
    return Selection(specs=tuple(specs), ready=tuple(ready), hindrance=hindrance)


def excluded(settings: Settings, index: Index) -> dict[str, str]:
    """The series that the archive has and the matrix does not, each with the reason."""
    return {series: reason for series, reason in settings.exclude.items() if series in index.packages}


def _expanded(wanted: Sequence[str], settings: Settings, index: Index | None) -> Iterator[str]:
    for spec in wanted:
        if spec != ARCHIVE:
            yield spec
            continue
        assert index is not None
        # A pinned series stays when the archive no longer has it.
        there = {*index.packages, *settings.pin} - set(settings.exclude)
        yield from sorted(there, key=lambda series: [int(number) for number in series.split(".")])


def _is_ready(spec: str, settings: Settings, archive: Archive) -> bool:
    match specify(spec, settings.local).kind:
        case Kind.SERIES:
            return archive.lookup(spec)[1] is not None
        case Kind.TREE:
            return False  # it may take minutes to build
        case _:
            return True
