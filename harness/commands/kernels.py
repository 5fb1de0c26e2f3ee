# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""`ci/harness kernels`: lists kernels, fetches them ahead of time, and removes them."""

from __future__ import annotations

import argparse
import json
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.base import apt, command_line
from harness.base.cache import Cache
from harness.base.errors import HarnessError
from harness.base.exits import OK, TROUBLE
from harness.base.output import emit, say
from harness.commands.cache_contents import Holdings
from harness.kernels import tree
from harness.kernels.archive import Archive, Index
from harness.kernels.obtain import obtain
from harness.kernels.selection import Selection, excluded, select
from harness.kernels.settings import load_settings
from harness.kernels.spec import ARCHIVE, Kind, specify

AT_ONCE = 3  # downloads; more would only share the same bandwidth

_DESCRIPTION = """\
Lists the kernels that the matrix can run on (list, the default), fetches them ahead of time (fetch), or removes them
(clear). A SPEC is what ci/matrix --kernel accepts.
"""
_CLEAR = """\
Without a SPEC, everything is removed: the next run fetches and builds what it needs. Nothing is removed while a run uses
the cache. Old versions are not removed automatically, because the archive may have dropped them: use --old for that. It
removes versions that are neither pinned in kernels.toml nor the newest fetched of their series, the builds of deleted
source trees, files that were unpacked from your own images and packages, and anything else that is not referenced.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One column of the default matrix."""

    spec: str
    column: str
    kind: Kind
    package: str | None = None
    version: str | None = None
    suite: str | None = None
    path: str | None = None
    cached: bool = False
    bytes: int = 0


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    options = _parser().parse_args(_with_command(arguments))
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # like Ctrl-C: also ends a running apt
    inventory = Inventory(options)
    match options.command:
        case "fetch":
            return inventory.fetch(options.spec)
        case "clear":
            return inventory.clear(options.spec, old=options.old)
        case _:
            return inventory.show(as_json=options.json)


def _with_command(arguments: Sequence[str]) -> list[str]:
    """The default command is `list`."""
    words = list(arguments)
    return (
        words
        if words and (words[0] in ("-h", "--help") or not words[0].startswith("-"))
        else ["list", *words]
    )


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = command_line.parser("kernels", _DESCRIPTION)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    listing = commands.add_parser("list", help="the kernels, which of them are cached, and their size")
    listing.add_argument("--json", action="store_true", help="print JSON, for scripts")
    fetch = commands.add_parser("fetch", help="fetch kernels now, so that a later run needs no network")
    clear = commands.add_parser(
        "clear", help="remove kernels from the cache", description=_CLEAR, formatter_class=raw
    )
    clear.add_argument("--old", action="store_true", help="remove only what is no longer useful, see above")
    for command, what in (
        (fetch, "fetch; all of kernels.toml by default"),
        (clear, "remove; everything by default"),
    ):
        command.add_argument("spec", nargs="*", metavar="SPEC", help=f"a kernel to {what}")
    for command in (listing, fetch, clear):
        command_line.add_cache(command)
    for command in (listing, fetch):
        command_line.add_archive(command)
    fetch.add_argument("--kernel-config", action="append", default=[], metavar="CONFIG",
                       help="also build source trees with this configuration (see ci/matrix --help)")  # fmt: skip
    return parser


