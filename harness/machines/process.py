# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""Child processes that never outlive us, and their files."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import re
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.base.errors import HarnessError

STOPPED = re.compile(r"terminating on signal (\d+)")  # QEMU exits with code 0 when a signal stops it

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def make_directory(path: Path) -> None:
    """Make a directory and its missing parents."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error


def store(path: Path, data: bytes) -> None:
    """Write a file and make its directories. A full disk is a HarnessError with a clear message."""
    make_directory(path.parent)
    try:
        path.write_bytes(data)
    except OSError as error:
        if error.errno in NO_ROOM:
            with contextlib.suppress(OSError):  # the error is reported; half a file would only waste space
                path.unlink()
        raise unwritable(path, error) from error


def unwritable(path: Path, error: OSError) -> HarnessError:
    remedy = "Make room there." if error.errno in NO_ROOM else "Choose a writable directory."
    return HarnessError(f"{path} cannot be written: {error.strerror}. {remedy}")


def text_lines(path: Path) -> list[str]:
    """The lines of a log; none if it does not exist."""
    try:
        return path.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []


#: What a process has to end by itself before it is killed.
GRACE_S = 10


@contextlib.contextmanager
def child(
    command: Sequence[str],
    *,
    stderr: Path,
    dies_by: signal.Signals,
    remedy: str,
    descriptors: Sequence[int] = (),
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that outlives neither the block nor the thread that runs it. Its standard output is a pipe.

    It has its own session, so that Ctrl-C reaches it only through us, in our order. `remedy` tells a person what to do
    if it cannot start. It inherits only these `descriptors`.
    """
    try:
        file = stderr.open("wb")
    except OSError as error:
        raise unwritable(stderr, error) from error
    with file:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=file,
                start_new_session=True,
                pass_fds=descriptors,
                preexec_fn=lambda: _die_with_parent(dies_by),
            )
        except OSError as error:
            raise HarnessError(f"{command[0]} cannot be started: {error.strerror}. {remedy}") from error
    try:
        yield process
    finally:
        assert process.stdout is not None
        if process.poll() is None:
            process.send_signal(dies_by)
            try:
                process.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                process.kill()
        process.wait()
        process.stdout.close()


def killed_by(code: int, errors: Sequence[str]) -> str | None:
    """The signal that ended a process, including one that it handled by exiting; None if there was none."""
    asked = next(filter(None, map(STOPPED.search, errors)), None)
    number = -code if code < 0 else int(asked[1]) if asked else 0
    hint = " (for example by the out-of-memory killer)" if number == signal.SIGKILL else ""
    return f"{signal_name(number)}{hint}" if number else None


def signal_name(number: int) -> str:
    """SIGKILL for 9, and so on."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return "an unnamed signal"


def last_words(lines: Sequence[str]) -> str:
    return f": {lines[-1]}" if lines else ""


_LIBC = ctypes.CDLL(None)

_PR_SET_PDEATHSIG = 1


def _die_with_parent(by: signal.Signals) -> None:
    # Runs between fork and exec. If the harness is killed it cannot clean up, so the kernel does.
    _LIBC.prctl(_PR_SET_PDEATHSIG, by)
