# SPDX-FileCopyrightText: 2026 the uring-conformance authors
# SPDX-License-Identifier: MIT

"""`ci/harness COMMAND`: every command of the harness; `ci/matrix` calls one of them."""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Sequence

from harness.base import streams
from harness.base.command_line import FINDINGS, PROGRAM, Parser
from harness.base.errors import HarnessError
from harness.base.exits import INTERRUPTED, TROUBLE
from harness.base.output import say

#: Each command, the module whose `main(arguments)` runs it and returns its exit code, and what it does. A module is
#: loaded when its command is called, so that none pays for another's imports.
COMMANDS = {
    "matrix": (
        "harness.matrix.run",
        "run the suite on kernels, as ci/matrix does after installing and building",
    ),
    "diff": ("harness.commands.diff", "say what changed between two runs, and what may be to blame"),
    "kernels": ("harness.commands.kernels", "list the kernels that there are, fetch them ahead, remove them"),
    "ask": ("harness.commands.ask", "say since when something of io_uring is there, and which bugs to know"),
    "table": ("harness.commands.table", "print the table of one binding, for that binding's README"),
    "adapters": (
        "harness.commands.adapters",
        "build the suite for newer liburings and for the Rust crate io-uring",
    ),
    "render": ("harness.commands.render", "make the reports of a results file again"),
    "lies": ("harness.lies.command", "run the tests on kernels that lie, and check that each lie is caught"),
    "mutate": (
        "harness.mutation.command",
        "run the tests on bindings with one mistake, and check that each is noticed",
    ),
    "bench": ("harness.bench.binding.command", "measure the binding beside its peers"),
    "bench-boots": ("harness.bench.boots", "measure how long kernels take to boot and to run the suite"),
    "nightly": ("harness.commands.nightly", "run the whole matrix, say what changed, commit it if asked to"),
    "plan": ("harness.commands.plan", "print the columns as JSON, for a CI with a machine for each kernel"),
    "merge": ("harness.commands.merge", "make one run of runs on several machines"),
}


def main(words: Sequence[str]) -> int:
    """Run a command. What goes wrong in the harness is told in a sentence, never as a traceback."""
    epilog = f"{PROGRAM} COMMAND --help explains one. {FINDINGS}"
    parser = Parser(prog=PROGRAM, description="Every command of the harness.", epilog=epilog)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (_, does) in COMMANDS.items():
        commands.add_parser(
            name, help=does, add_help=False, prefix_chars="\0"
        )  # its own parser reads its arguments
    command = parser.parse_args(words[:1]).command
    try:
        return int(importlib.import_module(COMMANDS[command][0]).main(list(words[1:])))
    except HarnessError as error:
        say(f"{PROGRAM} {command}: {error}", error=True)
        return TROUBLE
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        where = f"{error.filename}: " if error.filename is not None else ""
        say(
            f"{PROGRAM} {command}: {where}{error.strerror or error}. Correct this, then try again.",
            error=True,
        )
        return TROUBLE
    except Exception:  # Python would exit with 1, which means that there are findings
        say(traceback.format_exc(), error=True, end="")
        say(
            f"{PROGRAM} {command}: This is a bug of the harness. Please report it with the lines above.",
            error=True,
        )
        return TROUBLE


if __name__ == "__main__":
    sys.exit(streams.run(" ".join((PROGRAM, *sys.argv[1:2])), lambda: main(sys.argv[1:])))
