"""`python3 -m harness`: the matrix; with the name of another command in front, that command."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from harness.base.errors import HarnessError
from harness.base.exits import INTERRUPTED, TROUBLE

#: Each command and the module whose `main(arguments)` does it and returns 0 (fine), 1 (a finding) or 2 (our
#: trouble). A module is loaded when its command is called, so that none pays for another's imports.
COMMANDS = {
    "matrix": "harness.matrix.run",
    "diff": "harness.commands.diff",
    "plan": "harness.commands.plan",
    "merge": "harness.commands.merge",
    "nightly": "harness.commands.nightly",
    "render": "harness.commands.render",
    "table": "harness.commands.table",
    "adapters": "harness.commands.adapters",
    "kernels": "harness.commands.kernels",
    "lies": "harness.lies.command",
    "mutate": "harness.mutation.command",
}


def main(words: Sequence[str]) -> int:
    """Do what was asked for. What is wrong on our side is told in a sentence, never as a traceback."""
    command, *arguments = words if words and not words[0].startswith("-") else ("matrix", *words)
    if command not in COMMANDS:
        print(f"There is no command {command!r}. There are: {', '.join(COMMANDS)}.", file=sys.stderr)
        return TROUBLE
    try:
        return int(importlib.import_module(COMMANDS[command]).main(arguments))
    except HarnessError as trouble:
        print(f"{command}: {trouble}", file=sys.stderr)
        return TROUBLE
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
