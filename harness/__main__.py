"""`python3 -m harness`: the matrix; with the name of another command in front, that command."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from harness.trouble import Trouble

#: Each command and the module whose `main(arguments)` does it and returns 0 (fine), 1 (a finding) or 2 (our
#: trouble). A module is loaded when its command is called, so that none pays for another's imports.
COMMANDS = {
    "matrix": "harness.run",
    "diff": "harness.diff",
    "plan": "harness.plan",
    "merge": "harness.merge",
    "nightly": "harness.nightly",
    "render": "harness.render",
    "table": "harness.table",
    "adapters": "harness.adapters",
    "kernels": "harness.inventory",
    "lies": "harness.lies",
    "mutate": "harness.mutation.command",
}
TROUBLE, INTERRUPTED = 2, 130


def main(words: Sequence[str]) -> int:
    """Do what was asked for. What is wrong on our side is told in a sentence, never as a traceback."""
    command, *arguments = words if words and not words[0].startswith("-") else ("matrix", *words)
    if command not in COMMANDS:
        print(f"There is no command {command!r}. There are: {', '.join(COMMANDS)}.", file=sys.stderr)
        return TROUBLE
    try:
        return int(importlib.import_module(COMMANDS[command]).main(arguments))
    except Trouble as trouble:
        print(f"{command}: {trouble}", file=sys.stderr)
        return TROUBLE
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
