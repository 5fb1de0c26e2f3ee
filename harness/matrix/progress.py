# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""What a waiting person sees: on a terminal one live line per kernel, in a log one line per finished kernel.

The columns of a run are in xdist's workers, which have no other way to the terminal than a file: each appends what
happens to `progress.ndjson` in the run's folder, and the process that commands them reads it as it grows. Which cells
are done it knows already, from pytest's reports.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from harness.base.output import LONGEST, harmless, say
from harness.base.words import number, one_line
from harness.report.view import WORDS
from harness.verdicts.judge import Verdict, sign

FILE = "progress.ndjson"
POLL_S = 0.2
_STATE = 120  # characters of the live line
_QUIET = (
    Verdict.WORKS,
    Verdict.ABSENT,
    Verdict.NOT_EXPRESSIBLE,
    Verdict.KNOWN,
)  # in this order on the line; the others follow


def report(directory: Path, column: str, text: str, *, lasting: bool) -> None:
    """From a worker: what a column does now, or (`lasting`) what a reader should know. Without room it is not seen."""
    line = json.dumps({"column": column, "text": text, "lasting": lasting}) + "\n"
    try:
        with (directory / FILE).open(
            "a", encoding="ascii"
        ) as file:  # small enough to be one write, so lines stay whole
            file.write(line)
    except OSError:
        with contextlib.suppress(OSError):  # standard error may be on the same full disk
            say(f"[{column}] {text}", error=True)


@dataclass(slots=True)
class _Line:
    """One kernel."""

    planned: int
    state: str = "waits"
    began: float | None = None
    took_s: float | None = None
    verdicts: tuple[Verdict, ...] = ()

    @property
    def elapsed(self) -> str:
        if self.took_s is not None:
            return f"{self.took_s:.0f} s"
        return f"{time.monotonic() - self.began:.0f} s" if self.began is not None else ""

    @property
    def counts(self) -> str:
        """39 ✓ 2 ·"""
        return " ".join(f"{self.verdicts.count(one)} {sign(one)}" for one in self._seen)

    @property
    def words(self) -> str:
        """39 work, 2 correctly absent"""
        counts = ((self.verdicts.count(one), WORDS[one]) for one in self._seen)
        return ", ".join(
            f"{count} {'work' if word == 'works' and count > 1 else word}" for count, word in counts
        )

    @property
    def _seen(self) -> list[Verdict]:
        return sorted(set(self.verdicts), key=(*_QUIET, *Verdict).index)


class Progress:
    """Follows a run from `start` to `stop`."""

    def __init__(self, directory: Path, planned: Iterable[str], console: Console | None = None) -> None:
        """`planned` names the column of each planned cell."""
        self._path = directory / FILE
        self._path.unlink(missing_ok=True)
        self._console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self._lines: dict[str, _Line] = {}
        for column in planned:
            self._lines.setdefault(column, _Line(planned=0)).planned += 1
        self._live = Live(
            get_renderable=self._table, console=self._console, refresh_per_second=4, transient=True
        )
        self._ended = threading.Event()
        self._reader = threading.Thread(target=self._follow, daemon=True)
        self._began = time.monotonic()

    def start(self) -> None:
        """Show the lines, and begin to read what the workers report."""
        if self._console.is_terminal:
            self._live.start()
        self._reader.start()

    def stop(self) -> None:
        """Read what is left, and clear the live lines: the table of the run follows."""
        if self._reader.ident is not None and not self._ended.is_set():
            self._ended.set()
            self._reader.join()
            self._live.stop()

    def cell(self, column: str, verdict: Verdict) -> None:
        """A cell is done; after the last one of its kernel, a log has a line about it."""
        line = self._lines[column]
        line.verdicts += (verdict,)
        if len(line.verdicts) == line.planned:
            line.took_s = time.monotonic() - (line.began or self._began)
            line.state = "done"
            if not self._console.is_terminal:
                done = sum(one.took_s is not None for one in self._lines.values())
                self._say(
                    f"{column}: {line.words}, {line.elapsed} ({done} of {number(len(self._lines), 'kernel')})"
                )

    def _follow(self) -> None:
        for column, text, lasting in self._reported():
            line = self._lines[column]
            line.began = line.began or time.monotonic()
            if lasting:
                self._say(f"{column}: {text}")
            elif line.took_s is None:
                line.state = text

    def _reported(self) -> Iterator[tuple[str, str, bool]]:
        """What the workers append, until the run has ended and all of it is read."""
        read = 0
        while True:
            last = self._ended.wait(POLL_S)
            try:
                data = self._path.read_bytes()[read:]
            except FileNotFoundError:
                data = b""
            whole = data[: data.rfind(b"\n") + 1]
            read += len(whole)
            for line in whole.splitlines():
                event = json.loads(line)
                yield event["column"], event["text"], event["lasting"]
            if last:
                return

    def _say(self, text: str) -> None:
        # As Text: rich would take [red] or :smile: in a string for markup.
        self._console.print(Text(one_line(harmless(text), LONGEST)))

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for column, line in self._lines.items():
            words = (column, f"{len(line.verdicts)}/{line.planned}", line.counts, line.elapsed, line.state)
            table.add_row(*(Text(one_line(harmless(word), _STATE)) for word in words))
        return table
