# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""The one way to run a program to its end, and to report what went wrong."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.base.errors import HarnessError

_LINES_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A program that has ended. `code` is negative if a signal ended it."""

    code: int
    raw: bytes  # its standard output
    errors: str

    @property
    def output(self) -> str:
        """Its standard output as text."""
        return self.raw.decode(errors="replace")

    @property
    def said(self) -> str:
        """The last lines of what it printed, for a message."""
        return (
            "\n".join(f"{self.output}{self.errors}".strip().splitlines()[-_LINES_SHOWN:])
            or "It printed nothing."
        )


def run(
    command: Sequence[str | Path],
    *,
    remedy: str,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    given: bytes = b"",
    timeout_s: float | None = None,
    check: bool = True,
) -> Done:
    """Run a program to its end. HarnessError, ending with `remedy`, if it cannot be started, takes too long, or fails.

    `given` is its standard input. Without `check`, every exit code is accepted.
    """
    words = [os.fspath(word) for word in command]
    try:
        ended = subprocess.run(
            words,
            cwd=cwd,
            env=environment,
            input=given,
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
    except OSError as error:
        raise HarnessError(f"{words[0]} cannot be started: {error.strerror}. {remedy}") from error
    except subprocess.TimeoutExpired as error:
        raise HarnessError(f"{_shown(words)} did not end within {timeout_s:g} s. {remedy}") from error
    done = Done(code=ended.returncode, raw=ended.stdout, errors=ended.stderr.decode(errors="replace"))
    if check and done.code:
        how = f"failed with exit code {done.code}" if done.code > 0 else f"was killed by signal {-done.code}"
        raise HarnessError(f"{_shown(words)} {how}:\n{done.said}\n{remedy}")
    return done


_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def die_with_parent(by: signal.Signals, parent: int) -> None:
    """Get this signal as soon as the parent has ended, in whatever way; at once if it has ended already."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, by)
    if os.getppid() != parent:
        signal.raise_signal(by)


def _shown(words: Sequence[str]) -> str:
    return " ".join(words) if len(words) <= 3 else f"{' '.join(words[:3])} ..."
