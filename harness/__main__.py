"""`python3 -m harness`: `pytest harness` as ci/matrix calls it, with the harness's own exit codes and nothing else's."""

from __future__ import annotations

import signal
import sys

import pytest

from harness import inventory
from harness.matrix import INTERRUPTED, OK, ROOT, SURPRISES, TROUBLE

ARGUMENTS = (
    str(ROOT / "harness"),
    "--quiet",
    "--capture=no",  # what a waiting person wants to know is seen at once
    "-rN",  # the table at the end says it better
    *("--numprocesses", "2", "--dist", "loadgroup"),  # kernels in parallel, the cells of one in one process
    "--publish",
)


def main() -> int:
    """Run the matrix; pytest's own codes for wrong usage and internal errors are our trouble, too."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: results so far, no QEMU left
    if sys.argv[1:2] == ["kernels"]:
        return inventory.main(sys.argv[2:])
    code = pytest.main([*ARGUMENTS, *sys.argv[1:]])
    return int(code) if code in (OK, SURPRISES, TROUBLE, INTERRUPTED) else TROUBLE


if __name__ == "__main__":
    sys.exit(main())
