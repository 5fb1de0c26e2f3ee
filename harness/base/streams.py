# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Standard streams that a command can always write to: what cannot be written is noticed at the end, once.

A full disk, a reader that ended first, a terminal that is gone or a stream that was closed from the start must not
interrupt a run whose results go to files. And no file that we open may get the number of a standard stream, where a
child process would write into it.
"""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from collections.abc import Callable
from typing import Any

from harness.base.exits import INTERRUPTED, OK, TROUBLE
from harness.base.output import say

_STDIN, _STDOUT, _STDERR = range(3)


class _Output(io.RawIOBase):
    """A descriptor. After its first error, what is written is lost."""

    def __init__(self, descriptor: int, failure: OSError | None) -> None:
        self._descriptor = descriptor
        self._closed = failure
        self.failure: OSError | None = None

    def write(self, data: Any) -> int:
        self.failure = self.failure or self._closed
        while self.failure is None:
            try:
                return os.write(self._descriptor, data)
            except BlockingIOError:  # a terminal or pipe that another program made non-blocking
                select.select([], [self._descriptor], [])
            except OSError as error:
                self.failure = error
        return len(data)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)


def run(name: str, command: Callable[[], int]) -> int:
    """Run a command and return its exit code, which is TROUBLE if its output could not be written. `name`: for messages."""
    closed = [_reopen(descriptor) for descriptor in (_STDIN, _STDOUT, _STDERR)]
    out, err = _Output(_STDOUT, closed[_STDOUT]), _Output(_STDERR, closed[_STDERR])
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")
    sys.stdout, sys.stderr = _text(out, sys.stdout), _text(err, sys.stderr)
    try:
        code = command()
    except SystemExit as ended:  # argparse
        code = OK if ended.code is None else ended.code if isinstance(ended.code, int) else TROUBLE
    sys.stdout.flush()
    if out.failure is not None:
        say(f"{name}: {_explained(out.failure)}", error=True)
    return TROUBLE if out.failure is not None and code != INTERRUPTED else code


def _reopen(descriptor: int) -> OSError | None:
    """Put /dev/null in the place of a stream that was closed. Returns why writing to it would have failed."""
    try:
        os.fstat(descriptor)
    except OSError as error:
        null = os.open(
            os.devnull, os.O_RDWR
        )  # the lowest number that is free, so this one: we go from 0 to 2
        assert null == descriptor
        os.set_inheritable(null, True)
        return error
    return None


def _text(raw: _Output, before: Any) -> io.TextIOWrapper:
    encoding = getattr(before, "encoding", None) or "utf-8"
    # Whole lines, so that they keep their order with those of child processes. What the terminal cannot show becomes "?".
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding=encoding, errors="replace", line_buffering=True)


def _explained(failure: OSError) -> str:
    if failure.errno == errno.EPIPE:
        return "The output is incomplete: the program that reads it ended first. Let it read to the end, or use a file."
    return f"The output is incomplete: {failure.strerror}. Send it somewhere else, or make room there."
