# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""What the command lines of all commands share: their look, their common options, their exit codes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from harness.base.output import say
from harness.base.paths import BUILD

PROGRAM = "ci/harness"
EXIT_CODES = "Exit code: 0, or 2 if the harness itself failed."
FINDINGS = "Exit code: 0 as expected, 1 there are findings, 2 the harness itself failed."


class Parser(argparse.ArgumentParser):
    """A parser whose messages, which repeat what was typed, go the way of all others."""

    def _print_message(self, message: str, file: Any = None) -> None:
        say(message, error=file is not sys.stdout, end="")


def parser(command: str, description: str, epilog: str = EXIT_CODES) -> argparse.ArgumentParser:
    """The parser of one command; `epilog` ends with its exit codes."""
    raw = argparse.RawDescriptionHelpFormatter
    return Parser(prog=f"{PROGRAM} {command}", description=description, epilog=epilog, formatter_class=raw)


def add_cache(to: argparse.ArgumentParser) -> None:
    """Where kernels and other fetched things are kept."""
    to.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        help="where kernels are kept (default: $XDG_CACHE_HOME/uring-conformance)",
    )


def add_archive(to: argparse.ArgumentParser) -> None:
    """How the distribution's archive is asked."""
    help = "the archive's base address (default: as in this machine's apt configuration)"
    to.add_argument("--mirror", metavar="URL", help=help)
    to.add_argument(
        "--refresh", action="store_true", help="ask the archive for newer packages even if its list is fresh"
    )


def add_build(to: argparse.ArgumentParser) -> None:
    """Where the programs are."""
    to.add_argument(
        "--build", type=Path, default=BUILD, metavar="DIR", help="the build directory (default: build)"
    )
