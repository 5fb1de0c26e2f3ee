"""Which lines of a kernel log are complaints: the kernel found a mistake, of its own or of its user.

A log line is "<level>text" as the runner reads it from /dev/kmsg, or a line of a serial console, which has no
level. On a machine that does other work too (the host), a line counts only if something ties it to io_uring.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

#: Words with which the kernel reports a bug, whatever the level of the line.
COMPLAINT = re.compile(
    r"WARNING:|BUG:|\bOops\b|Kernel panic|general protection fault|KASAN|KCSAN|KMSAN|UBSAN|KFENCE|lockdep"
    r"|locking dependency|INFO: rcu|rcu: INFO|INFO: task .* blocked|unreferenced object|refcount_t:"
    r"|list_(add|del) corruption|soft lockup|hard LOCKUP"
)

#: Lines that say nothing about the test, and why. Matched before everything else.
HARMLESS: tuple[tuple[re.Pattern[str], str], ...] = ()

ERROR = 3  # KERN_ERR; lower levels are worse

_LEVEL = re.compile(r"<(\d)>")
_PREFIX = re.compile(r"<\d>|\[ *\d+\.\d+\](\[ *[TC]\d+\])? ")

#: The taint bits by which a kernel remembers bugs: machine check, bad page, Oops, warning, soft lockup.
#: The others tell about modules, which on a host anybody may load at any time.
BUG_TAINT = 1 << 4 | 1 << 5 | 1 << 7 | 1 << 9 | 1 << 14


def complaints(lines: Sequence[str], taint: tuple[int, int] | None, *, shared: bool) -> tuple[str, ...]:
    """The complaints among the lines, and a new taint. `shared`: other work is logged here too."""
    found = [line for line in lines if _complains(line, any_error=not shared)]
    before, after = taint or (0, 0)
    new = after & ~before & (BUG_TAINT if shared else ~0)
    if shared and not new and not any("io_uring" in line for line in lines):
        return ()
    if new:
        found.append(f"taint went from {before} to {after}")
    return tuple(found)


def text(line: str) -> str:
    """What a line says, without its level or a console's time: the same in both forms."""
    return _PREFIX.sub("", line, count=1) if _PREFIX.match(line) else line


def _complains(line: str, *, any_error: bool) -> bool:
    if any(pattern.search(line) for pattern, _ in HARMLESS):
        return False
    level = _LEVEL.match(line)
    return bool(COMPLAINT.search(line)) or (any_error and level is not None and int(level[1]) <= ERROR)