class Inventory:
    """The kernels of kernels.toml and of the cache."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._settings = load_settings()
        self._cache = Cache(options.cache)
        self._holdings = Holdings(self._cache)

    # --- list --------------------------------------------------------------------------------------------------

    def show(self, *, as_json: bool) -> int:
        """Print the kernels."""
        archive = self._archive(refresh=self._options.refresh)
        index = archive.index() if ARCHIVE in self._settings.kernels else archive.remembered_index()
        lines = [self._line(spec, archive) for spec in self._selection((), archive).specs]
        emit(
            json.dumps(self._plain(lines, index), indent=1)
            if as_json
            else "\n".join(self._text(lines, index))
        )
        return OK

    def _line(self, spec: str, archive: Archive) -> Line:
        asked = specify(spec, self._settings.local)
        if asked.path is not None:
            cached = asked.path.exists()
            return Line(spec=spec, column=asked.heading, kind=asked.kind, path=str(asked.path), cached=cached)
        if asked.kind is Kind.HOST:
            return Line(spec=spec, column=asked.heading, kind=asked.kind, cached=True)
        package, sha256 = archive.lookup(spec)
        return Line(
            spec=spec,
            column=asked.heading,
            kind=asked.kind,
            package=package.name if package else None,
            version=package.version if package else None,
            suite=package.suite if package else None,
            cached=sha256 is not None,
            bytes=self._holdings.size_of(sha256) if sha256 else 0,
        )

    def _plain(self, lines: Sequence[Line], index: Index | None) -> dict[str, object]:
        return {
            "columns": [asdict(line) for line in lines],
            "excluded": excluded(self._settings, index) if index else {},
            "pinned": {series: asdict(pin) for series, pin in self._settings.pin.items()},
            "local": {name: str(path.resolve()) for name, path in self._settings.local.items()},
            "old_versions": sorted(name.removeprefix("series-") for name in self._old_versions()),
            "builds": [asdict(build) | {"tree": str(build.tree)} for build in self._holdings.builds()],
            "index": {
                "when": index.when.isoformat() if index else None,
                "trouble": index.trouble if index else None,
            },
            "cache": {
                "path": str(self._cache.root),
                "bytes": self._holdings.size(),
                "old_bytes": self._holdings.old_size(self._settings.pin),
            },
        }

    def _text(self, lines: Sequence[Line], index: Index | None) -> Iterator[str]:
        when = f", from the archive as of {index.when:%Y-%m-%d %H:%M} UTC" if index else ""
        yield f"The matrix of kernels.toml{when}:"
        rows = [("column", "version", "package or path", "suite", "cached")]
        for line in lines:
            nothing = "this machine" if line.kind is Kind.HOST else "neither in the archive nor in the cache"
            what = line.package or line.path or nothing
            cached = _mib(line.bytes) if line.bytes else "-" if line.package is None else "no"
            rows.append((line.column, line.version or "-", what, line.suite or "-", cached))
        yield from _table(rows)
        for series, pin in self._settings.pin.items():
            yield f"  {series} is pinned to {pin.version}: {pin.reason.rstrip('.')}."
        for series, reason in (excluded(self._settings, index) if index else {}).items():
            yield f"  {series} is excluded: {reason.rstrip('.')}."
        if local := self._settings.local:
            yield "\nYour own kernels, by their names in kernels.toml:"
            yield from _table([(name, str(path.resolve())) for name, path in local.items()])
        if old := self._old_versions():
            yield "\nOlder versions that the cache still has:"
            sizes = {name: _mib(self._holdings.size_of(fact["sha256"])) for name, fact in old.items()}
            yield from _table([(name.removeprefix("series-"), size) for name, size in sizes.items()])
        if builds := self._holdings.builds():
            yield "\nBuilt from source trees:"
            yield from _table(
                [
                    (" + ".join((b.release or "not finished", *b.fragments)), str(b.tree), _mib(b.size))
                    for b in builds
                ]
            )
        old_size = self._holdings.old_size(self._settings.pin)
        remedy = (
            f", of which `ci/harness kernels clear --old` would free {_mib(old_size)}" if old_size else ""
        )
        yield f"\nThe cache {self._cache.root} has {_mib(self._holdings.size())}{remedy}."

    def _old_versions(self) -> dict[str, dict[str, str]]:
        return self._holdings.old_versions(self._settings.pin)

    # --- fetch -------------------------------------------------------------------------------------------------

    def fetch(self, specs: Sequence[str]) -> int:
        """Fetch these kernels, several at once. If one fails, the others are still fetched."""
        fragments = tuple(tree.fragment(name) for name in self._options.kernel_config)
        with self._cache.used():
            selection = self._selection(specs, self._archive(refresh=self._options.refresh), fragments)
            trees: list[str] = []
            others: list[str] = []
            for spec in selection.order:
                kind = specify(spec, self._settings.local, fragments).kind
                if kind is not Kind.HOST:
                    (trees if kind is Kind.TREE else others).append(spec)
            pool = ThreadPoolExecutor(AT_ONCE)
            try:
                got = list(pool.map(lambda spec: self._get(spec, fragments), others))
                got += [self._get(spec, fragments) for spec in trees]  # each uses all processors
            except KeyboardInterrupt:
                apt.end_all()
                raise
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
        return OK if all(got) else TROUBLE

    def _get(self, spec: str, fragments: tuple[Path, ...]) -> bool:
        def say(text: str) -> None:
            _say(f"{spec}: {text}")

        try:
            kernel = obtain(
                spec,
                cache=self._cache,
                archive=self._archive(),
                notice=say,
                local=self._settings.local,
                fragments=fragments,
            )
        except HarnessError as error:
            say(str(error))
            return False
        say(f"ready: {kernel.release or kernel.image} ({kernel.source})")
        return True

    # --- clear -------------------------------------------------------------------------------------------------

    def clear(self, specs: Sequence[str], *, old: bool) -> int:
        """Remove kernels, and report the space freed."""
        if old and specs:
            raise HarnessError("--old chooses what to remove by itself. Leave out the kernels, or --old.")
        if not self._cache.root.is_dir():
            say(f"There is no cache in {self._cache.root}, so there is nothing to remove.")
            return OK
        with self._cache.unused():
            if old:
                freed = self._holdings.remove_old(self._settings.pin)
            elif specs:
                freed = self._holdings.remove(specs, self._settings.local)
            else:
                freed = self._holdings.remove_all()
            say(f"Freed {_mib(freed)} in {self._cache.root}, which now has {_mib(self._holdings.size())}.")
        return OK

    # --- both --------------------------------------------------------------------------------------------------

    def _archive(self, *, refresh: bool = False) -> Archive:
        settings = self._settings
        return Archive(
            self._cache, suites=settings.suites, pins=settings.pin, mirror=getattr(self._options, "mirror", None),
            refresh=refresh, notice=_say,
        )  # fmt: skip

    def _selection(
        self, specs: Sequence[str], archive: Archive, fragments: tuple[Path, ...] = ()
    ) -> Selection:
        return select(specs, self._settings, archive, notice=lambda text: None, fragments=fragments)


def _say(text: str) -> None:
    say(text, error=True)


def _mib(size: int) -> str:
    return f"{size / (1 << 20):.1f} MiB"


def _table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  " + "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip()
